/** MessagePack and CBOR, written: a document of JSON in the bytes that some encoder would give it. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Chooses among `n` ways to say the same: 0 to n - 1. The shortest way is 0. */
export type Pick = (n: number) => number;

export const shortest: Pick = () => 0;

const word = (width: number, value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
  return bytes.subarray(8 - width);
};

/** One of the ways that are wide enough for `value`; `widths` of arguments, 0 for one inside of the head. */
function choose<T extends readonly [limit: number, ...rest: unknown[]]>(
  ways: readonly T[],
  value: number,
  pick: Pick,
): T {
  const wide = ways.filter(([limit]) => value < limit);
  return wide[pick(wide.length)]!;
}

/** A head of MessagePack: `heads` from the shortest to the widest. */
function head(value: number, pick: Pick, ...heads: [limit: number, head: number, width: number][]): Buffer {
  const [, first, width] = choose(heads, value, pick);
  return width === 0 ? Buffer.from([first + value]) : Buffer.concat([Buffer.from([first]), word(width, value)]);
}

const ALL = Number.MAX_SAFE_INTEGER;

export function messagePack(value: Json, pick: Pick = shortest): Buffer {
  if (value === null) return Buffer.from([0xc0]);
  if (typeof value === "boolean") return Buffer.from([value ? 0xc3 : 0xc2]);
  if (typeof value === "number") {
    if (!Number.isInteger(value)) {
      const bytes = Buffer.alloc(9, 0xcb);
      bytes.writeDoubleBE(value, 1);
      return bytes;
    }
    if (value >= 0) {
      return head(
        value,
        pick,
        [128, 0, 0],
        [256, 0xcc, 1],
        [65536, 0xcd, 2],
        [2 ** 32, 0xce, 4],
        [ALL, 0xcf, 8],
        [ALL, 0xd3, 8],
      );
    }
    if (value >= -32 && pick(2) === 0) return word(1, value);
    const [, first, width] = choose(
      [
        [129, 0xd0, 1],
        [32769, 0xd1, 2],
        [2 ** 31 + 1, 0xd2, 4],
        [ALL, 0xd3, 8],
      ] as const,
      -value,
      pick,
    );
    return Buffer.concat([Buffer.from([first]), word(width, value)]);
  }
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "utf8");
    const isBinary = pick(4) === 3;
    const length = isBinary
      ? head(bytes.length, pick, [256, 0xc4, 1], [65536, 0xc5, 2], [ALL, 0xc6, 4])
      : head(bytes.length, pick, [32, 0xa0, 0], [256, 0xd9, 1], [65536, 0xda, 2], [ALL, 0xdb, 4]);
    return Buffer.concat([length, bytes]);
  }
  if (Array.isArray(value)) {
    const length = head(value.length, pick, [16, 0x90, 0], [65536, 0xdc, 2], [ALL, 0xdd, 4]);
    return Buffer.concat([length, ...value.map((each) => messagePack(each, pick))]);
  }
  const members = Object.entries(value);
  const length = head(members.length, pick, [16, 0x80, 0], [65536, 0xde, 2], [ALL, 0xdf, 4]);
  return Buffer.concat([
    length,
    ...members.flatMap(([name, each]) => [messagePack(name, pick), messagePack(each, pick)]),
  ]);
}

const BREAK = Buffer.from([0xff]);

function cborHead(major: number, value: number, pick: Pick): Buffer {
  const ways = [
    [24, 0, 0],
    [256, 24, 1],
    [65536, 25, 2],
    [2 ** 32, 26, 4],
    [ALL, 27, 8],
  ] as const;
  const [, low, width] = choose(ways, value, pick);
  return Buffer.concat([Buffer.from([(major << 5) | (width === 0 ? value : low)]), word(width, value)]);
}

export function cbor(value: Json, pick: Pick = shortest): Buffer {
  const tags = pick(5) === 4 ? [cborHead(6, 55799, pick)] : [];
  return Buffer.concat([...tags, cborItem(value, pick)]);
}

function cborItem(value: Json, pick: Pick): Buffer {
  if (value === null) return Buffer.from([0xf6]);
  if (typeof value === "boolean") return Buffer.from([value ? 0xf5 : 0xf4]);
  if (typeof value === "number") {
    if (Number.isInteger(value)) return value < 0 ? cborHead(1, -1 - value, pick) : cborHead(0, value, pick);
    const bytes = Buffer.alloc(9, 0xfb);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (typeof value === "string") {
    const bytes = Buffer.from(value, "utf8");
    const major = pick(4) === 3 ? 2 : 3;
    if (pick(3) !== 2) return Buffer.concat([cborHead(major, bytes.length, pick), bytes]);
    const pieces: Buffer[] = [Buffer.from([(major << 5) | 31])];
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + pick(7));
      pieces.push(cborHead(major, piece.length, pick), piece);
      at += piece.length;
      if (piece.length === 0) {
        pieces.push(cborHead(major, bytes.length - at, pick), bytes.subarray(at));
        break;
      }
    }
    return Buffer.concat([...pieces, BREAK]);
  }
  const items = Array.isArray(value)
    ? value.map((each) => cbor(each, pick))
    : Object.entries(value).flatMap(([name, each]) => [cbor(name, pick), cbor(each, pick)]);
  const major = Array.isArray(value) ? 4 : 5;
  if (pick(3) === 2) return Buffer.concat([Buffer.from([(major << 5) | 31]), ...items, BREAK]);
  const size = Array.isArray(value) ? items.length : items.length / 2;
  return Buffer.concat([cborHead(major, size, pick), ...items]);
}
