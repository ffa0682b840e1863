// Secrets in a response, by their grammar: a phrase has found a prefix (rules/leak.yaml), and here is asked whether what follows is one, or what people
// write where one would stand.
//
//   "password":"…"    name, marks, : or =, value          also  SECRET_KEY=…   and  secretKey: '…'
//   s://user:pass@    the end of a scheme, as the phrase has it

import { byteAt, base64Value, findByte, isDigit, isLetter, isQuote } from "../core/bytes";
import { Char } from "../core/char";
import { Stage } from "../core/findings";
import { hasPair } from "../core/scan";
import { findText } from "../core/text";
import {
  BLANKS,
  CONNECTIONS,
  DOCUMENTS,
  EXAMPLES,
  FIREBASE_SIGNS,
  HASH_ENDS,
  LOCAL_HOSTS,
  PAYMENT_SIGNS,
  SECRET_ENDS,
  SIGNED_BY,
  STAND_INS,
  STUBS,
} from "../generated/leak";
import { Rule } from "../generated/rules";
import { findWord, nextWord, openWords, startsWithWord, word, wordEnd, wordIn, wordWithin } from "../match/vocabulary";
import { isExample, isHeld, isJson, inWord, isSaid, saw, sawIn } from "./leaked";
import { BodyType, reply, replyEnd, replyStatus, replyType } from "./reply";

/** How a secret looks. */
const enum Look {
  /** Nobody would take it for one: stars, one letter again and again, "your-key". */
  None,
  /** What documentation shows: "EXAMPLE", bytes that follow each other. */
  Example,
  Real,
}

/** Bytes of base64 from which a line is of a key. */
const KEY_LINE: u32 = 60;
/** Bytes before and behind one half of a key in which the other stands. */
const AROUND: usize = 200;

/** "-----BEGIN " at `at..end`. */
export function judgeKey(at: usize, end: usize): void {
  const limit = min(replyEnd, end + 1024);
  let from = findText(end, min(limit, end + 40), "PRIVATE KEY");
  if (from >= min(limit, end + 40)) return;
  // Headers, line ends (in JSON "\n") and the like may stand before the first line.
  let run: u32 = 0;
  for (; from < limit; from++) {
    const byte = byteAt(from);
    run = base64Value(byte) < 64 && byte != Char.Dash ? run + 1 : 0;
    if (run < KEY_LINE) continue;
    const look = lookOf(from - KEY_LINE, from);
    if (look == Look.None || isExample(at)) return;
    return saw(Rule.LeakPrivateKey, look == Look.Real ? Stage.Confirmed : Stage.Likely, at, from);
  }
}

/** A key of a cloud, whose prefix and length are right. */
export function judgeCloudKey(at: usize, end: usize, sure: bool): void {
  const stage = stageOf(at, end);
  const byte = byteAt(at);
  if (stage == Stage.Attempted || (!sure && follows(at))) return;
  if (sure || byte == 0x47 || byte == 0x64) return saw(Rule.LeakCloudKey, stage, at, end);
  if (byteAt(at + 1) == 0x49) {
    // "AIza": pages have it to load maps with.
    if (!isJson || isHeld(FIREBASE_SIGNS)) return;
    return saw(Rule.LeakCloudKey, Stage.Likely, at, end);
  }
  if (byte == 0x79) return saw(Rule.LeakCloudKey, Stage.Likely, at, end);
  // The first half of a key alone is in each signed address.
  if (isSaid(at, SIGNED_BY)) return;
  const paired = hasSecretHalf(max(reply, at - min(at - reply, AROUND)), min(replyEnd, end + AROUND));
  saw(Rule.LeakCloudKey, paired ? stage : Stage.Likely, at, end);
}

/** Whether 40 bytes of base64 stand there by themselves. */
function hasSecretHalf(start: usize, end: usize): bool {
  let run: u32 = 0;
  for (; start < end; start++) {
    const byte = byteAt(start);
    if (base64Value(byte) < 64 && byte != Char.Dash) run++;
    else if (run == 40) return true;
    else run = 0;
  }
  return run == 40;
}

/** A token of another service. */
export function judgeToken(at: usize, end: usize): void {
  if (follows(at)) return;
  // Keys for tests are in every manual.
  const stage = stageOf(at, end);
  if (stage == Stage.Attempted) return;
  const trial = byteAt(at) == 0x73 && byteAt(at + 3) == Char.t;
  if (trial && replyType == BodyType.Html) return;
  saw(Rule.LeakServiceToken, trial ? Stage.Likely : stage, at, end);
}

/** Whether a word goes on at `at`. */
function follows(at: usize): bool {
  return at > reply && inWord(byteAt(at)) && inWord(byteAt(at - 1));
}

