// The body of a request on its way: which parser reads it, and what a chunk does. A value that a chunk cuts is kept in the stream's
// slot, or in a page if it is long, and put back before the next chunk: nothing is judged twice, and a cut changes no answer.

import { Part, reportAs, setField } from "../core/field";
import { findOneOf, isMark, skipMarks } from "../core/scan";
import { byteAt, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { mayBeginObject } from "../decode/base64";
import { found } from "../detect/finding";
import { Rule } from "../generated/rules";
import { ruleConfidence } from "../match/rules";
import { feedForm, FORM_STATE_SIZE, FormEvent, formName, formNameEnd, nextForm, openForm } from "../parse/form";
import { JSON_STATE_SIZE, JsonEvent, jsonFeed, jsonOpen, jsonRest } from "../parse/json";
import { GRPC_STATE_SIZE } from "../parse/grpc";
import { isFresh, MULTIPART_STATE_SIZE, openMultipart } from "../parse/multipart";
import { openPacked } from "../parse/packed";
import { feedText, nextText, openText, TEXT_STATE_SIZE, TextEvent } from "../parse/text";
import {
  Coding,
  collectValue,
  finishValue,
  keepValue,
  resumeValue,
  unfinishedSize,
  VALUE_CAPACITY,
  valueEnd,
  valueRoom,
  valueStart,
  valueWindowed,
} from "../parse/value";
import { openWebSocket, WEBSOCKET_STATE_SIZE, webSocketEarly } from "../parse/websocket";
import { feedXml, nextXml, openXml, XML_STATE_SIZE, XmlEvent, xmlName, xmlNameEnd, xmlRest } from "../parse/xml";
import { countOverflow, Overflow } from "../report/counters";
import { decideNow, judgeTag, judgeValue, judgeWhole, met, NOTHING, passBound } from "./judgement";
import { judgeMembers } from "./json";
import { declarations, declared, declaredEnd } from "./media-type";
import { judgeMessages } from "./messages";
import { isTooDeep, judgePacked } from "./packed";
import { judgeParts } from "./parts";
import { beginsRpc, isRpc, judgeRpc, openRpc } from "./rpc";
import {
  BODY_STATE_CAPACITY,
  BodyKind,
  bodyState,
  CARRY_CAPACITY,
  carryOf,
  claimPage,
  freePage,
  Stream,
} from "./stream";

/** Begins with the body of a stream whose kind is known. `depth`: containers that JSON may nest. */
export function openBody(stream: Stream, depth: u32): void {
  if (isDefined(CHECKED)) {
    assert(
      <u32>JSON_STATE_SIZE <= BODY_STATE_CAPACITY &&
        <u32>FORM_STATE_SIZE <= BODY_STATE_CAPACITY &&
        <u32>GRPC_STATE_SIZE <= BODY_STATE_CAPACITY &&
        <u32>TEXT_STATE_SIZE <= BODY_STATE_CAPACITY &&
        <u32>XML_STATE_SIZE <= BODY_STATE_CAPACITY &&
        <u32>MULTIPART_STATE_SIZE <= BODY_STATE_CAPACITY &&
        <u32>WEBSOCKET_STATE_SIZE <= BODY_STATE_CAPACITY,
    ); // each parser's state fits the slot
  }
  stream.rpc = isRpc(stream.bodyKind);
  if (stream.rpc) openRpc(stream, depth);
  else if (stream.bodyKind == BodyKind.Json) jsonOpen(bodyState(stream), depth);
  else if (isPacked(stream.bodyKind)) openPacked(bodyState(stream), stream.bodyKind == BodyKind.Cbor, depth);
  else if (stream.bodyKind == BodyKind.Form) openForm(bodyState(stream));
  else if (isXml(stream.bodyKind)) openXml(bodyState(stream));
  else if (stream.bodyKind == BodyKind.WebSocket) openWebSocket(bodyState(stream));
  else if (stream.bodyKind == BodyKind.Multipart || declarations != 0) {
    // Also where it is one of several types: the first byte will tell.
    openMultipart(bodyState(stream), declared, declaredEnd);
  } else {
    memory.fill(bodyState(stream), 0, MULTIPART_STATE_SIZE);
    openText(bodyState(stream));
  }
}

// @ts-ignore: decorator
@inline
function isXml(kind: u32): bool {
  return kind == BodyKind.Xml || kind == BodyKind.Markup;
}

// @ts-ignore: decorator
@inline
function isPacked(kind: u32): bool {
  return kind == BodyKind.MessagePack || kind == BodyKind.Cbor;
}

/** Whether a body of that type has a grammar that it is to keep to. */
export function isStrict(kind: u32): bool {
  return kind == BodyKind.Json || kind == BodyKind.Xml || isPacked(kind);
}

/**
 * Judges the next chunk of a body, which is changed in place; `last` says that nothing follows. False where a cut value could not be
 * kept. A body that turns out to be of a kind that is not read has `BodyKind.None` afterwards.
 */
export function judgeChunk(stream: Stream, start: usize, end: usize, last: bool, depth: u32): bool {
  if (stream.rpc && stream.inspected == 0 && start < end && !beginsRpc(stream.bodyKind, byteAt(start))) {
    stream.bodyKind = <u8>BodyKind.Probe;
    openBody(stream, depth);
  }
  const unknown = stream.bodyKind == BodyKind.Probe || stream.bodyKind == BodyKind.Sniff;
  const first: u32 = start < end ? byteAt(start) : 0;
  // A pickle of text begins with a global: "c" or "(".
  const pickles = stream.bodyKind == BodyKind.Probe && (first == 0x63 || first == Char.ParenOpen);
  if (unknown && stream.inspected == 0 && (pickles || mayBeginObject(first))) {
    stream.bodyKind = <u8>BodyKind.Object;
    openText(bodyState(stream));
  }
  if (isPacked(stream.bodyKind) && stream.inspected == 0 && start < end && first < 0x80) {
    // No document of either begins like that, but those of other types do.
    stream.bodyKind = <u8>BodyKind.Sniff;
    memory.fill(bodyState(stream), 0, MULTIPART_STATE_SIZE);
  }
  if (stream.bodyKind == BodyKind.Probe && start < end && beginsOther(byteAt(start))) {
    stream.bodyKind = <u8>BodyKind.None;
    return true;
  }
  if (!isBinary(stream.bodyKind)) end = dropWide(start, end);
  if (stream.encoded && stream.bodyKind <= <u8>BodyKind.Multipart && stream.inspected < PLAIN_START) {
    const plain = isPlain(start, min(end, start + PLAIN_START - <usize>stream.inspected), stream.inspected != 0);
    if (!plain) mask(stream);
    if (stream.bodyKind == BodyKind.None) return true;
  }
  if (stream.masked) hideBinary(start, end);
  if (stream.bodyKind == BodyKind.Sniff || stream.bodyKind == BodyKind.Probe) {
    const first = skipMarks(start, end);
    if (first == end && !last) return true;
    const isJson = first < end && (byteAt(first) == Char.BraceOpen || byteAt(first) == Char.BracketOpen);
    const isMarkup = first < end && byteAt(first) == Char.Less;
    const other = stream.bodyKind == BodyKind.Sniff ? BodyKind.Form : BodyKind.None;
    const inParts = first < end && byteAt(first) == Char.Dash && isFresh(bodyState(stream));
    const kind = isJson ? BodyKind.Json : isMarkup ? BodyKind.Markup : inParts ? BodyKind.Multipart : other;
    stream.bodyKind = <u8>kind;
    if (stream.bodyKind == BodyKind.None) return true;
    if (!inParts) openBody(stream, depth);
    // What stood before it may be in chunks that are gone: it belongs to no value, wherever the cuts are.
    start = first;
  }
  const state = bodyState(stream);
  if (stream.bodyKind == BodyKind.Multipart && isFresh(state)) {
    start = skipMarks(start, end);
    if (start == end && !last) return true;
    const first: u32 = start < end ? byteAt(start) : 0;
    const isJson = first == Char.BraceOpen || first == Char.BracketOpen;
    if (isJson || first == Char.Less) {
      // Some services read JSON whatever its type.
      stream.bodyKind = <u8>(isJson ? BodyKind.Json : BodyKind.Markup);
      openBody(stream, depth);
    }
  }
  if (unfinishedSize(state) != 0) resumeValue(state, stream.page != 0 ? stream.page : carryOf(stream));
  if (stream.rpc) judgeRpc(stream, start, end, last);
  else if (stream.bodyKind == BodyKind.Json) judgeJson(stream, start, end, last);
  else if (stream.bodyKind == BodyKind.Form) judgeForm(stream, start, end, last);
  else if (isXml(stream.bodyKind)) judgeXml(stream, start, end, last);
  else if (stream.bodyKind == BodyKind.Multipart) judgeParts(state, start, end, last);
  else if (stream.bodyKind == BodyKind.Object) judgeBinary(stream, start, end, last);
  else if (stream.bodyKind == BodyKind.Graphql) judgeDocument(stream, start, end, last);
  else if (isPacked(stream.bodyKind)) {
    const rest = judgePacked(state, start, end, last);
    if (rest != 0) {
      if (isTooDeep(state)) passBound(Overflow.Depth);
      else tellMalformed(stream);
      goOnAsText(stream, rest, dropWide(rest, end), last);
    }
  } else if (stream.bodyKind == BodyKind.WebSocket) {
    const other = judgeMessages(stream, start, end, last, depth);
    if (other != 0 && stream.framed != 0) stream.bodyKind = <u8>BodyKind.None;
    else if (other != 0) return judgeOther(stream, other, end, last, depth);
  } else judgeText(stream, start, end, last);
  const unfinished = unfinishedSize(state);
  if (unfinished <= CARRY_CAPACITY) {
    freePage(stream);
    if (unfinished != 0) keepValue(state, carryOf(stream));
    return true;
  }
  const page = claimPage(stream);
  if (page == 0) return false;
  keepValue(state, page);
  return true;
}

/**
 * Bytes at the start of a body with a content coding that say whether it is what the header claims: most services do not look at
 * the header, so a plain body is judged. The chance that 16 bytes of compressed data look like text is one in a million.
 */
const PLAIN_START: usize = 16;
/** Bytes of a pair that is judged in a masked body: of compressed data, one place in 150,000 begins as many that look like text. */
const MASKED_PAIR: usize = 12;

/** Whether `start..end` is text in UTF-8; `cut`: a chunk stands before it. */
function isPlain(start: usize, end: usize, cut: bool): bool {
  // Bytes of a character that are still to come, or may be.
  let following = cut ? 3 : 0;
  for (; start < end; start++) {
    const byte = byteAt(start);
    if ((byte & 0xc0) == 0x80) {
      if (following-- == 0) return false;
      continue;
    }
    if (following != 0 && !cut) return false;
    cut = false;
    if (byte < <u32>Char.Space ? !isBlank(byte) : byte == Char.Delete || byte > 0xf4) return false;
    following = byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  }
  return true;
}

/**
 * Goes on with a body that is no text by what looks like text in it: a service that does not look at the header takes that from a
 * form or from parts all the same, whatever stands before it. JSON and XML are not read behind such bytes.
 */
function mask(stream: Stream): void {
  if (stream.bodyKind == BodyKind.Json || isXml(stream.bodyKind)) {
    stream.bodyKind = <u8>BodyKind.None;
    return;
  }
  stream.masked = true;
  if (stream.bodyKind == BodyKind.Form) return;
  stream.bodyKind = <u8>BodyKind.Form;
  openForm(bodyState(stream));
}

/** Makes ends of pairs, in place, of all bytes that are no text. */
function hideBinary(start: usize, end: usize): void {
  for (; start < end; start++) {
    if (byteAt(start) - Char.Space >= <u32>Char.Delete - Char.Space) putByte(start, Char.Ampersand);
  }
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == Char.Tab || byte == Char.LineFeed || byte == Char.CarriageReturn;
}

/** Whether each byte of such a body counts. */
function isBinary(kind: u32): bool {
  return (
    kind == BodyKind.Multipart || kind == BodyKind.Object || kind == BodyKind.WebSocket || isPacked(kind) || isRpc(kind)
  );
}

/**
 * Removes the bytes 00, FE and FF, in place, and returns the new end. What is left of ASCII in UTF-16 or UTF-32, which many parsers
 * tell from its first bytes whatever the type says, is ASCII; no text in another encoding has these bytes.
 */
function dropWide(start: usize, end: usize): usize {
  let at = findOneOf(start, end, 0x00, 0xfe, 0xff, 0xff);
  let out = at;
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte != 0x00 && byte < 0xfe) out = putByte(out, byte);
  }
  return out;
}

