// Line ends that split what a value is put into: headers of HTTP and mail, requests, responses, and commands of line protocols.
//
//   first-line EOL { line EOL } line      EOL = CR | LF | CR LF, U+2028, U+2029, U+0085, U+010D U+010A, and U+560A U+560D
//   line = header-name ":" value | "HTTP/1." status | method … | command
//
// The first line tells an injection from a text: what continues a value is short and no prose, and is no header or request line
// itself, as it is where somebody pastes a mail, a log or an example. A line that begins with a blank continues the one before it (RFC
// 9112 5.2) and is no header, nor are the indented ones of configuration files. One step per byte of the first LINES_READ lines.

import { byteAt, findByte, isDigit, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { fieldPart, Part } from "../core/field";
import { findEither, findHigh } from "../core/scan";
import { textStarts, textStartsNoCase } from "../core/text";
import { HeaderName, HEADER_NAME, LineCommand, LINE_COMMAND } from "../generated/crlf";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { keyword } from "../match/keywords";
import { found } from "./finding";

/** Lines behind the first that are looked at. */
const LINES_READ: u32 = 6;
/** A value of more lines is a text. */
const TEXT_LINES: u32 = 12;
/** Bytes of a first line that a value may have. */
const LONGEST_FIRST: usize = 1024;
/** Longest name of a header. */
const LONGEST_NAME: usize = 40;

/** Whether `start..end` may hold a line end, in ASCII or beyond. */
export function mayBreakLine(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & (Kind.Control | Kind.High)) == 0) return false;
  if ((kinds & Kind.Control) != 0 && findEither(start, end, Char.LineFeed, Char.CarriageReturn) < end) return true;
  return (kinds & Kind.High) != 0 && findLookAlike(start, end) < end;
}

/** Judges `start..end` and reports the surest finding. */
export function detectCrlf(start: usize, end: usize, kinds: u32): void {
  if (!mayBreakLine(start, end, kinds)) return;
  if ((kinds & Kind.High) != 0) {
    const at = findLookAlike(start, end);
    if (at < end && (byteAt(at) == 0xe5 || byteAt(at) == 0xc4)) {
      found(Rule.CrlfLookAlike, 80, at, end);
      return;
    }
  }
  const first = lineEnd(start, end);
  if (first - start > LONGEST_FIRST || readsAsText(start, first)) return;
  judgeLines(start, first, end);
}

/** What the judgement of a line rests on: spaces in the first line, and whether the field is one for a line only. */
let firstSpaces: u32 = 0;
let inLine: bool = false;
/** The first line is a heading: "Response:", "Meeting". */
let heading: bool = false;
/** The header is the only line behind the line end that the value begins with. */
let lone: bool = false;
let valueEnd: usize = 0;
let best: u32 = 0;
let bestRule: u32 = 0;

function weigh(rule: u32, confidence: u32): void {
  if (confidence <= best) return;
  best = confidence;
  bestRule = rule;
}

function judgeLines(start: usize, first: usize, end: usize): void {
  best = 0;
  bestRule = 0;
  valueEnd = end;
  firstSpaces = 0;
  let from = start;
  let to = first;
  while (from < to && byteAt(from) == Char.Space) from++;
  while (from < to && byteAt(to - 1) == Char.Space) to--;
  for (; from < to; from++) if (byteAt(from) == Char.Space) firstSpaces++;
  inLine = fieldPart == Part.Path || fieldPart == Part.Header || fieldPart == Part.Cookie || fieldPart == Part.Query;
  heading = fieldPart != Part.Path && isHeading(start, first);
  // "/a HTTP/1.1\r\n…"
  const splits = firstSpaces == 1 && first - start > 9 && textStarts(first - 9, first, " HTTP/1.");
  if (splits) weigh(Rule.CrlfRequest, 62);
  let evidence = first;
  let at = first;
  let lines: u32 = 0;
  for (; at < end && lines < LINES_READ; lines++) {
    at = skipLineEnds(at, end);
    const next = lineEnd(at, end);
    const before = best;
    judgeLine(start, first, at, next, lines == 0);
    if (best > before) evidence = at;
    at = next;
  }
  if (splits && bestRule == Rule.CrlfHeader) weigh(Rule.CrlfRequest, 86);
  for (; at < end && lines < TEXT_LINES; lines++) at = lineEnd(skipLineEnds(at, end), end);
  const loss: u32 = lines == TEXT_LINES ? 30 : 0;
  if (best > loss) found(bestRule, best - loss, evidence, end);
}

