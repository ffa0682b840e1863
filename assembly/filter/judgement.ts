// One value to the judge, and what was found in it to the policy at once: the list of findings is bounded, so the policy must have
// seen each before the next value can fill it (core/findings.ts).

import { now } from "../abi/host";
import { classified, classify } from "../core/classify";
import { findings, takeFindingsOverflow } from "../core/findings";
import { clearReportedClasses, reportedClasses, reports } from "../detect/finding";
import { judge, judgeMarkup, judgeObject, valueKinds } from "../detect/judge";
import { holdsOperator, Part, reportedPart } from "../core/field";
import { isRemembered, remember, Seen } from "../core/seen";
import { learning, learnValue, setLearning } from "../observe/observed";
import { clearNoRoom, noRoom, keepValue, mayCarrySyntax, setWatching, Watch, watching } from "../observe/taint";
import { tracing } from "../match/trace";
import { detectFile, detectFileName, detectSkipped } from "../detect/upload";
import { setJudged } from "../policy/request";
import { decide, refused } from "../policy/decide";
import { Policy } from "../policy/layout";
import { countOverflow, Overflow } from "../report/counters";
import { forgetActiveRules, judgeRules } from "./custom";
import { beginTrace, tellTrace } from "./explain";
import { effectiveOf, Phase, Stream } from "./stream";

/** The stream at work and its policy. */
let stream: usize = 0;
let policy: usize = 0;

/** Makes a stream the one that values are judged for. */
export function beginJudging(ofStream: Stream, ofPolicy: Policy): void {
  stream = changetype<usize>(ofStream);
  policy = changetype<usize>(ofPolicy);
  forgetActiveRules();
  setWatching(ofStream.watched);
  setLearning(ofStream.taints == 0 ? 0 : changetype<Watch>(ofStream.taints).observed);
  met = NOTHING;
}

/** No bound. */
export const NOTHING: i32 = -1;
/** The bound that was met while a piece was judged, and behind which nothing of the stream is judged; or `NOTHING`. */
export let met: i32 = NOTHING;

/** Meets such a bound: the first one counts. */
export function meet(what: Overflow): void {
  if (met == NOTHING) met = what;
}

/** Counts a bound behind which the stream is judged on: wherever its chunks end, nothing is said behind the one that ends it. */
export function passBound(what: Overflow): void {
  if (met == NOTHING) countOverflow(what);
}

/** Readings of a value that cost nothing: as it stands, and as many as ordinary values that are encoded or wrapped have. */
const FREE_READINGS: u32 = 4;

/** Takes what a value of `size` bytes has cost off the body's budget: `read` bytes in all readings of it. */
function charge(size: u32, read: u32): void {
  if (read <= FREE_READINGS * size) return;
  const body = changetype<Stream>(stream);
  // What is judged of headers depends on what was judged before (core/seen.ts), and they are short.
  if (body.phase != <u8>Phase.Body) return;
  body.work += read - FREE_READINGS * size;
  if (body.work > changetype<Policy>(policy).work) meet(Overflow.Work);
}

/** Says that a message of the stream could not be read. */
export function tellUnread(): void {
  changetype<Stream>(stream).compressed = true;
}

/** Whether the policy has rules of its own, which are asked even about what detectors have judged clean before. */
export function hasOwnRules(): bool {
  return changetype<Policy>(policy).rules != 0;
}

/** Whether a value that no detector takes for anything needs no look: nobody else asks for it, and nobody learns what it is. */
export function passesPlain(): bool {
  return !hasOwnRules() && learning == 0 && !(isDefined(CHECKED) && tracing);
}

/** Keeps a value that detectors have passed, if it carries syntax. */
function keepClean(start: usize, end: usize, kinds: u32): void {
  if (mayCarrySyntax(reportedPart, kinds) || holdsOperator()) keep(start, end, kinds);
}

/** Keeps a value for the response, with the classes that were reported on it. */
function keep(start: usize, end: usize, kinds: u32): void {
  const ofStream = changetype<Stream>(stream);
  if (!ofStream.watches) return;
  ofStream.taints = keepValue(ofStream.taints, start, end, kinds, reportedClasses);
  clearReportedClasses();
  if (noRoom) {
    countOverflow(Overflow.Responses);
    clearNoRoom();
  }
}

