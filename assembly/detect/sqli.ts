// SQL injection: a value is taken to stand bare, inside '…', inside "…" and inside `…` of a query, and reported where it leaves that
// place and goes on as SQL.
//
//   context    the walk begins                                   what must be there
//   bare       at the value, and behind `?x=` `&x=` of a URL     an operand, then an operator or clause (or these alone)
//   '…'        behind the first '                                an operator, a clause, a statement, or a comment
//   "…" `…`    behind the first such mark                        the same
//
// Two machines walk over the tokens at once. The *shape* says whether they can be SQL at all: operands and operators take turns, names
// stand next to each other only where an alias may, statements begin where one can; the first token that does not fit ends the walk,
// which in prose is the second or third. The *automaton* of rules/sqli.yaml sees the same tokens and knows what only an attacker writes.
// Neither goes back, so a walk costs what its tokens cost; there are at most four.

import { byteAt, findByte, isLetter, isQuote, isWord, sameBytesNoCase } from "../core/bytes";
import { Char } from "../core/char";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { Sql, SQLI_TABLE } from "../generated/sqli";
import { dfaAccepts, dfaNext, dfaRule, dfaStart } from "../match/dfa";
import { skipBlank } from "../core/scan";
import { ruleConfidence } from "../match/rules";
import { sqlNext, sqlStart, sqlToken } from "../tokenize/sql";
import { found, foundWhole } from "./finding";
import { isTight, mayContinue } from "./sqli-gate";

/** Where a walk stands between two tokens. */
const enum Shape {
  /** It is not SQL. */
  Dead = 0,
  /** At the beginning of a statement or of the bare value. */
  Start = 1,
  /** Behind the quotation mark that ended the string. */
  Fresh = 2,
  /** An operand must follow. */
  Expect = 3,
  /** An operand stands there; an operator may follow. */
  Have = 4,
  /** The same, and a name may follow: an alias. */
  Alias = 5,
  /** Inside a statement other than SELECT: names may stand next to each other. */
  Loose = 6,
}

/** What a walk has seen, for the whole statement. */
const enum Seen {
  From = 1,
  /** A mark of SQL that a sentence lacks: * , ( . = or a catalogue name. */
  Mark = 2,
  Into = 4,
  Values = 8,
  Set = 16,
  Where = 32,
  Table = 64,
  /** What a sentence or a query of another language has as well: a bare list, a comparison. */
  Number = 128,
  Comma = 256,
  Equation = 512,
  /** The statement stands in brackets, as a subquery does. */
  Paren = 1024,
  /** Something that is true or false: a comparison, a test, a constant. */
  Verdict = 2048,
  /** A name that is no keyword. */
  Named = 4096,
}

/** Kinds of byte without which a bare value cannot be more than one operand. */
const BARE: u32 =
  Kind.Space |
  Kind.Control |
  Kind.Paren |
  Kind.Slash |
  Kind.Hash |
  Kind.Semicolon |
  Kind.Equals |
  Kind.Pipe |
  Kind.Ampersand |
  Kind.High |
  Kind.Plus;
/** Kinds of byte without one of which nothing stands behind an operand. */
const PARTS: u32 = Kind.Space | Kind.Control | Kind.Paren | Kind.Star | Kind.Hash;
const QUOTES: u32 = Kind.Quote | Kind.Backtick;

/** Judges `start..end`, whose `kinds` are known, and reports what it finds. */
export function detectSqli(start: usize, end: usize, kinds: u32): void {
  judgePlaces(start, end, kinds, isTight(kinds));
}

/** Walks `start..end` in each place of a query that it may have. Where `look`, a walk that goes on asks whether it must. */
export function judgePlaces(start: usize, end: usize, kinds: u32, look: bool): void {
  if ((kinds & (BARE | QUOTES)) == 0) return;
  unseen = look ? start : 0;
  whole = start;
  noise = -1;
  walkBare(start, end, kinds);
  if ((kinds & QUOTES) == 0) return;
  walkQuoted(start, end, Char.Quote);
  walkQuoted(start, end, Char.DoubleQuote);
  if ((kinds & Kind.Backtick) != 0) walkQuoted(start, end, Char.Backtick);
}

