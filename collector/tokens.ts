/**
 * Tokens: who may send events, who may read and decide. In an environment variable as one token, or as several with names,
 * `ada:TOKEN,ci:TOKEN`: the name is what the audit log says, and two at a time are how one is replaced.
 */
import { createHash, timingSafeEqual } from "node:crypto";

export interface Token {
  name: string;
  value: string;
}

const LEAST = 16;
const MOST = 16;

/** Reads a variable's text; `name` is for a token without one. Throws with a line for the user. */
export function parseTokens(text: string, name: string): Token[] {
  const tokens = text.split(",").map((part) => {
    const [, given, value] = /^(?:([A-Za-z0-9_-]{1,64}):)?([A-Za-z0-9._~+/=-]+)$/.exec(part.trim()) ?? [];
    if (value === undefined) throw new Error("expected TOKEN or NAME:TOKEN,NAME:TOKEN of letters, digits and ._~+/=-");
    if (value.length < LEAST) throw new Error(`a token needs ${LEAST} characters or more`);
    return { name: given ?? name, value };
  });
  if (tokens.length > MOST) throw new Error(`more than ${MOST} tokens`);
  return tokens;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The name of the token that `given` is; null for none. Takes the same time whatever is the same in them. */
export function tokenNamed(tokens: readonly Token[], given: string): string | null {
  const wanted = digest(given);
  let found: string | null = null;
  for (const { name, value } of tokens) if (timingSafeEqual(digest(value), wanted)) found = name;
  return found;
}

/** The token of an Authorization header; null where it has none. */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer +([A-Za-z0-9._~+/=-]{1,1024})$/i.exec(header ?? "")?.[1] ?? null;
}
