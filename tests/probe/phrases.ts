// The runners of phrases and of lists, for tests.

import { CODE_TAGS, LISTING_SIGNS, OLD_FILES, STUBS } from "../../assembly/generated/leak";
import { endsWithWord, findWord, holdsWord, isWordOf, startsWithWord } from "../../assembly/match/lists";
import { findPhrase, openPhrases, phraseEnd, phraseRule } from "../../assembly/match/phrases";

export function findPhraseIn(start: usize, end: usize, first: usize): usize {
  openPhrases(first);
  return findPhrase(start, end);
}

export function foundEnd(): usize {
  return phraseEnd;
}

export function foundRule(): u32 {
  return phraseRule;
}

/** Asks a list of each kind: 0 holds, 1 starts with, 2 ends with, 3 has in a long text, 4 is. */
export function holdsAWord(start: usize, end: usize, how: u32): bool {
  switch (how) {
    case 0:
      return holdsWord(start, end, CODE_TAGS);
    case 1:
      return startsWithWord(start, end, CODE_TAGS);
    case 2:
      return endsWithWord(start, end, OLD_FILES);
    case 3:
      return findWord(start, end, LISTING_SIGNS);
  }
  return isWordOf(start, end, STUBS);
}
