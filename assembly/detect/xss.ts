// Cross-site scripting. A value is read in each context that a page may put it into, and in each it must do two things: leave the
// context, and go on with something that runs script.
//
//   text          <img src=x onerror=alert(1)>           every "<" may begin a tag; each tag is judged by its attributes
//   attribute     " onfocus=alert(1) autofocus x="       behind the first quote, or the first space, attributes follow
//   URL           java\tscript:alert(1)                  the scheme as a URL parser reads it
//   string        ';alert(1)//                           behind the first quote the patterns of rules/xss.yaml must match
//   expression    1;alert(1)      {{…}}      ${…}        the same, from where the code begins
//   style         width:expression(alert(1))             comments and escapes undone
//
// A tag that the standard's tokenizer would not see, because it stands in a comment, an attribute or an element of plain text, is
// judged too, at a ceiling: a second parse may see it (mutation XSS). Such tags may overlap, so together they get a budget of bytes;
// when it is used up only tags that are seen at once are judged. In a text with words of prose, what stands between backticks is
// code that a page shows, not runs.
//
// One pass over the value for markup, one for each context of script, which most values end at their second token.

import { byteAt, findByte, isDigit, isLetter, isSpace, lowerCase, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { findEither, findOneOf, skipBlank } from "../core/scan";
import { textIs, textStarts, textStartsNoCase } from "../core/text";
import { layer, layerStart } from "../decode/layers";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import {
  ATTRIBUTE,
  Attribute,
  CSS,
  Css,
  ELEMENT,
  Element,
  Js,
  MIME,
  Mime,
  SCHEME,
  Scheme,
  XSS_TABLE,
} from "../generated/xss";
import { dfaAccepts, dfaDead, dfaNext, dfaRule, dfaStart } from "../match/dfa";
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
  isBlank,
  nextAttribute,
  tagBegin,
  tagCloses,
  tagComplete,
  tagEnd,
  tagName,
  tagNameEnd,
  valueEnd,
  valueGiven,
  valueOpen,
  valueQuote,
  valueStart,
} from "../tokenize/html";
import { jsBegin, jsNext, jsToken, Want } from "../tokenize/js";
import { found } from "./finding";

/** Marks without one of which nothing runs: a tag, a call, an assignment, a template. */
const NEEDED: u32 = Kind.Angle | Kind.Paren | Kind.Backtick | Kind.Equals;
/** Bytes that hidden tags may be read over, as a multiple of the value's length. */
const HIDDEN_BUDGET: usize = 8;
/** Attributes that are read behind a break-out. */
const MAX_ATTRIBUTES: u32 = 24;
/** Quotes of one kind that may be the one that ends the attribute. */
const MAX_QUOTES: u32 = 4;
/** Template expressions that are looked into. */
const MAX_HOLES: u32 = 8;
/** Words that make a text prose, beside which code is shown rather than run. */
const PROSE_WORDS: u32 = 4;
/** Bytes that an inline code span may have. */
const MAX_CODE_SPAN: usize = 512;
/** Bytes of a value in which a comment is not just a part of a page. */
const SHORT_VALUE: usize = 192;
/** Bytes of a value in which `${…}` counts as an injection rather than as a program's own template. */
const MAX_TEMPLATE: usize = 256;

/** Ceilings of what does not stand in the open. */
const enum Ceiling {
  Open = 100,
  /** In an attribute, in an element of plain text, in a tag that is not closed. */
  Hidden = 74,
  /** In a comment that is closed. */
  Comment = 50,
  /** In a comment that old browsers look into, or in one that is most of a short value. */
  Conditional = 62,
  /** In a code span or fence of a text. */
  Code = 45,
}

/** A scheme or a word of a style as it is read; 8 readable bytes behind. Owner: `readScheme`, `judgeStyle`. */
const WORD: usize = memory.data(40);
const WORD_CAPACITY: usize = 32;

/** What may be reported at most where the judging stands. */
let ceiling: u32 = Ceiling.Open;
/** The value, for evidence and for what surrounds a tag. */
let first: usize = 0;
let last: usize = 0;
/** Words of prose in the value, counted when first asked for; -1 before. */
let words: i32 = -1;

/** Whether the value, before layers were peeled off it, was rich text that shows markup as text: `<p>&lt;script&gt;…`. */
let showsMarkup = false;

/**
 * Judges `start..end` and reports what would run script. A value is to be judged as it stands before its layers are: in a layer,
 * `start` is `layerStart`.
 */
export function detectXss(start: usize, end: usize, kinds: u32): void {
  const raw = layer == 0 || start != layerStart;
  if (raw) showsMarkup = false;
  if ((kinds & NEEDED) == 0) return;
  first = start;
  last = end;
  words = -1;
  ceiling = Ceiling.Open;
  if ((kinds & Kind.Angle) != 0) {
    judgeMarkup(raw ? Ceiling.Open : showsMarkup ? Ceiling.Code : Ceiling.Open);
    if (raw && (kinds & Kind.Ampersand) != 0) showsMarkup = sawRich && !sawForeign && escapesMarkup();
  }
  if ((kinds & (Kind.Paren | Kind.Backtick | Kind.Equals)) == 0) return;
  ceiling = Ceiling.Open;
  if ((kinds & Kind.Equals) != 0) judgeAttributes(kinds);
  if ((kinds & Kind.Colon) != 0) judgeAddress();
  judgeScript(kinds);
  if ((kinds & Kind.Paren) != 0 && (kinds & (Kind.Colon | Kind.Slash)) != 0) judgeBareStyle();
}

