// What a field's name says of its value. A name proves nothing; it only moves a confidence.

import { byteAt, isDigit, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd, fieldPart, Part } from "../core/field";
import { FIELD_ROLE } from "../generated/redirect";
import { keyword } from "../match/keywords";

/** The field's name without "-", "_" and what surrounds its last part; 8 bytes more that keyword() may read. Owner: `fieldRole`. */
const NAME: usize = memory.data(48);
const NAME_CAPACITY: usize = 40;

/** What the field's name says of its value (`FieldRole`), 0 for nothing: "return_url", "/user/returnUrl", "conf[path]". */
export function fieldRole(): u32 {
  if (fieldPart == Part.Header || fieldPart == Part.Path) return 0;
  let end = fieldNameEnd;
  if (end > fieldName && byteAt(end - 1) == Char.BracketClose) end--;
  while (end > fieldName && isDigit(byteAt(end - 1))) end--;
  // An item of a list is what the list is: "/notes/0".
  if (fieldPart == Part.Json && end < fieldNameEnd && end > fieldName && byteAt(end - 1) == Char.Slash) end--;
  let from = end;
  while (from > fieldName && !endsPart(byteAt(from - 1))) from--;
  if (end - from > NAME_CAPACITY) return 0;
  let out = NAME;
  for (; from < end; from++) {
    const byte = byteAt(from);
    if (byte != Char.Underscore && byte != Char.Dash) out = putByte(out, byte);
  }
  return keyword(FIELD_ROLE, NAME, out);
}

/** Whether `byte` stands before the last part of a field's name. */
function endsPart(byte: u32): bool {
  return byte == Char.Slash || byte == Char.BracketOpen || byte == Char.Dot || byte == Char.BracketClose;
}
