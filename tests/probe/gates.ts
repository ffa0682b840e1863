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
import { sameBytes } from "../../assembly/core/bytes";
import { Char } from "../../assembly/core/char";
import { decodeEntities, needsEntities } from "../../assembly/decode/entity";
import { decodeUnicode, needsUnicode } from "../../assembly/decode/unicode";
import { decodeUtf7, needsUtf7 } from "../../assembly/decode/utf7";
import { mayRun } from "../../assembly/detect/cmdi-gate";
import { detectCmdi, holdsBreak, judgeCommands } from "../../assembly/detect/cmdi";
import { judgePlaces } from "../../assembly/detect/sqli";
import { isTight, mayContinue } from "../../assembly/detect/sqli-gate";
import { mayPoint } from "../../assembly/detect/traversal-gate";
import { detect, judge as judgeAll, judgeLink, judgeText } from "../../assembly/detect/judge";
import { isLink, Suspect, suspect } from "../../assembly/detect/plain";
import { detectTraversal, holdsPath, judgePaths } from "../../assembly/detect/traversal";

const enum Detector {
  Traversal = 0,
  Cmdi = 1,
  Sqli = 2,
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
      break;
    case Detector.Sqli:
      judgePlaces(start, end, kinds, !open && isTight(kinds));
  }
  let hash: u32 = 0;
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    hash = hash * 31 + (((<u32>finding.rule) << 16) | ((<u32>finding.confidence) << 8) | finding.evidenceLength);
  }
  freeFindings(closeFindings());
  return hash;
}

export { plainBare, plainString } from "../../assembly/core/scan";

/** Whether a detector's gate lets `start..end` in. */
export function passes(detector: Detector, part: Part, start: usize, end: usize): bool {
  setField(part, 0, 0);
  const kinds = classify(start, end);
  if (detector == Detector.Sqli) return !isTight(kinds) || mayContinue(start, end);
  return detector == Detector.Cmdi ? mayRun(start, end, kinds) : mayPoint(start, end, kinds);
}

/** What all detectors report in `start..end` beyond the findings of those that have been asked, whose list this closes. */
function unasked(start: usize, end: usize, kinds: u32): i32 {
  const asked = findingCount(findings);
  freeFindings(closeFindings());
  openFindings(0);
  detect(start, end, kinds);
  const all = findingCount(findings);
  freeFindings(closeFindings());
  return all - asked;
}

/** What detectors report in a text that are not asked about it; -1 where it is suspected of anything. */
export function foundInPlain(part: Part, start: usize, end: usize): i32 {
  setField(part, 0, 0);
  const kinds = classify(start, end);
  if ((suspect(start, end, kinds) & Suspect.Anything) != 0) return -1;
  openFindings(0);
  judgeText(start, end, kinds);
  return unasked(start, end, kinds);
}

/** What is reported in a name or value of JSON whose pointer ends with it, or with `/a`. */
export function foundInMember(isName: bool, start: usize, end: usize): u32 {
  const size = end - start;
  memory.copy(POINTER + 12, start, size);
  store<u8>(POINTER, <u8>Char.Slash);
  memory.fill(POINTER + 1, <u8>Char.a, 10);
  store<u8>(POINTER + 11, <u8>Char.Slash);
  if (isName) setField(Part.Json, POINTER, POINTER + 12 + size);
  else setField(Part.Json, POINTER, POINTER + 11);
  openFindings(0);
  judgeAll(start, end);
  const count = findingCount(findings);
  freeFindings(closeFindings());
  return count;
}

const POINTER: usize = memory.data(64);

/** What all detectors together report in a link that is called plain, beyond those that are asked about links; -1 for any other value. */
export function foundInLink(part: Part, start: usize, end: usize): i32 {
  setField(part, 0, 0);
  const kinds = classify(start, end);
  if (!isLink(start, end, kinds)) return -1;
  openFindings(0);
  judgeLink(start, end, kinds);
  return unasked(start, end, kinds);
}

const DECODED: usize = memory.data(16448);

/** The decoders, a bit each, that say they need not run and would change `start..end`: 1 UTF-7, 2 entities, 4 Unicode forms. */
export function missedDecoders(start: usize, end: usize): u32 {
  const kinds = classify(start, end);
  let missed: u32 = 0;
  if (!needsUtf7(kinds, start, end) && !sameBytes(start, end, DECODED, decodeUtf7(start, end, DECODED))) missed |= 1;
  if (!needsEntities(kinds, start, end) && !sameBytes(start, end, DECODED, decodeEntities(start, end, DECODED)))
    missed |= 2;
  if (!needsUnicode(kinds, start, end) && !sameBytes(start, end, DECODED, decodeUnicode(start, end, DECODED)))
    missed |= 4;
  return missed;
}