/** Where the value begins, and how noisy it is (`readNoise`), -1 for not looked at. */
let whole: usize = 0;
let noise: i32 = -1;

/** Tokens of a walk after which the value is looked through. */
const PATIENCE: u32 = 2;
/** The value that has yet to be looked through, 0 for none. */
let unseen: usize = 0;

function walkBare(start: usize, end: usize, kinds: u32): void {
  let at = walk(start, end, 0);
  // A list of parameters, or a URL, carries the value behind "name=". The first one is looked at where the walk went on, too.
  if ((kinds & Kind.Equals) != 0 && (kinds & PARTS) != 0 && isWord(byteAt(start))) {
    let name = start;
    while (name < end && isWord(byteAt(name))) name++;
    if (name < at && byteAt(name) == Char.Equals) at = max(at, walk(name + 1, end, 0));
  }
  while (at < end && (kinds & Kind.Equals) != 0) {
    at = findByte(at, end, Char.Equals);
    if (at >= end) return;
    at = isParameter(start, at) ? walk(at + 1, end, 0) : at + 1;
  }
}

/** Whether the `=` at `at` ends a parameter's name: word bytes back to `?`, `&` or the beginning. */
function isParameter(start: usize, at: usize): bool {
  const limit = at - start > 32 ? at - 32 : start;
  let name = at;
  while (name > limit && isWord(byteAt(name - 1))) name--;
  if (name == at) return false;
  if (name == start) return true;
  const before = byteAt(name - 1);
  return before == Char.Question || before == Char.Ampersand;
}

function walkQuoted(start: usize, end: usize, quote: u32): void {
  let at = findByte(start, end, quote);
  // A doubled mark is a mark inside the string.
  while (at + 1 < end && at > start && byteAt(at + 1) == quote) {
    // After a backslash the first is the escaped one.
    if (byteAt(at - 1) == Char.Backslash) at++;
    else at = findByte(at + 2, end, quote);
  }
  if (at >= end) return;
  const gaps = wordGaps(start, at);
  wordy = gaps != 0;
  prosaic = gaps > 1;
  // A whole value in double quotes is one that somebody quoted ("-", "/a/"); in single ones ('-') it is rather an injection.
  const pair =
    at > start
      ? opensQuotation(byteAt(at - 1)) || isStringPrefix(start, at) || gaps > (quote == Char.Quote ? <u32>1 : 0)
      : quote == Char.DoubleQuote && end - start > 1 && (byteAt(end - 1) == quote || isCell(at, end));
  // Text of every kind has code between backticks; a database has names there, and a break-out follows one.
  if (quote == Char.Backtick && pair) return;
  opens = pair || (quote == Char.Backtick && at == start);
  walk(at + 1, end, quote);
  opens = false;
}

/** Whether the `"` at `at` opens a cell of a table, or words that are quoted: the next one has a separator or a word behind it. */
function isCell(at: usize, end: usize): bool {
  const close = findByte(at + 1, end, Char.DoubleQuote);
  const next = byteAt(close + 1);
  if (close < end && beginsWord(close + 1, end)) return true;
  return close < end && (next == Char.Comma || next == Char.Tab || next == Char.LineFeed);
}

/** Whether a space and a word of two letters or more stand at `at`. */
function beginsWord(at: usize, end: usize): bool {
  return at + 2 < end && byteAt(at) == Char.Space && isLetter(byteAt(at + 1)) && isLetter(byteAt(at + 2));
}

/** The mark that the walk began behind looks like the first of a pair. */
let opens: bool = false;
/** Two words stand in front of that mark. */
let wordy: bool = false;
/** Three words do: a sentence. */
let prosaic: bool = false;

/** Whether a quotation mark behind `byte` begins a quotation (`of 'x'`, `f("x")`, `a="x"`) and so does not end one. */
function opensQuotation(byte: u32): bool {
  switch (byte) {
    case Char.Space:
    case Char.LineFeed:
    case Char.Tab:
    case Char.ParenOpen:
    case Char.BracketOpen:
    case Char.BraceOpen:
    case Char.Comma:
    case Char.Equals:
    case Char.Colon:
    case Char.Backtick:
    case Char.Ampersand:
      return true;
  }
  return false;
}

