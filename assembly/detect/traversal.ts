// Path traversal and file inclusion. A value is read as the path it may be: whole where it is one, else each run of path
// characters in it. The normal form's tokens run through the table of rules/traversal.yaml; what matches is weighed by the place
// of the run. One step per byte and reading (at most two), no memory but the tokenizer's.
//
//   ../../etc/passwd                 whole: the value is a path, the rule's own confidence
//   /show?file=../../etc/passwd      parameter: behind "=" in a value without spaces
//   see ../../etc/passwd             embedded: links, logs and prose look like this, so only climb and target together count

import { Char } from "../core/char";
import { byteAt, findByte, isSpace, isWord, skipSpaces } from "../core/bytes";
import { fieldNested, fieldPart, Part } from "../core/field";
import { findPair } from "../core/scan";
import { textStartsNoCase } from "../core/text";
import { Kind } from "../generated/kinds";
import { FieldRole } from "../generated/redirect";
import { Rule } from "../generated/rules";
import { Path, TRAVERSAL_KEYWORDS } from "../generated/traversal";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import {
  matchPath,
  pathClimbs,
  pathSpelling,
  pathToken,
  pathTokens,
  pathUps,
  skipDigits,
  Spelling,
  tokenizePath,
} from "../tokenize/path";
import { fieldRole } from "./field-role";
import { found } from "./finding";
import { mayPoint, mayStream } from "./traversal-gate";

const enum Place {
  Whole = 0,
  Parameter = 1,
  Embedded = 2,
}

/** Spaces from which on a text counts as prose. */
const PROSE_SPACES: u32 = 4;
/** Spaces in the names of a path: "Documents and Settings\\All Users\\Start Menu" has four. */
const PATH_SPACES: u32 = 5;
/** The same on Unix. */
const UNIX_SPACES: u32 = 2;
/** The longest path with spaces in it: Windows' own limit. */
const SPACED_PATH: usize = 260;

/** Judges `start..end` and reports the surest finding of a path in it. */
export function detectTraversal(start: usize, end: usize, kinds: u32): void {
  if (!holdsPath(start, end, kinds)) return;
  start = skipSpaces(start, end);
  while (start < end && isSpace(byteAt(end - 1))) end--;
  if (start < end && mayPoint(start, end, kinds)) judgePaths(start, end, kinds);
}

/** Whether `start..end` has a separator. Without one only a segment of the URL path can climb: "..;". */
export function holdsPath(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & (Kind.Slash | Kind.Backslash | Kind.Percent)) != 0 || (~kinds & (Kind.High | Kind.Dot)) == 0)
    return true;
  if (fieldPart == Part.Path && (kinds & Kind.Dot) != 0) return true;
  if (mayStream(start, end, kinds)) return true;
  // "index.php\0.jpg": the name ends before what the program looks at.
  if ((~kinds & (Kind.Control | Kind.Dot)) == 0 && findByte(start, end, Char.Nul) < end) return true;
  return spelledOut(start, end);
}

/** Judges a stream of NTFS, which is the file itself under another name: "index.asp::$DATA", "x:$I30:$INDEX_ALLOCATION". */
function judgeStream(start: usize, end: usize): void {
  for (let at = start + 1; (at = findByte(at, end, Char.Dollar)) < end; at++) {
    if (byteAt(at - 1) != Char.Colon) continue;
    const data = textStartsNoCase(at, end, "$data") && !(at + 5 < end && isWord(byteAt(at + 5)));
    if (!data && !textStartsNoCase(at, end, "$i30:$index_allocation")) continue;
    found(Rule.TraversalFilterEvasion, ruleConfidence(Rule.TraversalFilterEvasion), start, end);
    return;
  }
}