/** Reports `rule` at its own confidence and `more`, within the ceiling. */
function report(rule: u32, more: i32, from: usize, to: usize): void {
  const confidence = min(max(<i32>ruleConfidence(rule) + more, 0), 98);
  found(rule, min(<u32>confidence, ceiling), from, min(to, last));
}

// ── Markup ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where the code span or fence that is open ends: `last` for a fence, 0 for none. */
let codeUntil: usize = 0;
let fenced = false;
/** Up to where the tokenizer of the standard sees no tag, and the ceiling of tags before it. */
let hiddenUntil: usize = 0;
let hiddenCeiling: u32 = Ceiling.Hidden;

/** Whether the value has an element of rich text, and one that changes how the text inside is read. */
let sawRich = false;
let sawForeign = false;

/** Judges each tag of the value; `open` is the ceiling of those in the open. */
function judgeMarkup(open: u32): void {
  sawRich = false;
  sawForeign = false;
  let budget: usize = (last - first) * HIDDEN_BUDGET + 256;
  let at = first;
  codeUntil = 0;
  fenced = isFence(first);
  hiddenUntil = first;
  if (open == Ceiling.Open) judgeOpening();
  while ((at = findOneOf(at, last, Char.Less, Char.Backtick, Char.LineFeed, Char.LineFeed)) < last) {
    const byte = byteAt(at);
    if (byte == Char.LineFeed) {
      at++;
      if (isFence(at)) {
        fenced = !fenced;
        at = skipRun(at);
      }
    } else if (byte == Char.Backtick) {
      at = readTicks(at);
    } else {
      const hidden = at < hiddenUntil;
      const until = hiddenUntil;
      if (!hidden || budget != 0) {
        ceiling = min(open, !hidden ? Ceiling.Open : hiddenCeiling);
        if ((fenced || at < codeUntil) && isProse()) ceiling = Ceiling.Code;
        const to = judgeTag(at, hidden);
        if (hidden) {
          hiddenUntil = until;
          budget -= min(budget, to - at);
        } else hiddenUntil = to;
      }
      at++;
    }
  }
}

/** Judges the tag at `from`; returns up to where what follows is no markup. */
function judgeTag(from: usize, hidden: bool): usize {
  if (!tagBegin(from, last)) return skipDeclaration(from, hidden);
  const element = elementKind();
  if (element == Element.Rich || element == Element.Code) sawRich = true;
  else if (element == Element.Raw || element == Element.Style || element == Element.Foreign) sawForeign = true;
  if (tagCloses) ceiling = min<u32>(ceiling, Ceiling.Hidden);
  const said = readAttributes(element, from);
  const to = tagEnd;
  const complete = tagComplete;
  if (!hidden) hiddenCeiling = Ceiling.Hidden;
  if (tagCloses) return to;
  switch (element) {
    case Element.Script:
    case Element.Handler:
      return judgeScriptElement(from, to, complete, said);
    case Element.Style: {
      const close = findEndTag(to);
      judgeStyle(to, close, from);
      if ((said & Said.ScriptType) != 0 && runsCode(to, close)) report(Rule.XssScriptElement, -22, from, close);
      return close;
    }
    case Element.Raw:
    case Element.Frame:
      // An iframe's content is text only.
      return complete && element == Element.Raw ? findEndTag(to) : to;
    default:
      return to;
  }
}

/**
 * Whether the value writes "<" as a character reference and in no other way: an editor does that to text that a person typed. A
 * value that also writes it as an escape is read differently by whoever undoes those.
 */
function escapesMarkup(): bool {
  let at = first;
  let escapes = false;
  while ((at = findOneOf(at, last, Char.Ampersand, Char.Percent, Char.Backslash, Char.Backslash)) < last) {
    const byte = byteAt(at++);
    if (byte == Char.Ampersand) escapes = escapes || textStarts(at, last, "lt;") || textStarts(at, last, "#60;");
    else if (at < last && (isDigit(byteAt(at)) || byteAt(at) == Char.x || byteAt(at) == Char.u)) return false;
  }
  return escapes;
}

/** The kind of the element, without the prefix of a namespace and without the marks that old browsers took for its end. */
function elementKind(): u32 {
  let name = tagName;
  let to = tagName;
  while (
    to < tagNameEnd &&
    (isLetter(byteAt(to)) || isDigit(byteAt(to)) || byteAt(to) == Char.Colon || byteAt(to) == Char.Dash)
  ) {
    if (byteAt(to++) == Char.Colon) name = to;
  }
  const kind = keyword(ELEMENT, name, to);
  return kind == 0 && isDoubled(name, to) ? Element.Script : kind;
}

/** Whether a name becomes "script" when a filter takes that word out of it once: "scrscriptipt". */
function isDoubled(from: usize, to: usize): bool {
  if (to - from != 12) return false;
  for (let head: usize = 1; head < 6; head++) {
    if (!textIs(from + head, from + head + 6, "script")) continue;
    for (let i: usize = 0; i < 6; i++) putByte(WORD + i, byteAt(i < head ? from + i : from + 6 + i));
    if (textIs(WORD, WORD + 6, "script")) return true;
  }
  return false;
}

