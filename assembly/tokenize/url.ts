// Reads a run of bytes as a URL, the way WHATWG, RFC 3986 and curl would at once, and says where they part ways.
//
//   url       = [scheme ":"] slashes [userinfo "@"] host [":" port] [path]
//   slashes   = *("/" | "\" | tab | line end)         2 of "/" is right; WHATWG takes any number, and both kinds
//   authority ends before  / \ ? # < > " ` | ^ { } ' white space and controls
//   host      = "[" IPv6 "]" | IPv4 | name            canonical: ASCII small letters, look-alikes folded (UTS 46)
//   IPv4      = part *3("." part), part = decimal | "0" octal | "0x" hex; the last fills what is left (inet_aton, WHATWG)
//
// One step per byte of the authority, which is at most AUTHORITY_CAPACITY bytes: a longer one is no URL. What it found stands in
// the url… variables until the next call.

import { byteAt, hexValue, isDigit, isLetter, lowerCase, putByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { isRemembered, remember, Seen } from "../core/seen";
import { textIs } from "../core/text";
import { Host, HOST, Tld, TLD, UrlScheme, URL_SCHEME } from "../generated/ssrf";
import { keyword } from "../match/keywords";

/** Longest scheme. */
const SCHEME_CAPACITY: usize = 16;
/** Longest authority, in bytes. */
const AUTHORITY_CAPACITY: usize = 256;
/** Slashes and blanks in front of an authority that are counted. */
const MOST_SLASHES: u32 = 32;
/** The scheme without its controls, and 8 bytes that keyword() may read. Owner: `readUrl`. */
const SCHEME: usize = memory.data(24);
/** The canonical host, and 8 bytes more. Owner: `readUrl`. */
const NAME: usize = memory.data(264);

/** What is odd about the spelling of a URL. */
export const enum UrlSign {
  /** "\" among the slashes or behind the host. */
  Backslash = 1,
  /** A special scheme with other than two slashes. */
  Slashes = 2,
  /** Tabs or line ends that parsers drop. */
  Controls = 4,
  /** The part before "@" looks like a host. */
  UserHost = 8,
  /** Parsers disagree where the host is. */
  Disagree = 16,
  /** Escapes in the host. */
  Encoded = 32,
  /** Letters, digits or dots of the host are look-alikes. */
  LookAlike = 64,
  /** An address spelled as no program prints it. */
  OddAddress = 128,
  /** A port that some read as another. */
  OddPort = 256,
  /** A user and a password. */
  Credentials = 512,
  /** A public name that stands for an address inside. */
  Alias = 1024,
}

/** Where a URL points. */
export const enum Target {
  /** No host. */
  None = 0,
  /** A name that says nothing. */
  Name = 1,
  PublicAddress = 2,
  PrivateAddress = 3,
  LinkLocal = 4,
  Loopback = 5,
  /** 0.0.0.0 and [::]: this host. */
  Unspecified = 6,
  /** The metadata service of a cloud. */
  Metadata = 7,
  /** A name inside a cluster. */
  Inside = 8,
  /** A service that tells testers who asked for it. */
  Probe = 9,
}

/** Kind of the scheme (`UrlScheme`), 0 for none of the table; `urlHasScheme` where there is any. */
export let urlScheme: u32 = 0;
export let urlHasScheme: bool = false;
/** A set of `UrlSign`. */
export let urlSigns: u32 = 0;
/** Slashes of both kinds before the authority. */
export let urlSlashes: u32 = 0;
export let urlTarget: Target = Target.None;
/** The IPv4 address of the host, mapped ones too; 0 where it is none. */
export let urlAddress: u32 = 0;
/** The port, or 0 where none is given. */
export let urlPort: u32 = 0;
/** The canonical host stands at `urlHost..urlHostEnd`. */
export const urlHost: usize = NAME;
export let urlHostEnd: usize = NAME;
/** Behind the authority. */
export let urlPath: usize = 0;

/** Tells the last URL that control bytes stand before it, which parsers drop. */
export function addControls(): void {
  urlSigns |= UrlSign.Controls;
}

/** Reads the URL that begins at `start`. False where there is neither a scheme nor two slashes, or no authority. */
export function readUrl(start: usize, end: usize): bool {
  urlScheme = 0;
  urlSigns = 0;
  urlSlashes = 0;
  urlTarget = Target.None;
  urlAddress = 0;
  urlPort = 0;
  urlHostEnd = NAME;
  let at = readSchemeName(start, end);
  urlHasScheme = at != start;
  const special = urlScheme == UrlScheme.Web || urlScheme == UrlScheme.Ftp;
  if (urlHasScheme && !special && urlScheme != UrlScheme.Gopher) {
    // Of any other scheme only the plain form has an authority.
    if (end - at < 2 || byteAt(at) != Char.Slash || byteAt(at + 1) != Char.Slash) return false;
  }
  at = readSlashes(at, end);
  if (urlHasScheme ? special && urlSlashes != 2 : urlSlashes > 2) urlSigns |= UrlSign.Slashes;
  if (!urlHasScheme && urlSlashes < 2) return false;
  return readAuthority(at, end);
}

/**
 * Takes what is known to be "http://" or "https://" and a host of letters, digits and single marks for the URL that was read; false
 * where that is longer than any authority that is read.
 */
export function takeWebUrl(host: usize, hostEnd: usize): bool {
  if (hostEnd - host > AUTHORITY_CAPACITY) return false;
  urlScheme = UrlScheme.Web;
  urlHasScheme = true;
  urlSigns = 0;
  urlSlashes = 2;
  urlAddress = 0;
  urlPort = 0;
  urlPath = hostEnd;
  if (isRemembered(PLAIN_HOST, host, hostEnd) != Seen.Not) {
    urlTarget = Target.Name;
    urlHostEnd = putBytes(NAME, host, hostEnd);
    return true;
  }
  readHost(host, hostEnd);
  if (urlTarget == Target.Name && urlSigns == 0) remember(PLAIN_HOST, host, hostEnd, false);
  return true;
}

/** The place (core/seen.ts) of hosts that are names and say nothing: most links of a client name the same few. */
const PLAIN_HOST: u32 = 64;

/** Reads a host, and what is behind it, that has neither a scheme nor slashes before it: "10.0.0.1/x". */
export function readBareHost(start: usize, end: usize): bool {
  urlScheme = UrlScheme.Web;
  urlHasScheme = false;
  urlSigns = 0;
  urlSlashes = 0;
  urlAddress = 0;
  urlPort = 0;
  urlHostEnd = NAME;
  return readAuthority(start, end);
}

/** Reads "scheme:" and returns the cursor behind it, or `start`. */
function readSchemeName(start: usize, end: usize): usize {
  let out = SCHEME;
  const limit = min(end, start + SCHEME_CAPACITY + 8);
  for (let at = start; at < limit; at++) {
    const byte = byteAt(at);
    if (byte == Char.Colon) {
      if (out == SCHEME) return start;
      urlScheme = keyword(URL_SCHEME, SCHEME, out);
      // One letter is a drive; "localhost:3000" has no scheme.
      if (urlScheme == 0 && (out - SCHEME < 2 || at + 1 >= end || byteAt(at + 1) != Char.Slash)) return start;
      return at + 1;
    }
    if (isDropped(byte)) {
      if (out == SCHEME) return start;
      urlSigns |= UrlSign.Controls;
    } else {
      if (!isLetter(byte) && !isDigit(byte) && byte != Char.Plus && byte != Char.Dash && byte != Char.Dot) return start;
      if (out - SCHEME >= SCHEME_CAPACITY) return start;
      out = putByte(out, lowerCase(byte));
    }
  }
  return start;
}

function readSlashes(at: usize, end: usize): usize {
  for (; at < end && urlSlashes < MOST_SLASHES; at++) {
    const byte = byteAt(at);
    if (byte == Char.Backslash) urlSigns |= UrlSign.Backslash;
    else if (isDropped(byte)) {
      urlSigns |= UrlSign.Controls;
      continue;
    } else if (byte != Char.Slash) break;
    urlSlashes++;
  }
  return at;
}

/** Tab, line feed and carriage return: WHATWG URL 4.4 drops them wherever they stand. */
// @ts-ignore: decorator
@inline
function isDropped(byte: u32): bool {
  return byte == Char.Tab || byte == Char.LineFeed || byte == Char.CarriageReturn;
}

function readAuthority(start: usize, end: usize): bool {
  const limit = min(end, start + AUTHORITY_CAPACITY + 1);
  let at = start;
  let user: usize = 0;
  while (at < limit && !endsAuthority(byteAt(at))) {
    // The next parameter of a query that holds the URL.
    if (byteAt(at) == Char.Ampersand && byteAt(at + 1) != Char.At) break;
    if (byteAt(at) == Char.At) {
      if (user != 0) urlSigns |= UrlSign.Disagree;
      user = at;
    }
    at++;
  }
  if (at > start + AUTHORITY_CAPACITY) return false;
  urlPath = at;
  if (at + 1 < end && byteAt(at + 1) == Char.At) {
    // "http://a#@b": the host is a or b; so it is behind "\" and "?".
    const byte = byteAt(at);
    if (byte == Char.Hash || byte == Char.Backslash || byte == Char.Question) urlSigns |= UrlSign.Disagree;
    if (byte == Char.Space && user != 0) urlSigns |= UrlSign.Disagree;
  }
  if (at < end && byteAt(at) == Char.Backslash) urlSigns |= UrlSign.Backslash;
  if (at < end && byteAt(at) == Char.Nul) urlSigns |= UrlSign.Encoded;
  if (user != 0) {
    readUser(start, user);
    start = user + 1;
  } else if (at < end && byteAt(at) == Char.Space && at + 1 < end && byteAt(at + 1) == Char.Ampersand) {
    // "http://a &@b# @c/" has three hosts for three parsers.
    if (at + 2 < end && byteAt(at + 2) == Char.At) urlSigns |= UrlSign.Disagree;
  }
  const host = start;
  let hostEnd = at;
  // Full stops and brackets around a URL in a text are not its own.
  while (hostEnd > host && endsSentence(byteAt(hostEnd - 1))) hostEnd--;
  if (hostEnd < at) urlPath = hostEnd;
  hostEnd = readPort(host, hostEnd);
  if (host == hostEnd) return user != 0;
  if (byteAt(host) == Char.BracketOpen && byteAt(hostEnd - 1) == Char.BracketClose) readAddress6(host + 1, hostEnd - 1);
  else readHost(host, hostEnd);
  return true;
}

/** Bit n: an authority ends before the byte n. */
const ENDS: u64 =
  (((<u64>1) << 33) - 1) |
  ((<u64>1) << (<u64>Char.DoubleQuote)) |
  ((<u64>1) << (<u64>Char.Hash)) |
  ((<u64>1) << (<u64>Char.Quote)) |
  ((<u64>1) << (<u64>Char.Slash)) |
  ((<u64>1) << (<u64>Char.Less)) |
  ((<u64>1) << (<u64>Char.Greater)) |
  ((<u64>1) << (<u64>Char.Question));

function endsAuthority(byte: u32): bool {
  if (byte < 64) return ((ENDS >> (<u64>byte)) & 1) != 0;
  return (
    byte == Char.Backslash ||
    byte == Char.Backtick ||
    byte == Char.Caret ||
    (byte >= <u32>Char.BraceOpen && byte < 0x7e)
  );
}

// @ts-ignore: decorator
@inline
function endsSentence(byte: u32): bool {
  return byte == Char.Comma || byte == Char.ParenClose || byte == Char.Semicolon || byte == Char.Bang;
}

/** What stands before "@": a user, a password, or what a reader takes for the host. */
function readUser(start: usize, end: usize): void {
  let nameEnd = start;
  while (nameEnd < end && byteAt(nameEnd) != Char.Colon) nameEnd++;
  if (nameEnd + 1 < end) urlSigns |= UrlSign.Credentials;
  let dots: u32 = 0;
  let numeric = true;
  let last = start;
  for (let at = start; at < nameEnd; at++) {
    const byte = byteAt(at);
    if (byte == Char.Dot) {
      dots++;
      last = at + 1;
    } else if (!isDigit(byte)) numeric = false;
    // An escaped "/", "#", "?" or "\" hides the end of the host from a reader.
    if (byte == Char.Percent && nameEnd - at > 2) {
      const value = (hexValue(byteAt(at + 1)) << 4) | hexValue(byteAt(at + 2));
      if (
        value == Char.Slash ||
        value == Char.Hash ||
        value == Char.Question ||
        value == Char.Backslash ||
        value < 0x20
      )
        urlSigns |= UrlSign.UserHost;
    }
  }
  if (start == end || byteAt(end - 1) == Char.Ampersand || byteAt(end - 1) == Char.Semicolon) {
    urlSigns |= UrlSign.UserHost;
  } else if (dots != 0 && (numeric ? dots == 3 : keyword(TLD, last, nameEnd) == Tld.Common)) {
    urlSigns |= UrlSign.UserHost;
  } else if (textIs(start, nameEnd, "localhost")) urlSigns |= UrlSign.UserHost;
}

/** Takes ":" and a port off the end of `start..end`; the end of the host. */
function readPort(start: usize, end: usize): usize {
  let colon = end;
  while (colon > start && byteAt(colon - 1) != Char.Colon && byteAt(colon - 1) != Char.BracketClose) colon--;
  if (colon == start || byteAt(colon - 1) != Char.Colon) return end;
  const first = colon == end ? 0 : byteAt(colon);
  for (let at = colon; at < end; at++) {
    if (isDigit(byteAt(at))) urlPort = min(urlPort * 10 + (byteAt(at) - Char._0), 0x1_0000);
    else if (isDigit(first) || first == Char.Plus || first == Char.Dash) urlSigns |= UrlSign.OddPort;
  }
  if (first == Char._0) urlSigns |= UrlSign.OddPort;
  end = colon - 1;
  // "a:80:11211": which of the two?
  if (end > start && byteAt(start) != Char.BracketOpen) {
    for (let at = start; at < end; at++) {
      if (byteAt(at) != Char.Colon) continue;
      if (at + 1 == end || isDigit(byteAt(at + 1)) || byteAt(at + 1) == Char.Colon) urlSigns |= UrlSign.OddPort;
      return at;
    }
  }
  return end;
}

/** Makes the canonical host of `start..end`, at most AUTHORITY_CAPACITY bytes, and finds out where it points. */
function readHost(start: usize, end: usize): void {
  if (isDefined(CHECKED)) assert(end - start <= AUTHORITY_CAPACITY); // NAME holds it
  let out = NAME;
  while (start < end) {
    const byte = byteAt(start);
    if (byte == Char.Percent) {
      const value = end - start > 2 ? (hexValue(byteAt(start + 1)) << 4) | hexValue(byteAt(start + 2)) : 0x80;
      if (value < 0x80) urlSigns |= UrlSign.Encoded;
      out = putByte(out, value < 0x80 ? lowerCase(value) : Char.Percent);
      start += value < 0x80 ? 3 : 1;
    } else if (byte >= 0xc2) {
      const next = foldPoint(start, end, out);
      if (next != out) {
        urlSigns |= UrlSign.LookAlike;
        out = next;
        start += folded;
      } else {
        out = putByte(out, byte);
        start++;
      }
    } else {
      out = putByte(out, lowerCase(byte));
      start++;
    }
  }
  // A full stop at the end means the root.
  if (out > NAME + 1 && byteAt(out - 1) == Char.Dot) out--;
  urlHostEnd = out;
  if (readAddress4(NAME, out)) {
    urlTarget = targetOf(urlAddress);
    return;
  }
  urlTarget = Target.Name;
  for (let at = NAME; at < out; at++) {
    if (at != NAME && byteAt(at - 1) != Char.Dot) continue;
    switch (keyword(HOST, at, out)) {
      case Host.Local:
        urlTarget = Target.Loopback;
        return;
      case Host.LocalAlias:
        urlTarget = Target.Loopback;
        urlSigns |= UrlSign.Alias;
        return;
      case Host.Wildcard:
        readWildcard(at);
        return;
      case Host.Metadata:
        urlTarget = Target.Metadata;
        return;
      case Host.Inside:
        urlTarget = Target.Inside;
        return;
      case Host.Probe:
        urlTarget = Target.Probe;
        return;
    }
  }
}

/** Bytes of the character that `foldPoint` folded. */
let folded: usize = 0;

/**
 * Writes the ASCII that UTS 46 makes of the character at `at`: full-width, enclosed, super- and subscript, mathematical letters and
 * digits, ideographic full stops. The new `out`, or the old one where it is none of them.
 */
function foldPoint(at: usize, end: usize, out: usize): usize {
  const lead = byteAt(at);
  const length: usize = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (end - at < length) return out;
  let point = lead & (0x7f >> (<u32>length));
  for (let next: usize = 1; next < length; next++) point = (point << 6) | (byteAt(at + next) & 0x3f);
  folded = length;
  if (point - 0xff01 < 0x5e) return putByte(out, lowerCase(point - 0xff01 + Char.Bang));
  if (point == 0x3002 || point == 0xff61) return putByte(out, Char.Dot);
  if (point - 0x2460 < 9) return putByte(out, point - 0x2460 + Char._1);
  if (point - 0x2469 < 11) return putTwo(out, point - 0x2469 + 10);
  if (point == 0x24ea || point == 0x24ff) return putByte(out, Char._0);
  if (point - 0x24b6 < 52) return putByte(out, ((point - 0x24b6) % 26) + Char.a);
  if (point - 0x2776 < 30)
    return putByte(out, ((point - 0x2776) % 10 == 9 ? 0 : ((point - 0x2776) % 10) + 1) + Char._0);
  if (point == 0xb2 || point == 0xb3) return putByte(out, point - 0xb0 + Char._0);
  if (point == 0xb9) return putByte(out, Char._1);
  if (point - 0x2070 < 10 || point - 0x2080 < 10) return putByte(out, (point & 15) + Char._0);
  if (point - 0x1d400 < 676) return putByte(out, ((point - 0x1d400) % 26) + Char.a);
  if (point - 0x1d7ce < 50) return putByte(out, ((point - 0x1d7ce) % 10) + Char._0);
  return out;
}

function putTwo(out: usize, value: u32): usize {
  return putByte(putByte(out, value / 10 + Char._0), (value % 10) + Char._0);
}

/** Reads `start..end` as an IPv4 address in any spelling; false where its last part is no number. */
function readAddress4(start: usize, end: usize): bool {
  let parts: u32 = 0;
  let address: u32 = 0;
  let odd = false;
  let signed = false;
  while (true) {
    if (parts == 4 || start >= end) return false;
    let base: u32 = 10;
    let digits: u32 = 0;
    let value: u64 = 0;
    if (byteAt(start) == Char._0 && start + 1 < end && byteAt(start + 1) != Char.Dot) {
      const hex = byteAt(start + 1) == Char.x;
      base = hex ? 16 : 8;
      // "0o177" as Python and JavaScript write it.
      start += hex || byteAt(start + 1) == 0x6f ? 2 : 1;
      odd = signed = true;
      digits = 1;
    }
    for (; start < end && byteAt(start) != Char.Dot; start++) {
      const digit = hexValue(byteAt(start));
      if (digit >= (base == 8 ? 10 : base)) return false;
      // Digits beyond 32 bits fall off, as in careless parsers: 7147006462 is 2852039166.
      if (value > 0xffff_ffff / 16) odd = signed = true;
      value = (value * base + digit) & 0xff_ffff_ffff;
      digits++;
    }
    if (digits == 0) return false;
    parts++;
    if (start == end) {
      const bits = 40 - 8 * parts;
      if (bits < 32 && value >= (<u64>1) << (<u64>bits)) odd = signed = true;
      if (value > 0xffff_ffff) odd = signed = true;
      address |= <u32>(value & (((<u64>1) << (<u64>bits)) - 1));
      break;
    }
    if (value > 255) odd = signed = true;
    address |= ((<u32>value) & 255) << (32 - 8 * parts);
    start++;
  }
  urlAddress = address;
  if (parts < 4) odd = true;
  // "http://12345/" and "http://1.2/" are nothing that anybody resolves, unless they lead inside.
  if (!signed && parts < 4 && targetOf(address) <= Target.PublicAddress && (parts > 1 || address < 0x100_0000))
    return false;
  if (odd) urlSigns |= UrlSign.OddAddress;
  return true;
}

/** What the IPv4 address belongs to: RFC 6890, and the metadata services of AWS, Azure, Alibaba, Oracle and others. */
function targetOf(address: u32): Target {
  const first = address >> 24;
  if (first == 127) return Target.Loopback;
  if (first == 0) return address == 0 ? Target.Unspecified : Target.PublicAddress;
  if (first == 10 || address >> 20 == 0xac1 || address >> 16 == 0xc0a8) return Target.PrivateAddress;
  switch (address) {
    case 0xa9fea9fe: // 169.254.169.254
    case 0xa9feaa02: // 169.254.170.2 and .23: ECS, EKS
    case 0xa9feaa17:
    case 0xa9fe2a2a: // 169.254.42.42: Scaleway
    case 0xa9fe0017: // 169.254.0.23: Tencent
    case 0x646464c8: // 100.100.100.200: Alibaba
    case 0xc00000c0: // 192.0.0.192: Oracle
    case 0xa83f8110: // 168.63.129.16: Azure
      return Target.Metadata;
  }
  return first == 169 && ((address >> 16) & 255) == 254 ? Target.LinkLocal : Target.PublicAddress;
}

/** The eight groups of an IPv6 address. Owner: `readAddress6`. */
const GROUPS: usize = memory.data(16);

// @ts-ignore: decorator
@inline
function group(index: usize): u32 {
  return load<u16>(GROUPS + (index << 1));
}

/** Reads `start..end` as an IPv6 address (RFC 4291 2.2, zone of RFC 6874). */
function readAddress6(start: usize, end: usize): void {
  urlTarget = Target.Name;
  if (readAddress4(start, end)) {
    urlSigns |= UrlSign.OddAddress;
    urlTarget = targetOf(urlAddress);
    return;
  }
  const first = start;
  memory.fill(GROUPS, 0, 16);
  let count: usize = 0;
  let gap: usize = 8;
  if (end - start >= 2 && byteAt(start) == Char.Colon && byteAt(start + 1) == Char.Colon) {
    gap = 0;
    start += 2;
  }
  while (start < end && byteAt(start) != Char.Percent) {
    if (count == 8) return;
    let value: u32 = 0;
    const from = start;
    while (start < end && hexValue(byteAt(start)) < 16) value = (value << 4) | hexValue(byteAt(start++));
    if (start < end && byteAt(start) == Char.Dot) {
      if (count > 6) return;
      let last = from;
      while (last < end && (isDigit(byteAt(last)) || byteAt(last) == Char.Dot || isLetter(byteAt(last)))) last++;
      if (!readAddress4(from, last)) return;
      store<u16>(GROUPS + (count << 1), <u16>(urlAddress >> 16));
      store<u16>(GROUPS + (count << 1), <u16>urlAddress, 2);
      count += 2;
      start = last;
      break;
    }
    if (start == from || start - from > 4) return;
    store<u16>(GROUPS + (count++ << 1), <u16>value);
    if (start >= end || byteAt(start) == Char.Percent) break;
    if (byteAt(start) != Char.Colon) return;
    start++;
    if (start < end && byteAt(start) == Char.Colon) {
      if (gap != 8) return;
      gap = count;
      start++;
    }
  }
  if (gap == 8 ? count != 8 : count > 7) return;
  if (gap < count) {
    const tail = (count - gap) << 1;
    memory.copy(GROUPS + 16 - tail, GROUPS + (gap << 1), tail);
    memory.fill(GROUPS + (gap << 1), 0, (8 - count) << 1);
  }
  if (start < end) urlSigns |= UrlSign.OddAddress;
  const high = group(0) | group(1) | group(2) | group(3) | group(4);
  const low = (group(6) << 16) | group(7);
  // Mapped, compatible, and through NAT64.
  const nat64 = group(0) == 0x64 && group(1) == 0xff9b;
  if ((high == 0 && (group(5) == 0xffff || (group(5) == 0 && low > 0xffff))) || nat64) {
    urlAddress = low;
    urlTarget = targetOf(low);
    urlSigns |= UrlSign.OddAddress;
    return;
  }
  if ((high | group(5)) == 0 && low <= 1) {
    urlTarget = low == 1 ? Target.Loopback : Target.Unspecified;
    if (end - first > 3) urlSigns |= UrlSign.OddAddress;
    return;
  }
  // fd00:ec2::254 (AWS), fd20:ce::254 (Google), fd00:42::42 (Scaleway), fd00:c1::a9fe:a9fe (Oracle)
  if (group(0) == 0xfd00 || group(0) == 0xfd20) {
    const second = group(1);
    if ((second == 0xec2 || second == 0xce) && low == 0x254) urlTarget = Target.Metadata;
    else if (second == 0x42 && low == 0x42) urlTarget = Target.Metadata;
    else if (second == 0xc1 && low == 0xa9fea9fe) urlTarget = Target.Metadata;
    else urlTarget = Target.PrivateAddress;
  } else if (group(0) >> 9 == 0x7e) urlTarget = Target.PrivateAddress;
  else urlTarget = group(0) >> 6 == 0x3fa ? Target.LinkLocal : Target.PublicAddress;
}

/** The address in front of "nip.io" and the like, which stands at `suffix`: 127.0.0.1, 127-0-0-1 or 7f000001. */
function readWildcard(suffix: usize): void {
  urlTarget = Target.Name;
  for (let at = NAME; at + 7 < suffix; at++) {
    if (at != NAME && byteAt(at - 1) != Char.Dot && byteAt(at - 1) != Char.Dash) continue;
    let parts: u32 = 0;
    let value: u32 = 0;
    let address: u32 = 0;
    let hex: u32 = 0;
    let next = at;
    while (next < suffix && hexValue(byteAt(next)) < 16) {
      hex = (hex << 4) | hexValue(byteAt(next++));
    }
    if (next - at == 8) address = hex;
    else {
      for (next = at; next < suffix && parts < 4; next++) {
        const byte = byteAt(next);
        if (isDigit(byte)) value = value * 10 + (byte - Char._0);
        else if (byte == Char.Dot || byte == Char.Dash) {
          address = (address << 8) | (value & 255);
          value = 0;
          parts++;
        } else break;
      }
      if (parts < 4) continue;
    }
    urlAddress = address;
    urlTarget = targetOf(address);
    urlSigns |= UrlSign.Alias;
    return;
  }
}

/** Whether the last host is a domain name: letters behind its last full stop. */
export function urlIsDomain(): bool {
  let dot = urlHostEnd;
  while (dot > NAME && isLetter(byteAt(dot - 1))) dot--;
  return dot > NAME + 1 && urlHostEnd - dot >= 2 && byteAt(dot - 1) == Char.Dot && byteAt(dot - 2) != Char.Dot;
}
