// A value of the request in the body of its response: where it stands, byte for byte or encoded, and how each of its bytes came
// through.
//
//   value   " > < i m g …            body   …value="&quot;&gt;<img …
//   how     Reference Reference Raw Raw Raw …
//
// The longest word of the value is looked for first; around it the bytes are compared, and where they differ, what the encodings of
// HTML, JavaScript and URLs make of a byte. Each hit costs as many steps as the value has bytes.

import { byteAt, findByte, hexValue, isDigit, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { findPair } from "../core/scan";
import { decodeEntities } from "../decode/entity";
import { reply, replyEnd } from "./reply";

/** How a byte of the value came through. */
export const enum How {
  Raw = 0,
  /** As a character reference. */
  Reference = 1,
  /** Behind a backslash. */
  Escaped = 2,
  /** As an escape of its code, or percent-encoded. */
  Coded = 3,
}

/** One of them for each byte of the value that was matched last, and where in the body the byte begins. */
const HOW: usize = memory.data(272, 8);
const WHERE: usize = memory.data(1088, 8);
const REFERENCE: usize = memory.data(64, 8);

let value: usize = 0;
let valueEnd: usize = 0;
let word: usize = 0;
let wordEnd: usize = 0;
let next: usize = 0;

/** The match in the body. */
export let matchStart: usize = 0;
export let matchEnd: usize = 0;

// @ts-ignore: decorator
@inline
export function howCame(index: usize): How {
  return <How>load<u8>(HOW + index);
}

/** Where byte `index` of the value stands in the body. */
// @ts-ignore: decorator
@inline
export function whereCame(index: usize): usize {
  return load<u32>(WHERE + (index << 2));
}

/** Bytes of a word by which a value can be found. */
const SHORTEST_WORD: usize = 1;

/** Begins to look for the value `start..end`, at most 256 bytes; false where there is nothing in it to look for. */
export function openMatches(start: usize, end: usize): bool {
  value = start;
  valueEnd = end;
  word = wordEnd = start;
  for (let at = start; at < end;) {
    const from = at;
    while (at < end && isPlain(byteAt(at))) at++;
    if (at - from > wordEnd - word) {
      word = from;
      wordEnd = at;
    }
    if (at == from) at++;
  }
  next = reply;
  budget = BUDGET;
  return wordEnd - word >= SHORTEST_WORD;
}

/** Bytes that may be compared for one value: four times those of the longest body, so that no page makes it cost more. */
const BUDGET: i32 = 262144;
let budget: i32 = 0;
/** What it costs besides to compare what stands around the word. */
const HIT: i32 = 64;

/** Whether the word stands at `at`. */
function isWordAt(at: usize): bool {
  const from = at;
  for (let letter = word; letter < wordEnd; letter++, at++) {
    if (byteAt(at) != byteAt(letter)) {
      budget -= <i32>(at - from);
      return false;
    }
  }
  budget -= HIT + <i32>(valueEnd - value);
  return true;
}

/** Letters and digits come through every encoding as they are; so do the bytes of other scripts. */
function isPlain(byte: u32): bool {
  return isLetter(byte) || isDigit(byte) || byte >= 0x80;
}

/** Steps to the next place where the whole value stands. */
export function nextMatch(): bool {
  const size = wordEnd - word;
  const first = byteAt(word);
  while (next + size <= replyEnd) {
    const at = size > 1 ? findPair(next, replyEnd, first, byteAt(word + 1)) : findByte(next, replyEnd, first);
    if (at + size > replyEnd) break;
    next = at + 1;
    if (budget < 0) break;
    if (!isWordAt(at)) continue;
    if (!matchBefore(at) || !matchBehind(at + size)) continue;
    for (let i: usize = word - value, place = at; i < wordEnd - value; i++, place++) note(i, How.Raw, place);
    next = max(next, matchEnd);
    return true;
  }
  next = replyEnd;
  return false;
}

// @ts-ignore: decorator
@inline
function note(index: usize, how: How, at: usize): void {
  store<u8>(HOW + index, <u8>how);
  store<u32>(WHERE + (index << 2), <u32>at);
}

/** Compares what stands before the word, backwards from `at`. */
function matchBefore(at: usize): bool {
  for (let from = word; from > value;) {
    const byte = byteAt(--from);
    const index = from - value;
    const before = at > reply ? byteAt(at - 1) : 0;
    if (before == byte && at > reply) {
      at--;
      const escaped = byte != Char.Backslash && !isPlain(byte) && at > reply && byteAt(at - 1) == Char.Backslash;
      // A backslash of the value's own is no escape.
      if (escaped && (from == value || byteAt(from - 1) != Char.Backslash || isEven(at))) {
        at--;
        note(index, How.Escaped, at);
      } else {
        note(index, How.Raw, at);
      }
      continue;
    }
    const coded = codedBefore(at, byte);
    if (coded == 0) return false;
    note(index, how, coded);
    at = coded;
  }
  matchStart = at;
  return true;
}

/** Whether the run of backslashes that ends at `at` is of even length. */
function isEven(at: usize): bool {
  let count = 0;
  while (at > reply && byteAt(at - 1) == Char.Backslash) {
    at--;
    count++;
  }
  return (count & 1) == 0;
}

/** Compares what stands behind the word, from `at`. */
function matchBehind(at: usize): bool {
  for (let from = wordEnd; from < valueEnd; from++) {
    const byte = byteAt(from);
    const index = from - value;
    if (at < replyEnd && byteAt(at) == byte) {
      // A backslash may have been doubled.
      const twice =
        byte == Char.Backslash &&
        byteAt(at + 1) == Char.Backslash &&
        (from + 1 == valueEnd || byteAt(from + 1) != Char.Backslash);
      note(index, twice ? How.Escaped : How.Raw, at);
      at += twice ? 2 : 1;
      continue;
    }
    const size = codedAt(at, byte);
    if (size == 0) return false;
    note(index, how, at);
    at += size;
  }
  matchEnd = at;
  return true;
}

/** How the byte was coded that `codedAt` or `codedBefore` has found. */
let how: How = How.Raw;
/** Bytes of the longest reference that is read. */
const REFERENCE_CAPACITY: usize = 10;

/** Size of what stands for `byte` at `at`, 0 where nothing does. */
function codedAt(at: usize, byte: u32): usize {
  if (at >= replyEnd) return 0;
  const first = byteAt(at);
  if (first == Char.Ampersand) {
    const end = findByte(at, min(replyEnd, at + REFERENCE_CAPACITY), Char.Semicolon) + 1;
    if (end > replyEnd || end - at > REFERENCE_CAPACITY) return 0;
    const out = decodeEntities(at, end, REFERENCE);
    how = How.Reference;
    return out == REFERENCE + 1 && byteAt(REFERENCE) == byte ? end - at : 0;
  }
  if (first == Char.Backslash) {
    const second = byteAt(at + 1);
    how = How.Escaped;
    if (second == byte && !isPlain(byte)) return 2;
    if (byte == Char.LineFeed && second == Char.n) return 2;
    if (byte == Char.CarriageReturn && second == Char.r) return 2;
    how = How.Coded;
    if (second == Char.u && byteAt(at + 2) == Char._0 && byteAt(at + 3) == Char._0 && isHex(at + 4, byte)) return 6;
    return second == Char.x && isHex(at + 2, byte) ? 4 : 0;
  }
  how = How.Coded;
  if (first == Char.Percent) return isHex(at + 1, byte) ? 3 : 0;
  // A form's space.
  return first == Char.Plus && byte == Char.Space ? 1 : 0;
}

/** Where what stands for `byte` right before `at` begins, 0 where nothing does. */
function codedBefore(at: usize, byte: u32): usize {
  for (let size: usize = 1; size <= REFERENCE_CAPACITY && at - size >= reply; size++) {
    const first = byteAt(at - size);
    if (first != Char.Ampersand && first != Char.Backslash && first != Char.Percent && first != Char.Plus) continue;
    if (codedAt(at - size, byte) == size) return at - size;
  }
  return 0;
}

function isHex(at: usize, byte: u32): bool {
  return at + 1 < replyEnd && hexValue(byteAt(at)) == byte >> 4 && hexValue(byteAt(at + 1)) == (byte & 15);
}
