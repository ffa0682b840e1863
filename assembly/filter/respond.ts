// What leaves the module about a stream: the verdict in its filter state, the answer to a refused request, the log line.

import { LogLevel } from "../abi/enums";
import { log, respond, writeFilterState } from "../abi/host";
import { putByte } from "../core/bytes";
import { findingAt, findingCount } from "../core/findings";
import { putText } from "../core/text";
import { ruleClass, ruleIndex } from "../match/rules";
import { isListed } from "../policy/decide";
import { Mode, Policy } from "../policy/layout";
import { effectiveMode } from "../policy/resolve";
import { countFinding, countRequest, countRuleHit, Outcome } from "../report/counters";
import { putNewUuid, UUID_SIZE } from "../report/ids";
import {
  isClean,
  setVerdictNames,
  textEnd,
  textStart,
  writeCleanVerdict,
  writeProblem,
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
/** The serialized headers of a refusal. */
const HEADERS: usize = memory.data(128, 4);
let nameEnd: usize = 0;
let detailsEnd: usize = 0;
let headersEnd: usize = 0;

/** Writes the texts that are the same for all streams; called once when the VM starts. */
export function prepareAnswers(): void {
  nameEnd = putText(NAME, "meshward.verdict");
  detailsEnd = putText(DETAILS, "meshward_denied");
  // Two pairs: sizes first, then the texts with a NUL behind each.
  store<u32>(HEADERS, 2);
  store<u32>(HEADERS, 12, 4);
  store<u32>(HEADERS, 24, 8);
  store<u32>(HEADERS, 13, 12);
  store<u32>(HEADERS, 8, 16);
  let out = putText(HEADERS + 20, "content-type");
  out = putText(putByte(out, 0), "application/problem+json");
  out = putText(putByte(out, 0), "cache-control");
  out = putText(putByte(out, 0), "no-store");
  headersEnd = putByte(out, 0);
}

/**
 * Says how a stream ended, once: sets its filter state, counts it and its findings, logs a refusal. `decide` has run for it. Before
 * the end is known (a body is awaited) the filter state alone is set, so that the access log of a stream that breaks off has it.
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
  const clean = isClean(effective, outcome, list);
  // A stream that is still clean was told so when its headers had been judged.
  if (!clean || !stream.told) {
    if (clean) writeCleanVerdict(effective);
    else writeVerdict(policy, effective, outcome, list, stream.inspected);
    writeFilterState(NAME, nameEnd, textStart, textEnd);
    stream.told = true;
  }
  if (!final || stream.counted) return;
  stream.counted = true;
  countRequest(outcome);
  const stopped = outcome == Outcome.Denied || outcome == Outcome.Partial;
  const blocking = effectiveMode(effective) == Mode.Block;
  for (let i: u32 = 0; i < findingCount(list); i++) {
    const finding = findingAt(list, i);
    if (finding.exception != 0 || !isListed(effective, finding)) continue;
    countFinding(ruleClass(finding.rule), stopped);
    countRuleHit(ruleIndex(finding.rule), blocking);
  }
  if (stopped) logRefusal(effective, outcome, stream.inspected);
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

/** Makes the next answer one of a request of which nothing is known. */
export function nameNobody(): void {
  putNewUuid(SPARE_ID);
  setVerdictNames(0, 0, SPARE_ID, 0);
}

/** Answers the request from here with `status`; `tellVerdict` has run for it. */
export function answer(status: u32): void {
  if (status == 413)
    writeProblem(status, "Content Too Large", "The body is larger than what is inspected before it is passed on.");
  else if (status == 415)
    writeProblem(status, "Unsupported Media Type", "The body has a content coding that cannot be inspected.");
  else if (status == 503) writeProblem(status, "Service Unavailable", "The request could not be inspected.");
  else writeProblem(403, "Forbidden", "The request was refused by policy.");
  // -1: Envoy derives the gRPC status from the HTTP status.
  respond(status, DETAILS, detailsEnd, textStart, textEnd, HEADERS, headersEnd, -1);
}
