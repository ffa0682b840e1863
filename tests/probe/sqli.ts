// Exports the SQL detector and tokenizer for tests. `judge` returns the surest finding of a value as rule × 256 + confidence, 0 for
// none; `token` a token's kind, and `tokenStart()..tokenEnd()` where it stands.

import { classify } from "../../assembly/core/classify";
import {
  closeFindings,
  findingAt,
  findingCount,
  findings,
  freeFindings,
  openFindings,
} from "../../assembly/core/findings";
import { detectSqli } from "../../assembly/detect/sqli";
import { sqlNext, sqlStart, sqlToken } from "../../assembly/tokenize/sql";

export function judge(start: usize, end: usize): u32 {
  openFindings(0);
  detectSqli(start, end, classify(start, end));
  let surest: u32 = 0;
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    if (finding.confidence > (surest & 255)) surest = ((<u32>finding.rule) << 8) | finding.confidence;
  }
  freeFindings(closeFindings());
  return surest;
}

export function token(at: usize, end: usize, quote: u32): u32 {
  return sqlToken(at, end, quote);
}

export function tokenStart(): usize {
  return sqlStart;
}

export function tokenEnd(): usize {
  return sqlNext;
}
