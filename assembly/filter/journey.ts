// Where values go: from a request that comes to the service into the calls that the service makes itself, and on to the next service.
//
//   inbound   header of the sidecar before ──► taken off; what it says of values is kept
//             values with syntax ──► hashed: those that were spoken of have travelled ──► noted in shared data
//   outbound  one of the service's own calls ──► notes of its trace, else of its values ──► header for the next sidecar (filter/calls.ts)
//                                                └► goes to the host that a value names? ──► said in the note
//   end       a value that a call went where it points: its finding is raised; findings in values that travelled carry their hops
//
// The two streams may be on different workers, hence shared data. A request without syntax in it pays nothing of this.

import { HeaderMap } from "../abi/enums";
import { removeHeader } from "../abi/host";
import { putByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { partName } from "../core/field";
import { findingAt, findingCount, findingName, findings, Stage } from "../core/findings";
import { sipHash } from "../core/siphash";
import { putText } from "../core/text";
import { Rule, RuleClass } from "../generated/rules";
import { bearOutIn, beginBearing, classBit, tellAgain } from "../inspect/bear";
import {
  entryHash,
  entryHops,
  entryHopsEnd,
  HeaderFate,
  headerKey,
  nextEntry,
  readHeader,
} from "../observe/hop-header";
import { hashingKey } from "../observe/hop-keys";
import {
  addEntry,
  addStep,
  claimJourney,
  findEntry,
  hops,
  hopsEnd,
  Journey,
  METHOD_ROOM,
  NAME_ROOM,
  putWord,
  ROUTE_ROOM,
  SERVICE_ROOM,
  setHops,
  Step,
  stepAt,
  stepHops,
  stepName,
  stepOf,
  stepValue,
} from "../observe/journey";
import { findNote, Index, noteOwner, noteReached, noteValue as noteValueOf, Reached } from "../observe/notes";
import {
  setWatching,
  Taint,
  taintAt,
  taintName,
  taintNameEnd,
  taintValue,
  taintValueEnd,
  Watch,
} from "../observe/taint";
import {
  requestHost,
  requestHostEnd,
  requestMethod,
  requestMethodEnd,
  requestPath,
  requestPathEnd,
} from "../policy/request";
import { countJourney, countOverflow, JourneyCount, Overflow } from "../report/counters";
import { nextRandom, TRACE_ID_SIZE } from "../report/ids";
import { putTemplate } from "../report/template";
import { readBareHost, urlPort } from "../tokenize/url";
import { hopHeader, HOP_HEADER_SIZE } from "./calls";
import { isOneEndpoint } from "./events";
import { openStreamAgain, policyFor } from "./request";
import { tellBorne } from "./response";
import { ALL_STEPS, fileSteps, following, hashOf, hashOfHost, hashOfUrl, loadBucket, seconds } from "./shared-notes";
import { routeOf, Stream, traceIdAt } from "./stream";
import { noteRunning } from "./stored";

/** Takes the header off a request: no service sees it, whoever wrote it. */
export function dropHeader(): void {
  removeHeader(HeaderMap.HttpRequestHeaders, hopHeader(), hopHeader() + HOP_HEADER_SIZE);
}

/** Takes the header `start..end`, which stood `count` times, off the stream's request, and keeps what it says if it is to be believed. */
export function takeHeader(stream: Stream, start: usize, end: usize, count: u32): void {
  dropHeader();
  const fate: HeaderFate =
    count != 1 ? HeaderFate.Malformed : readHeader(start, end, stream.hasTrace ? traceIdAt(stream) : 0, seconds());
  countJourney(<JourneyCount>(JourneyCount.Taken + fate));
  if (fate != HeaderFate.Taken || !stream.watches) return;
  const journey = journeyOf(stream);
  if (journey === null) return;
  journey.key = headerKey;
  while (nextEntry()) addEntry(journey, entryHash, entryHops, entryHopsEnd);
  stream.watched = true;
  setWatching(true);
}

function journeyOf(stream: Stream): Journey | null {
  if (stream.journey == 0) {
    stream.journey = claimJourney();
    if (stream.journey == 0) countOverflow(Overflow.Journeys);
    else changetype<Journey>(stream.journey).owner = <u32>nextRandom();
  }
  return changetype<Journey | null>(stream.journey);
}

/** A hop of this service, and the template in it. */
export const hop: usize = memory.data(256);
const ROUTE: usize = memory.data(64);
/** The service's name as hops have it. */
const SERVICE: usize = memory.data(32);
let serviceEnd: usize = SERVICE;

/** Learns the service's name. */
export function setHopService(start: usize, end: usize): void {
  serviceEnd = putWord(SERVICE, start, end, SERVICE_ROOM);
}

/** Notes the values that the stream at work keeps and that are new: behind its headers, and behind pieces of its body. */
export function noteValues(stream: Stream): void {
  if (stream.taints == 0) return;
  noteRunning(stream);
  if (!following && stream.journey == 0) return;
  const watch = changetype<Watch>(stream.taints);
  let fresh = false;
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(stream.taints, i);
    if (taint.followed) continue;
    taint.followed = true;
    const journey = journeyOf(stream);
    if (journey === null) return;
    fresh = noteValue(stream, journey, taint) || fresh;
  }
  if (fresh && following) fileAll(stream, changetype<Journey>(stream.journey));
}

