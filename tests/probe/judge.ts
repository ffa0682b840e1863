// All detectors on one value, for tests.

import { byteAt } from "../../assembly/core/bytes";
import { Char } from "../../assembly/core/char";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../../assembly/core/pairs";
import { textIs } from "../../assembly/core/text";
import { detectHead, detectHeader } from "../../assembly/detect/protocol";
import { detectProbe, detectScanner } from "../../assembly/detect/scanner";
import { Part, setField } from "../../assembly/core/field";
import { closeFindings, findingAt, findingCount, freeFindings, openFindings } from "../../assembly/core/findings";
import { reports } from "../../assembly/detect/finding";
import { Claim, claimOfType, detectFile, detectFileName, detectSkipped } from "../../assembly/detect/upload";
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

/** Judges `content` as an uploaded file with that name and type. */
export function judgeUpload(name: usize, nameEnd: usize, type: usize, typeEnd: usize, content: usize, end: usize): u32 {
  freeFindings(list);
  openFindings(0);
  setField(Part.Multipart, 0, 0);
  const claims = detectFileName(name, nameEnd) | claimOfType(type, typeEnd);
  detectFile(claims, content, end, true, true);
  list = closeFindings();
  return findingCount(list);
}

/** Judges a header map: as a whole, each header, and the path's end. */
export function judgeHead(start: usize, end: usize): u32 {
  freeFindings(list);
  openFindings(0);
  detectHead(start, end);
  openPairs(start, end);
  while (nextPair()) {
    setField(Part.Header, pairName, pairNameEnd);
    if (textIs(pairName, pairNameEnd, ":path")) detectProbe(pairValue, pairValueEnd);
    else if (byteAt(pairName) != Char.Colon) {
      detectHeader(pairName, pairNameEnd, pairValue, pairValueEnd);
      detectScanner(pairName, pairNameEnd, pairValue, pairValueEnd);
    }
  }
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

/** How often code is found in content that is passed over in three pieces. */
export function skipped(a: usize, aEnd: usize, b: usize, bEnd: usize, c: usize, cEnd: usize): u32 {
  freeFindings(list);
  list = 0;
  openFindings(0);
  const before = reports;
  detectSkipped(detectSkipped(detectSkipped(Claim.Media, a, aEnd), b, bEnd), c, cEnd);
  freeFindings(closeFindings());
  return reports - before;
}
