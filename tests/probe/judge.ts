// All detectors on one value, for tests.

import { Part, setField } from "../../assembly/core/field";
import { closeFindings, findingAt, findingCount, freeFindings, openFindings } from "../../assembly/core/findings";
import { judge } from "../../assembly/detect/judge";

/** The list of the last judged value. */
let list: usize = 0;

/** Judges `start..end` as the value of a query parameter without a name and returns how many findings there are. */
export function judgeValue(start: usize, end: usize): u32 {
  freeFindings(list);
  openFindings(0);
  setField(Part.Query, 0, 0);
  judge(start, end);
  list = closeFindings();
  return findingCount(list);
}

/** The rule of finding `index` of the last judged value. */
export function foundRule(index: u32): u32 {
  return findingAt(list, index).rule;
}

/** The confidence of finding `index` of the last judged value. */
export function foundConfidence(index: u32): u32 {
  return findingAt(list, index).confidence;
}
