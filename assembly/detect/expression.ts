// Template injection and injected code. The break-out is the delimiter of a template language, or that the value itself is one
// statement; the continuation is an expression that does what no placeholder does. Both are read by one tokenizer and one table
// (rules/expression.yaml), since the languages inside are the same:
//
//   text {{ … }} text ${ … } text <% … %>     each expression from its opening to its end         ssti-*
//   <?php …                                   the same                                            codei-php-tag
//   …                                         the value, and what follows its first quote         codei-*
//
// Talk about templates and pasted programs are no attacks: words around an expression, lines, declarations and two words in a row
// lower a match. Each byte is tokenized at most four times, no memory.

import { byteAt, findByte, isLetter, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { findOneOf, findPair, hasPair } from "../core/scan";
import { textIs, textIsOneOf, textStarts, textStartsNoCase } from "../core/text";
import { Expr, EXPRESSION_KEYWORDS, EXPRESSION_TABLE } from "../generated/expression";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { dfaAccepts, dfaDead, dfaNext, dfaRule, dfaStart } from "../match/dfa";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import {
  expressionLines,
  expressionNext,
  expressionToken,
  isSigil,
  openExpression,
  skipMark,
} from "../tokenize/expression";
import { found } from "./finding";
import { countWords, lossOf } from "./prose";

/** Whether an opening of a template may stand in the value; may say maybe too often, never a false no. */
export function mayTemplate(start: usize, end: usize, kinds: u32): bool {
  if (kinds & Kind.Brace) return true;
  if (
    (kinds & Kind.Angle) != 0 &&
    (hasPair(start, end, Char.Less, Char.Percent) || hasPair(start, end, Char.Less, Char.Question))
  )
    return true;
  if ((kinds & Kind.Hash) != 0) {
    for (let at = findByte(start, end, Char.Hash); at < end;) {
      if (opens(start, at > start ? at - 1 : at, end) || opens(start, at, end)) return true;
      at = findByte(at + 1, end, Char.Hash);
    }
  }
  if ((kinds & (Kind.Angle | Kind.Quote)) == (Kind.Angle | Kind.Quote) && hasPair(start, end, Char.Less, Char.At))
    return true;
  if ((kinds & Kind.Percent) != 0 && (kinds & Kind.Bracket) != 0 && hasPair(start, end, Char.BracketOpen, Char.Percent))
    return true;
  if ((kinds & Kind.Paren) != 0 && hasPair(start, end, Char.At, Char.ParenOpen)) return true;
  return (
    (kinds & (Kind.Bracket | Kind.Star)) == (Kind.Bracket | Kind.Star) &&
    (hasPair(start, end, Char.BracketOpen, Char.BracketOpen) || hasPair(start, end, Char.BracketOpen, Char.Equals))
  );
}

/** Judges `start..end` and reports the surest template expression and the surest code in it. */
export function detectExpression(start: usize, end: usize, kinds: u32): void {
  while (start < end && byteAt(start) <= <u32>Char.Space) start++;
  while (start < end && byteAt(end - 1) <= <u32>Char.Space) end--;
  best = 0;
  weighed = 0;
  if (mayTemplate(start, end, kinds)) templates(start, end);
  if (best < CERTAIN && mayCode(start, end, kinds) && !isEscaped(start, end, kinds)) {
    code(start, start, end);
    if (kinds & Kind.Quote) {
      // What stands behind the first quotation mark, as if the value stood within such.
      const single = findByte(start, end, Char.Quote);
      if (single + 1 < end) code(start, single + 1, end);
      const double = findByte(start, end, Char.DoubleQuote);
      if (double + 1 < end) code(start, double + 1, end);
    }
  }
  if ((kinds & (Kind.Backslash | Kind.Slash)) == (Kind.Backslash | Kind.Slash) && namesController(start, end))
    offer(Rule.CodeiCall, ruleConfidence(Rule.CodeiCall), start, end);
  if (best != 0) found(bestRule, best, bestStart, bestEnd);
}

/** Confidence that needs no second opinion. */
const CERTAIN: u32 = 75;

let best: u32 = 0;
let bestRule: u32 = 0;
let bestStart: usize = 0;
let bestEnd: usize = 0;

// @ts-ignore: decorator
@inline
function offer(rule: u32, confidence: u32, start: usize, end: usize): void {
  if (confidence <= best) return;
  best = confidence;
  bestRule = rule;
  bestStart = start;
  bestEnd = end;
}

// ---------------------------------------------------------------------------------------------------------------- templates

/** The opening that `nextOpening` found: its kind, where it begins and where its expression does. */
let opening: u32 = Expr.End;
let openingAt: usize = 0;
let openingEnd: usize = 0;

/** Bytes of a value in which openings of many languages are a probe. */
const POLYGLOT_BYTES: usize = 160;
/** Different openings that make it one. */
const POLYGLOT: u32 = 3;

function templates(start: usize, end: usize): void {
  let at = start;
  let seen: u32 = 0;
  while (nextOpening(start, at, end)) {
    seen++;
    at = expression(start, end);
  }
  if (seen != 0 && end - start <= POLYGLOT_BYTES && isPolyglot(start, end)) {
    offer(Rule.SstiPolyglot, ruleConfidence(Rule.SstiPolyglot), start, end);
  }
}

/** Whether openings of three languages stand in a value without a word. */
function isPolyglot(start: usize, end: usize): bool {
  let kinds: u32 = 0;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (isWord(byte)) return false;
    const next: u32 = at + 1 < end ? byteAt(at + 1) : 0;
    if (next == Char.BraceOpen)
      kinds |= byte == Char.BraceOpen ? 1 : byte == Char.Dollar ? 2 : byte == Char.Hash ? 4 : 0;
    else if (next == Char.Percent)
      kinds |= byte == Char.Less ? 8 : byte == Char.BraceOpen ? 16 : byte == Char.BracketOpen ? 32 : 0;
  }
  return <u32>popcnt(kinds) >= POLYGLOT;
}

