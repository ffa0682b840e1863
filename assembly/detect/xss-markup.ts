// The tags of a value, each judged by its element and its attributes.
//
// Every "<" may begin a tag. One that the standard's tokenizer would not see, because it stands in a comment, an attribute or an
// element of plain text, is judged too, at a ceiling: a second parse may see it (mutation XSS). Such tags may overlap, so together
// they get a budget of bytes; when it is used up, only tags that are seen at once are judged. In a text with words of prose, what
// stands between backticks, in a fence or in an indented block is code that a page shows and does not run.

import { byteAt, findByte, isDigit, isLetter, isSpace, lowerCase, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { findEither, findOneOf, hasPair, skipBlank } from "../core/scan";
import { textIs, textIsNoCase, textStarts, textStartsNoCase, textStartsOneOf } from "../core/text";
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
import { afterScheme, beginsHost, hasScriptScheme, isForeign, readMime, readScheme } from "../tokenize/scheme";
import { styleKind } from "../tokenize/style";
import { codeRule, isHarmless, isInert, reachesConstructor, runsCode } from "./xss-script";
import { Ceiling, countWords, first, isProse, last, lowerCeiling, report, setCeiling, short } from "./xss-value";

/** Bytes that hidden tags may be read over besides the value's own length: a short value many times, a long one once more. */
const HIDDEN_BUDGET: usize = 512;
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
/** Whether a script element was opened, or a formula. */
let sawScript = false;
let sawMath = false;

/** Judges each tag of the value; `open` is the ceiling of those that are seen at once. */
export function judgeMarkup(open: u32): void {
  sawRich = false;
  sawForeign = false;
  sawScript = false;
  sawMath = false;
  hiddenUntil = first;
  let budget: usize = last - first + HIDDEN_BUDGET;
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
  else if (element == Element.Raw || element == Element.Style || element == Element.Foreign || element == Element.Math)
    sawForeign = true;
  if (element == Element.Math) sawMath = true;
  if (tagCloses) lowerCeiling(Ceiling.Hidden);
  const said = readAttributes(element, from);
  const to = tagEnd;
  const complete = tagComplete;
  // Somebody signs the proof.
  if (!tagCloses && complete && element != Element.Script && textStartsNoCase(to, last, "xss") && isBare()) {
    const after = to + 3;
    if (after == last || byteAt(after) == Char.Less) report(Rule.XssHtmlInjection, -3, from, after);
  }
  if (!hidden) hiddenCeiling = Ceiling.Hidden;
  if (tagCloses) {
    // The end of a script that the value did not begin: what follows in the page is no script any more.
    if (element == Element.Script && !sawScript && !hidden && isBare() && findByte(first, from, Char.LineFeed) == from)
      report(Rule.XssHtmlInjection, 0, from, to);
    return to;
  }
  switch (element) {
    case Element.Active: {
      const close = findEndTag(to);
      if (codeRule(Js.Break, to, close) != 0) report(Rule.XssXmlActive, 0, from, close);
      return to;
    }
    case Element.Script:
      sawScript = true;
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

/** Whether the value is a short one without words besides its tags: a proof of concept, or a line of somebody's page. */
function isBare(): bool {
  return short && countWords(first, last) < 2;
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
  /** A URL on another host without "https:", or without quotes. */
  Careless = 1 << 12,
  Stylesheet = 1 << 13,
  /** The name of a header, or of an attribute's event. */
  Header = 1 << 14,
  XmlEvent = 1 << 15,
  /** Where a form is sent to. */
  Submits = 1 << 16,
  DataUrl = 1 << 17,
}

/** Reads and judges the attributes of a tag and reports what they mean for its element; returns what they said. */
function readAttributes(element: u32, from: usize): u32 {
  let said: u32 = 0;
  let sloppy = false;
  // Old browsers took onload!#$%=… for a handler, which is read as two attributes today, the second without a letter.
  let handler = false;
  while (nextAttribute()) {
    if (handler && valueGiven && !hasLetter(attributeName, attributeNameEnd)) judgeHandler(attributeStart);
    if (hasLetter(attributeName, attributeNameEnd))
      handler = !valueGiven && textStarts(attributeName, attributeNameEnd, "on");
    const more = judgeAttribute(element);
    said |= more;
    if ((more & Said.Foreign) != 0 && valueQuote == 0) sloppy = true;
    if (valueOpen && (element == Element.Base || isForeign(valueStart, valueEnd)))
      report(Rule.XssDanglingMarkup, isBare() ? 20 : 0, from, last);
    if (valueGiven && endsPlainText(valueStart, valueEnd)) report(Rule.XssMutation, 0, attributeStart, valueEnd);
  }
  const to = tagEnd;
  if ((said & Said.AnimatesLink) != 0)
    report(Rule.XssSvgAnimate, said & Said.ScriptUrl ? 0 : said & Said.Foreign ? -22 : -45, from, to);
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
      if ((said & Said.Foreign) != 0)
        report(Rule.XssEmbeddedObject, sloppy || ((said & Said.Careless) != 0 && isBare()) ? 0 : -32, from, to);
      break;
    case Element.Link:
      if ((said & (Said.Import | Said.Url)) == (Said.Import | Said.Url)) report(Rule.XssEmbeddedObject, 10, from, to);
      else if ((said & Said.Stylesheet) != 0 && (said & (Said.Careless | Said.DataUrl)) != 0)
        report(Rule.XssEmbeddedObject, (said & Said.DataUrl ? isBare() : isAlone()) ? 0 : -20, from, to);
      break;
    case Element.Form:
      if ((said & Said.Foreign) != 0)
        report(Rule.XssHtmlInjection, (said & Said.Careless) != 0 && isAlone() ? -2 : -24, from, to);
      break;
    case Element.Island:
      if ((said & Said.Source) != 0) report(Rule.XssXmlActive, -6, from, to);
      break;
    case Element.Active:
      if ((said & Said.XmlEvent) != 0) report(Rule.XssXmlActive, 0, from, to);
      break;
    case Element.Base:
      if ((said & (Said.Foreign | Said.ScriptUrl)) != 0) report(Rule.XssBaseHref, 0, from, to);
      break;
    case Element.Meta:
      if ((said & Said.Refresh) != 0)
        report(
          Rule.XssMetaRefresh,
          said & Said.ScriptUrl ? 0 : said & Said.Foreign && isAlone() ? -23 : said & Said.Values ? -40 : -60,
          from,
          to,
        );
      else if ((said & Said.Header) != 0) report(Rule.XssMetaRefresh, -20, from, to);
      break;
    default:
      if ((said & (Said.Submits | Said.Foreign)) == (Said.Submits | Said.Foreign))
        report(Rule.XssHtmlInjection, isAlone() ? -2 : -24, from, to);
      else if ((said & Said.Careless) != 0 && (sawMath || textIs(tagName, tagNameEnd, "use")))
        report(Rule.XssHtmlInjection, isBare() ? -2 : -24, from, to);
  }
  return said;
}

/** Whether a bare value has no rich text either: what rich text has beside it is a page's. */
function isAlone(): bool {
  return !sawRich && isBare();
}

function hasLetter(from: usize, to: usize): bool {
  while (from < to && !isLetter(byteAt(from)) && !isDigit(byteAt(from))) from++;
  return from < to;
}

/** Whether an attribute's value has the end tag of an element of plain text: read once more, it ends the one around it. */
function endsPlainText(from: usize, to: usize): bool {
  while ((from = findByte(from, to, Char.Less)) < to) {
    const name = from + 2;
    let end = name;
    while (end < to && isLetter(byteAt(end))) end++;
    if (end > name && byteAt(from + 1) == Char.Slash) {
      const kind = keyword(ELEMENT, name, end);
      if (kind == Element.Raw || kind == Element.Style) return true;
    }
    from++;
  }
  return false;
}

/** Judges one attribute of an element. */
function judgeAttribute(element: u32): u32 {
  const kind = attributeKind();
  const from = attributeStart;
  if (!valueGiven) {
    // Vue: a slot's name is an expression, #[…].
    const name = from + 2;
    if (byteAt(from) == Char.Hash && name < last && byteAt(from + 1) == Char.BracketOpen) {
      const rule = codeRule(Js.Hole, name, findByte(name, min(last, name + 256), Char.BracketClose));
      if (rule != 0) report(rule, reachesConstructor ? 0 : -30, from, last);
    }
    return 0;
  }
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
      if (isEllipsis(decodedStart, decodedEnd)) return 0;
      return (
        judgeUrl(element, from, to) |
        (textIs(attributeName, attributeNameEnd, "formaction") ? Said.Submits : 0) |
        (kind == Attribute.Source || element == Element.Script ? Said.Source : 0) |
        Said.Url
      );
    case Attribute.Animated:
      if (element != Element.Animate) return 0;
      return (
        Said.Values |
        (hasScriptScheme(decodedStart, decodedEnd) ? Said.ScriptUrl : 0) |
        (isForeign(decodedStart, decodedEnd) ? Said.Foreign : 0)
      );
    case Attribute.Content:
      if (element == Element.Meta) {
        if (namesUtf7(decodedStart, decodedEnd)) report(Rule.XssEncodedMarkup, 0, from, to);
        return (
          Said.Values |
          (hasScriptScheme(decodedStart, decodedEnd) ? Said.ScriptUrl : 0) |
          (hasPair(decodedStart, decodedEnd, Char.Slash, Char.Slash) ? Said.Foreign : 0)
        );
      }
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
        case Mime.Document:
          return 0;
        case Mime.Script:
          return Said.ScriptType;
        case Mime.Scriptlet:
          return Said.Scriptlet;
      }
      // A type that no browser knows makes the content data (https://html.spec.whatwg.org/#attr-script-type).
      return element == Element.Script && textStartsNoCase(decodedStart, decodedEnd, "text/x-") ? Said.InertType : 0;
    }
    case Attribute.Is:
      if (textIsNoCase(decodedStart, decodedEnd, "script")) report(Rule.XssScriptElement, -12, from, to);
      return 0;
    case Attribute.HttpEquiv: {
      const name = skipBlank(decodedStart, decodedEnd);
      if (textStartsNoCase(name, decodedEnd, "refresh")) return Said.Refresh;
      return textIsNoCase(name, decodedEnd, "link") || textIsNoCase(name, decodedEnd, "set-cookie") ? Said.Header : 0;
    }
    case Attribute.Rel: {
      const name = skipBlank(decodedStart, decodedEnd);
      if (textStartsNoCase(name, decodedEnd, "import")) return Said.Import;
      return textIsNoCase(name, decodedEnd, "stylesheet") ? Said.Stylesheet : 0;
    }
    case Attribute.Charset:
      if (namesUtf7(decodedStart, decodedEnd)) report(Rule.XssEncodedMarkup, 0, from, to);
      return 0;
    case Attribute.Binding:
      if (textIsNoCase(decodedStart, decodedEnd, "html") || byteAt(decodedStart) == Char.Hash)
        report(Rule.XssXmlActive, -6, from, to);
      return 0;
    case Attribute.XmlEvent:
      if (textStarts(attributeName, attributeNameEnd, "ev:")) report(Rule.XssXmlActive, -6, from, to);
      return judgeUrl(element, from, to) | Said.XmlEvent;
  }
  return 0;
}

