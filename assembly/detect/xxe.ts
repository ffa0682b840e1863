// XML that makes its reader load or expand: declarations (DOCTYPE, ENTITY) and the few tags that name what to load. Both parts of
// the evidence stand in the value itself: the declaration or tag that is obeyed, and a place that no ordinary document names.
//
//   <!DOCTYPE a SYSTEM "…">      <!ENTITY b SYSTEM "…">      <!ENTITY % c PUBLIC "…" "…">      <!ENTITY d "&c;&c;">
//   <x:include href="…">         <xsl:… select="document('…')">         <image xlink:href="…">         …schemaLocation="…"
//
// Each byte is looked at a few times: a tag ends at the next "<", a declaration is passed over with its literals, but where these hold
// declarations of their own, and then at most REVISITS times MAX_PIECE bytes more. No memory.

import { byteAt, findByte, isDigit, isLetter, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { findEither, skipBlank } from "../core/scan";
import { isOneOf, startsWithOneOf, textEndsNoCase, textIsNoCase, textStartsNoCase } from "../core/text";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { DTD_HOST } from "../generated/xxe";
import { keyword } from "../match/keywords";
import { found } from "./finding";

/** Literals with a "<" in them that are looked through once more. */
const REVISITS: u32 = 64;
/** Bytes of a declaration or tag that are looked at. */
const MAX_PIECE: usize = 2048;
/** What a text around a declaration takes from the confidence. */
const PROSE_LOSS: u32 = 40;

/** Where a URI of a document leads. */
const enum Place {
  /** A file beside the document. */
  Beside,
  /** A host that publishes DTDs, or no place at all. */
  Known,
  Remote,
  /** A file of the system, a stream, a machine without a name. */
  Inside,
}

/** Whether `start..end` may hold markup. */
// @ts-ignore: decorator
@inline
export function mayXxe(start: usize, end: usize, kinds: u32): bool {
  return (kinds & Kind.Angle) != 0 && (kinds & (Kind.Quote | Kind.Equals | Kind.Space)) != 0 && end - start > 12;
}

/** Judges `start..end` and reports each declaration and tag that is obeyed. */
export function detectXxe(start: usize, end: usize, kinds: u32): void {
  if (!mayXxe(start, end, kinds)) return;
  nested = 0;
  probe = false;
  let revisits: u32 = 0;
  let at = findByte(start, end, Char.Less);
  const prose = isProse(start, at);
  while (true) {
    at = findByte(at, end, Char.Less);
    if (end - at < 6) return;
    const stop = min(end, at + MAX_PIECE);
    const next = byteAt(at + 1);
    let confidence: u32 = 0;
    uriEnd = at + 1;
    if (next == Char.Bang) {
      if (textStartsNoCase(at + 2, stop, "doctype")) confidence = judgeDoctype(at + 9, stop);
      else if (textStartsNoCase(at + 2, stop, "entity")) confidence = judgeEntity(at + 8, stop);
    } else if (isLetter(next)) {
      confidence = judgeTag(at + 1, stop);
    }
    if (confidence != 0) {
      if (prose) confidence = confidence > PROSE_LOSS ? confidence - PROSE_LOSS : 0;
      if (confidence >= 20) found(rule, confidence, at, findByte(at, stop, Char.Greater));
    }
    if (next == Char.Bang && uriEnd > at && (findByte(at + 1, uriEnd, Char.Less) >= uriEnd || ++revisits > REVISITS))
      at = min(uriEnd, end);
    else at++;
  }
}

/** What the last judged declaration or tag is. */
let rule: u32 = 0;
/** Entities up to now whose text is made of several others. */
let nested: u32 = 0;
/** Whether the document's own name says what it is for. */
let probe: bool = false;

/** Whether what stands before the first tag is a text about it: XML has only markup there. */
function isProse(start: usize, at: usize): bool {
  start = skipBlank(start, at);
  if (at - start < 24 || !(isLetter(byteAt(start)) || byteAt(start) == Char.Hash)) return false;
  let spaces: u32 = 0;
  for (const limit = min(at, start + 128); start < limit; start++) {
    if (byteAt(start) == Char.Space) spaces++;
  }
  return spaces >= 3;
}

/** The system identifier that `readExternal` has read, and whether a public one of a DTD stands before it. */
let uri: usize = 0;
let uriEnd: usize = 0;
let formal: bool = false;

/** Reads `SYSTEM "uri"` or `PUBLIC "id" "uri"` at `at`; false where neither stands there. */
function readExternal(at: usize, end: usize): bool {
  formal = false;
  if (textStartsNoCase(at, end, "system")) {
    readLiteral(at + 6, end);
    return true;
  }
  if (!textStartsNoCase(at, end, "public")) return false;
  readLiteral(at + 6, end);
  for (let id = uri; id + 6 < uriEnd; id++) {
    if (textStartsNoCase(id, uriEnd, "//dtd ")) formal = true;
  }
  readLiteral(uriEnd + 1, end);
  return true;
}

/** Reads a literal, in whatever quotes or none, as `uri`. */
function readLiteral(at: usize, end: usize): void {
  at = skipBlank(at, end);
  uri = at;
  uriEnd = at;
  if (at == end) return;
  const quote = byteAt(at);
  if (quote == Char.DoubleQuote || quote == Char.Quote) {
    uri = at + 1;
    uriEnd = findByte(uri, end, quote);
  } else if (quote != Char.Greater && quote != Char.BracketOpen) {
    while (uriEnd < end && !isSpace(byteAt(uriEnd)) && byteAt(uriEnd) != Char.Greater && byteAt(uriEnd) != Char.Less)
      uriEnd++;
  }
}

/** Behind the blanks and the name at `at`. */
function skipName(at: usize, end: usize): usize {
  at = skipBlank(at, end);
  while (
    at < end &&
    !isSpace(byteAt(at)) &&
    byteAt(at) != Char.Greater &&
    byteAt(at) != Char.BracketOpen &&
    byteAt(at) != Char.Less
  )
    at++;
  return at;
}

/** How sure it is that the document type whose name comes at `at` loads what it must not. */
function judgeDoctype(at: usize, end: usize): u32 {
  const name = skipBlank(at, end);
  at = skipName(at, end);
  probe = saysProbe(name, at);
  at = skipBlank(at, end);
  if (!readExternal(at, end)) return 0;
  rule = Rule.XxeExternalSubset;
  switch (placeOf(uri, uriEnd)) {
    case Place.Inside:
      // "../fonts.dtd": the grammar that came with the document.
      return byteAt(uri) == Char.Dot && isDocument(uri, uriEnd) ? 45 : 85;
    case Place.Remote:
      return formal ? 35 : 72;
    default:
      return 0;
  }
}

/** How sure it is that the entity that is declared at `at` loads what it must not, or unfolds. */
function judgeEntity(at: usize, end: usize): u32 {
  at = skipBlank(at, end);
  const parameter = at < end && byteAt(at) == Char.Percent;
  if (parameter) at = skipBlank(at + 1, end);
  const name = at;
  at = skipName(at, end);
  const nameEnd = at;
  at = skipBlank(at, end);
  if (at == end || name == nameEnd) return 0;
  rule = parameter ? Rule.XxeParameterEntity : Rule.XxeExternalEntity;
  if (readExternal(at, end)) return judgeExternal(parameter, end);
  const quote = byteAt(at);
  if (quote != Char.DoubleQuote && quote != Char.Quote) return 0;
  const text = at + 1;
  const textEnd = findByte(text, end, quote);
  uriEnd = textEnd;
  if (parameter && declares(text, textEnd)) return 93;
  if (unfolds(text, textEnd, name, nameEnd)) {
    rule = Rule.XxeEntityBomb;
    return 88;
  }
  if (!probe && !saysProbe(name, nameEnd)) return 0;
  rule = Rule.XxeProbe;
  return 62;
}

function judgeExternal(parameter: bool, end: usize): u32 {
  const place = placeOf(uri, uriEnd);
  if (place == Place.Known) return 0;
  if (place == Place.Inside) return parameter ? 93 : 95;
  if (place == Place.Remote) return parameter ? 90 : 88;
  // The rest of it is in another value: what cut it there took the quotes.
  if (uri == uriEnd) return uri == end ? 60 : 0;
  const behind = skipBlank(uriEnd + 1, end);
  if (textStartsNoCase(behind, end, "ndata")) return 0;
  return isDocument(uri, uriEnd) ? 45 : 70;
}

/** Whether a file's name ends as parts of documents do. */
function isDocument(start: usize, end: usize): bool {
  if (end - start < 5) return false;
  const dot = end - 4;
  return isOneOf(dot, end, ".xml .ent .mod .dtd ") || textIsNoCase(dot - 1, end, ".sgml");
}

/** Whether an entity's text declares an entity: as it stands, or with its `%` written as a reference. */
function declares(at: usize, end: usize): bool {
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte == Char.Less && textStartsNoCase(at, end, "<!entity")) return true;
    if (byte == Char.Ampersand && (textStartsNoCase(at, end, "&#x25;") || textStartsNoCase(at, end, "&#37;")))
      return true;
  }
  return false;
}

