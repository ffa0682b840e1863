// What is told of one request: the verdict (filter state `meshward.verdict`, for the access log and for whoever reads it) and the
// log line of a refusal. Both are JSON, both are bounded, none holds a client's byte that is not escaped.
//
//   {"verdict":…,"outcome":…,"mode":…,"score":…,"rule":…,"route":…,"identity":…,"request_id":…,"trace_id":…,"findings":[…]}
//
// Most requests are clean. Their verdict leaves out what is 0, null or empty, and the ids, which the access log has by itself; where
// neither a route nor a caller is known, it is outcome and mode in two words:
//
//   {"verdict":"allow","outcome":"allowed","mode":…,"route":…,"identity":…}
//   allowed block
//
// Envoy takes a slow way with a text that it has to escape when it prints it: a quotation mark in it costs a clean request 5% of what
// bare Envoy takes for all of it.

import { findByte, putByte, putBytes, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { partName } from "../core/field";
import {
  Basis,
  Finding,
  findingAt,
  findingCount,
  findingEvidence,
  findingName,
  MAX_FINDINGS,
  Stage,
} from "../core/findings";
import { putText } from "../core/text";
import {
  className,
  classNameEnd,
  ruleClass,
  ruleCwe,
  ruleCweCount,
  ruleId,
  ruleIdEnd,
  ruleSeverity,
  severityName,
  severityNameEnd,
} from "../match/rules";
import { deciding, exceptionAt, isListed, refused } from "../policy/decide";
import { Mode, Policy } from "../policy/layout";
import { effectiveMode } from "../policy/resolve";
import { requestIdentity, requestIdentityEnd } from "../policy/request";
import { Outcome, outcomeName } from "./counters";
import { putJsonString, putJsonStringWithin } from "./json";
import { TRACE_ID_SIZE, UUID_SIZE } from "./ids";

/** Room for a verdict with all findings, each byte of their texts escaped. */
const TEXT: usize = memory.data(57344, 8);

/** The text that was written last. */
export const textStart: usize = TEXT;
export let textEnd: usize = TEXT;

/** What names the request in a verdict; set before one is written. */
let routeName: usize = 0;
let routeNameEnd: usize = 0;
let requestId: usize = 0;
let traceId: usize = 0;

/** `route`: the template of the matched route, empty for none. `id`: 36 bytes. `trace`: 32 bytes, or 0 for none. */
export function setVerdictNames(route: usize, routeEnd: usize, id: usize, trace: usize): void {
  routeName = route;
  routeNameEnd = routeEnd;
  requestId = id;
  traceId = trace;
}

export function stageName(stage: u32): string {
  return stage == Stage.Confirmed ? "confirmed" : stage == Stage.Likely ? "likely" : "attempted";
}

export function modeName(mode: Mode): string {
  return mode == Mode.Block ? "block" : mode == Mode.Detect ? "detect" : "off";
}

/** Whether a verdict tells of a finding. What a service shows anyway is no request's, so only events do, and offline each exchange. */
function isTold(policy: Policy, effective: usize, finding: Finding): bool {
  return isListed(effective, finding) && (policy.dryRun || finding.basis != <u8>Basis.Trait);
}

/** Whether a stream has nothing to tell: the short form will do. */
export function isClean(policy: Policy, effective: usize, outcome: Outcome, list: usize): bool {
  if (outcome != Outcome.Allowed) return false;
  for (let i: u32 = 0; i < findingCount(list); i++) {
    if (isTold(policy, effective, findingAt(list, i))) return false;
  }
  return true;
}

/** Writes the verdict on a clean stream. */
export function writeCleanVerdict(effective: usize): void {
  if (routeName == routeNameEnd && requestIdentity == requestIdentityEnd) {
    textEnd = putText(putText(TEXT, "allowed "), modeName(effectiveMode(effective)));
    return;
  }
  let out = putText(TEXT, '{"verdict":"allow","outcome":"allowed","mode":"');
  out = putByte(putText(out, modeName(effectiveMode(effective))), Char.DoubleQuote);
  if (routeName != routeNameEnd) {
    out = putJsonStringWithin(putText(out, ',"route":'), routeName, routeNameEnd, VERDICT_NAME);
  }
  if (requestIdentity != requestIdentityEnd) {
    out = putText(out, ',"identity":');
    out = putJsonStringWithin(out, requestIdentity, requestIdentityEnd, VERDICT_NAME);
  }
  textEnd = putByte(out, Char.BraceClose);
}

/** Writes the verdict on any other stream after `decide`. */
export function writeVerdict(policy: Policy, effective: usize, outcome: Outcome, list: usize, judged: u64): void {
  let out = putText(TEXT, '{"verdict":"');
  out = putText(out, refused || (outcome != Outcome.Allowed && outcome != Outcome.Error) ? "deny" : "allow");
  out = putText(out, '","outcome":"');
  out = putText(out, outcomeName(outcome));
  out = putText(out, '","mode":"');
  out = putText(out, modeName(effectiveMode(effective)));
  out = putText(out, '","score":');
  out = putDecision(out);
  out = putNames(out, VERDICT_NAME, VERDICT_NAME);
  out = putPassed(out, outcome, judged);
  out = putText(out, ',"findings":[');
  const count = findingCount(list);
  // Highest confidence first: selection over at most 16, each shown once.
  let shown: u32 = 0;
  for (let rank: u32 = 0; rank < count; rank++) {
    let best: i32 = -1;
    for (let i: u32 = 0; i < count; i++) {
      if ((shown >> i) & 1) continue;
      if (best < 0 || findingAt(list, i).confidence > findingAt(list, best).confidence) best = i;
    }
    shown |= 1 << best;
    const finding = findingAt(list, best);
    if (!isTold(policy, effective, finding)) continue;
    if (load<u8>(out - 1) != Char.BracketOpen) out = putByte(out, Char.Comma);
    out = putFinding(out, policy, finding);
  }
  out = putText(out, "]}");
  if (isDefined(CHECKED)) assert(MAX_FINDINGS == 16 && out <= TEXT + 57344); // 16 × (6 × 328 + 400 + 2 × 240) + names
  textEnd = out;
}

/** Score and rule. */
function putDecision(out: usize): usize {
  const finding = deciding;
  if (finding === null) return putText(out, '0,"rule":null');
  out = putText(putDecimal(out, finding.confidence), ',"rule":"');
  out = putBytes(out, ruleId(finding.rule), ruleIdEnd(finding.rule));
  return putByte(out, Char.DoubleQuote);
}

/** Bytes that route and identity may take in a verdict. */
const VERDICT_NAME: usize = 1024;

/** Route, identity, request id and trace id. */
function putNames(out: usize, routeRoom: usize, identityRoom: usize): usize {
  out = putText(out, ',"route":');
  out = routeName == routeNameEnd ? putText(out, "null") : putJsonStringWithin(out, routeName, routeNameEnd, routeRoom);
  out = putText(out, ',"identity":');
  out =
    requestIdentity == requestIdentityEnd
      ? putText(out, "null")
      : putJsonStringWithin(out, requestIdentity, requestIdentityEnd, identityRoom);
  out = putText(out, ',"request_id":');
  out = putJsonString(out, requestId, requestId + UUID_SIZE);
  out = putText(out, ',"trace_id":');
  return traceId == 0 ? putText(out, "null") : putJsonString(out, traceId, traceId + TRACE_ID_SIZE);
}

/** Of a stream that was refused after part of it had passed: the bytes of its body that were judged until then. */
function putPassed(out: usize, outcome: Outcome, judged: u64): usize {
  return outcome == Outcome.Partial ? putDecimal(putText(out, ',"bytes":'), judged) : out;
}

function putFinding(out: usize, policy: Policy, finding: Finding): usize {
  const rule = finding.rule;
  out = putText(out, '{"rule":"');
  out = putBytes(out, ruleId(rule), ruleIdEnd(rule));
  out = putText(out, '","class":"');
  out = putBytes(out, className(ruleClass(rule)), classNameEnd(ruleClass(rule)));
  out = putText(out, '","cwe":[');
  for (let i: u32 = 0; i < ruleCweCount(rule); i++) {
    if (i > 0) out = putByte(out, Char.Comma);
    out = putDecimal(out, ruleCwe(rule, i));
  }
  out = putText(out, '],"severity":"');
  out = putBytes(out, severityName(ruleSeverity(rule)), severityNameEnd(ruleSeverity(rule)));
  out = putText(out, '","confidence":');
  out = putDecimal(out, finding.confidence);
  out = putText(out, ',"stage":"');
  out = putText(out, stageName(finding.stage));
  out = putText(out, '","where":');
  out = putWhere(out, finding);
  out = putText(out, ',"evidence":');
  out = putJsonString(out, findingEvidence(finding), findingEvidence(finding) + finding.evidenceLength);
  if (finding.exception != 0) {
    const exception = exceptionAt(policy, finding.exception);
    out = putText(out, ',"exception":');
    out = putJsonString(out, exception.id, min(exception.idEnd, exception.id + 64));
  }
  if (finding.hopsSize != 0) out = putHops(putText(out, ',"hops":['), finding.hops, finding.hops + finding.hopsSize);
  return putByte(out, Char.BraceClose);
}

/** The lines `start..end`, as strings, and the end of their list. */
function putHops(out: usize, start: usize, end: usize): usize {
  while (start < end) {
    const lineEnd = findByte(start, end, Char.LineFeed);
    out = putByte(putJsonString(out, start, lineEnd), Char.Comma);
    start = lineEnd + 1;
  }
  return putByte(out - 1, Char.BracketClose);
}

function putWhere(out: usize, finding: Finding): usize {
  out = putText(out, '{"part":"');
  out = putText(out, partName(finding.part));
  out = putText(out, '","name":');
  const name = findingName(finding);
  out = finding.nameLength == 0 ? putText(out, "null") : putJsonString(out, name, name + finding.nameLength);
  return putByte(out, Char.BraceClose);
}

/** Bytes that the texts of a log line may take, so that the line stays below 1 KiB. */
const LOG_NAME: usize = 128;
const LOG_EVIDENCE: usize = 200;
const LOG_ROUTE: usize = 112;
const LOG_IDENTITY: usize = 160;

/** Writes the log line of a refusal: `meshward {…}`, at most 1 KiB. `suppressed`: lines that were not written since the last. */
export function writeRefusal(effective: usize, outcome: Outcome, judged: u64, suppressed: u32): void {
  let out = putText(TEXT, 'meshward {"outcome":"');
  out = putText(out, outcomeName(outcome));
  out = putText(out, '","mode":"');
  out = putText(out, modeName(effectiveMode(effective)));
  out = putText(out, '","score":');
  out = putDecision(out);
  const finding = deciding;
  if (finding !== null) {
    out = putText(out, ',"where":{"part":"');
    out = putText(out, partName(finding.part));
    out = putText(out, '","name":');
    const name = findingName(finding);
    out = putJsonStringWithin(out, name, name + finding.nameLength, LOG_NAME);
    out = putText(out, '},"evidence":');
    const evidence = findingEvidence(finding);
    out = putJsonStringWithin(out, evidence, evidence + finding.evidenceLength, LOG_EVIDENCE);
  }
  out = putNames(out, LOG_ROUTE, LOG_IDENTITY);
  out = putPassed(out, outcome, judged);
  if (suppressed != 0) out = putDecimal(putText(out, ',"suppressed":'), suppressed);
  out = putByte(out, Char.BraceClose);
  if (isDefined(CHECKED)) assert(out - TEXT <= 1024 && LOG_NAME + LOG_EVIDENCE + LOG_ROUTE + LOG_IDENTITY <= 600); // fixed parts take less than 400
  textEnd = out;
}
