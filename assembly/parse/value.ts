// A field's value on its way to the judge, whatever it was cut into.
//
// In five lines: raw bytes of a value are collected in one buffer until its end is seen, or not at all where it stands whole in
// one chunk. More than VALUE_CAPACITY raw bytes leave as windows (0–16383, 15360–31743, …) counted from the value's first byte,
// so that cuts do not matter and whatever is no longer than VALUE_OVERLAP is whole in some window. What leaves is decoded once,
// as its format asks, and stands in valueStart..valueEnd until the next call. Between two chunks the buffer belongs to other
// streams: `keepValue` copies an unfinished value into the stream's slot, `resumeValue` puts it back.

import { copyRun, findEither } from "../core/scan";
import { Char } from "../core/char";
import { decodeContent } from "../decode/content";
import { decodeEntities } from "../decode/entity";
import { decodeEscapes } from "../decode/escape";
import { decodePercent } from "../decode/percent";

/** Most raw bytes of a value that are judged at once. */
export const VALUE_CAPACITY: usize = 16384;
/** Raw bytes that a window has in common with the one before. */
export const VALUE_OVERLAP: usize = 1024;
/** Bytes that a chunk, and a slot given to `keepValue`, must have behind their end; contents do not matter. */
export const VALUE_PADDING: usize = 32;

const STEP: usize = VALUE_CAPACITY - VALUE_OVERLAP;

/** How a format wraps its values. */
export const enum Coding {
  None,
  /** Percent escapes. */
  Percent,
  /** Percent escapes, and `+` for a space. */
  Form,
  /** Backslash escapes. */
  Escapes,
  /** Character references of XML and HTML. */
  References,
  /** XML content: references, CDATA sections, comments. */
  Content,
}

/** The head of every parser's state. */
@unmanaged
export class Unfinished {
  /** Raw bytes of the unfinished value that are collected; never more than VALUE_CAPACITY between two chunks. */
  size: u32;
  /** 1 once a window of it has left. */
  windows: u32;
}

/** Raw bytes of one unfinished value: a window, one byte more, and room to read and write behind it. Owner: this file. */
const RAW: usize = memory.data(16448, 16);
/** What was decoded, with the same room. Owner: this file. */
const DECODED: usize = memory.data(16448, 16);

/** The value, or a window of it, decoded. */
export let valueStart: usize = 0;
export let valueEnd: usize = 0;
/** Whether it is one window of several. */
export let valueWindowed: bool = false;

/** Makes `start..end` the value: a part of one, or another reading of it. */
export function giveValue(start: usize, end: usize): void {
  valueStart = start;
  valueEnd = end;
  valueWindowed = false;
}

/** Raw bytes that the unfinished value takes until a window is full: at least 1. */
// @ts-ignore: decorator
@inline
export function valueRoom(state: usize): usize {
  return VALUE_CAPACITY + 1 - <usize>changetype<Unfinished>(state).size;
}

/**
 * Adds `start..end`, at most `valueRoom` bytes, to the unfinished value. True if a window is full (it is known to go on behind
 * VALUE_CAPACITY bytes): the window is the value then.
 */
export function collectValue(state: usize, start: usize, end: usize, coding: Coding): bool {
  const value = changetype<Unfinished>(state);
  copyRun(RAW + value.size, start, end);
  value.size += <u32>(end - start);
  if (value.size <= <u32>VALUE_CAPACITY) return false;
  decodeValue(RAW, RAW + VALUE_CAPACITY, coding);
  if (valueStart != DECODED) {
    // The buffer is about to be moved: the window must not move with it.
    valueEnd = copyRun(DECODED, valueStart, valueEnd);
    valueStart = DECODED;
  }
  memory.copy(RAW, RAW + STEP, VALUE_OVERLAP + 1);
  value.size = <u32>VALUE_OVERLAP + 1;
  value.windows = 1;
  valueWindowed = true;
  return true;
}

/** Ends the unfinished value with `start..end` (less than `valueRoom` bytes): it is the value, or its last window. */
export function finishValue(state: usize, start: usize, end: usize, coding: Coding): void {
  const value = changetype<Unfinished>(state);
  if (value.size != 0) {
    end = copyRun(RAW + value.size, start, end);
    start = RAW;
  }
  decodeValue(start, end, coding);
  valueWindowed = value.windows != 0;
  value.size = 0;
  value.windows = 0;
}

/** Raw bytes of the unfinished value: what `keepValue` would copy. */
// @ts-ignore: decorator
@inline
export function unfinishedSize(state: usize): u32 {
  return changetype<Unfinished>(state).size;
}

/** Copies the unfinished value to `slot`: `size` bytes, and up to 15 more are written. */
export function keepValue(state: usize, slot: usize): void {
  copyRun(slot, RAW, RAW + changetype<Unfinished>(state).size);
}

/** Takes the unfinished value back from `slot`, before the next chunk is fed. */
export function resumeValue(state: usize, slot: usize): void {
  copyRun(RAW, slot, slot + changetype<Unfinished>(state).size);
}

/** What is left of the span that `openSpan` was given. */
let spanStart: usize = 0;
let spanEnd: usize = 0;
let spanCoding: Coding = Coding.None;
let spanLeft: bool = false;
let spanWindows: bool = false;

/** Starts on a value that stands whole in memory: `while (nextWindow()) judge(valueStart, valueEnd)`. */
export function openSpan(start: usize, end: usize, coding: Coding): void {
  spanStart = start;
  spanEnd = end;
  spanCoding = coding;
  spanLeft = true;
  spanWindows = end - start > VALUE_CAPACITY;
}

/** The next window of the span becomes the value; an empty span gives one empty value. */
export function nextWindow(): bool {
  if (!spanLeft) return false;
  const end = min(spanEnd, spanStart + VALUE_CAPACITY);
  decodeValue(spanStart, end, spanCoding);
  valueWindowed = spanWindows;
  spanStart += STEP;
  spanLeft = end < spanEnd;
  return true;
}

/** Makes `start..end`, decoded where it has to be, the value. */
function decodeValue(start: usize, end: usize, coding: Coding): void {
  valueStart = start;
  valueEnd = end;
  if (coding == Coding.None) return;
  if (coding >= Coding.References) {
    if (findEither(start, end, Char.Ampersand, coding == Coding.Content ? Char.Less : Char.Ampersand) == end) return;
    valueStart = DECODED;
    valueEnd = coding == Coding.Content ? decodeContent(start, end, DECODED) : decodeEntities(start, end, DECODED);
    return;
  }
  const introducer: u32 = coding == Coding.Escapes ? Char.Backslash : Char.Percent;
  if (findEither(start, end, introducer, coding == Coding.Form ? Char.Plus : introducer) == end) return;
  valueStart = DECODED;
  valueEnd =
    coding == Coding.Escapes
      ? decodeEscapes(start, end, DECODED)
      : decodePercent(start, end, DECODED, coding == Coding.Form);
}
