// Whether a request is one that a route or an exception speaks of.
//
//   template = *( "/" segment )        segment = "**" (any number of segments, none too)
//                                               / "*" / "{" name "}" (exactly one)
//                                               / literal (compared byte by byte)
//
// One backtrack point (the last `**`) is enough, as in shell globs: at most segments(path) × segments(template) steps, and a
// path is cut at 8 KiB by Envoy's default.

import { byteAt, findByte, sameBytes, sameBytesNoCase, withoutPort } from "../core/bytes";
import { Char } from "../core/char";
import { Match } from "./layout";
import {
  requestHost,
  requestHostEnd,
  requestMethod,
  requestMethodEnd,
  requestPath,
  requestPathDecoded,
  requestPathDecodedEnd,
  requestPathEnd,
} from "./request";

/** Whether `path..pathEnd` (no query) is one that the template describes. */
export function templateMatches(template: usize, templateEnd: usize, path: usize, pathEnd: usize): bool {
  let at = template;
  let segment = path;
  let starTemplate: usize = 0;
  let starSegment: usize = 0;
  while (segment < pathEnd) {
    const wanted = segmentEnd(at, templateEnd);
    const end = segmentEnd(segment, pathEnd);
    if (at < templateEnd && isDoubleStar(at + 1, wanted)) {
      starTemplate = wanted;
      starSegment = segment;
      at = wanted;
    } else if (at < templateEnd && segmentMatches(at + 1, wanted, segment + 1, end)) {
      at = wanted;
      segment = end;
    } else if (starTemplate != 0) {
      // Let the last `**` take one segment more.
      starSegment = segmentEnd(starSegment, pathEnd);
      segment = starSegment;
      at = starTemplate;
    } else {
      return false;
    }
  }
  while (at < templateEnd && isDoubleStar(at + 1, segmentEnd(at, templateEnd))) at = segmentEnd(at, templateEnd);
  return at == templateEnd;
}

/** `at` stands on a slash (or at the end); the end of the segment behind it. */
// @ts-ignore: decorator
@inline
function segmentEnd(at: usize, end: usize): usize {
  return at < end ? findByte(at + 1, end, Char.Slash) : end;
}

// @ts-ignore: decorator
@inline
function isDoubleStar(start: usize, end: usize): bool {
  return end - start == 2 && byteAt(start) == Char.Star && byteAt(start + 1) == Char.Star;
}

function segmentMatches(wanted: usize, wantedEnd: usize, segment: usize, segmentEnd: usize): bool {
  if (wantedEnd - wanted == 1 && byteAt(wanted) == Char.Star) return segmentEnd > segment;
  if (wantedEnd - wanted > 2 && byteAt(wanted) == Char.BraceOpen && byteAt(wantedEnd - 1) == Char.BraceClose) {
    return segmentEnd > segment;
  }
  return sameBytes(wanted, wantedEnd, segment, segmentEnd);
}

/** Whether host (as in `:authority`; a port is not compared unless the match names one) and method are those of `match`. */
export function hostAndMethodMatch(match: Match, host: usize, hostEnd: usize, method: usize, methodEnd: usize): bool {
  if (match.host != match.hostEnd) {
    const named = findByte(match.host, match.hostEnd, Char.Colon) < match.hostEnd;
    if (!sameBytesNoCase(match.host, match.hostEnd, host, named ? hostEnd : withoutPort(host, hostEnd))) return false;
  }
  return match.methods == match.methodsEnd || listed(match.methods, match.methodsEnd, method, methodEnd);
}

/**
 * Whether the current request is one of `match`. Its path has two readings: `both` must lead there, which is what an exception needs;
 * for what may only add, either is enough.
 */
export function matchesRequest(match: Match, both: bool): bool {
  if (!hostAndMethodMatch(match, requestHost, requestHostEnd, requestMethod, requestMethodEnd)) return false;
  if (match.path == match.pathEnd) return true;
  const routed = templateMatches(match.path, match.pathEnd, requestPath, requestPathEnd);
  if (routed != both || requestPathDecoded == requestPath) return routed;
  return templateMatches(match.path, match.pathEnd, requestPathDecoded, requestPathDecodedEnd);
}

/** Whether `item` stands in a list whose items are each followed by a comma. */
function listed(list: usize, listEnd: usize, item: usize, itemEnd: usize): bool {
  while (list < listEnd) {
    const end = findByte(list, listEnd, Char.Comma);
    if (sameBytes(list, end, item, itemEnd)) return true;
    list = end + 1;
  }
  return false;
}

/** Whether `item` is, or begins with, one of a list of names and `prefix*` patterns, each followed by a comma. */
export function patternListed(list: usize, listEnd: usize, item: usize, itemEnd: usize): bool {
  while (list < listEnd) {
    const end = findByte(list, listEnd, Char.Comma);
    if (patternMatches(list, end, item, itemEnd)) return true;
    list = end + 1;
  }
  return false;
}

/** Whether `text` is the pattern, or begins with what stands before its final `*`. */
export function patternMatches(pattern: usize, patternEnd: usize, text: usize, textEnd: usize): bool {
  if (patternEnd > pattern && byteAt(patternEnd - 1) == Char.Star) {
    const prefix = patternEnd - 1 - pattern;
    return textEnd - text >= prefix && sameBytes(pattern, patternEnd - 1, text, text + prefix);
  }
  return sameBytes(pattern, patternEnd, text, textEnd);
}
