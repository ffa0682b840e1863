/** A client of a soak: one connection at a time, requests written in their pieces, broken off where they say so. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { AnswerReader } from "../bench/answer.ts";
import type { Answer } from "../bench/answer.ts";
import type { Fate } from "./tally.ts";
import type { SoakRequest } from "./traffic.ts";

const ANSWER_TIMEOUT_MS = 30_000;

/** The head of a request as HTTP/1.1. */
export function headText({ method, path, headers, pieces }: SoakRequest): string {
  const size = pieces?.reduce((sum, piece) => sum + piece.length, 0);
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${method} ${path} HTTP/1.1\r\n${fields}${size === undefined ? "" : `content-length: ${size}\r\n`}\r\n`;
}

export class Client {
  readonly #port: number;
  #socket: Socket | null = null;
  #reader = new AnswerReader();
  #answered: (answer: Answer | null) => void = () => {};

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a request and resolves with its fate. Rejects where the answer is neither 200 nor 403, or none comes. */
  async send(request: SoakRequest): Promise<Fate> {
    const answer = new Promise<Answer | null>((resolve) => (this.#answered = resolve));
    const { pieces, breaksOff } = request;
    const socket = this.#connected();
    let answered = false;
    void answer.then(() => (answered = true));
    socket.write(headText(request));
    const sent = pieces ?? [];
    for (const piece of breaksOff ? sent.slice(0, -1) : sent) {
      await turn();
      if (answered) break;
      socket.write(piece);
    }
    // The end comes behind the bytes, so that Envoy has begun the stream when it sees that the client is gone.
    if (breaksOff) socket.end();
    const late = setTimeout(() => this.#answered(null), ANSWER_TIMEOUT_MS);
    const got = await answer;
    clearTimeout(late);
    if (breaksOff && this.#socket === null) return "left";
    // After a refusal in the middle of a request Envoy closes the connection, and what else we wrote may be lost.
    if (got === null || got.closes || got.status !== 200) this.close();
    if (got?.status === 200) return "passed";
    if (got?.status === 403) return "refused";
    throw new Error(`${request.kind}: ${got === null ? "no answer" : `answered ${got.status}`}`);
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #connected(): Socket {
    if (this.#socket !== null) return this.#socket;
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    this.#reader = new AnswerReader();
    socket.on("data", (data) => {
      if (socket !== this.#socket) return;
      const answer = this.#reader.take(data);
      if (answer !== null) this.#answered(answer);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#answered(null);
    });
    return socket;
  }
}
