/** Who uses the shop, with the tokens that they carry. All of it is made up, and derived so that each run has the same. */
import { createHash, createHmac } from "node:crypto";
import type { Request } from "express";

const hex = (text: string): string => createHash("sha256").update(`ground truth: ${text}`).digest("hex");
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export const PEOPLE = ["ada", "lin", "admin"] as const;
export type Person = (typeof PEOPLE)[number];

/** An opaque session, as it stands in the cookie `__Host-session` and after `Bearer`. */
export const sessionOf = (person: Person): string => hex(`session of ${person}`).slice(0, 40);

/** When this process began, in seconds since 1970: the tokens of this run are issued then. */
export const ISSUED = Math.floor(Date.now() / 1000);
const LIFETIME_SECONDS = 900;
/** What signs the shop's good tokens. */
export const STRONG_SECRET = hex("a secret that is in no dictionary");

/** A signed JSON Web Token (HS256). */
export function signJwt(claims: Record<string, unknown>, secret: string): string {
  const head = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url(claims)}`;
  return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
}

/** A JSON Web Token that nobody signed. */
export const unsignedJwt = (claims: Record<string, unknown>): string =>
  `${base64url({ alg: "none", typ: "JWT" })}.${base64url(claims)}.`;

export const claimsFor = (person: Person): Record<string, unknown> => ({
  iss: "https://shop.example",
  sub: person,
  iat: ISSUED,
  exp: ISSUED + LIFETIME_SECONDS,
});

/** The same, by a way of writing it that a comparison with "none" does not know. */
export const oddlyUnsignedJwt = (claims: Record<string, unknown>): string =>
  `${base64url({ alg: "nOnE", typ: "JWT" })}.${base64url(claims)}.`;

/** The claims of a token that `secret` signed, or null. */
export function verifyJwt(token: string, secret: string): Record<string, unknown> | null {
  const [head = "", claims = "", signature = ""] = token.split(".");
  const expected = createHmac("sha256", secret).update(`${head}.${claims}`).digest("base64url");
  return signature === expected ? readClaims(token) : null;
}

/** The claims of a token, whoever made it. */
export function readClaims(token: string): Record<string, unknown> | null {
  try {
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** Whose session a request carries, in its cookie or as a bearer token. */
export function personOf(request: Request): Person | null {
  const given = /__Host-session=(\w+)/.exec(request.get("cookie") ?? "")?.[1] ?? bearerOf(request);
  return PEOPLE.find((person) => sessionOf(person) === given) ?? null;
}

export const bearerOf = (request: Request): string =>
  /^Bearer (\S+)$/.exec(request.get("authorization") ?? "")?.[1] ?? "";

/** User and password of a request's Basic credentials. */
export function basicOf(request: Request): [user: string, password: string] | null {
  const text = /^Basic (\S+)$/.exec(request.get("authorization") ?? "")?.[1];
  if (text === undefined) return null;
  const [user = "", ...password] = Buffer.from(text, "base64").toString().split(":");
  return [user, password.join(":")];
}

/** A value that looks like a credential of some provider: put together here, so that no scanner of sources is alarmed. */
export const credential = (prefix: string, length: number, alphabet: string, name: string): string => {
  const digits = createHash("sha512").update(name).digest();
  return prefix + Array.from({ length }, (_, at) => alphabet[digits[at % 64]! % alphabet.length]).join("");
};

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const MIXED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
export const SECRETS = {
  awsKeyId: credential("AKIA", 16, UPPER, "aws key id"),
  awsTemporaryKeyId: credential("ASIA", 16, UPPER, "aws temporary key id"),
  awsSecret: credential("", 40, `${MIXED}+/`, "aws secret"),
  githubToken: credential("ghp_", 36, MIXED, "github token"),
  stripeKey: credential("sk_live_", 24, MIXED, "stripe key"),
  googleKey: credential("AIza", 35, `${MIXED}-_`, "google key"),
  sendgridKey: credential("SG.", 22, `${MIXED}-_`, "sendgrid id") + credential(".", 43, `${MIXED}-_`, "sendgrid key"),
  gitlabToken: credential("glpat-", 20, MIXED, "gitlab token"),
  slackToken: credential("xoxb-", 12, "0123456789", "slack bot") + credential("-", 24, MIXED, "slack token"),
};
