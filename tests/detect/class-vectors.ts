/**
 * Pairs of attack and look-alike for one class, judged by all detectors through all layers: what the class itself says of them
 * counts. Each attack is also padded, escaped and cut.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { parse } from "yaml";
import { CODES_PER_CLASS, CLASSES } from "../../scripts/generate/rule-file.ts";
import { buildProbe } from "../probe/build.ts";

/** The confidence that sensitivity `balanced` blocks at. */
const BLOCKS = 60;
const LONGEST = 16_384;
/** Most a value of 16 KiB may take through all layers of a checked build, in ms. */
const SLOWEST = 400;

export interface ClassVector {
  id: string;
  why: string;
  attack: string | null;
  lookalike: string | null;
}

const probe = await buildProbe("judge");

/** The surest finding of `attackClass` in a value, each character a byte; 0 for none. */
export function confidenceOf(attackClass: (typeof CLASSES)[number], text: string): number {
  const count = probe.exports.judgeValue?.(...probe.write(Buffer.from(text, "latin1"))) ?? Number.NaN;
  assert.ok(!Number.isNaN(count));
  const first = (CLASSES.indexOf(attackClass) + 1) * CODES_PER_CLASS;
  let surest = 0;
  for (let index = 0; index < count; index++) {
    const rule = probe.exports.foundRule?.(index) ?? 0;
    if (rule < first || rule >= first + CODES_PER_CLASS) continue;
    surest = Math.max(surest, probe.exports.foundConfidence?.(index) ?? 0);
  }
  return surest;
}

/** The vectors of a class. */
export function classVectors(attackClass: string): ClassVector[] {
  const file = new URL(`../vectors/detect/${attackClass}.yaml`, import.meta.url);
  return (parse(readFileSync(file, "utf8")) as { vectors: ClassVector[] }).vectors;
}

/** Runs the vectors of a class, and `pieces` repeated to 16 KiB against the clock. */
export async function testClass(attackClass: (typeof CLASSES)[number], pieces: readonly string[]): Promise<void> {
  const vectors = classVectors(attackClass);
  const sure = (text: string): number => confidenceOf(attackClass, text);

  await suite(`${attackClass} vectors`, () => {
    test("ids are unique", () => {
      assert.equal(new Set(vectors.map(({ id }) => id)).size, vectors.length);
    });
    for (const { id, attack, lookalike } of vectors) {
      if (attack !== null) {
        test(`${id} is found`, () => {
          assert.ok(sure(attack) >= BLOCKS, `${sure(attack)}: ${JSON.stringify(attack)}`);
        });
        test(`${id} is found padded and escaped`, () => {
          const escaped = [...Buffer.from(attack, "latin1")].map((byte) => `%${byte.toString(16).padStart(2, "0")}`);
          for (const text of [
            ` ${attack} `,
            `\t${attack}\r\n`,
            escaped.join(""),
            escaped.join("").replaceAll("%", "%25"),
          ]) {
            assert.ok(sure(text) >= BLOCKS, `${sure(text)}: ${JSON.stringify(text)}`);
          }
        });
      }
      if (lookalike !== null) {
        test(`${id} passes`, () => {
          assert.ok(sure(lookalike) < BLOCKS, `${sure(lookalike)}: ${JSON.stringify(lookalike)}`);
        });
      }
    }
    test("cut anywhere, they never trap", () => {
      for (const { attack, lookalike } of vectors) {
        for (const text of [attack ?? "", lookalike ?? ""]) {
          for (let at = 1; at < text.length; at++) assert.ok(sure(text.slice(0, at)) + sure(text.slice(at)) <= 200);
        }
      }
    });
    test("sixteen KiB of anything take a few milliseconds", () => {
      for (const piece of [...pieces, ...vectors.map(({ attack }) => attack ?? "x")]) {
        const text = piece.repeat(Math.ceil(LONGEST / piece.length)).slice(0, LONGEST);
        const span = probe.write(Buffer.from(text, "latin1"));
        let best = Infinity;
        for (let round = 0; round < 3 && best > SLOWEST / 4; round++) {
          const begin = performance.now();
          probe.exports.judgeValue?.(...span);
          best = Math.min(best, performance.now() - begin);
        }
        assert.ok(best < SLOWEST, `${JSON.stringify(piece)}: ${best.toFixed(1)} ms`);
      }
    });
  });
}
