// Which kinds of byte occur in a run: the first look at every value, 16 bytes a step, no memory (byte by byte in a
// build without SIMD).
//
//   byte  h h h h l l l l        kind k occurs  ⇔  bit k of LOW[l] and of HIGH[h]
//
// Each kind is a product of low nibbles and high nibbles (the generator refuses one that is not), so the answer is exact:
// never a false "no", and no false "maybe" either. Reads up to 15 bytes behind `end` and ignores them.

import { byteAt } from "./bytes";
import { KIND_HIGH, KIND_LOW } from "../generated/kinds";

/** 16 bytes of 0xff, then 16 of 0x00: at offset 16 - n a mask that keeps the first n lanes. */
const LANES: usize = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0,
]);

/** Bytes that were classified so far, as each reading of a value is once: what judging costs (filter/judgement.ts). */
export let classified: u32 = 0;

/** The set of `Kind` bits of the bytes in `start..end`. */
export function classify(start: usize, end: usize): u32 {
  classified += <u32>(end - start);
  if (!ASC_FEATURE_SIMD) return classifyBytes(start, end);
  const low0 = v128.load(KIND_LOW);
  const low1 = v128.load(KIND_LOW, 16);
  const low2 = v128.load(KIND_LOW, 32);
  const high0 = v128.load(KIND_HIGH);
  const high1 = v128.load(KIND_HIGH, 16);
  const high2 = v128.load(KIND_HIGH, 32);
  const nibble = i8x16.splat(15);
  let kinds0 = i8x16.splat(0);
  let kinds1 = i8x16.splat(0);
  let kinds2 = i8x16.splat(0);
  while (start < end) {
    const bytes = v128.load(start);
    const low = v128.and(bytes, nibble);
    const high = i8x16.shr_u(bytes, 4);
    // Past the end every lane is masked, so that a neighbour's bytes do not count.
    const keep = end - start >= 16 ? i8x16.splat(-1) : v128.load(LANES + 16 - (end - start));
    kinds0 = v128.or(kinds0, v128.and(keep, v128.and(i8x16.swizzle(low0, low), i8x16.swizzle(high0, high))));
    kinds1 = v128.or(kinds1, v128.and(keep, v128.and(i8x16.swizzle(low1, low), i8x16.swizzle(high1, high))));
    kinds2 = v128.or(kinds2, v128.and(keep, v128.and(i8x16.swizzle(low2, low), i8x16.swizzle(high2, high))));
    start += 16;
  }
  return orLanes(kinds0) | (orLanes(kinds1) << 8) | (orLanes(kinds2) << 16);
}

/** The same, byte by byte. */
function classifyBytes(start: usize, end: usize): u32 {
  let kinds: u32 = 0;
  for (; start < end; start++) {
    const low: usize = byteAt(start) & 15;
    const high: usize = byteAt(start) >> 4;
    for (let row: usize = 0; row < 48; row += 16) {
      const both = load<u8>(KIND_LOW + row + low) & load<u8>(KIND_HIGH + row + high);
      kinds |= (<u32>both) << ((<u32>row) >> 1);
    }
  }
  return kinds;
}

/** The bitwise or of 16 lanes. */
// @ts-ignore: decorator
@inline
function orLanes(lanes: v128): u32 {
  let bits = i64x2.extract_lane(lanes, 0) | i64x2.extract_lane(lanes, 1);
  bits |= bits >> 32;
  bits |= bits >> 16;
  bits |= bits >> 8;
  return (<u32>bits) & 0xff;
}
