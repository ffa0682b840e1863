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

import { byteAt, findByte, isWord, sameBytesNoCase } from "../core/bytes";
import { Char } from "../core/char";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { Sql, SQLI_TABLE } from "../generated/sqli";
import { dfaAccepts, dfaNext, dfaRule, dfaStart } from "../match/dfa";
import { ruleConfidence } from "../match/rules";
import { sqlNext, sqlStart, sqlToken } from "../tokenize/sql";
import { found } from "./finding";

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
  Kind.High;
const QUOTES: u32 = Kind.Quote | Kind.Backtick;

/** Judges `start..end`, whose `kinds` are known, and reports what it finds. */
export function detectSqli(start: usize, end: usize, kinds: u32): void {
  if ((kinds & (BARE | QUOTES)) == 0) return;
  walkBare(start, end, kinds);
  if ((kinds & QUOTES) == 0) return;
  walkQuoted(start, end, Char.Quote);
  walkQuoted(start, end, Char.DoubleQuote);
  if ((kinds & Kind.Backtick) != 0) walkQuoted(start, end, Char.Backtick);
}

function walkBare(start: usize, end: usize, kinds: u32): void {
  let at = walk(start, end, 0);
  // A list of parameters, or a URL, carries the value behind "name=".
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
  opens = at > start && opensQuotation(byteAt(at - 1));
  walk(at + 1, end, quote);
  opens = false;
}

/** The mark that the walk began behind looks like the first of a pair. */
let opens: bool = false;

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
    case Char.Greater:
      return true;
  }
  return false;
}

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
  let operand: usize = 0;
  let operandEnd: usize = 0;
  while (true) {
    let kind = sqlToken(at, end, quote);
    at = sqlNext;
    if (kind == Sql.Tail && quote == 0) kind = Sql.Stray;
    const before = shape;
    shape = step(before, kind, last, source);
    if (shape == Shape.Dead) break;
    if (first == Sql.End && kind != Sql.ParenOpen) first = kind;
    last = kind;
    switch (kind) {
      case Sql.Variable:
        seen |= Seen.Mark;
      case Sql.Name:
        // `a = a`, which only holds for itself.
        if ((before == Shape.Expect) & (operand != 0) && sameBytesNoCase(operand, operandEnd, sqlStart, sqlNext))
          kind = Sql.Same;
        operand = sqlStart;
        operandEnd = sqlNext;
        break;
      case Sql.From:
      case Sql.Join:
        source = true;
        seen |= Seen.From;
        break;
      case Sql.Select:
      case Sql.Where:
      case Sql.Order:
      case Sql.Having:
        source = false;
        seen |= Seen.Where;
        break;
      case Sql.Logic:
        out = true;
        operand = 0;
        break;
      case Sql.Into:
        source = true;
        seen |= Seen.Into;
        break;
      case Sql.Values:
        seen |= Seen.Values;
        break;
      case Sql.Set:
        seen |= Seen.Set;
        break;
      case Sql.Table:
        seen |= Seen.Table;
        break;
      case Sql.Star:
      case Sql.Comma:
        operand = 0;
        seen |= Seen.Mark;
        break;
      case Sql.String:
      case Sql.System:
      case Sql.ParenOpen:
      case Sql.Dot:
      case Sql.Compare:
      case Sql.Schema:
        seen |= Seen.Mark;
        break;
      // Behind an operator there is nothing for a comment to end; without a break-out it ends nothing.
      case Sql.Comment:
        if (before == Shape.Expect) kind = Sql.Remark;
        else if (!out) kind = Sql.End;
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
      let sure = ruleConfidence(matched);
      if (opens && (matched == Rule.SqliQuoteBalanced || matched == Rule.SqliCommentTerminated)) sure -= PAIRED;
      if (sure > confidence) {
        rule = matched;
        confidence = sure;
        until = at;
      }
    }
    if (kind == Sql.End) break;
    if (at >= end || kind == Sql.Comment || kind == Sql.Remark) {
      at = end;
      if (kind == Sql.Comment || kind == Sql.Remark) {
        if (quote == 0 && isStatement(first, seen)) {
          rule = rule != 0 ? rule : Rule.SqliStatement;
          if (confidence == 0) confidence = ruleConfidence(Rule.SqliStatement);
          until = end;
        }
        break;
      }
    }
  }
  if (shape != Shape.Dead && quote == 0 && confidence == 0 && isStatement(first, seen)) {
    rule = Rule.SqliStatement;
    confidence = ruleConfidence(Rule.SqliStatement);
    until = end;
  }
  if (confidence != 0) found(rule, confidence, begin, until);
  return at;
}

