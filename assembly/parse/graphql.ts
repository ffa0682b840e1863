// The strings of a GraphQL document that stands whole in memory, by the arguments that they are given for
// (https://spec.graphql.org/October2021/, 2.9.4). Outside of parentheses there are none but descriptions.
//
//   mutation { post(input: {title: "a", tags: ["b", """c"""]}) { id } }      /input/title a   /input/tags/0 b   /input/tags/1 c
//
// Escapes are decoded, but for the one of block strings. One look at each byte; the names' stack is that of pointer.ts: what lies
// deeper has the name of what holds it.

import { byteAt, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { findEither, skipBlank } from "../core/scan";
import { textStarts } from "../core/text";
import { decodeEscapes } from "../decode/escape";
import {
  closePlace,
  inObject,
  MAX_DEPTH,
  nextElement,
  openPlace,
  openPointed,
  POINTED_SIZE,
  pointAtMember,
  Pointed,
  pointerEnd,
  pointerOf,
} from "./pointer";

/** The stack at work. Owner: this file. */
const STATE: usize = memory.data(752, 8);
/** A string, decoded, at most 16 KiB with room behind it. Owner: this file. */
const TEXT: usize = memory.data(16448, 16);

/** The string that `nextArgument` found, and its name. */
export let argumentStart: usize = 0;
export let argumentEnd: usize = 0;
export let argumentName: usize = 0;
export let argumentNameEnd: usize = 0;

let at: usize = 0;
let end: usize = 0;

/** Starts on the document `from..to`. */
export function openArguments(from: usize, to: usize): void {
  if (isDefined(CHECKED)) assert(POINTED_SIZE <= 752); // the stack fits its block
  at = from;
  end = to;
  openPointed(STATE, MAX_DEPTH);
}

/** The next string of an argument; false where there is none. */
export function nextArgument(): bool {
  const open = changetype<Pointed>(STATE);
  while (at < end) {
    const byte = byteAt(at);
    if (byte == Char.DoubleQuote) {
      argumentName = pointerOf(STATE);
      argumentNameEnd = pointerEnd(STATE);
      readString();
      if (open.depth == 0) continue;
      endElement(open);
      return true;
    }
    if (byte == Char.Hash) {
      at = findEither(at, end, Char.LineFeed, Char.CarriageReturn);
    } else if (isWord(byte) || byte == Char.Dash) {
      readWord(open);
    } else {
      at++;
      if (byte == Char.ParenOpen) openPlace(STATE, true);
      else if (byte == Char.ParenClose) openPointed(STATE, MAX_DEPTH);
      else if (open.depth == 0) continue;
      else if (byte == Char.BraceOpen || byte == Char.BracketOpen) openPlace(STATE, byte == Char.BraceOpen);
      else if ((byte == Char.BraceClose || byte == Char.BracketClose) && open.depth > 1) {
        closePlace(STATE);
        endElement(open);
      }
    }
  }
  return false;
}

/** Reads the string at the cursor; one without an end goes to the document's. */
function readString(): void {
  if (textStarts(at, end, '"""')) {
    argumentStart = at + 3;
    for (at = argumentStart; at < end && !textStarts(at, end, '"""');) at += textStarts(at, end, '\\"""') ? 4 : 1;
    argumentEnd = min(at, end);
    at = min(at + 3, end);
    return;
  }
  argumentStart = ++at;
  let escaped = false;
  while ((at = findEither(at, end, Char.DoubleQuote, Char.Backslash)) < end && byteAt(at) == Char.Backslash) {
    escaped = true;
    at += 2;
  }
  argumentEnd = min(at, end);
  at = min(at + 1, end);
  if (!escaped) return;
  argumentEnd = decodeEscapes(argumentStart, argumentEnd, TEXT);
  argumentStart = TEXT;
}

/** Reads a name, a number or a word; a name before a colon is that of a member. */
function readWord(open: Pointed): void {
  const from = at;
  do at++;
  while (at < end && (isWord(byteAt(at)) || byteAt(at) == Char.Dot || byteAt(at) == Char.Dash));
  if (open.depth == 0) return;
  const next = skipBlank(at, end);
  if (!inObject(open)) endElement(open);
  else if (next < end && byteAt(next) == Char.Colon) pointAtMember(STATE, from, at);
}

/** What ended was an element, if a list is open. */
function endElement(open: Pointed): void {
  if (open.depth != 0 && !inObject(open)) nextElement(STATE);
}
