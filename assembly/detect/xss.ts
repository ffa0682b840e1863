// Cross-site scripting. A value is read in each context that a page may put it into, and in each it must do two things: leave the
// context, and go on with something that runs script.
//
//   text          <img src=x onerror=alert(1)>           xss-markup.ts: every "<" may begin a tag
//   attribute     " onfocus=alert(1) autofocus x="       here: attributes follow behind a quote or a space
//   URL           java\tscript:alert(1)                  here: the scheme as a URL parser reads it
//   style         width:expression(alert(1))             here, by tokenize/style.ts
//   script        ';alert(1)//     {{…}}     ${…}        xss-script.ts: the patterns of rules/xss.yaml
//
// A value without "<", ">", "=", "(" and "`" runs nothing, in no context. Otherwise one pass for each context, most of which end at
// their second token; no memory but the tokenizers'.

import { byteAt, findByte, isLetter, isSpace } from "../core/bytes";
import { Char } from "../core/char";
import { findHigh, skipBlank } from "../core/scan";
import { textStarts, textStartsNoCase } from "../core/text";
import { layer, layerStart } from "../decode/layers";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { ATTRIBUTE, Attribute, Css, Js, Mime, SCHEME, Scheme } from "../generated/xss";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import {
  attributeName,
  attributeNameEnd,
  attributesBegin,
  attributeStart,
  decodedEnd,
  decodedStart,
  decodeValue,
  nextAttribute,
  valueEnd,
  valueGiven,
  valueStart,
} from "../tokenize/html";
import { afterScheme, readMime, readScheme } from "../tokenize/scheme";
import { styleKind } from "../tokenize/style";
import { attributeKind, isComponent, isEscapedQuote, judgeMarkup, showsMarkup } from "./xss-markup";
import { codeRule, isHarmless, isInert, judgeScript, runsCode } from "./xss-script";
import {
  beginValue,
  Ceiling,
  countWords,
  first,
  isProse,
  isWordByte,
  last,
  report,
  setCeiling,
  short,
} from "./xss-value";
import { found } from "./finding";

/** Marks without one of which nothing runs: a tag, a call, an assignment, a template. */
const NEEDED: u32 = Kind.Angle | Kind.Paren | Kind.Backtick | Kind.Equals;
/** "<" with its top bit set. */
const SEVEN_BIT_LESS: u32 = 0xbc;
/** Attributes that are read behind a break-out. */
const MAX_ATTRIBUTES: u32 = 24;
/** Quotes of one kind that may be the one that ends the attribute. */
const MAX_QUOTES: u32 = 4;
/** Bytes before a slash behind which attributes are looked for. */
const MAX_LEAD: usize = 24;
/** Bytes of a name that may be a handler's: the longest has 42. */
const MAX_INJECTABLE: usize = 64;

/** Whether the value, before layers were peeled off it, was rich text that shows markup as text. */
let shown = false;

/**
 * Judges `start..end` and reports what would run script. A value is judged as it stands before its layers are; in a layer, `start`
 * is `layerStart`.
 */
export function detectXss(start: usize, end: usize, kinds: u32): void {
  const raw = layer == 0 || start != layerStart;
  if (raw) shown = false;
  // "data:text/html;base64,…" alone needs none of them.
  const data = (kinds & (Kind.Colon | Kind.Slash)) == (Kind.Colon | Kind.Slash) && (byteAt(start) | 0x20) == 0x64;
  if ((kinds & NEEDED) == 0 && !data) return;
  beginValue(start, end);
  if ((kinds & Kind.Angle) != 0) {
    judgeMarkup(shown ? Ceiling.Code : Ceiling.Open);
    if (raw && (kinds & Kind.Ampersand) != 0) shown = showsMarkup();
    setCeiling(Ceiling.Open);
  }
  // What an editor shows as text runs in no attribute and no address.
  if ((kinds & Kind.Equals) != 0 && (raw || !shown)) judgeAttributes(kinds);
  if ((kinds & Kind.Colon) != 0 && !shown) judgeAddress();
  if ((kinds & (Kind.High | Kind.Paren)) == (Kind.High | Kind.Paren) && short) judgeEncoded();
  if ((kinds & (Kind.Paren | Kind.Backtick | Kind.Equals)) != 0) judgeScript(kinds);
  if ((kinds & Kind.Paren) != 0 && (kinds & (Kind.Colon | Kind.Slash)) != 0) judgeBareStyle();
}

