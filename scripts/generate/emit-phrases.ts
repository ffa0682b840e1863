// The phrases of all rules → assembly/generated/phrases.ts: what the module looks for in responses. The layout is drawn in
// assembly/match/phrases.ts.

import { emitData, heading, thousands } from "./emit.ts";
import type { Rule } from "./rule-file.ts";

const LAST = 1;
const SURE = 2;

/** The hash of a phrase's first four bytes, 0–255. */
export function phraseHash(bytes: Uint8Array): number {
  const word = bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24);
  return Math.imul(word, 0x9e3779b1) >>> 24;
}

/** The text of the generated file. */
export function emitPhrases(rules: readonly Rule[]): string {
  const phrases = rules.flatMap(({ code, phrases = [] }) =>
    phrases.map((phrase) => {
      const sure = phrase.startsWith("! ");
      return { code, sure, bytes: Buffer.from(sure ? phrase.slice(2) : phrase, "latin1") };
    }),
  );
  const index = new Array<number>(256).fill(0);
  const out: number[] = [];
  for (let hash = 0; hash < 256; hash++) {
    const members = phrases.filter(({ bytes }) => phraseHash(bytes) === hash);
    if (members.length > 0) index[hash] = out.length + 1;
    members.forEach(({ code, sure, bytes }, at) => {
      const flags = (at === members.length - 1 ? LAST : 0) | (sure ? SURE : 0);
      out.push(bytes.length, flags, code & 255, code >> 8, ...bytes);
    });
  }
  return [
    heading("rules/*.yaml", [
      `${phrases.length} phrases, ${thousands(out.length + 512)} bytes; layout: match/phrases.ts.`,
    ]),
    emitData("PHRASE_INDEX", "u16", index, "Where the phrases with a hash begin, from 1."),
    emitData("PHRASES", "u8", out, "The phrases by their hashes."),
  ].join("\n");
}
