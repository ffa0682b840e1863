// Exports the traversal detector and its tokenizer for tests: `judge` gives the surest finding of a value in a part of the message
// as rule × 256 + confidence, 0 for none; `read` tokenizes a path and gives the number of tokens, `token` one of them.

import { classify } from "../../assembly/core/classify";
import {
  closeFindings,
  findingAt,
  findingCount,
  findings,
  freeFindings,
  openFindings,
} from "../../assembly/core/findings";
import { setField } from "../../assembly/core/field";
import { detectTraversal } from "../../assembly/detect/traversal";
import { pathSpelling, pathToken, pathTokens, tokenizePath } from "../../assembly/tokenize/path";

export function judge(start: usize, end: usize, part: u32): u32 {
  setField(part, 0, 0);
  openFindings(0);
  detectTraversal(start, end, classify(start, end));
  let surest: u32 = 0;
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    if (finding.confidence > (surest & 255)) surest = ((<u32>finding.rule) << 8) | finding.confidence;
  }
  freeFindings(closeFindings());
  return surest;
}

export function read(start: usize, end: usize): u32 {
  tokenizePath(start, end);
  return pathTokens;
}

export function token(index: u32): u32 {
  return pathToken(index);
}

export function spelling(): u32 {
  return pathSpelling;
}