/** Judges a value that detectors have judged clean before by the policy's own rules alone. */
export function judgeAgain(start: usize, end: usize): void {
  if (learning != 0) learnValue(start, end);
  if (watching) keepClean(start, end, classify(start, end));
  if (!hasOwnRules()) return;
  setJudged(start, end);
  const before = reports;
  judgeRules(changetype<Policy>(policy), start, end);
  if (reports != before) decideNow();
}

/** Judges a value of the current field, at most 16 KiB with 32 readable bytes behind it. */
export function judgeValue(start: usize, end: usize): void {
  if (met != NOTHING) return;
  if (learning != 0) learnValue(start, end);
  const before = reports;
  const read = classified;
  if (isDefined(CHECKED) && tracing) beginTrace(start, end);
  setJudged(start, end);
  judge(start, end);
  if (hasOwnRules()) judgeRules(changetype<Policy>(policy), start, end);
  if (isDefined(CHECKED) && tracing) tellTrace();
  charge(<u32>(end - start), classified - read);
  if (reports != before) {
    keep(start, end, valueKinds);
    decideNow();
  } else if (watching) {
    keepClean(start, end, valueKinds);
  }
}

/** Longest tag that is remembered: one with a few attributes. */
const LONGEST_TAG: usize = 60;

/** Judges a tag of XML as what it makes its reader do; but for one that was judged clean before, as most of a document are. */
export function judgeTag(start: usize, end: usize): void {
  if (met != NOTHING) return;
  const isShort = end - start <= LONGEST_TAG;
  if (isShort && !(isDefined(CHECKED) && tracing) && isRemembered(Part.Xml, start, end) != Seen.Not) return;
  const before = reports;
  if (isDefined(CHECKED) && tracing) beginTrace(start, end);
  setJudged(start, end);
  judgeMarkup(start, end);
  if (isDefined(CHECKED) && tracing) tellTrace();
  if (reports != before) {
    keep(start, end, 0);
    decideNow();
  } else if (isShort) {
    remember(Part.Xml, start, end, false);
  }
}

/** Judges the name of a file, and returns what it claims (detect/upload.ts). */
export function judgeFileName(start: usize, end: usize): u32 {
  if (met != NOTHING) return 0;
  const before = reports;
  setJudged(start, end);
  const claims = detectFileName(start, end);
  if (hasOwnRules()) judgeRules(changetype<Policy>(policy), start, end);
  if (reports != before) decideNow();
  return claims;
}

/** Judges a window of a file's content; true where those behind it are to be judged, too. */
export function judgeFile(claims: u32, start: usize, end: usize, first: bool, whole: bool): bool {
  if (met != NOTHING) return false;
  const before = reports;
  setJudged(start, end);
  const more = detectFile(claims, start, end, first, whole);
  if (reports != before) decideNow();
  return more;
}

/** Judges content of a file that is passed over; returns what `claims` is from there. */
export function judgeSkipped(claims: u32, start: usize, end: usize): u32 {
  if (met != NOTHING) return claims;
  const before = reports;
  setJudged(start, end);
  claims = detectSkipped(claims, start, end);
  if (reports != before) decideNow();
  return claims;
}

/** Judges the first bytes of a body of any type as a serialized object. */
export function judgeWhole(start: usize, end: usize): void {
  if (met != NOTHING) return;
  const before = reports;
  judgeObject(start, end);
  if (reports != before) decideNow();
}

/** Decides on what was found up to now; whether that is to refuse. */
export function decideNow(): bool {
  for (let lost = takeFindingsOverflow(); lost != 0; lost--) countOverflow(Overflow.Findings);
  const inForce = changetype<Policy>(policy);
  const dated = findings != 0 && inForce.exceptions != 0;
  decide(inForce, effectiveOf(changetype<Stream>(stream)), findings, dated ? now() / 1000000000 : 0);
  setJudged(0, 0);
  return refused;
}