/** Adds a step for a value; false where there is no room, or nobody to tell. */
function noteValue(stream: Stream, journey: Journey, taint: Taint): bool {
  const value = taintValue(taint);
  const end = taintValueEnd(taint);
  const hash = hashOf(value, end);
  const travelled =
    journey.entries != 0 && findEntry(journey, journey.key == 0 ? hash : sipHash(hashingKey(journey.key), value, end));
  if (!travelled && !following) return false;
  const name = taintName(taint);
  const suspicious = taint.classes != 0;
  const step = addStep(journey, taint.part, name, taintNameEnd(taint), value, end, travelled, suspicious);
  if (step === null) {
    countOverflow(Overflow.Notes);
    return false;
  }
  step.value = hash;
  step.aimed = (taint.classes & classBit(RuleClass.Ssrf)) != 0;
  step.host = hashOfUrl(value, end, suspicious);
  if (step.host != 0 && step.host == ownHost()) step.host = 0;
  const hopEnd = putHop(stream, taint.part, name, taintNameEnd(taint));
  setHops(step, travelled ? hops : 0, travelled ? hopsEnd : 0, hop, hopEnd);
  if (travelled) countJourney(JourneyCount.Travelled);
  return true;
}

/** The hash of the host that the request is for: a value that names it leads nowhere else. */
function ownHost(): u64 {
  return readBareHost(requestHost, requestHostEnd) ? hashOfHost(urlPort) : 0;
}

/** Writes "service METHOD route part name" at `hop` and returns its end. */
export function putHop(stream: Stream, part: u32, name: usize, nameEnd: usize): usize {
  let out = serviceEnd == SERVICE ? putText(hop, "unknown") : putBytes(hop, SERVICE, serviceEnd);
  out = putWord(putByte(out, Char.Space), requestMethod, requestMethodEnd, METHOD_ROOM);
  out = putByte(out, Char.Space);
  const route = routeOf(stream);
  if (stream.routeSize != 0 && isOneEndpoint(route, route + stream.routeSize)) {
    out = putWord(out, route, route + stream.routeSize, ROUTE_ROOM);
  } else {
    out = putBytes(out, ROUTE, putTemplate(ROUTE, ROUTE_ROOM, requestPath, requestPathEnd));
  }
  out = putText(putByte(out, Char.Space), partName(part));
  return name == nameEnd ? out : putWord(putByte(out, Char.Space), name, nameEnd, NAME_ROOM);
}

/** What a finding in that field of the response has come from: it gets the hops `before..beforeEnd` and this one. */
export function addArrival(
  stream: Stream,
  part: u32,
  name: usize,
  nameEnd: usize,
  before: usize,
  beforeEnd: usize,
): void {
  const journey = journeyOf(stream);
  if (journey === null) return;
  const step = addStep(journey, part, name, nameEnd, name, nameEnd, true, true);
  if (step === null) return;
  step.value = step.host = 0;
  setHops(step, before, beforeEnd, hop, putHop(stream, part, name, nameEnd));
}

/** Values that are shorter than this are anybody's: they are known by their trace alone. */
const LEAST_VALUE: u32 = 4;

/** Files the steps that are not filed yet, by each way that they may be looked for. */
function fileAll(stream: Stream, journey: Journey): void {
  const second = seconds();
  if (stream.hasTrace) fileSteps(Index.Trace, traceOf(stream), journey, ALL_STEPS, second);
  for (let i: u32 = 0; i < journey.steps; i++) {
    const step = stepAt(journey, i);
    if (step.filed) continue;
    step.filed = true;
    if (step.length >= LEAST_VALUE) fileSteps(Index.Value, step.value, journey, i, second);
    if (step.host != 0) fileSteps(Index.Host, step.host, journey, i, second);
  }
}

function traceOf(stream: Stream): u64 {
  return hashOf(traceIdAt(stream), traceIdAt(stream) + TRACE_ID_SIZE);
}

/** A stream has ended, and the service's calls for it have been made: what they have shown of its values is said of its findings. */
export function endJourney(stream: Stream): void {
  if (stream.journey == 0) return;
  const policy = policyFor(stream);
  if (policy === null) return;
  const journey = changetype<Journey>(stream.journey);
  openStreamAgain(stream, policy);
  beginBearing();
  for (let i: u32 = 0; i < journey.steps; i++) {
    const step = stepAt(journey, i);
    const reached = following && step.host != 0 ? reachedBy(stream, journey.owner, step) : Reached.Not;
    if (reached == Reached.Not) continue;
    const value = stepValue(step);
    const name = stepName(step);
    // That a client names a host is what many services are for; that it named one which it should not, a detector has said.
    const stage = !step.aimed ? Stage.Attempted : reached == Reached.Traced ? Stage.Confirmed : Stage.Likely;
    bearOutIn(
      step.part,
      name,
      step.nameLength,
      classBit(RuleClass.Ssrf),
      Rule.SsrfOutbound,
      stage,
      value,
      value + step.length,
    );
  }
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    const step = stepOf(journey, finding.part, findingName(finding), findingName(finding) + finding.nameLength);
    if (step === null) continue;
    finding.hops = stepHops(step);
    finding.hopsSize = step.size;
    tellAgain();
  }
  tellBorne(stream, policy);
}

/** How a call got to the host that a value names. */
function reachedBy(stream: Stream, owner: u32, step: Step): Reached {
  const second = seconds();
  let reached = Reached.Not;
  if (stream.hasTrace) reached = reachedIn(Index.Trace, traceOf(stream), owner, step, second);
  return reached != Reached.Not ? reached : reachedIn(Index.Host, step.host, owner, step, second);
}

function reachedIn(index: Index, key: u64, owner: u32, step: Step, second: u32): Reached {
  loadBucket(key, second);
  for (let note = findNote(0, index, key); note != 0; note = findNote(note, index, key)) {
    if (noteOwner(note) == owner && noteValueOf(note) == step.value && noteReached(note) != Reached.Not) {
      return noteReached(note);
    }
  }
  return Reached.Not;
}
