/**
 * Calls of the shop's services to others, through the proxy of the service's own sidecar. A URL that a stranger has written is
 * followed to the demo's own hosts and nowhere else: the cloud's address is a stand-in on this machine.
 */
import { Agent, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { FenceError } from "./error.ts";

/** Who can be called, by the names that the shop knows. */
export const HOSTS = ["catalogue", "orders", "partner.example", "169.254.169.254"] as const;
export type Host = (typeof HOSTS)[number];

export interface Answer {
  status: number;
  text: string;
}

/** Asks for a URL on behalf of a request, whose trace and authorization go along. */
export type Call = (url: string, on: { headers: IncomingHttpHeaders }) => Promise<Answer>;

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 64 * 1024;
const isHost = (host: string): host is Host => (HOSTS as readonly string[]).includes(host);

/** A caller through the proxy at `proxy`, which is asked for at each call; `own` is what each call carries besides. */
export function makeCall(proxy: () => string | null, own: Readonly<Record<string, string>>): Call {
  const agent = new Agent({ keepAlive: true });
  return (url, { headers }) => {
    const through = proxy();
    if (through === null) throw new FenceError("nothing can be called yet");
    const target = URL.canParse(url) ? new URL(url) : null;
    if (target?.protocol !== "http:" || !isHost(target.host))
      throw new FenceError(`calls go to ${HOSTS.join(", ")} only`);
    const along = Object.fromEntries(
      ["traceparent", "authorization"].flatMap((name) => {
        const value = headers[name];
        return typeof value === "string" ? [[name, value]] : [];
      }),
    );
    const { hostname, port } = new URL(through);
    return new Promise((resolve, reject) => {
      const sent = request({
        ...{ agent, hostname, port, path: target.href, timeout: TIMEOUT_MS },
        headers: { host: target.host, accept: "application/json", ...along, ...own },
      });
      sent.once("timeout", () => sent.destroy(new Error("no answer")));
      sent.once("error", reject);
      sent.once("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
          if (text.length > MAX_BYTES) response.destroy(new Error("the answer is too long"));
        });
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.end();
    });
  };
}
