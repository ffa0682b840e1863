/** The slow twin of assembly/decode/inflate.ts: RFC 1950, 1951 and 1952 bit by bit, over a whole body in memory. */

export type Wrapping = "gzip" | "zlib" | "raw";

export interface Inflated {
  output: Buffer;
  /** Whether it is over, goes on behind its last byte, or is no such coding. */
  ending: "done" | "more" | "broken";
}

class Short extends Error {}
class Broken extends Error {}

const EXTRA_LENGTH = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const EXTRA_DISTANCE = Array.from({ length: 30 }, (_, i) => Math.max(0, (i >> 1) - 1));
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const baseOf = (extra: readonly number[], first: number): number[] =>
  extra.map((_, i) => extra.slice(0, i).reduce((sum, bits) => sum + 2 ** bits, first));
const LENGTH = [...baseOf(EXTRA_LENGTH, 3).slice(0, 28), 258];
const DISTANCE = baseOf(EXTRA_DISTANCE, 1);

/** From "length:code" to the symbol. Throws where it is no code; `single`: it may be one of one bit, or of none. */
function codeOf(lengths: readonly number[], single: boolean): Map<string, number> {
  const symbols = new Map<string, number>();
  let code = 0;
  let left = 1;
  for (let length = 1; length <= 15; length++) {
    code *= 2;
    left *= 2;
    for (const [symbol, of] of lengths.entries()) {
      if (of !== length) continue;
      symbols.set(`${length}:${code++}`, symbol);
      left--;
    }
    if (left < 0) throw new Broken();
  }
  if (left > 0 && !(single && lengths.every((length) => length <= 1))) throw new Broken();
  return symbols;
}

export function inflateTwin(input: Uint8Array, wrapping: Wrapping): Inflated {
  const output: number[] = [];
  let at = 0;
  const bit = (): number => {
    if (at >= input.length * 8) throw new Short();
    const value = (input[at >> 3]! >> (at & 7)) & 1;
    at++;
    return value;
  };
  const bits = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) value += bit() * 2 ** i;
    return value;
  };
  const symbolOf = (code: Map<string, number>): number => {
    let value = 0;
    for (let length = 1; length <= 15; length++) {
      value = value * 2 + bit();
      const symbol = code.get(`${length}:${value}`);
      if (symbol !== undefined) return symbol;
    }
    throw new Broken();
  };
  const demand = (holds: boolean): void => {
    if (!holds) throw new Broken();
  };
  const block = (start: number): void => {
    const type = bits(2);
    demand(type < 3);
    if (type === 0) {
      at = Math.ceil(at / 8) * 8;
      const length = bits(16);
      demand(bits(16) === (length ^ 0xffff));
      for (let i = 0; i < length; i++) output.push(bits(8));
      return;
    }
    let literals = codeOf(
      [8, 9, 7, 8].flatMap((length, i) => Array<number>([144, 112, 24, 8][i]!).fill(length)),
      false,
    );
    let distances = codeOf(Array<number>(32).fill(5), false);
    if (type === 2) {
      const counts = [bits(5) + 257, bits(5) + 1, bits(4) + 4] as const;
      demand(counts[0] <= 286 && counts[1] <= 30);
      const first = Array<number>(19).fill(0);
      for (let i = 0; i < counts[2]; i++) first[ORDER[i]!] = bits(3);
      const code = codeOf(first, false);
      const lengths: number[] = [];
      while (lengths.length < counts[0] + counts[1]) {
        const symbol = symbolOf(code);
        if (symbol < 16) {
          lengths.push(symbol);
          continue;
        }
        demand(symbol !== 16 || lengths.length > 0);
        const value = symbol === 16 ? lengths.at(-1)! : 0;
        const times = symbol === 16 ? 3 + bits(2) : symbol === 17 ? 3 + bits(3) : 11 + bits(7);
        demand(lengths.length + times <= counts[0] + counts[1]);
        lengths.push(...Array<number>(times).fill(value));
      }
      demand(lengths[256] !== 0);
      literals = codeOf(lengths.slice(0, counts[0]), true);
      distances = codeOf(lengths.slice(counts[0]), true);
    }
    while (true) {
      const symbol = symbolOf(literals);
      if (symbol === 256) return;
      if (symbol < 256) {
        output.push(symbol);
        continue;
      }
      demand(symbol < 286);
      const length = LENGTH[symbol - 257]! + bits(EXTRA_LENGTH[symbol - 257]!);
      const place = symbolOf(distances);
      demand(place < 30);
      const distance = DISTANCE[place]! + bits(EXTRA_DISTANCE[place]!);
      demand(distance <= output.length - start);
      for (let i = 0; i < length; i++) output.push(output.at(-distance)!);
    }
  };
  const blocks = (): void => {
    const start = output.length;
    for (let final = 0; final === 0;) {
      final = bit();
      block(start);
    }
    at = Math.ceil(at / 8) * 8;
  };
  const text = (): void => {
    while (bits(8) !== 0);
  };
  const member = (): void => {
    demand(bits(8) === 8);
    const flags = bits(8);
    bits(48);
    if (flags & 4) for (let left = bits(16); left > 0; left--) bits(8);
    if (flags & 8) text();
    if (flags & 16) text();
    if (flags & 2) bits(16);
    blocks();
    bits(64);
  };
  try {
    if (wrapping === "raw") blocks();
    else {
      const [first, second] = [bits(8), bits(8)];
      if (wrapping === "gzip") {
        demand(first === 0x1f && second === 0x8b);
        member();
      } else {
        demand((first & 0x8f) === 8 && (first * 256 + second) % 31 === 0 && (second & 0x20) === 0);
        blocks();
        bits(32);
      }
    }
    while (at < input.length * 8) {
      const byte = bits(8);
      if (byte === 0) continue;
      if (wrapping === "gzip") demand(byte + 256 * bits(8) === 0x8b1f);
      else throw new Broken();
      member();
    }
    return { output: Buffer.from(output), ending: "done" };
  } catch (error) {
    if (error instanceof Short) return { output: Buffer.from(output), ending: "more" };
    if (error instanceof Broken) return { output: Buffer.from(output), ending: "broken" };
    throw error;
  }
}
