// HTML character references: WHATWG HTML 13.5 and 13.2.5.72–80, as in text (an attribute would keep "&lt=" as it is).
//
//   &#60; &#60 &#0060;     decimal        &lt; &LT; &lt     named; without `;` only the names that HTML inherited
//   &#x3c; &#X3C           hexadecimal    &colon; &lpar;    named; all names of an ASCII character, and &nbsp;
//
// Names of other characters (&eacute;) cannot build an attack and stay. Number 0, surrogates and numbers past U+10FFFF become
// U+FFFD, 128–159 are read as windows-1252, both as the standard says. One pass: "&amp;lt;" ends as "&lt;". Each byte is looked
// at twice at most, since a number always takes its digits with it. Never longer than its input.

import { byteAt, findByte, hexValue, isDigit, isLetter, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { copyRun } from "../core/scan";
import { textIs, textStarts } from "../core/text";
import { Kind } from "../generated/kinds";
import { LAST_POINT, NO_POINT, REPLACEMENT, putPoint } from "./utf";

/** Bytes of the longest name that is looked up, "DiacriticalGrave". */
const LONGEST_NAME: usize = 16;

const NO_BREAK_SPACE: u32 = 0xa0;

/** The code points of windows-1252 for bytes 128–159, two bytes each; 0 where the byte stands for itself. WHATWG Encoding, 9. */
const WINDOWS_1252: usize = memory.data<u16>([
  0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0,
  0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
]);

/** Whether `start..end`, with these kinds of byte, may hold a character reference: `&` before a letter or `#`. */
export function needsEntities(kinds: u32, start: usize, end: usize): bool {
  if ((kinds & Kind.Ampersand) == 0) return false;
  while ((start = findByte(start, end, Char.Ampersand) + 1) < end) {
    if (isLetter(byteAt(start)) || byteAt(start) == Char.Hash) return true;
  }
  return false;
}

/** Decodes `start..end` to `out` (as long as the input and 16 bytes more, elsewhere); returns the new `out`. */
export function decodeEntities(start: usize, end: usize, out: usize): usize {
  while (true) {
    const at = findByte(start, end, Char.Ampersand);
    out = copyRun(out, start, at);
    if (at == end) return out;
    start = at + 1;
    const point = start < end && byteAt(start) == Char.Hash ? numbered(start + 1, end) : named(start, end);
    if (point == NO_POINT) {
      out = putByte(out, Char.Ampersand);
    } else {
      out = putPoint(out, point);
      start = behind;
    }
  }
}

/** Where the reference ends that `numbered` or `named` has just read. */
let behind: usize = 0;

/** The point of the number at `at` (behind `#`), or `NO_POINT`. */
function numbered(at: usize, end: usize): u32 {
  let base: u32 = 10;
  if (at < end && (byteAt(at) | 0x20) == Char.x) {
    base = 16;
    at++;
  }
  const digits = at;
  let point: u32 = 0;
  for (; at < end; at++) {
    const digit = hexValue(byteAt(at));
    if (digit >= base) break;
    point = min(point * base + digit, LAST_POINT + 1);
  }
  if (at == digits) return NO_POINT;
  if (at < end && byteAt(at) == Char.Semicolon) at++;
  behind = at;
  if (point == 0 || point > LAST_POINT || point - 0xd800 < 0x800) return REPLACEMENT;
  if (point - 0x80 >= 0x20) return point;
  const mapped = byteAt(WINDOWS_1252 + ((point - 0x80) << 1)) | (byteAt(WINDOWS_1252 + ((point - 0x80) << 1) + 1) << 8);
  return mapped != 0 ? mapped : point;
}

/** The point of the name at `at` (behind `&`), or `NO_POINT`. */
function named(at: usize, end: usize): u32 {
  const limit = min(end, at + LONGEST_NAME + 1);
  let stop = at;
  while (stop < limit && (isLetter(byteAt(stop)) || isDigit(byteAt(stop)))) stop++;
  if (stop == at) return NO_POINT;
  if (stop < end && byteAt(stop) == Char.Semicolon) {
    const point = pointOf(at, stop);
    if (point != NO_POINT) {
      behind = stop + 1;
      return point;
    }
  }
  return inherited(at, stop);
}

/** The names that need no semicolon, of which more letters may follow: "&ltscript". */
function inherited(start: usize, end: usize): u32 {
  const two = start + 2;
  if (textStarts(start, end, "lt") || textStarts(start, end, "LT")) return take(two, Char.Less);
  if (textStarts(start, end, "gt") || textStarts(start, end, "GT")) return take(two, Char.Greater);
  if (textStarts(start, end, "amp") || textStarts(start, end, "AMP")) return take(start + 3, Char.Ampersand);
  if (textStarts(start, end, "quot") || textStarts(start, end, "QUOT")) return take(start + 4, Char.DoubleQuote);
  if (textStarts(start, end, "nbsp")) return take(start + 4, NO_BREAK_SPACE);
  return NO_POINT;
}

function take(end: usize, point: u32): u32 {
  behind = end;
  return point;
}

/** The point of a whole name, or `NO_POINT`. HTML 13.5: every name whose value is one ASCII character, and `nbsp`. */
function pointOf(start: usize, end: usize): u32 {
  switch (<u32>(end - start)) {
    case 2:
      if (textIs(start, end, "lt") || textIs(start, end, "LT")) return Char.Less;
      if (textIs(start, end, "gt") || textIs(start, end, "GT")) return Char.Greater;
      return NO_POINT;
    case 3:
      if (textIs(start, end, "amp") || textIs(start, end, "AMP")) return Char.Ampersand;
      if (textIs(start, end, "sol")) return Char.Slash;
      if (textIs(start, end, "num")) return Char.Hash;
      if (textIs(start, end, "Tab")) return Char.Tab;
      if (textIs(start, end, "ast")) return Char.Star;
      if (textIs(start, end, "Hat")) return Char.Caret;
      return NO_POINT;
    case 4:
      if (textIs(start, end, "quot") || textIs(start, end, "QUOT")) return Char.DoubleQuote;
      if (textIs(start, end, "apos")) return Char.Quote;
      if (textIs(start, end, "lpar")) return Char.ParenOpen;
      if (textIs(start, end, "rpar")) return Char.ParenClose;
      if (textIs(start, end, "nbsp")) return NO_BREAK_SPACE;
      if (textIs(start, end, "bsol")) return Char.Backslash;
      if (textIs(start, end, "semi")) return Char.Semicolon;
      if (textIs(start, end, "plus")) return Char.Plus;
      if (textIs(start, end, "vert")) return Char.Pipe;
      if (textIs(start, end, "excl")) return Char.Bang;
      if (textIs(start, end, "lcub")) return Char.BraceOpen;
      if (textIs(start, end, "rcub")) return Char.BraceClose;
      if (textIs(start, end, "lsqb")) return Char.BracketOpen;
      if (textIs(start, end, "rsqb")) return Char.BracketClose;
      return NO_POINT;
    case 5:
      if (textIs(start, end, "colon")) return Char.Colon;
      if (textIs(start, end, "comma")) return Char.Comma;
      if (textIs(start, end, "grave")) return Char.Backtick;
      if (textIs(start, end, "quest")) return Char.Question;
      return NO_POINT;
    case 6:
      if (textIs(start, end, "equals")) return Char.Equals;
      if (textIs(start, end, "dollar")) return Char.Dollar;
      if (textIs(start, end, "percnt")) return Char.Percent;
      if (textIs(start, end, "period")) return Char.Dot;
      if (textIs(start, end, "lbrace")) return Char.BraceOpen;
      if (textIs(start, end, "rbrace")) return Char.BraceClose;
      if (textIs(start, end, "lbrack")) return Char.BracketOpen;
      if (textIs(start, end, "rbrack")) return Char.BracketClose;
      if (textIs(start, end, "verbar")) return Char.Pipe;
      if (textIs(start, end, "lowbar")) return Char.Underscore;
      if (textIs(start, end, "commat")) return Char.At;
      if (textIs(start, end, "midast")) return Char.Star;
      return NO_POINT;
    case 7:
      return textIs(start, end, "NewLine") ? Char.LineFeed : NO_POINT;
    case 8:
      return textIs(start, end, "UnderBar") ? Char.Underscore : NO_POINT;
    case 12:
      return textIs(start, end, "VerticalLine") ? Char.Pipe : NO_POINT;
    case 16:
      if (textIs(start, end, "NonBreakingSpace")) return NO_BREAK_SPACE;
      return textIs(start, end, "DiacriticalGrave") ? Char.Backtick : NO_POINT;
    default:
      return NO_POINT;
  }
}