/** Finds the first opening in `at..end`. */
function nextOpening(start: usize, at: usize, end: usize): bool {
  while (true) {
    const brace = findOneOf(at, end, Char.BraceOpen, Char.Less, Char.At, Char.BracketOpen);
    const hash = findByte(at, brace, Char.Hash);
    at = min(brace, hash);
    if (at + 1 >= end) return false;
    openingAt = at;
    if (opens(start, at, end)) return true;
    at++;
  }
}

/** Whether a template opens at `at`. */
function opens(start: usize, at: usize, end: usize): bool {
  const next = byteAt(at + 1);
  switch (byteAt(at)) {
    case Char.BraceOpen: {
      const before: u32 = at > start ? byteAt(at - 1) : 0;
      if (isSigil(before)) {
        // "${{" is an opening of its own, in CI files, and "{{" behind a "$" elsewhere.
        if (next == Char.BraceOpen) return open(Expr.Braces, skipMark(at + 2, end));
        return open(before == Char.Dollar ? Expr.Dollar : Expr.Mark, at + 1);
      }
      if (next == Char.Percent) return open(Expr.Statement, skipMark(at + 2, end));
      if (next == Char.BraceOpen || (next == Char.Bang && at + 2 < end && byteAt(at + 2) == Char.Bang)) {
        let from = at + 2;
        while (from < end && isBracesMark(byteAt(from))) from++;
        return open(Expr.Braces, from);
      }
      // One brace opens a template of PHP at the start, behind another, or in a quoted text.
      const apart = at == start || before == Char.BraceClose || before == Char.Quote || before == Char.DoubleQuote;
      const begins = isWord(next) || next == Char.Dollar || next == Char.Equals || next == Char.Quote;
      return apart && begins ? open(Expr.Single, at + 1) : false;
    }
    case Char.Less:
      if (next == Char.Percent) return open(Expr.Tag, skipMark(at + 2, end));
      if (next == Char.Hash) return opensDirective(at, end);
      if (next == Char.At)
        return at + 2 < end && byteAt(at + 2) == Char.DoubleQuote ? open(Expr.Directive, at + 2) : false;
      if (next != Char.Question) return false;
      if (textStartsNoCase(at, end, "<?php")) return open(Expr.Php, at + 5);
      return at + 2 < end && (byteAt(at + 2) == Char.Equals || isSpace(byteAt(at + 2)))
        ? open(Expr.Php, at + 3)
        : false;
    case Char.At:
      return next == Char.ParenOpen ? open(Expr.Round, at + 2) : false;
    case Char.BracketOpen:
      if (next == Char.BracketOpen || next == Char.Equals) return open(Expr.Wiki, at + 2);
      if (next == Char.Percent) return open(Expr.Tag, skipMark(at + 2, end));
      return next == Char.Hash ? opensDirective(at, end) : false;
    case Char.Hash:
      return opensLine(at + 1, end);
    default:
      return false;
  }
}