/** A match that is as sure as this ends the walk: a surer one would change nothing that is decided on. */
const ENOUGH: u32 = 85;
/** Whether one letter that other languages put before a string ends at `at`: b'', r"", f"", u"", L"". */
function isStringPrefix(start: usize, at: usize): bool {
  if (at - start > 1 && isWord(byteAt(at - 2))) return false;
  if (at - start == 1) return false;
  const letter = byteAt(at - 1) | 0x20;
  return letter == Char.b || letter == Char.r || letter == Char.f || letter == Char.u || letter == 0x6c;
}

/** How many words follow another in `at..end`, up to 2: text may well end in a quotation mark and a dash. */
function wordGaps(at: usize, end: usize): u32 {
  let gaps: u32 = 0;
  for (; at + 2 < end && gaps < 2; at++) {
    if (byteAt(at + 1) == Char.Space && isLetter(byteAt(at)) && isLetter(byteAt(at + 2))) gaps++;
  }
  return gaps;
}

/** What a statement loses that may be one of another query language, or a sentence. */
const DOUBTFUL: u32 = 17;
/** What a rule loses that rests on the pairing of quotation marks alone, where the first one opens a pair. */
const PAIRED: u32 = 35;

/** Walks from `at` in the context of `quote` (0 for bare); reports the surest match; returns where it stopped. */
function walk(at: usize, end: usize, quote: u32): usize {
  const begin = at;
  let state = dfaStart(SQLI_TABLE);
  let shape: u32 = Shape.Start;
  if (quote != 0) {
    state = dfaNext(SQLI_TABLE, state, Sql.Break);
    shape = Shape.Fresh;
  }
  // Out: a mark was left or a condition begun, so that functions and comments weigh more.
  let out = quote != 0;
  let source = false;
  let seen: u32 = 0;
  let first: u32 = Sql.End;
  let last: u32 = Sql.End;
  let rule: u32 = 0;
  let confidence: u32 = 0;
  let until = at;
  let equation: u32 = 0;
  // A comment ends the walk, and who wrote it is not clear: `-- me`, or a condition that begins with a name.
  let doubt = false;
  // A word or a mark that is none of SQL's ended the walk.
  let reads = false;
  // Tables of the database's own, a number in hexadecimal: nobody asks others how to read those.
  let veiled = false;
  let operand: usize = 0;
  let operandEnd: usize = 0;
  let tokens: u32 = 0;
  // Brackets that the value begins with.
  let nested: u32 = 0;
  while (true) {
    if (++tokens > PATIENCE && unseen != 0) {
      // Without a word of SQL no walk finds anything, here or further on.
      if (!mayContinue(unseen, end)) return end;
      unseen = 0;
    }
    let kind = sqlToken(at, end, quote);
    at = sqlNext;
    if (kind == Sql.Tail && quote == 0) kind = Sql.Stray;
    if (kind == Sql.Plus) {
      // A plus sign says nothing, and some that stand between words were spaces: `1+union+select+2`.
      if (shape == Shape.Start || shape == Shape.Expect || shape == Shape.Loose) continue;
      if (at < end && startsClause(byteAt(at)) && isClause(sqlToken(at, end, quote))) continue;
    }
    // What AGAINST (…) searches by leaves the string where it was.
    if (kind == Sql.Mode) continue;
    // PostgreSQL's casts leave an operand what it was: `1::int`.
    if (kind == Sql.Arith && byteAt(sqlStart) == Char.Colon && (isConstant(last) || last == Sql.ParenClose)) {
      if (at < end && isLetter(byteAt(at))) {
        sqlToken(at, end, quote);
        at = sqlNext;
        continue;
      }
    }
    const before = shape;
    const previous = last;
    shape = step(before, kind, last, source);
    if (shape == Shape.Dead) {
      reads = kind == Sql.Name || kind == Sql.Prose || kind == Sql.Junk;
      break;
    }
    if (first == Sql.End) {
      if (kind == Sql.ParenOpen) nested++;
      else first = kind;
    }
    last = kind;
    switch (kind) {
      case Sql.Variable:
      case Sql.Name:
        seen |= kind == Sql.Name ? <u32>Seen.Named : <u32>Seen.Mark;
        // `a = a`, which only holds for itself.
        if ((before == Shape.Expect) & (operand != 0) && sameBytesNoCase(operand, operandEnd, sqlStart, sqlNext))
          kind = Sql.Same;
        operand = sqlStart;
        operandEnd = sqlNext;
        break;
      case Sql.Column:
        seen |= Seen.Mark;
        break;
      case Sql.ParenOpen:
        if (before == Shape.Have || previous == Sql.Logic) seen |= Seen.Verdict;
        break;
      case Sql.End:
        // "select * from": a source is missing.
        if (previous == Sql.From) seen &= ~(<u32>Seen.From);
        break;
      case Sql.From:
      case Sql.Join:
        source = true;
        seen |= Seen.From;
        break;
      case Sql.Select:
        source = true;
        seen |= Seen.Verdict;
        if (previous == Sql.ParenOpen && first == Sql.Select && (seen & (Seen.From | Seen.Comma)) == 0)
          seen |= Seen.Paren;
        break;
      case Sql.Where:
      case Sql.Order:
      case Sql.Having:
        source = false;
        seen |= Seen.Where;
        // "select * from where" asks how to write one.
        if (previous == Sql.From) seen &= ~(<u32>Seen.From);
        break;
      case Sql.Pipes:
        seen |= Seen.Mark;
        out = out || before == Shape.Start;
        break;
      case Sql.Logic:
        if (!out && first == Sql.Number) equation = seen & Seen.Equation;
        out = out || before != Shape.Loose;
        operand = 0;
        break;
      case Sql.Into:
        source = true;
        seen |= Seen.Into;
        break;
      case Sql.Limit:
        if ((seen & Seen.Paren) != 0) seen |= Seen.Number;
        break;
      case Sql.Values:
        seen |= Seen.Values;
        break;
      case Sql.Set:
        seen |= Seen.Set;
        break;
      case Sql.Table:
        if (previous == Sql.Drop) seen |= Seen.Table;
        break;
      case Sql.Comma:
        operand = 0;
        seen |= Seen.Comma;
        break;
      case Sql.Compare:
        seen |= Seen.Equation | Seen.Verdict;
        break;
      case Sql.Test:
      case Sql.Is:
      case Sql.In:
      case Sql.Between:
      case Sql.Null:
        seen |= Seen.Verdict;
        break;
      case Sql.Star:
        if (before == Shape.Expect) seen |= Seen.Mark;
        break;
      case Sql.Number:
        if (sqlNext - sqlStart > 3 && (byteAt(sqlStart + 1) | 0x20) == Char.x) {
          veiled = true;
          seen |= Seen.Mark;
        }
        if ((seen & Seen.From) == 0) seen |= Seen.Number;
        break;
      case Sql.String:
        if ((seen & Seen.From) == 0) seen |= Seen.Mark;
        break;
      case Sql.System:
      case Sql.Schema:
        veiled = true;
        seen |= Seen.Mark;
        break;
      case Sql.Semicolon:
      case Sql.Union:
        seen |= Seen.Mark;
        break;
      // Behind an operator there is nothing for a comment to end; without a break-out it ends nothing.
      case Sql.Comment:
        if (quote == 0 && (seen & Seen.Named) == 0) {
          // A condition over constants is the end of one without AND or OR as well (`7 is not null-- `), and so is an expression
          // in brackets with nothing behind the dashes (`(binary('x')) --`).
          if (isConstant(first) && (seen & Seen.Verdict) != 0) out = out || tokens > 2;
          if (nested > 1 || (nested != 0 && (first != Sql.Number || (seen & Seen.Mark) != 0)))
            out = out || skipBlank(sqlStart, end) == end;
        }
        if (before == Shape.Expect || !out) kind = Sql.Remark;
        else if (quote != 0 ? closesIn(sqlStart, end, quote) : (seen & (Seen.Verdict | Seen.Named)) == Seen.Named)
          kind = Sql.Remark;
        else if (before == Shape.Fresh || (seen & Seen.Verdict) == 0) {
          doubt = doubt || (quote != 0 && isNoise(begin, end));
          // Text in front of the mark and text in the comment: `foo bar'# baz`.
          const word = before == Shape.Fresh && wordy ? skipBlank(sqlStart, end) : sqlStart;
          // "sp_password" keeps a line out of SQL Server's log.
          const said = word < end && isLetter(byteAt(word)) && !(word + 2 < end && byteAt(word + 2) == Char.Underscore);
          doubt = doubt || (said && (word == sqlStart || (word + 1 < end && isLetter(byteAt(word + 1)))));
        }
        break;
      case Sql.Sleep:
        if (out) kind = Sql.SleepOut;
        break;
      case Sql.Error:
        if (out) kind = Sql.ErrorOut;
        break;
      case Sql.Function:
        if (out) kind = Sql.FunctionOut;
        break;
      case Sql.Info:
        if (out) kind = Sql.InfoOut;
        break;
      case Sql.Case:
        if (out) kind = Sql.CaseOut;
        break;
    }
    state = dfaNext(SQLI_TABLE, state, kind);
    if (dfaAccepts(SQLI_TABLE, state)) {
      const matched = dfaRule(SQLI_TABLE, state);
      // Most tokens behind a match leave it where it was.
      if (matched != rule) {
        let sure = weigh(matched, equation, doubt || (quote == 0 && first == Sql.Name), first);
        // ">=9 || 10" is a range of versions.
        if (quote == 0 && first == Sql.Compare && matched == Rule.SqliTautology) sure -= PAIRED;
        // "state='open' or rank='high'" is a filter: behind the first name the strings are whole, and compared with another one's.
        if (quote == 0 && begin != whole && first == Sql.String && (seen & Seen.Named) != 0)
          if (matched == Rule.SqliTautology) sure -= PAIRED;
        // "run = f(x); exec(y)" is a program's, and so is "import { exec } from 'x'; exec(y)".
        if (quote == 0 && begin == whole && first == Sql.Name && (seen & (Seen.Equation | Seen.From)) != 0)
          if (matched == Rule.SqliStackedQuery && kind == Sql.ParenOpen) sure -= PAIRED;
        // `the words "union select" in a text`: a quotation ends where the select list would begin, and a sentence goes on.
        if (opens && wordy && matched == Rule.SqliUnionSelect && isString(kind) && wordGaps(sqlStart, end) != 0)
          sure -= PAIRED;
        if (quote != 0 && matched == Rule.SqliQuoteBalanced && !opens && isNoise(begin, end)) sure -= PAIRED;
        if (
          ((quote != 0 && matched == Rule.SqliTautology) || matched == Rule.SqliTimeDelay) &&
          breaks(kind, at, end, quote)
        )
          sure -= PAIRED;
        if (sure > confidence) {
          rule = matched;
          confidence = sure;
          until = at;
          // Two comparisons of numbers are mathematics as well; what stands behind them tells.
          if (sure >= ENOUGH && (quote != 0 || matched != Rule.SqliTautology)) break;
        }
      }
    }
    // Prose between two quotation marks: what follows it is not SQL's.
    if (kind == Sql.End || kind == Sql.Text) break;
  }
  if (shape == Shape.Dead && quote == 0 && rule == Rule.SqliTautology && reads) confidence -= PAIRED;
  // "what does ' or 1=1": talk, with a string left open that no query would take.
  if (quote != 0 && prosaic && rule == Rule.SqliTautology && isConstant(last) && skipBlank(at, end) == end)
    confidence -= PAIRED;
  if (shape != Shape.Dead && quote == 0) {
    const whole = statement(first, seen);
    if (whole > confidence) {
      rule = Rule.SqliStatement;
      confidence = whole;
      until = end;
    }
  }
  if (confidence != 0) {
    if (quote == 0 && begin == whole && nested == 0 && isStatement(first))
      foundWhole(rule, confidence, begin, until, isComplete(rule, shape) && !veiled && isWritten(begin, until));
    else found(rule, confidence, begin, until);
  }
  return at;
}