/** How sure a secret with the right form is: Attempted for not at all. */
function stageOf(start: usize, end: usize): Stage {
  const look = lookOf(start, end);
  if (look == Look.None || isExample(start)) return Stage.Attempted;
  if (look == Look.Real) return Stage.Confirmed;
  return replyType == BodyType.Html ? Stage.Attempted : Stage.Likely;
}

function lookOf(start: usize, end: usize): Look {
  let low: u64 = 0;
  let high: u64 = 0;
  let steps: usize = 0;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (byte < 64) low |= (<u64>1) << byte;
    else high |= (<u64>1) << (byte & 63);
    if (at > start && byte == byteAt(at - 1) + 1) steps++;
  }
  const size = end - start;
  if (popcnt(low) + popcnt(high) < min<u64>(8, (<u64>size) >> 1)) return Look.None;
  if (wordWithin(BLANKS, start, end) != 0) return Look.None;
  return steps * 2 > size || wordWithin(EXAMPLES, start, end) != 0 ? Look.Example : Look.Real;
}

/** An address with user and password: "s://user:pass@host", from the last letter of its scheme. */
export function judgeAddress(at: usize, end: usize): void {
  let from = at + 4;
  while (byteAt(from) != Char.Colon) from++;
  const password = from + 1;
  let to = password;
  while (byteAt(to) != Char.At) to++;
  let scheme = at;
  while (scheme > reply && (isLetter(byteAt(scheme - 1)) || byteAt(scheme - 1) == Char.Plus)) scheme--;
  const web = byteAt(scheme) == 0x68;
  if (isStandIn(password, to) || isExample(at) || (web && !isMixed(password, to))) return;
  const local = startsWithWord(LOCAL_HOSTS, to + 1, replyEnd);
  if (replyType == BodyType.Html && local && replyStatus < 400) return;
  const sure = !local && (replyType != BodyType.Html || replyStatus >= 400);
  saw(Rule.LeakConnectionString, sure ? Stage.Confirmed : Stage.Likely, scheme, end);
}

/** ";Password=" of a string such as "Server=db;User Id=shop;Password=…". */
export function judgeSettings(at: usize, end: usize): void {
  let to = end;
  while (to < replyEnd && isValue(byteAt(to)) && byteAt(to) != Char.Semicolon) to++;
  const before = max(reply, at - min(at - reply, AROUND));
  if (wordWithin(CONNECTIONS, before, at) == 0 || to - end < 3 || isStandIn(end, to) || isExample(at)) return;
  saw(Rule.LeakConnectionString, Stage.Confirmed, at, to);
}

/** Whether a password is what people write in place of one. */
function isStandIn(start: usize, end: usize): bool {
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (byte == Char.Star || byte == Char.Less || byte == Char.BraceOpen || byte == Char.BracketOpen) return true;
    if (byte == Char.Dollar && at == start) return true;
    if (byte == Char.Percent && byteAt(at + 1) == 0x73) return true;
  }
  return wordWithin(STAND_INS, start, end) != 0 || wordIn(STUBS, start, end) != 0;
}

/** A byte that a value without quotes may have. */
function isValue(byte: u32): bool {
  return (
    byte > <u32>Char.Space && byte != Char.Less && byte != Char.Ampersand && byte != Char.Backslash && !isQuote(byte)
  );
}

// What `readNamed` has found.
let name: usize = 0;
let nameEnd: usize = 0;
let value: usize = 0;
let valueEnd: usize = 0;

/** Reads the name around `at..end`, and its value; false where there is none. */
function readNamed(at: usize, end: usize): bool {
  name = at;
  while (name > reply && isName(byteAt(name - 1))) name--;
  while (end < replyEnd && isName(byteAt(end))) end++;
  nameEnd = end;
  let quoted = false;
  while (end < replyEnd && (isQuote(byteAt(end)) || byteAt(end) == Char.Backslash)) end++;
  while (end < replyEnd && byteAt(end) == Char.Space) end++;
  const sign = byteAt(end);
  if (end >= replyEnd || (sign != Char.Colon && sign != Char.Equals)) return false;
  // In markup `password="…"` is an attribute.
  if (replyType == BodyType.Html && sign == Char.Equals && byteAt(end - 1) != Char.Space) return false;
  end++;
  if (byteAt(end) == Char.Greater) end++;
  while (end < replyEnd && byteAt(end) == Char.Space) end++;
  while (end < replyEnd && (isQuote(byteAt(end)) || byteAt(end) == Char.Backslash)) {
    quoted = quoted || isQuote(byteAt(end));
    end++;
  }
  if (!quoted && (isJson || replyType != BodyType.Text)) return false;
  value = end;
  while (end < replyEnd && isValue(byteAt(end))) end++;
  valueEnd = end;
  // A string that goes on behind a blank is a label.
  return !quoted || isQuote(byteAt(end)) || byteAt(end) == Char.Backslash;
}

