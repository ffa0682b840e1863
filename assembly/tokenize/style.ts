// Words of a style that run script in some browser, as its tokenizer sees them (CSS Syntax 3, 4.3): comments are nothing, escapes
// are what they stand for, controls are passed over.
//
//   expression(…)     -moz-binding: …     behavior: url(…)     url(javascript:…)     \3c img …   (markup, once the style is copied)
//
// One step per byte; a word longer than the buffer is none.

import { byteAt, findByte, hexValue, isLetter, isSpace, putByte } from "../core/bytes";
import { Char } from "../core/char";
import { skipBlank } from "../core/scan";
import { textStartsNoCase } from "../core/text";
import { CSS, Css } from "../generated/xss";
import { keyword } from "../match/keywords";

/** The word that stands before the cursor; 8 readable bytes behind. Owner: `styleKind`. */
const WORD: usize = memory.data(40);
const WORD_CAPACITY: usize = 32;

/** The kind of the first word of a style that runs script, `Css.None` for none. Comments, escapes and controls are undone. `sheet`: of an element, not of an attribute. */
export function styleKind(from: usize, to: usize, sheet: bool = false): u32 {
  let out = WORD;
  let at = from;
  // One past the string that the cursor is in, in which no comment begins; not looked for behind a quote that nothing closes.
  let literal = from;
  let literals = true;
  while (at < to) {
    let byte = byteAt(at);
    if ((byte == Char.Quote || byte == Char.DoubleQuote) && literals && at >= literal) {
      const close = findByte(at + 1, to, byte);
      literals = close < to;
      if (literals) literal = close + 1;
    }
    if (byte == Char.Slash && at >= literal && at + 1 < to && byteAt(at + 1) == Char.Star) {
      at = findByte(at + 2, to, Char.Star);
      while (at + 1 < to && byteAt(at + 1) != Char.Slash) at = findByte(at + 1, to, Char.Star);
      at = min(at + 2, to);
      continue;
    }
    at++;
    if (byte == Char.Backslash) {
      byte = styleEscape(at, to);
      at = styleNext;
      if (byte == Char.Less && at < to && isLetter(byteAt(at))) return Css.Binding;
    }
    if (byte < <u32>Char.Space) continue;
    if (isLetter(byte) || byte == Char.Dash) {
      // The end of a longer word is no word of the table.
      if (out < WORD + WORD_CAPACITY) out = putByte(out, byte);
      continue;
    }
    if (byte == Char.Space) {
      if (out > WORD && at < to && byteAt(at) != Char.ParenOpen && byteAt(at) != Char.Colon) out = WORD;
      continue;
    }
    if (byte == Char.ParenOpen || byte == Char.Colon) {
      const kind = out < WORD + WORD_CAPACITY ? keyword(CSS, WORD, out) : 0;
      if (byte == Char.ParenOpen ? kind == Css.Expression : kind == Css.Scheme || kind == Css.Binding) return kind;
      if (byte == Char.Colon && kind == Css.Behavior && pointsSomewhere(at, to, sheet)) return kind;
    }
    out = WORD;
  }
  return Css.None;
}

/** Whether a property's value is a url(…) or an expression. */
function pointsSomewhere(at: usize, to: usize, sheet: bool): bool {
  at = skipBlank(at, to);
  if (textStartsNoCase(at, to, "expr")) return true;
  if (!textStartsNoCase(at, to, "url(") || !sheet) return textStartsNoCase(at, to, "url");
  // What word processors write into every page: v\\:* {behavior:url(#default#VML)}
  at = skipBlank(at + 4, to);
  if (at < to && (byteAt(at) == Char.Quote || byteAt(at) == Char.DoubleQuote)) at++;
  return !textStartsNoCase(at, to, "#default#vml");
}

/** Behind the escape that `styleEscape` read. */
let styleNext: usize = 0;

/** The character that the escape behind a backslash stands for: up to six hexadecimal digits and a space, or itself. */
function styleEscape(at: usize, to: usize): u32 {
  let value: u32 = 0;
  const from = at;
  while (at < to && at - from < 6 && hexValue(byteAt(at)) < 16) value = (value << 4) | hexValue(byteAt(at++));
  styleNext = at;
  if (at == from) {
    if (at >= to) return Char.Backslash;
    styleNext = at + 1;
    return byteAt(at);
  }
  if (at < to && isSpace(byteAt(at))) styleNext = at + 1;
  return value < 0x80 ? value : 0x7f;
}
