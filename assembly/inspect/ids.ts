// The ids of objects in an exchange (observe/ids.ts): those that the request uses, and those that the response hands out.
//
//   used     /orders/1001 → order 1001        ?order_id=1001 → order 1001        /order?id=1001 → order 1001
//            POST /order {"id": 1001} → order 1001                               ?customer=42 → customer 42
//   handed   {"order_id": 1001} → order       {"orders": [{"id": 1001}]} → order       GET /orders: [{"id": 1001}] → order
//            a link "/orders/1001" → order    in HTML, too: attributes, and JSON in scripts
//
// A member "id" is of the collection that the members around it name, else of the path's; names such as "data" and "items" name none.
// An id is the collection's own where its endpoint hands it out: GET /orders, orders.
//
// One step per byte, in a stack of 32 levels; what lies deeper is read as if it lay there.

import {
  byteAt,
  findByte,
  isDigit,
  isLetter,
  isSpace,
  putBytes,
  putDecimal,
  sameBytes,
  skipSpaces,
} from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { findInSet, findPair } from "../core/scan";
import { isOneOf, putText, textEndsNoCase, textIs, textIsNoCase, textStarts } from "../core/text";
import { ID_MARKS } from "../generated/kinds";
import {
  addHanded,
  addUsed,
  collection,
  collectionEnd,
  isNumber,
  mayBeId,
  restoreCollection,
  setCollection,
} from "../observe/ids";
import { nextQuery, openQuery, queryName, queryNameEnd, queryValue, queryValueEnd } from "../parse/query";
import { bodyIdAt, bodyIdName, bodyIdValue, Observed } from "../observe/observed";
import { putSegment } from "../report/template";
import {
  credentials,
  Credentials,
  path,
  pathEnd,
  query,
  queryEnd,
  requestHeaders,
  requestHeadersEnd,
} from "./exchange";

// --- the request --------------------------------------------------------------------------------------------------------

const NAME_ROOM: usize = 32;
/** The collection of the path: its last plain segment. */
const PATH: usize = memory.data(64, 8);
let pathCollectionEnd: usize = PATH;
/** The path ends with an id: what is answered is one object. */
let isOne: bool = false;

/** The place of a segment, which names it as in any finding. */
const INDEX: usize = memory.data(16);

/** The path stands for whoever asks: what it hands out by name is theirs. */
let isOwnPath: bool = false;

/** Reads path, query, and what is kept of the body; what stands there was used by `subject`. */
export function findUsed(subject: u64, observed: usize): void {
  pathCollectionEnd = PATH;
  isOne = isOwnPath = personal = false;
  link = linkEnd = 0;
  seeksPersonal = subject != 0 || (credentials & Credentials.Mtls) == 0;
  let literal: usize = 0;
  let literalEnd: usize = 0;
  let index: u32 = 0;
  for (let at = path; at < pathEnd; index++) {
    const start = at + 1;
    const end = findByte(start, pathEnd, Char.Slash);
    at = end;
    if (start >= end) continue;
    if (isPlaceholder(start, end)) {
      isOne = isId;
      if (isId && literal != 0) {
        setCollection(literal, literalEnd);
        addUsed(subject, Part.Path, start, end, INDEX, putDecimal(INDEX, index));
      }
      literal = 0;
      continue;
    }
    isOne = false;
    if (isView(start, end)) continue;
    literal = start;
    literalEnd = findByte(start, end, Char.Dot);
    if (isSelf(literal, literalEnd)) {
      isOwnPath = true;
      if (pathCollectionEnd == PATH) setPath("user");
    } else {
      setCollection(literal, literalEnd);
      pathCollectionEnd = PATH + min<usize>(collectionEnd - collection, NAME_ROOM);
      putBytes(PATH, collection, collectionEnd);
    }
  }
  if (pathCollectionEnd == PATH) setPath("object");
  openQuery(query, queryEnd);
  while (nextQuery()) {
    member = queryName;
    memberEnd = queryNameEnd;
    useNamed(subject, Part.Query, queryName, queryNameEnd, queryValue, queryValueEnd, true);
  }
  openPairs(requestHeaders, requestHeadersEnd);
  while (nextPair()) {
    // "x-account-id"
    if (
      textStarts(pairName, pairNameEnd, "x-") &&
      mayBeId(pairValue, pairValueEnd) &&
      isIdLike(pairValue, pairValueEnd) &&
      nameReference(pairName + 2, pairNameEnd)
    )
      addUsed(subject, Part.Header, pairValue, pairValueEnd, pairName, pairNameEnd);
  }
  for (let i: u32 = 0; i < changetype<Observed>(observed).bodyIds; i++) {
    const id = bodyIdAt(observed, i);
    const name = bodyIdName(id);
    const value = bodyIdValue(id);
    member = name + id.member;
    memberEnd = findByte(member, name + id.nameSize, Char.Slash);
    useNamed(subject, id.part, name, name + id.nameSize, value, value + id.size, id.depth <= 1);
  }
}

