import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CASES } from "../filter/case.ts";
import { assertExpected } from "../filter/decision.ts";
import { startBench, type Bench } from "../filter/on-envoy.ts";
import { runOnHost } from "../filter/on-host.ts";

/** Cases by policy: each change of it is a push. */
const ordered = [...CASES].sort((a, b) => (a.policy < b.policy ? -1 : a.policy > b.policy ? 1 : 0));

describe("through Envoy, as on the host", () => {
  let bench: Bench;
  before(async () => {
    bench = await startBench(ordered[0]!);
  });
  after(() => bench?.stop());

  for (const given of ordered) {
    it(`${given.id}: ${given.why}`, async () => {
      try {
        const decision = await bench.run(given);
        if (given.id === "object-body") console.log(JSON.stringify(decision));
        assertExpected(given, decision);
        assert.deepEqual(decision, (await runOnHost(given)).decision);
      } catch (error) {
        if (error instanceof Error) error.message += `\nEnvoy's log:\n${bench.envoy.log().slice(-3000)}`;
        throw error;
      }
    });
  }
});
