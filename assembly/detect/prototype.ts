// Prototype pollution. What is looked for is `__proto__`, or `constructor` and right behind it `prototype`, as steps of a path:
//
//   __proto__[a]   a[constructor][prototype][b]   a.__proto__.b      names of fields (judged as values of their own)
//   {"__proto__": {…}}                                               members of JSON: their name, at the end of the JSON Pointer
//   __proto__[a]=1   /__proto__/a   {"__proto__":{…}}   #__proto__.a=1    values that are nothing else
//
// One step per byte, and only where "_" or a joint of a path stands; no memory.

import { byteAt, isSpace, isWord, sameBytes, skipSpaces } from "../core/bytes";
import { Char } from "../core/char";
import { fieldName, fieldNameEnd, fieldPart, Part } from "../core/field";
import { findEither, hasPair } from "../core/scan";
import { textStarts, textSize } from "../core/text";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { found } from "./finding";

/** Bytes of the longest path that is read. */
const LONGEST: usize = 512;
const PROTO: usize = 9;
const CONSTRUCTOR: usize = 11;
const PROTOTYPE: usize = 9;

/** Whether `start..end` may hold the name of a prototype: "__", or "ru" of "constructor" (rare elsewhere) and a joint of paths. */
export function mayPrototype(start: usize, end: usize, kinds: u32): bool {
  if (end - start < PROTO) return false;
  if (hasPair(start, end, Char.Underscore, Char.Underscore)) return true;
  return (kinds & (Kind.Bracket | Kind.Dot | Kind.Slash | Kind.Colon)) != 0 && hasPair(start, end, Char.r, Char.u);
}

/** Judges the plain word `start..end`, which is nothing in any language but the name of a prototype: a field's, or a member's. */
export function judgeWord(start: usize, end: usize): void {
  if (end - start != PROTO) return;
  if (textStarts(start, end, "__proto__")) {
    if (isName(start, end)) found(Rule.PrototypeName, 92, start, end);
  } else if (textStarts(start, end, "prototype")) {
    const size = fieldNameEnd - fieldName;
    const path = "/constructor/prototype";
    if (fieldPart != Part.Json || size < textSize(path)) return;
    if (textStarts(fieldNameEnd - textSize(path), fieldNameEnd, path)) found(Rule.PrototypeName, 92, start, end);
  }
}

/** Judges `start..end` and reports what is found. */
export function detectPrototype(start: usize, end: usize, kinds: u32): void {
  if (!mayPrototype(start, end, kinds)) return;
  const step = findStep(start, end);
  if (step == end) return;
  const stop = stepEnd;
  if (isName(start, end)) {
    found(Rule.PrototypeName, 92, step, stop);
    return;
  }
  const before: u32 = step > start ? byteAt(step - 1) : 0;
  const next: u32 = stop < end ? byteAt(stop) : 0;
  const quoted = before == Char.DoubleQuote || before == Char.Quote;
  if (quoted && next == before) {
    let colon = stop + 1;
    colon = skipSpaces(colon, end);
    if (colon < end && byteAt(colon) == Char.Colon && opensObject(start, end)) {
      found(Rule.PrototypePath, 85, step, stop);
      return;
    }
  }
  const sure = weighPath(start, step, stop, end);
  if (sure != 0) found(sure >= 90 ? Rule.PrototypeName : Rule.PrototypePath, sure, step, stop);
}

/** The end of the step that `findStep` found. */
let stepEnd: usize = 0;

/** Where a step that leads to a prototype begins, or `end`. */
function findStep(start: usize, end: usize): usize {
  for (let at = start; (at = findEither(at, end, Char.Underscore, 0x63)) < end; at++) {
    if (at > start && isWord(byteAt(at - 1))) continue;
    if (textStarts(at, end, "__proto__")) {
      stepEnd = at + PROTO;
      if (stepEnd < end && isWord(byteAt(stepEnd))) continue;
      return at;
    }
    if (!textStarts(at, end, "constructor")) continue;
    let next = at + CONSTRUCTOR;
    while (next < end && isJoint(byteAt(next))) next++;
    if (next == at + CONSTRUCTOR || !textStarts(next, end, "prototype")) continue;
    stepEnd = next + PROTOTYPE;
    if (stepEnd < end && isWord(byteAt(stepEnd))) continue;
    return at;
  }
  return end;
}