/** Judges the attributes that would follow if the value stood in one. */
function judgeAttributes(kinds: u32): void {
  const quoted = (kinds & Kind.Quote) != 0;
  const blank = (kinds & (Kind.Space | Kind.Control)) != 0;
  const slash = slashOf(kinds);
  const named = textStartsNoCase(first, last, "on");
  if (!quoted && !blank && slash == last && !named) return;
  if (!namesInjectable(kinds)) return;
  if (quoted) {
    judgeQuoted(Char.DoubleQuote);
    judgeQuoted(Char.Quote);
  }
  // Put into a tag as it is, the value begins with the attribute's name.
  if (named) judgeBehind(first, false);
  if (blank) {
    let at = first;
    while (at < last && !isSpace(byteAt(at)) && byteAt(at) != Char.Greater && byteAt(at) != Char.Less) at++;
    if (at < last && isSpace(byteAt(at))) judgeBehind(at, false);
  }
  if (slash != last) judgeBehind(slash, false);
}

/** Where a slash near the beginning of a short value would separate attributes (x/style=…), or the end; that of a URL does not. */
function slashOf(kinds: u32): usize {
  if ((kinds & Kind.Slash) == 0 || !short) return last;
  const limit = min(last, first + MAX_LEAD);
  const slash = findByte(first, limit, Char.Slash);
  if (slash == limit || slash == first) return last;
  return byteAt(slash - 1) == Char.Colon ? last : slash;
}

/** Whether the name of an attribute that can run script stands before any "=": without one there is nothing to find. */
function namesInjectable(kinds: u32): bool {
  let at = first;
  // Bytes before `passed` were looked at for the "=" before; the name that reaches over it begins at `begin`.
  let passed = first;
  let begin = first;
  const urls = mayHoldScheme(kinds);
  while ((at = findByte(at, last, Char.Equals)) < last) {
    const equals = at++;
    let to = equals;
    while (to > first && isSpace(byteAt(to - 1))) to--;
    // What old browsers took for the end of a name may stand between; it is no letter.
    let from = to;
    while (from > passed && !isSpace(byteAt(from - 1)) && !endsName(byteAt(from - 1))) from--;
    if (from == passed) from = begin;
    begin = to == equals ? from : equals;
    passed = at;
    if (to - from > MAX_INJECTABLE) from = to - MAX_INJECTABLE;
    if (to - from < 3) continue;
    if (textStartsNoCase(from, to, "on")) return true;
    const kind = keyword(ATTRIBUTE, from, to);
    if (kind == Attribute.Style || kind == Attribute.Srcdoc) return true;
    if (urls && (kind == Attribute.Url || kind == Attribute.Source)) return true;
  }
  return false;
}

/** Whether a scheme of a script may stand in the value: a ":" behind the last letter of one. References may hide both. */
function mayHoldScheme(kinds: u32): bool {
  if ((kinds & Kind.Ampersand) != 0) return true;
  let at = first;
  while ((at = findByte(at, last, Char.Colon)) < last) {
    let to = at++;
    while (to > first && byteAt(to - 1) <= <u32>Char.Space) to--;
    if (to - first < 3) continue;
    const letter = byteAt(to - 1) | 0x20;
    // javascript, vbscript, mocha, vbs; https is commoner than all of them.
    if (letter == Char.t || letter == Char.a || (letter == 0x73 && (byteAt(to - 2) | 0x20) == Char.b)) return true;
  }
  return false;
}

/** What stands before the name of an attribute, besides white space. */
function endsName(byte: u32): bool {
  return (
    byte == Char.DoubleQuote ||
    byte == Char.Quote ||
    byte == Char.Slash ||
    byte == Char.Greater ||
    byte == Char.Backtick
  );
}

