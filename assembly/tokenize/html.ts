// Bytes → tags and attributes, after the tokenization stage of WHATWG HTML (13.2.5). A caller walks a value and asks for the tag
// that begins at a "<", or for the attributes that would follow if the value began inside a tag; it pulls one attribute at a time.
//
//   tag        "<" ["/"] letter …name… { attribute } ">"        name ends at white space, "/", ">"
//   attribute  { white space | "/" } name [ white space "=" white space value ]
//   name       any bytes up to white space, "/", ">", "="       a "=" in front is part of it; quotes and "<" are too
//   value      "…"   '…'   or any bytes up to white space or ">"
//
// Where old browsers read more than the standard says, so does this: NUL bytes inside names are dropped, and backticks quote. And
// where values arrive half decoded: a "+" behind the tag's name is a space ("<svg+onload=…"), a ";" behind "<" what a reference
// left ("<;svg"), and the quotes of a text editor (U+2018–201D) quote.
// Names come out in small letters in a buffer; values are spans of the input, and `decodeValue` undoes their character references.
// Each byte of a tag is read at most twice; a tag or value that has no end reaches to the end of the value. No memory besides.

import { byteAt, findByte, isLetter, isSpace, lowerCase, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { decodeEntities } from "../decode/entity";

/** Bytes of a name that are kept: the longest word of the tables has 31, so a longer name is in none. */
export const NAME_CAPACITY: usize = 48;
/** Bytes of an attribute's value that are decoded. */
export const VALUE_CAPACITY: usize = 2048;

/** The element's and the attribute's name; 8 readable bytes behind each. Owner: `keepName`. */
const TAG_NAME: usize = memory.data(56);
const ATTRIBUTE_NAME: usize = memory.data(56);
/** A value without its character references, with 16 bytes for the writer to overrun. Owner: `decodeValue`. */
const VALUE: usize = memory.data(2080, 16);

/** The element's name, in small letters. */
export const tagName: usize = TAG_NAME;
export let tagNameEnd: usize = TAG_NAME;
/** Whether the tag is an end tag. */
export let tagCloses: bool = false;
/** One past the last byte of the tag that has been read: behind ">" once `nextAttribute` has said false. */
export let tagEnd: usize = 0;
/** Whether the tag's ">" was there. */
export let tagComplete: bool = false;

export const attributeName: usize = ATTRIBUTE_NAME;
export let attributeNameEnd: usize = ATTRIBUTE_NAME;
/** Where the attribute begins in the input. */
export let attributeStart: usize = 0;
/** The value as it stands in the input; empty where there is none. */
export let valueStart: usize = 0;
export let valueEnd: usize = 0;
/** The value's quotation mark, 0 for none. */
export let valueQuote: u32 = 0;
/** Whether the attribute has a "=". */
export let valueGiven: bool = false;
/** Whether the value's closing quote was missing. */
export let valueOpen: bool = false;

/** The value with its references undone; valid until `decodeValue` is called again. */
export const decodedStart: usize = VALUE;
export let decodedEnd: usize = VALUE;

let at: usize = 0;
let end: usize = 0;
/** Whether "+" separates attributes of this tag. */
let plus = false;
/** Whether a reference left a ";" behind "<": then it left one behind quotes too. */
let leavings = false;

/** Reads the tag's name if a tag begins at `from`, where "<" stands. */
export function tagBegin(from: usize, to: usize): bool {
  if (isDefined(CHECKED)) assert(from < to && byteAt(from) == Char.Less); // a tag begins here or nowhere
  at = from + 1;
  end = to;
  plus = false;
  leavings = at < end && byteAt(at) == Char.Semicolon;
  while (at < end && (byteAt(at) == Char.Nul || byteAt(at) == Char.Semicolon)) at++;
  tagCloses = at < end && byteAt(at) == Char.Slash;
  if (tagCloses) at++;
  if (at >= end || !isLetter(byteAt(at))) return false;
  tagNameEnd = keepName(TAG_NAME, false);
  tagEnd = at;
  tagComplete = false;
  return true;
}

/** Starts on attributes at `from`, as if a tag's name or a quoted value had ended there. */
export function attributesBegin(from: usize, to: usize): void {
  at = from;
  end = to;
  plus = false;
  leavings = false;
  tagNameEnd = TAG_NAME;
  tagCloses = false;
  tagEnd = from;
  tagComplete = false;
}

/** Reads the next attribute; false where the tag ends. */
export function nextAttribute(): bool {
  while (at < end && (separates(byteAt(at)) || byteAt(at) == Char.Slash)) at++;
  if (at >= end) {
    tagEnd = end;
    return false;
  }
  if (byteAt(at) == Char.Greater) {
    tagEnd = at + 1;
    tagComplete = true;
    return false;
  }
  attributeStart = at;
  attributeNameEnd = keepName(ATTRIBUTE_NAME, true);
  valueGiven = false;
  valueOpen = false;
  valueQuote = 0;
  const named = at;
  while (at < end && separates(byteAt(at))) at++;
  if (at >= end || byteAt(at) != Char.Equals) {
    valueStart = valueEnd = at = named;
    return true;
  }
  valueGiven = true;
  at++;
  while (at < end && separates(byteAt(at))) at++;
  readValue();
  tagEnd = at;
  return true;
}

/** The value at the cursor. */
function readValue(): void {
  valueStart = valueEnd = at;
  if (at >= end) return;
  const first = byteAt(at);
  if (first == Char.Quote || first == Char.DoubleQuote) {
    valueQuote = first;
    valueStart = at + 1;
    valueEnd = findByte(valueStart, end, first);
    valueOpen = valueEnd == end;
    if (leavings && valueStart < valueEnd && byteAt(valueStart) == Char.Semicolon) valueStart++;
    at = min(valueEnd + 1, end);
    return;
  }
  if (isTypedQuote(at)) {
    const open = at + 3;
    let close = open;
    while (close < end && !isTypedQuote(close) && byteAt(close) != Char.Greater) close++;
    if (close < end && byteAt(close) != Char.Greater) {
      valueStart = open;
      valueEnd = close;
      at = close + 3;
      return;
    }
  }
  while (at < end && !separates(byteAt(at)) && byteAt(at) != Char.Greater) at++;
  valueEnd = at;
  if (first == Char.Backtick) {
    // Internet Explorer took backticks for quotes: src=`x`onerror=…
    valueStart++;
    const close = findByte(valueStart, valueEnd, Char.Backtick);
    if (close < valueEnd) {
      valueEnd = close;
      at = close + 1;
    }
  }
}

/** Whether U+201C or U+201D stands at `place`, which some editors put where a quotation mark was typed. */
function isTypedQuote(place: usize): bool {
  return byteAt(place) == 0xe2 && place + 2 < end && byteAt(place + 1) == 0x80 && (byteAt(place + 2) & 0xfe) == 0x9c;
}

/** White space of this tag. */
// @ts-ignore: decorator
@inline
function separates(byte: u32): bool {
  return isSpace(byte) || (plus && byte == Char.Plus);
}

/**
 * Undoes the character references of `from..to` into the buffer between `decodedStart` and `decodedEnd`. Of a longer value the
 * first VALUE_CAPACITY bytes are read: what runs script shows itself at its beginning.
 */
export function decodeValue(from: usize, to: usize): void {
  decodedEnd = decodeEntities(from, min(to, from + VALUE_CAPACITY), VALUE);
}

/** Copies the name at the cursor to `out`, in small letters; an attribute's name may begin with "=" and ends at one. */
function keepName(out: usize, attribute: bool): usize {
  const limit = out + NAME_CAPACITY;
  const first = at;
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (separates(byte) || byte == Char.Slash || byte == Char.Greater) break;
    if (!attribute && byte == Char.Plus && at + 1 < end && isLetter(byteAt(at + 1))) {
      plus = true;
      break;
    }
    if (attribute && byte == Char.Equals && at != first) break;
    if (byte != Char.Nul && out < limit) out = putByte(out, lowerCase(byte));
  }
  return out;
}
