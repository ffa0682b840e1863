// Backslash escapes: the union of JSON (RFC 8259 7), ECMAScript (12.9.4) and C (6.4.4.4), since nobody knows which of them the
// service speaks.
//
//   \x27   \u0027   \u{27}   \47 (octal, at most \377)     one point; \uD83D\uDE00 is a pair
//   \" \' \` \\ \/   \n \r \t \b \f \v                     one byte
//   \ and a line feed                                      nothing: a continued line
//
// What is unknown or malformed stays as it is, half of a surrogate pair too. One pass: "\\x27" ends as "\x27". `\u{…}` may hold
// any number of zeros and is read once. Never longer than its input.

import { byteAt, findByte, hexValue, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { copyRun } from "../core/scan";
import { Kind } from "../generated/kinds";
import { LAST_POINT, NO_POINT, escapedLength, escapedPoint, putPoint } from "./utf";

const BACKSPACE: u32 = 0x08;

/** Whether a value with these kinds of byte may hold a backslash escape. */
// @ts-ignore: decorator
@inline
export function needsEscapes(kinds: u32): bool {
  return (kinds & Kind.Backslash) != 0;
}

/** Decodes `start..end` to `out` (as long as the input and 16 bytes more, elsewhere); returns the new `out`. */
export function decodeEscapes(start: usize, end: usize, out: usize): usize {
  while (true) {
    const at = findByte(start, end, Char.Backslash);
    out = copyRun(out, start, at);
    if (end - at < 2) return at < end ? putByte(out, Char.Backslash) : out;
    const second = byteAt(at + 1);
    start = at + 2;
    const single = singleOf(second);
    if (single != NO_POINT) {
      out = putByte(out, single);
      continue;
    }
    if (second == Char.LineFeed) continue;
    const point = second == Char.u ? unicode(at, end) : second == Char.x ? twoDigits(at, end) : octal(at, end);
    if (point == NO_POINT) {
      out = putByte(out, Char.Backslash);
      start = at + 1;
    } else {
      out = putPoint(out, point);
      start = behind;
    }
  }
}

/** Where the escape ends that was read last. */
let behind: usize = 0;

/** What a backslash and this one byte stand for, or `NO_POINT`. */
function singleOf(second: u32): u32 {
  switch (second) {
    case Char.DoubleQuote:
    case Char.Quote:
    case Char.Backtick:
    case Char.Backslash:
    case Char.Slash:
      return second;
    case Char.n:
      return Char.LineFeed;
    case Char.r:
      return Char.CarriageReturn;
    case Char.t:
      return Char.Tab;
    case Char.b:
      return BACKSPACE;
    case Char.f:
      return Char.FormFeed;
    case Char.v:
      return Char.VerticalTab;
    default:
      return NO_POINT;
  }
}

/** `\uXXXX`, a pair of them, or `\u{X…}` at `at`. */
function unicode(at: usize, end: usize): u32 {
  if (end - at < 3 || byteAt(at + 2) != Char.BraceOpen) {
    const point = escapedPoint(at, end);
    behind = at + escapedLength(point);
    return point;
  }
  const digits = at + 3;
  let point: u32 = 0;
  at = digits;
  for (; at < end; at++) {
    const digit = hexValue(byteAt(at));
    if (digit == 16) break;
    point = min((point << 4) | digit, LAST_POINT + 1);
  }
  behind = at + 1;
  const whole = at > digits && at < end && byteAt(at) == Char.BraceClose;
  return whole && point <= LAST_POINT && point - 0xd800 >= 0x800 ? point : NO_POINT;
}

/** `\xXX` at `at`: a code point below 256, as JavaScript reads it. */
function twoDigits(at: usize, end: usize): u32 {
  if (end - at < 4) return NO_POINT;
  const high = hexValue(byteAt(at + 2));
  const low = hexValue(byteAt(at + 3));
  behind = at + 4;
  return (high | low) < 16 ? (high << 4) | low : NO_POINT;
}

/** `\0`–`\377` at `at`: one to three octal digits, the third only while the number stays below 256. */
function octal(at: usize, end: usize): u32 {
  let point: u32 = 0;
  const digits = at + 1;
  const limit = min(end, digits + 3);
  for (at = digits; at < limit; at++) {
    const digit = byteAt(at) - Char._0;
    if (digit > 7 || (point << 3) + digit > 0xff) break;
    point = (point << 3) + digit;
  }
  behind = at;
  return at > digits ? point : NO_POINT;
}
