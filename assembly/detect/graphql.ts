// GraphQL documents: what asks for the schema, and what costs the server more than the client. A value that begins as a document is
// read token by token; at the first byte that no document has, the reading ends and what is whole up to there counts.
//
//   document   = ( selection | operation | fragment )*             (https://spec.graphql.org/October2021/, 2)
//   selection  = "{" ( [ alias ":" ] name [ "(" … ")" ] directive* [ selection ] | "..." … )* "}"
//
// Looked at: names at their depth, how often a field is asked for, runs of a name or of directives, circles of fields on the way down
// and of fragments. One step per byte. Names are kept as 32-bit hashes; a circle or a run of other names with equal hashes would be
// one in billions.

import { byteAt, findByte, isDigit, isLetter, isSpace, isWord } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd, fieldPart, Part } from "../core/field";
import { findEither } from "../core/scan";
import { textIs, textStarts } from "../core/text";
import { GRAPHQL_NAME, GraphqlName } from "../generated/graphql";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { keyword } from "../match/keywords";
import { found } from "./finding";

/** Levels that are remembered; a deeper document is too deep anyway. */
const LEVELS: i32 = 64;
/** The name's hash at each level. Owner: this file. */
const PATH: usize = memory.data(256, 16);
/** Fields that are counted: hash, count, 8 bytes each. Owner: this file. */
const FIELDS: usize = memory.data(256, 16);
const MOST_FIELDS: u32 = 32;
/** Fragments: hash and the set of those that it spreads, 8 bytes each. Owner: this file. */
const FRAGMENTS: usize = memory.data(256, 16);
const MOST_FRAGMENTS: u32 = 32;

/** Levels of a document that nobody writes, and one that no tool does. */
const DEEP: i32 = 15;
const VERY_DEEP: i32 = 24;
/** How often a field may be asked for: one that is guessed at, one without arguments, any. */
const GUESSES: u32 = 3;
const COPIES: u32 = 10;
const MANY: u32 = 50;
/** Runs of the same field or of directives. */
const RUN: u32 = 10;
/** Documents in one request: of guesses, of any. */
const GUESS_BATCH: u32 = 2;
const BATCH: u32 = 20;

/** Whether the last value was a document that gives strings to arguments: each is a value to the service. */
export let givesStrings: bool = false;

let fields: u32 = 0;
let fragments: u32 = 0;

/** Whether `start..end` begins as a document does. */
export function mayGraphql(start: usize, end: usize, kinds: u32): bool {
  if ((kinds & Kind.Brace) == 0) return false;
  const at = skipIgnored(start, end);
  if (at == end) return false;
  if (byteAt(at) == Char.BraceOpen) {
    const next = skipIgnored(at + 1, end);
    return next < end && (isName(byteAt(next)) || byteAt(next) == Char.Dot);
  }
  const stop = nameStop(at, end);
  const kind = keyword(GRAPHQL_NAME, at, stop);
  return kind == GraphqlName.Operation || kind == GraphqlName.Fragment;
}

/** Judges `start..end` and reports what is found. */
export function detectGraphql(start: usize, end: usize, kinds: u32): void {
  givesStrings = false;
  if (mayGraphql(start, end, kinds)) return readDocument(start, end);
  // A selection without its braces, as text that a service puts into its own document.
  if ((kinds & Kind.Brace) == 0 || !textStarts(start, end, "__")) return;
  const stop = nameStop(start, end);
  const next: u32 = stop < end ? byteAt(skipIgnored(stop, end)) : 0;
  const schema = textIs(start, stop, "__schema") && next == Char.BraceOpen;
  if (schema || (textIs(start, stop, "__type") && next == Char.ParenOpen))
    found(Rule.GraphqlIntrospection, 72, start, stop);
}

