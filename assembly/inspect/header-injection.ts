// A header of the response that stands in a value of the request, behind a line end: the value has ended the header that it was put
// into, and begun one of its own (HTTP response splitting). Likewise the attributes of a cookie behind a semicolon.

import { byteAt, findByte, isSpace, sameBytesNoCase, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { Stage } from "../core/findings";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { hasPair } from "../core/scan";
import { startsWithOneOf, textIs, textIsNoCase } from "../core/text";
import { COMMON_HEADER } from "../generated/response";
import { Rule, RuleClass } from "../generated/rules";
import { keyword } from "../match/keywords";
import { Taint, taintAt, taintValue, taintValueEnd, Watch } from "../observe/taint";
import { bearOut, classBit } from "./bear";

/** Lines of one value that are looked at. */
const MAX_LINES: u32 = 8;

/** Asks of each value with a line end whether the response, whose headers are `headers..headersEnd`, has the header behind it. */
export function inspectHeaders(watch: Watch, headers: usize, headersEnd: usize): void {
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    const end = taintValueEnd(taint);
    inspectCookies(taint, headers, headersEnd);
    let at = lineEnd(taintValue(taint), end);
    for (let line: u32 = 0; line < MAX_LINES && at < end; line++) {
      const next = lineEnd(at + 1, end);
      inspectLine(taint, at + 1, next, headers, headersEnd);
      at = next;
    }
  }
}

/** Asks for a cookie that has the whole value, with an attribute that the value brings along: "en; Domain=example". */
function inspectCookies(taint: Taint, headers: usize, headersEnd: usize): void {
  const start = taintValue(taint);
  const end = taintValueEnd(taint);
  if (!hasAttribute(start, end)) return;
  const size = end - start;
  openPairs(headers, headersEnd);
  while (nextPair()) {
    if (!textIs(pairName, pairNameEnd, "set-cookie")) continue;
    const from = findByte(pairValue, pairValueEnd, Char.Equals) + 1;
    if (from + size > pairValueEnd || memory.compare(from, start, size) != 0) continue;
    const rule = Rule.CrlfCookieAttribute;
    return bearOut(taint, classBit(RuleClass.Crlf), rule, Stage.Confirmed, pairValue, pairValueEnd);
  }
}

/** Whether an attribute of a cookie stands behind a semicolon. */
function hasAttribute(start: usize, end: usize): bool {
  for (let at = findByte(start, end, Char.Semicolon); at < end; at = findByte(at + 1, end, Char.Semicolon)) {
    const name = skipSpaces(at + 1, end);
    if (startsWithOneOf(name, end, "domain= path=/ max-age= expires= samesite= ")) return true;
  }
  return false;
}

function lineEnd(at: usize, end: usize): usize {
  while (at < end && byteAt(at) != Char.LineFeed && byteAt(at) != Char.CarriageReturn) at++;
  return at;
}

/** Asks for the header that the line `start..end` of a value makes. */
function inspectLine(taint: Taint, start: usize, end: usize, headers: usize, headersEnd: usize): void {
  let nameEnd = start;
  while (nameEnd < end && byteAt(nameEnd) != Char.Colon && !isSpace(byteAt(nameEnd))) nameEnd++;
  if (nameEnd == start || nameEnd == end || byteAt(nameEnd) != Char.Colon) return;
  let value = nameEnd + 1;
  while (value < end && isSpace(byteAt(value))) value++;
  while (end > value && isSpace(byteAt(end - 1))) end--;
  if (value == end || keyword(COMMON_HEADER, start, nameEnd) != 0) return;
  // "id=1" is a cookie that anybody may set.
  const least: usize = textIsNoCase(start, nameEnd, "set-cookie") ? 5 : 1;
  if (end - value < least) return;
  openPairs(headers, headersEnd);
  while (nextPair()) {
    if (!sameBytesNoCase(pairName, pairNameEnd, start, nameEnd)) continue;
    const size = end - value;
    if (pairValueEnd - pairValue < size || memory.compare(pairValue, value, size) != 0) continue;
    // The service's own cookie has attributes, its own redirect leads to itself.
    if (pairValueEnd - pairValue > size && byteAt(pairValue + size) == Char.Semicolon) continue;
    if (textIsNoCase(start, nameEnd, "location") && !hasPair(value, end, Char.Slash, Char.Slash)) continue;
    return bearOut(taint, classBit(RuleClass.Crlf), Rule.CrlfInjected, Stage.Confirmed, pairValue, pairValueEnd);
  }
}