/** What is named `name..nameEnd`, of which the last member is the current one. `outer`: an "id" there is of what the path names. */
function useNamed(
  subject: u64,
  part: u32,
  name: usize,
  nameEnd: usize,
  value: usize,
  valueEnd: usize,
  outer: bool,
): void {
  if (!mayBeId(value, valueEnd) || !isIdLike(value, valueEnd)) return;
  const isNumbered = part == Part.Query && isOneOf(member, memberEnd, "code number no nr num ref key ");
  if (isNumbered || isOwnId(member, memberEnd)) {
    if (!outer) return;
    restoreCollection(PATH, pathCollectionEnd);
  } else if (!refersTo(member, memberEnd, value, valueEnd, part != Part.Query) || isList) return;
  addUsed(subject, <Part>part, value, valueEnd, name, nameEnd);
}

function setPath(name: string): void {
  pathCollectionEnd = putText(PATH, name);
}

/** A segment that stands for whoever asks. */
function isSelf(start: usize, end: usize): bool {
  return isOneOf(start, end, "me self whoami profile current userinfo ");
}

/** A segment that says which of a collection: "/orders/mine". */
function isView(start: usize, end: usize): bool {
  return isOneOf(start, end, "mine my own list all search recent latest history ");
}

const SEGMENT: usize = memory.data(64);
/** What `isPlaceholder` has found is a number, a UUID or alike, and no text, title or day. */
let isId: bool = false;

/** Whether a segment is no plain word. */
function isPlaceholder(start: usize, end: usize): bool {
  isId = false;
  if (end - start > NAME_ROOM << 1) return true;
  putSegment(SEGMENT, start, end);
  if (byteAt(SEGMENT) != Char.BraceOpen) return false;
  const first = byteAt(SEGMENT + 1);
  // {text} {slug} {date}
  isId = first != Char.t && first != Char.s && first != Char.d;
  return true;
}

function isIdLike(start: usize, end: usize): bool {
  return isPlaceholder(start, end) && isId;
}

/** The name says "ids": what it holds is a list of them. */
let isList: bool = false;

/**
 * Whether a name is of a reference, such as "order_id", "orderId", "data-order-id", "order_ids"; then its collection is the current
 * one. Names of what is no object of anybody (a session, a trace) are none.
 */
function nameReference(start: usize, end: usize): bool {
  isList = false;
  if (end - start > 3 && byteAt(end - 1) == Char.s && (byteAt(end - 2) | 32) == Char.d) {
    isList = true;
    end--;
  }
  let size: usize = 2;
  if (textEndsNoCase(start + 1, end, "uuid")) size = 4;
  else if (!textEndsNoCase(start + 1, end, "id")) return false;
  const at = end - size;
  const before = byteAt(at - 1);
  const parted = before == Char.Underscore || before == Char.Dash || before == Char.Dot;
  if (at == start || (!parted && (byteAt(at) - Char.A >= 26 || before - Char.a >= 26))) return false;
  setCollection(start, at);
  return (
    collectionEnd > collection &&
    !isOneOf(collection, collectionEnd, "session request trace span correlation client device ")
  );
}

