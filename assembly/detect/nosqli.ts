// NoSQL injection. Four readings, each with a gate of its own, none with memory:
//
//   user[$ne]=1   {"user":{"$ne":null}}   {"$gt":""}   1, $where: '…'      an operator, weighed by nosqli-operator.ts
//   x'; return true; var a='   x' || this.a.match(/b/)//                   out of a string of JavaScript and on
//   x'}) DETACH DELETE n //                                                out of a string of Cypher and on
//   x\r\nset k 0 0 1\r\n                                                   a line for Redis or memcached
//
// One step per byte for operators and lines; a break-out is looked for in the first bytes of a value alone.

import { byteAt, findByte, isDigit, isLetter, isSpace, isWord, sameBytes, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd, fieldPart, Part } from "../core/field";
import { findEither } from "../core/scan";
import { startsWithOneOf, textStarts, textStartsNoCase, textStartsOneOf } from "../core/text";
import { CYPHER, Cypher, NO_SQL_NAME, NoSqlName, Operator, OPERATOR } from "../generated/nosqli";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { keyword } from "../match/keywords";
import { found } from "./finding";
import { isBlankOrQuote, Operand, operandOf, operatorIn, weighOperator, weighUnequal } from "./nosqli-operator";

/** Bytes before the quote that a break-out begins with. */
const LONGEST_HEAD: usize = 64;
/** Bytes of a value that leaves a script. */
const LONGEST_SCRIPT: usize = 2048;
/** Operators that are weighed in one value. */
const MOST_OPERATORS: i32 = 256;
/** Bytes of an operand that are looked at inside a value. */
const LONGEST_OPERAND: usize = 64;
/** What is listed. */
const LISTED: u32 = 20;
const QUOTES_AND_JOINTS: u32 = Kind.Quote | Kind.Semicolon | Kind.Pipe | Kind.Ampersand;

/** Whether `start..end` can be read in any of the four ways. */
export function mayNosqli(start: usize, end: usize, kinds: u32): bool {
  return (kinds & (Kind.Dollar | QUOTES_AND_JOINTS | Kind.Control)) != 0;
}

/** Judges `start..end` and reports what is found. */
export function detectNosqli(start: usize, end: usize, kinds: u32): void {
  if (!mayNosqli(start, end, kinds)) return;
  if ((kinds & Kind.Dollar) != 0) readOperators(start, end);
  if ((kinds & QUOTES_AND_JOINTS) != 0 && end - start <= LONGEST_SCRIPT) readBreak(start, end, kinds);
  if ((kinds & Kind.Control) != 0) readLines(start, end);
}

/**
 * Judges `start..end`, which may be empty, as the operand of a field whose name ends in an operator. Called for each such field,
 * whatever bytes its value has, and for the name itself.
 */
export function judgeOperand(start: usize, end: usize): void {
  const operator = operatorIn(fieldName, fieldNameEnd);
  if (operator == 0) return;
  const kind = keyword(OPERATOR, operator, wordEnd(operator, fieldNameEnd));
  if (kind == 0) return;
  // `$where=magnitude > 3` is a filter of Socrata; as a member of an object, or below a name, it is none.
  if (operator == fieldName && (fieldPart == Part.Query || kind != Operator.Script)) return;
  // The name is judged before its value, and as its value: a JSON member's is the end of its pointer.
  const name = fieldPart == Part.Json ? operator : fieldName;
  const operand = sameBytes(start, end, name, fieldNameEnd) ? Operand.Unknown : operandOf(start, end);
  const sure = weigh(kind, operator, fieldName, operator, operand);
  if (sure >= LISTED) {
    found(kind == Operator.Script ? Rule.NosqliScriptOperator : Rule.NosqliOperatorName, sure, start, end);
  }
}

/** The end of the operator that begins at `at`. */
function wordEnd(at: usize, end: usize): usize {
  at++;
  while (at < end && isLetter(byteAt(at))) at++;
  return at;
}

function weigh(kind: u32, operator: usize, name: usize, nameEnd: usize, operand: Operand): u32 {
  // "$ne", "$nin" and "$not" begin with n.
  return (byteAt(operator + 1) | 0x20) == Char.n
    ? weighUnequal(kind, name, nameEnd, operand)
    : weighOperator(kind, name, nameEnd, operand);
}