/** What may stand between `constructor` and `prototype`; in JSON an object opens: `": {"`. */
function isJoint(byte: u32): bool {
  return (
    byte == Char.BracketOpen ||
    byte == Char.BracketClose ||
    byte == Char.Dot ||
    byte == Char.Slash ||
    byte == Char.Quote ||
    byte == Char.DoubleQuote ||
    byte == Char.Colon ||
    byte == Char.BraceOpen ||
    byte == Char.Comma ||
    byte <= <u32>Char.Space
  );
}

/** Whether the value is the name of its field, and nothing that a sentence or a program would be. */
function isName(start: usize, end: usize): bool {
  if (fieldPart == Part.Json) return isMember(start, end);
  return fieldPart != Part.Header && sameBytes(start, end, fieldName, fieldNameEnd) && isPath(start, end);
}

/** Whether the value is the last component of the JSON Pointer: the name of a member (or a value that says the same). */
function isMember(start: usize, end: usize): bool {
  const size = end - start;
  if (fieldNameEnd - fieldName <= size || byteAt(fieldNameEnd - size - 1) != Char.Slash) return false;
  return sameBytes(start, end, fieldNameEnd - size, fieldNameEnd) && isPath(start, end);
}

/** Whether `start..end` is a path: words, joints and "$", "-". */
function isPath(start: usize, end: usize): bool {
  if (end - start > LONGEST) return false;
  for (let at = start; at < end; at++) {
    const byte = byteAt(at);
    if (!isWord(byte) && (!isJoint(byte) || byte <= <u32>Char.Space) && byte != Char.Dollar && byte != Char.Dash)
      return false;
  }
  return true;
}

/** Whether a value begins as an object or a list does. */
function opensObject(start: usize, end: usize): bool {
  while (start < end && byteAt(start) <= <u32>Char.Space) start++;
  return start < end && (byteAt(start) == Char.BraceOpen || byteAt(start) == Char.BracketOpen);
}

/** How sure it is that a value with the step `step..stop` is a path, perhaps with what it sets: `a.__proto__.b=1`. */
function weighPath(start: usize, step: usize, stop: usize, end: usize): u32 {
  // "?__proto__[a]=1", "#__proto__.a=1", "a=1&__proto__[b]=1": what stands before it is another pair.
  let from = step;
  while (from > start && step - from < LONGEST && isPathByte(byteAt(from - 1))) from--;
  const before: u32 = from > start ? byteAt(from - 1) : 0;
  const pair = before == Char.Ampersand || before == Char.Question || before == Char.Hash;
  if (before != 0 && !pair) return 0;
  let to = stop;
  while (to < end && to - stop < LONGEST && isPathByte(byteAt(to))) to++;
  const sets = to < end && byteAt(to) == Char.Equals && to + 1 < end && !isSpace(byteAt(to + 1));
  if (to < end && !sets) return 0;
  while (
    stop < to &&
    (byteAt(stop) == Char.BracketClose || byteAt(stop) == Char.Quote || byteAt(stop) == Char.DoubleQuote)
  ) {
    stop++;
  }
  const joint: u32 = stop < to ? byteAt(stop) : 0;
  // "__proto__" alone is a name that somebody looks for; "Foo.prototype" and `x.__proto__ = y` are programs.
  if (joint == Char.BracketOpen) return from == step || sets ? 90 : 66;
  if (joint == Char.Dot || joint == Char.Slash) return sets || byteAt(from) == Char.Slash ? 86 : from == step ? 75 : 62;
  return pair && sets ? 70 : 40;
}

function isPathByte(byte: u32): bool {
  return (
    isWord(byte) ||
    byte == Char.BracketOpen ||
    byte == Char.BracketClose ||
    byte == Char.Dot ||
    byte == Char.Slash ||
    byte == Char.Quote ||
    byte == Char.DoubleQuote ||
    byte == Char.Dash
  );
}
