// Everything that reads bytes from outside, for `npm run fuzz -- --engine`: an input goes through all decoders, all parsers (whole,
// and again in pieces: the events must be the same) and all detectors, in one call from outside. What all of it gave is one number,
// by which a build is compared with another, and a run with one between other inputs. Traps where a result cannot be right.
//
//   input()  64 bytes that are not its own, the input, 64 more: what stands around every value, too

import { byteAt } from "./core/bytes";
import { classify } from "./core/classify";
import { Part, setField } from "./core/field";
import { closeFindings, findingAt, findingCount, findingEvidence, freeFindings, openFindings } from "./core/findings";
import { decodeContent } from "./decode/content";
import { decodeEntities } from "./decode/entity";
import { decodeEscapes } from "./decode/escape";
import {
  consumedBytes,
  feedInflate,
  inflated,
  inflatedBytes,
  inflatedEnd,
  INFLATE_SIZE,
  InflateEvent,
  nextInflate,
  openInflate,
  stepIsFull,
  Wrapper,
} from "./decode/inflate";
import { decodePercent } from "./decode/percent";
import { decodeUnicode } from "./decode/unicode";
import { decodeUtf7 } from "./decode/utf7";
import { detect, judge, judgeMarkup, judgeObject } from "./detect/judge";
import { detectHeader } from "./detect/protocol";
import { detectProbe, detectScanner } from "./detect/scanner";
import { Claim, claimOfType, detectFile, detectFileName, detectSkipped } from "./detect/upload";
import { cookieName, cookieNameEnd, cookieValue, cookieValueEnd, nextCookie, openCookies } from "./parse/cookie";
import { feedForm, FormEvent, formName, formNameEnd, nextForm, openForm } from "./parse/form";
import { jsonFeed, JsonEvent, jsonNext, jsonOpen, jsonPointer, jsonPointerEnd, jsonRest } from "./parse/json";
import {
  feedMultipart,
  MultipartEvent,
  nextMultipart,
  openMultipart,
  partName,
  partNameEnd,
  namePart,
  skipContent,
  tagPart,
} from "./parse/multipart";
import {
  boundary,
  boundaryEnd,
  openPart,
  PartValue,
  partValueCount,
  partValueEnd,
  partValueKind,
  partValueStart,
  readBoundary,
} from "./parse/part";
import { feedGrpc, GrpcEvent, nextGrpc, openGrpc } from "./parse/grpc";
import { feedProtobuf, nextProtobuf, ProtobufEvent, protobufName, protobufNameEnd } from "./parse/protobuf";
import { feedPacked, nextPacked, openPacked, PackedEvent, packedRest } from "./parse/packed";
import { nextSegment, normalizePath, openSegments, segmentEnd, segmentStart, unescapeSlashes } from "./parse/path";
import { pointerEnd, pointerOf } from "./parse/pointer";
import { nextQuery, openQuery, queryName, queryNameEnd, queryValue, queryValueEnd } from "./parse/query";
import { feedText, nextText, openText, TextEvent } from "./parse/text";
import {
  Coding,
  keepValue,
  nextWindow,
  openSpan,
  resumeValue,
  valueEnd,
  valueStart,
  valueWindowed,
} from "./parse/value";
import {
  addInflated,
  feedWebSocket,
  inflatedWindow,
  nextWebSocket,
  openWebSocket,
  WebSocketEvent,
  webSocketRest,
} from "./parse/websocket";
import { feedXml, nextXml, openXml, xmlName, xmlNameEnd, xmlRest, XmlEvent } from "./parse/xml";

