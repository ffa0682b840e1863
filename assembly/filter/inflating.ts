// What is inflated of a request: which codings its headers name, the limits of what may come out, and the messages of calls and
// sockets that are compressed each for itself.
//
//   call    grpc-encoding, each message for itself                    rpc.ts       openMessage, then for each chunk
//   socket  permessage-deflate (RFC 7692): bare deflate without its     messages.ts  feedMessagePiece and nextMessagePiece,
//           end, in which a message may copy from those before it                     then closeMessage
//
// A message holds an inflater from its first byte to its last; between the messages of a socket only the window is kept. What the
// service has agreed to is in its answer, which is not read: a message that does not copy from those before it reads the same with
// them, so the window is kept whatever was agreed to.

import { byteAt, findByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { Part, setField } from "../core/field";
import { textIsNoCase } from "../core/text";
import {
  consumedBytes,
  feedInflate,
  goesOn,
  inflated,
  inflatedBytes,
  inflatedEnd,
  InflateEvent,
  INFLATE_STEP,
  isBetweenBlocks,
  keepWindow,
  nextInflate,
  openInflate,
  resumeWindow,
  stepIsFull,
  Wrapper,
} from "../decode/inflate";
import { found } from "../detect/finding";
import { Rule } from "../generated/rules";
import { ruleConfidence } from "../match/rules";
import { Overflow } from "../report/counters";
import { decideNow, meet, met, NOTHING, passBound, tellUnread } from "./judgement";
import { claimInflater, claimWindow, freeInflater, Stream, windowOf } from "./stream";

// A stream's `codings` and `messageCodings`: how many (3: more than are followed), and these bits.
const COUNT: u32 = 3;
const DEFLATE: u32 = 4;
/** One that cannot be read is among them: that was counted. */
const UNREADABLE: u32 = 8;

/** `codings` of a body of which no header says any. */
export const UNNAMED: u32 = 1 | UNREADABLE;

/** Codings that are followed. */
const FOLLOWED: u32 = 2;

/** Most bytes that come out of a body. */
const INFLATED_BYTES: u64 = 32 << 20;
/** Most bytes that come out for each that went in, once it is more than `FREE`. */
export const RATIO: u64 = 100;
export const FREE: u64 = 65536;
/** The same of the outer coding of two, since what has been compressed does not become smaller again; and its step. */
export const OUTER_RATIO: u64 = 4;
export const OUTER_FREE: u64 = 2048;

/** Adds the codings that a header lists to those of the headers before it. */
export function addCodings(codings: u32, start: usize, end: usize): u32 {
  while (start < end) {
    start = readName(start, end);
    if (name == nameEnd || textIsNoCase(name, nameEnd, "identity")) continue;
    if (textIsNoCase(name, nameEnd, "deflate")) codings |= DEFLATE;
    else if (!textIsNoCase(name, nameEnd, "gzip") && !textIsNoCase(name, nameEnd, "x-gzip")) codings |= UNREADABLE;
    if ((codings & COUNT) != COUNT) codings++;
  }
  return (codings & COUNT) > FOLLOWED ? codings | UNREADABLE : codings;
}

let name: usize = 0;
let nameEnd: usize = 0;

/** Reads the first name of a list, without its parameters; returns where the next one may begin. */
function readName(start: usize, end: usize): usize {
  const comma = findByte(start, end, Char.Comma);
  name = start;
  while (name < comma && isMargin(byteAt(name))) name++;
  nameEnd = name;
  while (nameEnd < comma && !isMargin(byteAt(nameEnd))) nameEnd++;
  return comma + 1;
}

/** Whether a byte ends the name of a coding, or stands around it. */
// @ts-ignore: decorator
@inline
function isMargin(byte: u32): bool {
  return byte <= <u32>Char.Space || byte == Char.Semicolon || byte == Char.DoubleQuote;
}

/** Whether there are two of them. */
// @ts-ignore: decorator
@inline
export function areTwo(codings: u32): bool {
  return (codings & COUNT) > 1;
}

/** What a body with these codings may be. */
export function wrappersOf(codings: u32): u32 {
  return Wrapper.Gzip | Wrapper.Zlib | ((codings & DEFLATE) != 0 ? Wrapper.Raw : 0);
}

/** Whether all of these codings are known. */
// @ts-ignore: decorator
@inline
export function canRead(codings: u32): bool {
  return (codings & UNREADABLE) == 0;
}

/** Whether a header offers to compress each message (RFC 7692). */
export function offersDeflate(start: usize, end: usize): bool {
  while (start < end) {
    start = readName(start, end);
    if (textIsNoCase(name, nameEnd, "permessage-deflate")) return true;
  }
  return false;
}

/** Whether more has come out of a body, at the end of a step, than a client would have put in. */
export function isBeyond(state: usize, free: u64, ratio: u64): bool {
  const out = inflatedBytes(state);
  return out > INFLATED_BYTES || (out > free && out > ratio * consumedBytes(state));
}

/** What is added to the confidence where two readers inflate two things from one body: no client makes such by chance. */
const TWOFOLD: u32 = 25;

/** Says that a body or a message is not what it is said to be coded in. */
export function tellBroken(twofold: bool): void {
  if (met != NOTHING) return;
  setField(Part.Body, 0, 0);
  found(Rule.ProtocolCoding, ruleConfidence(Rule.ProtocolCoding) + (twofold ? TWOFOLD : 0), 0, 0);
  decideNow();
}

/** A piece of a message, with room to read and write behind it: judging changes it. Owner: this file. */
const PIECE: usize = memory.data(33120, 16);
export let messagePiece: usize = PIECE;
export let messagePieceEnd: usize = PIECE;

/** What stands behind each message of a socket, and is not sent: an empty block. */
const SOCKET_END: usize = memory.data<u8>([0, 0, 0xff, 0xff]);

/** Begins with a message of a call. False, and the bound is met, where there is no inflater. */
export function openMessage(stream: Stream): bool {
  return claim(stream, wrappersOf(stream.messageCodings));
}

/** The same of a socket. */
export function openSocketMessage(stream: Stream): bool {
  // One that broke off inside of a block goes on with the next message, as in the service.
  if (stream.messageInflater != 0) return true;
  if (!claim(stream, Wrapper.Endless)) return false;
  if (stream.window != 0) resumeWindow(stream.messageInflater, windowOf(stream.window), load<u32>(stream.window));
  return true;
}

function claim(stream: Stream, wrappers: u32): bool {
  stream.messageInflater = claimInflater();
  if (stream.messageInflater == 0) {
    meet(Overflow.Inflaters);
    return false;
  }
  openInflate(stream.messageInflater, wrappers, INFLATE_STEP);
  return true;
}

/** Gives the next piece of the message as it came. */
export function feedMessagePiece(stream: Stream, start: usize, end: usize): void {
  feedInflate(stream.messageInflater, start, end);
}

/** Gives what no message of a socket brings. */
export function feedSocketEnd(stream: Stream): void {
  feedInflate(stream.messageInflater, SOCKET_END, SOCKET_END + 4);
}

/** Inflates on: `Piece` where there is one in `messagePiece..messagePieceEnd`. */
export function nextMessagePiece(stream: Stream): InflateEvent {
  const event = nextInflate(stream.messageInflater);
  if (event == InflateEvent.Piece) messagePieceEnd = putBytes(PIECE, inflated, inflatedEnd);
  return event;
}

/** Whether too much has come out by now, of this message or of all: then the bound is met. */
export function isMessageBeyond(stream: Stream): bool {
  if (!stepIsFull(stream.messageInflater) || !isFlood(stream)) return false;
  meet(Overflow.Inflated);
  return true;
}

function isFlood(stream: Stream): bool {
  const size = inflatedBytes(stream.messageInflater);
  const out = stream.messagesOut + size;
  const came = stream.messagesIn + consumedBytes(stream.messageInflater);
  return size > INFLATED_BYTES || (out > FREE && out > RATIO * came);
}

/** Counts a message that is over, and gives its inflater back. `extra`: bytes that it counts for besides its own. */
function settle(stream: Stream, extra: u64): void {
  stream.messagesIn += extra;
  if (isFlood(stream)) meet(Overflow.Inflated);
  stream.messagesIn += consumedBytes(stream.messageInflater);
  stream.messagesOut += inflatedBytes(stream.messageInflater);
  freeInflater(stream);
}

/** Bytes that a message of a socket counts for: a document that is sent again and again comes as a few copies of the window. */
const REPEATED: u64 = 256;

/** Ends a message of a call. `event`: the last one of it. */
export function closeMessage(stream: Stream, event: InflateEvent): void {
  if (event != InflateEvent.Done) tellUnreadable(stream, event);
  settle(stream, 0);
}

/** Ends a message of a socket. */
export function closeSocketMessage(stream: Stream, event: InflateEvent): void {
  const inflater = stream.messageInflater;
  // One service takes it as it came and begins anew, the other one goes on inside of the block: no client makes that.
  const open = event < InflateEvent.Broken && !isBetweenBlocks(inflater);
  if (open || event >= InflateEvent.Broken) tellUnreadable(stream, open ? InflateEvent.Twofold : event);
  else if (goesOn(inflater)) tellBroken(true);
  if (open) return;
  if (stream.window == 0) stream.window = claimWindow();
  if (stream.window == 0) meet(Overflow.Inflaters);
  else store<u32>(stream.window, keepWindow(inflater, windowOf(stream.window)));
  settle(stream, REPEATED);
}

/** Says that a message could not be read to its end; nothing is said of the message where nobody knows its coding. */
function tellUnreadable(stream: Stream, event: InflateEvent): void {
  passBound(Overflow.Encoded);
  tellUnread();
  if (canRead(stream.messageCodings)) tellBroken(event == InflateEvent.Twofold);
}
