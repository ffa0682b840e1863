// An expression of the request whose value stands in the response: a template, or code, was run (server-side template injection).
//
//   value  order-{{7*7}}-x      body  order-49-x            the words around it came back: *confirmed*
//   value  {{1337*1337}}        body  1787569               nothing else makes that number: *confirmed*, where the expression does not stand there, too
//   value  {{137*131}}          body  <p>17947</p>          a whole text, of five digits or more: *confirmed*
//   value  {{a}} {{137*131}}    body  <p>a 17947</p>        the same at the end of a text, as in the value: *confirmed*
//   value  {{7*7}}              body  "name":"49"           of the parameter `name`: *confirmed*
//   value  Hi {{name}}          body  <h1>Hi Ada</h1>       at other times, so a text of the parameter begins there …
//   value  {{7*49}}             body  <h1>343</h1>          … and this one is the result: *confirmed*
//   value  {{7*7}}              body  <h1>Hello 49!</h1>    *likely*: 49 may be a price; not where the endpoint has shown it before
//   value  {{7*7}}              body  <p>49</p>             *likely*, where it is known that it has not
//
// Expressions: two numbers and one of * + - /, a number and a number in quotes ({{7*'7'}}: "49" or "7777777"), also by way of a
// variable: <#assign x=7*7>${x}, #set($x=7*7)$x.