/** Whether a body that begins with that byte is neither JSON nor XML, in whatever encoding: most uploads end their inspection here, unread. */
function beginsOther(first: u32): bool {
  if (first <= <u32>Char.Space || first >= 0xfe || isMark(first)) return false;
  return first != Char.BraceOpen && first != Char.BracketOpen && first != Char.Less;
}

/**
 * Judges what a client sent that asked for a WebSocket and speaks none, from `start` on: a service that does not know the
 * header reads it like any other body.
 */
function judgeOther(stream: Stream, start: usize, end: usize, last: bool, depth: u32): bool {
  countOverflow(Overflow.Malformed);
  const state = bodyState(stream);
  const early = webSocketEarly(state);
  if (early != 0) store<u8>(EARLY, load<u8>(early));
  stream.bodyKind = <u8>BodyKind.Sniff;
  memory.fill(state, 0, MULTIPART_STATE_SIZE);
  if (early != 0 && !judgeChunk(stream, EARLY, EARLY + 1, false, depth)) return false;
  return judgeChunk(stream, start, end, last, depth);
}

/** A byte, and what a chunk must have behind it. */
const EARLY: usize = memory.data(64, 16);

function judgeForm(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  feedForm(state, start, end, last);
  for (let event = nextForm(state); event == FormEvent.Name || event == FormEvent.Value; event = nextForm(state)) {
    const name: usize = event == FormEvent.Name ? 0 : formNameEnd(state) + 1 - formName(state);
    if (stream.masked && name + valueEnd - valueStart < MASKED_PAIR) continue;
    setField(Part.Form, formName(state), formNameEnd(state));
    judgeValue(valueStart, valueEnd);
  }
}