/** Looks at each operator in a value: in a name that is the value (`user[$ne]=1`), or a member of an object. */
function readOperators(start: usize, end: usize): void {
  let best: u32 = 0;
  let rule: u32 = 0;
  let from = start;
  let depth = 0;
  let counted = start;
  // The rest of a body that is nearly JSON is sent, whatever it begins with.
  const sent = fieldPart == Part.Body || leavesString(start, end);
  const opens: u32 = sent ? Char.BraceOpen : firstMark(start, end);
  let left = MOST_OPERATORS;
  for (let at = start; left > 0 && (at = findByte(at, end, Char.Dollar)) < end; at++) {
    if (at + 1 >= end || !isLetter(byteAt(at + 1))) continue;
    const stop = wordEnd(at, end);
    const kind = keyword(OPERATOR, at, stop);
    if (kind == 0) continue;
    left--;
    let before = at;
    while (before > start && isBlankOrQuote(byteAt(before - 1))) before--;
    const lead: u32 = before > start ? byteAt(before - 1) : 0;
    let after = stop;
    while (after < end && isBlankOrQuote(byteAt(after))) after++;
    const next: u32 = after < end ? byteAt(after) : 0;
    let sure: u32 = 0;
    if (lead == Char.BracketOpen && next == Char.BracketClose) {
      sure = weighBracket(kind, at, start, before - 1, after + 1, end);
      if (sure > best) rule = Rule.NosqliOperatorName;
    } else if (next == Char.Colon && (lead == Char.BraceOpen || lead == Char.Comma || lead == 0)) {
      for (; counted < before; counted++) {
        const byte = byteAt(counted) | 0x20;
        if (byte == Char.BraceOpen) depth++;
        else if (byte == Char.BraceClose) depth--;
      }
      sure = weighMember(kind, at, start, before, after + 1, end, depth, opens);
      if (sure > best) rule = Rule.NosqliOperatorObject;
    }
    if (sure <= best) continue;
    best = sure;
    from = before;
    if (kind == Operator.Script) rule = Rule.NosqliScriptOperator;
  }
  if (best >= LISTED) found(rule, best, from, end);
}

/** Whether a value leaves a string of JSON for the next member: `a", "b": …` */
function leavesString(start: usize, end: usize): bool {
  const stop = min(end, start + LONGEST_HEAD);
  while (start < stop && isNameByte(byteAt(start))) start++;
  if (start == end || byteAt(start) != Char.DoubleQuote) return false;
  start = skipSpaces(start + 1, end);
  if (start == end || byteAt(start) != Char.Comma) return false;
  start = skipSpaces(start + 1, end);
  return start < end && byteAt(start) == Char.DoubleQuote;
}

/** `name[$op]=operand` or `name[$op]`, whole: how sure it is. */
function weighBracket(kind: u32, operator: usize, start: usize, nameEnd: usize, at: usize, end: usize): u32 {
  // A field's own name is weighed with its value (`judgeOperand`).
  if (sameBytes(start, end, fieldName, fieldNameEnd)) return 0;
  // "$list[$in]" is a program's.
  if (start < nameEnd && byteAt(start) == Char.Dollar) return 0;
  while (at < end && (byteAt(at) == Char.BracketOpen || byteAt(at) == Char.BracketClose || isDigit(byteAt(at)))) at++;
  if (at < end && byteAt(at) != Char.Equals) return 0;
  let from = nameEnd;
  while (from > start && isNameByte(byteAt(from - 1))) from--;
  if (from > start && !isPairJoint(byteAt(from - 1))) return 0;
  // "[$ne]=1" stands where a name was before.
  if (from == nameEnd) return at < end ? 80 : 64;
  if (at == end) return weigh(kind, operator, from, nameEnd, Operand.Unknown);
  const stop = min(end, at + LONGEST_OPERAND);
  return weigh(kind, operator, from, nameEnd, operandOf(at + 1, findByte(at + 1, stop, Char.Ampersand)));
}