/** What the attributes of a tag said together. */
const enum Said {
  Source = 1 << 0,
  /** A type that is data, not script. */
  InertType = 1 << 1,
  ScriptType = 1 << 2,
  ScriptUrl = 1 << 3,
  /** A URL on another host. */
  Foreign = 1 << 4,
  Refresh = 1 << 5,
  Import = 1 << 6,
  /** An animation of a link or a handler. */
  AnimatesLink = 1 << 7,
  AnimatesHandler = 1 << 8,
  DocumentType = 1 << 9,
  Url = 1 << 10,
  Values = 1 << 11,
}

/** Reads and judges the attributes of a tag and reports what they mean for its element; returns what they said. */
function readAttributes(element: u32, from: usize): u32 {
  let said: u32 = 0;
  let sloppy = false;
  while (nextAttribute()) {
    const more = judgeAttribute(element);
    said |= more;
    if ((more & Said.Foreign) != 0 && valueQuote == 0) sloppy = true;
    if (valueOpen && isForeign(valueStart, valueEnd)) report(Rule.XssDanglingMarkup, 0, from, last);
  }
  const to = tagEnd;
  if ((said & Said.AnimatesLink) != 0) report(Rule.XssSvgAnimate, said & Said.ScriptUrl ? 0 : -45, from, to);
  if ((said & (Said.AnimatesHandler | Said.Values)) == (Said.AnimatesHandler | Said.Values))
    report(Rule.XssSvgAnimate, 0, from, to);
  switch (element) {
    case Element.Object:
      if ((said & Said.Url) != 0)
        report(Rule.XssEmbeddedObject, said & Said.DocumentType ? 10 : said & Said.InertType ? -30 : 0, from, to);
      break;
    case Element.Frame:
      // Editors quote the address of a video and close the tag.
      if ((said & Said.Foreign) != 0) report(Rule.XssEmbeddedObject, sloppy || !tagComplete ? 0 : -32, from, to);
      break;
    case Element.Link:
      if ((said & (Said.Import | Said.Url)) == (Said.Import | Said.Url)) report(Rule.XssEmbeddedObject, 10, from, to);
      break;
    case Element.Base:
      if ((said & (Said.Foreign | Said.ScriptUrl)) != 0) report(Rule.XssBaseHref, 0, from, to);
      break;
    case Element.Meta:
      if ((said & Said.Refresh) != 0)
        report(Rule.XssMetaRefresh, said & Said.ScriptUrl ? 0 : said & Said.Values ? -40 : -60, from, to);
      break;
  }
  return said;
}

/** Judges one attribute of an element. */
function judgeAttribute(element: u32): u32 {
  const kind = attributeKind();
  const from = attributeStart;
  if (!valueGiven) return 0;
  switch (kind) {
    case Attribute.Event:
      judgeHandler(from);
      return 0;
    case Attribute.None:
      judgeUnknownAttribute(from);
      return 0;
    case Attribute.Known:
      return 0;
  }
  const to = valueEnd;
  decodeValue(valueStart, valueEnd);
  if (skipBlank(decodedStart, decodedEnd) == decodedEnd) return 0;
  switch (kind) {
    case Attribute.Url:
    case Attribute.Source:
      return (
        judgeUrl(element, from, to) |
        (kind == Attribute.Source || element == Element.Script ? Said.Source : 0) |
        Said.Url
      );
    case Attribute.Animated:
      if (element != Element.Animate) return 0;
      return Said.Values | (hasScriptScheme(decodedStart, decodedEnd) ? Said.ScriptUrl : 0);
    case Attribute.Content:
      if (element == Element.Meta)
        return Said.Values | (hasScriptScheme(decodedStart, decodedEnd) ? Said.ScriptUrl : 0);
      if (
        element != Element.Base &&
        readScheme(decodedStart, decodedEnd) == Scheme.Script &&
        reachesCode(afterScheme, decodedEnd)
      ) {
        report(Rule.XssScriptUrl, -16, from, to);
      }
      return 0;
    case Attribute.AttributeName: {
      const name = skipBlank(decodedStart, decodedEnd);
      if (textStartsNoCase(name, decodedEnd, "on")) return Said.AnimatesHandler;
      return isLinkName(name, decodedEnd) ? Said.AnimatesLink : 0;
    }
    case Attribute.Srcdoc:
      report(Rule.XssSrcdoc, findByte(decodedStart, decodedEnd, Char.Less) < decodedEnd ? 0 : -50, from, to);
      return 0;
    case Attribute.Style:
      judgeStyle(decodedStart, decodedEnd, from);
      return 0;
    case Attribute.Type: {
      const type = readMime(decodedStart, decodedEnd);
      return type == Mime.Inert
        ? Said.InertType
        : type == Mime.Script
          ? Said.ScriptType
          : type == Mime.Document
            ? Said.DocumentType
            : 0;
    }
    case Attribute.HttpEquiv:
      return textStartsNoCase(skipBlank(decodedStart, decodedEnd), decodedEnd, "refresh") ? Said.Refresh : 0;
    case Attribute.Rel:
      return textStartsNoCase(skipBlank(decodedStart, decodedEnd), decodedEnd, "import") ? Said.Import : 0;
  }
  return 0;
}