function readDocument(start: usize, end: usize): void {
  fields = 0;
  fragments = 0;
  let depth: i32 = 0;
  let deepest: i32 = 0;
  let circle: u32 = 0;
  let schema: usize = 0;
  let run: u32 = 0;
  let longestRun: u32 = 0;
  let directives: u32 = 0;
  let mostDirectives: u32 = 0;
  let previous: u32 = 0;
  let guesses: u32 = 0;
  let copies: u32 = 0;
  let most: u32 = 0;
  let whole = false;
  /** The fragment that is being read, + 1. */
  let inside: u32 = 0;
  let field: u32 = 0;
  const index = batchIndex();
  let at = start;
  while ((at = skipIgnored(at, end)) < end) {
    const byte = byteAt(at);
    if (byte == Char.BraceOpen) {
      if (depth == LEVELS) {
        // Deep enough, whatever comes.
        whole = true;
        break;
      }
      store<u32>(PATH + ((<usize>depth) << 2), depth == 0 ? 0 : field);
      if (depth > 0) circle = max<u32>(circle, roundsAt(depth));
      depth++;
      if (depth > deepest) deepest = depth;
      previous = 0;
      field = 0;
      directives = 0;
      at++;
    } else if (byte == Char.BraceClose) {
      if (--depth < 0) break;
      if (depth == 0) {
        whole = true;
        inside = 0;
      }
      previous = 0;
      field = 0;
      directives = 0;
      at++;
    } else if (byte == Char.ParenOpen) {
      at = skipArguments(at, end);
      if (at == 0) break;
    } else if (byte == Char.At) {
      const name = skipIgnored(at + 1, end);
      at = nameStop(name, end);
      if (at == name) break;
      mostDirectives = max(mostDirectives, ++directives);
    } else if (byte == Char.Dot) {
      if (at + 3 > end || !textStarts(at, end, "...")) break;
      at = skipIgnored(at + 3, end);
      const stop = nameStop(at, end);
      if (textIs(at, stop, "on")) {
        at = skipIgnored(stop, end);
        if (isMeta(at, nameStop(at, end))) schema = at;
        at = nameStop(at, end);
      } else if (stop > at) {
        if (inside != 0) spread(inside - 1, hash(at, stop));
        at = stop;
      }
      previous = 0;
      directives = 0;
      // The selection of an inline fragment is a level like any other.
      field = 0;
    } else if (isName(byte)) {
      let stop = nameStop(at, end);
      if (depth == 0) {
        // query Name(…)  fragment Name on Type
        const kind = keyword(GRAPHQL_NAME, at, stop);
        if (kind == GraphqlName.Fragment) {
          at = skipIgnored(stop, end);
          stop = nameStop(at, end);
          inside = openFragment(hash(at, stop));
        } else if (isMeta(at, stop)) {
          schema = at;
        } else if (kind != GraphqlName.Operation && whole && inside == 0) {
          // Prose behind a document that ended. A name of an operation stands behind its keyword.
          if (byteAt(skipIgnored(stop, end)) == Char.Colon) break;
        }
        at = stop;
        continue;
      }
      let after = skipIgnored(stop, end);
      if (after < end && byteAt(after) == Char.Colon) {
        at = skipIgnored(after + 1, end);
        stop = nameStop(at, end);
        if (stop == at) break;
        after = skipIgnored(stop, end);
      }
      field = hash(at, stop);
      directives = 0;
      const next: u32 = after < end ? byteAt(after) : 0;
      if (textIs(at, stop, "__schema") && (next == Char.BraceOpen || next == Char.At || next == Char.ParenOpen))
        schema = at;
      else if (textIs(at, stop, "__type") && next == Char.ParenOpen) schema = at;
      const times = count(field);
      most = max(most, times);
      if (next != Char.ParenOpen && depth == 1) copies = max(copies, times);
      if (times >= GUESSES && next == Char.ParenOpen && keyword(GRAPHQL_NAME, at, stop) == GraphqlName.Guess)
        guesses = times;
      if (index >= GUESS_BATCH && keyword(GRAPHQL_NAME, at, stop) == GraphqlName.Guess) guesses = GUESSES;
      run = field == previous && next != Char.ParenOpen ? run + 1 : 1;
      longestRun = max(longestRun, run);
      previous = field;
      at = stop;
    } else if (depth == 0 && (byte == Char.Equals || byte == Char.Pipe || byte == Char.Bang)) {
      at++;
    } else break;
  }
  // What is not read to its end is no document, unless one was whole before, or its end is cut off.
  if (at < end && !whole) return;
  if (schema != 0) found(Rule.GraphqlIntrospection, 72, schema, min(schema + 8, end));
  if (deepest > DEEP) found(Rule.GraphqlDepth, deepest > VERY_DEEP ? 85 : 68, start, min(start + 64, end));
  else if (circle >= 3) found(Rule.GraphqlDepth, circle > 3 ? 76 : 64, start, min(start + 64, end));
  // Tests of clients lay such documents out in lines.
  const line = findByte(start, end, Char.LineFeed) == end;
  if (hasCycle()) found(Rule.GraphqlFragmentCycle, line ? 64 : 50, start, min(start + 64, end));
  if (guesses >= GUESSES) found(Rule.GraphqlBatch, 80, start, min(start + 64, end));
  else if (most >= MANY) found(Rule.GraphqlBatch, most >= 2 * MANY ? 75 : 64, start, min(start + 64, end));
  else if (index >= BATCH) found(Rule.GraphqlBatch, 64, start, min(start + 64, end));
  if (longestRun >= RUN || mostDirectives >= RUN) found(Rule.GraphqlRepeat, 72, start, min(start + 64, end));
  else if (copies >= COPIES && fields <= 2) found(Rule.GraphqlRepeat, 66, start, min(start + 64, end));
}

/** Past spaces, line ends, commas, comments and byte order marks. */
function skipIgnored(at: usize, end: usize): usize {
  while (at < end) {
    const byte = byteAt(at);
    if (byte == Char.Hash) at = findEither(at, end, Char.LineFeed, Char.CarriageReturn);
    else if (isSpace(byte) || byte == Char.Comma || byte == 0xef || byte == 0xbb || byte == 0xbf) at++;
    else break;
  }
  return at;
}

