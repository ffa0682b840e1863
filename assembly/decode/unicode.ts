// UTF-8 that some decoder takes for ASCII: overlong forms (RFC 3629 3 forbids them; CVE-2000-0884 is "%c0%af"), full-width forms
// (Unicode block FF00), and the characters that Windows' best-fit conversion turns into punctuation of SQL, HTML and paths
// (bestfit1252.txt; its list: https://archives.miloush.net/michkap/archive/2005/02/15/373713.html).
//
//   C0–C1 xx                         two bytes for 00–7F          FF01–FF5E  → 21–7E
//   E0 80–9F xx                      three for 0000–07FF          02BC 2032 … → '   3008 2329 → <   2215 2044 → /
//   F0 80–8F xx xx                   four for 0000–FFFF           2025 → ..
//   C0 2E, C0 2F, C1 1C              `.`, `/` and `\` for a decoder that does not look whether a continuation byte is one
//
// Quotes that people type (U+2018–201D) exist in windows-1252 and stay, as does everything else, valid or not. One pass over the
// bytes with their top bit set; never longer than its input.

import { byteAt, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { copyRun, findHigh } from "../core/scan";
import { Kind } from "../generated/kinds";
import { putPoint } from "./utf";

/** Bit n: the byte c0 + n begins such a form, overlong, full-width or one that `lookAlike` knows. */
const LEADS: u64 =
  0b11 | // c0, c1
  (0b1011 << 10) | // ca, cb, cd
  ((<u64>1) << 22) | // d6
  ((<u64>1) << 25) | // d9
  ((<u64>0b1101) << 32) | // e0, e2, e3
  ((<u64>0b11) << 47); // ef, f0

/** Whether `start..end`, with these kinds of byte, may hold such a form. */
export function needsUnicode(kinds: u32, start: usize, end: usize): bool {
  if ((kinds & Kind.High) == 0) return false;
  for (; (start = findHigh(start, end)) < end; start++) {
    const byte = byteAt(start);
    if (byte >= 0xc0 && ((LEADS >> (<u64>(byte - 0xc0))) & 1) != 0) return true;
  }
  return false;
}

/** Decodes `start..end` to `out` (as long as the input and 16 bytes more, elsewhere); returns the new `out`. */
export function decodeUnicode(start: usize, end: usize, out: usize): usize {
  while (true) {
    const at = findHigh(start, end);
    out = copyRun(out, start, at);
    if (at == end) return out;
    const lead = byteAt(at);
    const length = lengthOf(lead);
    if (length == 0 || end - at < length) {
      out = putByte(out, lead);
      start = at + 1;
      continue;
    }
    let point = lead & (0x7f >> (<u32>length));
    let valid = true;
    for (let next: usize = 1; next < length; next++) {
      const byte = byteAt(at + next);
      valid = valid && (byte & 0xc0) == 0x80;
      point = (point << 6) | (byte & 0x3f);
    }
    start = at + length;
    if (!valid && !laxPath(lead, byteAt(at + 1), length)) {
      out = putByte(out, lead);
      start = at + 1;
    } else if (point < leastOf(length)) {
      out = putPoint(out, point);
    } else if (point == 0x2025) {
      // A leader of two dots.
      out = putByte(putByte(out, Char.Dot), Char.Dot);
    } else {
      const ascii = lookAlike(point);
      out = ascii != 0 ? putByte(out, ascii) : copyRun(out, at, start);
    }
  }
}

/** Bytes of the sequence that `lead` begins, or 0 where it begins none. */
function lengthOf(lead: u32): usize {
  if (lead - 0xc0 < 0x20) return 2;
  if (lead - 0xe0 < 0x10) return 3;
  return lead - 0xf0 < 0x08 ? 4 : 0;
}

/** The lowest point that needs so many bytes. */
function leastOf(length: usize): u32 {
  return length == 2 ? 0x80 : length == 3 ? 0x800 : 0x1_0000;
}

/** A path byte behind a lead byte that a decoder without checks joins with it. */
function laxPath(lead: u32, next: u32, length: usize): bool {
  if (length != 2) return false;
  return lead == 0xc0 ? next == Char.Dot || next == Char.Slash : lead == 0xc1 && next == 0x1c;
}

/** The ASCII character that `point` becomes, or 0. */
function lookAlike(point: u32): u32 {
  if (point - 0xff01 < 0x5e) return point - 0xff01 + Char.Bang;
  switch (point) {
    case 0x02b9:
    case 0x02bc:
    case 0x02c8:
    case 0x2032:
      return Char.Quote;
    case 0x02ba:
      return Char.DoubleQuote;
    case 0x02cb:
    case 0x2035:
      return Char.Backtick;
    case 0x037e:
      return Char.Semicolon;
    case 0x0589:
    case 0x2236:
      return Char.Colon;
    case 0x066a:
      return Char.Percent;
    case 0x2044:
    case 0x2215:
      return Char.Slash;
    case 0x2212:
      return Char.Dash;
    case 0x2216:
      return Char.Backslash;
    case 0x2217:
      return Char.Star;
    case 0x2223:
      return Char.Pipe;
    case 0x2329:
    case 0x3008:
      return Char.Less;
    case 0x232a:
    case 0x3009:
      return Char.Greater;
    case 0x3000:
      return Char.Space;
    default:
      return 0;
  }
}
