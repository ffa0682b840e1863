// One direction of an HTTP stream: what has arrived, what is held back, and what went on to the other side.

import { BodyBuffer } from "./body.ts";
import type { HeaderMap } from "./headers.ts";

/** Whether the filter lets a direction flow. */
export const PAUSE = {
  none: 0,
  /** StopIteration: what arrives is still shown to the module. */
  one: 1,
  /** StopAllIteration: nothing is shown until the direction is continued; more than the buffer limit is a 413. */
  allAndBuffer: 2,
  /** The same, with the sender slowed down instead. */
  allAndWatermark: 3,
} as const;

const EMPTY = new Uint8Array(0);

/** What one side has received. */
export class Received {
  headers: HeaderMap | null = null;
  trailers: HeaderMap | null = null;
  /** Body bytes so far. */
  bytes = 0;
  /** The message is complete. */
  ended = false;
  readonly #chunks: Uint8Array[] | null;

  /** `keep`: whether the body's bytes are kept or only counted. */
  constructor(keep: boolean) {
    this.#chunks = keep ? [] : null;
  }

  /** The body so far; empty where bodies are not kept. */
  get body(): Uint8Array {
    return this.#chunks === null || this.#chunks.length === 0 ? EMPTY : Buffer.concat(this.#chunks);
  }

  take(data: Uint8Array): void {
    this.bytes += data.length;
    this.#chunks?.push(data);
  }
}

export class Half {
  /** Callback index and name: 0 request, 1 response. */
  readonly isRequest: boolean;
  /** What has arrived, as the module may have changed it. */
  headers: HeaderMap | null = null;
  trailers: HeaderMap | null = null;
  /** Body bytes that have arrived. */
  received = 0;
  /** The headers have arrived. */
  started = false;
  /** The last part has arrived. */
  complete = false;
  /** Bytes held back. */
  readonly held = new BodyBuffer();
  /** Body of the call that runs, where nothing is held; also what remains readable after "stop without buffering". */
  chunk: Uint8Array | null = null;
  /** The held bytes, not the chunk alone, are the body of the next call. */
  buffering = false;
  pause: (typeof PAUSE)[keyof typeof PAUSE] = PAUSE.none;
  /** The module may read the header map, the trailer map. */
  headersReadable = false;
  trailersReadable = false;
  /** Nothing more comes or goes: a local response took over, or the stream was reset. */
  aborted = false;
  /** The other side. */
  readonly out: Received;

  constructor(isRequest: boolean, keepBody: boolean) {
    this.isRequest = isRequest;
    this.out = new Received(keepBody);
  }

  get headersPassed(): boolean {
    return this.out.headers !== null;
  }

  get readableBody(): Uint8Array | null {
    return this.buffering ? this.held.bytes : this.chunk;
  }

  get readableTrailers(): HeaderMap | null {
    return this.trailersReadable ? this.trailers : null;
  }

  get stoppedAll(): boolean {
    return this.pause === PAUSE.allAndBuffer || this.pause === PAUSE.allAndWatermark;
  }

  /** Changes of the readable body (`proxy_set_buffer_bytes`). */
  prepend(data: Uint8Array): void {
    if (this.buffering) this.held.prepend(data);
    else this.chunk = Buffer.concat([data, this.chunk ?? EMPTY]);
  }

  append(data: Uint8Array): void {
    if (this.buffering) this.held.append(data);
    else this.chunk = Buffer.concat([this.chunk ?? EMPTY, data]);
  }

  replace(data: Uint8Array): void {
    if (this.buffering) {
      this.held.clear();
      this.held.append(data);
    } else this.chunk = Buffer.from(data);
  }

  /** Takes what is held, as a copy. */
  release(): Uint8Array {
    const bytes = this.held.length === 0 ? EMPTY : Buffer.from(this.held.bytes);
    this.held.clear();
    return bytes;
  }
}
