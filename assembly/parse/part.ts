// The headers of a part (multipart.ts): RFC 2046 5.1, Content-Disposition as in RFC 2183 and 7578, its parameters as in RFC 5987 and,
// where mail made them, RFC 2047. And the boundary in the Content-Type that a body came with.
//
//   disposition = type *( ";" name [ "*" ] "=" ( token / DQUOTE *( "\" DQUOTE / any ) DQUOTE ) )
//
// Spans of what was read, undecoded but for quotes and encoded words; decoded in place, never longer. One look at each byte. What a
// parser could read in two ways (a parameter twice, a folded line) is read in both: each is a value.

import { byteAt, findByte, isSpace, isWord, putByte, hexValue, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { textIsNoCase, textStartsNoCase, textSize } from "../core/text";
import { decodeBase64 } from "./word";

/** What a value of a part's headers is. */
export const enum PartValue {
  /** The field's name. */
  Name,
  FileName,
  /** A media type, with its parameters. */
  Type,
  /** Content-Transfer-Encoding. */
  Encoding,
  /** The value of any other header or parameter. */
  Other,
}

/** Values that are read of one part; the rest of its headers is passed over. */
const CAPACITY: usize = 24;
/** u32 kind, start, end for each. */
const VALUES: usize = memory.data(288, 4);

let count: usize = 0;

/** How many values the headers have, at most 24. */
export function partValueCount(): usize {
  return count;
}

// @ts-ignore: decorator
@inline
export function partValueKind(index: usize): PartValue {
  return load<u32>(VALUES + index * 12);
}

// @ts-ignore: decorator
@inline
export function partValueStart(index: usize): usize {
  return load<u32>(VALUES + index * 12, 4);
}

// @ts-ignore: decorator
@inline
export function partValueEnd(index: usize): usize {
  return load<u32>(VALUES + index * 12, 8);
}

function add(kind: PartValue, start: usize, end: usize): void {
  if (count == CAPACITY) return;
  const entry = VALUES + count++ * 12;
  store<u32>(entry, kind);
  store<u32>(entry, <u32>start, 4);
  store<u32>(entry, <u32>end, 8);
}

/** Reads the headers `start..end`, changing them in place. */
export function openPart(start: usize, end: usize): void {
  count = 0;
  while (start < end) {
    let stop = findByte(start, end, Char.LineFeed);
    // A folded line goes on with a blank: RFC 5322 2.2.3.
    while (stop + 1 < end && (byteAt(stop + 1) == Char.Space || byteAt(stop + 1) == Char.Tab)) {
      putByte(stop, Char.Space);
      stop = findByte(stop, end, Char.LineFeed);
    }
    readHeader(start, stop);
    start = stop + 1;
  }
}

function readHeader(start: usize, end: usize): void {
  const colon = findByte(start, end, Char.Colon);
  const nameEnd = dropSpace(start, colon);
  start = skipSpaces(start, nameEnd);
  const value = skipSpaces(min(colon + 1, end), end);
  end = dropSpace(value, end);
  if (textIsNoCase(start, nameEnd, "content-disposition")) {
    readParameters(findByte(value, end, Char.Semicolon), end);
  } else if (textIsNoCase(start, nameEnd, "content-type")) {
    add(PartValue.Type, value, end);
    // "name" is the file's in mail.
    const semicolon = findByte(value, end, Char.Semicolon);
    if (semicolon < end) readParameters(semicolon, end, true);
  } else if (textIsNoCase(start, nameEnd, "content-transfer-encoding")) {
    add(PartValue.Encoding, value, end);
  } else if (value < end) {
    add(PartValue.Other, value, end);
  }
}

/** The parameter that `nextParameter` read. */
let name: usize = 0;
let nameEnd: usize = 0;
let text: usize = 0;
let textEnd: usize = 0;

/** Reads the parameter behind the semicolon at `at`, undoing its quotes; returns where the next semicolon stands, or `end`. */
function nextParameter(at: usize, end: usize): usize {
  name = skipSpaces(at + 1, end);
  at = name;
  while (at < end && byteAt(at) != Char.Equals && byteAt(at) != Char.Semicolon) at++;
  nameEnd = dropSpace(name, at);
  text = textEnd = at;
  if (at == end || byteAt(at) == Char.Semicolon) return at;
  at = skipSpaces(at + 1, end);
  if (at < end && byteAt(at) == Char.DoubleQuote) {
    text = textEnd = ++at;
    for (; at < end && byteAt(at) != Char.DoubleQuote; at++) {
      // Only a quote is escaped: "C:\new.txt" is what browsers have sent.
      if (byteAt(at) == Char.Backslash && at + 1 < end && byteAt(at + 1) == Char.DoubleQuote) at++;
      textEnd = putByte(textEnd, byteAt(at));
    }
    return findByte(at, end, Char.Semicolon);
  }
  text = at;
  at = findByte(at, end, Char.Semicolon);
  textEnd = dropSpace(text, at);
  return at;
}

function readParameters(at: usize, end: usize, ofType: bool = false): void {
  while (at < end) {
    at = nextParameter(at, end);
    // "filename*0*" and "filename*" (RFC 2231, 5987) are kinds of "filename".
    const star = findByte(name, nameEnd, Char.Star);
    if (star < nameEnd) dropLanguage();
    else decodeWord();
    if (textIsNoCase(name, star, "filename")) add(PartValue.FileName, text, textEnd);
    else if (textIsNoCase(name, star, "name")) add(ofType ? PartValue.FileName : PartValue.Name, text, textEnd);
    else if (!ofType && text < textEnd) add(PartValue.Other, text, textEnd);
  }
}

/** Passes over `UTF-8'en'` in front of an extended value; its percent escapes are left to the layers. */
function dropLanguage(): void {
  const first = findByte(text, textEnd, Char.Quote);
  const second = findByte(min(first + 1, textEnd), textEnd, Char.Quote);
  if (second < textEnd && second - text < 40) text = second + 1;
}

/** Decodes a value that is one encoded word, `=?charset?B|Q?text?=`. */
function decodeWord(): void {
  if (textEnd - text < 8 || byteAt(text) != Char.Equals || byteAt(text + 1) != Char.Question) return;
  const charset = findByte(text + 2, textEnd, Char.Question);
  if (charset + 3 >= textEnd || byteAt(charset + 2) != Char.Question) return;
  const start = charset + 3;
  const end = findByte(start, textEnd, Char.Question);
  if ((byteAt(charset + 1) | 0x20) == Char.b) {
    textEnd = decodeBase64(start, end, text);
    return;
  }
  let out = text;
  for (let at = start; at < end; at++) {
    let byte = byteAt(at);
    if (byte == Char.Underscore) byte = Char.Space;
    if (byte == Char.Equals && at + 2 < end && (hexValue(byteAt(at + 1)) | hexValue(byteAt(at + 2))) < 16) {
      byte = (hexValue(byteAt(at + 1)) << 4) | hexValue(byteAt(at + 2));
      at += 2;
    }
    out = putByte(out, byte);
  }
  textEnd = out;
}

/** The boundary that `readBoundary` found; empty where there is none, or where there are two that differ. */
export let boundary: usize = 0;
export let boundaryEnd: usize = 0;

/** Reads the boundary of the Content-Type `start..end`; quotes go, in place only by moving the ends. */
export function readBoundary(start: usize, end: usize): void {
  boundary = boundaryEnd = start;
  let many = false;
  for (let at = findByte(start, end, Char.Semicolon); at < end;) {
    let from = skipSpaces(at + 1, end);
    at = findByte(from, end, Char.Semicolon);
    if (!textStartsNoCase(from, at, "boundary")) continue;
    from = skipSpaces(from + 8, at);
    if (from == at || byteAt(from) != Char.Equals) continue;
    from = skipSpaces(from + 1, at);
    let to = at;
    if (from < end && byteAt(from) == Char.DoubleQuote) {
      to = findByte(++from, end, Char.DoubleQuote);
      at = findByte(to, end, Char.Semicolon);
    } else {
      // Envoy joins repeated headers with a comma, which an unquoted boundary cannot have.
      to = dropSpace(from, findByte(from, at, Char.Comma));
    }
    many = many || boundary != boundaryEnd;
    boundary = from;
    boundaryEnd = to;
  }
  if (many) boundaryEnd = boundary;
}

/** Whether `start..end` is a media type of that kind (`"image/"`, `"text/html"`). */
export function isType(start: usize, end: usize, literal: string): bool {
  if (!textStartsNoCase(start, end, literal)) return false;
  const at = start + textSize(literal);
  return at == end || byteAt(at - 1) == Char.Slash || !isTypeByte(byteAt(at));
}

function isTypeByte(byte: u32): bool {
  return isWord(byte) || byte == Char.Dash || byte == Char.Plus || byte == Char.Dot;
}

function dropSpace(start: usize, end: usize): usize {
  while (end > start && isSpace(byteAt(end - 1))) end--;
  return end;
}
