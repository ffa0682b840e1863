// The detectors of structured languages one by one, for tests of what they cost and that they stay inside of a value.

import { classify } from "../../assembly/core/classify";
import { closeFindings, freeFindings, openFindings } from "../../assembly/core/findings";
import { Part, setField } from "../../assembly/core/field";
import { detectGraphql } from "../../assembly/detect/graphql";
import { detectLdapi } from "../../assembly/detect/ldapi";
import { detectNosqli, judgeOperand } from "../../assembly/detect/nosqli";
import { detectPrototype } from "../../assembly/detect/prototype";
import { detectXpath } from "../../assembly/detect/xpath";

/** Judges `start..end` `times` times with a detector (0: all), as the value of the field `name..nameEnd`. */
export function run(
  detector: u32,
  part: Part,
  name: usize,
  nameEnd: usize,
  start: usize,
  end: usize,
  times: u32,
): void {
  setField(part, name, nameEnd);
  const kinds = classify(start, end);
  for (let i: u32 = 0; i < times; i++) {
    openFindings(0);
    if (detector == 1 || detector == 0) {
      judgeOperand(start, end);
      detectNosqli(start, end, kinds);
    }
    if (detector == 2 || detector == 0) detectLdapi(start, end, kinds);
    if (detector == 3 || detector == 0) detectXpath(start, end, kinds);
    if (detector == 4 || detector == 0) detectGraphql(start, end, kinds);
    if (detector == 5 || detector == 0) detectPrototype(start, end, kinds);
    freeFindings(closeFindings());
  }
}
