// Text as most fields hold it: "green watering can", "J. O'Neill-Hart", "-12.50", "+49 (0)30 1234-567", "Apt. #4, on 12/05/2026: $5 or
// 5% off.". A look at a value of words and numbers with marks as they stand in writing, before any detector takes it apart. Such a value
// can only be
//
//   1 or true        a query: some word is one of SQL's
//   ping -c 9        a command line: its first word is a command's, or an option follows
//
// and where a mark stands as it does not in writing, anything:
//
//   x --             a comment
//   a.constructor    a name behind a dot, or a climb, or an address
//   __proto__        a name that code knows
//
// May suspect too often, never too little (tests/detect/gates.test.ts). One step per byte, at most 1,024; few words pass the filters of
// the keyword tables.

import { byteAt, isDigit, isLetter, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { findMark, hasPair } from "../core/scan";
import { textStarts } from "../core/text";
import { needsUnicode } from "../decode/unicode";
import { CMDI_KEYWORDS } from "../generated/cmdi";
import { Kind } from "../generated/kinds";
import { Sql, SQLI_KEYWORDS } from "../generated/sqli";
import { keyword, mayBeKeyword } from "../match/keywords";

/** What a value may be in another language than people's, bit by bit; 0: nothing. */
export const enum Suspect {
  Sql = 1,
  Command = 2,
  Anything = 4,
}

/** The longest value that is looked at. */
const LONGEST: usize = 1024;
const WRITTEN: u32 =
  Kind.Space |
  Kind.Dot |
  Kind.Dash |
  Kind.Quote |
  Kind.Colon |
  Kind.Ampersand |
  Kind.Percent |
  Kind.High |
  Kind.Slash |
  Kind.Hash |
  Kind.Dollar;

/** What `start..end`, with these kinds of byte, may be. */
export function suspect(start: usize, end: usize, kinds: u32): u32 {
  if ((kinds & ~DIALLED) == 0 && (kinds & (Kind.Paren | Kind.Plus)) != 0 && isDialled(start, end)) return 0;
  if ((kinds & ~WRITTEN) != 0 || end - start > LONGEST) return Suspect.Anything;
  if ((kinds & ~NUMERIC) == 0 && isNumeric(start, end)) {
    return hasPair(start, end, Char.Dash, Char.Dash) ? Suspect.Anything : 0;
  }
  // __proto__
  if (hasPair(start, end, Char.Underscore, Char.Underscore)) return Suspect.Anything;
  // An identifier: nothing but an option begins with a dash and has no blank.
  if (kinds == Kind.Dash ? byteAt(start) != Char.Dash : (kinds & ~NAMED) == 0 && isMailbox(start, end)) {
    return hasPair(start, end, Char._0, Char.x) ? Suspect.Anything : 0; // 0x2e0x2e0x2f
  }
  if (needsUnicode(kinds, start, end)) return Suspect.Anything;
  return suspectWords(start, end, (kinds & Kind.High) == 0);
}

/** Kinds of a telephone number in full. */
const DIALLED: u32 = Kind.Space | Kind.Paren | Kind.Plus | Kind.Dash | Kind.Dot | Kind.Slash;
/** Digits and marks of the longest number that is read. */
const LONGEST_DIALLED: usize = 32;

/** Whether all is digits, single marks between them, a "+" in front and one pair of brackets: "+49 (0)30 1234-567", "(555) 010-9999". */
function isDialled(start: usize, end: usize): bool {
  if (end - start > LONGEST_DIALLED) return false;
  let at = start;
  let opened = false;
  let closed = false;
  if (byteAt(at) == Char.Plus) at++;
  let before: u32 = Char._0;
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte == Char.ParenOpen) {
      if (opened) return false;
      opened = true;
    } else if (byte == Char.ParenClose) {
      if (!opened || closed || !isDigit(before)) return false;
      closed = true;
    } else if (byte == Char.Space) {
      if (before == Char.Space || before == Char.ParenOpen) return false;
    } else if (byte == Char.Dash || byte == Char.Dot || byte == Char.Slash) {
      if (!isDigit(before) && before != Char.ParenClose) return false;
    } else if (!isDigit(byte)) {
      return false;
    }
    before = byte;
  }
  return opened == closed && (isDigit(before) || before == Char.ParenClose);
}

