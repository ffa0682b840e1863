// Reads a run of bytes as a file path, the way the most permissive platform would, and yields its normal form as tokens.
//
//   path    = [scheme ":" ["//"]] [drive ":"] segment *(separator segment)
//   byte    = raw | 1*("%25") percent-escape | "%u" 4hex | "0x" 2hex | overlong or look-alike UTF-8
//   segment = 1*2"." → here or up | 3*"." → up, as filters that delete "../" or old Windows leave it | ";…" and NUL dropped
//   tokens  = [Root|Drive|Unc|scheme] *Up *name [Nul] Finish
//
// "Up" is a climb out of where the path began: one that only leaves a directory named before it is taken back together with
// that name. One step per byte, at most TOKENS_CAPACITY tokens and SEGMENT_CAPACITY bytes of one name; what does not fit is
// left out. A name's kind is looked up in the table of rules/traversal.yaml, whole first, then its extension.

import { Char } from "../core/char";
import { byteAt, hexValue, isDigit, isLetter, putByte } from "../core/bytes";
import { keyword } from "../match/keywords";
import { dfaAccepts, dfaDead, dfaNext, dfaRule, dfaStart } from "../match/dfa";
import { ruleConfidence } from "../match/rules";
import { Path, TRAVERSAL_KEYWORDS, TRAVERSAL_TABLE } from "../generated/traversal";

/** Owned by this file: the tokens of the last path, one byte each; start, Nul and Finish always fit. */
const TOKENS_CAPACITY: usize = 64;
const TOKENS: usize = memory.data(72);
/** Owned by this file: the decoded segment being read. */
const SEGMENT_CAPACITY: usize = 64;
const SEGMENT: usize = memory.data(64);
/** Climbs beyond this many say no more. */
const MOST_UPS: i32 = 8;
/** Steps to "." that nobody needs. */
const MOST_HERES: i32 = 3;

/** Signs that a path was spelled to pass a filter. */
export const enum Spelling {
  /** A dot of a climb, or any separator, that only a second or a careless decoder sees. */
  EncodedDot = 1,
  /** The separator behind a climb is escaped. */
  EncodedSlash = 2,
  /** "....//", "..;/", "..\\../", "./././": what a filter's work or another server's parser leaves a climb. */
  Odd = 4,
}

/** How many tokens the last `tokenizePath` made. */
export let pathTokens: u32 = 0;
/** What the spelling of the last path tells: a set of `Spelling`. */
export let pathSpelling: u32 = 0;
/** Climbs out of where the last path starts, at most MOST_UPS. */
export let pathUps: i32 = 0;
/** Climbs in the last path, also those that stay inside it. */
export let pathClimbs: i32 = 0;
/** Whether the last path ended before its run did, at a NUL. */
export let pathCut: bool = false;

let unit: u32 = 0;
let digit: u32 = 0;
let unitEncoded: bool = false;
/** The unit was written as no valid UTF-8 writes it. */
let unitOverlong: bool = false;

/** The token at `index`, below `pathTokens`. */
// @ts-ignore: decorator
@inline
export function pathToken(index: u32): Path {
  return <Path>byteAt(TOKENS + index);
}

/** Reads one byte, percent-decoded however often its "%" was encoded; sets `unit` and `unitEncoded`, returns the next cursor. */
function readByte(at: usize, end: usize): usize {
  unit = byteAt(at);
  if (unit != Char.Percent) {
    // "0x2e0x2f": an escape of some scripting front ends; only the three bytes that shape a path are read so.
    if (unit == Char._0 && end - at >= 4 && (byteAt(at + 1) | 0x20) == Char.x) {
      const value = (hexValue(byteAt(at + 2)) << 4) | hexValue(byteAt(at + 3));
      if (value == Char.Dot || value == Char.Slash || value == Char.Backslash) {
        unit = value;
        unitEncoded = true;
        return at + 4;
      }
    }
    return at + 1;
  }
  // "%25" again and again is still the same "%".
  let digits = at + 1;
  while (end - digits >= 4 && byteAt(digits) == Char._0 + 2 && byteAt(digits + 1) == Char._0 + 5) digits += 2;
  if (end - digits >= 5 && (byteAt(digits) | 0x20) == Char.u) {
    const a = hexValue(byteAt(digits + 1));
    const b = hexValue(byteAt(digits + 2));
    const c = hexValue(byteAt(digits + 3));
    const d = hexValue(byteAt(digits + 4));
    if ((a | b | c | d) < 16) {
      unit = lookAlike((a << 12) | (b << 8) | (c << 4) | d);
      unitEncoded = true;
      return digits + 5;
    }
  }
  if (end - digits >= 2) {
    let next = readDigit(digits, end);
    const high = digit;
    if (high < 16) {
      next = readDigit(next, end);
      if (digit < 16) {
        unit = (high << 4) | digit;
        unitEncoded = true;
        return next;
      }
    }
  }
  unit = Char.Percent;
  return at + 1;
}

