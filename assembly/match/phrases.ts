// Finds the phrases of rules (errors of databases and of other languages' readers) in a text: at each byte one look at a table by the
// hash of four bytes, and a comparison where that says so. In a phrase `#` is a digit, and `*` up to 80 bytes of the same line.
//
//   PHRASE_INDEX  256 × u16: 1 + place in PHRASES of the first phrase with that hash, 0 for none
//   phrase        u8 size, u8 flags (1: the last with its hash, 2: sure), u16 rule, then its bytes

import { byteAt, isDigit } from "../core/bytes";
import { Char } from "../core/char";
import { PHRASE_INDEX, PHRASES } from "../generated/phrases";

const LAST: u32 = 1;
const SURE: u32 = 2;
const HEAD: usize = 4;
/** Bytes that a `*` stands for at most. */
const LONGEST: usize = 80;

/** The rule of the phrase that was found last. */
export let phraseRule: u32 = 0;
/** It stands nowhere but in an error. */
export let phraseSure: bool = false;
export let phraseEnd: usize = 0;

/** The address of the first phrase in `start..end`, or `end`. Reads up to 3 bytes behind `end`. */
export function findPhrase(start: usize, end: usize): usize {
  for (; start < end; start++) {
    const index = load<u16>(PHRASE_INDEX + (((load<u32>(start) * 0x9e3779b1) >>> 24) << 1));
    if (index != 0 && matches(PHRASES + index - 1, start, end)) return start;
  }
  return end;
}

function matches(phrase: usize, start: usize, end: usize): bool {
  while (true) {
    const size: usize = load<u8>(phrase);
    const flags: u32 = load<u8>(phrase, 1);
    phraseEnd = follow(phrase + HEAD, phrase + HEAD + size, start, end);
    if (phraseEnd != 0) {
      phraseRule = load<u16>(phrase, 2);
      phraseSure = (flags & SURE) != 0;
      return true;
    }
    if ((flags & LAST) != 0) return false;
    phrase += HEAD + size;
  }
}

/** Where the phrase `at..to` ends that begins at `start`, 0 where it does not. A `*` takes as little as it can. */
function follow(at: usize, to: usize, start: usize, end: usize): usize {
  for (; at < to; at++, start++) {
    const wanted = byteAt(at);
    if (wanted == Char.Star) {
      const next = byteAt(++at);
      const limit = min(end, start + LONGEST);
      while (start < limit && byteAt(start) != next && byteAt(start) != Char.LineFeed) start++;
    }
    if (start >= end) return 0;
    const byte = byteAt(start);
    if (wanted == Char.Hash ? !isDigit(byte) : byte != byteAt(at)) return 0;
  }
  return start;
}
