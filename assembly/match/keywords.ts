// Looks a word up among a table's keywords, without ASCII case. The table is a perfect hash made by scripts/generate/keywords.ts,
// all numbers little endian:
//
//   0   u64   the lengths that occur: bit n for a word of n bytes (1–63)
//   8   u16   buckets - 1       10   u16   slots - 1       12   u32   where the slots begin
//   16  u16   where the filter begins                      18   u16   bits of the filter - 1
//   20  u8[buckets]              how far each bucket's slots are displaced
//   …   the filter               a bit is set where some word has such a length and such first four letters
//   …   slots of 4 bytes         u16 where the word stands in the table, u8 its length (0: empty slot), u8 its kind
//   …   the words, in small letters
//
//   bucket = hash & (buckets - 1)      slot = ((hash >> 8) + displacement · ((hash >> 20) | 1)) & (slots - 1)
//
// Most words that are looked up are no keywords, and most of these end at the filter: no hash, no table. The hash takes 8 bytes a step (at most 8 steps) and sees `[` as `{`; the one word it leads to is then compared in full, so the
// answer is exact. Reads up to 7 bytes behind `end` and ignores them.

import { sameBytesNoCase } from "../core/bytes";

const PRIME: u64 = 0x9e3779b97f4a7c15;
/** Set in every small letter and no capital. */
const CASE_BITS: u64 = 0x2020202020202020;
const BUCKET_MASK: usize = 8;
const SLOT_MASK: usize = 10;
const SLOTS: usize = 12;
const FILTER: usize = 16;
const FILTER_MASK: usize = 18;
const DISPLACEMENTS: usize = 20;
/** Odd numbers that spread beginnings and lengths over the filter. */
const HEAD_SPREAD: u32 = 0x9e3779b1;
const SIZE_SPREAD: u32 = 0x85ebca6b;

/** Whether the word `start..end` passes the filter: no false "no", and one "maybe" in ten too many. */
// @ts-ignore: decorator
@inline
export function mayBeKeyword(table: usize, start: usize, end: usize): bool {
  const size = end - start;
  if (size > 63 || ((load<u64>(table) >> (<u64>size)) & 1) == 0) return false;
  let head: u32 = load<u32>(start) | 0x20202020;
  if (size < 4) head &= (1 << ((<u32>size) << 3)) - 1;
  const bit = ((head * HEAD_SPREAD + <u32>size * SIZE_SPREAD) >> 16) & load<u16>(table, FILTER_MASK);
  return ((load<u8>(table + load<u16>(table, FILTER) + (bit >> 3)) >> (bit & 7)) & 1) != 0;
}

/** The token kind of the word `start..end`, or 0 where it is no keyword. */
export function keyword(table: usize, start: usize, end: usize): u32 {
  if (!mayBeKeyword(table, start, end)) return 0;
  const size = end - start;
  let hash: u64 = 0;
  let at = start;
  for (; at + 8 <= end; at += 8) hash = mix(hash, load<u64>(at) | CASE_BITS);
  // The last 1–7 bytes, without what stands behind them.
  if (at < end) hash = mix(hash, (load<u64>(at) | CASE_BITS) & ((<u64>-1) >> ((<u64>(at + 8 - end)) << 3)));
  const bits = <u32>((hash * PRIME) >> 32);
  const displacement: u32 = load<u8>(table + (bits & load<u16>(table, BUCKET_MASK)), DISPLACEMENTS);
  const place = ((bits >> 8) + displacement * ((bits >> 20) | 1)) & load<u16>(table, SLOT_MASK);
  const slot = table + load<u32>(table, SLOTS) + ((<usize>place) << 2);
  if (load<u8>(slot, 2) != size) return 0;
  const word = table + load<u16>(slot);
  return sameBytesNoCase(start, end, word, word + size) ? load<u8>(slot, 3) : 0;
}

/** One step of the hash. */
// @ts-ignore: decorator
@inline
function mix(hash: u64, chunk: u64): u64 {
  hash = (hash ^ chunk) * PRIME;
  return hash ^ (hash >> 32);
}
