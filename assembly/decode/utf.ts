// Code points: read from UTF-16 escapes, written as UTF-8. RFC 3629, RFC 2781.
//
//   unit  = introducer 4hex            %uD83D   \uD83D
//   point = unit                       outside D800–DFFF
//         | high unit low unit         a surrogate pair, 12 bytes
//
// One look at no more than 12 bytes a point.

import { byteAt, hexValue, putByte } from "../core/bytes";
import { Char } from "../core/char";

/** What a reader returns where no code point stands. */
export const NO_POINT: u32 = 0xffff_ffff;
/** The highest code point. */
export const LAST_POINT: u32 = 0x10_ffff;
/** Stands for what is no character (U+FFFD). */
export const REPLACEMENT: u32 = 0xfffd;

/** Writes `point` (at most `LAST_POINT`) in 1–4 bytes and returns the next cursor. */
export function putPoint(out: usize, point: u32): usize {
  if (point < 0x80) return putByte(out, point);
  if (point < 0x800) {
    out = putByte(out, 0xc0 | (point >> 6));
  } else {
    if (point < 0x1_0000) {
      out = putByte(out, 0xe0 | (point >> 12));
    } else {
      out = putByte(out, 0xf0 | (point >> 18));
      out = putByte(out, 0x80 | ((point >> 12) & 0x3f));
    }
    out = putByte(out, 0x80 | ((point >> 6) & 0x3f));
  }
  return putByte(out, 0x80 | (point & 0x3f));
}

/**
 * The code point whose escape stands at `at` (an introducer byte, `u`, four digits; a pair repeats both), or
 * `NO_POINT`: too short, not hexadecimal, or half of a pair. It takes `escapedLength(point)` bytes.
 */
export function escapedPoint(at: usize, end: usize): u32 {
  const unit = escapedUnit(at, end);
  if (unit - 0xd800 >= 0x800) return unit;
  if (unit >= 0xdc00) return NO_POINT;
  if (end - at < 12 || byteAt(at + 6) != byteAt(at) || byteAt(at + 7) != byteAt(at + 1)) return NO_POINT;
  const low = escapedUnit(at + 6, end);
  return low - 0xdc00 < 0x400 ? 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : NO_POINT;
}

/** Bytes that an escaped point takes: a unit, or two. */
// @ts-ignore: decorator
@inline
export function escapedLength(point: u32): usize {
  return point < 0x1_0000 ? 6 : 12;
}

/** The value of the four digits behind an introducer and `u`, or `NO_POINT`. */
function escapedUnit(at: usize, end: usize): u32 {
  if (end - at < 6 || (byteAt(at + 1) | 0x20) != Char.u) return NO_POINT;
  const a = hexValue(byteAt(at + 2));
  const b = hexValue(byteAt(at + 3));
  const c = hexValue(byteAt(at + 4));
  const d = hexValue(byteAt(at + 5));
  return (a | b | c | d) < 16 ? (a << 12) | (b << 8) | (c << 4) | d : NO_POINT;
}