/** Where the input is written, and how long it may be. */
const INPUT: usize = memory.data(1048704, 16);
const LONGEST: usize = 1048576;
const AROUND: usize = 64;
/** A chunk as the host hands it over: behind it stands what is not its own. */
const CHUNK: usize = memory.data(1048640, 16);
/** Room for a path of three times the longest input. */
const OUT: usize = memory.data(3145792, 16);
const STATE: usize = memory.data(4096, 16);
/** Another stream's parser, which leaves its bytes in what they share. */
const OTHER: usize = memory.data(4096, 16);
const NOISE: usize = memory.data<u8>([
  39, 59, 32, 100, 114, 111, 112, 32, 116, 97, 98, 108, 101, 32, 120, 45, 45, 32, 60, 97,
]);
const SLOT: usize = memory.data(16448, 16);
/** An inflater, and the most that comes out of it. */
const INFLATER: usize = memory.data(73728, 16);
const MUCH: u64 = 262144;
/** The value that is judged, with as much around it. */
const VALUE: usize = memory.data(16512, 16);
/** Names of fields, as rules ask for them; 16 readable bytes stand in front. */
const NAMES: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 113, 117, 114, 108, 102, 105, 108, 101, 47, 64, 116, 121, 112, 101,
  91, 36, 110, 101, 93,
]);
/** Where each begins and ends behind those 16: none, q, url, file, /@type, [$ne]. */
const NAME_ENDS: usize = memory.data<u8>([0, 0, 0, 1, 1, 4, 4, 8, 8, 14, 14, 19]);
const NAMES_COUNT: u32 = 6;
const PARTS: u32 = 9;
const DEPTH: u32 = 64;

/** What did not hold where it trapped by itself; 0: it is the engine that trapped. */
export let failed: u32 = 0;

const enum What {
  Length = 1,
  /** A decoder wrote more than it was given. */
  Decoded,
  /** A parser gave what is not of its input. */
  Span,
  /** A parser wants more behind the last chunk. */
  Unfinished,
  Confidence,
  Inflated,
  /** 100 and the parser: the events of a body in pieces are others than those of the whole. */
  Pieces = 100,
}
let digest: u32 = 0;
/** Skipped content comes in pieces that depend on the chunks: what it is altogether counts. */
let skipped: u32 = 0;

export function input(): usize {
  return INPUT;
}

/** Takes the input of `length` bytes through all that there is; returns what it gave. */
export function run(length: u32, seed: u32): u32 {
  check(length <= <u32>LONGEST, What.Length);
  const start = INPUT + AROUND;
  const end = start + length;
  digest = 0x811c9dc5;
  const windowEnd = min(end, start + 16384);
  decoders(start, windowEnd);
  parts(start, end);
  for (let parser: u32 = 0; parser < 11; parser++) {
    const before = digest;
    parse(parser, start, end, 0);
    const whole = digest;
    digest = before;
    parse(parser, start, end, seed | 1);
    check(digest == whole, What.Pieces + parser);
  }
  // All of what it may be, one alone, or no coding where there is none; or a message of a WebSocket.
  const endless = ((seed >> 9) & 3) == 0;
  const wrappers = endless ? <u32>Wrapper.Endless : (seed & 8) | (1 << ((seed >> 4) % 3)) | ((seed >> 6) % 8);
  const before = digest;
  inflate(wrappers, start, end, 0);
  const whole = digest;
  digest = before;
  inflate(wrappers, start, end, seed | 1);
  check(digest == whole, What.Inflated);
  judgements(start, end, windowEnd, seed);
  return digest;
}

function check(holds: bool, what: What): void {
  if (holds) return;
  failed = what;
  unreachable();
}

// @ts-ignore: decorator
@inline
function mix(value: u32): void {
  digest = (digest ^ value) * 0x01000193;
}

function mixBytes(start: usize, end: usize): void {
  mix(<u32>(end - start));
  for (; start < end; start++) mix(byteAt(start));
}

/** What a decoder made of `start..end`: never more than that, since its buffers are no longer. */
function decoded(start: usize, end: usize, outEnd: usize): void {
  check(outEnd >= OUT && outEnd - OUT <= end - start, What.Decoded);
  mixBytes(OUT, outEnd);
}

function decoders(start: usize, end: usize): void {
  decoded(start, end, decodePercent(start, end, OUT, false));
  decoded(start, end, decodePercent(start, end, OUT, true));
  decoded(start, end, decodeEntities(start, end, OUT));
  decoded(start, end, decodeEscapes(start, end, OUT));
  decoded(start, end, decodeUnicode(start, end, OUT));
  decoded(start, end, decodeUtf7(start, end, OUT));
  decoded(start, end, decodeContent(start, end, OUT));
}

