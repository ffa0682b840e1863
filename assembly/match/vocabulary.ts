// Words of several kinds that are asked for so seldom that a table of hashes (keywords.ts) would cost more than it saves: one behind the
// other, from `vocabularies` of rules/*.yaml, compared one by one without ASCII case.
//
//   vocabulary = { u8 0x80 | kind, { u8 length (1–63), the word in small letters } } u8 0

import { byteAt, lowerCase } from "../core/bytes";

const KIND: u32 = 0x80;

// The word that `nextWord` found.
export let word: usize = 0;
export let wordEnd: usize = 0;
export let wordKind: u32 = 0;

export function openWords(list: usize): void {
  wordEnd = list;
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
  openWords(list);
  while (nextWord()) if (wordEnd - word == end - start && isHere(start)) return wordKind;
  return 0;
}

/** The kind of the first word of the list that stands in `start..end`, 0 where none does. For short runs. */
export function wordWithin(list: usize, start: usize, end: usize): u32 {
  openWords(list);
  while (nextWord()) {
    const size = wordEnd - word;
    for (let at = start; at + size <= end; at++) if (isHere(at)) return wordKind;
  }
  return 0;
}

function isHere(at: usize): bool {
  for (let from = word; from < wordEnd; from++, at++) if (lowerCase(byteAt(at)) != byteAt(from)) return false;
  return true;
}
