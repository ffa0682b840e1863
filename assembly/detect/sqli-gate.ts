// Whether a value without blanks and quotation marks (a path, a list of parameters, a media type) can go on as SQL where it stands
// bare: a look at it before it is walked. What every pattern of rules/sqli.yaml and every statement needs there is one of
//
//   or  select  sleep             a word of the table, also glued to a number (1or)
//   &&  @@  --                    an operator, a system variable, a comment
//   |  *  #                       || /* #: not looked behind here
//
// Other values have blanks between their words, and the walk itself ends at the second of them; so it does in most of these, and
// only one that goes on asks here. May say maybe too often, never a false no (tests/detect/gates.test.ts). One step per byte and a
// look-up a word, no memory.

import { byteAt, isDigit, isLetter, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { Kind } from "../generated/kinds";
import { SQLI_KEYWORDS } from "../generated/sqli";
import { keyword } from "../match/keywords";

/** Kinds of byte that are not looked behind here. */
const OTHER: u32 =
  Kind.Control |
  Kind.Space |
  Kind.Quote |
  Kind.Backtick |
  Kind.Hash |
  Kind.High |
  Kind.Backslash |
  Kind.Pipe |
  Kind.Star;

/** Whether a value with these kinds of byte can be looked through. */
export function isTight(kinds: u32): bool {
  return (kinds & OTHER) == 0;
}

/** Whether the tight value `start..end` must be walked on. */
export function mayContinue(start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    const byte = byteAt(at);
    if (isLetter(byte) || byte == Char.Underscore) {
      const from = at++;
      while (at < end && (isWord(byteAt(at)) || byteAt(at) == Char.Dollar)) at++;
      if (keyword(SQLI_KEYWORDS, from, at) != 0) return true;
    } else if (isDigit(byte)) {
      while (at < end && (isDigit(byteAt(at)) || byteAt(at) == Char.Dot)) at++;
      if (at < end && (isWord(byteAt(at)) || byteAt(at) == Char.Dollar)) return true;
    } else {
      at++;
      if (at < end && doubles(byte, byteAt(at))) return true;
    }
  }
  return false;
}

/** Whether two marks are an operator, a system variable or begin a comment. */
// @ts-ignore: decorator
@inline
function doubles(byte: u32, next: u32): bool {
  return byte == next && (byte == Char.Dash || byte == Char.Ampersand || byte == Char.At);
}
