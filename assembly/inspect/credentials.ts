// What a request says to prove who sends it, and what the service made of it: passwords in clear, passwords that everybody knows, secrets
// in addresses. A service may pass over what it is sent; that it looks is known once the endpoint has refused somebody.

import { byteAt, findByte, isDigit, isLetter, sameBytes, sameBytesNoCase } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { holdsTextNoCase, textStarts, textStartsNoCase } from "../core/text";
import { DEFAULT_LOGIN, URL_SECRET, UrlSecret } from "../generated/credential";
import { HeaderKind } from "../generated/header";
import { Rule } from "../generated/rules";
import { wordIn } from "../match/vocabulary";
import { nextCookie, cookieName, cookieNameEnd, cookieValue, cookieValueEnd, openCookies } from "../parse/cookie";
import { nextQuery, openQuery, queryName, queryNameEnd, queryValue, queryValueEnd } from "../parse/query";
import { decodeBase64 } from "../parse/word";
import {
  authorization,
  authorizationEnd,
  credentials,
  Credentials,
  endpoint,
  host,
  hostEnd,
  https,
  path,
  pathEnd,
  query,
  queryEnd,
  status,
} from "./exchange";
import { isLogin } from "./cookies";
import { lineEndOf, lineOf, NAME, noteLine, noteNamed, putName } from "./lines";
import { markOf, setMark } from "./marks";
import { note } from "./note";
import { inspectSerialValue } from "./serialized";
import { inspectTokens } from "./tokens";

/** Makes a key of an endpoint's that has refused somebody. */
const GUARDED: u32 = 0x2b992ddf;
/** Characters of a secret at least. */
const SECRET: usize = 16;
/** Bytes of a name and a password that are decoded. */
const LOGIN_CAPACITY: usize = 96;
const LOGIN: usize = memory.data(112, 8);

/** How sure it is that the endpoint has taken what it was sent. */
export function takenStage(): Stage {
  return markOf(endpoint ^ GUARDED) != 0 ? Stage.Confirmed : Stage.Likely;
}

/** Whether it may have. */
export function isTaken(): bool {
  return status < 400;
}

/** Whether whoever is on the way can read along: no TLS, no sidecar on the other side, and not the own machine. */
export function isClear(): bool {
  if (https || (credentials & Credentials.Mtls) != 0) return false;
  return (
    !textStartsNoCase(host, hostEnd, "localhost") &&
    !textStarts(host, hostEnd, "127.") &&
    !textStarts(host, hostEnd, "[")
  );
}

export function inspectCredentials(): void {
  if (status == 401 || status == 403) setMark(endpoint ^ GUARDED, 1);
  const basic = (credentials & Credentials.Basic) != 0;
  const challenge = lineOf(HeaderKind.Challenge);
  if (isClear()) {
    if (basic)
      noteNamed(Rule.AuthBasicClear, Stage.Likely, Part.Header, "authorization", authorization, authorization + 6);
    else if (status == 401 && textStartsNoCase(challenge, lineEndOf(HeaderKind.Challenge), "basic")) {
      noteLine(Rule.AuthBasicClear, Stage.Likely, HeaderKind.Challenge);
    }
  }
  inspectAddress(query, queryEnd, Part.Query);
  const location = lineOf(HeaderKind.Location);
  inspectAddress(location, lineEndOf(HeaderKind.Location), Part.ResponseHeader);
  if (holdsTextNoCase(location, lineEndOf(HeaderKind.Location), ";jsessionid=")) {
    noteLine(Rule.AuthTokenInUrl, Stage.Confirmed, HeaderKind.Location);
  }
  if (!isTaken()) return;
  if (basic) inspectLogin();
  // Servlets, ASP.NET.
  if (holdsTextNoCase(path, pathEnd, ";jsessionid=") || holdsTextNoCase(path, pathEnd, "/(s(")) {
    noteNamed(Rule.AuthTokenInUrl, Stage.Confirmed, Part.Path, "session", path, pathEnd);
  }
  inspectCarried();
}

/** Whether a login by Basic is one that everybody knows. */
function inspectLogin(): void {
  const start = authorization + 6;
  const end = decodeBase64(start, min(authorizationEnd, start + LOGIN_CAPACITY), LOGIN);
  const colon = findByte(LOGIN, end, Char.Colon);
  if (colon == LOGIN || colon == end) return;
  const same = sameBytesNoCase(LOGIN, colon, colon + 1, end);
  if (!same && colon + 1 != end && wordIn(DEFAULT_LOGIN, LOGIN, end) == 0) return;
  // A name that is a long random word is a key, and has no password.
  if (colon + 1 == end && (colon - LOGIN >= SECRET || hasDigit(LOGIN, colon))) return;
  noteNamed(Rule.AuthDefaultAccepted, takenStage(), Part.Header, "authorization", LOGIN, end);
}

