// What a response was found to show: of each rule the surest place, told once all of it was looked at. And what the checks of leaks ask
// of a place: whether it is an example of a page that explains things, and in which member of JSON it stands.

import { byteAt, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { CODE_TAGS } from "../generated/leak";
import { findWord, startsWithWord, wordWithin } from "../match/vocabulary";
import { note } from "./note";
import { BodyType, reply, replyEnd, replyStatus, replyType } from "./reply";

/** The surest place of a rule (20 bytes); its `stage` is Attempted where there is none. */
// @ts-ignore: decorator
@unmanaged
class Sign {
  stage: u32;
  start: usize;
  end: usize;
  name: usize;
  nameEnd: usize;
}

/** Rules of leaks have the codes from this one on. */
const FIRST_RULE: u32 = 3000;
const RULES: u32 = 100;
const SIGNS: usize = memory.data(2000, 8);

/** Bytes that are told as evidence at most. */
const EVIDENCE: usize = 120;

export function clearSigns(): void {
  if (isDefined(CHECKED)) assert(RULES * offsetof<Sign>() == 2000); // the signs fit their buffer
  memory.fill(SIGNS, 0, 2000);
}

/** `start..end` shows what `rule` is about. */
export function saw(rule: u32, stage: Stage, start: usize, end: usize): void {
  sawIn(rule, stage, 0, 0, start, end);
}

/** The same of the member or setting with that name. */
export function sawIn(rule: u32, stage: Stage, name: usize, nameEnd: usize, start: usize, end: usize): void {
  const sign = changetype<Sign>(SIGNS + (rule - FIRST_RULE) * offsetof<Sign>());
  if (sign.stage >= <u32>stage) return;
  sign.stage = stage;
  sign.start = start;
  sign.end = min(end, start + EVIDENCE);
  sign.name = name;
  sign.nameEnd = nameEnd;
}

export function tellSigns(): void {
  for (let i: u32 = 0; i < RULES; i++) {
    const sign = changetype<Sign>(SIGNS + i * offsetof<Sign>());
    if (sign.stage == 0) continue;
    note(FIRST_RULE + i, <Stage>sign.stage, Part.ResponseBody, sign.name, sign.nameEnd, sign.start, sign.end);
  }
}

/** Whether the body is JSON, whatever its type says, and no page. */
export let isJson: bool = false;
/** The first byte of the body behind blanks and marks. */
export let first: usize = 0;

export function setFirst(at: usize): void {
  first = at;
  const byte = at < replyEnd ? byteAt(at) : 0;
  isJson =
    replyType == BodyType.Json || (replyType == BodyType.Text && (byte == Char.BraceOpen || byte == Char.BracketOpen));
}

/** Bytes before a place in which an element that shows code may begin. */
const REACH: usize = 2048;

/** Whether a page shows the place as code, and is no error: then it is about such things. */
export function isExample(at: usize): bool {
  return replyType == BodyType.Html && replyStatus < 400 && isWithin(at, CODE_TAGS);
}

/** Whether the element that began last before `at`, of those in `tags`, is open still. */
export function isWithin(at: usize, tags: usize): bool {
  const limit = max(reply, at - min(at - reply, REACH));
  for (; at >= limit; at--) {
    if (byteAt(at) != Char.Less) continue;
    const closes = byteAt(at + 1) == Char.Slash;
    if (startsWithWord(tags, at + 1 + usize(closes), replyEnd)) return !closes;
  }
  return false;
}

/** Whether a byte is of a word: a call, since it is asked in many places. */
export function inWord(byte: u32): bool {
  return isWord(byte);
}

/** The name of the member that `readMember` has found. */
export let member: usize = 0;
export let memberEnd: usize = 0;

/** Reads which member of JSON holds the string or number in which `at` stands; false for none. */
export function readMember(at: usize): bool {
  const limit = max(reply, at - min(at - reply, REACH));
  member = memberEnd = 0;
  // Back to the quote that opens the string. A number stands behind a colon.
  while (at > limit && byteAt(at - 1) != Char.Colon && !isOpening(at - 1)) at--;
  if (at > limit && byteAt(at - 1) == Char.DoubleQuote) at--;
  if (readName(at, limit)) return true;
  // The colon may have stood in the string.
  while (at > limit && !isOpening(at - 1)) at--;
  return at > limit && readName(at - 1, limit);
}

/** Whether the quote at `at` is one that JSON does not escape. */
function isOpening(at: usize): bool {
  return byteAt(at) == Char.DoubleQuote && (at == reply || byteAt(at - 1) != Char.Backslash);
}

/** Reads the name that ends before `at` with a quote, blanks and a colon. */
function readName(at: usize, limit: usize): bool {
  while (at > limit && isSpace(byteAt(at - 1))) at--;
  if (at == limit || byteAt(at - 1) != Char.Colon) return false;
  at--;
  while (at > limit && isSpace(byteAt(at - 1))) at--;
  if (at == limit || !isOpening(at - 1)) return false;
  memberEnd = --at;
  while (at > limit && !isOpening(at - 1)) at--;
  member = at;
  return at > limit && memberEnd > member;
}

/** Whether the name that was read holds a word of `list`. */
export function memberHas(list: usize): bool {
  return wordWithin(list, member, memberEnd) != 0;
}

/** Whether one of the bytes before `at`, as many as a short line has, begins a word of `list`. */
export function isSaid(at: usize, list: usize): bool {
  return wordWithin(list, at - min(BEFORE, at - reply), at) != 0;
}

/** Bytes before a place in which a word says what it is. */
const BEFORE: usize = 64;

/** Whether a word of `list`, as it is written, stands in the body. */
export function isHeld(list: usize): bool {
  return findWord(list, reply, replyEnd);
}
