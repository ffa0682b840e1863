// Uploaded files. What the name and the type of a file claim is kept as a few bits; what its content is, its first window says, and
// the two are compared:
//
//                        │ code of a server │ page, script │ program │ drawing program │ archive
//   name of a script     │  found by name   │              │         │                 │
//   picture, document    │      found       │    found     │  found  │      found      │ entries that climb,
//   page, SVG, none      │  what runs input │  as markup   │    –    │  a pipe, a stub │ whatever the name
//
// A name is read as file systems and servers would: case, what stands behind a NUL, `;`, `:` or `%00`, dots and blanks at its end.
// One pass over a window for "<", one over an archive's heads; no memory.

import { byteAt, findByte, isLetter, isSpace, isWord, lowerCase } from "../core/bytes";
import { Char } from "../core/char";
import { classify } from "../core/classify";
import { findHigh, findPair, isText, skipBlank } from "../core/scan";
import { startsWithOneOf, textEndsNoCase, textStarts, textStartsNoCase } from "../core/text";
import { Kind } from "../generated/kinds";
import { FILE_KIND, FileKind, SERVER_WORD, ServerWord, SYSTEM_FOLDER } from "../generated/upload";
import { Rule } from "../generated/rules";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import { found } from "./finding";
import { countWords } from "./prose";
import { detectXss } from "./xss";
import { detectXxe } from "./xxe";

/** What a file is said to be: bits. */
export const enum Claim {
  /** A picture, sound, film or document. */
  Media = 2,
  /** Something that a server runs. */
  Script = 4,
  /** A page or drawing that a browser runs. */
  Page = 8,
  /** Skipped content: bytes of `<?php` that stood at the end of the last piece, 0–4. */
  Progress = 16,
}

/** Bits above `Progress` that hold the count. */
const PROGRESS: u32 = 7 * Claim.Progress;

/** Bytes at the end of a name that are read. */
const NAME_TAIL: usize = 160;
/** A page of at most this many bytes is little more than its script. */
const SMALL_PAGE: usize = 2048;

/** Bytes of a text in front of its first code that are none of a document. */
const LEADING: usize = 512;
/** Words in front of it that make a sentence. */
const SENTENCE: u32 = 4;

/** Judges the name of a file and returns what it claims. */
export function detectFileName(start: usize, end: usize): u32 {
  if (start == end) return 0;
  start = max(start, end - min(end - start, NAME_TAIL));
  const last = dropTail(start, end);
  // The name's own end, then each place where it could be cut.
  const kind = kindAt(start, last);
  if (kind == FileKind.Settings) found(Rule.UploadSettings, ruleConfidence(Rule.UploadSettings), start, end);
  if (isScript(kind)) {
    if (last < end) found(Rule.UploadHiddenExtension, ruleConfidence(Rule.UploadHiddenExtension), start, end);
    else found(Rule.UploadScriptName, ruleConfidence(Rule.UploadScriptName), start, end);
    return Claim.Script;
  }
  const claim: u32 =
    kind == FileKind.Media ? Claim.Media : kind == FileKind.Page || kind == FileKind.Vector ? Claim.Page : 0;
  for (let at = start; at < last; at++) {
    const byte = byteAt(at);
    // U+202E turns around what a person reads of the name.
    if (byte == 0xe2 && byteAt(at + 1) == 0x80 && byteAt(at + 2) == 0xae) {
      found(Rule.UploadHiddenExtension, ruleConfidence(Rule.UploadHiddenExtension), start, end);
      return claim;
    }
    const cut = cutsName(at, last);
    // "photo.php.jpg" runs where handlers are added by extension; "index.php.html" and "a.aspx.cs" are pages saved and sources.
    if (!cut && (byte != Char.Dot || claim != Claim.Media)) continue;
    const stop = dropTail(start, at);
    if (!isScript(kindAt(start, stop))) continue;
    const loss: u32 = cut ? 0 : 20;
    found(Rule.UploadHiddenExtension, ruleConfidence(Rule.UploadHiddenExtension) - loss, start, end);
    return claim;
  }
  return claim;
}

