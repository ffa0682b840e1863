// A body of gRPC, gRPC-Web or protobuf on its way: each message of a call is judged as it comes, and
// the call does not wait.

import { Part, setField } from "../core/field";
import { reports } from "../detect/finding";
import { beginsGrpc, feedGrpc, Framing, GrpcEvent, nextGrpc, openGrpc } from "../parse/grpc";
import { foundInProtobuf, protobufName, protobufNameEnd } from "../parse/protobuf";
import { valueEnd, valueStart } from "../parse/value";
import { countOverflow, Overflow } from "../report/counters";
import { judgeValue, judgeWhole } from "./judgement";
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
    if (event <= GrpcEvent.Object) {
      setField(Part.Grpc, protobufName(state), protobufNameEnd(state));
      const before = reports;
      if (event == GrpcEvent.Value) judgeValue(valueStart, valueEnd);
      else judgeWhole(valueStart, valueEnd);
      if (reports != before) foundInProtobuf(state);
    } else {
      if (event == GrpcEvent.Compressed) stream.compressed = true;
      countOverflow(overflowOf(event));
    }
  }
}

function overflowOf(event: GrpcEvent): Overflow {
  if (event == GrpcEvent.TooDeep) return Overflow.Depth;
  if (event == GrpcEvent.Malformed) return Overflow.Malformed;
  return event == GrpcEvent.Unread ? Overflow.Values : Overflow.Encoded;
}