/** Says that a body broke its grammar; one with a content coding may be none at all. */
function tellMalformed(stream: Stream): void {
  if (stream.encoded || met != NOTHING) return;
  countOverflow(Overflow.Malformed);
  if (!stream.strict) return;
  setField(Part.Body, 0, 0);
  found(Rule.ProtocolMalformed, ruleConfidence(Rule.ProtocolMalformed), 0, 0);
  decideNow();
}

function judgeJson(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  jsonFeed(state, start, end, last);
  const event = judgeMembers(state);
  if (event == JsonEvent.NeedMore || event == JsonEvent.Done) return;
  // No longer JSON, or deeper than we follow: the rest is inspected as text, and counted.
  if (event == JsonEvent.TooDeep) passBound(Overflow.Depth);
  else tellMalformed(stream);
  const rest = jsonRest(state);
  if (rest < end && byteAt(rest) == Char.Less) {
    stream.bodyKind = <u8>BodyKind.Markup;
    openXml(state);
    judgeXml(stream, rest, end, last);
    return;
  }
  goOnAsText(stream, rest, end, last);
}

function judgeXml(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  feedXml(state, start, end, last);
  while (true) {
    const event = nextXml(state);
    if (event == XmlEvent.NeedMore || event == XmlEvent.Done) return;
    if (event == XmlEvent.Malformed) {
      // Text that no element holds, which other types may well have.
      if (stream.bodyKind == BodyKind.Xml) tellMalformed(stream);
      const rest = xmlRest(state);
      return goOnAsText(stream, rest, end, last);
    }
    setField(Part.Xml, xmlName(state), xmlNameEnd(state));
    // A tag of data runs nothing, whatever its names are, but it may name what a reader of XML obeys.
    if (event == XmlEvent.Tag && stream.bodyKind == BodyKind.Xml && !valueWindowed) judgeTag(valueStart, valueEnd);
    else judgeValue(valueStart, valueEnd);
  }
}

