// The name of a field as findings give it: at most NAME_CAPACITY bytes, built up piece by piece. A longer one keeps as many whole
// UTF-8 characters as fit and ends in "…" (E2 80 A6); nothing is appended behind that.

import { byteAt, putByte, putBytes } from "../core/bytes";
import { NAME_CAPACITY } from "../core/findings";

/** Bytes of the longest name that is not cut. */
const LIMIT: usize = NAME_CAPACITY - 3;
const ELLIPSIS_END: u32 = 0xa6;

/** Appends `start..end` to the name of `size` bytes at `name` (a block of NAME_CAPACITY bytes); returns the new size. */
export function appendName(name: usize, size: u32, start: usize, end: usize): u32 {
  const room = LIMIT - size;
  // A cut name has at least LIMIT bytes: three bytes of a halved character gone, three of the sign come.
  if (size >= <u32>LIMIT && byteAt(name + size - 1) == ELLIPSIS_END) return size;
  if (end - start <= room) return <u32>(putBytes(name + size, start, end) - name);
  let out = putBytes(name + size, start, start + room);
  if (isContinuation(byteAt(start + room))) {
    const least = out - 3;
    while (out > least && isContinuation(byteAt(out - 1))) out--;
    if (out > least) out--;
  }
  out = putByte(out, 0xe2);
  out = putByte(out, 0x80);
  return <u32>(putByte(out, ELLIPSIS_END) - name);
}

function isContinuation(byte: u32): bool {
  return (byte & 0xc0) == 0x80;
}
