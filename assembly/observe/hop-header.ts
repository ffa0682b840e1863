// `x-meshward-taint`: what a sidecar tells the next one of the values in a request that came in from outside. At most 512 characters
// of base64url without padding (RFC 4648, section 5):
//
//   u8 form │ u32 key's id │ u32 seconds │ entries: u64 hash, u8 size, hops │ 32 bytes HMAC-SHA256
//
// Signed are the content and the trace id of the request, so that none can be taken for another's; form 2 is that of a request without one,
// and good for any, since a proxy on the way may begin a trace. A hash says nothing without the key. Hops are lines of text, the first where the value came in. Nothing is looked at before the signature holds.

import { base64Value, byteAt, putByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { hmac, sameSecret, SHA256_SIZE } from "../core/sha256";
import { secretId, secretKnownBy, signingKey } from "./hop-keys";

/** Characters of a header at most, and the bytes that they stand for. */
export const HEADER_CAPACITY: usize = 512;
const RAW_CAPACITY: usize = 384;
const TRACED: u32 = 1;
const UNTRACED: u32 = 2;
const HEAD: usize = 9;
const ENTRY_HEAD: usize = 9;
/** Seconds that a header is good for, and that clocks may differ by. */
export const HEADER_SECONDS: u32 = 60;
/** Hex digits of a trace id. */
const TRACE: usize = 32;

/** What became of a header. The order is that of `journeyName` of report/counters.ts. */
export const enum HeaderFate {
  Taken = 0,
  /** It is not what a sidecar writes. */
  Malformed = 1,
  /** By a key that is not known here. */
  UnknownKey = 2,
  /** Its signature does not hold for this request. */
  Forged = 3,
  Stale = 4,
}

/** The content, with room for the trace id behind it. */
const RAW: usize = memory.data(384 + 32, 8);
const TEXT: usize = memory.data(512 + 16, 8);
const SIGNATURE: usize = memory.data(32, 8);

let at: usize = RAW;

/** The header that was written. */
export const headerText: usize = TEXT;
export let headerTextEnd: usize = TEXT;

/** Begins a header. */
export function openHeader(seconds: u32): void {
  store<u32>(RAW + 1, secretId(0));
  store<u32>(RAW + 5, seconds);
  at = RAW + HEAD;
}

/** Adds an entry: the hash of a value, and its hops, at most 255 bytes. False: there is no room for it. */
export function addEntry(hash: u64, hops: usize, hopsEnd: usize): bool {
  const size = hopsEnd - hops;
  if (size > 255 || at + ENTRY_HEAD + size > RAW + RAW_CAPACITY - SHA256_SIZE) return false;
  store<u64>(at, hash);
  putByte(at + 8, <u32>size);
  at = putBytes(at + ENTRY_HEAD, hops, hopsEnd);
  return true;
}

/** Ends and signs it for a request whose trace id stands at `trace` (0 for none); false where it has no entry. */
export function closeHeader(trace: usize): bool {
  if (at == RAW + HEAD) return false;
  putByte(RAW, trace == 0 ? UNTRACED : TRACED);
  at = sign(0, at, trace, at);
  headerTextEnd = encode(RAW, at, TEXT);
  return true;
}

/** Writes the signature of the content that ends at `end` to `out`, which may be there. */
function sign(key: u32, end: usize, trace: usize, out: usize): usize {
  if (trace == 0) memory.fill(end, 0, TRACE);
  else memory.copy(end, trace, TRACE);
  return hmac(signingKey(key), RAW, end + TRACE, out);
}

/** Which key the header was signed by that `readHeader` took; its entries begin here. */
export let headerKey: u32 = 0;
let entries: usize = RAW;
let entriesEnd: usize = RAW;

/** Reads the header `start..end` of a request whose trace id stands at `trace` (0 for none). */
export function readHeader(start: usize, end: usize, trace: usize, seconds: u32): HeaderFate {
  entries = entriesEnd = RAW;
  if (end - start > HEADER_CAPACITY) return HeaderFate.Malformed;
  const rawEnd = decode(start, end, RAW);
  if (rawEnd < RAW + HEAD + SHA256_SIZE || byteAt(RAW) - TRACED > 1) return HeaderFate.Malformed;
  const key = secretKnownBy(load<u32>(RAW + 1));
  if (key < 0) return HeaderFate.UnknownKey;
  const contentEnd = rawEnd - SHA256_SIZE;
  memory.copy(SIGNATURE, contentEnd, SHA256_SIZE);
  sign(key, contentEnd, byteAt(RAW) == UNTRACED ? 0 : trace, contentEnd);
  if (!sameSecret(contentEnd, SIGNATURE, SHA256_SIZE)) return HeaderFate.Forged;
  const made = load<u32>(RAW + 5);
  if (made + HEADER_SECONDS < seconds || made > seconds + HEADER_SECONDS) return HeaderFate.Stale;
  headerKey = key;
  entries = RAW + HEAD;
  entriesEnd = contentEnd;
  return HeaderFate.Taken;
}

/** The entry that `nextEntry` stepped to. */
export let entryHash: u64 = 0;
export let entryHops: usize = 0;
export let entryHopsEnd: usize = 0;

/** Steps to the next entry of the header that was taken; false behind the last. */
export function nextEntry(): bool {
  if (entries + ENTRY_HEAD > entriesEnd) return false;
  entryHash = load<u64>(entries);
  entryHops = entries + ENTRY_HEAD;
  entryHopsEnd = entryHops + byteAt(entries + 8);
  entries = entryHopsEnd;
  return entryHopsEnd <= entriesEnd;
}

/** Writes `start..end` in base64url and returns the next cursor. */
function encode(start: usize, end: usize, out: usize): usize {
  while (start < end) {
    const rest = <u32>min<usize>(end - start, 3);
    let bits: u32 = 0;
    for (let i: u32 = 0; i < rest; i++) bits |= byteAt(start + i) << (16 - 8 * i);
    for (let i: u32 = 0; i <= rest; i++) out = putByte(out, digit((bits >> (18 - 6 * i)) & 63));
    start += rest;
  }
  return out;
}

function digit(value: u32): u32 {
  if (value < 26) return Char.A + value;
  if (value < 52) return Char.a + value - 26;
  if (value < 62) return Char._0 + value - 52;
  return value == 62 ? Char.Dash : Char.Underscore;
}

/** Decodes base64url to `out`, of which no more than `RAW_CAPACITY` bytes are written; `out` where it is none, or not as `encode` does. */
function decode(start: usize, end: usize, out: usize): usize {
  const first = out;
  let bits: u32 = 0;
  let held: u32 = 0;
  for (; start < end; start++) {
    const byte = byteAt(start);
    const value = base64Value(byte);
    if (value == 64 || byte == Char.Plus || byte == Char.Slash) return first;
    bits = (bits << 6) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out = putByte(out, (bits >> held) & 0xff);
  }
  return held > 4 || (bits & ((1 << held) - 1)) != 0 ? first : out;
}
