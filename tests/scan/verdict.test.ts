import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { createEnvoyProcess } from "../../scripts/host/index.ts";
import { readModule } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { RULES } from "../../scripts/policy/rules.generated.ts";
import { refusalSchema, verdictSchema } from "../../scripts/scan/verdict.ts";

// What the module writes is what the JSON Schemas say: no member missing, none besides.

const ATTACK = "/a?q=1%20UNION%20SELECT%20name,pass%20FROM%20users--%20";

test("verdicts and log lines of the module are those of the schemas", async () => {
  const process = createEnvoyProcess();
  const plugin = await process.addPlugin({ name: "meshward", module: readModule() });
  const exceptions = [{ id: "docs", rules: ["sqli-*"], path: "/docs", why: "x" }];
  const routes = [{ match: { path: "/seen" }, mode: "detect" as const }];
  plugin.configure(
    JSON.stringify(compilePolicy(policyFrom({ mode: "block", exceptions, routes }), { holdHeaders: true })),
  );

  const outcomes = new Set<string>();
  for (const path of ["/", ATTACK, ATTACK.replace("/a", "/seen"), ATTACK.replace("/a", "/docs")]) {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { verdict, logs } = plugin.exchange({ path, headers: [["traceparent", traceparent]] });
    const { outcome, findings, trace_id: trace } = z.strictObject(verdictSchema.shape).parse(verdict);
    assert.equal(trace, findings.length > 0 ? "0af7651916cd43dd8448eb211c80319c" : null);
    outcomes.add(outcome);
    for (const { rule, class: attackClass } of findings) {
      assert.ok(
        RULES.some((known) => known.id === rule && known.class === attackClass),
        rule,
      );
    }
    const refusals = logs.filter(({ level }) => level === "warn").map(({ message }) => message);
    assert.equal(refusals.length, outcome === "denied" ? 1 : 0);
    for (const line of refusals) {
      assert.ok(line.startsWith("meshward {") && Buffer.byteLength(line) <= 1024, line);
      z.strictObject(refusalSchema.shape).parse(JSON.parse(line.slice("meshward ".length)));
    }
  }
  assert.deepEqual([...outcomes].sort(), ["allowed", "denied", "would_deny"]);
});
