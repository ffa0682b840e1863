/**
 * All of the network that the shop has. A URL's host is looked up in a table that knows the shop's own names, one
 * partner and the cloud's metadata addresses; each leads to an address that the start of the shop was given, on the
 * loopback, and every other name does not exist. So a URL that anybody may have written reaches nothing of the machine.
 */
import { request } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

/** Where each neighbour answers: the service itself, or the proxy that stands before it. */
export interface Addresses {
  edge: string;
  catalogue: string;
  orders: string;
  metadata: string;
  partner: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Ask {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}

/** The shop's names; the first of a neighbour's is the one that the services call it by. */
export const HOSTS: Readonly<Record<string, keyof Addresses>> = {
  "shop.example": "edge",
  catalogue: "catalogue",
  "catalogue.shop.svc.cluster.local": "catalogue",
  orders: "orders",
  "orders.shop.svc.cluster.local": "orders",
  "169.254.169.254": "metadata",
  "169.254.170.2": "metadata",
  "100.100.100.200": "metadata",
  "metadata.google.internal": "metadata",
  "feeds.partner.example": "partner",
  "img.partner.example": "partner",
  "analytics.partner.example": "partner",
};
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 64 * 1024;

/** Sends one request to `base` + `path`; `host` is the name that it asks for. Redirects are not followed. */
export function send(base: string, path: string, ask: Ask = {}, host?: string): Promise<Answer> {
  const { method = "GET", headers = {}, body } = ask;
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, method, path, headers: { ...headers, ...(host === undefined ? {} : { host }) } },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size <= MAX_BYTES) chunks.push(chunk);
        });
        incoming.once("error", reject);
        incoming.once("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error(`no answer from ${hostname}`)));
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** Fetches what a URL names, as far as this network has it. Rejects as a resolver does where it has not. */
export async function fetchNamed(addresses: Addresses, url: string, ask: Ask = {}): Promise<Answer> {
  const { protocol, hostname, host, pathname, search } = new URL(url);
  const neighbour = HOSTS[hostname];
  if (protocol !== "http:" || neighbour === undefined) throw new Error(`getaddrinfo ENOTFOUND ${hostname}`);
  return send(addresses[neighbour], pathname + search, ask, host);
}

/** Calls a neighbour by its name. */
export function callNeighbour(
  addresses: Addresses,
  neighbour: keyof Addresses,
  path: string,
  ask: Ask = {},
): Promise<Answer> {
  const host = Object.keys(HOSTS).find((name) => HOSTS[name] === neighbour);
  return send(addresses[neighbour], path, ask, host);
}
