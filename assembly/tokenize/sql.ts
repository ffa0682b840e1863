// Bytes → SQL token kinds, for all dialects at once: MySQL and MariaDB, PostgreSQL, SQL Server, Oracle, SQLite.
//
//   space     bytes ≤ 0x20, NBSP, `-- …⏎`, `#…⏎`, `/* … */`, and the fences of `/*! … */`, whose content counts
//   string    '…' "…" with '' and \' inside, N'…' E'…' X'…' B'…' U&'…' _utf8'…', q'[…]', $$…$$, $tag$…$tag$
//   name      letters, digits, _ $ and bytes ≥ 0x80; `…`; [ … ]; a keyword where the table of rules/sqli.yaml has it
//   number    1  1.  .5  1e1  0x1f  0b01, which a keyword may follow without a space (`1union`, `0x1or`)
//   variable  @x  @`x`  :x           system variable  @@x
//
// A caller asks for one token at a time and keeps the cursor. Each byte is read a bounded number of times whatever the input is: a
// run that has no end (string, comment, dollar quote) reaches to the end of the value and is the last token. No memory.
//
// What strings and comments say is not SQL, but whether it reads as prose decides whether the quotes are those of a program or of
// a sentence: in "use ' and ' here" the text between the quotes begins with a space and a letter, as no injected string does.