/** Whether the text of an entity is made of entities, as that of several before it, or of the entity itself. */
function unfolds(at: usize, end: usize, name: usize, nameEnd: usize): bool {
  let references: u32 = 0;
  for (; at < end; at++) {
    const mark = byteAt(at);
    if ((mark != Char.Ampersand && mark != Char.Percent) || at + 1 == end || !isLetter(byteAt(at + 1))) continue;
    const from = at + 1;
    let to = from;
    while (to < end && isWord(byteAt(to))) to++;
    if (to == end || byteAt(to) != Char.Semicolon) continue;
    if (to - from == nameEnd - name && memory.compare(from, name, to - from) == 0) return true;
    references++;
    at = to;
  }
  if (references > 1) nested++;
  return references >= 8 || nested >= 3;
}

/** Whether a name says "xxe". */
function saysProbe(at: usize, end: usize): bool {
  for (; at + 3 <= end; at++) {
    if (textStartsNoCase(at, end, "xxe")) return true;
  }
  return false;
}

/** Where the URI `start..end` leads. */
function placeOf(start: usize, end: usize): Place {
  if (start == end) return Place.Beside;
  const first = byteAt(start);
  if (first == Char.Slash || first == Char.Backslash || first == Char.Percent || first == Char.Ampersand)
    return Place.Inside;
  let at = start;
  while (
    at < end &&
    (isWord(byteAt(at)) || byteAt(at) == Char.Dot || byteAt(at) == Char.Plus || byteAt(at) == Char.Dash)
  )
    at++;
  if (at == end || byteAt(at) != Char.Colon) {
    return textStartsNoCase(start, end, "..") ? Place.Inside : Place.Beside;
  }
  if (isOneOf(start, at, "about urn data ")) {
    return first == Char.a || textStartsNoCase(start, end, "urn:") ? Place.Known : Place.Inside;
  }
  if (!textIsNoCase(start, at, "http") && !textIsNoCase(start, at, "https")) return Place.Inside;
  return placeOfHost(at + 1, end);
}

