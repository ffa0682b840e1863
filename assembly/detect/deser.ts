// Serialized objects where data is expected. Each format is parsed far enough to be sure: a magic number and a class descriptor whose
// length fits, a pickle that runs to its end, a type that is named for a reader which builds it.
//
//   Java     ac ed 00 05 ( 's' 'r' | 'u' 'r' | 'r' ) u16 length, class name         PHP      O:6:"Mailer":1:{…
//   pickle   80 02…05 …  or text: cos\nsystem\n(S'id'\ntR.                          Ruby     04 08 'o' ':' …
//   .NET     00 01 00 00 00 ff ff ff ff 01 00 00 00, also in ff 01 32 …             YAML     !!python/object/apply:…
//   JSON     "@type":"com.sun.…", "$type":"System.…"                                XML      <java.util.… serialization="custom">
//
// One search for each introducer, a bounded look behind each hit; no memory.

import { byteAt, findByte, isDigit, isLetter, isQuote, isSpace, isWord, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd, fieldPart, Part } from "../core/field";
import { findEither, findPair } from "../core/scan";
import { textIs, textIsOneOf, textStarts, textStartsNoCase, textStartsOneOf } from "../core/text";
import { GADGET } from "../generated/deser";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { keyword } from "../match/keywords";
import { PICKLE_CALL, PICKLE_GLOBAL, PICKLE_WHOLE, readPickle } from "../tokenize/pickle";
import { found } from "./finding";

/** Bytes of a class name or tag that are looked at. */
const MAX_NAME: usize = 255;

/** Whether a value with these kinds of byte can be any of the formats. */
// @ts-ignore: decorator
@inline
export function mayDeser(start: usize, end: usize, kinds: u32): bool {
  return (
    (kinds & (Kind.Control | Kind.High | Kind.Colon | Kind.Angle | Kind.Dollar | Kind.Dot)) != 0 && end - start > 5
  );
}

/** Judges `start..end` and reports each serialized object. */
export function detectDeser(start: usize, end: usize, kinds: u32): void {
  if (!mayDeser(start, end, kinds)) return;
  if ((kinds & Kind.High) != 0) {
    judgeJava(start, end);
    judgeNet(start, end);
  }
  if ((kinds & Kind.Control) != 0) {
    judgePickle(start, end, kinds);
    judgeRuby(start, end);
  }
  if ((kinds & Kind.Quote) != 0 && (kinds & Kind.Colon) != 0) judgePhp(start, end);
  if ((kinds & Kind.Dollar) != 0) judgeFunctions(start, end);
  if ((kinds & (Kind.Colon | Kind.Slash | Kind.Dot)) != 0) judgeTags(start, end);
  if ((kinds & (Kind.Dot | Kind.Colon)) != 0) {
    if (fieldPart == Part.Json) detectType(start, end);
    if ((kinds & Kind.Quote) != 0 && (kinds & Kind.Colon) != 0) judgeTypes(start, end);
  }
  if ((kinds & Kind.Angle) != 0) judgeXml(start, end);
}

/** Java: a stream's head, also as UTF-8 has it, or without the zeros that text parsers lose. */
function judgeJava(start: usize, end: usize): void {
  for (let at = start; (at = findByte(at, end, 0xac)) + 5 < end; at++) {
    let next = at + 1;
    if (byteAt(next) == 0xc3 && byteAt(next + 1) == 0xad) next += 2;
    else if (byteAt(next++) != 0xed) continue;
    if (byteAt(next) == 0) next++;
    if (next + 1 >= end || byteAt(next) != 5) continue;
    const code = byteAt(next + 1);
    // TC_STRING, TC_BLOCKDATA, TC_ARRAY, TC_OBJECT, TC_CLASSDESC, TC_CLASS, TC_PROXYCLASSDESC, TC_ENUM and others.
    if (code - 0x70 > 14) continue;
    let confidence: u32 = code == 0x74 || code == 0x77 ? 65 : 75;
    let name = next + 2;
    if (name < end && (byteAt(name) == 0x72 || byteAt(name) == 0x7d)) name++;
    if (name + 3 < end) {
      const length: usize = (byteAt(name) << 8) | byteAt(name + 1);
      if (byteAt(name - 1) == 0x7d || (length <= MAX_NAME && isClass(name + 2, min(end, name + 2 + length))))
        confidence = 92;
    }
    found(Rule.DeserJava, confidence, at, min(end, name + 64));
    return;
  }
}

