// The value as a part of a script: the patterns of rules/xss.yaml, run over its tokens from each place where code may begin.
//
//   '…'  "…"  `…`    behind the first mark of each kind         */    behind a comment's end
//   whole             the value is an expression                 {{…}}  ${…}    template expressions
//
// A sentence ends every pattern at its second word, so most of these runs are a few tokens long.

import { byteAt, findByte, isDigit, isLetter, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { findHigh, hasPair, skipBlank } from "../core/scan";
import { textIs, textIsOneOf } from "../core/text";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { Js, XSS_KEYWORDS, XSS_TABLE } from "../generated/xss";
import { dfaAccepts, dfaDead, dfaNext, dfaRule, dfaStart } from "../match/dfa";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import { hasScriptScheme } from "../tokenize/scheme";
import { jsBegin, jsNext, jsStart, jsToken, Want } from "../tokenize/js";
import { first, isProse, last, report, short } from "./xss-value";

/** Template expressions that are looked into. */
const MAX_HOLES: u32 = 8;
/** Bytes of a value that a page may put into a literal. */
const MAX_LITERAL: usize = 4096;
/** Bytes of a value in which `${…}` counts as an injection rather than as a program's own template. */
const MAX_TEMPLATE: usize = 256;

/** Whether the last run met a constructor. */
export let reachesConstructor = false;

/** The value as a part of a script, in each place that it may have there. */
export function judgeScript(kinds: u32): void {
  if ((kinds & Kind.Quote) != 0) {
    judgeLiteral(Char.Quote);
    judgeLiteral(Char.DoubleQuote);
  }
  if ((kinds & Kind.Backtick) != 0) judgeLiteral(Char.Backtick);
  if ((kinds & (Kind.High | Kind.Paren)) == (Kind.High | Kind.Paren) && short) judgeTyped();
  if (mayRun(kinds) && !isListItem() && byteAt(first) != Char.Less) {
    reportScript(runPattern(Js.Bare, first, last, Want.Either, 0, false), short ? 0 : -20, first);
  }
  if ((kinds & Kind.Star) != 0 && (kinds & (Kind.Paren | Kind.Backtick)) != 0) judgeScriptComment();
  if ((kinds & Kind.Brace) != 0) judgeHoles();
}

/**
 * Whether the value as a whole may match a pattern: says maybe too often, never a false no. Either something is called (a "("
 * stands right behind what can be called, which it does in no user agent), or the value begins with a word that the tables know, as
 * onerror=alert;throw 1 does, which needs two statements.
 */
function mayRun(kinds: u32): bool {
  if ((kinds & Kind.Bracket) != 0 && hasPair(first, last, Char.Bang, Char.BracketOpen)) return true;
  // A whole program is long, a proof of concept is not.
  if (!short) return false;
  if ((kinds & Kind.Backtick) != 0) return true;
  if ((kinds & Kind.Paren) != 0 && calls()) return true;
  if ((kinds & Kind.Equals) != 0) {
    if ((kinds & Kind.Dot) != 0 && (kinds & (Kind.Slash | Kind.Space)) == 0) {
      // ''.constructor.prototype.charAt=[].join
      if (hasPair(first, last, Char.Dot, 0x63)) return true;
    }
    if ((kinds & (Kind.Plus | Kind.Quote)) == (Kind.Plus | Kind.Quote)) return true;
    if ((kinds & (Kind.Colon | Kind.Quote)) == (Kind.Colon | Kind.Quote)) return true;
    if ((kinds & (Kind.Semicolon | Kind.Brace)) == 0) return false;
    let at = skipBlank(first, last);
    while (at < last && !isWord(byteAt(at)) && byteAt(at) != Char.Backslash) at++;
    let to = at;
    while (to < last && isWord(byteAt(to))) to++;
    return keyword(XSS_KEYWORDS, at, to) != 0 || (to < last && byteAt(to) == Char.Backslash);
  }
  return (kinds & (Kind.Plus | Kind.Quote | Kind.Dot)) == (Kind.Plus | Kind.Quote | Kind.Dot);
}

/** Whether a "(" stands where one calls: behind a name, a bracket or a literal, or, after a space, behind one of those or the last letter of alert, prompt, confirm, msgbox or constructor. */
function calls(): bool {
  let at = first;
  while ((at = findByte(at, last, Char.ParenOpen)) < last) {
    let before = at;
    while (before > first && byteAt(before - 1) <= <u32>Char.Space) before--;
    if (before > first) {
      const byte = byteAt(before - 1);
      if (isLetter(byte)) {
        if (before == at) return true;
        const letter = byte | 0x20;
        if (letter == Char.t || letter == Char.x || letter == Char.r || letter == 0x6d) return true;
      } else if (isDigit(byte) || byte == Char.Underscore) {
        if (before == at) return true;
      } else {
        switch (byte) {
          case Char.ParenClose:
          case Char.BracketClose:
          case Char.BraceClose:
          case Char.Quote:
          case Char.DoubleQuote:
          case Char.Dollar:
          case Char.Dot:
          case Char.Slash:
            return true;
        }
        if (byte >= 0x80) return true;
      }
    }
    at++;
  }
  return false;
}

/** The value inside a string literal whose quote somebody's editor made a typed one: ’;alert(1)// */
function judgeTyped(): void {
  let at = first;
  while ((at = findHigh(at, last)) + 3 < last) {
    if (byteAt(at) == 0xe2 && byteAt(at + 1) == 0x80 && (byteAt(at + 2) & 0xf8) == 0x98) {
      const next = byteAt(at + 3);
      if (next != Char.Semicolon && next != Char.Dash && next != Char.Plus) return;
      reportScript(runPattern(Js.Break, at + 3, last, Want.Operator, 0, false), -10, at);
      return;
    }
    at++;
  }
}

/** Whether the value begins as an item of a list does: "- text". */
function isListItem(): bool {
  const byte = byteAt(first);
  return (
    (byte == Char.Dash || byte == Char.Star || byte == Char.Plus) && first + 1 < last && byteAt(first + 1) == Char.Space
  );
}

/**
 * The value inside a string literal of mark `mark`. Behind a space a mark rather opens something: a backtick a code span of a text,
 * a quote a literal of a program that was pasted whole. And a long value may begin anywhere: it may be a window of a longer one.
 */
function judgeLiteral(mark: u32): void {
  const at = findByte(first, last, mark);
  if (at == last) return;
  // A literal has no line ends: behind one, the mark is none of the page's.
  if (mark != Char.Backtick && findByte(first, at, Char.LineFeed) < at) return;
  const rule = runPattern(Js.Break, at + 1, last, Want.Operator, mark, false);
  let more: i32 = last - first > MAX_LITERAL ? -30 : 0;
  if (findByte(first, at, Char.Space) < at) more -= mark == Char.Backtick ? 45 : rule == Rule.XssJsMended ? 20 : 0;
  reportScript(rule, more, at);
}

/** The value inside a block comment of a script. */
function judgeScriptComment(): void {
  let at = first;
  while ((at = findByte(at, last, Char.Star)) + 1 < last) {
    if (byteAt(at + 1) == Char.Slash) {
      reportScript(runPattern(Js.Break, at + 2, last, Want.Operand, 0, true), isProse() ? -20 : -6, at);
      return;
    }
    // A comment that the value opens itself is its own.
    if (at > first && byteAt(at - 1) == Char.Slash) return;
    at++;
  }
}

/** Template expressions of the value. */
function judgeHoles(): void {
  let count: u32 = 0;
  for (let at = first; count < MAX_HOLES; at++) {
    at = findByte(at, last, Char.BraceOpen);
    if (at + 1 >= last) return;
    if (byteAt(at + 1) == Char.BraceOpen) {
      const from = at + 2;
      at = from;
      while (at < last && !(byteAt(at) == Char.BraceClose && at + 1 < last && byteAt(at + 1) == Char.BraceClose)) at++;
      if (at == last) return;
      const rule = runPattern(Js.Hole, from, at, Want.Operand, 0, false);
      // Components have methods of any name; only a constructor leads out of them.
      reportScript(rule, reachesConstructor ? 0 : -20, from - 2);
      count++;
    } else if (at > first && (byteAt(at - 1) == Char.Dollar || byteAt(at - 1) == Char.Ampersand)) {
      // &{…} is what Netscape ran in attributes.
      const rule = runPattern(Js.Hole, at + 1, last, Want.Operand, 0, false);
      reportScript(rule, last - first <= MAX_TEMPLATE ? -5 : -40, at - 1);
      count++;
    }
  }
}

/** Reports a match of the patterns; words of prose around it make all but the surest doubtful. */
function reportScript(rule: u32, more: i32, from: usize): void {
  if (rule == 0) return;
  const weak = rule == Rule.XssJsMended || rule == Rule.XssJsExpression || rule == Rule.XssJsCall;
  if (isProse()) more -= byteAt(from) == Char.Backtick ? 45 : weak ? 30 : 12;
  report(rule, more, from, jsNext);
}

/** The surest rule whose pattern code at `from..to` matches, 0 for none; in code that is known to be such. */
export function codeRule(context: u32, from: usize, to: usize): u32 {
  return runPattern(context, from, to, Want.Operand, 0, context == Js.Break);
}

/** Whether code at `from..to` calls or assigns anything. */
export function runsCode(from: usize, to: usize): bool {
  return runPattern(Js.Script, from, to, Want.Operand, 0, false) != 0;
}

/** Whether the code of a URL does nothing: `javascript:void(0)`, `javascript:;`. */
export function isInert(from: usize, to: usize): bool {
  jsBegin(from, to, Want.Operand, 0);
  while (true) {
    switch (jsToken()) {
      case Js.End:
        return true;
      case Js.Unary:
      case Js.ParenOpen:
      case Js.ParenClose:
      case Js.Number:
      case Js.Literal:
      case Js.Semicolon:
      case Js.BraceOpen:
      case Js.BraceClose:
      case Js.LineComment:
      case Js.Newline:
        continue;
      default:
        return false;
    }
  }
}

/** Whether a handler's code does nothing, or nothing but what pages do with the element that has it. */
export function isHarmless(from: usize, to: usize): bool {
  return isInert(from, to) || keepsToElement(from, to);
}

/**
 * Whether all that code does is to give the element that it stands at another look or a text, or to send its form:
 * `this.onerror=null;this.src='/none.png'`, `this.style.display='none'`, `this.form.submit()`.
 */
function keepsToElement(from: usize, to: usize): bool {
  jsBegin(from, to, Want.Operand, 0);
  while (true) {
    let kind = jsToken();
    if (kind == Js.Semicolon) continue;
    if (kind == Js.End) return true;
    if (kind == Js.Unary) {
      // return false
      if (jsToken() != Js.Literal) return false;
    } else {
      if (kind != Js.This || jsToken() != Js.Dot) return false;
      jsToken();
      if (textIs(jsStart, jsNext, "style")) {
        if (jsToken() != Js.Dot || jsToken() != Js.Name || jsToken() != Js.Assign || !isText(false)) return false;
      } else if (textIsOneOf(jsStart, jsNext, "onerror onload ")) {
        if (jsToken() != Js.Assign || jsToken() != Js.Literal) return false;
      } else if (textIsOneOf(jsStart, jsNext, "src alt title value className disabled checked ")) {
        const address = textIs(jsStart, jsNext, "src");
        if (jsToken() != Js.Assign || !isText(address)) return false;
      } else {
        if (textIs(jsStart, jsNext, "form")) {
          if (jsToken() != Js.Dot) return false;
          jsToken();
          if (!textIsOneOf(jsStart, jsNext, "submit reset ")) return false;
        } else if (!textIsOneOf(jsStart, jsNext, "select focus blur submit reset ")) return false;
        if (jsToken() != Js.CallOpen || jsToken() != Js.ParenClose) return false;
      }
    }
    kind = jsToken();
    if (kind == Js.End) return true;
    if (kind != Js.Semicolon) return false;
  }
}

/** Whether the next token is a constant: for an address one that runs no script. */
function isText(address: bool): bool {
  const kind = jsToken();
  if (kind == Js.String) return !address || !hasScriptScheme(jsStart + 1, jsNext - 1);
  return kind == Js.Number || kind == Js.Literal;
}

/**
 * Runs the patterns over the tokens of `from..to` in a context (Js.Break, Bare, Script or Hole); the surest rule, 0 for none.
 * `statement` puts a ";" in front.
 */
function runPattern(context: u32, from: usize, to: usize, want: Want, quote: u32, statement: bool): u32 {
  let state = dfaNext(XSS_TABLE, dfaStart(XSS_TABLE), context);
  if (statement) state = dfaNext(XSS_TABLE, state, Js.Semicolon);
  let rule: u32 = 0;
  reachesConstructor = false;
  jsBegin(from, to, want, quote);
  while (true) {
    const kind = jsToken();
    if (kind == Js.Constructor) reachesConstructor = true;
    state = dfaNext(XSS_TABLE, state, kind);
    if (dfaDead(XSS_TABLE, state)) return rule;
    if (dfaAccepts(XSS_TABLE, state)) {
      const match = dfaRule(XSS_TABLE, state);
      if (rule == 0 || ruleConfidence(match) > ruleConfidence(rule)) rule = match;
    }
    if (kind == Js.End) return rule;
  }
}