/** A member of an object: `before` is what stands before it, `at..end` begins with the operand. */
function weighMember(
  kind: u32,
  operator: usize,
  start: usize,
  before: usize,
  at: usize,
  end: usize,
  depth: i32,
  opens: u32,
): u32 {
  const operand = operandOf(at, operandEnd(at, end));
  // A value that goes on with a member has left an object that it did not open.
  if (depth < 0 || (depth == 0 && before > start)) {
    if (isProse(start, before)) return 0;
    return kind == Operator.Equal ? 55 : 85;
  }
  if (before == start) return kind == Operator.Script ? 85 : kind == Operator.Equal ? 40 : 66;
  // An object inside of a text is shown, not sent.
  if (opens != Char.BraceOpen && opens != Char.BracketOpen) return depth > 0 ? 40 : 0;
  if (kind == Operator.Script) return 88;
  if (kind == Operator.Logic && opensEmpty(at, end)) return 78;
  // {"user": {"$ne": …: the name stands before the brace; the outermost object has that of the field.
  let name = before - 1;
  while (name > start && isSpace(byteAt(name - 1))) name--;
  if (name > start && byteAt(name - 1) == Char.Colon) {
    let nameEnd = name - 1;
    while (nameEnd > start && isBlankOrQuote(byteAt(nameEnd - 1))) nameEnd--;
    name = nameEnd;
    while (name > start && isNameByte(byteAt(name - 1))) name--;
    return weigh(kind, operator, name, nameEnd, operand);
  }
  if (depth != 1) return 35;
  const sure = weigh(kind, operator, fieldName, fieldNameEnd, operand);
  return kind < <u32>Operator.Equal && operand != Operand.Ordinary ? max<u32>(sure, 80) : sure;
}

/** Whether a list begins with an empty object: [ {}, … */
function opensEmpty(at: usize, end: usize): bool {
  at = skipSpaces(at, end);
  if (at == end || byteAt(at) != Char.BracketOpen) return false;
  at = skipSpaces(at + 1, end);
  if (at == end || byteAt(at) != Char.BraceOpen) return false;
  at = skipSpaces(at + 1, end);
  return at < end && byteAt(at) == Char.BraceClose;
}

/** The end of an operand: of its string, or before what ends a member. */
function operandEnd(at: usize, end: usize): usize {
  at = skipSpaces(at, end);
  if (at == end) return end;
  const quote = byteAt(at);
  const close = min(end, at + LONGEST_OPERAND);
  if (quote == Char.Quote || quote == Char.DoubleQuote) return min(findByte(at + 1, close, quote) + 1, close);
  if (quote == Char.BraceOpen || quote == Char.BracketOpen) at++;
  while (at < close && byteAt(at) != Char.Comma && byteAt(at) != Char.BraceClose && byteAt(at) != Char.BracketClose)
    at++;
  if ((quote == Char.BraceOpen || quote == Char.BracketOpen) && at < close) at++;
  return at;
}

/** Whether words stand before a member, as in a sentence: three letters and a space twice. */
function isProse(start: usize, end: usize): bool {
  let words = 0;
  let letters = 0;
  for (let at = start; at < end && at < start + 128; at++) {
    const byte = byteAt(at);
    if (isLetter(byte)) letters++;
    else {
      if (byte == Char.Space && letters >= 2) words++;
      letters = 0;
    }
  }
  return words >= 3;
}

/** The first byte that is neither blank nor a quote. */
function firstMark(start: usize, end: usize): u32 {
  while (start < end && isBlankOrQuote(byteAt(start))) start++;
  return start < end ? byteAt(start) : 0;
}

function isNameByte(byte: u32): bool {
  return (
    isWord(byte) ||
    byte == Char.BracketOpen ||
    byte == Char.BracketClose ||
    byte == Char.Dot ||
    byte == Char.Dash ||
    byte == Char.Dollar
  );
}

function isPairJoint(byte: u32): bool {
  return byte == Char.Ampersand || byte == Char.Question || byte == Char.Semicolon;
}