import { byteAt, hexValue, isDigit, isLetter, isWord, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { skipBlank } from "../core/scan";
import { textStartsNoCase } from "../core/text";
import { keyword } from "../match/keywords";
import { Sql, SQLI_KEYWORDS } from "../generated/sqli";

/** Where the token that `sqlToken` returned last begins. */
export let sqlStart: usize = 0;
/** One past it: the cursor for the next call. */
export let sqlNext: usize = 0;

/** Longest `[name]` of SQL Server (its limit is 128). */
const MAX_BRACKET: usize = 130;
/** Longest tag of a dollar quote that is looked at (PostgreSQL's limit for names is 63). */
const MAX_TAG: usize = 64;

/**
 * The kind of the next token in `at..end`; `Sql.End` where none is left. `quote` is the quotation mark that the value is taken to
 * stand in, 0 for none: an open string of that mark is one that the surrounding query closes.
 */
export function sqlToken(at: usize, end: usize, quote: u32): u32 {
  at = skipSpace(at, end);
  sqlStart = at;
  if (at >= end) {
    if (skippedRemark != Sql.End) sqlStart = remarkStart;
    return put(end, skippedRemark);
  }
  const byte = byteAt(at);
  if (isLetter(byte) || byte == Char.Underscore || byte >= 0x80) return word(at, end, quote);
  if (isDigit(byte)) return number(at, end);
  switch (byte) {
    case Char.Quote:
    case Char.DoubleQuote:
      return string(at, end, quote);
    case Char.Backtick:
      return backtick(at, end);
    case Char.BracketOpen:
      return bracket(at, end);
    case Char.Dollar:
      return dollar(at, end);
    case Char.At:
      return variable(at, end);
    case Char.Colon:
      return colon(at, end);
    case Char.Dot:
      if (at + 1 < end && isDigit(byteAt(at + 1))) return number(at, end);
      return put(at + 1, Sql.Dot);
    case Char.BraceOpen:
      return brace(at, end);
    case Char.Backslash:
      // \N is MySQL's NULL; before a quotation mark it is what an escaping function left there.
      if (at + 1 < end && byteAt(at + 1) == 0x4e) return put(at + 2, Sql.Null);
      return put(at + 1, Sql.Junk);
    case Char.ParenOpen:
      return put(at + 1, Sql.ParenOpen);
    case Char.ParenClose:
    case Char.BraceClose:
      return put(at + 1, Sql.ParenClose);
    case Char.Comma:
      return put(at + 1, Sql.Comma);
    case Char.Semicolon:
      // A zero byte ends the query for what is written in C: `';\0`.
      if (at + 1 < end && byteAt(at + 1) == 0) return put(end, Sql.Comment);
      return put(at + 1, Sql.Semicolon);
    case Char.Star:
      return put(at + 1, Sql.Star);
    case Char.Plus:
      return put(at + 1, Sql.Plus);
    case Char.Dash:
      // JSON operators -> and ->>
      if (at + 1 < end && byteAt(at + 1) == Char.Greater) return put(runOf(at + 1, end, Char.Greater), Sql.Arith);
      return put(at + 1, Sql.Minus);
    case Char.Slash:
    case Char.Percent:
      return put(at + 1, Sql.Arith);
    case Char.Caret:
      return at + 1 < end && byteAt(at + 1) == Char.Equals ? put(at + 2, Sql.Compare) : put(at + 1, Sql.Arith);
    case Char.Ampersand:
      return at + 1 < end && byteAt(at + 1) == Char.Ampersand ? put(at + 2, Sql.Logic) : put(at + 1, Sql.Arith);
    case Char.Pipe:
      return at + 1 < end && byteAt(at + 1) == Char.Pipe ? put(at + 2, Sql.Pipes) : put(at + 1, Sql.Arith);
    case Char.Equals:
    case Char.Less:
    case Char.Greater:
    case Char.Bang:
    case Char.Tilde:
      return comparison(at, end);
  }
  return put(at + 1, Sql.Junk);
}

// @ts-ignore: decorator
@inline
function put(next: usize, kind: u32): u32 {
  sqlNext = next;
  return kind;
}

/** The kind that the end of the value has: a comment was open there, or nothing was. */
let skippedRemark: u32 = Sql.End;
/** Where the text of that comment begins. */
let remarkStart: usize = 0;

/** Skips what separates tokens. An end inside a comment is told by `skippedRemark`. */
function skipSpace(at: usize, end: usize): usize {
  skippedRemark = Sql.End;
  while (at < end) {
    const byte = byteAt(at);
    if (byte <= <u32>Char.Space) {
      at++;
    } else if (byte == Char.Dash || byte == Char.Hash || byte == Char.Slash) {
      const after = skipComment(at, end, byte);
      if (after == at) return at;
      at = after;
    } else if (byte == Char.Star && at + 1 < end && byteAt(at + 1) == Char.Slash) {
      at += 2; // the end of /*! … or of a comment that the value was put into
    } else if (byte >= 0x80) {
      const wide = wideSpace(at, end);
      if (wide == 0) return at;
      at += wide;
    } else {
      break;
    }
  }
  return at;
}

/**
 * The length of a space beyond ASCII at `at`: NBSP in Latin-1 (a space to MySQL) and UTF-8, U+2000–200F, U+3000; 0 for none. The
 * dashes U+2010–2015 are passed alike: a word processor makes them of the `--` behind an injection.
 */
function wideSpace(at: usize, end: usize): usize {
  const byte = byteAt(at);
  if (byte == 0xa0) return 1;
  if (byte == 0xc2) return at + 1 < end && byteAt(at + 1) == 0xa0 ? 2 : 0;
  if ((byte != 0xe2 && byte != 0xe3) || at + 2 >= end || byteAt(at + 1) != 0x80) return 0;
  const third = byteAt(at + 2);
  return third == 0x80 || (byte == 0xe2 && third < 0x96) ? 3 : 0;
}

/** Behind the comment at `at`, or `at` where there is none. */
function skipComment(at: usize, end: usize, byte: u32): usize {
  if (byte == Char.Hash) return skipLine(at + 1, end);
  if (at + 1 >= end) return at;
  const second = byteAt(at + 1);
  if (byte == Char.Dash) return second == Char.Dash ? skipLine(at + 2, end) : at;
  if (second != Char.Star) return at;
  let inside = at + 2;
  // MySQL runs what stands in /*!50000 … */, MariaDB also in /*M! … */.
  if (inside + 1 < end && byteAt(inside) == 0x4d && byteAt(inside + 1) == Char.Bang) inside++;
  if (inside < end && byteAt(inside) == Char.Bang) {
    inside++;
    const digits = inside;
    while (inside < end && inside - digits < 6 && isDigit(byteAt(inside))) inside++;
    return inside;
  }
  for (let close = inside; close + 1 < end; close++) {
    if (byteAt(close) == Char.Star && byteAt(close + 1) == Char.Slash) return close + 2;
  }
  skippedRemark = remark(inside, end);
  return end;
}

function skipLine(at: usize, end: usize): usize {
  let close = at;
  while (close < end && byteAt(close) != Char.LineFeed && byteAt(close) != Char.CarriageReturn) close++;
  if (close >= end) skippedRemark = remark(at, end);
  return close;
}

/** Whether the text of a comment says something (two words, a script that is not Latin) or is what closes an injection. */
function remark(at: usize, end: usize): u32 {
  remarkStart = at;
  // The `- ` of `-- -` and what else only fills.
  while (at < end && !isWord(byteAt(at))) {
    const wide: usize = byteAt(at) < 0x80 ? 1 : wideSpace(at, end);
    if (wide == 0) break;
    at += wide;
  }
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte >= 0x80) return Sql.Remark;
    if (byte == Char.Space && at + 1 < end && saysOn(byteAt(at + 1))) return Sql.Remark;
  }
  return Sql.Comment;
}