/** A directive of FreeMarker at `at`: `<#assign`, `[#include`. */
function opensDirective(at: usize, end: usize): bool {
  if (at + 2 >= end || !isLetter(byteAt(at + 2))) return false;
  return open(Expr.Directive, textStartsNoCase(at + 2, end, "assign") ? at + 8 : at + 2);
}

/** A directive of Velocity or Cheetah behind its "#": `set(`, `set $x`, `if(`, `parse(`, `include(`, `evaluate(`. */
function opensLine(at: usize, end: usize): bool {
  const word = at;
  while (at < end && isLetter(byteAt(at)) && at - word < 9) at++;
  const stop = at;
  if (at < end && byteAt(at) == Char.Space) at++;
  if (at >= end) return false;
  if (textIs(word, stop, "set")) {
    if (byteAt(at) == Char.ParenOpen) return open(Expr.Directive, at + 1);
    return byteAt(at) == Char.Dollar ? open(Expr.Directive, at) : false;
  }
  if (byteAt(at) != Char.ParenOpen) return false;
  const known = textIsOneOf(word, stop, "if foreach parse include evaluate ");
  return known ? open(Expr.Directive, word) : false;
}

// @ts-ignore: decorator
@inline
function open(kind: u32, end: usize): bool {
  opening = kind;
  openingEnd = end;
  return true;
}

/** Marks that stand between `{{` and its expression. */
function isBracesMark(byte: u32): bool {
  return (
    byte == Char.Equals ||
    byte == Char.Dash ||
    byte == Char.Bang ||
    byte == Char.Tilde ||
    byte == Char.BraceOpen ||
    byte == Char.Hash ||
    byte == Char.Ampersand ||
    byte == Char.Colon ||
    byte == Char.Greater
  );
}

/** Runs the expression behind the opening through the table, and returns where text begins again. */
function expression(start: usize, end: usize): usize {
  let kind = opening;
  let from = openingAt;
  let at = openingEnd;
  let state = dfaNext(EXPRESSION_TABLE, dfaStart(EXPRESSION_TABLE), kind);
  let depth: u32 = 0;
  let rule: u32 = 0;
  let last: usize = at;
  openExpression();
  while (true) {
    let token = expressionToken(at, end);
    at = expressionNext;
    if (token == Expr.End) token = Expr.Finish;
    else if (token <= <u32>Expr.Php) {
      // Another template in this one.
      if (rule == 0) {
        kind = token;
        from = at - 2;
        state = dfaNext(EXPRESSION_TABLE, dfaStart(EXPRESSION_TABLE), kind);
        depth = 0;
      }
      continue;
    }
    let closes = token == Expr.Close;
    if (token == Expr.ParenOpen || token == Expr.BracketOpen || token == Expr.BraceOpen) depth++;
    else if (token == Expr.ParenClose || token == Expr.BracketClose || token == Expr.BraceClose) {
      if (depth == 0) {
        token = Expr.Close;
        closes = true;
      } else depth--;
    }
    state = dfaNext(EXPRESSION_TABLE, state, token);
    if (dfaAccepts(EXPRESSION_TABLE, state)) {
      const matched = dfaRule(EXPRESSION_TABLE, state);
      if (rule == 0 || ruleConfidence(matched) > ruleConfidence(rule)) {
        rule = matched;
        last = at;
      }
    }
    if (closes || token == Expr.Finish || dfaDead(EXPRESSION_TABLE, state)) break;
  }
  if (rule != 0) weigh(kind, rule, start, from, last, at, end);
  return max(at, openingEnd);
}

/** Bytes around an expression that make it a part of something else. */
const MUCH: usize = 400;
const SOME: usize = 120;
/** Rules whose match says by itself that it is an attack. */
const STRONG: u32 = 86;