/** Whether an address is left out: "...". */
function isEllipsis(from: usize, to: usize): bool {
  while (from < to && byteAt(from) == Char.Dot) from++;
  return from == to;
}

/** Whether a text names the encoding UTF-7, in which "+ADw-" is "<". */
function namesUtf7(from: usize, to: usize): bool {
  for (; from < to; from++) {
    if ((byteAt(from) | 0x20) != Char.u) continue;
    if (textStartsNoCase(from, to, "utf-7") || textStartsNoCase(from, to, "utf7")) return true;
  }
  return false;
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
  // "onload-hint" is a component's.
  return to == attributeNameEnd || byteAt(to) == Char.Dash
    ? Attribute.None
    : keyword(ATTRIBUTE, attributeName, to) == Attribute.Event
      ? Attribute.Event
      : 0;
}

/** A handler of a tag: its value is code for certain. */
function judgeHandler(from: usize): void {
  if (isEscapedQuote()) return;
  decodeValue(valueStart, valueEnd);
  if (skipBlank(decodedStart, decodedEnd) == decodedEnd) return;
  // Who finds out what a filter takes writes a number: <x onclick=1>.
  if (!isDigit(byteAt(decodedStart)) && isHarmless(decodedStart, decodedEnd)) return;
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

/** Whether the attribute is one of a component, as onClick={…} or onclick={…}. Its value is not a handler's text. */
export function isComponent(): bool {
  if (valueQuote != 0 || valueStart == valueEnd || byteAt(valueStart) != Char.BraceOpen) return false;
  return textStarts(attributeStart, valueStart, "on") && codeRule(Js.Break, valueStart + 1, valueEnd) == 0;
}

/** Whether an attribute's value begins with a quote that is escaped, which no script does: what is escaped so is another layer. */
export function isEscapedQuote(): bool {
  if (valueQuote != 0 || valueEnd - valueStart < 2 || byteAt(valueStart) != Char.Backslash) return false;
  return byteAt(valueStart + 1) == Char.DoubleQuote || byteAt(valueStart + 1) == Char.Quote;
}

/** An attribute that no table has: a handler of a newer standard, or a directive of a framework. */
function judgeUnknownAttribute(from: usize): void {
  const size = attributeNameEnd - attributeName;
  const lead = byteAt(attributeName);
  if (textStarts(attributeName, attributeNameEnd, "on") && size > 3 && isLetter(byteAt(attributeName + 2))) {
    decodeValue(valueStart, valueEnd);
    if (runsCode(decodedStart, decodedEnd)) report(Rule.XssEventHandler, isComponent() ? -50 : -10, from, valueEnd);
    else if (isPlaceholder()) report(Rule.XssEventHandler, -28, from, valueEnd);
    return;
  }
  if ((size < 3 && lead != Char.Colon) || valueEnd - valueStart < 3) return;
  const directive =
    lead == Char.At || lead == Char.Colon || lead == Char.ParenOpen || lead == Char.BracketOpen || isDirective();
  if (!directive) return;
  decodeValue(valueStart, valueEnd);
  // A filter takes an expression as text: ng-focus="x|orderBy:'(a=alert)(1)'".
  const filter = findByte(decodedStart, decodedEnd, Char.Pipe);
  const text = findEither(filter, decodedEnd, Char.Quote, Char.DoubleQuote) + 1;
  if (text < decodedEnd && codeRule(Js.Hole, text, decodedEnd) != 0) {
    report(Rule.XssTemplateExpression, -10, from, valueEnd);
    return;
  }
  const rule = codeRule(Js.Hole, decodedStart, decodedEnd);
  if (rule != 0) report(rule, reachesConstructor ? 0 : isBare() ? -22 : -30, from, valueEnd);
}

/** Whether the attribute is a handler in name only, as somebody writes it who finds out what a filter takes: <x onxxx=1. */
function isPlaceholder(): bool {
  if (valueQuote != 0 || !isBare() || !isDigit(byteAt(valueStart)) || valueEnd - valueStart > 2) return false;
  const third = byteAt(attributeName + 2);
  return third == Char.x || third == byteAt(attributeName + 3);
}

/** ng-click, v-on:click, x-init, hx-on, data-ng-click */
function isDirective(): bool {
  return textStartsOneOf(attributeName, attributeNameEnd, "ng- v- x- hx- data- ");
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
    if (element == Element.Link) return Said.DataUrl;
    if (type == Mime.Document) {
      const picture = textStartsNoCase(skipBlank(after, decodedEnd), decodedEnd, "image/");
      report(Rule.XssScriptUrl, element == Element.Loader && picture ? -60 : -3, from, to);
      return Said.Url;
    }
    if (type != Mime.Inert && (element == Element.Frame || element == Element.Object))
      report(Rule.XssScriptUrl, -14, from, to);
    // A script runs whatever it is called.
    return type == Mime.Inert && element != Element.Script ? Said.InertType : 0;
  }
  if (element == Element.Frame && scheme == Scheme.Wrapper) report(Rule.XssScriptUrl, -26, from, to);
  // A call where an address should stand.
  if (scheme == 0 && isBare() && codeRule(Js.Break, decodedStart, decodedEnd) != 0)
    report(Rule.XssScriptUrl, -26, from, to);
  const inert = element == Element.Object && isPicture() ? Said.InertType : 0;
  if (scheme != Scheme.Network && !beginsHost(decodedStart, decodedEnd)) return inert;
  const careful = textStartsNoCase(decodedStart, decodedEnd, "https:") && valueQuote != 0;
  return Said.Foreign | inert | (careful || (element == Element.Frame && isPlayer()) ? 0 : Said.Careless);
}