/** Reads a hexadecimal digit, raw or escaped itself ("%%32%65"), into `digit` (16 where there is none). */
function readDigit(at: usize, end: usize): usize {
  digit = 16;
  if (at >= end) return at;
  if (byteAt(at) == Char.Percent) {
    // One more "%" at most, so that a run of them is not read again and again.
    at++;
    if (at < end && byteAt(at) == Char.Percent) at++;
    if (end - at < 2) return at;
    const byte = (hexValue(byteAt(at)) << 4) | hexValue(byteAt(at + 1));
    digit = byte < 0x80 ? hexValue(byte) : 16;
    return at + 2;
  }
  digit = hexValue(byteAt(at));
  return at + 1;
}

/** The ASCII byte that best-fit conversion makes of a code point, or 0x80 where it is none that shapes a path. */
function lookAlike(point: u32): u32 {
  if (point < 0x80) return point;
  if (point - 0xff01 < 94) return point - 0xff01 + Char.Bang;
  if (point == 0x2215 || point == 0x2044) return Char.Slash;
  if (point == 0x2216 || point == 0xff3c) return Char.Backslash;
  if (point == 0x2024 || point == 0xfe52) return Char.Dot;
  return 0x80;
}

/** Reads one character of a path into `unit`: ASCII, or 0x80 for any other; returns the next cursor. */
function readUnit(at: usize, end: usize): usize {
  unitEncoded = false;
  unitOverlong = false;
  let next = readByte(at, end);
  if (unit < 0xc0 || next >= end) return next;
  const lead = unit;
  const wasEncoded = unitEncoded;
  let after = readByte(next, end);
  const second = unit;
  if (lead < 0xc2) {
    // Overlong, or overlong to a decoder that does not check the continuation: c0 ae, c0 2e, c1 9c, c1 1c.
    const value = ((lead & 1) << 6) | (second & 0x3f);
    if (shapesPath(value)) unit = value;
    if (shapesPath(unit)) {
      unitEncoded = true;
      unitOverlong = true;
      return after;
    }
  } else if ((lead == 0xe0 || lead == 0xf0 || lead == 0xf8 || lead == 0xfc) && second == 0x80) {
    while (after < end && unit == 0x80) after = readByte(after, end);
    if (shapesPath(unit & 0x3f)) {
      unit &= 0x3f;
      unitEncoded = true;
      unitOverlong = true;
      return after;
    }
  } else if (lead >> 4 == 0xe && second >> 6 == 2 && after < end) {
    after = readByte(after, end);
    const value = lookAlike(((lead & 15) << 12) | ((second & 0x3f) << 6) | (unit & 0x3f));
    if (shapesPath(value)) {
      unit = value;
      unitEncoded = true;
      return after;
    }
  }
  unit = 0x80;
  unitEncoded = wasEncoded || lead < 0xc2; // c0 and c1 start nothing in UTF-8
  return next;
}

// @ts-ignore: decorator
@inline
function shapesPath(byte: u32): bool {
  return byte == Char.Dot || byte == Char.Slash || byte == Char.Backslash;
}

// @ts-ignore: decorator
@inline
function isMark(kind: u32): bool {
  return kind <= <u32>Path.Up;
}

/** Whether the unit that ended at `last` is an escape of no ASCII byte, or none at all. */
// @ts-ignore: decorator
@inline
function isStrange(last: usize, end: usize): bool {
  return (
    (unit == 0x80 && unitEncoded) ||
    (unit == Char.Percent && last + 1 < end && byteAt(last) == Char.Percent && !shapesPath(byteAt(last + 1)))
  );
}

