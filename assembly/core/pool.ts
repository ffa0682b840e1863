// A pool of equal blocks in static memory: claim and release in constant time, lowest address first for a fresh pool, so that
// memory is only touched as far as the most blocks that were ever in use at once.
//
//   head (16 bytes)                         blocks (size × count)
//   ┌──────────┬────────────┬───────┬──────┐┌──────────┬──────────┬─ …
//   │ u32 free │ u32 fresh  │ u32   │ u32  ││ u32 next │          │
//   │ address  │ blocks     │ inUse │  —   ││ while    │          │
//   │ or 0     │ handed out │       │      ││ free     │          │
//   └──────────┴────────────┴───────┴──────┘└──────────┴──────────┴─ …

/** Bytes of a pool's head, which stands before its blocks. */
export const POOL_HEAD: i32 = 16;

/** Takes a block from the pool at `pool`, or returns 0 where all `count` are in use. The bytes of a block are not cleared. */
export function claimBlock(pool: usize, size: u32, count: u32): usize {
  const free = load<u32>(pool);
  if (free != 0) {
    store<u32>(pool, load<u32>(free));
    store<u32>(pool, load<u32>(pool, 8) + 1, 8);
    return free;
  }
  const fresh = load<u32>(pool, 4);
  if (fresh == count) return 0;
  store<u32>(pool, fresh + 1, 4);
  store<u32>(pool, load<u32>(pool, 8) + 1, 8);
  return pool + POOL_HEAD + fresh * size;
}

/** Gives a claimed block back. */
export function releaseBlock(pool: usize, block: usize): void {
  if (isDefined(CHECKED)) assert(block > pool && load<u32>(pool, 8) > 0); // a block of this pool, claimed before
  store<u32>(block, load<u32>(pool));
  store<u32>(pool, <u32>block);
  store<u32>(pool, load<u32>(pool, 8) - 1, 8);
}

/** How many blocks of the pool are in use. */
// @ts-ignore: decorator
@inline
export function blocksInUse(pool: usize): u32 {
  return load<u32>(pool, 8);
}
