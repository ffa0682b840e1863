// How much of a text reads as a person's: words with blanks between them. A directive or an expression in a sentence is talk about
// it; the more sentence, the less an attack. Read only behind a match, one step per byte.

import { byteAt, isLetter } from "../core/bytes";
import { Char } from "../core/char";

/** Words up to which a text is a fragment, a remark, a paragraph; and what they take from a match. */
const FRAGMENT: u32 = 5;
const REMARK: u32 = 10;
const PARAGRAPH: u32 = 20;

/** What the words of `start..end` take from a confidence, 0–60. */
export function proseLoss(start: usize, end: usize): u32 {
  return lossOf(countWords(start, end));
}

/** What `words` take from a confidence, 0–60. */
export function lossOf(words: u32): u32 {
  return words < FRAGMENT ? 0 : words < REMARK ? 12 : words < PARAGRAPH ? 35 : 60;
}

/** Words of two or more letters with a blank before them and a blank, a mark of a sentence or nothing behind. */
export function countWords(start: usize, end: usize): u32 {
  let words: u32 = 0;
  let letters: u32 = 0;
  let apart = true;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (isLetter(byte) || byte >= 0x80) {
      letters++;
      continue;
    }
    const mark = byte == Char.Comma || byte == Char.Dot || byte == Char.Colon || byte == Char.Question;
    if (apart && letters > 1 && (byte <= <u32>Char.Space || mark)) words++;
    // "it's" is one word.
    apart = byte <= <u32>Char.Space || (byte == Char.Quote && letters > 0 && apart);
    letters = 0;
  }
  return apart && letters > 1 ? words + 1 : words;
}
