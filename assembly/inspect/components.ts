// What products and client libraries a response shows, as texts "KIND NAME VERSION" for the inventory; what is known of them, the
// collector knows. Read are headers (Server, X-Powered-By …), scripts and styles of a page by their URLs, import maps, what made it
// (<meta name=generator>), and the comments at the head of scripts:
//
//   Server: Apache/2.4.49 (Unix) OpenSSL/1.1.1k            server apache 2.4.49+unix      server openssl 1.1.1k+unix
//   <script src="//cdn.example/ajax/libs/jquery/3.4.1/jquery.min.js">    script-host cdn.example -      library jquery 3.4.1
//   /*! jQuery JavaScript Library v3.4.1 | (c) …           library jquery-javascript-library 3.4.1
//
// A URL has the version where those who publish libraries put it: `name@1.2.3`, `name-1.2.3.min.js`, `/libs/name/1.2.3/`. What takes a
// guess (`/name/1.2.3/name.js`) is told as it is, "script HOST/PATH -": there the collector tells a version from that of a site's own
// release (`/static/1.4.2/jquery.js`). Each byte is looked at a few times at most, nothing is kept but the texts, and a text that is too long,
// or one more than there is room for, is left out. Each reader begins anew: what it found is taken before the next is called.

import {
  byteAt,
  findByte,
  isDigit,
  isLetter,
  isSpace,
  lowerCase,
  putByte,
  sameBytesNoCase,
  skipSpaces,
  withoutPort,
} from "../core/bytes";
import { Char } from "../core/char";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { findPair } from "../core/scan";
import { findText, putText, textIs, textIsNoCase, textSize, textStartsNoCase } from "../core/text";
import {
  attributeName,
  attributeNameEnd,
  nextAttribute,
  tagBegin,
  tagEnd,
  tagName,
  tagNameEnd,
  valueEnd,
  valueStart,
} from "../tokenize/html";
import { host, hostEnd, path, pathEnd, responseHeaders, responseHeadersEnd, status } from "./exchange";
import { BodyType, reply, replyEnd, replyType } from "./reply";

/** Texts of one response. */
const CAPACITY: u32 = 32;
/** Bytes of a text at most. */
const LONGEST: usize = 104;
/** u8 size, then the text. */
const SLOT: usize = 112;
const SLOTS: usize = memory.data(112 * 32, 16);
let count: u32 = 0;

/** How a version is read. */
const enum Version {
  /** Numbers with a dot, and what marks a version before its release. */
  Strict,
  /** The same, or one number. */
  Short,
  /** One number or more, and all letters, digits and marks behind it. */
  Whole,
}

/** Bytes of a comment that are read. */
const COMMENT: usize = 512;
/** Lines of a comment, of those with letters, in which a name with its version may stand; a version alone may stand further down. */
const NAME_LINES: u32 = 3;
const LINES: u32 = 12;

/** How many texts the reader that was called last has found. */
export function componentCount(): u32 {
  return count;
}

export function componentAt(index: u32): usize {
  return SLOTS + <usize>index * SLOT + 1;
}

export function componentEnd(index: u32): usize {
  return componentAt(index) + load<u8>(SLOTS + <usize>index * SLOT);
}

/** Reads the headers of the response at work. */
export function findHeaderComponents(): void {
  readHeaderComponents(responseHeaders, responseHeadersEnd);
}

/** Reads the body of the response at work. */
export function findBodyComponents(): void {
  count = 0;
  if (replyType == BodyType.Html) readPageComponents(reply, replyEnd, host, hostEnd);
  else if (replyType == BodyType.Script && status == 200) readScriptComponents(reply, replyEnd, path, pathEnd);
}

/** Reads the header map `start..end` of a response. */
export function readHeaderComponents(start: usize, end: usize): void {
  count = 0;
  openPairs(start, end);
  while (nextPair()) {
    if (textIs(pairName, pairNameEnd, "server")) products("server", pairValue, pairValueEnd);
    else if (textIs(pairName, pairNameEnd, "x-powered-by")) products("framework", pairValue, pairValueEnd);
    else if (textIs(pairName + 2, pairNameEnd, "generator")) generator(pairValue, pairValueEnd);
    else version();
  }
}

