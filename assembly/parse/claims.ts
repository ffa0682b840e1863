// The members of a part of a JSON Web Token, RFC 7519: an object of JSON in base64url. `openClaims`, then `nextClaim` for each at its top;
// those of objects in it are passed over. Strings may hold escapes, which count as they stand.
//
// One look at each byte, at most 2 KiB of a part; what it has behind that is not there.

import { byteAt, isDigit, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { decodeBase64 } from "./word";

/** Bytes of a part, before it is decoded. */
const CAPACITY: usize = 2728;
/** The part that is read, decoded, with room to read behind it: 3 bytes for 4. */
const TEXT: usize = memory.data(2046 + 50);

/** The part, decoded. */
export let claims: usize = TEXT;
export let claimsEnd: usize = TEXT;
let at: usize = 0;
let depth: u32 = 0;

/** A member's name. */
export let claim: usize = 0;
export let claimEnd: usize = 0;
/** What a string holds, or the digits of a number; of anything else one byte. */
export let claimed: usize = 0;
export let claimedEnd: usize = 0;
/** It is a string or a number, which may be empty. */
export let plain: bool = false;

/** Decodes `start..end` to read its members. */
export function openClaims(start: usize, end: usize): void {
  at = TEXT;
  claimsEnd = decodeBase64(start, min(end, start + CAPACITY), TEXT);
  depth = 0;
}

export function nextClaim(): bool {
  while (at < claimsEnd) {
    const byte = byteAt(at);
    if (byte != Char.DoubleQuote) {
      if (byte == Char.BraceOpen || byte == Char.BracketOpen) depth++;
      else if (byte == Char.BraceClose || byte == Char.BracketClose) depth--;
      at++;
      continue;
    }
    claim = at + 1;
    claimEnd = stringEnd(claim);
    at = skipSpaces(min(claimEnd + 1, claimsEnd), claimsEnd);
    if (depth != 1 || at == claimsEnd || byteAt(at) != Char.Colon) continue;
    at = claimed = skipSpaces(at + 1, claimsEnd);
    const quoted = at < claimsEnd && byteAt(at) == Char.DoubleQuote;
    if (quoted) {
      claimedEnd = stringEnd(++claimed);
      at = min(claimedEnd + 1, claimsEnd);
    } else {
      claimedEnd = claimed;
      while (claimedEnd < claimsEnd && isDigit(byteAt(claimedEnd))) claimedEnd++;
    }
    plain = quoted || claimedEnd > claimed;
    if (!plain) claimedEnd = min(claimed + 1, claimsEnd);
    return true;
  }
  return false;
}

function stringEnd(from: usize): usize {
  while (from < claimsEnd && byteAt(from) != Char.DoubleQuote) from += byteAt(from) == Char.Backslash ? 2 : 1;
  return min(from, claimsEnd);
}
