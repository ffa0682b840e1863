// Headers that two parsers read in two ways. `detectHead` sees the whole header map once a request: what frames the body, where the
// request goes, and what would change either. `detectHeader` sees one header, and only where it was not judged clean before. RFC 9110,
// RFC 9112. One look at each name; values are read where the name asks for it.

import { byteAt, findByte, isDigit, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { fieldPart, Part, setField } from "../core/field";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { findPair, findUnprintable } from "../core/scan";
import { startsWithOneOf, textIs, textIsNoCase, textStarts, textStartsNoCase } from "../core/text";
import { HEADER_KIND, HeaderKind, METHOD_KIND, MethodKind } from "../generated/protocol";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import { found } from "./finding";

/** Ranges that a reader of video or documents asks for at once at most. */
const MANY_RANGES: u32 = 16;
/** Digits of the largest length that anybody has: an exabyte. */
const MANY_DIGITS: usize = 18;

function report(rule: u32, start: usize, end: usize, loss: u32 = 0): void {
  found(rule, ruleConfidence(rule) - loss, start, end);
}

/** Judges the header map `headers..end` (core/pairs.ts) as a whole. */
export function detectHead(headers: usize, end: usize): void {
  let method: usize = 0;
  let methodEnd: usize = 0;
  let path: usize = 0;
  let pathEnd: usize = 0;
  let length: usize = 0;
  let lengthEnd: usize = 0;
  let host: usize = 0;
  let hostEnd: usize = 0;
  let instead: usize = 0;
  let insteadEnd: usize = 0;
  let replaced: usize = 0;
  let replacedEnd: usize = 0;
  let chunked = false;
  let depth = false;
  let form = true;
  openPairs(headers, end);
  while (nextPair()) {
    switch (<u32>(pairNameEnd - pairName)) {
      case 5:
        if (textIs(pairName, pairNameEnd, ":path")) {
          path = pairValue;
          pathEnd = pairValueEnd;
        } else if (textIs(pairName, pairNameEnd, "depth")) {
          depth = true;
        }
        break;
      case 7:
        if (textIs(pairName, pairNameEnd, ":method")) {
          method = pairValue;
          methodEnd = pairValueEnd;
        }
        break;
      case 10:
        if (!textIs(pairName, pairNameEnd, ":authority")) break;
        setField(Part.Header, pairName, pairNameEnd);
        const other = host != 0 && !same(host, hostEnd, pairValue, pairValueEnd);
        if (other || !isHost(pairValue, pairValueEnd)) report(Rule.ProtocolHost, pairValue, pairValueEnd);
        host = pairValue;
        hostEnd = pairValueEnd;
        break;
      case 12:
        if (!textIs(pairName, pairNameEnd, "content-type")) break;
        form = textStartsNoCase(pairValue, pairValueEnd, "application/x-www-form-urlencoded");
        break;
      case 13:
      case 14:
      case 17:
      case 22:
        const kind = keyword(HEADER_KIND, pairName, pairNameEnd);
        setField(Part.Header, pairName, pairNameEnd);
        if (kind == HeaderKind.Length) {
          const two = length != 0 && !same(length, lengthEnd, pairValue, pairValueEnd);
          if (two || !isNumber(pairValue, pairValueEnd)) report(Rule.ProtocolLength, pairValue, pairValueEnd);
          length = pairValue;
          lengthEnd = pairValueEnd;
        } else if (kind == HeaderKind.Transfer) {
          if (chunked || !isChunked(pairValue, pairValueEnd)) {
            report(Rule.ProtocolTransferEncoding, pairValue, pairValueEnd);
          }
          chunked = true;
        } else if (kind == HeaderKind.Path) {
          replaced = pairValue;
          replacedEnd = pairValueEnd;
        } else if (kind == HeaderKind.Override) {
          instead = pairValue;
          insteadEnd = pairValueEnd;
        }
        break;
    }
  }
  setField(Part.Header, METHOD, METHOD + 7);
  judgeMethod(method, methodEnd, depth);
  if (chunked && length != 0) {
    setField(Part.Header, LENGTH, LENGTH + 14);
    report(Rule.ProtocolLengthAndChunked, length, lengthEnd);
  }
  if (replaced != 0 && replaced < replacedEnd) {
    setField(Part.Header, 0, 0);
    const whole = byteAt(replaced) != Char.Slash;
    if (!whole && !same(path, pathEnd, replaced, replacedEnd)) report(Rule.ProtocolPathOverride, replaced, replacedEnd);
  }
  if (instead == 0) return;
  setField(Part.Header, 0, 0);
  const kind = keyword(METHOD_KIND, instead, insteadEnd);
  const reads = textIs(method, methodEnd, "GET") || textIs(method, methodEnd, "HEAD");
  if (kind == MethodKind.Probe) report(Rule.ProtocolMethodOverride, instead, insteadEnd);
  else if (kind == MethodKind.Write) report(Rule.ProtocolMethodOverride, instead, insteadEnd, form || reads ? 0 : 30);
}

/** ":method" and "content-length", as names of fields. */
const METHOD: usize = memory.data<u8>([0x3a, 0x6d, 0x65, 0x74, 0x68, 0x6f, 0x64]);
const LENGTH: usize = memory.data<u8>([
  0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x2d, 0x6c, 0x65, 0x6e, 0x67, 0x74, 0x68,
]);

function same(start: usize, end: usize, other: usize, otherEnd: usize): bool {
  return end - start == otherEnd - other && memory.compare(start, other, end - start) == 0;
}

function judgeMethod(start: usize, end: usize, depth: bool): void {
  const kind = keyword(METHOD_KIND, start, end);
  if (kind == MethodKind.Probe) return report(Rule.ProtocolMethod, start, end);
  // A client of WebDAV says how deep: without it a server lists all that it has.
  if (textIs(start, end, "PROPFIND") && !depth) return report(Rule.ProtocolMethod, start, end, 10);
  for (let at = start; at < end; at++) {
    if (!isWord(byteAt(at)) && byteAt(at) != Char.Dash) return report(Rule.ProtocolMethod, start, end);
  }
}

function isNumber(start: usize, end: usize): bool {
  if (start == end || end - start > MANY_DIGITS) return false;
  while (start < end && isDigit(byteAt(start))) start++;
  return start == end;
}

/** Whether a transfer coding is chunked, alone or behind codings that everybody knows. */
function isChunked(start: usize, end: usize): bool {
  if (textStartsNoCase(start, end, "gzip, ")) start += 6;
  else if (textStartsNoCase(start, end, "gzip,")) start += 5;
  else if (textStartsNoCase(start, end, "deflate, ")) start += 9;
  return textIsNoCase(start, end, "chunked");
}

/** Whether a host is a name or an address, with a port that is a number. */
function isHost(start: usize, end: usize): bool {
  let at = start;
  if (at < end && byteAt(at) == Char.BracketOpen) {
    while (at < end && byteAt(at) != Char.BracketClose) at++;
    if (at++ == end) return false;
  }
  while (at < end && byteAt(at) != Char.Colon) {
    const byte = byteAt(at++);
    const name = isWord(byte) || byte == Char.Dash || byte == Char.Dot || byte >= 0x80 || byte == Char.Tilde;
    if (!name && byte != Char.Star) return false;
  }
  if (at == end) return true;
  return at + 1 == end || (end - at <= 6 && isNumber(at + 1, end));
}

/** Judges one header, whose field is set. */
export function detectHeader(name: usize, nameEnd: usize, start: usize, end: usize): void {
  for (let at = start; (at = findUnprintable(at, end)) < end; at++) {
    const byte = byteAt(at);
    if (byte >= 0x80 || byte == Char.Tab) continue;
    report(Rule.ProtocolControl, start, end);
    break;
  }
  if (nameEnd > name && byteAt(nameEnd - 1) <= <u32>Char.Space) report(Rule.ProtocolControl, name, nameEnd);
  switch (keyword(HEADER_KIND, name, nameEnd)) {
    case HeaderKind.Range:
      judgeRange(start, end);
      break;
    case HeaderKind.Type:
      judgeType(start, end);
      break;
    case HeaderKind.Connection:
      judgeConnection(start, end);
      break;
    case HeaderKind.Client:
      if (isLoopback(start, end)) report(Rule.ProtocolClientAddress, start, end);
      break;
    case HeaderKind.Host:
      // A list: one a proxy. Blanks stand behind commas.
      for (let at = start; at < end; at++) {
        const byte = byteAt(at);
        if (byte != Char.At && byte != Char.Backslash && byte != Char.Question && byte != Char.Slash) continue;
        report(Rule.ProtocolHost, start, end);
        break;
      }
      break;
    case HeaderKind.Coding:
      const comma = findByte(start, end, Char.Comma) + 1;
      if (comma < end && findByte(comma, end, Char.Comma) < end) report(Rule.ProtocolCoding, start, end);
      break;
    case HeaderKind.Alias:
      report(Rule.ProtocolControl, name, nameEnd);
      break;
  }
}

function isLoopback(start: usize, end: usize): bool {
  return textStarts(start, end, "127.") || textIs(start, end, "::1") || textIsNoCase(start, end, "localhost");
}

function judgeRange(start: usize, end: usize): void {
  let ranges: u32 = 1;
  let digits: usize = 0;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (byte == Char.Comma) ranges++;
    digits = isDigit(byte) ? digits + 1 : 0;
    if (ranges <= MANY_RANGES && digits <= MANY_DIGITS) continue;
    report(Rule.ProtocolRange, start, end);
    return;
  }
}

/** The charset and the boundary of a type. */
function judgeType(start: usize, end: usize): void {
  let boundaries = 0;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at) | 0x20;
    if (byte == Char.b && textStartsNoCase(at, end, "boundary=") && ++boundaries == 2) {
      report(Rule.ProtocolParts, start, end);
    }
    if (byte != 0x63 || !textStartsNoCase(at, end, "charset")) continue;
    at += 7;
    while (at < end && !isWord(byteAt(at)) && byteAt(at) != Char.Semicolon) at++;
    const odd = startsWithOneOf(at, end, "ibm0 ibm- ibm2 ibm5 ibm10 ibm11 cp037 cp500 cp875 cp1026 ebcdic utf-7 utf7 ");
    if (odd) report(Rule.ProtocolCharset, at, end);
  }
}

/** Headers that a proxy vouches for, named as those of one hop. */
function judgeConnection(start: usize, end: usize): void {
  for (let at = start; at < end; at++) {
    if (at > start && isWord(byteAt(at - 1))) continue;
    const vouched = startsWithOneOf(at, end, "x-forwarded- x-real-ip authorization cookie content-length host ");
    if (vouched) return report(Rule.ProtocolConnection, start, end);
  }
}