/** Reads the page `start..end` of the host `own..ownEnd`. */
export function readPageComponents(start: usize, end: usize, own: usize, ownEnd: usize): void {
  count = 0;
  ownEnd = withoutPort(own, ownEnd);
  let at = start;
  while ((at = findByte(at, end, Char.Less)) < end) {
    if (byteAt(at + 1) == Char.Bang && byteAt(at + 2) == Char.Dash) {
      at = findText(at + 4, end, "-->");
      continue;
    }
    const letter = lowerCase(byteAt(at + 1));
    // <script>, <link>, <meta>, and no closing tag.
    if ((letter != Char.s && letter != Char.l && letter != Char.m) || !tagBegin(at, end)) {
      at++;
      continue;
    }
    let url: usize = 0;
    let urlEnd: usize = 0;
    let word: usize = 0;
    let wordEnd: usize = 0;
    let text: usize = 0;
    let textEnd: usize = 0;
    while (nextAttribute()) {
      if (isAttribute("src") || isAttribute("href")) {
        url = valueStart;
        urlEnd = valueEnd;
      } else if (isAttribute("type") || isAttribute("name")) {
        word = valueStart;
        wordEnd = valueEnd;
      } else if (isAttribute("content")) {
        text = valueStart;
        textEnd = valueEnd;
      }
    }
    at = tagEnd;
    if (textIs(tagName, tagNameEnd, "script")) {
      const close = scriptEnd(at, end);
      if (url < urlEnd) readUrl(url, urlEnd, true, own, ownEnd);
      else if (textIsNoCase(word, wordEnd, "importmap")) importMap(at, close, own, ownEnd);
      else comments(at, close);
      at = close;
    } else if (textIs(tagName, tagNameEnd, "link")) {
      if (isCode(url, urlEnd)) readUrl(url, urlEnd, false, own, ownEnd);
    } else if (textIsNoCase(word, wordEnd, "generator")) generator(text, textEnd);
  }
  // Angular's own, at the root of its page.
  const angular = findText(start, end, 'ng-version="');
  if (angular < end) put("library", angular, angular + 2, angular + 12, versionEnd(angular + 12, end, Version.Strict));
}

function isAttribute(name: string): bool {
  return textIs(attributeName, attributeNameEnd, name);
}

/** Reads the script `start..end` that came for `path..pathEnd`. */
export function readScriptComponents(start: usize, end: usize, path: usize, pathEnd: usize): void {
  count = 0;
  readPath(path, pathEnd);
  // `//` lines stand for a comment at the beginning only.
  const at = skipSpaces(start, end);
  let to = at;
  while (to + 1 < end && byteAt(to) == Char.Slash && byteAt(to + 1) == Char.Slash) {
    to = min(findByte(to, end, Char.LineFeed) + 1, end);
  }
  if (to > at) comment(at, min(to, at + COMMENT));
  comments(to, end);
}

/** Puts the text; one that is there already, is too long or has no name that can be told is left out. */
function put(kind: string, from: usize, to: usize, at: usize, atEnd: usize): void {
  putMarked(kind, from, to, at, atEnd, 0, 0);
}

/** The same, with what a comment behind the product says of its build. */
function putMarked(kind: string, from: usize, to: usize, at: usize, atEnd: usize, mark: usize, markEnd: usize): void {
  const size = textSize(kind) + (to - from) + (atEnd - at) + (markEnd - mark) + 4;
  if (count == CAPACITY || size > LONGEST || from >= to) return;
  const text = componentAt(count);
  let out = putSmall(putByte(putText(text, kind), Char.Space), from, to);
  if (out == 0) return;
  out = putByte(out, Char.Space);
  out = at == atEnd ? putByte(out, Char.Dash) : putSmall(out, at, atEnd);
  if (mark < markEnd) out = putSmall(putByte(out, Char.Plus), mark, markEnd);
  for (let i: u32 = 0; i < count; i++) {
    if (sameBytesNoCase(componentAt(i), componentEnd(i), text, out)) return;
  }
  store<u8>(text - 1, <u8>(out - text));
  count++;
}

/** Writes `from..to` in small letters, with "-" for blanks, and returns the next cursor; 0 where a byte is none that is shown. */
function putSmall(out: usize, from: usize, to: usize): usize {
  for (; from < to; from++) {
    const byte = byteAt(from);
    if (byte - 0x20 > 0x5e) return 0;
    if (byte != Char.Space) out = putByte(out, lowerCase(byte));
    else if (byteAt(out - 1) != Char.Dash) out = putByte(out, Char.Dash);
  }
  return out;
}