/** Words in a row among which a statement begins, or goes on behind an operand; more of them are no SQL in any place. */
const OPERAND: u32 = 3;

/** `ascii`: nothing in it can be read as a line end that a header's name follows. */
function suspectWords(start: usize, end: usize, ascii: bool): u32 {
  let suspects: u32 = 0;
  // Whether the next word stands where a command would.
  let leads = true;
  let decimals: u32 = 0;
  let apostrophes: u32 = 0;
  // Words and numbers since the last mark.
  let words: u32 = 0;
  let at = start;
  while (at < end) {
    const byte = byteAt(at);
    if (byte == Char.Space) {
      at++;
      continue;
    }
    // self._context
    if (byte == Char.Underscore) return Suspect.Anything;
    if (isSpelled(byte) || isDigit(byte)) {
      const from = at;
      at = nameEnd(at, end);
      const digits = at;
      while (at < end && byteAt(at) - <u32>Char._0 < 10) at++;
      // "1or", "a0x2f": what stands behind digits may be a word of its own, or an escape. In times it is T and Z.
      if (at != digits && at < end && isNamed(byteAt(at))) {
        const next: u32 = at + 1 < end ? byteAt(at + 1) : Char.Z;
        if (digits != from || !(byteAt(at) == T ? isDigit(next) : byteAt(at) == Char.Z && next == Char.Z)) {
          return Suspect.Anything;
        }
        at++;
        continue;
      }
      words++;
      if (digits == from) continue;
      if (words <= OPERAND && (suspects & Suspect.Sql) == 0 && isQueried(from, at)) suspects |= Suspect.Sql;
      if (leads && mayLead(from, at, end)) suspects |= Suspect.Command;
      leads = false;
      continue;
    }
    words = 0;
    const before: u32 = at > start ? byteAt(at - 1) : Char.Space;
    const next: u32 = ++at < end ? byteAt(at) : Char.Space;
    switch (byte) {
      case Char.Comma:
      case Char.Question:
      case Char.Bang:
        break;
      case Char.Dash:
        // "-5" is a number, "-c" an option, "--" a comment.
        if (next == Char.Dash || next == Char.Dot) return Suspect.Anything;
        if (!isNamed(before) && !isDigit(before) && (!isDigit(next) || at - 1 > start)) return Suspect.Anything;
        break;
      case Char.Dot:
        if (next != Char.Space && (!isDigit(next) || decimals++ != 0)) return Suspect.Anything;
        break;
      case Char.Colon:
        // 8:30, and "Please note: …"
        if (isDigit(before) ? !isDigit(next) : !ascii || !isLetter(before) || next != Char.Space)
          return Suspect.Anything;
        break;
      case Char.Slash:
        // 12/05/2026
        if (!isDigit(before) || !isDigit(next)) return Suspect.Anything;
        break;
      case Char.Hash:
      case Char.Dollar:
        // "Apt. #4", "$5"
        if ((before != Char.Space && at - 1 != start) || !isDigit(next)) return Suspect.Anything;
        break;
      case Char.Quote:
        if (!isSpelled(before) || !isSpelled(next) || apostrophes++ != 0) return Suspect.Anything;
        break;
      case Char.Percent:
        if (!isDigit(before) || next != Char.Space) return Suspect.Anything;
        break;
      case Char.Ampersand:
        if (before != Char.Space || next != Char.Space) return Suspect.Anything;
        leads = true;
        break;
      default:
        return Suspect.Anything;
    }
  }
  return suspects;
}