/** Looks for a value that leaves a string or an expression near its start, and reports what it goes on with. */
function readBreak(start: usize, end: usize, kinds: u32): void {
  let at = start;
  const stop = min(end, start + LONGEST_HEAD);
  let spaces = 0;
  while (at < stop) {
    const byte = byteAt(at);
    if (byte == Char.Space) spaces++;
    else if (
      !isWord(byte) &&
      byte != Char.At &&
      byte != Char.Dot &&
      byte != Char.Dash &&
      byte != Char.Star &&
      byte < 0x80
    )
      break;
    at++;
  }
  if (at == stop || spaces > 3) return;
  const quote = byteAt(at);
  const quoted = quote == Char.Quote || quote == Char.DoubleQuote;
  const head = at;
  if (quoted) at++;
  at = skipClosers(at, end);
  if (at == end) return;
  if (quoted) readClause(start, at, end);
  const byte = byteAt(at);
  // *"}],"ComparisonOperator": "GT"
  if (
    byte == Char.Comma &&
    quote == Char.DoubleQuote &&
    textStarts(skipSpaces(at + 1, end), end, '"ComparisonOperator"')
  ) {
    found(Rule.NosqliClause, 82, start, end);
    return;
  }
  const next: u32 = at + 1 < end ? byteAt(at + 1) : 0;
  let sure: u32 = 0;
  if ((byte == Char.Pipe || byte == Char.Ampersand) && next == byte) {
    sure = weighTerm(skipClosers(at + 2, end), end, quoted);
    // "a && this.b" is a line of a program.
    if (!quoted && !isValue(start, head)) sure = min<u32>(sure, 55);
  } else if (followsSemicolon(start, at) && (quoted || findByte(head, at, Char.LineFeed) == at)) {
    sure = weighStatement(at, end, quoted);
  }
  if (sure >= LISTED) found(Rule.NosqliServerScript, sure, start, end);
}

/** Past blanks and what closes a bracket or ends a statement. */
function skipClosers(at: usize, end: usize): usize {
  while (at < end) {
    const byte = byteAt(at);
    if (!isSpace(byte) && byte != Char.ParenClose && byte != Char.BraceClose && byte != Char.BracketClose) {
      if (byte != Char.Semicolon) break;
    }
    at++;
  }
  return at;
}

/** Whether a value begins with nothing, a number or `true`: not with a variable. */
function isValue(start: usize, end: usize): bool {
  while (end > start && isSpace(byteAt(end - 1))) end--;
  return start == end || isDigit(byteAt(start)) || keyword(NO_SQL_NAME, start, end) == NoSqlName.True;
}

function followsSemicolon(start: usize, at: usize): bool {
  while (at > start && isSpace(byteAt(at - 1))) at--;
  return at > start && byteAt(at - 1) == Char.Semicolon;
}

/** The end of the name at `at`. */
function nameStop(at: usize, end: usize): usize {
  while (at < end && isWord(byteAt(at))) at++;
  return at;
}

/** `this.a`  `sleep(1)`  `1 == 1`  `'a'=='a`  `true//` behind `||` or `&&`. */
function weighTerm(at: usize, end: usize, quoted: bool): u32 {
  while (at < end && (byteAt(at) == Char.ParenOpen || byteAt(at) == Char.Bang || isSpace(byteAt(at)))) at++;
  const sure = weighScript(at, end, quoted);
  if (sure != 0) return sure;
  // A comparison of two literals, with the operator of JavaScript.
  let right = at;
  while (right < end && (isWord(byteAt(right)) || isBlankOrQuote(byteAt(right)))) right++;
  if (right > at && right + 1 < end && byteAt(right + 1) == Char.Equals) {
    if (byteAt(right) == Char.Equals || byteAt(right) == Char.Bang) return isLiteral(at) ? (quoted ? 82 : 66) : 40;
  }
  const word = nameStop(at, end);
  const whole = word > at && (isDigit(byteAt(at)) || keyword(NO_SQL_NAME, at, word) == NoSqlName.True);
  return whole && quoted && mends(word, end) ? 70 : 0;
}

function isLiteral(at: usize): bool {
  const byte = byteAt(at);
  return isDigit(byte) || byte == Char.Quote || byte == Char.DoubleQuote;
}

/** Whether what is left only cuts off or closes what the value landed in. */
function mends(at: usize, end: usize): bool {
  at = skipClosers(at, end);
  if (at == end) return false;
  const byte = byteAt(at);
  return byte == 0 || (byte == Char.Slash && at + 1 < end && byteAt(at + 1) == Char.Slash);
}