// Headers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A header of a product's version: `x-aspnet-version: 4.0.30319`, and Jenkins' own. */
function version(): void {
  const from = byteAt(pairName) == Char.x && byteAt(pairName + 1) == Char.Dash ? pairName + 2 : pairName;
  let to = pairNameEnd;
  if (!textIs(from, to, "jenkins")) {
    to -= 8;
    if (to < from + 3 || byteAt(to) != Char.Dash || !textIs(to + 1, pairNameEnd, "version")) return;
    // "docker-distribution-api-version": not a product's.
    if (textIs(to - 3, to, "api")) return;
  }
  const end = versionEnd(pairValue, pairValueEnd, Version.Whole);
  if (findByte(pairValue, end, Char.Dot) < end) put("framework", from, to, pairValue, end);
}

/**
 * Products as in RFC 9110, 10.2.4: `name/version`, comments between them; also `name version` and `name(version)`. The first word of
 * a comment behind a product stands for its build, and for those of the products behind it: vendors mend without a new version.
 */
function products(kind: string, start: usize, end: usize): void {
  let mark: usize = 0;
  let markEnd: usize = 0;
  for (let found = 0; found < 6; found++) {
    while (start < end && !isLetter(byteAt(start))) start++;
    const from = start;
    while (start < end && (isNameByte(byteAt(start)) || byteAt(start) == Char.Underscore)) start++;
    const to = start;
    if (to - from < 2) return;
    let at = start < end ? start + 1 : end;
    let atEnd = at;
    const behind: u32 = start < end ? byteAt(start) : 0;
    if (behind == Char.Slash || behind == Char.Space || behind == Char.ParenOpen) {
      if (at < end && lowerCase(byteAt(at)) == Char.v) at++;
      atEnd = versionEnd(at, end, Version.Whole);
      if (atEnd > at) start = atEnd;
      else if (behind == Char.Slash) while (start < end && byteAt(start) > <u32>Char.Space) start++;
    }
    start = skipSpaces(start, end);
    if (start < end && byteAt(start) == Char.ParenOpen && behind != Char.ParenOpen) {
      mark = ++start;
      while (start < end && isLetter(byteAt(start))) start++;
      markEnd = start;
      start = findByte(start, end, Char.ParenClose);
    }
    if (at == atEnd) put(kind, from, to, at, atEnd);
    else putMarked(kind, from, to, at, atEnd, mark, markEnd);
  }
}

/** What made a page: "WordPress 5.8.1", "Drupal 9 (https://…)", "Joomla! - …". */
function generator(start: usize, end: usize): void {
  start = skipSpaces(start, end);
  if (readTitle(start, end, Version.Short)) put("framework", title, titleEnd, number, numberEnd);
  else if (titleEnd == end || byteAt(titleEnd) < 0x80) put("framework", title, titleEnd, end, end);
}

// Pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where the text of a script ends that begins at `at`. */
function scriptEnd(at: usize, end: usize): usize {
  at = findPair(at, end, Char.Less, Char.Slash);
  while (at < end && !textStartsNoCase(at + 2, end, "script")) at = findPair(at + 2, end, Char.Less, Char.Slash);
  return min(at, end);
}

/** Reads the addresses of an import map: all its strings with a slash. */
function importMap(at: usize, end: usize, own: usize, ownEnd: usize): void {
  while (true) {
    const start = findByte(at, end, Char.DoubleQuote) + 1;
    if (start >= end) return;
    const stop = findByte(start, end, Char.DoubleQuote);
    if (findByte(start, stop, Char.Slash) < stop) readUrl(start, stop, true, own, ownEnd);
    at = stop + 1;
    if (at >= end) return;
  }
}

/** Whether a link leads to a script or a style: ".js", ".css". */
function isCode(start: usize, end: usize): bool {
  end = pathEndOf(start, end);
  return end - start > 4 && byteAt(end - 1) == Char.s && findByte(end - 4, end, Char.Dot) < end;
}

/** Where the path of a URL ends: at its query or fragment. */
function pathEndOf(start: usize, end: usize): usize {
  return findByte(start, findByte(start, end, Char.Question), Char.Hash);
}

// URLs ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads the URL of a script or of something else that a page loads. */
function readUrl(start: usize, end: usize, isScript: bool, own: usize, ownEnd: usize): void {
  start = skipSpaces(start, end);
  end = pathEndOf(start, end);
  let at = findByte(start, end, Char.Slash);
  const isHttp = at == start || lowerCase(byteAt(start)) == Char.h;
  if (isHttp && at + 1 < end && byteAt(at + 1) == Char.Slash) {
    const from = at + 2;
    at = findByte(from, end, Char.Slash);
    const to = withoutPort(from, at);
    if (isScript && isHost(from, to) && !sameBytesNoCase(from, to, own, ownEnd)) put("script-host", from, to, to, to);
    start = from;
  } else if (findByte(start, at, Char.Colon) < at) {
    // `data:` and the like.
    return;
  } else at = start;
  if (readPath(at, end)) return;
  if (hasNumber(start, end)) put("script", start, end, end, end);
}