/** What a media type claims. */
export function claimOfType(start: usize, end: usize): u32 {
  if (textStartsNoCase(start, end, "image/svg") || textStartsNoCase(start, end, "text/html")) return Claim.Page;
  const media = startsWithOneOf(start, end, "image/ audio/ video/ application/pdf ");
  return media ? Claim.Media : 0;
}

function isScript(kind: u32): bool {
  return kind == FileKind.Script || kind == FileKind.Servlet || kind == FileKind.Active;
}

/** The kind of the extension in front of `end`. */
function kindAt(start: usize, end: usize): u32 {
  let dot = end;
  while (dot > start && (isWord(byteAt(dot - 1)) || byteAt(dot - 1) == Char.Dash)) dot--;
  if (dot == start || dot == end || byteAt(dot - 1) != Char.Dot) return FileKind.None;
  const kind = keyword(FILE_KIND, dot, end);
  if (kind != FileKind.None && kind != FileKind.Settings) return kind;
  // ".htaccess", ".user.ini" and "web.config" are whole names.
  let name = dot - 1;
  while (name > start && byteAt(name - 1) != Char.Slash && byteAt(name - 1) != Char.Backslash) name--;
  if (byteAt(name) == Char.Dot) name++;
  return keyword(FILE_KIND, name, end) == FileKind.Settings ? <u32>FileKind.Settings : <u32>FileKind.None;
}

/** `end` without what file systems drop there: dots, blanks, slashes, and an alternate stream. */
function dropTail(start: usize, end: usize): usize {
  if (textEndsNoCase(start + 1, end, ":$data")) end -= 6;
  while (end > start) {
    const byte = byteAt(end - 1);
    if (byte > <u32>Char.Space && byte != Char.Dot && byte != Char.Slash && byte != Char.Colon) {
      if (end - start < 3 || byteAt(end - 3) != Char.Percent) break;
      // "%20", "%00", "%0a", "%2e"
      const high = byteAt(end - 2);
      if (high != Char._0 && !(high == Char._0 + 2 && (byte == Char._0 || (byte | 0x20) == Char.e))) break;
      end -= 3;
      continue;
    }
    end--;
  }
  return end;
}

/** Whether a name may be cut at `at`: by a NUL or a line end, raw or escaped, `;`, `:`, `#`, `?` or `/`. */
function cutsName(at: usize, end: usize): bool {
  const byte = byteAt(at);
  if (byte == Char.Percent) return at + 2 < end && (byteAt(at + 1) == Char._0 || textStarts(at, end, "%250"));
  // "\\x00", written out.
  if (byte == Char.Backslash) return textStarts(at + 1, end, "x0") || textStarts(at + 1, end, "u00");
  if (byte < <u32>Char.Space) return true;
  return (
    byte == Char.Semicolon || byte == Char.Colon || byte == Char.Hash || byte == Char.Question || byte == Char.Slash
  );
}

/**
 * Judges a window of a file's content. `claims`: of name and type; `first`: it is the first window; `whole`: and the only one.
 * True where the windows behind it are to be judged as well: it is text.
 */
export function detectFile(claims: u32, start: usize, end: usize, first: bool, whole: bool): bool {
  let isPage = false;
  let markup = false;
  const text = isText(start, min(end, start + 512));
  if (first) {
    const head = skipBlank(start, end);
    if (detectProgram(claims, head, end)) return false;
    detectArchive(start, end);
    markup = head < end && byteAt(head) == Char.Less;
    // A drawing, a track or a feed is read by a parser of XML.
    if (markup) detectXxe(head, end, Kind.Angle | Kind.Quote);
    isPage =
      (claims & Claim.Media) == 0 && ((claims & Claim.Page) != 0 || markup) && whole && end - start <= SMALL_PAGE;
    // A drawing has its scripts anywhere, and no reason for one.
    if (markup && hasWord(head, min(end, head + 512), "<svg")) isPage = true;
  }
  detectCode(claims, start, end, text);
  if (isPage) {
    const kinds = classify(start, end);
    detectXss(start, end, kinds);
    if (!markup) detectXxe(start, end, kinds);
  }
  return text;
}

