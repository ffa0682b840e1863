// Paths as Envoy sees them: `normalize_path`, then `merge_slashes`, with `path_with_escaped_slashes_action: KEEP_UNCHANGED`.
// Envoy: source/common/http/path_utility.cc over Chromium's url_canon_path.cc; checked against the binary (path-envoy.test.ts).
//
//   input                             output
//   %2D %30–%39 %41–%5A %5F %61–%7A %7E   the character itself; "%" in front of what then reads as an escape becomes "%25"
//   other %XX                         as it is, digits too (%2F, %5C and %c3 stay); %00 is refused
//   \                                 /
//   /./  /%2e/  and such an end       /
//   /x/../  /x/%2e%2e/  and such an end   /
//   /.;a/  /..;a/  and such an end    as without parameters (CVE-2026-73551; an Envoy older than that keeps them)
//   blanks, controls, " # < > ? ^ ` { | } 7F 80–FF   %XX
//   //…/                              /       (a path of slashes alone: //)
//
// A path goes to the first `?`. One pass and one merge; a byte backed over is not read again. The result may be three times as
// long as the input, and one byte.

import { byteAt, findByte, hexValue, isDigit, isLetter, putByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";

/** Normalizes `start..end` to `out` (3 × the input and 1 byte, elsewhere); the new `out`, or 0 where Envoy answers 400. */
export function normalizePath(start: usize, end: usize, out: usize): usize {
  const first = out;
  /** A percent sign in the output that began no escape, or 0. */
  let lone: usize = 0;
  if (start == end || !isSlash(byteAt(start))) out = putByte(out, Char.Slash);
  for (let at = start; at < end;) {
    const byte = byteAt(at);
    const dot = dotLength(at, end);
    if (dot != 0) {
      const whole = at == start || byteAt(at - 1) == Char.Slash;
      const rest = byteAt(out - 1) == Char.Slash ? dotSegment(at, dot, end, whole) : 0;
      if (rest == 0) {
        out = putByte(out, Char.Dot);
        at += dot;
        continue;
      }
      if (goesUp) {
        out = previousSlash(first, out);
        if (lone >= out) lone = 0;
      }
      at = min(rest, end);
    } else if (byte == Char.Percent) {
      const value = tripletAt(at, end);
      if (value == 0) return 0;
      if (value > 0xff) {
        lone = out;
        out = putByte(out, byte);
        at++;
      } else if (isPlain(value)) {
        out = putByte(out, value);
        at += 3;
        if (lone != 0 && out - lone <= 3) out = keepLone(lone, out, at, end);
      } else {
        out = putBytes(out, at, at + 3);
        at += 3;
      }
    } else {
      if (byte == Char.Nul) return 0;
      out =
        byte == Char.Backslash
          ? putByte(out, Char.Slash)
          : isEscaped(byte)
            ? putTriplet(out, byte)
            : putByte(out, byte);
      at++;
    }
  }
  return mergeSlashes(first, out);
}

/** Turns %2F and %5C of `start..end` into slashes, as Envoy's UNESCAPE actions and many servers do; not longer. */
export function unescapeSlashes(start: usize, end: usize, out: usize): usize {
  while (start < end) {
    const at = findByte(start, end, Char.Percent);
    out = putBytes(out, start, at);
    if (at == end) return out;
    const value = tripletAt(at, end);
    if (value == Char.Slash || value == Char.Backslash) {
      out = putByte(out, value);
      start = at + 3;
    } else {
      out = putByte(out, Char.Percent);
      start = at + 1;
    }
  }
  return out;
}

/** The segment that `nextSegment` found, still encoded: `openSpan(…, Coding.Percent)` decodes. */
export let segmentStart: usize = 0;
export let segmentEnd: usize = 0;
/** Its number among the segments that are not empty, from 0. */
export let segmentIndex: u32 = 0;

let segmentsEnd: usize = 0;

/** Starts on the segments of a path (without its query). */
export function openSegments(start: usize, end: usize): void {
  segmentEnd = start;
  segmentsEnd = end;
  segmentIndex = u32.MAX_VALUE;
}

/** Finds the next segment that is not empty; false at the end. */
export function nextSegment(): bool {
  segmentStart = segmentEnd;
  while (segmentStart < segmentsEnd && byteAt(segmentStart) == Char.Slash) segmentStart++;
  segmentEnd = findByte(segmentStart, segmentsEnd, Char.Slash);
  segmentIndex++;
  return segmentStart < segmentsEnd;
}

/** Whether the dot segment that `dotSegment` found is `..`. */
let goesUp = false;

/**
 * The dot at `at` stands behind a slash in the output: the address behind `.`, `..`, their parameters and their slash, or 0 where it
 * begins a name. `whole`: it stands behind a slash in the input, too; parameters belong to such a segment only, and only where its
 * dots are not escaped.
 */
function dotSegment(at: usize, dot: usize, end: usize, whole: bool): usize {
  at += dot;
  goesUp = false;
  if (at == end || isSlash(byteAt(at))) return at + 1;
  if (whole && dot == 1 && byteAt(at) == Char.Semicolon) return findByte(at, end, Char.Slash) + 1;
  const second = dotLength(at, end);
  if (second == 0) return 0;
  at += second;
  goesUp = true;
  if (at == end || isSlash(byteAt(at))) return at + 1;
  const parameters = whole && dot == 1 && second == 1 && byteAt(at) == Char.Semicolon;
  return parameters ? findByte(at, end, Char.Slash) + 1 : 0;
}

/** Bytes of the dot at `at`: 1, 3 for "%2e", 0 for no dot. */
function dotLength(at: usize, end: usize): usize {
  if (byteAt(at) == Char.Dot) return 1;
  return byteAt(at) == Char.Percent && tripletAt(at, end) == Char.Dot ? 3 : 0;
}

/** `first..out` ends in a slash: behind the slash before that one, or behind the first. */
function previousSlash(first: usize, out: usize): usize {
  if (out - 1 == first) return out;
  out--;
  while (out - 1 > first && byteAt(out - 1) != Char.Slash) out--;
  return out;
}

/** The value of the triplet at `at`, or 256 where its digits are missing. */
function tripletAt(at: usize, end: usize): u32 {
  if (end - at < 3) return 256;
  const high = hexValue(byteAt(at + 1));
  const low = hexValue(byteAt(at + 2));
  return (high | low) < 16 ? (high << 4) | low : 256;
}

/**
 * A character was decoded right behind the percent sign at `lone`. Where the sign and what follows it would now read as an escape
 * that the input did not have, the sign becomes "%25": "%%300" ends as "%2500" (path.yaml#nested-first). `at`: the next input.
 */
function keepLone(lone: usize, out: usize, at: usize, end: usize): usize {
  const a = byteAt(lone + 1);
  const b = out - lone == 3 ? byteAt(lone + 2) : at < end ? byteAt(at) : 0;
  if ((hexValue(a) | hexValue(b)) >= 16) return out;
  const pair = out - lone == 3;
  let next = putByte(lone + 1, Char._0 + 2);
  next = putByte(next, Char._0 + 5);
  next = putByte(next, a);
  return pair ? putByte(next, b) : next;
}

/** Makes one slash of several, in place. */
function mergeSlashes(start: usize, end: usize): usize {
  let out = start + 1;
  for (let at = start + 1; at < end; at++) {
    if (byteAt(at) != Char.Slash || byteAt(at - 1) != Char.Slash) out = putByte(out, byteAt(at));
  }
  // Envoy joins the segments and puts a slash at either end where the path had one: two remain where there is no segment.
  return out == start + 1 && end > out ? putByte(out, Char.Slash) : out;
}

function putTriplet(out: usize, byte: u32): usize {
  out = putByte(out, Char.Percent);
  out = putByte(out, digit(byte >> 4));
  return putByte(out, digit(byte & 15));
}

/** The capital hexadecimal digit of a value below 16. */
// @ts-ignore: decorator
@inline
function digit(value: u32): u32 {
  return value < 10 ? Char._0 + value : Char.A + value - 10;
}

// @ts-ignore: decorator
@inline
function isSlash(byte: u32): bool {
  return byte == Char.Slash || byte == Char.Backslash;
}

/** Unreserved (RFC 3986 2.3) but the dot, which is a case of its own. */
function isPlain(byte: u32): bool {
  return isLetter(byte) || isDigit(byte) || byte == Char.Dash || byte == Char.Underscore || byte == Char.Tilde;
}

/** What Envoy writes as a triplet. */
function isEscaped(byte: u32): bool {
  if (byte <= <u32>Char.Space || byte >= <u32>Char.Delete) return true;
  switch (byte) {
    case Char.DoubleQuote:
    case Char.Hash:
    case Char.Less:
    case Char.Greater:
    case Char.Question:
    case Char.Caret:
    case Char.Backtick:
    case Char.BraceOpen:
    case Char.Pipe:
    case Char.BraceClose:
      return true;
    default:
      return false;
  }
}