/** Whether the URL in the decode buffer is one that pages show in a frame: a video, a map, a form. */
function isPlayer(): bool {
  for (let at = decodedStart; at < decodedEnd; at++) {
    if (byteAt(at) != Char.Slash) continue;
    if (textStartsNoCase(at + 1, decodedEnd, "embed") || textStartsNoCase(at + 1, decodedEnd, "player")) return true;
    if (textStartsNoCase(at + 1, decodedEnd, "maps") || textStartsNoCase(at + 1, decodedEnd, "video")) return true;
    if (textStartsNoCase(at + 1, decodedEnd, "plugins") || textStartsNoCase(at + 1, decodedEnd, "widget")) return true;
  }
  return false;
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
  if (skipBlank(to, close) == close)
    report(
      Rule.XssScriptElement,
      short && !isGeneric(from) && countWords(first, last) < (close < last ? 2 : 1) ? -28 : -40,
      from,
      close,
    );
  // A value that is nothing else was not written to be read, whatever its strings say.
  else if (runs)
    report(
      Rule.XssScriptElement,
      short && from == first && close < last && last - close < 12 ? 5 : sureness(to, close),
      from,
      close,
    );
  else if (countWords(to, close) > 1) {
    report(Rule.XssScriptElement, short && from == first && close < last && last - close < 12 ? -20 : -55, from, close);
  } else {
    const assigns = from == first && findOneOf(to, close, Char.Equals, Char.Plus, Char.Semicolon, Char.Equals) < close;
    report(Rule.XssScriptElement, close < last ? -10 : assigns ? -22 : -40, from, close);
  }
  return close;
}

