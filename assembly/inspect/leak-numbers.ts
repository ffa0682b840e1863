// Numbers that say something of people or of the network, found where a run of digits begins: payment cards (a known length and beginning,
// and Luhn's check digit), IBANs (the length of their country, and the rest modulo 97), social security numbers, private addresses.
// Each is looked at once; a number by itself says nothing, so its form, the member that it stands in or the words before it must.
//
//   4539 2076 8113 0640   DE44 5001 0517 5407 3249 31   536-22-8714   http://10.20.4.17:8080/

import { byteAt, isDigit, lowerCase } from "../core/bytes";
import { Char } from "../core/char";
import { Stage } from "../core/findings";
import { hasPair } from "../core/scan";
import { textEndsNoCase, textIsNoCase } from "../core/text";
import { CALLER_NAMES, CARD_NAMES, CARD_WORDS, COUNTRIES, HINTS, HOST_NAMES, SOCIAL_WORDS } from "../generated/leak";
import { Rule } from "../generated/rules";
import { nextWord, openWords, word } from "../match/vocabulary";
import { isExample, isJson, inWord, isSaid, member, memberEnd, memberHas, readMember, saw, sawIn } from "./leaked";
import { BodyType, reply, replyEnd, replyStatus, replyType } from "./reply";

/** Bytes of a comment before an address. */
const COMMENT: usize = 256;
/** Bytes of a word before an address. */
const URL: usize = 64;

/** Numbers of a response of which is asked what stands around them. */
const MAX_LOOKS: u32 = 64;
let looks: u32 = 0;
/** IBANs of the response, and the end of the number that was looked at last. */
let accounts: u32 = 0;
let passed: usize = 0;

export function inspectNumbers(): void {
  accounts = looks = 0;
  passed = reply;
  if (replyType == BodyType.Script) return;
  if (!ASC_FEATURE_SIMD) {
    for (let at = reply; at < replyEnd; at++) {
      if (isDigit(byteAt(at)) && (at == reply || !isDigit(byteAt(at - 1)))) judgeNumber(at);
    }
    return;
  }
  const zero = i8x16.splat(0x30);
  const nine = i8x16.splat(9);
  let carry: u32 = 0;
  for (let at = reply; at < replyEnd; at += 16) {
    const digits: u32 = i8x16.bitmask(i8x16.le_u(i8x16.sub(v128.load(at), zero), nine));
    let starts = digits & ~((digits << 1) | carry);
    carry = (digits >>> 15) & 1;
    while (starts != 0) {
      const start = at + ctz(starts);
      starts &= starts - 1;
      if (start < replyEnd) judgeNumber(start);
    }
  }
}

/** The number that begins with the digit at `at`. */
function judgeNumber(at: usize): void {
  if (at < passed || looks == MAX_LOOKS) return;
  let end = at;
  const limit = min(replyEnd, at + 20);
  while (end < limit && isDigit(byteAt(end))) end++;
  const before = at > reply ? byteAt(at - 1) : 0;
  const size = end - at;
  if (size > 1 && before - Char.A < 26) return judgeAccount(at - 2);
  if (inWord(before) || before == Char.Dot || before == Char.Dash) return;
  const sign = end < replyEnd ? byteAt(end) : 0;
  if (size == 3 && sign == Char.Dash) return judgeSocial(at);
  if (size <= 3 && sign == Char.Dot && byteAt(at) == Char._1) return judgeAddressAt(at);
  if (size >= 13 || (size == 4 && (sign == Char.Space || sign == Char.Dash))) judgeCard(at);
}

/** Whether the number is a hint of what to type, or for tests. */
function isHint(at: usize): bool {
  return isExample(at) || isSaid(at, HINTS);
}

/** Digits of the card at work. */
const DIGITS: usize = memory.data(20);