/** A statement behind `;`. */
function weighStatement(at: usize, end: usize, quoted: bool): u32 {
  const sure = weighScript(at, end, quoted);
  if (sure != 0) return sure;
  const stop = nameStop(at, end);
  if (stop == at) return 0;
  const kind = keyword(NO_SQL_NAME, at, stop);
  const rest = skipSpaces(stop, end);
  if (rest == end) return 0;
  if (kind == NoSqlName.Return) {
    // "return true", "return(1)", "return this"; a sentence goes on with other words.
    const byte = byteAt(rest);
    const word = keyword(NO_SQL_NAME, rest, nameStop(rest, end));
    const bare = byte == Char.ParenOpen || isLiteral(rest) || word == NoSqlName.True || word == NoSqlName.This;
    return bare ? (quoted ? 84 : 66) : 0;
  }
  // it=new Date()
  let value = stop;
  if (kind == NoSqlName.Declare) value = nameStop(rest, end);
  value = skipSpaces(value, end);
  if (value < end && byteAt(value) == Char.Equals) {
    value = skipSpaces(value + 1, end);
    if (keyword(NO_SQL_NAME, value, nameStop(value, end)) == NoSqlName.New) return quoted ? 80 : 64;
    if (kind == NoSqlName.Declare && quoted) return 60;
  }
  return 0;
}

/** What only a script in a database has: `this.`, `sleep(`, `db.`, a loop, a function. */
function weighScript(at: usize, end: usize, quoted: bool): u32 {
  const stop = nameStop(at, end);
  if (stop == at || stop == end) return 0;
  const kind = keyword(NO_SQL_NAME, at, stop);
  const rest = skipSpaces(stop, end);
  const byte: u32 = rest < end ? byteAt(rest) : 0;
  switch (kind) {
    case NoSqlName.This:
      return rest == stop && (byte == Char.Dot || byte == Char.BracketOpen) ? (quoted ? 88 : 76) : 0;
    case NoSqlName.Call:
      return byte == Char.ParenOpen ? 88 : 0;
    case NoSqlName.Loop:
      return byte == Char.ParenOpen || byte == Char.BraceOpen ? (quoted ? 85 : 68) : 0;
    case NoSqlName.Shell:
      return byte == Char.Dot ? (quoted ? 88 : 72) : 0;
    case NoSqlName.Function:
      return byte == Char.ParenOpen ? (quoted ? 75 : 55) : 0;
    default:
      return 0;
  }
}

/** A clause of Cypher or CQL at `at`, behind a quote and brackets that were closed. */
function readClause(start: usize, at: usize, end: usize): void {
  if (textStartsNoCase(at, end, "allow filtering")) found(Rule.NosqliClause, 80, start, end);
  const word = nameStop(at, end);
  const kind = keyword(CYPHER, at, word);
  if (kind == 0 || word == end || (kind == Cypher.Clause && !isClause(word, end))) return;
  // The end of the query is cut off, or a node, a procedure or a file is named.
  let comment = false;
  let node = false;
  for (let i = word; i + 1 < end; i++) {
    const byte = byteAt(i);
    if (byte == Char.Slash && byteAt(i + 1) == Char.Slash && byteAt(i - 1) != Char.Colon) comment = true;
    else if (byte == Char.ParenOpen && isNode(i + 1, end)) node = true;
    else if (byte == Char.Space && isProcedure(i + 1, end)) node = true;
    else if (byte == Char.Space && kind == Cypher.Branch && textStartsNoCase(i + 1, end, "return ")) node = true;
  }
  const sure: u32 = comment && node ? 92 : kind != Cypher.Clause ? 0 : comment ? 80 : node ? 72 : 0;
  if (sure != 0) found(Rule.NosqliClause, sure, start, end);
}

