/**
 * A process that sends one request again and again over keep-alive connections, each waiting for its answer before it
 * sends the next. Bare sockets: Node's HTTP client would be slower than the proxy that it is to load.
 */
import { connect } from "node:net";
import { AnswerReader } from "./answer.ts";

export interface Load {
  port: number;
  /** The bytes of a request, base64. */
  request: string;
  count: number;
  connections: number;
}

export interface Tally {
  /** Answers by status; 0 counts connections that broke. */
  statuses: Record<string, number>;
}

/** Sends until `next` yields false; calls `answered` for each request. Resolves when the connection is done. */
function drive(port: number, request: Buffer, next: () => boolean, answered: (status: number) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const reader = new AnswerReader();
    let waiting = false;

    const send = (): void => {
      waiting = next();
      if (waiting) socket.write(request);
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
  const bytes = Buffer.from(request, "base64");
  const statuses: Record<string, number> = {};
  let started = 0;
  const next = (): boolean => started < count && ++started > 0;
  const answered = (status: number): void => void (statuses[status] = (statuses[status] ?? 0) + 1);
  const one = (): Promise<void> => drive(port, bytes, next, answered);
  await Promise.all(Array.from({ length: Math.min(connections, count) }, one));
  // Connections that broke are not replaced; what they left over is sent by nobody and shows as a missing answer.
  return { statuses };
}

process.on("message", (load: Load) => void send(load).then((tally) => process.send?.(tally)));
process.once("disconnect", () => process.exit(0));