/** Whether a value that begins with `kind` is a statement from its first word on: it leaves nothing. */
function isStatement(kind: u32): bool {
  switch (kind) {
    case Sql.Select:
    case Sql.Insert:
    case Sql.Update:
    case Sql.Delete:
    case Sql.Drop:
    case Sql.Create:
    case Sql.Declare:
    case Sql.Begin:
    case Sql.Set:
    case Sql.Admin:
    case Sql.Comment:
    case Sql.Remark:
      return true;
  }
  return false;
}

/** Whether no comment and no control character stands where a person writes a space. */
function isWritten(at: usize, end: usize): bool {
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte < <u32>Char.Space && byte != Char.Tab && byte != Char.LineFeed && byte != Char.CarriageReturn)
      return false;
    if (byte == Char.Slash && byteAt(at + 1) == Char.Star) return false;
  }
  return true;
}

/** Whether a statement that ended in `shape` lacks nothing and is nothing but one. */
function isComplete(rule: u32, shape: u32): bool {
  return (rule == Rule.SqliStatement || rule == Rule.SqliOrderByProbe) && shape != Shape.Dead && shape != Shape.Expect;
}

/** Whether what follows a condition cannot be SQL's: a word behind its last operand, or a sentence in the string that it leaves open. */
function breaks(last: u32, at: usize, end: usize, quote: u32): bool {
  if (last != Sql.String && isString(last)) return wordGaps(sqlStart, end) != 0;
  if (last != Sql.Number && last != Sql.String) return false;
  const kind = sqlToken(at, end, quote);
  // `"or 1=1" is in the log`: no string stands behind a number, and this one is a sentence.
  if (opens && isString(kind)) return wordGaps(sqlStart, end) != 0 || beginsWord(sqlStart + 1, end);
  return kind == Sql.Name || kind == Sql.Prose;
}

