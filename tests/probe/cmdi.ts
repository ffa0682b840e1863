// Exports the command detector and its tokenizer for tests: `judge` gives the surest finding of a value as rule × 256 + confidence,
// 0 for none; `open` begins to read a value in a quoting, `next` gives the kind of the next token.

import { classify } from "../../assembly/core/classify";
import {
  closeFindings,
  findingAt,
  findingCount,
  findings,
  freeFindings,
  openFindings,
} from "../../assembly/core/findings";
import { Part, setField } from "../../assembly/core/field";
import { detectCmdi } from "../../assembly/detect/cmdi";
import { nextShell, openShell, shellEnd, shellStart } from "../../assembly/tokenize/shell";

export function judge(start: usize, end: usize): u32 {
  setField(Part.Query, 0, 0);
  openFindings(0);
  detectCmdi(start, end, classify(start, end));
  let surest: u32 = 0;
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    if (finding.confidence > (surest & 255)) surest = ((<u32>finding.rule) << 8) | finding.confidence;
  }
  freeFindings(closeFindings());
  return surest;
}

export function open(start: usize, end: usize, quoting: u32): void {
  openShell(start, end, quoting);
}

export function next(): u32 {
  return nextShell();
}

export function tokenStart(): usize {
  return shellStart;
}

export function tokenEnd(): usize {
  return shellEnd;
}