/** Weighs the line `at..next` behind the first one, `start..first`. */
function judgeLine(start: usize, first: usize, at: usize, next: usize, second: bool): void {
  if (at == next) return;
  if (byteAt(at) <= <u32>Char.Space) {
    // A parser that reads the line end as a blank has the header begin here.
    if (!second || !inLine || firstSpaces != 0) return;
    at++;
  }
  if (next - at > 11 && textStarts(at, next, "HTTP/") && isDigit(byteAt(at + 5)) && isDigit(byteAt(at + 9))) {
    weigh(Rule.CrlfResponse, firstSpaces == 0 && !heading ? 85 : bestRule == Rule.CrlfHeader && !heading ? 75 : 45);
    return;
  }
  if (!second && firstSpaces == 0 && !heading && bestRule == 0 && textStartsNoCase(at, next, "<html")) {
    weigh(Rule.CrlfResponse, byteAt(at - 1) == Char.LineFeed && byteAt(at - 2) == Char.CarriageReturn ? 64 : 40);
    return;
  }
  // "%%0a0a": what is left of an escape in an escape.
  if (byteAt(at) == Char._0 && isLetter(byteAt(at + 1)) && next - at > 4) at += 2;
  let name = at;
  while (name < next && name - at < LONGEST_NAME && isToken(byteAt(name))) name++;
  let value = name;
  while (value < next && byteAt(value) == Char.Space) value++;
  if (value < next && byteAt(value) == Char.Colon && name > at) {
    value++;
    while (value < next && byteAt(value) == Char.Space) value++;
    judgeHeader(start, first, at, name, value, next, second);
  } else if (firstSpaces == 0) judgeCommand(start, first, at, name, value, next);
}

/** Weighs the header `at..name` with the value `value..next`. */
function judgeHeader(
  start: usize,
  first: usize,
  at: usize,
  name: usize,
  value: usize,
  next: usize,
  second: bool,
): void {
  const sure: u32 = firstSpaces == 0 ? 85 : firstSpaces <= 2 ? 68 : 45;
  lone = start == first && isLone(start, next);
  const kind = keyword(HEADER_NAME, at, name);
  switch (kind) {
    case HeaderName.Cookie:
      if (findByte(value, next, Char.Equals) < next) weighHeader(start, first, sure);
      return;
    case HeaderName.Location:
      if (isTarget(value, next) || hasScheme(value, next)) weighHeader(start, first, sure);
      return;
    case HeaderName.Number:
      if (value < next && isDigit(byteAt(value))) weighHeader(start, first, sure);
      return;
    case HeaderName.Type:
      // A field for text may begin with an empty line and a header.
      if (findByte(value, next, Char.Slash) < next)
        weighHeader(start, first, start == first && !inLine && !isLone(start, next) ? sure - 10 : sure);
      return;
    case HeaderName.Host:
      if (findByte(value, next, Char.Space) == next) {
        const path = isTarget(start, first) || start == first || byteAt(at - 2) == Char.CarriageReturn;
        if (findEither(value, next, Char.Dot, Char.Colon) < next) weighHeader(start, first, path ? sure - 5 : 50);
      }
      return;
    case HeaderName.Other:
      if (value < next) weighHeader(start, first, sure);
      return;
    case HeaderName.Hidden:
    case HeaderName.Mail:
    case HeaderName.Mime:
    case HeaderName.Subject:
      judgeMail(start, first, kind, value, next, second);
      return;
  }
  if (value >= next) return;
  // Names of nobody's: only where no text stands.
  const path = start == first || byteAt(start) == Char.Slash || byteAt(start) == Char.Percent;
  if (name - at > 3 && (byteAt(at) | 0x20) == Char.x && byteAt(at + 1) == Char.Dash) {
    weighHeader(start, first, firstSpaces != 0 ? 45 : path || inLine ? 78 : 62);
  } else if (fieldPart == Part.Path || fieldPart == Part.Cookie) weigh(Rule.CrlfHeader, 70);
  else if (second && (path || inLine) && firstSpaces == 0 && fieldPart != Part.Header) {
    const line = inLine || (start < first && byteAt(at - 2) == Char.CarriageReturn);
    const dash = findByte(at, name, Char.Dash);
    // Where no path stood, the name has capitals as headers have them: "Header-Test".
    const dashed = dash < name && (path || byteAt(dash + 1) - Char.A < 26);
    weigh(Rule.CrlfHeader, line && (dashed || (inLine && path && start < first && name - at > 3)) ? 64 : 50);
  }
}

