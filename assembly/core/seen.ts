// Runs of bytes that were judged clean before. Header values repeat from request to request (a browser sends the same dozen for
// hours), so the judge need not look at them again. Compared byte by byte: a run is known or it is not, no hash is trusted.
//
//   entry (256 bytes): u32 length, then up to 252 bytes of the run; a newer run takes the place of an older one

/** Longest run that is remembered, in bytes. */
export const SEEN_CAPACITY: usize = 252;
/** Runs that are remembered at once, a power of two. */
const ENTRIES: usize = 512;
const TABLE: usize = memory.data(131072, 16);

/** Whether `start..end`, at least one byte, was given to `remember` and nothing has taken its place. */
export function isRemembered(start: usize, end: usize): bool {
  const length = end - start;
  if (length > SEEN_CAPACITY) return false;
  const entry = entryOf(start, end);
  return load<u32>(entry) == <u32>length && memory.compare(entry + 4, start, length) == 0;
}

/** Remembers `start..end`, unless it is too long. */
export function remember(start: usize, end: usize): void {
  const length = end - start;
  if (length > SEEN_CAPACITY) return;
  const entry = entryOf(start, end);
  store<u32>(entry, <u32>length);
  memory.copy(entry + 4, start, length);
}

/** The place of a run: its length and words mixed. Reads up to 7 bytes behind `end` and ignores them. */
function entryOf(start: usize, end: usize): usize {
  let hash: u64 = end - start;
  for (; start < end; start += 8) {
    let word = load<u64>(start);
    // Bytes behind the end are masked, so that the same run has the same place.
    if (end - start < 8) word &= ((1 as u64) << (((end - start) as u64) << 3)) - 1;
    hash = rotl(hash ^ word, 29) * 0x9e3779b97f4a7c15;
  }
  return TABLE + ((<usize>(hash >> 55)) << 8);
}