/** Judges what stands behind each of the first quotes of a kind. */
function judgeQuoted(mark: u32): void {
  let at = first;
  for (let count: u32 = 0; count < MAX_QUOTES; count++) {
    at = findByte(at, last, mark) + 1;
    if (at >= last) return;
    judgeBehind(at, true);
  }
}

/** Judges attributes from `from` on, to the end of the tag. */
function judgeBehind(from: usize, quoted: bool): void {
  if (from >= last) return;
  attributesBegin(from, last);
  let prose = 0;
  let best = 0;
  let rule: u32 = 0;
  let evidence: usize = from;
  let evidenceEnd: usize = from;
  for (let count: u32 = 0; count < MAX_ATTRIBUTES && nextAttribute(); count++) {
    const kind = attributeKind();
    if (!valueGiven) {
      if (kind == 0 && isWordName()) prose++;
      continue;
    }
    const sure = <i32>judgeInjected(kind, quoted);
    if (sure > best) {
      best = sure;
      rule = injectedRule;
      evidence = attributeStart;
      evidenceEnd = valueEnd;
    }
  }
  if (best == 0) return;
  // What a sentence quotes: "what does onerror=alert(1) do?"
  if (!quoted && countWords(first, last) > 2) best = min(best, 45);
  if (prose > 4) best = min(best, 40);
  else if (prose > 2) best = min(best, quoted ? 62 : 45);
  // In a text a quote of a tag that it writes itself ends nothing; the tag is judged as such.
  if (quoted && isProse() && isInTag(from)) best = min(best, 45);
  found(rule, best, evidence, evidenceEnd);
}

/** Whether a tag that the value opens is open at `at`. */
function isInTag(at: usize): bool {
  while (at > first && byteAt(at - 1) != Char.Less && byteAt(at - 1) != Char.Greater) at--;
  return at > first && byteAt(at - 1) == Char.Less && isLetter(byteAt(at));
}

let injectedRule: u32 = 0;

/** How sure it is that an attribute of this kind was injected; sets the rule. */
function judgeInjected(kind: u32, quoted: bool): u32 {
  const sure = ruleConfidence(Rule.XssAttributeBreakout) - (quoted ? 0 : 12);
  injectedRule = Rule.XssAttributeBreakout;
  if (valueStart == valueEnd) return 0;
  decodeValue(valueStart, valueEnd);
  const handler =
    kind == Attribute.Event || (kind == 0 && textStarts(attributeName, attributeNameEnd, "on") && isWordName());
  if (handler) {
    if (isComponent() || isEscapedQuote() || isHarmless(decodedStart, decodedEnd)) return 0;
    if (codeRule(Js.Break, decodedStart, decodedEnd) != 0) return sure;
    if (!quoted || !runsCode(decodedStart, decodedEnd)) return kind == Attribute.Event ? 45 : 0;
    return kind == Attribute.Event ? sure - 6 : 45;
  }
  switch (kind) {
    case Attribute.Url:
    case Attribute.Source:
      return readScheme(decodedStart, decodedEnd) == Scheme.Script && runsCode(afterScheme, decodedEnd) ? sure - 4 : 0;
    case Attribute.Style:
      return styleKind(decodedStart, decodedEnd) != 0 ? sure - 14 : 0;
    case Attribute.Srcdoc:
      return findByte(decodedStart, decodedEnd, Char.Less) < decodedEnd ? sure - 8 : 0;
  }
  return 0;
}

/** Whether the attribute's name is two letters or more and nothing else, as a word of prose. */
function isWordName(): bool {
  if (attributeNameEnd - attributeName < 2) return false;
  for (let at = attributeName; at < attributeNameEnd; at++) {
    if (!isWordByte(byteAt(at))) return false;
  }
  return true;
}

/**
 * A script URL where a text has its links: `[x](javascript:…)`, `[url=javascript:…]`, `<javascript:…>`. Prose puts a space behind
 * the colon, and a program needs a call of what runs script.
 */
