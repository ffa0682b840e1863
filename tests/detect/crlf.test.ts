/** Line ends in values: pairs of attack and look-alike, and what must hold for any input. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";

/** The confidence that sensitivity `balanced` blocks at. */
const BLOCKS = 60;
const LONGEST = 16_384;
const PARTS = 7;

interface Vector {
  id: string;
  why: string;
  attack: string | null;
  lookalike: string | null;
  part?: number;
}

const probe = await buildProbe("crlf");
const call = (name: string, ...values: number[]): number => probe.exports[name]?.(...values) ?? Number.NaN;
const confidence = (text: string, part = 0): number => call("judge", ...probe.write(text), part) & 255;

await suite("crlf vectors", () => {
  const file = new URL("../vectors/detect/crlf.yaml", import.meta.url);
  const { vectors } = parse(readFileSync(file, "utf8")) as { vectors: Vector[] };
  test("ids are unique", () => {
    assert.equal(new Set(vectors.map(({ id }) => id)).size, vectors.length);
  });
  for (const { id, attack, lookalike, part } of vectors) {
    if (attack !== null) {
      test(`${id} is found`, () => {
        for (const text of [attack, `${attack}\r\n`]) {
          const sure = confidence(text, part);
          assert.ok(sure >= BLOCKS, `${String(sure)}: ${JSON.stringify(text)}`);
        }
      });
    }
    if (lookalike !== null) {
      test(`${id} passes`, () => {
        const sure = confidence(lookalike, part);
        assert.ok(sure < BLOCKS, `${String(sure)}: ${JSON.stringify(lookalike)}`);
      });
    }
  }
});

await suite("any lines", () => {
  const words = fc.array(fc.constantFrom("see", "the", "note", "Ann", "a:", "5", "to", "from", "get", "set"), {
    minLength: 4,
    maxLength: 9,
  });
  test("of prose are no finding", () => {
    // "set see 5 5 5" is no prose: memcached stores by it.
    const line = words.map((names) => names.join(" ")).filter((text) => !/^set \S+ 5 5 5/.test(text));
    const prose = fc.array(line, { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(prose, fc.nat({ max: PARTS - 1 }), (lines, part) => {
        // In the path of a URL no text stands.
        if (part !== 1 && part !== 3) assert.ok(confidence(lines.join("\n"), part) < BLOCKS, lines.join("\n"));
      }),
      { numRuns: 2000 },
    );
  });
  test("of bytes do not trap", () => {
    const piece = fc.constantFrom(
      ..."\r\n: /@<#0aX-嘊嘍\u2028\u0085".split(""),
      "Set-Cookie",
      " HTTP/1.1",
      "HTTP/1.1 200",
      "set a 0 0",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), fc.nat({ max: PARTS - 1 }), (pieces, part) => {
        const sure = confidence(pieces.join(""), part);
        assert.ok(sure >= 0 && sure <= 100);
      }),
      { numRuns: 5000 },
    );
  });
  test("of sixteen KiB take a few milliseconds", () => {
    for (const unit of ["\r\n", "\n", "a\n", "a:b\n", "嘊", "嘍嘊", "\u2028", "\xc2", "é", "set a 1\n", "a", "a b\r"]) {
      const span = probe.write(unit.repeat(LONGEST).slice(0, LONGEST / Buffer.byteLength(unit[0] ?? "a")));
      let best = Infinity;
      for (let round = 0; round < 4; round++) {
        const begin = performance.now();
        call("detect", ...span);
        best = Math.min(best, performance.now() - begin);
      }
      assert.ok(best < 10, `${JSON.stringify(unit)}: ${best.toFixed(1)} ms`);
    }
  });
});
