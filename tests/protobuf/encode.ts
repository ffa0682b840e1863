/** Writes messages of protobuf by hand, and frames of gRPC around them: https://protobuf.dev/programming-guides/encoding/ */

/** A varint of at least `size` bytes: more than it takes are overlong. */
export function varint(value: number | bigint, size = 1): Buffer {
  const bytes: number[] = [];
  let left = BigInt(value);
  do {
    bytes.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  } while (left > 0n || bytes.length < size);
  bytes.push(bytes.pop()! & 0x7f);
  return Buffer.from(bytes);
}

export const tag = (number: number, type: number): Buffer => varint((BigInt(number) << 3n) | BigInt(type));

/** A string, bytes, or a message. */
export function field(number: number, content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([tag(number, 2), varint(bytes.length), bytes]);
}

export const int = (number: number, value: number | bigint): Buffer => Buffer.concat([tag(number, 0), varint(value)]);

export function double(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(number, 1), bytes]);
}

export function float(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([tag(number, 5), bytes]);
}

export const group = (number: number, ...fields: Uint8Array[]): Buffer =>
  Buffer.concat([tag(number, 3), ...fields, tag(number, 4)]);

export const message = (...fields: Uint8Array[]): Buffer => Buffer.concat(fields);

/** A message in its frame; `length` where it is not what it should be. */
export function frame(content: Uint8Array, flags = 0, length = content.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, content]);
}