/** Matches of a value that are weighed: each looks at all of it. */
const MAX_WEIGHED: u32 = 4;
let weighed: u32 = 0;

/** Weighs the match of `rule` in the expression `from..at`, sure at `last`, by what stands around it. */
function weigh(kind: u32, rule: u32, start: usize, from: usize, last: usize, at: usize, end: usize): void {
  let confidence = ruleConfidence(rule);
  if (confidence <= best || weighed == MAX_WEIGHED) return;
  weighed++;
  // An assignment of a literal is a template's line like any other.
  const lone = from == start && at == end;
  if (rule == Rule.SstiArithmeticBrackets && (kind == Expr.Statement || kind == Expr.Directive) && !lone) return;
  if (kind == Expr.Php) {
    if (rule != Rule.CodeiPhpOpen) rule = Rule.CodeiPhpTag;
    confidence = ruleConfidence(rule);
  } else if (kind == Expr.Single || kind == Expr.Wiki) {
    // Code and data have these brackets too.
    const whole = from <= start + 1 && at + 2 >= end;
    const runs = rule == Rule.SstiShell || rule == Rule.SstiCommand || rule == Rule.SstiLibrary;
    if (!whole && !runs && rule != Rule.SstiTypeReference) return;
    if (runs && from > start && byteAt(from - 1) != Char.BraceClose) confidence -= 15;
  }
  const whole = end - start - (at - from);
  let loss = lossOf(countWords(start, from) + countWords(at, end));
  if (confidence >= STRONG) loss /= 2;
  if (whole > MUCH) loss += 30;
  else if (whole > SOME && confidence < STRONG) loss += 30;
  // "<%s.%s at %x>" is a format of a program.
  if (kind == Expr.Tag && !isClosed(from, end)) loss += 40;
  if (kind == Expr.Dollar && holdsBacktick(start, from)) loss += 40;
  // "`{{ 7*7 }}` gives 49": a sum that a text shows as code.
  if (
    rule == Rule.SstiArithmetic &&
    isCodeSpan(start, from, at, end) &&
    countWords(start, from) + countWords(at, end) > 1
  )
    loss += 30;
  if (expressionLines > 3) loss += 30;
  // A loop has a body.
  if (rule == Rule.SstiServerObject && whole > 2) loss += kind == Expr.Statement ? 10 : 20;
  offer(rule, confidence - min(confidence, loss), from, last);
}

/** Whether `from..at` stands between backticks, as Markdown shows code. */
function isCodeSpan(start: usize, from: usize, at: usize, end: usize): bool {
  while (at < end && (byteAt(at) == Char.BraceClose || byteAt(at) == Char.Space)) at++;
  return from > start && at < end && byteAt(from - 1) == Char.Backtick && byteAt(at) == Char.Backtick;
}

/** Whether a tag that opens at `from` is closed: `%>`, `%]`. */
function isClosed(from: usize, end: usize): bool {
  return (
    findPair(from, end, Char.Percent, Char.Greater) < end || findPair(from, end, Char.Percent, Char.BracketClose) < end
  );
}

/** Whether a template literal of JavaScript may have begun. */
function holdsBacktick(start: usize, end: usize): bool {
  return findByte(start, end, Char.Backtick) < end;
}

// --------------------------------------------------------------------------------------------------------------------- code

/** Bytes of a value that is one line of a template. */
const LONE: usize = 64;
/** Bytes of a name before a parenthesis at most. */
const MAX_NAME: usize = 32;

/** Whether blanks are escaped in the value and none stands as it is: what it is read from is another layer. */
function isEscaped(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & (Kind.Percent | Kind.Space | Kind.Control)) != Kind.Percent) return false;
  for (let at = findByte(start, end, Char.Percent); at + 2 < end; at = findByte(at + 1, end, Char.Percent)) {
    if (textStarts(at, end, "%20")) return true;
  }
  return false;
}

