/** Reads HTTP/1.1 answers that carry a Content-Length, as Envoy's and our upstream's do, from the bytes of a connection. */

const HEAD_END = Buffer.from("\r\n\r\n");

export interface Answer {
  status: number;
  /** The connection takes no further request. */
  closes: boolean;
}

export class AnswerReader {
  #head: Buffer = Buffer.alloc(0);
  #answer: Answer | null = null;
  /** Bytes of the body that are still to come. */
  #left = 0;

  /** Takes what came; returns the answer that is whole with it, else null. Requests are not pipelined. */
  take(data: Buffer): Answer | null {
    let rest = data;
    if (this.#answer === null) {
      this.#head = this.#head.length === 0 ? data : Buffer.concat([this.#head, data]);
      const end = this.#head.indexOf(HEAD_END);
      if (end < 0) return null;
      const text = this.#head.toString("latin1", 0, end);
      this.#left = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
      this.#answer = { status: Number(text.slice(9, 12)), closes: /\r\nconnection: *close/i.test(text) };
      rest = this.#head.subarray(end + HEAD_END.length);
    }
    this.#left -= rest.length;
    if (this.#left > 0) return null;
    const answer = this.#answer;
    this.#head = Buffer.alloc(0);
    this.#answer = null;
    return answer;
  }
}