import { byteAt, isDigit, isLetter, isQuote, isSpace, isWord, putBytes, putDecimal, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { Stage } from "../core/findings";
import { HASH_SEED, hashBytes } from "../core/hash";
import { textIs, textStarts } from "../core/text";
import { Rule, RuleClass } from "../generated/rules";
import { Taint, taintAt, taintName, taintNameEnd, taintValue, taintValueEnd, Watch } from "../observe/taint";
import { bearOut } from "./bear";
import { endpoint } from "./exchange";
import { markOf, setMark } from "./marks";
import { matchEnd, matchStart, nextMatch, openMatches } from "./match";
import { Known, knownNumber } from "./outcome";
import { BodyType, reply, replyEnd, replyType } from "./reply";

const EVALUATES: u32 = (1 << RuleClass.Ssti) | (1 << RuleClass.Codei) | (1 << RuleClass.Cmdi) | (1 << RuleClass.Ssi);

/** What the response must hold: up to 24 bytes, the result, and up to 24 bytes. */
const NEEDLE: usize = memory.data(128, 8);
/** Bytes of words around the expression that are looked for. */
const AROUND: usize = 24;
/** Letters and digits around a result by which it is not found by chance. */
const OWN: usize = 3;
/** Digits from which a number is found nowhere by chance. */
const LONG: usize = 6;
/** The same of a number that is a whole text; with one digit less there are years and prices. */
const WHOLE: usize = 5;
/** The same where the parameter's text is known to stand. */
const PLACED: usize = 3;

/** Expressions of a value whose results are looked for: each costs a walk over the response. */
const MOST: u32 = 4;

/** What is kept of the exchange, 0 for nothing. */
let observed: usize = 0;

export function inspectEvaluation(watch: Watch): void {
  if (reply == replyEnd) return;
  observed = watch.observed;
  for (let i: u32 = 0; i < watch.count; i++) inspectValue(taintAt(changetype<usize>(watch), i));
}

function inspectValue(taint: Taint): void {
  const start = taintValue(taint);
  const end = taintValueEnd(taint);
  let tried: u32 = 0;
  for (let at = start + 1; at + 2 < end; at++) {
    const mark = byteAt(at);
    if (mark != Char.Star && mark != Char.Plus && mark != Char.Dash && mark != Char.Slash) continue;
    if (!readOperands(start, at, end) || !opens(start, first) || !closes(second, end)) continue;
    if (inspectExpression(taint, mark) || ++tried == MOST) return;
    at = second;
  }
}

/** The operands, with their quotes. */
let first: usize = 0;
let second: usize = 0;
let left: u64 = 0;
let right: u64 = 0;
let repeats: bool = false;
/** The result is one of them. */
let operand: bool = false;

/** Reads the numbers around the operator at `at`. */
function readOperands(start: usize, at: usize, end: usize): bool {
  let from = at;
  while (from > start && isSpace(byteAt(from - 1))) from--;
  const numberEnd = from;
  while (from > start && isDigit(byteAt(from - 1))) from--;
  if (from == numberEnd || numberEnd - from > 9) return false;
  left = number(from, numberEnd);
  first = from;
  at++;
  while (at < end && isSpace(byteAt(at))) at++;
  const quote: u32 = isQuote(byteAt(at)) ? byteAt(at) : 0;
  if (quote != 0) at++;
  const number2 = at;
  while (at < end && isDigit(byteAt(at))) at++;
  if (at == number2 || at - number2 > 9 || (quote != 0 && (at == end || byteAt(at) != quote))) return false;
  right = number(number2, at);
  repeats = quote != 0 && at - number2 == 1 && left < 24;
  second = quote != 0 ? at + 1 : at;
  return true;
}

function number(start: usize, end: usize): u64 {
  let value: u64 = 0;
  for (; start < end; start++) value = value * 10 + (byteAt(start) - Char._0);
  return value;
}

/** Whether an expression opens right before `at`: "{{", "${", "#{", "<%=", "@(", "$((" …; `first` becomes where. */
function opens(start: usize, at: usize): bool {
  at = blanksBefore(start, at);
  variable = variableEnd = 0;
  if (at > start + 5 && byteAt(at - 1) == Char.Equals && assigns(start, at - 1)) return true;
  // "<%-", "<%:", "{!!"
  const plain = at;
  if (at > start + 1 && byteAt(at - 2) == Char.Percent && (byteAt(at - 1) == Char.Dash || byteAt(at - 1) == Char.Colon))
    at--;
  while (at > start && byteAt(at - 1) == Char.Bang) at--;
  const inside = at;
  while (at > start && isOpening(byteAt(at - 1))) at--;
  first = at;
  if (inside - at < 1) return false;
  const mark = byteAt(inside - 1);
  return (
    mark == Char.BraceOpen ||
    mark == Char.Equals ||
    (mark == Char.Percent && inside < plain) ||
    mark == Char.BracketOpen ||
    (mark == Char.ParenOpen && inside - at > 1)
  );
}

function blanksBefore(start: usize, at: usize): usize {
  while (at > start && isSpace(byteAt(at - 1))) at--;
  return at;
}

/** The variable that holds the result; empty for none. */
let variable: usize = 0;
let variableEnd: usize = 0;

/** Whether a variable is set by the sign at `at`: "<#assign x=", "#set($x=", "{% set x=", "{assign x="; `first` becomes where. */
function assigns(start: usize, at: usize): bool {
  at = blanksBefore(start, at);
  variableEnd = at;
  while (at > start && isWord(byteAt(at - 1))) at--;
  variable = at;
  while (at > start && (isSpace(byteAt(at - 1)) || byteAt(at - 1) == Char.Dollar || byteAt(at - 1) == Char.ParenOpen))
    at--;
  const word = at;
  while (at > start && isLetter(byteAt(at - 1))) at--;
  if (variable == variableEnd || (!textIs(at, word, "set") && !textIs(at, word, "assign"))) return false;
  at = blanksBefore(start, at);
  const marks = at;
  while (at > start && isOpening(byteAt(at - 1))) at--;
  first = at;
  return at < marks;
}

function isOpening(byte: u32): bool {
  return (
    byte == Char.BraceOpen ||
    byte == Char.Dollar ||
    byte == Char.Hash ||
    byte == Char.At ||
    byte == Char.Percent ||
    byte == Char.Star ||
    byte == Char.Tilde ||
    byte == Char.Less ||
    byte == Char.Equals ||
    byte == Char.ParenOpen ||
    byte == Char.BracketOpen
  );
}

/** Whether it closes at `at`; `second` becomes where. */
function closes(at: usize, end: usize): bool {
  while (at < end && isSpace(byteAt(at))) at++;
  const inside = at;
  while (
    at < end &&
    (byteAt(at) == Char.BraceClose ||
      byteAt(at) == Char.ParenClose ||
      byteAt(at) == Char.Percent ||
      byteAt(at) == Char.Bang ||
      byteAt(at) == Char.Greater ||
      byteAt(at) == Char.BracketClose)
  )
    at++;
  second = at;
  if (at == inside) return false;
  if (variable < variableEnd) {
    while (at < end && !isWord(byteAt(at))) at++;
    const size = variableEnd - variable;
    if (at + size > end || memory.compare(at, variable, size) != 0) return false;
    at += size;
    while (at < end && (byteAt(at) == Char.BraceClose || byteAt(at) == Char.Percent || byteAt(at) == Char.Space)) at++;
    second = at;
  } else if (
    textStarts(at, end, "__") &&
    byteAt(first - 1) == Char.Underscore &&
    byteAt(first - 2) == Char.Underscore
  ) {
    // Thymeleaf reads what stands between twice.
    first -= 2;
    second += 2;
  }
  return true;
}

/** Looks for the result of the expression that was read; true where it was found. */
function inspectExpression(taint: Taint, mark: u32): bool {
  if (mark == Char.Dash && right > left) return false;
  let result = left * right;
  if (mark == Char.Plus) result = left + right;
  else if (mark == Char.Dash) result = left - right;
  else if (mark == Char.Slash) {
    if (right == 0 || left % right != 0) return false;
    result = left / right;
  }
  operand = result == left || result == right;
  // The words right before and right behind it.
  const start = taintValue(taint);
  const end = taintValueEnd(taint);
  let before = first;
  while (before > start && first - before < AROUND && isAround(byteAt(before - 1))) before--;
  let behind = second;
  while (behind < end && behind - second < AROUND && isAround(byteAt(behind))) behind++;
  const lead = putBytes(NEEDLE, before, first);
  let out = putDecimal(lead, result);
  if (inspectResult(taint, lead, putBytes(out, second, behind), out)) return true;
  if (!repeats) return false;
  out = lead;
  operand = left < 2;
  for (let i: u64 = 0; i < left; i++) out = putDecimal(out, right);
  return inspectResult(taint, lead, putBytes(out, second, behind), out);
}

/** Looks for the needle up to `end`, in which the result is `result..resultEnd`; true where it was found. */
function inspectResult(taint: Taint, result: usize, end: usize, resultEnd: usize): bool {
  const digits = resultEnd - result;
  const around = result - NEEDLE + (end - resultEnd);
  if (around < OWN && digits < 2) return false;
  const known = observed == 0 || digits > 4 ? Known.Nothing : knownNumber(<u32>number(result, resultEnd));
  let found: usize = 0;
  let weak: usize = 0;
  let places: u32 = 0;
  const size = end - NEEDLE;
  for (let at = reply; at + size <= replyEnd; at++) {
    if (byteAt(at) != byteAt(NEEDLE) || memory.compare(at, NEEDLE, size) != 0) continue;
    if (around < OWN && ((at > reply && goesOn(at)) || goesOn(at + size))) continue;
    const whole = (digits >= WHOLE - 1 || known == Known.New) && !operand && isWhole(at, at + size);
    places++;
    if (
      around >= OWN ||
      isLong(result, resultEnd) ||
      (digits >= WHOLE && !operand && !isRound(resultEnd) && (whole || endsAlike(taint, at, at + size))) ||
      (whole && digits >= PLACED && known == Known.New && first == taintValue(taint) && isPlace(taint, at)) ||
      isOwnMember(taint, at, at + size)
    ) {
      found = at;
      break;
    }
    if (weak == 0 && (whole || isGreeting(at, at + size))) weak = at;
  }
  if (found == 0 && (weak == 0 || known == Known.Old || (known == Known.Nothing && digits < 4 && places > 1)))
    return false;
  const at = found != 0 ? found : weak;
  // Where the expression itself stands, it was not run, and the number is the page's.
  if (around < OWN && openMatches(taintValue(taint), taintValueEnd(taint)) && nextMatch()) return false;
  const stage = found != 0 ? Stage.Confirmed : Stage.Likely;
  bearOut(taint, EVALUATES, Rule.SstiEvaluated, stage, max(reply, at - 8), min(replyEnd, at + size + 8));
  return true;
}

/** Whether it is a whole text of HTML, a whole string of JSON or the whole body. */
function isWhole(start: usize, end: usize): bool {
  if (replyType == BodyType.Json) return byteAt(start - 1) == Char.DoubleQuote && byteAt(end) == Char.DoubleQuote;
  while (start > reply && isSpace(byteAt(start - 1))) start--;
  while (end < replyEnd && isSpace(byteAt(end))) end++;
  if (replyType != BodyType.Html) return start == reply && end == replyEnd;
  return start > reply && byteAt(start - 1) == Char.Greater && byteAt(end) == Char.Less;
}

/** Whether a text ends with `start..end`, which is the end of the value with what stands before it. */
function endsAlike(taint: Taint, start: usize, end: usize): bool {
  if (second != taintValueEnd(taint) || !isSpace(byteAt(start)) || replyType == BodyType.Text) return false;
  while (end < replyEnd && isSpace(byteAt(end))) end++;
  return end < replyEnd && byteAt(end) == (replyType == BodyType.Json ? Char.DoubleQuote : Char.Less);
}

/** Makes the key of a parameter's place: a hash of what stands in front of its text. */
const PLACE: u32 = 0x2b7e1516;
const FRONT: usize = 16;

function placeKey(taint: Taint): u32 {
  return endpoint ^ PLACE ^ (<u32>hashBytes(taintName(taint), taintNameEnd(taint), HASH_SEED));
}

function frontOf(at: usize): u32 {
  return at - reply < FRONT ? 0 : (<u32>hashBytes(at - FRONT, at, HASH_SEED)) | 1;
}

/** Whether the parameter's text begins at `at`, where it did at other times. */
function isPlace(taint: Taint, at: usize): bool {
  const front = frontOf(at);
  return front != 0 && markOf(placeKey(taint)) == front;
}

/** Letters and blanks before a mark of a template by which a text is known again. */
const LEADING: usize = 4;

/**
 * Keeps where the text of a parameter stands that begins with words and has a template's mark behind them: at the one place of the
 * response that has the words, and not the mark.
 */
export function learnPlaces(watch: Watch): void {
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    const start = taintValue(taint);
    const end = taintValueEnd(taint);
    let words = start;
    while (words < end && (isLetter(byteAt(words)) || isSpace(byteAt(words)) || byteAt(words) == Char.Comma)) words++;
    if (words - start < LEADING || words + 2 > end || !isOpening(byteAt(words)) || !isOpening(byteAt(words + 1)))
      continue;
    if (!openMatches(start, words) || !nextMatch()) continue;
    const front = frontOf(matchStart);
    const behind = matchEnd < replyEnd ? byteAt(matchEnd) : byteAt(words);
    if (behind == byteAt(words) || behind == Char.Ampersand || behind == Char.Backslash) continue;
    if (front != 0 && !nextMatch()) setMark(placeKey(taint), front);
  }
}

