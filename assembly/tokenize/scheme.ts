// The scheme of a URL and the media type of a data URL, for whoever asks whether a URL runs script.
//
//   controls "java\tscript" white space? ":" rest          WHATWG URL 4.4: leading C0 controls, and all tabs and line ends, are dropped
//   "data" ":" type "/" subtype { ";" … } "," rest         RFC 2397
//
// At most three schemes that wrap another are passed (feed:javascript:…). One step per byte of the scheme, which ends at 32.

import { byteAt, findByte, isLetter, isSpace, lowerCase, putByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { skipBlank } from "../core/scan";
import { textStarts } from "../core/text";
import { MIME, Mime, SCHEME, Scheme } from "../generated/xss";
import { keyword } from "../match/keywords";

/** A scheme without its controls; 8 readable bytes behind. Owner: `readScheme`. */
const WORD: usize = memory.data(40);
const WORD_CAPACITY: usize = 32;
/** Schemes around a scheme that are passed. */
const MAX_WRAPPERS: u32 = 3;

/** Behind the ":" that `readScheme` stopped at. */
export let afterScheme: usize = 0;

/** The scheme of the URL at `from..to`, as the WHATWG parser reads it, or an older one: controls are dropped, and spaces where `loose`. */
export function readScheme(from: usize, to: usize, loose: bool = false): u32 {
  for (let wrappers: u32 = 0; wrappers < MAX_WRAPPERS; wrappers++) {
    from = skipBlank(from, to);
    let out = WORD;
    while (from < to && byteAt(from) != Char.Colon) {
      // "javas<!-- -->cript:" once a parser of XML has taken the comment out.
      if (loose && byteAt(from) == Char.Less && textStarts(from, to, "<!-- -->")) {
        from += 8;
        continue;
      }
      const byte = byteAt(from++);
      // Bytes beyond ASCII in front are the quotes and spaces of a text editor, a ";" what a reference left.
      if ((byte >= 0x80 || byte == Char.Semicolon) && out == WORD) continue;
      // "javascript#…" runs nowhere today; nobody else writes it.
      if (byte == Char.Hash && loose && keyword(SCHEME, WORD, out) == Scheme.Script) {
        afterScheme = from;
        return Scheme.Script;
      }
      if (byte < <u32>Char.Space || (byte == Char.Space && loose)) continue;
      if ((!isLetter(byte) && byte != Char.Dash) || out >= WORD + WORD_CAPACITY - 1)
        return wrappers == 0 ? 0 : Scheme.Wrapper;
      out = putByte(out, lowerCase(byte));
    }
    if (from >= to) return wrappers == 0 ? 0 : Scheme.Wrapper;
    afterScheme = from = from + 1;
    let scheme = keyword(SCHEME, WORD, out);
    if (scheme == 0 && out - WORD >= 16) scheme = keyword(SCHEME, WORD, singleWord(out));
    if (scheme == Scheme.Script || (scheme != Scheme.Wrapper && wrappers == 0)) return scheme;
    if (scheme != Scheme.Wrapper) return Scheme.Wrapper;
  }
  return Scheme.Wrapper;
}

/** Takes the inner word out of a doubled scheme, as a filter does: "javascrscriptipt", "javajavascriptscript"; its new end. */
function singleWord(end: usize): usize {
  for (let at = WORD + 1; at + 6 < end; at++) {
    const size: usize = textStarts(at, end, "script") ? 6 : textStarts(at, end, "javascript") ? 10 : 0;
    if (size != 0) return putBytes(at, at + size, end);
  }
  return end;
}

/** The kind of the media type at `from..to`, by what stands behind its "/" (or by all of it), up to ";" or ",". */
export function readMime(from: usize, to: usize): u32 {
  from = skipBlank(from, to);
  let at = from;
  let name = from;
  while (at < to && byteAt(at) != Char.Semicolon && byteAt(at) != Char.Comma && !isSpace(byteAt(at))) {
    if (byteAt(at) == Char.Slash) name = at + 1;
    at++;
  }
  return keyword(MIME, name, at);
}

/** Whether a script scheme stands anywhere in a list of values. */
export function hasScriptScheme(from: usize, to: usize): bool {
  let at = from;
  while ((at = findByte(at, to, Char.Colon)) < to) {
    let word = at;
    while (word > from && isSchemeByte(byteAt(word - 1))) word--;
    const scheme = readScheme(word, to);
    if (scheme == Scheme.Script) return true;
    if (scheme == Scheme.Data && readMime(afterScheme, to) == Mime.Document) return true;
    at++;
  }
  return false;
}

/** A letter, or white space that a URL parser drops. */
function isSchemeByte(byte: u32): bool {
  return isLetter(byte) || byte == Char.Tab || byte == Char.LineFeed || byte == Char.CarriageReturn;
}

/** Whether a URL names a host: `//host` or a scheme of the network. */
export function isForeign(from: usize, to: usize): bool {
  return beginsHost(from, to) || readScheme(from, to) == Scheme.Network;
}

/** Whether a URL begins with `//`, with slashes of either kind. */
export function beginsHost(from: usize, to: usize): bool {
  const at = skipBlank(from, to);
  return at + 1 < to && isSlash(byteAt(at)) && isSlash(byteAt(at + 1));
}

function isSlash(byte: u32): bool {
  return byte == Char.Slash || byte == Char.Backslash;
}
