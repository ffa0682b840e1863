// Notes of the values that came in with requests, for the VM that sees the service's own calls go out. They lie in shared data, in 256
// buckets of at most 2 KiB under fixed keys, since nothing there can be deleted: a note goes when it is too old, or when a bucket
// needs its room. This file reads and changes a copy of one bucket; filter/journey.ts fetches it and puts it back by compare-and-swap.
//
//   bucket   note, note …          the oldest first
//   note     u64 key │ u64 value │ u64 host │ u32 seconds │ u8 index │ u8 reached │ u8 size │ u32 owner │ hops
//
// A note is filed by each way that it may be looked for: by the trace of the request, by the value, by the host that it names. Its owner is
// the request: the same value may have come with another one, for which no call was made.

import { byteAt, putByte, putBytes } from "../core/bytes";

/** Buckets, a power of two, and bytes of one. */
export const BUCKETS: u32 = 256;
export const BUCKET_CAPACITY: usize = 2048;
const BUCKET: usize = memory.data(2048, 8);
const HEAD: usize = 35;
/** Bytes of a note's hops. */
export const HOPS_CAPACITY: usize = 240;

/** By what a note is filed. */
export const enum Index {
  Trace = 1,
  Value = 2,
  Host = 3,
  /** Of a credential: its value is the trace, its host the own site. */
  Credential = 4,
  /** Of a tag that a page may show later. */
  Stored = 5,
}

/** Whether one of the service's own calls went to the host that the value names. */
export const enum Reached {
  Not = 0,
  /** A call soon after it. */
  Soon = 1,
  /** A call of the same trace. */
  Traced = 2,
}

/** Seconds that a note is good for: by its trace, and by the value alone, which may be another request's as well. */
export const TRACED_SECONDS: u32 = 60;
export const UNTRACED_SECONDS: u32 = 10;
/** And as a tag that was stored. */
export const STORED_SECONDS: u32 = 600;

/** The copy at hand. */
export const bucket: usize = BUCKET;
export let bucketEnd: usize = BUCKET;

/** The bucket that a key is filed in. Keys are hashes by a secret, so nobody chooses one. */
// @ts-ignore: decorator
@inline
export function bucketOf(key: u64): u32 {
  return (<u32>key) & (BUCKETS - 1);
}

// @ts-ignore: decorator
@inline
function sizeOf(note: usize): usize {
  return HEAD + byteAt(note + 30);
}

/** Takes a copy of the bucket `start..end` without the notes that are too old; one that is torn ends where it is. */
export function openBucket(start: usize, end: usize, seconds: u32): void {
  bucketEnd = BUCKET;
  while (start + HEAD <= end && start + sizeOf(start) <= end && bucketEnd + sizeOf(start) <= BUCKET + BUCKET_CAPACITY) {
    // Another VM may have looked at the clock a little later; one that was set back makes notes that are yet to come, which go as well.
    const age = <i32>(seconds - load<u32>(start, 24));
    const index = byteAt(start + 28);
    const limit = index == Index.Trace ? TRACED_SECONDS : index == Index.Stored ? STORED_SECONDS : UNTRACED_SECONDS;
    if (age >= -2 && age <= <i32>limit) {
      bucketEnd = putBytes(bucketEnd, start, start + sizeOf(start));
    }
    start += sizeOf(start);
  }
}

/** The next note behind `after` (0: the first) that is filed under `key`; 0 for none. */
export function findNote(after: usize, index: Index, key: u64): usize {
  let note = after == 0 ? BUCKET : after + sizeOf(after);
  for (; note < bucketEnd; note += sizeOf(note)) {
    if (load<u64>(note) == key && byteAt(note + 28) == index) return note;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
export function noteValue(note: usize): u64 {
  return load<u64>(note, 8);
}

/** Hash of the host that the value names, 0 for none. */
// @ts-ignore: decorator
@inline
export function noteHost(note: usize): u64 {
  return load<u64>(note, 16);
}

// @ts-ignore: decorator
@inline
export function noteReached(note: usize): Reached {
  return <Reached>byteAt(note + 29);
}

// @ts-ignore: decorator
@inline
export function noteHops(note: usize): usize {
  return note + HEAD;
}

// @ts-ignore: decorator
@inline
export function noteHopsEnd(note: usize): usize {
  return note + sizeOf(note);
}

/** The request that the value came with. */
// @ts-ignore: decorator
@inline
export function noteOwner(note: usize): u32 {
  return load<u32>(note, 31);
}

/** Says that a call went where the note's value points; false where that was known. */
export function markReached(note: usize, how: Reached): bool {
  if (byteAt(note + 29) >= <u32>how) return false;
  putByte(note + 29, how);
  return true;
}

/** Files a note, in place of one of the same key, value and owner. Returns how many others had to go before their time. */
export function fileNote(
  index: Index,
  key: u64,
  value: u64,
  host: u64,
  owner: u32,
  seconds: u32,
  hops: usize,
  hopsEnd: usize,
): u32 {
  let reached: u32 = Reached.Not;
  for (let note = findNote(0, index, key); note != 0; note = findNote(note, index, key)) {
    if (noteValue(note) != value || noteOwner(note) != owner) continue;
    reached = byteAt(note + 29);
    drop(note);
    break;
  }
  const size = HEAD + (hopsEnd - hops);
  let dropped: u32 = 0;
  for (; bucketEnd + size > BUCKET + BUCKET_CAPACITY; dropped++) drop(BUCKET);
  store<u64>(bucketEnd, key);
  store<u64>(bucketEnd, value, 8);
  store<u64>(bucketEnd, host, 16);
  store<u32>(bucketEnd, seconds, 24);
  putByte(bucketEnd + 28, index);
  putByte(bucketEnd + 29, reached);
  putByte(bucketEnd + 30, <u32>(hopsEnd - hops));
  store<u32>(bucketEnd, owner, 31);
  bucketEnd = putBytes(bucketEnd + HEAD, hops, hopsEnd);
  return dropped;
}

function drop(note: usize): void {
  bucketEnd = putBytes(note, note + sizeOf(note), bucketEnd);
}
