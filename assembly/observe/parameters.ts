// The parameters of a request: where each stands, what it is called and what its values look like. At most 32, in 1 KiB.
//
//   list: u32 bytes in use │ u16 types, u8 part, u8 size of the name, name │ …

import { byteAt, findByte, isDigit, isLetter, isSpace, putByte, putBytes, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { findPair } from "../core/scan";
import { textIsNoCase } from "../core/text";
import { isUuid } from "../report/ids";

/** Bytes of a list. */
export const PARAMETERS_CAPACITY: u32 = 1024;
const HEAD: u32 = 4;
const ENTRY: u32 = 4;
const MAX_PARAMETERS: u32 = 32;
/** Bytes of a name that are kept. */
const NAME_ROOM: usize = 64;

/** What a value looks like, a bit each. */
export const enum Type {
  Empty = 1,
  Boolean = 2,
  Integer = 4,
  Number = 8,
  Uuid = 16,
  Date = 32,
  Email = 64,
  Url = 128,
  Token = 256,
  Text = 512,
}

export const TYPES: u32 = 10;

export function typeName(index: u32): string {
  switch (index) {
    case 0:
      return "empty";
    case 1:
      return "boolean";
    case 2:
      return "integer";
    case 3:
      return "number";
    case 4:
      return "uuid";
    case 5:
      return "date";
    case 6:
      return "email";
    case 7:
      return "url";
    case 8:
      return "token";
  }
  return "text";
}

/** Bytes from which a run of letters and digits, both of them, is a token and no word. */
const TOKEN: usize = 20;

/** The type of the value `start..end`. */
export function typeOf(start: usize, end: usize): Type {
  const size = end - start;
  if (size == 0) return Type.Empty;
  let digits: usize = 0;
  let letters: usize = 0;
  let dots: usize = 0;
  let others: usize = 0;
  let blanks = false;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (isDigit(byte)) digits++;
    else if (isLetter(byte)) letters++;
    else if (byte == Char.Dot) dots++;
    else if (isSpace(byte)) blanks = true;
    else if (byte != Char.Dash && byte != Char.Underscore) others++;
  }
  const signed = byteAt(start) == Char.Dash ? <usize>1 : 0;
  if (digits != 0 && digits + signed == size) return Type.Integer;
  if (dots == 1 && digits != 0 && digits + signed + 1 == size) return Type.Number;
  if (textIsNoCase(start, end, "true") || textIsNoCase(start, end, "false")) return Type.Boolean;
  if (isUuid(start, end)) return Type.Uuid;
  if (isDate(start, end)) return Type.Date;
  if (blanks) return Type.Text;
  if (findPair(start, end, Char.Slash, Char.Slash) < end) return Type.Url;
  const sign = findByte(start, end, Char.At);
  if (sign > start && sign < end && dots != 0 && findByte(sign + 1, end, Char.At) == end) return Type.Email;
  return size >= TOKEN && digits != 0 && letters != 0 && others == 0 && dots <= 2 ? Type.Token : Type.Text;
}

/** Whether a value begins with a day as ISO 8601 writes it, and has no more than a time behind it. */
function isDate(start: usize, end: usize): bool {
  if (end - start < 10 || end - start > 35) return false;
  for (let i: usize = 0; i < 10; i++) {
    const byte = byteAt(start + i);
    if (i == 4 || i == 7 ? byte != Char.Dash : !isDigit(byte)) return false;
  }
  return end - start == 10 || (byteAt(start + 10) | 32) == Char.t || byteAt(start + 10) == Char.Space;
}

/** Name with the places of lists left out, so that all items of one are the same parameter. */
const NAME: usize = memory.data(64, 8);

/** Adds a parameter to the list at `list`, or the type to the one that is there; whether the list has changed. */
export function addParameter(list: usize, part: Part, name: usize, nameEnd: usize, types: u32): bool {
  const size = <u32>(putPlain(name, nameEnd) - NAME);
  const used = load<u32>(list);
  let at = list + HEAD;
  let count: u32 = 0;
  while (at < list + HEAD + used) {
    const length = load<u8>(at, 3);
    if (load<u8>(at, 2) == <u8>part && sameBytes(at + ENTRY, at + ENTRY + length, NAME, NAME + size)) {
      const known = <u32>load<u16>(at);
      store<u16>(at, <u16>(known | types));
      return (known | types) != known;
    }
    at += ENTRY + length;
    count++;
  }
  if (count == MAX_PARAMETERS || HEAD + used + ENTRY + size > PARAMETERS_CAPACITY) return false;
  store<u16>(at, <u16>types);
  store<u8>(at, <u8>part, 2);
  store<u8>(at, <u8>size, 3);
  putBytes(at + ENTRY, NAME, NAME + size);
  store<u32>(list, used + ENTRY + size);
  return true;
}

/** Writes a name to NAME: "/items/0/sku" as "/items/*\/sku", `ids[3]` as `ids[*]`. */
function putPlain(name: usize, end: usize): usize {
  let out = NAME;
  while (name < end && out < NAME + NAME_ROOM) {
    const byte = byteAt(name++);
    out = putByte(out, byte);
    if (byte != Char.Slash && byte != Char.BracketOpen) continue;
    let behind = name;
    while (behind < end && isDigit(byteAt(behind))) behind++;
    if (behind == name || out == NAME + NAME_ROOM) continue;
    if (behind == end || byteAt(behind) == Char.Slash || byteAt(behind) == Char.BracketClose) {
      out = putByte(out, Char.Star);
      name = behind;
    }
  }
  return out;
}

/** The parameter that `nextParameter` has come to. */
export let parameterPart: Part = Part.Query;
export let parameterTypes: u32 = 0;
export let parameterName: usize = 0;
export let parameterNameEnd: usize = 0;
let next: usize = 0;
let limit: usize = 0;

export function openParameters(list: usize): void {
  next = list + HEAD;
  limit = next + load<u32>(list);
}

export function nextParameter(): bool {
  if (next >= limit) return false;
  parameterTypes = load<u16>(next);
  parameterPart = <Part>load<u8>(next, 2);
  parameterName = next + ENTRY;
  parameterNameEnd = parameterName + load<u8>(next, 3);
  next = parameterNameEnd;
  return true;
}
