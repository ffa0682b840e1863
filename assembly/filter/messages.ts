// Messages of a WebSocket: JSON, as most are, or text; compressed ones as what they hold (inflating.ts).

import { byteAt, isDigit } from "../core/bytes";
import { Char } from "../core/char";
import { Part, setField } from "../core/field";
import { skipBlank } from "../core/scan";
import { InflateEvent } from "../decode/inflate";
import { JSON_STATE_SIZE, JsonEvent, jsonFeed, jsonOpen } from "../parse/json";
import { valueEnd, valueStart, valueWindowed } from "../parse/value";
import {
  addInflated,
  feedWebSocket,
  inflatedWindow,
  nextWebSocket,
  WebSocketEvent,
  webSocketRest,
} from "../parse/websocket";
import { countOverflow, Overflow } from "../report/counters";
import {
  closeSocketMessage,
  feedMessagePiece,
  feedSocketEnd,
  isMessageBeyond,
  messagePiece,
  messagePieceEnd,
  nextMessagePiece,
  openSocketMessage,
} from "./inflating";
import { judgeValue, met, NOTHING } from "./judgement";
import { judgeMembers } from "./json";
import { bodyState, Stream } from "./stream";

/** The state of a message of JSON, which stands whole. */
const JSON: usize = memory.data(<i32>JSON_STATE_SIZE, 16);

/** Judges the next piece of a WebSocket; returns where something else begins, or 0. `depth`: containers that JSON may nest. */
export function judgeMessages(stream: Stream, start: usize, end: usize, last: bool, depth: u32): usize {
  const state = bodyState(stream);
  feedWebSocket(state, start, end, last);
  while (true) {
    const event = nextWebSocket(state);
    if (event == WebSocketEvent.Message) {
      judgeMessage(depth);
    } else if (event == WebSocketEvent.Compressed) {
      // Without an offer no service inflates it.
      if (stream.messageCodings == 0) countOverflow(Overflow.Encoded);
      else openSocketMessage(stream);
    } else if (event == WebSocketEvent.Piece || event == WebSocketEvent.LastPiece) {
      if (stream.messageInflater != 0) judgeCompressed(stream, event == WebSocketEvent.LastPiece, depth);
    } else {
      return event == WebSocketEvent.Broken ? webSocketRest(state) : 0;
    }
    if (met != NOTHING) return 0;
  }
}

/** Inflates a piece of a compressed message, and judges its windows; what is left is the message's. */
function judgeCompressed(stream: Stream, last: bool, depth: u32): void {
  feedMessagePiece(stream, valueStart, valueEnd);
  const event = judgeInflated(stream, depth);
  if (!last || met != NOTHING) return;
  feedSocketEnd(stream);
  closeSocketMessage(stream, event < InflateEvent.Broken ? judgeInflated(stream, depth) : event);
}

function judgeInflated(stream: Stream, depth: u32): InflateEvent {
  let event = nextMessagePiece(stream);
  for (; event == InflateEvent.Piece && met == NOTHING; event = nextMessagePiece(stream)) {
    for (let at = messagePiece; at < messagePieceEnd;) {
      at = addInflated(bodyState(stream), at, messagePieceEnd);
      if (inflatedWindow) judgeMessage(depth);
    }
    if (isMessageBeyond(stream)) break;
  }
  return event;
}

function judgeMessage(depth: u32): void {
  const start = valueStart;
  const end = valueEnd;
  if (!valueWindowed && judgeJson(start, end, depth)) return;
  setField(Part.Body, 0, 0);
  judgeValue(start, end);
}

/** Judges a message as JSON; false where it is none. Socket.IO puts digits before it. */
function judgeJson(start: usize, end: usize, depth: u32): bool {
  start = skipBlank(start, end);
  while (start < end && isDigit(byteAt(start))) start++;
  if (start == end || (byteAt(start) != Char.BraceOpen && byteAt(start) != Char.BracketOpen)) return false;
  jsonOpen(JSON, depth);
  jsonFeed(JSON, start, end, true);
  return judgeMembers(JSON) == JsonEvent.Done;
}
