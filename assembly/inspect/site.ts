// The site that an address leads to, read as browsers read it, and whether it is the request's own.
//
//   https://user@shop.example:8443/path      //shop.example      \\shop.example      (hidden: not as one writes it)
//                └── site ──┘

import { byteAt, findByte, isDigit, isLetter, sameBytesNoCase, withoutPort } from "../core/bytes";
import { Char } from "../core/char";
import { isOwnHost, ownHost, ownHostEnd } from "../core/field";
import { textStartsNoCase } from "../core/text";

/** The host of the address that was read, and whether it is written to be overlooked. */
export let site: usize = 0;
export let siteEnd: usize = 0;
export let siteHidden: bool = false;

/** Reads the host of an address as browsers do: behind "scheme:" and any two slashes or backslashes; false for one without. */
export function readSite(start: usize, end: usize): bool {
  while (start < end && byteAt(start) <= <u32>Char.Space) start++;
  let at = start;
  while (at < end && (isLetter(byteAt(at)) || (at > start && (isDigit(byteAt(at)) || byteAt(at) == Char.Plus)))) at++;
  const scheme = at > start && at < end && byteAt(at) == Char.Colon;
  if (scheme && !textStartsNoCase(start, end, "http")) return false;
  at = scheme ? at + 1 : start;
  const slashes = at;
  while (at < end && (byteAt(at) == Char.Slash || byteAt(at) == Char.Backslash)) at++;
  if (at - slashes < 2) return false;
  siteHidden =
    !scheme || at - slashes != 2 || byteAt(slashes) == Char.Backslash || byteAt(slashes + 1) == Char.Backslash;
  site = at;
  while (at < end && !isEnd(byteAt(at))) {
    if (byteAt(at) == Char.At) {
      site = at + 1;
      siteHidden = true;
    }
    at++;
  }
  siteEnd = withoutPort(site, at);
  return siteEnd > site;
}

function isEnd(byte: u32): bool {
  return (
    byte == Char.Slash ||
    byte == Char.Backslash ||
    byte == Char.Question ||
    byte == Char.Hash ||
    byte <= <u32>Char.Space
  );
}

/**
 * Whether the host that was read is the request's own, or ends in the same domain: the last two names, three where they are as short
 * as "co.uk".
 */
export function isOwnSite(): bool {
  if (isOwnHost(site, siteEnd)) return true;
  const own = withoutPort(ownHost, ownHostEnd);
  const other = domainOf(site, siteEnd);
  const mine = domainOf(ownHost, own);
  return findByte(mine, own, Char.Dot) < own && sameBytesNoCase(other, siteEnd, mine, own);
}

/** Whether the host that was read has the domain of the request's own in front of another domain: "shop.example.evil.test". */
export function isDisguised(): bool {
  const mineEnd = withoutPort(ownHost, ownHostEnd);
  const mine = domainOf(ownHost, mineEnd);
  const size = mineEnd - mine;
  const limit = domainOf(site, siteEnd);
  if (findByte(mine, mineEnd, Char.Dot) == mineEnd) return false;
  for (let at = site; at + size < limit; at = findByte(at, limit, Char.Dot) + 1) {
    if (byteAt(at + size) == Char.Dot && sameBytesNoCase(at, at + size, mine, mineEnd)) return true;
  }
  return false;
}

/** Where the domain of a host begins. */
export function domainOf(start: usize, end: usize): usize {
  const last = nameBefore(start, end);
  if (last == start) return start;
  const second = nameBefore(start, last - 1);
  if (second == start || end - last > 2 || last - 1 - second > 3) return second;
  return nameBefore(start, second - 1);
}

/** Where the name begins that ends at `at`. */
function nameBefore(start: usize, at: usize): usize {
  while (at > start && byteAt(at - 1) != Char.Dot) at--;
  return at;
}
