// What tools that look for holes call themselves, add to their requests, and ask for. Words of the user agent, names of headers and ends
// of the path are looked up in tables: one hash for each word or segment.

import { byteAt, isDigit, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { HEADER_KIND, HeaderKind } from "../generated/protocol";
import { Rule } from "../generated/rules";
import { SCANNER_PATH, SCANNER_WORD, ScannerWord } from "../generated/scanner";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import { found } from "./finding";

/** Bytes of a user agent that are read. */
const AGENT: usize = 512;
/** Segments at the end of a path that are looked up, each with all behind it. */
const SEGMENTS: u32 = 8;

/** Judges one header, whose field is set. */
export function detectScanner(name: usize, nameEnd: usize, start: usize, end: usize): void {
  const kind = keyword(HEADER_KIND, name, nameEnd);
  if (kind == HeaderKind.Scanner) found(Rule.ScannerMark, ruleConfidence(Rule.ScannerMark), name, nameEnd);
  if (kind != HeaderKind.Agent) return;
  end = min(end, start + AGENT);
  let tool = keyword(SCANNER_WORD, start, end) != 0;
  for (let at = start; at < end && !tool;) {
    const from = at;
    while (at < end && (isLetter(byteAt(at)) || isDigit(byteAt(at)))) at++;
    const word = keyword(SCANNER_WORD, from, at);
    // "Fuzz Faster U Fool"
    tool = word == ScannerWord.Tool || (word == ScannerWord.Phrase && from == start);
    at++;
  }
  if (tool) found(Rule.ScannerAgent, ruleConfidence(Rule.ScannerAgent), start, end);
}

/** Judges the path `start..end`, whose field is set. */
export function detectProbe(start: usize, end: usize): void {
  let segments: u32 = 0;
  for (let at = end; at > start && segments < SEGMENTS; at--) {
    if (byteAt(at - 1) != Char.Slash) continue;
    segments++;
    if (keyword(SCANNER_PATH, at, end) == 0) continue;
    found(Rule.ScannerProbe, ruleConfidence(Rule.ScannerProbe), at, end);
    return;
  }
}