/** Reads `start..end`, not empty and without white space around it, as paths, and reports the surest finding. */
export function judgePaths(start: usize, end: usize, kinds: u32): void {
  if (mayStream(start, end, kinds)) judgeStream(start, end);
  let best: u32 = 0;
  let bestRule: u32 = 0;
  let bestStart = start;
  let bestEnd = end;

  const spaces = kinds & (Kind.Space | Kind.Control) ? countSpaces(start, end) : 0;
  // "C:\Program Files\…": spaces belong to the path where it is the whole value.
  if (spaces != 0 && (kinds & Kind.Quote) == 0 && end - start <= SPACED_PATH && startsPath(start, end, spaces)) {
    best = judge(start, end, Place.Whole, spaces);
    bestRule = judgedRule;
  }
  let at = start;
  while (at < end) {
    if (isDelimiter(at, start)) {
      at++;
      continue;
    }
    const from = at;
    let separated = spelledOut(at, end);
    let telling = separated || beginsTelling(byteAt(at));
    let before: u32 = 0;
    while (at < end && !isDelimiter(at, start)) {
      const byte = byteAt(at++);
      if (byte == Char.Slash) separated = true;
      else if (byte == Char.Backslash || byte == Char.Percent || byte >= 0xc0 || byte == Char.Nul)
        telling = separated = true;
      else if (byte == Char.Colon || (byte == Char.Dot && before == Char.Dot)) telling = true;
      before = byte;
    }
    if (!separated && fieldPart != Part.Path) continue;
    let place = Place.Embedded;
    if (spaces == 0)
      place = from == start ? Place.Whole : byteAt(from - 1) == Char.Equals ? Place.Parameter : Place.Embedded;
    // "Gecko/20100101": inside a text a relative path without a climb is nothing.
    if (place == Place.Embedded && !telling && fieldPart != Part.Path) continue;
    const confidence = judge(from, at, place, spaces);
    if (confidence > best) {
      best = confidence;
      bestRule = judgedRule;
      bestStart = from;
      bestEnd = at;
    }
  }
  if (
    best < ruleConfidence(Rule.TraversalFilterEvasion) &&
    spaces == 0 &&
    fieldPart != Part.Path &&
    hidesTarget(start, end)
  ) {
    best = ruleConfidence(Rule.TraversalFilterEvasion);
    bestRule = Rule.TraversalFilterEvasion;
    bestStart = start;
    bestEnd = end;
  }
  if (best != 0) found(bestRule, best, bestStart, bestEnd);
}

/** The fewest bytes of dots, separators and escapes that are more than the start of a path, and where any of them is odd. */
const VEIL: usize = 8;
const ODD_VEIL: usize = 3;
/** The longest target behind a veil, and the names of it that are read. */
const VEILED_TARGET: usize = 96;
const VEILED_NAMES: u32 = 8;

/**
 * Whether a value is nothing but dots, separators, wildcards and escapes, whatever they decode to, up to the name of a system
 * file: ".?/.?/etc/passwd", "%c0%5e%c0%5e/boot.ini", "..../%uEFC8etc%uEFC8issue".
 */
function hidesTarget(start: usize, end: usize): bool {
  let at = start;
  let odd = false;
  /** An escape of two characters or of one: "%5%cetc". */
  let doubtful = false;
  while (at < end) {
    const byte = byteAt(at);
    const wasDoubtful = doubtful;
    doubtful = false;
    if (byte == Char.Dot || byte == Char.Slash || byte == Char.Backslash) {
      at++;
      continue;
    }
    if (byte == Char.Percent) {
      if ((byteAt(at + 1) | 0x20) == Char.u && end - at > 6 && skipDigits(skipDigits(at + 2, end), end) == at + 6)
        at += 6;
      else {
        const next = skipDigits(at + 1, end);
        doubtful = next == at + 3;
        at = next;
      }
    } else if (byte == Char._0 && end - at > 4 && (byteAt(at + 1) | 0x20) == Char.x) at += 4;
    else if (byte == Char.Question && isVeil(byteAt(at + 1))) at++;
    // c0 and c1 start nothing in UTF-8, and take any byte with them; nor does what is longer than four
    // bytes; ee and ef begin the characters for private use.
    else if (byte == 0xc0 || byte == 0xc1) at += byteAt(at + 1) == Char.Percent ? 1 : 2;
    else if (byte >= 0xf8 || byte >> 6 == 2 || byte >> 1 == 0x77) at++;
    else if ((byte == 0xe0 || byte == 0xf0) && byteAt(at + 1) == 0x80) at++;
    else {
      doubtful = wasDoubtful;
      break;
    }
    odd = true;
  }
  if (at < start + (odd ? ODD_VEIL : VEIL) || at >= end || end - at > VEILED_TARGET) return false;
  return isTarget(at, end) || (doubtful && isTarget(at - 1, end));
}

/** Whether `byte` may follow a wildcard that stands for a dot. */
function isVeil(byte: u32): bool {
  return (
    byte == Char.Dot ||
    byte == Char.Question ||
    byte == Char.Slash ||
    byte == Char.Backslash ||
    byte == Char.Percent ||
    byte >= 0xc0
  );
}

