/**
 * Cuts a byte stream into lines: LF or CRLF, the last one with or without an end, a byte order mark at the start left
 * out. Holds one line at most; what is longer than `MAX_LINE_BYTES` is told as too long and not kept.
 */

/** Bytes of the longest line, its end not counted. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** What is wrong with a longer one. */
export const LINE_TOO_LONG = `longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB`;

const LF = 0x0a;
const CR = 0x0d;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

export interface Line {
  /** From 1. */
  number: number;
  /** Null for a line that is too long. */
  bytes: Buffer | null;
}

/** The lines of `chunks`, those that end within one chunk together: when a batch has been handled, input has paused. */
export async function* lineBatches(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limit = MAX_LINE_BYTES,
): AsyncGenerator<Line[]> {
  let number = 1;
  let parts: Buffer[] = [];
  let size = 0;
  let isTooLong = false;

  // One byte more than the limit is kept: it may be the CR of the line's end.
  const add = (part: Buffer): void => {
    size += part.length;
    if (size > limit + 1) {
      isTooLong = true;
      parts = [];
    } else if (part.length > 0) parts.push(part);
  };
  const finish = (): Line => {
    let bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    if (bytes.at(-1) === CR) bytes = bytes.subarray(0, -1);
    const line = { number, bytes: isTooLong || bytes.length > limit ? null : number === 1 ? withoutBom(bytes) : bytes };
    number++;
    parts = [];
    size = 0;
    isTooLong = false;
    return line;
  };

  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: Line[] = [];
    let start = 0;
    for (let end = buffer.indexOf(LF); end >= 0; end = buffer.indexOf(LF, start)) {
      add(buffer.subarray(start, end));
      lines.push(finish());
      start = end + 1;
    }
    // A copy: the stream may use its buffer again, and a short rest must not keep a large chunk alive.
    if (start < buffer.length) add(Buffer.from(buffer.subarray(start)));
    if (lines.length > 0) yield lines;
  }
  if (size > 0) yield [finish()];
}

function withoutBom(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(BOM) ? bytes.subarray(3) : bytes;
}
