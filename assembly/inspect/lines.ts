// The header lines that passive checks ask for, each by its kind: one walk over the request's and the response's, then a look each.
//
//   table: kinds × (name, its end, value, its end); a name of 0 where the line is not there; of lines that repeat the last

import { putText, textIsNoCase } from "../core/text";
import { Part } from "../core/field";
import { Stage } from "../core/findings";
import { nextPair, openPairs, pairName, pairNameEnd, pairValue, pairValueEnd } from "../core/pairs";
import { HEADER_KIND, HeaderKind } from "../generated/header";
import { nextWord, openWords, word, wordEnd, wordIn, wordKind } from "../match/vocabulary";
import { requestHeaders, requestHeadersEnd, responseHeaders, responseHeadersEnd } from "./exchange";
import { note } from "./note";

const LINE: usize = 16;
/** Kinds up to this one are of requests. */
const LAST_ASKED: u32 = HeaderKind.Partial;
const LINES: usize = memory.data(512, 8);

/** Reads the lines of the exchange at work. */
export function readLines(): void {
  memory.fill(LINES, 0, 512);
  readMap(requestHeaders, requestHeadersEnd, true);
  readMap(responseHeaders, responseHeadersEnd, false);
}

function readMap(start: usize, end: usize, asked: bool): void {
  openPairs(start, end);
  while (nextPair()) {
    const kind = wordIn(HEADER_KIND, pairName, pairNameEnd);
    if (kind == 0 || kind <= LAST_ASKED != asked) continue;
    const line = LINES + <usize>kind * LINE;
    store<u32>(line, <u32>pairName);
    store<u32>(line, <u32>pairNameEnd, 4);
    store<u32>(line, <u32>pairValue, 8);
    store<u32>(line, <u32>pairValueEnd, 12);
  }
}

export function hasLine(kind: HeaderKind): bool {
  return load<u32>(LINES + <usize>kind * LINE) != 0;
}

/** The value of a line; empty where there is none. */
export function lineOf(kind: HeaderKind): usize {
  return load<u32>(LINES + <usize>kind * LINE, 8);
}

export function lineEndOf(kind: HeaderKind): usize {
  return load<u32>(LINES + <usize>kind * LINE, 12);
}

/** Whether a line is the ASCII `literal`, in lower case. */
export function lineIs(kind: HeaderKind, literal: string): bool {
  return textIsNoCase(lineOf(kind), lineEndOf(kind), literal);
}

/** Notes what a line of the response shows. */
export function noteLine(rule: u32, stage: Stage, kind: HeaderKind): void {
  const line = LINES + <usize>kind * LINE;
  note(rule, stage, Part.ResponseHeader, load<u32>(line), load<u32>(line, 4), lineOf(kind), lineEndOf(kind));
}

/** The same with `start..end` as what shows it, of a line that need not be there. */
export function noteKind(rule: u32, stage: Stage, kind: HeaderKind, start: usize, end: usize): void {
  openWords(HEADER_KIND);
  do nextWord();
  while (wordKind != kind);
  note(rule, stage, Part.ResponseHeader, word, wordEnd, start, end);
}

/** A name that stands in no map, of at most 48 characters; `putName` writes it and says where it ends. */
export const NAME: usize = memory.data(64);

export function putName(name: string): usize {
  return putText(NAME, name);
}

/** Notes something at a part by such a name. */
export function noteNamed(rule: u32, stage: Stage, part: Part, name: string, start: usize, end: usize): void {
  note(rule, stage, part, NAME, putName(name), start, end);
}
