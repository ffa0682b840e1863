/** Requests to the mesh, as browsers and apps send them: by TLS, which ends before the mesh, and each with a trace of its own. */
import { createHash } from "node:crypto";
import type { TourRequest } from "./cases.ts";
import { send } from "./tour.ts";
import type { Answer } from "./tour.ts";
import { emailOf, passwordOf } from "./shop/people.ts";
import type { Person } from "./shop/people.ts";

export const SERVICES = ["edge", "catalogue", "orders"] as const;
export type Service = (typeof SERVICES)[number];
export type Urls = Readonly<Record<Service, string>>;

/** The names by which clients know the services. */
export const NAMES: Readonly<Record<Service, string>> = {
  edge: "shop.example",
  catalogue: "catalogue.shop.example",
  orders: "orders.shop.example",
};

/** Other sites whose pages ask the shop. */
export const SITES = ["partner.example", "evil.example"] as const;

export interface Step extends TourRequest {
  to: Service;
  /** Who sends it: at the edge by a cookie, elsewhere by a token. Left out: nobody knows. */
  as?: Person;
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
/** The trace of the request with this name. */
export const traceOf = (name: string): string => digest(`trace of ${name}`).slice(0, 32);

/** Sends steps, with the cookies and tokens that the services have handed out for them. */
export class Visitors {
  readonly #urls: Urls;
  readonly #token: string;
  readonly #cookies = new Map<Person, string>();
  readonly #tokens = new Map<Person, string>();

  /** `token` opens the demo's doors. */
  constructor(urls: Urls, token: string) {
    this.#urls = urls;
    this.#token = token;
  }

  /** Logs a person in, at the edge and with the app; rejects where the shop does not know them. */
  async logIn(person: Person): Promise<void> {
    const given = { email: emailOf(person), password: passwordOf(person) };
    const page = await this.send(
      {
        ...{ to: "edge", method: "POST", path: person === "office" ? "/office/login" : "/login" },
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(given).toString(),
      },
      `login of ${person}`,
    );
    const [, cookie] = /^(session=[^;]+)/.exec(page.headers["set-cookie"]?.[0] ?? "") ?? [];
    const answer = await this.send(
      {
        ...{ to: "orders", method: "POST", path: "/session", body: JSON.stringify(given) },
        headers: { "content-type": "application/json" },
      },
      `session of ${person}`,
    );
    if (cookie === undefined || answer.status !== 200) throw new Error(`the shop does not know ${person}`);
    this.#cookies.set(person, cookie);
    this.#tokens.set(person, (JSON.parse(answer.body) as { access_token: string }).access_token);
  }

  /** Sends a step under a name of its own. */
  send(step: Step, name: string): Promise<Answer> {
    const { to, as, method, path, body, headers = {} } = step;
    const trace = traceOf(name);
    const session = as === undefined || to !== "edge" ? [] : [this.#cookies.get(as) ?? ""];
    const cookies = [...session, ...(headers.cookie === undefined ? [] : [headers.cookie])].filter(Boolean);
    const all: Record<string, string> = {
      host: NAMES[to],
      "user-agent": to === "edge" ? BROWSER : APP,
      accept: to === "edge" ? "text/html,application/xhtml+xml,*/*;q=0.8" : "application/json",
      "x-forwarded-proto": "https",
      traceparent: `00-${trace}-${digest(name).slice(0, 16)}-01`,
      ...(as === undefined || to === "edge" ? {} : { authorization: `Bearer ${this.#tokens.get(as)}` }),
      ...headers,
      ...(cookies.length === 0 ? {} : { cookie: cookies.join("; ") }),
    };
    const request = { method, path, headers: all, ...(body === undefined ? {} : { body }) };
    return send(this.#urls[to], this.#token, request);
  }
}

const BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";
const APP = "LampsAndTables/4.2 (Android 15)";
