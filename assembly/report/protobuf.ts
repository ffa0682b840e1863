// Writes protobuf from its end to its start: the content of a field stands before its length is asked for, so every length is the
// shortest there is and nothing is moved. The last field is written first. Each function writes in front of `out` and returns the
// new start.
//
//   ◄── out                                    https://protobuf.dev/programming-guides/encoding/
//   [tag][length][content │ content written before ]

import { putByte } from "../core/bytes";
import { Char } from "../core/char";
import { findUnprintable } from "../core/scan";
import { putText, textSize } from "../core/text";
import { sequenceLength } from "./json";

const enum Wire {
  Varint = 0,
  Fixed64 = 1,
  Length = 2,
}

export function pushVarint(out: usize, value: u64): usize {
  let size: usize = 1;
  for (let left = value >> 7; left != 0; left >>= 7) size++;
  out -= size;
  let at = out;
  for (; value >= 0x80; value >>= 7) at = putByte(at, ((<u32>value) & 0x7f) | 0x80);
  putByte(at, <u32>value);
  return out;
}

function pushTag(out: usize, field: u32, wire: Wire): usize {
  return pushVarint(out, (field << 3) | wire);
}

/** Makes what stands at `out..end` the content of a field: a message, or bytes. */
export function pushLength(out: usize, field: u32, end: usize): usize {
  return pushTag(pushVarint(out, end - out), field, Wire.Length);
}

export function pushNumber(out: usize, field: u32, value: u64): usize {
  return pushTag(pushVarint(out, value), field, Wire.Varint);
}

export function pushFixed64(out: usize, field: u32, value: u64): usize {
  out -= 8;
  store<u64>(out, value);
  return pushTag(out, field, Wire.Fixed64);
}

/** A fixed ASCII text, bare: a part of a string that `pushLength` ends. */
export function pushText(out: usize, literal: string): usize {
  out -= textSize(literal);
  putText(out, literal);
  return out;
}

/** A number in decimal digits, bare. */
export function pushDecimal(out: usize, value: u32): usize {
  do {
    out--;
    putByte(out, Char._0 + (value % 10));
    value /= 10;
  } while (value != 0);
  return out;
}

/**
 * Bytes that anybody chose, bare, as text that is safe to show: well-formed UTF-8 stays, any other byte and each control character
 * becomes "?". At most the first `room` bytes.
 */
export function pushSafe(out: usize, start: usize, end: usize, room: usize): usize {
  const length = min(end - start, room);
  const first = out - length;
  memory.copy(first, start, length);
  // Most texts have nothing to replace.
  for (let at = findUnprintable(first, out); at < out; at = findUnprintable(at, out)) {
    const sequence = load<u8>(at) < 0x80 ? 0 : sequenceLength(at, out);
    if (sequence == 0) putByte(at, Char.Question);
    at += max<usize>(sequence, 1);
  }
  return first;
}