/** Whether all of `start..end`, at least one byte, is a class name. */
function isClass(start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    const byte = byteAt(at);
    if (
      !isWord(byte) &&
      byte != Char.Dot &&
      byte != Char.Dollar &&
      byte != Char.Slash &&
      byte != Char.BracketOpen &&
      byte != Char.Semicolon
    )
      break;
    at++;
  }
  return at == end && start < end;
}

/** BinaryFormatter's head: record 0, root 1, header −1, version 1.0. */
function judgeNet(start: usize, end: usize): void {
  for (let at = start; (at = findByte(at, end, 0xff)) + 8 < end; at++) {
    if (at < start + 5 || load<u32>(at) != 0xffffffff || load<u32>(at + 4) != 1) continue;
    if (byteAt(at - 5) != 0 || load<u32>(at - 4) != 1) continue;
    found(Rule.DeserNet, 88, at - 5, min(end, at + 128));
    return;
  }
}

/** A pickle as a whole value; a binary one may be cut off. */
function judgePickle(start: usize, end: usize, kinds: u32): void {
  const binary = byteAt(start) == 0x80 && byteAt(start + 1) - 2 < 4;
  if (!binary && ((kinds & Kind.Dot) == 0 || findByte(start, end, Char.LineFeed) == end)) return;
  const seen = readPickle(start, end);
  if ((seen & PICKLE_GLOBAL) == 0 || (seen & PICKLE_CALL) == 0) return;
  if (binary || (seen & PICKLE_WHOLE) != 0) found(Rule.DeserPickle, 92, start, min(end, start + 128));
}

/** Ruby Marshal 4.8. */
function judgeRuby(start: usize, end: usize): void {
  if (byteAt(start) != 4 || byteAt(start + 1) != 8 || end - start < 8) return;
  const type = byteAt(start + 2);
  const object =
    (type == 0x6f || type == 0x75 || type == 0x55) &&
    byteAt(start + 3) == Char.Colon &&
    byteAt(start + 5) - Char.A < 26;
  for (let at = start + 3; (at = findByte(at, end, Char.Colon)) + 8 < end; at++) {
    const name = at + 2;
    if (
      textStartsOneOf(name, end, "Gem:: ERB Net:: UncaughtExcep ") ||
      textStarts(at + 1, end, "@ActiveSupport::Dep") ||
      textStarts(name, end, "ActiveSupport::Dep")
    ) {
      found(Rule.DeserRuby, 90, start, min(end, at + 64));
      return;
    }
  }
  if (object) found(Rule.DeserRuby, 78, start, min(end, start + 64));
}

/** PHP: `O:6:"Mailer":1:{` at the start of a value or of an array's member. */
function judgePhp(start: usize, end: usize): void {
  for (let at = start; (at = findByte(at, end, Char.Colon)) + 8 < end; at++) {
    if (at == start) continue;
    const letter = byteAt(at - 1);
    if (letter != 0x4f && letter != 0x43) continue;
    if (at - 1 > start && (isWord(byteAt(at - 2)) || isSpace(byteAt(at - 2)))) continue;
    let digits = at + 1;
    if (byteAt(digits) == Char.Plus || byteAt(digits) == Char.Space) digits++;
    let length: usize = 0;
    const from = digits;
    while (digits < end && isDigit(byteAt(digits)) && digits - from < 4)
      length = length * 10 + (byteAt(digits++) - Char._0);
    if (digits == from || digits + 2 >= end || byteAt(digits) != Char.Colon || byteAt(digits + 1) != Char.DoubleQuote)
      continue;
    const name = digits + 2;
    const nameEnd = findByte(name, min(end, name + MAX_NAME), Char.DoubleQuote);
    // `":` and how many members, or bytes, there are.
    if (nameEnd == name || nameEnd + 3 >= end || byteAt(nameEnd + 1) != Char.Colon || !isDigit(byteAt(nameEnd + 2)))
      continue;
    let brace = nameEnd + 2;
    while (brace < end && isDigit(byteAt(brace))) brace++;
    if (brace + 1 >= end || byteAt(brace) != Char.Colon || byteAt(brace + 1) != Char.BraceOpen) continue;
    let confidence: u32 = nameEnd - name == length ? 90 : 66;
    // An object of no class has no methods to run.
    if (textIs(name, nameEnd, "stdClass")) confidence = 40;
    found(Rule.DeserPhp, confidence, at - 1, brace + 2);
    if (confidence > 40) return;
    at = brace;
  }
}