/** The kind of the attribute that was just read. Old browsers took other marks for the end of a handler's name. */
function attributeKind(): u32 {
  const kind = keyword(ATTRIBUTE, attributeName, attributeNameEnd);
  if (kind != 0) return kind;
  if (!textStarts(attributeName, attributeNameEnd, "on")) {
    // xlink:href with any prefix
    const local = findByte(attributeName, attributeNameEnd, Char.Colon) + 1;
    return textIs(local, attributeNameEnd, "href") ? Attribute.Url : Attribute.None;
  }
  let to = attributeName;
  while (to < attributeNameEnd && isLetter(byteAt(to))) to++;
  return to == attributeNameEnd
    ? Attribute.None
    : keyword(ATTRIBUTE, attributeName, to) == Attribute.Event
      ? Attribute.Event
      : 0;
}

/** A handler of a tag: its value is code for certain. */
function judgeHandler(from: usize): void {
  decodeValue(valueStart, valueEnd);
  if (skipBlank(decodedStart, decodedEnd) == decodedEnd) return;
  if (isComponent()) report(Rule.XssEventHandler, -50, from, valueEnd);
  else report(Rule.XssEventHandler, runsCode(decodedStart, decodedEnd) ? 5 : -12, from, valueEnd);
}

/** Whether the attribute is one of a component, not of an element: onClick={…}. Its value is not a handler's text. */
function isComponent(): bool {
  if (valueQuote != 0 || valueStart == valueEnd || byteAt(valueStart) != Char.BraceOpen) return false;
  const capital = byteAt(attributeStart + 2);
  if (!textStarts(attributeStart, valueStart, "on") || capital - Char.A >= 26) return false;
  for (let at = attributeStart + 3; isLetter(byteAt(at)); at++)
    if (byteAt(at) - Char.A < 26) return codeRule(Js.Break, valueStart + 1, valueEnd) == 0;
  return codeRule(Js.Break, valueStart + 1, valueEnd) == 0;
}

/** An attribute that no table has: a handler of a newer standard, or a directive of a framework. */
function judgeUnknownAttribute(from: usize): void {
  const size = attributeNameEnd - attributeName;
  if (size < 3 || valueEnd - valueStart < 3) return;
  const lead = byteAt(attributeName);
  if (textStarts(attributeName, attributeNameEnd, "on") && isLetter(byteAt(attributeName + 2))) {
    decodeValue(valueStart, valueEnd);
    if (runsCode(decodedStart, decodedEnd)) report(Rule.XssEventHandler, isComponent() ? -50 : -10, from, valueEnd);
    return;
  }
  const directive =
    lead == Char.At || lead == Char.Colon || lead == Char.ParenOpen || lead == Char.BracketOpen || isDirective();
  if (!directive) return;
  decodeValue(valueStart, valueEnd);
  jsReachesConstructor = false;
  const rule = codeRule(Js.Hole, decodedStart, decodedEnd);
  if (rule != 0) report(rule, jsReachesConstructor ? 0 : -20, from, valueEnd);
}

/** ng-click, v-on:click, x-init, hx-on, data-ng-click */
function isDirective(): bool {
  return (
    textStarts(attributeName, attributeNameEnd, "ng-") ||
    textStarts(attributeName, attributeNameEnd, "v-") ||
    textStarts(attributeName, attributeNameEnd, "x-") ||
    textStarts(attributeName, attributeNameEnd, "hx-") ||
    textStarts(attributeName, attributeNameEnd, "data-")
  );
}

/** href, xlink:href and the other links that an animation may set. */
function isLinkName(from: usize, to: usize): bool {
  while (to > from && isSpace(byteAt(to - 1))) to--;
  return keyword(ATTRIBUTE, from, to) == Attribute.Url;
}

/** The URL in the decode buffer, of an attribute at `from..to`. */
function judgeUrl(element: u32, from: usize, to: usize): u32 {
  const scheme = readScheme(decodedStart, decodedEnd, true);
  const after = afterScheme;
  if (scheme == Scheme.Script) {
    if (element == Element.Base) return Said.ScriptUrl;
    if (isInert(after, decodedEnd)) return 0;
    report(Rule.XssScriptUrl, runsCode(after, decodedEnd) ? 5 : -10, from, to);
    return Said.ScriptUrl;
  }
  if (scheme == Scheme.Data) {
    const type = readMime(after, decodedEnd);
    if (type == Mime.Document) {
      const picture = textStartsNoCase(skipBlank(after, decodedEnd), decodedEnd, "image/");
      report(Rule.XssScriptUrl, element == Element.Loader && picture ? -60 : -3, from, to);
      return Said.DocumentType;
    }
    if (type != Mime.Inert && (element == Element.Frame || element == Element.Object))
      report(Rule.XssScriptUrl, -14, from, to);
    return type == Mime.Inert ? Said.InertType : 0;
  }
  if (element == Element.Frame && scheme == Scheme.Wrapper) report(Rule.XssScriptUrl, -26, from, to);
  return isForeign(decodedStart, decodedEnd) ? Said.Foreign : 0;
}

/** Whether a URL names a host: `//host` or a scheme of the network. */
function isForeign(from: usize, to: usize): bool {
  const at = skipBlank(from, to);
  if (at + 1 < to && (byteAt(at) == Char.Slash || byteAt(at) == Char.Backslash)) {
    return byteAt(at + 1) == Char.Slash || byteAt(at + 1) == Char.Backslash;
  }
  return readScheme(from, to) == Scheme.Network;
}

