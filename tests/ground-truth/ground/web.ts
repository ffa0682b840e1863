/**
 * What the three services have in common: an Express application that answers with every protective header in place,
 * so that what a page lacks is what somebody took away there.
 */
import { randomBytes } from "node:crypto";
import express from "express";
import type { ErrorRequestHandler, Express, Request, RequestHandler, Response, Router } from "express";

const TYPES_AS_TEXT = ["text/*", "application/xml", "application/x-yaml", "application/yaml", "image/svg+xml"];
const TYPES_AS_BYTES = ["application/octet-stream", "application/x-java-serialized-object"];

/** The good headers; a page's own scripts and styles carry `response.locals.nonce`. */
const protect: RequestHandler = (_request, response, next) => {
  const nonce = randomBytes(16).toString("base64");
  response.locals.nonce = nonce;
  response.set({
    "content-security-policy":
      `default-src 'self'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'; object-src 'none'; ` +
      "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  });
  next();
};

/** What goes wrong is nobody's business but ours. */
const tellNothing: ErrorRequestHandler = (error: Error & { status?: number }, _request, response, _next) => {
  const status = error.status ?? 500;
  response.status(status).json({ error: status < 500 ? "the request is not acceptable" : "something went wrong" });
};

/** A service of these routers. */
export function createService(...routers: Router[]): Express {
  return express()
    .disable("x-powered-by")
    .disable("etag")
    .use(protect)
    .use(express.json({ limit: "64kb" }), express.urlencoded({ extended: false, limit: "64kb" }))
    .use(express.text({ type: TYPES_AS_TEXT, limit: "64kb" }), express.raw({ type: TYPES_AS_BYTES, limit: "64kb" }))
    .use(...routers)
    .use((_request, response) => void response.status(404).json({ error: "not found" }))
    .use(tellNothing);
}

const MARKS: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for HTML; `marks` are those that are replaced. */
export const escapeHtml = (text: string, marks = "&<>\"'"): string =>
  text.replace(/[&<>"']/g, (mark) => (marks.includes(mark) ? MARKS[mark]! : mark));

/** JSON for a script element: no text in it can end the element. */
export const scriptJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

interface PageOptions {
  status?: number;
  /** HTML for the head. */
  head?: string;
}

/** Answers with a page of the shop; `title` and `body` are HTML. */
export function page(
  response: Response,
  title: string,
  body: string,
  { status = 200, head = "" }: PageOptions = {},
): void {
  response
    .status(status)
    .type("html")
    .send(
      `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>${title}</title>\n${head}</head>\n<body>\n` +
        `<header><a href="/">Lamps &amp; Tables</a></header>\n<main>\n${body}\n</main>\n` +
        "<footer>Lamps &amp; Tables, since 2009</footer>\n</body>\n</html>\n",
    );
}

/** The first value of a query parameter. */
export function query(request: Request, name: string): string {
  const value = request.query[name];
  return String((Array.isArray(value) ? value[0] : value) ?? "");
}

/** A field of a form or of a JSON object, as it came. */
export const field = (request: Request, name: string): unknown =>
  ((request.body ?? {}) as Record<string, unknown>)[name];

export function cookie(request: Request, name: string): string {
  const pair = (request.get("cookie") ?? "").split(/; */).find((text) => text.startsWith(`${name}=`));
  return decodeURIComponent(pair?.slice(name.length + 1) ?? "");
}

/** The trace that a request belongs to, for the next hop. */
export function traceOf(request: Request): Record<string, string> {
  const traceparent = request.get("traceparent");
  return traceparent === undefined ? {} : { traceparent };
}

/**
 * Answers with a head written by hand, as servers did before frameworks looked at what stands in it: a line break in a
 * value begins another header.
 */
export function answerByHand(response: Response, status: string, headers: Record<string, string>, body: string): void {
  const all = Object.entries({ ...(response.getHeaders() as Record<string, string>), ...headers });
  const head = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  response.socket?.end(
    `HTTP/1.1 ${status}\r\n${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
