// Words of several kinds that are asked for so seldom that a table of hashes (keywords.ts) would cost more than it saves: one behind the
// other, from `vocabularies` and `lists` of rules/*.yaml (a list is of one kind), compared one by one without ASCII case. So they are for
// names, values and what stands around a place; `findWord` alone is for long texts.
//
//   vocabulary = u64 signs of its words, { u8 0x80 | kind, { u8 length (1–100), the word in small letters } } u8 0
//
// The signs tell in one look that most runs are no word of the list.

import { byteAt, lowerCase } from "../core/bytes";
import { findPair } from "../core/scan";

const KIND: u32 = 0x80;

// The word that `nextWord` found.
export let word: usize = 0;
export let wordEnd: usize = 0;
export let wordKind: u32 = 0;

export function openWords(list: usize): void {
  wordEnd = list + 8;
}

/** Finds the next word of the list; false at its end. */
export function nextWord(): bool {
  let head = byteAt(wordEnd);
  if (head >= KIND) {
    wordKind = head & ~KIND;
    head = byteAt(++wordEnd);
  }
  word = wordEnd + 1;
  wordEnd = word + head;
  return head != 0;
}

/** The kind of the word that is `start..end`, 0 where none is. */
export function wordIn(list: usize, start: usize, end: usize): u32 {
  const size = <u32>(end - start);
  if (size == 0 || ((load<u64>(list) >> signOf(start, end)) & 1) == 0) return 0;
  let kind: u32 = 0;
  let at = list + 8;
  while (true) {
    let head = byteAt(at++);
    if (head >= KIND) {
      kind = head & ~KIND;
      head = byteAt(at++);
    }
    if (head == 0) return 0;
    if (head == size && isSame(start, at, at + head)) return kind;
    at += head;
  }
}

/** The sign of a word, 0–63: as scripts/generate/emit-class.ts makes it. */
// @ts-ignore: decorator
@inline
function signOf(start: usize, end: usize): u64 {
  return ((byteAt(start) | 0x20) + 3 * (byteAt(end - 1) | 0x20) + 5 * <u32>(end - start)) & 63;
}

/** The kind of the first word of the list that stands in `start..end`, 0 where none does. For short runs. */
export function wordWithin(list: usize, start: usize, end: usize): u32 {
  openWords(list);
  while (nextWord()) {
    const size = wordEnd - word;
    for (let at = start; at + size <= end; at++) if (isSame(at, word, wordEnd)) return wordKind;
  }
  return 0;
}

/** Whether a word of the list stands at `at`. */
export function startsWithWord(list: usize, at: usize, end: usize): bool {
  openWords(list);
  while (nextWord()) if (end - at >= wordEnd - word && isSame(at, word, wordEnd)) return true;
  return false;
}

/** Whether `start..end` ends with a word of the list. */
export function endsWithWord(list: usize, start: usize, end: usize): bool {
  openWords(list);
  while (nextWord()) if (end - start >= wordEnd - word && isSame(end - (wordEnd - word), word, wordEnd)) return true;
  return false;
}

/** Whether the bytes of a word of the list, as they are, stand anywhere in a long text. */
export function findWord(list: usize, start: usize, end: usize): bool {
  openWords(list);
  while (nextWord()) {
    const size = wordEnd - word;
    let at = start;
    while ((at = findPair(at, end, byteAt(word), byteAt(word + 1))) + size <= end) {
      if (memory.compare(at, word, size) == 0) return true;
      at++;
    }
  }
  return false;
}

/** Whether at `at` there is the word `from..end`. */
function isSame(at: usize, from: usize, end: usize): bool {
  for (; from < end; from++, at++) if (lowerCase(byteAt(at)) != byteAt(from)) return false;
  return true;
}
