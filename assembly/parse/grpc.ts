// Bodies of gRPC and gRPC-Web: messages in frames, chunk by chunk; and a bare message.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, PROTOCOL-WEB.md
//
//   body  = *frame                            frame = flags length message         length = 4 bytes, the highest first
//   flags = 0 | 1 (compressed), and 0x80 where the "message" of gRPC-Web is its trailers, lines as those of HTTP/1
//   text  = base64 of that, in pieces each of which may be padded
//
// Whatever a message is said to be (`+proto`, `+json`, nothing), it is read as one of protobuf and as a text (protobuf.ts): which also
// is what trailers are. A compressed one is given as it comes, to who may inflate it and feed that to `feedProtobuf`. Other flags say
// nothing, as to servers that look for 1 alone (grpc-js). What ends too early is read as far as it goes. The state block and that of
// the message are all the memory.

import { base64Value, byteAt, isSpace, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { feedProtobuf, nextProtobuf, openProtobuf, PROTOBUF_STATE_SIZE, ProtobufEvent } from "./protobuf";
import { giveValue } from "./value";

export const enum GrpcEvent {
  /** The same as those of a message (protobuf.ts); `Done`: the body is over. */
  NeedMore = ProtobufEvent.NeedMore,
  Value = ProtobufEvent.Value,
  Object = ProtobufEvent.Object,
  TooDeep = ProtobufEvent.TooDeep,
  Malformed = ProtobufEvent.Malformed,
  Unread = ProtobufEvent.Unread,
  Done = ProtobufEvent.Done,
  /** A compressed message begins: the next message of protobuf. */
  Compressed,
  /** The value is a piece of it. */
  Piece,
  /** The same, maybe empty, and the last. */
  LastPiece,
}

/** How messages stand in a body. */
export const enum Framing {
  /** In frames. */
  Frames,
  /** In frames, in base64. */
  Text,
  /** The body is one message. */
  None,
}

const enum Mode {
  Head,
  Message,
  Compressed,
  Over,
}


@unmanaged
class GrpcState {
  at: u32;
  end: u32;
  last: bool;
  framing: Framing;
  mode: Mode;
  depth: u8;
  /** Bytes of a frame's head that were read, and its flags. */
  headSize: u8;
  flags: u8;
  /** Bytes of the message that are to come. */
  left: u32;
  /** Bits of base64 that are no byte yet, and how many. */
  bits: u32;
  bitCount: u32;
}

const FRAMES: usize = (PROTOBUF_STATE_SIZE + 7) & ~7;
/** Bytes of the state block, which stands at a multiple of 8: the message's, which is the block's head, then that of the frames. */
export const GRPC_STATE_SIZE: usize = FRAMES + offsetof<GrpcState>();

/** Bytes of a frame's head. */
const HEAD: u32 = 5;

/** Starts on a body; `state` is a block of GRPC_STATE_SIZE bytes, `depth` as that of `openProtobuf`. */
export function openGrpc(state: usize, framing: Framing, depth: u32): void {
  memory.fill(state + FRAMES, 0, offsetof<GrpcState>());
  const body = changetype<GrpcState>(state + FRAMES);
  body.framing = framing;
  body.depth = <u8>min(depth, 255);
  openProtobuf(state, depth);
  if (framing != Framing.None) return;
  body.mode = Mode.Message;
  body.left = u32.MAX_VALUE;
}

/** Whether a body may begin with that byte. */
export function beginsGrpc(framing: Framing, first: u32): bool {
  if (framing == Framing.Text) return base64Value(first) < 64 || isSpace(first);
  return first != Char.BraceOpen && first != Char.BracketOpen && first != Char.Less;
}

/** Gives the next chunk, which is changed in place and stays until `nextGrpc` has asked for more. */
export function feedGrpc(state: usize, start: usize, end: usize, last: bool): void {
  const body = changetype<GrpcState>(state + FRAMES);
  body.at = <u32>start;
  body.end = <u32>(body.framing == Framing.Text ? decodeText(body, start, end) : end);
  body.last = last;
  if (body.mode == Mode.Message) feedMessage(state, body);
}

/** Decodes base64 in place, and returns the new end; padding ends a piece, and what is no digit is passed over. */
function decodeText(body: GrpcState, start: usize, end: usize): usize {
  let out = start;
  for (; start < end; start++) {
    const digit = base64Value(byteAt(start));
    if (digit < 64) {
      body.bits = (body.bits << 6) | digit;
      body.bitCount += 6;
      if (body.bitCount < 8) continue;
      body.bitCount -= 8;
      out = putByte(out, (body.bits >> body.bitCount) & 0xff);
    } else if (!isSpace(byteAt(start))) {
      body.bitCount = 0;
    }
  }
  return out;
}

/** Gives what the chunk has of the message to its parser. */
function feedMessage(state: usize, body: GrpcState): void {
  const size = min(body.left, body.end - body.at);
  const start = <usize>body.at;
  body.at += size;
  if (body.left != u32.MAX_VALUE) body.left -= size;
  feedProtobuf(state, start, start + size, body.left == 0 || (body.last && body.at == body.end));
}

/** Reads on to the next event. */
export function nextGrpc(state: usize): GrpcEvent {
  const body = changetype<GrpcState>(state + FRAMES);
  while (true) {
    switch (body.mode) {
      case Mode.Message: {
        const event = nextProtobuf(state);
        if (event != ProtobufEvent.Done) return <GrpcEvent>event;
        body.mode = body.left == 0 ? Mode.Head : Mode.Over;
        break;
      }
      case Mode.Compressed: {
        const size = min(body.left, body.end - body.at);
        giveValue(body.at, body.at + size);
        body.at += size;
        body.left -= size;
        if (body.left != 0 && !body.last) return size == 0 ? GrpcEvent.NeedMore : GrpcEvent.Piece;
        body.mode = body.left == 0 ? Mode.Head : Mode.Over;
        return GrpcEvent.LastPiece;
      }
      case Mode.Head: {
        if (body.at == body.end) {
          if (!body.last) return GrpcEvent.NeedMore;
          body.mode = Mode.Over;
          if (body.headSize != 0) return GrpcEvent.Malformed;
          break;
        }
        const byte = byteAt(body.at);
        if (body.headSize == 0) {
          openProtobuf(state, body.depth);
          body.flags = <u8>byte;
          body.left = 0;
        } else {
          body.left = (body.left << 8) | byte;
        }
        body.at++;
        if (++body.headSize < HEAD) break;
        body.headSize = 0;
        if (body.left == 0) break;
        // That one means no end here.
        body.left = min(body.left, u32.MAX_VALUE - 1);
        if ((body.flags & 0x7f) == 1) {
          body.mode = Mode.Compressed;
          return GrpcEvent.Compressed;
        }
        body.mode = Mode.Message;
        feedMessage(state, body);
        break;
      }
      default:
        return GrpcEvent.Done;
    }
  }
}