/**
 * Whether a name is of a reference, or of people with `start..end` for which one: "customer": 42. `anyName`: each name refers to what
 * has that name, where the value looks like an id by itself: {"purchase": "R-88217"}.
 */
function refersTo(name: usize, nameEnd: usize, start: usize, end: usize, anyName: bool = false): bool {
  if (nameReference(name, nameEnd)) return true;
  if (!isIdLike(start, end)) return false;
  setCollection(name, nameEnd);
  return (
    isOneOf(collection, collectionEnd, "user customer account member patient owner ") ||
    (anyName && collectionEnd > collection && !isNumber(start, end))
  );
}

// --- the response -------------------------------------------------------------------------------------------------------

// A level: u8 size, u8 flags, collection 32.
const enum Level {
  /** The collection is the path's own. */
  Own = 1,
  /** The collection is the path's since no name was around that says another. */
  Guessed = 2,
  /** What stands here are ids. */
  Ids = 4,
  /** An object: its strings before a colon are names. */
  Object = 8,
}
const DEPTH: u32 = 32;
const LEVEL: usize = 36;
const LEVELS: usize = memory.data(36 * 33, 8);
let depth: u32 = 0;

/** The last name of a member, whose value has not begun; 0 for none. */
let member: usize = 0;
let memberEnd: usize = 0;

/** The answer tells of somebody: a member of JSON says who. Pages say who reads them, and services of the mesh may know anybody. */
export let personal: bool = false;
let seeksPersonal: bool = false;

/** Reads the ids in the body `start..end`, of HTML where `html`, else of JSON. 64 bytes behind `end` are readable. */
export function findHanded(start: usize, end: usize, html: bool): void {
  depth = 0;
  if (html) seeksPersonal = false;
  member = memberEnd = field = fieldEnd = 0;
  store<u8>(LEVELS, <u8>(pathCollectionEnd - PATH));
  store<u8>(LEVELS, html ? Level.Guessed : Level.Guessed | Level.Own, 1);
  putBytes(LEVELS + 2, PATH, pathCollectionEnd);
  for (let at = start; (at = findInSet(at, end, ID_MARKS)) < end;) {
    const byte = byteAt(at);
    if (byte == Char.BraceOpen || byte == Char.BracketOpen) {
      enter(byte == Char.BraceOpen);
      at++;
    } else if (byte == Char.BraceClose || byte == Char.BracketClose) {
      if (depth > 0) depth--;
      member = 0;
      at++;
    } else if (byte == Char.DoubleQuote || (html && byte == Char.Quote)) {
      at = html ? passAttribute(start, at, end, byte) : passString(at, end);
    } else if (html && byte == Char.Ampersand && textStarts(at, end, "&quot;")) {
      at = passEntity(at, end);
    } else if (isDigit(byte) && (at == start || !isLetter(byteAt(at - 1)))) {
      const from = at;
      while (at < end && (isDigit(byteAt(at)) || isLetter(byteAt(at)) || byteAt(at) == Char.Dot)) at++;
      takeValue(from, at);
    } else {
      if (byte == Char.Comma) member = 0;
      at++;
    }
  }
}

/** The level at a depth. */
// @ts-ignore: decorator
@inline
function levelAt(place: u32): usize {
  return LEVELS + <usize>min(place, DEPTH) * LEVEL;
}

/** An object or a list begins, as the value of the last name if there is one. */
function enter(isObject: bool): void {
  const parent = levelAt(depth);
  let flags: u32 = load<u8>(parent, 1) & (Level.Own | Level.Guessed);
  depth++;
  const level = levelAt(depth);
  if (level != parent) memory.copy(level, parent, LEVEL);
  if (member != 0) {
    if (nameReference(member, memberEnd)) {
      flags = isList && !isObject ? Level.Ids : 0;
      setLevel(level);
    } else if (!isNumber(member, memberEnd)) {
      setCollection(member, memberEnd);
      if (collectionEnd > collection && !isWrapper((flags & Level.Guessed) != 0)) {
        // {"orders": [{"id": 1001}]} of "/me", and no deeper: what an order is of is nobody's.
        flags = isPath() || (isOwnPath && depth <= 3) ? Level.Own : 0;
        setLevel(level);
      }
    }
  }
  member = 0;
  store<u8>(level, <u8>(isObject ? flags | Level.Object : flags), 1);
}

