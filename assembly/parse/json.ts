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

import { byteAt, isDigit, isWord, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { findEither, isMark, skipBlank } from "../core/scan";
import { NAME_ROOM, appendByte, appendName } from "./name";
import { Coding, Unfinished, collectValue, finishValue, valueEnd, valueRoom, valueStart } from "./value";

/** Containers that can be open at once. */
export const JSON_MAX_DEPTH: u32 = 64;

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
class JsonState extends Unfinished {
  at: u32;
  end: u32;
  last: bool;
  /** Whether the next byte of a string stands behind a backslash. */
  escaped: bool;
  expect: Expect;
  /** Of the string that is being read: Escapes once a backslash was seen. */
  coding: Coding;
  /** The event of the token that is being read, or the one that ended it all. */
  event: JsonEvent;
  depth: u32;
  limit: u32;
  pointerSize: u32;
  /** Bit n: container n is an object. */
  objects: u64;
}

/** An open container. */
@unmanaged
class Place {
  /** Index of the current element of an array. */
  index: u32;
  /** Bytes of the container's own pointer. */
  pointerSize: u32;
}

/** Offsets in the state block: a Place for each open container, then the pointer. */
const PLACES: usize = offsetof<JsonState>();
const POINTER: usize = PLACES + offsetof<Place>() * <usize>JSON_MAX_DEPTH;
/** Bytes of the state block, which stands at a multiple of 8. */
export const JSON_STATE_SIZE: usize = POINTER + NAME_ROOM;

/** Starts on a body; `state` is a block of JSON_STATE_SIZE bytes, `depthLimit` at most JSON_MAX_DEPTH (more is taken as that). */
export function jsonOpen(state: usize, depthLimit: u32): void {
  memory.fill(state, 0, PLACES);
  changetype<JsonState>(state).limit = min(depthLimit, JSON_MAX_DEPTH);
}

/** Gives the next chunk, which stays until `jsonNext` has asked for more. */
export function jsonFeed(state: usize, start: usize, end: usize, last: bool): void {
  const json = changetype<JsonState>(state);
  json.at = <u32>start;
  json.end = <u32>end;
  json.last = last;
}

/** Where the parser stands in the chunk. */
export function jsonRest(state: usize): usize {
  return changetype<JsonState>(state).at;
}

/** Containers that are open. */
export function jsonDepth(state: usize): u32 {
  return changetype<JsonState>(state).depth;
}

/** The JSON Pointer (RFC 6901) of the key or value read last, cut as name.ts says; valid until the next call of `jsonNext`. */
export function jsonPointer(state: usize): usize {
  pointAtElement(state);
  return state + POINTER;
}

/** The end of what `jsonPointer` gave. */
export function jsonPointerEnd(state: usize): usize {
  return state + POINTER + changetype<JsonState>(state).pointerSize;
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
          placeOf(state, json.depth - 1).index++;
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
  if (first && json.event == JsonEvent.Key) pointAtMember(state);
  return json.event;
}

/** The token that ends with `start..end` is the value. */
function endToken(state: usize, start: usize, end: usize): JsonEvent {
  const json = changetype<JsonState>(state);
  const event = json.event;
  const first = json.windows == 0;
  finishValue(state, start, end, json.coding);
  if (event == JsonEvent.Key) {
    if (first) pointAtMember(state);
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
  if (json.depth == json.limit) return stop(json, JsonEvent.TooDeep);
  pointAtElement(state);
  const place = placeOf(state, json.depth);
  place.index = 0;
  place.pointerSize = json.pointerSize;
  const bit: u64 = 1 << (<u64>json.depth);
  json.objects = isObject ? json.objects | bit : json.objects & ~bit;
  json.depth++;
  json.at++;
  json.expect = isObject ? Expect.Member : Expect.Element;
  return isObject ? JsonEvent.ObjectOpen : JsonEvent.ArrayOpen;
}

function closeContainer(state: usize): JsonEvent {
  const json = changetype<JsonState>(state);
  const wasObject = inObject(json);
  json.depth--;
  json.pointerSize = placeOf(state, json.depth).pointerSize;
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
function inObject(json: JsonState): bool {
  return json.depth != 0 && ((json.objects >> (<u64>(json.depth - 1))) & 1) != 0;
}

// @ts-ignore: decorator
@inline
function placeOf(state: usize, depth: u32): Place {
  return changetype<Place>(state + PLACES + offsetof<Place>() * <usize>depth);
}

// @ts-ignore: decorator
@inline
function isBare(byte: u32): bool {
  return isWord(byte) || byte == Char.Dash || byte == Char.Dot || byte == Char.Plus;
}

/** Makes the pointer that of the member whose name is the value. */
function pointAtMember(state: usize): void {
  const json = changetype<JsonState>(state);
  const pointer = state + POINTER;
  let size = appendByte(pointer, placeOf(state, json.depth - 1).pointerSize, Char.Slash);
  for (let at = valueStart; at < valueEnd;) {
    // "~" and "/" are written "~0" and "~1".
    const special = findEither(at, valueEnd, Char.Tilde, Char.Slash);
    size = appendName(pointer, size, at, special);
    if (special < valueEnd) {
      size = appendByte(pointer, size, Char.Tilde);
      size = appendByte(pointer, size, byteAt(special) == Char.Tilde ? Char._0 : Char._1);
    }
    at = special + 1;
  }
  json.pointerSize = size;
}

/** Inside an array: makes the pointer that of the current element. Elements are counted only; their pointers are written on demand. */
function pointAtElement(state: usize): void {
  const json = changetype<JsonState>(state);
  if (json.depth == 0 || inObject(json)) return;
  const place = placeOf(state, json.depth - 1);
  const size = appendByte(state + POINTER, place.pointerSize, Char.Slash);
  json.pointerSize = appendName(state + POINTER, size, DIGITS, putDecimal(DIGITS, place.index));
}

/** An index on its way to the pointer. Owner: this file. */
const DIGITS: usize = memory.data(48);
