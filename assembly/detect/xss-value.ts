// The value that the XSS detector is at work on, what may be reported of it where it is read, and whether it is prose.

import { byteAt, isLetter, isSpace } from "../core/bytes";
import { Char } from "../core/char";
import { ruleConfidence } from "../match/rules";
import { found } from "./finding";

/** The most that is reported of what does not stand in the open. */
export const enum Ceiling {
  Open = 100,
  /** In an attribute, in an element of plain text, in a tag that is not closed. */
  Hidden = 74,
  /** In a comment that old browsers look into, or in one that is most of a short value. */
  Conditional = 62,
  /** In a comment. */
  Comment = 50,
  /** In a code span or fence of a text. */
  Code = 45,
}

/** Words that make a text prose, beside which code is shown rather than run. */
const PROSE_WORDS: u32 = 4;
/** Bytes of a value that is a proof of concept rather than a page or a program. */
const SHORT_VALUE: usize = 192;

/** The value. */
export let first: usize = 0;
export let last: usize = 0;
/** Whether it is short. */
export let short = false;

let ceiling: u32 = Ceiling.Open;
/** Words of prose in the value, counted when first asked for; -1 before. */
let words: i32 = -1;

/** Takes up the value `start..end`. */
export function beginValue(start: usize, end: usize): void {
  first = start;
  last = end;
  short = end - start <= SHORT_VALUE;
  ceiling = Ceiling.Open;
  words = -1;
}

/** Bounds what follows. */
export function setCeiling(to: u32): void {
  ceiling = to;
}

/** Bounds what follows at least as low. */
export function lowerCeiling(to: u32): void {
  ceiling = min(ceiling, to);
}

/** Reports `rule` at its own confidence and `more`, within the ceiling. */
export function report(rule: u32, more: i32, from: usize, to: usize): void {
  const confidence = min(max(<i32>ruleConfidence(rule) + more, 0), 98);
  found(rule, min(<u32>confidence, ceiling), from, min(to, last));
}

/** Whether the value has words enough to be a text about code. */
export function isProse(): bool {
  if (words < 0) words = countWords(first, last);
  return <u32>words >= PROSE_WORDS;
}

/** Words of two letters or more between spaces or marks of a sentence, outside tags; counts up to 16. */
export function countWords(from: usize, to: usize): i32 {
  let count = 0;
  let at = from;
  let inside = false;
  while (at < to && count < 16) {
    const byte = byteAt(at);
    if (byte == Char.Less) inside = at + 1 < to && (isLetter(byteAt(at + 1)) || byteAt(at + 1) == Char.Slash);
    else if (byte == Char.Greater) inside = false;
    if (inside || !isWordByte(byte)) {
      at++;
      continue;
    }
    const opens = at == from || isSpace(byteAt(at - 1));
    const begin = at;
    while (at < to && isWordByte(byteAt(at))) at++;
    if (at < to && byteAt(at) != Char.Space && byteAt(at) != Char.LineFeed) {
      const next = at + 1 < to ? byteAt(at + 1) : Char.Space;
      if (!isSentenceMark(byteAt(at)) || !isSpace(next)) continue;
    }
    if (opens && at - begin >= 2) count++;
  }
  return count;
}

export function isWordByte(byte: u32): bool {
  return isLetter(byte) || byte >= 0x80;
}

function isSentenceMark(byte: u32): bool {
  return (
    byte == Char.Dot ||
    byte == Char.Comma ||
    byte == Char.Colon ||
    byte == Char.Question ||
    byte == Char.Bang ||
    byte == Char.Semicolon
  );
}
