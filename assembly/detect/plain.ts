// Words and numbers, as most fields hold them: "green watering can", "J. O'Neill-Hart", "-12.50", "2026-11-21T09:30:00Z". A look at
// a value of letters, digits, spaces, dots, dashes, an apostrophe and the colons of a time before any detector takes it apart. With
// no other marks it can only be
//
//   1 or true        a query: some word is one of SQL's
//   ping -c 9        a command line: its first word is a command's, or an option follows
//   x --             a comment
//   a.constructor    a name behind a dot, or a climb, or an address
//   __proto__        a name that code knows
//
// May say no too often, never a false yes (tests/detect/gates.test.ts). Two steps per byte, at most 64; few words pass the filters
// of the keyword tables.

import { byteAt, isDigit, isLetter, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { findMark, hasPair } from "../core/scan";
import { textStarts } from "../core/text";
import { CMDI_KEYWORDS } from "../generated/cmdi";
import { Kind } from "../generated/kinds";
import { Sql, SQLI_KEYWORDS } from "../generated/sqli";
import { keyword, mayBeKeyword } from "../match/keywords";

/** The longest value that is looked at. */
const LONGEST: usize = 64;
const PLAIN: u32 = Kind.Space | Kind.Dot | Kind.Dash | Kind.Quote | Kind.Colon;

/** Whether `start..end`, with these kinds of byte, is words and numbers alone. */
export function isPlain(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & ~PLAIN) != 0 || end - start > LONGEST) return false;
  if ((kinds & Kind.Quote) == 0 && isNumeric(start, end)) return !hasPair(start, end, Char.Dash, Char.Dash);
  if ((kinds & ~(Kind.Dot | Kind.Dash)) == 0 && isMailbox(start, end)) return true;
  // __proto__
  if (hasPair(start, end, Char.Underscore, Char.Underscore)) return false;
  // An identifier: nothing but an option begins with a dash and has no blank.
  if (kinds == Kind.Dash && byteAt(start) != Char.Dash) return !hasPair(start, end, Char._0, Char.x); // 0x2e0x2e0x2f
  if ((kinds & ~Kind.Space) != 0 && hasTelling(start, end)) return false;
  let at = start;
  let first = true;
  while (true) {
    while (at < end && !isWord(byteAt(at))) if (byteAt(at++) == Char.At) return false;
    if (at == end) return true;
    const from = at;
    while (at < end && !isDigit(byteAt(at)) && isWord(byteAt(at))) at++;
    const digits = at;
    while (at < end && isDigit(byteAt(at))) at++;
    // "1or", "a0x2f": what stands behind digits may be a word of its own, or an escape. In times it is T and Z.
    if (at < end && isWord(byteAt(at))) {
      const next: u32 = at + 1 < end ? byteAt(at + 1) : Char.Z;
      if (digits != from || !(byteAt(at) == T ? isDigit(next) : byteAt(at) == Char.Z && next == Char.Z)) return false;
      at++;
      continue;
    }
    if (digits == from) continue;
    const kind = keyword(SQLI_KEYWORDS, from, at);
    if (kind != 0 && kind != Sql.Prose) return false;
    if (first && mayLead(from, at, end)) return false;
    first = false;
  }
}

/** Whether all is letters, digits and single marks between them: a local part, "@" and a host that no number ends. */
function isMailbox(start: usize, end: usize): bool {
  let at = start;
  let host: usize = 0;
  let last: u32 = 0;
  while (true) {
    const mark = findMark(at, end);
    if (mark == at) return false;
    if (mark == end) return host != 0 && last == Char.Dot && isLetter(byteAt(at));
    last = byteAt(mark);
    if (last == Char.At) {
      if (host != 0) return false;
      host = mark + 1;
    } else if (last != Char.Dot && last != Char.Dash && last != Char.Underscore) {
      return false;
    }
    at = mark + 1;
  }
}

/**
 * Whether `start..end` is a link as most are: "https://shop.example/p/123-green_can.html?ref=mail&lang=en". What follows from where it
 * points (an address inside, a file by its name) is not asked here, and no other language takes it for more than a word.
 */
