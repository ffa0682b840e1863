// Cookies as a response sets them: RFC 6265, 4.1. Of most nothing is told; of those that stand for a login by their names, what their
// attributes leave open, and of all, what they say of their visitor in plain words.
//
//   cookie = name "=" value *( ";" attribute [ "=" value ] )
//
// Tokens against forgery have such names, too, and are for scripts to read.

import {
  byteAt,
  findByte,
  isDigit,
  isLetter,
  isSpace,
  isWord,
  sameBytesNoCase,
  skipSpaces,
  withoutPort,
} from "../core/bytes";
import { Char } from "../core/char";
import { ownHost, ownHostEnd, Part } from "../core/field";
import { Stage } from "../core/findings";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { textEndsNoCase, textIs, textIsNoCase, textStarts } from "../core/text";
import {
  AUTHORITY,
  COOKIE_ATTRIBUTE,
  CookieAttribute,
  HeaderKind,
  LOGIN_COOKIE,
  LoginCookie,
} from "../generated/header";
import { Rule } from "../generated/rules";
import { wordIn, wordWithin } from "../match/vocabulary";
import { responseHeaders, responseHeadersEnd } from "./exchange";
import { isPublic } from "./headers";
import { lineEndOf, lineOf } from "./lines";
import { note } from "./note";
import { inspectSerialValue } from "./serialized";
import { inspectTokens, numberAt } from "./tokens";

/** Seconds that a login should be kept at most: a year, less a day. */
const LONGEST: u64 = 364 * 86400;
/** Characters from which on a value is no number that somebody has counted. */
const COUNTED: usize = 10;
/** The longest word that says a role. */
const ROLE: usize = 16;

/** Cookies that end before it are taken away. */
const FIRST_YEAR: u64 = 2020;

let name: usize = 0;
let nameEnd: usize = 0;
let value: usize = 0;
let valueEnd: usize = 0;

/** Where the values of the attributes begin and end, by their kinds; 0 where one is not there. */
const VALUES: usize = memory.data(64, 8);

export function inspectCookies(): void {
  openPairs(responseHeaders, responseHeadersEnd);
  while (nextPair()) if (textIs(pairName, pairNameEnd, "set-cookie")) inspectCookie(pairValue, pairValueEnd);
}

/** Whether the name `start..end` of a cookie says that it stands for a login. */
export function isLogin(start: usize, end: usize): bool {
  const kind = wordWithin(LOGIN_COOKIE, start, end);
  return kind == 0 ? isSession(start, end) : kind != LoginCookie.Forgery;
}

/** `sid`, `connect.sid`, `PHPSESSID`, `user_session` */
function isSession(start: usize, end: usize): bool {
  if (wordWithin(LOGIN_COOKIE, start, end) == LoginCookie.Session) return true;
  if (!textEndsNoCase(start, end, "sid")) return false;
  return end - start == 3 || !isLetter(byteAt(end - 4));
}

function inspectCookie(start: usize, end: usize): void {
  const stop = findByte(start, end, Char.Semicolon);
  name = skipSpaces(start, stop);
  nameEnd = findByte(name, stop, Char.Equals);
  if (nameEnd == stop) return;
  value = nameEnd + 1;
  valueEnd = stop;
  while (valueEnd > value && isSpace(byteAt(valueEnd - 1))) valueEnd--;
  if (valueEnd - value > 1 && byteAt(value) == Char.DoubleQuote && byteAt(valueEnd - 1) == Char.DoubleQuote) {
    value++;
    valueEnd--;
  }
  readAttributes(stop, end);
  // Such a one is taken away.
  if (value == valueEnd || isOver()) return;
  inspectSerialValue(value, valueEnd, Part.Cookie, name, nameEnd);
  inspectTokens(value, valueEnd, Part.Cookie, name, nameEnd, true);
  tellFlaws(flawsOf() & ~(isLogin(name, nameEnd) ? 0 : OF_LOGINS));
}

/** Bit n of a cookie's flaws is the rule with the code `CookieSecure` + n. */
// @ts-ignore: decorator
@inline
function flaw(rule: u32): u32 {
  return 1 << (rule - Rule.CookieSecure);
}

const PREFIX: u32 = 1 << (Rule.CookiePrefix - Rule.CookieSecure);
const AUTHORITIES: u32 = 1 << (Rule.CookieAuthority - Rule.CookieSecure);
/** Flaws that only count of a cookie which stands for a login. */
const OF_LOGINS: u32 = ~(PREFIX | AUTHORITIES);

function flawsOf(): u32 {
  let flaws: u32 = 0;
  if (!keepsPrefix()) flaws |= PREFIX;
  if (wordIn(AUTHORITY, name, nameEnd) != 0 && isPlain()) flaws |= AUTHORITIES;
  if (valueEnd - value < COUNTED) return isCounted() ? flaws | flaw(Rule.CookiePredictable) : flaws;
  const secure = has(CookieAttribute.Secure);
  if (!secure) flaws |= flaw(Rule.CookieSecure);
  if (!has(CookieAttribute.HttpOnly)) flaws |= flaw(Rule.CookieHttponly);
  const sameSite = valueOf(CookieAttribute.SameSite);
  if (sameSite == 0 || (!secure && textIsNoCase(sameSite, endOf(CookieAttribute.SameSite), "none"))) {
    flaws |= flaw(Rule.CookieSamesite);
  }
  if (isAbove(valueOf(CookieAttribute.Domain), endOf(CookieAttribute.Domain))) flaws |= flaw(Rule.CookieDomain);
  if (lifetime() >= LONGEST) flaws |= flaw(Rule.CookieLifetime);
  return isPublic() ? flaws | flaw(Rule.CookieCacheable) : flaws;
}

