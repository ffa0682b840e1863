import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { CASES } from "./case.ts";
import { assertExpected } from "./decision.ts";
import { runOnHost } from "./on-host.ts";

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
      const { decision, overflow } = await runOnHost(given);
      assertExpected(given, decision);
      assert.deepEqual(overflow, [...(given.expect.overflow ?? [])].sort());
    });
  }
});
