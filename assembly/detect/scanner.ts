// What tools that look for holes call themselves, add to their requests, and ask for. Words of the user agent, names of headers and ends
// of the path are looked up in tables: one hash for each word or segment.

import { byteAt, isDigit, isLetter } from "../core/bytes";
import { Char } from "../core/char";
import { findPair } from "../core/scan";
import { textIs, textIsNoCase, textStartsNoCase } from "../core/text";
import { HEADER_KIND, HeaderKind } from "../generated/protocol";
import { Rule } from "../generated/rules";
import { SCANNER_COPY, SCANNER_PATH, SCANNER_WORD, ScannerCopy, ScannerPath, ScannerWord } from "../generated/scanner";
import { keyword } from "../match/keywords";
import { ruleConfidence } from "../match/rules";
import { found } from "./finding";

/** Bytes of a user agent that are read. */
const AGENT: usize = 512;
/** Segments at the end of a path that are looked up, each with all behind it. */
const SEGMENTS: u32 = 8;

/** Judges one header, whose field is set. */
export function detectScanner(name: usize, nameEnd: usize, start: usize, end: usize): void {
  const kind = keyword(HEADER_KIND, name, nameEnd);
  if (kind == HeaderKind.Scanner) found(Rule.ScannerMark, ruleConfidence(Rule.ScannerMark), name, nameEnd);
  if (kind != HeaderKind.Agent) return;
  end = min(end, start + AGENT);
  let tool = keyword(SCANNER_WORD, start, end) != 0;
  for (let at = start; at < end && !tool;) {
    const from = at;
    while (at < end && (isLetter(byteAt(at)) || isDigit(byteAt(at)))) at++;
    const word = keyword(SCANNER_WORD, from, at);
    // "Fuzz Faster U Fool"
    tool = word == ScannerWord.Tool || (word == ScannerWord.Phrase && from == start);
    at++;
  }
  if (tool) found(Rule.ScannerAgent, ruleConfidence(Rule.ScannerAgent), start, end);
}

/** Judges the path `start..end`, whose field is set. */
export function detectProbe(start: usize, end: usize): void {
  // No client of a page asks for NUL: it cuts the name for who opens it.
  for (let at = start; (at = findPair(at, end, Char.Percent, Char._0)) + 2 < end; at++) {
    if (byteAt(at + 2) != Char._0) continue;
    found(Rule.ProtocolControl, 70, at, at + 3);
    break;
  }
  while (end > start && byteAt(end - 1) == Char.Slash) end--;
  let segments: u32 = 0;
  let stop = end;
  let hole: usize = 0;
  for (let at = end; at > start && segments < SEGMENTS; at--) {
    if (byteAt(at - 1) != Char.Slash) continue;
    const kind = keyword(SCANNER_PATH, at, end);
    const segment = stop == end ? kind : keyword(SCANNER_PATH, at, stop);
    if (segment == ScannerPath.Forge) return;
    if (kind == ScannerPath.Secret || kind == ScannerPath.Hole || segment == ScannerPath.Folder) hole = at;
    else if (segments == 0 && (isSettings(at, end) || isCopy(at, end) || isDump(at, end))) hole = at;
    segments++;
    stop = at - 1;
  }
  if (hole != 0) found(Rule.ScannerProbe, ruleConfidence(Rule.ScannerProbe), hole, end);
}

/** `.env`, `.env.local`, `.env~`; what is shipped as an example is none. */
function isSettings(at: usize, end: usize): bool {
  if (!textStartsNoCase(at, end, ".env")) return false;
  at += 4;
  if (at == end) return true;
  const mark = byteAt(at);
  if (mark != Char.Dot && mark != Char.Tilde && mark != Char.Dash && mark != Char.Underscore && !isDigit(mark))
    return false;
  const dot = lastDot(at, end);
  return (
    !textIsNoCase(dot, end, "example") &&
    !textIsNoCase(dot, end, "sample") &&
    !textIsNoCase(dot, end, "template") &&
    !textIsNoCase(dot, end, "dist")
  );
}

/** A copy of code or settings that a server gives away as text: `index.php.bak`, `.config.php.swp`, `settings.py~`, `wp-config.php_old`. */
function isCopy(at: usize, end: usize): bool {
  let name = end - 1;
  if (byteAt(name) != Char.Tilde) {
    name = end;
    while (name > at && isLetter(byteAt(name - 1))) name--;
    if (name <= at + 1) return false;
    const kind = keyword(SCANNER_COPY, name, end);
    name--;
    const mark = byteAt(name);
    if (mark != Char.Dot && mark != Char.Underscore && mark != Char.Dash) return false;
    const config = textStartsNoCase(at, end, "wp-config.");
    if (config && (kind == ScannerCopy.Copy || kind == ScannerCopy.Packed || textIs(name, end, ".txt"))) return true;
    if (kind != ScannerCopy.Copy) return false;
  }
  const code = lastDot(at, name);
  return code > at && keyword(SCANNER_COPY, code, name) == ScannerCopy.Code;
}

/** A dump of a database, or all of a site: `backup.sql`, `db.sql.gz`; at the root `www.zip`. */
function isDump(at: usize, end: usize): bool {
  let stem = at;
  while (stem < end && byteAt(stem) != Char.Dot) stem++;
  if (stem == end) return false;
  if (keyword(SCANNER_COPY, at, stem) != ScannerCopy.Dump && !textIsNoCase(at, stem, "backup")) return false;
  if (textStartsNoCase(stem, end, ".sql")) return stem + 4 == end || byteAt(stem + 4) == Char.Dot;
  return keyword(SCANNER_COPY, lastDot(stem, end), end) == ScannerCopy.Packed;
}

/** Behind the last dot in `at..end`, or `at`. */
function lastDot(at: usize, end: usize): usize {
  let dot = end;
  while (dot > at && byteAt(dot - 1) != Char.Dot) dot--;
  return dot;
}