function isHost(start: usize, end: usize): bool {
  for (let at = start; at < end; at++) if (!isNameByte(byteAt(at))) return false;
  return end - start > 3 && findByte(start, end, Char.Dot) < end;
}

/** Whether a digit, a dot and a digit stand together. */
function hasNumber(start: usize, end: usize): bool {
  for (let at = start; at + 2 < end; at++) {
    if (byteAt(at + 1) == Char.Dot && isDigit(byteAt(at)) && isDigit(byteAt(at + 2))) return true;
  }
  return false;
}

/**
 * Puts the library that the path names with its version; false where it names none, or where it takes a guess, which the collector
 * makes (collector/dependencies/urls.ts).
 */
function readPath(path: usize, end: usize): bool {
  let last: usize = 0;
  let lastEnd: usize = 0;
  let isLibs = false;
  for (let at = path; at < end;) {
    const stop = findByte(at, end, Char.Slash);
    const sign = findByte(at, stop, Char.At);
    if (sign < stop && sign > at) {
      const from = last < lastEnd && byteAt(last) == Char.At ? last : at;
      return putLibrary(from, sign, sign + 1, versionEnd(sign + 1, stop, Version.Short));
    }
    if (isLibs && versionEnd(at, stop, Version.Strict) == stop) return putLibrary(last, lastEnd, at, stop);
    if (stop == end) return splitName(at, end) && putLibrary(at, nameStop, number, numberEnd);
    isLibs = textIs(last, lastEnd, "libs");
    last = at;
    lastEnd = stop;
    at = stop + 1;
  }
  return false;
}

function putLibrary(from: usize, to: usize, at: usize, atEnd: usize): bool {
  if (!isLetter(byteAt(from)) && byteAt(from) != Char.At) return false;
  for (let i = from; i < to; i++) {
    const byte = byteAt(i);
    if (!isNameByte(byte) && byte != Char.Slash && byte != Char.At && byte != Char.Underscore) return false;
  }
  put("library", from, to, at, atEnd);
  return true;
}

let nameStop: usize = 0;

/** Parts `name-1.2.3.min.js` into a name, which ends at `nameStop`, and a version. */
function splitName(start: usize, end: usize): bool {
  for (let at = start + 1; at < end; at++) {
    const byte = byteAt(at);
    if (byte != Char.Dash && byte != Char.Dot && byte != Char.Underscore) continue;
    number = at + 1;
    if (number < end && lowerCase(byteAt(number)) == Char.v) number++;
    numberEnd = versionEnd(number, end, Version.Strict);
    if (numberEnd > number && (numberEnd == end || !isLetter(byteAt(numberEnd)))) {
      nameStop = at;
      return true;
    }
    // The rest of a date is no version either.
    while (at + 1 < end && (isDigit(byteAt(at + 1)) || byteAt(at + 1) == Char.Dot)) at++;
  }
  return false;
}

// Comments ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads the comments of a script that begin with `/*`. */
function comments(at: usize, end: usize): void {
  while (true) {
    const start = findPair(at, end, Char.Slash, Char.Star) + 2;
    if (start >= end) return;
    at = findPair(start, end, Char.Star, Char.Slash);
    comment(start, min(at, start + COMMENT));
  }
}

/** What `readTitle` has read: a name, and its version. */
let title: usize = 0;
let titleEnd: usize = 0;
let number: usize = 0;
let numberEnd: usize = 0;

/** Reads a comment: a line "name version" of its first ones, or a name there and a line "version: 1.2.3". */
function comment(next: usize, end: usize): void {
  let first: usize = 0;
  let firstEnd: usize = 0;
  let named: u32 = 0;
  for (let lines: u32 = 0; lines < LINES && next < end; lines++) {
    let at = next;
    const stop = findByte(at, end, Char.LineFeed);
    next = stop + 1;
    while (at < stop && !isLetter(byteAt(at))) at++;
    if (at == stop) continue;
    if (textStartsNoCase(at, stop, "version")) {
      at += 7;
      while (at < stop && !isDigit(byteAt(at))) at++;
      const to = versionEnd(at, stop, Version.Strict);
      if (to > at) return put("library", first, firstEnd, at, to);
      continue;
    }
    // A mark of documentation, such as @license.
    if (byteAt(at - 1) == Char.At) at = skipSpaces(findByte(at, stop, Char.Space), stop);
    // "https://d3js.org v5.7.0".
    if (byteAt(at + 5) == Char.Colon) at = min(at + 8, stop);
    if (named < NAME_LINES && readTitle(at, stop, Version.Strict) && isNamed(numberEnd, stop)) {
      return put("library", title, titleEnd, number, numberEnd);
    }
    if (title == titleEnd || named++ > 0) continue;
    first = title;
    firstEnd = titleEnd;
  }
}