function setLevel(level: usize): void {
  store<u8>(level, <u8>(putBytes(level + 2, collection, collectionEnd) - level - 2));
}

/** Whether the current collection is none, but what things are wrapped in: an answer, or where nothing else was named, a list. */
function isWrapper(outermost: bool): bool {
  const always = "data result response payload body content embedded attribute object node edge page prop ";
  if (isOneOf(collection, collectionEnd, always)) return true;
  const lists = "item entry record row list element value hit document collection member ";
  return outermost && !isOne && isOneOf(collection, collectionEnd, lists);
}

/** A string of JSON whose quote is at `at`; where to go on. */
function passString(at: usize, end: usize): usize {
  const start = at + 1;
  let last = start;
  while (last < end && byteAt(last) != Char.DoubleQuote) last += byteAt(last) == Char.Backslash ? 2 : 1;
  if (last >= end) return end;
  return takeString(start, last, last + 1, end);
}

/** The string `start..last`, with what follows at `next`: a name, an id or a link; where to go on. */
function takeString(start: usize, last: usize, next: usize, end: usize): usize {
  const colon = skipSpaces(next, end);
  if (colon < end && byteAt(colon) == Char.Colon && (load<u8>(levelAt(depth), 1) & Level.Object) != 0) {
    member = start;
    memberEnd = last;
    const value = skipSpaces(colon + 1, end);
    // {"orders": {"1001": {…}}}
    if (seeksPersonal && byteAt(value) != Char.n && !textStarts(value, end, '""')) {
      setCollection(start, last);
      const words = "email customer recipient patient payer buyer birthday birthdate iban ssn surname lastname ";
      if (isOneOf(collection, collectionEnd, words)) {
        personal = true;
        seeksPersonal = false;
      }
    }
    if (byteAt(value) == Char.BraceOpen && isIdLike(start, last)) handAt(levelAt(depth), start, last);
    return colon + 1;
  }
  if (last - start <= 512 && findByte(start, last, Char.Slash) < last) takeLink(start, last);
  else takeValue(start, last);
  return next;
}

/** A value: of the last name, or of a list of ids. */
function takeValue(start: usize, end: usize): void {
  const level = levelAt(depth);
  if (member == 0) {
    if ((load<u8>(level, 1) & Level.Ids) != 0 && mayBeId(start, end)) handAt(level, start, end);
    return;
  }
  if (mayBeId(start, end)) handNamed(level, member, memberEnd, start, end);
  member = 0;
}

function handNamed(level: usize, name: usize, nameEnd: usize, start: usize, end: usize): void {
  if (isOwnId(name, nameEnd)) handAt(level, start, end);
  else if (refersTo(name, nameEnd, start, end)) addHanded(start, end, isPath(), false);
}

/** Whether the current collection is the path's. */
function isPath(): bool {
  return sameBytes(collection, collectionEnd, PATH, pathCollectionEnd);
}

function isOwnId(start: usize, end: usize): bool {
  if (start < end && byteAt(start) == Char.Underscore) start++;
  return isOneOf(start, end, "id uuid guid ");
}

function handAt(level: usize, start: usize, end: usize): void {
  restoreCollection(level + 2, level + 2 + load<u8>(level));
  const flags = load<u8>(level, 1);
  addHanded(start, end, (flags & Level.Own) != 0, (flags & Level.Guessed) != 0);
}

/** The link that was read last. */
let link: usize = 0;
let linkEnd: usize = 0;