/** Tokens and serialized objects that the request carries in its headers and its query. */
function inspectCarried(): void {
  inspectTokens(authorization, authorizationEnd, Part.Header, NAME, putName("authorization"), false);
  openCookies(lineOf(HeaderKind.Cookie), lineEndOf(HeaderKind.Cookie));
  while (nextCookie()) {
    inspectTokens(cookieValue, cookieValueEnd, Part.Cookie, cookieName, cookieNameEnd, false);
    inspectSerialValue(cookieValue, cookieValueEnd, Part.Cookie, cookieName, cookieNameEnd);
  }
  openQuery(query, queryEnd);
  while (nextQuery()) inspectSerialValue(queryValue, queryValueEnd, Part.Query, queryName, queryNameEnd);
}

/** Says which parameters of an address, or of a query alone, are secrets. */
export function inspectAddress(start: usize, end: usize, part: Part): void {
  if (start >= end) return;
  if (part != Part.Query) {
    start = findByte(start, end, Char.Question) + 1;
    end = findByte(start, end, Char.Hash);
  } else if (!isTaken()) return;
  openQuery(start, end);
  while (nextQuery()) {
    const kind = textStartsNoCase(queryName, queryNameEnd, "aspsessionid")
      ? <u32>UrlSecret.Session
      : wordIn(URL_SECRET, queryName, queryNameEnd);
    const size = queryValueEnd - queryValue;
    if (isToken(queryValue, queryValueEnd) || (part == Part.Query && isOwnSession())) {
      tellUrl(Rule.AuthTokenInUrl, Stage.Confirmed, part);
      continue;
    }
    if (kind == 0) continue;
    if (kind == UrlSecret.Password) {
      if (size > 3 && byteAt(queryValue) != Char.Star) tellUrl(Rule.AuthPasswordInUrl, Stage.Confirmed, part);
    } else if (kind == UrlSecret.Session || kind == UrlSecret.Visit) {
      // The ids of a connection (Engine.IO), and of what is paid, are no visitor's.
      if (!isIdentifier(queryValue, queryValueEnd) || holdsTextNoCase(start, end, "transport=")) continue;
      if (textStarts(queryValue, queryValueEnd, "cs_")) continue;
      tellUrl(Rule.AuthTokenInUrl, kind == UrlSecret.Visit ? Stage.Likely : Stage.Confirmed, part);
    } else if (kind != UrlSecret.Maybe && size >= SECRET && hasDigit(queryValue, queryValueEnd)) {
      tellUrl(Rule.AuthTokenInUrl, kind == UrlSecret.Key ? Stage.Likely : Stage.Confirmed, part);
    }
  }
}

/** Whether a value is a JSON Web Token, whatever it is called: a header and claims, which begin as objects do, and a signature. */
function isToken(start: usize, end: usize): bool {
  if (!textStarts(start, end, "eyJ")) return false;
  const claims = findByte(start, end, Char.Dot) + 1;
  if (claims >= end || !textStarts(claims, end, "eyJ")) return false;
  return findByte(claims, end, Char.Dot) + SECRET < end;
}

/** Whether the value is that of a cookie of the request that stands for a log-in. */
function isOwnSession(): bool {
  if (queryValueEnd - queryValue < SHORTEST) return false;
  openCookies(lineOf(HeaderKind.Cookie), lineEndOf(HeaderKind.Cookie));
  while (nextCookie()) {
    if (sameBytes(cookieValue, cookieValueEnd, queryValue, queryValueEnd) && isLogin(cookieName, cookieNameEnd))
      return true;
  }
  return false;
}

/** Characters of a session at least; of letters and digits in one piece, where only its form tells. */
const SHORTEST: usize = 6;
const PIECE: usize = 12;

/** Whether it has a piece that is no word and no number: letters and digits, as many as a UUID has at its end. */
function isIdentifier(start: usize, end: usize): bool {
  for (let at = start; at < end; at++) {
    const from = at;
    let digits: usize = 0;
    for (; at < end && (isDigit(byteAt(at)) || isLetter(byteAt(at))); at++) digits += usize(isDigit(byteAt(at)));
    if (at - from >= PIECE && digits > 1 && digits < at - from) return true;
  }
  return false;
}

function tellUrl(rule: u32, stage: Stage, part: Part): void {
  note(rule, stage, part, queryName, queryNameEnd, queryName, queryNameEnd);
}

function hasDigit(start: usize, end: usize): bool {
  while (start < end && !isDigit(byteAt(start))) start++;
  return start < end;
}
