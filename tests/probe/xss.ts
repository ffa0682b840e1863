// Exports the XSS detector and its decode layers for tests, as the module runs them.

import { classify } from "../../assembly/core/classify";
import { Part, setField } from "../../assembly/core/field";
import { closeFindings, findingAt, findingCount, freeFindings, openFindings } from "../../assembly/core/findings";
import { layerEnd, layersBegin, layersNext, layerStart } from "../../assembly/decode/layers";
import { detectXss } from "../../assembly/detect/xss";

let rule: u32 = 0;

/** Judges a value in all its layers; the highest confidence. `layers` 0 judges the value alone. */
export function judge(start: usize, end: usize, layers: u32): u32 {
  setField(Part.Query, 0, 0);
  openFindings(0);
  let kinds = classify(start, end);
  detectXss(start, end, kinds);
  if (layers != 0) {
    layersBegin(start, end);
    while (layersNext(kinds)) {
      kinds = classify(layerStart, layerEnd);
      detectXss(layerStart, layerEnd, kinds);
    }
  }
  const list = closeFindings();
  let surest: u32 = 0;
  rule = 0;
  for (let i: u32 = 0; i < findingCount(list); i++) {
    const finding = findingAt(list, i);
    if (finding.confidence >= surest) {
      surest = finding.confidence;
      rule = finding.rule;
    }
  }
  freeFindings(list);
  return surest;
}

/** The code of the surest rule of the last value, 0 for none. */
export function judgedRule(): u32 {
  return rule;
}
