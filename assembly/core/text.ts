// Fixed texts: names to compare with and fragments to write. An ASCII literal stands in the code where it is used: the build makes static
// data of it, its size in two bytes and then its characters (scripts/build/ascii-texts.mjs). So it is no string to the compiler's
// library, and only the functions here read one.

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

/** Whether `start..end` begins with the ASCII `literal`. */
export function textStarts(start: usize, end: usize, literal: string): bool {
  const length = textSize(literal);
  if (end - start < length) return false;
  const characters = textBytes(literal);
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(start + i) != load<u8>(characters + i)) return false;
  }
  return true;
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
  for (const last = word + textSize(words); word < last; word++) {
    let next = word;
    while (load<u8>(next) != 0x20) next++;
    let at = end - start < next - word ? end + 1 : end - (next - word);
    for (; word < next; word++) {
      const byte = load<u8>(at++);
      if ((byte - 0x41 < 26 ? byte | 0x20 : byte) != load<u8>(word)) at = end + 1;
    }
    if (at == end) return true;
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
  let word = textBytes(words);
  for (const last = word + textSize(words); word < last; word++) {
    let at = start;
    for (; at < end && load<u8>(word) != 0x20; word++, at++) {
      const byte = load<u8>(at);
      if ((noCase && byte - 0x41 < 26 ? byte | 0x20 : byte) != load<u8>(word)) break;
    }
    if (load<u8>(word) == 0x20 && (!whole || at == end)) return true;
    while (load<u8>(word) != 0x20) word++;
  }
  return false;
}
