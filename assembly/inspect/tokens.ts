// JSON Web Tokens as they pass, handed out or taken: RFC 7515, 7519, 8725. What is signed with a word that everybody knows is told by
// making the signature; nothing else of a token is believed.
//
//   token = head "." claims "." [ signature ]      each a run of base64url; head and claims are objects of JSON
//
// At most 4 tokens of a text, 512 bytes of a head and 2 KiB of claims; a token whose signature was tried is not tried again soon.

import { base64Value, byteAt, isDigit, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { HASH_SEED, hashBytes } from "../core/hash";
import { findPair } from "../core/scan";
import { hmac, prepareHmacKey, sameSecret, SHA256_SIZE } from "../core/sha256";
import { findText, holdsTextNoCase, isOneOf, textIs, textIsNoCase } from "../core/text";
import { CLAIM, Claim, URL_SECRET, WEAK_SECRET } from "../generated/credential";
import { Rule } from "../generated/rules";
import { nextWord, openWords, word, wordEnd, wordIn } from "../match/vocabulary";
import { claim, claimed, claimedEnd, claimEnd, claims, claimsEnd, nextClaim, openClaims } from "../parse/claims";
import { decodeBase64 } from "../parse/word";
import { isTaken, takenStage } from "./credentials";
import { markOf, setMark } from "./marks";
import { note } from "./note";

const TOKENS: u32 = 4;
const HEAD_CAPACITY: usize = 512;
const CLAIMS_CAPACITY: usize = 2048;
const KEY: usize = memory.data(64, 8);
const MADE: usize = memory.data(32, 8);
const SIGNATURE: usize = memory.data(64, 8);
/** Seconds for which a token should hold at most: 366 days. */
const LONGEST: u64 = 366 * 86400;
/** Makes a key of a token's. */
const TRIED: u32 = 0x7f4a7c15;

/**
 * Judges the tokens in `start..end`, a value or a text of JSON; `issued`: the service hands them out, else it was sent them and did not
 * refuse.
 */
export function inspectTokens(start: usize, end: usize, part: Part, name: usize, nameEnd: usize, issued: bool): void {
  let left = TOKENS;
  for (let at = findPair(start, end, Char.e, Y); at < end && left != 0; at = findPair(at + 1, end, Char.e, Y)) {
    if (at > start && base64Value(byteAt(at - 1)) < 64) continue;
    left--;
    inspectToken(at, end, part, name, nameEnd, issued);
  }
}

const Y: u32 = 0x79;

/** Judges the tokens that a text of JSON hands out, by the names of its members. */
export function inspectIssued(start: usize, end: usize): void {
  let left = TOKENS;
  for (let found = findText(start, end, '"eyJ'); found < end && left != 0; found = findText(found + 1, end, '"eyJ')) {
    let colon = found;
    while (colon > start && isSpace(byteAt(colon - 1))) colon--;
    const close = colon - 2;
    if (close <= start || byteAt(colon - 1) != Char.Colon || byteAt(close) != Char.DoubleQuote) continue;
    let name = close;
    while (name > start && isWord(byteAt(name - 1))) name--;
    const named = holdsTextNoCase(name, close, "token") || isOneOf(name, close, "access refresh jwt bearer id auth ");
    if (!named && wordIn(URL_SECRET, name, close) == 0) continue;
    left--;
    inspectToken(found + 1, end, Part.ResponseBody, name, close, true);
  }
}

/** Where the run of base64url at `at` ends. */
function runEnd(at: usize, end: usize): usize {
  while (at < end && (isWord(byteAt(at)) || byteAt(at) == Char.Dash)) at++;
  return at;
}

function inspectToken(start: usize, end: usize, part: Part, name: usize, nameEnd: usize, issued: bool): void {
  const headEnd = runEnd(start, end);
  const bodyEnd = headEnd < end ? runEnd(headEnd + 1, end) : end;
  if (headEnd - start > HEAD_CAPACITY || bodyEnd == end || byteAt(headEnd) != Char.Dot || byteAt(bodyEnd) != Char.Dot)
    return;
  const signature = bodyEnd + 1;
  const signatureEnd = runEnd(signature, end);
  openClaims(start, headEnd);
  let alg: u32 = 0;
  while (nextClaim()) {
    if (!textIs(claim, claimEnd, "alg")) continue;
    alg = textIsNoCase(claimed, claimedEnd, "none") ? NONE : textIs(claimed, claimedEnd, "HS256") ? HS256 : OTHER;
  }
  // What names no algorithm is no token; what is encrypted has more dots.
  if (alg == 0 || (signatureEnd < end && byteAt(signatureEnd) == Char.Dot)) return;
  if (!issued && !isTaken()) return;
  if (alg == NONE) {
    return note(Rule.AuthNoneAccepted, issued ? Stage.Confirmed : takenStage(), part, name, nameEnd, start, headEnd);
  }
  if (alg == HS256 && isWeak(start, bodyEnd, signature, signatureEnd)) {
    note(Rule.AuthWeakSecret, issued ? Stage.Confirmed : takenStage(), part, name, nameEnd, start, headEnd);
  }
  if (bodyEnd - headEnd <= CLAIMS_CAPACITY) inspectClaims(headEnd + 1, bodyEnd, part, name, nameEnd);
}

const OTHER: u32 = 1;
const NONE: u32 = 2;
const HS256: u32 = 3;

function inspectClaims(start: usize, end: usize, part: Part, name: usize, nameEnd: usize): void {
  let expires: u64 = 0;
  let issuedAt: u64 = 0;
  openClaims(start, end);
  while (nextClaim()) {
    const kind = wordIn(CLAIM, claim, claimEnd);
    if (kind == Claim.Expiry) expires = numberAt(claimed, claimedEnd);
    else if (kind == Claim.Issued) issuedAt = numberAt(claimed, claimedEnd);
    else if (kind == Claim.Secret && claimed < claimedEnd) {
      note(Rule.AuthClaims, Stage.Confirmed, part, name, nameEnd, claim, claimEnd);
    }
  }
  if (expires == 0 || (issuedAt != 0 && expires > issuedAt + LONGEST)) {
    note(Rule.AuthNoExpiry, Stage.Confirmed, part, name, nameEnd, claims, min(claimsEnd, claims + 64));
  }
}

/** The number of at most 12 digits at `at`. */
export function numberAt(at: usize, end: usize): u64 {
  let number: u64 = 0;
  for (let limit = min(end, at + 12); at < limit && isDigit(byteAt(at)); at++)
    number = number * 10 + (byteAt(at) - Char._0);
  return number;
}

/** Whether the signature of `start..end` is made with a word of the list. */
function isWeak(start: usize, end: usize, signature: usize, signatureEnd: usize): bool {
  if (signatureEnd - signature != 43) return false;
  const key = (<u32>hashBytes(signature, signatureEnd, HASH_SEED)) ^ TRIED;
  if (markOf(key) != 0) return markOf(key) == WEAK;
  decodeBase64(signature, signatureEnd, SIGNATURE);
  openWords(WEAK_SECRET);
  while (nextWord()) {
    prepareHmacKey(KEY, word, wordEnd);
    hmac(KEY, start, end, MADE);
    if (!sameSecret(MADE, SIGNATURE, SHA256_SIZE)) continue;
    setMark(key, WEAK);
    return true;
  }
  setMark(key, STRONG);
  return false;
}

const STRONG: u32 = 1;
const WEAK: u32 = 2;
