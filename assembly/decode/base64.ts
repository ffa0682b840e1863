// Values that are base64 or hexadecimal as a whole: RFC 4648, both alphabets of 4 and 5, and 8.
//
//   value = [ "data:" … ";base64," | "base64" ( ":" | "," ) | "Bearer " | "Basic " ] digits [ padding | "--" … ]
//         | [ "0x" ] 2·n hexadecimal digits
//
// Ids, hashes, tokens and pictures look the same, so the first bytes decide: text begins with HEAD printable characters, a
// serialized object with its magic number; of anything else no more than a few bytes are decoded. A space is a `+` that a form lost;
// line breaks are passed over. The result is at most CAPACITY bytes.

import { base64Value, byteAt, findByte, hexValue, isLetter, isWord, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { textStarts, textStartsNoCase } from "../core/text";

/** Fewest digits that are looked at. */
const SHORTEST: usize = 16;
/** Printable characters that text must begin with. */
const HEAD: usize = 9;
const CAPACITY: usize = 12352;
/** First byte of a full-width form. */
const WIDE: u32 = 0xef;

/** What was decoded, with room to read behind it. Owner: this file. */
const DECODED: usize = memory.data(12416, 16);

/** What `unwrap` has decoded. */
// @ts-ignore: decorator
@inline
export const unwrapped: usize = DECODED;
export let unwrappedEnd: usize = 0;
/** Whether it begins as a serialized object. */
export let unwrappedBinary: bool = false;

/** Decodes `start..end` where all of it is base64 or hexadecimal and what it holds is text or an object; else false. */
export function unwrap(start: usize, end: usize): bool {
  if (end - start < SHORTEST) return false;
  start = skipPrefix(start, end);
  if (end - start < SHORTEST) return false;
  end = min(end, start + ((CAPACITY / 3) << 2));
  if (isHex16(start)) {
    return mayBeginHex(start) && plausible(decodeHex(start, start + SHORTEST)) && decodeHex(start, end) != 0;
  }
  return mayBegin(start) && plausible(decodeBase64(start, start + SHORTEST)) && decodeBase64(start, end) != 0;
}

/** Whether the byte can be the first of an object (`beginsObject`) or of a full-width form. */
// @ts-ignore: decorator
@inline
function isLead(byte: u32): bool {
  return byte == 0xac || byte == 0x80 || byte == 0x00 || byte == 0x04 || byte == 0xff || byte == WIDE;
}

/** Whether six hexadecimal digits at `start` can begin text or an object: nineteen of twenty ids end here. */
function mayBeginHex(start: usize): bool {
  const byte = hexByte(start);
  return isLead(byte) || (isText(byte) && goesOn(hexByte(start + 2), hexByte(start + 4)));
}

function hexByte(at: usize): u32 {
  return (hexValue(byteAt(at)) << 4) | hexValue(byteAt(at + 1));
}

/** Whether text may go on with two bytes behind its first. */
// @ts-ignore: decorator
@inline
function goesOn(second: u32, third: u32): bool {
  return second == WIDE || (isText(second) && (isText(third) || third == WIDE));
}

/** Whether four digits at `start` can begin text or an object: nineteen of twenty words and ids end here. */
function mayBegin(start: usize): bool {
  const first = sixBits(byteAt(start));
  const second = sixBits(byteAt(start + 1));
  if ((first | second) > 63) return byteAt(start) <= <u32>Char.CarriageReturn;
  const byte = (first << 2) | (second >> 4);
  if (isLead(byte)) return true;
  if (!isText(byte)) return false;
  const third = sixBits(byteAt(start + 2));
  const fourth = sixBits(byteAt(start + 3));
  if ((third | fourth) > 63) return true;
  return goesOn(((second & 15) << 4) | (third >> 2), ((third & 3) << 6) | fourth);
}

/** Whether text may begin with that byte: printable ASCII, tab and line ends. */
// @ts-ignore: decorator
@inline
function isText(byte: u32): bool {
  return byte - 0x20 <= 0x5e || byte - <u32>Char.Tab <= 4;
}

/** Behind what introduces digits; `start..end` is no shorter than SHORTEST. */
function skipPrefix(start: usize, end: usize): usize {
  const letter = byteAt(start) | 0x20;
  if (letter != 0x62 && letter != 0x64) {
    return byteAt(start) == Char._0 && (byteAt(start + 1) | 0x20) == Char.x ? start + 2 : start;
  }
  const limit = min(end, start + 96);
  if (textStartsNoCase(start, end, "data:")) {
    const comma = findByte(start, limit, Char.Comma);
    return comma - start > 7 && textStartsNoCase(comma - 7, limit, ";base64") ? comma + 1 : end;
  }
  if (textStartsNoCase(start, end, "base64") && start + 7 < end && !isLetter(byteAt(start + 6))) return start + 7;
  if (textStartsNoCase(start, end, "bearer ")) return start + 7;
  return textStartsNoCase(start, end, "basic ") ? start + 6 : start;
}

/** Whether the first bytes, which end at `headEnd`, are text or a magic number; 0: they could not be decoded. */
function plausible(headEnd: usize): bool {
  if (headEnd == 0) return false;
  unwrappedBinary = beginsObject(DECODED);
  if (unwrappedBinary) return true;
  for (let at = DECODED; at < DECODED + min(HEAD, headEnd - DECODED); at++) {
    const byte = byteAt(at);
    // Full-width forms of printable characters: U+FF00 to U+FF7F.
    if (byte == WIDE && (at + 1 >= headEnd || (byteAt(at + 1) & 0xfe) == 0xbc)) at += 2;
    else if (!isText(byte)) return false;
  }
  return headEnd > DECODED + 5;
}

/** Whether at least 6 bytes at `at` begin as an object of Java, Python, .NET or Ruby. */
export function beginsObject(at: usize): bool {
  const first = byteAt(at);
  const second = byteAt(at + 1);
  if (first == 0xac) return second == 0xed && byteAt(at + 2) == 0 && byteAt(at + 3) == 5;
  if (first == 0x80) return second - 2 < 4;
  if (first == 0x00) return second == 1 && byteAt(at + 2) == 0 && byteAt(at + 4) == 0 && byteAt(at + 5) == 0xff;
  if (first == 0x04) return second == 8;
  // The page state of ASP.NET with an object of BinaryFormatter right in it.
  return first == 0xff && second == 1 && byteAt(at + 2) == 0x32;
}

/** Whether a body may be such an object whose first byte begins no text, in whatever encoding. */
// @ts-ignore: decorator
@inline
export function mayBeginObject(first: u32): bool {
  return first == 0xac || first == 0x80 || first == 0x04;
}

/** `cposix\nsystem\n`, behind marks: the text of a pickle. */
export function beginsGlobal(at: usize, end: usize): bool {
  if (byteAt(at) == Char.ParenOpen) at++;
  if (byteAt(at++) != 0x63) return false;
  const limit = min(end, at + 64);
  const name = at;
  while (at < limit && (isWord(byteAt(at)) || byteAt(at) == Char.Dot)) at++;
  if (at == name || at == limit || byteAt(at++) != Char.LineFeed) return false;
  const attribute = at;
  while (at < limit && isWord(byteAt(at))) at++;
  return at > attribute && at < limit && byteAt(at) == Char.LineFeed;
}

/** Decodes base64; returns the end of what it gave, or 0 where other bytes stand in it. */
function decodeBase64(start: usize, end: usize): usize {
  let out = DECODED;
  let bits: u32 = 0;
  let held: u32 = 0;
  for (; start < end; start++) {
    const byte = byteAt(start);
    const six = sixBits(byte);
    if (six == 64) {
      if (byte == Char.LineFeed || byte == Char.CarriageReturn) continue;
      if (byte == Char.Equals || byte == Char.Percent || textStarts(start, end, "--")) break;
      return 0;
    }
    if (byte == Char.Dash && start + 1 < end && byteAt(start + 1) == Char.Dash) break;
    bits = (bits << 6) | six;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out = putByte(out, (bits >> held) & 0xff);
  }
  unwrappedEnd = out;
  return out;
}

/** The value of a digit of either alphabet, or 64; a space is a `+` that a form lost. */
function sixBits(byte: u32): u32 {
  return byte == Char.Space ? 62 : base64Value(byte);
}

/** Whether the 16 bytes at `start` are hexadecimal digits. */
function isHex16(start: usize): bool {
  if (!ASC_FEATURE_SIMD) {
    const end = start + 16;
    while (start < end && hexValue(byteAt(start)) < 16) start++;
    return start == end;
  }
  const bytes = v128.load(start);
  const digits = i8x16.le_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(9));
  const letters = i8x16.le_u(i8x16.sub(v128.or(bytes, i8x16.splat(0x20)), i8x16.splat(0x61)), i8x16.splat(5));
  return i8x16.all_true(v128.or(digits, letters));
}

/** Decodes hexadecimal digits; returns the end of what they gave, or 0 where other bytes stand among them. */
function decodeHex(start: usize, end: usize): usize {
  let out = DECODED;
  if (((end - start) & 1) != 0) end--;
  for (; start < end; start += 2) {
    const high = hexValue(byteAt(start));
    const low = hexValue(byteAt(start + 1));
    if ((high | low) > 15) return 0;
    out = putByte(out, (high << 4) | low);
  }
  unwrappedEnd = out;
  return out;
}
