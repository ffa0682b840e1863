/** A cut at any byte changes no answer: the cases with bodies, each cut everywhere. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bodyOf, CASES, responseChunks } from "./case.ts";
import { runOnHost } from "./on-host.ts";

/** Bodies up to this are cut at each of their bytes; longer ones have pages, windows and limits that tests/parse cuts. */
const CUT_EVERYWHERE = 600;

describe("on the host, cut", () => {
  for (const given of CASES) {
    const { length } = bodyOf(given);
    if (given.request.send !== undefined || length === 0 || length > CUT_EVERYWHERE) continue;
    it(`${given.id}: ${given.why}`, async () => {
      const whole = await runOnHost(given);
      const count = given.cuts ?? length + 1;
      const cuts = Array.from({ length: count }, (_, at) => [Math.floor((at * (length + 1)) / count)]);
      for (const sizes of [...cuts, Array<number>(length).fill(1)]) {
        const cut = await runOnHost(given, sizes);
        // How much of a stream that is cut off had passed depends on where its chunks end; what was decided does not.
        if (given.expect.outcome === "partial") cut.decision.upstream = whole.decision.upstream;
        const { verdict } = cut.decision;
        // Nor does what of a call that is never held had passed.
        if (given.expect.upstream === "any" && (verdict?.outcome === "partial" || verdict?.outcome === "denied"))
          verdict.outcome = whole.decision.verdict!.outcome;
        assert.deepEqual(cut.decision, whole.decision, `cut at ${sizes.length > 1 ? "every byte" : sizes[0]}`);
      }
    });
  }
});

describe("a response cut anywhere shows the same", () => {
  for (const given of CASES) {
    const length = responseChunks(given).reduce((sum, chunk) => sum + chunk.length, 0);
    if (length === 0 || length > CUT_EVERYWHERE) continue;
    it(given.id, async () => {
      const whole = await runOnHost(given);
      const everywhere = Array.from({ length: length + 1 }, (_, at) => [at]);
      for (const sizes of [...everywhere, Array<number>(length).fill(1)]) {
        const cut = await runOnHost(given, [], sizes);
        assert.deepEqual(cut.decision, whole.decision, `cut at ${sizes.length > 1 ? "every byte" : sizes[0]}`);
      }
    });
  }
});
