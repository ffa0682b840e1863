/** Vectors of a detector, judged by all of them together: what the class finds, whatever else does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";

/** The confidence that sensitivity `balanced` blocks at. */
const BLOCKS = 60;
export const LONGEST = 16_384;

interface Vector {
  id: string;
  why: string;
  attack: string | null;
  lookalike: string | null;
}

const probe = await buildProbe("judge");
const call = (name: string, ...values: number[]): number => probe.exports[name]?.(...values) ?? Number.NaN;

/** The surest finding with a rule of the hundred `codes`, in a value of one byte a character. */
export function confidenceOf(codes: number, value: string | Uint8Array): number {
  const bytes = typeof value === "string" ? Buffer.from(value, "latin1") : value;
  const count = call("judgeValue", ...probe.write(bytes));
  let surest = 0;
  for (let index = 0; index < count; index++) {
    const code = call("foundRule", index);
    if (code >= codes && code < codes + 100) surest = Math.max(surest, call("foundConfidence", index));
  }
  return surest;
}

/** One test for each half of each pair of `tests/vectors/detect/NAME.yaml`. */
export function testVectors(name: string, codes: number): void {
  suite(`${name} vectors`, () => {
    const file = new URL(`../vectors/detect/${name}.yaml`, import.meta.url);
    const { vectors } = parse(readFileSync(file, "utf8")) as { vectors: Vector[] };
    test("ids are unique", () => assert.equal(new Set(vectors.map(({ id }) => id)).size, vectors.length));
    for (const { id, attack, lookalike } of vectors) {
      if (attack !== null) {
        test(`${id} is found`, () => {
          const confidence = confidenceOf(codes, attack);
          assert.ok(confidence >= BLOCKS, `${confidence}: ${JSON.stringify(attack)}`);
        });
        test(`${id} traps nowhere, wherever it is cut`, () => {
          for (let cut = 0; cut < attack.length; cut++) {
            confidenceOf(codes, attack.slice(0, cut));
            confidenceOf(codes, attack.slice(cut));
          }
        });
      }
      if (lookalike !== null) {
        test(`${id} passes`, () => {
          const confidence = confidenceOf(codes, lookalike);
          assert.ok(confidence < BLOCKS, `${confidence}: ${JSON.stringify(lookalike)}`);
        });
      }
    }
  });
}

/** Asserts that the longest value of each piece alone, again and again, takes all detectors no more than `limit` ms. */
export function testLinear(pieces: string[], limit: number): void {
  test("the longest value of anything takes a few milliseconds", () => {
    for (const piece of pieces) {
      const value = Buffer.from(piece.repeat(Math.ceil(LONGEST / piece.length)).slice(0, LONGEST), "latin1");
      const [start, end] = probe.write(value);
      let best = Infinity;
      for (let round = 0; round < 4; round++) {
        const begin = performance.now();
        call("judgeValue", start, end);
        best = Math.min(best, performance.now() - begin);
      }
      assert.ok(best < limit, `${piece}: ${best.toFixed(1)} ms`);
    }
  });
}