/** An address: each segment that is an id behind one that is a name. It is read as far as its query, and that likewise. */
export function takeLink(start: usize, end: usize): void {
  // A page often has a link twice, around a picture and around a name.
  if (sameBytes(start, end, link, linkEnd)) return;
  link = start;
  linkEnd = end;
  const host = findPair(start, end, Char.Slash, Char.Slash);
  if (host < end) start = findByte(host + 2, end, Char.Slash);
  const stop = findByte(start, findByte(start, end, Char.Hash), Char.Question);
  let literal: usize = 0;
  let literalEnd: usize = 0;
  for (let at = start; at < stop;) {
    const from = byteAt(at) == Char.Slash ? at + 1 : at;
    const to = findByte(from, stop, Char.Slash);
    at = to;
    if (from >= to) continue;
    if (!isPlaceholder(from, to)) {
      literal = from;
      literalEnd = findByte(from, to, Char.Dot);
      continue;
    }
    if (isId && literal != 0) {
      setCollection(literal, literalEnd);
      if (collectionEnd > collection) {
        addHanded(from, to, isPath(), false);
      }
    }
    literal = 0;
  }
  openQuery(min(stop + 1, end), findByte(stop, end, Char.Hash));
  while (nextQuery()) {
    if (!mayBeId(queryValue, queryValueEnd)) continue;
    if (isOwnId(queryName, queryNameEnd) && literal != 0) setCollection(literal, literalEnd);
    else if (!refersTo(queryName, queryNameEnd, queryValue, queryValueEnd)) continue;
    addHanded(queryValue, queryValueEnd, isPath(), false);
  }
}

// --- HTML ---------------------------------------------------------------------------------------------------------------

/** Bytes of a string in HTML; what is longer began with a stray quote. */
const LONGEST: usize = 512;

/** What a quote of HTML or of a script in it begins: an attribute, or a string. A stray one ends with its line or at a tag. */
function passAttribute(first: usize, at: usize, end: usize, quote: u32): usize {
  const start = at + 1;
  let last = start;
  for (const limit = min(end, start + LONGEST); ; last++) {
    if (last >= limit) return start;
    const byte = byteAt(last);
    if (byte == quote) break;
    if (byte == Char.Less || byte == Char.Greater || byte == Char.LineFeed) return last;
    // JSON in an attribute.
    if (byte == Char.Ampersand && textStarts(last, end, "&quot;")) return start;
  }
  if (at == first || byteAt(at - 1) != Char.Equals) return takeString(start, last, last + 1, end);
  let name = at - 1;
  while (name > first && !isSpace(byteAt(name - 1)) && at - name < NAME_ROOM) name--;
  if (findByte(start, last, Char.Slash) < last) {
    takeLink(start, last);
  } else if (mayBeId(start, last)) {
    if (textIs(name, at - 1, "name")) {
      field = start;
      fieldEnd = last;
    } else if (!isIdLike(start, last)) {
      return last + 1;
    } else if (textStarts(name, at - 1, "data-")) {
      handNamed(LEVELS, name + 5, at - 1, start, last);
    } else if (textIs(name, at - 1, "value")) {
      takeField(start, last);
    }
  }
  return last + 1;
}

/** The name of the field of a form whose value is to come, empty for none. */
let field: usize = 0;
let fieldEnd: usize = 0;

/** The value of a field: an "id" is of what the page is about. */
function takeField(start: usize, end: usize): void {
  if (isOwnId(field, fieldEnd)) {
    restoreCollection(PATH, pathCollectionEnd);
    addHanded(start, end, true, true);
  } else if (refersTo(field, fieldEnd, start, end)) {
    addHanded(start, end, isPath(), false);
  } else {
    handAt(LEVELS, start, end);
  }
  fieldEnd = field;
}

/** A string of JSON inside an attribute. */
function passEntity(at: usize, end: usize): usize {
  const start = at + 6;
  let last = start;
  for (const limit = min(end, start + LONGEST); ; last++) {
    if (last >= limit) return start;
    const byte = byteAt(last);
    if (byte == Char.DoubleQuote || byte == Char.Less || byte == Char.Greater) return last;
    if (byte == Char.Ampersand && textStarts(last, end, "&quot;")) break;
  }
  return takeString(start, last, last + 6, end);
}
