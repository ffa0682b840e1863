// How a detector says what it saw. The evidence is masked here, before it is kept: structure and the keywords of the languages
// stay, every other run of letters becomes `a{n}`, of digits `9{n}`, other bytes beyond ASCII `?`. No secret leaves the process.

import { addressHost, addressHostEnd, addressQuery, readAddress } from "../core/address";
import { byteAt, findByte, isDigit, isLetter, putByte, putBytes, putDecimal } from "../core/bytes";
import { Char } from "../core/char";
import {
  fieldForeign,
  fieldName,
  fieldNameEnd,
  fieldPart,
  isOwnHost,
  member,
  memberDepth,
  memberEnd,
  memberParent,
  memberParentEnd,
  Part,
  reportedPart,
  readMember,
} from "../core/field";
import { addFinding, EVIDENCE_CAPACITY, Finding, findingEvidence } from "../core/findings";
import { textIsNoCase } from "../core/text";
import { CMDI_KEYWORDS } from "../generated/cmdi";
import { MEMBER_NAME, MemberName } from "../generated/protocol";
import { FieldRole } from "../generated/redirect";
import { Rule } from "../generated/rules";
import { SQLI_KEYWORDS } from "../generated/sqli";
import { XSS_KEYWORDS } from "../generated/xss";
import { CUSTOM } from "../match/custom-rules";
import { keyword } from "../match/keywords";
import { fieldRole } from "./field-role";

/** How often anything was reported in this VM, sure or not; compared before and after by whoever asks whether a value is clean. */
export let reports: u32 = 0;

/** Classes that were reported on since somebody cleared it, a bit each by its number. */
export let reportedClasses: u32 = 0;

export function clearReportedClasses(): void {
  reportedClasses = 0;
}

/** Lets a value pass for what the request is: where another one holds it, it must be judged again. */
export function passOnce(): void {
  reports++;
}

/** Reports rule `rule` at `confidence` (0–100) for the current field; `start..end` is what the rule rests on. */
export function found(rule: u32, confidence: u32, start: usize, end: usize): void {
  report(rule, confidence, start, end, false, false);
}

/**
 * The same for what leaves no place: the value itself is a whole statement, so it only harms where such a one is run. One that is
 * `complete` may be what somebody looks for.
 */
export function foundWhole(rule: u32, confidence: u32, start: usize, end: usize, complete: bool): void {
  report(rule, confidence, start, end, true, complete);
}

function report(rule: u32, confidence: u32, start: usize, end: usize, whole: bool, complete: bool): void {
  reports++;
  // A class has a hundred of codes, from 100.
  if (confidence >= NOTED && rule < CUSTOM) reportedClasses |= 1 << (rule / 100 - 1);
  if (
    confidence > QUOTED &&
    (fieldForeign ||
      isElsewhere(rule, start, end) ||
      expects(rule, whole, complete) ||
      (fieldPart == Part.Json && quotes(rule, whole, start)))
  )
    confidence = QUOTED;
  const finding = addFinding(rule, confidence, reportedPart, fieldName, fieldNameEnd);
  if (finding === null) return;
  putEvidence(finding, start, end);
}

/** Makes `start..end`, masked, what shows `finding`. */
export function putEvidence(finding: Finding, start: usize, end: usize): void {
  const evidence = findingEvidence(finding);
  finding.evidenceLength = <u8>(mask(start, end, evidence, evidence + EVIDENCE_CAPACITY) - evidence);
}

/** What is surer than this is remembered of a value. */
const NOTED: u32 = 20;
/** What is found in a member that holds what others ran or said is sure to at most this: listed, and refused nowhere. */
const QUOTED: u32 = 55;
/** How deep in a document the members lie that hold scripts; above, `code` and `path` are anybody's parameters. */
const SCRIPT_DEPTH: u32 = 3;
/** From here on a document describes something; what a service takes as a parameter lies higher. */
const DEEP: u32 = 4;
/** Bytes of a record that stand before what it quotes: a time, a level. No parameter is as long before its break-out. */
const PREFACE: usize = 16;

/** Where the reading begins that is judged, and the value that it is of. Set by `detect/judge.ts`. */
let reading: usize = 0;
let readingEnd: usize = 0;
let value: usize = 0;
let valueEnd: usize = 0;
/** Whether the value is the address of another service once it is decoded. */
let encodesAddress = false;

export function setReading(start: usize, end: usize): void {
  reading = start;
  readingEnd = end;
}

export function setValue(start: usize, end: usize): void {
  value = start;
  valueEnd = end;
  encodesAddress = false;
}

/** A layer of the value: what it is an address in may be decoded further. */
export function setLayer(start: usize, end: usize): void {
  encodesAddress = encodesAddress || (readAddress(start, end) && !isOwnHost(addressHost, addressHostEnd));
}

/** Whether `rule` is about what a service does with its own parameters, and the value, or the string that holds it, is the address of another one. */
function isElsewhere(rule: u32, start: usize, end: usize): bool {
  const confusion = rule == Rule.SsrfParserConfusion;
  const own = rule < 400 || (rule >= 800 && rule < 1100) || (rule >= 1400 && rule < 1500) || confusion;
  if (own && encodesAddress && !confusion) return true;
  if (!own || !isAddress(start, end) || isOwnHost(addressHost, addressHostEnd)) return false;
  // "http://a?@b/": one reader's query is another one's host.
  return !confusion || byteAt(addressQuery + 1) != Char.At;
}

