// Fixed texts: names to compare with and fragments to write. An ASCII literal stands in the code where it is used: the build makes static
// data of it, its size in two bytes and then its characters (scripts/build/ascii-texts.mjs). So it is no string to the compiler's
// library, and only the functions here read one.

import { findByte, lowerCase, sameBytesNoCase } from "./bytes";
import { Char } from "./char";
import { findPair } from "./scan";

/** Bytes of a literal. */
// @ts-ignore: decorator
@inline
export function textSize(literal: string): usize {
  return load<u16>(changetype<usize>(literal));
}

/** Where they stand. */
// @ts-ignore: decorator
@inline
export function textBytes(literal: string): usize {
  return changetype<usize>(literal) + 2;
}

/** Whether `start..end` holds exactly the ASCII `literal`. */
export function textIs(start: usize, end: usize, literal: string): bool {
  return end - start == textSize(literal) && textStarts(start, end, literal);
}

/** Whether `start..end` begins with the ASCII `literal`. Reads up to 7 bytes behind the literal's length and ignores them. */
export function textStarts(start: usize, end: usize, literal: string): bool {
  let left = textSize(literal);
  if (end - start < left) return false;
  let characters = textBytes(literal);
  for (; left > 8; left -= 8, start += 8, characters += 8) {
    if (load<u64>(start) != load<u64>(characters)) return false;
  }
  return left == 0 || (load<u64>(start) ^ load<u64>(characters)) << ((8 - <u64>left) << 3) == 0;
}

/** `textIs` without regard to ASCII case; `literal` is in lower case. */
export function textIsNoCase(start: usize, end: usize, literal: string): bool {
  return end - start == textSize(literal) && textStartsNoCase(start, end, literal);
}

/** `textStarts` without regard to ASCII case; `literal` is in lower case. */
export function textStartsNoCase(start: usize, end: usize, literal: string): bool {
  const length = textSize(literal);
  if (end - start < length) return false;
  const characters = textBytes(literal);
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(start + i);
    const lower = byte - 0x41 < 26 ? byte | 0x20 : byte;
    if (lower != load<u8>(characters + i)) return false;
  }
  return true;
}

/** `textIsNoCase` of the end of `start..end`. */
export function textEndsNoCase(start: usize, end: usize, literal: string): bool {
  const size = textSize(literal);
  return start + size <= end && textStartsNoCase(end - size, end, literal);
}

/** Writes the ASCII `literal` at `out` and returns the next cursor. */
export function putText(out: usize, literal: string): usize {
  const length = textSize(literal);
  const characters = textBytes(literal);
  for (let i: usize = 0; i < length; i++) store<u8>(out + i, load<u8>(characters + i));
  return out + length;
}

/** The address of the first ASCII `literal`, of two bytes or more, in `start..end`, or `end`. */
export function findText(start: usize, end: usize, literal: string): usize {
  const characters = textBytes(literal);
  const first: u32 = load<u8>(characters);
  const second: u32 = load<u8>(characters, 1);
  while (true) {
    start = findPair(start, end, first, second);
    if (start >= end || textStarts(start, end, literal)) return min(start, end);
    start++;
  }
}

/** Whether the ASCII `literal`, in lower case, stands anywhere in `start..end`, without regard to case. For short runs. */
export function holdsTextNoCase(start: usize, end: usize, literal: string): bool {
  for (; start + textSize(literal) <= end; start++) if (textStartsNoCase(start, end, literal)) return true;
  return false;
}

/**
 * Whether `start..end` ends with one of the ASCII `words`, in lower case with a blank behind each; without regard to case. For a few
 * short words.
 */
export function endsWithOneOf(start: usize, end: usize, words: string): bool {
  let word = textBytes(words);
  for (const last = word + textSize(words); word < last;) {
    const wordEnd = findByte(word, last, Char.Space);
    const size = wordEnd - word;
    if (end - start >= size && sameBytesNoCase(end - size, end, word, wordEnd)) return true;
    word = wordEnd + 1;
  }
  return false;
}

/** Whether `start..end` is one of such words. */
export function isOneOf(start: usize, end: usize, words: string): bool {
  return matchesOneOf(start, end, words, true, true);
}

/** Whether `start..end` begins with one of such words. */
export function startsWithOneOf(start: usize, end: usize, words: string): bool {
  return matchesOneOf(start, end, words, false, true);
}

/** The same two with regard to case. */
export function textIsOneOf(start: usize, end: usize, words: string): bool {
  return matchesOneOf(start, end, words, true, false);
}

export function textStartsOneOf(start: usize, end: usize, words: string): bool {
  return matchesOneOf(start, end, words, false, false);
}

function matchesOneOf(start: usize, end: usize, words: string, whole: bool, noCase: bool): bool {
  if (start == end) return false;
  let word = textBytes(words);
  const last = word + textSize(words);
  const first: u32 = noCase ? lowerCase(load<u8>(start)) : load<u8>(start);
  while (true) {
    let at = start;
    for (; at < end && load<u8>(word) != Char.Space; word++, at++) {
      const byte: u32 = load<u8>(at);
      if ((noCase ? lowerCase(byte) : byte) != load<u8>(word)) break;
    }
    if (load<u8>(word) == Char.Space && (!whole || at == end)) return true;
    // The next word that begins alike.
    word = findPair(word, last, Char.Space, first) + 1;
    if (word > last) return false;
  }
}
