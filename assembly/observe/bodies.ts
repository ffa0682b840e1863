// Which bodies were inspected already: the same one of the same endpoint shows the same, so it is compared and not judged again for some
// minutes. Hashes in a table of fixed size, where a newer one takes the place of an older. Who does not know the key cannot make a body
// that passes for another.
//
//   entry (16 bytes): u64 hash │ u32 minute at which it was inspected

/** Minutes for which a body is not judged again. */
const KNOWN: u32 = 10;
const BODIES: u32 = 1024;
const TABLE: usize = memory.data(16384, 8);

/** Whether the body that `hash` names was inspected within the minutes before `nanoseconds` since the epoch; if not, it is from now on. */
export function wasInspected(hash: u64, nanoseconds: u64): bool {
  const minute = <u32>(nanoseconds / 60000000000);
  const entry = TABLE + ((<usize>((<u32>hash) & (BODIES - 1))) << 4);
  if (load<u64>(entry) == hash && minute - load<u32>(entry, 8) < KNOWN) return true;
  store<u64>(entry, hash);
  store<u32>(entry, minute, 8);
  return false;
}
