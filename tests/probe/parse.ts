// The parsers for TypeScript tests. Functions of the incremental parsers are exported as they are; the state block is one.

import {
  cookieName,
  cookieNameEnd,
  cookieValue,
  cookieValueEnd,
  nextCookie,
  openCookies,
} from "../../assembly/parse/cookie";
import {
  nextSegment,
  normalizePath,
  openSegments,
  segmentEnd,
  segmentIndex,
  segmentStart,
  unescapeSlashes,
} from "../../assembly/parse/path";
import { boundary, boundaryEnd } from "../../assembly/parse/part";
import { queryName, queryNameEnd, queryValue, queryValueEnd, nextQuery, openQuery } from "../../assembly/parse/query";
import { feedText, nextText, openText } from "../../assembly/parse/text";
import { valueEnd, valueStart, valueWindowed, Unfinished } from "../../assembly/parse/value";
import { JSON_STATE_SIZE, JsonEvent, jsonNext } from "../../assembly/parse/json";
export {
  jsonOpen,
  jsonFeed,
  jsonNext,
  jsonPass,
  jsonRest,
  jsonDepth,
  jsonPointer,
  jsonPointerEnd,
} from "../../assembly/parse/json";
import { argumentEnd, argumentName, argumentNameEnd, argumentStart } from "../../assembly/parse/graphql";
export { openArguments, nextArgument } from "../../assembly/parse/graphql";
/** The n-th address of the argument that was found: its string, the end, its name, the end. */
export function argumentAt(n: i32): usize {
  return n == 0 ? argumentStart : n == 1 ? argumentEnd : n == 2 ? argumentName : argumentNameEnd;
}
export { openPacked, feedPacked, nextPacked, packedRest } from "../../assembly/parse/packed";
export { openXml, feedXml, nextXml, xmlRest, xmlName, xmlNameEnd } from "../../assembly/parse/xml";
export { openWebSocket, feedWebSocket, nextWebSocket, webSocketRest } from "../../assembly/parse/websocket";
export { openGrpc, feedGrpc, nextGrpc } from "../../assembly/parse/grpc";
export { closeProtobuf, protobufName, protobufNameEnd } from "../../assembly/parse/protobuf";
export { openForm, feedForm, nextForm, formName, formNameEnd } from "../../assembly/parse/form";
export {
  openMultipart,
  feedMultipart,
  nextMultipart,
  skipContent,
  tagPart,
  partName,
  partNameEnd,
  namePart,
} from "../../assembly/parse/multipart";
export {
  openPart,
  partValueCount,
  partValueKind,
  partValueStart,
  partValueEnd,
  readBoundary,
} from "../../assembly/parse/part";
export { keepValue, resumeValue, openSpan, nextWindow } from "../../assembly/parse/value";
export { openQuery, nextQuery, openCookies, nextCookie, openSegments, nextSegment, openText, feedText, nextText };

const STATE: usize = memory.data(4096, 16);

export function state(): usize {
  return STATE;
}
export function stateSize(): usize {
  return JSON_STATE_SIZE;
}
export function start(): usize {
  return valueStart;
}
export function end(): usize {
  return valueEnd;
}
export function windowed(): bool {
  return valueWindowed;
}
export function unfinished(): u32 {
  return changetype<Unfinished>(STATE).size;
}
/** Reads to the end of what was fed and counts the events: for measurements, without a call from outside for each. */
export function jsonCount(): u32 {
  let count: u32 = 0;
  while (jsonNext(STATE) < JsonEvent.Done) count++;
  return count;
}
export function boundaryAt(n: i32): usize {
  return n == 0 ? boundary : boundaryEnd;
}
/** The n-th address of the pair that was found: name, its end, value, its end. */
export function queryAt(n: i32): usize {
  return n == 0 ? queryName : n == 1 ? queryNameEnd : n == 2 ? queryValue : queryValueEnd;
}
export function cookieAt(n: i32): usize {
  return n == 0 ? cookieName : n == 1 ? cookieNameEnd : n == 2 ? cookieValue : cookieValueEnd;
}

/** Where a stream keeps its unfinished value. */
const SLOT: usize = memory.data(16416);

export function slot(): usize {
  return SLOT;
}

const OUT: usize = memory.data(262144);

export function out(): usize {
  return OUT;
}
export function normalize(start: usize, end: usize): usize {
  return normalizePath(start, end, OUT);
}
export function unescape(start: usize, end: usize): usize {
  return unescapeSlashes(start, end, OUT);
}
/** The n-th fact of the segment that was found: start, end, index. */
export function segmentAt(n: i32): usize {
  return n == 0 ? segmentStart : n == 1 ? segmentEnd : <usize>segmentIndex;
}
/** Leaves the shared buffers full of what is not this stream's, as another stream would. */
export function scribble(start: usize, end: usize): void {
  const other = STATE + 2048;
  openText(other);
  feedText(other, start, end, false);
  nextText(other);
}