/** What depends on who gets the cookie, or on what the service does with it. */
const GUESSED: u32 =
  AUTHORITIES |
  (1 << (Rule.CookieSamesite - Rule.CookieSecure)) |
  (1 << (Rule.CookieDomain - Rule.CookieSecure)) |
  (1 << (Rule.CookiePredictable - Rule.CookieSecure));

/** The cookie's name is the evidence, never its value. */
function tellFlaws(flaws: u32): void {
  for (let rule: u32 = Rule.CookieSecure; flaws != 0; rule++, flaws >>>= 1) {
    if ((flaws & 1) == 0) continue;
    const stage = ((GUESSED >> (rule - Rule.CookieSecure)) & 1) != 0 ? Stage.Likely : Stage.Confirmed;
    note(rule, stage, Part.Cookie, name, nameEnd, name, nameEnd);
  }
}

function readAttributes(at: usize, end: usize): void {
  memory.fill(VALUES, 0, 64);
  while (at < end) {
    const stop = findByte(at + 1, end, Char.Semicolon);
    const word = skipSpaces(at + 1, stop);
    let wordEnd = findByte(word, stop, Char.Equals);
    const from = min(skipSpaces(wordEnd + 1, stop), stop);
    while (wordEnd > word && isSpace(byteAt(wordEnd - 1))) wordEnd--;
    const kind = wordIn(COOKIE_ATTRIBUTE, word, wordEnd);
    if (kind != 0) {
      store<u32>(VALUES + ((<usize>kind) << 3), <u32>from);
      store<u32>(VALUES + ((<usize>kind) << 3), <u32>stop, 4);
    }
    at = stop;
  }
}

function has(kind: u32): bool {
  return valueOf(kind) != 0;
}

function valueOf(kind: u32): usize {
  return load<u32>(VALUES + ((<usize>kind) << 3));
}

function endOf(kind: u32): usize {
  return load<u32>(VALUES + ((<usize>kind) << 3), 4);
}

/** Whether the cookie keeps what the names `__Host-` and `__Secure-` promise. */
function keepsPrefix(): bool {
  const ofHost = textStarts(name, nameEnd, "__Host-");
  if (!ofHost && !textStarts(name, nameEnd, "__Secure-")) return true;
  if (!has(CookieAttribute.Secure)) return false;
  return (
    !ofHost || (!has(CookieAttribute.Domain) && textIs(valueOf(CookieAttribute.Path), endOf(CookieAttribute.Path), "/"))
  );
}

/** The cookie is a session's, and its value a number that may be the next of a row. */
function isCounted(): bool {
  if (valueEnd - value < 2 || !isSession(name, nameEnd)) return false;
  for (let at = value; at < valueEnd; at++) if (!isDigit(byteAt(at))) return false;
  return true;
}

/** The value is a word, without a signature. */
function isPlain(): bool {
  if (valueEnd - value > ROLE) return false;
  for (let at = value; at < valueEnd; at++) if (!isWord(byteAt(at)) && byteAt(at) != Char.Dash) return false;
  return true;
}

/** Whether a Domain is above the host that was asked. */
function isAbove(start: usize, end: usize): bool {
  if (start < end && byteAt(start) == Char.Dot) start++;
  const size = end - start;
  const own = withoutPort(ownHost, ownHostEnd);
  return (
    size != 0 &&
    own - ownHost > size + 1 &&
    byteAt(own - size - 1) == Char.Dot &&
    sameBytesNoCase(own - size, own, start, end)
  );
}

/** The cookie is over as it comes: Max-Age of 0 or less, an Expires long ago. */
function isOver(): bool {
  const age = valueOf(CookieAttribute.MaxAge);
  if (age != 0) return byteAt(age) == Char.Dash || byteAt(age) == Char._0;
  const expires = valueOf(CookieAttribute.Expires);
  return expires != 0 && yearIn(expires, endOf(CookieAttribute.Expires)) < FIRST_YEAR;
}

/** Seconds for which the cookie is kept, as far as they are known; 0 for as long as the browser runs. */
function lifetime(): u64 {
  const age = valueOf(CookieAttribute.MaxAge);
  if (age != 0) return numberAt(age, endOf(CookieAttribute.MaxAge));
  const now = yearIn(lineOf(HeaderKind.Date), lineEndOf(HeaderKind.Date));
  const then = yearIn(valueOf(CookieAttribute.Expires), endOf(CookieAttribute.Expires));
  // With the turn of two years at least one lies between.
  return now != 0 && then > now + 1 ? LONGEST : 0;
}

/** The year in a date ("Wed, 21 Oct 2026 …", "21-Oct-2026"), 0 where it has none. */
function yearIn(start: usize, end: usize): u64 {
  for (; start + 4 <= end; start++) {
    const year = numberAt(start, start + 4);
    if (year > 999) return year;
  }
  return 0;
}
