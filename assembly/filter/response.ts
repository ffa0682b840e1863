// The response to a request that holds values which it may show. Its headers are judged when they come, the beginning of its body in
// one piece once it is there; nothing waits for that and nothing is changed.
//
//   headers ──► from the service itself? ──► a share of all (observe/sample.ts) ──► headers judged ──► body of a kind that is read?
//   body ─────► copied, inflated where it is coded, up to REPLY_CAPACITY ──► judged at its end, or where that is full
//
// Envoy's own replies, our refusals, redirects that Envoy follows and tries that it repeats are not the service's: only what has
// `response.code_details` of "via_upstream" is judged. Where a chunk ends makes no difference, since all is judged at once.

import { Buffer, HeaderMap, Status } from "../abi/enums";
import { given, givenEnd, now, readBuffer, readHeaders } from "../abi/host";
import { isDigit, byteAt, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { closeFindings, findings } from "../core/findings";
import { HASH_SEED, hashBytes } from "../core/hash";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { sipHash } from "../core/siphash";
import { textIs, textIsNoCase, textStartsNoCase } from "../core/text";
import {
  feedInflate,
  inflated,
  inflatedEnd,
  InflateEvent,
  INFLATE_STEP,
  nextInflate,
  openInflate,
} from "../decode/inflate";
import { beginBearing, borne } from "../inspect/bear";
import { inspectDisclosure } from "../inspect/disclosure";
import { inspectErrors } from "../inspect/errors";
import { inspectEvaluation, learnPlaces } from "../inspect/evaluation";
import { inspectHeaders } from "../inspect/header-injection";
import {
  credentials,
  endpoint,
  essenceEnd,
  Fact,
  facts,
  host,
  hostEnd,
  https,
  path,
  pathEnd,
  setFacts,
  setResponse,
  typeEnd as mediaTypeEnd,
} from "../inspect/exchange";
import { setTime } from "../inspect/note";
import { inspectPassiveBody, inspectPassiveHeaders } from "../inspect/passive";
import { inspectAmount, inspectLoginOutcome, inspectTags, learnNumbers } from "../inspect/outcome";
import { inspectMeta, inspectScript, inspectTarget, refreshTarget } from "../inspect/redirect";
import { inspectReflection } from "../inspect/reflection";
import { bodyTypeOf, BodyType, setReply } from "../inspect/reply";
import { wasInspected } from "../observe/bodies";
import { hashingKey } from "../observe/hop-keys";
import { loseExchange } from "../observe/ids";
import { keepLocation, keepType, Observed, observedType } from "../observe/observed";
import { countResponse, endpointOf, takeInspection } from "../observe/sample";
import { decodeValues, restoreValues, Watch } from "../observe/taint";
import { Policy } from "../policy/layout";
import { requestMethod, requestMethodEnd, requestPath, requestPathEnd } from "../policy/request";
import { countOverflow, Outcome, Overflow } from "../report/counters";
import { addCodings, areTwo, canRead, wrappersOf } from "./inflating";
import { decideNow } from "./judgement";
import { property } from "./property";
import { keepComponents, learn, openObserved } from "./observing";
import { openStreamAgain, policyFor } from "./request";
import { tellVerdict } from "./respond";
import { seekStored } from "./stored";
import { claimInflater, claimReply, closeTaints, REPLY_CAPACITY, Stream, streamOf } from "./stream";

/** Bytes of a coded body that are inflated at most. */
const CODED_CAPACITY: u32 = 4 * REPLY_CAPACITY;

// What the walk over the headers found.
let status: u32 = 0;
let type: usize = 0;
let typeEnd: usize = 0;
let location: usize = 0;
let locationEnd: usize = 0;
let refresh: usize = 0;
let refreshEnd: usize = 0;
let codings: u32 = 0;
let nosniff: bool = false;
let attached: bool = false;

/** `proxy_on_response_headers`. */
export function onResponseHeaders(contextId: u32, endOfStream: bool): void {
  countResponse();
  atWork = 0;
  const stream = streamOf(contextId);
  if (stream === null || stream.taints == 0) return;
  const policy = policyFor(stream);
  if (policy !== null && judgeHeaders(stream, policy, endOfStream)) return;
  if (policy !== null) learn(stream, policy, changetype<Watch>(stream.taints));
  closeTaints(stream);
}

/** Judges the headers; whether the body is to be judged, too. */
function judgeHeaders(stream: Stream, policy: Policy, endOfStream: bool): bool {
  if (!property("response\0code_details") || !textIs(given, givenEnd, "via_upstream")) return false;
  if (readHeaders(HeaderMap.HttpResponseHeaders) != Status.Ok) return false;
  const headers = given;
  const headersEnd = givenEnd;
  readReply(headers, headersEnd);
  if (status < 200) return false;
  const watch = changetype<Watch>(stream.taints);
  if (stream.outbound) {
    watch.status = status;
    keepType(watch.observed, type, essenceEnd(type, typeEnd));
    return false;
  }
  openStreamAgain(stream, policy);
  if (watch.observed == 0) {
    if (isDefined(CHECKED)) assert(watch.count != 0);
    const endpoint = endpointOf(requestMethod, requestMethodEnd, requestPath, requestPathEnd);
    const answer = <u32>hashBytes(type, typeEnd, HASH_SEED ^ (status / 100));
    if (!takeInspection(policy.sample, endpoint, answer, watch.suspicious)) {
      stream.findings = closeFindings();
      return false;
    }
  }
  beginBearing();
  if (watch.observed != 0) {
    openExchange(policy, watch.observed);
    setResponse(status, type, typeEnd, headers, headersEnd);
    keepType(watch.observed, type, mediaTypeEnd);
    keepLocation(watch.observed, location, locationEnd);
    inspectPassiveHeaders();
    inspectLoginOutcome(watch, policy.dryRun);
    inspectTags(watch);
    changetype<Observed>(watch.observed).facts = attached ? facts | Fact.Attached : facts;
    keepComponents(watch.observed);
  }
  inspectHeaders(watch, headers, headersEnd);
  if (decodeValues(watch)) {
    inspectHeaders(watch, headers, headersEnd);
    restoreValues(watch);
  }
  if (status / 100 == 3) inspectTarget(watch, location, locationEnd);
  if (refresh != 0) inspectTarget(watch, refreshTarget(refresh, refreshEnd), refreshEnd);
  tellBorne(stream, policy);
  watch.status = status;
  let kind = bodyTypeOf(type, typeEnd, nosniff);
  if (attached && kind != BodyType.None) kind = BodyType.Text;
  watch.bodyKind = <u8>kind;
  if (endOfStream || kind == BodyType.None || status == 204 || status == 304) return false;
  watch.torn = codings != 0 && !openCoding(watch);
  return !watch.torn;
}

function readReply(headers: usize, headersEnd: usize): void {
  status = codings = 0;
  type = typeEnd = location = locationEnd = refresh = refreshEnd = 0;
  nosniff = attached = false;
  openPairs(headers, headersEnd);
  while (nextPair()) {
    if (textIs(pairName, pairNameEnd, ":status")) {
      status = 0;
      for (let at = pairValue; at < pairValueEnd && isDigit(byteAt(at)); at++)
        status = status * 10 + (byteAt(at) - Char._0);
    } else if (textIs(pairName, pairNameEnd, "content-type")) {
      type = pairValue;
      typeEnd = pairValueEnd;
    } else if (textIs(pairName, pairNameEnd, "location")) {
      location = pairValue;
      locationEnd = pairValueEnd;
    } else if (textIs(pairName, pairNameEnd, "refresh")) {
      refresh = pairValue;
      refreshEnd = pairValueEnd;
    } else if (textIs(pairName, pairNameEnd, "content-encoding")) {
      codings = addCodings(codings, pairValue, pairValueEnd);
    } else if (textIs(pairName, pairNameEnd, "x-content-type-options")) {
      nosniff = textIsNoCase(pairValue, pairValueEnd, "nosniff");
    } else if (textIs(pairName, pairNameEnd, "content-disposition")) {
      attached = textStartsNoCase(pairValue, pairValueEnd, "attachment");
    }
  }
}

/** Opens what a coded body is inflated with; false where it is not read. */
function openCoding(watch: Watch): bool {
  if (!canRead(codings) || areTwo(codings)) {
    countOverflow(Overflow.Unread);
    return false;
  }
  watch.inflater = claimInflater();
  if (watch.inflater == 0) {
    countOverflow(Overflow.Inflaters);
    return false;
  }
  openInflate(watch.inflater, wrappersOf(codings), INFLATE_STEP);
  return true;
}

/** `proxy_on_response_body`. */
export function onResponseBody(contextId: u32, size: u32, endOfStream: bool): void {
  const stream = streamOf(contextId);
  if (stream === null || stream.taints == 0) return;
  const watch = changetype<Watch>(stream.taints);
  if (watch.status == 0) return;
  if (size != 0 && !takeChunk(watch, size)) {
    loseExchange();
    return closeTaints(stream);
  }
  const limit = watch.inflater == 0 ? REPLY_CAPACITY : CODED_CAPACITY;
  if (endOfStream || watch.size == REPLY_CAPACITY || watch.received >= limit) endResponse(stream);
}

/** Adds a chunk to the body; false where there is no room for one, or it cannot be read. */
function takeChunk(watch: Watch, size: u32): bool {
  if (watch.buffer == 0) {
    watch.buffer = claimReply();
    if (watch.buffer == 0) {
      countOverflow(Overflow.Responses);
      return false;
    }
  }
  const room = (watch.inflater == 0 ? REPLY_CAPACITY : CODED_CAPACITY) - watch.received;
  if (readBuffer(Buffer.HttpResponseBody, 0, min(size, room)) != Status.Ok) return false;
  watch.received += <u32>(givenEnd - given);
  if (watch.inflater == 0) {
    append(watch, given, givenEnd);
    return true;
  }
  feedInflate(watch.inflater, given, givenEnd);
  while (watch.size < REPLY_CAPACITY) {
    const event = nextInflate(watch.inflater);
    if (event == InflateEvent.Piece) {
      append(watch, inflated, inflatedEnd);
      continue;
    }
    // What follows is not read; what came before it is judged.
    if (event >= InflateEvent.Broken) {
      watch.received = CODED_CAPACITY;
      watch.torn = true;
    }
    break;
  }
  return true;
}

function append(watch: Watch, start: usize, end: usize): void {
  end = min(end, start + (REPLY_CAPACITY - watch.size));
  putBytes(watch.buffer + watch.size, start, end);
  watch.size += <u32>(end - start);
}

/** `proxy_on_response_trailers`. */
export function onResponseEnd(contextId: u32): void {
  const stream = streamOf(contextId);
  if (stream !== null) endResponse(stream);
}

/** Judges what there is of the body, and gives back what the stream holds for it. */
export function endResponse(stream: Stream): void {
  if (stream.taints == 0) return;
  const watch = changetype<Watch>(stream.taints);
  const policy = policyFor(stream);
  atWork = 0;
  if (policy !== null) {
    if (watch.size != 0) judgeBody(stream, policy, watch);
    learn(stream, policy, watch);
  }
  closeTaints(stream);
}

function judgeBody(stream: Stream, policy: Policy, watch: Watch): void {
  openStreamAgain(stream, policy);
  beginBearing();
  setReply(watch.status, <BodyType>watch.bodyKind, watch.buffer, watch.buffer + watch.size);
  if (watch.observed != 0) openExchange(policy, watch.observed);
  if (watch.count != 0) {
    inspectBody(watch);
    if (decodeValues(watch)) inspectBody(watch);
  }
  if (watch.observed != 0) {
    const kept = observedType(watch.observed);
    setResponse(watch.status, kept, kept + changetype<Observed>(watch.observed).typeSize, 0, 0);
    setFacts(changetype<Observed>(watch.observed).facts);
    if (!policy.dryRun) {
      inspectAmount(watch);
      learnPlaces(watch);
    }
    if (policy.dryRun || watch.suspicious || !wasInspected(hashOfReply(watch), exchangeTime)) {
      if (!policy.dryRun && !watch.suspicious) learnNumbers();
      inspectPassiveBody();
      seekStored(stream, watch);
      keepComponents(watch.observed);
    }
  }
  tellBorne(stream, policy);
}

/** Names the body together with what its checks ask of the exchange besides. */
function hashOfReply(watch: Watch): u64 {
  let about = hashBytes(host, hostEnd, hashBytes(path, pathEnd, HASH_SEED ^ endpoint));
  about = (about ^ facts) * 0x100000001b3;
  about = (about ^ watch.status ^ ((<u32>watch.bodyKind) << 16)) * 0x100000001b3;
  about = (about ^ credentials ^ ((<u32>https) << 16)) * 0x9e3779b97f4a7c15;
  return sipHash(hashingKey(0), watch.buffer, watch.buffer + watch.size) ^ about;
}

/** The block whose request is the exchange at work; 0 for none since the callback began. */
let atWork: usize = 0;
/** When the callback began that it is at work in, nanoseconds since the epoch. */
export let exchangeTime: u64 = 0;

/** Makes what was kept of a request the exchange at work, for checks and what is learned behind them: once in a callback. */
export function openExchange(policy: Policy, observed: usize): void {
  if (atWork == observed) return;
  atWork = observed;
  exchangeTime = now();
  // A dry run judges each exchange by itself.
  setTime(policy.dryRun ? 0 : exchangeTime);
  openObserved(observed);
}

function inspectBody(watch: Watch): void {
  inspectReflection(watch);
  inspectMeta(watch);
  inspectScript(watch);
  inspectErrors(watch);
  inspectDisclosure(watch);
  inspectEvaluation(watch);
}

/** Says what the response has shown, where the request's end was told already; else that tells it. */
export function tellBorne(stream: Stream, policy: Policy): void {
  if (borne) {
    decideNow();
    if (stream.counted) tellVerdict(stream, policy, <Outcome>stream.outcome, findings, true);
  }
  stream.findings = closeFindings();
}