/** Whether `at..end` is a system file, or a folder of the system and a name that is in it, with whatever for separators. */
function isTarget(at: usize, end: usize): bool {
  let folder = false;
  for (let names: u32 = 0; at < end && names < VEILED_NAMES; names++) {
    const from = at;
    while (at < end && (isWord(byteAt(at)) || byteAt(at) == Char.Dot)) at++;
    let kind = keyword(TRAVERSAL_KEYWORDS, from, at);
    // The escape before it took its first letter: "%fpasswd".
    if (kind == 0 && names != 0 && isWord(byteAt(from - 1))) kind = keyword(TRAVERSAL_KEYWORDS, from - 1, at);
    if (kind == Path.WindowsFile || (folder && (kind == Path.Account || kind == Path.Windows))) return true;
    if (names == 0 && kind != Path.Etc && kind != Path.Windows) return false;
    folder = true;
    // A separator: a mark, or an escape and its digits ("%5%c", "%c1%pc", "%uEFC8", "\xc1\x9c").
    while (at < end && !isWord(byteAt(at))) {
      const byte = byteAt(at);
      at++;
      if (byte == Char.Percent) {
        const wide = (byteAt(at) | 0x20) == Char.u;
        at = wide
          ? min(end, at + 5)
          : at + 1 < end && byteAt(at + 1) == Char.Percent
            ? at + 1
            : min(end, skipDigits(at, end));
      }
    }
  }
  return false;
}

/** The rule of the last `judge`. */
let judgedRule: u32 = 0;

/** How sure it is that `start..end` at `place` is an attack; 0 for no match. */
function judge(start: usize, end: usize, place: Place, spaces: u32): u32 {
  tokenizePath(start, end);
  judgedRule = spelledRule(matchPath());
  if (fieldPart == Part.Path) return judgeUrlPath(start, end);
  if (judgedRule == 0) return 0;
  let loss: u32 = 0;
  // Packages name those beside them: "file:../shared", "file:packages/a".
  if (pathToken(0) == Path.FileScheme && byteAt(start + 5) != Char.Slash && place == Place.Whole) {
    if (judgedRule == Rule.TraversalFileUrl || (judgedRule == Rule.TraversalClimbRoot && pathUps == 1)) loss = 20;
  }
  // One climb with an escaped separator: links in links look like it, but not as a whole value. What people write is no file's name.
  if (judgedRule == Rule.TraversalClimbShallow && pathSpelling & Spelling.EncodedSlash && place == Place.Whole) {
    if (fieldRole() != FieldRole.Talk) {
      judgedRule = Rule.TraversalEncoded;
      loss = 20;
    }
  }
  // "C:\Windows\System32 is full": a folder of which something is said.
  if (place == Place.Whole && spaces != 0 && isAbsoluteRule(judgedRule) && trailsOff(start, end)) loss = 20;
  if (loss == 0) loss = placeLoss(place, spaces);
  const base = ruleConfidence(judgedRule);
  return base > loss ? base - loss : 0;
}

/** Whether words stand behind the last name of the path `start..end`, which is none of a file. */
function trailsOff(start: usize, end: usize): bool {
  // Unix has next to no names with spaces: "/etc/nginx or /etc/apache2".
  if (byteAt(start) == Char.Slash && countSpaces(start, end) > 1) return true;
  let words: u32 = 0;
  for (let at = end; at > start; at--) {
    const byte = byteAt(at - 1);
    if (byte == Char.Slash || byte == Char.Backslash) return words > 1;
    if (byte == Char.Dot) return false;
    if (byte == Char.Space) words++;
  }
  return false;
}

/** How much less sure the judged rule is for where the path stands. */
function placeLoss(place: Place, spaces: u32): u32 {
  const absolute = isAbsoluteRule(judgedRule);
  if (place == Place.Whole && spaces > PATH_SPACES && absolute) return 20;
  // Maps of sources and manifests name what stands beside them: "../../src/a.ts".
  if (fieldNested && judgedRule == Rule.TraversalClimb && !endsInProgram()) return 30;
  if (place == Place.Parameter) return absolute ? 15 : 5;
  if (place != Place.Embedded) return 0;
  const prose: u32 = spaces >= PROSE_SPACES ? 15 : 0;
  if (judgedRule == Rule.TraversalClimbTarget || judgedRule == Rule.TraversalEncoded) return 30 + prose;
  return (judgedRule == Rule.TraversalWrapper ? 25 : 50) + prose;
}

/**
 * In the path of the URL an absolute path is nothing, and proxies resolve plain climbs before they get here: a climb that is
 * left was escaped, or is meant for a server that reads ".." where the proxy does not.
 */
function judgeUrlPath(start: usize, end: usize): u32 {
  if (endsInClimb(start, end)) {
    judgedRule = Rule.TraversalFilterEvasion;
    return ruleConfidence(Rule.TraversalFilterEvasion);
  }
  const first = pathToken(0);
  if (judgedRule == 0 || isAbsoluteRule(judgedRule)) {
    if (pathClimbs == 0 || byteAt(start) == Char.Slash) return 0;
    judgedRule = Rule.TraversalClimb;
    return pathTokens == 2 && first == Path.Up ? 0 : 65;
  }
  if (judgedRule == Rule.TraversalClimbShallow) {
    // ".." alone is a segment of a path that nobody has resolved yet.
    if (pathTokens == 2 && first == Path.Up && pathSpelling == 0) return 0;
    judgedRule = Rule.TraversalClimb;
    return 75;
  }
  return ruleConfidence(judgedRule);
}