function isName(byte: u32): bool {
  return isLetter(byte) || byte == Char.Underscore;
}

function nameStop(at: usize, end: usize): usize {
  if (at < end && isDigit(byteAt(at))) return at;
  while (at < end && isWord(byteAt(at))) at++;
  return at;
}

/** `__Schema`, `__Type` */
function isMeta(at: usize, stop: usize): bool {
  return textIs(at, stop, "__Schema") || textIs(at, stop, "__Type");
}

/** Past "(" at `at` and what it opens, strings in it and all; 0 where it has no end. A body of text ends at its first string. */
function skipArguments(at: usize, end: usize): usize {
  let depth = 0;
  for (; at < end; at++) {
    const byte = byteAt(at);
    if (byte == Char.ParenOpen) depth++;
    else if (byte == Char.ParenClose) {
      if (--depth == 0) return at + 1;
    } else if (byte == Char.DoubleQuote) {
      at++;
      while (at < end && byteAt(at) != Char.DoubleQuote) at += byteAt(at) == Char.Backslash ? 2 : 1;
      givesStrings = true;
    }
  }
  return fieldPart == Part.Body ? end : 0;
}

/** How often the way down to `level` goes round: the same one, two or three names again and again. */
function roundsAt(level: i32): u32 {
  if (load<u32>(PATH + ((<usize>level) << 2)) == 0) return 0;
  for (let period = 2; period <= 3; period++) {
    let same = 0;
    while (level - same - period >= 1 && nameAt(level - same) == nameAt(level - same - period)) same++;
    if (nameAt(level) == nameAt(level - 1)) break;
    // Two names three times, three names four times.
    if (same >= period * 2 - 1 && period == 2) return 2 + <u32>same / 2;
    if (same >= period * 3 - 1 && period == 3) return <u32>same / 3 + 1;
  }
  return 0;
}

function nameAt(level: i32): u32 {
  return level < 0 ? 0 : load<u32>(PATH + ((<usize>level) << 2));
}

/** Counts a field; the number of times that it was seen. */
function count(field: u32): u32 {
  for (let i: u32 = 0; i < fields; i++) {
    const entry = FIELDS + (i << 3);
    if (load<u32>(entry) != field) continue;
    const times = load<u32>(entry, 4) + 1;
    store<u32>(entry, times, 4);
    return times;
  }
  if (fields == MOST_FIELDS) return 1;
  store<u32>(FIELDS + (fields << 3), field);
  store<u32>(FIELDS + (fields << 3), 1, 4);
  fields++;
  return 1;
}

/** The place + 1 of a fragment; 0 where there are too many. */
function openFragment(name: u32): u32 {
  for (let i: u32 = 0; i < fragments; i++) if (load<u32>(FRAGMENTS + (i << 3)) == name) return i + 1;
  if (fragments == MOST_FRAGMENTS) return 0;
  store<u32>(FRAGMENTS + (fragments << 3), name);
  store<u32>(FRAGMENTS + (fragments << 3), 0, 4);
  return ++fragments;
}

/** The fragment at `from` spreads the one of that name, which may come later. */
function spread(from: u32, name: u32): void {
  const to = openFragment(name);
  if (to == 0) return;
  const entry = FRAGMENTS + (from << 3);
  store<u32>(entry, load<u32>(entry, 4) | (1 << (to - 1)), 4);
}

/** Whether a fragment reaches itself. */
function hasCycle(): bool {
  for (let through: u32 = 0; through < fragments; through++) {
    const reached = load<u32>(FRAGMENTS + (through << 3), 4);
    for (let from: u32 = 0; from < fragments; from++) {
      const entry = FRAGMENTS + (from << 3);
      const set = load<u32>(entry, 4);
      if (((set >> through) & 1) != 0) store<u32>(entry, set | reached, 4);
    }
  }
  for (let i: u32 = 0; i < fragments; i++) if (((load<u32>(FRAGMENTS + (i << 3), 4) >> i) & 1) != 0) return true;
  return false;
}

/** The index of the document in a list of them: 7 of `/7/query`. */
function batchIndex(): u32 {
  if (fieldPart != Part.Json) return 0;
  let at = fieldName + 1;
  let index: u32 = 0;
  while (at < fieldNameEnd && isDigit(byteAt(at)) && at - fieldName < 6) index = index * 10 + byteAt(at++) - Char._0;
  return at > fieldName + 1 && textIs(at, fieldNameEnd, "/query") ? index : 0;
}

/** FNV-1a, never 0. */
function hash(start: usize, end: usize): u32 {
  let bits: u32 = 0x811c9dc5;
  for (; start < end; start++) bits = (bits ^ byteAt(start)) * 0x01000193;
  return bits | 1;
}
