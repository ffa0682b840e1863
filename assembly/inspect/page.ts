// What a page does that puts its visitors at risk, tag by tag: what it loads and from where, where its forms send what, what it says of
// itself; and, once that is known, which headers it should have had. One pass over the tags of the beginning of the page, 64 KiB.

import { byteAt, findByte, isDigit, isLetter, isSpace, lowerCase, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { findText, textIsNoCase, textStarts, textStartsNoCase } from "../core/text";
import {
  HeaderKind,
  HIDDEN_TOKEN,
  LEAVING,
  PAGE_ATTRIBUTE,
  PAGE_TAG,
  PAGE_WORD,
  PageAttribute,
  PageTag,
  PageWord,
} from "../generated/header";
import { Rule } from "../generated/rules";
import { wordIn, wordWithin } from "../match/vocabulary";
import {
  attributeName,
  attributeNameEnd,
  decodedEnd,
  decodedStart,
  decodeValue,
  nextAttribute,
  tagBegin,
  tagCloses,
  tagEnd,
  tagName,
  tagNameEnd,
  valueEnd,
  valueStart,
} from "../tokenize/html";
import { inspectAddress, isClear } from "./credentials";
import { credentials, Credentials, Fact, facts, https, status, type, typeEnd } from "./exchange";
import { noteKind } from "./lines";
import { note } from "./note";
import { BodyType, reply, replyEnd, replyType } from "./reply";
import { inspectSerialBody, inspectSerialValue, inspectViewState } from "./serialized";
import { isOwnSite, readSite } from "./site";
import { inspectIssued } from "./tokens";

/** Characters of a token that nobody guesses, at least. */
const RANDOM: usize = 12;

/** Values of the tag's attributes by their kinds: where each begins and ends, 0 where it is not there. */
const VALUES: usize = memory.data(128, 8);
const VALUES_SIZE: usize = 128;

// What the page has shown so far.
let scripted: bool = false;
let forms: bool = false;
/** It has a title: a document of its own, which an injection would give scripts and forms. */
let titled: bool = false;
/** A link that ends a session: somebody is logged in. */
let personal: bool = false;
let policy: bool = false;

// The form that is open: where its tag begins, 0 for none.
let form: usize = 0;
let formEnd: usize = 0;
let posts: bool = false;
/** It names its method, or where it is sent, and no script takes it over. */
let plain: bool = false;
let insecure: bool = false;
let token: bool = false;
let secret: usize = 0;
let secretEnd: usize = 0;

/** Judges the body of the exchange at work. */
export function inspectContent(): void {
  if (reply == replyEnd) return;
  if ((facts & Fact.Untyped) != 0 && status == 200) {
    noteKind(Rule.HeaderTypeMissing, Stage.Confirmed, HeaderKind.Type, reply, min(replyEnd, reply + 32));
  }
  inspectSerialBody();
  if (replyType == BodyType.Json) {
    inspectIssued(reply, replyEnd);
    if ((facts & Fact.Public) != 0 && findText(reply, replyEnd, '"email"') < replyEnd) tellPublic();
  }
  if ((facts & Fact.Page) == 0) return inspectText();
  if (isJson()) {
    return noteKind(Rule.HeaderTypeMismatch, Stage.Confirmed, HeaderKind.Type, reply, min(replyEnd, reply + 32));
  }
  scripted = forms = titled = personal = policy = false;
  form = 0;
  walkTags();
  if (form != 0) endForm();
  tellMissing();
}

/** Text with tags in it, of which a browser may make a page where nothing forbids to guess. */
function inspectText(): void {
  if (status != 200 || (facts & Fact.Nosniff) != 0 || !textIsNoCase(type, typeEnd, "text/plain")) return;
  for (let at = findByte(reply, replyEnd, Char.Less); at < replyEnd; at = findByte(at + 1, replyEnd, Char.Less)) {
    // The end of an element: "a < b" begins one.
    if (!tagBegin(at, replyEnd) || !tagCloses) continue;
    return noteKind(Rule.HeaderNosniffMissing, Stage.Likely, HeaderKind.Nosniff, at, tagNameEnd);
  }
}

/** Begins and ends as a text of JSON. */
function isJson(): bool {
  let end = replyEnd;
  while (end > reply && isSpace(byteAt(end - 1))) end--;
  const start = skipSpaces(reply, end);
  const close = end == start ? 0 : byteAt(end - 1);
  const first = byteAt(skipSpaces(start + 1, end));
  if (byteAt(start) == Char.BraceOpen) return close == Char.BraceClose && first == Char.DoubleQuote;
  return byteAt(start) == Char.BracketOpen && close == Char.BracketClose && first == Char.BraceOpen;
}

function walkTags(): void {
  let at = reply;
  while ((at = findByte(at, replyEnd, Char.Less)) < replyEnd) {
    if (textStarts(at, replyEnd, "<!--")) {
      at = findText(at + 4, replyEnd, "-->");
      continue;
    }
    if (!tagBegin(at, replyEnd)) {
      at++;
      continue;
    }
    const tag = wordIn(PAGE_TAG, tagName, tagNameEnd);
    if (tag != 0) memory.fill(VALUES, 0, VALUES_SIZE);
    while (nextAttribute()) {
      if (tag == 0) continue;
      const kind = wordIn(PAGE_ATTRIBUTE, attributeName, attributeNameEnd);
      if (kind == 0 || valueOf(kind) != 0) continue;
      store<u32>(VALUES + ((<usize>kind) << 3), <u32>valueStart);
      store<u32>(VALUES + ((<usize>kind) << 3), <u32>valueEnd, 4);
    }
    const start = at;
    at = tagEnd;
    if (tag == 0) continue;
    if (tagCloses) {
      if (tag == PageTag.Form && form != 0) endForm();
      continue;
    }
    if (tag == PageTag.Title) titled = true;
    readTag(tag, start);
    if (tag <= <u32>PageTag.Title) at = rawEnd(at);
  }
}

/** Where the text of the element ends that holds no tags but its own end. */
function rawEnd(at: usize): usize {
  const size = tagNameEnd - tagName;
  for (; (at = findText(at, replyEnd, "</")) + 2 + size < replyEnd; at += 2) {
    let i: usize = 0;
    while (i < size && lowerCase(byteAt(at + 2 + i)) == byteAt(tagName + i)) i++;
    if (i == size) return at;
  }
  return replyEnd;
}

function valueOf(kind: u32): usize {
  return load<u32>(VALUES + ((<usize>kind) << 3));
}

function endOf(kind: u32): usize {
  return load<u32>(VALUES + ((<usize>kind) << 3), 4);
}

/** The `PageWord` that a value is, 0 for none. */
function wordOf(kind: u32): u32 {
  return wordIn(PAGE_WORD, valueOf(kind), endOf(kind));
}

function readTag(tag: u32, start: usize): void {
  switch (tag) {
    case PageTag.Script:
      scripted = true;
      inspectLoad(PageAttribute.Source);
      inspectIntegrity();
      break;
    case PageTag.Frame:
      inspectLoad(PageAttribute.Source);
      break;
    case PageTag.Sheet:
      if (wordOf(PageAttribute.Relation) == PageWord.Sheet) inspectLoad(PageAttribute.Target);
      break;
    case PageTag.Meta:
      readMeta();
      break;
    case PageTag.Anchor:
      readLink();
      break;
    case PageTag.Form:
      if (form != 0) endForm();
      beginForm(start);
      break;
    case PageTag.Input:
      readInput();
      break;
  }
}

/** Something that the page runs or shows, by HTTP in a page that came by HTTPS. */
function inspectLoad(kind: u32): void {
  const start = valueOf(kind);
  const end = endOf(kind);
  if (!https || (facts & Fact.Upgrade) != 0 || !textStartsNoCase(start, end, "http://")) return;
  if (textStartsNoCase(start + 7, end, "localhost") || textStarts(start + 7, end, "127.")) return;
  note(Rule.HeaderMixedContent, Stage.Confirmed, Part.ResponseBody, tagName, tagNameEnd, start, end);
}

/** A script of another site without its hash. */
function inspectIntegrity(): void {
  const start = valueOf(PageAttribute.Source);
  const end = endOf(PageAttribute.Source);
  if (valueOf(PageAttribute.Integrity) != 0 || !readSite(start, end) || isOwnSite()) return;
  note(Rule.HeaderSriMissing, Stage.Confirmed, Part.ResponseBody, tagName, tagNameEnd, start, end);
}

function readMeta(): void {
  if (wordOf(PageAttribute.HttpEquiv) == PageWord.Policy) policy = true;
  const charset = valueOf(PageAttribute.Charset);
  if (charset == 0) return;
  const end = endOf(PageAttribute.Charset);
  const other = textIsNoCase(charset, end, "utf-8") ? Fact.OtherCharset : Fact.Utf8;
  if ((facts & other) != 0) noteKind(Rule.HeaderCharset, Stage.Confirmed, HeaderKind.Type, charset, end);
}

function readLink(): void {
  const start = valueOf(PageAttribute.Target);
  const end = endOf(PageAttribute.Target);
  if (endsSession(start, end)) personal = true;
  inspectAddress(start, end, Part.ResponseBody);
}

function endsSession(start: usize, end: usize): bool {
  return wordWithin(LEAVING, start, end) != 0;
}

function beginForm(start: usize): void {
  forms = true;
  form = start;
  formEnd = tagEnd;
  secret = 0;
  token = false;
  const method = wordOf(PageAttribute.Method);
  posts = method == PageWord.Post;
  const action = valueOf(PageAttribute.Action);
  const actionEnd = endOf(PageAttribute.Action);
  if (endsSession(action, actionEnd)) personal = true;
  plain = (action != 0 || method == PageWord.Get) && valueOf(PageAttribute.Handler) == 0;
  insecure = https && (facts & Fact.Upgrade) == 0 && textStartsNoCase(action, actionEnd, "http://");
  inspectAddress(action, actionEnd, Part.ResponseBody);
}

function readInput(): void {
  const name = valueOf(PageAttribute.Name);
  const nameEnd = endOf(PageAttribute.Name);
  const start = valueOf(PageAttribute.Value);
  const end = endOf(PageAttribute.Value);
  const type = wordOf(PageAttribute.Type);
  if (type == PageWord.Password || wordOf(PageAttribute.Autocomplete) == PageWord.Card) {
    // One without a name is still a field.
    secret = name == 0 ? tagEnd : name;
    secretEnd = name == 0 ? tagEnd : nameEnd;
    if (type == PageWord.Password && end - start > 3 && !isMasked(start, end)) {
      note(Rule.AuthPasswordShown, Stage.Confirmed, Part.ResponseBody, name, nameEnd, start, end);
    }
  } else if (type == PageWord.Hidden) {
    if (wordOf(PageAttribute.Name) == PageWord.State) inspectViewState(start, end, name, nameEnd);
    // A field before it may sign it.
    const signed = token;
    if (isToken(name, nameEnd, end - start)) token = true;
    if (start == 0) return;
    decodeValue(start, end);
    if (!signed) inspectSerialValue(decodedStart, decodedEnd, Part.ResponseBody, name, nameEnd);
  }
}

/** Stars, dots or bullets, or a place that a script fills in. */
function isMasked(start: usize, end: usize): bool {
  if (byteAt(start) == Char.BraceOpen || byteAt(start) == Char.Less || byteAt(start) == Char.Dollar) return true;
  while (start < end && (!isLetter(byteAt(start)) || (byteAt(start) | 0x20) == Char.x) && !isDigit(byteAt(start)))
    start++;
  return start == end;
}

/** Whether a hidden field is there against forgery. */
function isToken(name: usize, nameEnd: usize, size: usize): bool {
  return size >= RANDOM && wordWithin(HIDDEN_TOKEN, name, nameEnd) != 0;
}

/** Says what is wrong with the form that ends. */
function endForm(): void {
  const stage = insecure ? Stage.Confirmed : Stage.Likely;
  if (secret != 0) {
    if (insecure || isClear()) tellForm(Rule.AuthFormClear, stage);
    if (!posts && plain) tellForm(Rule.AuthFormGet, Stage.Confirmed);
  }
  form = 0;
}

function tellForm(rule: u32, stage: Stage): void {
  note(rule, stage, Part.ResponseBody, secret, secret == 0 ? 0 : secretEnd, form, formEnd);
}

function tellPublic(): void {
  noteKind(Rule.HeaderCachePublic, Stage.Likely, HeaderKind.Cache, reply, reply);
}

/** The headers that a page lacks which has something to lose. */
function tellMissing(): void {
  const known = (credentials & (Credentials.Cookie | Credentials.Basic | Credentials.Bearer)) != 0;
  if (personal && (facts & Fact.Public) != 0) tellPublic();
  if (personal && known && (facts & Fact.Cache) == 0) tellAbsent(Rule.HeaderCacheMissing, HeaderKind.Cache);
  const risks = scripted || forms || known;
  if (!risks && !titled) return;
  if (!policy && (facts & Fact.Csp) == 0) tellAbsent(Rule.HeaderCspMissing, HeaderKind.Csp);
  if (https && (facts & Fact.Hsts) == 0) tellAbsent(Rule.HeaderHstsMissing, HeaderKind.Hsts);
  if (!risks) return;
  if ((facts & Fact.Nosniff) == 0) tellAbsent(Rule.HeaderNosniffMissing, HeaderKind.Nosniff);
  if ((forms || known) && (facts & (Fact.Framing | Fact.Ancestors)) == 0) {
    tellAbsent(Rule.HeaderFramingMissing, HeaderKind.Framing);
  }
}

function tellAbsent(rule: u32, kind: HeaderKind): void {
  noteKind(rule, Stage.Likely, kind, reply, reply);
}