/** Whether a second word begins with `byte`: a letter, a digit or a quotation mark. */
function saysOn(byte: u32): bool {
  return isWord(byte) || byte == Char.Quote || byte == Char.DoubleQuote;
}

/** How often a letter follows "letter, space" in a run: the gaps between words. */
function gaps(at: usize, end: usize): u32 {
  let count: u32 = 0;
  for (; at + 2 < end; at++) {
    if (byteAt(at + 1) == Char.Space && isLetter(byteAt(at)) && isLetter(byteAt(at + 2))) count++;
  }
  return count;
}

function nameEnd(at: usize, end: usize): usize {
  while (at < end) {
    const byte = byteAt(at);
    if (byte < 0x80) {
      if (!isWord(byte) && byte != Char.Dollar) break;
      at++;
    } else {
      // A whole character, so that its later bytes are not taken for a Latin-1 space.
      if (wideSpace(at, end) != 0) break;
      at++;
      while (at < end && byteAt(at) - 0x80 < 0x40) at++;
    }
  }
  return at;
}

function runOf(at: usize, end: usize, byte: u32): usize {
  while (at < end && byteAt(at) == byte) at++;
  return at;
}

/** A name, a keyword, or the prefix of a string. */
function word(at: usize, end: usize, quote: u32): u32 {
  const next = nameEnd(at, end);
  if (next < end) {
    const mark = byteAt(next);
    if (
      (mark == Char.Quote || (mark == Char.Ampersand && next + 1 < end && byteAt(next + 1) == Char.Quote)) &&
      isPrefix(at, next)
    ) {
      if ((byteAt(next - 1) | 0x20) == 0x71) return alternative(next, end);
      const kind = string(mark == Char.Quote ? next : next + 1, end, quote);
      // Open at the end it is rather a letter with a prime, or an elision.
      return kind == Sql.Tail ? Sql.Stray : kind;
    }
  }
  const kind = keyword(SQLI_KEYWORDS, at, next);
  if (kind == Sql.In) {
    const mode = modeEnd(next, end);
    if (mode != 0) return put(mode, Sql.Mode);
  }
  if (kind != 0) return put(next, kind);
  if (next - at > 3 && byteAt(at + 2) == Char.Underscore && isProcedure(at)) return put(next, Sql.Command);
  if (next + 4 < end && byteAt(next + 1) == Char.Star && isEmptyComment(next)) return halves(at, next, end);
  return put(next, Sql.Name);
}

