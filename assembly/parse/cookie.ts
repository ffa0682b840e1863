// The Cookie header: name=value pairs between `;`. RFC 6265 4.2.1, read as leniently as 5.4 servers do.
//
//   cookies = pair *( ";" pair )    pair = *blank [ name "=" ] ( value | DQUOTE value DQUOTE ) *blank
//
// Blanks around names and values go, and so does one pair of quotes around a value: most frameworks drop it, and it would look
// like the end of a string. A pair without `=` is a value without a name, as RFC 6265bis 5.6 has it. Spans are raw:
// `openSpan(…, Coding.Form)` decodes. One look at each byte, no memory.

import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";

/** The pair that `nextCookie` found, still encoded. */
export let cookieName: usize = 0;
export let cookieNameEnd: usize = 0;
export let cookieValue: usize = 0;
export let cookieValueEnd: usize = 0;
/** All of it, with its blanks and quotes. */
export let cookiePair: usize = 0;
export let cookiePairEnd: usize = 0;

let at: usize = 0;
let stop: usize = 0;

/** Starts on the value of a Cookie header. */
export function openCookies(start: usize, end: usize): void {
  at = start;
  stop = end;
}

/** Finds the next pair that is not empty; false at the end. */
export function nextCookie(): bool {
  while (at < stop) {
    const end = findByte(at, stop, Char.Semicolon);
    const equals = findByte(at, end, Char.Equals);
    cookieName = skipBlanks(at, equals);
    cookieNameEnd = dropBlanks(cookieName, equals);
    cookieValue = skipBlanks(equals + 1, end);
    cookieValueEnd = dropBlanks(cookieValue, end);
    cookiePair = at;
    cookiePairEnd = end;
    at = end + 1;
    if (equals == end) {
      cookieValue = cookieName;
      cookieValueEnd = cookieNameEnd;
      cookieNameEnd = cookieName;
    }
    if (quoted(cookieValue, cookieValueEnd)) {
      cookieValue++;
      cookieValueEnd--;
    }
    if (cookieName < cookieNameEnd || cookieValue < cookieValueEnd) return true;
  }
  return false;
}

function quoted(start: usize, end: usize): bool {
  return end >= start + 2 && byteAt(start) == Char.DoubleQuote && byteAt(end - 1) == Char.DoubleQuote;
}

/** `start..end` without blanks in front; `start` where it is empty or turned round. */
function skipBlanks(start: usize, end: usize): usize {
  while (start < end && isBlank(byteAt(start))) start++;
  return start;
}

/** The end of `start..end` without blanks behind. */
function dropBlanks(start: usize, end: usize): usize {
  while (end > start && isBlank(byteAt(end - 1))) end--;
  return end > start ? end : start;
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == Char.Space || byte == Char.Tab;
}
