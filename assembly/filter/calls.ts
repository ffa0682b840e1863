// The service's own calls: observed, never refused. A call takes up the notes of the values that came in with the request of the same
// trace; where the service does not hand its trace on, those of the values that stand in the call's own URL.
//
//   goes to the host that a value names     ──► said in the note, for the stream that the value came in with (filter/journey.ts)
//   goes to another service of the mesh     ──► a signed header with the notes, for its sidecar
//
// Nothing is asked of the host but the time of the newest note as long as there is none to find.

import { HeaderMap, Status } from "../abi/enums";
import { given, givenEnd, readHeaders, removeHeader, replaceHeader } from "../abi/host";
import { byteAt, findByte, sameBytesNoCase, withoutPort } from "../core/bytes";
import { Char } from "../core/char";
import { classify } from "../core/classify";
import { Part } from "../core/field";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { putText, textEndsNoCase, textIs } from "../core/text";
import { addEntry, closeHeader, headerText, headerTextEnd, openHeader } from "../observe/hop-header";
import { hasSecret } from "../observe/hop-keys";
import { findNote, Index, markReached, noteHops, noteHopsEnd, noteHost, noteValue, Reached } from "../observe/notes";
import { carriesSyntax, excerpt, excerptEnd, takeExcerpt } from "../observe/taint";
import { nextSegment, openSegments, segmentEnd, segmentStart } from "../parse/path";
import { nextQuery, openQuery, queryValue, queryValueEnd } from "../parse/query";
import { Coding, nextWindow, openSpan, valueEnd, valueStart } from "../parse/value";
import { Policy } from "../policy/layout";
import { countJourney, countOverflow, JourneyCount, Overflow } from "../report/counters";
import { traceIdOf, TRACE_ID_SIZE } from "../report/ids";
import { readBareHost, urlPort } from "../tokenize/url";
import { followCredential } from "./forwarded";
import {
  ANY_PORT,
  areNotes,
  beginFollowing,
  hashOf,
  hashOfHost,
  loadBucket,
  seconds,
  storeBucket,
} from "./shared-notes";

/** The header between sidecars. */
const NAME: usize = memory.data(16);
export const HOP_HEADER_SIZE: usize = 16;

/** Where its name stands. */
export function hopHeader(): usize {
  putText(NAME, "x-meshward-taint");
  return NAME;
}

/** Values of one call that are looked for. */
const LOOKS: u32 = 16;
/** A lost race for a bucket is run again so often. */
const ATTEMPTS: u32 = 4;

// What the walk over the headers found.
let host: usize = 0;
let hostEnd: usize = 0;
let path: usize = 0;
let pathEnd: usize = 0;
let trace: usize = 0;
let marked: bool = false;

let second: u32 = 0;
let looks: u32 = 0;
/** Hashes of the host that is called: with its port, and with whatever port. */
let target: u64 = 0;
let anyTarget: u64 = 0;

/** The headers of a call have come. */
export function followCall(policy: Policy): void {
  beginFollowing();
  if (policy.sample == 0) return;
  second = seconds();
  if (!areNotes(second) || readHeaders(HeaderMap.HttpRequestHeaders) != Status.Ok) return;
  const headers = given;
  const headersEnd = givenEnd;
  readCall(headers, headersEnd);
  // What the service may have written itself.
  if (marked) removeHeader(HeaderMap.HttpRequestHeaders, hopHeader(), NAME + HOP_HEADER_SIZE);
  target = anyTarget = 0;
  if (readBareHost(host, hostEnd)) {
    target = hashOfHost(urlPort);
    anyTarget = hashOfHost(ANY_PORT);
  }
  const traced: u64 = trace == 0 ? 0 : hashOf(trace, trace + TRACE_ID_SIZE);
  if (!isNext(policy)) followCredential(headers, headersEnd, traced, second);
  looks = LOOKS;
  openHeader(second);
  if (trace == 0 || !followTrace(traced)) {
    followHost(target);
    followHost(anyTarget);
    followValues();
  }
  if (!hasSecret(0) || !isNext(policy) || !closeHeader(trace)) return;
  replaceHeader(HeaderMap.HttpRequestHeaders, hopHeader(), NAME + HOP_HEADER_SIZE, headerText, headerTextEnd);
  countJourney(JourneyCount.Sent);
}