/** A field for text may begin with an empty line, or with a heading. */
function weighHeader(start: usize, first: usize, confidence: u32): void {
  let loss: u32 = 0;
  if (!inLine && start == first) loss = confidence > 80 ? 21 : lone ? 18 : 30;
  else if (heading) loss = 30;
  weigh(Rule.CrlfHeader, confidence - loss);
}

/** Whether the line that ends at `next` is all that stands behind the CR LF at `start`. */
function isLone(start: usize, next: usize): bool {
  return byteAt(start) == Char.CarriageReturn && skipLineEnds(next, valueEnd) == valueEnd;
}

/** `javascript:`, `data:`: letters, a colon and no blank. */
function hasScheme(at: usize, end: usize): bool {
  const word = at;
  while (at < end && isLetter(byteAt(at))) at++;
  return at > word && at + 1 < end && byteAt(at) == Char.Colon && byteAt(at + 1) > <u32>Char.Space;
}

/** Weighs a header of mail: `value..next` behind an address or a subject. */
function judgeMail(start: usize, first: usize, kind: u32, value: usize, next: usize, second: bool): void {
  // The parameters of a link to share a text are in Referer, too.
  if (fieldPart == Part.Header || fieldPart == Part.Path) return;
  const address = findByte(value, next, Char.At) < next;
  const from = firstSpaces == 0 && findByte(start, first, Char.At) < first;
  // "Hello," and then what somebody forwards.
  const letter = start < first && byteAt(first - 1) == Char.Comma;
  if (kind == HeaderName.Mime) {
    if (value < next && firstSpaces == 0) weigh(Rule.CrlfMail, from ? 78 : letter ? 45 : 66);
  } else if (kind == HeaderName.Subject) {
    if (second && from && value < next) weigh(Rule.CrlfMail, 68);
  } else if (!address) {
    return;
  } else if (kind == HeaderName.Hidden) {
    weigh(Rule.CrlfMail, firstSpaces == 0 ? 78 : second && firstSpaces < 8 ? 64 : 45);
  } else if (second) {
    weigh(Rule.CrlfMail, from ? 72 : firstSpaces == 0 && start < first && !letter ? 62 : 40);
  }
}

/** Weighs a line that begins with the word `at..name` and goes on at `value`. */
function judgeCommand(start: usize, first: usize, at: usize, name: usize, value: usize, next: usize): void {
  if (name == at) return;
  switch (keyword(LINE_COMMAND, at, name)) {
    case LineCommand.Method:
      // Under a heading, and in a text behind anything but a target, it is a request that somebody quotes.
      if (next - value > 9 && textStarts(next - 9, next, " HTTP/1.")) {
        const whole = inLine || isTarget(start, first) || (start < first && byteAt(at - 2) == Char.CarriageReturn);
        weigh(Rule.CrlfRequest, heading ? 45 : whole ? 82 : 50);
      }
      return;
    case LineCommand.Smtp:
      if (textStartsNoCase(value, next, "to:") || textStartsNoCase(value, next, "from:")) weigh(Rule.CrlfCommand, 80);
      return;
    case LineCommand.Store:
      // set KEY FLAGS SECONDS BYTES
      if (numbersBehind(value, next) >= 3) weigh(Rule.CrlfCommand, 78);
      return;
    case LineCommand.Redis:
      if (isTarget(start, first)) weigh(Rule.CrlfCommand, 72);
  }
}

/** How many words behind the key at `at` are numbers; 0 where any is none, or the key is one. */
function numbersBehind(at: usize, end: usize): u32 {
  if (isDigit(byteAt(at))) return 0;
  while (at < end && byteAt(at) != Char.Space) at++;
  let numbers: u32 = 0;
  while (at < end) {
    at++;
    const from = at;
    while (at < end && isDigit(byteAt(at))) at++;
    if (at == from || (at < end && byteAt(at) != Char.Space)) return 0;
    numbers++;
  }
  return numbers;
}

