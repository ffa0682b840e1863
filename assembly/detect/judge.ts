// One value, judged by all detectors: as it stands, then layer by layer where it is encoded further. The field it belongs to was
// set before (core/field.ts). Each detector begins with a gate on the kinds of bytes that occur, so a plain value costs one
// vector pass and a few compares.

import { byteAt, findByte, isDigit, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { classify } from "../core/classify";
import {
  fieldName,
  fieldNameEnd,
  fieldPart,
  holdsOperator,
  Part,
  reportAs,
  reportedPart,
  setField,
  setNested,
} from "../core/field";
import { findEither, skipBlank } from "../core/scan";
import { textStarts } from "../core/text";
import { beginsGlobal, beginsObject, unwrap, unwrapped, unwrappedBinary, unwrappedEnd } from "../decode/base64";
import { decodeEscapes } from "../decode/escape";
import { decodePercent } from "../decode/percent";
import { layerEnd, layersBegin, layersNext, layerStart } from "../decode/layers";
import { Kind } from "../generated/kinds";
import { traceLayer, tracing } from "../match/trace";
import {
  argumentEnd,
  argumentName,
  argumentNameEnd,
  argumentStart,
  nextArgument,
  openArguments,
} from "../parse/graphql";
import { detectAuth } from "./auth";
import { detectCmdi } from "./cmdi";
import { detectCrlf } from "./crlf";
import { detectExpression } from "./expression";
import { detectDeser, detectType } from "./deser";
import { setLayer, setReading, setValue } from "./finding";
import { detectJndi } from "./jndi";
import { detectGraphql, givesStrings } from "./graphql";
import { detectLdapi } from "./ldapi";
import { detectNosqli, judgeOperand } from "./nosqli";
import { detectPrototype, judgeWord } from "./prototype";
import { isLink, linkHost, Suspect, suspect } from "./plain";
import { detectSqli } from "./sqli";
import { detectSsi } from "./ssi";
import { detectTraversal } from "./traversal";
import { namesTarget } from "./traversal-gate";
import { detectLink, detectUrls } from "./url";
import { detectXpath } from "./xpath";
import { detectXss } from "./xss";
import { detectXxe } from "./xxe";

/** Kinds that can introduce an encoded layer. */
const ENCODED: u32 = Kind.Percent | Kind.Ampersand | Kind.Backslash | Kind.High | Kind.Plus;

/** Kinds that base64 and hexadecimal digits can have, and what stands around them in a `data:` URL. */
const DIGITS: u32 = Kind.Slash | Kind.Plus | Kind.Dash | Kind.Equals | Kind.Percent | Kind.Space | Kind.Control;
const DATA_URL: u32 = Kind.Colon | Kind.Semicolon | Kind.Dot;

/** Kinds of byte in the value that was judged last, and in all since somebody cleared it. */
export let valueKinds: u32 = 0;
export let allKinds: u32 = 0;

export function clearKinds(): void {
  allKinds = 0;
}

/** Judges the value `start..end`, at most 16 KiB, with 32 readable bytes behind it, and what is wrapped up in it as a whole. */
export function judge(start: usize, end: usize): void {
  setValue(start, end);
  if (holdsOperator()) judgeOperand(start, end);
  const kinds = classify(start, end);
  valueKinds = kinds;
  allKinds |= kinds;
  // Letters, digits, `_`, `,`, `?`, `!` and `@` alone are in no language more than a word.
  if (kinds == 0) judgeWord(start, end);
  else if (isLink(start, end, kinds)) return judgeLink(start, end, kinds);
  else if ((~kinds & PAIRS) == 0 && isForm(start, end)) return judgePairs(start, end);
  else if ((~kinds & DOCUMENT) == 0 && isDocument(start, end)) judgeDocument(start, end, kinds);
  else judgeText(start, end, kinds);
  const wrapped = kinds & ~DIGITS;
  if ((wrapped == 0 || (wrapped & ~DATA_URL) == 0) && unwrap(start, end)) {
    const inside = classify(unwrapped, unwrappedEnd);
    if (unwrappedBinary) {
      detectDeser(unwrapped, unwrappedEnd, inside);
    } else {
      judgeLayers(unwrapped, unwrappedEnd, inside);
      if ((inside & Kind.Quote) != 0) judgeStrings(unwrapped, unwrappedEnd);
      setValue(start, end);
    }
  } else if ((kinds & Kind.Quote) != 0) {
    judgeStrings(start, end);
    setValue(start, end);
  } else if ((~kinds & FORM) == 0 && (kinds & NO_FORM) == 0) {
    judgePairs(start, end);
  }
}

/** Kinds that a form with something to decode in it has, and some that a form escapes. */
const FORM: u32 = Kind.Equals | Kind.Percent;
/** Kinds that a form of two fields has. */
const PAIRS: u32 = Kind.Equals | Kind.Ampersand;
const NO_FORM: u32 = Kind.Space | Kind.Angle | Kind.Brace | Kind.Backtick;
/** Pairs of one form that are judged. */
const MAX_PAIRS: u32 = 64;

/** A form inside of a value (`{"data":"id=7&q=…"}` in JSON): each of its values is one to the service, once it is decoded. */
function judgePairs(start: usize, end: usize): void {
  const whole = start;
  for (let pairs: u32 = 0; pairs < MAX_PAIRS && start < end; pairs++) {
    const pairEnd = findByte(start, end, Char.Ampersand);
    const nameEnd = findByte(start, pairEnd, Char.Equals);
    // What does not begin as a form is none: "/search?q=…", "x; a=…".
    if (pairs == 0 && (nameEnd == start || nameEnd == pairEnd || !isName(start, nameEnd))) return;
    if (findEither(nameEnd, pairEnd, Char.Percent, Char.Plus) < pairEnd) {
      const textEnd = decodePercent(nameEnd + 1, pairEnd, STRING, true);
      const kinds = classify(STRING, textEnd);
      setValue(STRING, textEnd);
      if (kinds != 0) judgeText(STRING, textEnd, kinds);
    }
    start = pairEnd + 1;
  }
  setValue(whole, end);
}

/**
 * Whether all of `start..end` is a form of two fields or more, encoded as such: names of letters and digits, and values with no byte
 * that is escaped in forms. Then it is its fields and nothing else; read as one text, one field would go on as another one's SQL.
 */
function isForm(start: usize, end: usize): bool {
  let pairs: u32 = 0;
  let escapes = false;
  while (start < end && pairs < MAX_PAIRS) {
    const name = start;
    while (start < end && isWord(byteAt(start)) && !textStarts(start, end, "__")) start++;
    if (start == name || start == end || byteAt(start) != Char.Equals) return false;
    for (start++; start < end && byteAt(start) != Char.Ampersand; start++) {
      const byte = byteAt(start);
      if (byte == Char.Percent || byte == Char.Plus) escapes = true;
      else if (!isWord(byte) && byte != Char.Dash && byte != Char.Dot && byte != Char.Star) return false;
    }
    start++;
    pairs++;
  }
  return escapes && pairs > 1 && start > end;
}

/** Whether `start..end` is a name of a form's field. */
function isName(start: usize, end: usize): bool {
  for (; start < end; start++) {
    const byte = byteAt(start);
    if (isWord(byte) || byte == Char.Dash || byte == Char.Dot || byte == Char.Percent) continue;
    if (byte != Char.BracketOpen && byte != Char.BracketClose) return false;
  }
  return true;
}

/** A value as those ask who suspect something. */
export function judgeText(start: usize, end: usize, kinds: u32): void {
  setReading(start, end);
  const suspects = suspect(start, end, kinds);
  if ((suspects & Suspect.Anything) != 0) return judgeLayers(start, end, kinds);
  if ((suspects & Suspect.Sql) != 0) detectSqli(start, end, kinds);
  if ((suspects & Suspect.Command) != 0) detectCmdi(start, end, kinds);
  // A class's name alone is plain, but not where a reader of JSON looks for a type.
  if ((kinds & Kind.Dot) != 0 && fieldPart == Part.Json && end - start > 5) detectType(start, end);
}

/** A link whose spelling says nothing (detect/plain.ts): only where it points, and what it carries. */
export function judgeLink(start: usize, end: usize, kinds: u32): void {
  setReading(start, end);
  if (linkHost != 0) detectLink(start, linkHost, end);
  else detectCmdi(start, end, kinds);
  if (namesTarget(start, end, true)) detectTraversal(start, end, kinds);
  detectPrototype(start, end, kinds);
  detectAuth(start, end, kinds);
}

/** A value as it stands, then layer by layer. */
function judgeLayers(start: usize, end: usize, kinds: u32): void {
  judgeWhole(start, end, kinds);
  peel(start, end, kinds);
}

/** A value as it stands. */
function judgeWhole(start: usize, end: usize, kinds: u32): void {
  detect(start, end, kinds);
  if (givesStrings) judgeArguments(start, end);
}

/** A document of JSON as a whole: its strings, all of which are judged by themselves, hold what leaves a place or is run. */
function judgeDocument(start: usize, end: usize, kinds: u32): void {
  setReading(start, end);
  detectMost(start, end, kinds);
  if (givesStrings) judgeArguments(start, end);
}

/** The strings of a document of GraphQL are values to the service, as they stand and encoded. */
function judgeArguments(start: usize, end: usize): void {
  const part = fieldPart;
  const reported = reportedPart;
  const name = fieldName;
  const nameEnd = fieldNameEnd;
  openArguments(start, end);
  while (nextArgument()) {
    const kinds = classify(argumentStart, argumentEnd);
    if (kinds == 0) continue;
    setField(Part.Json, argumentName, argumentNameEnd);
    reportAs(Part.Graphql);
    setValue(argumentStart, argumentEnd);
    detect(argumentStart, argumentEnd, kinds);
    peel(argumentStart, argumentEnd, kinds);
  }
  setField(part, name, nameEnd);
  reportAs(reported);
  setValue(start, end);
}

/** Judges what `start..end` is encoded from, layer by layer. */
function peel(start: usize, end: usize, kinds: u32): void {
  if ((kinds & ENCODED) == 0) return;
  layersBegin(start, end);
  while (layersNext(kinds)) {
    if (isDefined(CHECKED) && tracing) traceLayer(layerStart, layerEnd);
    kinds = classify(layerStart, layerEnd);
    setLayer(layerStart, layerEnd);
    detect(layerStart, layerEnd, kinds);
  }
}

/** Kinds that an object of JSON has. */
const DOCUMENT: u32 = Kind.Quote | Kind.Brace | Kind.Colon;

/** Whether all of `start..end` is JSON: what is encoded in it stands in a string, and is read as that one's. */
function isDocument(start: usize, end: usize): bool {
  if (byteAt(start) != Char.BraceOpen && byteAt(start) != Char.BracketOpen) return false;
  for (let strings: u32 = 0; start < end; start++) {
    const byte = byteAt(start);
    if (byte == Char.DoubleQuote) {
      if (++strings > MAX_STRINGS) return false;
      do {
        start = findEither(start + 1, end, Char.DoubleQuote, Char.Backslash);
        if (start < end && byteAt(start) == Char.Backslash) start++;
        else break;
      } while (start < end);
      if (start >= end) return false;
    } else if (!isDigit(byte) && !isSpace(byte) && !isStructure(byte)) return false;
  }
  return true;
}

/** Whether `byte` stands between strings of JSON: a bracket, a mark, a number's part, a letter of true, false and null. */
function isStructure(byte: u32): bool {
  switch (byte) {
    case Char.BraceOpen:
    case Char.BraceClose:
    case Char.BracketOpen:
    case Char.BracketClose:
    case Char.Colon:
    case Char.Comma:
    case Char.Dash:
    case Char.Dot:
    case Char.a:
    case Char.e:
    case Char.f:
    case 0x6c:
    case Char.n:
    case Char.r:
    case 0x73:
    case Char.t:
    case Char.u:
      return true;
  }
  return false;
}

/** Strings of one text of JSON that are judged. */
const MAX_STRINGS: u32 = 256;
/** A string of it, unescaped, with room behind it. Owner: this file. */
const STRING: usize = memory.data(16448, 16);

/** JSON inside of a value (`{"q":"…"}` in a form field): each of its strings, names too, is a value of its own to the service. */
function judgeStrings(start: usize, end: usize): void {
  start = skipBlank(start, end);
  if (end - start < 4 || (byteAt(start) != Char.BraceOpen && byteAt(start) != Char.BracketOpen)) return;
  const first = skipBlank(start + 1, end);
  // What begins otherwise is no JSON, as most of what begins with a bracket.
  const mark = byteAt(first);
  if (mark != Char.DoubleQuote && mark != Char.BraceOpen && mark != Char.BracketOpen && !isDigit(mark)) return;
  for (let strings: u32 = 0; strings < MAX_STRINGS; strings++) {
    const open = findByte(start, end, Char.DoubleQuote) + 1;
    if (open >= end) return;
    let close = open;
    let escaped = false;
    while (
      (close = findEither(close, end, Char.DoubleQuote, Char.Backslash)) < end &&
      byteAt(close) == Char.Backslash
    ) {
      escaped = true;
      close += 2;
    }
    close = min(close, end);
    start = close + 1;
    const textEnd = escaped ? decodeEscapes(open, close, STRING) : close;
    const string = escaped ? STRING : open;
    const kinds = classify(string, textEnd);
    if (kinds == 0) continue;
    setNested(true);
    setValue(string, textEnd);
    judgeLayers(string, textEnd, kinds);
    if (!escaped && (~kinds & FORM) == 0 && (kinds & NO_FORM) == 0) judgePairs(string, textEnd);
    setNested(false);
  }
}

/** Judges a body, or its first 16 KiB, of a type that is not read: only as a serialized object. */
export function judgeObject(start: usize, end: usize): void {
  if (end - start > 6 && (beginsObject(start) || beginsGlobal(start, end)))
    detectDeser(start, end, classify(start, end));
}

/** Judges a start tag of XML: only as what it makes its reader load or build. */
export function judgeMarkup(start: usize, end: usize): void {
  const kinds = classify(start, end);
  detectXxe(start, end, kinds);
  detectDeser(start, end, kinds);
}

/** All detectors on one reading of a value. */
export function detect(start: usize, end: usize, kinds: u32): void {
  setReading(start, end);
  detectSqli(start, end, kinds);
  detectXss(start, end, kinds);
  detectCmdi(start, end, kinds);
  detectMost(start, end, kinds);
}

/** All but those of the languages that strings break out into. */
function detectMost(start: usize, end: usize, kinds: u32): void {
  detectTraversal(start, end, kinds);
  detectXxe(start, end, kinds);
  detectDeser(start, end, kinds);
  detectJndi(start, end, kinds);
  detectExpression(start, end, kinds);
  detectSsi(start, end, kinds);
  detectUrls(start, end, kinds);
  detectNosqli(start, end, kinds);
  detectLdapi(start, end, kinds);
  detectXpath(start, end, kinds);
  detectGraphql(start, end, kinds);
  detectPrototype(start, end, kinds);
  detectCrlf(start, end, kinds);
  detectAuth(start, end, kinds);
}