function isName(byte: u32): bool {
  return inWord(byte) || byte == Char.Dash || byte == Char.Dot;
}

/** Whether the name goes on behind `from` with a word of `list`, and ends there; "_", "-" and "." are passed over. */
function endsWith(from: usize, list: usize): bool {
  openWords(list);
  while (nextWord()) {
    let letter = word;
    let at = from;
    for (; at < nameEnd; at++) {
      if (!isLetter(byteAt(at)) && !isDigit(byteAt(at))) continue;
      if (letter == wordEnd || (byteAt(at) | 0x20) != byteAt(letter)) break;
      letter++;
    }
    if (at == nameEnd && letter == wordEnd) return true;
  }
  return false;
}

/** "…ecret…": a secret by its name. `end`: behind the letters of the phrase. */
export function judgeSecret(at: usize, end: usize): void {
  if (replyType == BodyType.Html || isDocument() || !readNamed(at, end)) return;
  const telling = endsWith(end, SECRET_ENDS);
  if (end < nameEnd && !telling) return;
  const size = valueEnd - value;
  // A secret that is words ("keep-this-to-yourself") stands where nothing else does.
  const words = size >= 12 && (telling || name + 1 < at) && hasDash(value, valueEnd);
  if (size < 8 || (!isMixed(value, valueEnd) && !words) || isStandIn(value, valueEnd) || isAddress()) return;
  // Payments hand such a one to the browser.
  if (wordWithin(PAYMENT_SIGNS, value, valueEnd) != 0) return;
  const sure = (telling || name + 1 < at) && size >= 12 && !words && lookOf(value, valueEnd) == Look.Real;
  sawIn(Rule.LeakSecret, sure ? Stage.Confirmed : Stage.Likely, name, nameEnd, value, valueEnd);
}

/** "…assword…": a password, or its hash. */
export function judgePassword(at: usize, end: usize): void {
  if (replyType == BodyType.Html || replyType == BodyType.Script || isDocument() || !readNamed(at, end)) return;
  const size = valueEnd - value;
  const hashed = endsWith(end, HASH_ENDS);
  if (end < nameEnd && !hashed) return;
  const hex = isHex(value, valueEnd) && (size == 32 || size == 40 || size == 64 || size == 128);
  if (hex || (hashed && size >= 24 && isMixed(value, valueEnd))) {
    const sure = hashed && lookOf(value, valueEnd) == Look.Real;
    return sawIn(Rule.LeakPasswordHash, sure ? Stage.Confirmed : Stage.Likely, name, nameEnd, value, valueEnd);
  }
  // Refusals say what is wrong with it.
  if (hashed || replyStatus >= 400 || size < 6 || size > 64 || byteAt(value) == Char.Dollar) return;
  if (!isMixed(value, valueEnd) || isStandIn(value, valueEnd) || isAddress() || isRule()) return;
  sawIn(Rule.LeakPassword, Stage.Likely, name, nameEnd, value, valueEnd);
}

/** "$2b$10$…" and the like. */
export function judgeHash(at: usize, end: usize): void {
  if (isExample(at)) return;
  saw(Rule.LeakPasswordHash, replyType == BodyType.Html ? Stage.Likely : Stage.Confirmed, at, min(replyEnd, end + 8));
}

/** Whether the body describes an API, and so shows examples. */
function isDocument(): bool {
  const limit = min(replyEnd, reply + 64);
  return findWord(DOCUMENTS, reply, limit);
}

function hasDash(start: usize, end: usize): bool {
  return findByte(start, end, Char.Dash) < end || findByte(start, end, Char.Underscore) < end;
}

/** A word of letters and of something else. */
function isMixed(start: usize, end: usize): bool {
  let letters = false;
  let digits = false;
  for (; start < end; start++) {
    letters = letters || isLetter(byteAt(start));
    digits = digits || isDigit(byteAt(start));
    if (byteAt(start) >= 0x7f) return false;
  }
  return letters && digits;
}

function isHex(start: usize, end: usize): bool {
  for (; start < end; start++) {
    if (!isDigit(byteAt(start)) && (byteAt(start) | 0x20) - Char.a > 5) return false;
  }
  return true;
}

/** Whether the value is a path or an address. */
function isAddress(): bool {
  return byteAt(value) == Char.Slash || hasPair(value, valueEnd, Char.Slash, Char.Slash);
}

/** Whether the value is a rule for passwords ("required|min:8"), or a name of a text ("auth.password.v2"). */
function isRule(): bool {
  for (let at = value; at < valueEnd; at++) {
    if (byteAt(at) == Char.Pipe || (byteAt(at) == Char.Colon && at > value && isLetter(byteAt(at - 1)))) return true;
  }
  return false;
}
