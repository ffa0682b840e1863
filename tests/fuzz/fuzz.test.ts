// The short form of `npm run fuzz`: fixed seeds, a few seconds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { randomFrom } from "../../scripts/bench/random.ts";
import { fuzzFaults } from "../../scripts/fuzz/faults.ts";
import { fuzzInterleaved } from "../../scripts/fuzz/interleaved.ts";
import { readModule } from "../../scripts/package.ts";

const bytes = new Uint8Array(readModule("checked"));

test("no callback traps, whatever the host does", () => {
  const module = new WebAssembly.Module(bytes);
  const lines = [1, 2, 3].flatMap((seed) => fuzzFaults(module, randomFrom(seed), 4000));
  assert.ok(lines.length > 20, "refusals and bad configurations are logged");
  for (const line of lines) {
    assert.ok(Buffer.byteLength(line) <= 1024, line);
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
  }
});

test("streams among each other are decided on as alone", async () => {
  for (const seed of [1, 2, 3, 4, 5]) await fuzzInterleaved(bytes, randomFrom(seed), 60);
});