/** Whether `from..to` is a word of SQL, and not one of prose as well. */
// @ts-ignore: decorator
@inline
function isQueried(from: usize, to: usize): bool {
  const kind = keyword(SQLI_KEYWORDS, from, to);
  return kind != 0 && kind != Sql.Prose;
}

/** The address of the first byte in `start..end` that is no letter of any script and no "_", or `end`. */
function nameEnd(start: usize, end: usize): usize {
  if (!ASC_FEATURE_SIMD) {
    while (start < end && isNamed(byteAt(start))) start++;
    return start;
  }
  const small = i8x16.splat(0x20);
  const a = i8x16.splat(0x61);
  const letters = i8x16.splat(25);
  const low = i8x16.splat(<i8>Char.Underscore);
  for (; start < end; start += 16) {
    const bytes = v128.load(start);
    const letter = i8x16.le_u(i8x16.sub(v128.or(bytes, small), a), letters);
    const named = i8x16.bitmask(v128.or(v128.or(letter, bytes), i8x16.eq(bytes, low)));
    if (named != 0xffff) return min(start + ctz(~named), end);
  }
  return end;
}

/** A letter, of any script. */
// @ts-ignore: decorator
@inline
function isSpelled(byte: u32): bool {
  return isLetter(byte) || byte >= 0x80;
}

/** A letter or "_". */
// @ts-ignore: decorator
@inline
function isNamed(byte: u32): bool {
  return isSpelled(byte) || byte == Char.Underscore;
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
 * Whether `start..end` is a link as most are: "https://shop.example/p/123-green_can.html?ref=mail&lang=en", or a path from the root.
 * What follows from where it points (an address inside, a file or a program by its name) is not asked here, and no other language
 * takes it for more than a word.
 */
export function isLink(start: usize, end: usize, kinds: u32): bool {
  linkHost = 0;
  if ((kinds & ~LINK) != 0 || (kinds & Kind.Slash) == 0) return false;
  let at = start + 1;
  if (byteAt(start) != Char.Slash) {
    at = start + (textStarts(start, end, "https://") ? 8 : textStarts(start, end, "http://") ? 7 : 0);
    // "https:///evil.example": browsers drop a slash more than two.
    if (at == start || at == end || !isAlphanumeric(byteAt(at))) return false;
    linkHost = at;
  } else if (at == end || !isAlphanumeric(byteAt(at))) {
    return false;
  }
  // Where the name of a parameter stands that has no "=" yet; 0 in the path.
  let name: usize = 0;
  let query = false;
  while (true) {
    const mark = findMark(at, end);
    const next: u32 = mark + 1 < end ? byteAt(mark + 1) : 0;
    if (mark == end) return name == 0 && !hasPair(start, end, Char._0, Char.x);
    switch (byteAt(mark)) {
      case Char.Slash:
        if (next == Char.Slash || name != 0) return false;
        break;
      case Char.Dot:
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

/** Where the host of the last link begins, 0 for a path. */
export let linkHost: usize = 0;

const LINK: u32 = Kind.Colon | Kind.Slash | Kind.Dot | Kind.Dash | Kind.Equals | Kind.Ampersand;

function isAlphanumeric(byte: u32): bool {
  return isLetter(byte) || isDigit(byte);
}

const NAMED: u32 = Kind.Dot | Kind.Dash;
const NUMERIC: u32 = Kind.Dot | Kind.Dash | Kind.Colon | Kind.Space;

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

/** Whether a command's name may begin at `from`: the word up to `to`, or up to a blank ("apt-get"). */
function mayLead(from: usize, to: usize, end: usize): bool {
  if (mayBeKeyword(CMDI_KEYWORDS, from, to)) return true;
  if (to == end || byteAt(to) != Char.Dash) return false;
  while (to < end && byteAt(to) != Char.Space) to++;
  return mayBeKeyword(CMDI_KEYWORDS, from, to);
}
