// What a client sends over a WebSocket, chunk by chunk: RFC 6455, section 5. The messages of text are values, put together from
// their frames; those in binary are, too, where they hold no control bytes. Control frames are passed over. A compressed message
// (RFC 7692) is given as it comes, to who may inflate it, and collects what that gives as the message.
//
//   frame = FIN/opcode, mask bit/length, [length in 2 or 8 bytes], mask of 4 bytes, payload
//
// A client's frames are always masked; whatever is none ends the reading. Each payload byte is looked at twice and copied at most once.

import { byteAt, putByte } from "../core/bytes";
import { Char } from "../core/char";
import {
  Coding,
  Unfinished,
  collectValue,
  finishValue,
  giveValue,
  valueEnd,
  valueRoom,
  valueStart,
  valueWindowed,
} from "./value";

export const enum WebSocketEvent {
  /** The chunk is used up. */
  NeedMore,
  /** A message, or a window of one, is the value. */
  Message,
  /** A compressed message begins. */
  Compressed,
  /** The value is a piece of it. */
  Piece,
  /** The same, maybe empty, and the last: what was added to the message by then (`addInflated`) is the message. */
  LastPiece,
  /** No WebSocket from `webSocketRest` on. */
  Broken,
  /** The stream is over. */
  Done,
}

const enum Opcode {
  Continuation = 0,
  Text = 1,
  Binary = 2,
  /** From here on frames are of control. */
  Close = 8,
  Pong = 10,
}

const FIN: u32 = 0x80;
/** Of permessage-deflate. */
const RSV1: u32 = 0x40;
const MASKED: u32 = 0x80;
/** Most bytes before a payload. */
const MAX_HEAD: u32 = 14;


@unmanaged
class WebSocketState extends Unfinished {
  at: u32;
  end: u32;
  /** Payload bytes to come. */
  left: u64;
  mask: u32;
  /** Bytes of the frame's head that are there; all of them once the payload has begun. */
  headSize: u8;
  inPayload: bool;
  last: bool;
  /** The frame ends its message. */
  final: bool;
  control: bool;
  /** Of the message under way: text or binary, 0 between messages. */
  opcode: u8;
  compressed: bool;
  // u8 head[MAX_HEAD]
}

const HEAD: usize = offsetof<WebSocketState>();
/** Bytes of the state block, which stands at a multiple of 8. */
export const WEBSOCKET_STATE_SIZE: usize = HEAD + 16;

/** Starts on a stream; `state` is a block of WEBSOCKET_STATE_SIZE bytes. */
export function openWebSocket(state: usize): void {
  memory.fill(state, 0, WEBSOCKET_STATE_SIZE);
}

/** Gives the next chunk, which is changed in place and stays until `nextWebSocket` has asked for more. */
export function feedWebSocket(state: usize, start: usize, end: usize, last: bool): void {
  const socket = changetype<WebSocketState>(state);
  socket.at = <u32>start;
  socket.end = <u32>end;
  socket.last = last;
}

/** Where the bytes begin that are no frame. */
export function webSocketRest(state: usize): usize {
  return changetype<WebSocketState>(state).at;
}

/** Of these bytes one may have come with the chunk before; its address, or 0. */
export function webSocketEarly(state: usize): usize {
  return changetype<WebSocketState>(state).headSize != 0 ? state + HEAD : 0;
}

/** Reads on to the next event. */
export function nextWebSocket(state: usize): WebSocketEvent {
  const socket = changetype<WebSocketState>(state);
  while (true) {
    if (!socket.inPayload) {
      const start = socket.at;
      const head = readHead(state);
      if (head == Head.Unfinished) return socket.last ? endMessage(state) : WebSocketEvent.NeedMore;
      if (head == Head.Broken) {
        // All of the head that this chunk has is given back.
        socket.headSize -= <u8>(socket.at - start);
        socket.at = start;
        return WebSocketEvent.Broken;
      }
      if (head == Head.Compressed) return WebSocketEvent.Compressed;
    }
    const start = <usize>socket.at;
    const room = valueRoom(state);
    const compressed = socket.compressed && !socket.control;
    let size = min(<u64>(<usize>socket.end - start), socket.left);
    if (!socket.control && !compressed) size = min(size, <u64>room);
    const stop = start + <usize>size;
    socket.left -= size;
    socket.at = <u32>stop;
    const ends = socket.left == 0;
    if (socket.control) {
      if (!ends) return socket.last ? endMessage(state) : WebSocketEvent.NeedMore;
      endFrame(socket);
      continue;
    }
    unmask(socket, start, stop);
    if (compressed) {
      giveValue(start, stop);
      if (ends && socket.final) {
        // The frame is over with the next call, as that of a message that has come.
        socket.compressed = false;
        return WebSocketEvent.LastPiece;
      }
      if (ends) endFrame(socket);
      if (size != 0) return WebSocketEvent.Piece;
      if (ends) continue;
      return socket.last ? endMessage(state) : WebSocketEvent.NeedMore;
    }
    if (ends && socket.final && <usize>size < room) {
      finishValue(state, start, stop, Coding.None);
      const opcode = socket.opcode;
      endFrame(socket);
      if (isJudged(opcode)) return WebSocketEvent.Message;
      continue;
    }
    const full = collectValue(state, start, stop, Coding.None);
    if (ends && !socket.final) endFrame(socket);
    if (full && isJudged(socket.opcode)) return WebSocketEvent.Message;
    if (!full && !ends) return socket.last ? endMessage(state) : WebSocketEvent.NeedMore;
  }
}

