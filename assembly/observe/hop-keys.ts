// The keys by which sidecars follow values. A secret that they share gives, by HMAC, one key to sign with, one to hash values with,
// and four bytes to know it by; the secret itself is kept nowhere. Two at a time, so that it can be changed while all run: the first
// signs, both are taken. Without a secret, values are hashed by a random key of the process and followed through this service alone.

import { hmac, HMAC_KEY_SIZE, prepareHmacKey, SHA256_SIZE } from "../core/sha256";
import { SIPHASH_KEY_SIZE, sipHash } from "../core/siphash";
import { putText } from "../core/text";

/** Secrets that are in use at once, and bytes that one must have. */
export const HOP_KEYS: u32 = 2;
export const LEAST_SECRET: usize = 16;

// A key: what signs, what hashes, what it is known by, and whether it is there.
const HASHING: usize = HMAC_KEY_SIZE;
const ID: usize = HASHING + SIPHASH_KEY_SIZE;
const SET: usize = ID + 4;
const SIZE: usize = SET + 4;
const KEYS: usize = memory.data(2 * 88, 8);

const LABEL: usize = memory.data(32);
const DERIVED: usize = memory.data(32, 8);

// @ts-ignore: decorator
@inline
function keyAt(index: u32): usize {
  return KEYS + <usize>index * SIZE;
}

/** Takes `start..end` for the secret at `index`; false where it is too short to be one, and an empty one is none. */
export function setSecret(index: u32, start: usize, end: usize): bool {
  if (isDefined(CHECKED)) assert(SIZE == 88 && index < HOP_KEYS); // the keys fit their buffer
  const key = keyAt(index);
  memory.fill(key, 0, SIZE);
  if (end - start < LEAST_SECRET) return start == end;
  prepareHmacKey(key, start, end);
  hmac(key, LABEL, putText(LABEL, "meshward hash"), DERIVED);
  memory.copy(key + HASHING, DERIVED, SIPHASH_KEY_SIZE);
  hmac(key, LABEL, putText(LABEL, "meshward id"), DERIVED);
  memory.copy(key + ID, DERIVED, 4);
  memory.fill(DERIVED, 0, SHA256_SIZE);
  store<u32>(key + SET, 1);
  return true;
}

/** Hashes values by the 16 bytes at `random`, where there is no secret. */
export function setHashing(random: usize): void {
  memory.copy(keyAt(0) + HASHING, random, SIPHASH_KEY_SIZE);
}

/** Whether there is a secret at `index`. */
export function hasSecret(index: u32): bool {
  return load<u32>(keyAt(index) + SET) != 0;
}

/** Which of the secrets is known by `id`; -1 for none. */
export function secretKnownBy(id: u32): i32 {
  for (let i: u32 = 0; i < HOP_KEYS; i++) if (hasSecret(i) && secretId(i) == id) return i;
  return -1;
}

/** What a secret is known by. */
export function secretId(index: u32): u32 {
  return load<u32>(keyAt(index) + ID);
}

/** The prepared key of `core/sha256.ts` that signs. */
export function signingKey(index: u32): usize {
  return keyAt(index);
}

/** The key of `core/siphash.ts` that hashes values; that at 0 is always there. */
export function hashingKey(index: u32): usize {
  return keyAt(index) + HASHING;
}

/** What the key at 0 is known by, whether it is of a secret or random. */
export function hashingId(): u32 {
  if (hasSecret(0)) return secretId(0);
  return <u32>sipHash(hashingKey(0), LABEL, putText(LABEL, "meshward id"));
}