/** A span that a parser of a part gave: inside of what it was given. */
function inside(from: usize, to: usize, start: usize, end: usize): void {
  check(from <= to && (from == to || (from >= start && to <= end)), What.Span);
  mixBytes(from, to);
}

function parts(start: usize, end: usize): void {
  openQuery(start, end);
  while (nextQuery()) {
    inside(queryName, queryNameEnd, start, end);
    inside(queryValue, queryValueEnd, start, end);
  }
  openCookies(start, end);
  while (nextCookie()) {
    inside(cookieName, cookieNameEnd, start, end);
    inside(cookieValue, cookieValueEnd, start, end);
  }
  openSegments(start, end);
  while (nextSegment()) inside(segmentStart, segmentEnd, start, end);
  // Three times as long at most, and a byte; 0 for what Envoy refuses.
  const path = normalizePath(start, end, OUT);
  check(path == 0 || (path > OUT && path - OUT <= 3 * (end - start) + 1), What.Decoded);
  mixBytes(OUT, max(path, OUT));
  decoded(start, end, unescapeSlashes(start, end, OUT));
  readBoundary(start, end);
  mixBytes(boundary, boundaryEnd);
  openSpan(start, end, Coding.Form);
  while (nextWindow()) mixBytes(valueStart, valueEnd);
}

/** `start..end` through the inflater: whole where `cuts` is 0, else in pieces by that seed. */
function inflate(wrappers: u32, start: usize, end: usize, cuts: u32): void {
  check(<usize>INFLATE_SIZE <= 73728, What.Length);
  openInflate(INFLATER, wrappers, 4096);
  let event: InflateEvent = InflateEvent.NeedMore;
  do {
    const next = cuts == 0 ? end : min(end, start + 1 + ((cuts = nextCuts(cuts)) % 97));
    feedInflate(INFLATER, start, next);
    for (event = nextInflate(INFLATER); event == InflateEvent.Piece; event = nextInflate(INFLATER)) {
      check(inflated < inflatedEnd && inflated > INFLATER && inflatedEnd <= INFLATER + INFLATE_SIZE, What.Span);
      for (let at = inflated; at < inflatedEnd; at++) mix(byteAt(at));
      if (!stepIsFull(INFLATER)) continue;
      mix(<u32>consumedBytes(INFLATER));
      if (inflatedBytes(INFLATER) > MUCH) return;
    }
    start = next;
  } while (start < end);
  mix(event);
}

function nextCuts(cuts: u32): u32 {
  cuts ^= cuts << 13;
  cuts ^= cuts >> 17;
  return cuts ^ (cuts << 5);
}

/** `start..end` through a parser: whole where `cuts` is 0, else in pieces by that seed. */
function parse(parser: u32, start: usize, end: usize, cuts: u32): void {
  skipped = 0;
  open(parser, start, end);
  let at = start;
  do {
    let next = end;
    if (cuts != 0) {
      cuts = nextCuts(cuts);
      const left = <u32>(end - at);
      // Many small pieces in a short input, few in a long one.
      next = min(end, at + (cuts % (left < 64 ? 9 : left)));
    }
    memory.copy(CHUNK, at, next - at);
    memory.copy(CHUNK + (next - at), end, AROUND);
    if (at != start || cuts != 0) {
      keepValue(STATE, SLOT);
      openText(OTHER);
      feedText(OTHER, NOISE, NOISE + 20, false);
      nextText(OTHER);
      resumeValue(STATE, SLOT);
    }
    if (feed(parser, next - at, next == end, at - start)) break;
    at = next;
    if (at == end) break;
  } while (true);
  mix(skipped);
}

function open(parser: u32, start: usize, end: usize): void {
  if (parser == 0) jsonOpen(STATE, DEPTH);
  else if (parser == 1) openForm(STATE);
  else if (parser == 2) openText(STATE);
  else if (parser == 3) openXml(STATE);
  else if (parser == 5) openWebSocket(STATE);
  else if (parser > 7) openGrpc(STATE, parser - 8, DEPTH);
  else if (parser > 5) openPacked(STATE, parser == 7, DEPTH);
  else {
    // With the boundary that it has itself, if it is a type, too.
    readBoundary(start, end);
    openMultipart(STATE, boundary, boundaryEnd);
  }
}

