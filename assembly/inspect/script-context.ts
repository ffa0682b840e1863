// Where in a script a place lies: in its code, or in a string, a template, a comment or a regular expression. Walks forward only; a
// second question about the same script goes on from the first.
//
// A "/" begins a regular expression where a value may begin: behind an operator, an opening bracket or `return`. Expressions inside
// of a template count as the template.

import { byteAt, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { textIs } from "../core/text";

export const enum Script {
  Code,
  /** In quotes: `scriptQuote`, a backtick for templates. */
  String,
  Line,
  Block,
  Pattern,
}

export let scriptState: Script = Script.Code;
export let scriptQuote: u32 = 0;
/** Where the string begins, behind its quote. */
export let scriptStart: usize = 0;

let at: usize = 0;
let from: usize = 0;
/** The last byte of code that was no blank, and where it stands. */
let last: u32 = 0;
let lastAt: usize = 0;

/** Forgets the script that was walked last. */
export function closeScript(): void {
  from = 0;
}

/** Walks the script that begins at `start` up to `to`. */
export function walkScript(start: usize, to: usize): void {
  if (start != from || to < at) {
    at = from = start;
    scriptState = Script.Code;
    last = 0;
    lastAt = start;
  }
  for (; at < to; at++) {
    const byte = byteAt(at);
    switch (scriptState) {
      case Script.Code:
        code(byte);
        break;
      case Script.String:
        if (byte == Char.Backslash) at++;
        else if (byte == scriptQuote || (byte == Char.LineFeed && scriptQuote != Char.Backtick))
          leave(Char.DoubleQuote);
        break;
      case Script.Line:
        if (byte == Char.LineFeed) scriptState = Script.Code;
        break;
      case Script.Block:
        if (byte == Char.Slash && byteAt(at - 1) == Char.Star && at - 1 > scriptStart) scriptState = Script.Code;
        break;
      case Script.Pattern:
        if (byte == Char.Backslash) at++;
        else if (byte == Char.BracketOpen) inSet = true;
        else if (byte == Char.BracketClose) inSet = false;
        else if ((byte == Char.Slash && !inSet) || byte == Char.LineFeed) leave(Char.DoubleQuote);
        break;
    }
  }
}

/** In a set of a regular expression, where a "/" is one. */
let inSet: bool = false;

function leave(as: u32): void {
  scriptState = Script.Code;
  last = as;
  lastAt = at;
}

function code(byte: u32): void {
  if (byte <= <u32>Char.Space) return;
  if (byte == Char.DoubleQuote || byte == Char.Quote || byte == Char.Backtick) {
    scriptState = Script.String;
    scriptQuote = byte;
    scriptStart = at + 1;
    return;
  }
  if (byte == Char.Slash) {
    const next = byteAt(at + 1);
    scriptStart = at + 1;
    if (next == Char.Slash) scriptState = Script.Line;
    else if (next == Char.Star) scriptState = Script.Block;
    else if (startsValue()) {
      scriptState = Script.Pattern;
      inSet = false;
    }
    if (scriptState != Script.Code) return;
  }
  last = byte;
  lastAt = at;
}

/** Whether a value may begin behind the last byte of code. */
function startsValue(): bool {
  if (last == Char.ParenClose || last == Char.BracketClose || last == Char.DoubleQuote || last == Char.Dollar)
    return false;
  if (!isWord(last)) return true;
  return lastAt - from >= 5 && textIs(lastAt - 5, lastAt + 1, "return");
}