/** Files that are programs of another kind than they say: to the shell, the system, ImageMagick or Ghostscript. */
function detectProgram(claims: u32, head: usize, end: usize): bool {
  const media = (claims & Claim.Media) != 0;
  let rule: u32 = 0;
  const near = min(end, head + 1024);
  if (textStarts(head, end, "push graphic-context") || textStarts(head, end, "<image>")) {
    if (media || hasWord(head, near, "url(") || hasWord(head, near, "msl:")) rule = Rule.UploadPictureProgram;
  } else if (textStarts(head, end, "%!")) {
    if (media || hasWord(head, near, "%pipe%")) rule = Rule.UploadPictureProgram;
  } else if (media && (textStarts(head, end, "\x7fELF") || textStarts(head, end, "#!/"))) {
    rule = Rule.UploadExecutable;
  } else if (media && textStarts(head, end, "MZ") && hasWord(head, near, "this program")) {
    rule = Rule.UploadExecutable;
  } else if (textStarts(head, end, "X5O!P%@AP[4")) {
    // The file that tests of virus scanners agree on.
    rule = Rule.UploadExecutable;
  }
  if (rule != 0) found(rule, ruleConfidence(rule), head, min(end, head + 64));
  return rule != 0;
}

/** Entries of a zip or tar archive whose names climb. */
function detectArchive(start: usize, end: usize): void {
  if (textStarts(start, end, "PK")) {
    for (let at = start; at + 46 < end; at = findPair(at + 1, end, byteAt(start), byteAt(start + 1))) {
      const kind = load<u16>(at, 2);
      // A local head (03 04) or one of the directory (01 02).
      const name = at + (kind == 0x0403 ? 30 : kind == 0x0201 ? 46 : 0);
      if (name == at) continue;
      const size: usize = kind == 0x0403 ? load<u16>(at, 26) : load<u16>(at, 28);
      if (climbs(name, min(end, name + size)) || leaves(name, min(end, name + size))) return;
      // A link: the kind of file in the upper half of what Unix knows of it.
      const unix = kind == 0x0201 && byteAt(at + 5) == 3;
      if (unix && (byteAt(at + 41) & 0xf0) == 0xa0 && linksAway(start, at, end)) return;
    }
    return;
  }
  // A tar entry's name has 100 bytes, filled up with NUL; the magic word stands behind it.
  if (end - start < 2) return;
  let stop = start;
  while (stop < end && stop < start + 100 && byteAt(stop) != 0) stop++;
  if (stop == end || stop == start) return;
  if (end - start >= 512 && !textStarts(start + 257, end, "ustar")) return;
  if (climbs(start, stop) || end - start < 512) return;
  // A link (type 1 or 2) to a file of the system.
  const type = byteAt(start + 156);
  if (type == 0x31 || type == 0x32) linksTo(start + 157, start + 257);
  else leaves(start, stop);
}

/** Reports a name from the root of the machine, or of a drive: where servers keep what they run. */
function leaves(start: usize, end: usize): bool {
  const drive =
    end - start > 3 &&
    isLetter(byteAt(start)) &&
    byteAt(start + 1) == Char.Colon &&
    byteAt(start + 2) == Char.Backslash;
  const rooted = end - start > 1 && byteAt(start) == Char.Slash;
  const folderEnd = rooted ? findByte(start + 1, end, Char.Slash) : end;
  const root = folderEnd < end && keyword(SYSTEM_FOLDER, start + 1, folderEnd) != 0;
  if (drive || root) found(Rule.UploadArchive, ruleConfidence(Rule.UploadArchive), start, end);
  return drive || root;
}

/** Reports a link to a file of the system, or three steps up. */
function linksTo(start: usize, end: usize): bool {
  if (leaves(start, end)) return true;
  if (!textStarts(start, end, "../../../")) return false;
  found(Rule.UploadArchive, ruleConfidence(Rule.UploadArchive), start, end);
  return true;
}