/** Whether a token is a string, whole or left open. */
function isString(kind: u32): bool {
  return kind == Sql.String || kind == Sql.Tail || kind == Sql.Text || kind == Sql.Stray;
}

/** Marks from which on a text is noise, such as a digest or compressed data in printable letters. */
const NOISE: i32 = 5;
/** Bytes on each side of a break-out that are looked at. */
const AROUND: usize = 32;

/** Whether what stands around the mark before `begin` is neither a value nor a condition: marks of all kinds without an order. */
function isNoise(begin: usize, end: usize): bool {
  if (noise >= 0) return noise >= NOISE;
  noise = 0;
  // A polyglot gathers marks to leave any place.
  if (begin - whole > 1 && (isQuote(byteAt(begin - 2)) || byteAt(begin - 2) == Char.Backtick)) return false;
  const to = min(end, begin + AROUND);
  for (let at = begin - whole > AROUND ? begin - AROUND : whole; at < to; at++) {
    switch (byteAt(at)) {
      case Char.Bang:
      case Char.Hash:
      case Char.Dollar:
      case Char.Ampersand:
      case Char.Semicolon:
      case Char.Less:
      case Char.Greater:
      case Char.Question:
      case Char.BracketOpen:
      case Char.BracketClose:
      case Char.Backslash:
      case Char.Caret:
      case Char.Backtick:
      case Char.BraceOpen:
      case Char.Pipe:
      case Char.BraceClose:
      case Char.Tilde:
        noise++;
    }
  }
  return noise >= NOISE;
}

