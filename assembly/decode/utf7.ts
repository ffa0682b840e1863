// UTF-7: RFC 2152. A page without a charset has been read as UTF-7, and "+ADw-script+AD4-" is "<script>" then.
//
//   + base64 of UTF-16 units, most significant byte first - (the dash is taken when it is there)
//
// Units are taken while they are printable ASCII or white space; what follows is read as ordinary text again. A telephone number
// or a sum ("+4930", "1+1") has no such unit and stays. Linear: a run that is no UTF-7 is left after three bytes, the others are
// used up. Never longer than its input.

import { base64Value, byteAt, findByte, isSpace, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { copyRun, hasPair } from "../core/scan";
import { Kind } from "../generated/kinds";

/** Whether `start..end`, with these kinds of byte, may hold UTF-7: a unit of ASCII begins with "A". */
export function needsUtf7(kinds: u32, start: usize, end: usize): bool {
  return (kinds & Kind.Plus) != 0 && hasPair(start, end, Char.Plus, Char.A);
}

/** Decodes `start..end` to `out` (as long as the input and 16 bytes more, elsewhere); returns the new `out`. */
export function decodeUtf7(start: usize, end: usize, out: usize): usize {
  while (true) {
    const at = findByte(start, end, Char.Plus);
    out = copyRun(out, start, at);
    if (at == end) return out;
    start = at + 1;
    const next = putUnits(start, end, out);
    if (next == 0) {
      out = putByte(out, Char.Plus);
    } else {
      out = next;
      start = behind;
    }
  }
}

/** Where the run ends that was read last. */
let behind: usize = 0;

/** Writes the text of the run at `at` and returns the next cursor, or 0 where not even one unit is text. */
function putUnits(at: usize, end: usize, out: usize): usize {
  const first = out;
  let bits: u32 = 0;
  let held: u32 = 0;
  behind = at;
  for (; at < end; at++) {
    const six = sixBits(byteAt(at));
    if (six == 64) break;
    bits = (bits << 6) | six;
    held += 6;
    if (held < 16) continue;
    held -= 16;
    const unit = bits >> held;
    bits &= (1 << held) - 1;
    if (unit - 0x20 > 0x5e && !isSpace(unit)) break;
    out = putByte(out, unit);
    behind = at + 1;
  }
  if (out == first) return 0;
  // Fewer bits than a digit holds are padding, and the digit that they stand in was taken with the last unit.
  if (behind < end && byteAt(behind) == Char.Dash) behind++;
  return out;
}

/** The value of a digit of the first alphabet alone, or 64: a dash ends the run. */
function sixBits(byte: u32): u32 {
  return byte == Char.Dash || byte == Char.Underscore ? 64 : base64Value(byte);
}
