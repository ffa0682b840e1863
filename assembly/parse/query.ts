// The query of a URL: name=value pairs between `&`. WHATWG URL Standard 5.1 (application/x-www-form-urlencoded parsing).
//
//   query = pair *( "&" pair )      pair = [ name ] [ "=" [ value ] ]      an empty pair is passed over
//
// Only `&` separates. Some old servers also split at `;`; splitting here would take the break-out away from "1;cat /etc/passwd",
// while a value that such a server would split is still judged as a whole. Spans are raw: `openSpan(…, Coding.Form)` decodes.
// One look at each byte, no memory.

import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";
import { findEither } from "../core/scan";

/** The pair that `nextQuery` found, still encoded. A pair without `=` has an empty value. */
export let queryName: usize = 0;
export let queryNameEnd: usize = 0;
export let queryValue: usize = 0;
export let queryValueEnd: usize = 0;

let at: usize = 0;
let stop: usize = 0;

/** Starts on a query, given without its `?`. */
export function openQuery(start: usize, end: usize): void {
  at = start;
  stop = end;
}

/** Finds the next pair; false at the end. */
export function nextQuery(): bool {
  while (at < stop) {
    const nameEnd = findEither(at, stop, Char.Equals, Char.Ampersand);
    queryName = at;
    queryNameEnd = nameEnd;
    queryValue = nameEnd;
    queryValueEnd = nameEnd;
    if (nameEnd < stop && byteAt(nameEnd) == Char.Equals) {
      queryValue = nameEnd + 1;
      queryValueEnd = findByte(queryValue, stop, Char.Ampersand);
    }
    at = queryValueEnd + 1;
    if (queryName < queryValueEnd) return true;
  }
  return false;
}