/** Whether the text of a comment holds the second mark of a quotation: one behind a word. */
function closesIn(at: usize, end: usize, quote: u32): bool {
  const mark = findByte(at, end, quote);
  return mark < end && mark > at && isWord(byteAt(mark - 1));
}

/** The confidence of a rule that matched, less what speaks against it. */
function weigh(rule: u32, equation: u32, doubt: bool, first: u32): u32 {
  let sure = ruleConfidence(rule);
  if (opens && (rule == Rule.SqliQuoteBalanced || rule == Rule.SqliBooleanSubquery)) sure -= PAIRED;
  if ((opens || doubt) && rule == Rule.SqliCommentTerminated) sure -= PAIRED;
  if (opens && first != Sql.Semicolon && rule == Rule.SqliStackedQuery) sure -= PAIRED;
  if (equation != 0 && rule == Rule.SqliTautology) sure -= PAIRED;
  return sure;
}

/** Whether the first byte of a token may be a clause's: a word, && or ||. */
function startsClause(byte: u32): bool {
  return isLetter(byte) || byte == Char.Pipe || byte == Char.Ampersand;
}

/** Whether a token goes on behind an operand and cannot be one. */
function isClause(kind: u32): bool {
  switch (kind) {
    case Sql.Logic:
    case Sql.Test:
    case Sql.Is:
    case Sql.In:
    case Sql.Between:
    case Sql.Pipes:
    case Sql.Compare:
    case Sql.Union:
    case Sql.From:
    case Sql.Where:
    case Sql.Order:
    case Sql.By:
    case Sql.Having:
    case Sql.Limit:
    case Sql.Into:
    case Sql.As:
    case Sql.On:
    case Sql.Join:
    case Sql.When:
    case Sql.For:
    case Sql.Procedure:
      return true;
  }
  return false;
}

