// The name of a field as findings give it: at most NAME_CAPACITY bytes, built up piece by piece. A longer one keeps as many whole
// UTF-8 characters as fit and ends in "…" (E2 80 A6); nothing is appended behind that.

import { byteAt, putByte } from "../core/bytes";
import { NAME_CAPACITY } from "../core/findings";
import { copyRun } from "../core/scan";

/** Bytes of the block that a name stands in: the name, and what `copyRun` writes behind it. */
export const NAME_ROOM: usize = <usize>NAME_CAPACITY + 16;

/** Bytes of the longest name that is not cut. */
const LIMIT: usize = NAME_CAPACITY - 3;
const ELLIPSIS_END: u32 = 0xa6;

/** Appends `start..end` to the name of `size` bytes at `name` (a block of NAME_ROOM bytes); returns the new size. */
export function appendName(name: usize, size: u32, start: usize, end: usize): u32 {
  const room = LIMIT - size;
  // A cut name has at least LIMIT bytes: three bytes of a halved character gone, three of the sign come.
  if (size >= <u32>LIMIT && byteAt(name + size - 1) == ELLIPSIS_END) return size;
  if (end - start <= room) return <u32>(copyRun(name + size, start, end) - name);
  let out = copyRun(name + size, start, start + room);
  if (isContinuation(byteAt(start + room))) {
    const least = out - 3;
    while (out > least && isContinuation(byteAt(out - 1))) out--;
    if (out > least) out--;
  }
  out = putByte(out, 0xe2);
  out = putByte(out, 0x80);
  return <u32>(putByte(out, ELLIPSIS_END) - name);
}

/** Appends one ASCII character. */
export function appendByte(name: usize, size: u32, byte: u32): u32 {
  if (size < <u32>LIMIT) {
    putByte(name + size, byte);
    return size + 1;
  }
  putByte(PIECE, byte);
  return appendName(name, size, PIECE, PIECE + 1);
}

/** One character, where the name is full. Owner: this file. */
const PIECE: usize = memory.data(32);

function isContinuation(byte: u32): bool {
  return (byte & 0xc0) == 0x80;
}
