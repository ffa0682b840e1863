// Short lists of words, from `lists` of rules/*.yaml: a word costs its bytes and one. Each word is compared at each byte, so they are for
// names, values and what stands around a place; `findWord` alone is for long texts.
//
//   list   (u8 size, bytes) a word, then 0

import { byteAt, lowerCase } from "../core/bytes";
import { findPair } from "../core/scan";

/** Whether a word of `list`, in lower case, stands at `at`, without regard to case. */
export function startsWithWord(at: usize, end: usize, list: usize): bool {
  for (let size: usize = byteAt(list); size != 0; size = byteAt(list)) {
    if (end - at >= size && startsAt(at, list + 1, size)) return true;
    list += size + 1;
  }
  return false;
}

/** Whether a word of `list` stands anywhere in `start..end`, likewise. */
export function holdsWord(start: usize, end: usize, list: usize): bool {
  for (; start < end; start++) if (startsWithWord(start, end, list)) return true;
  return false;
}

/** Whether `start..end` is a word of `list`, likewise. */
export function isWordOf(start: usize, end: usize, list: usize): bool {
  for (let size: usize = byteAt(list); size != 0; size = byteAt(list)) {
    if (end - start == size && startsAt(start, list + 1, size)) return true;
    list += size + 1;
  }
  return false;
}

/** Whether the `size` bytes at `at` are those at `word`, which is in lower case. */
function startsAt(at: usize, word: usize, size: usize): bool {
  for (let i: usize = 0; i < size; i++) if (lowerCase(byteAt(at + i)) != byteAt(word + i)) return false;
  return true;
}

/** Whether `start..end` ends with a word of `list`, likewise. */
export function endsWithWord(start: usize, end: usize, list: usize): bool {
  for (let size: usize = byteAt(list); size != 0; size = byteAt(list)) {
    if (end - start >= size && startsAt(end - size, list + 1, size)) return true;
    list += size + 1;
  }
  return false;
}

/** Whether the bytes of a word of `list`, as they are, stand anywhere in a long text. */
export function findWord(start: usize, end: usize, list: usize): bool {
  for (let size: usize = byteAt(list); size != 0; size = byteAt(list)) {
    let at = start;
    while ((at = findPair(at, end, byteAt(list + 1), byteAt(list + 2))) + size <= end) {
      if (memory.compare(at, list + 1, size) == 0) return true;
      at++;
    }
    list += size + 1;
  }
  return false;
}
