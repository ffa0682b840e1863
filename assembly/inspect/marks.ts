// What was seen of an endpoint before: a value for a key, in a table of fixed size, where a newer key takes the place of an older one.
// May forget, and never says of an endpoint what was said of another, but for hashes of 32 bits that are equal.
//
//   table: 2,048 × (u32 key, u32 value)

const MARKS: usize = memory.data(16384, 8);
const COUNT: u32 = 2048;

function placeOf(key: u32): usize {
  return MARKS + <usize>(((key * 0x9e3779b1) >>> 21) % COUNT) * 8;
}

/** The value of `key`, 0 for none. */
export function markOf(key: u32): u32 {
  const place = placeOf(key);
  return load<u32>(place) == key ? load<u32>(place, 4) : 0;
}

/** Sets the value of `key`, which is not 0. */
export function setMark(key: u32, value: u32): void {
  const place = placeOf(key);
  store<u32>(place, key);
  store<u32>(place, value, 4);
}
