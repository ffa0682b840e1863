// Findings leave as events: a log record each, in batches, to the OpenTelemetry collector that the policy names. Nothing waits for it.
//
//   stream ends ──► record ──► ring (report/events.ts) ──► batch ──► proxy_http_call ──┬─ 2xx ───────────────► taken, the next one goes
//                                 ▲      tick │ answer │ 64 KiB wait                   ├─ 429, 5xx, no answer ► kept, tried again later
//                                 └────────────────────────────────────────────────────┴─ else ──────────────► dropped, counted
//
// One call at a time a VM. What is not answered for stays in the ring, over pushes too, so that a record may come twice but is lost
// only where the ring is full, the collector refuses it, the last plugin that sends goes, or the VM crashes. All plugins in a VM
// send to one collector: that of the newest root whose policy names one.

import { Buffer, HeaderMap, LogLevel, Status } from "../abi/enums";
import { environment, variable, variableEnd } from "../abi/environ";
import {
  actOn,
  callHttp,
  finishDone,
  given,
  givenEnd,
  givenToken,
  log,
  now,
  readBuffer,
  readHeaders,
} from "../abi/host";
import { byteAt, findByte, isDigit, putByte, putBytes, putDecimal, withoutPort } from "../core/bytes";
import { Char } from "../core/char";
import { findingAt, findingCount } from "../core/findings";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { putText, textIs, textSize } from "../core/text";
import { VERSION } from "../generated/version";
import { exceptionAt, isListed } from "../policy/decide";
import { endpointAt, ENDPOINTS, endpointsSeen, isDue, settleEndpoint } from "../observe/endpoints";
import { Policy } from "../policy/layout";
import { requestIdentity, requestIdentityEnd } from "../policy/request";
import { effectiveMode } from "../policy/resolve";
import { countEventsDropped, countEventsSent } from "../report/counters";
import {
  batch,
  batchCount,
  batchEnd,
  dropEvents,
  finishBatch,
  keepEvent,
  openBatch,
  pending,
  pendingBytes,
} from "../report/events";
import { TRACE_ID_SIZE } from "../report/ids";
import {
  About,
  ENDPOINT_CAPACITY,
  pushEndpoint,
  addToResource,
  openResource,
  POLICY_ID,
  pushRecord,
  RECORD_CAPACITY,
  rejectedRecords,
} from "../report/otlp";
import { retryDelay } from "../report/retry";
import { putTemplate } from "../report/template";
import { resolveIdentity } from "./identity";
import { flushEventCounters } from "./metrics";
import { property, readServiceName } from "./property";
import { firstRoot, policyOf, Root, rootOf } from "./root";
import { effectiveOf, hostOf, methodOf, pathOf, requestIdOf, routeOf, Stream, traceIdAt } from "./stream";

// --- records ------------------------------------------------------------------------------------------------------------

const ABOUT: usize = memory.data(128, 8);
/** Room for one record, written from its end. */
const RECORD: usize = memory.data(4096, 8);
const RECORD_END: usize = RECORD + 4096;
const ROUTE_ROOM: usize = 160;
const ROUTE: usize = memory.data(160, 8);
const NO_POLICY: usize = memory.data(16, 8);

/** `proxy_on_log`: a stream has ended; a record for each of its listed findings. */
export function reportFindings(stream: Stream): void {
  const list = stream.findings;
  if (list == 0 || stream.root == 0) return;
  const policy = policyOf(changetype<Root>(stream.root));
  if (policy === null || policy.eventsCluster == 0) return;
  const effective = effectiveOf(stream);
  let known = false;
  for (let i: u32 = 0; i < findingCount(list); i++) {
    const finding = findingAt(list, i);
    if (!isListed(effective, finding)) continue;
    if (!known) readAbout(stream, policy);
    known = true;
    let exception: usize = 0;
    let exceptionEnd: usize = 0;
    // Of a policy that the stream did not see the end of, the number would name another exception.
    if (finding.exception != 0 && stream.generation == policy.generation) {
      exception = exceptionAt(policy, finding.exception).id;
      exceptionEnd = exceptionAt(policy, finding.exception).idEnd;
    }
    const record = pushRecord(RECORD_END, changetype<About>(ABOUT), finding, exception, exceptionEnd);
    keepRecord(record, RECORD_END, policy);
  }
}

/**
 * Keeps a record that was made under a policy; false where there is no room for it, which is counted. It is sent when its stream has
 * ended: to send is to act on another context than the stream's.
 */
export function keepRecord(record: usize, recordEnd: usize, policy: Policy): bool {
  const kept = keepEvent(record, recordEnd, policyIdOf(policy));
  if (!kept) countEventsDropped(1);
  return kept;
}

