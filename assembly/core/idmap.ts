// From a Proxy-Wasm context id to the address of what stands for it: open addressing with linear probing over a fixed table,
// no tombstones (removal shifts the run back), at most half full by the capacity of the pools behind it.
//
//   entry (8 bytes): u32 id (0 = empty; Envoy never uses 0), u32 address, tagged in its lowest bit by the owner's kind

/** Entries in the table: twice the streams and roots that can be open at once, a power of two. */
const CAPACITY: u32 = 32768;
const MASK: u32 = CAPACITY - 1;
const ENTRIES: usize = memory.data(262144, 8);

// @ts-ignore: decorator
@inline
function slotOf(id: u32): u32 {
  // Ids are consecutive: eight of them share a line of the cache, and Fibonacci hashing spreads the lines.
  return ((((id >> 3) * 0x9e3779b1) >> 20) << 3) | (id & 7);
}

/** The address stored for `id`, or 0. */
export function addressOf(id: u32): usize {
  let slot = slotOf(id);
  while (true) {
    const entry = ENTRIES + ((<usize>slot) << 3);
    const found = load<u32>(entry);
    if (found == id) return load<u32>(entry, 4);
    if (found == 0) return 0;
    slot = (slot + 1) & MASK;
  }
}

/** Stores `address` for `id`, which is not in the table yet. The pools are smaller than the table, so there is always room. */
export function rememberAddress(id: u32, address: usize): void {
  let slot = slotOf(id);
  while (load<u32>(ENTRIES + ((<usize>slot) << 3)) != 0) slot = (slot + 1) & MASK;
  const entry = ENTRIES + ((<usize>slot) << 3);
  store<u32>(entry, id);
  store<u32>(entry, <u32>address, 4);
}

/** Removes `id`; nothing happens where it is not in the table. */
export function forgetAddress(id: u32): void {
  let slot = slotOf(id);
  while (true) {
    const found = load<u32>(ENTRIES + ((<usize>slot) << 3));
    if (found == 0) return;
    if (found == id) break;
    slot = (slot + 1) & MASK;
  }
  // Close the gap: move back each following entry of the run whose own place is not between the gap and it.
  let gap = slot;
  while (true) {
    slot = (slot + 1) & MASK;
    const entry = ENTRIES + ((<usize>slot) << 3);
    const id = load<u32>(entry);
    if (id == 0) break;
    if (((slot - slotOf(id)) & MASK) >= ((slot - gap) & MASK)) {
      store<u64>(ENTRIES + ((<usize>gap) << 3), load<u64>(entry));
      gap = slot;
    }
  }
  store<u64>(ENTRIES + ((<usize>gap) << 3), 0);
}
