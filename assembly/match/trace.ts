// What a value went through on its way: its field, its layers and the tokens that automata were given. Only in the checked build, and
// only where a configuration asks for it (`explain`): `meshward policy explain` reads it from the module's log.
//
//   value PART NAME        the field; NAME and BYTES in hexadecimal, `-` for none
//   layer BYTES            the value as it stands, then each form that a decoder made of it
//   tokens CLASS KIND …    one run of an automaton over the layer
//
// What does not fit into the buffer is left out.

import { byteAt, findByte, putByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd, reportedPart, partName } from "../core/field";
import { putText, textBytes, textSize } from "../core/text";
import { tableName, tokenKinds } from "../generated/tokens";

/** Bytes of the longest trace of one value. */
const CAPACITY: usize = 262144;
const TEXT: usize = memory.data(262144);
const HEX: usize = memory.data<u8>([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102]);
/** More than any fixed part of a line takes. */
const MARGIN: usize = 64;

export const traceStart: usize = TEXT;
export let traceEnd: usize = TEXT;
/** Whether anything is traced. */
export let tracing: bool = false;

export function setTracing(on: bool): void {
  tracing = on;
}

/** Begins with a value of the current field. */
export function traceValue(): void {
  traceEnd = putText(TEXT, "explain\nvalue ");
  traceEnd = putByte(putText(traceEnd, partName(reportedPart)), Char.Space);
  putHexOrNone(fieldName, fieldNameEnd);
}

/** A form of the value that detectors are given. */
export function traceLayer(start: usize, end: usize): void {
  if (!fits((end - start) * 2)) return;
  traceEnd = putText(traceEnd, "\nlayer ");
  putHexOrNone(start, end);
}

/** An automaton starts. */
export function traceRun(table: usize): void {
  if (!fits(0)) return;
  traceEnd = putText(putText(traceEnd, "\ntokens "), tableName(table));
}

/** It is given a token. */
export function traceToken(table: usize, kind: u32): void {
  if (!fits(0) || kind == 0) return;
  const names = tokenKinds(table);
  // The name of the kind: the text between two spaces of the list.
  let name = textBytes(names);
  const end = name + textSize(names);
  for (let code: u32 = 1; code < kind && name < end; code++) name = findByte(name, end, Char.Space) + 1;
  traceEnd = putByte(traceEnd, Char.Space);
  if (name < end) traceEnd = putBytes(traceEnd, name, findByte(name, end, Char.Space));
}

function fits(size: usize): bool {
  return traceEnd + size + MARGIN <= TEXT + CAPACITY;
}

function putHexOrNone(start: usize, end: usize): void {
  if (start == end) traceEnd = putByte(traceEnd, Char.Dash);
  for (; start < end; start++) {
    traceEnd = putByte(putByte(traceEnd, byteAt(HEX + (byteAt(start) >> 4))), byteAt(HEX + (byteAt(start) & 15)));
  }
}