/** A piece of a compressed message, as if it held what it is. */
function message(start: usize, end: usize, last: bool): void {
  feedProtobuf(STATE, start, end, last);
  for (let event = nextProtobuf(STATE); event != ProtobufEvent.NeedMore; event = nextProtobuf(STATE)) {
    mix(event);
    if (event == ProtobufEvent.Done) return;
    if (event <= ProtobufEvent.Object) named(protobufName(STATE), protobufNameEnd(STATE));
  }
}

/** Feeds the chunk of `length` bytes that stands at offset `at` of the body; true if nothing comes any more. */
function feed(parser: u32, length: usize, last: bool, at: usize): bool {
  const end = CHUNK + length;
  if (parser == 0) {
    jsonFeed(STATE, CHUNK, end, last);
    for (let event = jsonNext(STATE); event != JsonEvent.NeedMore; event = jsonNext(STATE)) {
      mix(event);
      if (event == JsonEvent.Done) return true;
      if (event == JsonEvent.Malformed || event == JsonEvent.TooDeep) return rest(jsonRest(STATE), end, at);
      if (event <= JsonEvent.Literal) named(jsonPointer(STATE), jsonPointerEnd(STATE));
    }
  } else if (parser == 1) {
    feedForm(STATE, CHUNK, end, last);
    for (let event = nextForm(STATE); event != FormEvent.NeedMore; event = nextForm(STATE)) {
      mix(event);
      if (event == FormEvent.Done) return true;
      named(formName(STATE), formNameEnd(STATE));
    }
  } else if (parser == 2) {
    feedText(STATE, CHUNK, end, last);
    for (let event = nextText(STATE); event != TextEvent.NeedMore; event = nextText(STATE)) {
      mix(event);
      if (event == TextEvent.Done) return true;
      named(0, 0);
    }
  } else if (parser == 3) {
    feedXml(STATE, CHUNK, end, last);
    for (let event = nextXml(STATE); event != XmlEvent.NeedMore; event = nextXml(STATE)) {
      mix(event);
      if (event == XmlEvent.Done) return true;
      if (event == XmlEvent.Malformed) return rest(xmlRest(STATE), end, at);
      named(xmlName(STATE), xmlNameEnd(STATE));
    }
  } else if (parser == 5) {
    feedWebSocket(STATE, CHUNK, end, last);
    for (let event = nextWebSocket(STATE); event != WebSocketEvent.NeedMore; event = nextWebSocket(STATE)) {
      if (event == WebSocketEvent.Piece || event == WebSocketEvent.LastPiece) {
        // As if it held what it is.
        const pieceEnd = valueEnd;
        for (let piece = valueStart; piece < pieceEnd;) {
          piece = addInflated(STATE, piece, pieceEnd);
          if (inflatedWindow) named(0, 0);
        }
        continue;
      }
      mix(event);
      if (event == WebSocketEvent.Done) return true;
      if (event == WebSocketEvent.Broken) return true;
      if (event == WebSocketEvent.Message) named(0, 0);
    }
  } else if (parser > 7) {
    feedGrpc(STATE, CHUNK, end, last);
    for (let event = nextGrpc(STATE); event != GrpcEvent.NeedMore; event = nextGrpc(STATE)) {
      if (event > GrpcEvent.Compressed) {
        message(valueStart, valueEnd, event == GrpcEvent.LastPiece);
        continue;
      }
      mix(event);
      if (event == GrpcEvent.Done) return true;
      if (event <= GrpcEvent.Object) named(protobufName(STATE), protobufNameEnd(STATE));
    }
  } else if (parser > 5) {
    feedPacked(STATE, CHUNK, end, last);
    for (let event = nextPacked(STATE); event != PackedEvent.NeedMore; event = nextPacked(STATE)) {
      mix(event);
      if (event == PackedEvent.Done) return true;
      if (event > PackedEvent.Done) return rest(packedRest(STATE), end, at);
      named(pointerOf(STATE), pointerEnd(STATE));
    }
  } else {
    feedMultipart(STATE, CHUNK, end, last);
    for (let event = nextMultipart(STATE); event != MultipartEvent.NeedMore; event = nextMultipart(STATE)) {
      if (event == MultipartEvent.Skipped) {
        for (let byte = valueStart; byte < valueEnd; byte++) skipped = (skipped ^ byteAt(byte)) * 0x01000193;
        continue;
      }
      mix(event);
      if (event == MultipartEvent.Done) return true;
      if (event == MultipartEvent.Malformed) continue;
      if (event == MultipartEvent.Part) openHeaders();
      else named(partName(STATE), partNameEnd(STATE));
    }
  }
  check(!last, What.Unfinished);
  return false;
}

