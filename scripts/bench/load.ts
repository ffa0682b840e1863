/**
 * A process that sends one request again and again over keep-alive connections, each waiting for its answer before it
 * sends the next. Bare sockets: Node's HTTP client would be slower than the proxy that it is to load.
 */
import { connect } from "node:net";
import { AnswerReader } from "./answer.ts";
import { OWN_ID } from "./payloads.ts";

export interface Load {
  port: number;
  /** The bytes of a request, base64. Each `OWN_ID` in them is another number in each request that is sent. */
  request: string;
  count: number;
  connections: number;
}

export interface Tally {
  /** Answers by status; 0 counts connections that broke. */
  statuses: Record<string, number>;
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

/** Sends until `next` yields false; calls `answered` for each request. Resolves when the connection is done. */
function drive(port: number, next: () => Buffer | null, answered: (status: number) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const reader = new AnswerReader();
    let waiting = false;

    const send = (): void => {
      const request = next();
      waiting = request !== null;
      if (request !== null) socket.write(request);
      else socket.end();
    };
    socket.on("connect", send);
    socket.on("data", (data) => {
      const answer = reader.take(data);
      if (answer === null) return;
      answered(answer.status);
      send();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (waiting) answered(0);
      resolve();
    });
  });
}

async function send({ port, request, count, connections }: Load): Promise<Tally> {
  const make = numbered(Buffer.from(request, "base64"));
  const statuses: Record<string, number> = {};
  let started = 0;
  const next = (): Buffer | null => (started++ < count ? make() : null);
  const answered = (status: number): void => void (statuses[status] = (statuses[status] ?? 0) + 1);
  const one = (): Promise<void> => drive(port, next, answered);
  await Promise.all(Array.from({ length: Math.min(connections, count) }, one));
  // Connections that broke are not replaced; what they left over is sent by nobody and shows as a missing answer.
  return { statuses };
}

process.on("message", (load: Load) => void send(load).then((tally) => process.send?.(tally)));
process.once("disconnect", () => process.exit(0));
