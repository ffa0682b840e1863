// The ids that a request is known by outside: its request id and its trace id. Both come from headers that a client may write,
// so each is taken only where it is exactly what its grammar says.

import { byteAt, hexValue, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { textStarts } from "../core/text";
import { putHex } from "./json";

/** Bytes of a UUID in text. RFC 9562, section 4. */
export const UUID_SIZE: usize = 36;
/** Hex digits of a trace id. W3C Trace Context, section 3.2.2.3. */
export const TRACE_ID_SIZE: usize = 32;

/** Hex digits of a span id, which stands behind the trace id and a dash in a `traceparent`. Section 3.2.2.4. */
export const SPAN_ID_SIZE: usize = 16;

/** Bytes of both with the dash between them. */
export const TRACE_SIZE: usize = 49;

/** Whether `start..end` is a UUID: 8-4-4-4-12 hex digits. */
export function isUuid(start: usize, end: usize): bool {
  if (end - start != UUID_SIZE) return false;
  for (let i: usize = 0; i < UUID_SIZE; i++) {
    const byte = byteAt(start + i);
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (byte != Char.Dash) return false;
    } else if (hexValue(byte) > 15) {
      return false;
    }
  }
  return true;
}

/**
 * Where the trace id stands in a `traceparent` (32 hex digits from the returned address), or 0 where the header is none:
 * version "-" trace-id "-" parent-id "-" flags, lower-case hex, neither id all zeros, version not ff.
 */
export function traceIdOf(start: usize, end: usize): usize {
  if (end - start < 55 || (end - start > 55 && (textStarts(start, end, "00") || byteAt(start + 55) != Char.Dash)))
    return 0;
  if (textStarts(start, end, "ff")) return 0;
  for (let i: usize = 0; i < 55; i++) {
    const byte = byteAt(start + i);
    if (i == 2 || i == 35 || i == 52) {
      if (byte != Char.Dash) return 0;
    } else if (hexValue(byte) > 15 || byte - Char.A < 26) {
      return 0;
    }
  }
  return isZeros(start + 3, start + 35) || isZeros(start + 36, start + 52) ? 0 : start + 3;
}

function isZeros(start: usize, end: usize): bool {
  for (; start < end; start++) {
    if (byteAt(start) != Char._0) return false;
  }
  return true;
}

/** The state of a xorshift128+ generator: ids must be unique, not secret. Seeded from the host's random bytes. */
const SEED: usize = memory.data(16, 8);
const BYTES: usize = memory.data(16, 8);

/** The bytes to be filled with randomness when the VM starts. */
export function randomSeed(): usize {
  return SEED;
}

export const RANDOM_SEED_SIZE: usize = 16;

export function nextRandom(): u64 {
  let s1 = load<u64>(SEED);
  const s0 = load<u64>(SEED, 8) | 1;
  store<u64>(SEED, s0);
  s1 ^= s1 << 23;
  s1 = s1 ^ s0 ^ (s1 >> 17) ^ (s0 >> 26);
  store<u64>(SEED, s1, 8);
  return s1 + s0;
}

/** Writes a new UUID (version 4, in text) and returns the next cursor. */
export function putNewUuid(out: usize): usize {
  store<u64>(BYTES, nextRandom());
  store<u64>(BYTES, nextRandom(), 8);
  store<u8>(BYTES, (load<u8>(BYTES, 6) & 0x0f) | 0x40, 6);
  store<u8>(BYTES, (load<u8>(BYTES, 8) & 0x3f) | 0x80, 8);
  out = putByte(putHex(out, BYTES, BYTES + 4), Char.Dash);
  out = putByte(putHex(out, BYTES + 4, BYTES + 6), Char.Dash);
  out = putByte(putHex(out, BYTES + 6, BYTES + 8), Char.Dash);
  out = putByte(putHex(out, BYTES + 8, BYTES + 10), Char.Dash);
  return putHex(out, BYTES + 10, BYTES + 16);
}
