// Remote file inclusion: a URL or a share of a program, where the name of a local file is expected. It reads the URL that
// tokenize/url.ts read last, and its last path segment.
//
//   http://files.example/a.txt?       a suffix that the program appends becomes a query
//   template=http://files.example/a.php
//   \\files.example\share\c99.php

import { byteAt } from "../core/bytes";
import { Char } from "../core/char";
import { FieldRole } from "../generated/redirect";
import { REMOTE, Remote, SHELL } from "../generated/rfi";
import { Rule } from "../generated/rules";
import { UrlScheme } from "../generated/ssrf";
import { keyword } from "../match/keywords";
import { Target, urlHasScheme, urlPath, urlScheme, urlTarget } from "../tokenize/url";
import { found } from "./finding";
import { Place } from "./url-place";

/** Bytes of a path that are read for its last segment. */
const PATH_CAPACITY: usize = 2048;
/** The confidence from which on a finding stops a request in `balanced`. */
const BLOCKS: u32 = 60;

let confidence: u32 = 0;
let rule: u32 = 0;

function weigh(ofRule: u32, value: u32): void {
  if (value <= confidence) return;
  rule = ofRule;
  confidence = value;
}

/** The end of the path, and the kinds of its last segment. */
let pathEnd: usize = 0;
let fileKind: u32 = 0;
let isShell: bool = false;

/** Judges the URL at `start`; `end`: of the value. True where a finding is sure enough to stop the request. */
export function judgeInclusion(start: usize, end: usize, place: Place, role: u32): bool {
  const include = role == FieldRole.Include || role == FieldRole.Folder;
  // "//host/a.php" is a share to programs on Windows.
  const fetched = urlHasScheme
    ? urlScheme == UrlScheme.Web || urlScheme == UrlScheme.Ftp
    : include || role == FieldRole.File;
  if (place != Place.Whole || !fetched) return false;
  rule = 0;
  confidence = 0;
  readFile(urlPath, end, Char.Slash);
  const either = isFileRole(role);
  const address = urlTarget >= Target.PublicAddress && urlTarget <= Target.Loopback;
  const program = fileKind == Remote.Script || fileKind == Remote.Text;
  if (role == FieldRole.Folder) weigh(Rule.RfiIncludeUrl, 72);
  if (pathEnd < end && byteAt(pathEnd) == Char.Nul) {
    if (fileKind != 0 || either) weigh(Rule.RfiCutUrl, 85);
  } else if (pathEnd < end && byteAt(pathEnd) == Char.Question && isOnlyMarks(pathEnd, end)) {
    // Links do end in "?" where a program appends an empty query.
    if (include || (role == FieldRole.File && program)) weigh(Rule.RfiCutUrl, program ? 84 : 68);
    else if (program) weigh(Rule.RfiCutUrl, fileKind == Remote.Text ? 66 : 50);
  }
  if (isShell && (program || fileKind == Remote.Other)) weigh(Rule.RfiShell, either ? 80 : 66);
  // The address of anybody's site may be a program's: below what `high` refuses.
  if (program) weigh(Rule.RfiIncludeUrl, include ? 66 : address ? (either ? 55 : 50) : either ? 35 : 0);
  if (role == FieldRole.File && fileKind == Remote.Script) weigh(Rule.RfiIncludeUrl, 62);
  if (confidence != 0) found(rule, confidence, start, end);
  return confidence >= BLOCKS;
}

/** Whether a field of this role may name a file that a program reads. */
function isFileRole(role: u32): bool {
  return (
    role == FieldRole.Include ||
    role == FieldRole.Folder ||
    role == FieldRole.Either ||
    role == FieldRole.Search ||
    role == FieldRole.File
  );
}

/** Judges a share: "\\host\folder\file". */
export function judgeShare(start: usize, end: usize, role: u32): void {
  if (end - start < 8 || byteAt(start + 1) != Char.Backslash) return;
  readFile(start + 2, end, Char.Backslash);
  if (fileKind != Remote.Script && !(isShell && fileKind != 0)) return;
  found(Rule.RfiShell, isFileRole(role) ? 80 : 66, start, end);
}

/** Reads the path at `at`: where it ends, and what its last segment is by its extension and its name. */
function readFile(at: usize, end: usize, separator: u32): void {
  const limit = min(end, at + PATH_CAPACITY);
  let segment = at;
  let dot = at;
  fileKind = 0;
  isShell = false;
  for (; at < limit; at++) {
    const byte = byteAt(at);
    if (byte == Char.Question || byte == Char.Hash || byte <= <u32>Char.Space || byte == Char.Ampersand) break;
    if (byte == separator) segment = dot = at + 1;
    else if (byte == Char.Dot) dot = at;
  }
  pathEnd = at;
  if (dot <= segment) return;
  fileKind = keyword(REMOTE, dot + 1, at);
  isShell = keyword(SHELL, segment, dot) != 0;
}

/** Whether `at..end` is "?" again and again, NUL and "#" too. */
function isOnlyMarks(at: usize, end: usize): bool {
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte != Char.Question && byte != Char.Nul && byte != Char.Hash && byte != Char.Ampersand) return false;
  }
  return true;
}
