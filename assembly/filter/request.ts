// The life of a request. Headers are judged when they come; a body that can be read is judged chunk by chunk.
//
//   headers ──► judge ──┬─ refuse ───────────────────────────────► answer from here, the upstream sees nothing
//                       ├─ no body, or one that is not read ─────► go on, done
//                       └─ body: block mode holds the request, detect mode lets it pass
//                            chunk ──► judge ──┬─ refuse ─ held ──► answer from here
//                                              │           gone ──► reset the stream (`partial`)
//                                              ├─ limit of holding ► let go and judge on, or refuse (`onLimit`)
//                                              └─ end, trailers ──► go on, done

import { BodyAction, Buffer, HeaderMap, HeadersAction, Status } from "../abi/enums";
import { actOn, continueRequest, given, givenEnd, now, readBuffer, readHeaders, resetRequest } from "../abi/host";
import { inboxMark, releaseInbox } from "../abi/inbox";
import { byteAt, findByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { closeFindings, findings, openFindings, refreshFindings } from "../core/findings";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { textIs, textIsNoCase } from "../core/text";
import { detectHead } from "../detect/protocol";
import { refused } from "../policy/decide";
import { Mode, Policy, policySettings } from "../policy/layout";
import {
  requestHost,
  requestHostEnd,
  requestMethod,
  requestMethodEnd,
  requestPath,
  requestPathDecoded,
  requestPathDecodedEnd,
  requestPathEnd,
  setRequestIdentity,
  setRequestPath,
  setRequestTarget,
} from "../policy/request";
import { mayInspect } from "../observe/sample";
import { setTarget } from "../observe/taint";
import { effectiveMode, matchedRoute, resolve } from "../policy/resolve";
import { countOverflow, countRequest, Outcome, Overflow } from "../report/counters";
import { isUuid, putNewUuid, TRACE_SIZE, traceIdOf, UUID_SIZE } from "../report/ids";
import { isStrict, openBody } from "./body";
import { judgeCoded } from "./coding";
import { followCall } from "./calls";
import { isOutbound } from "./direction";
import { explainFindings, explainRequest } from "./explain";
import { resolveIdentity } from "./identity";
import { addCodings, canRead, offersDeflate } from "./inflating";
import { isJudgedBefore } from "./instance";
import { beginJudging, decideNow, met, NOTHING } from "./judgement";
import { answerKindOf, bodyKindOf, eitherKind, forgetType } from "./media-type";

import { dropHeader, noteValues, takeHeader } from "./journey";
import { recordInspection } from "./metrics";
import { observe, observeCall } from "./observing";
import { answer, answerNobody, tellVerdict } from "./respond";
import { isCall } from "./rpc";
import { firstRoot, policyOf, Root } from "./root";
import {
  BodyKind,
  decodedPathOf,
  effectiveOf,
  firstHeld,
  freeInflaters,
  freeMessage,
  hold,
  HOST_CAPACITY,
  hostOf,
  identityOf,
  METHOD_CAPACITY,
  methodOf,
  PATH_CAPACITY,
  pathOf,
  Phase,
  requestIdOf,
  ROUTE_CAPACITY,
  routeOf,
  Stream,
  streamOf,
  traceIdAt,
  unhold,
} from "./stream";
import { following } from "./shared-notes";
import { readPaths } from "./target";
import { judgeCookies, judgeHeader, judgePath, judgeQuery } from "./values";

/** Bytes of a body that are read from the host at once. */
const PIECE: u32 = 65536;
/** One stream in so many has its time taken. */
const SAMPLE: u32 = 128;

let streams: u32 = 0;
/** Seconds that the VM has ticked. */
let ticks: u32 = 0;

// What the first walk over the header map found.
let method: usize = 0;
let methodEnd: usize = 0;
let pathName: usize = 0;
let path: usize = 0;
let pathEnd: usize = 0;
let host: usize = 0;
let hostEnd: usize = 0;
let type: BodyKind = BodyKind.None;
let typed: bool = false;
let requestId: usize = 0;
let trace: usize = 0;
let contentType: usize = 0;
let contentTypeEnd: usize = 0;
let accept: usize = 0;
let acceptEnd: usize = 0;
let upgrade: bool = false;
let webSocket: bool = false;
let codings: u32 = 0;
let messageCodings: u32 = 0;
let hops: usize = 0;
let hopsEnd: usize = 0;
let hopHeaders: u32 = 0;
let offered: bool = false;

/** `proxy_on_request_headers`. */
export function onRequestHeaders(contextId: u32, endOfStream: bool): HeadersAction {
  const stream = streamOf(contextId);
  if (stream === null) return withoutSlot();
  const policy = policyFor(stream);
  if (policy === null) {
    dropHeader();
    return HeadersAction.Continue;
  }
  stream.phase = <u8>Phase.Done;
  if (policySettings(policy).mode == Mode.Off && !policy.dryRun) {
    dropHeader();
    countRequest(Outcome.Allowed);
    stream.counted = true;
    return HeadersAction.Continue;
  }
  if (isOutbound(policy)) {
    stream.outbound = true;
    followCall(policy);
    observeCall(stream, policy);
    return HeadersAction.Continue;
  }
  const started = startClock(stream);
  const action = judgeHeaders(stream, policy, endOfStream);
  stopClock(stream, started);
  return action;
}

function judgeHeaders(stream: Stream, policy: Policy, endOfStream: bool): HeadersAction {
  stream.watches = policy.sample != 0;
  stream.watched = mayInspect(policy.sample) || (stream.watches && following);
  beginJudging(stream, policy);
  stream.generation = policy.generation;
  openFindings(0);
  setRequestIdentity(0, 0);
  // Before the walk over the headers: reading a token's claims is a walk of the same kind.
  if (policy.asksIdentity) resolveIdentity(stream, policy);
  if (readHeaders(HeaderMap.HttpRequestHeaders) != Status.Ok) {
    countOverflow(Overflow.Headers);
    dropHeader();
    putNewUuid(requestIdOf(stream));
    setRequestTarget(0, 0, 0, 0);
    setRequestPath(0, 0, 0, 0);
    resolve(policy, effectiveOf(stream));
    return fail(stream, policy) ? HeadersAction.StopIteration : HeadersAction.Continue;
  }
  const headers = given;
  const headersEnd = givenEnd;
  readTarget(headers, headersEnd);
  keepIds(stream);
  if (hopHeaders != 0) takeHeader(stream, hops, hopsEnd, hopHeaders);
  setTarget(path, pathEnd);
  setRequestTarget(host, hostEnd, method, methodEnd);
  const query = findByte(path, pathEnd, Char.Question);
  if (policy.routes != 0 || policy.exceptions != 0 || policy.rules != 0) readPaths(path, query);
  else setRequestPath(path, query, path, query);
  resolve(policy, effectiveOf(stream));
  keepRoute(stream);
  if (isDefined(CHECKED)) explainRequest(policy, effectiveOf(stream));
  const mode = effectiveMode(effectiveOf(stream));
  if (mode == Mode.Off && !policy.dryRun) {
    decideNow();
    tell(stream, policy, Outcome.Allowed, true);
    return HeadersAction.Continue;
  }

  if (isJudgedBefore(changetype<Root>(stream.root), mode, ticks)) {
    stream.counted = true;
    stream.findings = closeFindings();
    return HeadersAction.Continue;
  }

  detectHead(headers, headersEnd);
  decideNow();
  judgePath(pathName, path, query);
  if (query < pathEnd) judgeQuery(query + 1, pathEnd);
  openPairs(headers, headersEnd);
  while (nextPair()) {
    if (byteAt(pairName) == Char.Colon && pairName < pairNameEnd) continue;
    // A UUID, and another one in each request: it would only push out what is remembered.
    if (pairValue == requestId) continue;
    if (hopHeaders != 0 && textIs(pairName, pairNameEnd, "x-meshward-taint")) continue;
    if (textIs(pairName, pairNameEnd, "cookie")) judgeCookies(pairValue, pairValueEnd);
    else judgeHeader(pairName, pairNameEnd, pairValue, pairValueEnd);
  }
  const blocking = mode == Mode.Block && !policy.dryRun;
  const refusing = decideNow() && blocking;
  if (!refusing) observe(stream, policy, headers, headersEnd);
  // Its response is judged in later callbacks.
  if (stream.taints != 0) keepTarget(stream);
  if (refusing) return deny(stream, policy, 403);
  noteValues(stream);

  if (!endOfStream) stream.bodyKind = <u8>bodyKind();
  stream.strict = isStrict(stream.bodyKind);
  // Frames of a WebSocket have no such coding.
  if (stream.bodyKind == BodyKind.WebSocket) codings = 0;
  stream.codings = <u8>codings;
  if (webSocket && stream.bodyKind != BodyKind.WebSocket && stream.bodyKind != BodyKind.None) {
    stream.framed = <u8>(offered ? 2 : 1);
  }
  stream.messageCodings = stream.bodyKind == BodyKind.WebSocket ? u8(offered) : <u8>messageCodings;
  // Judged as it stands all the same: most services do not look at the header, and take the bytes as they are.
  stream.encoded = stream.bodyKind != BodyKind.Probe && codings != 0;
  if (stream.bodyKind != BodyKind.None && stream.encoded && !canRead(codings)) {
    countOverflow(Overflow.Encoded);
    stream.limited = policy.onEncodedDeny;
    if (policy.onEncodedDeny && blocking) {
      return deny(stream, policy, 415);
    }
  }
  if (stream.bodyKind == BodyKind.None) {
    keepForEvents(stream);
    tell(stream, policy, passed(stream), true);
    return HeadersAction.Continue;
  }
  stream.phase = <u8>Phase.Body;
  keepTarget(stream);
  keepAnswer(stream);
  openBody(stream, policy.depth);
  tell(stream, policy, passed(stream), false);
  if (!blocking || upgrade || isCall(stream.bodyKind) || stream.bodyKind == BodyKind.Probe)
    return HeadersAction.Continue;
  hold(stream, ticks);
  return policy.holdHeaders ? HeadersAction.StopIteration : HeadersAction.Continue;
}

/** Refuses a stream in its headers. */
function deny(stream: Stream, policy: Policy, status: u32): HeadersAction {
  keepForEvents(stream);
  tell(stream, policy, Outcome.Denied, true);
  keepAnswer(stream);
  answer(stream, policy, status);
  return HeadersAction.StopIteration;
}

/** `proxy_on_request_body`. `size`: of the chunk, also while the request is held (see `StopIterationAndWatermark`). */
export function onRequestBody(contextId: u32, size: u32, endOfStream: bool): BodyAction {
  const stream = streamOf(contextId);
  if (stream === null || stream.phase != Phase.Body) return BodyAction.Continue;
  const policy = policyFor(stream);
  if (policy === null) return BodyAction.Continue;
  const started = startClock(stream);
  const action = judgeBody(stream, policy, size, endOfStream);
  stopClock(stream, started);
  return action;
}

function judgeBody(stream: Stream, policy: Policy, size: u32, endOfStream: bool): BodyAction {
  openStreamAgain(stream, policy);
  let offset: u32 = 0;
  const mark = inboxMark();
  do {
    const length = min(size - offset, PIECE);
    if (length != 0 && readBuffer(Buffer.HttpRequestBody, offset, length) != Status.Ok) {
      return fail(stream, policy) ? BodyAction.StopIterationAndWatermark : BodyAction.Continue;
    }
    const read: u32 = length == 0 ? 0 : <u32>(givenEnd - given);
    const last = endOfStream && offset + read >= size;
    const way = judgePiece(stream, policy, given, given + read, last);
    if (way != Way.On) return way == Way.Refused ? BodyAction.StopIterationAndWatermark : BodyAction.Continue;
    releaseInbox(mark);
    offset += read;
    stream.inspected += read;
    if (read < length || read == 0) break;
  } while (offset < size);
  if (endOfStream) {
    finish(stream, policy);
    return BodyAction.Continue;
  }
  stream.findings = closeFindings();
  // What is never held meets no limit of holding.
  if (isCall(stream.bodyKind)) return BodyAction.Continue;
  if (stream.inspected >= policy.holdBytes) stream.limited = stream.limited || policy.onLimitDeny;
  if (!stream.held) return BodyAction.Continue;
  if (stream.inspected < policy.holdBytes) return BodyAction.StopIterationAndWatermark;
  countOverflow(Overflow.Hold);
  if (policy.onLimitDeny) {
    openFindings(stream.findings);
    refuse(stream, policy, 413);
    return BodyAction.StopIterationAndWatermark;
  }
  unhold(stream);
  return BodyAction.Continue;
}

const enum Way {
  /** The body goes on. */
  On,
  Refused,
  /** The stream goes on, and is not looked at any more. */
  Over,
}

/** Judges a piece of a body, and does what the policy says about it. */
function judgePiece(stream: Stream, policy: Policy, start: usize, pieceEnd: usize, last: bool): Way {
  let bound = judgeCoded(stream, start, pieceEnd, last, policy.depth);
  if (bound >= 0) countOverflow(bound);
  if (met != NOTHING) {
    bound = met;
    countOverflow(met);
  }
  if (decideNow() && isBlocking(stream, policy)) {
    refuse(stream, policy, 403);
    return Way.Refused;
  }
  noteValues(stream);
  if (bound >= 0 && bound != Overflow.Encoded) return overflow(stream, policy) ? Way.Refused : Way.Over;
  if ((bound == Overflow.Encoded || stream.compressed) && policy.onEncodedDeny) {
    stream.limited = true;
    if (isBlocking(stream, policy)) {
      refuse(stream, policy, 415);
      return Way.Refused;
    }
  }
  if (stream.bodyKind != BodyKind.None || stream.codings != 0) return Way.On;
  finish(stream, policy);
  return Way.Over;
}

/** `proxy_on_request_trailers`: with trailers the body's end was never said. */
export function onRequestTrailers(contextId: u32): HeadersAction {
  const stream = streamOf(contextId);
  if (stream === null || stream.phase != Phase.Body) return HeadersAction.Continue;
  const policy = policyFor(stream);
  if (policy === null) return HeadersAction.Continue;
  openStreamAgain(stream, policy);
  const way = judgePiece(stream, policy, given, given, true);
  if (way != Way.On) return way == Way.Refused ? HeadersAction.StopIteration : HeadersAction.Continue;
  finish(stream, policy);
  return HeadersAction.Continue;
}

/** `proxy_on_log`: a stream that broke off in its body is counted as far as it came. */
export function onLog(stream: Stream): void {
  const policy = policyFor(stream);
  if (policy === null || stream.phase != Phase.Body) return;
  openStreamAgain(stream, policy);
  decideNow();
  finish(stream, policy);
}

/**
 * Streams that are let go in one tick. Envoy answers some of them at once (no connection is free, no host is healthy), each inside of
 * the one before: thousands of them would overflow its stack.
 */
const RELEASES: u32 = 16;

/** `proxy_on_tick`, once a second. */
export function tickStreams(): void {
  ticks++;
}

/** Lets streams go that were held too long, or refuses them; whether there are more than may go at once. */
export function releaseStreams(): bool {
  let released: u32 = 0;
  for (let at = firstHeld; at != 0;) {
    const stream = changetype<Stream>(at);
    at = stream.heldAfter;
    const policy = policyFor(stream);
    // The tick is the grain: never less than `holdMillis`, and up to a tick more.
    if (policy === null || <u64>(ticks - stream.heldTick) * 1000 <= policy.holdMillis) continue;
    if (released++ == RELEASES) return true;
    countOverflow(Overflow.Hold);
    actOn(stream.contextId);
    if (policy.onLimitDeny) {
      openStreamAgain(stream, policy);
      decideNow();
      refuse(stream, policy, 413);
      continue;
    }
    unhold(stream);
    continueRequest();
  }
  return false;
}

/** The policy of a stream; null where its root was never configured. */
export function policyFor(stream: Stream): Policy | null {
  return stream.root == 0 ? null : policyOf(changetype<Root>(stream.root));
}

/** A stream that got no slot: the newest root's `onError` decides, and there is nothing to answer with but a bare status. */
function withoutSlot(): HeadersAction {
  countOverflow(Overflow.Streams);
  dropHeader();
  countRequest(Outcome.Error);
  if (firstRoot == 0) return HeadersAction.Continue;
  const policy = policyOf(changetype<Root>(firstRoot));
  if (policy === null || !policy.onErrorDeny || policySettings(policy).mode != Mode.Block)
    return HeadersAction.Continue;
  answerNobody(policy, 503);
  return HeadersAction.StopIteration;
}

/** The filter could not do its work: `onError` decides. True where the request was refused. */
function fail(stream: Stream, policy: Policy): bool {
  const denied = policy.onErrorDeny && isBlocking(stream, policy);
  decideNow();
  end(stream, policy, Outcome.Error);
  if (denied) answer(stream, policy, 503);
  return denied;
}

/** A bound was met: `onOverflow` decides. True where the request was refused. */
function overflow(stream: Stream, policy: Policy): bool {
  decideNow();
  stream.limited = policy.onOverflowDeny;
  if (!policy.onOverflowDeny || !isBlocking(stream, policy)) {
    finish(stream, policy);
    return false;
  }
  refuse(stream, policy, 413);
  return true;
}

/**
 * Refuses a stream in its body: from here while it is held, by a reset once part of it has passed. A call gets an answer in any case
 * (which Envoy makes a reset where the service's has begun), and is denied as long as none of its messages has passed.
 */
function refuse(stream: Stream, policy: Policy, status: u32): void {
  const held = stream.held || (isCall(stream.bodyKind) && stream.inspected == 0);
  end(stream, policy, held ? Outcome.Denied : Outcome.Partial);
  if (held || isCall(stream.bodyKind)) answer(stream, policy, status);
  else resetRequest();
}

/** The body has ended and nothing was refused. */
function finish(stream: Stream, policy: Policy): void {
  end(stream, policy, passed(stream));
}

/** The outcome of a stream that went on: whether block mode would have refused it. */
function passed(stream: Stream): Outcome {
  return refused || stream.limited ? Outcome.WouldDeny : Outcome.Allowed;
}

/** Says the last word about a stream; `decide` has run. */
function end(stream: Stream, policy: Policy, outcome: Outcome): void {
  unhold(stream);
  freeMessage(stream);
  freeInflaters(stream);
  stream.phase = <u8>Phase.Done;
  tell(stream, policy, outcome, true);
}

function tell(stream: Stream, policy: Policy, outcome: Outcome, final: bool): void {
  tellVerdict(stream, policy, outcome, findings, final);
  if (isDefined(CHECKED) && final && policy.explain) explainFindings(policy, findings);
  stream.findings = closeFindings();
}

function isBlocking(stream: Stream, policy: Policy): bool {
  return effectiveMode(effectiveOf(stream)) == Mode.Block && !policy.dryRun;
}

/** Makes a stream in its body the one at work again. */
export function openStreamAgain(stream: Stream, policy: Policy): void {
  setTarget(0, 0);
  beginJudging(stream, policy);
  openFindings(stream.findings);
  setRequestTarget(
    hostOf(stream),
    hostOf(stream) + stream.hostSize,
    methodOf(stream),
    methodOf(stream) + stream.methodSize,
  );
  const same = stream.decodedSize == SAME_PATH;
  const start = pathOf(stream);
  const decoded = same ? start : decodedPathOf(stream);
  setRequestPath(start, start + stream.pathSize, decoded, decoded + (same ? stream.pathSize : stream.decodedSize));
  setRequestIdentity(identityOf(stream), identityOf(stream) + stream.identitySize);
  if (stream.generation != policy.generation) refreshFindings(findings);
  stream.generation = policy.generation;
  decideNow();
}

/** `decodedSize` of a path that reads the same both ways. */
const SAME_PATH: u32 = u32.MAX_VALUE;

/** Walks the header map for what is needed before anything is judged. */
function readTarget(headers: usize, headersEnd: usize): void {
  method = methodEnd = pathName = path = pathEnd = host = hostEnd = requestId = trace = 0;
  contentType = contentTypeEnd = accept = acceptEnd = 0;
  type = BodyKind.None;
  typed = false;
  forgetType();
  upgrade = webSocket = false;
  codings = messageCodings = hopHeaders = 0;
  offered = false;
  let requestIds = 0;
  let traces = 0;
  openPairs(headers, headersEnd);
  while (nextPair()) {
    switch (<u32>(pairNameEnd - pairName)) {
      case 5:
        if (textIs(pairName, pairNameEnd, ":path")) {
          pathName = pairName;
          path = pairValue;
          pathEnd = pairValueEnd;
        }
        break;
      case 6:
        if (textIs(pairName, pairNameEnd, "accept")) {
          accept = pairValue;
          acceptEnd = pairValueEnd;
        }
        break;
      case 7:
        if (textIs(pairName, pairNameEnd, ":method")) {
          method = pairValue;
          methodEnd = pairValueEnd;
        } else if (textIs(pairName, pairNameEnd, "upgrade")) {
          upgrade = true;
          webSocket = textIsNoCase(pairValue, pairValueEnd, "websocket");
        }
        break;
      case 10:
        if (textIs(pairName, pairNameEnd, ":authority")) {
          host = pairValue;
          hostEnd = pairValueEnd;
        }
        break;
      case 11:
        if (textIs(pairName, pairNameEnd, "traceparent")) {
          trace = traceIdOf(pairValue, pairValueEnd);
          traces++;
        }
        break;
      case 12:
        if (textIs(pairName, pairNameEnd, "content-type")) {
          // Of several types any one may be the service's choice.
          type = eitherKind(type, bodyKindOf(pairValue, pairValueEnd));
          typed = true;
          contentType = pairValue;
          contentTypeEnd = pairValueEnd;
        } else if (textIs(pairName, pairNameEnd, "x-request-id")) {
          requestId = isUuid(pairValue, pairValueEnd) ? pairValue : 0;
          requestIds++;
        }
        break;
      case 13:
        if (textIs(pairName, pairNameEnd, "grpc-encoding")) {
          messageCodings = addCodings(messageCodings, pairValue, pairValueEnd);
        }
        break;
      case 24:
        if (textIs(pairName, pairNameEnd, "sec-websocket-extensions")) {
          offered = offered || offersDeflate(pairValue, pairValueEnd);
        }
        break;
      case 16:
        if (textIs(pairName, pairNameEnd, "content-encoding")) {
          codings = addCodings(codings, pairValue, pairValueEnd);
        } else if (textIs(pairName, pairNameEnd, "x-meshward-taint")) {
          hops = pairValue;
          hopsEnd = pairValueEnd;
          hopHeaders++;
        }
        break;
    }
  }
  // Two of a kind are nobody's: which one the service takes is not ours to guess.
  if (requestIds != 1) requestId = 0;
  if (traces != 1) trace = 0;
}

/**
 * How the body will be read; not at all where the stream is a tunnel. A service that does not upgrade may still read a body, so one
 * with a type is judged on its way (never held: the other side may wait for the answer), and as messages too (`framed`).
 */
function bodyKind(): BodyKind {
  if (textIs(method, methodEnd, "CONNECT")) return BodyKind.None;
  if (webSocket && (!typed || type == BodyKind.None || type == BodyKind.Probe)) return BodyKind.WebSocket;
  if (!typed) return upgrade ? BodyKind.None : BodyKind.Sniff;
  return type;
}

/** Copies request id and trace id into the slot. */
function keepIds(stream: Stream): void {
  if (requestId == 0) putNewUuid(requestIdOf(stream));
  else memory.copy(requestIdOf(stream), requestId, UUID_SIZE);
  stream.hasTrace = trace != 0;
  if (trace != 0) memory.copy(traceIdAt(stream), trace, TRACE_SIZE);
}

/** Copies the template of the matched route into the slot. */
function keepRoute(stream: Stream): void {
  const route = matchedRoute;
  if (route === null) return;
  stream.routeSize = min(<u32>(route.pathEnd - route.path), ROUTE_CAPACITY);
  memory.copy(routeOf(stream), route.path, stream.routeSize);
}

/** Notes the form of an answer that the client reads. */
function keepAnswer(stream: Stream): void {
  stream.answerKind = <u8>answerKindOf(contentType, contentTypeEnd, accept, acceptEnd, requestPath, requestPathEnd);
}

/** Copies host, method and path into the slot: the header map cannot be read in later callbacks, or is not what it was. */
function keepTarget(stream: Stream): void {
  stream.kept = true;
  stream.hostKept = min(<u32>(requestHostEnd - requestHost), HOST_CAPACITY);
  stream.methodKept = min(<u32>(requestMethodEnd - requestMethod), METHOD_CAPACITY);
  stream.pathKept = min(<u32>(requestPathEnd - requestPath), PATH_CAPACITY);
  stream.hostSize = keepText(hostOf(stream), HOST_CAPACITY, requestHost, requestHostEnd);
  stream.methodSize = keepText(methodOf(stream), METHOD_CAPACITY, requestMethod, requestMethodEnd);
  stream.pathSize = keepText(pathOf(stream), PATH_CAPACITY, requestPath, requestPathEnd);
  stream.decodedSize =
    requestPathDecoded == requestPath
      ? SAME_PATH
      : keepText(decodedPathOf(stream), PATH_CAPACITY, requestPathDecoded, requestPathDecodedEnd);
}

/** The same for a stream that is over with its headers, where something has been found. */
function keepForEvents(stream: Stream): void {
  if (findings != 0) keepTarget(stream);
}

/** Copies what there is room for, and returns a text's size; one that is too long counts as nothing, which matches no template. */
function keepText(out: usize, capacity: u32, start: usize, textEnd: usize): u32 {
  const size = <u32>(textEnd - start);
  memory.copy(out, start, min(size, capacity));
  return size > capacity ? 0 : size;
}

/** The time, for one stream in `SAMPLE`; 0 for the others. */
function startClock(stream: Stream): u64 {
  if (stream.phase == Phase.Done && stream.nanos == 0 && !stream.sampled) stream.sampled = streams++ % SAMPLE == 0;
  return stream.sampled ? now() : 0;
}

function stopClock(stream: Stream, started: u64): void {
  if (!stream.sampled) return;
  stream.nanos += now() - started;
  if (stream.phase == Phase.Done) recordInspection(stream.nanos / 1000);
}
