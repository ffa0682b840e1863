/**
 * A process that sends one request again and again over keep-alive connections: each as soon as its connection's last is answered
 * (closed loop), or when it is due (open loop). Bare sockets: Node's HTTP client would be slower than the proxy that it is to load.
 */
import { connect } from "node:net";
import { AnswerReader } from "./answer.ts";
import { arrivals, percentiles, sendOpen } from "./open-loop.ts";
import type { Percentiles } from "./open-loop.ts";
import { OWN_ID } from "./payloads.ts";

export interface Load {
  port: number;
  /** The bytes of a request, base64. Each `OWN_ID` in them is another number in each request that is sent. */
  request: string;
  count: number;
  connections: number;
  /** Open loop: the mean rate in a second, and the seed of the times. */
  schedule?: { rate: number; seed: number };
}

export interface Tally {
  /** Answers by status; 0 counts connections that broke, or could not be made. */
  statuses: Record<string, number>;
  /** From the first connection to the last answer. */
  seconds: number;
  /** Of an open loop, ms from when requests were due until they were answered. */
  latency: Percentiles | null;
}

/** Yields copies of the request, under ids that do not come back for a while. */
function numbered(request: Buffer): () => Buffer {
  const places: number[] = [];
  for (let at = request.indexOf(OWN_ID); at >= 0; at = request.indexOf(OWN_ID, at + 1)) places.push(at);
  let id = 0;
  return () => {
    id = (id + 0x9e3779b1) >>> 0;
    const text = id.toString(16).padStart(OWN_ID.length, "0");
    for (const at of places) request.write(text, at, "latin1");
    return Buffer.from(request);
  };
}

/** How often a connection is tried that cannot be made, and ms between: a machine may have no way to itself for a moment. */
const TRIES = 20;
const RETRY_MS = 250;

/** Sends until `next` yields false; calls `answered` for each request. Resolves when the connection is done. */
function drive(
  port: number,
  next: () => Buffer | null,
  answered: (status: number) => void,
  tries = TRIES,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const reader = new AnswerReader();
    let connected = false;
    let waiting = false;

    const send = (): void => {
      const request = next();
      waiting = request !== null;
      if (request !== null) socket.write(request);
      else socket.end();
    };
    socket.on("connect", () => {
      connected = true;
      send();
    });
    socket.on("data", (data) => {
      const answer = reader.take(data);
      if (answer === null) return;
      answered(answer.status);
      send();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!connected && tries > 1) {
        setTimeout(() => resolve(drive(port, next, answered, tries - 1)), RETRY_MS);
        return;
      }
      if (waiting || !connected) answered(0);
      resolve();
    });
  });
}

async function send({ port, request, count, connections, schedule }: Load): Promise<Tally> {
  const make = numbered(Buffer.from(request, "base64"));
  const statuses: Record<string, number> = {};
  const answered = (status: number): void => void (statuses[status] = (statuses[status] ?? 0) + 1);
  const began = performance.now();
  let latency: Percentiles | null = null;
  if (schedule === undefined) {
    let started = 0;
    const next = (): Buffer | null => (started++ < count ? make() : null);
    const one = (): Promise<void> => drive(port, next, answered);
    // Connections that broke are not replaced; what they left over is sent by nobody and shows as a missing answer.
    await Promise.all(Array.from({ length: Math.min(connections, count) }, one));
  } else {
    const due = arrivals(count, schedule.rate, schedule.seed);
    latency = percentiles(await sendOpen({ port, connections, due, make, answered }));
  }
  return { statuses, seconds: (performance.now() - began) / 1000, latency };
}

process.on("message", (load: Load) => void send(load).then((tally) => process.send?.(tally)));
process.once("disconnect", () => process.exit(0));
