// core/sha256.ts and core/siphash.ts for tests.

import {
  hmac as hmacRun,
  HMAC_KEY_SIZE,
  prepareHmacKey,
  sameSecret as sameSecretRun,
  sha256 as sha256Run,
} from "../../assembly/core/sha256";
import { sipHash as sipHashRun } from "../../assembly/core/siphash";

const OUT: usize = memory.data(32);
const KEY: usize = memory.data(HMAC_KEY_SIZE, 8);

export function out(): usize {
  return OUT;
}

export function sha256(start: usize, end: usize): usize {
  return sha256Run(start, end, OUT);
}

export function hmac(key: usize, keyEnd: usize, start: usize, end: usize): usize {
  prepareHmacKey(KEY, key, keyEnd);
  return hmacRun(KEY, start, end, OUT);
}

/** Writes the hash at `out()`, its lowest byte first. */
export function sipHash(key: usize, start: usize, end: usize): usize {
  store<u64>(OUT, sipHashRun(key, start, end));
  return OUT + 8;
}

export function sameSecret(a: usize, b: usize, size: u32): bool {
  return sameSecretRun(a, b, size);
}
