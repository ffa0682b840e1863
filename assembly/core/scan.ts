// Runs through bytes 16 at a step: find the next byte that means something, copy what stands before it. Each function reads up
// to 16 bytes behind its end and ignores them; `copyRun` also writes up to 15 bytes behind what it returns.
// In a build without SIMD (asconfig.json, `baseline`) each goes byte by byte: the twin stands first in it. Beside this file,
// bytes.ts, classify.ts and detect/plain.ts have vectors.

import { byteAt, isDigit, isLetter, isSpace } from "./bytes";
import { Char } from "./char";

/** The address of the first byte in `start..end` that is `a` or `b`, or `end`. */
export function findEither(start: usize, end: usize, a: u32, b: u32): usize {
  if (!ASC_FEATURE_SIMD) {
    for (; start < end; start++) {
      if (byteAt(start) == a || byteAt(start) == b) return start;
    }
    return end;
  }
  const as = i8x16.splat(<i8>a);
  const bs = i8x16.splat(<i8>b);
  for (; start < end; start += 16) {
    const bytes = v128.load(start);
    const hits = i8x16.bitmask(v128.or(i8x16.eq(bytes, as), i8x16.eq(bytes, bs)));
    if (hits != 0) return min(start + ctz(hits), end);
  }
  return end;
}

/** The address of the first byte in `start..end` that is one of four, or `end`. */
export function findOneOf(start: usize, end: usize, a: u32, b: u32, c: u32, d: u32): usize {
  if (!ASC_FEATURE_SIMD) {
    for (; start < end; start++) {
      const byte = byteAt(start);
      if (byte == a || byte == b || byte == c || byte == d) return start;
    }
    return end;
  }
  const as = i8x16.splat(<i8>a);
  const bs = i8x16.splat(<i8>b);
  const cs = i8x16.splat(<i8>c);
  const ds = i8x16.splat(<i8>d);
  for (; start < end; start += 16) {
    const bytes = v128.load(start);
    const left = v128.or(i8x16.eq(bytes, as), i8x16.eq(bytes, bs));
    const right = v128.or(i8x16.eq(bytes, cs), i8x16.eq(bytes, ds));
    const hits = i8x16.bitmask(v128.or(left, right));
    if (hits != 0) return min(start + ctz(hits), end);
  }
  return end;
}

/** The address of the first byte in `start..end` that is in a set of rules/kinds.yaml (32 bytes of nibbles), or `end`. */
export function findInSet(start: usize, end: usize, set: usize): usize {
  if (!ASC_FEATURE_SIMD) {
    while (start < end && (load<u8>(set + (byteAt(start) & 15)) & load<u8>(set + 16 + (byteAt(start) >> 4))) == 0)
      start++;
    return min(start, end);
  }
  const low = v128.load(set);
  const high = v128.load(set, 16);
  const nibble = i8x16.splat(15);
  const none = i8x16.splat(0);
  for (; start < end; start += 16) {
    const bytes = v128.load(start);
    const both = v128.and(i8x16.swizzle(low, v128.and(bytes, nibble)), i8x16.swizzle(high, i8x16.shr_u(bytes, 4)));
    const hits = i8x16.bitmask(i8x16.ne(both, none));
    if (hits != 0) return min(start + ctz(hits), end);
  }
  return end;
}

/** Whether `a` and right behind it `b` stand anywhere in `start..end`. */
export function hasPair(start: usize, end: usize, a: u32, b: u32): bool {
  return findPair(start, end, a, b) < end;
}

/** The address of the first `a` in `start..end` that has `b` right behind it, or `end`. */
export function findPair(start: usize, end: usize, a: u32, b: u32): usize {
  if (!ASC_FEATURE_SIMD) {
    while (start + 1 < end && (byteAt(start) != a || byteAt(start + 1) != b)) start++;
    return start + 1 < end ? start : end;
  }
  const as = i8x16.splat(<i8>a);
  const bs = i8x16.splat(<i8>b);
  for (; start < end; start += 16) {
    const hits = i8x16.bitmask(v128.and(i8x16.eq(v128.load(start), as), i8x16.eq(v128.load(start, 1), bs)));
    if (hits != 0) return start + ctz(hits) + 1 < end ? start + ctz(hits) : end;
  }
  return end;
}