/** Whether a first line is prose, a heading, a header or a request line: what follows it belongs to a text. */
function readsAsText(start: usize, first: usize): bool {
  if (fieldPart == Part.Path) return false;
  if (start == first) return false;
  const byte = byteAt(start);
  if (byte == Char.Hash && first - start > 1) return byteAt(start + 1) == Char.Space || byteAt(start + 1) == Char.Hash;
  if (byte == Char.BracketOpen || byte == Char.Backtick || byte == Char.Star || byte == Char.Less || byte == Char.Dash)
    return true;
  if (textStartsNoCase(start, first, "http/") || textStartsNoCase(start, first, "curl ")) return true;
  let name = start;
  while (name < first && isToken(byteAt(name))) name++;
  if (name == start || name >= first) return false;
  // A header line, but no URL and no drive.
  if (byteAt(name) == Char.Colon)
    return name + 1 < first && byteAt(name + 1) != Char.Slash && !isDigit(byteAt(name + 1));
  return byteAt(name) == Char.Space && keyword(LINE_COMMAND, start, name) != 0;
}

/** Whether `start..first` ends in ":", or in "," as a letter's first line does, or is one word with a capital. */
function isHeading(start: usize, first: usize): bool {
  if (start == first) return false;
  if (byteAt(first - 1) == Char.Colon || byteAt(first - 1) == Char.Comma) return true;
  if (byteAt(start) - Char.A >= 26) return false;
  while (start < first && isLetter(byteAt(start))) start++;
  return start == first;
}

/** Whether `at..end` begins as a URL or a path. */
function isTarget(at: usize, end: usize): bool {
  if (at >= end) return false;
  if (byteAt(at) == Char.Slash) return true;
  while (at < end && isLetter(byteAt(at))) at++;
  return end - at > 2 && byteAt(at) == Char.Colon && byteAt(at + 1) == Char.Slash;
}

/** The bytes of a header's name that headers have. */
// @ts-ignore: decorator
@inline
function isToken(byte: u32): bool {
  return isLetter(byte) || isDigit(byte) || byte == Char.Dash || byte == Char.Underscore;
}

/** Where the line that begins at `at` ends. */
function lineEnd(at: usize, end: usize): usize {
  const limit = findEither(at, end, Char.LineFeed, Char.CarriageReturn);
  return min(limit, findLookAlike(at, limit));
}

/** Behind the line ends at `at`. */
function skipLineEnds(at: usize, end: usize): usize {
  while (at < end) {
    const byte = byteAt(at);
    if (byte == Char.LineFeed || byte == Char.CarriageReturn) at++;
    else if (byte == 0xe2 && isLookAlike(at, end)) at += 3;
    else if (byte == 0xc2 && isLookAlike(at, end)) at += 2;
    else if (byte == 0xc4 && isLookAlike(at, end)) at += 4;
    else break;
  }
  return at;
}

/** The first line end beyond ASCII, or `end`. */
function findLookAlike(at: usize, end: usize): usize {
  for (; (at = findHigh(at, end)) < end; at++) if (isLookAlike(at, end)) return at;
  return end;
}

/** Whether U+0085, U+2028, U+2029, U+010D U+010A, or U+560A and U+560D in any order stand at `at`. */
function isLookAlike(at: usize, end: usize): bool {
  const byte = byteAt(at);
  if (byte == 0xc2) return end - at > 1 && byteAt(at + 1) == 0x85;
  if (byte == 0xc4) return end - at > 3 && byteAt(at + 1) == 0x8d && byteAt(at + 2) == 0xc4 && byteAt(at + 3) == 0x8a;
  if (byte == 0xe2) return end - at > 2 && byteAt(at + 1) == 0x80 && (byteAt(at + 2) | 1) == 0xa9;
  if (byte != 0xe5 || end - at < 6) return false;
  const first = load16(at + 1);
  const second = load16(at + 4);
  return ((first == 0x8a98 && second == 0x8d98) || (first == 0x8d98 && second == 0x8a98)) && byteAt(at + 3) == 0xe5;
}

// @ts-ignore: decorator
@inline
function load16(at: usize): u32 {
  return byteAt(at) | (byteAt(at + 1) << 8);
}
