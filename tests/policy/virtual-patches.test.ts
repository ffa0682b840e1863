// The worked virtual patches: each of their attacks is found by the patch that names it, and the look-alikes pass.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { packageRoot, readModule } from "../../scripts/package.ts";
import { parsePolicy } from "../../scripts/policy/load.ts";
import { createEngine, type Engine } from "../../scripts/scan/engine.ts";
import { parseCase } from "../../scripts/verify/case.ts";

const folder = join(packageRoot(), "envoy/examples/virtual-patches");
const policy = parsePolicy(readFileSync(join(folder, "meshward.yaml"), "utf8"), "meshward.yaml");
const lines = readFileSync(join(folder, "cases.jsonl"), "utf8").trimEnd().split("\n");
const cases = lines.map((line, index) => parseCase(Buffer.from(line), index + 1));

describe("virtual patches", () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine(policy, readModule());
  });
  it("have an attack and a look-alike each", () => {
    const attacked = new Set(cases.flatMap(({ expect }) => expect.rules));
    assert.deepEqual([...attacked].sort(), policy.rules.map(({ id }) => id).sort());
    assert.ok(cases.filter(({ expect }) => expect.verdict === "allow").length >= policy.rules.length);
  });
  for (const { name, why, exchange, expect } of cases) {
    it(`${name}: ${why}`, async () => {
      const { verdict, findings } = await engine.judge(exchange);
      assert.equal(verdict, expect.verdict, JSON.stringify(findings));
      const own = findings.filter(({ rule }) => rule.startsWith("cve-")).map(({ rule }) => rule);
      assert.deepEqual([...new Set(own)], expect.rules);
    });
  }
});
