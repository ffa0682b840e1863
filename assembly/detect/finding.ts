// How a detector says what it saw. The evidence is masked here, before it is kept: structure and the keywords of the languages
// stay, every other run of letters becomes `a{n}`, of digits `9{n}`, other bytes beyond ASCII `?`. No secret leaves the process.

import { byteAt, isDigit, isLetter, putByte, putBytes, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd, fieldPart } from "../core/field";
import { addFinding, EVIDENCE_CAPACITY, findingEvidence } from "../core/findings";
import { CMDI_KEYWORDS } from "../generated/cmdi";
import { SQLI_KEYWORDS } from "../generated/sqli";
import { XSS_KEYWORDS } from "../generated/xss";
import { keyword } from "../match/keywords";

/** How often anything was reported in this VM, sure or not; compared before and after by whoever asks whether a value is clean. */
export let reports: u32 = 0;

/** Reports rule `rule` at `confidence` (0–100) for the current field; `start..end` is what the rule rests on. */
export function found(rule: u32, confidence: u32, start: usize, end: usize): void {
  reports++;
  const finding = addFinding(rule, confidence, fieldPart, fieldName, fieldNameEnd);
  if (finding === null) return;
  const evidence = findingEvidence(finding);
  finding.evidenceLength = <u8>(mask(start, end, evidence, evidence + EVIDENCE_CAPACITY) - evidence);
}

/** Letters of a run that are looked up as a keyword at most. */
const MAX_KEYWORD: usize = 24;

/** Writes `start..end` masked to `out`, not beyond `limit`, and returns the next cursor. */
export function mask(start: usize, end: usize, out: usize, limit: usize): usize {
  while (start < end && out + MAX_KEYWORD <= limit) {
    const from = start;
    const byte = byteAt(start);
    if (isLetter(byte)) {
      while (start < end && (isLetter(byteAt(start)) || byteAt(start) == Char.Underscore)) start++;
      out = isKeyword(from, start) ? putBytes(out, from, start) : putRun(out, Char.a, start - from);
    } else if (isDigit(byte)) {
      while (start < end && isDigit(byteAt(start))) start++;
      out = putRun(out, Char._9, start - from);
    } else {
      out = putByte(out, byte < 0x80 ? byte : Char.Question);
      start++;
    }
  }
  return out;
}

function isKeyword(start: usize, end: usize): bool {
  return (
    end - start <= MAX_KEYWORD &&
    (keyword(SQLI_KEYWORDS, start, end) != 0 ||
      keyword(XSS_KEYWORDS, start, end) != 0 ||
      keyword(CMDI_KEYWORDS, start, end) != 0)
  );
}

function putRun(out: usize, kind: u32, length: usize): usize {
  out = putByte(putByte(out, kind), Char.BraceOpen);
  return putByte(putDecimal(out, length), Char.BraceClose);
}
