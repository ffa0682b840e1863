// LDAP filter injection (RFC 4515). The value is read as what stands behind "=" in `(uid=…)`:
//
//   *)(uid=*))(|(uid=*        a bracket closes that it did not open, and a filter follows
//   admin)(&)                 … or the sign of one
//   *(|(mail=*))              a filter inside of the assertion
//   *))\0                     the rest is cut off
//
//   filter = "(" ( "&" | "|" | "!" | attribute ( "=" | ">=" | "<=" | "~=" | ":=" ) ) …
//
// One step per byte, no memory. A value that is a whole filter by itself left nothing.

import { byteAt, isDigit, isLetter, isSpace, isWord, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd } from "../core/field";
import { findEither } from "../core/scan";
import { Kind } from "../generated/kinds";
import { LDAP_NAME, LdapName } from "../generated/ldapi";
import { Rule } from "../generated/rules";
import { textStarts } from "../core/text";
import { keyword } from "../match/keywords";
import { found } from "./finding";

/** Bytes of the longest value that is read. */
const LONGEST: usize = 2048;
/** Bytes of a value that is marks alone. */
const LONGEST_PROBE: usize = 8;
/** Bytes of the longest attribute. */
const LONGEST_ATTRIBUTE: usize = 40;

/** What stands behind a "(". */
const enum Filter {
  None,
  /** An attribute that is in no table, compared with something. */
  Other,
  /** An attribute of a directory. */
  Known,
  /** Any attribute, compared with "*". */
  Any,
  /** A password. */
  Secret,
  /** `&` or `|` with a bracket or nothing behind it, `!(`. */
  Sign,
}

/** Whether `start..end` has what no filter is left without. */
export function mayLdapi(start: usize, end: usize, kinds: u32): bool {
  return (
    (kinds & Kind.Paren) != 0 && (kinds & (Kind.Star | Kind.Equals | Kind.Ampersand | Kind.Pipe | Kind.Control)) != 0
  );
}

/** Judges `start..end` and reports what is found. */
export function detectLdapi(start: usize, end: usize, kinds: u32): void {
  if (!mayLdapi(start, end, kinds)) return;
  end = min(end, start + LONGEST);
  // *()|&' asks whether any of its marks is escaped.
  if (end - start <= LONGEST_PROBE && textStarts(start, end, "*()|")) found(Rule.LdapiFilterInside, 62, start, end);
  let depth = 0;
  let left: usize = 0;
  let filters = 0;
  let known = false;
  let any = false;
  let secret = false;
  let sign = false;
  let before: u32 = 0;
  let from = start;
  start = skipSpaces(start, end);
  const bare = start < end && byteAt(start) == Char.ParenOpen;
  for (let at = start; (at = findEither(at, end, Char.ParenOpen, Char.ParenClose)) < end; at++) {
    if (byteAt(at) == Char.ParenClose) {
      if (depth > 0) depth--;
      else if (left == 0) {
        // What was whole before it says nothing.
        left = at;
        filters = 0;
        known = any = secret = sign = false;
      }
      continue;
    }
    if (depth == 0 && left == 0 && filters == 0) {
      from = at;
      before = at > start ? byteAt(at - 1) : 0;
    }
    depth++;
    const filter = filterAt(at + 1, end);
    if (filter == Filter.None) {
      // Words in brackets: a text, or a program.
      if (left == 0 || filters == 0) return;
      continue;
    }
    // What stands between two filters is blank, or what was compared with.
    filters++;
    if (filter == Filter.Known) known = true;
    else if (filter == Filter.Any) any = true;
    else if (filter == Filter.Secret) secret = true;
    else if (filter == Filter.Sign) sign = true;
  }
  if (left == 0) {
    if (filters == 0) return;
    // *(|(mail=*))
    if (!bare && before == Char.Star && (known || any || secret))
      found(Rule.LdapiFilterInside, sign ? 76 : 62, from, end);
    else if (bare && from == start && byteAt(end - 1) == Char.ParenClose) weighWhole(start, end, sign, any, secret);
    return;
  }
  if (filters == 0) {
    if (cutsOff(start, left, end)) found(Rule.LdapiFilterInside, 66, left, end);
    return;
  }
  const gap = gapBehind(left, end);
  if (gap < 0) return;
  const last: u32 = left > start ? byteAt(left - 1) : Char.Star;
  const star = last == Char.Star;
  // "a:) (cn=b)" is a smile.
  const tight = gap == 0 && (isAttributeByte(last) || last == Char.ParenClose || left == start);
  let sure: u32 = 45;
  if (any || secret || (known && (sign || star))) sure = star || tight ? 92 : 75;
  else if (sign) sure = star || tight ? 82 : 50;
  else if (known && tight) sure = 80;
  else if (star) sure = 72;
  else if (tight && isWordTo(start, left)) sure = 64;
  found(Rule.LdapiFilterBreak, sure, left, end);
}

