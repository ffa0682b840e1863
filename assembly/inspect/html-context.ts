// Where in a page of HTML a place lies: walks the page forward, from place to place, after the tokenizer of WHATWG HTML (13.2.5), and
// skips what means nothing 16 bytes at a time.
//
//   Text ─"<" letter─► Tag ─blank─► Inside ─name─► Attribute ─"="─► Value ─quote─► Quoted … ─">"─► Text, or Raw behind <script>, <title> …
//        ─"<!--"─► Comment          ─"<!" "<?" "</" other─► Bogus
//
// One step a byte, no memory but the fields below.

import { byteAt, findByte, isLetter, isSpace } from "../core/bytes";
import { Char } from "../core/char";
import { isOneOf, textEndsNoCase, textIsNoCase, textStartsNoCase } from "../core/text";

export const enum Html {
  Text,
  /** In a tag's name. */
  Tag,
  /** In a tag, where an attribute may begin, or in the name of one. */
  Inside,
  /** Behind an attribute's "=". */
  Before,
  /** In a value in quotes of `htmlQuote`; with a `htmlQuote` of 0 in one without. */
  Value,
  Comment,
  /** Up to the next ">". */
  Bogus,
  /** In the text of an element that has none but its own end tag: `htmlTag` names it. */
  Raw,
}

export let htmlState: Html = Html.Text;
/** The name of the tag, or of the element that is raw. */
export let htmlTag: usize = 0;
export let htmlTagEnd: usize = 0;
/** The name of the attribute. */
export let htmlAttribute: usize = 0;
export let htmlAttributeEnd: usize = 0;
export let htmlQuote: u32 = 0;
/** Where the value, the comment or the raw text begins. */
export let htmlStart: usize = 0;
/** A script's `type` says that it is none. */
export let htmlData: bool = false;

let at: usize = 0;
let end: usize = 0;
let closing: bool = false;

export function openHtml(start: usize, pageEnd: usize): void {
  at = start;
  end = pageEnd;
  htmlState = Html.Text;
  htmlData = false;
  htmlStart = start;
}

/** Walks up to `to`, which is not before the place of the last call. */
export function walkHtml(to: usize): void {
  while (at < to) {
    switch (htmlState) {
      case Html.Text:
        at = findByte(at, to, Char.Less);
        if (at < to) openTag();
        break;
      case Html.Tag:
        while (at < to && isName(byteAt(at))) at++;
        if (at == to) break;
        htmlTagEnd = at;
        htmlState = Html.Inside;
        break;
      case Html.Inside:
        inside(to);
        break;
      case Html.Before:
        while (at < to && isSpace(byteAt(at))) at++;
        if (at == to) break;
        htmlQuote = byteAt(at);
        if (htmlQuote == Char.DoubleQuote || htmlQuote == Char.Quote) at++;
        else htmlQuote = 0;
        htmlStart = at;
        htmlState = Html.Value;
        break;
      case Html.Value:
        value(to);
        break;
      case Html.Comment:
        at = findByte(at, to, Char.Greater);
        if (at == to) break;
        if (endsComment(htmlStart, at)) htmlState = Html.Text;
        at++;
        break;
      case Html.Bogus:
        at = findByte(at, to, Char.Greater);
        if (at == to) break;
        at++;
        htmlState = Html.Text;
        break;
      case Html.Raw:
        at = findByte(at, to, Char.Less);
        if (at == to) break;
        if (!endsRaw(at)) {
          at++;
          break;
        }
        closing = true;
        htmlTag = at + 2;
        at += 2;
        htmlState = Html.Tag;
        break;
    }
  }
}

/** Whether the comment that begins at `start` ends with the ">" at `greater`. */
export function endsComment(start: usize, greater: usize): bool {
  const size = greater - start;
  if (size == 0) return true;
  if (byteAt(greater - 1) == Char.Dash && (size == 1 || byteAt(greater - 2) == Char.Dash)) return true;
  return (
    size >= 3 &&
    byteAt(greater - 1) == Char.Bang &&
    byteAt(greater - 2) == Char.Dash &&
    byteAt(greater - 3) == Char.Dash
  );
}

/** Whether the "<" at `less` begins the end tag of the element that is raw. */
function endsRaw(less: usize): bool {
  const size = htmlTagEnd - htmlTag;
  const name = less + 2;
  if (byteAt(less + 1) != Char.Slash || end - less < size + 3) return false;
  for (let i: usize = 0; i < size; i++) if ((byteAt(name + i) | 0x20) != (byteAt(htmlTag + i) | 0x20)) return false;
  return !isName(byteAt(name + size));
}

/** At a "<" in text. */
function openTag(): void {
  const next: u32 = at + 1 < end ? byteAt(at + 1) : 0;
  closing = next == Char.Slash;
  const name = closing ? at + 2 : at + 1;
  htmlData = false;
  if (name < end && isLetter(byteAt(name))) {
    htmlTag = htmlTagEnd = name;
    at = name;
    htmlState = Html.Tag;
  } else if (textStartsNoCase(at, end, "<!--")) {
    at += 4;
    htmlStart = at;
    htmlState = Html.Comment;
  } else if (next == Char.Bang || next == Char.Question || closing) {
    at += 2;
    htmlState = Html.Bogus;
  } else {
    at++;
  }
}

function inside(to: usize): void {
  while (at < to) {
    const byte = byteAt(at);
    if (byte == Char.Greater) return closeTag();
    if (isSpace(byte) || byte == Char.Slash) {
      at++;
      continue;
    }
    if (byte == Char.Equals && htmlAttributeEnd >= htmlTagEnd && htmlAttributeEnd > htmlAttribute) {
      at++;
      htmlState = Html.Before;
      return;
    }
    htmlAttribute = at;
    while (at < to && isName(byteAt(at)) && (byteAt(at) != Char.Equals || at == htmlAttribute)) at++;
    htmlAttributeEnd = at;
  }
}

/** At the ">" of a tag. */
function closeTag(): void {
  at++;
  htmlAttribute = htmlAttributeEnd = 0;
  htmlStart = at;
  htmlState = !closing && isRaw(htmlTag, htmlTagEnd) ? Html.Raw : Html.Text;
}

function value(to: usize): void {
  if (htmlQuote != 0) {
    at = findByte(at, to, htmlQuote);
  } else {
    while (at < to && !isSpace(byteAt(at)) && byteAt(at) != Char.Greater) at++;
  }
  if (at == to) return;
  if (textIsNoCase(htmlAttribute, htmlAttributeEnd, "type") && !isScript(htmlStart, at)) htmlData = true;
  if (htmlQuote != 0) at++;
  htmlAttribute = htmlAttributeEnd = 0;
  htmlState = Html.Inside;
}

/** Whether a `type` is one of scripts that run. */
function isScript(start: usize, valueEnd: usize): bool {
  return start == valueEnd || textIsNoCase(start, valueEnd, "module") || textEndsNoCase(start, valueEnd, "javascript");
}

/** Whether an element's text holds no tags but its own end. */
function isRaw(start: usize, nameEnd: usize): bool {
  return isOneOf(start, nameEnd, "script style title textarea noscript iframe noframes noembed xmp ");
}

/** Whether a byte goes on with the name of a tag or an attribute. */
function isName(byte: u32): bool {
  return !isSpace(byte) && byte != Char.Slash && byte != Char.Greater;
}
