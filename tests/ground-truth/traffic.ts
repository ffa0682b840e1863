/**
 * Requests to the shop, and what came back: the manifest's drives, and a minute of ordinary visits around them. All of
 * it follows from a seed; each request has an id (`ENTRY#n`, `ENTRY#n.k` for what goes before it, `visit#n`) and, made
 * from that, the `x-request-id` and the `traceparent` that it carries.
 */
import { createHash } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";
import {
  SECRETS,
  claimsFor,
  oddlyUnsignedJwt,
  sessionOf,
  signJwt,
  STRONG_SECRET,
  unsignedJwt,
} from "./ground/people.ts";
import type { Person } from "./ground/people.ts";
import type { Drive, Entry, Manifest, Service } from "./manifest.ts";

export type Urls = Readonly<Record<Service, string>>;
export type Header = [name: string, value: string];

/** One request, ready to be sent. */
export interface Planned {
  id: string;
  /** The manifest entry that it belongs to; null for a visit. */
  entry: string | null;
  kind: "ordinary" | "tour";
  /** Whether a request of the entry's follows, for which this one prepares. */
  isPreparation: boolean;
  to: Service;
  /** Who sends it, as an address. */
  from: string;
  method: string;
  path: string;
  headers: Header[];
  body: Buffer | null;
}

export interface Sent extends Planned {
  /** When it was sent, in ms since 1970. */
  at: number;
  response: { status: number; headers: Header[]; body: Buffer };
}

export interface Pace {
  /** Over how many seconds the requests are spread; 0: one after the other. */
  seconds?: number;
}

const BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";
const APP = "LampsAndTables/4.2 (Android 15)";
const TIMEOUT_MS = 10_000;