/** Whether the "<" at `from` rather opens the parameter of a type: Loader<Script>. */
function isGeneric(from: usize): bool {
  return from > first && isLetter(byteAt(from - 1));
}

/** The address of the end tag of the element whose name was just read, from `from` on, or the value's end. */
function findEndTag(from: usize): usize {
  const size = tagNameEnd - tagName;
  while ((from = findByte(from, last, Char.Less)) < last) {
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
    // CDATA that holds nothing but the "<" of a tag, or that goes on with a word of the one before.
    if (textStarts(from, last, "<![CDATA[<]]>") || (textStarts(from, last, "<![CDATA[") && continuesData(from)))
      report(Rule.XssXmlActive, 0, from, from + 64);
    const to = min(findByte(from, last, Char.Greater) + 1, last);
    if (textStartsNoCase(from, last, "<!attlist") && givesHandler(from, to)) report(Rule.XssXmlActive, 0, from, to);
    if (next == Char.Question) {
      if (textStartsNoCase(from, last, "<?import")) report(Rule.XssEmbeddedObject, 0, from, to);
      else if (textStartsNoCase(from, last, "<?xml-stylesheet") && hasScriptScheme(from, to))
        report(Rule.XssScriptUrl, -8, from, to);
      else if (textStartsNoCase(from, last, "<?xml-stylesheet") && isOwnSheet(from, to))
        report(Rule.XssXmlActive, -6, from, to);
    }
    return to;
  }
  return from + 1;
}

