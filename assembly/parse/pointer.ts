// Where a value stands in a document of objects and arrays, whatever its syntax: the stack of what is open and a JSON Pointer
// (RFC 6901), cut as name.ts says. The head of the state of every such parser:
//
//   Pointed and the parser's own fields (PLACES bytes) │ a Place for each open container │ the pointer
//
// Bounded: MAX_DEPTH containers. Elements are counted only; their pointers are written on demand.

import { byteAt, findByte, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { findEither } from "../core/scan";
import { NAME_ROOM, appendByte, appendName } from "./name";
import { Unfinished } from "./value";

/** Containers that can be open at once. */
export const MAX_DEPTH: u32 = 64;


@unmanaged
export class Pointed extends Unfinished {
  at: u32;
  end: u32;
  last: bool;
  depth: u32;
  limit: u32;
  pointerSize: u32;
  /** Bit n: container n is an object. */
  objects: u64;
  /** Bit n: the pointer of container n holds a "$". */
  dollars: u64;
}

/** An open container. */
@unmanaged
class Place {
  /** Index of the current element of an array (24 bits; the last one counts for all behind it), and 8 bits: bytes of the container's pointer. */
  index: u32;
  /** For its parser. */
  left: u32;
}

/** Bytes for `Pointed` and what a parser adds to it. */
export const PLACES: usize = 96;
const POINTER: usize = PLACES + offsetof<Place>() * <usize>MAX_DEPTH;
/** Bytes of the state block, which stands at a multiple of 8. */
export const POINTED_SIZE: usize = POINTER + NAME_ROOM;

const LAST_INDEX: u32 = 0xffffff;

/** Starts on a document; `limit` at most MAX_DEPTH (more is taken as that). */
export function openPointed(state: usize, limit: u32): void {
  memory.fill(state, 0, PLACES);
  changetype<Pointed>(state).limit = min(limit, MAX_DEPTH);
}

/** Gives the next chunk. */
export function feedPointed(state: usize, start: usize, end: usize, last: bool): void {
  const document = changetype<Pointed>(state);
  document.at = <u32>start;
  document.end = <u32>end;
  document.last = last;
}

// @ts-ignore: decorator
@inline
export function inObject(document: Pointed): bool {
  return document.depth != 0 && ((document.objects >> (<u64>(document.depth - 1))) & 1) != 0;
}

/** Whether the pointer of the innermost container holds a "$": what stands in it may be an operator's operand. */
// @ts-ignore: decorator
@inline
export function holdsDollar(document: Pointed): bool {
  return ((document.dollars >> (<u64>(document.depth - 1))) & 1) != 0;
}

// @ts-ignore: decorator
@inline
function placeOf(state: usize, depth: u32): Place {
  return changetype<Place>(state + PLACES + offsetof<Place>() * <usize>depth);
}

/** The word of the innermost container that its parser keeps. */
// @ts-ignore: decorator
@inline
export function placeLeft(state: usize): u32 {
  return placeOf(state, changetype<Pointed>(state).depth - 1).left;
}

// @ts-ignore: decorator
@inline
export function setLeft(state: usize, left: u32): void {
  placeOf(state, changetype<Pointed>(state).depth - 1).left = left;
}

/** Opens a container where the pointer is; false where it is deeper than the limit. */
export function openPlace(state: usize, isObject: bool): bool {
  const document = changetype<Pointed>(state);
  if (document.depth == document.limit) return false;
  pointAtElement(state);
  placeOf(state, document.depth).index = document.pointerSize;
  const bit: u64 = 1 << (<u64>document.depth);
  document.objects = isObject ? document.objects | bit : document.objects & ~bit;
  const pointer = state + POINTER;
  const dollar = findByte(pointer, pointer + document.pointerSize, Char.Dollar) < pointer + document.pointerSize;
  document.dollars = dollar ? document.dollars | bit : document.dollars & ~bit;
  document.depth++;
  return true;
}

/** Closes the innermost container: the pointer is its own. */
export function closePlace(state: usize): void {
  const document = changetype<Pointed>(state);
  document.depth--;
  document.pointerSize = placeOf(state, document.depth).index & 0xff;
}

/** Goes on to the next element of the innermost container. */
// @ts-ignore: decorator
@inline
export function nextElement(state: usize): void {
  const place = placeOf(state, changetype<Pointed>(state).depth - 1);
  if (place.index >> 8 != LAST_INDEX) place.index += 0x100;
}

/** Inside an object: makes the pointer that of the member whose name is `at..end`. */
export function pointAtMember(state: usize, at: usize, end: usize): void {
  const document = changetype<Pointed>(state);
  const pointer = state + POINTER;
  let size = appendByte(pointer, placeOf(state, document.depth - 1).index & 0xff, Char.Slash);
  while (at < end) {
    // "~" and "/" are written "~0" and "~1".
    const special = findEither(at, end, Char.Tilde, Char.Slash);
    size = appendName(pointer, size, at, special);
    if (special < end) {
      size = appendByte(pointer, size, Char.Tilde);
      size = appendByte(pointer, size, byteAt(special) == Char.Tilde ? Char._0 : Char._1);
    }
    at = special + 1;
  }
  document.pointerSize = size;
}

/** Inside an array: makes the pointer that of the current element. */
function pointAtElement(state: usize): void {
  const document = changetype<Pointed>(state);
  if (document.depth == 0 || inObject(document)) return;
  const index = placeOf(state, document.depth - 1).index;
  const size = appendByte(state + POINTER, index & 0xff, Char.Slash);
  document.pointerSize = appendName(state + POINTER, size, DIGITS, putDecimal(DIGITS, index >> 8));
}

/** The pointer of the key or value read last; valid until the parser reads on. */
export function pointerOf(state: usize): usize {
  pointAtElement(state);
  return state + POINTER;
}

/** The end of what `pointerOf` gave. */
export function pointerEnd(state: usize): usize {
  return state + POINTER + changetype<Pointed>(state).pointerSize;
}

/** An index on its way to the pointer. Owner: this file. */
const DIGITS: usize = memory.data(48);
