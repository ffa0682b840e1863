// The way of one stream's values: what the sidecar before said of them (its entries, from the header), and what was noted of those that
// came with this request. In a block of a fixed pool, which a stream claims with the first of either and gives back when it closes.
//
//   block: counts │ 8 × Entry (hash, hops) │ 8 × Step (hashes, part, name, the value's beginning, hops)
//
// Hops are lines, the first where the value came in, the last where it is now: "edge GET /search query q\ncatalogue GET /items path 1".

import { byteAt, putByte, putBytes, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { claimBlock, POOL_HEAD, releaseBlock } from "../core/pool";
import { HOPS_CAPACITY } from "./notes";

/** What is kept of one stream. */
export const MAX_ENTRIES: u32 = 8;
export const MAX_STEPS: u32 = 8;
const NAME_CAPACITY: u32 = 128;
const VALUE_CAPACITY: u32 = 64;

// @ts-ignore: decorator
@unmanaged
export class Journey {
  entries: u32;
  steps: u32;
  /** Tells this request's notes from another's. */
  owner: u32;
  /** By which of the keys the entries' values are hashed. */
  key: u32;
}

/** What the sidecar before said of a value; its hops follow. */
// @ts-ignore: decorator
@unmanaged
class Entry {
  hash: u64;
  size: u32;
}

/** A value that came with this request; name, beginning of the value and hops follow. */
// @ts-ignore: decorator
@unmanaged
export class Step {
  value: u64;
  /** Hash of the host that it names, 0 for none. */
  host: u64;
  part: u8;
  nameLength: u8;
  length: u8;
  size: u8;
  /** It came from another service. */
  travelled: bool;
  /** A detector reported on it. */
  suspicious: bool;
  /** One that says that the host is none that clients should name. */
  aimed: bool;
  /** It is noted in shared data. */
  filed: bool;
}

const ENTRY_SIZE: u32 = offsetof<Entry>() + <u32>HOPS_CAPACITY;
const STEP_NAME: u32 = (offsetof<Step>() + 7) & ~7;
const STEP_VALUE: u32 = STEP_NAME + NAME_CAPACITY;
const STEP_HOPS: u32 = STEP_VALUE + VALUE_CAPACITY + 16;
const STEP_SIZE: u32 = STEP_HOPS + <u32>HOPS_CAPACITY;
const ENTRIES: u32 = 16;
const STEPS: u32 = (ENTRIES + ENTRY_SIZE * MAX_ENTRIES + 7) & ~7;
const BLOCK_SIZE: u32 = (STEPS + STEP_SIZE * MAX_STEPS + 15) & ~15;
/** Streams whose values can be followed at once in one VM. */
const BLOCKS: u32 = 512;
const POOL: usize = memory.data(2990096, 16);

/** A block without anything in it; 0 where all are in use. */
export function claimJourney(): usize {
  if (isDefined(CHECKED)) assert(POOL_HEAD + BLOCKS * BLOCK_SIZE <= 2990096); // the pool fits its buffer
  const block = claimBlock(POOL, BLOCK_SIZE, BLOCKS);
  if (block != 0) memory.fill(block, 0, offsetof<Journey>());
  return block;
}

export function freeJourney(block: usize): void {
  if (block != 0) releaseBlock(POOL, block);
}

/** Adds what the sidecar before says of a value; false where there is no room. */
export function addEntry(journey: Journey, hash: u64, hops: usize, hopsEnd: usize): bool {
  if (journey.entries == MAX_ENTRIES || hopsEnd - hops > HOPS_CAPACITY) return false;
  const entry = changetype<Entry>(changetype<usize>(journey) + ENTRIES + ENTRY_SIZE * journey.entries++);
  entry.hash = hash;
  entry.size = <u32>(hopsEnd - hops);
  putBytes(changetype<usize>(entry) + offsetof<Entry>(), hops, hopsEnd);
  return true;
}

/** The hops of the value of that hash, as `findEntry` found them. */
export let hops: usize = 0;
export let hopsEnd: usize = 0;

/** Whether the sidecar before said something of a value. */
export function findEntry(journey: Journey, hash: u64): bool {
  for (let i: u32 = 0; i < journey.entries; i++) {
    const entry = changetype<Entry>(changetype<usize>(journey) + ENTRIES + ENTRY_SIZE * i);
    if (entry.hash != hash) continue;
    hops = changetype<usize>(entry) + offsetof<Entry>();
    hopsEnd = hops + entry.size;
    return true;
  }
  return false;
}

// @ts-ignore: decorator
@inline
export function stepAt(journey: Journey, index: u32): Step {
  return changetype<Step>(changetype<usize>(journey) + STEPS + STEP_SIZE * index);
}

// @ts-ignore: decorator
@inline
export function stepName(step: Step): usize {
  return changetype<usize>(step) + STEP_NAME;
}

// @ts-ignore: decorator
@inline
export function stepValue(step: Step): usize {
  return changetype<usize>(step) + STEP_VALUE;
}

// @ts-ignore: decorator
@inline
export function stepHops(step: Step): usize {
  return changetype<usize>(step) + STEP_HOPS;
}

/**
 * A step for a value of that name and part; null where there is no room: one that travelled, or that a detector reported on, takes the
 * place of one that did not. The caller says the rest.
 */
export function addStep(
  journey: Journey,
  part: u32,
  name: usize,
  nameEnd: usize,
  value: usize,
  valueEnd: usize,
  travelled: bool,
  suspicious: bool,
): Step | null {
  let place = journey.steps;
  for (let i: u32 = 0; place == MAX_STEPS && i < MAX_STEPS; i++) {
    const known = stepAt(journey, i);
    if ((travelled && !known.travelled) || (suspicious && !known.travelled && !known.suspicious)) {
      place = i;
      break;
    }
  }
  if (place == MAX_STEPS) return null;
  if (place == journey.steps) journey.steps++;
  const step = stepAt(journey, place);
  step.part = <u8>part;
  step.nameLength = <u8>min<usize>(nameEnd - name, NAME_CAPACITY);
  putBytes(stepName(step), name, name + step.nameLength);
  step.length = <u8>min<usize>(valueEnd - value, VALUE_CAPACITY);
  putBytes(stepValue(step), value, value + step.length);
  step.travelled = travelled;
  step.suspicious = suspicious;
  step.aimed = false;
  step.filed = false;
  step.size = 0;
  return step;
}

/** The step of the value that stands in that field and came from another service; null for none. */
export function stepOf(journey: Journey, part: u32, name: usize, nameEnd: usize): Step | null {
  for (let i: u32 = 0; i < journey.steps; i++) {
    const step = stepAt(journey, i);
    if (!step.travelled || step.part != part) continue;
    if (sameBytes(stepName(step), stepName(step) + step.nameLength, name, nameEnd)) return step;
  }
  return null;
}

/** Bytes of a hop that its texts may take. */
export const SERVICE_ROOM: usize = 32;
export const METHOD_ROOM: usize = 8;
export const ROUTE_ROOM: usize = 64;
export const NAME_ROOM: usize = 40;
/** Bytes of a hop: those, the longest name of a part, and what stands between them. */
const HOP_CAPACITY: usize = 164;

/** Writes a word of a hop: what is no visible character becomes `_`, so that words and lines stay what they are. */
export function putWord(out: usize, start: usize, end: usize, room: usize): usize {
  if (end - start > room) end = start + room;
  for (; start < end; start++) {
    const byte = byteAt(start);
    out = putByte(out, byte > <u32>Char.Space && byte < <u32>Char.Delete ? byte : Char.Underscore);
  }
  return out;
}

/**
 * Says the hops of a step: those before it, at `before..beforeEnd`, and its own. Where there is no room for all, those between the first and
 * the last are left out, the older ones first.
 */
export function setHops(step: Step, before: usize, beforeEnd: usize, own: usize, ownEnd: usize): void {
  const start = stepHops(step);
  ownEnd = min(ownEnd, own + HOP_CAPACITY);
  let out = start;
  if (before != beforeEnd) {
    const room = HOPS_CAPACITY - (ownEnd - own) - 1;
    let first = before;
    while (first < beforeEnd && byteAt(first) != Char.LineFeed) first++;
    let rest = first;
    while (rest < beforeEnd && first - before + (beforeEnd - rest) > room) {
      rest++;
      while (rest < beforeEnd && byteAt(rest) != Char.LineFeed) rest++;
    }
    if (first - before <= room) out = putByte(putBytes(putBytes(out, before, first), rest, beforeEnd), Char.LineFeed);
  }
  out = putBytes(out, own, ownEnd);
  if (isDefined(CHECKED)) assert(out - start <= HOPS_CAPACITY); // the hops fit their room
  step.size = <u8>(out - start);
}