/** The cursor behind any more escapes, well-formed or not, and continuation bytes. */
function skipEscapes(at: usize, end: usize): usize {
  if (byteAt(at - 1) == Char.Percent) at = skipDigits(at, end);
  while (at < end) {
    const byte = byteAt(at);
    if (byte == Char.Percent) at = skipDigits(at + 1, end);
    else if (byte >> 6 == 2) at++;
    else break;
  }
  return at;
}

/** The cursor behind at most two letters or digits. */
export function skipDigits(at: usize, end: usize): usize {
  const limit = min(end, at + 2);
  while (at < limit && (isLetter(byteAt(at)) || isDigit(byteAt(at)))) at++;
  return at;
}

/** The kind of the name in SEGMENT..end: itself, then its extension, then a plain name. */
function nameKind(end: usize): u32 {
  let kind = keyword(TRAVERSAL_KEYWORDS, SEGMENT, end);
  if (kind > <u32>Path.Finish) return kind;
  if (byteAt(SEGMENT) == Char.Dot) return Path.Dotfile;
  let dot = end;
  while (dot > SEGMENT && byteAt(dot - 1) != Char.Dot) dot--;
  if (dot > SEGMENT + 1) {
    kind = keyword(TRAVERSAL_KEYWORDS, dot - 1, end);
    if (kind > <u32>Path.Finish) return kind;
  }
  return Path.Name;
}

/**
 * Tokenizes `start..end` as one path. The tokens are read with `pathToken(0 … pathTokens - 1)`; the last is Finish.
 * A run that holds no separator and no scheme still gives its one name.
 */
