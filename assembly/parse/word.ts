// Base64 inside of headers (encoded words, credentials, segments of tokens): RFC 4648 4 and 5, both alphabets, padding optional.
// And the transfer encodings of MIME: base64 again, and quoted-printable, RFC 2045 6.7.

import { base64Value, byteAt, hexValue, putByte } from "../core/bytes";
import { Char } from "../core/char";

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

/** Decodes quoted-printable `start..end` to `out`, never longer; what is no escape stays. Returns the new `out`. */
export function decodeQuotedPrintable(start: usize, end: usize, out: usize): usize {
  while (start < end) {
    let byte = byteAt(start++);
    if (byte == Char.Equals && start < end) {
      const next = byteAt(start);
      // A soft line break.
      if (
        next == Char.LineFeed ||
        (next == Char.CarriageReturn && start + 1 < end && byteAt(start + 1) == Char.LineFeed)
      ) {
        start += next == Char.LineFeed ? 1 : 2;
        continue;
      }
      if (start + 1 < end && (hexValue(next) | hexValue(byteAt(start + 1))) < 16) {
        byte = (hexValue(next) << 4) | hexValue(byteAt(start + 1));
        start += 2;
      }
    }
    out = putByte(out, byte);
  }
  return out;
}