/** A value that is a whole filter: a tool's, but where a name is asked for, or a password is guessed at. */
function weighWhole(start: usize, end: usize, sign: bool, any: bool, secret: bool): void {
  if (secret) found(Rule.LdapiFilterInside, 72, start, end);
  else if (isNameOfEntry()) found(Rule.LdapiFilterInside, sign || any ? 70 : 50, start, end);
  else found(Rule.LdapiFilterInside, 35, start, end);
}

/** Whether the field, or the member of JSON, is called as an attribute is. */
function isNameOfEntry(): bool {
  let name = fieldNameEnd;
  while (name > fieldName && byteAt(name - 1) != Char.Slash) name--;
  return keyword(LDAP_NAME, name, fieldNameEnd) != 0;
}

/** Whether all of `at..end` is one word: `admin`. */
function isWordTo(at: usize, end: usize): bool {
  while (at < end && isWord(byteAt(at))) at++;
  return at == end;
}

/** Blanks between the ")" at `at`, those behind it, and the next "("; -1 where anything else stands there. */
function gapBehind(at: usize, end: usize): i32 {
  let blanks = 0;
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte == Char.ParenOpen) return blanks;
    if (isSpace(byte)) blanks++;
    else if (byte != Char.ParenClose && byte != Char.Pipe && byte != Char.Ampersand) return -1;
  }
  return -1;
}

/** `*)` or `x))`, and NUL behind it. */
function cutsOff(start: usize, at: usize, end: usize): bool {
  const star = at > start && byteAt(at - 1) == Char.Star;
  let closed = 0;
  while (at < end && byteAt(at) == Char.ParenClose) {
    closed++;
    at++;
  }
  return at < end && byteAt(at) == 0 && (star || closed != 0);
}

/** What kind of filter begins at `at`, behind "(". */
function filterAt(at: usize, end: usize): Filter {
  while (at < end && (isSpace(byteAt(at)) || byteAt(at) == Char.ParenOpen)) at++;
  if (at == end) return Filter.None;
  const first = byteAt(at);
  if (first == Char.Ampersand || first == Char.Pipe || first == Char.Bang) {
    at = skipSpaces(at + 1, end);
    if (at == end) return first == Char.Bang ? Filter.None : Filter.Sign;
    const next = byteAt(at);
    if (next == Char.ParenOpen || (next == Char.ParenClose && first != Char.Bang)) return Filter.Sign;
    if (!isLetter(next)) return Filter.None;
  }
  const from = at;
  while (at < end && at - from < LONGEST_ATTRIBUTE && isAttributeByte(byteAt(at))) at++;
  const to = at;
  if (to == from) return Filter.None;
  at = skipSpaces(at, end);
  if (at == end) return Filter.None;
  let byte = byteAt(at);
  if (byte == Char.Greater || byte == Char.Less || byte == Char.Tilde || byte == Char.Colon) {
    at++;
    // memberOf:1.2.840.113556.1.4.1941:=
    while (byte == Char.Colon && at < end && (isAttributeByte(byteAt(at)) || byteAt(at) == Char.Colon)) at++;
    if (at == end) return Filter.None;
    byte = byteAt(at);
  }
  if (byte != Char.Equals || (at + 1 < end && byteAt(at + 1) == Char.Equals)) return Filter.None;
  const kind = keyword(LDAP_NAME, from, to);
  if (kind == LdapName.Secret) return Filter.Secret;
  if (at + 1 < end && byteAt(at + 1) == Char.Star) return Filter.Any;
  return kind == LdapName.Attribute ? Filter.Known : Filter.Other;
}

function isAttributeByte(byte: u32): bool {
  return (
    isLetter(byte) ||
    isDigit(byte) ||
    byte == Char.Dash ||
    byte == Char.Dot ||
    byte == Char.Semicolon ||
    byte == Char.Underscore
  );
}
