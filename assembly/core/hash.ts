// FNV-1a, 64 bits: names configurations and plugins in tables of our own making. Not for input that an attacker chooses.
// http://www.isthe.com/chongo/tech/comp/fnv/

/** The hash of `start..end`, going on from `seed` (the hash of what stands before, or `HASH_SEED`). */
export function hashBytes(start: usize, end: usize, seed: u64): u64 {
  for (; start < end; start++) seed = (seed ^ load<u8>(start)) * 0x100000001b3;
  return seed;
}

export const HASH_SEED: u64 = 0xcbf29ce484222325;
