// What was seen of an endpoint before: a value for a key, in a table of fixed size, where a newer key takes the place of an older one.
// May forget, and never says of an endpoint what was said of another, but for hashes of 32 bits that are equal.
//
//   table: 2,048 buckets × 4 × (u32 key, u32 value), the newest key first

const MARKS: usize = memory.data(65536, 8);
const BITS: u32 = 11;
const BUCKET: usize = 32;

function bucketOf(key: u32): usize {
  return MARKS + <usize>((key * 0x9e3779b1) >>> (32 - BITS)) * BUCKET;
}

/** Where `key` is, 0 for nowhere. */
function placeOf(key: u32): usize {
  const bucket = bucketOf(key);
  for (let place = bucket; place < bucket + BUCKET; place += 8) if (load<u32>(place) == key) return place;
  return 0;
}

/** The value of `key`, 0 for none. */
export function markOf(key: u32): u32 {
  const place = placeOf(key);
  return place == 0 ? 0 : load<u32>(place, 4);
}

/** Sets the value of `key`, which is not 0. */
export function setMark(key: u32, value: u32): void {
  let place = placeOf(key);
  if (place == 0) {
    place = bucketOf(key);
    memory.copy(place + 8, place, BUCKET - 8);
    store<u32>(place, key);
  }
  store<u32>(place, value, 4);
}