export function tokenizePath(start: usize, end: usize): void {
  const limit = TOKENS + TOKENS_CAPACITY;
  let out = TOKENS;
  let at = start;
  let encodedDots = 0;
  let encodedSlashes = 0;
  let odd = 0;
  let heres = 0;
  let doubled = 0; // "..//": one may come from joining, more do not
  let behindUp = false;
  let separators: u32 = 0; // 1: "/" behind a climb, 2: "\\"
  pathUps = 0;
  pathClimbs = 0;
  pathCut = false;

  // Where it begins: scheme, drive, UNC or root. "/C:/" is a file URL's path.
  if (end - at > 3 && shapesPath(byteAt(at)) && isLetter(byteAt(at + 1)) && byteAt(at + 2) == Char.Colon) at++;
  if (end - at > 3 && byteAt(at) == Char.Percent && isLetter(byteAt(at + 1)) && isLetter(byteAt(at + 2))) {
    // "%SystemRoot%\…" and the like stand for a folder on a drive.
    let close = at + 1;
    while (close < end && (isLetter(byteAt(close)) || byteAt(close) == Char.Underscore)) close++;
    if (close + 1 < end && byteAt(close) == Char.Percent && shapesPath(byteAt(close + 1))) {
      out = putByte(out, Path.Drive);
      const kind = keyword(TRAVERSAL_KEYWORDS, at + 1, close);
      if (kind > <u32>Path.Finish) out = putByte(out, kind);
      at = close + 1;
    }
  }
  let letters = at;
  while (letters < end && (isLetter(byteAt(letters)) || byteAt(letters) == Char.Dot || byteAt(letters) - Char._0 < 10))
    letters++;
  if (letters > at && letters < end && byteAt(letters) == Char.Colon) {
    if (letters == at + 1) {
      if (letters + 1 < end && shapesPath(byteAt(letters + 1))) {
        out = putByte(out, Path.Drive);
        at = letters + 1;
      }
    } else {
      const slashes = end - letters > 2 && byteAt(letters + 1) == Char.Slash && byteAt(letters + 2) == Char.Slash;
      const kind = keyword(TRAVERSAL_KEYWORDS, at, letters + (slashes ? 3 : 1));
      if (kind == Path.Wrapper || kind == Path.FileScheme || kind == Path.Archive || kind == Path.DataScheme) {
        out = putByte(out, kind);
        at = letters + (slashes ? 3 : 1);
      } else if (slashes) {
        out = putByte(out, Path.Url);
        at = letters + 3;
        while (at < end && byteAt(at) != Char.Slash && byteAt(at) != Char.Backslash) at++; // the host is no directory
      }
    }
  }
  if (
    out == TOKENS &&
    end - at > 2 &&
    byteAt(at) == Char.Backslash &&
    byteAt(at + 1) == Char.Backslash &&
    !shapesPath(byteAt(at + 2)) &&
    byteAt(at + 2) != Char.Percent
  ) {
    out = putByte(out, Path.Unc);
  }

  let segment: usize = 0;
  let dots = 0;
  let plain = false; // the segment has a byte that is neither dot nor droppable
  let parameter = false; // behind ";" inside "..;"
  let segmentEncoded = 0;
  let first = out == TOKENS;
  while (true) {
    const over = at >= end;
    if (!over) {
      at = readUnit(at, end);
      // Careless decoders make a separator of more than anybody lists ("..%c1%af", "..%bg%qf"); nothing else stands escaped
      // behind two dots.
      if (dots >= 2 && !plain && isStrange(at - 1, end)) {
        at = skipEscapes(at, end);
        unit = Char.Backslash;
        unitEncoded = true;
        unitOverlong = true;
      }
      if (unit == Char.Slash || unit == Char.Backslash) {
        if (unitOverlong) encodedDots++;
        if (first && segment == 0 && dots == 0) {
          if (out == TOKENS) out = putByte(out, Path.Root);
          first = false;
          continue;
        }
      } else {
        if (parameter) continue;
        if (unit == Char.Dot) {
          if (unitEncoded) segmentEncoded++;
          dots++;
          if (segment < SEGMENT_CAPACITY) putByte(SEGMENT + segment++, unit);
        } else if (unit == Char.Nul) {
          // ".\0." is ".." to a filter's eye only; a name ends here for C.
          if (plain) {
            pathCut = true;
            end = at;
          } else if (dots != 0) odd++;
        } else if (unit == Char.Semicolon && dots != 0 && !plain) {
          parameter = true;
          odd++;
        } else if ((unit <= <u32>Char.Space || unit == Char.Percent) && dots != 0 && !plain) {
          continue; // ".. /", "..\t/", "..%/"
        } else {
          plain = true;
          if (segment < SEGMENT_CAPACITY) putByte(SEGMENT + segment++, unit);
        }
        continue;
      }
    }
    // A segment ends here.
    const slashEncoded = !over && unitEncoded;
    if (segment == 0 && behindUp && !over) doubled++;
    behindUp = segment != 0 && !plain && dots == 2;
    if (segment != 0) {
      if (!plain) {
        // "…/..." at the end is an ellipsis.
        if (dots == 2 || (dots > 2 && !over)) {
          pathClimbs++;
          encodedDots += segmentEncoded;
          if (slashEncoded) encodedSlashes++;
          if (dots > 2) odd++;
          if (!over) separators |= unit == Char.Slash ? 1 : 2;
          if (out > TOKENS && !isMark(byteAt(out - 1))) out--;
          else if (pathUps < MOST_UPS) {
            pathUps++;
            if (out < limit) out = putByte(out, Path.Up);
          }
        } else {
          encodedDots += segmentEncoded;
          heres++;
        }
      } else {
        let last = SEGMENT + segment;
        while (last > SEGMENT + 1 && (byteAt(last - 1) == Char.Space || byteAt(last - 1) == Char.Dot)) last--;
        if (out < limit) out = putByte(out, nameKind(last));
      }
    }
    first = false;
    segment = 0;
    dots = 0;
    segmentEncoded = 0;
    plain = false;
    parameter = false;
    if (over) break;
  }
  if (pathCut) out = putByte(out, Path.Nul);
  out = putByte(out, Path.Finish);

  pathTokens = <u32>(out - TOKENS);
  pathSpelling = 0;
  if (encodedDots != 0) pathSpelling |= Spelling.EncodedDot;
  if (encodedSlashes != 0) pathSpelling |= Spelling.EncodedSlash;
  if (odd != 0 || heres >= MOST_HERES || separators == 3 || doubled > 1) pathSpelling |= Spelling.Odd;
}

/** The surest rule of rules/traversal.yaml that the tokens of the last path match, or 0. */
export function matchPath(): u32 {
  let state = dfaStart(TRAVERSAL_TABLE);
  let rule: u32 = 0;
  for (let index: u32 = 0; index < pathTokens && !dfaDead(TRAVERSAL_TABLE, state); index++) {
    state = dfaNext(TRAVERSAL_TABLE, state, pathToken(index));
    if (!dfaAccepts(TRAVERSAL_TABLE, state)) continue;
    const matched = dfaRule(TRAVERSAL_TABLE, state);
    if (rule == 0 || ruleConfidence(matched) > ruleConfidence(rule)) rule = matched;
  }
  return rule;
}
