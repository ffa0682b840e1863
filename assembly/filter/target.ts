// The path that routes and exceptions are matched against, in both readings (policy/request.ts).

import { byteAt, findByte, isWord, putByte, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { decodePercent } from "../decode/percent";
import { normalizePath } from "../parse/path";
import { setRequestPath } from "../policy/request";

/** Longest path that is normalized; a longer one is matched as it stands, and no exception by path covers it. */
const LONGEST: usize = 8192;
const KEPT: usize = memory.data(24640);
const PLAIN: usize = memory.data(8256);
const DECODED: usize = memory.data(24640);

/** Reads the path `start..end` (no query) in both ways. */
export function readPaths(start: usize, end: usize): void {
  if (end - start > LONGEST) return setRequestPath(start, end, DECODED, DECODED);
  if (readsOneWay(start, end)) return setRequestPath(start, end, start, end);
  const keptEnd = normalizePath(start, end, KEPT);
  const plainEnd = dropParameters(PLAIN, decodePercent(start, end, PLAIN, false));
  const decodedEnd = normalizePath(PLAIN, plainEnd, DECODED);
  // What Envoy refuses (a NUL) never comes here from Envoy; it leads nowhere in either reading.
  if (keptEnd == 0 || decodedEnd == 0) return setRequestPath(start, end, DECODED, DECODED);
  // Envoy has removed "/..;/" but not "/%2e%2e;/", which now reads the same: what stands here is what it routes.
  if (hasDotParameters(start, end)) return setRequestPath(start, end, DECODED, decodedEnd);
  if (sameBytes(KEPT, keptEnd, DECODED, decodedEnd)) setRequestPath(KEPT, keptEnd, KEPT, keptEnd);
  else setRequestPath(KEPT, keptEnd, DECODED, decodedEnd);
}

/** Whether nothing in the path is anybody's to change, as in most. May say no too often. */
export function readsOneWay(start: usize, end: usize): bool {
  if (start == end || byteAt(start) != Char.Slash) return false;
  for (let at = start, before: u32 = 0; at < end; at++) {
    const byte = byteAt(at);
    if (byte == Char.Slash || byte == Char.Dot) {
      if (before == Char.Slash) return false;
    } else if (!isWord(byte) && byte != Char.Dash && byte != Char.Tilde) return false;
    before = byte;
  }
  return true;
}

/** Whether a segment is `.` or `..` with parameters. */
function hasDotParameters(start: usize, end: usize): bool {
  for (let at = findByte(start, end, Char.Slash); at < end; at = findByte(at, end, Char.Slash)) {
    at++;
    let dots = at;
    while (dots < end && byteAt(dots) == Char.Dot) dots++;
    if (dots > at && dots < end && byteAt(dots) == Char.Semicolon) return true;
  }
  return false;
}

/** Removes `;parameters` from each segment, as Java servers do before they map a path; in place. */
function dropParameters(start: usize, end: usize): usize {
  let out = start;
  for (let at = start; at < end;) {
    if (byteAt(at) == Char.Semicolon) {
      while (at < end && byteAt(at) != Char.Slash) at++;
    } else {
      out = putByte(out, byteAt(at++));
    }
  }
  return out;
}