/** Whether no word goes on behind a version, as in "jQuery 1.4.2 or newer is needed"; a site may: "jQuery v1.8.3 jquery.com". */
function isNamed(at: usize, end: usize): bool {
  at = skipSpaces(at, end);
  if (at == end || (byteAt(at) - Char.a > 25 && byteAt(at) != Char.Plus)) return true;
  const word = at;
  while (at < end && isNameByte(byteAt(at))) at++;
  const dot = findByte(word, at, Char.Dot);
  return dot + 2 < at || (at < end && byteAt(at) == Char.Colon);
}

/**
 * Reads "Name of some words v1.2.3", also with "-", "|" or ":" between the two: `title` is the name, of five words at most, `number` the
 * version; false where there is no version.
 */
function readTitle(start: usize, end: usize, how: Version): bool {
  title = titleEnd = start;
  number = numberEnd = end;
  let words = 0;
  let isOver = false;
  for (let at = start; at < end && words < 6;) {
    const from = at;
    while (at < end && (isNameByte(byteAt(at)) || byteAt(at) == Char.Underscore)) at++;
    let digits = from;
    if (at > from) {
      if (lowerCase(byteAt(from)) == Char.v && at - from > 1) digits++;
      const to = words > 0 ? versionEnd(digits, end, how) : digits;
      if (to > digits) {
        number = digits;
        numberEnd = to;
        return true;
      }
      const isVersion =
        textIsNoCase(from, at, "version") || (at - from == 1 && (isSign(byteAt(from)) || byteAt(from) == Char.v));
      if (isOver && !isVersion) return false;
      if (isVersion) isOver = words > 0;
      else {
        if (words++ == 0 && !isLetter(byteAt(from))) return false;
        titleEnd = at;
      }
    }
    if (at == end) break;
    const byte = byteAt(at);
    if (byte == Char.Colon || byte == Char.Pipe || byte == Char.Comma) isOver = true;
    else if (!isSpace(byte)) return false;
    at++;
  }
  return false;
}

/** Letters, digits, dots and dashes. */
function isNameByte(byte: u32): bool {
  return isLetter(byte) || isDigit(byte) || isSign(byte);
}

function isSign(byte: u32): bool {
  return byte == Char.Dot || byte == Char.Dash;
}

// Versions ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where the version ends that begins at `start`, or `start` for none: "3.4.1", "1.9.0b1", "4.0.0-beta.2". A date is none. */
function versionEnd(start: usize, end: usize, how: Version): usize {
  let at = start;
  let parts = 0;
  while (at < end && parts < 6) {
    const from = at;
    while (at < end && isDigit(byteAt(at))) at++;
    if (at == from || at - from > 8) return start;
    if (parts++ == 0 && at - from > 3 && how != Version.Whole) return start;
    if (at + 1 >= end || byteAt(at) != Char.Dot || !isDigit(byteAt(at + 1))) break;
    at++;
  }
  if (parts < (how == Version.Strict ? 2 : 1)) return start;
  if (how == Version.Whole) {
    const limit = min(end, start + 32);
    while (at < limit && (isNameByte(byteAt(at)) || byteAt(at) == Char.Underscore)) at++;
    return at;
  }
  // "-beta.2", "rc1", "b1"; no hash, and none of "-slim.min".
  let behind = at;
  if (behind < end && isSign(byteAt(behind))) behind++;
  const letters = behind;
  while (behind < end && isLetter(byteAt(behind))) behind++;
  if (behind == letters || behind - letters > 5) return at;
  if (behind < end && isSign(byteAt(behind))) behind++;
  const digits = behind;
  while (behind < end && isDigit(byteAt(behind))) behind++;
  const isMarked = behind - digits - 1 < 2 && (behind == end || !isLetter(byteAt(behind)));
  return isMarked ? behind : at;
}
