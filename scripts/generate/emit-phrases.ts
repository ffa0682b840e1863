// The phrases of all rules → assembly/generated/phrases.ts: what the module looks for in responses. The layout is drawn in
// assembly/match/phrases.ts.

import { emitData, heading, thousands } from "./emit.ts";
import { classBits, readPhrase } from "./phrase.ts";
import type { Rule } from "./rule-file.ts";

const LAST = 0x8000;
const SURE = 0x4000;
const FIRST = 0x2000;
const BITS = 4096;

/** The hash of a phrase's first four bytes, 32 bits. */
export function phraseHash(bytes: readonly number[]): number {
  const word = bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24);
  return Math.imul(word, 0x9e3779b1) >>> 0;
}

/** The text of the generated file. */
export function emitPhrases(rules: readonly Rule[]): string {
  const phrases = rules.flatMap(({ code, phrases = [] }) => phrases.map((text) => ({ code, ...readPhrase(text) })));
  if (rules.some(({ code, phrases = [] }) => phrases.length > 0 && code >= FIRST)) {
    throw new Error(`a rule with phrases must have a code below ${FIRST}`);
  }
  const bits = new Array<number>(BITS / 8).fill(0);
  for (const { steps } of phrases) bits[phraseHash(steps) >>> 23]! |= 1 << ((phraseHash(steps) >>> 20) & 7);
  const index = new Array<number>(256).fill(0);
  const out: number[] = [];
  for (let hash = 0; hash < 256; hash++) {
    const members = phrases.filter(({ steps }) => phraseHash(steps) >>> 24 === hash);
    if (members.length > 0) index[hash] = out.length + 1;
    members.forEach(({ code, sure, first, steps }, at) => {
      const word = code | (at === members.length - 1 ? LAST : 0) | (sure ? SURE : 0) | (first ? FIRST : 0);
      out.push(steps.length, word & 255, word >> 8, ...steps);
    });
  }
  return [
    heading("rules/*.yaml", [
      `${phrases.length} phrases, ${thousands(out.length + 512 + BITS / 8 + classBits().length)} bytes; layout: match/phrases.ts.`,
    ]),
    emitData("PHRASE_CLASSES", "u8", classBits(), "16 bytes a class: which bytes are of it."),
    emitData("PHRASE_BITS", "u8", bits, "Which hashes phrases have."),
    emitData("PHRASE_INDEX", "u16", index, "Where the phrases with a hash begin, from 1."),
    emitData("PHRASES", "u8", out, "The phrases by their hashes."),
  ].join("\n");
}
