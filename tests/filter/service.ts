// A service that answers everything, and requests to a proxy in front of it.

import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Service {
  url: string;
  /** Requests that reached it. */
  reached(): number;
  /** The headers of the last one. */
  headers(): IncomingHttpHeaders;
  stop(): void;
}

/** A request says in its query how many milliseconds its answer takes (`wait`): none, if nothing. */
export async function startService(): Promise<Service> {
  let reached = 0;
  let headers: IncomingHttpHeaders = {};
  const server: Server = createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    reached++;
    ({ headers } = request);
    const wait = Number(new URL(request.url!, "http://service.test").searchParams.get("wait"));
    const answer = (): unknown => response.end("served");
    request.resume().on("end", wait > 0 ? () => setTimeout(answer, wait) : answer);
    request.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached: () => reached,
    headers: () => headers,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** One attack of each class that is blocked, each in another part. */
export const ATTACKS: Readonly<Record<string, { path: string; init?: RequestInit }>> = {
  sqli: { path: "/items?q=1%20UNION%20SELECT%20name,password%20FROM%20users--" },
  xss: {
    path: "/comments",
    init: { method: "POST", body: new URLSearchParams({ text: "<script>alert(1)</script>" }) },
  },
  cmdi: {
    path: "/ping",
    init: {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"host":"127.0.0.1; cat /etc/passwd"}',
    },
  },
  traversal: { path: "/files", init: { headers: { cookie: "file=../../../etc/passwd" } } },
};

/** Statuses of the attacks, by class, through the proxy at `port`. */
export async function attack(port: number): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  for (const [name, { path, init }] of Object.entries(ATTACKS)) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    await response.arrayBuffer();
    statuses[name] = response.status;
  }
  return statuses;
}

export const REFUSED = { sqli: 403, xss: 403, cmdi: 403, traversal: 403 };
export const PASSED = { sqli: 200, xss: 200, cmdi: 200, traversal: 200 };