/** JavaScript functions: node-serialize, cryo. */
function judgeFunctions(start: usize, end: usize): void {
  for (let at = start; (at = findByte(at, end, Char.Dollar)) + 8 < end; at++) {
    if (textStarts(at, end, "$$ND_FUNC$$")) {
      found(Rule.DeserFunction, 92, at, min(end, at + 64));
      return;
    }
    if (textStarts(at, end, "$$ND_")) at += 4;
  }
}

/** YAML tags (`!!python/…`, `!ruby/…`, `!<tag:yaml.org,2002:…>`), and the marks of funcster and cryo. */
function judgeTags(start: usize, end: usize): void {
  for (let at = start; (at = findEither(at, end, Char.Bang, Char.Underscore)) + 8 < end; at++) {
    if (byteAt(at) == Char.Underscore) {
      if (textStarts(at, end, "__js_function") || textStarts(at, end, "_CRYO_FUNCTION_")) {
        found(Rule.DeserFunction, 85, at, min(end, at + 64));
        return;
      }
      continue;
    }
    let tag = at + 1;
    if (byteAt(tag) == Char.Bang) tag++;
    else if (textStarts(tag, end, "<tag:yaml.org,2002:")) tag += 19;
    else if (textStarts(tag, end, " tag:yaml.org,2002:")) tag += 19; // %TAG
    const confidence = tagConfidence(tag, end);
    if (confidence == 0) continue;
    found(Rule.DeserYaml, confidence, at, min(end, tag + 64));
    return;
  }
}

function tagConfidence(tag: usize, end: usize): u32 {
  if (textStarts(tag, end, "python/")) {
    tag += 7;
    const object = textStarts(tag, end, "object:") || textStarts(tag, end, "object/");
    return object || textStarts(tag, end, "name:") || textStarts(tag, end, "module:") ? 90 : 0;
  }
  if (textStarts(tag, end, "ruby/")) {
    tag += 5;
    if (textStarts(tag, end, "hash:") || textStarts(tag, end, "struct:") || textStarts(tag, end, "exception:"))
      return 70;
    return textStarts(tag, end, "object:") ? 85 : 0;
  }
  if (textStarts(tag, end, "php/object") || textStarts(tag, end, "map:java.")) return 85;
  if (textStarts(tag, end, "js/function") || textStarts(tag, end, "perl/code")) return 88;
  // "!!com.example.Type": a package in small letters, then a class.
  if (byteAt(tag - 1) != Char.Bang || byteAt(tag - 2) != Char.Bang) return 0;
  const limit = min(end, tag + MAX_NAME);
  let last = tag;
  let dots: u32 = 0;
  let at = tag;
  for (; at < limit && (isWord(byteAt(at)) || byteAt(at) == Char.Dot || byteAt(at) == Char.Dollar); at++) {
    if (byteAt(at) != Char.Dot) continue;
    dots++;
    last = at + 1;
  }
  // "!!process.env.COLORTERM" negates twice: a class has small letters too.
  if (dots < 2 || last >= at || byteAt(last) - Char.A >= 26 || byteAt(tag) - Char.a >= 26) return 0;
  return hasSmallLetter(last, at) ? 85 : 0;
}

function hasSmallLetter(start: usize, end: usize): bool {
  for (; start < end; start++) if (byteAt(start) - Char.a < 26) return true;
  return false;
}

