// Runs of bytes that were judged clean before. Header values repeat from request to request (a browser sends the same dozen for
// hours), and so do paths, cookies and many parameters, so the judge need not look at them again. Compared byte by byte: a run is
// known or it is not, no hash is trusted.
//
//   entry (64 bytes, a line of the cache, or 256): u8 place, u8 length, 2 bytes unused, then the run; a newer run takes the place of
//   an older one

/** What is known of a run. */
export const enum Seen {
  /** Nothing. */
  Not = 0,
  /** It is clean. */
  Clean = 1,
  /** It is clean, and a value in it carries syntax, which a response may show (observe/taint.ts). */
  Carries = 2,
}

/** Set in the place of a run that carries syntax. */
const CARRIES: u32 = 0x80;

/** Longest run that is remembered, in bytes. */
export const SEEN_CAPACITY: usize = 252;
/** Longest run in a small entry. */
const SMALL_CAPACITY: usize = 60;
/** 512 small entries, and 256 large ones with room to read behind the last. */
const SMALL: usize = memory.data(32768, 64);
const LARGE: usize = memory.data(65552, 64);
const RUN: usize = 4;

/**
 * Whether `start..end`, at least one byte, was given to `remember` and nothing has taken its place. `place`: which kind of run it
 * is, since the same bytes may mean another thing elsewhere. Reads up to 7 bytes behind `end` and ignores them.
 */
export function isRemembered(place: u32, start: usize, end: usize): Seen {
  const length = end - start;
  if (length > SEEN_CAPACITY) return Seen.Not;
  const entry = entryOf(place, start, end);
  const known = load<u16>(entry);
  if ((known & ~CARRIES) != head(place, length)) return Seen.Not;
  let run = entry + RUN;
  for (; end - start >= 8; start += 8, run += 8) if (load<u64>(start) != load<u64>(run)) return Seen.Not;
  if (start != end && ((load<u64>(start) ^ load<u64>(run)) & firstBytes(end - start)) != 0) return Seen.Not;
  return (known & CARRIES) == 0 ? Seen.Clean : Seen.Carries;
}

/** Remembers `start..end`, unless it is too long. `carries`: whether a value in it carries syntax. */
export function remember(place: u32, start: usize, end: usize, carries: bool): void {
  const length = end - start;
  if (length > SEEN_CAPACITY) return;
  const entry = entryOf(place, start, end);
  store<u16>(entry, <u16>(head(place, length) | (carries ? CARRIES : 0)));
  memory.copy(entry + RUN, start, length);
}

// @ts-ignore: decorator
@inline
function head(place: u32, length: usize): u32 {
  return place | ((<u32>length) << 8);
}

/** A mask of the first `count` bytes of a word, 1 to 7. */
// @ts-ignore: decorator
@inline
function firstBytes(count: usize): u64 {
  return ((1 as u64) << ((<u64>count) << 3)) - 1;
}

/** Where a run belongs: its head and its words mixed. */
function entryOf(place: u32, start: usize, end: usize): usize {
  const from = start;
  let hash: u64 = head(place, end - start);
  for (; end - start >= 8; start += 8) hash = mix(hash, load<u64>(start));
  if (start != end) hash = mix(hash, load<u64>(start) & firstBytes(end - start));
  return end - from <= SMALL_CAPACITY ? SMALL + ((<usize>(hash >> 55)) << 6) : LARGE + ((<usize>(hash >> 56)) << 8);
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, word: u64): u64 {
  return rotl(hash ^ word, 29) * 0x9e3779b97f4a7c15;
}