/**
 * The first window of a body that may be a serialized object, or all of it; what follows is not read. It is not held, so its first
 * chunk is judged by itself as well: the service shall not have an object before we do.
 */
function judgeBinary(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  const stop = min(end, start + valueRoom(state));
  setField(Part.Body, 0, 0);
  if (unfinishedSize(state) == 0 && !last) judgeWhole(start, min(stop, start + VALUE_CAPACITY));
  if (!collectValue(state, start, stop, Coding.None)) {
    if (!last) return;
    finishValue(state, stop, stop, Coding.None);
  }
  judgeWhole(valueStart, valueEnd);
  stream.bodyKind = <u8>BodyKind.None;
  openText(state);
}

/** A document of GraphQL, whole up to VALUE_CAPACITY; what goes on behind that is read from quote to quote. */
function judgeDocument(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  const stop = min(end, start + valueRoom(state));
  const isLong = collectValue(state, start, stop, Coding.None);
  if (!isLong) {
    if (!last) return;
    finishValue(state, stop, stop, Coding.None);
  }
  setField(Part.Body, 0, 0);
  reportAs(Part.Graphql);
  judgeValue(valueStart, valueEnd);
  // The end of the window is the beginning of the text.
  stream.bodyKind = <u8>BodyKind.Text;
  judgeText(stream, stop, end, last);
}

/** The body is not, or no longer, what it was read as. */
function goOnAsText(stream: Stream, start: usize, end: usize, last: bool): void {
  stream.bodyKind = <u8>BodyKind.Text;
  openText(bodyState(stream));
  judgeText(stream, start, end, last);
}

function judgeText(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  feedText(state, start, end, last);
  setField(Part.Body, 0, 0);
  while (nextText(state) == TextEvent.Text) judgeValue(valueStart, valueEnd);
}
