// Objects of a language's own serialization in what a service hands out or takes: cookies, hidden fields, parameters, bodies. Known by
// their grammar as far as that is cheap to read; what is signed behind it is let be, since it cannot be changed.
//
//   Java    ac ed 00 05, a type code          .NET   00 01 00 00 00 ff ff ff ff 01 00 00 00
//   Ruby    04 08, a type                     PHP    a:1:{s:…}   O:3:"Foo":1:{…}
//   Python  a pickle that runs to its end     each also in base64 or hexadecimal, percent-encoded before
//
// And the state of a page of ASP.NET (LosFormatter): read from its first object to its last; where nothing stands behind that it is not
// signed. One pass, no recursion: how many objects are still to come is all there is to know.

import { byteAt, findByte, isDigit, isSpace } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { findPair } from "../core/scan";
import { textStarts } from "../core/text";
import { unwrap, unwrapped, unwrappedEnd } from "../decode/base64";
import { decodePercent } from "../decode/percent";
import { HeaderKind } from "../generated/header";
import { Rule } from "../generated/rules";
import { SERIAL_TYPE } from "../generated/serialized";
import { wordIn } from "../match/vocabulary";
import { decodeBase64 } from "../parse/word";
import { PICKLE_WHOLE, readPickle } from "../tokenize/pickle";
import { isTaken } from "./credentials";
import { requestType, requestTypeEnd, type, typeEnd } from "./exchange";
import { noteLine, noteNamed } from "./lines";
import { note } from "./note";
import { BodyType, reply, replyEnd, replyType } from "./reply";

/** Bytes of a value that are read. */
const CAPACITY: usize = 4096;
const PLAIN: usize = memory.data(4128, 8);
/** Bytes of a page's state that are read. */
const STATE_CAPACITY: usize = 32768;
const STATE: usize = memory.data(32784, 8);
/** Bytes that are shown. */
const SHOWN: usize = 48;

/** Judges what the headers say of bodies. */
export function inspectSerialHeaders(): void {
  if (wordIn(SERIAL_TYPE, type, typeEnd) != 0) noteLine(Rule.DeserMediaType, Stage.Confirmed, HeaderKind.Type);
  if (isTaken() && wordIn(SERIAL_TYPE, requestType, requestTypeEnd) != 0) {
    noteNamed(Rule.DeserMediaType, Stage.Confirmed, Part.Header, "content-type", requestType, requestTypeEnd);
  }
}

/** Judges the value of a field. */
export function inspectSerialValue(start: usize, end: usize, part: Part, name: usize, nameEnd: usize): void {
  if (end - start < 8 || end - start > CAPACITY) return;
  let from = start;
  let to = end;
  if (byteAt(start) - 0x41 < 58 && findPercent(start, end)) {
    from = PLAIN;
    to = decodePercent(start, end, PLAIN, true);
  }
  // Rails signs so.
  if (findPair(from, to, Char.Dash, Char.Dash) < to) return;
  let rule = ruleOf(from, to);
  if (rule == 0 && unwrap(from, to)) rule = ruleOf(unwrapped, unwrappedEnd);
  if (rule != 0) note(rule, Stage.Likely, part, name, nameEnd, start, min(end, start + SHOWN));
}

function findPercent(start: usize, end: usize): bool {
  while (start < end && byteAt(start) != Char.Percent) start++;
  return start < end;
}

/** Judges the body. */
export function inspectSerialBody(): void {
  let end = replyEnd;
  while (end > reply && isSpace(byteAt(end - 1))) end--;
  if (end - reply < 8) return;
  const rule = ruleOf(reply, end);
  if (rule != 0) noteNamed(rule, Stage.Likely, Part.ResponseBody, "", reply, min(end, reply + SHOWN));
  else if (replyType == BodyType.Json) inspectSerialTexts();
}

/** Strings of a body that are looked into. */
const MAX_TEXTS: u32 = 16;

/** Judges the strings of JSON that begin as such objects do in base64. */
function inspectSerialTexts(): void {
  let looks: u32 = 0;
  for (let at = findByte(reply, replyEnd, Char.DoubleQuote); at < replyEnd && looks < MAX_TEXTS;) {
    if (!isWrapped(load<u32>(at + 1))) {
      at = findByte(at + 1, replyEnd, Char.DoubleQuote);
      continue;
    }
    const end = findByte(at + 1, replyEnd, Char.DoubleQuote);
    inspectSerialValue(at + 1, end, Part.ResponseBody, at, at);
    looks++;
    at = findByte(min(end + 1, replyEnd), replyEnd, Char.DoubleQuote);
  }
}

/** Whether base64 that begins so holds one: "gA" (pickle), "rO0" (Java), "AAE" (.NET), "BAh" (Ruby), "Tzo" and "YTo" (PHP). */
function isWrapped(word: u32): bool {
  if ((word & 0xffff) == 0x4167) return true;
  const head = word & 0xffffff;
  return head == 0x304f72 || head == 0x454141 || head == 0x684142 || head == 0x6f7a54 || head == 0x6f5459;
}

