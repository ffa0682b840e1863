/**
 * Sends a case through a running proxy, byte for byte as it is written: the path is not normalized, headers keep their
 * order and repeats. What HTTP/1.1 cannot carry (a blank in the path, a line break in a header) is an error of the case.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Denial } from "../policy/schema.ts";
import type { Exchange } from "../scan/exchange-line.ts";
import { isRefusal } from "./refusal.ts";

const TIMEOUT_MS = 10_000;
/** Bytes of an answer that are looked at; a refusal is far shorter. */
const MAX_BODY_BYTES = 64 * 1024;
/** Made here from the body that is really sent, or only good for the connection that the case was recorded on. */
const OWN_HEADERS = new Set(["content-length", "transfer-encoding", "connection", "expect", "keep-alive"]);

export interface Answer {
  status: number;
  /** Whether it is Meshward's refusal. */
  isRefusal: boolean;
}

/** Something that sends cases to one URL. */
export interface Sender {
  send(exchange: Exchange): Promise<Answer>;
  close(): void;
}

/** The origin in `text`; throws Error with what was expected. */
export function parseTarget(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`"${text}" is not a URL: expected http://HOST:PORT`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error(`"${text}": expected http:// or https://`);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new Error(`"${text}": expected no path: each case has its own`);
  }
  return url;
}

const latin1 = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString("latin1");

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    chunks.push(chunk);
    if (size >= MAX_BODY_BYTES) {
      response.destroy();
      break;
    }
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Prepares to send to `target`, whose policy has these denials of its own. */
export function createSender(target: URL, denials: readonly Denial[] = []): Sender {
  const isTls = target.protocol === "https:";
  const agent = isTls
    ? new HttpsAgent({ keepAlive: true, maxSockets: 1 })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const start = isTls ? httpsRequest : httpRequest;
  return {
    close: () => agent.destroy(),
    send: ({ request: { method, path, headers, body } }) =>
      new Promise((resolve, reject) => {
        const bytes = Buffer.from(body as string);
        const list = headers.filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()));
        if (!list.some(([name]) => name.toLowerCase() === "host")) list.unshift(["host", target.host]);
        if (bytes.length > 0) list.push(["content-length", String(bytes.length)]);
        const sent = start({
          agent,
          method,
          host: target.hostname.replace(/^\[|\]$/g, ""),
          port: target.port || (isTls ? 443 : 80),
          path: latin1(path),
          // Pairs in a row: node sends them as they are.
          headers: list.flatMap(([name, value]) => [name, latin1(value)]) as unknown as Record<string, string>,
          setHost: false,
          timeout: TIMEOUT_MS,
        });
        sent.on("timeout", () => sent.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)));
        sent.on("error", reject);
        sent.on("response", (response) => {
          const status = response.statusCode ?? 0;
          readBody(response).then(
            (body) => resolve({ status, isRefusal: isRefusal({ status, headers: response.headers, body }, denials) }),
            reject,
          );
        });
        sent.end(bytes);
      }),
  };
}
