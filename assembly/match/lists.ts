// Short lists of words, from `lists` of rules/*.yaml: a word costs its bytes and one. Each word is compared at each byte, so they are for
// names, values and what stands around a place; `findWord` alone is for long texts.
//
//   list   (u8 size, bytes) a word, then 0

import { byteAt, lowerCase } from "../core/bytes";
import { findPair } from "../core/scan";

/** Whether a word of `list`, in lower case, stands at `at`, without regard to case. */
export function startsWithWord(at: usize, end: usize, list: usize): bool {
  for (let size: usize = byteAt(list); size != 0; size = byteAt(list)) {
    let i: usize = 0;
    if (end - at >= size) {
      while (i < size && lowerCase(byteAt(at + i)) == byteAt(list + 1 + i)) i++;
    }
    if (i == size) return true;
    list += size + 1;
  }
  return false;
}

/** Whether a word of `list` stands anywhere in `start..end`, likewise. */
export function holdsWord(start: usize, end: usize, list: usize): bool {
  for (; start < end; start++) if (startsWithWord(start, end, list)) return true;
  return false;
}

/** Whether `start..end` ends with a word of `list`, likewise. */
export function endsWithWord(start: usize, end: usize, list: usize): bool {
  for (let size: usize = byteAt(list); size != 0; size = byteAt(list)) {
    let i: usize = 0;
    if (end - start >= size) {
      while (i < size && lowerCase(byteAt(end - size + i)) == byteAt(list + 1 + i)) i++;
    }
    if (i == size) return true;
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