/** A stream has ended: a flood of events need not wait for the tick. */
export function hurryEvents(): void {
  if (pendingBytes >= HURRY && pauseTicks == 0) send();
}

/** What the records of a stream have in common; up to eight host calls, only for streams with findings. */
function readAbout(stream: Stream, policy: Policy): void {
  if (isDefined(CHECKED)) assert(offsetof<About>() <= 128 && RECORD_CAPACITY == 4096); // they fit their buffers
  const about = changetype<About>(ABOUT);
  about.time = now();
  about.outcome = stream.outcome;
  about.mode = <u8>effectiveMode(effectiveOf(stream));
  about.requestId = requestIdOf(stream);
  about.traceId = stream.hasTrace ? traceIdAt(stream) : 0;
  about.spanId = stream.hasTrace ? traceIdAt(stream) + TRACE_ID_SIZE + 1 : 0;
  about.status = property("response\0code") ? <u32>numberGiven() : 0;
  about.outbound = stream.outbound;
  about.schemed = property("request\0scheme");
  about.https = about.schemed && textIs(given, givenEnd, "https");
  about.schemed = about.https || (about.schemed && textIs(given, givenEnd, "http"));
  resolveIdentity(stream, policy);
  about.principal = requestIdentity;
  about.principalEnd = requestIdentityEnd;
  let path: usize = 0;
  let pathEnd: usize = 0;
  if (stream.kept) {
    about.host = hostOf(stream);
    about.hostEnd = about.host + stream.hostKept;
    about.method = methodOf(stream);
    about.methodEnd = about.method + stream.methodKept;
    path = pathOf(stream);
    pathEnd = path + stream.pathKept;
  } else {
    about.host = about.hostEnd = about.method = about.methodEnd = 0;
    if (readHeaders(HeaderMap.HttpRequestHeaders) == Status.Ok) openPairs(given, givenEnd);
    else openPairs(0, 0);
    while (nextPair()) {
      if (textIs(pairName, pairNameEnd, ":authority")) {
        about.host = pairValue;
        about.hostEnd = pairValueEnd;
      } else if (textIs(pairName, pairNameEnd, ":method")) {
        about.method = pairValue;
        about.methodEnd = pairValueEnd;
      } else if (textIs(pairName, pairNameEnd, ":path")) {
        path = pairValue;
        pathEnd = findByte(path, pairValueEnd, Char.Question);
      }
    }
  }
  about.hostEnd = withoutPort(about.host, about.hostEnd);
  about.route = ROUTE;
  about.routeEnd = putRoute(ROUTE, stream, path, pathEnd);
}

/** Writes the endpoint of a stream, whose path is `path..pathEnd`: the matched route where that is one, else a template; its end. */
export function putRoute(out: usize, stream: Stream, path: usize, pathEnd: usize): usize {
  const route = routeOf(stream);
  if (stream.routeSize != 0 && isOneEndpoint(route, route + stream.routeSize)) {
    return putBytes(out, route, route + stream.routeSize);
  }
  return path == pathEnd ? out : putTemplate(out, ROUTE_ROOM, path, pathEnd);
}

/** The whole number that a property holds; 0 where it is none. */
function numberGiven(): u64 {
  return givenEnd - given == 8 ? load<u64>(given) : 0;
}

/** Whether the template of a route is one of paths of the same form: "/blog/**" is many endpoints. */
export function isOneEndpoint(start: usize, end: usize): bool {
  for (; start + 1 < end; start++) {
    if (byteAt(start) == Char.Star && byteAt(start + 1) == Char.Star) return false;
  }
  return true;
}

// --- who says it --------------------------------------------------------------------------------------------------------

/** Learns what this proxy's records have in common, from the node; called while a configuration arrives. */
export function readResource(): void {
  used = true;
  openResource();
  if (property("xds\0node\0id")) addToResource("service.instance.id", given, givenEnd);
  if (property("xds\0node\0metadata\0NAMESPACE")) addToResource("service.namespace", given, givenEnd);
  if (readServiceName()) {
    addToResource("service.name", given, givenEnd);
  } else {
    addToResource("service.name", LINE, putText(LINE, "unknown"));
  }
}

// --- sending ------------------------------------------------------------------------------------------------------------

/** Bytes of events with which a call does not wait for the tick. */
const HURRY: usize = 65536;
/** Milliseconds after which Envoy answers in the collector's place. */
const TIMEOUT: u32 = 10000;
/** Ticks between two lines about a collector that does not take events. */
const LINE_TICKS: u32 = 60;

