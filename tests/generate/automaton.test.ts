// The whole chain against a slow twin: random patterns are compiled and run by the module's own runner, and the answer is
// compared with one computed from the pattern's tree by derivatives (Brzozowski 1964), which share no code with the stages.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileRules } from "../../scripts/generate/automaton.ts";
import type { Pattern } from "../../scripts/generate/pattern.ts";
import { layOut } from "../../scripts/generate/table.ts";
import { buildProbe } from "../probe/build.ts";

const KINDS = 5;

/** A tree for what must follow; `never` matches nothing at all. */
type Rest = Pattern | "never";

const EMPTY: Pattern = { kind: "sequence", items: [] };

function acceptsEmpty(rest: Rest): boolean {
  if (rest === "never") return false;
  switch (rest.kind) {
    case "symbols":
      return false;
    case "sequence":
      return rest.items.every(acceptsEmpty);
    case "choice":
      return rest.items.some(acceptsEmpty);
    case "repeat":
      return rest.min === 0 || acceptsEmpty(rest.item);
  }
}

function then(first: Rest, second: Rest): Rest {
  if (first === "never" || second === "never") return "never";
  if (first.kind === "sequence" && first.items.length === 0) return second;
  return { kind: "sequence", items: [first, second] };
}

function either(rests: readonly Rest[]): Rest {
  const distinct = new Map(rests.filter((rest) => rest !== "never").map((rest) => [JSON.stringify(rest), rest]));
  const items = [...distinct.values()];
  return items.length === 0 ? "never" : items.length === 1 && items[0] ? items[0] : { kind: "choice", items };
}

/** What must follow after `symbol` for `rest` to match. */
function derive(rest: Rest, symbol: number): Rest {
  if (rest === "never") return "never";
  switch (rest.kind) {
    case "symbols":
      return rest.symbols.includes(symbol) ? EMPTY : "never";
    case "choice":
      return either(rest.items.map((item) => derive(item, symbol)));
    case "sequence": {
      const [first, ...others] = rest.items;
      if (!first) return "never";
      const tail: Pattern = { kind: "sequence", items: others };
      const consumed = then(derive(first, symbol), tail);
      return acceptsEmpty(first) ? either([consumed, derive(tail, symbol)]) : consumed;
    }
    case "repeat": {
      if (rest.max === 0) return "never";
      const left: Pattern = { ...rest, min: Math.max(0, rest.min - 1), max: rest.max - 1 };
      return then(derive(rest.item, symbol), left);
    }
  }
}

const symbols = fc.uniqueArray(fc.integer({ min: 0, max: KINDS }), { minLength: 1, maxLength: 3 });
const bounds: fc.Arbitrary<[min: number, max: number]> = fc.oneof(
  fc.constantFrom<[number, number][]>([0, Infinity], [1, Infinity], [0, 1]),
  fc.tuple(fc.nat(2), fc.nat(2)).map(([min, more]): [number, number] => [min, min + more]),
  fc.nat(2).map((min): [number, number] => [min, Infinity]),
);
const { tree } = fc.letrec<{ tree: Pattern }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record({ kind: fc.constant("symbols" as const), symbols }),
    fc.record({ kind: fc.constant("sequence" as const), items: fc.array(tie("tree"), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant("choice" as const), items: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }) }),
    fc
      .record({ item: tie("tree"), bounds })
      .map(({ item, bounds: [min, max] }) => ({ kind: "repeat" as const, item, min, max })),
  ),
}));

interface MatchProbe {
  run(table: number, start: number, end: number, out: number): void;
}

test("the compiled automaton agrees with derivatives on every prefix of random tokens", async () => {
  const probe = await buildProbe<MatchProbe>("match");
  const input = fc.record({
    trees: fc.array(tree, { minLength: 1, maxLength: 5 }),
    /** One automaton for all rules, or as many as a table may have. */
    apart: fc.boolean(),
    // KINDS + 1 and 255 are no kinds of this alphabet: they must lead nowhere.
    strings: fc.array(fc.array(fc.oneof(fc.nat(KINDS), fc.constantFrom(KINDS + 1, 255)), { maxLength: 10 }), {
      minLength: 1,
      maxLength: 5,
    }),
  });
  let matches = 0;
  fc.assert(
    fc.property(input, ({ trees, strings, apart }) => {
      const patterns = trees.map((pattern, index) => ({ pattern, label: index + 1 }));
      const rules = patterns.map((each) => [each]);
      const tables = compileRules(rules, KINDS + 2, apart ? 0 : undefined);
      // A label's code is its hundred, so that rank and code cannot be mistaken for each other.
      const codes = patterns.map(({ label }) => label * 100);
      const [at] = probe.write(layOut(tables, codes));
      for (const string of strings) {
        const [start, end] = probe.write(Uint8Array.from(string));
        const [out] = probe.write(new Uint8Array(4 * (string.length + 1)));
        probe.exports.run(at, start, end, out);
        const answers = new Uint16Array(probe.bytes(out, out + 4 * (string.length + 1)).buffer);
        let rests: Rest[] = trees;
        for (let length = 0; length <= string.length; length++) {
          const symbol = string[length - 1];
          if (symbol !== undefined) rests = rests.map((rest) => derive(rest, symbol));
          const expected = (rests.findIndex(acceptsEmpty) + 1) * 100;
          assert.equal(answers[length * 2], expected, `after ${length} of ${JSON.stringify(string)}`);
          if (expected > 0) matches++;
          // Dead means that nothing can match any more; derivatives say so at least when all are `never`.
          if (rests.every((rest) => rest === "never")) assert.equal(answers[length * 2 + 1], 1);
          if (answers[length * 2 + 1] === 1) {
            assert.equal(expected, 0);
            assert.ok(!answers.slice(length * 2).some((value, place) => place % 2 === 0 && value !== 0));
          }
        }
      }
    }),
    { numRuns: 500, seed: 20261121 },
  );
  assert.ok(matches > 500, `only ${matches} matches: the random patterns test too little`);
});