/** Whether a name goes over into a climb: "/static../app.py" where a server replaces "/static", "/app..;/manager". */
function endsInClimb(start: usize, end: usize): bool {
  for (let at = start + 1; (at = findPair(at, end, Char.Dot, Char.Dot)) + 2 < end; at++) {
    const next = byteAt(at + 2);
    if (isWord(byteAt(at - 1)) && (next == Char.Slash || next == Char.Semicolon)) return true;
  }
  return false;
}

/** The surer of `rule` (0 for none) and what the spelling of the path tells. */
function spelledRule(rule: u32): u32 {
  const target = rule == Rule.TraversalClimbTarget || isAbsoluteRule(rule);
  let spelled: u32 = 0;
  if (pathSpelling & Spelling.EncodedDot && (pathUps > 0 || target)) spelled = Rule.TraversalEncoded;
  else if (pathSpelling & Spelling.EncodedSlash && pathUps > 1) spelled = Rule.TraversalEncoded;
  else if (pathSpelling & Spelling.Odd && (pathUps > 1 || target || (pathUps > 0 && pathToken(0) == Path.Root))) {
    spelled = Rule.TraversalFilterEvasion;
  }
  if (spelled == 0) return rule;
  return rule == 0 || ruleConfidence(spelled) > ruleConfidence(rule) ? spelled : rule;
}

/** Whether the last path ends in a name that the server executes, or in a NUL. */
function endsInProgram(): bool {
  if (pathTokens < 2) return false;
  const last = pathToken(pathTokens - 2);
  return last == Path.Script || last == Path.Nul;
}

/** Whether a rule needs no climb. */
// @ts-ignore: decorator
@inline
function isAbsoluteRule(rule: u32): bool {
  return rule == Rule.TraversalSensitiveFile || rule == Rule.TraversalWindows || rule == Rule.TraversalFileUrl;
}

/** Whether a value with `spaces` in it begins as a path does: with a separator, dots, a drive or an escape. */
function startsPath(start: usize, end: usize, spaces: u32): bool {
  const byte = byteAt(start);
  if (byte == Char.Backslash || byte == Char.Percent) return true;
  // Only Windows is fond of spaces in names.
  if (byte == Char.Slash || byte == Char.Dot) return spaces <= UNIX_SPACES;
  return (
    end - start > 2 &&
    byteAt(start + 1) == Char.Colon &&
    (byteAt(start + 2) == Char.Backslash || byteAt(start + 2) == Char.Slash)
  );
}

/** Whether a run begins with "..0x2f", "..0x5c" or "0x2e": dots and separators spelled in letters and digits. */
function spelledOut(start: usize, end: usize): bool {
  if (end - start < 6) return false;
  if (byteAt(start) == Char.Dot && byteAt(start + 1) == Char.Dot) start += 2;
  if (byteAt(start) != Char._0 || byteAt(start + 1) != Char.x) return false;
  return byteAt(start + 2) == Char._0 + 2 || (byteAt(start + 2) == Char._0 + 5 && (byteAt(start + 3) | 0x20) == 0x63);
}

/** Whether a path that begins with `byte` is rooted, or hidden, or in somebody's home. */
// @ts-ignore: decorator
@inline
function beginsTelling(byte: u32): bool {
  return byte == Char.Slash || byte == Char.Dot || byte == Char.Tilde;
}

function countSpaces(start: usize, end: usize): u32 {
  let spaces: u32 = 0;
  for (; start < end; start++) if (isSpace(byteAt(start))) spaces++;
  return spaces;
}

/** Whether no path goes on over the byte at `at`. ";" ends one except in "..;". */
function isDelimiter(at: usize, start: usize): bool {
  const byte = byteAt(at);
  if (isWord(byte)) return false;
  if (byte >= <u32>Char.At) return byte == Char.Backtick || byte == Char.Pipe;
  if (byte == Char.Semicolon) return at == start || byteAt(at - 1) != Char.Dot;
  return (
    isSpace(byte) ||
    byte == Char.DoubleQuote ||
    byte == Char.Quote ||
    byte == Char.Less ||
    byte == Char.Greater ||
    byte == Char.ParenOpen ||
    byte == Char.ParenClose ||
    byte == Char.Equals ||
    byte == Char.Question ||
    byte == Char.Ampersand ||
    byte == Char.Comma ||
    byte == Char.Hash
  );
}
