// What a query operator means where it stands: `user[$ne]=1` is true of every user, `price[$gt]=10` is a filter. Three things say
// which: the operator, the name that it stands under, and its operand. Bounded by the bytes of name and operand; no memory.
//
//   user[$ne]   filter.price.$gt   /user/$ne   where[$or][0][name][$eq]
//   ────              ─────         ────                    ────        the name: the last component that is no index or operator

import { byteAt, isDigit, isLetter, isQuote, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { NO_SQL_NAME, NoSqlName, Operator } from "../generated/nosqli";
import { keyword } from "../match/keywords";

export const enum Operand {
  /** It is not known yet. */
  Unknown,
  /** null, undefined, "" or an empty container. */
  Empty,
  /** 0, 1, -1. */
  Digit,
  /** A short word or one that stands for any other: x, foo. */
  Word,
  /** A regular expression that matches everything, or that asks for a first letter. */
  Wild,
  /** Anything that a filter compares with. */
  Ordinary,
}

/** What a name is compared by. */
const enum Subject {
  Plain,
  Filter,
  Identity,
  Secret,
}

/** Bytes of the longest regular expression that says nothing by itself. */
const LONGEST_PROBE: usize = 32;

/** How sure it is that the operator `kind` under the name `name..nameEnd`, with that operand, is an attack: 0–95. */
export function weighOperator(kind: u32, name: usize, nameEnd: usize, operand: Operand): u32 {
  if (kind == Operator.Script) return 90;
  const subject = subjectOf(name, nameEnd);
  if (subject == Subject.Secret || subject == Subject.Identity) {
    if (kind == Operator.Compare || kind == Operator.Match) return 88;
    if (kind == Operator.Exists) return 78;
    if (kind == Operator.Equal) return subject == Subject.Secret || operand == Operand.Unknown ? 64 : 50;
    return 45;
  }
  if (kind >= <u32>Operator.Equal || operand == Operand.Unknown || operand == Operand.Ordinary) return 35;
  if (subject == Subject.Filter) return kind == Operator.Match && operand == Operand.Wild ? 62 : 40;
  if (kind == Operator.Exists) return 50;
  if (kind == Operator.Match) return operand == Operand.Wild || operand == Operand.Empty ? 76 : 45;
  // "id[$gt]=0" is a page; "id[$ne]=0" is everything.
  if (operand == Operand.Digit) return 50;
  return operand == Operand.Wild ? 45 : operand == Operand.Empty ? 74 : 64;
}

/** The same for `$ne` and `$nin`, whose digit says as little as a word. */
export function weighUnequal(kind: u32, name: usize, nameEnd: usize, operand: Operand): u32 {
  return weighOperator(kind, name, nameEnd, operand == Operand.Digit ? Operand.Word : operand);
}

/** What kind of operand `start..end` is. */
export function operandOf(start: usize, end: usize): Operand {
  while (start < end && isBlankOrQuote(byteAt(start))) start++;
  while (start < end && isBlankOrQuote(byteAt(end - 1))) end--;
  const size = end - start;
  if (size == 0) return Operand.Empty;
  const first = byteAt(start);
  if (isOnlyMarks(start, end)) return Operand.Empty;
  if (isNothing(start, end)) return Operand.Empty;
  if (isProbe(start, end)) return Operand.Wild;
  if (
    size <= 2 &&
    (isDigit(first) || first == Char.Dash) &&
    isDigit(byteAt(end - 1)) &&
    byteAt(end - 1) <= <u32>Char._1
  ) {
    return size == 1 || first == Char.Dash ? Operand.Digit : Operand.Ordinary;
  }
  // "$gt=!": all that is printed is greater.
  if (size == 1 && !isDigit(first)) return Operand.Word;
  for (let at = start; at < end; at++) if (!isLetter(byteAt(at))) return Operand.Ordinary;
  return size <= 1 || isAnyWord(start, end) ? Operand.Word : Operand.Ordinary;
}

// @ts-ignore: decorator
@inline
export function isBlankOrQuote(byte: u32): bool {
  return isSpace(byte) || isQuote(byte);
}

/** `{}`  `[]`  `[""]`: containers of nothing. */
function isOnlyMarks(start: usize, end: usize): bool {
  const first = byteAt(start);
  if (first != Char.BraceOpen && first != Char.BracketOpen) return false;
  for (; start < end; start++) {
    const byte = byteAt(start);
    if (!isBlankOrQuote(byte) && byte != Char.BracketOpen && byte != Char.BracketClose) {
      if (byte != Char.BraceOpen && byte != Char.BraceClose) return false;
    }
  }
  return true;
}

/** null, nil, none, undefined */
function isNothing(start: usize, end: usize): bool {
  const size = end - start;
  if (size < 3 || size > 9) return false;
  const head = load<u32>(start) | 0x20202020;
  if (size == 3) return (head & 0xffffff) == 0x6c696e; // nil
  if (size == 4) return head == 0x6c6c756e || head == 0x656e6f6e; // null, none
  return size == 9 && head == 0x65646e75; // unde…
}

/** foo, bar, lol, xyz, toto, test, xxx… */
function isAnyWord(start: usize, end: usize): bool {
  const size = end - start;
  const head = load<u32>(start) | 0x20202020;
  let same = true;
  for (let at = start + 1; at < end; at++) if (byteAt(at) != byteAt(start)) same = false;
  if (same && size >= 2) return true;
  if (size == 3) {
    const word = head & 0xffffff;
    return word == 0x6f6f66 || word == 0x726162 || word == 0x6c6f6c || word == 0x7a7978 || word == 0x636261;
  }
  return size == 4 && (head == 0x6f746f74 || head == 0x74736574);
}

/** `.*`  `^`  `^a`  `.{5}`  `^.+$`: a regular expression that reads what is there, not one that somebody looks for. */
function isProbe(start: usize, end: usize): bool {
  if (end - start > LONGEST_PROBE) return false;
  if (byteAt(start) == Char.Slash) start++;
  if (start < end && byteAt(start) == Char.Caret) return true;
  let letters = 0;
  let wild = false;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (isSpace(byte)) return false;
    if (isLetter(byte)) letters++;
    if (byte != Char.Dot || at + 1 >= end) continue;
    const next = byteAt(at + 1);
    if (next == Char.Star || next == Char.Plus || next == Char.BraceOpen) wild = true;
  }
  return (wild && letters <= 3) || (end - start == 1 && byteAt(start) == Char.Dot);
}

