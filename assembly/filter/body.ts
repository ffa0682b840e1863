// The body of a request on its way: which parser reads it, and what a chunk does. A value that a chunk cuts is kept in the stream's
// slot, or in a page if it is long, and put back before the next chunk: nothing is judged twice, and a cut changes no answer.

import { Part, setField } from "../core/field";
import { skipBlank } from "../core/scan";
import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";
import { textIsNoCase, textStartsNoCase } from "../core/text";
import { feedForm, FORM_STATE_SIZE, FormEvent, formName, formNameEnd, nextForm, openForm } from "../parse/form";
import {
  JSON_STATE_SIZE,
  JsonEvent,
  jsonFeed,
  jsonNext,
  jsonOpen,
  jsonPointer,
  jsonPointerEnd,
  jsonRest,
} from "../parse/json";
import { feedText, nextText, openText, TEXT_STATE_SIZE, TextEvent } from "../parse/text";
import { keepValue, resumeValue, unfinishedSize, valueEnd, valueStart } from "../parse/value";
import { countOverflow, Overflow } from "../report/counters";
import { judgeValue } from "./judgement";
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

/**
 * How a body of that Content-Type is read; an empty or plain one is looked at when its first byte is there. A list (Envoy joins
 * repeated headers with commas) is read as the first of its types that can be: servers cut it at the comma, or take the last.
 */
export function bodyKindOf(types: usize, typesEnd: usize): BodyKind {
  let kind = BodyKind.None;
  for (let start = types; kind == BodyKind.None;) {
    const end = findByte(start, typesEnd, Char.Comma);
    kind = kindOfType(start, end);
    if (end == typesEnd) break;
    start = end + 1;
  }
  return kind;
}

function kindOfType(type: usize, typeEnd: usize): BodyKind {
  while (type < typeEnd && byteAt(type) <= <u32>Char.Space) type++;
  let end = type;
  while (end < typeEnd && byteAt(end) != Char.Semicolon && byteAt(end) > <u32>Char.Space) end++;
  if (textIsNoCase(type, end, "application/x-www-form-urlencoded")) return BodyKind.Form;
  if (textIsNoCase(type, end, "application/json") || textIsNoCase(type, end, "text/json")) return BodyKind.Json;
  // Streams of messages, also those with messages of JSON.
  if (textStartsNoCase(type, end, "application/grpc")) return BodyKind.None;
  if (textStartsNoCase(type, end, "application/") && end - type > 5 && textIsNoCase(end - 5, end, "+json")) {
    return BodyKind.Json;
  }
  if (type == end || textIsNoCase(type, end, "text/plain")) return BodyKind.Sniff;
  return BodyKind.None;
}

/** Begins with the body of a stream whose kind is known. `depth`: containers that JSON may nest. */
export function openBody(stream: Stream, depth: u32): void {
  if (isDefined(CHECKED)) {
    assert(
      <u32>JSON_STATE_SIZE <= BODY_STATE_CAPACITY &&
        <u32>FORM_STATE_SIZE <= BODY_STATE_CAPACITY &&
        <u32>TEXT_STATE_SIZE <= BODY_STATE_CAPACITY,
    ); // each parser's state fits the slot
  }
  if (stream.bodyKind == BodyKind.Json) jsonOpen(bodyState(stream), depth);
  else if (stream.bodyKind == BodyKind.Form) openForm(bodyState(stream));
  else openText(bodyState(stream));
}

/** Judges the next chunk of a body; `last` says that nothing follows. False where a cut value could not be kept. */
export function judgeChunk(stream: Stream, start: usize, end: usize, last: bool, depth: u32): bool {
  if (stream.bodyKind == BodyKind.Sniff) {
    const first = skipMarks(start, end);
    if (first == end && !last) return true;
    const isJson = first < end && (byteAt(first) == Char.BraceOpen || byteAt(first) == Char.BracketOpen);
    stream.bodyKind = <u8>(isJson ? BodyKind.Json : BodyKind.Form);
    openBody(stream, depth);
  }
  const state = bodyState(stream);
  if (unfinishedSize(state) != 0) resumeValue(state, stream.page != 0 ? stream.page : carryOf(stream));
  if (stream.bodyKind == BodyKind.Json) judgeJson(stream, start, end, last);
  else if (stream.bodyKind == BodyKind.Form) judgeForm(stream, start, end, last);
  else judgeText(stream, start, end, last);
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

/** The first byte that is neither blank nor of a byte order mark, which parsers of JSON pass over too. */
function skipMarks(start: usize, end: usize): usize {
  let at = skipBlank(start, end);
  while (at < end && (byteAt(at) == 0xef || byteAt(at) == 0xbb || byteAt(at) == 0xbf)) at = skipBlank(at + 1, end);
  return at;
}

function judgeForm(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  feedForm(state, start, end, last);
  for (let event = nextForm(state); event == FormEvent.Name || event == FormEvent.Value; event = nextForm(state)) {
    setField(Part.Form, formName(state), formNameEnd(state));
    judgeValue(valueStart, valueEnd);
  }
}

function judgeJson(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  jsonFeed(state, start, end, last);
  while (true) {
    const event = jsonNext(state);
    if (event <= JsonEvent.NeedMore) return;
    if (event <= JsonEvent.Literal) {
      setField(Part.Json, jsonPointer(state), jsonPointerEnd(state));
      judgeValue(valueStart, valueEnd);
    } else if (event == JsonEvent.Done) {
      return;
    } else if (event > JsonEvent.Done) {
      // No longer JSON, or deeper than we follow: the rest is inspected as text, and counted.
      countOverflow(event == JsonEvent.TooDeep ? Overflow.Depth : Overflow.Malformed);
      const rest = jsonRest(state);
      stream.bodyKind = <u8>BodyKind.Text;
      openText(state);
      judgeText(stream, rest, end, last);
      return;
    }
  }
}

function judgeText(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  feedText(state, start, end, last);
  setField(Part.Body, 0, 0);
  while (nextText(state) == TextEvent.Text) judgeValue(valueStart, valueEnd);
}