/** Whether a call of a name that the table has stands in the value, or a few beginnings. */
export function mayCode(start: usize, end: usize, kinds: u32): bool {
  if (kinds & Kind.Paren) {
    for (let at = findByte(start, end, Char.ParenOpen); at < end;) {
      if (byteAt(at + 1) == Char.Hash || (at > start && isCalled(start, at))) return true;
      at = findByte(at + 1, end, Char.ParenOpen);
    }
  }
  if ((kinds & Kind.Dot) != 0) {
    if (textStartsNoCase(start, end, "class")) return true;
    if ((kinds & (Kind.Paren | Kind.Quote | Kind.Bracket)) != 0) {
      // Python's; JavaScript has `__proto__`, which the pollution of prototypes is told by.
      const deep = findPair(start, end, Char.Underscore, Char.Underscore);
      if (deep < end && !textStarts(deep, end, "__proto__")) return true;
    }
  }
  // "x.mainModule.require", without a call.
  if ((kinds & (Kind.Dot | Kind.Equals)) == (Kind.Dot | Kind.Equals) && hasPair(start, end, 0x6e, 0x4d)) return true;
  // Lines of Mako, Slim and Haml, a shell of Ruby, a member of OGNL's root.
  if ((kinds & (Kind.Equals | Kind.Percent | Kind.Hash)) != 0 && end - start <= LONE) {
    const first = byteAt(start);
    const second: u32 = start + 1 < end ? byteAt(start + 1) : 0;
    if (first == Char.Equals || first == Char.Bang) return second == Char.Space || second == Char.Equals;
    if (first == Char.Percent && second == Char.Space) return true;
    if ((first == Char.Percent && second == Char.x) || (first == Char.Hash && second == Char.Underscore)) return true;
  }
  if ((kinds & Kind.Backtick) != 0 && (textStartsNoCase(start, end, "print") || textStartsNoCase(start, end, "echo")))
    return true;
  return (kinds & Kind.Equals) != 0 && end - start > 12 && isPhpOption(start);
}

/** Whether a class of ThinkPHP is named as a controller: `/index/\think\app/…`, `\think\Container/…`. */
function namesController(start: usize, end: usize): bool {
  const mark = findByte(start, end, Char.Backslash);
  if (mark + 7 >= end || !textStartsNoCase(mark + 1, end, "think\\")) return false;
  return mark == start || byteAt(mark - 1) == Char.Slash || byteAt(mark - 1) == Char.Pipe;
}

function isPhpOption(at: usize): bool {
  const byte = byteAt(at);
  return (byte == Char.Dash || byte >= 0x80) && findByte(at, at + 4, 0x64) < at + 4;
}

/** Whether what stands before the parenthesis at `at` is called: a keyword, a bracket or a text. */
function isCalled(start: usize, at: usize): bool {
  let end = at;
  while (end > start && isSpace(byteAt(end - 1)) && at - end < 2) end--;
  if (end == start) return false;
  const byte = byteAt(end - 1);
  if (byte == Char.BracketClose || byte == Char.ParenClose || byte == Char.DoubleQuote || byte == Char.Quote)
    return end == at;
  let name = end;
  while (name > start && end - name < MAX_NAME && isWord(byteAt(name - 1))) name--;
  if (name == end) return false;
  const before: u32 = name > start ? byteAt(name - 1) : 0;
  if (before == Char.Dollar) return true;
  // With a path, with a symbol, of the process.
  const argument = byteAt(at + 1);
  const second = byteAt(at + 2);
  if ((argument == Char.Quote || argument == Char.DoubleQuote) && second == Char.Slash) return true;
  if (argument == Char.Colon && isLetter(second)) return true;
  if (before == Char.Dot && name >= start + 8 && textStarts(name - 8, name, "process.")) return true;
  const kind = keyword(EXPRESSION_KEYWORDS, name, end);
  return (
    (kind == Expr.Print && (before == Char.Dot || (argument == Char.Dollar && second == Char.Underscore))) ||
    kind == Expr.Danger ||
    kind == Expr.Exec ||
    kind == Expr.Runner ||
    kind == Expr.Function ||
    kind == Expr.Info ||
    kind == Expr.Reader ||
    kind == Expr.Reflect ||
    kind == Expr.Require ||
    kind == Expr.Import ||
    kind == Expr.Constructor ||
    kind == Expr.Deep ||
    kind == Expr.Digest ||
    kind == Expr.Filter ||
    kind == Expr.TypeOf
  );
}

