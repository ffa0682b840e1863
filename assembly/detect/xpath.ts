// XPath and XQuery injection. The value is read as what stands in `[name='…']` or `[id=…]`:
//
//   x' or count(/*)=1 or 'a'='b      out of the string, a condition that only XPath has
//   x'] | //user[name='              out of the predicate, a union, a path
//   1 and string-length(//a)=3       out of a number
//   count(/*)=1                      nothing left: a question about an unknown document
//
// What makes a condition XPath's is a node function (`name(`, `position()`), a string function over a path (`contains(../pass,`), an
// axis, or a path (`//`, `/*`, `@*`). One step per byte, no memory.

import { byteAt, findByte, isDigit, isLetter, isQuote, isSpace, isWord, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { textIs, textStarts } from "../core/text";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { XPATH_NAME, XPathName } from "../generated/xpath";
import { keyword } from "../match/keywords";
import { found } from "./finding";

const LONGEST: usize = 1024;
/** Bytes of a value before it leaves a string. */
const LONGEST_HEAD: usize = 96;
/** Words of prose that a value may have behind its break-out. */
const MOST_WORDS: u32 = 3;

/** Whether `start..end` may be XPath: a path or a call, and what leaves a string or compares. */
export function mayXpath(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & Kind.Paren) != 0) return true;
  return (kinds & (Kind.Slash | Kind.Star)) != 0 && (kinds & (Kind.Quote | Kind.Bracket | Kind.Equals)) != 0;
}

/** Judges `start..end` and reports what is found. */
export function detectXpath(start: usize, end: usize, kinds: u32): void {
  if (end - start > LONGEST || !mayXpath(start, end, kinds)) return;
  // The head: words, or a number.
  let at = start;
  const stop = min(end, start + LONGEST_HEAD);
  while (at < stop && (isWord(byteAt(at)) || byteAt(at) >= 0x80 || isHeadByte(byteAt(at)))) at++;
  if (at == stop && at < end) return;
  const quote: u32 = at < end ? byteAt(at) : 0;
  if (quote == Char.Quote || quote == Char.DoubleQuote) readBreak(start, at + 1, end, true);
  else if (quote == Char.BracketClose || quote == Char.ParenClose || quote == Char.Pipe)
    readBreak(start, at, end, false);
  else {
    // 1 and count(/*)=1
    at = start;
    while (at < end && isDigit(byteAt(at))) at++;
    if (at > start && at < end && isSpace(byteAt(at))) readBreak(start, at, end, false);
  }
  if ((kinds & Kind.Paren) != 0) readProbe(start, end);
}

function isHeadByte(byte: u32): bool {
  return byte == Char.Space || byte == Char.Dot || byte == Char.At || byte == Char.Dash || byte == Char.Comma;
}

/** Judges what stands behind a break-out at `at`. */
function readBreak(start: usize, at: usize, end: usize, quoted: bool): void {
  let closed = false;
  while (at < end && (isSpace(byteAt(at)) || byteAt(at) == Char.BracketClose || byteAt(at) == Char.ParenClose)) {
    if (byteAt(at) == Char.BracketClose) closed = true;
    at++;
  }
  if (at >= end) return;
  if (byteAt(at) == Char.Pipe) {
    at = skipSpaces(at + 1, end);
    if (at < end && isPathStart(at, end) && (closed || quoted))
      found(Rule.XpathUnion, closed ? 90 : isQuote(byteAt(end - 1)) ? 66 : 50, start, end);
    return;
  }
  if (closed && byteAt(at) == Char.Slash && isPathStart(at, end) && (quoted || isAxis(at + 1, end))) {
    // x']/../*
    found(Rule.XpathUnion, 72, start, end);
    return;
  }
  const word = nameStop(at, end);
  const joint = keyword(XPATH_NAME, at, word);
  if (joint != XPathName.Joint || word == end) return;
  if (closed && isPathStart(skipSpaces(word, end), end)) {
    found(Rule.XpathUnion, 85, start, end);
    return;
  }
  const sure = weighCondition(word, end);
  if (sure != 0) found(Rule.XpathBreak, quoted ? sure : sure - 8, start, end);
}