/** Where a parser stopped, as an offset in the body. */
function rest(stopped: usize, end: usize, at: usize): bool {
  check(stopped >= CHUNK && stopped <= end, What.Span);
  mix(<u32>(stopped - CHUNK + at));
  return true;
}

function named(name: usize, nameEnd: usize): void {
  check(valueStart <= valueEnd && valueEnd - valueStart <= 16384 && name <= nameEnd, What.Span);
  mixBytes(valueStart, valueEnd);
  mixBytes(name, nameEnd);
  mix(u32(valueWindowed));
}

/** The headers of a part, as the filter takes them: files whose names have a "k" in front are passed over. */
function openHeaders(): void {
  openPart(valueStart, valueEnd);
  let file = false;
  let skip = false;
  for (let i: usize = 0; i < partValueCount(); i++) {
    const start = partValueStart(i);
    const end = partValueEnd(i);
    check(start <= end, What.Span);
    mix(partValueKind(i));
    mixBytes(start, end);
    if (partValueKind(i) == PartValue.Name) namePart(STATE, start, end);
    if (partValueKind(i) == PartValue.FileName) {
      file = true;
      skip = start < end && byteAt(start) == 0x6b;
    }
  }
  tagPart(STATE, 0, file);
  if (skip) skipContent(STATE);
}

/** All detectors: on the value as it stands, on what the filter makes of it, and on what only some parts of a request can be. */
function judgements(start: usize, end: usize, windowEnd: usize, seed: u32): void {
  const name = seed % NAMES_COUNT;
  const nameStart = NAMES + 16 + load<u8>(NAME_ENDS + 2 * name);
  const nameEnd = NAMES + 16 + load<u8>(NAME_ENDS + 2 * name, 1);
  openFindings(0);
  setField((seed >> 8) % PARTS, nameStart, nameEnd);
  openSpan(start, end, (seed & 0x10000) == 0 ? Coding.Form : Coding.None);
  while (nextWindow()) {
    const length = valueEnd - valueStart;
    const value = VALUE + AROUND;
    memory.copy(VALUE, end, AROUND);
    memory.copy(value, valueStart, length);
    memory.copy(value + length, end, AROUND);
    judge(value, value + length);
  }
  told();
  detect(start, windowEnd, classify(start, windowEnd));
  told();
  judgeMarkup(start, windowEnd);
  judgeObject(start, windowEnd);
  told();
  const claims = detectFileName(start, min(windowEnd, start + 1024)) | claimOfType(start, windowEnd);
  mix(claims);
  mix(u32(detectFile(seed >> 12, start, windowEnd, true, true)));
  const middle = start + (windowEnd - start) / 2;
  const before = ((seed >> 12) & (Claim.Media | Claim.Script | Claim.Page)) | (((seed >> 16) % 5) * Claim.Progress);
  mix(detectSkipped(detectSkipped(before, start, middle), middle, end));
  told();
  detectHeader(nameStart, nameEnd, start, windowEnd);
  detectScanner(nameStart, nameEnd, start, windowEnd);
  detectProbe(start, windowEnd);
  told();
}

/** Counts what was found, and begins anew. */
function told(): void {
  const list = closeFindings();
  for (let i: u32 = 0; i < findingCount(list); i++) {
    const finding = findingAt(list, i);
    mix(finding.rule);
    mix(finding.confidence);
    check(finding.confidence <= 100, What.Confidence);
    mixBytes(findingEvidence(finding), findingEvidence(finding) + finding.evidenceLength);
  }
  freeFindings(list);
  openFindings(0);
}
