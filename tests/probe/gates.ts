// A detector behind its gate and without it, for the test that the gate changes nothing: `judge` gives a hash of what was found.

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
import { mayRun } from "../../assembly/detect/cmdi-gate";
import { detectCmdi, holdsBreak, judgeCommands } from "../../assembly/detect/cmdi";
import { mayPoint } from "../../assembly/detect/traversal-gate";
import { detectTraversal, holdsPath, judgePaths } from "../../assembly/detect/traversal";

const enum Detector {
  Traversal = 0,
  Cmdi = 1,
}

/** A hash of the findings of a detector in `start..end`, which has no white space around it; 0 for none. `open`: without its gate. */
export function judge(detector: Detector, open: bool, part: Part, start: usize, end: usize): u32 {
  setField(part, 0, 0);
  openFindings(0);
  const kinds = classify(start, end);
  switch (detector) {
    case Detector.Traversal:
      if (open) {
        if (holdsPath(start, end, kinds)) judgePaths(start, end, kinds);
      } else detectTraversal(start, end, kinds);
      break;
    case Detector.Cmdi:
      if (open) {
        if (holdsBreak(start, end, kinds)) judgeCommands(start, end, kinds);
      } else detectCmdi(start, end, kinds);
  }
  let hash: u32 = 0;
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    hash = hash * 31 + (((<u32>finding.rule) << 16) | ((<u32>finding.confidence) << 8) | finding.evidenceLength);
  }
  freeFindings(closeFindings());
  return hash;
}

/** Whether a detector's gate lets `start..end` in. */
export function passes(detector: Detector, part: Part, start: usize, end: usize): bool {
  setField(part, 0, 0);
  const kinds = classify(start, end);
  return detector == Detector.Cmdi ? mayRun(start, end, kinds) : mayPoint(start, end, kinds);
}
