// Words and numbers, as most fields hold them: "green watering can", "J. O. Smith-Jones", "-12.50". A look at a value of letters,
// digits, spaces, dots and dashes before any detector takes it apart. With no other marks it can only be
//
//   1 or true        a query: some word is one of SQL's
//   ping -c 9        a command line: its first word is a command's, or an option follows
//   x --             a comment
//   a.constructor    a name behind a dot, or a climb, or an address
//
// May say no too often, never a false yes (tests/detect/gates.test.ts). One vector pass and one step per byte, at most 64; few
// words pass the filters of the keyword tables.

import { byteAt, isDigit, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { CMDI_KEYWORDS } from "../generated/cmdi";
import { Kind } from "../generated/kinds";
import { Sql, SQLI_KEYWORDS } from "../generated/sqli";
import { keyword, mayBeKeyword } from "../match/keywords";

/** The longest value that is looked at. */
const LONGEST: usize = 64;
const PLAIN: u32 = Kind.Space | Kind.Dot | Kind.Dash;

/** Whether `start..end`, with these kinds of byte, is words and numbers alone. */
export function isPlain(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & ~PLAIN) != 0 || end - start > LONGEST) return false;
  if ((kinds & (Kind.Dot | Kind.Dash)) != 0 && hasTelling(start, end)) return false;
  let at = start;
  let first = true;
  while (true) {
    while (at < end && !isWord(byteAt(at))) if (byteAt(at++) == Char.At) return false;
    if (at == end) return true;
    const from = at;
    while (at < end && !isDigit(byteAt(at)) && isWord(byteAt(at))) at++;
    const digits = at;
    while (at < end && isDigit(byteAt(at))) at++;
    // "1or", "a0x2f": what stands behind digits may be a word of its own, or an escape.
    if (at < end && isWord(byteAt(at))) return false;
    if (digits == from) continue;
    const kind = keyword(SQLI_KEYWORDS, from, at);
    if (kind != 0 && kind != Sql.Prose) return false;
    if (first && mayLead(from, at, end)) return false;
    first = false;
  }
}

/** Whether a dash or a dot begins more than a hyphen, a sign, a decimal or the end of a sentence. */
function hasTelling(start: usize, end: usize): bool {
  const dots = i8x16.splat(<i8>Char.Dot);
  const dashes = i8x16.splat(<i8>Char.Dash);
  let numbers: u32 = 0;
  for (let from = start; from < end; from += 16) {
    const bytes = v128.load(from);
    let hits = i8x16.bitmask(v128.or(i8x16.eq(bytes, dots), i8x16.eq(bytes, dashes)));
    for (; hits != 0; hits &= hits - 1) {
      const at = from + ctz(hits);
      if (at >= end) return false;
      const next: u32 = at + 1 < end ? byteAt(at + 1) : Char.Space;
      if (next == Char.Dot || next == Char.Dash) return true;
      const before: u32 = at > start ? byteAt(at - 1) : Char.Space;
      if (byteAt(at) == Char.Dash) {
        // "-5" is a number, "-c" an option.
        if (!isWord(before) && (!isDigit(next) || at > start)) return true;
      } else if (next != Char.Space && (!isDigit(next) || numbers++ != 0)) return true;
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