/** One past `boolean mode` or `natural language mode` before the bracket of MySQL's AGAINST (…), or 0. `at`: behind the IN. */
function modeEnd(at: usize, end: usize): usize {
  at = skipBlank(at, end);
  if (textStartsNoCase(at, end, "boolean mode")) at += 12;
  else if (textStartsNoCase(at, end, "natural language mode")) at += 21;
  else return 0;
  const close = skipBlank(at, end);
  return close < end && byteAt(close) == Char.ParenClose ? at : 0;
}

/** Whether the word at `at`, which has "_" third, begins with xp_ or sp_, as SQL Server's own procedures do. */
function isProcedure(at: usize): bool {
  const first = byteAt(at) | 0x20;
  return (first == Char.x || first == 0x73) && (byteAt(at + 1) | 0x20) == 0x70;
}

/** Whether an empty comment stands at `at`. */
function isEmptyComment(at: usize): bool {
  return (
    byteAt(at) == Char.Slash &&
    byteAt(at + 1) == Char.Star &&
    byteAt(at + 2) == Char.Star &&
    byteAt(at + 3) == Char.Slash
  );
}

/** Owned by `halves`: a keyword whose comment is cut out. */
const HALVES_CAPACITY: usize = 16;
const HALVES: usize = memory.data(<i32>HALVES_CAPACITY);

/** A keyword in two halves with an empty comment between them, which some filter strips, or the name `at..next` before it. */
function halves(at: usize, next: usize, end: usize): u32 {
  const tail = nameEnd(next + 4, end);
  const size = tail - at - 4;
  if (tail > next + 4 && size <= HALVES_CAPACITY) {
    putBytes(putBytes(HALVES, at, next), next + 4, tail);
    const kind = keyword(SQLI_KEYWORDS, HALVES, HALVES + size);
    if (kind != 0) return put(tail, kind);
  }
  return put(next, Sql.Name);
}

/** Whether a word that touches a quotation mark belongs to the string: N, E, X, B, U, R, Q, NQ or _charset. */
function isPrefix(at: usize, end: usize): bool {
  const first = byteAt(at) | 0x20;
  if (byteAt(at) == Char.Underscore) return end - at > 3;
  if (end - at == 2) return first == Char.n && (byteAt(at + 1) | 0x20) == 0x71;
  if (end - at != 1) return false;
  return first == Char.n || first == Char.e || first == Char.x || first == Char.b || first == Char.u || first == 0x71;
}

/** Oracle's q'[ … ]': `at` is the quotation mark; the one after the closing delimiter ends it. */
function alternative(at: usize, end: usize): u32 {
  if (at + 1 >= end) return put(end, Sql.Stray);
  const open = byteAt(at + 1);
  const close =
    open == Char.BracketOpen || open == Char.BraceOpen || open == Char.Less
      ? open + 2
      : open == Char.ParenOpen
        ? open + 1
        : open;
  for (let i = at + 2; i + 1 < end; i++) {
    if (byteAt(i) == close && byteAt(i + 1) == Char.Quote) return put(i + 2, Sql.String);
  }
  return put(end, Sql.Stray);
}

/** '…' or "…". Open at the end: `Tail` where the query around it closes it (or could), else `Stray`. */
function string(at: usize, end: usize, quote: u32): u32 {
  const mark = byteAt(at);
  let close = at + 1;
  while (close < end) {
    const byte = byteAt(close);
    if (byte == Char.Backslash) {
      close += 2;
    } else if (byte != mark) {
      close++;
    } else if (close + 1 < end && byteAt(close + 1) == mark) {
      close += 2;
    } else {
      const kind = reads(at + 1, close) ? Sql.Text : Sql.String;
      return put(close + 1, kind);
    }
  }
  if (quote != 0 && mark != quote) return put(end, Sql.Stray);
  // Nothing but marks, three and more, is somebody's finger on a key.
  if (end - at > 3 && runOf(at, end, mark) == end) return put(end, Sql.Text);
  return put(end, reads(at + 1, end) || goesOn(at + 1, end) ? Sql.Text : Sql.Tail);
}

