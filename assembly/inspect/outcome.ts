// What an attack on a query has changed. Of an endpoint is kept what it answers ordinary requests (marks.ts): whether it refuses log-ins,
// and how many records it lists. *Likely*, for who is right once, and a list that was longer than ever, have other reasons, too.
//
//   ordinary  POST /login user=ada&password=x       401          attack  user=' or 1=1--   200, without any credential, or a session's cookie
//   ordinary  GET /items?name=chair                 3 records    attack  name=' or 1=1--   40 records
//   ordinary  GET /items?kind=chair                 1 record     attack  kind=chair' or '1'='1   3 records, and kind=chair' and '1'='2   none
//   ordinary  GET /items?kind=chair                 no address   attack  kind=' union select email …   two addresses of people
//
// Like is compared with like: requests with the same kind of credential, and with parameters of the same names.

import { byteAt, findByte, isDigit, isQuote, isWord, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { HASH_SEED, hashBytes } from "../core/hash";
import { countByte } from "../core/scan";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { holdsTextNoCase, textIs } from "../core/text";
import { LOGIN_NAMES, SOUGHT_NAMES } from "../generated/response";
import { Rule, RuleClass } from "../generated/rules";
import { wordWithin } from "../match/vocabulary";
import { nextParameter, openParameters, parameterName, parameterNameEnd, parameterPart } from "../observe/parameters";
import { observedParameters } from "../observe/observed";
import { Taint, taintAt, taintName, taintNameEnd, taintValue, taintValueEnd, Watch } from "../observe/taint";
import { nextQuery, openQuery, queryName, queryNameEnd } from "../parse/query";
import { bearOut } from "./bear";
import { isLogin } from "./cookies";
import { isClear } from "./credentials";
import {
  credentials,
  Credentials,
  endpoint,
  query,
  queryEnd,
  requestType,
  requestTypeEnd,
  responseHeaders,
  responseHeadersEnd,
  status,
} from "./exchange";
import { markOf, setMark } from "./marks";
import { note } from "./note";
import { BodyType, reply, replyEnd, replyStatus, replyType } from "./reply";

const DESER: u32 = 1 << RuleClass.Deser;
const QUERIES: u32 = (1 << RuleClass.Sqli) | (1 << RuleClass.Nosqli);
/** Make keys of an endpoint's. */
const LOGIN: u32 = 0x7c41e09b;
const AMOUNT: u32 = 0x1f83d9ab;
const NUMBERS: u32 = 0x3c6ef372;

/** Of log-ins: some were refused, or answered without a session. */
const REFUSED: u32 = 1;
const PLAIN: u32 = 2;

/** Looks at the headers of a response to a request that is a log-in; `alone`: each exchange is judged by itself. */
export function inspectLoginOutcome(watch: Watch, alone: bool): void {
  if (!asksPassword(observedParameters(watch.observed)) || alone) return;
  if ((credentials & ~(<u32>Credentials.Cookie)) != 0) return;
  const key = endpoint ^ LOGIN ^ (credentials << 1);
  const known = markOf(key);
  const issued = status < 400 && issuesLogin();
  if (!watch.suspicious) {
    const seen = status == 401 || status == 403 ? REFUSED : status < 400 && !issued ? PLAIN : 0;
    if ((known | seen) != known) setMark(key, known | seen);
  } else if (status < 400 && (issued ? known != 0 : credentials == 0 && (known & REFUSED) != 0)) {
    const cookies = responseHeaders;
    bearOutQueries(watch, true, cookies, cookies);
  }
}

/** Readers of YAML refuse tags that they do not know: one that takes what names an object of a language builds it. */
export function inspectTags(watch: Watch): void {
  if (status / 100 != 2 || !holdsTextNoCase(requestType, requestTypeEnd, "yaml")) return;
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    if ((taint.classes & DESER) == 0) continue;
    bearOut(taint, DESER, Rule.DeserTypeCarried, Stage.Likely, responseHeaders, responseHeaders);
  }
}

/** Whether the request has a password; it is told of one that comes in clear. */
function asksPassword(parameters: usize): bool {
  openParameters(parameters);
  while (nextParameter()) {
    if (!isPassword(parameterName, parameterNameEnd)) continue;
    if (isClear()) {
      const end = parameterNameEnd;
      note(Rule.AuthFormClear, Stage.Likely, parameterPart, parameterName, end, parameterName, end);
    }
    return true;
  }
  openQuery(query, queryEnd);
  while (nextQuery()) {
    if (isPassword(queryName, queryNameEnd)) return true;
  }
  return false;
}

