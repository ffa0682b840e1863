// A collector of OTLP/HTTP over a socket, for tests against real Envoy: it decodes what it takes, and answers as it is told.

import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { poll } from "../../scripts/envoy/admin.ts";
import { eventSchema, type Event } from "../../scripts/events/event.ts";
import { answerBody, eventsOf } from "./otlp.ts";

/** What a call is answered with; `delay` in ms, `status` null: the connection is cut. */
export interface Reply {
  status: number | null;
  delay?: number;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

export interface Receiver {
  readonly port: number;
  /** Events that were answered for with 200, in the order of their answers. */
  readonly taken: Event[];
  /** Headers and sizes of all calls. */
  readonly calls: { url: string; headers: IncomingHttpHeaders; bytes: number; time: number }[];
  /** What went wrong while reading. */
  readonly faults: unknown[];
  /** Replies to the next calls, then 200. */
  readonly replies: Reply[];
  /** Resolves once `count` events were taken. */
  until(count: number, timeoutMs?: number): Promise<Event[]>;
  close(): Promise<void>;
}

/** Listens on a port of the loopback, a free one where it is 0. */
export async function startReceiver(port = 0, tls?: { key: string; cert: string }): Promise<Receiver> {
  const taken: Event[] = [];
  const calls: Receiver["calls"] = [];
  const faults: unknown[] = [];
  const replies: Reply[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => undefined);
    request.on("end", () => {
      void (async () => {
        const body = Buffer.concat(chunks);
        calls.push({ url: request.url ?? "", headers: request.headers, bytes: body.length, time: Date.now() });
        const reply = replies.shift() ?? { status: 200 };
        let events: Event[] = [];
        try {
          // Other records tell of endpoints, and of who uses which ids.
          const findings = eventsOf(body).filter((record) => record.event_name === "meshward.finding");
          events = findings.map((event) => eventSchema.parse(event));
        } catch (fault) {
          faults.push(fault);
        }
        if (reply.delay !== undefined) await sleep(reply.delay);
        if (reply.status === null) return void request.socket.destroy();
        if (reply.status === 200) taken.push(...events);
        response.writeHead(reply.status, { "content-type": "application/x-protobuf", ...reply.headers });
        response.end(reply.body ?? answerBody());
      })();
    });
  };
  const server: Server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  server.listen(port, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    calls,
    faults,
    replies,
    until: (count, timeoutMs = 10_000) =>
      poll(
        () => Promise.resolve(taken.length >= count ? taken : null),
        timeoutMs,
        () => new Error(`${taken.length} of ${count} events came in ${calls.length} calls; ${String(faults[0] ?? "")}`),
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
