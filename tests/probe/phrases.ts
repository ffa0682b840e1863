// The runners of phrases and of lists, for tests.

import { CODE_TAGS, LISTING_SIGNS, OLD_FILES, STUBS } from "../../assembly/generated/leak";
import { endsWithWord, findWord, startsWithWord, wordIn, wordWithin } from "../../assembly/match/vocabulary";
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
      return wordWithin(CODE_TAGS, start, end) != 0;
    case 1:
      return startsWithWord(CODE_TAGS, start, end);
    case 2:
      return endsWithWord(OLD_FILES, start, end);
    case 3:
      return findWord(LISTING_SIGNS, start, end);
  }
  return wordIn(STUBS, start, end) != 0;
}