/** A script element whose start tag stands at `from..to`. */
function judgeScriptElement(from: usize, to: usize, complete: bool, said: u32): usize {
  if (!complete) {
    // "<script" at the end of a value: what follows in the page is its content.
    if ((said & Said.Source) != 0) report(Rule.XssScriptElement, -2, from, to);
    else if (to == last && to - from > 8) report(Rule.XssScriptElement, -35, from, to);
    return to;
  }
  if ((said & Said.Source) != 0) {
    report(Rule.XssScriptElement, said & Said.InertType ? -40 : 3, from, to);
    return findEndTag(to);
  }
  const close = findEndTag(to);
  if ((said & Said.InertType) != 0) {
    report(Rule.XssScriptElement, -60, from, close);
    return close;
  }
  if (skipBlank(to, close) == close) report(Rule.XssScriptElement, -40, from, close);
  else if (runsCode(to, close)) report(Rule.XssScriptElement, 5, from, close);
  else report(Rule.XssScriptElement, readsAsProse(to, close) ? -55 : -10, from, close);
  return close;
}

/** The address of the end tag of the element whose name was just read, from `from` on, or the value's end. */
function findEndTag(from: usize): usize {
  const size = tagNameEnd - tagName;
  while ((from = findEither(from, last, Char.Less, Char.Less)) < last) {
    if (from + 2 + size <= last && byteAt(from + 1) == Char.Slash) {
      let i: usize = 0;
      while (i < size && lowerCase(byteAt(from + 2 + i)) == byteAt(tagName + i)) i++;
      if (i == size) return from;
    }
    from++;
  }
  return last;
}

/** Passes a comment, a doctype, CDATA or a processing instruction at `from`; returns its end. */
function skipDeclaration(from: usize, hidden: bool): usize {
  const next: u32 = from + 1 < last ? byteAt(from + 1) : 0;
  if (next == Char.Bang && textStarts(from, last, "<!--")) {
    if (!hidden) hiddenCeiling = last - first <= SHORT_VALUE ? Ceiling.Conditional : Ceiling.Comment;
    let at = from + 4;
    // "<!-->" and "<!--->" are whole comments.
    if (textStarts(at, last, ">")) return at + 1;
    if (textStarts(at, last, "->")) return at + 2;
    const conditional = textStartsNoCase(at, last, "[if");
    while ((at = findByte(at, last, Char.Dash)) < last) {
      if (textStarts(at, last, "-->")) {
        if (conditional && !hidden) hiddenCeiling = Ceiling.Conditional;
        return at + 3;
      }
      if (textStarts(at, last, "--!>")) return at + 4;
      at++;
    }
    if (!hidden) hiddenCeiling = Ceiling.Hidden;
    return last;
  }
  if (
    next == Char.Bang ||
    next == Char.Question ||
    (next == Char.Slash && from + 2 < last && byteAt(from + 2) != Char.Space)
  ) {
    if (!hidden) hiddenCeiling = Ceiling.Hidden;
    const to = min(findByte(from, last, Char.Greater) + 1, last);
    if (next == Char.Question) {
      if (textStartsNoCase(from, last, "<?import")) report(Rule.XssEmbeddedObject, 0, from, to);
      else if (textStartsNoCase(from, last, "<?xml-stylesheet") && hasScriptScheme(from, to))
        report(Rule.XssScriptUrl, -8, from, to);
    }
    return to;
  }
  return from + 1;
}

/**
 * A value that begins by closing what it is put into, and then opens a tag: behind at most 64 bytes a quote, then ">", then a tag;
 * or nothing but marks, quotes of two kinds or ";" among them, before the first tag.
 */
function judgeOpening(): void {
  let at = first;
  let plain = true;
  let seen: u32 = 0;
  for (; at < last && at < first + 64 && byteAt(at) != Char.Less; at++) {
    const byte = byteAt(at);
    if (isLetter(byte) || isDigit(byte) || byte >= 0x80) {
      plain = false;
    } else if (byte == Char.Quote || byte == Char.DoubleQuote) {
      let close = at + 1;
      while (close < last && (isBlank(byteAt(close)) || byteAt(close) == Char.Slash)) close++;
      const closes = close < last && byteAt(close) == Char.Greater;
      while (close < last && (isBlank(byteAt(close)) || byteAt(close) == Char.Greater)) close++;
      if (closes && seen == 0 && close < last && byteAt(close) == Char.Less) {
        reportOpening(close, plain ? 0 : -10);
        return;
      }
      seen |= byte == Char.Quote ? 1 : 2;
    } else if (byte == Char.Semicolon && seen != 0) seen |= 4;
  }
  if (plain && seen >= 3 && at < last && byteAt(at) == Char.Less) reportOpening(at, 0);
}

function reportOpening(at: usize, more: i32): void {
  if (tagBegin(at, last) && tagNameEnd - tagName <= 24) report(Rule.XssHtmlInjection, more, first, tagEnd);
}

// ── Markdown and prose ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether a fence of code (three backticks or tildes, after at most three spaces) opens or closes the line at `at`. */
function isFence(at: usize): bool {
  const limit = at + 3;
  while (at < last && at < limit && byteAt(at) == Char.Space) at++;
  return textStarts(at, last, "```") || textStarts(at, last, "~~~");
}

