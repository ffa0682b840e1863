// Fixed texts: names to compare with and fragments to write. A string literal is static data (UTF-16, no allocation, no
// collector), so ASCII literals stand in the code where they are used; nothing here makes a new string.

import { findPair } from "./scan";

/** Whether `start..end` holds exactly the ASCII `literal`. */
export function textIs(start: usize, end: usize, literal: string): bool {
  return end - start == <usize>literal.length && textStarts(start, end, literal);
}

/** Whether `start..end` begins with the ASCII `literal`. */
export function textStarts(start: usize, end: usize, literal: string): bool {
  const length = <usize>literal.length;
  if (end - start < length) return false;
  const characters = changetype<usize>(literal);
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(start + i) != <u8>load<u16>(characters + (i << 1))) return false;
  }
  return true;
}

/** `textIs` without regard to ASCII case; `literal` is in lower case. */
export function textIsNoCase(start: usize, end: usize, literal: string): bool {
  return end - start == <usize>literal.length && textStartsNoCase(start, end, literal);
}

/** `textStarts` without regard to ASCII case; `literal` is in lower case. */
export function textStartsNoCase(start: usize, end: usize, literal: string): bool {
  const length = <usize>literal.length;
  if (end - start < length) return false;
  const characters = changetype<usize>(literal);
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(start + i);
    const lower = byte - 0x41 < 26 ? byte | 0x20 : byte;
    if (lower != <u8>load<u16>(characters + (i << 1))) return false;
  }
  return true;
}

/** Writes the ASCII `literal` at `out` and returns the next cursor. */
export function putText(out: usize, literal: string): usize {
  const length = <usize>literal.length;
  const characters = changetype<usize>(literal);
  for (let i: usize = 0; i < length; i++) store<u8>(out + i, <u8>load<u16>(characters + (i << 1)));
  return out + length;
}

/** The address of the first ASCII `literal`, of two bytes or more, in `start..end`, or `end`. */
export function findText(start: usize, end: usize, literal: string): usize {
  const characters = changetype<usize>(literal);
  const first: u32 = load<u16>(characters);
  const second: u32 = load<u16>(characters, 2);
  while (true) {
    start = findPair(start, end, first, second);
    if (start >= end || textStarts(start, end, literal)) return min(start, end);
    start++;
  }
}

/** Whether the ASCII `literal`, in lower case, stands anywhere in `start..end`, without regard to case. For short runs. */
export function holdsTextNoCase(start: usize, end: usize, literal: string): bool {
  for (; start + <usize>literal.length <= end; start++) if (textStartsNoCase(start, end, literal)) return true;
  return false;
}
