// What the headers of a response say, whatever its request: to browsers of pages, to caches, and of methods. What is missing is told
// once the body is there (page.ts), since only that says whether it is a page that has something to lose.

import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { holdsTextNoCase, textEndsNoCase, textIs, textIsNoCase, textSize, textStartsNoCase } from "../core/text";
import { CACHE_WORD, CacheWord, HeaderKind, RARE_METHOD } from "../generated/header";
import { Rule } from "../generated/rules";
import { wordWithin } from "../match/vocabulary";
import { inspectCookies } from "./cookies";
import { inspectCors } from "./cors";
import { inspectCredentials } from "./credentials";
import { cspFlaws, judgeCsp } from "./csp";
import {
  credentials,
  Credentials,
  Fact,
  facts,
  https,
  responseHeaders,
  responseHeadersEnd,
  setFacts,
  status,
  type,
  typeEnd,
} from "./exchange";
import { hasLine, lineEndOf, lineIs, lineOf, noteLine, readLines } from "./lines";
import { inspectSerialHeaders } from "./serialized";
import { isOwnSite, readSite } from "./site";
import { numberAt } from "./tokens";

/** Seconds for which Strict-Transport-Security should hold at least: 30 days. */
const SHORTEST_HSTS: u64 = 2592000;

/** Judges the headers of the exchange at work. */
export function inspectLines(): void {
  readLines();
  setFacts(readFacts());
  inspectCors();
  inspectCookies();
  inspectCredentials();
  inspectSerialHeaders();
  inspectMethods();
  inspectCache();
  if (https && status / 100 == 3) inspectDowngrade();
  if ((facts & Fact.Page) != 0) inspectPageLines();
}

/** What the check of the body asks the headers. */
function readFacts(): u32 {
  let found: u32 = 0;
  const html = textIsNoCase(type, typeEnd, "text/html") || textIsNoCase(type, typeEnd, "application/xhtml+xml");
  if (html && status / 100 == 2 && !isFragment()) found |= Fact.Page;
  if (type == typeEnd) found |= Fact.Untyped;
  if (lineIs(HeaderKind.Nosniff, "nosniff")) found |= Fact.Nosniff;
  if (hasLine(HeaderKind.Framing)) found |= Fact.Framing;
  if (hasLine(HeaderKind.Hsts)) found |= Fact.Hsts;
  if (hasLine(HeaderKind.Cache) || hasLine(HeaderKind.Expires)) found |= Fact.Cache;
  const charset = lineOf(HeaderKind.Type);
  if (holdsTextNoCase(charset, lineEndOf(HeaderKind.Type), "charset=")) {
    found |= holdsTextNoCase(charset, lineEndOf(HeaderKind.Type), "utf-8") ? Fact.Utf8 : Fact.OtherCharset;
  }
  return found | readPolicies((found & Fact.Page) != 0);
}

/** Whether a script has asked for a part of a page. */
function isFragment(): bool {
  if (hasLine(HeaderKind.Partial)) return true;
  return hasLine(HeaderKind.FetchDest) && !lineIs(HeaderKind.FetchDest, "document");
}

/** Reads each Content-Security-Policy. All of them hold, so a flaw is one that each of them has. */
function readPolicies(page: bool): u32 {
  let found: u32 = 0;
  let flaws: u32 = -1;
  openPairs(responseHeaders, responseHeadersEnd);
  while (nextPair()) {
    if (!textIs(pairName, pairNameEnd, "content-security-policy")) continue;
    for (let at = pairValue; at < pairValueEnd;) {
      const end = findByte(at, pairValueEnd, Char.Comma);
      found |= judgeCsp(at, end);
      flaws &= cspFlaws;
      at = end + 1;
    }
  }
  if (page && found != 0) {
    for (let rule: u32 = Rule.HeaderCspInline; flaws != 0 && rule <= <u32>Rule.HeaderCspUnquoted; rule++) {
      if ((flaws & (1 << (rule - Rule.HeaderCspMissing))) != 0) noteLine(rule, Stage.Confirmed, HeaderKind.Csp);
    }
  }
  return found;
}