/** Whether a walk that came to its end was a whole statement. */
function isStatement(first: u32, seen: u32): bool {
  switch (first) {
    case Sql.Select:
      return (seen & (Seen.From | Seen.Mark)) == (Seen.From | Seen.Mark);
    case Sql.Insert:
      return (seen & (Seen.Into | Seen.Values | Seen.Mark)) == (Seen.Into | Seen.Values | Seen.Mark);
    case Sql.Update:
      return (seen & (Seen.Set | Seen.Mark)) == (Seen.Set | Seen.Mark);
    case Sql.Delete:
      return (seen & (Seen.From | Seen.Where | Seen.Mark)) == (Seen.From | Seen.Where | Seen.Mark);
    case Sql.Drop:
    case Sql.Create:
      return (seen & Seen.Table) != 0;
  }
  return false;
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
      return shape == Shape.Have || shape == Shape.Alias ? <u32>Shape.Dead : <u32>Shape.Expect;
  }
  if (shape == Shape.Loose) return kind == Sql.Text ? <u32>Shape.Dead : <u32>Shape.Loose;
  const operand = shape == Shape.Start || shape == Shape.Expect;
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
      return shape == Shape.Alias ? <u32>Shape.Have : <u32>Shape.Dead;
    case Sql.Ascending:
    case Sql.Stop:
      return shape == Shape.Fresh || shape == Shape.Start ? <u32>Shape.Dead : <u32>Shape.Alias;
    case Sql.Plus:
    case Sql.Minus:
    case Sql.Tilde:
    case Sql.Not:
    case Sql.Test:
      return Shape.Expect;
    case Sql.Compare:
    case Sql.Arith:
    case Sql.Pipes:
    case Sql.Comma:
      return shape == Shape.Expect ? <u32>Shape.Dead : <u32>Shape.Expect;
    case Sql.Dot:
      return shape == Shape.Start || shape == Shape.Fresh ? <u32>Shape.Dead : <u32>Shape.Expect;
    case Sql.All:
    case Sql.Case:
    case Sql.Top:
      return operand ? <u32>Shape.Expect : shape == Shape.Alias ? <u32>Shape.Have : <u32>Shape.Dead;
    case Sql.If:
      return shape == Shape.Expect ? <u32>Shape.Have : <u32>Shape.Loose;
    case Sql.Insert:
    case Sql.Admin:
      return shape == Shape.Expect ? <u32>Shape.Have : <u32>Shape.Loose;
    case Sql.Update:
      return last == Sql.For ? <u32>Shape.Have : shape == Shape.Expect ? <u32>Shape.Dead : <u32>Shape.Loose;
    case Sql.Set:
      return shape == Shape.Start ? <u32>Shape.Loose : <u32>Shape.Expect;
    case Sql.Delete:
    case Sql.Drop:
    case Sql.Create:
    case Sql.Execute:
    case Sql.Declare:
    case Sql.Waitfor:
    case Sql.Shutdown:
    case Sql.Begin:
    case Sql.While:
      return shape == Shape.Expect ? <u32>Shape.Dead : <u32>Shape.Loose;
  }
  // What is left are clauses and operators: LOGIC, UNION, FROM, WHERE, ORDER, BY, LIMIT, AS, WHEN …
  return Shape.Expect;
}