/** How sure it is that the type `start..end` is built to do harm: one of a chain, or of a library that chains are made of. */
function typeConfidence(start: usize, end: usize): u32 {
  // "L…;" and "[" are how Java's own descriptors and fastjson's bypasses write a class.
  while (
    start < end &&
    (byteAt(start) == Char.BracketOpen || (byteAt(start) == 0x4c && byteAt(end - 1) == Char.Semicolon))
  )
    start++;
  const limit = min(end, start + MAX_NAME);
  let last = start;
  let dots: u32 = 0;
  let at = start;
  for (; at < limit; at++) {
    const byte = byteAt(at);
    if (byte == Char.Dot) {
      dots++;
      last = at + 1;
    } else if (!isWord(byte) && byte != Char.Dollar && byte != Char.Plus && byte != Char.Backtick) {
      break;
    }
  }
  if (
    dots == 0 ||
    last == at ||
    (at < end && byteAt(at) != Char.Comma && byteAt(at) != Char.Semicolon && byteAt(at) != Char.BracketOpen)
  )
    return 0;
  if (keyword(GADGET, last, at) != 0) return 90;
  const runtime =
    "com.sun. sun. javax. java.net. java.rmi. java.io. java.lang.Class java.lang.AutoCloseable java.lang.reflect ";
  const libraries =
    "org.apache. com.mchange. com.zaxxer. ch.qos. oracle.jdbc. groovy. net.sf.ehcache. org.springframework. org.codehaus. ";
  const system = "Diagnostics. Windows. Management.Automation Configuration.Install Workflow Web.UI. ";
  if (
    textStartsOneOf(start, end, runtime) ||
    textStartsOneOf(start, end, libraries) ||
    (textStarts(start, end, "System.") && textStartsOneOf(start + 7, end, system)) ||
    textStarts(start, end, "Microsoft.VisualStudio.")
  ) {
    return 78;
  }
  return 0;
}

/** Judges a string of JSON whose member is named for a type, or that begins an array as the type of what follows. */
export function detectType(start: usize, end: usize): void {
  let name = fieldNameEnd;
  while (name > fieldName && byteAt(name - 1) != Char.Slash) name--;
  if (!mayNameType(byteAt(name))) return;
  const type = isTypeName(name, fieldNameEnd);
  const first = textIs(name, fieldNameEnd, "0");
  // Members that jsonpickle, Oj and Ruby's own reader build from: {"py/reduce": [{"py/type": "os.system"}, …]}, {"^o": "Gem::Installer"}
  if (buildsMember(name, fieldNameEnd, start, end)) return found(Rule.DeserType, 78, start, end);
  const named =
    textIs(name, fieldNameEnd, "class") || textIs(name, fieldNameEnd, "val") || textIs(name, fieldNameEnd, "type");
  if (!type && !first && !named) return;
  const confidence = typeConfidence(start, end);
  if (confidence >= (type ? <u32>1 : 90)) found(Rule.DeserType, type ? confidence : 75, start, end);
}

/** Whether a name that says a type, or builds, may begin with `byte`: "@type", "_class", "py/reduce", "^o", "json_class", "0", "val". */
function mayNameType(byte: u32): bool {
  switch (byte) {
    case Char.At:
    case Char.Dollar:
    case Char.Underscore:
    case Char.Caret:
    case Char._0:
    case Char.c:
    case 0x6a: // j
    case Char.p:
    case Char.t:
    case Char.v:
      return true;
  }
  return false;
}

/** Whether readers of JSON look for a type under that name. */
function isTypeName(start: usize, end: usize): bool {
  return textIsOneOf(start, end, "@type $type @class __type _class @c ");
}

/** Whether the member `name..nameEnd` with the text `start..end` has an object built, or a function called. */
function buildsMember(name: usize, nameEnd: usize, start: usize, end: usize): bool {
  if (nameEnd - name > 5 && textStarts(name, nameEnd, "py")) {
    // In a JSON Pointer "/" is "~1".
    const at = name + (byteAt(name + 2) == Char.Slash ? 3 : textStarts(name + 2, nameEnd, "~1") ? 4 : 0);
    return at > name && textIsOneOf(at, nameEnd, "reduce type function repr ");
  }
  if (!textIs(name, nameEnd, "^o") && !textIs(name, nameEnd, "^c") && !textIs(name, nameEnd, "json_class"))
    return false;
  while (start < end && (isSpace(byteAt(start)) || isQuote(byteAt(start)))) start++;
  return start < end && byteAt(start) - Char.A < 26 && findPair(start, end, Char.Colon, Char.Colon) < end;
}