/** Words that a drive may put between `<<` and `>>`: what cannot be written down, or should not. */
const WORDS: Readonly<Record<string, string>> = {
  "session.ada": sessionOf("ada"),
  "session.lin": sessionOf("lin"),
  "session.admin": sessionOf("admin"),
  "jwt.ada": signJwt(claimsFor("ada"), STRONG_SECRET),
  "jwt.weak": signJwt(claimsFor("ada"), "secret"),
  "jwt.none.admin": unsignedJwt(claimsFor("admin")),
  "jwt.odd.admin": oddlyUnsignedJwt(claimsFor("admin")),
  "github.token": SECRETS.githubToken,
};
const fill = (text: string): string =>
  text.replace(/<<([\w.]+)>>/g, (_all, word: string) => {
    const value = WORDS[word];
    if (value === undefined) throw new Error(`no such word: ${word}`);
    return value;
  });

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A version 4 UUID that follows from the id of a request. */
export function requestId(id: string): string {
  const hex = digest(id);
  const variant = "89ab"[parseInt(hex[16]!, 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const traceparent = (id: string): string =>
  `00-${digest(`trace ${id}`).slice(0, 32)}-${digest(`span ${id}`).slice(0, 16)}-01`;

/** Each person, and everybody else, has an address. */
const addressOf = (person: Person | undefined, kind: "ordinary" | "tour"): string =>
  person === "ada"
    ? "10.1.0.11"
    : person === "lin"
      ? "10.1.0.12"
      : person === "admin"
        ? "10.1.0.2"
        : kind === "tour"
          ? "203.0.113.66"
          : "10.1.0.99";

type Draft = Omit<Drive, "kind" | "before" | "shows" | "sweep">;

/** A pair of JSON Pointer and value as an object; numbers in pointers are not used here. */
const nested = (pointer: string, value: string): unknown =>
  pointer
    .split("/")
    .slice(1)
    .reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);

/** A drive's request, with everything that the entry leaves to be understood. */
function plan(entry: Entry, draft: Draft, id: string, kind: "ordinary" | "tour", isPreparation: boolean): Planned {
  const { at } = entry;
  const to = draft.to ?? at.service;
  const method = draft.method ?? at.method;
  let path = draft.path ?? at.route;
  if (draft.path === undefined && path.includes("{"))
    throw new Error(`${id}: the route is variable, a path is missing`);
  const queries = { ...draft.query };
  const cookies = { ...draft.cookies };
  const headers = new Map<string, string>(
    Object.entries(draft.headers ?? {}).map(([name, value]) => [name, fill(value)]),
  );
  let { form, json } = draft;
  const { value } = draft;
  if (value !== undefined) {
    const name = at.parameter;
    if (at.part === "query" && name !== undefined) queries[name] = value;
    else if (at.part === "form" && name !== undefined) form = { ...form, [name]: value };
    else if (at.part === "json" && name !== undefined)
      json = { ...(json as object), ...(nested(name, value) as object) };
    else if (at.part === "cookie" && name !== undefined) cookies[name] = value;
    else if (at.part === "header" && name !== undefined) headers.set(name, fill(value));
    else throw new Error(`${id}: a value cannot be put into ${at.part}`);
  }
  const pairs = Object.entries(queries).map(
    ([name, text]) => `${encodeURIComponent(name)}=${encodeURIComponent(fill(text))}`,
  );
  if (pairs.length > 0) path += `${path.includes("?") ? "&" : "?"}${pairs.join("&")}`;
  if (draft.as !== undefined && to === "edge") cookies["__Host-session"] = sessionOf(draft.as);
  else if (draft.as !== undefined) headers.set("authorization", `Bearer ${sessionOf(draft.as)}`);
  const cookieText = Object.entries(cookies)
    .map(([name, text]) => `${name}=${encodeURIComponent(fill(text))}`)
    .join("; ");
  if (cookieText !== "") headers.set("cookie", cookieText);
  let body: Buffer | null = null;
  const typed = (type: string, text: string | Buffer): void => {
    if (!headers.has("content-type")) headers.set("content-type", type);
    body = Buffer.from(text);
  };
  if (draft.body_base64 !== undefined) typed("application/octet-stream", Buffer.from(draft.body_base64, "base64"));
  else if (draft.body !== undefined) typed("text/plain", fill(draft.body));
  else if (form !== undefined) typed("application/x-www-form-urlencoded", new URLSearchParams(form).toString());
  else if (json !== undefined) typed("application/json", fill(JSON.stringify(json)));
  const defaults: Header[] = [
    ["host", `${to}.shop.example`],
    ["user-agent", to === "edge" ? BROWSER : APP],
    ["accept", to === "edge" ? "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" : "application/json"],
    // Visitors and apps come by TLS, which ends before the mesh; inside it the services speak plainly.
    ["x-forwarded-proto", "https"],
    ["x-request-id", requestId(id)],
    ["traceparent", traceparent(id)],
  ];
  const all = [...defaults.filter(([name]) => !headers.has(name)), ...headers];
  return {
    id,
    entry: entry.id,
    kind,
    isPreparation,
    to,
    from: addressOf(draft.as, kind),
    method,
    path,
    headers: all,
    body,
  };
}

/** All requests of an entry's drives of these kinds, in order. */
export function planEntry(entry: Entry, kinds: readonly ("ordinary" | "tour")[] = ["ordinary", "tour"]): Planned[] {
  return entry.drives.flatMap((drive, at) => {
    const { kind, before = [], shows: _shows, sweep, ...draft } = drive;
    if (!kinds.includes(kind)) return [];
    const id = `${entry.id}#${at + 1}`;
    const first = sweep === undefined ? [draft] : numbered(draft, sweep);
    const last = first.pop()!;
    return [
      ...[...before, ...first].map((preparation, k) => plan(entry, preparation, `${id}.${k + 1}`, kind, true)),
      plan(entry, last, id, kind, false),
    ];
  });
}

/** A request for each number of a range. */
const numbered = (draft: Draft, [first, last]: readonly [number, number]): Draft[] =>
  Array.from({ length: last - first + 1 }, (_, n) => ({
    ...draft,
    path: draft.path?.replace("{n}", String(first + n)),
  }));

const agent = new Agent({ keepAlive: false });

/** Sends a request to its service. Resolves with the answer, whatever it is; rejects where none comes. */
export function sendPlanned(planned: Planned, urls: Urls): Promise<Sent> {
  const { hostname, port } = new URL(urls[planned.to]);
  const at = Date.now();
  return new Promise((resolve, reject) => {
    const length: Header[] = planned.body === null ? [] : [["content-length", String(planned.body.length)]];
    const headers = Object.fromEntries([...planned.headers, ...length]);
    const outgoing = httpRequest(
      { agent, hostname, port, method: planned.method, path: planned.path, headers },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("end", () => {
          const raw = incoming.rawHeaders;
          const answered: Header[] = [];
          for (let i = 0; i + 1 < raw.length; i += 2) answered.push([raw[i]!.toLowerCase(), raw[i + 1]!]);
          resolve({
            ...planned,
            at,
            response: { status: incoming.statusCode ?? 0, headers: answered, body: Buffer.concat(chunks) },
          });
        });
      },
    );
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error(`${planned.id}: no answer`)));
    outgoing.once("error", (error) => reject(new Error(`${planned.id}: ${error.message}`)));
    outgoing.end(planned.body ?? undefined);
  });
}

async function sendAll(planned: readonly Planned[], urls: Urls, { seconds = 0 }: Pace): Promise<Sent[]> {
  const sent: Sent[] = [];
  const begin = Date.now();
  for (const [at, one] of planned.entries()) {
    const wait = begin + (seconds * 1000 * at) / planned.length - Date.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    sent.push(await sendPlanned(one, urls));
  }
  return sent;
}