/** `following-sibling::` */
function isAxis(at: usize, end: usize): bool {
  const stop = nameStop(at, end);
  return stop + 1 < end && byteAt(stop) == Char.Colon && keyword(XPATH_NAME, at, stop) == XPathName.Axis;
}

/** How sure it is that `at..end` is a condition of XPath. */
function weighCondition(at: usize, end: usize): u32 {
  let sure: u32 = 0;
  let words: u32 = 0;
  while (at < end) {
    const byte = byteAt(at);
    if (isLetter(byte)) {
      const stop = nameStop(at, end);
      const kind = keyword(XPATH_NAME, at, stop);
      const next: u32 = stop < end ? byteAt(stop) : 0;
      if (next == Char.ParenOpen) {
        if (kind == XPathName.Node) sure = max<u32>(sure, takesPath(stop + 1, end) || closes(stop + 1, end) ? 86 : 50);
        else if (kind == XPathName.Text)
          // No other language has names like "string-length".
          sure = max<u32>(
            sure,
            takesPath(stop + 1, end) ? 86 : findByte(at, stop, Char.Dash) < stop ? 70 : leavesOpen(stop, end) ? 66 : 30,
          );
        else if (kind == XPathName.Reach) sure = max<u32>(sure, 84);
      } else if (kind == XPathName.Axis && next == Char.Colon && stop + 1 < end && byteAt(stop + 1) == Char.Colon) {
        sure = max<u32>(sure, 86);
      } else if (kind == 0 && next == Char.Space) {
        words++;
      }
      at = stop;
      continue;
    }
    // A path where an operand stands.
    if ((byte == Char.Slash || byte == Char.At) && isOperand(at) && isPathStart(at, end)) sure = max<u32>(sure, 78);
    else if (byte == Char.Dot && isOperand(at) && textStarts(at, end, "../")) sure = max<u32>(sure, 78);
    at++;
  }
  return words > MOST_WORDS ? 0 : sure;
}

/** Whether a string is open at the end of `at..end`, which the query closes: `contains(name,'a`. */
function leavesOpen(at: usize, end: usize): bool {
  let quotes: u32 = 0;
  for (; at < end; at++) if (isQuote(byteAt(at))) quotes++;
  return (quotes & 1) != 0;
}

/** Whether an operand may stand at `at`: behind a space, a bracket, an operator. */
function isOperand(at: usize): bool {
  const before = byteAt(at - 1);
  return (
    isSpace(before) ||
    before == Char.ParenOpen ||
    before == Char.Equals ||
    before == Char.Comma ||
    before == Char.BracketOpen
  );
}

/** Whether the operand at `at`, behind "(", is a path: `/…`, `../a`, `@a`, `*`, `name(/…`, `//a`. */
function takesPath(at: usize, end: usize): bool {
  at = skipSpaces(at, end);
  if (at >= end) return false;
  const byte = byteAt(at);
  if (byte == Char.Slash || byte == Char.At || byte == Char.Star) return true;
  if (byte == Char.Dot) {
    const next: u32 = at + 1 < end ? byteAt(at + 1) : 0;
    return next == Char.Dot || next == Char.Slash || next == Char.Comma || next == Char.ParenClose;
  }
  const stop = nameStop(at, end);
  if (stop == at || stop == end) return false;
  const kind = keyword(XPATH_NAME, at, stop);
  if (kind == XPathName.Axis) return byteAt(stop) == Char.Colon;
  if (byteAt(stop) == Char.ParenOpen) {
    if (kind == XPathName.Node || kind == XPathName.Reach) return true;
    return kind == XPathName.Text && stop + 1 < end && (byteAt(stop + 1) == Char.Slash || byteAt(stop + 1) == Char.Dot);
  }
  // user/password, user[1]
  return byteAt(stop) == Char.Slash || byteAt(stop) == Char.BracketOpen;
}

function closes(at: usize, end: usize): bool {
  at = skipSpaces(at, end);
  return at < end && byteAt(at) == Char.ParenClose;
}

/** `//a`  `/*`  `/a`  `@*`  `@a` */
function isPathStart(at: usize, end: usize): bool {
  if (at + 1 >= end) return false;
  const byte = byteAt(at);
  if (byte != Char.Slash && byte != Char.At) return false;
  const next = byteAt(at + 1);
  if (byte == Char.Slash && next == Char.Slash) return at + 2 < end && isStep(byteAt(at + 2));
  return isStep(next);
}

