// Python's pickle, run without its machine: every opcode with its argument, to STOP. Protocols 0–5 (pickletools documents them).
//
//   pickle = 1*( opcode argument ) "."        argument: nothing, 1, 2, 4 or 8 bytes, a line, two lines, or counted bytes
//
// Text that is no pickle fails at its first or second byte. One look a byte; no memory.

import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";

/** Bits of `readPickle`. */
export const PICKLE_GLOBAL: u32 = 1;
export const PICKLE_CALL: u32 = 2;
export const PICKLE_WHOLE: u32 = 4;

/** How an opcode's argument is told, two opcodes a byte from 0x20 on: see `argumentOf`. */
const LINE: u32 = 16;
const LINES: u32 = 17;
const COUNT_1: u32 = 18;
const COUNT_4: u32 = 19;
const COUNT_8: u32 = 20;
const NO_OPCODE: u32 = 21;

/** Reads `start..end` as a pickle: whether it names a global, calls something, and ends in STOP with no more than blanks behind. */
export function readPickle(start: usize, end: usize): u32 {
  let seen: u32 = 0;
  let at = start;
  while (at < end) {
    const code = byteAt(at++);
    if (code == Char.Dot) {
      while (at < end && byteAt(at) <= <u32>Char.Space) at++;
      return at == end ? seen | PICKLE_WHOLE : 0;
    }
    // GLOBAL, INST, STACK_GLOBAL; REDUCE, INST, OBJ, NEWOBJ, NEWOBJ_EX, BUILD.
    if (code == 0x63 || code == 0x69 || code == 0x93) seen |= PICKLE_GLOBAL;
    if (code == 0x52 || code == 0x69 || code == 0x6f || code == 0x62 || code == 0x81 || code == 0x92)
      seen |= PICKLE_CALL;
    const kind = argumentOf(code);
    if (kind == NO_OPCODE) return 0;
    if (kind < LINE) {
      at += kind;
    } else if (kind <= LINES) {
      at = findByte(at, end, Char.LineFeed) + 1;
      if (kind == LINES) at = findByte(min(at, end), end, Char.LineFeed) + 1;
    } else {
      const width: usize = kind == COUNT_1 ? 1 : kind == COUNT_4 ? 4 : 8;
      if (end - at < width) return seen;
      let count: usize = byteAt(at);
      if (width > 1) count |= ((<usize>byteAt(at + 1)) << 8) | ((<usize>byteAt(at + 2)) << 16);
      at += width;
      if (count > end - at) return seen;
      at += count;
    }
  }
  return seen;
}

function argumentOf(code: u32): u32 {
  switch (code) {
    // MARK POP DUP BINPERSID NONE REDUCE APPEND BUILD DICT APPENDS LIST OBJ SETITEM TUPLE SETITEMS EMPTY_LIST _TUPLE _DICT
    case 0x28:
    case 0x30:
    case 0x31:
    case 0x32:
    case 0x51:
    case 0x4e:
    case 0x52:
    case 0x61:
    case 0x62:
    case 0x64:
    case 0x65:
    case 0x6c:
    case 0x6f:
    case 0x73:
    case 0x74:
    case 0x75:
    case 0x5d:
    case 0x29:
    case 0x7d:
    // NEWOBJ TUPLE1–3 NEWTRUE NEWFALSE, EMPTY_SET ADDITEMS FROZENSET NEWOBJ_EX STACK_GLOBAL MEMOIZE, NEXT_BUFFER READONLY_BUFFER
    case 0x81:
    case 0x85:
    case 0x86:
    case 0x87:
    case 0x88:
    case 0x89:
    case 0x8f:
    case 0x90:
    case 0x91:
    case 0x92:
    case 0x93:
    case 0x94:
    case 0x97:
    case 0x98:
      return 0;
    // BININT1 BINGET BINPUT PROTO EXT1
    case 0x4b:
    case 0x68:
    case 0x71:
    case 0x80:
    case 0x82:
      return 1;
    // BININT2 EXT2
    case 0x4d:
    case 0x83:
      return 2;
    // BININT LONG_BINGET LONG_BINPUT EXT4
    case 0x4a:
    case 0x6a:
    case 0x72:
    case 0x84:
      return 4;
    // BINFLOAT FRAME
    case 0x47:
    case 0x95:
      return 8;
    // FLOAT INT LONG STRING PERSID UNICODE GET PUT
    case 0x46:
    case 0x49:
    case 0x4c:
    case 0x53:
    case 0x50:
    case 0x56:
    case 0x67:
    case 0x70:
      return LINE;
    // GLOBAL INST
    case 0x63:
    case 0x69:
      return LINES;
    // SHORT_BINSTRING SHORT_BINBYTES SHORT_BINUNICODE LONG1
    case 0x55:
    case 0x43:
    case 0x8c:
    case 0x8a:
      return COUNT_1;
    // BINSTRING BINUNICODE BINBYTES LONG4
    case 0x54:
    case 0x58:
    case 0x42:
    case 0x8b:
      return COUNT_4;
    // BINUNICODE8 BINBYTES8 BYTEARRAY8
    case 0x8d:
    case 0x8e:
    case 0x96:
      return COUNT_8;
    default:
      return NO_OPCODE;
  }
}
