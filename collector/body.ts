/** The body of a request, up to a limit, and what it unpacks to. */
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { RATIO, RATIO_FREE_BYTES, UNPACKED_BYTES } from "./limits.ts";
import { BusyError } from "./queue.ts";

const unpack = promisify(gunzip);

/** The body is larger than the limit, or unpacks to more. */
export class TooLargeError extends Error {}
/** The body cannot be unpacked, or the sender went away. */
export class BodyError extends Error {}

/** Reads a body of at most `most` bytes; `take` is told the size of each piece, and may throw. */
export async function readBody(
  request: IncomingMessage,
  most: number,
  take: (bytes: number) => void = () => {},
): Promise<Buffer> {
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > most) throw new TooLargeError(`the body has more than ${most} bytes`);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw new TooLargeError(`the body has more than ${most} bytes`);
      take(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof TooLargeError || error instanceof BusyError) throw error;
    throw new BodyError("the body did not come to its end", { cause: error });
  }
  return Buffer.concat(chunks, size);
}

/** What a body of so many bytes may unpack to. */
export const unpackedMost = (bytes: number): number =>
  Math.min(UNPACKED_BYTES, Math.max(RATIO_FREE_BYTES, bytes * RATIO));

/** Unpacks gzip, in total and in ratio bounded. */
export async function unpackGzip(body: Buffer): Promise<Buffer> {
  const most = unpackedMost(body.length);
  try {
    return await unpack(body, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new TooLargeError(`the body unpacks to more than ${most} bytes`, { cause: error });
    }
    throw new BodyError("the body is no gzip", { cause: error });
  }
}
