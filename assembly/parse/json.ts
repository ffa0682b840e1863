// JSON, chunk by chunk, with an explicit stack. RFC 8259, read leniently: what some parser in a service accepts must be seen.
//
//   texts  = *( blank value ) blank                       also several texts in a row (NDJSON); BOM bytes between them are blank
//   value  = object | array | string | bare               bare = 1*( letter | digit | "_" | "+" | "-" | "." )
//   object = "{" [ string ":" value *( "," string ":" value ) ] "}"
//   array  = "[" [ value *( "," value ) ] "]"
//   string = DQUOTE *( any byte but DQUOTE and "\" | "\" any byte ) DQUOTE
//
// Control bytes between tokens are blanks, and inside strings they are content. A malformed escape stays in the string as it is. At
// the first byte that fits nowhere, or at a container deeper than the limit, the parser stops for good (`Malformed`, `TooDeep`) and
// the caller inspects `jsonRest..end` and all later chunks as text.
//
// Each byte is looked at once or twice and copied at most once, strings 16 bytes a step; the state block and the buffers of
// value.ts are all the memory, whatever the depth, the number of keys or the length of a string.

import { byteAt, isDigit, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { findEither, isMark, plainBare, plainString, skipBlank } from "../core/scan";
import {
  PLACES,
  POINTED_SIZE,
  Pointed,
  closePlace,
  feedPointed,
  holdsDollar,
  inObject,
  nextElement,
  openPlace,
  openPointed,
  pointAtMember,
} from "./pointer";
import { Coding, collectValue, finishValue, valueEnd, valueRoom, valueStart } from "./value";

export { pointerOf as jsonPointer, pointerEnd as jsonPointerEnd } from "./pointer";

export const enum JsonEvent {
  /** The chunk is used up. */
  NeedMore,
  /** The value (value.ts) is a member's name, or a window of one. */
  Key,
  /** The value is a string's content, or a window of it. */
  String,
  /** The value is a bare word that begins with a digit or `-`, as it stands. */
  Number,
  /** The value is any other bare word: true, false, null, and what lenient parsers take besides. */
  Literal,
  ObjectOpen,
  ObjectClose,
  ArrayOpen,
  ArrayClose,
  /** The body is over. */
  Done,
  /** What stands at `jsonRest` fits nowhere, or the body ended too early (`jsonRest` is the end). Comes again on each call. */
  Malformed,
  /** A container at `jsonRest` is deeper than the limit. Comes again on each call. */
  TooDeep,
}

/** What may come next. */
const enum Expect {
  /** A text, or the end. */
  Text,
  Value,
  /** A value or `]`. */
  Element,
  /** A key or `}`. */
  Member,
  Key,
  Colon,
  /** A comma or the closing bracket. */
  Comma,
  /** The rest of a string. */
  String,
  /** The rest of a bare word. */
  Bare,
  Nothing,
}


@unmanaged
class JsonState extends Pointed {
  /** Whether the next byte of a string stands behind a backslash. */
  escaped: bool;
  expect: Expect;
  /** Of the string that is being read: Escapes once a backslash was seen. */
  coding: Coding;
  /** The event of the token that is being read, or the one that ended it all. */
  event: JsonEvent;
}

/** Bytes of the state block, which stands at a multiple of 8. */
export const JSON_STATE_SIZE: usize = POINTED_SIZE;

/** Starts on a body; `state` is a block of JSON_STATE_SIZE bytes, `depthLimit` at most MAX_DEPTH (more is taken as that). */
export function jsonOpen(state: usize, depthLimit: u32): void {
  if (isDefined(CHECKED)) assert(offsetof<JsonState>() <= PLACES); // the fields end before the places
  openPointed(state, depthLimit);
}

/** Gives the next chunk, which stays until `jsonNext` has asked for more. */
export function jsonFeed(state: usize, start: usize, end: usize, last: bool): void {
  feedPointed(state, start, end, last);
}

/** Where the parser stands in the chunk. */
export function jsonRest(state: usize): usize {
  return changetype<JsonState>(state).at;
}

/** Containers that are open. */
export function jsonDepth(state: usize): u32 {
  return changetype<JsonState>(state).depth;
}

/** Bytes before the end of a chunk in which nothing is passed over: a name, what stands around it, and 16 bytes to read. */
const PASS_MARGIN: usize = 64;

/**
 * Passes over members and elements that are words, numbers and identifiers of fewer than 16 bytes (core/scan.ts), names and values:
 * no detector takes them for anything. The next event is that of what follows them.
 */
export function jsonPass(state: usize): void {
  const json = changetype<JsonState>(state);
  if (!ASC_FEATURE_SIMD || json.depth == 0 || json.expect > Expect.Comma || json.end <= <u32>PASS_MARGIN) return;
  const stop = <usize>json.end - PASS_MARGIN;
  let at = <usize>json.at;
  if (at >= stop || holdsDollar(json)) return;
  const isObject = inObject(json);
  let expect = json.expect;
  let name: usize = 0;
  let nameEnd: usize = 0;
  while (at < stop) {
    const byte = byteAt(at);
    if (byte <= <u32>Char.Space) {
      at = skipBlank(at, stop);
      continue;
    }
    if (expect == Expect.Comma) {
      if (byte != Char.Comma) break;
      if (!isObject) nextElement(state);
      expect = isObject ? Expect.Key : Expect.Value;
      at++;
    } else if (expect == Expect.Colon) {
      if (byte != Char.Colon) break;
      expect = Expect.Value;
      at++;
    } else if (byte == Char.DoubleQuote) {
      const size = plainString(at + 1);
      if (size < 0) break;
      if (expect == Expect.Key || expect == Expect.Member) {
        name = at + 1;
        nameEnd = name + size;
        expect = Expect.Colon;
      } else expect = Expect.Comma;
      at += 2 + size;
    } else {
      const size = expect == Expect.Value || expect == Expect.Element ? plainBare(at) : 0;
      if (size <= 0) break;
      expect = Expect.Comma;
      at += size;
    }
  }
  json.at = <u32>at;
  json.expect = expect;
  if (name != 0 && (expect == Expect.Colon || expect == Expect.Value)) pointAtMember(state, name, nameEnd);
}

/** Reads on to the next event. */
export function jsonNext(state: usize): JsonEvent {
  const json = changetype<JsonState>(state);
  const end = <usize>json.end;
  while (true) {
    if (json.expect == Expect.String) return readString(state);
    if (json.expect == Expect.Bare) return readBare(state);
    if (json.expect == Expect.Nothing) return json.event;
    let at = <usize>json.at;
    if (at < end && byteAt(at) <= <u32>Char.Space) at = skipBlank(at, end);
    json.at = <u32>at;
    if (at == end) {
      if (!json.last) return JsonEvent.NeedMore;
      return json.expect == Expect.Text ? JsonEvent.Done : stop(json, JsonEvent.Malformed);
    }
    const byte = byteAt(at);
    switch (json.expect) {
      case Expect.Text:
        // One by one, since a cut may stand between them.
        if (isMark(byte)) {
          json.at = <u32>at + 1;
          continue;
        }
      case Expect.Element:
      case Expect.Value:
        if (byte == Char.DoubleQuote) return openString(state, JsonEvent.String);
        if (byte == Char.BraceOpen || byte == Char.BracketOpen) return openContainer(state, byte == Char.BraceOpen);
        if (byte == Char.BracketClose && json.expect == Expect.Element) return closeContainer(state);
        if (!isBare(byte)) return stop(json, JsonEvent.Malformed);
        json.coding = Coding.None;
        json.event = isDigit(byte) || byte == Char.Dash ? JsonEvent.Number : JsonEvent.Literal;
        json.expect = Expect.Bare;
        return readBare(state);
      case Expect.Member:
        if (byte == Char.BraceClose) return closeContainer(state);
      case Expect.Key:
        if (byte != Char.DoubleQuote) return stop(json, JsonEvent.Malformed);
        return openString(state, JsonEvent.Key);
      case Expect.Colon:
        if (byte != Char.Colon) return stop(json, JsonEvent.Malformed);
        json.expect = Expect.Value;
        json.at = <u32>at + 1;
        continue;
      default:
        if (byte == (inObject(json) ? Char.BraceClose : Char.BracketClose)) return closeContainer(state);
        if (byte != Char.Comma) return stop(json, JsonEvent.Malformed);
        if (inObject(json)) {
          json.expect = Expect.Key;
        } else {
          json.expect = Expect.Value;
          nextElement(state);
        }
        json.at = <u32>at + 1;
    }
  }
}

/** A quote stands at the cursor: reads the string behind it. */
function openString(state: usize, event: JsonEvent): JsonEvent {
  const json = changetype<JsonState>(state);
  json.event = event;
  json.expect = Expect.String;
  json.coding = Coding.None;
  json.at++;
  return readString(state);
}

/** Reads on in a string: the string (or key), a window of it, or the need for more. */
function readString(state: usize): JsonEvent {
  const json = changetype<JsonState>(state);
  const start = <usize>json.at;
  const limit = min(<usize>json.end, start + valueRoom(state));
  let at = start;
  if (json.escaped && at < limit) {
    json.escaped = false;
    at++;
  }
  while (true) {
    at = findEither(at, limit, Char.DoubleQuote, Char.Backslash);
    if (at == limit) break;
    if (byteAt(at) == Char.DoubleQuote) {
      json.at = <u32>at + 1;
      return endToken(state, start, at);
    }
    json.coding = Coding.Escapes;
    if (at + 1 == limit) {
      json.escaped = true;
      at = limit;
      break;
    }
    at += 2;
  }
  return cutToken(state, start, at);
}

/** Reads on in a bare word. */
function readBare(state: usize): JsonEvent {
  const json = changetype<JsonState>(state);
  const start = <usize>json.at;
  const limit = min(<usize>json.end, start + valueRoom(state));
  let at = start;
  while (at < limit && isBare(byteAt(at))) at++;
  if (at == limit) return cutToken(state, start, at);
  json.at = <u32>at;
  return endToken(state, start, at);
}

/** `start..end` of a token, and then a full window or the end of the chunk. */
function cutToken(state: usize, start: usize, end: usize): JsonEvent {
  const json = changetype<JsonState>(state);
  json.at = <u32>end;
  // At the end of the body what there is of the token is judged; an open string is an error after that.
  if (end == <usize>json.end && json.last && end - start < valueRoom(state)) {
    const open = json.expect == Expect.String;
    const event = endToken(state, start, end);
    if (open) stop(json, JsonEvent.Malformed);
    return event;
  }
  const first = json.windows == 0;
  if (!collectValue(state, start, end, json.coding)) return JsonEvent.NeedMore;
  if (first && json.event == JsonEvent.Key) pointAtMember(state, valueStart, valueEnd);
  return json.event;
}

/** The token that ends with `start..end` is the value. */
function endToken(state: usize, start: usize, end: usize): JsonEvent {
  const json = changetype<JsonState>(state);
  const event = json.event;
  const first = json.windows == 0;
  finishValue(state, start, end, json.coding);
  if (event == JsonEvent.Key) {
    if (first) pointAtMember(state, valueStart, valueEnd);
    json.expect = Expect.Colon;
  } else {
    json.expect = afterValue(json);
  }
  return event;
}

/** Stops for good. */
function stop(json: JsonState, event: JsonEvent): JsonEvent {
  json.expect = Expect.Nothing;
  json.event = event;
  return event;
}

function openContainer(state: usize, isObject: bool): JsonEvent {
  const json = changetype<JsonState>(state);
  if (!openPlace(state, isObject)) return stop(json, JsonEvent.TooDeep);
  json.at++;
  json.expect = isObject ? Expect.Member : Expect.Element;
  return isObject ? JsonEvent.ObjectOpen : JsonEvent.ArrayOpen;
}

function closeContainer(state: usize): JsonEvent {
  const json = changetype<JsonState>(state);
  const wasObject = inObject(json);
  closePlace(state);
  json.at++;
  json.expect = afterValue(json);
  return wasObject ? JsonEvent.ObjectClose : JsonEvent.ArrayClose;
}

// @ts-ignore: decorator
@inline
function afterValue(json: JsonState): Expect {
  return json.depth == 0 ? Expect.Text : Expect.Comma;
}

// @ts-ignore: decorator
@inline
function isBare(byte: u32): bool {
  return isWord(byte) || byte == Char.Dash || byte == Char.Dot || byte == Char.Plus;
}
