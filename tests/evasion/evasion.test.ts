// The short form of `npm run evasion`: a sample that is the same on every machine. Each miss must be one that misses.jsonl lists.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { MISSES, knownMisses, runAttacks, runBenign, totals } from "./suite.ts";

/** One of so many combinations is tried. */
const ATTACKS = 60;
const BENIGN = 12;
/** Misses that may be listed; it only goes down. */
const CEILING = 966;

describe("evasion", () => {
  it("attacks are found under transformations and pairs of them", async () => {
    const outcomes = await runAttacks(ATTACKS);
    const { tried, wrong } = totals(outcomes);
    assert.ok(tried > 2000, `${tried} tried`);
    assert.ok(wrong <= tried / 100, `${wrong} of ${tried} missed`);
    const known = knownMisses();
    const unknown = outcomes.flatMap(({ chain, wrong: ids }) =>
      ids.filter((id) => !known.get(chain)?.has(id)).map((id) => `${chain}: ${id}`),
    );
    assert.deepEqual(unknown, []);
  });
  it("harmless values pass in whatever form clients send them", async () => {
    const outcomes = await runBenign(BENIGN);
    assert.ok(totals(outcomes).tried > 500);
    const known = knownMisses();
    const unknown = outcomes.flatMap(({ chain, wrong }) =>
      wrong.filter((id) => !known.get(`benign, ${chain}`)?.has(id)).map((id) => `${chain}: ${id}`),
    );
    assert.deepEqual(unknown, []);
  });
  it(`at most ${CEILING} errors are listed, which only goes down`, () => {
    const listed = [...knownMisses().values()].reduce((sum, { size }) => sum + size, 0);
    assert.ok(listed <= CEILING, `${listed} listed`);
    assert.ok(readFileSync(MISSES, "utf8").endsWith("\n"));
  });
});