/** Where `//host…` leads; a parameter entity in the rest sends out what it holds. */
function placeOfHost(at: usize, end: usize): Place {
  while (at < end && byteAt(at) == Char.Slash) at++;
  const host = at;
  let letters = false;
  let labels: u32 = 1;
  while (at < end && (isWord(byteAt(at)) || byteAt(at) == Char.Dash || byteAt(at) == Char.Dot)) {
    if (byteAt(at) == Char.Dot) labels++;
    else if (!isDigit(byteAt(at))) letters = true;
    at++;
  }
  // No name, or a port or account: "//10.0.0.1/", "//localhost/", "//a.example:8080/".
  if (!letters || labels == 1 || (at < end && byteAt(at) != Char.Slash && byteAt(at) != Char.Question))
    return Place.Inside;
  for (let mark = findByte(at, end, Char.Percent); mark + 2 < end; mark++) {
    if (byteAt(mark) == Char.Percent && isLetter(byteAt(mark + 1)) && findByte(mark, end, Char.Semicolon) < end)
      return Place.Inside;
  }
  let label = at;
  for (labels = 0; label > host; label--) {
    if (byteAt(label - 1) != Char.Dot) continue;
    labels++;
    if (labels > 1 && keyword(DTD_HOST, label, at) != 0) return Place.Known;
    if (labels == 3) return Place.Remote;
  }
  return keyword(DTD_HOST, host, at) != 0 ? Place.Known : Place.Remote;
}

