import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { expressionPatterns, globPattern, literalPatterns, patternBytes } from "../../scripts/policy/pattern.ts";
import { buildProbe } from "../probe/build.ts";

const probe = await buildProbe<{
  compile: (start: number, end: number) => number;
  finds: (start: number, end: number) => number;
}>("pattern");

/** Whether the module finds any of the patterns in a value. */
function finds(patterns: readonly string[], value: string | Buffer): boolean {
  return patterns.some((pattern) => {
    const size = probe.exports.compile(...probe.write(pattern));
    assert.ok(size > 0, `${pattern} is taken`);
    assert.ok(size <= patternBytes(pattern), `${pattern} takes ${size} of ${patternBytes(pattern)} bytes`);
    return probe.exports.finds(...probe.write(value)) !== 0;
  });
}

/** Random expressions in the subset that both know, small enough to collide with random values. */
const atom = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\d", "(?:a|bc)", "(?:ab)", "\\x61");
const quantifier = fc.constantFrom("", "", "", "?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}");
const piece = fc.tuple(atom, quantifier).filter(([one, times]) => !(one.startsWith("(") && /[*+]|,\}/.test(times)));
const expression = fc
  .tuple(fc.boolean(), fc.array(piece, { minLength: 1, maxLength: 6 }), fc.boolean())
  .map(([start, pieces, end]) => `${start ? "^" : ""}${pieces.map((pair) => pair.join("")).join("")}${end ? "$" : ""}`);
const value = fc.string({ unit: fc.constantFrom("a", "b", "c", "1", "C"), maxLength: 12 });

describe("patterns of policies", () => {
  it("find what a regular expression finds", () => {
    let compared = 0;
    fc.assert(
      fc.property(expression, fc.array(value, { minLength: 8, maxLength: 8 }), (source, values) => {
        let patterns: string[];
        try {
          patterns = expressionPatterns(source);
        } catch {
          return;
        }
        compared++;
        for (const text of values)
          assert.equal(finds(patterns, text), new RegExp(source, "is").test(text), `${source} on ${text}`);
      }),
      { numRuns: 1500, seed: 7 },
    );
    assert.ok(compared > 500, `${compared} were compared`);
  });
  it("are globs for the whole value, letter by letter where asked", () => {
    const cases: [glob: string, held: string[], not: string[]][] = [
      ["a*c", ["ac", "abc", "abcabc"], ["abcd", "xabc", "AC"]],
      ["*b*", ["b", "abc"], ["", "ac"]],
      ["a?c", ["abc"], ["ac", "abbc"]],
      ["a.c", ["a.c"], ["abc"]],
      ["ü*", ["ü", "über"], ["u"]],
    ];
    for (const [glob, held, not] of cases) {
      for (const text of held) assert.ok(finds([globPattern(glob, false)], text), `${glob} holds for ${text}`);
      for (const text of not) assert.ok(!finds([globPattern(glob, false)], text), `${glob} does not hold for ${text}`);
    }
    assert.ok(finds([globPattern("AB*", true)], "abc"));
  });
  it("are texts without regard to case, of any bytes", () => {
    assert.ok(finds(literalPatterns(["nothing", "${JNDI:"]), "x ${jndi:ldap"));
    assert.ok(!finds(literalPatterns(["${jndi:"]), "$jndi:{"));
    assert.ok(finds(literalPatterns(["é"]), Buffer.from("caf\xc3\xa9", "latin1")));
  });
  it("say why they cannot be used", () => {
    const wrong: [pattern: string, message: RegExp][] = [
      ["(a)\\1", /"\\1" is not known/],
      ["(?=a)b", /look-around/],
      ["(ab)*", /behind one character/],
      ["a**", /second quantifier/],
      ["a{3,2}", /end is before its start/],
      ["a*", /holds for every value/],
      ["(a|b", /"\)" is missing/],
      ["a)", /unexpected "\)"/],
      ["[a", /"\]" is missing/],
      ["a{100}", /longer than 62 bytes/],
      ["(a|b|c|de)(fg|hi|jk|l)(m|no)", /more than 16 alternatives/],
      ["^a|b", /hold for all alternatives/],
      ["[^\\x00-\\xff]", /holds for no value/],
      ["a\\", /lone/],
    ];
    for (const [pattern, message] of wrong) assert.throws(() => expressionPatterns(pattern), message, pattern);
    assert.throws(() => globPattern("*", false), /holds for every value/);
  });
  it("are refused by the module where they are none", () => {
    for (const text of ["", "a", "^$", "[61", "[6161", "[zz61]", "[6261]", "[6161]x", "[6161]".repeat(63)]) {
      assert.equal(probe.exports.compile(...probe.write(text)), 0, text);
    }
  });
  it("cost the same per byte, whatever the bytes are", () => {
    const patterns = expressionPatterns("a?".repeat(20) + "a{20}b");
    const time = (size: number): number => {
      probe.exports.compile(...probe.write(patterns[0]!));
      const [start, end] = probe.write(Buffer.alloc(size, "a"));
      const from = process.hrtime.bigint();
      for (let i = 0; i < 8; i++) probe.exports.finds(start, end);
      return Number(process.hrtime.bigint() - from);
    };
    const best = (size: number): number => Math.min(...Array.from({ length: 7 }, () => time(size)));
    best(1000);
    assert.ok(best(400_000) < 16 * best(100_000), "linear");
  });
});
