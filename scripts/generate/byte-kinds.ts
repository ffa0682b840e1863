// rules/kinds.yaml → the nibble tables that classify 16 bytes at once. A kind must be a product of low and high nibbles, since
// all that the tables can say is "this low nibble and this high nibble"; any other kind is refused. A set of bytes that is looked
// for by itself (core/scan.ts) may be any union of eight such products: one for each high nibble.

import { z } from "zod";
import { emitData, emitEnum, heading } from "./emit.ts";
import { MAX_BYTE_KINDS } from "./limits.ts";
import { RulesError, type Problem } from "./problem.ts";
import { readSource, type Source } from "./source.ts";

const GROUP = 8;
const GROUPS = MAX_BYTE_KINDS / GROUP;

const range = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{2}$/);

const byteKinds = z.strictObject({
  kinds: z
    .array(
      z.union([
        z.strictObject({ name: z.string().regex(/^[A-Z][A-Za-z]*$/), bytes: z.string().regex(/^[\x20-\x7e]+$/) }),
        z.strictObject({
          name: z.string().regex(/^[A-Z][A-Za-z]*$/),
          range,
        }),
      ]),
    )
    .min(1)
    .max(MAX_BYTE_KINDS),
  sets: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Z][A-Z_]*$/),
        bytes: z.string().regex(/^[\x00-\x7f]*$/),
        ranges: z.array(range).default([]),
        what: z.string(),
      }),
    )
    .default([]),
});

export type ByteKinds = z.output<typeof byteKinds>;

export function readByteKinds(file: string, content: string): Source<ByteKinds> {
  return readSource(file, content, byteKinds);
}

/** The bytes of a kind, 0–255. */
export function bytesOf(kind: ByteKinds["kinds"][number]): number[] {
  if ("bytes" in kind) return [...kind.bytes].map((character) => character.charCodeAt(0));
  return bytesIn(kind.range);
}

/** `1c-1f` → the bytes from the one to the other. */
function bytesIn(range: string): number[] {
  const [first = 0, last = 0] = range.split("-").map((hex) => parseInt(hex, 16));
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The 32 bytes by which a set is found: what a low nibble, then what a high nibble may be part of; undefined for too many. */
export function setTable(bytes: readonly number[]): number[] | undefined {
  const table = new Array<number>(32).fill(0);
  const highs = [...new Set(bytes.map((byte) => byte >> 4))].sort((a, b) => a - b);
  // High nibbles with the same low ones share a bit.
  const lows = (high: number): string =>
    bytes
      .filter((byte) => byte >> 4 === high)
      .map((byte) => byte & 15)
      .sort()
      .join();
  const products = [...new Set(highs.map(lows))];
  if (products.length > GROUP) return undefined;
  for (const byte of bytes) {
    const bit = 1 << products.indexOf(lows(byte >> 4));
    table[byte & 15]! |= bit;
    table[16 + (byte >> 4)]! |= bit;
  }
  return table;
}

/** Whether every low nibble of `bytes` occurs with every high nibble. */
export function isProduct(bytes: readonly number[]): boolean {
  const low = new Set(bytes.map((byte) => byte & 15));
  const high = new Set(bytes.map((byte) => byte >> 4));
  return low.size * high.size === new Set(bytes).size;
}

/** The text of assembly/generated/kinds.ts. Throws a RulesError. */
export function emitByteKinds({ file, data, lineOf }: Source<ByteKinds>): string {
  const problems: Problem[] = [];
  const names = new Set<string>();
  const low = new Array<number>(GROUPS * 16).fill(0);
  const high = new Array<number>(GROUPS * 16).fill(0);
  data.kinds.forEach((kind, index) => {
    const bytes = bytesOf(kind);
    const line = lineOf(["kinds", index]);
    if (names.has(kind.name)) problems.push({ file, line, message: `${kind.name} is named twice` });
    names.add(kind.name);
    if (bytes.length === 0 || !isProduct(bytes)) {
      problems.push({ file, line, message: `${kind.name} is no product of low and high nibbles` });
    }
    const row = Math.floor(index / GROUP) * 16;
    for (const byte of bytes) {
      low[row + (byte & 15)]! |= 1 << (index % GROUP);
      high[row + (byte >> 4)]! |= 1 << (index % GROUP);
    }
  });
  const sets = data.sets.map(({ name, bytes, ranges, what }, index) => {
    const table = setTable([...new Set([...Buffer.from(bytes, "latin1"), ...ranges.flatMap(bytesIn)])]);
    if (table === undefined) {
      problems.push({ file, line: lineOf(["sets", index]), message: `${name} is no union of ${GROUP} products` });
    }
    return emitData(name, "u8", table ?? [], what);
  });
  if (problems.length > 0) throw new RulesError(problems);
  const about = `nibble: ${GROUPS} groups of ${GROUP} kinds, 16 bytes each.`;
  return [
    heading(file, [
      `${data.kinds.length} kinds of byte and the nibble tables that find 16 bytes' kinds at once: core/classify.ts.`,
    ]),
    emitEnum(
      "Kind",
      data.kinds.map((kind, index) => [kind.name, `1 << ${index}`] as const),
    ),
    emitData("KIND_LOW", "u8", low, `Low ${about}`),
    emitData("KIND_HIGH", "u8", high, `High ${about}`),
    ...sets,
  ].join("\n");
}