/** Passes the spaces and the marks of a fence. */
function skipRun(at: usize): usize {
  while (at < last && byteAt(at) == Char.Space) at++;
  const mark: u32 = at < last ? byteAt(at) : 0;
  while (at < last && byteAt(at) == mark) at++;
  return at;
}

/** Passes a run of backticks; outside of code it opens a span if the same run closes it nearby. */
function readTicks(at: usize): usize {
  const from = at;
  while (at < last && byteAt(at) == Char.Backtick) at++;
  if (fenced || from < codeUntil) return at;
  const size = at - from;
  const limit = min(last, at + MAX_CODE_SPAN);
  let close = at;
  while ((close = findEither(close, limit, Char.Backtick, Char.Backtick)) < limit) {
    const run = close;
    while (close < last && byteAt(close) == Char.Backtick) close++;
    if (close - run == size) {
      codeUntil = run;
      return at;
    }
  }
  return at;
}

/** Whether the value has words enough to be a text about code. */
function isProse(): bool {
  if (words < 0) words = countWords(first, last);
  return <u32>words >= PROSE_WORDS;
}

/** Whether a script's content is a sentence: words side by side and nothing that a program needs. */
function readsAsProse(from: usize, to: usize): bool {
  return countWords(from, to) >= 2;
}

/** Words of two letters or more between spaces or marks of a sentence, outside tags; counts up to 16. */
function countWords(from: usize, to: usize): i32 {
  let count = 0;
  let at = from;
  let inside = false;
  while (at < to && count < 16) {
    const byte = byteAt(at);
    if (byte == Char.Less) inside = at + 1 < to && (isLetter(byteAt(at + 1)) || byteAt(at + 1) == Char.Slash);
    else if (byte == Char.Greater) inside = false;
    if (inside || !isWordByte(byte)) {
      at++;
      continue;
    }
    const opens = at == from || isSpace(byteAt(at - 1));
    const begin = at;
    while (at < to && isWordByte(byteAt(at))) at++;
    if (at < to && byteAt(at) != Char.Space && byteAt(at) != Char.LineFeed) {
      const next = at + 1 < to ? byteAt(at + 1) : Char.Space;
      if (!isSentenceMark(byteAt(at)) || !isSpace(next)) continue;
    }
    if (opens && at - begin >= 2) count++;
  }
  return count;
}

// @ts-ignore: decorator
@inline
function isWordByte(byte: u32): bool {
  return isLetter(byte) || byte >= 0x80;
}

function isSentenceMark(byte: u32): bool {
  return (
    byte == Char.Dot ||
    byte == Char.Comma ||
    byte == Char.Colon ||
    byte == Char.Question ||
    byte == Char.Bang ||
    byte == Char.Semicolon
  );
}

// ── Attributes without a tag ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Judges the attributes that would follow if the value stood in one. */
function judgeAttributes(kinds: u32): void {
  if ((kinds & Kind.Quote) != 0) {
    judgeQuoted(Char.DoubleQuote);
    judgeQuoted(Char.Quote);
  }
  if ((kinds & (Kind.Space | Kind.Control)) != 0) {
    let at = first;
    // A value that begins with a quote was that of the quoted attribute.
    while (at < last && !isBlank(byteAt(at)) && byteAt(at) != Char.Greater && byteAt(at) != Char.Less) at++;
    if (at < last && isBlank(byteAt(at))) judgeBehind(at, false);
  }
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
  if (prose > 4) best = min(best, 40);
  else if (prose > 2) best = min(best, quoted ? 62 : 45);
  found(rule, best, evidence, evidenceEnd);
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
    if (isComponent()) return 0;
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

// ── URLs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Behind the ":" that `readScheme` stopped at. */
let afterScheme: usize = 0;

/** The scheme of the URL at `from..to`, as the WHATWG parser reads it, or an older one: controls are dropped, and spaces where `loose`. */
function readScheme(from: usize, to: usize, loose: bool = false): u32 {
  for (let wrappers = 0; wrappers < 3; wrappers++) {
    from = skipBlank(from, to);
    let out = WORD;
    while (from < to && byteAt(from) != Char.Colon) {
      const byte = byteAt(from++);
      // Bytes beyond ASCII in front are the quotes and spaces of a text editor.
      if (byte >= 0x80 && out == WORD) continue;
      if (byte < <u32>Char.Space || (byte == Char.Space && loose)) continue;
      if ((!isLetter(byte) && byte != Char.Dash) || out >= WORD + WORD_CAPACITY - 1)
        return wrappers == 0 ? 0 : Scheme.Wrapper;
      out = putByte(out, byte);
    }
    if (from >= to) return wrappers == 0 ? 0 : Scheme.Wrapper;
    afterScheme = from = from + 1;
    const scheme = keyword(SCHEME, WORD, out);
    if (scheme == Scheme.Script || (scheme != Scheme.Wrapper && wrappers == 0)) return scheme;
    if (scheme != Scheme.Wrapper) return Scheme.Wrapper;
  }
  return Scheme.Wrapper;
}

/** The kind of the media type at `from..to`, by what stands behind its "/" (or by all of it), up to ";" or ",". */
function readMime(from: usize, to: usize): u32 {
  from = skipBlank(from, to);
  let at = from;
  let name = from;
  while (at < to && byteAt(at) != Char.Semicolon && byteAt(at) != Char.Comma && !isSpace(byteAt(at))) {
    if (byteAt(at) == Char.Slash) name = at + 1;
    at++;
  }
  return keyword(MIME, name, at);
}

/** Whether a script scheme stands anywhere in a list of values. */
function hasScriptScheme(from: usize, to: usize): bool {
  let at = from;
  while ((at = findByte(at, to, Char.Colon)) < to) {
    let word = at;
    while (word > from && isSchemeByte(byteAt(word - 1))) word--;
    const scheme = readScheme(word, to);
    if (scheme == Scheme.Script) return true;
    if (scheme == Scheme.Data && readMime(afterScheme, to) == Mime.Document) return true;
    at++;
  }
  return false;
}

/** A letter, or white space that a URL parser drops. */
function isSchemeByte(byte: u32): bool {
  return isLetter(byte) || byte == Char.Tab || byte == Char.LineFeed || byte == Char.CarriageReturn;
}

/**
 * A script URL where a text has its links: `[x](javascript:…)`, `[url=javascript:…]`, `<javascript:…>`. Prose puts a space behind
 * the colon, and a program needs a call of what runs script.
 */
function judgeLinks(): void {
  let at = first;
  while ((at = findByte(at, last, Char.Colon)) < last) {
    let word = at;
    while (word > first && isLetter(byteAt(word - 1)) && at - word < 12) word--;
    const code = ++at;
    if (code - word < 7 || word == first || keyword(SCHEME, word, code - 1) != Scheme.Script) continue;
    const before = byteAt(word - 1);
    if (
      before != Char.ParenOpen &&
      before != Char.Equals &&
      before != Char.Less &&
      before != Char.Greater &&
      before != Char.Quote &&
      before != Char.DoubleQuote
    ) {
      continue;
    }
    if (codeRule(Js.Break, code, last) != 0) {
      report(Rule.XssScriptUrl, -18, word, last);
      return;
    }
  }
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
    if (!textStartsNoCase(skipBlank(afterScheme, last), last, "image/")) report(Rule.XssScriptUrl, -23, first, last);
  }
}

