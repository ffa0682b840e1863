// The host does what Envoy did: each case of `cases.ts`, as recorded from Envoy 1.40.0 (`record.ts`).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CASES } from "./cases.ts";
import { replay } from "./replay.ts";
import type { Seen } from "./seen.ts";

const recorded = JSON.parse(readFileSync(new URL("recorded.json", import.meta.url), "utf8")) as Record<string, Seen>;

for (const given of CASES) {
  test(`as Envoy: ${given.id}: ${given.why}`, async () => {
    const expected = recorded[given.id];
    assert.ok(expected, "not recorded yet: run record.ts");
    assert.deepEqual(await replay(given), expected);
  });
}
