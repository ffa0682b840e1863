// Base64 inside of headers: encoded words, credentials, segments of tokens. RFC 4648 4 and 5, both alphabets, padding optional.

import { byteAt, isDigit, putByte } from "../core/bytes";
import { Char } from "../core/char";

/** Not a digit of base64. */
const NONE: u32 = 64;

/** Decodes `start..end` to `out`, which may be `start`; other bytes are passed over. Returns the new `out`; 3 bytes for 4. */
export function decodeBase64(start: usize, end: usize, out: usize): usize {
  let bits: u32 = 0;
  let held: u32 = 0;
  for (; start < end; start++) {
    const value = digit(byteAt(start));
    if (value == NONE) continue;
    bits = (bits << 6) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out = putByte(out, (bits >> held) & 0xff);
  }
  return out;
}

/** The value of a digit in either alphabet, or NONE. */
export function digit(byte: u32): u32 {
  if (byte - Char.A < 26) return byte - Char.A;
  if (byte - Char.a < 26) return byte - Char.a + 26;
  if (isDigit(byte)) return byte - Char._0 + 52;
  if (byte == Char.Plus || byte == Char.Dash) return 62;
  return byte == Char.Slash || byte == Char.Underscore ? 63 : NONE;
}