function judgeLinks(): void {
  let at = first;
  while ((at = findByte(at, last, Char.Colon)) < last) {
    let word = at;
    const target = linkTarget(at);
    if (target != 0) {
      const scheme = readScheme(target, last, true);
      if (scheme == Scheme.Script ? codeRule(Js.Break, afterScheme, last) != 0 : scheme == Scheme.Data) {
        if (scheme == Scheme.Script || readMime(afterScheme, last) == Mime.Document)
          report(Rule.XssScriptUrl, -18, target, last);
      }
    }
    while (word > first && isLetter(byteAt(word - 1)) && at - word < 12) word--;
    const code = ++at;
    if (code - word < 7 || word == first || keyword(SCHEME, word, code - 1) != Scheme.Script) continue;
    let before = byteAt(word - 1);
    // href="javascript:…", where 'javascript:…' alone is a literal of a program.
    const quoted = before == Char.Quote || before == Char.DoubleQuote;
    if (quoted) before = word - 1 > first ? byteAt(word - 2) : 0;
    const opens = before == Char.ParenOpen || before == Char.Less || before == Char.Greater;
    if (before != Char.Equals && (quoted || !opens)) continue;
    if (codeRule(Js.Break, code, last) != 0) {
      report(Rule.XssScriptUrl, -18, word, last);
      return;
    }
  }
}

/** Where the target of the Markdown link begins that the ":" at `colon` stands in, or 0: [x]( j a v a s c r i p t:…). */
function linkTarget(colon: usize): usize {
  let at = colon;
  while (at > first && colon - at < MAX_LEAD && (isLetter(byteAt(at - 1)) || byteAt(at - 1) <= <u32>Char.Space)) at--;
  return at > first + 1 && byteAt(at - 1) == Char.ParenOpen && byteAt(at - 2) == Char.BracketClose ? at : 0;
}

/** The value as a URL. */
function judgeAddress(): void {
  judgeLinks();
  const scheme = readScheme(first, last);
  if (scheme == Scheme.Script) {
    if (isInert(afterScheme, last) || !runsCode(afterScheme, last)) return;
    // "JavaScript: map()" is a title; a URL has no space there.
    report(Rule.XssScriptUrl, afterScheme < last && byteAt(afterScheme) == Char.Space ? -40 : 0, first, last);
  } else if (scheme == Scheme.Data && readMime(afterScheme, last) == Mime.Document) {
    if (findByte(afterScheme, last, Char.Comma) == last) return;
    if (!textStartsNoCase(skipBlank(afterScheme, last), last, "image/")) report(Rule.XssScriptUrl, -23, first, last);
  }
}

/**
 * "<script" in the bytes of another encoding: "¼script" where a page drops the top bit, "㰀script" where UTF-16 is read the other
 * way round.
 */
function judgeEncoded(): void {
  let at = first;
  while ((at = findHigh(at, last)) < last) {
    const byte = byteAt(at);
    const size: usize = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    const next: u32 = at + 1 < last ? byteAt(at + 1) : 0;
    const behind = at + size;
    const less =
      (size == 1 && byte == SEVEN_BIT_LESS) ||
      (byte == 0xc2 && next == SEVEN_BIT_LESS) ||
      (byte == 0xe3 && next == 0xb0 && at + 2 < last && byteAt(at + 2) == 0x80);
    if (less && textStartsNoCase(behind, last, "script")) report(Rule.XssEncodedMarkup, 0, at, last);
    at = behind;
  }
}

/** The value as a part of a style attribute: only an expression that calls something. */
function judgeBareStyle(): void {
  if (isStyleStart() && styleKind(first, last) == Css.Expression) report(Rule.XssCssExpression, -8, first, last);
}
/** Whether the value begins as a declaration does: name ":" */
function isStyleStart(): bool {
  let at = skipBlank(first, last);
  const from = at;
  while (at < last && (isLetter(byteAt(at)) || byteAt(at) == Char.Dash)) at++;
  return at > from && at < last && byteAt(at) == Char.Colon;
}