/** A generator of numbers in [0, 1) that follows from its seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What visitors look for; some of it looks like more than it is. */
const SEARCHES = [
  ...["lamp", "brass lamp", "oak table", "O'Brien chair", "fish & chips", "select union square", "drop table, oak"],
  ...["chair 49", "lamp -- brass", '5" picture', "1 + 1 lamps", "50% off", "price < 50", "lamp; table", "Æble bord"],
];

/** One visitor's way through the shop. */
const JOURNEYS: readonly (readonly ((pick: (from: readonly string[]) => string) => Draft & { kind?: never })[])[] = [
  [
    () => ({ to: "edge", method: "GET", path: "/" }),
    (pick) => ({ to: "edge", method: "GET", path: "/find", query: { q: pick(SEARCHES) } }),
    (pick) => ({ to: "edge", method: "GET", path: `/products/${pick(["1", "2", "4"])}/questions` }),
    (pick) => ({
      to: "edge",
      method: "GET",
      path: "/account/history",
      query: { show: pick(["open", "sent"]) },
      as: "ada",
    }),
  ],
  [
    () => ({ to: "edge", method: "GET", path: "/login/continue", query: { next: "/account/history" } }),
    (pick) => ({
      to: "orders",
      method: "POST",
      path: "/v2/session",
      json: { email: "lin@shop.example", password: pick(["battery staple", "Battery' staple", "pass OR word=1"]) },
    }),
    () => ({ to: "orders", method: "GET", path: "/orders/mine", as: "lin" }),
    (pick) => ({
      to: "edge",
      method: "GET",
      path: "/availability/city",
      query: { warehouse: pick(["Oslo", "Bergen"]) },
    }),
  ],
  [
    (pick) => ({ to: "catalogue", method: "GET", path: "/products/named", query: { name: pick(SEARCHES) } }),
    (pick) => ({ to: "catalogue", method: "GET", path: `/item/${pick(["1", "2", "3", "4", "5"])}` }),
    (pick) => ({ to: "catalogue", method: "GET", path: "/products/ordered", query: { by: pick(["name", "price"]) } }),
    (pick) => ({
      to: "edge",
      method: "POST",
      path: "/callback",
      form: { name: pick(["Ada", "Siobhan O'Brien", "Lin & Co <office>"]) },
    }),
    () => ({ to: "edge", method: "POST", path: "/signout", form: { return_to: "/" } }),
  ],
];

/** The entry that visits belong to: none. */
const VISIT = { id: "visit", at: { service: "edge", method: "GET", route: "/", part: "query" } } as unknown as Entry;

/** `count` requests of visitors, some journeys at once, as the seed says. */
export function planVisits(count: number, seed: number): Planned[] {
  const next = random(seed);
  const pick = (from: readonly string[]): string => from[Math.floor(next() * from.length)]!;
  const under: { journey: (typeof JOURNEYS)[number]; at: number }[] = [];
  return Array.from({ length: count }, (_, n) => {
    if (under.length < 3) under.push({ journey: JOURNEYS[Math.floor(next() * JOURNEYS.length)]!, at: 0 });
    const visitor = Math.floor(next() * under.length);
    const { journey, at } = under[visitor]!;
    const draft = journey[at]!(pick);
    if (at + 1 < journey.length) under[visitor]!.at++;
    else under.splice(visitor, 1);
    return { ...plan(VISIT, draft, `visit#${n + 1}`, "ordinary", false), entry: null };
  });
}

export interface OrdinaryOptions extends Pace {
  seed?: number;
  /** Requests of visitors besides the manifest's own; default 300. */
  visits?: number;
}

/** A minute of ordinary traffic (`seconds`: 60, or 0 for as fast as it goes): visits, and the manifest's ordinary drives among them. */
export function planOrdinary(manifest: Manifest, { seed = 1, visits = 300 }: OrdinaryOptions = {}): Planned[] {
  const next = random(seed ^ 0x5eed);
  const groups = manifest.map((entry) => planEntry(entry, ["ordinary"])).filter((group) => group.length > 0);
  const places = planVisits(visits, seed).map((visit) => [visit]);
  // Drives of one entry stay together: what prepares comes before what it prepares for.
  for (const group of groups) places.splice(Math.floor(next() * (places.length + 1)), 0, group);
  return places.flat();
}

export const sendOrdinary = (manifest: Manifest, urls: Urls, options: OrdinaryOptions = {}): Promise<Sent[]> =>
  sendAll(planOrdinary(manifest, options), urls, options);

/** What a tester sends, entry by entry. */
export const planTour = (manifest: Manifest): Planned[] => manifest.flatMap((entry) => planEntry(entry, ["tour"]));

export const sendTour = (manifest: Manifest, urls: Urls, pace: Pace = {}): Promise<Sent[]> =>
  sendAll(planTour(manifest), urls, pace);
