// Writes JSON strings of bytes that an attacker chose: valid UTF-8 comes out as it is, every other byte as U+FFFD; quotes,
// backslashes and control characters are escaped, and so is DEL, so that no terminal or log line is led astray. RFC 8259, 7.

import { byteAt, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { putText } from "../core/text";

/** Bytes that one input byte can become: `\u00XX`. */
export const JSON_EXPANSION: usize = 6;

const HEX: usize = memory.data<u8>([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102]);

/** Writes `start..end` as a JSON string with its quotes and returns the next cursor; at most 6 × (end - start) + 2 bytes. */
export function putJsonString(out: usize, start: usize, end: usize): usize {
  return putJsonStringWithin(out, start, end, (end - start) * JSON_EXPANSION + 2);
}

/** `putJsonString` that ends early, between characters, where the string with its quotes would take more than `room` bytes. */
export function putJsonStringWithin(out: usize, start: usize, end: usize, room: usize): usize {
  const last = out + room - 1 - JSON_EXPANSION;
  out = putByte(out, Char.DoubleQuote);
  while (start < end && out <= last) {
    const byte = byteAt(start);
    if (byte >= 0x80) {
      const length = sequenceLength(start, end);
      if (length == 0) {
        out = putText(out, "\\ufffd");
        start++;
      } else {
        memory.copy(out, start, length);
        out += length;
        start += length;
      }
      continue;
    }
    if (byte == Char.DoubleQuote || byte == Char.Backslash) {
      out = putByte(putByte(out, Char.Backslash), byte);
    } else if (byte < <u32>Char.Space || byte == Char.Delete) {
      out = putText(out, "\\u00");
      out = putByte(putByte(out, byteAt(HEX + (byte >> 4))), byteAt(HEX + (byte & 15)));
    } else {
      out = putByte(out, byte);
    }
    start++;
  }
  return putByte(out, Char.DoubleQuote);
}

/**
 * The length of the well-formed UTF-8 sequence at `at` (2–4), or 0. Unicode 15, table 3-7. C1 controls (U+0080–U+009F) count as
 * not well-formed here: terminals obey some of them.
 */
export function sequenceLength(at: usize, end: usize): usize {
  const first = byteAt(at);
  const length: usize = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || end - at < length) return 0;
  const second = byteAt(at + 1);
  const low: u32 = first == 0xe0 || first == 0xc2 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const high: u32 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i: usize = 2; i < length; i++) {
    if ((byteAt(at + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

/** Writes lower-case hexadecimal and returns the next cursor. */
export function putHex(out: usize, start: usize, end: usize): usize {
  for (; start < end; start++) {
    out = putByte(putByte(out, byteAt(HEX + (byteAt(start) >> 4))), byteAt(HEX + (byteAt(start) & 15)));
  }
  return out;
}
