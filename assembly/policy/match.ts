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
    if (at < templateEnd && segmentKind(at + 1, wanted) == SegmentKind.Many) {
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
  while (at < templateEnd && segmentKind(at + 1, segmentEnd(at, templateEnd)) == SegmentKind.Many) {
    at = segmentEnd(at, templateEnd);
  }
  return at == templateEnd;
}

/** `at` stands on a slash (or at the end); the end of the segment behind it. */
// @ts-ignore: decorator
@inline
export function segmentEnd(at: usize, end: usize): usize {
  return at < end ? findByte(at + 1, end, Char.Slash) : end;
}

/** What a segment of a template stands for. */
export const enum SegmentKind {
  Literal,
  /** Exactly one segment, not empty. */
  One,
  /** Any number of segments. */
  Many,
}

export function segmentKind(start: usize, end: usize): SegmentKind {
  const size = end - start;
  if (size == 0) return SegmentKind.Literal;
  if (byteAt(start) == Char.Star) {
    if (size == 1) return SegmentKind.One;
    if (size == 2 && byteAt(start + 1) == Char.Star) return SegmentKind.Many;
  }
  const braces = size > 2 && byteAt(start) == Char.BraceOpen && byteAt(end - 1) == Char.BraceClose;
  return braces ? SegmentKind.One : SegmentKind.Literal;
}

function segmentMatches(wanted: usize, wantedEnd: usize, segment: usize, segmentEnd: usize): bool {
  if (segmentKind(wanted, wantedEnd) == SegmentKind.One) return segmentEnd > segment;
  return sameBytes(wanted, wantedEnd, segment, segmentEnd);
}

/** Whether the current request is one of `match`, with this reading of its path. */
export function matchesPath(match: Match, path: usize, pathEnd: usize): bool {
  return (
    hostAndMethodMatch(match) &&
    (match.path == match.pathEnd || templateMatches(match.path, match.pathEnd, path, pathEnd))
  );
}

/** Whether both readings of the current request's path lead to `match`. */
export function matchesBoth(match: Match): bool {
  return (
    matchesPath(match, requestPath, requestPathEnd) &&
    (requestPathDecoded == requestPath ||
      match.path == match.pathEnd ||
      templateMatches(match.path, match.pathEnd, requestPathDecoded, requestPathDecodedEnd))
  );
}

/** Whether host (as in `:authority`; a port is not compared unless the match names one) and method are those of `match`. */
function hostAndMethodMatch(match: Match): bool {
  if (match.host != match.hostEnd) {
    const named = findByte(match.host, match.hostEnd, Char.Colon) < match.hostEnd;
    const hostEnd = named ? requestHostEnd : withoutPort(requestHost, requestHostEnd);
    if (!sameBytesNoCase(match.host, match.hostEnd, requestHost, hostEnd)) return false;
  }
  return match.methods == match.methodsEnd || listed(match.methods, match.methodsEnd, requestMethod, requestMethodEnd);
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