function readCall(headers: usize, headersEnd: usize): void {
  host = hostEnd = path = pathEnd = trace = 0;
  marked = false;
  let traces = 0;
  openPairs(headers, headersEnd);
  while (nextPair()) {
    if (textIs(pairName, pairNameEnd, ":authority")) {
      host = pairValue;
      hostEnd = pairValueEnd;
    } else if (textIs(pairName, pairNameEnd, ":path")) {
      path = pairValue;
      pathEnd = pairValueEnd;
    } else if (textIs(pairName, pairNameEnd, "traceparent")) {
      trace = traceIdOf(pairValue, pairValueEnd);
      traces++;
    } else if (textIs(pairName, pairNameEnd, "x-meshward-taint")) {
      marked = true;
    }
  }
  if (traces != 1) trace = 0;
}

/** Takes up the notes of the trace; false where there is none. */
function followTrace(key: u64): bool {
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    const version = loadBucket(key, second);
    let found = false;
    let changed = false;
    for (let note = findNote(0, Index.Trace, key); note != 0; note = findNote(note, Index.Trace, key)) {
      found = true;
      if (attempt == 0) pass(note);
      const names = noteHost(note);
      if (names != 0 && (names == target || names == anyTarget)) changed = markReached(note, Reached.Traced) || changed;
    }
    if (!changed || storeBucket(key, version)) return found;
  }
  countOverflow(Overflow.Notes);
  return true;
}

/** Looks whether a value that came in a moment ago names the host that is called. */
function followHost(key: u64): void {
  if (key == 0) return;
  for (let attempt: u32 = 0; attempt < ATTEMPTS; attempt++) {
    const version = loadBucket(key, second);
    const note = newest(Index.Host, key);
    if (note == 0 || !markReached(note, Reached.Soon) || storeBucket(key, version)) return;
  }
  countOverflow(Overflow.Notes);
}

/** Which of several requests brought a value cannot be told: the last one is the likeliest. */
function newest(index: Index, key: u64): usize {
  let last: usize = 0;
  for (let note = findNote(0, index, key); note != 0; note = findNote(note, index, key)) last = note;
  return last;
}

/** Looks for the values in the call's URL. */
function followValues(): void {
  const query = findByte(path, pathEnd, Char.Question);
  openSegments(path, query);
  while (nextSegment()) followValue(Part.Path, segmentStart, segmentEnd, Coding.Percent);
  if (query == pathEnd) return;
  openQuery(query + 1, pathEnd);
  while (nextQuery()) followValue(Part.Query, queryValue, queryValueEnd, Coding.Form);
}

function followValue(part: Part, start: usize, end: usize, coding: Coding): void {
  openSpan(start, end, coding);
  if (!nextWindow() || !carriesSyntax(part, valueStart, valueEnd, classify(valueStart, valueEnd))) return;
  if (looks == 0) return countOverflow(Overflow.Notes);
  looks--;
  takeExcerpt(valueStart, valueEnd);
  const key = hashOf(excerpt, excerptEnd);
  loadBucket(key, second);
  const note = newest(Index.Value, key);
  if (note != 0) pass(note);
}

/** Says a note to the sidecar of the service that is called. */
function pass(note: usize): void {
  if (!addEntry(noteValue(note), noteHops(note), noteHopsEnd(note))) countOverflow(Overflow.Hops);
}

/** Whether the call goes to a service whose sidecar may know what values came in: hosts of the policy, else those of a cluster. */
function isNext(policy: Policy): bool {
  const name = withoutPort(host, hostEnd);
  if (policy.hops == policy.hopsEnd) {
    return findByte(host, name, Char.Dot) == name
      ? byteAt(host) != Char.BracketOpen
      : textEndsNoCase(host + 1, name, ".svc") || textEndsNoCase(host + 1, name, ".cluster.local");
  }
  for (let at = policy.hops; at < policy.hopsEnd;) {
    const end = findByte(at, policy.hopsEnd, Char.Comma);
    if (byteAt(at) == Char.Star) {
      const size = end - at - 1;
      if (name - host > size && sameBytesNoCase(name - size, name, at + 1, end)) return true;
    } else if (sameBytesNoCase(host, name, at, end) || sameBytesNoCase(host, hostEnd, at, end)) {
      return true;
    }
    at = end + 1;
  }
  return false;
}