/** Whether a parameter's name says that it is a password. */
function isPassword(start: usize, end: usize): bool {
  return holdsTextNoCase(start, end, "passw") || holdsTextNoCase(start, end, "pwd") || textIs(start, end, "pass");
}

/** Whether the response sets a cookie that stands for a log-in. */
function issuesLogin(): bool {
  openPairs(responseHeaders, responseHeadersEnd);
  while (nextPair()) {
    if (!textIs(pairName, pairNameEnd, "set-cookie")) continue;
    const end = findByte(pairValue, pairValueEnd, Char.Equals);
    if (end + 1 < pairValueEnd && byteAt(end + 1) != Char.Semicolon && isLogin(pairValue, end)) return true;
  }
  return false;
}

/** The values that a detector took for an attack on a query have done it: of those that say who comes (`named`), or what is sought. */
function bearOutQueries(watch: Watch, named: bool, start: usize, end: usize): void {
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    const classes = taint.classes & QUERIES;
    if (
      classes == 0 ||
      !(named ? wordWithin(LOGIN_NAMES, taintName(taint), taintNameEnd(taint)) != 0 : isSought(taint))
    )
      continue;
    bearOutQuery(taint, start, end);
  }
}

function bearOutQuery(taint: Taint, start: usize, end: usize): void {
  const classes = taint.classes & QUERIES;
  const rule = (classes & (1 << RuleClass.Sqli)) != 0 ? Rule.SqliError : Rule.NosqliError;
  bearOut(taint, classes, rule, Stage.Likely, start, end);
}

/**
 * Whether a value says what is sought, by its name, or stands in the path: others are passed over where they are none of a list, and
 * so are operators in a name, and then everything is listed.
 */
function isSought(taint: Taint): bool {
  const name = taintName(taint);
  const end = taintNameEnd(taint);
  if (findByte(name, end, Char.Dollar) < end) return false;
  // "q", "id"
  return taint.part == Part.Path || wordWithin(SOUGHT_NAMES, name, end) != 0 || end - name < 3;
}

/** Records that a list has more than the longest one before, at least; tags of a page. */
const MORE: u32 = 3;
const MORE_TAGS: u32 = 8;
/** What is kept of a list: the amount of the longest, above it how often it was asked for, and whether it showed addresses of people. */
const MOST: u32 = 0xffff;
const TIMES: u32 = 0x7fff;
const NAMED: u32 = 0x80000000;

/** Looks at the body of a response, how much of it there is. */
export function inspectAmount(watch: Watch): void {
  if (replyStatus != 200) return;
  let names: u32 = 0;
  let key = endpoint ^ AMOUNT;
  openQuery(query, queryEnd);
  while (nextQuery()) {
    key = (key ^ hashOfName(queryName, queryNameEnd)) * 0x01000193;
    names++;
  }
  openParameters(observedParameters(watch.observed));
  while (nextParameter()) {
    key = (key ^ hashOfName(parameterName, parameterNameEnd)) * 0x01000193;
    names++;
  }
  const page = replyType == BodyType.Html;
  const mark: u32 = replyType == BodyType.Json ? Char.BraceOpen : page ? Char.Less : Char.LineFeed;
  const amount = min(countByte(reply, replyEnd, mark), MOST);
  const known = markOf(key);
  const most = known & MOST;
  const times = (known & ~NAMED) >>> 16;
  if (!watch.suspicious) {
    const named = (known & NAMED) != 0 || findAddress(reply) < replyEnd ? NAMED : 0;
    return setMark(key, max(most, amount) | (min(times + 1, TIMES) << 16) | named);
  }
  // Of several parameters another one may have been chosen.
  if (times < min(names, 2) || known == 0) return;
  const more = page ? most + (most >>> 1) + MORE_TAGS : max(most * 2, most + MORE);
  if (amount >= more) bearOutQueries(watch, false, reply, min(replyEnd, reply + 64));
  inspectStatement(watch, key, known, most, amount, page ? more : max(most * 2, most + PAIRED));
}

/** Records more than the longest list has one of two attacks that begin alike, of which the other has fewer. */
const PAIRED: u32 = 2;
/** Make keys of an endpoint's with the names of its parameters. */
const PAIR: u32 = 0x6a09e667;
const EXTREMES: u32 = 0x510e527f;

/**
 * Looks at what the statement did that a value became a part of, whatever its name. Two values that begin alike, `chair' and '1'='2` and
 * `chair' or '1'='1`: a search by words finds for either what it finds for "chair", and what drops a filter that it cannot read lists
 * all for both. And a second SELECT that brings along addresses of people, of which there never were any.
 */