/** Whether the zip's link, whose entry in the directory is at `entry`, leads away: its content, stored, is the target. */
function linksAway(start: usize, entry: usize, end: usize): bool {
  const local = start + load<u32>(entry, 42);
  if (local < start || local + 30 > entry) return false;
  const target = local + 30 + load<u16>(local, 26) + load<u16>(local, 28);
  return target < entry && linksTo(target, min(entry, target + 64));
}

/** Reports a name with a step up in it. */
function climbs(start: usize, end: usize): bool {
  for (let at = findPair(start, end, Char.Dot, Char.Dot); at < end; at = findPair(at + 1, end, Char.Dot, Char.Dot)) {
    const before = at == start || byteAt(at - 1) == Char.Slash || byteAt(at - 1) == Char.Backslash;
    if (!before || at + 2 >= end || (byteAt(at + 2) != Char.Slash && byteAt(at + 2) != Char.Backslash)) continue;
    found(Rule.UploadArchive, ruleConfidence(Rule.UploadArchive), start, end);
    return true;
  }
  return false;
}

/** Whether the ASCII `word`, in small letters, stands in `start..end`, at most 1 KiB. */
function hasWord(start: usize, end: usize, word: string): bool {
  for (; start < end; start++) if (textStartsNoCase(start, end, word)) return true;
  return false;
}

/** Code of a server, and pages in what says it is none. */
function detectCode(claims: u32, start: usize, end: usize, text: bool): void {
  const claimed = (claims & (Claim.Media | Claim.Script | Claim.Page)) != 0;
  const media = (claims & Claim.Media) != 0;
  let openers: u32 = 0;
  for (let at = findByte(start, end, Char.Less); at < end; at = findByte(at + 1, end, Char.Less)) {
    const code = opensCode(at, end);
    if (code) {
      const runs = readCode(at, end);
      if (phar) return found(Rule.UploadPhar, ruleConfidence(Rule.UploadPhar), at, min(end, at + 64));
      // In the midst of a text that says to be no page, it is an example.
      const shown = text && !claimed && (at > start + LEADING || countWords(start, at) >= SENTENCE);
      if (runs)
        return found(Rule.UploadWebShell, shown ? 50 : ruleConfidence(Rule.UploadWebShell), at, min(end, at + 96));
      if (media) return found(Rule.UploadServerCode, ruleConfidence(Rule.UploadServerCode), at, min(end, at + 96));
      // A document may show code; a file that begins with it is code.
      if (openers++ == 0) found(Rule.UploadServerCode, at < start + 16 ? 55 : 30, at, min(end, at + 64));
      if (openers == 8) return;
    } else if (media && opensPage(at, end)) {
      if (text || at < start + 64)
        return found(Rule.UploadPage, ruleConfidence(Rule.UploadPage), at, min(end, at + 64));
    }
  }
}

function opensPage(at: usize, end: usize): bool {
  return (
    textStartsNoCase(at, end, "<script") ||
    textStartsNoCase(at, end, "<html") ||
    textStartsNoCase(at, end, "<!doctype html") ||
    textStartsNoCase(at, end, "<iframe") ||
    textStartsNoCase(at, end, "<svg")
  );
}

/** Whether the "<" at `at` begins code of PHP, JSP, ASP or ColdFusion. */
function opensCode(at: usize, end: usize): bool {
  if (at + 4 >= end) return false;
  const next = byteAt(at + 1);
  if (next == Char.Question) {
    if (textStartsNoCase(at, end, "<?php")) return at + 5 == end || !isWord(byteAt(at + 5));
    // "<?=" and "<? " could be four bytes of a picture: code goes on in ASCII.
    if (byteAt(at + 2) != Char.Equals && !isSpace(byteAt(at + 2))) return false;
    const near = min(end, at + 12);
    return isText(at, near) && findHigh(at + 3, near) == near;
  }
  if (next == Char.Percent) {
    const third = byteAt(at + 2);
    const opens = third == Char.At || third == Char.Equals || third == Char.Bang || isSpace(third) || isLetter(third);
    const near = min(end, at + 12);
    return opens && findHigh(at, near) == near;
  }
  if (textStartsNoCase(at, end, "<jsp:scriptlet") || opensColdFusion(at, end)) return true;
  if (!textStartsNoCase(at, end, "<script")) return false;
  const stop = min(end, at + 80);
  return hasWord(at, stop, "runat") || hasWord(at, stop, '"php"') || hasWord(at, stop, "'php'");
}

