// The content codings of a request's body: what its headers list, and a copy of the body without them, judged besides the body as it
// stands (some services inflate, most do not look at the header). What goes to the service is not changed.
//
//   wire ──┬─────────────────────────────────────────► judgeChunk(stream)
//          └─► inflater ─► (inflater, where coded twice) ─► judgeChunk(copy)
//
// Which coding it is is told from its first bytes: the headers only say how many there may be, and whether deflate may be bare. So
// no spelling of them hides anything. Two codings are followed; a second one that is not there is none.

import { byteAt, findByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { Part, setField } from "../core/field";
import { textIsNoCase } from "../core/text";
import {
  consumedBytes,
  feedInflate,
  inflated,
  inflatedBytes,
  inflatedEnd,
  InflateEvent,
  INFLATE_STEP,
  nextInflate,
  openInflate,
  stepIsFull,
  Wrapper,
} from "../decode/inflate";
import { found } from "../detect/finding";
import { Rule } from "../generated/rules";
import { ruleConfidence } from "../match/rules";
import { Overflow } from "../report/counters";
import { judgeChunk } from "./body";
import { decideNow } from "./judgement";
import { BODY_STATE_CAPACITY, BodyKind, bodyState, claimInflater, copyOf, freeInflaters, Stream } from "./stream";

// A stream's `codings`: how many (3: more than are followed), and these bits.
const COUNT: u32 = 3;
const DEFLATE: u32 = 4;
/** One that cannot be read is among them: that was counted. */
const UNREADABLE: u32 = 8;

/** Codings that are followed. */
const FOLLOWED: u32 = 2;

/** Most bytes that come out of a body. */
const INFLATED_BYTES: u64 = 32 << 20;
/** Most bytes that come out for each that went in, once it is more than `FREE`. */
const RATIO: u64 = 100;
const FREE: u64 = 65536;
/** The same of the outer coding of two, since what has been compressed does not become smaller again; and its step. */
const OUTER_RATIO: u64 = 4;
const OUTER_FREE: u64 = 2048;

/** A piece of the copy, with room to read and write behind it: judging changes it. Owner: this file. */
const PIECE: usize = memory.data(33120, 16);

/** What `judgeCoded` returns where nothing of note has happened. */
const NOTHING: i32 = -1;

/** Adds the codings that a header lists to those of the headers before it. */
export function addCodings(codings: u32, start: usize, end: usize): u32 {
  while (start < end) {
    const comma = findByte(start, end, Char.Comma);
    while (start < comma && isMargin(byteAt(start))) start++;
    let stop = start;
    while (stop < comma && !isMargin(byteAt(stop))) stop++;
    if (start < stop && !textIsNoCase(start, stop, "identity")) {
      if (textIsNoCase(start, stop, "deflate")) codings |= DEFLATE;
      else if (!textIsNoCase(start, stop, "gzip") && !textIsNoCase(start, stop, "x-gzip")) codings |= UNREADABLE;
      if ((codings & COUNT) != COUNT) codings++;
    }
    start = comma + 1;
  }
  return (codings & COUNT) > FOLLOWED ? codings | UNREADABLE : codings;
}

/** Whether a byte ends the name of a coding, or stands around it. */
// @ts-ignore: decorator
@inline
function isMargin(byte: u32): bool {
  return byte <= <u32>Char.Space || byte == Char.Semicolon || byte == Char.DoubleQuote;
}

/** Whether all of these codings are known. */
// @ts-ignore: decorator
@inline
export function canRead(codings: u32): bool {
  return (codings & UNREADABLE) == 0;
}

/**
 * Judges the next chunk of a body (see `judgeChunk`) as it stands, and without its codings. Returns which bound was met, or a
 * negative number. `stream.codings` is 0 afterwards where the copy is over, or not read.
 */
export function judgeCoded(stream: Stream, start: usize, end: usize, last: bool, depth: u32): i32 {
  // Neither text nor a message begins like gzip: some services know it without a header.
  const gzip = stream.inspected == 0 && start < end && byteAt(start) == 0x1f;
  const text = stream.bodyKind <= <u8>BodyKind.Multipart && stream.bodyKind != BodyKind.Probe;
  if (gzip && text && stream.codings == 0) stream.codings = <u8>(1 | UNREADABLE);
  const met = stream.codings == 0 ? NOTHING : judgeCopy(stream, start, end, last, depth);
  if (gzip && stream.bodyKind == BodyKind.Protobuf) stream.bodyKind = <u8>BodyKind.None;
  if (met >= 0 && met != Overflow.Encoded) return met;
  if (stream.bodyKind != BodyKind.None && !judgeChunk(stream, start, end, last, depth)) return Overflow.Values;
  return met;
}

function judgeCopy(stream: Stream, start: usize, end: usize, last: bool, depth: u32): i32 {
  if (stream.inflater == 0) {
    if (start == end) return NOTHING;
    if (!openCodings(stream)) return Overflow.Inflaters;
  }
  const outer = stream.inflater;
  const inner = stream.innerInflater;
  const copy = copyOf(outer);
  let innerEvent: InflateEvent = InflateEvent.Done;
  feedInflate(outer, start, end);
  let event = nextInflate(outer);
  for (; event == InflateEvent.Piece; event = nextInflate(outer)) {
    if (inner == 0) {
      if (!judgeInflated(copy, depth)) return Overflow.Values;
      if (stepIsFull(outer) && isBeyond(outer, FREE, RATIO)) return Overflow.Inflated;
    } else {
      feedInflate(inner, inflated, inflatedEnd);
      for (innerEvent = nextInflate(inner); innerEvent == InflateEvent.Piece; innerEvent = nextInflate(inner)) {
        if (!judgeInflated(copy, depth)) return Overflow.Values;
        if (stepIsFull(inner) && isBeyond(inner, FREE, RATIO)) return Overflow.Inflated;
      }
      if (innerEvent >= InflateEvent.Broken) break;
      if (stepIsFull(outer) && isBeyond(outer, OUTER_FREE, OUTER_RATIO)) return Overflow.Inflated;
    }
    if (copy.bodyKind == BodyKind.None) break;
  }
  if (inner != 0 && last && innerEvent < InflateEvent.Broken) innerEvent = nextInflate(inner);
  const read = copy.bodyKind != BodyKind.None;
  const short = last && read && (event != InflateEvent.Done || innerEvent != InflateEvent.Done);
  const broken = event >= InflateEvent.Broken || innerEvent >= InflateEvent.Broken || short;
  if (!broken && !last && read) return NOTHING;
  // Of an upload that nobody reads nothing is said.
  const said = broken && canRead(stream.codings) && copy.bodyKind != BodyKind.Probe;
  const kept = !read || judgeChunk(copy, PIECE, PIECE, true, depth);
  freeInflaters(stream);
  stream.codings = 0;
  if (!kept) return Overflow.Values;
  if (!said) return NOTHING;
  setField(Part.Body, 0, 0);
  const twofold = event == InflateEvent.Twofold || innerEvent == InflateEvent.Twofold;
  found(Rule.ProtocolCoding, ruleConfidence(Rule.ProtocolCoding) + (twofold ? TWOFOLD : 0), 0, 0);
  decideNow();
  return Overflow.Encoded;
}

/** What is added to the confidence where two readers inflate two things from one body: no client makes such by chance. */
const TWOFOLD: u32 = 25;

/** Claims what the codings of a body need; false where that is not there. */
function openCodings(stream: Stream): bool {
  const codings = stream.codings;
  const wrappers = Wrapper.Gzip | Wrapper.Zlib | ((codings & DEFLATE) != 0 ? Wrapper.Raw : 0);
  const twice = (codings & COUNT) > 1;
  const outer = claimInflater();
  if (outer == 0) return false;
  stream.inflater = outer;
  openInflate(outer, wrappers, twice ? <u32>OUTER_FREE : INFLATE_STEP);
  const copy = copyOf(outer);
  copy.bodyKind = stream.bodyKind;
  copy.strict = stream.strict;
  copy.rpc = stream.rpc;
  memory.copy(bodyState(copy), bodyState(stream), BODY_STATE_CAPACITY);
  if (!twice) return true;
  const inner = claimInflater();
  if (inner == 0) return false;
  stream.innerInflater = inner;
  openInflate(inner, wrappers | Wrapper.None, INFLATE_STEP);
  return true;
}

/** Judges what was inflated as the next chunk of the copy. */
function judgeInflated(copy: Stream, depth: u32): bool {
  if (copy.bodyKind == BodyKind.None) return true;
  const end = putBytes(PIECE, inflated, inflatedEnd);
  if (!judgeChunk(copy, PIECE, end, false, depth)) return false;
  copy.inspected += <u64>(end - PIECE);
  return true;
}

/** Whether more has come out of a body, at the end of a step, than a client would have put in. */
function isBeyond(state: usize, free: u64, ratio: u64): bool {
  const out = inflatedBytes(state);
  return out > INFLATED_BYTES || (out > free && out > ratio * consumedBytes(state));
}
