/** Bytes of a body that wait in one piece; it grows by doubling and keeps its room when it is emptied. */
export class BodyBuffer {
  #room: Buffer = EMPTY;
  length = 0;

  /** The bytes themselves, valid until the next change. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.length);
  }

  append(data: Uint8Array): void {
    const needed = this.length + data.length;
    if (needed > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(needed, 2 * this.#room.length));
      room.set(this.bytes);
      this.#room = room;
    }
    this.#room.set(data, this.length);
    this.length = needed;
  }

  prepend(data: Uint8Array): void {
    const rest = Buffer.from(this.bytes);
    this.length = 0;
    this.append(data);
    this.append(rest);
  }

  clear(): void {
    this.length = 0;
  }
}

const EMPTY = Buffer.alloc(0);