/** How often `byte` stands in `start..end`. */
export function countByte(start: usize, end: usize, byte: u32): u32 {
  let count: u32 = 0;
  if (!ASC_FEATURE_SIMD) {
    for (; start < end; start++) count += u32(byteAt(start) == byte);
    return count;
  }
  const bytes = i8x16.splat(<i8>byte);
  for (; start < end; start += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(start), bytes));
    const left = <u32>(end - start);
    const lanes: u32 = left < 16 ? (1 << left) - 1 : 0xffff;
    count += popcnt((<u32>hits) & lanes);
  }
  return count;
}

/** The address of the first byte in `start..end` with its top bit set, or `end`. */
export function findHigh(start: usize, end: usize): usize {
  if (!ASC_FEATURE_SIMD) {
    for (; start < end; start++) {
      if (byteAt(start) >= 0x80) return start;
    }
    return end;
  }
  for (; start < end; start += 16) {
    const hits = i8x16.bitmask(v128.load(start));
    if (hits != 0) return min(start + ctz(hits), end);
  }
  return end;
}

/** The address of the first byte in `start..end` that is no printable character of ASCII, or `end`. */
export function findUnprintable(start: usize, end: usize): usize {
  if (!ASC_FEATURE_SIMD) {
    while (start < end && byteAt(start) - 0x20 < 0x5f) start++;
    return start;
  }
  const space = i8x16.splat(0x20);
  const printable = i8x16.splat(0x5e);
  for (; start < end; start += 16) {
    const hits = i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(start), space), printable));
    if (hits != 0) return min(start + ctz(hits), end);
  }
  return end;
}

/** The address of the first byte in `start..end` that is neither a letter nor a digit of ASCII, or `end`. */
export function findMark(start: usize, end: usize): usize {
  if (!ASC_FEATURE_SIMD) {
    while (start < end && (isLetter(byteAt(start)) || isDigit(byteAt(start)))) start++;
    return start;
  }
  const small = i8x16.splat(0x20);
  const a = i8x16.splat(0x61);
  const letters = i8x16.splat(25);
  const zero = i8x16.splat(0x30);
  const digits = i8x16.splat(9);
  for (; start < end; start += 16) {
    const bytes = v128.load(start);
    const letter = i8x16.gt_u(i8x16.sub(v128.or(bytes, small), a), letters);
    const hits = i8x16.bitmask(v128.and(letter, i8x16.gt_u(i8x16.sub(bytes, zero), digits)));
    if (hits != 0) return min(start + ctz(hits), end);
  }
  return end;
}

// What a short value is made of that is plain whatever reads it: ASCII letters and digits, "_", and single "-" between them; no "0x",
// and no word of 9 letters with "p" or "_" in front, which may be a prototype's name (detect/prototype.ts).

/** Bytes of the plain text that begins at `start` and that a double quote ends within 16 bytes, or -1. SIMD builds only. */
export function plainString(start: usize): i32 {
  const bytes = v128.load(start);
  const quotes = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>Char.DoubleQuote)));
  if (quotes == 0) return -1;
  const size = ctz(quotes);
  const lanes = (1 << size) - 1;
  const letters = i8x16.le_u(i8x16.sub(v128.or(bytes, i8x16.splat(0x20)), i8x16.splat(0x61)), i8x16.splat(25));
  const digits = i8x16.le_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(9));
  const words = i8x16.bitmask(v128.or(letters, digits)) & lanes;
  if (words == lanes) return size == 9 && (byteAt(start) | 0x20) == Char.p ? -1 : size;
  const lows = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>Char.Underscore))) & lanes;
  const dashes = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>Char.Dash))) & lanes;
  const marks = lows | dashes;
  if ((words | marks) != lanes || (marks & (marks << 1)) != 0 || (dashes & 1) != 0) return -1;
  const zeros = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x30)));
  const exes = i8x16.bitmask(i8x16.eq(v128.or(bytes, i8x16.splat(0x20)), i8x16.splat(<i8>Char.x)));
  return (exes & (zeros << 1) & lanes) != 0 ? -1 : size;
}

