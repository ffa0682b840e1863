// JSON Web Tokens that were tampered with. RFC 7515, RFC 8725.
//
//   token = [ "Bearer" SP ] head "." claims "." [ signature ]         each a run of base64url
//
// Only the head is decoded, at most 1 KiB of it, and of its members only those that say how to verify are read. No part of a token is
// in a finding: the evidence is the member's name. One look at each byte; a token begins where `ey` or `ew` does ("{" and a quote, a
// blank or a line end in base64).

import { byteAt, isWord, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { fieldPart, Part } from "../core/field";
import { findPair } from "../core/scan";
import { textIs, textIsNoCase, textStarts, textStartsOneOf } from "../core/text";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { ruleConfidence } from "../match/rules";
import { decodeBase64 } from "../parse/word";
import { found } from "./finding";
import { countWords } from "./prose";

/** The head, decoded, and what readers look at behind it. Owner: this file. */
const HEAD: usize = memory.data(832, 8);
/** Bytes of an encoded head that are decoded. */
const LONGEST: usize = 1024;
/** Tokens of one value that are read. */
const TOKENS: u32 = 4;

/** Whether a token may stand in the value. */
function mayAuth(kinds: u32): bool {
  return (kinds & Kind.Dot) != 0;
}

/** Judges each token in `start..end`. */
export function detectAuth(start: usize, end: usize, kinds: u32): void {
  if (!mayAuth(kinds) || end - start < 24) return;
  valueStart = start;
  valueEnd = end;
  let left = TOKENS;
  for (let at = findPair(start, end, Char.e, Y); at < end && left != 0; at = findPair(at + 1, end, Char.e, Y)) {
    if (at > start && isDigit64(byteAt(at - 1))) continue;
    left--;
    judgeToken(at, end);
  }
  // A head that begins with a blank or a line end.
  const spaced = findPair(start, end, Char.e, W);
  if (spaced < end && (spaced == start || !isDigit64(byteAt(spaced - 1)))) judgeToken(spaced, end);
}

/** Letters y and w. */
const Y: u32 = 0x79;
const W: u32 = 0x77;

function isDigit64(byte: u32): bool {
  return isWord(byte) || byte == Char.Dash;
}

function skip64(at: usize, end: usize): usize {
  while (at < end && (isDigit64(byteAt(at)) || byteAt(at) == Char.Equals)) at++;
  return at;
}

function judgeToken(start: usize, end: usize): void {
  const headEnd = skip64(start, end);
  if (headEnd == end || byteAt(headEnd) != Char.Dot || headEnd - start > LONGEST) return;
  const claimsEnd = skip64(headEnd + 1, end);
  if (claimsEnd == headEnd + 1 || (claimsEnd < end && byteAt(claimsEnd) != Char.Dot)) return;
  // Without its last dot it is a token only to who needs no signature.
  if (claimsEnd == end && byteAt(headEnd + 1) != Char.e) return;
  const signature = min(claimsEnd + 1, end);
  const signatureEnd = skip64(signature, end);
  const stop = decodeBase64(start, headEnd, HEAD);
  if (stop == HEAD || byteAt(HEAD) != Char.BraceOpen) return;
  readHead(stop);
  if (alg == 0) return;
  // A detached payload and encrypted tokens have more dots; a token that a sentence ends is no token cut short.
  if (textIsNoCase(alg, algEnd, "none")) return report(Rule.AuthNone, alg, algEnd);
  if (claimsEnd == end) return;
  if (textStarts(signature, signatureEnd, "MAYCAQACAQA") || isZeros(signature, signatureEnd)) {
    return report(Rule.AuthZeroSignature, alg, algEnd);
  }
  if (kid != 0 && isPathOrQuery(kid, kidEnd)) return report(Rule.AuthKeyId, kidName, kidName + 3);
  if (own != 0 && !proof) return report(Rule.AuthOwnKey, own, ownEnd);
  if (signature == signatureEnd && signatureEnd == end) report(Rule.AuthUnsigned, alg, algEnd);
}

/** The value at work. */
let valueStart: usize = 0;
let valueEnd: usize = 0;

/** Words beside a token from which on the value is a text about it. */
const TOLD: u32 = 3;
/** What is found in a text is listed, and refused nowhere. */
const LISTED: u32 = 50;

function report(rule: u32, start: usize, end: usize): void {
  const told = fieldPart != Part.Header && fieldPart != Part.Cookie && countWords(valueStart, valueEnd) >= TOLD;
  found(rule, told ? LISTED : ruleConfidence(rule), start, end);
}

/** The whole signature is the same digit of nothing: `AAAA…`. */
function isZeros(start: usize, end: usize): bool {
  if (end - start < 16) return false;
  while (start < end && byteAt(start) == Char.A) start++;
  return start == end;
}

// What `readHead` found: spans of values in HEAD, 0 where there is none.
let alg: usize = 0;
let algEnd: usize = 0;
let kid: usize = 0;
let kidEnd: usize = 0;
let kidName: usize = 0;
let own: usize = 0;
let ownEnd: usize = 0;
let proof: bool = false;

/** Reads the members of the object in HEAD..end. Strings of members' values may hold escapes, which count as they stand. */
function readHead(end: usize): void {
  alg = kid = own = 0;
  proof = false;
  let at = HEAD + 1;
  while (at < end) {
    const name = stringFrom(at, end);
    if (name == 0) return;
    const nameEnd = stringEnd;
    at = nameEnd + 1;
    at = skipSpaces(at, end);
    // A string that no colon follows is a value.
    if (at == end || byteAt(at) != Char.Colon) continue;
    at++;
    at = skipSpaces(at, end);
    const quoted = at < end && byteAt(at) == Char.DoubleQuote;
    const value = quoted ? stringFrom(at, end) : at;
    const valueEnd = quoted ? stringEnd : at;
    if (textIs(name, nameEnd, "alg")) {
      alg = value;
      algEnd = valueEnd;
    } else if (textIs(name, nameEnd, "kid")) {
      kid = value;
      kidEnd = valueEnd;
      kidName = name;
    } else if (textIs(name, nameEnd, "typ")) {
      proof = textIsNoCase(value, valueEnd, "dpop+jwt") || textIsNoCase(value, valueEnd, "openid4vci-proof+jwt");
    } else if (textIs(name, nameEnd, "jku") || textIs(name, nameEnd, "x5u") || textIs(name, nameEnd, "jwk")) {
      own = name;
      ownEnd = nameEnd;
    }
    if (quoted) at = valueEnd + 1;
  }
}

let stringEnd: usize = 0;

/** The start of the next string's text, 0 where there is none; `stringEnd` is where its quote closes. */
function stringFrom(at: usize, end: usize): usize {
  while (at < end && byteAt(at) != Char.DoubleQuote) at++;
  if (at >= end) return 0;
  const start = ++at;
  while (at < end && byteAt(at) != Char.DoubleQuote) at += byteAt(at) == Char.Backslash ? 2 : 1;
  stringEnd = min(at, end);
  return start;
}

/** Whether a key id leads out of where keys are kept: a climb, a file of the system, a quote, a command, a URL of another place. */
function isPathOrQuery(start: usize, end: usize): bool {
  if (start < end && byteAt(start) == Char.Slash && end - start > 1) return isSystemPath(start, end);
  if (textStarts(start, end, "file:")) return true;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    const next: u32 = at + 1 < end ? byteAt(at + 1) : 0;
    if (byte == Char.Dot && next == Char.Dot) return true;
    if (byte == Char.BraceOpen || byte == Char.Less || (byte == Char.Percent && next == 0x32)) return true;
    if (byte == Char.Quote || byte == Char.Semicolon || byte == Char.Pipe || byte == Char.Backtick) return true;
    if (byte == Char.Backslash || (byte == Char.Dollar && next == Char.ParenOpen) || byte < <u32>Char.Space)
      return true;
  }
  return false;
}

/** `/dev/null`, `/proc/sys/…`: a path from the root. */
function isSystemPath(start: usize, end: usize): bool {
  return (
    textStartsOneOf(start, end, "/dev/ /etc/ /proc/ /sys/ /var/ /tmp/ ") ||
    findPair(start, end, Char.Dot, Char.Dot) < end
  );
}
