// SHA-256 (FIPS 180-4) and HMAC over it (RFC 2104), for what sidecars sign to one another. One pass, static buffers;
// nothing behind `end` is looked at.
//
//   key (64 bytes): the state behind `key ^ ipad`, then that behind `key ^ opad`. Made once a key, so a signature of a short text
//   costs two blocks, and the key itself is kept nowhere.

import { byteAt } from "./bytes";

/** Bytes of a digest, and of a signature. */
export const SHA256_SIZE: usize = 32;
/** Bytes of a prepared key. */
export const HMAC_KEY_SIZE: i32 = 64;
const BLOCK: usize = 64;

/** Fractions of the cube roots of the first 64 primes. */
const ROUNDS: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);
/** Fractions of the square roots of the first 8. */
const START: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** The message schedule of a block. */
const SCHEDULE: usize = memory.data(256, 8);
/** State at work, the last block or two with their padding, and a key's block or an inner digest. */
const STATE: usize = memory.data(32, 8);
const TAIL: usize = memory.data(128, 8);
const INNER: usize = memory.data(64, 8);

/** Writes the digest of `start..end` at `out` and returns the next cursor. */
export function sha256(start: usize, end: usize, out: usize): usize {
  return digest(START, 0, start, end, out);
}

/** Prepares the key `start..end`, of any length, at `key`. */
export function prepareHmacKey(key: usize, start: usize, end: usize): void {
  memory.fill(INNER, 0, BLOCK);
  if (end - start > BLOCK) sha256(start, end, INNER);
  else memory.copy(INNER, start, end - start);
  pad(key, 0x36);
  pad(key + 32, 0x5c);
  memory.fill(INNER, 0, BLOCK);
}

/** Writes the state behind the block in `INNER`, each byte of it changed by `mask`. */
function pad(state: usize, mask: u32): void {
  for (let i: usize = 0; i < BLOCK; i++) store<u8>(TAIL + i, byteAt(INNER + i) ^ mask);
  memory.copy(state, START, 32);
  compress(state, TAIL);
  memory.fill(TAIL, 0, BLOCK);
}

/** Writes the signature of `start..end` under a prepared key at `out` and returns the next cursor. */
export function hmac(key: usize, start: usize, end: usize, out: usize): usize {
  digest(key, BLOCK, start, end, INNER);
  return digest(key + 32, BLOCK, INNER, INNER + SHA256_SIZE, out);
}

/** Whether the `size` bytes at both addresses are the same, in a time that does not say where they differ. */
export function sameSecret(a: usize, b: usize, size: usize): bool {
  let different: u32 = 0;
  for (let i: usize = 0; i < size; i++) different |= byteAt(a + i) ^ byteAt(b + i);
  return different == 0;
}

/** The digest of `before` bytes (whole blocks, which led to the state `from`) and `start..end`. */
function digest(from: usize, before: usize, start: usize, end: usize, out: usize): usize {
  const bits = (<u64>(before + (end - start))) << 3;
  memory.copy(STATE, from, 32);
  for (; end - start >= BLOCK; start += BLOCK) compress(STATE, start);
  const rest = end - start;
  const size: usize = rest < 56 ? BLOCK : 2 * BLOCK;
  memory.fill(TAIL, 0, size);
  memory.copy(TAIL, start, rest);
  store<u8>(TAIL + rest, 0x80);
  store<u64>(TAIL + size - 8, bswap<u64>(bits));
  compress(STATE, TAIL);
  if (size > BLOCK) compress(STATE, TAIL + BLOCK);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(out + i, bswap<u32>(load<u32>(STATE + i)));
  return out + SHA256_SIZE;
}

/** Takes one block into a state. FIPS 180-4, section 6.2.2. */
function compress(state: usize, block: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(SCHEDULE + i, bswap<u32>(load<u32>(block + i)));
  for (let i: usize = 64; i < 256; i += 4) {
    const near = load<u32>(SCHEDULE + i - 8);
    const far = load<u32>(SCHEDULE + i - 60);
    const sum0 = rotr<u32>(far, 7) ^ rotr<u32>(far, 18) ^ (far >> 3);
    const sum1 = rotr<u32>(near, 17) ^ rotr<u32>(near, 19) ^ (near >> 10);
    store<u32>(SCHEDULE + i, load<u32>(SCHEDULE + i - 64) + sum0 + load<u32>(SCHEDULE + i - 28) + sum1);
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  for (let i: usize = 0; i < 256; i += 4) {
    const sum1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const first = h + sum1 + ((e & f) ^ (~e & g)) + load<u32>(ROUNDS + i) + load<u32>(SCHEDULE + i);
    const sum0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const second = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
