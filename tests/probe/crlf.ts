// Exports what judges line ends for tests: `judge` gives the surest finding of all detectors and layers in a value in a part of the
// message as rule × 256 + confidence, 0 for none; `detect` is the detector alone, for measurements.

import { classify } from "../../assembly/core/classify";
import { setField } from "../../assembly/core/field";
import {
  closeFindings,
  findingAt,
  findingCount,
  findings,
  freeFindings,
  openFindings,
} from "../../assembly/core/findings";
import { detectCrlf } from "../../assembly/detect/crlf";
import { judge as judgeAll } from "../../assembly/detect/judge";

export function judge(start: usize, end: usize, part: u32): u32 {
  setField(part, 0, 0);
  openFindings(0);
  judgeAll(start, end);
  let surest: u32 = 0;
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    if (finding.confidence > (surest & 255)) surest = ((<u32>finding.rule) << 8) | finding.confidence;
  }
  freeFindings(closeFindings());
  return surest;
}

export function detect(start: usize, end: usize): void {
  setField(0, 0, 0);
  openFindings(0);
  detectCrlf(start, end, classify(start, end));
  freeFindings(closeFindings());
}
