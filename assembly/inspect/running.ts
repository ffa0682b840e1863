// Tags that run what attacks call, in a value of a request or in a page: <img src=x onerror=alert(1)>, <script>fetch(…)</script>. One that
// came in a value and stands in a page later on was stored. What stands in a page that no value brought is the page's own: who sends that
// has copied it.
//
// One step a byte, in places where a browser begins a tag; 8 tags of a text are kept.

import { byteAt, findByte, isLetter, sameBytes } from "../core/bytes";
import { Char } from "../core/char";
import { findText, textIsNoCase, textStartsNoCase } from "../core/text";
import { MARKUP_WORD, MarkupWord } from "../generated/response";
import { keyword } from "../match/keywords";
import { Taint, taintAt, taintValue, taintValueEnd, Watch } from "../observe/taint";
import {
  attributeName,
  attributeNameEnd,
  nextAttribute,
  tagBegin,
  tagCloses,
  tagEnd,
  tagName,
  tagNameEnd,
  valueEnd,
  valueStart,
} from "../tokenize/html";
import { Html, htmlState, openHtml, walkHtml } from "./html-context";

const MOST: u32 = 8;
const TAGS: usize = memory.data(64, 8);

export let runningCount: u32 = 0;

export function runningStart(index: u32): usize {
  return load<u32>(TAGS + ((<usize>index) << 3));
}

export function runningEnd(index: u32): usize {
  return load<u32>(TAGS + ((<usize>index) << 3), 4);
}

export function findRunning(start: usize, end: usize): void {
  runningCount = 0;
  openHtml(start, end);
  for (let at = findByte(start, end, Char.Less); at < end; at = findByte(at + 1, end, Char.Less)) {
    if (!tagBegin(at, end) || tagCloses) continue;
    const isScript = textIsNoCase(tagName, tagNameEnd, "script");
    let runs = isScript;
    while (nextAttribute()) {
      runs =
        runs ||
        textStartsNoCase(attributeName, attributeNameEnd, "on") ||
        textStartsNoCase(valueStart, valueEnd, "javascript:");
    }
    if (!runs) continue;
    const last = isScript ? findText(tagEnd, end, "</") : tagEnd;
    if (!callsWord(at, last)) continue;
    // Few come so far; where they stand takes a walk over the page.
    walkHtml(at);
    if (htmlState != Html.Text) continue;
    store<u32>(TAGS + ((<usize>runningCount) << 3), <u32>at);
    store<u32>(TAGS + ((<usize>runningCount) << 3), <u32>last, 4);
    if (++runningCount == MOST) return;
  }
}

/** Whether a word stands there that attacks call. */
function callsWord(at: usize, end: usize): bool {
  while (at < end) {
    const from = at;
    while (at < end && isLetter(byteAt(at))) at++;
    if (at > from && keyword(MARKUP_WORD, from, at) == MarkupWord.Call) return true;
    if (at == from) at++;
  }
  return false;
}

/** Whether the request at work has brought `start..end` itself. */
export function isBrought(watch: Watch, start: usize, end: usize): bool {
  const size = end - start;
  for (let i: u32 = 0; i < watch.count; i++) {
    const taint: Taint = taintAt(changetype<usize>(watch), i);
    for (let at = taintValue(taint); at + size <= taintValueEnd(taint); at++) {
      if (sameBytes(at, at + size, start, end)) return true;
    }
  }
  return false;
}

/** Tags of pages that no value brought, by the upper half of their hashes; the newer takes the place of the older. */
const OWN: usize = memory.data(2048, 8);

function ownAt(hash: u64): usize {
  return OWN + ((<usize>((<u32>hash) & 511)) << 2);
}

export function isPagesOwn(hash: u64): bool {
  return load<u32>(ownAt(hash)) == <u32>(hash >> 32);
}

export function addPagesOwn(hash: u64): void {
  store<u32>(ownAt(hash), <u32>(hash >> 32));
}
