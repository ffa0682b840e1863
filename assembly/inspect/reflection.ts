// Values that come back in a page of HTML with the bytes that break out of where they stand: reflected cross-site scripting.
//
//   text            "<" and a letter               attribute    its quote; unquoted: a blank and "=", or ">"
//   comment         "-->"                          URL          "javascript:" at its beginning
//   <title> …       its end tag                    script       the quote of the string, "*/", "</script"
//
// A page may hold the same bytes by itself: what people look for are the words of pages. So a value counts only where it says who it
// is. It is *confirmed* if what breaks out is what no page has (a quote with a letter behind it, an element that there is not, a call
// of what attacks call); *likely* if a page might have it, and no place shows the value encoded.

import { byteAt, findByte, isDigit, isLetter, isSpace, lowerCase, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { Stage } from "../core/findings";
import { findEither } from "../core/scan";
import {
  findText,
  holdsTextNoCase,
  isOneOf,
  startsWithOneOf,
  textIs,
  textIsNoCase,
  textStarts,
  textStartsNoCase,
} from "../core/text";
import { MARKUP_WORD, MarkupWord, TEMPLATE_ENDS, TEMPLATE_SIGNS } from "../generated/response";
import { Rule, RuleClass } from "../generated/rules";
import { keyword } from "../match/keywords";
import { findWord } from "../match/vocabulary";
import { Taint, taintAt, taintValue, taintValueEnd, Watch } from "../observe/taint";
import { attributeName, attributeNameEnd, nextAttribute, tagBegin, valueEnd, valueStart } from "../tokenize/html";
import { bearOut, classBit } from "./bear";
import {
  Html,
  htmlAttribute,
  htmlAttributeEnd,
  htmlData,
  htmlQuote,
  htmlStart,
  htmlState,
  htmlTag,
  htmlTagEnd,
  openHtml,
  walkHtml,
} from "./html-context";
import { How, howCame, matchEnd, matchStart, nextMatch, openMatches, whereCame } from "./match";
import { BodyType, reply, replyEnd, replyStatus, replyType } from "./reply";
import { closeScript, Script, scriptQuote, scriptStart, scriptState, walkScript } from "./script-context";

/** Places of one value that are looked at. */
const MAX_MATCHES: u32 = 16;

/** What the bytes of a value do where it stands. */
const enum Effect {
  None,
  /** Nothing, since all that could is encoded. */
  Encoded,
  /** It may run as a whole, where scripts call what it calls. */
  Code,
  /** They break out, with bytes that the page may have by itself. */
  Weak,
  /** They break out as no page does by itself. */
  Strong,
}

let value: usize = 0;
let size: usize = 0;
/** Letters and digits of the value in words that are not those of HTML. */
let own: usize = 0;
/** It calls what attacks call, or has a tag that there is not. */
let marked: bool = false;

/** Asks of each value whether it breaks out. */
export function inspectReflection(watch: Watch): void {
  if (reply == replyEnd || replyStatus / 100 == 3) return;
  const isXml = replyType == BodyType.Text && textStarts(skipSpaces(reply, replyEnd), replyEnd, "<?xml");
  for (let i: u32 = 0; i < watch.count; i++) {
    if (replyType == BodyType.Html) inspectValue(taintAt(changetype<usize>(watch), i));
    else if (replyType == BodyType.Script) inspectCallback(taintAt(changetype<usize>(watch), i));
    else if (isXml) inspectMarkup(taintAt(changetype<usize>(watch), i));
  }
}

/** Makes the value of `taint` the one at work, without the blanks at both ends: services take them off. */
function setValue(taint: Taint): void {
  value = taintValue(taint);
  let valueEnd = taintValueEnd(taint);
  while (value < valueEnd && isSpace(byteAt(value))) value++;
  while (valueEnd > value && isSpace(byteAt(valueEnd - 1))) valueEnd--;
  size = valueEnd - value;
}

/** A script that begins with the value, which calls something: the name of a callback was not checked. Other sites may load it. */
function inspectCallback(taint: Taint): void {
  setValue(taint);
  if (size < 3 || findEither(value, value + size, Char.ParenOpen, Char.Backtick) == value + size) return;
  if (!readWords() || (!marked && (taint.classes & classBit(RuleClass.Xss)) == 0)) return;
  let at = skipSpaces(reply, replyEnd);
  // Put before a callback against files of another format.
  if (textStarts(at, replyEnd, "/**/")) at = skipSpaces(at + 4, replyEnd);
  if (replyEnd - at < size || memory.compare(at, value, size) != 0) return;
  bearOut(taint, classBit(RuleClass.Xss), Rule.XssReflected, Stage.Likely, at, min(replyEnd, at + size + AROUND));
}

/** An element of XHTML or SVG in XML of any kind: browsers run its scripts where they show the document. */
function inspectMarkup(taint: Taint): void {
  setValue(taint);
  if ((taint.classes & classBit(RuleClass.Xss)) == 0 || byteAt(value) != Char.Less) return;
  const named =
    holdsTextNoCase(value, value + size, "http://www.w3.org/1999/xhtml") ||
    holdsTextNoCase(value, value + size, "http://www.w3.org/2000/svg");
  if (!named || !openMatches(value, value + size) || !nextMatch() || !isRaw(0) || isQuoted(matchStart)) return;
  const end = min(replyEnd, matchEnd + AROUND);
  bearOut(taint, classBit(RuleClass.Xss), Rule.XssReflected, Stage.Confirmed, matchStart, end);
}

/** Whether `place` is in a section of characters, where there are no elements. */
function isQuoted(place: usize): bool {
  let close = reply;
  while (true) {
    const open = findText(close, place, "<![CDATA[");
    if (open >= place) return false;
    close = findText(open, place, "]]>");
    if (close >= place) return true;
  }
}

function inspectValue(taint: Taint): void {
  setValue(taint);
  if (size < 3 || !readWords() || !openMatches(value, value + size)) return;
  openHtml(reply, replyEnd);
  closeScript();
  let best = Effect.None;
  let encoded = false;
  let start: usize = 0;
  let end: usize = 0;
  for (let count: u32 = 0; count < MAX_MATCHES && nextMatch(); count++) {
    walkHtml(matchStart);
    const effect = effectHere();
    if (effect == Effect.Encoded) encoded = true;
    if (effect <= best) continue;
    best = effect;
    start = matchStart;
    end = matchEnd;
  }
  if (best < Effect.Code) return;
  const whole = own >= OWN_ATTACK && !encoded && runsCode(taint);
  const sure = best >= Effect.Weak && (marked || whole || (best == Effect.Strong && !encoded));
  if (!sure && (encoded || (best == Effect.Code ? !marked : own < OWN_WORDS && !runsCode(taint)))) return;
  bearOut(
    taint,
    classBit(RuleClass.Xss),
    Rule.XssReflected,
    sure ? Stage.Confirmed : Stage.Likely,
    max(reply, start - AROUND),
    min(replyEnd, end + AROUND),
  );
}

/** Whether a detector took the value for an attack that calls something. */
function runsCode(taint: Taint): bool {
  if ((taint.classes & classBit(RuleClass.Xss)) == 0) return false;
  return findEither(value, value + size, Char.ParenOpen, Char.Backtick) < value + size;
}

/** Letters and digits of its own by which no page has what an attack runs. */
const OWN_ATTACK: usize = 10;
/** Bytes of the page around the value that the evidence shows. */
const AROUND: usize = 12;
/** Letters and digits of its own from which a value is not found by chance; and those by which it is more than likely. */
const OWN_WORD: usize = 3;
const OWN_WORDS: usize = 6;

/** Reads the words of the value; false where nothing tells it from what any page holds. */
function readWords(): bool {
  own = 0;
  marked = false;
  for (let at: usize = 0; at < size;) {
    const from = at;
    while (at < size && (isLetter(byteAt(value + at)) || isDigit(byteAt(value + at)))) at++;
    if (at == from) {
      at++;
      continue;
    }
    // The name of a custom element goes on with a dash: pages have those.
    if (from > 0 && byteAt(value + from - 1) == Char.Less && byteAt(value + at) == Char.Dash) {
      while (at < size && !isSpace(byteAt(value + at)) && byteAt(value + at) != Char.Greater) at++;
      continue;
    }
    const kind = keyword(MARKUP_WORD, value + from, value + at);
    if (kind == MarkupWord.Call) marked = true;
    if (kind == 0) own += at - from;
    // The name of a custom element goes on with a dash: pages have those.
    if (
      kind != MarkupWord.Element &&
      kind != MarkupWord.Format &&
      from > 0 &&
      byteAt(value + from - 1) == Char.Less &&
      byteAt(value + at) != Char.Dash
    )
      marked =
        marked || (isLetter(byteAt(value + from)) && findByte(value + at, value + size, Char.Greater) < value + size);
  }
  return own >= OWN_WORD || marked;
}

/** Whether byte `index` of the value came as it is, to a reader of HTML. */
// @ts-ignore: decorator
@inline
function isRaw(index: usize): bool {
  const how = howCame(index);
  return how == How.Raw || how == How.Escaped;
}

// @ts-ignore: decorator
@inline
function valueAt(index: usize): u32 {
  return byteAt(value + index);
}

/** What the value that was matched last does in the page. */
function effectHere(): Effect {
  switch (htmlState) {
    case Html.Text:
      return inText(false);
    case Html.Comment:
      return inComment();
    case Html.Raw:
      return inRaw();
    case Html.Value:
      return inValue();
    case Html.Bogus:
      return Effect.None;
    default:
      return inTag(0);
  }
}

/** `referenced`: character references are undone before it is read. */
function inText(referenced: bool): Effect {
  let encoded = false;
  for (let i: usize = 0; i + 1 < size; i++) {
    // What stands in braces, a framework of the page works out when it runs.
    if (valueAt(i) == Char.BraceOpen && valueAt(i + 1) == Char.BraceOpen && isTemplate()) return Effect.Code;
    if (valueAt(i) != Char.Less || !isLetter(valueAt(i + 1)) || isFormat(i + 1)) continue;
    if (isRaw(i) || (referenced && howCame(i) == How.Reference)) return Effect.Weak;
    encoded = true;
  }
  return encoded ? Effect.Encoded : Effect.None;
}

/** Whether the page is a template of AngularJS or Vue, and has nothing in it that they leave alone. */
function isTemplate(): bool {
  return findWord(TEMPLATE_SIGNS, reply, replyEnd) && !findWord(TEMPLATE_ENDS, reply, replyEnd);
}

/** Whether the tag with the name at `index` only formats: services let such tags through on purpose. */
function isFormat(index: usize): bool {
  let at = index;
  while (at < size && (isLetter(valueAt(at)) || isDigit(valueAt(at)))) at++;
  if (keyword(MARKUP_WORD, value + index, value + at) != MarkupWord.Format) return false;
  while (at < size && (isSpace(valueAt(at)) || valueAt(at) == Char.Slash)) at++;
  return at < size && valueAt(at) == Char.Greater;
}

function inComment(): Effect {
  for (let i: usize = 2; i + 1 < size; i++) {
    if (valueAt(i) == Char.Greater && valueAt(i - 1) == Char.Dash && valueAt(i - 2) == Char.Dash && isRaw(i)) {
      return Effect.Weak;
    }
  }
  return Effect.None;
}

/** In the text of a script, a title … */
function inRaw(): Effect {
  const name = htmlTagEnd - htmlTag;
  let encoded = false;
  for (let i: usize = 0; i + name + 3 < size; i++) {
    if (valueAt(i) != Char.Less || valueAt(i + 1) != Char.Slash || !isEndOf(i + 2, name)) continue;
    if (isRaw(i) && howCame(i + 1) == How.Raw) return Effect.Weak;
    encoded = true;
  }
  if (textIsNoCase(htmlTag, htmlTagEnd, "script") && !htmlData) {
    walkScript(htmlStart, matchStart);
    return inScript(false);
  }
  return encoded ? Effect.Encoded : Effect.None;
}

/** Whether the name of the raw element stands at `index` of the value. */
function isEndOf(index: usize, name: usize): bool {
  for (let i: usize = 0; i < name; i++) {
    if (lowerCase(valueAt(index + i)) != lowerCase(byteAt(htmlTag + i))) return false;
  }
  return true;
}

/** Between the attributes of a tag, or from `from` on in a value without quotes. */
function inTag(from: usize): Effect {
  let blank = htmlState != Html.Value;
  for (let i = from; i < size; i++) {
    if (!isRaw(i)) continue;
    const byte = valueAt(i);
    if (isSpace(byte)) blank = true;
    else if (i > 0 && i + 1 < size && (byte == Char.Greater || (blank && byte == Char.Equals))) return Effect.Weak;
  }
  return Effect.None;
}

function inValue(): Effect {
  if (isHandler(htmlAttribute, htmlAttributeEnd)) {
    walkScript(htmlStart, matchStart);
    const effect = inScript(true);
    if (effect >= Effect.Code) return effect;
  }
  if (matchStart == htmlStart && runs() && holdsUrl(htmlAttribute, htmlAttributeEnd)) return Effect.Weak;
  if (textIsNoCase(htmlAttribute, htmlAttributeEnd, "srcdoc") && inText(true) == Effect.Weak && !isSandboxed())
    return Effect.Weak;
  if (htmlQuote == 0) return inTag(0);
  let encoded = false;
  for (let i: usize = 0; i < size; i++) {
    if (valueAt(i) != htmlQuote) continue;
    if (!isRaw(i)) {
      encoded = true;
      continue;
    }
    // The page's own quote may stand behind the value as well.
    if (i + 1 == size) return matchEnd < replyEnd && byteAt(matchEnd) == htmlQuote ? Effect.Strong : Effect.None;
    return joinsName(i + 1) ? Effect.Strong : Effect.Weak;
  }
  return encoded ? Effect.Encoded : Effect.None;
}

/** Whether a word stands right at `index`, behind a quote, as no page has it: small pages leave out the blank before an attribute. */
function joinsName(index: usize): bool {
  let at = index;
  while (at < size && (isLetter(valueAt(at)) || isDigit(valueAt(at)) || valueAt(at) == Char.Dash)) at++;
  return at > index && (at == size || valueAt(at) != Char.Equals);
}

/** The same of a script: operators may be words. */
function joinsWord(index: usize): bool {
  const from = value + index;
  const end = value + size;
  if (textStarts(from, end, "in") || textStarts(from, end, "of")) return false;
  return isLetter(byteAt(from)) || isDigit(byteAt(from));
}

/** Whether the frame that the value stands in runs no scripts. */
function isSandboxed(): bool {
  if (!tagBegin(htmlTag - 1, replyEnd)) return false;
  while (nextAttribute()) {
    if (textIs(attributeName, attributeNameEnd, "sandbox"))
      return !holdsTextNoCase(valueStart, valueEnd, "allow-scripts");
  }
  return false;
}

/** Whether the value is a URL that runs, as far as it came through. */
function runs(): bool {
  let at: usize = 0;
  while (at < size && valueAt(at) <= <u32>Char.Space) at++;
  const start = value + at;
  const end = value + size;
  return startsWithOneOf(start, end, "javascript: vbscript: data:text/html ");
}

/** Whether browsers go where the attribute says, or run what is there. */
function holdsUrl(start: usize, end: usize): bool {
  if (isOneOf(start, end, "href xlink:href action formaction data ")) return true;
  return textIsNoCase(start, end, "src") && (byteAt(htmlTag) | 0x20) == Char.a + 8;
}

/** Whether an attribute is a script: "onclick". */
function isHandler(start: usize, end: usize): bool {
  return end - start > 4 && textStartsNoCase(start, end, "on");
}

/** Letters and digits of its own by which a string of code is not a page's. */
const OWN_STRING: usize = 6;

/** In a script, at the place that `walkScript` has come to. `referenced`: in an attribute, where references are undone first. */
function inScript(referenced: bool): Effect {
  switch (scriptState) {
    case Script.String:
      return inString(referenced);
    case Script.Block:
    case Script.Line:
      for (let i: usize = 1; i + 1 < size; i++) {
        if (!isRaw(i)) continue;
        const ends =
          scriptState == Script.Line
            ? valueAt(i) == Char.LineFeed
            : valueAt(i) == Char.Slash && valueAt(i - 1) == Char.Star;
        if (ends) return Effect.Weak;
      }
      return Effect.None;
    case Script.Code:
      for (let i: usize = 1; i < size; i++) {
        if (valueAt(i) == Char.ParenOpen || valueAt(i) == Char.Backtick) return Effect.Code;
      }
      return Effect.None;
    default:
      return Effect.None;
  }
}

function inString(referenced: bool): Effect {
  let encoded = false;
  for (let i: usize = 0; i + 1 < size; i++) {
    const byte = valueAt(i);
    const how = howCame(i);
    const template = scriptQuote == Char.Backtick && byte == Char.Dollar && valueAt(i + 1) == Char.BraceOpen;
    if (byte != scriptQuote && !template) continue;
    if (
      how == How.Coded ||
      (how == How.Reference && !referenced) ||
      isEscaped(how == How.Escaped ? whereCame(i) + 1 : whereCame(i))
    ) {
      encoded = true;
      continue;
    }
    return !template && own >= OWN_STRING && joinsWord(i + 1) ? Effect.Strong : Effect.Weak;
  }
  return encoded ? Effect.Encoded : Effect.None;
}

/** Whether an odd number of backslashes stands before `at` in the string. */
function isEscaped(at: usize): bool {
  let count = 0;
  while (at > scriptStart && byteAt(at - 1) == Char.Backslash) {
    at--;
    count++;
  }
  return (count & 1) == 1;
}
