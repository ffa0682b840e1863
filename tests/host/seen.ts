import type { Case } from "./cases.ts";

/** What a case did, as client, upstream, module and access log saw it. */
export interface Seen {
  /** Lines of the first VM up to the end of its configuration. */
  start: string[];
  /** Lines of the module afterwards, without the count of request headers. */
  logs: string[];
  /** `headers`: the path and the few headers that cases change; null where the upstream saw nothing. */
  upstream: { headers: [string, string][] | null; body: string; trailers: [string, string][]; ended: boolean };
  /** `status` 0: nothing came. `complete`: the whole response came. `headers`: the few that cases look at. */
  client: { status: number; headers: [string, string][]; body: string; complete: boolean };
  /** `%RESPONSE_CODE_DETAILS%` and filter state `wasm.k`, "" where there is no log line. */
  details: string;
}

export const NODE = { id: "node", cluster: "shop", metadata: { LABELS: { app: "cart" }, n: 3, l: ["a", 1], b: true } };

/** The environment of the VM. */
export const ENVIRONMENT = { HELLO: "big world" };

interface PeerAnswer {
  /** `:status` first. */
  headers: [string, string][];
  body: string;
  trailers?: [string, string][];
}

/** How the cluster "peer" answers a call by its path: undefined never, null with a broken connection. */
export const PEER: Readonly<Record<string, PeerAnswer | null>> = {
  "/ok": {
    headers: [
      [":status", "200"],
      ["x", "y"],
    ],
    body: "fine",
    trailers: [["t", "1"]],
  },
  "/busy": {
    headers: [
      [":status", "503"],
      ["retry-after", "7"],
    ],
    body: "later",
  },
  "/broken": null,
};

/** The request as it goes over the wire, in pieces; a number is a pause in ms. */
export function requestLines(given: Case): (string | number)[] {
  const { method = "POST", path = "/a", headers = [], bodyless = false, endless = false, body = [], trailers } = given;
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const framing = bodyless || headers.some(([name]) => name === "upgrade") ? "" : "transfer-encoding: chunked\r\n";
  const pieces: (string | number)[] = [`${method} ${path} HTTP/1.1\r\nhost: shop\r\n${fields}${framing}\r\n`];
  for (const piece of body) {
    pieces.push(typeof piece === "number" ? piece : `${piece.length.toString(16)}\r\n${piece}\r\n`);
  }
  if (trailers !== undefined)
    pieces.push(`0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`, 1000);
  else if (!bodyless && !endless) pieces.push("0\r\n\r\n");
  return pieces;
}

/** Lines that do not depend on which headers of its own Envoy adds. */
export function comparable(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^(request_headers \d+|call \d+ \d+) \d+/, "$1"));
}

/** The first VM's lines of a start. */
export function firstStart(lines: readonly string[]): string[] {
  const second = lines.indexOf("create 1 0", 1);
  return lines.slice(0, second < 0 ? undefined : second);
}