/** The rule for the format of `start..end`, at least 8 bytes; 0 for none. */
function ruleOf(start: usize, end: usize): u32 {
  if (end - start < 8) return 0;
  const head = load<u32>(start);
  if (head == 0x0500edac) return byteAt(start + 4) - 0x70 < 15 ? Rule.DeserJavaCarried : 0;
  if (head == 0x00000100) return load<u64>(start + 4) == 0x000001ffffffff00 ? Rule.DeserNetCarried : 0;
  const first = head & 0xff;
  if (first == 0x80 || (first == Char.ParenOpen && (textStarts(start, end, "(dp") || textStarts(start, end, "(lp")))) {
    return (readPickle(start, end) & PICKLE_WHOLE) != 0 ? Rule.DeserPythonCarried : 0;
  }
  if ((head & 0xffff) == 0x0804) return isRuby((head >> 16) & 0xff) ? Rule.DeserRubyCarried : 0;
  return isPhp(start, end) ? Rule.DeserPhpCarried : 0;
}

/** `[` `{` `"` `o` `I` `u` `U` `e` `S` `:` */
function isRuby(type: u32): bool {
  return (
    type == Char.BracketOpen ||
    type == Char.BraceOpen ||
    type == Char.DoubleQuote ||
    type == Char.Colon ||
    type == 0x6f ||
    type == 0x49 ||
    (type | 0x20) == Char.u ||
    type == Char.e ||
    type == 0x53
  );
}

function isPhp(start: usize, end: usize): bool {
  const letter = byteAt(start);
  if ((letter != Char.a && letter != 0x4f && letter != 0x43) || byteAt(start + 1) != Char.Colon) return false;
  if (byteAt(end - 1) != Char.BraceClose) return false;
  let at = start + 2;
  while (at < end && isDigit(byteAt(at))) at++;
  if (at == start + 2 || byteAt(at) != Char.Colon) return false;
  // `O:3:"Foo":1:{` has a name before its brace.
  return letter == Char.a
    ? textStarts(at + 1, end, "{s:") || textStarts(at + 1, end, "{i:")
    : byteAt(at + 1) == Char.DoubleQuote;
}

let at: usize = 0;
let stop: usize = 0;
/** Objects that are still to come. */
let left: u32 = 0;

/** Judges the state `start..end` of a page of ASP.NET. */
export function inspectViewState(start: usize, end: usize, name: usize, nameEnd: usize): void {
  if (end - start > STATE_CAPACITY) return;
  stop = decodeBase64(start, end, STATE);
  if (stop - STATE < 4 || load<u16>(STATE) != 0x01ff) return;
  at = STATE + 2;
  left = 1;
  while (left != 0 && at < stop) {
    left--;
    if (!readObject(byteAt(at++))) return;
  }
  if (left == 0 && at == stop) {
    note(Rule.DeserViewstate, Stage.Confirmed, Part.ResponseBody, name, nameEnd, start, min(end, start + SHOWN));
  }
}

/** What follows a token of LosFormatter: a `Step`, or so many bytes, or so many objects. */
const STEPS: usize = memory.data<u8>([
  0, 0x12, 0x01, 0x11, 0, 0x02, 0x18, 0x18, 0x14, 0x14, 0x01, 0x04, 0x10, 0, 0, 0x22, 0x23, 0, 0, 0, 0x05, 0x08, 0x06,
  0x07, 0x07, 0x03, 0, 0x1c, 0x10, 0, 0x02, 0x11,
]);
const BYTES: u32 = 0x10;
const OBJECTS: u32 = 0x20;
/** Behind its own token stands an object of BinaryFormatter, as bytes. */
const BINARY: u32 = 50;

const enum Step {
  Unknown = 0,
  Count = 1,
  Text = 2,
  Type = 3,
  TypeAndCount = 4,
  TypeAndMembers = 5,
  Members = 6,
  Pairs = 7,
  Texts = 8,
}

/** Reads an object behind its token; false for a token that is not known. */
function readObject(token: u32): bool {
  // null, "", 0, true, false
  if (token - 100 < 5) return true;
  const step: u32 = token < 32 ? load<u8>(STEPS + token) : token == BINARY ? <u32>Step.Text : 0;
  if (step >= OBJECTS) left += step - OBJECTS;
  else if (step >= BYTES) at += step - BYTES;
  if (step >= BYTES) return true;
  if (step == <u32>Step.Text) return readText();
  if (step - <u32>Step.Type < 3 && !readType()) return false;
  if (step == Step.Type) return true;
  let count = readCount();
  if (step == Step.Texts) while (count != 0 && at < stop && readText()) count--;
  if (step >= <u32>Step.TypeAndMembers) left += step == Step.Pairs ? count * 2 : count;
  // Each takes a byte at least.
  return step != Step.Unknown && count < <u32>STATE_CAPACITY;
}

function readType(): bool {
  const token = byteAt(at++);
  if (token == 41 || token == 42) return readText();
  readCount();
  return token == 43;
}

/** Bytes behind their count. */
function readText(): bool {
  const size = readCount();
  at += size;
  return size < <u32>STATE_CAPACITY;
}

/** An integer in groups of seven bits, the lowest first. */
function readCount(): u32 {
  let count: u32 = 0;
  for (let shift: u32 = 0; shift < 35 && at < stop; shift += 7) {
    const byte = byteAt(at++);
    count |= (byte & 0x7f) << (shift & 31);
    if (byte < 0x80) break;
  }
  return count;
}