/** Whether a CDATA section goes on where one ended, other than to write "]]>" in two: `<![CDATA[javas]]><![CDATA[cript:…`. */
function continuesData(from: usize): bool {
  return from >= first + 5 && textStarts(from - 3, from, "]]>") && byteAt(from - 4) != Char.BracketClose;
}

/** Whether a list of default attributes has a handler: onerror CDATA "…". */
function givesHandler(from: usize, to: usize): bool {
  for (; from + 8 < to; from++) {
    if (byteAt(from) > <u32>Char.Space || !textStartsNoCase(from + 1, to, "on")) continue;
    let at = from + 3;
    while (at < to && isLetter(byteAt(at))) at++;
    const cdata = textStartsNoCase(skipBlank(at, to), to, "cdata");
    if (cdata && keyword(ATTRIBUTE, from + 1, at) == Attribute.Event) return true;
    from = at - 1;
  }
  return false;
}

/** Whether a style sheet is the document itself or stands in its own address. */
function isOwnSheet(from: usize, to: usize): bool {
  for (; from < to; from++) {
    if (!textStartsNoCase(from, to, "href=")) continue;
    const at = from + 6;
    return at < to && (byteAt(at) == Char.Hash || textStartsNoCase(at, to, "data:"));
  }
  return false;
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
      while (close < last && (isSpace(byteAt(close)) || byteAt(close) == Char.Slash)) close++;
      const closes = close < last && byteAt(close) == Char.Greater;
      while (close < last && (isSpace(byteAt(close)) || byteAt(close) == Char.Greater)) close++;
      if (
        closes &&
        (seen == 0 || plain || byteAt(at - 1) == Char.Quote) &&
        close < last &&
        byteAt(close) == Char.Less
      ) {
        reportOpening(close, plain ? 0 : -10);
        return;
      }
      seen |= byte == Char.Quote ? 1 : 2;
    } else if (byte == Char.Semicolon && seen != 0) seen |= 4;
    else if (byte == Char.Greater && plain && at >= first + 2 && textStarts(at - 2, last, "--><")) {
      // Out of a comment.
      reportOpening(at + 1, 0);
      return;
    }
  }
  // Out of an element of plain text.
  if (plain && at < last && byteAt(at) == Char.Less && tagBegin(at, last) && tagCloses) {
    const element = elementKind();
    if (element == Element.Raw || element == Element.Style) report(Rule.XssHtmlInjection, 0, at, tagEnd);
  }
  if (plain && seen >= 3 && at < last && byteAt(at) == Char.Less) reportOpening(at, 0);
}

function reportOpening(at: usize, more: i32): void {
  if (tagBegin(at, last) && tagNameEnd - tagName <= 24) report(Rule.XssHtmlInjection, more, first, tagEnd);
}

/** A style of the attribute or element at `evidence`. */
function judgeStyle(from: usize, to: usize, evidence: usize, sheet: bool): void {
  if (styleKind(from, to, sheet) != 0) report(Rule.XssCssExpression, 0, evidence, evidence + MAX_EVIDENCE);
  else if (sheet && isAlone() && importsForeign(from, to)) report(Rule.XssCssExpression, -13, evidence, to);
}

/** Whether a style sheet begins by importing one of another host, without "https:". */
function importsForeign(from: usize, to: usize): bool {
  let at = skipBlank(from, to);
  if (at < to && byteAt(at) == Char.Semicolon) at++;
  if (!textStartsNoCase(at, to, "@import")) return false;
  at = skipBlank(at + 7, to);
  if (textStartsNoCase(at, to, "url(")) at = skipBlank(at + 4, to);
  while (at < to && (byteAt(at) == Char.Quote || byteAt(at) == Char.DoubleQuote || byteAt(at) == Char.Semicolon)) at++;
  return isForeign(at, to) && !textStartsNoCase(at, to, "https");
}