function isStep(byte: u32): bool {
  return isLetter(byte) || byte == Char.Star || byte == Char.At || byte == Char.Dot || byte == Char.Underscore;
}

/** Looks for a question about an unknown document, or one that reads another: `name(/*[1])`, `count(/child::node())`, `doc('http:`. */
function readProbe(start: usize, end: usize): void {
  let at = start;
  while (at < end && !isLetter(byteAt(at))) at++;
  // Behind quotes and joints alone; in a sentence, and in a program, it is shown.
  if (at - start > 8) return;
  let from = at;
  let stop = nameStop(at, end);
  if (stop == end || (byteAt(stop) != Char.ParenOpen && !isSpace(byteAt(stop)))) return;
  let kind = keyword(XPATH_NAME, at, stop);
  if (kind == XPathName.Joint) {
    from = skipSpaces(stop, end);
    stop = nameStop(from, end);
    kind = keyword(XPATH_NAME, from, stop);
  }
  for (let depth = 0; depth < 4; depth++) {
    if (stop == end || byteAt(stop) != Char.ParenOpen) return;
    const operand = skipSpaces(stop + 1, end);
    if (operand >= end) return;
    if (kind == XPathName.Reach) {
      if (reaches(operand, end)) found(Rule.XpathProbe, 70, start, end);
      return;
    }
    if (kind != XPathName.Node && kind != XPathName.Text) return;
    if (byteAt(operand) == Char.Slash) {
      if (isRootStep(operand, end)) found(Rule.XpathProbe, 68, start, end);
      else if (kind == XPathName.Text && compares(operand, end)) found(Rule.XpathProbe, 62, start, end);
      return;
    }
    // and string-length(account)=5
    if (depth == 0 && from > at && textIs(from, stop, "string-length") && compares(operand, end)) {
      found(Rule.XpathProbe, 64, start, end);
      return;
    }
    from = operand;
    stop = nameStop(from, end);
    kind = keyword(XPATH_NAME, from, stop);
  }
}

/** `/*`  `//*`  `/child::`  `/@*`: a step to what has no name. */
function isRootStep(at: usize, end: usize): bool {
  while (at < end && byteAt(at) == Char.Slash) at++;
  if (at >= end) return false;
  if (byteAt(at) == Char.At) at++;
  if (at < end && byteAt(at) == Char.Star) return true;
  const stop = nameStop(at, end);
  return stop < end && byteAt(stop) == Char.Colon && keyword(XPATH_NAME, at, stop) == XPathName.Axis;
}

/** Whether the call whose operand begins at `at` is compared with something: `…,2,1)='a'`, `…)=8`. */
function compares(at: usize, end: usize): bool {
  let depth = 1;
  for (; at < end && depth > 0; at++) {
    const byte = byteAt(at);
    if (byte == Char.ParenOpen) depth++;
    else if (byte == Char.ParenClose) depth--;
  }
  at = skipSpaces(at, end);
  if (depth > 0 || at + 1 >= end) return false;
  const byte = byteAt(at);
  return byte == Char.Equals || byte == Char.Less || byte == Char.Greater || byte == Char.Bang;
}

/** `doc('http://…')`, `doc(concat(`, `unparsed-text("/etc/…")`: a string that is an address or a file. */
function reaches(at: usize, end: usize): bool {
  const byte = byteAt(at);
  if (byte == Char.Quote || byte == Char.DoubleQuote) {
    for (let i = at + 1; i + 2 < end && i < at + 64; i++) {
      if (byteAt(i) == byte) return false;
      if (byteAt(i) == Char.Colon && (byteAt(i + 1) == Char.Slash || byteAt(i + 1) == Char.v)) return true;
      if (i == at + 1 && (byteAt(i) == Char.Slash || byteAt(i) == Char.Dot)) return true;
    }
    return false;
  }
  const stop = nameStop(at, end);
  return stop < end && byteAt(stop) == Char.ParenOpen && keyword(XPATH_NAME, at, stop) == XPathName.Text;
}

/** The end of a name of XPath: letters, digits, "_" and "-". */
function nameStop(at: usize, end: usize): usize {
  while (at < end && (isWord(byteAt(at)) || byteAt(at) == Char.Dash)) at++;
  return at;
}
