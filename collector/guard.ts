/**
 * What stands before every operation: headers of every answer, names that the server answers to, and whether a change comes from the
 * page itself.
 */
import type { IncomingMessage } from "node:http";
import { CHANGE_HEADER } from "./api.ts";
import { PAGE_POLICY } from "./page-files.ts";

/** On every answer, whatever it is. */
export const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": PAGE_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "cache-control": "no-store",
};

/** The name in a Host header without its port, in lower case; null where it is none. */
export function hostName(header: string | undefined): string | null {
  const [, name] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]@/?#\s]+)(?::\d{1,5})?$/.exec(header ?? "") ?? [];
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, "");
}

/** Names for the loopback: a page of elsewhere cannot have them. */
export const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];

/** Whether an address to listen on is the machine's own. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127(?:\.\d{1,3}){3}$/.test(address);
}

/** Whether a browser says that another site sent this. Programs that are no browsers say nothing. */
export function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return true;
  const { origin } = headers;
  if (origin === undefined) return false;
  const parsed = URL.canParse(origin) ? new URL(origin) : null;
  return parsed === null || parsed.host !== normalHost(headers.host);
}

/** Whether the page itself sent this: a browser says so, and the header is there that no form can set. */
export function isFromPage(request: IncomingMessage): boolean {
  const { headers } = request;
  const isTold = headers.origin !== undefined || headers["sec-fetch-site"] === "same-origin";
  return isTold && !isFromElsewhere(request) && headers[CHANGE_HEADER] !== undefined;
}

/** A Host header as a URL has it: without the port that goes without saying. */
function normalHost(host: string | undefined): string | null {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).host : null;
}
