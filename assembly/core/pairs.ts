// A serialized header map, walked in place. Proxy-Wasm ABI 0.2.1, "Header maps":
//
//   ┌───────────┬──────────────────────────────┬──────────────────────────────────────────┐
//   │ u32 count │ count × (u32 name, u32 value)│ count × (name bytes, NUL, value bytes, NUL) │
//   └───────────┴──────────────────────────────┴──────────────────────────────────────────┘
//
// The host writes it, but its lengths are still checked against the end: a map that does not fit ends the walk.

export let pairName: usize = 0;
export let pairNameEnd: usize = 0;
export let pairValue: usize = 0;
export let pairValueEnd: usize = 0;

let sizes: usize = 0;
let left: u32 = 0;
let bytes: usize = 0;
let limit: usize = 0;

/** Starts a walk over the map in `start..end`. */
export function openPairs(start: usize, end: usize): void {
  left = 0;
  if (end - start < 4) return;
  const count = load<u32>(start);
  if (<u64>count * 8 > <u64>(end - start - 4)) return;
  sizes = start + 4;
  bytes = sizes + ((<usize>count) << 3);
  limit = end;
  left = count;
}

/** Steps to the next pair; false at the end. */
export function nextPair(): bool {
  if (left == 0) return false;
  left--;
  const nameSize = load<u32>(sizes);
  const valueSize = load<u32>(sizes, 4);
  if (<u64>nameSize + <u64>valueSize + 2 > <u64>(limit - bytes)) {
    left = 0;
    return false;
  }
  sizes += 8;
  pairName = bytes;
  pairNameEnd = bytes + nameSize;
  pairValue = pairNameEnd + 1;
  pairValueEnd = pairValue + valueSize;
  bytes = pairValueEnd + 1;
  return true;
}
