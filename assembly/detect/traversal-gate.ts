// Whether a value can point anywhere at all: a look at it before it is read as a path. What every rule of rules/traversal.yaml and
// every judgement of its spelling needs is one of
//
//   %2  \  0x2e  c0 ae  U+2024     a spelling: it can hide anything
//   ".."  ".\0."  ".?"            a climb
//   php:  file://  C:\            a scheme or a drive
//   etc  .ssh  WEB-INF  win.ini   a name of a system file or folder next to a "/"
//
// May say maybe too often, never a false no (tests/detect/gates.test.ts). One vector pass, then one step per byte of the runs that
// hold a "/", and two look-ups a name.

import { byteAt, findByte, isDigit, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { fieldPart, Part } from "../core/field";
import { findEither, findInSet, hasPair } from "../core/scan";
import { Kind, PATH_MARKS } from "../generated/kinds";
import { Path, TRAVERSAL_KEYWORDS } from "../generated/traversal";
import { keyword } from "../match/keywords";

/** Bytes of a name that the tokenizer keeps: of a longer one it sees the head only. */
const LONGEST_NAME: usize = 64;

/** Whether `start..end`, trimmed and with a "/" in it or in the path of the URL, must be read. */
export function mayPoint(start: usize, end: usize, kinds: u32): bool {
  if (mayStream(start, end, kinds)) return true;
  // A climb in wildcards: ??/??/etc
  if (hasPair(start, end, Char.Question, Char.Question)) return true;
  if ((kinds & Kind.Backslash) != 0 || hasMark(start, end)) return true;
  if ((kinds & Kind.Colon) != 0 && hasScheme(start, end)) return true;
  // Inside a text only a run that is rooted, hidden or in somebody's home is looked at, or one with ":" or bytes beyond
  // ASCII: not "and/or".
  const blank = (kinds & (Kind.Space | Kind.Control)) != 0;
  // A value that begins as a path is read with the spaces in its names.
  if (blank && (byteAt(start) == Char.Slash || byteAt(start) == Char.Dot)) return true;
  const text = blank && findEither(start, end, Char.Space, Char.LineFeed) < end;
  const all = !text || (kinds & (Kind.Colon | Kind.High)) != 0 || fieldPart == Part.Path;
  // Every rule that rests on names alone needs two of them, or a root.
  if ((kinds & Kind.Slash) == 0) return false;
  return namesTarget(start, end, all);
}

/** Whether a name next to a "/" in `start..end` is one of a target; unless `all`, in runs that are rooted, hidden or in a home. */
export function namesTarget(start: usize, end: usize, all: bool): bool {
  for (let at = start; (at = findByte(at, end, Char.Slash)) < end;) {
    let from = at;
    while (from > start && !endsName(byteAt(from - 1))) from--;
    const told = all || from == at || byteAt(from) == Char.Dot || byteAt(from) == Char.Tilde;
    do {
      if (told && pointsAt(from, at)) return true;
      from = at + 1;
      while (++at < end && !endsName(byteAt(at)));
    } while (at < end && byteAt(at) == Char.Slash);
    if (told && pointsAt(from, at)) return true;
  }
  return false;
}

/** Whether a value without spaces may name a stream of NTFS: ":$DATA". */
export function mayStream(start: usize, end: usize, kinds: u32): bool {
  if ((~kinds & (Kind.Colon | Kind.Dollar)) != 0 || (kinds & Kind.Space) != 0) return false;
  return hasPair(start, end, Char.Colon, Char.Dollar);
}

/** Whether a climb, an escape of scripting front ends, a control byte, or a byte that begins another spelling of a mark occurs. */
function hasMark(start: usize, end: usize): bool {
  for (let at = start; (at = findInSet(at, end, PATH_MARKS)) < end; at++) {
    const next = byteAt(at + 1);
    switch (byteAt(at)) {
      case Char.Dot:
        // ".?/.?/etc": a wildcard for a dot.
        if (next == Char.Dot || next == Char.Question || next == Char.Percent) return true;
        break;
      case Char.Question:
        // "?/?/windows": one for each name.
        if (next == Char.Dot || next == Char.Slash) return true;
        break;
      case Char._0:
        if ((next | 0x20) == Char.x) return true;
        break;
      case Char.Percent:
        if (next >= <u32>Char._0 || next == Char.Percent) return true;
        break;
      // NUL and its like, which may stand between dots, and what a careless decoder takes for a mark: c0, c1, e0, e2, ef and up.
      default:
        return true;
    }
  }
  return false;
}

/** Whether a drive, or a scheme that the rules name, stands before a ":". */
function hasScheme(start: usize, end: usize): bool {
  for (let at = start; (at = findByte(at, end, Char.Colon)) < end; at++) {
    let from = at;
    while (from > start && isScheme(byteAt(from - 1))) from--;
    if (from == at) continue;
    // "/C:/" and ".C:/" as well.
    const next = byteAt(at + 1);
    if (at - from <= 2 && (next == Char.Slash || next == Char.Dot)) return true;
    if (next == Char.Slash) {
      if (byteAt(at + 2) == Char.Slash && keyword(TRAVERSAL_KEYWORDS, from, at + 3) != 0) return true;
    }
    if (keyword(TRAVERSAL_KEYWORDS, from, at + 1) != 0) return true;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function isScheme(byte: u32): bool {
  return isLetter(byte) || isDigit(byte) || byte == Char.Dot;
}

/** Bit n: a name may end before the byte n. */
const ENDS: u64 =
  (((<u64>1) << 33) - 1) |
  ((<u64>1) << (<u64>Char.DoubleQuote)) |
  ((<u64>1) << (<u64>Char.Hash)) |
  ((<u64>1) << (<u64>Char.Ampersand)) |
  ((<u64>1) << (<u64>Char.Quote)) |
  ((<u64>1) << (<u64>Char.ParenOpen)) |
  ((<u64>1) << (<u64>Char.ParenClose)) |
  ((<u64>1) << (<u64>Char.Comma)) |
  ((<u64>1) << (<u64>Char.Slash)) |
  ((<u64>1) << (<u64>Char.Semicolon)) |
  ((<u64>1) << (<u64>Char.Less)) |
  ((<u64>1) << (<u64>Char.Equals)) |
  ((<u64>1) << (<u64>Char.Greater)) |
  ((<u64>1) << (<u64>Char.Question));

/** Whether no name goes on over `byte`. */
// @ts-ignore: decorator
@inline
function endsName(byte: u32): bool {
  return byte < 64 ? ((ENDS >> (<u64>byte)) & 1) != 0 : byte == Char.Backtick || byte == Char.Pipe;
}

/** Whether the name `from..to` is one of a system file or folder, by itself or by its extension. */
function pointsAt(from: usize, to: usize): bool {
  to = min(to, from + LONGEST_NAME);
  while (to > from && byteAt(to - 1) == Char.Dot) to--;
  // "/./././.boot.ini" is the name behind the dots.
  if (to > from + 1 && byteAt(from) == Char.Dot && isTelling(keyword(TRAVERSAL_KEYWORDS, from + 1, to))) return true;
  if (isTelling(keyword(TRAVERSAL_KEYWORDS, from, to))) return true;
  let dot = to;
  while (dot > from && byteAt(dot - 1) != Char.Dot) dot--;
  return dot > from + 1 && isTelling(keyword(TRAVERSAL_KEYWORDS, dot - 1, to));
}

/** Kinds of name without any of which nothing is a target. */
const TELLING: u64 =
  ((<u64>1) << (<u64>Path.Etc)) |
  ((<u64>1) << (<u64>Path.Var)) |
  ((<u64>1) << (<u64>Path.Proc)) |
  ((<u64>1) << (<u64>Path.Superuser)) |
  ((<u64>1) << (<u64>Path.Server)) |
  ((<u64>1) << (<u64>Path.Log)) |
  ((<u64>1) << (<u64>Path.Secret)) |
  ((<u64>1) << (<u64>Path.Setting)) |
  ((<u64>1) << (<u64>Path.WebInf)) |
  ((<u64>1) << (<u64>Path.Repository)) |
  ((<u64>1) << (<u64>Path.WindowsFile));

// @ts-ignore: decorator
@inline
function isTelling(kind: u32): bool {
  return ((TELLING >> (<u64>kind)) & 1) != 0;
}