/** Whether the value is an address, or the string of JSON that `start..end` stands in. */
function isAddress(start: usize, end: usize): bool {
  if (readAddress(value, valueEnd)) return true;
  if (start <= reading || end > readingEnd || byteAt(reading) != Char.BraceOpen) return false;
  while (start > reading && byteAt(start) != Char.DoubleQuote) start--;
  const close = findByte(start + 1, readingEnd, Char.DoubleQuote);
  return byteAt(start - 1) == Char.Colon && close >= end && close < readingEnd && readAddress(start + 1, close);
}

/** Whether rule `rule` is about an absolute path, which is a name of a file and nothing else. */
function isPlace(rule: u32): bool {
  return rule == Rule.TraversalSensitiveFile || rule == Rule.TraversalWindows || rule == Rule.TraversalFileUrl;
}

/** Whether `rule` rests on a whole command or path, without a break-out. */
function isWhole(rule: u32): bool {
  switch (rule) {
    case Rule.CmdiCommandLine:
    case Rule.CmdiEmbeddedCommand:
    case Rule.CmdiWindows:
    case Rule.CmdiPowershell:
    case Rule.CmdiPipeToShell:
      return true;
  }
  return isPlace(rule);
}

/** Whether the field is for what was found: talk about paths and commands, a query where queries are asked or looked for. */
function expects(rule: u32, whole: bool, complete: bool): bool {
  if (!whole && !isWhole(rule)) return false;
  const role = fieldRole();
  if (role == FieldRole.Talk || holdsContent()) return true;
  return (role == FieldRole.Query && rule < 200) || (role == FieldRole.Search && complete);
}

/** Whether the field is the content of a message or a file in JSON; a form has names of files there, too. */
function holdsContent(): bool {
  if (fieldPart != Part.Json) return false;
  readMember();
  return textIsNoCase(member, memberEnd, "content");
}

/**
 * Whether rule `rule` is about a language that the current member of a document holds as such: the frames, commands and statements
 * of telemetry, the steps of a build, the cells of a notebook. Those who read them show or run them by design.
 */
function quotes(rule: u32, whole: bool, start: usize): bool {
  // SQL, HTML and commands; addresses; templates; code.
  const code = rule - 1400 < 100;
  const language = rule < 400 || rule - 600 < 100 || rule - 800 < 100 || code;
  const place = isPlace(rule);
  if (!language && !place) return false;
  readMember();
  if (memberDepth >= DEEP && (whole || code || isWhole(rule))) return true;
  // What "scripts" or "args" holds by names.
  if (memberDepth > 1 && keyword(MEMBER_NAME, memberParent, memberParentEnd) == MemberName.Script) return true;
  switch (keyword(MEMBER_NAME, member, memberEnd)) {
    case MemberName.Record:
      return memberDepth > 1;
    case MemberName.Script:
      return memberDepth >= SCRIPT_DEPTH;
    case MemberName.Place:
      return place && memberDepth >= SCRIPT_DEPTH;
    case MemberName.Origin:
      return place || memberDepth >= SCRIPT_DEPTH;
    case MemberName.Log:
      if (memberDepth < 2) return false;
    // falls through
    case MemberName.Line:
      if (whole || isWhole(rule)) return true;
      return (rule < 200 || rule >= 300) && start - reading >= PREFACE && start - reading < MAX_PREFACE;
  }
  return false;
}

/** Evidence that is further behind is in another buffer than the reading. */
const MAX_PREFACE: usize = 16384;

/** Letters of a run that are looked up as a keyword at most. */
const MAX_KEYWORD: usize = 24;

/** Writes `start..end` masked to `out`, not beyond `limit`, and returns the next cursor. */
export function mask(start: usize, end: usize, out: usize, limit: usize): usize {
  while (start < end && out + MAX_KEYWORD <= limit) {
    const from = start;
    const byte = byteAt(start);
    if (isLetter(byte)) {
      while (start < end && (isLetter(byteAt(start)) || byteAt(start) == Char.Underscore)) start++;
      out = isKeyword(from, start) ? putBytes(out, from, start) : putRun(out, Char.a, start - from);
    } else if (isDigit(byte)) {
      while (start < end && isDigit(byteAt(start))) start++;
      out = putRun(out, Char._9, start - from);
    } else {
      out = putByte(out, byte < 0x80 ? byte : Char.Question);
      start++;
    }
  }
  return out;
}

function isKeyword(start: usize, end: usize): bool {
  return (
    end - start <= MAX_KEYWORD &&
    (keyword(SQLI_KEYWORDS, start, end) != 0 ||
      keyword(XSS_KEYWORDS, start, end) != 0 ||
      keyword(CMDI_KEYWORDS, start, end) != 0)
  );
}

function putRun(out: usize, kind: u32, length: usize): usize {
  out = putByte(putByte(out, kind), Char.BraceOpen);
  return putByte(putDecimal(out, length), Char.BraceClose);
}