/** Whether the code of a URL does nothing: `javascript:void(0)`, `javascript:;`. */
function isInert(from: usize, to: usize): bool {
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

/** Whether the code of a value attribute calls or assigns. */
function reachesCode(from: usize, to: usize): bool {
  return !isInert(from, to) && runsCode(from, to);
}

// ── Scripts ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether the last run met a constructor. */
let jsReachesConstructor = false;

/** The value as a part of a script, in each place that it may have there. */
function judgeScript(kinds: u32): void {
  if ((kinds & Kind.Quote) != 0) {
    judgeLiteral(Char.Quote);
    judgeLiteral(Char.DoubleQuote);
  }
  if ((kinds & Kind.Backtick) != 0) judgeLiteral(Char.Backtick);
  if ((kinds & (Kind.Paren | Kind.Backtick)) != 0) {
    if (!isListItem() && byteAt(first) != Char.Less)
      reportScript(runPattern(Js.Bare, first, last, Want.Either, 0, false), 0, first);
    judgeScriptComment();
  }
  if ((kinds & Kind.Brace) != 0) judgeHoles();
}

/** Whether the value begins as an item of a list does: "- text". */
function isListItem(): bool {
  const byte = byteAt(first);
  return (
    (byte == Char.Dash || byte == Char.Star || byte == Char.Plus) && first + 1 < last && byteAt(first + 1) == Char.Space
  );
}

/** The value inside a string literal of mark `mark`. */
function judgeLiteral(mark: u32): void {
  const at = findByte(first, last, mark);
  if (at < last) reportScript(runPattern(Js.Break, at + 1, last, Want.Operator, mark, false), 0, at);
}

/** The value inside a block comment of a script. */
function judgeScriptComment(): void {
  let at = first;
  while ((at = findByte(at, last, Char.Star)) + 1 < last) {
    if (byteAt(at + 1) == Char.Slash) {
      reportScript(runPattern(Js.Break, at + 2, last, Want.Operand, 0, true), -6, at);
      return;
    }
    // A comment that the value opens itself is its own.
    if (at > first && byteAt(at - 1) == Char.Slash) return;
    at++;
  }
}

/** Template expressions of the value. */
function judgeHoles(): void {
  let at = first;
  for (let count: u32 = 0; count < MAX_HOLES; count++) {
    at = findByte(at, last, Char.BraceOpen);
    if (at + 1 >= last) return;
    if (byteAt(at + 1) == Char.BraceOpen) {
      const from = at + 2;
      at = from;
      while (at < last && !(byteAt(at) == Char.BraceClose && at + 1 < last && byteAt(at + 1) == Char.BraceClose)) at++;
      if (at < last) reportScript(runPattern(Js.Hole, from, at, Want.Operand, 0, false), 0, from - 2);
    } else if (at > first && byteAt(at - 1) == Char.Dollar) {
      reportScript(
        runPattern(Js.Hole, at + 1, last, Want.Operand, 0, false),
        last - first <= MAX_TEMPLATE ? -5 : -40,
        at - 1,
      );
      at++;
    } else at++;
  }
}

/** Reports a match of the patterns; words of prose around it make all but the surest doubtful. */
function reportScript(rule: u32, more: i32, from: usize): void {
  if (rule == 0) return;
  if (isProse())
    more -=
      byteAt(from) == Char.Backtick
        ? 45
        : rule == Rule.XssJsMended || rule == Rule.XssJsExpression || rule == Rule.XssJsCall
          ? 30
          : 12;
  report(rule, more, from, jsNext);
}

/** The surest rule whose pattern code at `from..to` matches, 0 for none; in code that is known to be such. */
function codeRule(context: u32, from: usize, to: usize): u32 {
  return runPattern(context, from, to, Want.Operand, 0, context == Js.Break);
}

/** Whether code at `from..to` calls or assigns anything. */
function runsCode(from: usize, to: usize): bool {
  return runPattern(Js.Script, from, to, Want.Operand, 0, false) != 0;
}

/**
 * Runs the patterns over the tokens of `from..to` in a context (Js.Break, Bare, Script or Hole); the surest rule, 0 for none.
 * `statement` puts a ";" in front.
 */
function runPattern(context: u32, from: usize, to: usize, want: Want, quote: u32, statement: bool): u32 {
  let state = dfaNext(XSS_TABLE, dfaStart(XSS_TABLE), context);
  if (statement) state = dfaNext(XSS_TABLE, state, Js.Semicolon);
  let rule: u32 = 0;
  jsReachesConstructor = false;
  jsBegin(from, to, want, quote);
  while (true) {
    const kind = jsToken();
    if (kind == Js.Constructor) jsReachesConstructor = true;
    state = dfaNext(XSS_TABLE, state, kind);
    if (dfaDead(XSS_TABLE, state)) return rule;
    if (dfaAccepts(XSS_TABLE, state)) {
      const match = dfaRule(XSS_TABLE, state);
      if (rule == 0 || ruleConfidence(match) > ruleConfidence(rule)) rule = match;
    }
    if (kind == Js.End) return rule;
  }
}

// ── Styles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A style of the attribute or element at `evidence`. */
function judgeStyle(from: usize, to: usize, evidence: usize): void {
  const kind = styleKind(from, to);
  if (kind != 0) report(Rule.XssCssExpression, 0, evidence, evidence + 256);
}

/** The value as a part of a style attribute: only an expression that calls something. */
function judgeBareStyle(): void {
  if (styleKind(first, last) != Css.Expression || !isStyleStart()) return;
  report(Rule.XssCssExpression, -8, first, last);
}

/** Whether the value begins as a declaration does: name ":" */
function isStyleStart(): bool {
  let at = skipBlank(first, last);
  const from = at;
  while (at < last && (isLetter(byteAt(at)) || byteAt(at) == Char.Dash)) at++;
  return at > from && at < last && byteAt(at) == Char.Colon;
}

/** The kind of the first word of a style that runs script, `Css.None` for none. Comments, escapes and controls are undone. */
function styleKind(from: usize, to: usize): u32 {
  let out = WORD;
  let at = from;
  while (at < to) {
    let byte = byteAt(at);
    if (byte == Char.Slash && at + 1 < to && byteAt(at + 1) == Char.Star) {
      at = findByte(at + 2, to, Char.Star);
      while (at + 1 < to && byteAt(at + 1) != Char.Slash) at = findByte(at + 1, to, Char.Star);
      at = min(at + 2, to);
      continue;
    }
    at++;
    if (byte == Char.Backslash) {
      byte = styleEscape(at, to);
      at = styleNext;
    }
    if (byte < <u32>Char.Space) continue;
    if (isLetter(byte) || byte == Char.Dash) {
      // The end of a longer word is no word of the table.
      if (out < WORD + WORD_CAPACITY) out = putByte(out, byte);
      continue;
    }
    if (byte == Char.Space) {
      if (out > WORD && at < to && byteAt(at) != Char.ParenOpen && byteAt(at) != Char.Colon) out = WORD;
      continue;
    }
    if (byte == Char.ParenOpen || byte == Char.Colon) {
      const kind = out < WORD + WORD_CAPACITY ? keyword(CSS, WORD, out) : 0;
      if (byte == Char.ParenOpen ? kind == Css.Expression : kind == Css.Scheme || kind == Css.Binding) return kind;
      if (byte == Char.Colon && kind == Css.Behavior && pointsSomewhere(at, to)) return kind;
    }
    out = WORD;
  }
  return Css.None;
}

/** Whether a property's value is a url(…) or an expression. */
function pointsSomewhere(at: usize, to: usize): bool {
  at = skipBlank(at, to);
  return textStartsNoCase(at, to, "url") || textStartsNoCase(at, to, "expr");
}

/** Behind the escape that `styleEscape` read. */
let styleNext: usize = 0;

/** The character that the escape behind a backslash stands for: up to six hexadecimal digits and a space, or itself. */
function styleEscape(at: usize, to: usize): u32 {
  let value: u32 = 0;
  const from = at;
  while (at < to && at - from < 6 && isHex(byteAt(at))) {
    const byte = lowerCase(byteAt(at++));
    value = (value << 4) | (byte >= <u32>Char.a ? byte - Char.a + 10 : byte - Char._0);
  }
  styleNext = at;
  if (at == from) {
    if (at >= to) return Char.Backslash;
    styleNext = at + 1;
    return byteAt(at);
  }
  if (at < to && isSpace(byteAt(at))) styleNext = at + 1;
  return value < 0x80 ? value : 0x7f;
}

function isHex(byte: u32): bool {
  return byte - Char._0 < 10 || (byte | 0x20) - Char.a < 6;
}
