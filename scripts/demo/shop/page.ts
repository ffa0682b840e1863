/** How the shop's pages look, and what goes with each of them: headers as they should be. Where one is missing a flaw is planted. */
import type { RequestHandler } from "express";

const HEADERS = {
  "content-security-policy":
    "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "private, no-store",
} as const;

export const goodHeaders: RequestHandler = (_request, response, next) => {
  response.set(HEADERS);
  next();
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it must stand in a page. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (mark) => ENTITIES[mark]!);

/** A page; `body` is HTML already. */
export const page = (title: string, body: string): string =>
  `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head>\n` +
  `<body><h1>${escaped(title)}</h1>\n${body}\n</body></html>\n`;

/** The value of a cookie, decoded; "" where there is none. */
export function cookie(header: string | undefined, name: string): string {
  const pair = (header ?? "").split(/; */).find((text) => text.startsWith(`${name}=`));
  return decodeURIComponent(pair?.slice(name.length + 1) ?? "");
}

/** A parameter of a query as one text. */
export const text = (value: unknown): string => (typeof value === "string" ? value : "");
