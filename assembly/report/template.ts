// The template of a path, for telling endpoints apart without telling what clients asked for: each segment that is no plain word
// becomes a placeholder by its form. Nothing that could be a value of an attack, an id or a token comes through.
//
//   /users/4711/orders/2026-11-21/%27--   →   /users/{number}/orders/{date}/{text}
//
// One step per byte, no memory; a template that has no room for a segment ends with {more}.

import { byteAt, hexValue, isDigit, isLetter, putByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { putText } from "../core/text";
import { isUuid } from "./ids";

/** Bytes of a segment that is kept as it is; with a digit in it, the fewer. */
const WORD: u32 = 32;
const WORD_WITH_DIGITS: u32 = 12;
/** Digits that a word may have: "v1", "oauth2", "route66". */
const WORD_DIGITS: u32 = 2;
/** Dashes that a word may have: "terms-and-conditions" is a page, what has more is the title of one. */
const WORD_DASHES: u32 = 2;
/** Capitals behind small letters that a word may have, and letters for each of them: "getUserProfile". */
const WORD_HUMPS: u32 = 2;
const HUMP: u32 = 5;
/** Digits and letters from which a run of hex is taken for an id. */
const HEX: u32 = 8;
/** Bytes of the longest placeholder. */
const PLACEHOLDER: usize = 8;

/** Writes the template of the path `start..end` (without its query), at most `room` bytes, and returns the next cursor. */
export function putTemplate(out: usize, room: usize, start: usize, end: usize): usize {
  // Behind each segment there must be room to say that more follows.
  const limit = out + room - 1 - PLACEHOLDER;
  if (start == end || byteAt(start) != Char.Slash) {
    return end - start == 1 && byteAt(start) == Char.Star ? putByte(out, Char.Star) : putText(out, "{text}");
  }
  while (start < end) {
    start++;
    const from = start;
    while (start < end && byteAt(start) != Char.Slash) start++;
    const size = min<usize>(start - from, WORD);
    if (out + 1 + max(size, PLACEHOLDER) > limit) return putText(out, "/{more}");
    out = putSegment(putByte(out, Char.Slash), from, start);
  }
  return out;
}

/** Writes the template of one segment, without its slash. */
export function putSegment(out: usize, start: usize, end: usize): usize {
  let digits: u32 = 0;
  let dashes: u32 = 0;
  let humps: u32 = 0;
  let runs: u32 = 0;
  let capitals = false;
  let hex = true;
  let before: u32 = 0;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (isDigit(byte)) {
      digits++;
      if (!isDigit(before)) runs++;
    } else if (byte == Char.Dash || byte == Char.Underscore) dashes++;
    else if (!isLetter(byte) && byte != Char.Dot) return putText(out, "{text}");
    if (byte - Char.A < 26) {
      capitals = true;
      if (before - Char.a < 26) humps++;
    }
    hex = hex && hexValue(byte) < 16;
    before = byte;
  }
  const size = <u32>(end - start);
  if (digits != 0) {
    if (digits == size) return putText(out, "{number}");
    if (isUuid(start, end)) return putText(out, "{uuid}");
    if (hex && size >= HEX) return putText(out, "{hex}");
    if (isDate(start, end)) return putText(out, "{date}");
  }
  if (size > WORD) return putText(out, "{long}");
  if (digits > WORD_DIGITS || (digits != 0 && size > WORD_WITH_DIGITS)) return putText(out, "{id}");
  // "card_1NvQw2a"
  if (runs > 1 && capitals) return putText(out, "{id}");
  if (humps > WORD_HUMPS && humps * HUMP >= size) return putText(out, "{id}");
  return dashes > WORD_DASHES ? putText(out, "{slug}") : putBytes(out, start, end);
}

/** Whether `start..end` is a day as ISO 8601 writes it: 2026-11-21. */
function isDate(start: usize, end: usize): bool {
  if (end - start != 10) return false;
  for (let i: usize = 0; i < 10; i++) {
    const byte = byteAt(start + i);
    if (i == 4 || i == 7 ? byte != Char.Dash : !isDigit(byte)) return false;
  }
  return true;
}