/** How sure it is that a walk that came to its end was a whole statement of SQL, and not of a language like it, or a sentence. */
function statement(first: u32, seen: u32): u32 {
  const marks = (seen & Seen.Mark) != 0 || (seen & (Seen.Number | Seen.Comma)) == (Seen.Number | Seen.Comma);
  const full = ruleConfidence(Rule.SqliStatement);
  const weak = full - DOUBTFUL;
  switch (first) {
    case Sql.Select:
      if ((seen & Seen.From) == 0) return 0;
      if ((seen & Seen.Paren) != 0 && (seen & (Seen.Comma | Seen.Equation | Seen.Number)) != 0) return full;
      return marks ? full : (seen & (Seen.Comma | Seen.Equation)) != 0 ? weak : 0;
    case Sql.Insert:
      return (seen & (Seen.Into | Seen.Values)) == (Seen.Into | Seen.Values) &&
        (seen & (Seen.Mark | Seen.Comma | Seen.Number)) != 0
        ? full
        : 0;
    case Sql.Update:
      return (seen & (Seen.Set | Seen.Equation)) == (Seen.Set | Seen.Equation) ? full : 0;
    case Sql.Delete:
      return (seen & (Seen.From | Seen.Where | Seen.Equation)) == (Seen.From | Seen.Where | Seen.Equation) ? full : 0;
    case Sql.Drop:
      return (seen & Seen.Table) == 0 ? 0 : marks ? full : weak;
  }
  return 0;
}

