// Base64 inside of headers: encoded words, credentials, segments of tokens. RFC 4648 4 and 5, both alphabets, padding optional.

import { base64Value, byteAt, putByte } from "../core/bytes";

/** Decodes `start..end` to `out`, which may be `start`; other bytes are passed over. Returns the new `out`; 3 bytes for 4. */
export function decodeBase64(start: usize, end: usize, out: usize): usize {
  let bits: u32 = 0;
  let held: u32 = 0;
  for (; start < end; start++) {
    const value = base64Value(byteAt(start));
    if (value == 64) continue;
    bits = (bits << 6) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out = putByte(out, (bits >> held) & 0xff);
  }
  return out;
}
