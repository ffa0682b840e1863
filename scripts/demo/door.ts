/**
 * The shop's doors. Each listens on the loopback and lets in only who names the demo's own address and knows this
 * run's token. A browser cannot be made to do either by a foreign page: it sends the page's `Origin`, a rebound name as
 * `Host`, and a header of its own only after asking.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export const TOKEN_HEADER = "x-demo-token";
export const makeToken = (): string => randomBytes(12).toString("hex");

export interface Door {
  readonly url: string;
  /** Lets in who asks for the host of this URL. */
  admit(url: string): void;
  /** Lets in pages of this origin, too: one that no browser can be at. */
  admitOrigin(origin: string): void;
  /** Closes it, and every connection through it, at once. */
  close(): Promise<void>;
}

interface Refusal {
  status: number;
  reason: string;
}

const isSame = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left, "latin1"), Buffer.from(right, "latin1"));

/** Why a request may not come in, or null. */
export function refusal(
  headers: IncomingHttpHeaders,
  hosts: ReadonlySet<string>,
  token: string,
  origins: ReadonlySet<string> = new Set(),
): Refusal | null {
  if (!hosts.has(headers.host ?? "")) return { status: 421, reason: "this is not the demo's address" };
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return { status: 403, reason: "requests of other sites are refused" };
  }
  const { origin } = headers;
  if (origin !== undefined && !origins.has(origin) && !hosts.has(origin.replace(/^http:\/\//, ""))) {
    return { status: 403, reason: "requests of other origins are refused" };
  }
  const given = headers[TOKEN_HEADER];
  if (typeof given !== "string" || !isSame(given, token)) {
    return { status: 401, reason: `the header ${TOKEN_HEADER} with this run's token is missing` };
  }
  return null;
}

/** Opens a door to `shop` on a free port of 127.0.0.1; nobody is admitted yet. */
export async function openDoor(shop: RequestListener, token: string): Promise<Door> {
  const hosts = new Set<string>();
  const origins = new Set<string>();
  const server = createServer((request, response) => {
    const refused = refusal(request.headers, hosts, token, origins);
    if (refused === null) return shop(request, response);
    response.writeHead(refused.status, { "content-type": "text/plain", connection: "close" });
    response.end(`the demo's door: ${refused.reason}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    admit(url) {
      const { host, port: at } = new URL(url);
      hosts.add(host).add(`localhost:${at || 80}`);
    },
    admitOrigin: (origin) => void origins.add(origin),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