function judgeCard(at: usize): void {
  let size: usize = 0;
  let groups: u32 = 1;
  let end = at;
  const sign = byteAt(at + 4);
  let seen: u32 = 0;
  for (; end < replyEnd && size < 20; end++) {
    const byte = byteAt(end);
    if (isDigit(byte)) {
      store<u8>(DIGITS + size++, <u8>(byte - Char._0));
      seen |= 1 << (byte - Char._0);
    } else if ((sign == Char.Space || sign == Char.Dash) && byte == sign && isDigit(byteAt(end + 1))) groups++;
    else break;
  }
  const last = end < replyEnd ? byteAt(end) : 0;
  if (inWord(last) || last == Char.Dash || (last == Char.Dot && isDigit(byteAt(end + 1)))) return;
  if (groups != 1 && groups != 4 && !(groups == 3 && size < 16)) return;
  if (!isCard(size)) return;
  passed = end;
  looks++;
  // Numbers for tests repeat a few digits.
  const trial = popcnt(seen) <= 5;
  const grouped = groups > 1 && sign == Char.Space;
  if (replyType != BodyType.Html && readMember(at)) {
    const named = memberHas(CARD_NAMES) || textIsNoCase(member, memberEnd, "pan") || isSaid(at, CARD_WORDS);
    if (!named && (!grouped || trial)) return;
    const stage = named && !trial ? Stage.Confirmed : Stage.Likely;
    return sawIn(Rule.LeakCardNumber, stage, member, memberEnd, at, end);
  }
  const said = isSaid(at, CARD_WORDS);
  if ((!said && (!grouped || trial)) || isHint(at)) return;
  saw(Rule.LeakCardNumber, said && !trial ? Stage.Confirmed : Stage.Likely, at, end);
}

/** Whether DIGITS has the beginning and the length of a card, and its check digit. */
function isCard(size: usize): bool {
  if (size < 13 || size > 19) return false;
  const one: u32 = load<u8>(DIGITS);
  const two = one * 10 + <u32>load<u8>(DIGITS + 1);
  const four = two * 100 + <u32>load<u8>(DIGITS + 2) * 10 + <u32>load<u8>(DIGITS + 3);
  const known =
    one == 4
      ? size == 13 || size == 16 || size == 19
      : two == 34 || two == 37
        ? size == 15
        : two == 36 || two == 38 || two == 30
          ? size == 14
          : size == 16 &&
            ((two >= 51 && two <= 55) ||
              (four >= 2221 && four <= 2720) ||
              two == 35 ||
              two == 60 ||
              two == 62 ||
              two == 65);
  if (!known) return false;
  let sum: u32 = 0;
  for (let i: usize = 0; i < size; i++) {
    let digit: u32 = load<u8>(DIGITS + size - 1 - i);
    if ((i & 1) == 1) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
  }
  return sum % 10 == 0;
}

