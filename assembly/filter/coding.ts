// The content codings of a request's body: what its headers list, and a copy of the body without them, judged besides the body as it
// stands (some services inflate, most do not look at the header). What goes to the service is not changed.
//
//   wire ──┬─────────────────────────────────────────► judgeChunk(stream)
//          └─► inflater ─► (inflater, where coded twice) ─► judgeChunk(copy)
//
// Which coding it is is told from its first bytes: the headers only say how many there may be, and whether deflate may be bare. So
// no spelling of them hides anything. Two codings are followed; a second one that is not there is none.

import { byteAt, putBytes } from "../core/bytes";
import {
  feedInflate,
  inflated,
  inflatedEnd,
  InflateEvent,
  INFLATE_STEP,
  nextInflate,
  openInflate,
  stepIsFull,
  Wrapper,
} from "../decode/inflate";
import { Overflow } from "../report/counters";
import { judgeChunk, openBody } from "./body";
import {
  areTwo,
  canRead,
  FREE,
  isBeyond,
  OUTER_FREE,
  OUTER_RATIO,
  RATIO,
  tellBroken,
  UNNAMED,
  wrappersOf,
} from "./inflating";
import { meet, met, NOTHING } from "./judgement";
import { BODY_STATE_CAPACITY, BodyKind, bodyState, claimInflater, copyOf, freeInflaters, Stream } from "./stream";

/** A piece of the copy, with room to read and write behind it: judging changes it. Owner: this file. */
const PIECE: usize = memory.data(33120, 16);

/**
 * Judges the next chunk of a body (see `judgeChunk`) as it stands, and without its codings. Returns which bound was met, or
 * `NOTHING`. `stream.codings` is 0 afterwards where the copy is over, or not read.
 */
export function judgeCoded(stream: Stream, start: usize, end: usize, last: bool, depth: u32): i32 {
  if (stream.framed != 0 && !judgeFrames(stream, start, end, last, depth)) return Overflow.Values;
  // Neither text nor a message begins like gzip: some services know it without a header.
  const gzip = stream.inspected == 0 && start < end && byteAt(start) == 0x1f;
  const text = stream.bodyKind <= <u8>BodyKind.Multipart && stream.bodyKind != BodyKind.Probe;
  if (gzip && text && stream.codings == 0) stream.codings = <u8>UNNAMED;
  const bound = stream.codings == 0 ? NOTHING : judgeCopy(stream, start, end, last, depth);
  if (gzip && stream.bodyKind == BodyKind.Protobuf) stream.bodyKind = <u8>BodyKind.None;
  if (bound >= 0 && bound != Overflow.Encoded) return bound;
  if (stream.bodyKind != BodyKind.None && !judgeChunk(stream, start, end, last, depth)) return Overflow.Values;
  return bound;
}

/** A piece of a body that may be frames: their masks are taken off in place. Owner: this file. */
const FRAMES: usize = memory.data(32832, 16);
const FRAMES_SIZE: usize = 32768;

/**
 * Judges the next chunk of a body with a type as a WebSocket's, since a service that speaks it does not look at the type. False
 * where a cut value could not be kept.
 */
function judgeFrames(stream: Stream, start: usize, end: usize, last: bool, depth: u32): bool {
  if (stream.frames == 0) {
    if (start == end) return true;
    stream.frames = claimInflater();
    if (stream.frames == 0) {
      meet(Overflow.Inflaters);
      return true;
    }
    const opened = copyOf(stream.frames);
    opened.bodyKind = <u8>BodyKind.WebSocket;
    opened.framed = stream.framed;
    opened.messageCodings = stream.framed - 1;
    openBody(opened, depth);
  }
  const copy = copyOf(stream.frames);
  while (copy.bodyKind != BodyKind.None) {
    const next = min(end, start + FRAMES_SIZE);
    if (!judgeChunk(copy, FRAMES, putBytes(FRAMES, start, next), last && next == end, depth)) return false;
    start = next;
    if (start == end) break;
  }
  return true;
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
      if (met != NOTHING) return NOTHING;
      if (stepIsFull(outer) && isBeyond(outer, FREE, RATIO)) return Overflow.Inflated;
    } else {
      feedInflate(inner, inflated, inflatedEnd);
      for (innerEvent = nextInflate(inner); innerEvent == InflateEvent.Piece; innerEvent = nextInflate(inner)) {
        if (!judgeInflated(copy, depth)) return Overflow.Values;
        if (met != NOTHING) return NOTHING;
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
  tellBroken(event == InflateEvent.Twofold || innerEvent == InflateEvent.Twofold);
  return Overflow.Encoded;
}

/** Claims what the codings of a body need; false where that is not there. */
function openCodings(stream: Stream): bool {
  const codings = stream.codings;
  const wrappers = wrappersOf(codings);
  const twice = areTwo(codings);
  const outer = claimInflater();
  if (outer == 0) return false;
  stream.inflater = outer;
  openInflate(outer, wrappers, twice ? <u32>OUTER_FREE : INFLATE_STEP);
  const copy = copyOf(outer);
  copy.bodyKind = stream.bodyKind;
  copy.strict = stream.strict;
  copy.rpc = stream.rpc;
  copy.messageCodings = stream.messageCodings;
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