/** Tags of ColdFusion that run programs or objects of Java. */
function opensColdFusion(at: usize, end: usize): bool {
  if (textStartsNoCase(at, end, "<cfexecute")) return true;
  return textStartsNoCase(at, end, "<cfset") && hasWord(at, min(end, at + 128), "java.lang.");
}

/** The code that was read ends as the stub of a PHP archive does. */
let phar: bool = false;

/** Bytes of code that are read behind an opener. */
const CODE: usize = 4096;

/** Whether the code at `at` hands what its caller sends to something that runs it, or is a directive that makes a page of it. */
function readCode(at: usize, end: usize): bool {
  phar = false;
  if (opensColdFusion(at, end)) return true;
  const directive = byteAt(at + 2) == Char.At;
  const limit = min(end, at + CODE);
  let run = false;
  let input = false;
  for (at += 2; at < limit;) {
    const mark = byteAt(at);
    if (!isWord(mark)) {
      // `…$_GET…`, $_GET[a]($_GET[b]), $f($_GET[c]), ("sys"."tem")($_GET[c]): run without a name.
      if (mark == Char.Backtick) run = true;
      else if (mark == Char.ParenOpen && callsInput(at, limit)) run = true;
      at++;
      continue;
    }
    const from = at;
    while (at < limit && isWord(byteAt(at))) at++;
    if (textStartsNoCase(from, at, "__halt_compiler")) phar = true;
    const word = keyword(SERVER_WORD, from, at);
    if (word == ServerWord.Run) run = true;
    else if (word == ServerWord.Input) input = true;
    else if (word == ServerWord.Directive && directive) return true;
    if (phar || (run && input)) return !phar;
  }
  return false;
}

/** Whether what is called at the "(" is no name but a variable, an element or a text, with what the caller sent. */
function callsInput(at: usize, end: usize): bool {
  if (!textStarts(at, end, "($")) return false;
  const before = byteAt(at - 1);
  if (before == Char.BracketClose || before == Char.ParenClose || before == Char.BraceClose) return true;
  let name = at;
  while (isWord(byteAt(name - 1)) && at - name < 32) name--;
  return name < at && byteAt(name - 1) == Char.Dollar;
}

/** "<?php" */
const OPENER: usize = memory.data<u8>([0x3c, 0x3f, 0x70, 0x68, 0x70]);

/**
 * Looks for `<?php` in a piece of content that is passed over. `claims` and the result hold how much of it the last piece ended with:
 * a cut changes nothing.
 */
export function detectSkipped(claims: u32, start: usize, end: usize): u32 {
  let done = (claims & PROGRESS) / Claim.Progress;
  claims &= ~PROGRESS;
  let at = start;
  while (at < end) {
    if (done == 0) {
      at = findPair(at, end, Char.Less, Char.Question);
      if (at == end) {
        done = byteAt(end - 1) == Char.Less ? 1 : 0;
        break;
      }
      done = 2;
      at += 2;
      continue;
    }
    const byte = lowerCase(byteAt(at));
    const wanted = byteAt(OPENER + done);
    if (byte != wanted) {
      done = 0;
      continue;
    }
    at++;
    if (++done < 5) continue;
    if ((claims & Claim.Script) == 0) found(Rule.UploadServerCode, ruleConfidence(Rule.UploadServerCode), at, at);
    done = 0;
  }
  return claims | (done * Claim.Progress);
}
