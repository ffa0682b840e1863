import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { declaredRules } from "../../scripts/monitoring/declared.ts";
import { monitoringFiles } from "../../scripts/monitoring/files.ts";
import { rulesText } from "../../scripts/monitoring/rules-text.ts";
import { GROUPS, RUNBOOK } from "../../scripts/monitoring/rules.ts";
import type { Alert } from "../../scripts/monitoring/rules.ts";
import { packageRoot } from "../../scripts/package.ts";
import { policyHash } from "../../scripts/policy/compile.ts";
import { parsePolicy } from "../../scripts/policy/load.ts";
import { missing, runTool } from "./daemons.ts";

const read = (file: string): string => readFileSync(join(packageRoot(), file), "utf8");
const alerts = GROUPS.flatMap(({ rules }) => rules.filter((rule): rule is Alert => "alert" in rule));
const names = [...new Set(alerts.map(({ alert }) => alert))];

const folder = mkdtempSync(join(tmpdir(), "meshward-rules-"));
after(() => rmSync(folder, { recursive: true, force: true }));

describe("envoy/examples/monitoring", () => {
  for (const [file, text] of monitoringFiles()) {
    it(`${file} is what npm run monitoring makes`, () => assert.equal(read(file), text));
  }

  it("has a section of the runbook for each alert, and no other", () => {
    const sections = [...read(RUNBOOK).matchAll(/^### (Meshward\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(sections.toSorted(), names.toSorted());
    for (const { alert, annotations } of alerts) {
      assert.equal(annotations.runbook, `${RUNBOOK}#${alert.toLowerCase()}`);
      for (const text of [annotations.summary, annotations.description]) assert.match(text, /\S/);
    }
  });

  it("asks for statistics that the pages have", () => {
    const known = new Set(
      [...(read("docs/observability.md") + read("docs/collector.md")).matchAll(/`(meshward_\w+)`/g)].map(
        ([, name]) => name!,
      ),
    );
    const asked = GROUPS.flatMap(({ rules }) =>
      rules.flatMap(({ expr }) => expr.match(/meshward_[a-z_]*[a-z]/g) ?? []),
    );
    assert.ok(asked.length > 20);
    const unknown = asked.filter((name) => !known.has(name.replace(/_bucket$/, "")));
    assert.deepEqual(unknown, []);
  });
});

describe("the rules, by promtool", { skip: missing("promtool") }, () => {
  const policy = parsePolicy(read("tests/monitoring/declared.yaml"), "declared.yaml");
  writeFileSync(join(folder, "meshward.rules.yaml"), read("envoy/examples/monitoring/meshward.rules.yaml"));
  writeFileSync(join(folder, "declared.rules.yaml"), rulesText([declaredRules(policy)], "rules", "declared"));
  const cases = read("tests/monitoring/rules.promtool.yaml").replaceAll("DECLARED", policyHash(policy));
  const test = (text: string): [number | null, string] => {
    writeFileSync(join(folder, "cases.yaml"), text);
    return runTool("promtool", ["test", "rules", "cases.yaml"], folder);
  };

  it("are valid", () => {
    for (const file of ["meshward.rules.yaml", "declared.rules.yaml"]) {
      const [code, said] = runTool("promtool", ["check", "rules", "--lint-fatal", file], folder);
      assert.equal(code, 0, said);
    }
  });

  it("fire and stay quiet as their cases say, each of them", () => {
    const [code, said] = test(cases);
    assert.equal(code, 0, said);
    for (const name of names) assert.match(cases, new RegExp(`alertname: ${name}\\n\\s+exp_alerts:`), name);
  });

  it("would fail a case that is wrong", () => {
    const [code, said] = test(
      cases.split("\n\n  - name: one client")[0]!.replace("about 12 requests", "about 13 requests"),
    );
    assert.equal(code, 1);
    assert.match(said, /MeshwardAttacksStopped/);
  });

  it("declare what the first section says that matches, for as many sections as a policy may have", () => {
    const workloads = Array.from({ length: 1024 }, (_, at) => ({
      match: { namespace: `n${at}`, labels: { "example.org/track": `"${at}\\` } },
      mode: at % 2 === 0 ? ("block" as const) : ("detect" as const),
    }));
    const many = parsePolicy(JSON.stringify({ mode: "block", workloads }), "many.yaml");
    writeFileSync(join(folder, "many.yaml"), rulesText([declaredRules(many)], "rules", "declared"));
    const [code, said] = runTool("promtool", ["check", "rules", "many.yaml"], folder);
    assert.equal(code, 0, said);
  });
});
