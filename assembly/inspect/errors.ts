// An error of a database, or of another reader of queries, in the response to a request whose value carries syntax: the value has
// reached the query. *Likely*: the page may be about errors, so the status must say that something went wrong, the value must stand next
// to the error, the error must have the form in which a runtime prints it, or the page says little else and the value leaves a quote open.

import { byteAt, findByte, isDigit, isLetter, isQuote } from "../core/bytes";
import { Char } from "../core/char";
import { Stage } from "../core/findings";
import { findText } from "../core/text";
import { classify } from "../core/classify";
import { Kind } from "../generated/kinds";
import { Operator, OPERATOR } from "../generated/nosqli";
import { CONSTRAINTS } from "../generated/response";
import { RuleClass } from "../generated/rules";
import { keyword } from "../match/keywords";
import { wordWithin } from "../match/vocabulary";
import { findPhrase, openPhrases, phraseEnd, phraseRule, phraseSure } from "../match/phrases";
import { ruleClass } from "../match/rules";
import { Taint, taintAt, taintName, taintNameEnd, taintValue, taintValueEnd, Watch } from "../observe/taint";
import { bearOut, classBit } from "./bear";
import { BodyType, reply, replyEnd, replyStatus, replyType } from "./reply";

/** Kinds that break a query. */
const BREAKS: u32 = Kind.Quote | Kind.Backslash | Kind.Paren | Kind.Backtick | Kind.Brace;
const DESER: u32 = 1 << RuleClass.Deser;
const QUERIES: u32 =
  (1 << RuleClass.Sqli) | (1 << RuleClass.Nosqli) | (1 << RuleClass.Ldapi) | (1 << RuleClass.Xpath) | DESER;
/** Bytes before and behind an error in which its value may stand. */
const BEFORE: usize = 128;
const BEHIND: usize = 256;
/** Errors of one response that are looked at. */
const MAX_ERRORS: u32 = 4;

export function inspectErrors(watch: Watch): void {
  let asks = false;
  for (let i: u32 = 0; i < watch.count; i++) asks = asks || mayBreak(taintAt(changetype<usize>(watch), i));
  if (!asks) return;
  openPhrases(reply);
  let at = reply;
  for (let count: u32 = 0; count < MAX_ERRORS;) {
    at = findPhrase(at, replyEnd);
    if (at == replyEnd) return;
    const start = at;
    at = phraseEnd;
    if ((classBit(ruleClass(phraseRule)) & QUERIES) == 0) continue;
    count++;
    const taint = blamed(watch, start, at);
    if (taint === null) continue;
    const bit = classBit(ruleClass(phraseRule));
    bearOut(taint, bit, phraseRule, Stage.Likely, max(reply, start - 8), min(replyEnd, at + 64));
    return;
  }
}

function mayBreak(taint: Taint): bool {
  if ((taint.classes & QUERIES) != 0 || (classify(taintValue(taint), taintValueEnd(taint)) & BREAKS) != 0) return true;
  return findByte(taintName(taint), taintNameEnd(taint), Char.Dollar) < taintNameEnd(taint);
}

/**
 * Whether the error is about an operator ("… operator: $foo"), and the parameter has another one, or none; or the database knows that
 * operator: then the service has refused it.
 */
function isOther(taint: Taint, start: usize, end: usize): bool {
  if (byteAt(end - 1) != Char.Dollar) return false;
  let behind = end;
  while (behind < replyEnd && isLetter(byteAt(behind))) behind++;
  const known = keyword(OPERATOR, end - 1, behind);
  if (end - start < TOP_LEVEL && known != 0 && known != Operator.Script && known < <u32>Operator.Logic) return true;
  return (
    !holds(taintName(taint), taintNameEnd(taint), end - 1, behind - end + 1) &&
    !holds(taintValue(taint), taintValueEnd(taint), end - 1, behind - end + 1)
  );
}