/**
 * Adds a piece of what the compressed message holds, and returns where more of it stands: the value is a window then, which is to be
 * judged where `inflatedWindow` says so; or `end`.
 */
export function addInflated(state: usize, start: usize, end: usize): usize {
  const stop = min(end, start + valueRoom(state));
  inflatedWindow = collectValue(state, start, stop, Coding.None) && isJudged(changetype<WebSocketState>(state).opcode);
  return stop;
}

/** Whether the value is a window of text, after `addInflated`. */
export let inflatedWindow: bool = false;

/** The stream is over: what there is of a message is a value. */
function endMessage(state: usize): WebSocketEvent {
  const socket = changetype<WebSocketState>(state);
  const opcode = socket.opcode;
  socket.at = socket.end;
  socket.opcode = 0;
  if (opcode == 0) return WebSocketEvent.Done;
  finishValue(state, socket.end, socket.end, Coding.None);
  return isJudged(opcode) ? WebSocketEvent.Message : WebSocketEvent.Done;
}

/** Whether the value is text: bytes of a binary message may be anything. */
function isJudged(opcode: u32): bool {
  if (valueStart == valueEnd) return false;
  if (opcode == Opcode.Text) return true;
  for (let at = valueStart; at < valueEnd; at++) {
    const byte = byteAt(at);
    if (byte < <u32>Char.Space && byte != Char.Tab && byte != Char.LineFeed && byte != Char.CarriageReturn)
      return false;
  }
  return true;
}

const enum Head {
  /** The chunk ended before it did. */
  Unfinished,
  Read,
  /** Read, and it begins a compressed message. */
  Compressed,
  /** What is there is none. */
  Broken,
}

/** Reads the head of a frame. */
function readHead(state: usize): Head {
  const socket = changetype<WebSocketState>(state);
  const head = state + HEAD;
  while (true) {
    const size = <u32>socket.headSize;
    if (size == 1 && !mayBegin(socket, byteAt(head))) return Head.Broken;
    if (size == 2 && !isSecond(byteAt(head), byteAt(head + 1))) return Head.Broken;
    if (size >= 2 && size == headSize(byteAt(head + 1))) break;
    if (socket.at == socket.end) return Head.Unfinished;
    putByte(head + size, byteAt(socket.at++));
    socket.headSize = <u8>(size + 1);
  }
  const length = byteAt(head + 1) & 127;
  if (length == 126) socket.left = bswap<u16>(load<u16>(head + 2));
  else if (length == 127) socket.left = bswap<u64>(load<u64>(head + 2));
  else socket.left = length;
  const first = byteAt(head);
  const opcode = first & 15;
  socket.mask = load<u32>(head + socket.headSize - 4);
  socket.final = (first & FIN) != 0;
  socket.control = opcode >= <u32>Opcode.Close;
  socket.inPayload = true;
  if (socket.control || opcode == Opcode.Continuation) return Head.Read;
  socket.opcode = <u8>opcode;
  socket.compressed = (first & RSV1) != 0;
  return socket.compressed ? Head.Compressed : Head.Read;
}

/** Bytes of a head whose second byte is `second`. */
function headSize(second: u32): u32 {
  const length = second & 127;
  return length == 126 ? MAX_HEAD - 6 : length == 127 ? MAX_HEAD : MAX_HEAD - 8;
}

/** Whether a client's frame may begin with that byte (RFC 6455, section 5.2). */
function mayBegin(socket: WebSocketState, first: u32): bool {
  const opcode = first & 15;
  if ((first & 0x30) != 0) return false;
  if (opcode >= <u32>Opcode.Close) return opcode <= <u32>Opcode.Pong && (first & FIN) != 0 && (first & RSV1) == 0;
  if (opcode == Opcode.Continuation) return socket.opcode != 0 && (first & RSV1) == 0;
  return opcode <= <u32>Opcode.Binary && socket.opcode == 0;
}

/** Whether `second` may stand behind it: frames are masked, and those of control are short. */
function isSecond(first: u32, second: u32): bool {
  return (second & MASKED) != 0 && ((first & 15) < <u32>Opcode.Close || (second & 127) <= 125);
}

/** The payload at work is over. */
function endFrame(socket: WebSocketState): void {
  socket.inPayload = false;
  socket.headSize = 0;
  if (!socket.final || socket.control) return;
  socket.opcode = 0;
  socket.compressed = false;
}

/** Takes the mask off, in place, and turns it to the byte that follows. */
function unmask(socket: WebSocketState, at: usize, end: usize): void {
  let mask = socket.mask;
  for (; at + 4 <= end; at += 4) store<u32>(at, load<u32>(at) ^ mask);
  for (; at < end; at++) {
    store<u8>(at, <u8>(byteAt(at) ^ (mask & 0xff)));
    mask = rotr<u32>(mask, 8);
  }
  socket.mask = mask;
}