/** How sure it is that the tag whose name stands at `at` makes its reader load what it must not. */
function judgeTag(at: usize, end: usize): u32 {
  const prefix = at;
  let local = at;
  while (
    at < end &&
    (isWord(byteAt(at)) || byteAt(at) == Char.Dash || byteAt(at) == Char.Colon || byteAt(at) == Char.Dot)
  ) {
    if (byteAt(at) == Char.Colon) local = at + 1;
    at++;
  }
  const name = at;
  end = findEither(at, end, Char.Greater, Char.Less);
  if (textIsNoCase(prefix, local, "xsl:")) return judgeInstruction(local, name, end);
  if (local > prefix) {
    if (textIsNoCase(local, name, "include")) return judgeInclude(prefix, local, name, end);
    if (textIsNoCase(local, name, "script") && runs(prefix, local)) {
      rule = Rule.XxeStylesheet;
      return 85;
    }
  }
  rule = Rule.XxeReference;
  if (isOneOf(local, name, "image feimage use ")) {
    if (findAttribute(name, end, "href") && isStream(uri, uriEnd)) return 75;
  }
  if (findAttribute(name, end, "schemalocation")) {
    for (let from = skipBlank(uri, uriEnd); from < uriEnd;) {
      let to = from;
      while (to < uriEnd && !isSpace(byteAt(to))) to++;
      if (isStream(from, to)) return 75;
      from = skipBlank(to, uriEnd);
    }
  }
  return 0;
}

/** Whether elements `script` with this prefix hold code of a stylesheet. */
function runs(prefix: usize, local: usize): bool {
  return isOneOf(prefix, local, "msxsl: xalan: lxslt: ");
}

/** XInclude, whatever its prefix; other vocabularies that have the name are left alone. */
function judgeInclude(prefix: usize, local: usize, name: usize, end: usize): u32 {
  rule = Rule.XxeXinclude;
  if (textIsNoCase(prefix, local, "jsp:") || textIsNoCase(prefix, local, "esi:")) return 0;
  if (!findAttribute(name, end, "href")) return 0;
  const place = placeOf(uri, uriEnd);
  if (place == Place.Inside) return 88;
  if (place == Place.Remote) return 75;
  if (place == Place.Known || isDocument(uri, uriEnd)) return 0;
  return 70;
}

/** An instruction of XSLT. */
function judgeInstruction(local: usize, name: usize, end: usize): u32 {
  rule = Rule.XxeStylesheet;
  if (textIsNoCase(local, name, "import") || textIsNoCase(local, name, "include")) {
    if (!findAttribute(name, end, "href") || textStartsNoCase(uri, uriEnd, "..")) return 0;
    const place = placeOf(uri, uriEnd);
    return place == Place.Inside ? 80 : place == Place.Remote ? 70 : 0;
  }
  if (textIsNoCase(local, name, "result-document") || textIsNoCase(local, name, "document")) {
    return findAttribute(name, end, "href") && placeOf(uri, uriEnd) == Place.Inside ? 80 : 0;
  }
  if (textIsNoCase(local, name, "script")) return 85;
  if (findAttribute(name, end, "xmlns:php") || findAttribute(name, end, "xmlns:rt")) return 65;
  for (let at = name; (at = findByte(at, end, Char.ParenOpen)) < end; at++) {
    let from = at;
    while (
      from > name &&
      (isWord(byteAt(from - 1)) ||
        byteAt(from - 1) == Char.Dash ||
        byteAt(from - 1) == Char.Colon ||
        byteAt(from - 1) == Char.Dot)
    )
      from--;
    if (startsWithOneOf(from, at, "php:function rt: runtime: ")) return 85;
    if (isOneOf(from, at, "document doc unparsed-text ")) {
      readLiteral(at + 1, end);
      const place = placeOf(uri, uriEnd);
      if (place == Place.Inside) return 85;
      if (place == Place.Remote) return 75;
    }
  }
  return 0;
}

/** Whether a URI names a scheme that only a server's own libraries open. */
function isStream(start: usize, end: usize): bool {
  let at = start;
  while (at < end && (isLetter(byteAt(at)) || byteAt(at) == Char.Dot)) at++;
  if (at - start < 3 || at == end || byteAt(at) != Char.Colon) return false;
  return isOneOf(start, at, "file expect php jar netdoc gopher msl ephemeral text ");
}

/** Reads as `uri` the value of the first attribute whose name is, or ends in, `literal` (in lower case). */
function findAttribute(at: usize, end: usize, literal: string): bool {
  while ((at = findByte(at, end, Char.Equals)) < end) {
    let nameEnd = at;
    while (nameEnd > 0 && isSpace(byteAt(nameEnd - 1))) nameEnd--;
    if (textEndsNoCase(0, nameEnd, literal)) {
      readLiteral(at + 1, end);
      return true;
    }
    at++;
  }
  return false;
}
