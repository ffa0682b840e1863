// The tags of a value, each judged by its element and its attributes.
//
// Every "<" may begin a tag. One that the standard's tokenizer would not see, because it stands in a comment, an attribute or an
// element of plain text, is judged too, at a ceiling: a second parse may see it (mutation XSS). Such tags may overlap, so together
// they get a budget of bytes; when it is used up, only tags that are seen at once are judged. In a text with words of prose, what
// stands between backticks, in a fence or in an indented block is code that a page shows and does not run.

import { byteAt, findByte, isDigit, isLetter, isSpace, lowerCase, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { findEither, findOneOf, skipBlank } from "../core/scan";
import { textIs, textIsNoCase, textStarts, textStartsNoCase } from "../core/text";
import { Rule } from "../generated/rules";
import { ATTRIBUTE, Attribute, ELEMENT, Element, Js, MIME, Mime, Scheme } from "../generated/xss";
import { keyword } from "../match/keywords";
import {
  attributeName,
  attributeNameEnd,
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
import { markdownBegin, markdownLine, markdownShows, markdownTicks } from "../tokenize/markdown";
import { afterScheme, hasScriptScheme, isForeign, readMime, readScheme } from "../tokenize/scheme";
import { styleKind } from "../tokenize/style";
import { codeRule, isInert, reachesConstructor, runsCode } from "./xss-script";
import { Ceiling, countWords, first, isProse, last, lowerCeiling, report, setCeiling, short } from "./xss-value";

/** Bytes that hidden tags may be read over, as a multiple of the value's length. */
const HIDDEN_BUDGET: usize = 8;
/** Bytes of a style that are given as evidence. */
const MAX_EVIDENCE: usize = 256;
/** A doubled name with its inner word taken out. Owner: `isDoubled`. */
const WORD: usize = memory.data(16);

/** Up to where the tokenizer of the standard sees no tag, and the ceiling of tags before it. */
let hiddenUntil: usize = 0;
let hiddenCeiling: u32 = Ceiling.Hidden;

/** Whether the value has an element of rich text, and one that changes how the text inside is read. */
let sawRich = false;
let sawForeign = false;

/** Judges each tag of the value; `open` is the ceiling of those that are seen at once. */
export function judgeMarkup(open: u32): void {
  sawRich = false;
  sawForeign = false;
  hiddenUntil = first;
  let budget: usize = (last - first) * HIDDEN_BUDGET + 256;
  if (open == Ceiling.Open) judgeOpening();
  let at = markdownBegin(first, last);
  while ((at = findOneOf(at, last, Char.Less, Char.Backtick, Char.LineFeed, Char.LineFeed)) < last) {
    const byte = byteAt(at);
    if (byte == Char.LineFeed) {
      at = markdownLine(at + 1);
      continue;
    }
    if (byte == Char.Backtick) {
      at = markdownTicks(at);
      continue;
    }
    const hidden = at < hiddenUntil;
    if (!hidden || budget != 0) {
      const until = hiddenUntil;
      setCeiling(min(open, hidden ? hiddenCeiling : Ceiling.Open));
      if (markdownShows(at) && isProse()) lowerCeiling(Ceiling.Code);
      const to = judgeTag(at, hidden);
      if (hidden) budget -= min(budget, to - at);
      hiddenUntil = hidden ? until : to;
    }
    at++;
  }
}

/** Whether the value that was just judged is rich text that shows markup as text: `<p>&lt;script&gt;…`. */
export function showsMarkup(): bool {
  return sawRich && !sawForeign && escapesMarkup();
}

/** Judges the tag at `from`; returns up to where what follows is no markup. */
function judgeTag(from: usize, hidden: bool): usize {
  if (!tagBegin(from, last)) return skipDeclaration(from, hidden);
  const element = elementKind();
  if (element == Element.Rich || element == Element.Code) sawRich = true;
  else if (element == Element.Raw || element == Element.Style || element == Element.Foreign) sawForeign = true;
  if (tagCloses) lowerCeiling(Ceiling.Hidden);
  const said = readAttributes(element, from);
  const to = tagEnd;
  const complete = tagComplete;
  if (!hidden) hiddenCeiling = Ceiling.Hidden;
  if (tagCloses) return to;
  switch (element) {
    case Element.Script:
      return judgeScriptElement(from, to, complete, said);
    case Element.Style: {
      const close = findEndTag(to);
      judgeStyle(to, close, from, true);
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
  Scriptlet = 1 << 9,
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
      if ((said & Said.Url) != 0) {
        const more = said & Said.Scriptlet ? 10 : said & Said.InertType ? -30 : 0;
        report(Rule.XssEmbeddedObject, more, from, to);
      }
      break;
    case Element.Frame:
      // Editors quote the address of a video.
      if ((said & Said.Foreign) != 0) report(Rule.XssEmbeddedObject, sloppy ? 0 : -32, from, to);
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
        !isInert(afterScheme, decodedEnd)
      ) {
        report(Rule.XssScriptUrl, -16, from, to);
      }
      return 0;
    case Attribute.AttributeName: {
      const name = skipBlank(decodedStart, decodedEnd);
      if (textStartsNoCase(name, decodedEnd, "on") || textStartsNoCase(name, decodedEnd, "innerhtml")) {
        return Said.AnimatesHandler;
      }
      return isLinkName(name, decodedEnd) ? Said.AnimatesLink : 0;
    }
    case Attribute.Srcdoc:
      report(Rule.XssSrcdoc, findByte(decodedStart, decodedEnd, Char.Less) < decodedEnd ? 0 : -50, from, to);
      return 0;
    case Attribute.Style:
      judgeStyle(decodedStart, decodedEnd, from, false);
      return 0;
    case Attribute.Type: {
      if (textStartsNoCase(skipBlank(decodedStart, decodedEnd), decodedEnd, "image/")) return Said.InertType;
      switch (readMime(decodedStart, decodedEnd)) {
        case Mime.Inert:
          return Said.InertType;
        case Mime.Script:
          return Said.ScriptType;
        case Mime.Scriptlet:
          return Said.Scriptlet;
      }
      return 0;
    }
    case Attribute.Is:
      if (textIsNoCase(decodedStart, decodedEnd, "script")) report(Rule.XssScriptElement, -12, from, to);
      return 0;
    case Attribute.HttpEquiv:
      return textStartsNoCase(skipBlank(decodedStart, decodedEnd), decodedEnd, "refresh") ? Said.Refresh : 0;
    case Attribute.Rel:
      return textStartsNoCase(skipBlank(decodedStart, decodedEnd), decodedEnd, "import") ? Said.Import : 0;
  }
  return 0;
}

/** The kind of the attribute that was just read. Old browsers took other marks for the end of a handler's name. */
export function attributeKind(): u32 {
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
  else report(Rule.XssEventHandler, sureness(decodedStart, decodedEnd), from, valueEnd);
}

/**
 * What code adds to the confidence in what runs it: something if it reads as a program, less than nothing if it does not, and much
 * less if it calls nothing that the tables know, in a text with words of prose: questions about programs quote such code.
 */
function sureness(from: usize, to: usize): i32 {
  const runs = runsCode(from, to);
  return (runs ? 5 : -12) - (isProse() && codeRule(Js.Break, from, to) == 0 ? 40 : 0);
}

/** Whether the attribute is one of a component, not of an element: onClick={…}. Its value is not a handler's text. */
export function isComponent(): bool {
  if (valueQuote != 0 || valueStart == valueEnd || byteAt(valueStart) != Char.BraceOpen) return false;
  const capital = byteAt(attributeStart + 2) - Char.A < 26 && byteAt(attributeStart + 3) - Char.a < 26;
  return capital && textStarts(attributeStart, valueStart, "on") && codeRule(Js.Break, valueStart + 1, valueEnd) == 0;
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
  // A filter takes an expression as text: ng-focus="x|orderBy:'(a=alert)(1)'".
  const filter = findEither(decodedStart, decodedEnd, Char.Pipe, Char.Pipe);
  const text = findEither(filter, decodedEnd, Char.Quote, Char.DoubleQuote) + 1;
  if (text < decodedEnd && codeRule(Js.Hole, text, decodedEnd) != 0) {
    report(Rule.XssTemplateExpression, -10, from, valueEnd);
    return;
  }
  const rule = codeRule(Js.Hole, decodedStart, decodedEnd);
  if (rule != 0) report(rule, reachesConstructor ? 0 : -30, from, valueEnd);
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
    report(Rule.XssScriptUrl, sureness(after, decodedEnd), from, to);
    return Said.ScriptUrl;
  }
  if (scheme == Scheme.Data) {
    const type = readMime(after, decodedEnd);
    if (type == Mime.Document) {
      const picture = textStartsNoCase(skipBlank(after, decodedEnd), decodedEnd, "image/");
      report(Rule.XssScriptUrl, element == Element.Loader && picture ? -60 : -3, from, to);
      return Said.Url;
    }
    if (type != Mime.Inert && (element == Element.Frame || element == Element.Object))
      report(Rule.XssScriptUrl, -14, from, to);
    return type == Mime.Inert ? Said.InertType : 0;
  }
  if (element == Element.Frame && scheme == Scheme.Wrapper) report(Rule.XssScriptUrl, -26, from, to);
  const inert = element == Element.Object && isPicture() ? Said.InertType : 0;
  return isForeign(decodedStart, decodedEnd) ? Said.Foreign | inert : inert;
}

/** Whether the path of the URL in the decode buffer ends as that of a picture or a document for a viewer. */
function isPicture(): bool {
  let to = decodedStart;
  let dot = decodedStart;
  for (; to < decodedEnd && byteAt(to) != Char.Question && byteAt(to) != Char.Hash; to++) {
    if (byteAt(to) == Char.Dot) dot = to + 1;
  }
  return keyword(MIME, dot, to) == Mime.Inert;
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
  // Without an end tag the rest of the value is its content, were it only a search for "<script> tag".
  const calls = close < last || findEither(to, close, Char.ParenOpen, Char.Backtick) < close;
  const runs = calls ? runsCode(to, close) : codeRule(Js.Break, to, close) != 0;
  if (skipBlank(to, close) == close) report(Rule.XssScriptElement, -40, from, close);
  else if (runs) report(Rule.XssScriptElement, sureness(to, close), from, close);
  else report(Rule.XssScriptElement, countWords(to, close) > 1 ? -55 : close < last ? -10 : -40, from, close);
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
    if (!hidden) hiddenCeiling = short ? Ceiling.Conditional : Ceiling.Comment;
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

/** A style of the attribute or element at `evidence`. */
function judgeStyle(from: usize, to: usize, evidence: usize, sheet: bool): void {
  if (styleKind(from, to, sheet) != 0) report(Rule.XssCssExpression, 0, evidence, evidence + MAX_EVIDENCE);
}