export function isLink(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & ~LINK) != 0 || (~kinds & (Kind.Colon | Kind.Slash)) != 0) return false;
  let at = start + (textStarts(start, end, "https://") ? 8 : textStarts(start, end, "http://") ? 7 : 0);
  if (at == start) return false;
  // Where the name of a parameter stands that has no "=" yet; 0 in the path.
  let name: usize = 0;
  let query = false;
  while (true) {
    const mark = findMark(at, end);
    const next: u32 = mark + 1 < end ? byteAt(mark + 1) : 0;
    if (mark == end) return name == 0;
    switch (byteAt(mark)) {
      case Char.Slash:
        if (next == Char.Slash || name != 0) return false;
        break;
      case Char.Dot:
        if (mark == at || !isAlphanumeric(next)) return false;
        break;
      case Char.Dash:
        if (mark == at || !isAlphanumeric(next)) return false;
        break;
      case Char.Underscore:
        if (next == Char.Underscore) return false;
        break;
      case Char.Question:
        if (query || !isLetter(next)) return false;
        query = true;
        name = mark + 1;
        break;
      case Char.Equals:
        if (name == 0 || next == Char.Equals) return false;
        name = 0;
        break;
      case Char.Ampersand:
        if (!query || name != 0 || !isLetter(next)) return false;
        name = mark + 1;
        break;
      default:
        return false;
    }
    at = mark + 1;
  }
}

const LINK: u32 = Kind.Colon | Kind.Slash | Kind.Dot | Kind.Dash | Kind.Equals | Kind.Ampersand;

function isAlphanumeric(byte: u32): bool {
  return isLetter(byte) || isDigit(byte);
}

/** The T of a time. */
const T: u32 = 0x54;

/** Whether all is digits, dashes, colons, spaces, T, Z and one dot at most: a number, a date, a time. */
function isNumeric(start: usize, end: usize): bool {
  if (!ASC_FEATURE_SIMD) {
    let found: u32 = 0;
    for (; start < end; start++) {
      const byte = byteAt(start);
      if (byte == Char.Dot) found++;
      else if (
        !isDigit(byte) &&
        byte != Char.Dash &&
        byte != Char.Colon &&
        byte != T &&
        byte != Char.Z &&
        byte != Char.Space
      )
        return false;
    }
    return found < 2;
  }
  const digits = i8x16.splat(0x30);
  const nine = i8x16.splat(9);
  let dots = 0;
  for (let at = start; at < end; at += 16) {
    const bytes = v128.load(at);
    const dot = i8x16.eq(bytes, i8x16.splat(<i8>Char.Dot));
    const digit = v128.or(dot, i8x16.le_u(i8x16.sub(bytes, digits), nine));
    const mark = v128.or(i8x16.eq(bytes, i8x16.splat(<i8>Char.Dash)), i8x16.eq(bytes, i8x16.splat(<i8>Char.Colon)));
    const time = v128.or(i8x16.eq(bytes, i8x16.splat(<i8>T)), i8x16.eq(bytes, i8x16.splat(<i8>Char.Z)));
    const known = v128.or(v128.or(digit, mark), v128.or(time, i8x16.eq(bytes, i8x16.splat(<i8>Char.Space))));
    const left = <u32>min<usize>(end - at, 16);
    const lanes = (1 << left) - 1;
    if ((i8x16.bitmask(known) & lanes) != lanes) return false;
    dots += popcnt(i8x16.bitmask(dot) & lanes);
  }
  return dots < 2;
}

/** Whether a mark is more than a hyphen, a sign, a decimal point, the end of a sentence, an apostrophe or a colon between digits. */
function hasTelling(start: usize, end: usize): bool {
  let decimals: u32 = 0;
  let apostrophes: u32 = 0;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (isWord(byte) || byte == Char.Space) continue;
    const next: u32 = at + 1 < end ? byteAt(at + 1) : Char.Space;
    const before: u32 = at > start ? byteAt(at - 1) : Char.Space;
    if (byte == Char.Dash) {
      // "-5" is a number, "-c" an option, "--" a comment.
      if (next == Char.Dash || next == Char.Dot) return true;
      if (!isWord(before) && (!isDigit(next) || at > start)) return true;
    } else if (byte == Char.Dot) {
      if (next != Char.Space && (!isDigit(next) || decimals++ != 0)) return true;
    } else if (byte == Char.Colon) {
      if (!isDigit(before) || !isDigit(next)) return true;
    } else if (byte == Char.Quote) {
      if (!isLetter(before) || !isLetter(next) || apostrophes++ != 0) return true;
    } else if (byte == Char.DoubleQuote) {
      return true;
    }
  }
  return false;
}

/** Whether a command's name may begin at `from`: the word up to `to`, or up to a blank ("apt-get"). */
function mayLead(from: usize, to: usize, end: usize): bool {
  if (mayBeKeyword(CMDI_KEYWORDS, from, to)) return true;
  if (to == end || byteAt(to) != Char.Dash) return false;
  while (to < end && byteAt(to) != Char.Space) to++;
  return mayBeKeyword(CMDI_KEYWORDS, from, to);
}
