// Runs of bytes that were judged clean before. Header values repeat from request to request (a browser sends the same dozen for
// hours), and so do paths, cookies and many parameters, so the judge need not look at them again. Compared byte by byte: a run is
// known or it is not, no hash is trusted.
//
//   entry (64 bytes, a line of the cache, or 256): u8 place, u8 length, 2 bytes unused, then the run; a newer run takes the place of
//   an older one

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
export function isRemembered(place: u32, start: usize, end: usize): bool {
  const length = end - start;
  if (length > SEEN_CAPACITY) return false;
  const entry = entryOf(place, start, end);
  if (load<u16>(entry) != head(place, length)) return false;
  let known = entry + RUN;
  for (; end - start >= 8; start += 8, known += 8) if (load<u64>(start) != load<u64>(known)) return false;
  return start == end || ((load<u64>(start) ^ load<u64>(known)) & firstBytes(end - start)) == 0;
}

/** Remembers `start..end`, unless it is too long. */
export function remember(place: u32, start: usize, end: usize): void {
  const length = end - start;
  if (length > SEEN_CAPACITY) return;
  const entry = entryOf(place, start, end);
  store<u16>(entry, head(place, length));
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
