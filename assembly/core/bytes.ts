// Reads and writes single bytes and runs of bytes in linear memory. Every run is a half-open pair `start, end`; a reader's
// cursor is `at`, a writer's is `out`, and a writer returns the new `out`. Nothing here checks bounds in release: the caller
// holds the pair. In a checked build (`--use CHECKED=1`) the address is asserted to lie in memory.

import { Char } from "./char";

/** The byte at `at`, 0–255. */
// @ts-ignore: decorator
@inline
export function byteAt(at: usize): u32 {
  if (isDefined(CHECKED)) assert(at < (<usize>memory.size()) << 16); // inside linear memory
  return load<u8>(at);
}

/** Writes one byte and returns the next cursor. */
// @ts-ignore: decorator
@inline
export function putByte(out: usize, byte: u32): usize {
  if (isDefined(CHECKED)) assert(out < (<usize>memory.size()) << 16); // inside linear memory
  store<u8>(out, <u8>byte);
  return out + 1;
}

/** Copies `start..end` to `out` (the runs may overlap) and returns the next cursor. */
// @ts-ignore: decorator
@inline
export function putBytes(out: usize, start: usize, end: usize): usize {
  memory.copy(out, start, end - start);
  return out + (end - start);
}

/** Writes `value` in decimal and returns the next cursor; at most 20 bytes. */
export function putDecimal(out: usize, value: u64): usize {
  if (value < 10) return putByte(out, Char._0 + <u32>value);
  if (value < 100) return putByte(putByte(out, Char._0 + <u32>value / 10), Char._0 + (<u32>value % 10));
  let divisor: u64 = 1;
  while (value / divisor >= 10) divisor *= 10;
  while (divisor != 0) {
    out = putByte(out, Char._0 + <u32>((value / divisor) % 10));
    divisor /= 10;
  }
  return out;
}

/** Whether two runs hold the same bytes. */
export function sameBytes(start: usize, end: usize, other: usize, otherEnd: usize): bool {
  return end - start == otherEnd - other && memory.compare(start, other, end - start) == 0;
}

/** Whether two runs hold the same bytes when ASCII letters are compared without case. */
export function sameBytesNoCase(start: usize, end: usize, other: usize, otherEnd: usize): bool {
  if (end - start != otherEnd - other) return false;
  for (; start < end; start++, other++) {
    if (lowerCase(byteAt(start)) != lowerCase(byteAt(other))) return false;
  }
  return true;
}

/** The address of the first `byte` in `start..end`, or `end`. Reads up to 15 bytes behind `end` and ignores them. */
export function findByte(start: usize, end: usize, byte: u32): usize {
  if (!ASC_FEATURE_SIMD) {
    for (; start < end; start++) {
      if (byteAt(start) == byte) return start;
    }
    return end;
  }
  const bytes = i8x16.splat(<i8>byte);
  for (; start < end; start += 16) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(start), bytes));
    if (hits != 0) return min(start + ctz(hits), end);
  }
  return end;
}

/** `byte` with an ASCII capital made small. */
// @ts-ignore: decorator
@inline
export function lowerCase(byte: u32): u32 {
  return byte - Char.A < 26 ? byte | 0x20 : byte;
}

// @ts-ignore: decorator
@inline
export function isDigit(byte: u32): bool {
  return byte - Char._0 < 10;
}

// @ts-ignore: decorator
@inline
export function isLetter(byte: u32): bool {
  return (byte | 0x20) - Char.a < 26;
}

/** ASCII letter, digit or underscore. */
// @ts-ignore: decorator
@inline
export function isWord(byte: u32): bool {
  return isLetter(byte) || isDigit(byte) || byte == Char.Underscore;
}

/** Either quote: `'` or `"`. */
// @ts-ignore: decorator
@inline
export function isQuote(byte: u32): bool {
  return byte == Char.Quote || byte == Char.DoubleQuote;
}

/** Space, tab, line feed, vertical tab, form feed or carriage return. */
// @ts-ignore: decorator
@inline
export function isSpace(byte: u32): bool {
  return byte == Char.Space || byte - Char.Tab < 5;
}

/** The value of a base64 digit in either alphabet (RFC 4648 4 and 5), or 64 where `byte` is none. */
export function base64Value(byte: u32): u32 {
  if (isLetter(byte)) return byte - Char.a < 26 ? byte - Char.a + 26 : byte - Char.A;
  if (isDigit(byte)) return byte - Char._0 + 52;
  if (byte == Char.Plus || byte == Char.Dash) return 62;
  return byte == Char.Slash || byte == Char.Underscore ? 63 : 64;
}

/** The address of the first byte in `start..end` that is no white space, or `end`. */
export function skipSpaces(start: usize, end: usize): usize {
  while (start < end && isSpace(byteAt(start))) start++;
  return start;
}

/** The value of a hexadecimal digit, 0–15, or 16 where `byte` is none. */
// @ts-ignore: decorator
@inline
export function hexValue(byte: u32): u32 {
  return isDigit(byte) ? byte - Char._0 : (byte | 0x20) - Char.a < 6 ? (byte | 0x20) - Char.a + 10 : 16;
}

/** The end of a host or address without its port: `shop:8080` → `shop`, `[::1]:80` → `[::1]`. */
export function withoutPort(start: usize, end: usize): usize {
  let at = end;
  while (at > start && isDigit(byteAt(at - 1))) at--;
  return at > start && byteAt(at - 1) == Char.Colon ? at - 1 : end;
}
