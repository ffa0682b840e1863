// From the parts of a request to the judge: each value is decoded as its part is encoded on the wire, named, and judged, long ones
// in windows.

import { byteAt, hexValue, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import { addressHost, addressHostEnd, addressQuery, readAddress } from "../core/address";
import { holdsOperator, isOwnHost, Part, setField, setForeign } from "../core/field";
import { NAME_CAPACITY } from "../core/findings";
import { isRemembered, remember, Seen } from "../core/seen";
import { textIs, textStartsNoCase } from "../core/text";
import { reports } from "../detect/finding";
import { allKinds, clearKinds } from "../detect/judge";
import { detectHeader } from "../detect/protocol";
import { detectProbe, detectScanner } from "../detect/scanner";
import { carriesSyntax, mayCarrySyntax, watching } from "../observe/taint";
import {
  cookieName,
  cookieNameEnd,
  cookiePair,
  cookiePairEnd,
  cookieValue,
  cookieValueEnd,
  nextCookie,
  openCookies,
} from "../parse/cookie";
import { appendName } from "../parse/name";
import { nextSegment, openSegments, segmentEnd, segmentIndex, segmentStart } from "../parse/path";
import { nextQuery, openQuery, queryName, queryNameEnd, queryValue, queryValueEnd } from "../parse/query";
import { addPair, joined, joinedEnd, joinedValue, joinRepeats, openRepeats } from "../parse/repeats";
import { decodeBase64 } from "../parse/word";
import { Coding, nextWindow, openSpan, valueEnd, valueStart } from "../parse/value";
import { decideNow, hasOwnRules, judgeAgain, judgeValue } from "./judgement";

/** The name of the field at work, decoded. */
const NAME: usize = memory.data(NAME_CAPACITY);
let nameEnd: usize = NAME;

/** Judges `start..end` as the value of the named field. */
function judgeSpan(start: usize, end: usize, coding: Coding): void {
  openSpan(start, end, coding);
  while (nextWindow()) judgeWindow();
}

function judgeWindow(): void {
  if (clean) judgeAgain(valueStart, valueEnd);
  else judgeValue(valueStart, valueEnd);
}

/** Whether detectors have judged clean before what is at work. */
let clean: bool = false;
/** What had been reported before it. */
let before: u32 = 0;

/** Begins on a run of bytes of the message; true where it was judged clean before and there is nobody else to ask or to tell. */
function skip(part: Part, start: usize, end: usize): bool {
  const known = isRemembered(part, start, end);
  if (known != Seen.Not && !(known == Seen.Carries && watching) && !hasOwnRules()) return true;
  clean = known != Seen.Not;
  before = reports;
  clearKinds();
  return false;
}

/** Ends what `skip` began. */
function settle(part: Part, start: usize, end: usize): void {
  if (reports == before && !clean) {
    // Most quotes of headers are double ones, which say nothing.
    const carries =
      mayCarrySyntax(part, allKinds) && (part != Part.Header || carriesSyntax(part, start, end, allKinds));
    remember(part, start, end, carries);
  }
  clean = false;
}

/** Decodes the name `start..end`, makes it the field's and judges it as a value of its own: attacks hide in names too. */
function judgeName(part: Part, start: usize, end: usize): void {
  openSpan(start, end, Coding.Form);
  let first = true;
  while (nextWindow()) {
    if (first) nameEnd = NAME + appendName(NAME, 0, valueStart, valueEnd);
    first = false;
    setField(part, NAME, nameEnd);
    judgeWindow();
  }
}

/** Judges `start..end`, a query without its `?`: names and values; but for pairs that were judged clean before. */
export function judgeQuery(start: usize, end: usize): void {
  openQuery(start, end);
  openRepeats();
  while (nextQuery()) {
    addPair(queryName, queryNameEnd, queryValueEnd);
    if (skip(Part.Query, queryName, queryValueEnd)) continue;
    judgeName(Part.Query, queryName, queryNameEnd);
    // A program that reads the query by itself takes `?' or 'a'='b` and `?<a b=c>` for one value.
    if (queryValue > queryNameEnd && leavesContext(queryName, queryNameEnd))
      judgeSpan(queryName, queryValueEnd, Coding.Form);
    // `user[$ne]=` compares with nothing, which says a lot.
    if (queryValue < queryValueEnd || holdsOperator()) judgeSpan(queryValue, queryValueEnd, Coding.Form);
    settle(Part.Query, queryName, queryValueEnd);
  }
  if (joinRepeats()) judgeRepeats();
}

/** Whether a quotation mark or "<" stands in the name `start..end`, which is still encoded. */
function leavesContext(start: usize, end: usize): bool {
  for (let at = start; at < end; at++) {
    let byte = byteAt(at);
    // What is no escape makes no mark either.
    if (byte == Char.Percent && at + 2 < end) byte = (hexValue(byteAt(at + 1)) << 4) | hexValue(byteAt(at + 2));
    if (byte == Char.Quote || byte == Char.DoubleQuote || byte == Char.Less) return true;
  }
  return false;
}

/** Judges the values of a name that stood several times, joined as ASP.NET does it. */
function judgeRepeats(): void {
  if (skip(Part.Query, joined, joinedEnd)) return;
  openSpan(joined, joinedValue - 1, Coding.Form);
  nextWindow();
  nameEnd = NAME + appendName(NAME, 0, valueStart, valueEnd);
  setField(Part.Query, NAME, nameEnd);
  judgeSpan(joinedValue, joinedEnd, Coding.Form);
  settle(Part.Query, joined, joinedEnd);
}

/**
 * Judges a path (no query): as a whole, since a climb spans segments, and each segment as a value; unless the same path was judged
 * clean before. `name`: where its name in the header map begins, right before it, so that `name..end` is one run.
 */
export function judgePath(name: usize, start: usize, end: usize): void {
  if (start == end || skip(Part.Path, name, end)) return;
  setField(Part.Path, NAME, NAME);
  judgeSpan(start, end, Coding.Percent);
  detectProbe(start, end);
  openSegments(start, end);
  while (nextSegment()) {
    setField(Part.Path, NAME, putDecimal(NAME, segmentIndex));
    judgeSpan(segmentStart, segmentEnd, Coding.Percent);
  }
  settle(Part.Path, name, end);
}

/** Judges the value of a Cookie header: names and values; but for pairs that were judged clean before. */
export function judgeCookies(start: usize, end: usize): void {
  openCookies(start, end);
  while (nextCookie()) {
    if (skip(Part.Cookie, cookiePair, cookiePairEnd)) continue;
    judgeName(Part.Cookie, cookieName, cookieNameEnd);
    if (cookieValue < cookieValueEnd) judgeSpan(cookieValue, cookieValueEnd, Coding.Form);
    settle(Part.Cookie, cookiePair, cookiePairEnd);
  }
}

/**
 * Judges the value of any other header, whose name Envoy has made lower case, unless the same name and value were judged clean
 * before. In a header map the value stands right behind its name: `name..valueEnd` is one run.
 */
export function judgeHeader(name: usize, end: usize, value: usize, valueEnd: usize): void {
  if (skip(Part.Header, name, valueEnd)) return;
  setField(Part.Header, name, end);
  detectHeader(name, end, value, valueEnd);
  detectScanner(name, end, value, valueEnd);
  if (reports != before) decideNow();
  if (!textIs(name, end, "referer") || !judgeAddress(value, valueEnd)) judgeSpan(value, valueEnd, Coding.None);
  if (textStartsNoCase(value, min(valueEnd, value + BASIC), "basic ")) {
    // User and password.
    judgeValue(CREDENTIALS, decodeBase64(value + 6, min(valueEnd, value + BASIC), CREDENTIALS));
  }
  settle(Part.Header, name, valueEnd);
}

/**
 * Judges a Referer with a query as browsers write it: the address as it stands, and the values of its query as those of any query.
 * Where the address is another site's they are that site's parameters, such as what somebody searched for. False, and nothing is
 * judged, where it is none.
 */
function judgeAddress(start: usize, end: usize): bool {
  if (!readAddress(start, end)) return false;
  const query = addressQuery;
  const foreign = !isOwnHost(addressHost, addressHostEnd);
  judgeSpan(start, query, Coding.None);
  setForeign(foreign);
  openQuery(query + 1, end);
  while (nextQuery()) {
    if (queryValue < queryValueEnd) judgeSpan(queryValue, queryValueEnd, Coding.Form);
  }
  setForeign(false);
  return true;
}

/** Bytes of Basic credentials that are decoded. */
const BASIC: usize = 1024;
const CREDENTIALS: usize = memory.data(832, 8);
