// Who asks, as far as a request says: a keyed hash of the user that its credential names, else of the credential itself. Nothing is
// verified here; the service has answered it with what it would give to that user.
//
//   Authorization   a JWT: its issuer and subject │ Basic: the user │ any other: the token
//   else a cookie whose name says that it holds a session, a JWT likewise
//   else a key of an API

import { byteAt, findByte, isLetter, isSpace, sameBytesNoCase, skipSpaces } from "../core/bytes";
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
import { claim, claimed, claimedEnd, claimEnd, claims, claimsEnd, nextClaim, openClaims, plain } from "../parse/claims";
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
    openClaims(credential, credentialEnd);
    const end = findByte(claims, claimsEnd, Char.Colon);
    staff = isStaff(end);
    name(Subject.Basic, claims, end);
  } else {
    name(credentialKind, credential, credentialEnd);
  }
}

function name(kind: Subject, start: usize, end: usize): void {
  if (start == end) return;
  subjectKind = kind;
  subject = sipHash(hashingKey(0), start, end);
}

/** Decodes the claims of a JWT, to be read; false where it is none. */
function openToken(start: usize, end: usize): bool {
  if (!textStarts(start, end, "eyJ")) return false;
  const first = findByte(start, end, Char.Dot);
  const second = findByte(min(first + 1, end), end, Char.Dot);
  if (second == end) return false;
  openClaims(first + 1, second);
  return true;
}

/** Whether the credential that was found is a token that does not name the site `start..end`: it was issued by and for others. */
export function isForOthers(start: usize, end: usize): bool {
  if (!openToken(credential, credentialEnd)) return false;
  for (let at = claims; at + (end - start) <= claimsEnd; at++) {
    if (sameBytesNoCase(at, at + (end - start), start, end)) return false;
  }
  return true;
}

/** Takes the subject of a JWT; false where it is none, or has no subject. */
function nameJwt(start: usize, end: usize): bool {
  if (!openToken(start, end)) return false;
  let user: u64 = 0;
  let issuer: u64 = 0;
  while (nextClaim()) {
    if (!plain || claimed == claimedEnd) continue;
    if (user == 0 && textIs(claim, claimEnd, "sub")) user = sipHash(hashingKey(0), claimed, claimedEnd);
    else if (issuer == 0 && textIs(claim, claimEnd, "iss")) issuer = sipHash(hashingKey(0), claimed, claimedEnd);
  }
  if (user == 0) return false;
  self = user;
  staff = isStaff(claimsEnd);
  subjectKind = Subject.Jwt;
  subject = user ^ rotl<u64>(issuer, 1);
  return subject != 0;
}

/** Whether what is decoded up to `end` says so. */
function isStaff(end: usize): bool {
  for (let at = claims; at < end; at++) {
    if (isLetter(byteAt(at)) && (at == claims || !isLetter(byteAt(at - 1))) && isOffice(at, end)) return true;
  }
  return false;
}

function isOffice(at: usize, end: usize): bool {
  let last = at;
  while (last < end && isLetter(byteAt(last))) last++;
  return isOneOf(at, last, "admin administrator staff support operator agent manager employee internal credentials ");
}

/** How surely a cookie of that name holds a session: 0 for not at all. */
function sessionRank(start: usize, end: usize): u32 {
  if (holdsTextNoCase(start, end, "csrf") || holdsTextNoCase(start, end, "xsrf")) return 0;
  if (endsWithOneOf(start, end, "refresh_token refreshtoken ")) return 0;
  const surely = "session sessionid session_id session-id sessid .sid _sid .application ";
  if (textIsNoCase(start, end, "sid") || endsWithOneOf(start, end, surely)) return 2;
  return endsWithOneOf(start, end, "token auth jwt ") ? 1 : 0;
}
