// A body of gRPC, gRPC-Web or protobuf on its way: each message of a call is judged as it comes, and
// the call does not wait. A compressed message is judged as what it holds (inflating.ts).

import { Part, setField } from "../core/field";
import { InflateEvent } from "../decode/inflate";
import { reports } from "../detect/finding";
import { beginsGrpc, feedGrpc, Framing, GrpcEvent, nextGrpc, openGrpc } from "../parse/grpc";
import {
  feedProtobuf,
  foundInProtobuf,
  nextProtobuf,
  ProtobufEvent,
  protobufName,
  protobufNameEnd,
} from "../parse/protobuf";
import { valueEnd, valueStart } from "../parse/value";
import { Overflow } from "../report/counters";
import {
  closeMessage,
  feedMessagePiece,
  isMessageBeyond,
  messagePiece,
  messagePieceEnd,
  nextMessagePiece,
  openMessage,
} from "./inflating";
import { judgeValue, judgeWhole, met, NOTHING, passBound } from "./judgement";
import { BodyKind, bodyState, Stream } from "./stream";

/** Whether a body of that kind is read here. */
// @ts-ignore: decorator
@inline
export function isRpc(kind: u32): bool {
  return kind >= <u32>BodyKind.Grpc && kind <= <u32>BodyKind.Protobuf;
}

/** Whether such a body is a call, which is never held: either side may wait for the other. */
// @ts-ignore: decorator
@inline
export function isCall(kind: u32): bool {
  return kind == BodyKind.Grpc || kind == BodyKind.GrpcText;
}

function framingOf(kind: u32): Framing {
  return kind == BodyKind.Grpc ? Framing.Frames : kind == BodyKind.GrpcText ? Framing.Text : Framing.None;
}

/** Begins with the body of a stream of such a kind. */
export function openRpc(stream: Stream, depth: u32): void {
  openGrpc(bodyState(stream), framingOf(stream.bodyKind), depth);
}

/** Whether its first byte is one of that kind. */
export function beginsRpc(kind: u32, first: u32): bool {
  return beginsGrpc(framingOf(kind), first);
}

/** Judges a chunk of it, which is changed in place. */
export function judgeRpc(stream: Stream, start: usize, end: usize, last: bool): void {
  const state = bodyState(stream);
  feedGrpc(state, start, end, last);
  while (true) {
    const event = nextGrpc(state);
    if (event == GrpcEvent.NeedMore || event == GrpcEvent.Done) return;
    if (event == GrpcEvent.Compressed) openMessage(stream);
    else if (event > GrpcEvent.Compressed) judgeCompressed(stream, event == GrpcEvent.LastPiece);
    else tellEvent(state, <ProtobufEvent>event);
    if (met != NOTHING) return;
  }
}

/** Judges a piece of a compressed message: what it holds. */
function judgeCompressed(stream: Stream, last: bool): void {
  const state = bodyState(stream);
  feedMessagePiece(stream, valueStart, valueEnd);
  let event = nextMessagePiece(stream);
  for (; event == InflateEvent.Piece; event = nextMessagePiece(stream)) {
    feedProtobuf(state, messagePiece, messagePieceEnd, false);
    judgeFields(state);
    if (isMessageBeyond(stream)) return;
  }
  if (!last) return;
  feedProtobuf(state, messagePiece, messagePiece, true);
  judgeFields(state);
  closeMessage(stream, event);
}

/** Judges what was fed of a message. */
function judgeFields(state: usize): void {
  for (let event = nextProtobuf(state); event != ProtobufEvent.NeedMore; event = nextProtobuf(state)) {
    if (event == ProtobufEvent.Done) return;
    tellEvent(state, event);
  }
}

/** Judges the value of a field, or counts what kept it from being read. */
function tellEvent(state: usize, event: ProtobufEvent): void {
  if (event > ProtobufEvent.Object) return passBound(overflowOf(event));
  setField(Part.Grpc, protobufName(state), protobufNameEnd(state));
  const before = reports;
  if (event == ProtobufEvent.Value) judgeValue(valueStart, valueEnd);
  else judgeWhole(valueStart, valueEnd);
  if (reports != before) foundInProtobuf(state);
}

function overflowOf(event: ProtobufEvent): Overflow {
  if (event == ProtobufEvent.TooDeep) return Overflow.Depth;
  return event == ProtobufEvent.Malformed ? Overflow.Malformed : Overflow.Values;
}
