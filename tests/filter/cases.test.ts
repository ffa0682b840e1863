import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { bodyOf, CASES } from "./case.ts";
import { assertExpected } from "./decision.ts";
import { runOnHost } from "./on-host.ts";

/** Bodies up to this are cut at each of their bytes; longer ones have pages, windows and limits that tests/parse cuts. */
const CUT_EVERYWHERE = 600;

test("cases have names and reasons of their own", () => {
  const ids = CASES.map(({ id }) => id);
  assert.deepEqual(
    ids.filter((id, i) => ids.indexOf(id) !== i),
    [],
  );
  for (const { id, why } of CASES) assert.ok(why.length > 10, `${id} says why`);
});

describe("on the host", () => {
  for (const given of CASES) {
    it(`${given.id}: ${given.why}`, async () => {
      const whole = await runOnHost(given);
      assertExpected(given, whole.decision);
      assert.deepEqual(whole.overflow, [...(given.expect.overflow ?? [])].sort());

      const { length } = bodyOf(given);
      if (given.request.send !== undefined || length === 0 || length > CUT_EVERYWHERE) return;
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
