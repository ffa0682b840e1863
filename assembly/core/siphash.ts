// SipHash-2-4: a keyed hash of 64 bits. Who does not know the key can neither choose values of equal hash nor tell from a hash what
// the value was. One step per eight bytes, no memory. https://www.aumasson.jp/siphash/siphash.pdf

/** Bytes of a key. */
export const SIPHASH_KEY_SIZE: i32 = 16;

/** The hash of `start..end` under the key at `key`. Reads up to 7 bytes behind `end` and ignores them. */
export function sipHash(key: usize, start: usize, end: usize): u64 {
  const k0 = load<u64>(key);
  const k1 = load<u64>(key, 8);
  let v0 = k0 ^ 0x736f6d6570736575;
  let v1 = k1 ^ 0x646f72616e646f6d;
  let v2 = k0 ^ 0x6c7967656e657261;
  let v3 = k1 ^ 0x7465646279746573;
  const length = <u64>(end - start);
  // The last word holds what is left of the value, and its length; behind it come four rounds more.
  let ended = false;
  let rounds = 2;
  while (rounds != 0) {
    let word: u64 = 0;
    if (ended) {
      v2 ^= 0xff;
      rounds = 4;
    } else if (end - start >= 8) {
      word = load<u64>(start);
      start += 8;
    } else {
      const rest = (<u64>(end - start)) << 3;
      word = (length << 56) | (rest == 0 ? 0 : load<u64>(start) & (u64.MAX_VALUE >> (64 - rest)));
      ended = true;
    }
    v3 ^= word;
    for (let i = 0; i < rounds; i++) {
      v0 += v1;
      v1 = rotl<u64>(v1, 13) ^ v0;
      v0 = rotl<u64>(v0, 32);
      v2 += v3;
      v3 = rotl<u64>(v3, 16) ^ v2;
      v0 += v3;
      v3 = rotl<u64>(v3, 21) ^ v0;
      v2 += v1;
      v1 = rotl<u64>(v1, 17) ^ v2;
      v2 = rotl<u64>(v2, 32);
    }
    v0 ^= word;
    if (rounds == 4) rounds = 0;
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
