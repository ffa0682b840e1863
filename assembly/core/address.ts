// An address with a query as browsers write it, where all but letters, digits and a few marks are escaped:
//
//   https://www.search.example:8443/find?q=a%20b#top
//           host, without its port      query
//
// Its parameters are those of the site that it names. One step per byte, no memory.

import { byteAt, findByte, isWord, withoutPort } from "./bytes";
import { Char } from "./char";
import { textStartsNoCase } from "./text";

/** The host of the address that was read last, and the `?` before its query. */
export let addressHost: usize = 0;
export let addressHostEnd: usize = 0;
export let addressQuery: usize = 0;

/** Reads `start..end`; false where it is no such address. */
export function readAddress(start: usize, end: usize): bool {
  if (!textStartsNoCase(start, end, "https://") && !textStartsNoCase(start, end, "http://")) return false;
  addressHost = findByte(start, end, Char.Slash) + 2;
  addressQuery = addressHostEnd = 0;
  for (let at = addressHost; at < end; at++) {
    const byte = byteAt(at);
    if (!isWord(byte) && !isAddressMark(byte)) return false;
    if (byte == Char.Question && addressQuery == 0) addressQuery = at;
    if (addressHostEnd != 0) continue;
    if (byte == Char.Slash || byte == Char.Question) addressHostEnd = at;
    else if (!isWord(byte) && byte != Char.Dot && byte != Char.Dash && byte != Char.Colon) return false;
  }
  if (addressQuery == 0) return false;
  addressHostEnd = withoutPort(addressHost, addressHostEnd);
  return true;
}

/** Whether browsers leave the mark `byte` as it is in an address. */
function isAddressMark(byte: u32): bool {
  switch (byte) {
    case Char.Percent:
    case Char.Dash:
    case Char.Dot:
    case Char.Tilde:
    case Char.Colon:
    case Char.Slash:
    case Char.Question:
    case Char.Hash:
    case Char.BracketOpen:
    case Char.BracketClose:
    case Char.At:
    case Char.Bang:
    case Char.Dollar:
    case Char.Ampersand:
    case Char.ParenOpen:
    case Char.ParenClose:
    case Char.Star:
    case Char.Plus:
    case Char.Comma:
    case Char.Semicolon:
    case Char.Equals:
      return true;
  }
  return false;
}