/** Bytes of the plain word or number (`-12.5`) that begins at `start` and ends within 16 bytes, or -1. SIMD builds only. */
export function plainBare(start: usize): i32 {
  const bytes = v128.load(start);
  const letters = i8x16.le_u(i8x16.sub(v128.or(bytes, i8x16.splat(0x20)), i8x16.splat(0x61)), i8x16.splat(25));
  const digits = i8x16.le_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(9));
  const words = i8x16.bitmask(v128.or(letters, digits));
  // "+", ",", "-" and "." in a row; a comma ends it.
  const signs = i8x16.le_u(i8x16.sub(bytes, i8x16.splat(<i8>Char.Plus)), i8x16.splat(3));
  const comma = i8x16.eq(bytes, i8x16.splat(<i8>Char.Comma));
  const low = i8x16.eq(bytes, i8x16.splat(<i8>Char.Underscore));
  const marks = i8x16.bitmask(v128.or(v128.andnot(signs, comma), low));
  const size = ctz(~(words | marks));
  if (size == 16) return -1;
  const lanes = (1 << size) - 1;
  if ((marks & lanes) == 0) return size == 9 ? -1 : size;
  // A number: digits, a dash in front of them and a dot between them.
  const numbers = i8x16.bitmask(digits) & lanes;
  const dot = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>Char.Dot))) & lanes;
  const dash = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>Char.Dash))) & 1;
  const between = numbers & (numbers << 2);
  return (numbers | dot | dash) == lanes && (dot & (dot - 1)) == 0 && ((between >> 1) & dot) == dot && size > <i32>dash
    ? size
    : -1;
}

/** The address of the first byte in `start..end` above a space: white space and control bytes are passed over. */
export function skipBlank(start: usize, end: usize): usize {
  if (!ASC_FEATURE_SIMD) {
    for (; start < end; start++) {
      if (byteAt(start) > <u32>Char.Space) return start;
    }
    return end;
  }
  const space = i8x16.splat(0x20);
  for (; start < end; start += 16) {
    const hits = i8x16.bitmask(i8x16.gt_u(v128.load(start), space));
    if (hits != 0) return min(start + ctz(hits), end);
  }
  return end;
}

/**
 * How many spaces stand behind a letter in `start..end`, at most 16 more than `limit`; those of the last 15
 * bytes may be left out. `start` stands behind a byte of memory.
 */
export function countWords(start: usize, end: usize, limit: u32): u32 {
  if (!ASC_FEATURE_SIMD) {
    let count: u32 = 0;
    for (let stop = start + 16; stop <= end && count <= limit; stop += 16) {
      for (; start < stop; start++) {
        const letter = (byteAt(start - 1) | 0x20) - 0x61 < 26;
        count += u32(letter && byteAt(start) == 0x20);
      }
    }
    return count;
  }
  const spaces = i8x16.splat(0x20);
  const before = i8x16.splat(0x61);
  const letters = i8x16.splat(25);
  let words: u32 = 0;
  for (; start + 16 <= end && words <= limit; start += 16) {
    const left = i8x16.sub(v128.or(v128.load(start - 1), spaces), before);
    words += popcnt(i8x16.bitmask(v128.and(i8x16.eq(v128.load(start), spaces), i8x16.le_u(left, letters))));
  }
  return words;
}

/** Whether the bytes are text in some encoding: no control bytes but blanks. */
export function isText(start: usize, end: usize): bool {
  for (; start < end; start++) {
    const byte = byteAt(start);
    if (byte < <u32>Char.Space && !isSpace(byte) && byte != 0x1b) return false;
  }
  return true;
}

/** A byte of the byte order mark EF BB BF. */
// @ts-ignore: decorator
@inline
export function isMark(byte: u32): bool {
  return byte == 0xef || byte == 0xbb || byte == 0xbf;
}

/** The first byte that is neither blank nor of a byte order mark, which parsers pass over too. */
export function skipMarks(start: usize, end: usize): usize {
  let at = skipBlank(start, end);
  while (at < end && isMark(byteAt(at))) at = skipBlank(at + 1, end);
  return at;
}

/** Copies `start..end` to `out`, which must not reach into it, and returns the next cursor. */
export function copyRun(out: usize, start: usize, end: usize): usize {
  if (!ASC_FEATURE_SIMD) {
    memory.copy(out, start, end - start);
    return out + (end - start);
  }
  const next = out + (end - start);
  for (; start < end; start += 16, out += 16) v128.store(out, v128.load(start));
  return next;
}
