// Percent encoding: RFC 3986 2.1, the form rules of the WHATWG URL Standard (`+` for a space), and the `%u` escapes of
// ECMA-262 B.2.1 that IIS and old frameworks still take.
//
//   %41        → A                 %u0041         → A (as UTF-8, 1–3 bytes)
//   +          → space, if `plus`  %uD83D%uDE00   → one code point, 4 bytes
//
// What is malformed stays as it is. One pass: "%2541" ends as "%41" (percent.yaml#twice). Never longer than its input.

import { byteAt, hexValue, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { copyRun, findEither } from "../core/scan";
import { Kind } from "../generated/kinds";
import { NO_POINT, escapedLength, escapedPoint, putPoint } from "./utf";

/** Whether a value with these kinds of byte may hold a percent escape. */
// @ts-ignore: decorator
@inline
export function needsPercent(kinds: u32): bool {
  return (kinds & Kind.Percent) != 0;
}

/** Decodes `start..end` to `out` (as long as the input and 16 bytes more, elsewhere); returns the new `out`. */
export function decodePercent(start: usize, end: usize, out: usize, plus: bool): usize {
  const other: u32 = plus ? Char.Plus : Char.Percent;
  while (true) {
    const at = findEither(start, end, Char.Percent, other);
    out = copyRun(out, start, at);
    if (at == end) return out;
    if (byteAt(at) == Char.Plus) {
      out = putByte(out, Char.Space);
      start = at + 1;
      continue;
    }
    if (end - at >= 3) {
      const high = hexValue(byteAt(at + 1));
      const low = hexValue(byteAt(at + 2));
      if ((high | low) < 16) {
        out = putByte(out, (high << 4) | low);
        start = at + 3;
        continue;
      }
    }
    const point = escapedPoint(at, end);
    if (point != NO_POINT) {
      out = putPoint(out, point);
      start = at + escapedLength(point);
    } else {
      out = putByte(out, Char.Percent);
      start = at + 1;
    }
  }
}
