// Who asks, as far as a request says: a keyed hash of the user that its credential names, else of the credential itself. Nothing is
// verified here; the service has answered it with what it would give to that user.
//
//   Authorization   a JWT: its issuer and subject │ Basic: the user │ any other: the token
//   else a cookie whose name says that it holds a session, a JWT likewise
//   else a key of an API

import { base64Value, byteAt, findByte, isLetter, isSpace, putByte, sameBytesNoCase, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { SIPHASH_KEY_SIZE, sipHash } from "../core/siphash";
import {
  endsWithOneOf,
  holdsTextNoCase,
  isOneOf,
  textIs,
  textBytes,
  textIsNoCase,
  textSize,
  textStarts,
  textStartsNoCase,
} from "../core/text";
import { hashingKey } from "../observe/hop-keys";
import { cookieName, cookieNameEnd, cookieValue, cookieValueEnd, nextCookie, openCookies } from "../parse/cookie";
import { authorization, authorizationEnd, isApiKey, requestHeaders, requestHeadersEnd } from "./exchange";

/** By what a subject is known. */
export const enum Subject {
  Anonymous = 0,
  Jwt = 1,
  Basic = 2,
  /** These change while the user is the same. */
  Token = 3,
  Cookie = 4,
  Key = 5,
}

export function subjectName(kind: u32): string {
  switch (kind) {
    case Subject.Jwt:
      return "jwt";
    case Subject.Basic:
      return "basic";
    case Subject.Token:
      return "token";
    case Subject.Cookie:
      return "cookie";
    case Subject.Key:
      return "key";
  }
  return "anonymous";
}

/** What `readSubject` found; 0 for nobody. */
export let subject: u64 = 0;
export let subjectKind: Subject = Subject.Anonymous;
/** The hash that an id has which is what a token names its subject by, 0 for none. */
export let self: u64 = 0;
/** It says that it is of somebody who works there, or of no person. */
export let staff: bool = false;

/** The credential that says so, without its scheme: how it is sent, and under which name; empty for none. */
export let credential: usize = 0;
export let credentialEnd: usize = 0;
export let credentialKind: Subject = Subject.Anonymous;
export let credentialName: usize = 0;
export let credentialNameEnd: usize = 0;

/** Finds the credential of the request of the exchange at work. */
export function findCredential(): void {
  credential = credentialEnd = 0;
  credentialKind = Subject.Anonymous;
  if (authorization < authorizationEnd) {
    let token = authorization;
    while (token < authorizationEnd && !isSpace(byteAt(token))) token++;
    token = skipSpaces(token, authorizationEnd);
    const isBasic = textStartsNoCase(authorization, authorizationEnd, "basic ");
    const header = textBytes("authorization");
    const size = textSize("authorization");
    take(isBasic ? Subject.Basic : Subject.Token, token == authorizationEnd ? authorization : token, authorizationEnd);
    credentialName = header;
    credentialNameEnd = header + size;
    return;
  }
  let best: u32 = 0;
  openPairs(requestHeaders, requestHeadersEnd);
  while (nextPair()) {
    if (textIs(pairName, pairNameEnd, "cookie")) {
      openCookies(pairValue, pairValueEnd);
      while (nextCookie()) {
        const rank = sessionRank(cookieName, cookieNameEnd);
        if (rank <= best || cookieValue == cookieValueEnd) continue;
        best = rank;
        take(Subject.Cookie, cookieValue, cookieValueEnd);
        credentialName = cookieName;
        credentialNameEnd = cookieNameEnd;
      }
    } else if (best == 0 && credential == credentialEnd && isApiKey(pairName, pairNameEnd)) {
      take(Subject.Key, pairValue, pairValueEnd);
      credentialName = pairName;
      credentialNameEnd = pairNameEnd;
    }
  }
}

function take(kind: Subject, start: usize, end: usize): void {
  credentialKind = kind;
  credential = start;
  credentialEnd = end;
}

/** Finds who sends the request of the exchange at work. */
export function readSubject(): void {
  if (isDefined(CHECKED)) assert(SIPHASH_KEY_SIZE == 16);
  subject = self = 0;
  staff = false;
  subjectKind = Subject.Anonymous;
  findCredential();
  if (credentialKind != Subject.Key && nameJwt(credential, credentialEnd)) return;
  if (credentialKind == Subject.Basic) {
    const end = findByte(DECODED, decode(credential, credentialEnd), Char.Colon);
    staff = isStaff(end);
    name(Subject.Basic, DECODED, end);
  } else {
    name(credentialKind, credential, credentialEnd);
  }
}

function name(kind: Subject, start: usize, end: usize): void {
  if (start == end) return;
  subjectKind = kind;
  subject = sipHash(hashingKey(0), start, end);
}

/** Bytes of a token that are decoded; what has its subject behind that is taken as a whole. */
const ROOM: usize = 2048;
const DECODED: usize = memory.data(2048 + 64);

/** Decodes base64 in either alphabet to DECODED, as far as it goes; its end. */
function decode(start: usize, end: usize): usize {
  let out = DECODED;
  let bits: u32 = 0;
  let count: u32 = 0;
  for (; start < end && out < DECODED + ROOM; start++) {
    const value = base64Value(byteAt(start));
    if (value == 64) break;
    bits = (bits << 6) | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out = putByte(out, (bits >> count) & 0xff);
  }
  return out;
}

/** Decodes the claims of a JWT; 0 where it is none, else where they end. */
function claimsOf(start: usize, end: usize): usize {
  if (!textStarts(start, end, "eyJ")) return 0;
  const first = findByte(start, end, Char.Dot);
  const second = findByte(min(first + 1, end), end, Char.Dot);
  return second == end ? 0 : decode(first + 1, second);
}

/** Whether the credential that was found is a token that does not name the site `start..end`: it was issued by and for others. */
export function isForOthers(start: usize, end: usize): bool {
  const claimsEnd = claimsOf(credential, credentialEnd);
  for (let at = DECODED; at + (end - start) <= claimsEnd; at++) {
    if (sameBytesNoCase(at, at + (end - start), start, end)) return false;
  }
  return claimsEnd != 0;
}

/** Takes the subject of a JWT; false where it is none, or has no subject. */
function nameJwt(start: usize, end: usize): bool {
  const claimsEnd = claimsOf(start, end);
  if (claimsEnd == 0 || !findClaim(DECODED, claimsEnd, "sub")) return false;
  name(Subject.Jwt, claim, claimEnd);
  self = subject;
  staff = isStaff(claimsEnd);
  if (findClaim(DECODED, claimsEnd, "iss")) subject ^= rotl<u64>(sipHash(hashingKey(0), claim, claimEnd), 1);
  return subject != 0;
}

/** Whether what is decoded up to `end` says so. */
function isStaff(end: usize): bool {
  for (let at = DECODED; at < end; at++) {
    if (isLetter(byteAt(at)) && (at == DECODED || !isLetter(byteAt(at - 1))) && isOffice(at, end)) return true;
  }
  return false;
}

function isOffice(at: usize, end: usize): bool {
  let last = at;
  while (last < end && isLetter(byteAt(last))) last++;
  return isOneOf(at, last, "admin administrator staff support operator agent manager employee internal credentials ");
}

let claim: usize = 0;
let claimEnd: usize = 0;

/** Finds a member of an object, not of those in it: a text or a number that is not empty. */
function findClaim(start: usize, end: usize, member: string): bool {
  let depth: u32 = 0;
  while (start < end) {
    const byte = byteAt(start);
    if (byte == Char.BraceOpen || byte == Char.BracketOpen) depth++;
    else if (byte == Char.BraceClose || byte == Char.BracketClose) depth--;
    if (byte != Char.DoubleQuote) {
      start++;
      continue;
    }
    const from = start + 1;
    const to = stringEnd(from, end);
    start = skipSpaces(min(to + 1, end), end);
    if (depth != 1 || start == end || byteAt(start) != Char.Colon || !textIs(from, to, member)) continue;
    claim = skipSpaces(start + 1, end);
    if (byteAt(claim) == Char.DoubleQuote) claimEnd = stringEnd(++claim, end);
    else for (claimEnd = claim; claimEnd < end && byteAt(claimEnd) - Char._0 < 10;) claimEnd++;
    return claim < claimEnd;
  }
  return false;
}

/** Where the string of JSON ends whose first byte is at `at`. */
function stringEnd(at: usize, end: usize): usize {
  while (at < end && byteAt(at) != Char.DoubleQuote) at += byteAt(at) == Char.Backslash ? 2 : 1;
  return min(at, end);
}

/** How surely a cookie of that name holds a session: 0 for not at all. */
function sessionRank(start: usize, end: usize): u32 {
  if (holdsTextNoCase(start, end, "csrf") || holdsTextNoCase(start, end, "xsrf")) return 0;
  if (endsWithOneOf(start, end, "refresh_token refreshtoken ")) return 0;
  const surely = "session sessionid session_id session-id sessid .sid _sid .application ";
  if (textIsNoCase(start, end, "sid") || endsWithOneOf(start, end, surely)) return 2;
  return endsWithOneOf(start, end, "token auth jwt ") ? 1 : 0;
}
