// Finds the phrases of rules (errors of databases, prefixes of secrets, titles of debug pages …) in a text: at each byte one look at a
// table of bits by the hash of four bytes, and a comparison where that says so. The language, which scripts/generate/phrase.ts reads:
//
//   #          a digit
//   *          up to 80 bytes of the same line, as few as it can
//   \d{3,8}    3 to 8 bytes of a class, as many as it can, and none of the class behind them: d digits, x hexadecimal, U capitals and
//              digits, w letters, digits and _, b base64 in either alphabet without its =, h crypt's, u of a URL's user or password,
//              s white space
//
//   PHRASE_BITS   4,096 bits: whether a phrase has that hash
//   PHRASE_INDEX  256 × u16: 1 + place in PHRASES of the first phrase with that hash's upper 8 bits, 0 for none
//   phrase        u8 size, u16 rule and flags (8000: the last with its hash, 4000: sure, 2000: first), then its bytes and steps:
//                 80 a digit, 81 a star, 82–89 a class, least, most

import { byteAt, isDigit } from "../core/bytes";
import { Char } from "../core/char";
import { PHRASE_BITS, PHRASE_CLASSES, PHRASE_INDEX, PHRASES } from "../generated/phrases";

const LAST: u32 = 0x8000;
const SURE: u32 = 0x4000;
const FIRST: u32 = 0x2000;
const RULE: u32 = 0x1fff;
const HEAD: usize = 3;
const DIGIT: u32 = 0x80;
const STAR: u32 = 0x81;
const CLASS: u32 = 0x82;
/** Bytes that a `*` stands for at most. */
const LONGEST: usize = 80;
/** "No upper bound" of a class. */
const ANY: usize = 255;

/** The rule of the phrase that was found last. */
export let phraseRule: u32 = 0;
/** It stands nowhere but in what the rule is about. */
export let phraseSure: bool = false;
/** The body begins with it, as it must. */
export let phraseFirst: bool = false;
export let phraseEnd: usize = 0;

/** Where the body begins, for phrases that say something only there. */
let anchor: usize = 0;

/** Says where the body begins that is looked at next. */
export function openPhrases(first: usize): void {
  anchor = first;
}

/** The address of the first phrase in `start..end`, or `end`. Reads up to 3 bytes behind `end`. */
export function findPhrase(start: usize, end: usize): usize {
  for (; start < end; start++) {
    const hash = load<u32>(start) * 0x9e3779b1;
    if ((((<u32>load<u8>(PHRASE_BITS + (hash >>> 23))) >>> ((hash >>> 20) & 7)) & 1) == 0) continue;
    const index = load<u16>(PHRASE_INDEX + ((hash >>> 24) << 1));
    if (index != 0 && matches(PHRASES + index - 1, start, end)) return start;
  }
  return end;
}

function matches(phrase: usize, start: usize, end: usize): bool {
  while (true) {
    const size: usize = load<u8>(phrase);
    const word: u32 = load<u16>(phrase, 1);
    const asked = (word & FIRST) == 0 || start == anchor;
    phraseEnd = asked ? follow(phrase + HEAD, phrase + HEAD + size, start, end) : 0;
    if (phraseEnd != 0) {
      phraseRule = word & RULE;
      phraseSure = (word & SURE) != 0;
      phraseFirst = (word & FIRST) != 0;
      return true;
    }
    if ((word & LAST) != 0) return false;
    phrase += HEAD + size;
  }
}

/** Where the phrase `at..to` ends that begins at `start`, 0 where it does not. */
function follow(at: usize, to: usize, start: usize, end: usize): usize {
  while (at < to) {
    const wanted = byteAt(at++);
    if (wanted >= CLASS) {
      const least: usize = byteAt(at);
      const most: usize = byteAt(at + 1);
      at += 2;
      const from = start;
      const limit = min(end, from + most);
      while (start < limit && isIn(wanted - CLASS, byteAt(start))) start++;
      if (start - from < least || (most != ANY && start < end && isIn(wanted - CLASS, byteAt(start)))) return 0;
      continue;
    }
    if (wanted == STAR) {
      const next = byteAt(at);
      const limit = min(end, start + LONGEST);
      while (start < limit && byteAt(start) != next && byteAt(start) != Char.LineFeed) start++;
      continue;
    }
    if (start >= end) return 0;
    const byte = byteAt(start++);
    if (wanted == DIGIT ? !isDigit(byte) : byte != wanted) return 0;
  }
  return start;
}

/** Whether a byte is of the class. */
function isIn(kind: u32, byte: u32): bool {
  return byte < 128 && ((byteAt(PHRASE_CLASSES + (kind << 4) + (byte >> 3)) >> (byte & 7)) & 1) != 0;
}