/** Whether what stands behind a mark is what follows a quotation (`'a': 1`, `'-' +`), and no string that begins there. */
function goesOn(at: usize, end: usize): bool {
  if (at >= end) return false;
  const byte = byteAt(at);
  if (byte == Char.Space) return at + 1 < end && !isWord(byteAt(at + 1));
  // The next parameter, or the next word of this one, in a query as it is sent: `q="a"+b&c=d`.
  if (byte == Char.Ampersand || byte == Char.Plus) return at + 1 < end && isLetter(byteAt(at + 1));
  return punctuates(byte);
}

/** `,` `:` `;` `)` `]` `}` */
function punctuates(byte: u32): bool {
  switch (byte) {
    case Char.Comma:
    case Char.Colon:
    case Char.Semicolon:
    case Char.ParenClose:
    case Char.BracketClose:
    case Char.BraceClose:
      return true;
  }
  return false;
}

/** Whether the inside of a string reads as the text between two quotations: it begins with a space and a letter, or has two gaps. */
function reads(at: usize, end: usize): bool {
  if (at + 1 < end && byteAt(at) == Char.Space && isLetter(byteAt(at + 1))) return true;
  // `", "` and `": "` between two quotations.
  if (at + 1 < end && punctuates(byteAt(at)) && byteAt(at + 1) == Char.Space) return true;
  return gaps(at, end) > 1;
}

function backtick(at: usize, end: usize): u32 {
  for (let close = at + 1; close < end; close++) {
    if (byteAt(close) == Char.Backtick) return put(close + 1, Sql.Name);
  }
  return put(end, Sql.Stray);
}

function bracket(at: usize, end: usize): u32 {
  const limit = min(end, at + MAX_BRACKET);
  for (let close = at + 1; close < limit; close++) {
    const byte = byteAt(close);
    if (byte == Char.BracketClose) return put(close + 1, close == at + 1 ? Sql.Junk : Sql.Name);
    if (byte == Char.LineFeed) break;
  }
  return put(at + 1, Sql.Junk);
}

/** $$…$$, $tag$…$tag$, or $1. */
function dollar(at: usize, end: usize): u32 {
  let tagEnd = at + 1;
  while (tagEnd < end && tagEnd - at < MAX_TAG && isWord(byteAt(tagEnd))) tagEnd++;
  if (tagEnd >= end || byteAt(tagEnd) != Char.Dollar) return put(tagEnd, Sql.Junk);
  const size = tagEnd + 1 - at;
  let close = tagEnd + 1;
  for (; close + size <= end; close++) {
    // The tag has no dollar inside, so a place where it ends is looked at once.
    if (
      byteAt(close) == Char.Dollar &&
      byteAt(close + size - 1) == Char.Dollar &&
      memory.compare(close, at, size) == 0
    ) {
      return put(close + size, Sql.String);
    }
  }
  return put(end, Sql.Stray);
}

/** @name, @`name`, @'name', @ alone; @@name. */
function variable(at: usize, end: usize): u32 {
  if (at + 1 < end && byteAt(at + 1) == Char.Greater) return put(at + 2, Sql.Compare); // PostgreSQL's @>
  if (at + 1 < end && byteAt(at + 1) == Char.At) return put(nameEnd(at + 2, end), Sql.System);
  if (at + 1 < end && byteAt(at + 1) == Char.Backtick) {
    backtick(at + 1, end);
    return Sql.Variable;
  }
  return put(nameEnd(at + 1, end), Sql.Variable);
}

