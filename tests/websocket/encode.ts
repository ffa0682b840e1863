// A client's half of a WebSocket: RFC 6455, section 5.2, and RFC 7692.

import zlib from "node:zlib";

export interface Frame {
  opcode?: number;
  final?: boolean;
  /** The first reserved bit: the message is compressed. */
  compressed?: boolean;
  mask?: number;
  /** Bytes of the length, where it takes more than it needs. */
  long?: 2 | 8;
}

/** A frame; by default a message of text. */
export function frame(
  payload: Uint8Array,
  { opcode = 1, final = true, compressed = false, mask = 0x12345678, long }: Frame = {},
): Buffer {
  const size = payload.length;
  const bytes = long ?? (size < 126 ? 0 : size < 65_536 ? 2 : 8);
  const head = Buffer.alloc(2 + bytes + 4);
  head[0] = (final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode;
  head[1] = 0x80 | (bytes === 0 ? size : bytes === 2 ? 126 : 127);
  if (bytes === 2) head.writeUInt16BE(size, 2);
  if (bytes === 8) head.writeBigUInt64BE(BigInt(size), 2);
  head.writeUInt32BE(mask, 2 + bytes);
  const key = head.subarray(2 + bytes);
  return Buffer.concat([head, Buffer.from(payload.map((byte, i) => byte ^ key[i % 4]!))]);
}

/** Messages as permessage-deflate sends them: each copies from those before it, and its empty last block is left off. */
export function deflated(messages: readonly Uint8Array[], takeover = true): Buffer[] {
  let before = Buffer.alloc(0);
  return messages.map((content) => {
    const options = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
    const known = takeover && before.length > 0 ? { ...options, dictionary: before.subarray(-32_768) } : options;
    before = Buffer.concat([before, content]);
    return zlib.deflateRawSync(content, known).subarray(0, -4);
  });
}
