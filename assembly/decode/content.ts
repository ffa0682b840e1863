// The content of an XML element as the service gets it: XML 1.0, 2.4–2.7 and 4.6.
//
//   content = *( text | "<!--" comment "-->" | "<?" instruction "?>" | "<![CDATA[" characters "]]>" | reference )
//
// Comments and instructions go away, what stood around them grows together; CDATA sections are unwrapped; references are decoded
// outside of them (entity.ts: those of HTML too, no harm where a parser would refuse them). What does not end stays as it is. Each
// byte is looked at twice at most. Never longer than its input.

import { Char } from "../core/char";
import { copyRun } from "../core/scan";
import { byteAt, findByte } from "../core/bytes";
import { textStarts } from "../core/text";
import { decodeEntities } from "./entity";

/** Decodes `start..end` to `out` (as long as the input and 16 bytes more, elsewhere); returns the new `out`. */
export function decodeContent(start: usize, end: usize, out: usize): usize {
  endless = 0;
  while (true) {
    let at = start;
    let next: usize = 0;
    // A "<" of the text itself belongs to what is decoded around it.
    while ((at = findByte(at, end, Char.Less)) < end && (next = closed(at, end)) == 0) at++;
    out = decodeEntities(start, at, out);
    if (at == end) return out;
    if (textStarts(at, end, "<![CDATA[")) out = copyRun(out, at + 9, next - 3);
    start = next;
  }
}

/** Bit by bit the marks whose end was looked for in vain: none comes later either, so that no text is searched twice. */
let endless: u32 = 0;

/** The end of the comment, section or instruction at `at` (a `<`), or 0 where there is none. */
function closed(at: usize, end: usize): usize {
  if (textStarts(at, end, "<!--")) return behind(at + 4, end, Char.Dash, 2, 1);
  if (textStarts(at, end, "<![CDATA[")) return behind(at + 9, end, Char.BracketClose, 2, 2);
  if (textStarts(at, end, "<?")) return behind(at + 2, end, Char.Question, 1, 4);
  return 0;
}

/** Behind the first `>` in `at..end` that `count` bytes `mark` stand before; 0 where there is none. */
function behind(at: usize, end: usize, mark: u32, count: u32, bit: u32): usize {
  if ((endless & bit) != 0) return 0;
  let marks: u32 = 0;
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte == mark) marks++;
    else if (byte == Char.Greater && marks >= count) return at + 1;
    else marks = 0;
  }
  endless |= bit;
  return 0;
}