/** The call that is open, and the root that it belongs to; 0 for none. */
let call: u32 = 0;
let callRoot: u32 = 0;
/** Failures in a row, and ticks until the next attempt. */
let failures: u32 = 0;
let pauseTicks: u32 = 0;
/** Ticks until trouble may be told again. */
let quietTicks: u32 = 0;

/** Some plugin of this VM has sent events, or will. */
let used: bool = false;

/** Takes counts to the statistics. */
export function flushEvents(): void {
  if (used) flushEventCounters();
}

/** `proxy_on_tick`, once a second. */
export function tickEvents(): void {
  if (quietTicks > 0) quietTicks--;
  if (pauseTicks > 0) pauseTicks--;
  keepEndpoints();
  if (pauseTicks == 0) send();
}

/** Room for the record of an endpoint, written from its end. */
const OBSERVATION: usize = memory.data(8192, 8);
const OBSERVATION_END: usize = OBSERVATION + 8192;
/** Endpoints that are told in one tick. */
const TELLS: u32 = 64;

/** Records of the endpoints that are due; those for which there is no room stay due. */
function keepEndpoints(): void {
  const root = endpointsSeen ? sender() : null;
  if (root === null) return;
  const policy = policyOf(root);
  if (policy === null) return;
  if (isDefined(CHECKED)) assert(ENDPOINT_CAPACITY == 8192);
  const time = now();
  const second = <u32>(time / 1000000000);
  let told: u32 = 0;
  for (let place: u32 = 0; place < ENDPOINTS && told < TELLS; place++) {
    const endpoint = endpointAt(place);
    if (!isDue(endpoint, second)) continue;
    const record = pushEndpoint(OBSERVATION_END, endpoint, time);
    if (!keepEvent(record, OBSERVATION_END, policyIdOf(policy))) return;
    settleEndpoint(endpoint, second);
    told++;
  }
}

/** The id of a policy, 12 bytes. */
function policyIdOf(policy: Policy): usize {
  return policy.idEnd - policy.id == POLICY_ID ? policy.id : NO_POLICY;
}

/** The newest root that sends and is not about to go; null for none. */
function sender(): Root | null {
  for (let at = firstRoot; at != 0;) {
    const root = changetype<Root>(at);
    if (!root.closing && sends(root)) return root;
    at = root.after;
  }
  return null;
}

function sends(root: Root): bool {
  const policy = policyOf(root);
  return policy !== null && policy.eventsCluster != 0;
}

/** Sends what waits longest, unless a call is open. */
function send(): void {
  if (pending == 0 || call != 0) return;
  const root = sender();
  // Whoever took them is gone, and nobody is left to send them.
  if (root === null) countEventsDropped(dropEvents());
  else sendBy(root);
}

function sendBy(root: Root): void {
  const policy = policyOf(root);
  if (policy === null || !openBatch()) return;
  actOn(root.contextId);
  const headersEnd = writeHeaders(policy);
  const status = callHttp(policy.eventsCluster, policy.eventsClusterEnd, HEADERS, headersEnd, batch, batchEnd, TIMEOUT);
  if (status != Status.Ok) return retry(status == Status.BadArgument ? NO_CLUSTER : 0, 0);
  call = givenToken;
  callRoot = root.contextId;
}

/** `proxy_on_http_call_response`: the collector has answered, or Envoy for it. */
export function onEventsAnswer(rootId: u32, token: u32, size: u32): void {
  if (token != call || rootId != callRoot) return;
  call = callRoot = 0;
  readAnswer();
  if (answerStatus / 100 == 2) {
    let rejected: u64 = 0;
    if (size != 0 && readBuffer(Buffer.HttpCallResponseBody, 0, min(size, ANSWER)) == Status.Ok) {
      rejected = min<u64>(rejectedRecords(given, givenEnd), batchCount);
    }
    countEventsDropped(<u32>rejected);
    countEventsSent(batchCount - <u32>rejected);
    failures = 0;
    finishBatch();
  } else if (answerStatus == 429 || answerStatus / 100 == 5 || answerStatus == 0) {
    retry(answerStatus, answerWait);
  } else {
    countEventsDropped(batchCount);
    tell(answerStatus, "dropped");
    finishBatch();
  }
  const root = rootOf(rootId);
  if (root !== null && root.closing) finishDone();
  else if (pauseTicks == 0 && failures == 0) send();
}

/** Told in the place of a status: Envoy does not know the policy's cluster. */
const NO_CLUSTER: u32 = 1;

/** Bytes of an answer that are read. */
const ANSWER: u32 = 4096;

