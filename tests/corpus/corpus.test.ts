// The committed corpus against the release module: false positives of a kind and misses of a class stay within
// ceiling.yaml, which only goes down.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseRecord } from "../../scripts/bench/record.ts";
import { corpusRecords, measureCorpus, readCeiling } from "./measure.ts";

const ceiling = readCeiling();
const measured = await measureCorpus();

describe("the corpus", () => {
  it("has a hundred records or so of each class and kind, each once and of our own", () => {
    const ids = new Set<string>();
    const [classes, kinds] = [new Map<string, number>(), new Map<string, number>()];
    for (const half of ["attacks", "benign"] as const) {
      for (const record of corpusRecords(half)) {
        const { isAttack, group, counts } = parseRecord(Buffer.from(JSON.stringify(record)));
        assert.deepEqual([isAttack, counts, (record as { source?: string }).source], [half === "attacks", true, "own"]);
        assert.ok(!ids.has(record.id), record.id);
        ids.add(record.id);
        const groups = isAttack ? classes : kinds;
        groups.set(group, (groups.get(group) ?? 0) + 1);
      }
    }
    for (const [group, count] of [...classes, ...kinds]) assert.ok(count >= 80, `${group}: ${count}`);
    assert.deepEqual([...classes.keys()].sort(), Object.keys(ceiling.missed).sort());
    assert.deepEqual([...kinds.keys()].sort(), Object.keys(ceiling.refused).sort());
  });
  for (const [kind, most] of Object.entries(ceiling.refused)) {
    it(`benign ${kind}: at most ${most} refused`, (t) => {
      const ids = measured.refused.get(kind) ?? [];
      assert.ok(ids.length <= most, `${ids.length} refused: ${ids.join(" ")}`);
      if (ids.length < most) t.diagnostic(`only ${ids.length}: lower the ceiling (npm run corpus)`);
    });
  }
  for (const [name, known] of Object.entries(ceiling.missed)) {
    it(`attacks ${name}: at most ${known.length} missed`, (t) => {
      const ids = measured.missed.get(name) ?? [];
      const others = ids.filter((id) => !known.includes(id));
      assert.ok(ids.length <= known.length, `${ids.length} missed; not listed: ${others.join(" ")}`);
      if (ids.length < known.length) t.diagnostic(`only ${ids.length}: lower the ceiling (npm run corpus)`);
    });
  }
});
