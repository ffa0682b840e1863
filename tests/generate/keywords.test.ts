// Keyword tables against a Map: every word is found in any case, nothing else is.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildKeywords } from "../../scripts/generate/keywords.ts";
import { buildProbe } from "../probe/build.ts";

interface KeywordProbe {
  keyword(table: number, start: number, end: number): number;
}

const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const letter = fc.constantFrom(..."abcde_1");
const word = fc
  .oneof(
    // Few letters, so that words share beginnings and a miss is often near a hit.
    fc.array(letter, { minLength: 1, maxLength: 12 }),
    fc.array(visible, { minLength: 1, maxLength: 63 }),
  )
  .map((letters) => letters.join("").toLowerCase());

test("a table answers as a Map does, for its words in any case and for words near them", async () => {
  const probe = await buildProbe<KeywordProbe>("match");
  let found = 0;
  fc.assert(
    fc.property(
      fc.dictionary(word, fc.integer({ min: 1, max: 250 }), { maxKeys: 60, noNullPrototype: true }),
      fc.array(word, { maxLength: 30 }),
      fc.infiniteStream(fc.boolean()),
      (entries, others, capitals) => {
        const kinds = new Map(Object.entries(entries));
        const [table] = probe.write(buildKeywords(kinds).bytes);
        const near = [...kinds.keys()].flatMap((each) => [each.slice(1), each.slice(0, -1), `${each}a`, flipBit(each)]);
        for (const each of [...kinds.keys(), ...others, ...near]) {
          const spelled = [...each].map((letter) => (capitals.next().value ? letter.toUpperCase() : letter)).join("");
          const [start, end] = probe.write(spelled);
          const expected = kinds.get(spelled.toLowerCase()) ?? 0;
          assert.equal(probe.exports.keyword(table, start, end), expected, spelled);
          if (expected > 0) found++;
        }
      },
    ),
    { numRuns: 300, seed: 20261121 },
  );
  assert.ok(found > 1500, `only ${found} words found: the random words test too little`);
});

/** The word with the bit turned over that tells small letters from capitals, in its last character that is no letter. */
function flipBit(word: string): string {
  return word.replace(/[@[\\\]^_`{|}~](?=[^@[\\\]^_`{|}~]*$)/, (mark) =>
    String.fromCharCode(mark.charCodeAt(0) ^ 0x20),
  );
}

test("bytes behind a word do not count", async () => {
  const probe = await buildProbe<KeywordProbe>("match");
  const [table] = probe.write(buildKeywords(new Map([["union", 7]])).bytes);
  const [start, end] = probe.write("unionselect");
  assert.equal(probe.exports.keyword(table, start, end), 0);
  assert.equal(probe.exports.keyword(table, start, start + 5), 7);
  assert.equal(probe.exports.keyword(table, start, start + 4), 0);
  assert.equal(probe.exports.keyword(table, start, start), 0);
});

test("a word of 64 bytes and an empty table are misses, not errors", async () => {
  const probe = await buildProbe<KeywordProbe>("match");
  const [table] = probe.write(buildKeywords(new Map([["a".repeat(63), 1]])).bytes);
  assert.equal(probe.exports.keyword(table, ...probe.write("A".repeat(63))), 1);
  assert.equal(probe.exports.keyword(table, ...probe.write("a".repeat(64))), 0);
  const [empty] = probe.write(buildKeywords(new Map()).bytes);
  assert.equal(probe.exports.keyword(empty, ...probe.write("a")), 0);
});

test("three hundred words fill a table densely", () => {
  const words = Array.from({ length: 300 }, (_, index) => `word${index.toString(36)}`);
  const { bytes } = buildKeywords(new Map(words.map((each) => [each, 1])));
  const text = words.join("").length;
  assert.ok(bytes.length - text < 512 * 4 + 128 + 1024 + 20 + 4, `${bytes.length - text} bytes beside the words`);
});

test("a table that outgrows its limit is refused", () => {
  const words = Array.from({ length: 500 }, (_, index) => [`${index}`.padStart(60, "x"), 1] as const);
  assert.throws(() => buildKeywords(new Map(words)), /bytes of keywords, at most/);
});