/** What the answer's headers say: its status and `retry-after` in seconds, 0 for none. */
let answerStatus: u32 = 0;
let answerWait: u32 = 0;

function readAnswer(): void {
  answerStatus = answerWait = 0;
  if (readHeaders(HeaderMap.HttpCallResponseHeaders) != Status.Ok) return;
  openPairs(given, givenEnd);
  while (nextPair()) {
    if (textIs(pairName, pairNameEnd, ":status")) answerStatus = wholeNumber(pairValue, pairValueEnd);
    else if (textIs(pairName, pairNameEnd, "retry-after")) answerWait = wholeNumber(pairValue, pairValueEnd);
  }
}

/** A run of up to nine digits as a number; 0 for anything else, such as a date. */
function wholeNumber(start: usize, end: usize): u32 {
  if (end - start > 9) return 0;
  let value: u32 = 0;
  for (; start < end; start++) {
    if (!isDigit(byteAt(start))) return 0;
    value = value * 10 + (byteAt(start) - Char._0);
  }
  return value;
}

function retry(status: u32, asked: u32): void {
  failures = min(failures + 1, 32);
  // The tick that is under way counts as none.
  pauseTicks = retryDelay(failures, asked) + 1;
  tell(status, "kept for later");
}

const LINE: usize = memory.data(256);

function tell(status: u32, fate: string): void {
  if (quietTicks != 0) return;
  quietTicks = LINE_TICKS;
  let end = putText(LINE, "meshward: the collector does not take events (");
  if (status < 100) end = putText(end, status == NO_CLUSTER ? "Envoy has no such cluster" : "no answer");
  else end = putDecimal(putText(end, "HTTP "), status);
  end = putDecimal(putText(end, "), "), batchCount);
  log(LogLevel.Warn, LINE, putText(putText(end, " of them "), fate));
}

// --- the life of roots --------------------------------------------------------------------------------------------------

/** `proxy_on_done` of a root. True: its end need not wait for an answer. */
export function closeSender(root: Root): bool {
  if (!sends(root)) return true;
  root.closing = true;
  // The last one that sends does what one call can.
  if (call == 0 && pending != 0 && sender() === null) sendBy(root);
  return callRoot != root.contextId;
}

/** `proxy_on_delete` of a root: Envoy has cancelled its call, and what was in it goes again. */
export function forgetSender(root: Root): void {
  if (callRoot == root.contextId) call = callRoot = 0;
}

// --- the request's headers ----------------------------------------------------------------------------------------------

const HEADERS: usize = memory.data(8192, 8);
/** Bytes of a token that are sent; a longer one is none. */
const TOKEN_ROOM: usize = 4096;
let sizes: usize = 0;
let texts: usize = 0;

/** Writes the pairs of a request to the policy's collector; their end. */
function writeHeaders(policy: Policy): usize {
  const authorized = environment("MESHWARD_OTLP_TOKEN") && isToken(variable, variableEnd);
  const count: u32 = authorized ? 7 : 6;
  store<u32>(HEADERS, count);
  sizes = HEADERS + 4;
  texts = sizes + (count << 3);
  putHeader(":method", LINE, putText(LINE, "POST"));
  putHeader(":path", policy.eventsPath, policy.eventsPathEnd);
  putHeader(":authority", policy.eventsAuthority, policy.eventsAuthorityEnd);
  putHeader(":scheme", LINE, putText(LINE, policy.eventsTls ? "https" : "http"));
  putHeader("content-type", LINE, putText(LINE, "application/x-protobuf"));
  putHeader("user-agent", LINE, putText(putText(LINE, "meshward/"), VERSION));
  if (authorized) {
    // Written where it stands: it is not copied anywhere else.
    const value = putText(putByte(putText(texts, "authorization"), 0), "Bearer ");
    const valueEnd = putBytes(value, variable, variableEnd);
    store<u32>(sizes, 13);
    store<u32>(sizes, <u32>(valueEnd - value + 7), 4);
    texts = putByte(valueEnd, 0);
  }
  return texts;
}

function putHeader(name: string, start: usize, end: usize): void {
  store<u32>(sizes, textSize(name));
  store<u32>(sizes, <u32>(end - start), 4);
  sizes += 8;
  texts = putByte(putBytes(putByte(putText(texts, name), 0), start, end), 0);
}

/** Whether a token can stand in a header: visible ASCII, not too long. */
function isToken(start: usize, end: usize): bool {
  if (end - start > TOKEN_ROOM) return false;
  for (; start < end; start++) {
    if (byteAt(start) - 0x21 > 0x5d) return false;
  }
  return true;
}