/** Bytes behind a colon in which the name of a class of Ruby is looked for. */
const CLASS: usize = 64;

/** Text of JSON: a member `"@type":"…"`, or an array `["com.…",` that says what follows. */
function judgeTypes(start: usize, end: usize): void {
  for (let at = start; (at = findEither(at, end, Char.Colon, Char.BracketOpen)) + 4 < end; at++) {
    const array = byteAt(at) == Char.BracketOpen;
    if (!array) {
      let quote = at;
      while (quote > start && isSpace(byteAt(quote - 1))) quote--;
      if (quote - start < 4 || !isQuote(byteAt(quote - 1))) continue;
      const limit = quote - start > 12 ? quote - 12 : start;
      let name = quote - 1;
      while (name > limit && !isQuote(byteAt(name - 1))) name--;
      const near = min(end, at + CLASS);
      if (buildsMember(name, quote - 1, at + 1, near)) return found(Rule.DeserType, 78, name, near);
      if (!isTypeName(name, quote - 1)) continue;
    }
    let value = at + 1;
    value = skipSpaces(value, end);
    if (value + 4 >= end || !isQuote(byteAt(value))) continue;
    value++;
    const valueEnd = findEither(value, min(end, value + MAX_NAME), Char.DoubleQuote, Char.Quote);
    const confidence = typeConfidence(value, valueEnd);
    if (confidence >= (array ? <u32>90 : 1)) {
      found(Rule.DeserType, array ? 75 : confidence, at, valueEnd);
      return;
    }
  }
}

/** Tags that a reader of XML builds objects from. */
function judgeXml(start: usize, end: usize): void {
  for (let at = start; (at = findByte(at, end, Char.Less)) + 6 < end; at++) {
    if (!isLetter(byteAt(at + 1))) continue;
    const stop = findEither(at + 1, end, Char.Greater, Char.Less);
    const confidence = tagOf(at + 1, stop);
    if (confidence == 0) continue;
    found(Rule.DeserXml, confidence, at, min(stop, at + 160));
    return;
  }
}

function tagOf(name: usize, end: usize): u32 {
  let at = name;
  while (
    at < end &&
    (isWord(byteAt(at)) ||
      byteAt(at) == Char.Dot ||
      byteAt(at) == Char.Dash ||
      byteAt(at) == Char.Colon ||
      byteAt(at) == Char.Dollar)
  )
    at++;
  if (textIs(name, at, "dynamic-proxy") || textIs(name, at, "ObjectDataProvider")) return 80;
  const dotted = typeConfidence(name, at);
  if (dotted >= 90 || textStarts(name, at, "javax.") || textStarts(name, at, "com.sun.")) return 85;
  if (textStarts(name, at, "jdk.nashorn.")) return 85;
  // One walk over the attributes' values.
  while ((at = findByte(at, end, Char.Equals)) < end) {
    const equals = at++;
    while (at < end && (isQuote(byteAt(at)) || isSpace(byteAt(at)))) at++;
    const valueEnd = findEither(at, end, Char.DoubleQuote, Char.Quote);
    if (textStarts(at, end, "custom") && textIs(max(name, equals - 13), equals, "serialization")) return 85;
    if (
      textStarts(at, end, "clr-namespace:System.Diagnostics") ||
      textStartsNoCase(at, end, "http://schemas.microsoft.com/clr/nsassem/")
    )
      return 78;
    if (textStarts(at, end, "java.beans.XMLDecoder")) return 92;
    if (textStarts(at, end, "System.Data.Services.Internal.ExpandedWrapper")) return 90;
    if (
      equals - name > 5 &&
      (textIs(equals - 5, equals, "class") || textIs(equals - 4, equals, "type") || textIs(equals - 4, equals, "Type"))
    ) {
      if (typeConfidence(at, valueEnd) >= 90) return 85;
    }
    at = max(at, min(valueEnd, end));
  }
  return 0;
}
