// Lookups of Log4j 2, resolved as it does it: from the inside out, into a buffer, until one reads `jndi:`.
//
//   lookup   ${ text }       text holds lookups; `$${` counts as `${`
//   value    text behind the first `:-` · what `lower:` `upper:` `date:` stand before · nothing else
//
// Whatever an environment would give is left out: only what the value itself spells counts. One step per byte, at most MAX_DEPTH
// moves of each; the result is never longer than the value.

import { byteAt, isWord, putByte, putBytes } from "../core/bytes";
import { Char } from "../core/char";
import { hasPair } from "../core/scan";
import { startsWithOneOf, textStarts, textStartsNoCase } from "../core/text";
import { Kind } from "../generated/kinds";
import { Rule } from "../generated/rules";
import { ruleConfidence } from "../match/rules";
import { found } from "./finding";
import { proseLoss } from "./prose";

/** Longest value that is resolved: a window of a value. */
const CAPACITY: usize = 16384;
/** Lookups in lookups; deeper ones are text. */
const MAX_DEPTH: u32 = 24;

/** The value as far as it is resolved, and what readers look at behind it. Owner: this file. */
const RESOLVED: usize = memory.data(16448, 16);
/** For each open lookup: where its text begins in RESOLVED, and where its default does (0: none yet). u32 each. */
const OPEN: usize = memory.data(192, 8);

/** Whether `${` stands in the value. */
export function mayJndi(start: usize, end: usize, kinds: u32): bool {
  const needed: u32 = Kind.Dollar | Kind.Brace | Kind.Colon;
  return (kinds & needed) == needed && hasPair(start, end, Char.Dollar, Char.BraceOpen);
}

let best: u32 = 0;

/** Judges `start..end` and reports the surest lookup in it. */
export function detectJndi(start: usize, end: usize, kinds: u32): void {
  if (!mayJndi(start, end, kinds)) return;
  best = 0;
  const first = resolve(start, min(end, start + CAPACITY));
  if (best == 0) return;
  const base = ruleConfidence(best);
  // A lookup in a text about lookups still runs where it is logged; the weak signs are talk there.
  const loss = base > 90 ? proseLoss(start, first) / 2 : proseLoss(start, first);
  found(best, base - min(base, loss), first, end);
}

/** Resolves `start..end`, notes the surest rule in `best`, and returns where the first lookup begins. */
function resolve(start: usize, end: usize): usize {
  let out = RESOLVED;
  let depth: u32 = 0;
  let first = end;
  let at = start;
  while (at < end) {
    const byte = byteAt(at);
    if (byte == Char.Dollar && at + 1 < end && byteAt(at + 1) == Char.BraceOpen && depth < MAX_DEPTH) {
      if (first == end) first = at;
      // "$${" is an escaped "${", which is resolved when the text is read again.
      while (out > textAt(depth) && byteAt(out - 1) == Char.Dollar) out--;
      at += 2;
      depth++;
      store<u32>(slot(depth), <u32>out);
      store<u32>(slot(depth), 0, 4);
      continue;
    }
    at++;
    if (byte == Char.BraceClose && depth > 0) {
      out = close(slot(depth), out);
      depth--;
      continue;
    }
    out = putByte(out, byte);
    if (depth > 0 && byte == Char.Dash && load<u32>(slot(depth), 4) == 0) {
      if (out >= textAt(depth) + 2 && byteAt(out - 2) == Char.Colon) store<u32>(slot(depth), <u32>out, 4);
    }
  }
  for (; depth > 0; depth--) {
    const text = textAt(depth);
    // The rest may stand in another value; "`${jndi:` in the logs" goes on, and not with a name.
    if (textStartsNoCase(text, out, "jndi:") && (out == text + 5 || beginsName(byteAt(text + 5)))) note(Rule.JndiOpen);
  }
  return first;
}

// @ts-ignore: decorator
@inline
function slot(depth: u32): usize {
  return OPEN + ((<usize>(depth - 1)) << 3);
}

/** Where the text of the innermost open lookup begins. */
// @ts-ignore: decorator
@inline
function textAt(depth: u32): usize {
  return depth == 0 ? RESOLVED : load<u32>(slot(depth));
}

