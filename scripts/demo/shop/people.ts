/** Who comes to the shop, and the tokens by which it knows them again. Every person and every secret in it is made up. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

export const CUSTOMERS = ["ada", "lin", "siobhan"] as const;
export type Person = (typeof CUSTOMERS)[number] | "office";

const PASSWORDS: Readonly<Record<Person, string>> = {
  ada: "correct horse battery",
  lin: "staple under the oak",
  siobhan: "seven kernels in Espoo",
  office: "lamps and tables since 1911",
};
const isPerson = (name: string): name is Person => name in PASSWORDS;

export const passwordOf = (person: Person): string => PASSWORDS[person];
export const emailOf = (person: Person): string => `${person}@shop.example`;

/** Who logs in with these, or null. */
export function personBy(email: unknown, password: unknown): Person | null {
  const name = String(email).replace(/@shop\.example$/, "");
  return isPerson(name) && PASSWORDS[name] === password ? name : null;
}

/** Made for this run. */
const SECRET = randomBytes(32).toString("hex");
/** What the kiosks in the shops sign with: a word of every manual, so that anybody can make such a token. */
export const KIOSK_SECRET = "secret";
const HOUR = 3_600;

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
const sign = (text: string, secret: string): string => createHmac("sha256", secret).update(text).digest("base64url");

/** A token for an hour, signed with the run's secret or another one. */
export function tokenFor(person: Person, secret = SECRET): string {
  const now = Math.floor(Date.now() / 1000);
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub: person, iat: now, exp: now + HOUR })}`;
  return `${text}.${sign(text, secret)}`;
}

/** Whose token it is; null where it is none of the shop's. */
export function personOf(token: string): Person | null {
  const [head = "", claims = "", signature = ""] = token.split(".");
  const isSignedWith = (secret: string): boolean => {
    const due = Buffer.from(sign(`${head}.${claims}`, secret));
    const given = Buffer.from(signature);
    return given.length === due.length && timingSafeEqual(given, due);
  };
  if (![SECRET, KIOSK_SECRET].some(isSignedWith)) return null;
  const { sub, exp } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { sub: string; exp: number };
  return isPerson(sub) && exp > Date.now() / 1000 ? sub : null;
}

/** The edge's sessions: who stands behind each cookie. */
export class Sessions {
  readonly #people = new Map<string, Person>();

  open(person: Person): string {
    const id = randomBytes(24).toString("hex");
    this.#people.set(id, person);
    return id;
  }

  close(id: string): void {
    this.#people.delete(id);
  }

  personOf(id: string): Person | null {
    return this.#people.get(id) ?? null;
  }
}