/** The shape behind a token; `last` is the token before it, `source` whether a FROM list is open. */
function step(shape: u32, kind: u32, last: u32, source: bool): u32 {
  switch (kind) {
    case Sql.Prose:
    case Sql.Junk:
      return last == Sql.Dot ? <u32>Shape.Have : <u32>Shape.Dead;
    case Sql.End:
    case Sql.Comment:
    case Sql.Remark:
      return shape;
    case Sql.Semicolon:
      return Shape.Start;
    case Sql.ParenOpen:
      return shape == Shape.Loose ? <u32>Shape.Loose : <u32>Shape.Expect;
    case Sql.ParenClose:
      return shape == Shape.Loose ? <u32>Shape.Loose : <u32>Shape.Alias;
    case Sql.Select:
      // A subquery in a list stands in brackets: "Hello, select the ones that fit".
      return shape == Shape.Have || shape == Shape.Alias || last == Sql.Comma ? <u32>Shape.Dead : <u32>Shape.Expect;
  }
  if (shape == Shape.Loose) return kind == Sql.Text && last != Sql.Delay ? <u32>Shape.Dead : <u32>Shape.Loose;
  const operand = shape == Shape.Start || shape == Shape.Expect;
  if (kind == Sql.Table && (last == Sql.Union || last == Sql.All || last == Sql.Semicolon)) return Shape.Loose;
  switch (kind) {
    case Sql.Number:
      if (last == Sql.Top) return Shape.Expect;
      return operand ? <u32>Shape.Have : <u32>Shape.Dead;
    case Sql.String:
    case Sql.Tail:
    case Sql.Stray:
    case Sql.Text:
      return shape == Shape.Fresh ? <u32>Shape.Dead : <u32>Shape.Have;
    case Sql.Null:
    case Sql.Variable:
    case Sql.System:
      return operand ? <u32>Shape.Have : <u32>Shape.Dead;
    case Sql.Star:
      return operand ? <u32>Shape.Have : <u32>Shape.Expect;
    case Sql.Name:
    case Sql.Schema:
    case Sql.Column:
    case Sql.Sleep:
    case Sql.Timed:
    case Sql.Error:
    case Sql.File:
    case Sql.Info:
    case Sql.Function:
    case Sql.Command:
    case Sql.Table:
    case Sql.Delay:
    case Sql.Outfile:
      if (operand) return source ? <u32>Shape.Alias : <u32>Shape.Have;
      return shape == Shape.Alias || (source && isConstant(last)) ? <u32>Shape.Have : <u32>Shape.Dead;
    case Sql.Ascending:
    case Sql.Stop:
      return shape == Shape.Fresh ? <u32>Shape.Dead : <u32>Shape.Alias;
    case Sql.Plus:
    case Sql.Minus:
    case Sql.Tilde:
    case Sql.Not:
    case Sql.Test:
    case Sql.Is:
    case Sql.In:
    case Sql.Between:
      return Shape.Expect;
    case Sql.Compare:
    case Sql.Arith:
    case Sql.Pipes:
    case Sql.Comma:
      return shape == Shape.Expect ? <u32>Shape.Dead : <u32>Shape.Expect;
    // No statement begins so: "&quot;or 1=1&quot;".
    case Sql.Logic:
      return last == Sql.Semicolon ? <u32>Shape.Dead : <u32>Shape.Expect;
    case Sql.Dot:
      return shape == Shape.Start || shape == Shape.Fresh ? <u32>Shape.Dead : <u32>Shape.Expect;
    case Sql.All:
    case Sql.Case:
    case Sql.Top:
      return operand ? <u32>Shape.Expect : shape == Shape.Alias ? <u32>Shape.Have : <u32>Shape.Dead;
    case Sql.If:
      return shape == Shape.Expect ? <u32>Shape.Have : <u32>Shape.Loose;
    case Sql.Insert:
      return shape == Shape.Expect ? <u32>Shape.Have : verb(shape, last);
    case Sql.Admin:
      return shape == Shape.Expect ? <u32>Shape.Have : shape <= <u32>Shape.Fresh ? <u32>Shape.Loose : <u32>Shape.Dead;
    case Sql.Update:
      return last == Sql.For ? <u32>Shape.Have : verb(shape, last);
    case Sql.Waitfor:
      return Shape.Loose;
    case Sql.Set:
      return shape == Shape.Start ? <u32>Shape.Loose : <u32>Shape.Expect;
    case Sql.Delete:
    case Sql.Drop:
    case Sql.Create:
    case Sql.Execute:
    case Sql.Declare:
    case Sql.Shutdown:
    case Sql.Begin:
    case Sql.While:
      return verb(shape, last);
  }
  // What is left are clauses and operators: UNION, FROM, WHERE, ORDER, BY, LIMIT, AS, WHEN …
  return Shape.Expect;
}

/** The shape behind a statement's verb. SQL Server needs no semicolon before it, but a constant or a bracket is what it follows. */
function verb(shape: u32, last: u32): u32 {
  if (shape <= <u32>Shape.Fresh) return Shape.Loose;
  if (shape == Shape.Expect) return Shape.Dead;
  return isConstant(last) || last == Sql.ParenClose ? <u32>Shape.Loose : <u32>Shape.Dead;
}

function isConstant(kind: u32): bool {
  return kind == Sql.Number || kind == Sql.String || kind == Sql.Null || kind == Sql.Variable || kind == Sql.System;
}
