// Headers of a response that say what the service is made of, that it is being debugged, or what lies behind it.

import { byteAt, isDigit } from "../core/bytes";
import { Char } from "../core/char";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { textStarts } from "../core/text";
import { CALLER_HEADERS, INSIDE_HOSTS, LEAK_HEADER, LEAK_PRODUCT, LeakHeader, LINK_HEADERS } from "../generated/leak";
import { Rule } from "../generated/rules";
import { keyword } from "../match/keywords";
import { startsWithWord, wordWithin } from "../match/vocabulary";
import { host, hostEnd, responseHeaders, responseHeadersEnd } from "./exchange";
import { privateAddress } from "./leak-numbers";
import { note } from "./note";

export function inspectLeakHeaders(): void {
  openPairs(responseHeaders, responseHeadersEnd);
  while (nextPair()) {
    if (pairValue == pairValueEnd || byteAt(pairName) == Char.Colon) continue;
    switch (keyword(LEAK_HEADER, pairName, pairNameEnd)) {
      case LeakHeader.Server:
        if (namesVersion()) tell(Rule.LeakServerVersion);
        break;
      case LeakHeader.Powered:
        if (isProduct(pairValue, wordEnd(pairValue))) tell(Rule.LeakPoweredBy);
        break;
      case LeakHeader.Product:
        tell(Rule.LeakPoweredBy);
        break;
      case LeakHeader.Debug:
        tell(Rule.LeakDebugHeader);
        break;
      case LeakHeader.Backend:
        if (!namesInside(false)) tell(Rule.LeakBackendHeader);
        else tell(Rule.LeakInternalAddress);
        break;
      default:
        if (isLink() ? namesInside(true) : isOwn() && namesInside(false)) tell(Rule.LeakInternalAddress);
    }
  }
}

function tell(rule: u32): void {
  note(rule, Stage.Confirmed, Part.ResponseHeader, pairName, pairNameEnd, pairValue, pairValueEnd);
}

/** "nginx/1.18": a product that others run too, a slash and a digit. What a service calls itself says nothing to anybody. */
function namesVersion(): bool {
  for (let at = pairValue; at < pairValueEnd; at++) {
    const end = wordEnd(at);
    if (end + 1 < pairValueEnd && byteAt(end) == Char.Slash && isDigit(byteAt(end + 1)) && isProduct(at, end))
      return true;
    at = end;
  }
  return false;
}

function isProduct(start: usize, end: usize): bool {
  return keyword(LEAK_PRODUCT, start, end) != 0;
}

/** The end of a product's name. */
function wordEnd(at: usize): usize {
  while (at < pairValueEnd && (inName(byteAt(at)) || byteAt(at) == Char.Underscore)) at++;
  return at;
}

/** Headers that hold a URL. */
function isLink(): bool {
  return startsWithWord(LINK_HEADERS, pairName, pairNameEnd);
}

/** Headers of the service's own, but those that say who has asked. */
function isOwn(): bool {
  return textStarts(pairName, pairNameEnd, "x-") && !startsWithWord(CALLER_HEADERS, pairName, pairNameEnd);
}

/** Whether the value names a private address or a host of the inside; `linked`: behind "://" only. */
function namesInside(linked: bool): bool {
  for (let at = pairValue; at < pairValueEnd; at++) {
    if (byteAt(at) != Char._1) continue;
    if (at > pairValue && (linked ? byteAt(at - 1) != Char.Slash : inName(byteAt(at - 1)))) continue;
    if (linked && at == pairValue) continue;
    const end = privateAddress(at, pairValueEnd);
    // Whoever asked by that address knows it.
    if (end != 0 && !(hostEnd - host >= end - at && memory.compare(host, at, end - at) == 0)) return true;
  }
  return wordWithin(INSIDE_HOSTS, host, hostEnd) == 0 && wordWithin(INSIDE_HOSTS, pairValue, pairValueEnd) != 0;
}

/** Whether a byte is of the name of a host or a product. */
function inName(byte: u32): bool {
  return isDigit(byte) || byte == Char.Dot || byte == Char.Dash || (byte | 0x20) - Char.a < 26;
}
