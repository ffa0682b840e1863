/**
 * Sessions of the page: a cookie that says who and until when, signed with a key that comes from the token, so that a restart ends
 * none and another token ends all. One that was ended is remembered until its time has come.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { SESSION_COOKIE } from "./api.ts";
import type { Token } from "./tokens.ts";

const LIFE_SECONDS = 12 * 3_600;
/** Ended sessions that are remembered; beyond it the oldest is forgotten, as it would be after a restart. */
const ENDED = 10_000;

export interface SessionOf {
  who: string;
  /** Milliseconds since the epoch. */
  expires: number;
}

export interface Sessions {
  /** A cookie's value for who has shown `token`. */
  begin(token: Token, now: number): { value: string; session: SessionOf };
  /** The session of a cookie's value; null where it is not valid. */
  find(value: string, now: number): SessionOf | null;
  end(value: string): void;
}

/** Sessions for the owners of `tokens`. */
export function createSessions(tokens: readonly Token[]): Sessions {
  const ended = new Set<string>();
  const keyOf = ({ name, value }: Token): Buffer =>
    Buffer.from(hkdfSync("sha256", value, name, "meshward collector session", 32));
  const keys = tokens.map((token) => ({ token, key: keyOf(token) }));
  const sign = (text: string, key: Buffer): string => createHmac("sha256", key).update(text).digest("base64url");
  return {
    begin(token, now) {
      const session = { who: token.name, expires: now + LIFE_SECONDS * 1000 };
      const text = `${session.expires}.${randomBytes(12).toString("base64url")}`;
      return { value: `${text}.${sign(text, keyOf(token))}`, session };
    },
    find(value, now) {
      const [, text, expires, signature] = /^((\d{13})\.[\w-]{16})\.([\w-]{43})$/.exec(value) ?? [];
      if (text === undefined || Number(expires) <= now || ended.has(value)) return null;
      for (const { token, key } of keys) {
        if (timingSafeEqual(Buffer.from(sign(text, key)), Buffer.from(signature!))) {
          return { who: token.name, expires: Number(expires) };
        }
      }
      return null;
    },
    end(value) {
      if (ended.size >= ENDED) ended.delete(ended.values().next().value!);
      ended.add(value);
    },
  };
}

/** The session cookie in a Cookie header; null where there is none, or more than one. */
export function cookieIn(header: string | undefined): string | null {
  const found = (header ?? "").split(";").flatMap((pair) => {
    const [name, value] = pair.trim().split("=", 2);
    return name === SESSION_COOKIE ? [value ?? ""] : [];
  });
  return found.length === 1 ? found[0]! : null;
}

/** A Set-Cookie header; without a value it takes the cookie away. */
export function cookieHeader(value: string | null, isSecure: boolean): string {
  const age = value === null ? 0 : LIFE_SECONDS;
  return `${SESSION_COOKIE}=${value ?? ""}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${isSecure ? "; Secure" : ""}`;
}