function inspectDowngrade(): void {
  const start = lineOf(HeaderKind.Location);
  const end = lineEndOf(HeaderKind.Location);
  if (!textStartsNoCase(start, end, "http:") || !readSite(start, end) || !isOwnSite()) return;
  noteLine(Rule.HeaderDowngrade, Stage.Confirmed, HeaderKind.Location);
}

/** What only pages are told by. */
function inspectPageLines(): void {
  if (
    https &&
    hasLine(HeaderKind.Hsts) &&
    secondsBehind(lineOf(HeaderKind.Hsts), lineEndOf(HeaderKind.Hsts), "max-age=") < SHORTEST_HSTS
  ) {
    noteLine(Rule.HeaderHstsWeak, Stage.Confirmed, HeaderKind.Hsts);
  }
  // Beside frame-ancestors browsers pass over X-Frame-Options.
  if ((facts & Fact.WideFrames) != 0) {
    noteLine(Rule.HeaderFramingWeak, Stage.Confirmed, HeaderKind.Csp);
  } else if (
    hasLine(HeaderKind.Framing) &&
    !lineIs(HeaderKind.Framing, "deny") &&
    !lineIs(HeaderKind.Framing, "sameorigin")
  ) {
    if ((facts & Fact.Ancestors) == 0) noteLine(Rule.HeaderFramingWeak, Stage.Confirmed, HeaderKind.Framing);
  }
  // Of several policies the last one that a browser knows holds.
  if (textEndsNoCase(lineOf(HeaderKind.Referrer), lineEndOf(HeaderKind.Referrer), "unsafe-url")) {
    noteLine(Rule.HeaderReferrer, Stage.Confirmed, HeaderKind.Referrer);
  }
}

/** The number behind `name` in `start..end`; 0 where it is not there. */
function secondsBehind(start: usize, end: usize, name: string): u64 {
  while (start < end && !textStartsNoCase(start, end, name)) start++;
  start += textSize(name);
  if (start < end && byteAt(start) == Char.DoubleQuote) start++;
  return numberAt(start, end);
}

/** TRACE, and methods that a service offers. */
function inspectMethods(): void {
  // Nothing but an echo has that type.
  if (status == 200 && textIsNoCase(type, typeEnd, "message/http")) {
    noteLine(Rule.HeaderTrace, Stage.Confirmed, HeaderKind.Type);
  }
  if (wordWithin(RARE_METHOD, lineOf(HeaderKind.Methods), lineEndOf(HeaderKind.Methods)) != 0) {
    noteLine(Rule.HeaderMethods, Stage.Likely, HeaderKind.Methods);
  }
}

/** Whether shared caches may keep the response. */
export function isPublic(): bool {
  const start = lineOf(HeaderKind.Cache);
  const end = lineEndOf(HeaderKind.Cache);
  const kind = wordWithin(CACHE_WORD, start, end);
  return kind == CacheWord.Public || (kind == 0 && secondsBehind(start, end, "s-maxage=") != 0);
}

function inspectCache(): void {
  const html = (facts & Fact.Page) != 0;
  const json = textIsNoCase(type, typeEnd, "application/json");
  if (status != 200 || (!html && !json) || !isPublic() || hasVary()) return;
  if ((credentials & (Credentials.Basic | Credentials.Bearer)) != 0) {
    noteLine(Rule.HeaderCachePublic, Stage.Likely, HeaderKind.Cache);
  } else if ((credentials & Credentials.Cookie) != 0) {
    setFacts(facts | Fact.Public);
  }
}

/** Whether caches keep one copy for each visitor. */
function hasVary(): bool {
  const start = lineOf(HeaderKind.Vary);
  const end = lineEndOf(HeaderKind.Vary);
  return (
    textIs(start, end, "*") || holdsTextNoCase(start, end, "cookie") || holdsTextNoCase(start, end, "authorization")
  );
}
