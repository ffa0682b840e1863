// What leaves the module about a stream: the verdict in its filter state, the answer to a refused request, the log line.

import { LogLevel } from "../abi/enums";
import { log, respond, writeFilterState } from "../abi/host";
import { findingAt, findingCount } from "../core/findings";
import { putText } from "../core/text";
import { ruleClass, ruleIndex } from "../match/rules";
import { isListed } from "../policy/decide";
import { Mode, Policy } from "../policy/layout";
import { effectiveMode } from "../policy/resolve";
import {
  answerBody,
  answerBodyEnd,
  answerGrpcStatus,
  answerHeaders,
  answerHeadersEnd,
  AnswerKind,
  answerStatus,
  writeAnswer,
} from "../report/answer";
import { countFinding, countRequest, countRuleHit, Outcome } from "../report/counters";
import { putNewUuid, UUID_SIZE } from "../report/ids";
import {
  isClean,
  setVerdictNames,
  textEnd,
  textStart,
  writeCleanVerdict,
  writeRefusal,
  writeVerdict,
} from "../report/verdict";
import { resolveIdentity } from "./identity";
import { effectiveOf, requestIdOf, routeOf, Stream, traceIdAt } from "./stream";

/** Refusals that are logged at once, and how many more each second. */
const LOG_BURST: u32 = 50;
const LOG_RATE: u32 = 10;
let logTokens: u32 = LOG_BURST;
let suppressed: u32 = 0;

/** A second has passed: more refusals may be logged. */
export function refillLog(): void {
  logTokens = min(logTokens + LOG_RATE, LOG_BURST);
}

const NAME: usize = memory.data(32);
const DETAILS: usize = memory.data(32);
let nameEnd: usize = 0;
let detailsEnd: usize = 0;

/** Writes the texts that are the same for all streams; called once when the VM starts. */
export function prepareAnswers(): void {
  nameEnd = putText(NAME, "meshward.verdict");
  detailsEnd = putText(DETAILS, "meshward_denied");
}

/**
 * Says how a stream ended: sets its filter state, counts it and its findings, logs a refusal. `decide` has run for it. Before the end
 * is known (a body is awaited) the filter state alone is set, so that the access log of a stream that breaks off has it. Said again
 * where the response has shown more: then only what is new of its findings is counted.
 */
export function tellVerdict(stream: Stream, policy: Policy, outcome: Outcome, list: usize, final: bool): void {
  const effective = effectiveOf(stream);
  // Up to three host calls: only where there is something to tell. The generated access log has Envoy's own words for the rest.
  if (list != 0) resolveIdentity(stream, policy);
  setVerdictNames(
    routeOf(stream),
    routeOf(stream) + stream.routeSize,
    requestIdOf(stream),
    stream.hasTrace ? traceIdAt(stream) : 0,
  );
  const clean = isClean(policy, effective, outcome, list);
  // A stream that is still clean was told so when its headers had been judged.
  if (!clean || !stream.told) {
    if (clean) writeCleanVerdict(effective);
    else writeVerdict(policy, effective, outcome, list, stream.inspected);
    writeFilterState(NAME, nameEnd, textStart, textEnd);
    stream.told = true;
  }
  if (!final) return;
  const again = stream.counted;
  stream.counted = true;
  stream.outcome = <u8>outcome;
  if (!again) countRequest(outcome);
  const stopped = outcome == Outcome.Denied || outcome == Outcome.Partial;
  const blocking = effectiveMode(effective) == Mode.Block;
  for (let i: u32 = 0; i < findingCount(list); i++) {
    const finding = findingAt(list, i);
    if (finding.told || finding.exception != 0 || !isListed(effective, finding)) continue;
    finding.told = true;
    countFinding(ruleClass(finding.rule), stopped);
    countRuleHit(ruleIndex(finding.rule), blocking);
  }
  if (stopped && !again) logRefusal(effective, outcome, stream.inspected);
}

function logRefusal(effective: usize, outcome: Outcome, judged: u64): void {
  if (logTokens == 0) {
    suppressed++;
    return;
  }
  logTokens--;
  writeRefusal(effective, outcome, judged, suppressed);
  suppressed = 0;
  log(LogLevel.Warn, textStart, textEnd);
}

/** A request id for a stream that has no slot to keep one in. */
const SPARE_ID: usize = memory.data(<i32>UUID_SIZE);

/** Answers a request that has no stream. */
export function answerNobody(policy: Policy, status: u32): void {
  putNewUuid(SPARE_ID);
  answer(null, policy, status);
}

/** Answers the request from here with `status`; `tellVerdict` has run for it. `stream` null: nothing is known of it. */
export function answer(stream: Stream | null, policy: Policy, status: u32): void {
  const kind = stream === null ? AnswerKind.Problem : <AnswerKind>stream.answerKind;
  writeAnswer(kind, status, stream === null ? SPARE_ID : requestIdOf(stream), policy);
  respond(
    answerStatus,
    DETAILS,
    detailsEnd,
    answerBody,
    answerBodyEnd,
    answerHeaders,
    answerHeadersEnd,
    answerGrpcStatus,
  );
}