/** What the name in `name..end` is compared by: its last component that is no index and no operator. */
function subjectOf(name: usize, end: usize): Subject {
  const word = lastComponent(name, end);
  const wordEnd = componentEnd;
  if (word == wordEnd) return Subject.Plain;
  const kind = keyword(NO_SQL_NAME, word, wordEnd);
  let subject = Subject.Plain;
  if (kind == NoSqlName.Secret || holdsSecret(word, wordEnd)) return Subject.Secret;
  if (kind == NoSqlName.Identity) subject = Subject.Identity;
  else if (kind == NoSqlName.Filter || endsAsFilter(word, wordEnd)) subject = Subject.Filter;
  // filter[user][$ne]=3 belongs to an interface that filters.
  const first = firstComponent(name, end);
  if (first < word && keyword(NO_SQL_NAME, first, componentEnd) == NoSqlName.Wrapper) subject = Subject.Filter;
  return subject;
}

/** The end of what `lastComponent` or `firstComponent` found. */
let componentEnd: usize = 0;

function isJoint(byte: u32): bool {
  return (
    byte == Char.BracketOpen ||
    byte == Char.BracketClose ||
    byte == Char.Dot ||
    byte == Char.Slash ||
    byte == Char.Quote ||
    byte == Char.DoubleQuote
  );
}

function lastComponent(name: usize, end: usize): usize {
  while (end > name) {
    while (end > name && isJoint(byteAt(end - 1))) end--;
    let at = end;
    while (at > name && !isJoint(byteAt(at - 1))) at--;
    if (at < end && !isDigit(byteAt(at)) && byteAt(at) != Char.Dollar) {
      componentEnd = end;
      return at;
    }
    end = at;
  }
  componentEnd = name;
  return name;
}

function firstComponent(name: usize, end: usize): usize {
  while (name < end && isJoint(byteAt(name))) name++;
  componentEnd = name;
  while (componentEnd < end && !isJoint(byteAt(componentEnd))) componentEnd++;
  return name;
}

/** userPassword, csrf_token, client-secret */
function holdsSecret(word: usize, end: usize): bool {
  for (let at = word; at + 5 <= end; at++) {
    const head = load<u32>(at) | 0x20202020;
    const fifth = byteAt(at + 4) | 0x20;
    if (head == 0x73736170 && (fifth == 0x77 || fifth == 0x70)) return true; // passw, passp
    if (head == 0x656b6f74 && fifth == Char.n) return true; // token
    if (head == 0x72636573 && fifth == Char.e) return true; // secre
  }
  return false;
}

/** createdAt, created_on, start_date, parentId, roomId, is_active */
function endsAsFilter(word: usize, end: usize): bool {
  const size = end - word;
  if (size < 4) return false;
  const tail = load<u16>(end - 2);
  const before = byteAt(end - 3);
  if (tail == 0x7441 || tail == 0x6e4f || tail == 0x6449) return true; // At, On, Id
  if (before == Char.Underscore && (tail == 0x7461 || tail == 0x6e6f || tail == 0x6469)) return true;
  const last = load<u32>(end - 4) | 0x20202020;
  if (last == 0x65746164 || last == 0x656d6974) return true; // date, time
  const head = load<u16>(word) | 0x2020;
  return head == 0x7369 && (byteAt(word + 2) == Char.Underscore || byteAt(word + 2) - Char.A < 26); // isActive
}

/** Where the operator in the name's last component begins (`user[$ne]`, `user.$gt`, `/user/$in/0`), or 0 where it has none. */
export function operatorIn(name: usize, end: usize): usize {
  // Behind the operator stand at most "][]" or an index.
  let at = end;
  while (at > name) {
    const byte = byteAt(at - 1);
    if (isDigit(byte) || isJoint(byte)) at--;
    else break;
  }
  while (at > name && (isWord(byteAt(at - 1)) || byteAt(at - 1) == Char.Dollar)) {
    at--;
    if (byteAt(at) == Char.Dollar) return at;
  }
  return 0;
}