/** Reads `from..end` of the value `start..end` as code. */
function code(start: usize, from: usize, end: usize): void {
  let state = dfaNext(EXPRESSION_TABLE, dfaStart(EXPRESSION_TABLE), Expr.Start);
  let at = from;
  let rule: u32 = 0;
  let last = at;
  let lines: u32 = 0;
  // Two names in a row: prose, or declarations of a program.
  let proseBefore: u32 = 0;
  let prose: u32 = 0;
  let declares = false;
  // A name stands behind a call, on its line: a program is parsed before it runs, and this one is none.
  let apart = false;
  let previous: u32 = from == start ? Expr.Start : Expr.Junk;
  openExpression();
  while (true) {
    let token = expressionToken(at, end);
    if (rule != 0 && token == Expr.Name && previous == Expr.ParenClose && isNextWord(at, end)) apart = true;
    at = expressionNext;
    if (token == Expr.End) token = Expr.Finish;
    if (isWordKind(token) && isWordKind(previous)) prose++;
    // `Buffer.from(` declares nothing.
    if (token == Expr.Declare && previous != Expr.Dot) declares = true;
    previous = token;
    if (!dfaDead(EXPRESSION_TABLE, state)) {
      state = dfaNext(EXPRESSION_TABLE, state, token);
      const matched = dfaAccepts(EXPRESSION_TABLE, state) ? codeRule(dfaRule(EXPRESSION_TABLE, state)) : 0;
      if (matched != 0 && (rule == 0 || ruleConfidence(matched) > ruleConfidence(rule))) {
        if (rule == 0) {
          proseBefore = prose;
          lines = expressionLines;
        }
        rule = matched;
        last = at;
      }
    }
    if (token == Expr.Finish) break;
  }
  if (rule == 0) return;
  // A comprehension has words in a row too.
  if (rule == Rule.CodeiPython && byteAt(start) == Char.BracketOpen) proseBefore = prose = 0;
  let loss: u32 = proseBefore > 0 ? 40 : 0;
  loss += prose == 0 ? 0 : prose == 1 ? 15 : prose < 4 ? 35 : 50;
  if (declares || apart) loss += 35;
  if (expressionLines > 3 || lines > 1) loss += 30;
  if (end - start > MUCH) loss += 20;
  // A sentence, or a stack of calls, before the quotation mark that would have ended a string of the program.
  if (from > start) loss += lossOf(countWords(start, from));
  if (from > start + 1 && precedesString(byteAt(from - 2))) loss += 25;
  const confidence = ruleConfidence(rule);
  offer(rule, confidence - min(confidence, loss), start, last);
}

/** Whether blanks and a word that joins no two expressions stand at `at`. */
function isNextWord(at: usize, end: usize): bool {
  const blank = at;
  while (at < end && byteAt(at) == Char.Space) at++;
  const word = at;
  while (at < end && isLetter(byteAt(at))) at++;
  return (
    word > blank &&
    at > word + 1 &&
    !textIsOneOf(word, at, "and or not if else for in is as unless while instanceof xor ")
  );
}

/** Whether a quotation mark behind `byte` begins a string of a program rather than ending one. */
function precedesString(byte: u32): bool {
  return (
    byte == Char.ParenOpen ||
    byte == Char.BracketOpen ||
    byte == Char.BraceOpen ||
    byte == Char.Comma ||
    byte == Char.Equals ||
    byte == Char.Colon
  );
}

/** Kinds of names that sentences have too. */
// @ts-ignore: decorator
@inline
function isWordKind(kind: u32): bool {
  return kind >= <u32>Expr.Name && kind <= <u32>Expr.Declare;
}

/** What a match means where the value itself is code. */
function codeRule(rule: u32): u32 {
  switch (rule) {
    case Rule.SstiObjectChain:
      return Rule.CodeiPython;
    case Rule.SstiReflectionCall:
    case Rule.SstiTypeReference:
      return Rule.CodeiJava;
    case Rule.SstiConstructor:
      return Rule.CodeiNode;
    case Rule.SstiCommand:
    case Rule.SstiFilter:
      return Rule.CodeiCall;
    case Rule.CodeiCall:
    case Rule.CodeiJava:
    case Rule.CodeiNode:
    case Rule.CodeiSetting:
    case Rule.SstiArithmeticBrackets:
      return rule;
  }
  return 0;
}
