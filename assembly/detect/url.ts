// URLs in a value, for the classes that rest on where one points: ssrf.ts, redirect.ts and rfi.ts judge what is found here.
//
//   http://10.1.1.1/x        whole: the value is a URL, or begins with one
//   /show?u=http://10.1.1.1  inside: behind ":" of a scheme in a value without spaces
//
// A URL inside a text is a link that somebody writes about. Each URL is read once, at most MOST_URLS of a value, in one step per
// byte of its authority and of its last path segment.

import { byteAt, findByte, isLetter, isSpace } from "../core/bytes";
import { Char } from "../core/char";
import { fieldPart, Part } from "../core/field";
import { hasPair } from "../core/scan";
import { Kind } from "../generated/kinds";
import { addControls, readUrl, takeWebUrl } from "../tokenize/url";
import { fieldRole } from "./field-role";
import { judgeBehindSlash, judgeRedirect, judgeSuffix } from "./redirect";
import { judgeInclusion, judgeShare } from "./rfi";
import { judgeBareRequest, judgeRequest } from "./ssrf";
import { Place } from "./url-place";

/** URLs of one value that are judged. */
const MOST_URLS: u32 = 8;
/** Spaces up to which a value that begins with a URL is one. */
const URL_SPACES: u32 = 2;

/** Whether `start..end` may hold a URL: a scheme with slashes, two slashes in front, or a host that is to be appended. */
export function mayPointAway(start: usize, end: usize, kinds: u32): bool {
  const first = byteAt(start);
  if (first == Char.At || first == Char.Dot || first == Char.Colon) return (kinds & Kind.Dot) != 0;
  if ((kinds & Kind.Colon) != 0) {
    if ((kinds & Kind.Slash) != 0 && hasPair(start, end, Char.Colon, Char.Slash)) return true;
    if ((kinds & Kind.Backslash) != 0 && hasPair(start, end, Char.Colon, Char.Backslash)) return true;
    if ((first | 0x20) == 0x68 || (first | 0x20) == Char.f) return true; // "http:host", "ftp:host"
  }
  if (first == Char.Slash || first == Char.Backslash) {
    const second = byteAt(start + 1);
    return second == Char.Slash || second == Char.Backslash || second <= <u32>Char.CarriageReturn;
  }
  // "169.254.169.254/latest", "metadata.google.internal/…"
  return (kinds & Kind.Slash) != 0 && (first == Char._1 || (first | 0x20) == 0x6d);
}

/** Judges the URLs of `start..end`. */
export function detectUrls(start: usize, end: usize, kinds: u32): void {
  let controls = false;
  for (; start < end && byteAt(start) <= <u32>Char.Space; start++) if (!isSpace(byteAt(start))) controls = true;
  while (start < end && isSpace(byteAt(end - 1))) end--;
  if (end - start < 4 || !mayPointAway(start, end, kinds)) return;
  const spaces = (kinds & (Kind.Space | Kind.Control)) != 0 ? countSpaces(behindSlashes(start, end), end) : 0;
  const role = fieldRole();
  const first = byteAt(start);
  if (first == Char.Slash && spaces == 0 && fieldPart != Part.Path && judgeBehindSlash(start, end, role)) {
    // Its URL is judged below.
  } else if (readUrl(start, end)) {
    if (controls) addControls();
    const place = spaces > URL_SPACES ? Place.Text : Place.Whole;
    judgeAway(start, end, place, spaces, role);
  } else if (spaces == 0) {
    if (first == Char.At || first == Char.Dot || first == Char.Colon) judgeSuffix(start, end, role);
    else judgeBareRequest(start, end);
  }
  if (first == Char.Backslash && spaces <= URL_SPACES) judgeShare(start, end, role);
  if (spaces != 0 || (kinds & Kind.Colon) == 0) return;
  let urls: u32 = 0;
  for (let at = start + 1; (at = findByte(at, end, Char.Colon)) < end && urls < MOST_URLS; at++) {
    if (byteAt(at + 1) != Char.Slash && byteAt(at + 1) != Char.Backslash) continue;
    let from = at;
    while (from > start && at - from < 8 && isLetter(byteAt(from - 1))) from--;
    // The start is judged; a drive is no scheme.
    if (from == start || at - from < 3) continue;
    urls++;
    if (readUrl(from, end)) judgeRequest(from, end, Place.Inside, 0, 0);
  }
}

/** Judges the link `start..end`, whose spelling says nothing (`isLink`), by its host, which begins at `host`, and by its path. */
export function detectLink(start: usize, host: usize, end: usize): void {
  let hostEnd = host;
  while (hostEnd < end && byteAt(hostEnd) != Char.Slash && byteAt(hostEnd) != Char.Question) hostEnd++;
  if (takeWebUrl(host, hostEnd)) judgeAway(start, end, Place.Whole, 0, fieldRole());
}

/** Judges the URL that was read by what would follow it: a request of the server, an inclusion, a redirect. */
function judgeAway(start: usize, end: usize, place: Place, spaces: u32, role: u32): void {
  if (judgeRequest(start, end, place, spaces, role) || spaces != 0 || fieldPart == Part.Header) return;
  if (!judgeInclusion(start, end, place, role)) judgeRedirect(start, end, place, role);
}

/** Behind the slashes that a value begins with, and the blanks between them: "/<tab>/host". */
function behindSlashes(start: usize, end: usize): usize {
  while (start < end && (byteAt(start) == Char.Slash || byteAt(start) < <u32>Char.Space)) start++;
  return start;
}

/** Spaces and line ends; a tab inside a URL is dropped by its parser. */
function countSpaces(start: usize, end: usize): u32 {
  let spaces: u32 = 0;
  for (; start < end; start++) if (isSpace(byteAt(start)) && byteAt(start) != Char.Tab) spaces++;
  return spaces;
}