function inspectStatement(watch: Watch, key: u32, known: u32, most: u32, amount: u32, more: u32): void {
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    if ((taint.classes & QUERIES) == 0) continue;
    const start = taintValue(taint);
    const end = taintValueEnd(taint);
    const parted = partedAt(start, end);
    if (parted > start && parted < end) {
      const pair = <u32>hashBytes(start, parted, hashBytes(taintName(taint), taintNameEnd(taint), HASH_SEED));
      const extremes = markOf(key ^ PAIR) == pair ? markOf(key ^ EXTREMES) : MOST;
      const least = min(extremes & MOST, amount);
      const largest = max(extremes >>> 16, amount);
      setMark(key ^ PAIR, pair);
      setMark(key ^ EXTREMES, least | (largest << 16));
      if (least < most && largest >= more) return bearOutQuery(taint, reply, min(replyEnd, reply + 64));
    }
    if (known < 2 << 16 || known >= NAMED || !holdsTextNoCase(start, end, "select")) continue;
    if (findPeople()) return bearOutQuery(taint, people, peopleEnd);
  }
}

/** Where what was sought may end, and the statement go on: behind a number, or at the first quote. */
function partedAt(start: usize, end: usize): usize {
  let at = start;
  while (at < end && isDigit(byteAt(at))) at++;
  if (at == start) while (at < end && !isQuote(byteAt(at))) at++;
  return at;
}

/** The first address of the last `findPeople`. */
let people: usize = 0;
let peopleEnd: usize = 0;

/** Whether the response shows two different addresses of people; the first of them is kept. One may be that of the service's help. */
function findPeople(): bool {
  people = findAddress(reply);
  peopleEnd = addressEnd;
  for (let at = peopleEnd; at < replyEnd; at = addressEnd) {
    at = findAddress(at);
    if (at < replyEnd && !sameBytes(people, peopleEnd, at, addressEnd)) return true;
  }
  return false;
}

/** Where the address ends that `findAddress` has found. */
let addressEnd: usize = 0;

/** The next e-mail address from `at` on, the reply's end for none. */
function findAddress(at: usize): usize {
  for (at = findByte(at, replyEnd, Char.At); at < replyEnd; at = findByte(at + 1, replyEnd, Char.At)) {
    let start = at;
    while (start > reply && isOfAddress(byteAt(start - 1))) start--;
    let end = at + 1;
    let dots = false;
    while (end < replyEnd && isOfAddress(byteAt(end))) dots = byteAt(end++) == Char.Dot || dots;
    if (start == at || !dots || end - at < 4) continue;
    addressEnd = end;
    return start;
  }
  addressEnd = replyEnd;
  return replyEnd;
}

function isOfAddress(byte: u32): bool {
  return isWord(byte) || byte == Char.Dash || byte == Char.Dot;
}

/** The hash of a parameter's name, without the operator that it may have: "user[$ne]", "user.$ne". */
function hashOfName(start: usize, end: usize): u32 {
  const bracket = findByte(start, end, Char.BracketOpen);
  const dollar = findByte(start, bracket, Char.Dollar);
  return <u32>hashBytes(start, dollar < bracket && dollar > start ? dollar - 1 : dollar, HASH_SEED);
}

/** Which numbers of two to four digits stand in the page of an ordinary request: a bit each by their hash. */
export function learnNumbers(): void {
  if (replyStatus != 200) return;
  const key = endpoint ^ NUMBERS;
  let bits = markOf(key) | KNOWN;
  for (let at = reply; at < replyEnd; at++) {
    let number: u32 = 0;
    let digits: u32 = 0;
    for (; at < replyEnd && byteAt(at) - Char._0 < 10; at++) {
      number = number * 10 + (byteAt(at) - Char._0);
      digits++;
    }
    if (digits - 2 < 3) bits |= bitOf(number);
  }
  setMark(key, bits);
}

const KNOWN: u32 = 1;

function bitOf(number: u32): u32 {
  return 2 << (((number * 0x9e3779b1) >>> 16) % 31);
}

/** What is known of a number at the endpoint at work. */
export const enum Known {
  Nothing,
  /** Other responses did not show it. */
  New,
  /** They may have. */
  Old,
}

export function knownNumber(number: u32): Known {
  const bits = markOf(endpoint ^ NUMBERS);
  return bits == 0 ? Known.Nothing : (bits & bitOf(number)) == 0 ? Known.New : Known.Old;
}