/** Puts the value of the lookup that ends at `out` in its place, and returns the new end. */
function close(open: usize, out: usize): usize {
  const text: usize = load<u32>(open);
  const fallback: usize = load<u32>(open, 4);
  if (textStartsNoCase(text, out, "jndi:")) {
    // Whoever writes about it leaves the name out: "${jndi:…}".
    const named = out > text + 5 && beginsName(byteAt(text + 5));
    if (named && !textStarts(out - 6, out, "://...")) note(Rule.JndiLookup);
    return out;
  }
  if (textStartsNoCase(text, out, "lower:") || textStartsNoCase(text, out, "upper:")) {
    if (out - text == 7) note(Rule.JndiHiddenLetters);
    return fold(text, text + 6, out);
  }
  if (textStartsNoCase(text, out, "date:") && out - text > 6 && byteAt(text + 5) == Char.Quote) {
    note(Rule.JndiHiddenLetters);
    return putBytes(text, text + 6, byteAt(out - 1) == Char.Quote ? out - 1 : out);
  }
  if (fallback != 0) {
    if (out - fallback == 1 && isUnnamed(text, fallback - 2)) note(Rule.JndiHiddenLetters);
    return putBytes(text, fallback, out);
  }
  if (discloses(text, out)) note(Rule.JndiDisclosure);
  return text;
}

/** Whether `byte` can be the first of what is looked up: a scheme, a path. */
function beginsName(byte: u32): bool {
  return isWord(byte) || byte == Char.Slash;
}

/** Whether a lookup's name is of marks alone: `${::-j}`. Shells have `${1:-y}` and `${:-y}`. */
function isUnnamed(at: usize, end: usize): bool {
  if (at >= end) return false;
  for (; at < end; at++) if (isWord(byteAt(at))) return false;
  return true;
}

/** Copies `at..end` to `out`; what Unicode folds into an ASCII letter becomes it: ı, ſ and the Kelvin sign. */
function fold(out: usize, at: usize, end: usize): usize {
  while (at < end) {
    const byte = byteAt(at);
    if (at + 1 < end && byte == 0xc4 && byteAt(at + 1) == 0xb1) {
      out = putByte(out, 0x69);
      at += 2;
    } else if (at + 1 < end && byte == 0xc5 && byteAt(at + 1) == 0xbf) {
      out = putByte(out, 0x73);
      at += 2;
    } else if (at + 2 < end && byte == 0xe2 && byteAt(at + 1) == 0x84 && byteAt(at + 2) == 0xaa) {
      out = putByte(out, 0x6b);
      at += 3;
    } else {
      out = putByte(out, byte);
      at++;
    }
  }
  return out;
}

/** Whether a lookup prints what only Log4j's own lookups know, or a secret. */
function discloses(text: usize, end: usize): bool {
  if (textStartsNoCase(text, end, "java:")) {
    const name = text + 5;
    return startsWithOneOf(name, end, "version os vm runtime hw locale ");
  }
  // Look-ups of Commons Text, which run, fetch and read: `script:js:…`, `url:UTF-8:…`, `dns:address|…`
  const script = textStartsNoCase(text, end, "script:") || textStartsNoCase(text, end, "base64decoder:");
  if (script || startsWithOneOf(text, end, "url: dns: file:utf ")) {
    let at = text;
    while (byteAt(at) != Char.Colon) at++;
    const argument = ++at;
    while (at < end && (isWord(byteAt(at)) || byteAt(at) == Char.Dash)) at++;
    if (at > argument && at + 1 < end && (byteAt(at) == Char.Colon || byteAt(at) == Char.Pipe)) return true;
  }
  if (textStartsNoCase(text, end, "k8s:") || textStartsNoCase(text, end, "docker:container")) return true;
  if (textStartsNoCase(text, end, "log4j:config")) return true;
  if (textStartsNoCase(text, end, "sys:java.") || textStartsNoCase(text, end, "sys:os.")) return true;
  return textStartsNoCase(text, end, "env:aws_secret") || textStartsNoCase(text, end, "env:aws_access");
}

// @ts-ignore: decorator
@inline
function note(rule: u32): void {
  if (best == 0 || ruleConfidence(rule) > ruleConfidence(best)) best = rule;
}
