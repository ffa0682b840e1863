// Exports the detector of URLs and its tokenizer for tests: `judge` gives the surest finding of a value in the named field as
// rule × 256 + confidence, 0 for none; `read` reads a URL, and the getters give what it found.

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
import { judge as judgeAll } from "../../assembly/detect/judge";
import { detectUrls } from "../../assembly/detect/url";
import { readUrl, urlAddress, urlHost, urlHostEnd, urlPort, urlSigns, urlTarget } from "../../assembly/tokenize/url";

/** Judges `start..end` by all detectors and layers, in the field of that part and name. */
export function judge(start: usize, end: usize, part: u32, name: usize, nameEnd: usize): u32 {
  setField(part, name, nameEnd);
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

/** The detector of URLs alone, for measurements. */
export function detect(start: usize, end: usize): void {
  setField(0, 0, 0);
  openFindings(0);
  detectUrls(start, end, classify(start, end));
  freeFindings(closeFindings());
}

export function read(start: usize, end: usize): bool {
  return readUrl(start, end);
}
export function address(): u32 {
  return urlAddress;
}
export function target(): u32 {
  return urlTarget;
}
export function signs(): u32 {
  return urlSigns;
}
export function port(): u32 {
  return urlPort;
}
export function host(): usize {
  return urlHost;
}
export function hostEnd(): usize {
  return urlHostEnd;
}