/** Whether the number that ends at `end` has two zeros there. */
function isRound(end: usize): bool {
  return byteAt(end - 1) == Char._0 && byteAt(end - 2) == Char._0;
}

/** Whether a word goes on at `at`. */
function goesOn(at: usize): bool {
  return isPlain(byteAt(at - 1)) && isPlain(byteAt(at));
}

function isPlain(byte: u32): bool {
  return isLetter(byte) || isDigit(byte) || byte == Char.Dash || byte == Char.Underscore || byte == Char.Dot;
}

/** Words around an expression, and the blanks between. */
function isAround(byte: u32): bool {
  return isPlain(byte) || byte == Char.Space;
}

/** Whether no page has that number by chance: it is long, and not round, nor one digit again and again. */
function isLong(start: usize, end: usize): bool {
  if (end - start < LONG || isRound(end)) return false;
  for (let at = start + 1; at < end; at++) if (byteAt(at) != byteAt(start)) return true;
  return false;
}

/** Whether it is a whole string of JSON, of a member with the parameter's name. */
function isOwnMember(taint: Taint, start: usize, end: usize): bool {
  if (replyType != BodyType.Json || byteAt(start - 1) != Char.DoubleQuote || byteAt(end) != Char.DoubleQuote)
    return false;
  let at = start - 1;
  while (at > reply && isSpace(byteAt(at - 1))) at--;
  if (at == reply || byteAt(--at) != Char.Colon) return false;
  while (at > reply && isSpace(byteAt(at - 1))) at--;
  if (at == reply || byteAt(at - 1) != Char.DoubleQuote) return false;
  const nameEnd = at - 1;
  let name = nameEnd;
  while (name > reply && byteAt(name - 1) != Char.DoubleQuote) name--;
  let own = taintNameEnd(taint);
  const ownEnd = own;
  while (own > taintName(taint) && byteAt(own - 1) != Char.Slash) own--;
  return own < ownEnd && sameBytes(name, nameEnd, own, ownEnd);
}

/** Whether a text of HTML, a string of JSON or a whole body is some words and then the number: "Hello 49!". */
function isGreeting(start: usize, end: usize): bool {
  if (start == reply || byteAt(start - 1) != Char.Space) return false;
  let at = start - 1;
  let letters = false;
  while (at > reply && (isLetter(byteAt(at - 1)) || byteAt(at - 1) == Char.Space || byteAt(at - 1) == Char.Comma)) {
    letters = letters || isLetter(byteAt(at - 1));
    at--;
  }
  if (!letters) return false;
  const before: u32 = at == reply ? 0 : byteAt(at - 1);
  const mark = end < replyEnd ? byteAt(end) : 0;
  if (mark == Char.Bang || mark == Char.Dot || mark == Char.Question || mark == Char.Comma) end++;
  const behind: u32 = end < replyEnd ? byteAt(end) : 0;
  if (replyType == BodyType.Json) return before == Char.DoubleQuote && behind == Char.DoubleQuote;
  if (replyType == BodyType.Html) return before == Char.Greater && behind == Char.Less;
  return before == 0 && behind < <u32>Char.Space;
}