/** Bytes of "unknown top level operator: $", which says something else than "unknown operator: $". */
const TOP_LEVEL: usize = 29;

/** Whether the value has a quote that nothing closes, and that no word has: "it's" is one. */
function isUnclosed(taint: Taint): bool {
  const start = taintValue(taint);
  const end = taintValueEnd(taint);
  let open = 0;
  for (let at = start; at < end; at++) {
    if (byteAt(at) != Char.Quote) continue;
    if (at == start || at + 1 == end || !isLetter(byteAt(at - 1)) || !isLetter(byteAt(at + 1))) open++;
  }
  return (open & 1) == 1;
}

/** The value that has led to the error `start..end`; null where none has. */
function blamed(watch: Watch, start: usize, end: usize): Taint | null {
  const bit = classBit(ruleClass(phraseRule));
  if (wordWithin(CONSTRAINTS, end, min(replyEnd, end + BEHIND)) != 0) return null;
  // What is not found has pages of the service's own, with what else there is to read.
  const status = replyStatus >= 400 && (replyStatus != 404 || replyType != BodyType.Html);
  const failed = status || phraseSure || isMember(start);
  let best: Taint | null = null;
  let rank = 0;
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint = taintAt(changetype<usize>(watch), i);
    if (!mayBreak(taint) || says(taint, start, end) || isOther(taint, start, end)) continue;
    // Objects are told from other values by a detector alone.
    if (bit == DESER && (taint.classes & DESER) == 0) continue;
    const near = standsNear(taint, start, end);
    if (!near && !failed && !(replyEnd - reply <= SHORT && isUnclosed(taint))) continue;
    const own = 1 + (near ? 2 : 0) + ((taint.classes & bit) != 0 ? 4 : 0);
    if (own <= rank) continue;
    rank = own;
    best = taint;
  }
  return best;
}

/** Whether the error stands in a short body of JSON, behind a name such as "error". */
function isMember(start: usize): bool {
  if (replyType != BodyType.Json || replyEnd - reply > SHORT) return false;
  return findText(reply, start, 'rror":') < start;
}

/** Bytes of a body that says nothing but an error, at most. */
const SHORT: usize = 1024;

/** Bytes of an error that no value has by chance. */
const TELLING: usize = 8;

/** Whether the value itself says what the error says: then it only came back. */
function says(taint: Taint, start: usize, end: usize): bool {
  const size = min(end - start, TELLING);
  for (let at = taintValue(taint); at + size <= taintValueEnd(taint); at++) {
    if (memory.compare(at, start, size) == 0) return true;
  }
  return false;
}

/** Whether the value's longest word, or the one behind a quote, stands near the error, and not in it. */
function standsNear(taint: Taint, start: usize, end: usize): bool {
  let word: usize = 0;
  let size: usize = 3;
  let near = false;
  const valueEnd = taintValueEnd(taint);
  for (let at = taintValue(taint); at < valueEnd;) {
    const from = at;
    while (at < valueEnd && (isLetter(byteAt(at)) || isDigit(byteAt(at)))) at++;
    if (at - from > 2 && from > taintValue(taint) && isQuote(byteAt(from - 1))) {
      near = near || holds(start, end, from, at - from) || holdsAround(start, end, from, at - from);
    }
    if (at - from > size) {
      word = from;
      size = at - from;
    }
    if (at == from) at++;
  }
  return near || (word != 0 && holdsAround(start, end, word, size));
}

function holdsAround(start: usize, end: usize, word: usize, size: usize): bool {
  const before = start - min(BEFORE, start - reply);
  return holds(before, start, word, size) || holds(end, min(replyEnd, end + BEHIND), word, size);
}

function holds(start: usize, end: usize, word: usize, size: usize): bool {
  const first = byteAt(word);
  for (let at = findByte(start, end, first); at + size <= end; at = findByte(at + 1, end, first)) {
    if (memory.compare(at, word, size) == 0) return true;
  }
  return false;
}
