// A check says what the response bears out: the findings of the same class in the same field are raised to that stage; where there is
// none, the check's own rule is found there.

import { addFinding, Finding, findingAt, findingCount, findingName, findings, Basis, Stage } from "../core/findings";
import { Part } from "../core/field";
import { putEvidence } from "../detect/finding";
import { ruleClass, ruleConfidence } from "../match/rules";
import { LISTED } from "../policy/decide";
import { Taint, taintName } from "../observe/taint";

/** Whether anything was raised or found since `beginBearing`. */
export let borne: bool = false;

export function beginBearing(): void {
  borne = false;
}

/** Says that something else is new about the findings. */
export function tellAgain(): void {
  borne = true;
}

/** A bit for the class of that number. */
// @ts-ignore: decorator
@inline
export function classBit(ruleClass: u32): u32 {
  return 1 << ruleClass;
}

/**
 * The response bears out, by `start..end` of it, that `taint` did what rules of `classes` (a bit each) are about; `rule` is found where
 * none of them stands.
 */
export function bearOut(taint: Taint, classes: u32, rule: u32, stage: Stage, start: usize, end: usize): void {
  bearOutIn(taint.part, taintName(taint), taint.nameLength, classes, rule, stage, start, end);
}

/** The same of the value of a field: its part, and its name of `length` bytes. */
export function bearOutIn(
  part: u32,
  name: usize,
  length: u32,
  classes: u32,
  rule: u32,
  stage: Stage,
  start: usize,
  end: usize,
): void {
  let raised = false;
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    if (finding.part != part || finding.nameLength != length || finding.confidence < LISTED) continue;
    if ((classes & classBit(ruleClass(finding.rule))) == 0) continue;
    if (memory.compare(findingName(finding), name, length) != 0) continue;
    raised = true;
    if (finding.stage < <u8>stage) raise(finding, stage, start, end);
  }
  if (raised) return;
  const finding = addFinding(rule, ruleConfidence(rule), <Part>part, name, name + length);
  if (finding === null) return;
  finding.basis = <u8>Basis.Effect;
  raise(finding, stage, start, end);
}

function raise(finding: Finding, stage: Stage, start: usize, end: usize): void {
  finding.stage = <u8>stage;
  putEvidence(finding, start, end);
  borne = true;
}
