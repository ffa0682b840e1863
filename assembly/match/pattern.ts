// Patterns that a policy brings along: compiled when it is read, run one step per byte whatever the bytes are.
//
//   pattern = [ "^" ] 1*62item [ "$" ]        item = "[" 1*range "]" [ "?" / "*" / "+" ]        range = 4HEXDIG (two bytes, low to high)
//
// scripts/policy/pattern.ts makes them of literals, globs and regular expressions: alternatives are patterns of their own, repeats
// are written out. The machine is an extended Shift-And (Navarro and Raffinot, Flexible Pattern Matching in Strings, 4.2): bit n of a
// word says that the text up to here ends with the first n items; one shift and one mask moves all of them by a byte.
//
//   compiled: Pattern, u8 class[256], u64 mask[classes]      (which items take a byte of that class)

import { byteAt, isDigit } from "../core/bytes";
import { Char } from "../core/char";

/** Items of a pattern: bit 0 is the start, and one more is for the shift. */
const MAX_ITEMS: u32 = 62;

// @ts-ignore: decorator
@unmanaged
export class Pattern {
  next: usize;
  /** The bit that says that all items have matched. */
  accept: u64;
  /** Items with `*` or `+`. */
  repeats: u64;
  /** Items with `?` or `*`; of each run of them, the bit before it and its last. */
  optional: u64;
  before: u64;
  last: u64;
  /** Bit 0 where it may begin anywhere. */
  anywhere: u64;
  toEnd: bool;
}

const HEAD: u32 = offsetof<Pattern>();
const CLASSES: u32 = 256;
/** Bytes that a compiled pattern can take. */
export const PATTERN_CAPACITY: u32 = HEAD + CLASSES + 256 * 8;

/** The mask of each byte while a pattern is compiled. */
const MASKS: usize = memory.data(2048, 8);

/** Compiles `at..end` into `out`, `PATTERN_CAPACITY` bytes; the end of what it takes, or 0 where it is no pattern. */
export function compilePattern(at: usize, end: usize, out: usize): usize {
  const pattern = changetype<Pattern>(out);
  memory.fill(out, 0, PATTERN_CAPACITY);
  memory.fill(MASKS, 0, 2048);
  pattern.anywhere = 1;
  if (at < end && byteAt(at) == Char.Caret) {
    pattern.anywhere = 0;
    at++;
  }
  let items: u32 = 0;
  while (at < end && byteAt(at) == Char.BracketOpen) {
    if (++items > MAX_ITEMS) return 0;
    const bit = (<u64>1) << items;
    at++;
    while (at + 4 < end && byteAt(at) != Char.BracketClose) {
      const low = hexAt(at);
      const high = hexAt(at + 2);
      if (low > high || high > 255) return 0;
      for (let byte = low; byte <= high; byte++) store<u64>(MASKS + (byte << 3), load<u64>(MASKS + (byte << 3)) | bit);
      at += 4;
    }
    if (at >= end || byteAt(at) != Char.BracketClose) return 0;
    at++;
    const mark: u32 = at < end ? byteAt(at) : 0;
    if (mark == Char.Star || mark == Char.Plus) pattern.repeats |= bit;
    if (mark == Char.Star || mark == Char.Question) {
      if ((pattern.optional & (bit >> 1)) == 0) pattern.before |= bit >> 1;
      else pattern.last &= ~(bit >> 1);
      pattern.optional |= bit;
      pattern.last |= bit;
    }
    if (mark == Char.Star || mark == Char.Plus || mark == Char.Question) at++;
  }
  if (at < end && byteAt(at) == Char.Dollar) {
    pattern.toEnd = true;
    at++;
  }
  if (at != end || items == 0) return 0;
  pattern.accept = (<u64>1) << items;
  return putClasses(out + HEAD);
}

/** Writes the class of each byte and the mask of each class; the end of them. */
function putClasses(classes: usize): usize {
  const masks = classes + CLASSES;
  let count: u32 = 0;
  for (let byte: u32 = 0; byte < 256; byte++) {
    const mask = load<u64>(MASKS + (byte << 3));
    let id: u32 = 0;
    while (id < count && load<u64>(masks + (id << 3)) != mask) id++;
    if (id == count) store<u64>(masks + (count++ << 3), mask);
    store<u8>(classes + byte, id);
  }
  return masks + (count << 3);
}

/** The byte that two hexadecimal digits name; 256 where they are none. */
function hexAt(at: usize): u32 {
  const high = digitAt(at);
  const low = digitAt(at + 1);
  return high > 15 || low > 15 ? 256 : (high << 4) | low;
}

function digitAt(at: usize): u32 {
  const byte = byteAt(at);
  return isDigit(byte) ? byte - Char._0 : byte >= <u32>Char.a && byte <= <u32>Char.f ? byte - Char.a + 10 : 16;
}

/** Whether `start..end` holds the pattern. One step per byte: some ten operations and two loads. */
export function patternFinds(address: usize, start: usize, end: usize): bool {
  const pattern = changetype<Pattern>(address);
  const classes = address + HEAD;
  const masks = classes + CLASSES;
  const repeats = pattern.repeats;
  const anywhere = pattern.anywhere;
  const accept: u64 = pattern.toEnd ? 0 : pattern.accept;
  let states = withSkipped(pattern, 1);
  for (; start < end; start++) {
    if ((states & accept) != 0) return true;
    const mask = load<u64>(masks + (byteAt(classes + byteAt(start)) << 3));
    states = withSkipped(pattern, ((states << 1) & mask) | (states & mask & repeats) | anywhere);
    if (states == 0) return false;
  }
  return (states & pattern.accept) != 0;
}

/** The states, and those that optional items let follow without a byte: a borrow runs through each run of them. */
// @ts-ignore: decorator
@inline
function withSkipped(pattern: Pattern, states: u64): u64 {
  const filled = states | pattern.last;
  return states | (pattern.optional & (~(filled - pattern.before) ^ filled));
}