/** Whether a clause goes on behind its first word: `MATCH (`, `UNION MATCH`, `SET n.a`, `WITH 1 AS`, `RETURN n //`. */
function isClause(at: usize, end: usize): bool {
  at = skipSpaces(at, end);
  if (at == end) return false;
  if (byteAt(at) == Char.ParenOpen) return true;
  let stop = nameStop(at, end);
  if (stop == at) return byteAt(at) == Char.Star;
  if (stop == end) return false;
  if (keyword(CYPHER, at, stop) == Cypher.Clause) return true;
  const joint = byteAt(stop);
  if (joint == Char.Dot || joint == Char.ParenOpen) return stop + 1 < end && !isSpace(byteAt(stop + 1));
  at = skipSpaces(stop, end);
  if (at == end) return false;
  if (byteAt(at) == Char.Slash || byteAt(at) == Char.Comma) return true;
  stop = nameStop(at, end);
  return keyword(CYPHER, at, stop) == Cypher.Clause || textStartsNoCase(at, end, "as ");
}

/** `db.labels`  `dbms.procedures`  `apoc.load`  `CSV FROM` */
function isProcedure(at: usize, end: usize): bool {
  return (
    startsWithOneOf(at, end, "db. dbms. apoc. ") ||
    textStartsNoCase(at, end, "csv ") ||
    textStartsNoCase(at, end, "detach delete ")
  );
}

/** `(n)`  `(n:User {`  `()` */
function isNode(at: usize, end: usize): bool {
  at = nameStop(at, end);
  if (at >= end) return false;
  const byte = byteAt(at);
  return byte == Char.ParenClose || (byte == Char.Colon && at + 1 < end && isLetter(byteAt(at + 1)));
}

/** Looks behind each line end for a command. */
function readLines(start: usize, end: usize): void {
  // A whole request of Redis.
  const head = findEither(start, end, Char.LineFeed, Char.CarriageReturn);
  if (byteAt(start) == Char.Star && fieldPart != Part.Body && isCommandLine(start, head, end)) {
    found(Rule.NosqliCommandLine, 80, start, head);
    return;
  }
  for (let at = start; (at = findByte(at, end, Char.LineFeed)) + 4 < end; at++) {
    const line = at + 1;
    if (byteAt(line) != Char.Star && !isLetter(byteAt(line))) continue;
    const stop = min(findEither(line, end, Char.LineFeed, Char.CarriageReturn), end);
    if (isCommandLine(line, stop, end)) {
      found(Rule.NosqliCommandLine, fieldPart == Part.Body ? 55 : 80, at, stop);
      return;
    }
    at = stop - 1;
  }
}

/** `*3` and `$3` below it; `set k 0 3600 4`; `flushall`, `config set dir`, `slaveof h 1`, `eval "…" 0`. */
function isCommandLine(line: usize, stop: usize, end: usize): bool {
  const first = byteAt(line);
  if (first == Char.Star) {
    let at = line + 1;
    while (at < stop && isDigit(byteAt(at))) at++;
    if (at == line + 1 || at < stop) return false;
    while (at < end && (byteAt(at) == Char.CarriageReturn || byteAt(at) == Char.LineFeed)) at++;
    return at + 1 < end && byteAt(at) == Char.Dollar && isDigit(byteAt(at + 1));
  }
  const word = nameStop(line, stop);
  const size = word - line;
  if (size < 3 || size > 9) return false;
  if (stop == word) return textStartsNoCase(line, stop, "flushall") || textStartsNoCase(line, stop, "flush_all");
  if (byteAt(word) != Char.Space) return false;
  if (textStartsNoCase(line, stop, "config set ") || textStartsNoCase(line, stop, "flush_all ")) return true;
  if (textStartsNoCase(line, stop, "slaveof ") || textStartsNoCase(line, stop, "replicaof ")) {
    return isDigit(byteAt(stop - 1));
  }
  if (textStartsNoCase(line, stop, "eval ")) return byteAt(word + 1) == Char.DoubleQuote && isDigit(byteAt(stop - 1));
  const stores = textStartsOneOf(line, word, "set add cas append prepend replace ");
  if (!stores) return false;
  // A key, then flags, time and length.
  let at = word + 1;
  while (at < stop && byteAt(at) > <u32>Char.Space) at++;
  let numbers = 0;
  while (at < stop && byteAt(at) == Char.Space) {
    const number = at + 1;
    at = number;
    while (at < stop && isDigit(byteAt(at))) at++;
    if (at == number) return false;
    numbers++;
  }
  return numbers >= 3 && at == stop;
}
