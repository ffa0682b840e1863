// What was told already: a flaw that each response shows (a header that is missing) is told once in an hour for an endpoint. Hashes in a
// table of fixed size; where it is full the oldest of a row goes, and what it stood for is told again.
//
//   row of 8 entries by the hash   entry (8 bytes): u32 hash (0: free), u32 minute at which it was told

/** Minutes for which nothing is told again. */
const SILENCE: u32 = 60;
const ROWS: u32 = 1024;
const ENTRIES: usize = 8;
const TABLE: usize = memory.data(65536, 8);

/** The entry that `isTold` has found, or that is to go. */
let place: usize = TABLE;
let key: u32 = 0;
let minute: u32 = 0;

/** Whether `hash` was told within the hour before `nanoseconds` since the epoch. */
export function isTold(hash: u64, nanoseconds: u64): bool {
  minute = <u32>(nanoseconds / 60000000000);
  key = (<u32>(hash >> 32)) | 1;
  place = TABLE + ((<usize>((<u32>hash) & (ROWS - 1))) << 6);
  for (let entry = place, end = entry + (ENTRIES << 3); entry < end; entry += 8) {
    const told = load<u32>(entry, 4);
    if (load<u32>(entry) == key && minute - told < SILENCE) return true;
    if (told < load<u32>(place, 4)) place = entry;
  }
  return false;
}

/** Says that what `isTold` was asked for is told now. */
export function markTold(): void {
  store<u32>(place, key);
  store<u32>(place, minute, 4);
}