/** Two capitals and two digits at `at`. */
function judgeAccount(at: usize): void {
  if (at < reply || byteAt(at) - Char.A >= 26 || (at > reply && inWord(byteAt(at - 1)))) return;
  let wanted: u32 = 0;
  openWords(COUNTRIES);
  while (nextWord()) {
    if (byteAt(at) != byteAt(word) || byteAt(at + 1) != byteAt(word + 1)) continue;
    wanted = (byteAt(word + 2) - Char._0) * 10 + byteAt(word + 3) - Char._0;
  }
  if (wanted == 0) return;
  // The country and the check digits count last.
  let rest: u32 = 0;
  let size: u32 = 0;
  let end = at;
  let head: u32 = 0;
  for (; end < replyEnd && size < wanted; end++) {
    const byte = byteAt(end);
    if (byte == Char.Space && size >= 4) continue;
    const value = isDigit(byte) ? byte - Char._0 : byte - Char.A < 26 ? byte - Char.A + 10 : 100;
    if (value == 100) return;
    if (size++ < 4) head = (head * (value > 9 ? 100 : 10) + value) % 9700000;
    else rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  if (size != wanted || (end < replyEnd && inWord(byteAt(end)))) return;
  // Four characters of the head are six digits.
  if ((rest * 1000000 + head) % 97 != 1) return;
  passed = end;
  looks++;
  accounts++;
  if (replyType == BodyType.Html) {
    if (accounts > 2 && !isExample(at)) saw(Rule.LeakIban, Stage.Likely, at, end);
  } else if (accounts > 1 || (readMember(at) && textEndsNoCase(member, memberEnd, "iban"))) {
    saw(Rule.LeakIban, Stage.Likely, at, end);
  }
}

/** "536-22-8714" */
function judgeSocial(at: usize): void {
  const end = at + 11;
  if (end > replyEnd || byteAt(at + 6) != Char.Dash) return;
  let number: u32 = 0;
  for (let i: usize = 0; i < 11; i++) {
    if (i == 3 || i == 6) continue;
    const digit = byteAt(at + i) - Char._0;
    if (digit > 9) return;
    number = number * 10 + digit;
  }
  if (end < replyEnd && (inWord(byteAt(end)) || byteAt(end) == Char.Dash)) return;
  passed = end;
  looks++;
  const area = number / 1000000;
  // Never given, or printed in advertisements.
  if (area == 0 || area == 666 || area > 899 || (number / 10000) % 100 == 0 || number % 10000 == 0) return;
  if (number == 78051120 || number == 219099999) return;
  const stage = number == 123456789 ? Stage.Likely : Stage.Confirmed;
  if (replyType != BodyType.Html && readMember(at)) {
    if (memberHas(SOCIAL_WORDS) && !memberHas(HINTS)) sawIn(Rule.LeakSsn, stage, member, memberEnd, at, end);
  } else if (isSaid(at, SOCIAL_WORDS) && !isHint(at)) saw(Rule.LeakSsn, stage, at, end);
}

/** Where the private address ends that begins at `at`, 0 where none does: 10/8, 172.16/12, 192.168/16; no gateway of a home. */
export function privateAddress(at: usize, end: usize): usize {
  let parts: u32 = 0;
  let bytes: u32 = 0;
  while (parts < 4) {
    const from = at;
    let value: u32 = 0;
    while (at < end && at < from + 3 && isDigit(byteAt(at))) value = value * 10 + byteAt(at++) - Char._0;
    if (at == from || value > 255) return 0;
    bytes = (bytes << 8) | value;
    if (++parts < 4 && (at >= end || byteAt(at++) != Char.Dot)) return 0;
  }
  const last = at < end ? byteAt(at) : 0;
  if (inWord(last) || last == Char.Dash || (last == Char.Dot && at + 1 < end && isDigit(byteAt(at + 1)))) return 0;
  const inside = bytes >>> 24 == 10 || bytes >>> 20 == 0xac1 || bytes >>> 16 == 0xc0a8;
  return inside && (bytes & 0xfeff) != 1 && (bytes & 255) != 0 ? at : 0;
}

function judgeAddressAt(at: usize): void {
  const end = privateAddress(at, replyEnd);
  if (end == 0) return;
  passed = end;
  looks++;
  judgeInside(at, end);
}

/** An address or name of the inside at `at..end`: what stands around it says whether it is one. */
export function judgeInside(at: usize, end: usize): void {
  const rule = Rule.LeakInternalAddress;
  if (replyStatus >= 500) return saw(rule, Stage.Likely, at, end);
  // Back to where the word begins: a host or a URL.
  let from = at;
  const limit = at - min(URL, at - reply);
  while (from > limit && isOfUrl(byteAt(from - 1))) from--;
  const linked = hasPair(from, at, Char.Slash, Char.Slash);
  const mark = from > reply ? byteAt(from - 1) : 0;
  if (replyType == BodyType.Html) {
    if (isComment(at)) return saw(rule, Stage.Likely, at, end);
    if (linked && (mark == Char.DoubleQuote || mark == Char.Quote) && !isExample(at)) saw(rule, Stage.Likely, at, end);
    return;
  }
  if (!isJson || mark != Char.DoubleQuote || !readMember(at)) return;
  if (memberHas(CALLER_NAMES)) return;
  const named =
    memberHas(HOST_NAMES) ||
    textIsNoCase(member, memberEnd, "ip") ||
    (memberEnd - member > 2 && lowerCase(byteAt(memberEnd - 1)) == Char.p && byteAt(memberEnd - 2) == 0x49);
  if (linked || named) sawIn(rule, Stage.Likely, member, memberEnd, at, end);
}

/** Whether the markup that begins last before `at` is a comment. */
function isComment(at: usize): bool {
  const limit = at - min(COMMENT, at - reply);
  while (at > limit && byteAt(at - 1) != Char.Less && byteAt(at - 1) != Char.Greater) at--;
  return at > limit && byteAt(at - 1) == Char.Less && byteAt(at) == Char.Bang;
}

function isOfUrl(byte: u32): bool {
  return (
    inWord(byte) || byte == Char.Dot || byte == Char.Dash || byte == Char.Slash || byte == Char.Colon || byte == Char.At
  );
}
