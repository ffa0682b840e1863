// What the body of a response shows to anybody: secrets, errors, files that should not be served, endpoints for developers, addresses of
// the inside, numbers of people. One pass for all phrases (rules/leak.yaml), one for numbers (leak-numbers.ts); linear, without memory.
//
// Pages are written about such things. So a phrase counts by itself only where nobody writes it so ("! ": raw markup of a debug page) or
// where a body begins with it ("^ "). Of the others is asked where they stand:
//
//   an error    in a response that says it has failed, or in a member of JSON such as "error" or "stack"
//   a trace     two frames and more, likewise
//   a secret    its grammar (leak-secrets.ts), and not in <pre> or <code> of a page
//   a comment   what stands behind the word

import { byteAt, findByte, isDigit, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { findingAt, findingCount, findings, Stage } from "../core/findings";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { hasPair, skipMarks } from "../core/scan";
import { findText, textIs } from "../core/text";
import {
  BATCH_PATHS,
  BATCH_SIGNS,
  CODE_FILES,
  COLLECTORS,
  COMMENT_WORDS,
  COPIES,
  ERROR_NAMES,
  FAILED,
  FROM_SIGNS,
  GIT_SIGNS,
  HOME_SIGNS,
  INSIDE_HOSTS,
  JAVA_FRAMES,
  LINE_SIGNS,
  LISTING_SIGNS,
  LOGIN_SIGNS,
  MAP_SIGNS,
  MESSAGE_NAMES,
  OLD_FILES,
  PASSWORD_FIELDS,
  SCRIPT_FILES,
  SCRIPT_TAGS,
  SETTING_NAMES,
  STATE_SIGNS,
  TRACE_LISTS,
  VARS_SIGNS,
  WEB_SIGNS,
} from "../generated/leak";
import { Rule, RuleClass } from "../generated/rules";
import { findPhrase, openPhrases, phraseEnd, phraseFirst, phraseRule, phraseSure } from "../match/phrases";
import { endsWithWord, findWord, wordWithin } from "../match/vocabulary";
import { ruleClass } from "../match/rules";
import {
  credentials,
  Fact,
  facts,
  host,
  hostEnd,
  path,
  pathEnd,
  requestHeaders,
  requestHeadersEnd,
  type,
  typeEnd,
} from "./exchange";
import { inspectNumbers, judgeInside } from "./leak-numbers";
import {
  judgeAddress,
  judgeCloudKey,
  judgeHash,
  judgeKey,
  judgePassword,
  judgeSecret,
  judgeSettings,
  judgeToken,
} from "./leak-secrets";
import {
  clearSigns,
  first,
  isExample,
  isHeld,
  isJson,
  inWord,
  isSaid,
  isWithin,
  memberHas,
  readMember,
  saw,
  setFirst,
  tellSigns,
} from "./leaked";
import { note } from "./note";
import { BodyType, reply, replyEnd, replyStatus, replyType } from "./reply";

/** A body that says little but an error. */
const SHORT: usize = 1024;
/** Phrases that ask for more than a comparison are looked at this often in a response. */
const MAX_LOOKS: u32 = 256;

/** Frames of a trace, and the first of them. */
let frames: u32 = 0;
let frame: usize = 0;
let frameEnd: usize = 0;
/** Where the comment of HTML ends that began last. */
let commentEnd: usize = 0;

export function inspectLeaks(): void {
  // Text in Markdown is written for people to read.
  if (reply == replyEnd || (typeEnd - type == 13 && byteAt(type + 5) == 0x6d)) return;
  clearSigns();
  setFirst(skipMarks(reply, replyEnd));
  frames = 0;
  frame = frameEnd = commentEnd = 0;
  openPhrases(first);
  let looks: u32 = 0;
  let at = findPhrase(reply, replyEnd);
  for (; at < replyEnd && looks < MAX_LOOKS; looks++) {
    // An address may hold a token.
    const next = phraseRule == Rule.LeakConnectionString ? at + 4 : phraseEnd;
    judge(at, phraseEnd);
    at = findPhrase(next, replyEnd);
  }
  judgeTrace();
  inspectSettings();
  inspectArchive();
  inspectNumbers();
  tellSigns();
}

/** The phrase `at..end`. */
function judge(at: usize, end: usize): void {
  const rule = phraseRule;
  const kind = ruleClass(rule);
  if (kind == RuleClass.Sqli || kind == RuleClass.Nosqli) return judgeDatabase(at, end);
  if (rule == Rule.AuthConsole) return judgeConsole(at, end);
  // A policy file, or an object in JSON: the phrase is all that there is to see.
  if (rule >= <u32>Rule.HeaderCspMissing) {
    return note(rule, phraseSure ? Stage.Confirmed : Stage.Likely, Part.ResponseBody, 0, 0, at, end);
  }
  if (kind != RuleClass.Leak && rule != Rule.GraphqlBatching) return;
  if (phraseFirst) {
    if (rule == Rule.LeakSourceCode) return judgeSource(at);
    if (judgeBeginning(rule, at, end)) saw(rule, Stage.Confirmed, at, end);
    return;
  }
  switch (rule) {
    case Rule.LeakPrivateKey:
      return judgeKey(at, end);
    case Rule.LeakCloudKey:
      return judgeCloudKey(at, end, phraseSure);
    case Rule.LeakServiceToken:
      return judgeToken(at, end);
    case Rule.LeakConnectionString:
      return byteAt(at) == Char.Semicolon ? judgeSettings(at, end) : judgeAddress(at, end);
    case Rule.LeakPasswordHash:
      return judgeHash(at, end);
    case Rule.LeakSecret:
      return at < commentEnd ? judgeComment(at, end, true) : judgeSecret(at, end);
    case Rule.LeakPassword:
      return at < commentEnd ? judgeComment(at, end, true) : judgePassword(at, end);
    case Rule.LeakComment:
      return judgeComment(at, end, byteAt(at) == Char.p);
  }
  if (rule == Rule.LeakSourceCode) return judgeCode(at, end);
  // A script holds the pages that it makes.
  if (replyType == BodyType.Script) return;
  if (phraseSure) return saw(rule, Stage.Confirmed, at, end);
  switch (rule) {
    case Rule.LeakStackTrace:
      return judgeFrame(at, end);
    case Rule.LeakDebugPage:
      if (replyStatus >= 500) saw(rule, Stage.Confirmed, at, end);
      return;
    case Rule.LeakLanguageError:
      return judgeError(at, end);
    case Rule.LeakPath:
      return judgePath(at, end);
    case Rule.LeakInternalAddress:
      // Who asks a host of the inside stands there.
      if (!isInside()) judgeInside(at, end);
      return;
  }
  if (isShown(rule, at)) saw(rule, Stage.Confirmed, at, end);
}

/** The title of a console: it is open where nobody has said who comes, and nobody is asked. */
function judgeConsole(at: usize, end: usize): void {
  if (replyType != BodyType.Html || replyStatus != 200) return;
  if (phraseSure && credentials == 0 && !isHeld(PASSWORD_FIELDS)) {
    note(Rule.AuthConsole, Stage.Confirmed, Part.ResponseBody, 0, 0, at, end);
  } else saw(Rule.LeakConsole, Stage.Confirmed, at, end);
}

/** A body that begins as a file of code does. */
function judgeSource(at: usize): void {
  const braced = byteAt(at) == Char.BraceOpen && replyType != BodyType.Json;
  if ((isJson && !braced) || replyType == BodyType.Script || (facts & Fact.Attached) != 0) return;
  // What reads as text, too, is code where a file of code was asked for.
  const marked = byteAt(at) == Char.Less || byteAt(at) == Char.BraceOpen;
  const limit = min(replyEnd, at + SHORT);
  let stage = Stage.Attempted;
  const asked = endsWithWord(CODE_FILES, path, pathEnd) || (marked && isCodeCopy());
  if (asked || (marked && replyType == BodyType.Html)) stage = Stage.Confirmed;
  else if (marked && findByte(at, limit, Char.Semicolon) < limit) stage = Stage.Likely;
  if (stage != Stage.Attempted) saw(Rule.LeakSourceCode, stage, at, at + 60);
}

/** Whether the path is a copy of a file of code: "/report.jsp.bak", "/index.php~". */
function isCodeCopy(): bool {
  let end = pathEnd;
  while (end > path && byteAt(end - 1) != Char.Dot && byteAt(end - 1) != Char.Tilde && byteAt(end - 1) != Char.Slash)
    end--;
  return end > path + 1 && endsWithWord(CODE_FILES, path, end - 1);
}

/** Code inside of a body. */
function judgeCode(at: usize, end: usize): void {
  const rule = Rule.LeakSourceCode;
  if (byteAt(at) == Char.Equals) {
    // What runs on a server, at the head of a script.
    if (at - first < SHORT && !isJson && endsWithWord(SCRIPT_FILES, path, pathEnd)) saw(rule, Stage.Likely, at, end);
  } else if (replyType == BodyType.Html) {
    if (!isExample(at) && !isWithin(at, SCRIPT_TAGS)) saw(rule, Stage.Likely, at, end);
  } else if (replyType == BodyType.Text && !isJson && endsWithWord(CODE_FILES, path, pathEnd)) {
    saw(rule, Stage.Likely, at, end);
  }
}

/** Whether the phrase with which the body begins says what its rule is about. */
function judgeBeginning(rule: u32, at: usize, end: usize): bool {
  if (rule == Rule.LeakRepository) {
    if (byteAt(at) == Char.BracketOpen) return isHeld(GIT_SIGNS);
    if (byteAt(at) == 0x44) return at == reply && byteAt(at + 4) == 0 && byteAt(at + 7) - 2 < 3;
    if (byteAt(at) == 0x42) return at == reply + 4;
    return true;
  }
  if (rule == Rule.LeakConfiguration) {
    if (byteAt(at + 1) == Char.Question) return isHeld(WEB_SIGNS);
    return byteAt(at) == Char.Less || isHeld(LOGIN_SIGNS);
  }
  if (rule == Rule.LeakMetrics) return !isCollector();
  if (rule == Rule.GraphqlBatching) return wordWithin(BATCH_PATHS, path, pathEnd) != 0 && isHeld(BATCH_SIGNS);
  return true;
}

/** Whether the request is of a collector of metrics. */
function isCollector(): bool {
  openPairs(requestHeaders, requestHeadersEnd);
  while (nextPair()) {
    if (!textIs(pairName, pairNameEnd, "user-agent")) continue;
    return wordWithin(COLLECTORS, pairValue, min(pairValueEnd, pairValue + 64)) != 0;
  }
  return false;
}

/** Whether a phrase that others write too is what its rule is about, by the body around it. */
function isShown(rule: u32, at: usize): bool {
  switch (rule) {
    case Rule.LeakBackup:
      // The heading of a dump.
      return (
        replyType != BodyType.Html && !isJson && at - first < 512 && (at == first || byteAt(at - 1) == Char.LineFeed)
      );
    case Rule.LeakConfiguration:
      return isJson && at - first < 64 && isHeld(STATE_SIGNS);
    case Rule.LeakSourceMap:
      return isJson && isHeld(MAP_SIGNS);
    case Rule.LeakDirectoryListing:
      return isHeld(LISTING_SIGNS) || isOfPath(at);
    case Rule.LeakDebugEndpoint:
      if (byteAt(at + 1) == Char.A || byteAt(at + 1) == 0x50) return !isExample(at) && isHeld(HOME_SIGNS);
      return isJson && (byteAt(at + 1) != 0x6d || isHeld(VARS_SIGNS));
    case Rule.LeakDatabaseError:
      // A statement alone is what an interface for queries tells; of an error's it is a member.
      return isJson && (byteAt(at + 4) != Char.DoubleQuote || replyStatus >= 400);
    case Rule.LeakGraphqlIntrospection:
      return isJson && at - first < 64;
    case Rule.LeakApiDescription:
      return isJson && at - first < 16;
  }
  return false;
}

/** Whether what is listed is the path that was asked for: "<title>Index of /files". */
function isOfPath(at: usize): bool {
  while (byteAt(at) != Char.Slash) at++;
  const size = pathEnd - path;
  return size > 2 && at + size <= replyEnd && memory.compare(at, path, size - 1) == 0;
}

/** How much the member of JSON in which `at` stands is about errors: 2 what only errors have, 1 what messages have, 0 nothing. */
function errorMember(at: usize): u32 {
  if (!isJson || !readMember(at)) return 0;
  return memberHas(ERROR_NAMES) ? 2 : u32(memberHas(MESSAGE_NAMES));
}

/** How sure it is that the response fails with what stands at `at`: Attempted for not at all. */
function failure(at: usize): Stage {
  if (replyType == BodyType.Script) return Stage.Attempted;
  if (replyStatus >= 500) return Stage.Confirmed;
  if (replyStatus >= 400) return Stage.Likely;
  const about = errorMember(at);
  return about == 2 || (about == 1 && replyEnd - reply < SHORT) ? Stage.Likely : Stage.Attempted;
}

function judgeError(at: usize, end: usize): void {
  const stage = failure(at);
  if (stage != Stage.Attempted && !isAsked(at, end)) saw(Rule.LeakLanguageError, stage, at, end + 40);
}

/** Whether the request's path has the phrase, which an answer may repeat. */
function isAsked(at: usize, end: usize): bool {
  const size = end - at;
  const limit = min(pathEnd, path + SHORT);
  for (let from = path; from + size <= limit; from++) {
    if (memory.compare(from, at, size) == 0) return true;
  }
  return false;
}

/** An error of a database. */
function judgeDatabase(at: usize, end: usize): void {
  let stage = failure(at);
  if (stage == Stage.Attempted && phraseSure) stage = Stage.Likely;
  // "Database error: …" in a page that says little else.
  if (stage == Stage.Attempted && replyType != BodyType.Script && replyEnd - reply < 4 * SHORT && !isExample(at)) {
    if (isSaid(at, FAILED)) stage = Stage.Likely;
  }
  if (stage != Stage.Attempted && !isEffect()) saw(Rule.LeakDatabaseError, stage, at, end + 40);
}

/** Whether the response was found to fail for a value of the request: then that is the flaw. */
function isEffect(): bool {
  for (let i: u32 = 0; i < findingCount(findings); i++) {
    const finding = findingAt(findings, i);
    const kind = ruleClass(finding.rule);
    if (finding.stage != 0 && (kind == RuleClass.Sqli || kind == RuleClass.Nosqli)) return true;
  }
  return false;
}

function judgePath(at: usize, end: usize): void {
  if (failure(at) == Stage.Attempted || isAsked(at, end)) return;
  // Not of a URL, nor of a link.
  const before = at > reply ? byteAt(at - 1) : 0;
  if (isLetter(before) || isDigit(before) || before == Char.Dot || before == Char.Equals) return;
  if (replyType == BodyType.Html && before == Char.DoubleQuote) return;
  while (end < replyEnd && (inWord(byteAt(end)) || byteAt(end) == Char.Slash || byteAt(end) == Char.Dot)) end++;
  saw(Rule.LeakPath, Stage.Likely, at, end);
}

/** What may be a frame of a trace, or its heading. */
function judgeFrame(at: usize, end: usize): void {
  switch (byteAt(at)) {
    case Char.Dot: {
      const script = byteAt(at + 2) == 0x6a || (byteAt(at + 2) == 0x73 && byteAt(at + 1) != 0x63);
      while (end < replyEnd && isDigit(byteAt(end))) end++;
      const next = end < replyEnd ? byteAt(end) : Char.LineFeed;
      // Line and column.
      if (script && (next != Char.Colon || !isDigit(byteAt(end + 1)))) return;
      if (inWord(next) || next == Char.Dot || next == Char.Slash || next == Char.Dash) return;
      break;
    }
    case Char.Comma:
      if (!hasPair(at - min(10, at - reply), at, Char.Dot, Char.p)) return;
      break;
    case Char.a: {
      const limit = min(replyEnd, end + 160);
      if (at > reply && inWord(byteAt(at - 1))) return;
      while (end < limit && byteAt(end) != Char.ParenOpen && byteAt(end) >= <u32>Char.Space) end++;
      if (end == limit || byteAt(end) != Char.ParenOpen) return;
      break;
    }
    case Char.DoubleQuote: {
      if (!isJson) return;
      const limit = min(replyEnd, end + 300);
      if (byteAt(at + 1) == Char.f ? !findWord(LINE_SIGNS, end, limit) : !isHeld(JAVA_FRAMES)) return;
      break;
    }
  }
  if (frames++ == 0) {
    frame = at;
    while (frame > reply && at - frame < 60 && byteAt(frame - 1) > <u32>Char.Space) frame--;
    frameEnd = end;
  }
}

function judgeTrace(): void {
  if (frames < 2) return;
  const rule = Rule.LeakStackTrace;
  if (replyStatus >= 400) return saw(rule, Stage.Confirmed, frame, frameEnd);
  if (isJson) {
    const about = errorMember(frame);
    if (about == 2 || isHeld(TRACE_LISTS)) return saw(rule, Stage.Confirmed, frame, frameEnd);
    if (about == 1) saw(rule, Stage.Likely, frame, frameEnd);
    return;
  }
  // A page or a text that begins with an error; others are about one.
  if (replyType == BodyType.Html ? frames < 3 || isExample(frame) : frame - first > SHORT) return;
  if (replyType == BodyType.Html || type == typeEnd || (typeEnd - type == 10 && byteAt(type + 5) == Char.p)) {
    saw(rule, Stage.Likely, frame, frameEnd);
  }
}

/** Bytes behind a word of a comment that say what it is about. */
const BEHIND: usize = 160;

/** A word in a comment; `named`: what it names has a value behind it. */
function judgeComment(at: usize, end: usize, named: bool): void {
  if (byteAt(at) == Char.Less) {
    if (replyType == BodyType.Html && at >= commentEnd) commentEnd = findText(end, replyEnd, "-->");
    return;
  }
  const script = !named && (replyType == BodyType.Script || replyType == BodyType.Html) && isLineComment(at);
  if (at >= commentEnd && !script) return;
  let limit = min(replyEnd, end + BEHIND);
  if (script) limit = findByte(end, limit, Char.LineFeed);
  if (at < commentEnd) limit = min(limit, commentEnd);
  if (!named) {
    const query = byteAt(at) == 0x53;
    if (wordWithin(query ? FROM_SIGNS : COMMENT_WORDS, end, limit) != 0) saw(Rule.LeakComment, Stage.Likely, at, limit);
    return;
  }
  // "password: hunter2", "pass = hunter2"
  if (inWord(byteAt(end - 1)) && inWord(byteAt(end))) return;
  let value = end;
  let signed = !inWord(byteAt(end - 1));
  for (; value < limit; value++) {
    const byte = byteAt(value);
    if (byte == Char.Colon || byte == Char.Equals) signed = true;
    else if (byte != Char.Space) break;
  }
  let to = value;
  while (to < limit && byteAt(to) > <u32>Char.Space && byteAt(to) != Char.Less) to++;
  if (signed && to - value >= 4 && to - value < 40) saw(Rule.LeakComment, Stage.Likely, at, to);
}

/** Whether a comment of a script begins before `at` on its line. */
function isLineComment(at: usize): bool {
  const limit = max(reply, at - min(at - reply, 80));
  for (; at > limit && byteAt(at) != Char.LineFeed; at--) {
    if (byteAt(at) == Char.Slash && (byteAt(at - 1) == Char.Slash || byteAt(at + 1) == Char.Star)) {
      return at < limit + 2 || byteAt(at - 2) != Char.Colon;
    }
  }
  return false;
}

/** Settings as files such as .env have them: lines of NAME=value, one of which is a secret by its name. */
function inspectSettings(): void {
  if (replyType != BodyType.Text || isJson || replyStatus >= 300) return;
  let lines: u32 = 0;
  let secret: usize = 0;
  let secretEnd: usize = 0;
  for (let at = first; at < replyEnd && lines < 256;) {
    let end = at;
    while (end < replyEnd && byteAt(end) != Char.LineFeed) end++;
    const from = at;
    at = end + 1;
    if (end == from || byteAt(from) == Char.Hash || byteAt(from) == Char.CarriageReturn) continue;
    const name = from;
    let to = from;
    while (to < end && (byteAt(to) - Char.A < 26 || isDigit(byteAt(to)) || byteAt(to) == Char.Underscore)) to++;
    // The last line may be cut.
    if (to - name < 2 || to == end || byteAt(to) != Char.Equals) {
      if (end == replyEnd) break;
      return;
    }
    lines++;
    if (secret == 0 && end - to > 6 && wordWithin(SETTING_NAMES, name, to) != 0) {
      secret = name;
      secretEnd = end;
    }
  }
  if (lines > 1 && secret != 0) saw(Rule.LeakConfiguration, Stage.Confirmed, secret, secretEnd);
}

/** Copies that are told by the name that was asked for and by what they are. */
function inspectArchive(): void {
  if (replyType != BodyType.Text || replyStatus != 200) return;
  const word = load<u32>(reply);
  const packed = word == 0x04034b50 || (word & 0xffff) == 0x8b1f || word == 0x21726152 || word == 0xafbc7a37;
  if (!endsWithWord(OLD_FILES, path, pathEnd) && (!packed || !isCopy())) return;
  saw(Rule.LeakBackup, Stage.Likely, reply, min(replyEnd, reply + 16));
}

/** Whether the last part of the path is a name that copies have. */
function isCopy(): bool {
  let name = pathEnd;
  while (name > path && byteAt(name - 1) != Char.Slash) name--;
  return wordWithin(COPIES, name, pathEnd) != 0;
}

/** Whether a host of the inside was asked for. */
function isInside(): bool {
  return wordWithin(INSIDE_HOSTS, host, hostEnd) != 0;
}
