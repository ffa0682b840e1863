// Where policies live: a fixed number of arenas. Each root context holds one; two roots with the same configuration share it.
// An arena is free again when its last root is gone. When pushes come while old streams keep old roots alive, those roots go over
// to the newest policy once no arena is free (filter/root.ts): memory does not grow with pushes.
//
//   arena: [u32 users][u32 —][u64 hash of the configuration] … policy, routes, exceptions, texts …

/** Bytes of one. */
export const ARENA_SIZE: usize = 1048576;
const ARENAS: usize = 8;
const MEMORY: usize = memory.data(8388608, 16);
const HEAD: usize = 16;

let cursor: usize = 0;
let limit: usize = 0;

/** The arena that holds the policy of this configuration already, or 0. */
export function arenaWith(hash: u64): usize {
  for (let i: usize = 0; i < ARENAS; i++) {
    const arena = MEMORY + i * ARENA_SIZE;
    if (load<u32>(arena) != 0 && load<u64>(arena, 8) == hash) return arena;
  }
  return 0;
}

/** A free arena, or 0 where each has users. */
export function freeArena(): usize {
  for (let i: usize = 0; i < ARENAS; i++) {
    const arena = MEMORY + i * ARENA_SIZE;
    if (load<u32>(arena) == 0) return arena;
  }
  return 0;
}

/** Empties an arena and makes it the one that `allocate` takes from; it has no users yet. */
export function openArena(arena: usize, hash: u64): void {
  store<u32>(arena, 0);
  store<u64>(arena, hash, 8);
  cursor = arena + HEAD;
  limit = arena + ARENA_SIZE;
}

/** The policy of an arena is the first thing in it. */
// @ts-ignore: decorator
@inline
export function arenaPolicy(arena: usize): usize {
  return arena + HEAD;
}

export function addArenaUser(arena: usize): void {
  store<u32>(arena, load<u32>(arena) + 1);
}

export function removeArenaUser(arena: usize): void {
  if (isDefined(CHECKED)) assert(load<u32>(arena) > 0); // each root leaves once
  store<u32>(arena, load<u32>(arena) - 1);
}

/** `size` zeroed bytes of the open arena, aligned to 8, or 0 where it is full. */
export function allocate(size: usize): usize {
  if (size > limit - cursor) return 0;
  const block = cursor;
  cursor = min<usize>((cursor + size + 7) & ~7, limit);
  memory.fill(block, 0, size);
  return block;
}

/** Gives back what lies behind `end` of the block that was allocated last. */
export function shrink(end: usize): void {
  cursor = min<usize>((end + 7) & ~7, limit);
}
