/** Bytes in pieces to whole lines of text: what child processes, containers and Envoy's logs are read by. */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Longer lines are cut here: nothing that Meshward or Envoy writes comes near it. */
const MAX_LINE = 64 * 1024;

/** Calls `take` with each line of `stream`, without its end; the last one needs none. UTF-8, bounded memory. */
export function eachLine(stream: Readable, take: (line: string) => void): void {
  const decoder = new StringDecoder("utf8");
  let pending = "";
  const feed = (text: string): void => {
    const lines = (pending + text).split("\n");
    pending = (lines.pop() ?? "").slice(0, MAX_LINE);
    for (const line of lines) take(line.replace(/\r$/, ""));
  };
  stream.on("data", (chunk: Buffer | string) => feed(typeof chunk === "string" ? chunk : decoder.write(chunk)));
  stream.once("end", () => {
    if (pending !== "") take(pending);
    pending = "";
  });
  // A broken pipe ends the lines; whoever owns the process tells why.
  stream.on("error", () => {});
}

/** The last `capacity` lines of a log, the oldest first. */
export class Ring {
  readonly #lines: string[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(line: string): void {
    this.#lines.push(line.slice(0, 2048));
    if (this.#lines.length > this.#capacity) this.#lines.shift();
  }

  get lines(): string[] {
    return [...this.#lines];
  }
}
