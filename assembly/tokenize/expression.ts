// Bytes → tokens of the expressions that template engines and the languages of servers have, all at once (rules/expression.yaml).
//
//   blank     bytes ≤ 0x20, /* … */, // …⏎
//   text      '…' "…" with escapes; what it says makes its kind: "__", a function's name, a Java class, a path
//   shell     `…`
//   name      letters, digits, _ and bytes ≥ 0x80, a $ before them; a keyword where the table has it
//   number    digits, letters and dots
//   opening   ${ #{ @{ *{ <% {% inside an expression: another template begins
//   Close     %> %} ?> %] -%} and every closing bracket, which the caller counts
//
// One token at a time. Each byte is read a bounded number of times: that a quotation mark or a comment has no end is remembered
// for the run. No memory.

import { byteAt, findByte, isDigit, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { startsWithOneOf, textEndsNoCase, textStartsNoCase } from "../core/text";
import { Expr, EXPRESSION_KEYWORDS } from "../generated/expression";
import { keyword } from "../match/keywords";

/** Where the token that `expressionToken` returned last begins, and one past it. */
export let expressionStart: usize = 0;
export let expressionNext: usize = 0;
/** Line feeds before the last token, since `openExpression`. */
export let expressionLines: u32 = 0;

/** Marks that have no partner in the rest of the run: the kinds of quotes, and comments. */
let openQuotes: u32 = 0;
const OPEN_SINGLE: u32 = 1;
const OPEN_DOUBLE: u32 = 2;
const OPEN_BACKTICK: u32 = 4;
const OPEN_COMMENT: u32 = 8;

/** Longest text that is looked up as a name or a path. */
const MAX_NAME: usize = 40;

/** Whether the token before this one is a dot. */
let beforeDot = false;
let lastDot = false;

/** Starts a run: what had no partner before may have one now. */
export function openExpression(): void {
  openQuotes = 0;
  expressionLines = 0;
  lastDot = false;
}

/** The kind of the next token in `at..end`; `Expr.End` where none is left. */
export function expressionToken(at: usize, end: usize): u32 {
  at = skipBlank(at, end);
  beforeDot = lastDot;
  lastDot = at < end && byteAt(at) == Char.Dot;
  expressionStart = at;
  if (at >= end) return put(end, Expr.End);
  const byte = byteAt(at);
  const next: u32 = at + 1 < end ? byteAt(at + 1) : 0;
  if (isDigit(byte)) return number(at, end);
  // What trims blanks or leaves text as it is, before the end: `-}}` `~}}` `=}` `_%>`
  if (next == Char.BraceClose && (byte == Char.Dash || byte == Char.Tilde || byte == Char.Equals))
    return put(at + 1, Expr.Close);
  if (next == Char.Percent && byte == Char.Underscore) return put(at + 2, Expr.Close);
  if (isWord(byte) || byte >= 0x80) return name(at, end);
  if (next == Char.BraceOpen && isSigil(byte)) return put(at + 2, byte == Char.Dollar ? Expr.Dollar : Expr.Mark);
  switch (byte) {
    case Char.Quote:
      return text(at, end, byte, OPEN_SINGLE);
    case Char.DoubleQuote:
      return text(at, end, byte, OPEN_DOUBLE);
    case Char.Backtick:
      return text(at, end, byte, OPEN_BACKTICK);
    case Char.Dollar:
      return isWord(next) ? name(at, end) : put(at + 1, Expr.Junk);
    case Char.Dot:
      return put(at + 1, Expr.Dot);
    case Char.ParenOpen:
      return put(at + 1, Expr.ParenOpen);
    case Char.ParenClose:
      return put(at + 1, Expr.ParenClose);
    case Char.BracketOpen:
      return put(at + 1, Expr.BracketOpen);
    case Char.BracketClose:
      return put(at + 1, Expr.BracketClose);
    case Char.BraceOpen:
      return next == Char.Percent ? put(at + 2, Expr.Statement) : put(at + 1, Expr.BraceOpen);
    case Char.BraceClose:
      return put(at + 1, Expr.BraceClose);
    case Char.Comma:
      return put(at + 1, Expr.Comma);
    case Char.Colon:
      return next == Char.Colon ? put(at + 2, Expr.Dot) : put(at + 1, Expr.Colon);
    case Char.Question:
      if (next == Char.Greater) return put(at + 2, Expr.Close);
      return next == Char.Dot ? put(at + 2, Expr.Dot) : put(at + 1, Expr.Question);
    case Char.Pipe:
      return next == Char.Pipe ? put(at + 2, Expr.Compare) : put(at + 1, Expr.Pipe);
    case Char.Equals:
      return next == Char.Equals ? put(at + 2, Expr.Compare) : put(at + 1, Expr.Assign);
    case Char.Less:
      if (next == Char.Percent) return put(skipMark(at + 2, end), Expr.Tag);
      return put(next == Char.Equals ? at + 2 : at + 1, Expr.Compare);
    case Char.Greater:
    case Char.Bang:
      if (next == Char.Bang && at + 2 < end && byteAt(at + 2) == Char.BraceClose) return put(at + 3, Expr.Close);
      return put(next == Char.Equals || next == byte ? at + 2 : at + 1, Expr.Compare);
    case Char.Ampersand:
      return put(next == Char.Equals || next == byte ? at + 2 : at + 1, Expr.Compare);
    case Char.Star:
      return put(next == Char.Star ? at + 2 : at + 1, Expr.Star);
    case Char.Dash:
      if (next == Char.Greater) return put(at + 2, Expr.Dot);
      if (next == Char.Percent) return put(at + 2, Expr.Close);
      return put(at + 1, Expr.Arith);
    case Char.Percent:
      if (next == Char.Greater || next == Char.BraceClose || next == Char.BracketClose) return put(at + 2, Expr.Close);
      // Ruby's other backtick: %x(…), %x|…|
      if (next == Char.x && at + 2 < end && !isWord(byteAt(at + 2)) && !isSpace(byteAt(at + 2)))
        return put(at + 3, Expr.Shell);
      return put(at + 1, Expr.Arith);
    case Char.Plus:
    case Char.Slash:
    case Char.Caret:
    case Char.Tilde:
      return put(at + 1, Expr.Arith);
    case Char.Semicolon:
      return put(at + 1, Expr.Semicolon);
    case Char.At:
      return put(at + 1, Expr.At);
    case Char.Hash:
      return put(at + 1, Expr.Pound);
  }
  return put(at + 1, Expr.Junk);
}

// @ts-ignore: decorator
@inline
function put(next: usize, kind: u32): u32 {
  expressionNext = next;
  return kind;
}

/** Whether `byte` before a `{` opens a template. */
export function isSigil(byte: u32): bool {
  return (
    byte == Char.Dollar ||
    byte == Char.Hash ||
    byte == Char.At ||
    byte == Char.Star ||
    byte == Char.Tilde ||
    byte == Char.Bang ||
    byte == Char.Percent
  );
}

/** Skips what may stand between an opening and its expression: `=` `-` `~` `!` `_` and blanks. */
export function skipMark(at: usize, end: usize): usize {
  while (at < end) {
    const byte = byteAt(at);
    const blank = byte == Char.Underscore && at + 1 < end && byteAt(at + 1) == Char.Space;
    if (
      byte != Char.Equals &&
      byte != Char.Dash &&
      byte != Char.Tilde &&
      byte != Char.Bang &&
      byte != Char.Colon &&
      !blank
    )
      break;
    at++;
  }
  return at;
}

function skipBlank(at: usize, end: usize): usize {
  while (at < end) {
    const byte = byteAt(at);
    if (byte <= <u32>Char.Space) {
      if (byte == Char.LineFeed) expressionLines++;
      at++;
    } else if (byte == Char.Slash && at + 1 < end && byteAt(at + 1) == Char.Star && (openQuotes & OPEN_COMMENT) == 0) {
      let close = at + 2;
      while (close + 1 < end && !(byteAt(close) == Char.Star && byteAt(close + 1) == Char.Slash)) close++;
      if (close + 1 >= end) {
        openQuotes |= OPEN_COMMENT;
        return at;
      }
      at = close + 2;
    } else if (byte == Char.Slash && at + 1 < end && byteAt(at + 1) == Char.Slash) {
      while (at < end && byteAt(at) != Char.LineFeed) at++;
    } else break;
  }
  return at;
}

function number(at: usize, end: usize): u32 {
  while (at < end && isWord(byteAt(at))) at++;
  if (at + 1 < end && byteAt(at) == Char.Dot && isDigit(byteAt(at + 1))) {
    at++;
    while (at < end && isWord(byteAt(at))) at++;
  }
  return put(at, Expr.Number);
}

function name(start: usize, end: usize): u32 {
  let at = start + 1;
  while (at < end && (isWord(byteAt(at)) || byteAt(at) >= 0x80)) at++;
  // "it's", "don't": the quotation mark is a letter.
  if (at + 1 < end && byteAt(at) == Char.Quote && isWord(byteAt(at + 1)) && isShortTail(at + 1, end)) {
    at += 2;
    while (at < end && isWord(byteAt(at))) at++;
    return put(at, Expr.Name);
  }
  const kind = keyword(EXPRESSION_KEYWORDS, start, at);
  // Elixir's and Ruby's methods: `read!(`.
  if (at + 1 < end && byteAt(at) == Char.Bang && byteAt(at + 1) == Char.ParenOpen && kind != Expr.Print) at++;
  if (kind == Expr.TypeOf && byteAt(start) != 0x54) return put(at, Expr.Name);
  if (kind == Expr.Java) return javaName(at, end);
  // `.eval(` is a method of data frames, models and regular expressions too.
  if (kind == Expr.Danger && at - start == 4 && beforeDot) return put(at, Expr.Runner);
  if (kind != 0) return put(at, kind);
  return put(at, isDunder(start, at) ? Expr.Dunder : Expr.Name);
}

/** A class with its package, one token: what its last name is, or Java; Name for a package's first name alone. */
function javaName(at: usize, end: usize): u32 {
  let last: usize = 0;
  while (at + 1 < end && byteAt(at) == Char.Dot && isWord(byteAt(at + 1))) {
    last = at + 1;
    at = last + 1;
    while (at < end && isWord(byteAt(at))) at++;
    // A method is a name of its own.
    if (at < end && byteAt(at) == Char.ParenOpen && byteAt(last) - Char.a < 26) return put(last - 1, Expr.Java);
  }
  if (last == 0) return put(at, Expr.Name);
  return put(at, keyword(EXPRESSION_KEYWORDS, last, at) == Expr.Reflect ? Expr.Reflect : Expr.Java);
}

/** Whether one or two letters and then no more follow. */
function isShortTail(at: usize, end: usize): bool {
  const tail = at;
  while (at < end && isWord(byteAt(at)) && at - tail < 3) at++;
  return at - tail < 3 && (at == end || isSpace(byteAt(at)) || byteAt(at) == Char.Comma || byteAt(at) == Char.Dot);
}

/** `__name__` */
function isDunder(start: usize, end: usize): bool {
  return (
    end - start > 4 &&
    byteAt(start) == Char.Underscore &&
    byteAt(start + 1) == Char.Underscore &&
    byteAt(end - 1) == Char.Underscore &&
    byteAt(end - 2) == Char.Underscore
  );
}

/** A text in quotes; a quotation mark without a partner is Junk. */
function text(start: usize, end: usize, quote: u32, open: u32): u32 {
  if (openQuotes & open) return put(start + 1, Expr.Junk);
  let at = start + 1;
  let deep = false;
  while (at < end) {
    const byte = byteAt(at);
    if (byte == quote) break;
    if (byte == Char.Underscore && byteAt(at + 1) == Char.Underscore) deep = true;
    at += byte == Char.Backslash ? 2 : 1;
  }
  if (at >= end) {
    openQuotes |= open;
    return put(start + 1, Expr.Junk);
  }
  if (quote == Char.Backtick) return put(at + 1, isCommand(start + 1, at) ? Expr.Shell : Expr.String);
  return put(at + 1, deep ? Expr.DeepString : textKind(start + 1, at));
}

/** Marks of a command line, up to which it is none of noise. */
const MOST_MARKS: u32 = 3;

/** Whether a text between backticks may be a command: it begins with a word, a path or a variable, and has few marks. */
function isCommand(start: usize, end: usize): bool {
  start = skipBlank(start, end);
  const first = byteAt(start);
  if (start >= end || (!isWord(first) && first != Char.Slash && first != Char.Dollar && first != Char.Dot))
    return false;
  let marks: u32 = 0;
  for (end = min(end, start + MAX_NAME); start < end; start++) {
    const byte = byteAt(start);
    if (byte < 0x80 && !isWord(byte) && !isSpace(byte) && !isPathMark(byte)) marks++;
  }
  return marks <= MOST_MARKS;
}

/** Whether `byte` is a mark that commands are full of. */
function isPathMark(byte: u32): bool {
  return byte == Char.Slash || byte == Char.Dot || byte == Char.Dash || byte == Char.Colon || byte == Char.Quote;
}

/** The kind of a text by what it says. */
function textKind(start: usize, end: usize): u32 {
  if (end - start <= MAX_NAME) {
    switch (keyword(EXPRESSION_KEYWORDS, start, end)) {
      case Expr.Danger:
      case Expr.Exec:
      case Expr.Info:
        return Expr.DangerString;
      case Expr.Constructor:
        return Expr.ConstructorString;
      case Expr.Host:
      case Expr.Process:
        return Expr.ModuleString;
    }
  }
  // The body of a function that is made from it.
  if (textStartsNoCase(start, end, "return ") && findByte(start, end, Char.ParenOpen) < end) return Expr.DangerString;
  if (textStartsNoCase(start, end, "java.lang.") || textStartsNoCase(start, end, "freemarker.template.utility."))
    return Expr.ClassString;
  if (textStartsNoCase(start, end, "javax.script") || textStartsNoCase(start, end, "java.util."))
    return Expr.ClassString;
  if (textStartsNoCase(start, end, "xwork.") || textStartsNoCase(start, end, "com.opensymphony"))
    return Expr.ClassString;
  return isPath(start, end) ? Expr.PathString : Expr.String;
}

/** Whether a text names a file of the system, a program's source or a stream. */
function isPath(start: usize, end: usize): bool {
  return (
    // Ruby and Perl open what a command prints.
    (byteAt(start) == Char.Pipe && end - start > 2 && isWord(byteAt(start + 1))) ||
    startsWithOneOf(start, end, "/etc/ /proc/ file: php: ../../../ c:\\ ") ||
    textEndsNoCase(start + 1, end, ".php")
  );
}