/** := and :: and :name. */
function colon(at: usize, end: usize): u32 {
  if (at + 1 < end) {
    const byte = byteAt(at + 1);
    if (byte == Char.Equals) return put(at + 2, Sql.Compare);
    if (byte == Char.Colon) return put(at + 2, Sql.Arith);
    if (isLetter(byte)) return put(nameEnd(at + 1, end), Sql.Variable);
  }
  return put(at + 1, Sql.Junk);
}

/** ODBC and MySQL: {d '…'}, {ts '…'}, {fn …}, {x …}. */
function brace(at: usize, end: usize): u32 {
  let next = skipSpace(at + 1, end);
  const name = next;
  while (next < end && isWord(byteAt(next))) next++;
  if (next == name || next >= end || byteAt(next) == Char.Colon || byteAt(next) == Char.BraceClose)
    return put(at + 1, Sql.Junk);
  return put(next, Sql.ParenOpen);
}

/** `=` `==` `<` `>` `<=` `>=` `<>` `<=>` `!=` `!<` `!>` `!~` `~*` `~~`, the shifts, and `!` and `~` before an operand. */
function comparison(at: usize, end: usize): u32 {
  const byte = byteAt(at);
  const second = at + 1 < end ? byteAt(at + 1) : 0;
  if (byte == Char.Bang || byte == Char.Tilde) {
    if (second == Char.Equals || second == Char.Tilde || (byte == Char.Tilde && second == Char.Star))
      return put(at + 2, Sql.Compare);
    if (byte == Char.Bang && (second == Char.Less || second == Char.Greater)) return put(at + 2, Sql.Compare);
    return put(at + 1, byte == Char.Tilde ? Sql.Tilde : Sql.Not);
  }
  if ((byte == Char.Less || byte == Char.Greater) && second == byte) return put(at + 2, Sql.Arith);
  // PostgreSQL's <@, not <@x.
  if (byte == Char.Less && second == Char.At && at + 2 < end && !isWord(byteAt(at + 2)) && byteAt(at + 2) != Char.At)
    return put(at + 2, Sql.Compare);
  if (byte == Char.Less && second == Char.Slash) return put(at + 2, Sql.Junk); // a closing tag of HTML
  let next = at + 1;
  while (next < end && next - at < 3 && (byteAt(next) == Char.Equals || byteAt(next) == Char.Greater)) next++;
  return put(next, Sql.Compare);
}

/** A number, with a keyword behind it cut off; a name where other letters follow (`10am`, `3d`). */
function number(at: usize, end: usize): u32 {
  let next = at;
  const second = at + 1 < end ? byteAt(at + 1) | 0x20 : 0;
  if (byteAt(at) == Char._0 && (second == Char.x || second == Char.b)) {
    next = at + 2;
    while (next < end && hexValue(byteAt(next)) < 16) next++;
  } else {
    while (next < end && isDigit(byteAt(next))) next++;
    if (next < end && byteAt(next) == Char.Dot) next++;
    while (next < end && isDigit(byteAt(next))) next++;
    if (next + 1 < end && (byteAt(next) | 0x20) == Char.e) {
      const sign = byteAt(next + 1);
      const digits = sign == Char.Plus || sign == Char.Dash ? next + 2 : next + 1;
      if (digits < end && isDigit(byteAt(digits))) {
        next = digits;
        while (next < end && isDigit(byteAt(next))) next++;
      }
    }
  }
  const tail = nameEnd(next, end);
  // Behind ".5" a name may stand without a space: `select.5a`.
  if (tail == next || byteAt(at) == Char.Dot) return put(next, Sql.Number);
  if (keyword(SQLI_KEYWORDS, next, tail) != 0) return put(next, Sql.Number);
  // Oracle's 1d and 1f, MySQL's 1.e, each with a keyword behind it.
  const suffix = byteAt(next) | 0x20;
  const typed = suffix == Char.e || suffix == Char.f || suffix == 0x64;
  return typed && keyword(SQLI_KEYWORDS, next + 1, tail) != 0 ? put(next + 1, Sql.Number) : put(tail, Sql.Name);
}
