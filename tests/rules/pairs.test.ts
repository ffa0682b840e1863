// Every rule carries an attack and a harmless look-alike: the attack must be found by that rule, and the look-alike must pass.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { readRuleFile } from "../../scripts/generate/rule-file.ts";
import { joinRules } from "../../scripts/generate/rule-set.ts";
import { buildProbe } from "../probe/build.ts";

/** The confidence that sensitivity `balanced` blocks at. */
const BLOCKS = 60;
const RULES = new URL("../../rules/", import.meta.url);

interface JudgeProbe {
  judgeValue(start: number, end: number): number;
  foundRule(index: number): number;
  foundConfidence(index: number): number;
}

const names = (await readdir(RULES)).filter((name) => name.endsWith(".yaml") && name !== "kinds.yaml");
const rules = joinRules(
  await Promise.all(
    names.map(async (name) => readRuleFile(`rules/${name}`, await readFile(new URL(name, RULES), "utf8"))),
  ),
);
const ids = new Map(rules.map((rule) => [rule.code, rule.id]));
const { exports: module, write } = await buildProbe<JudgeProbe>("judge");

/** What is found in `value`, as ids and confidences. */
function judge(value: string): { id: string; confidence: number }[] {
  const count = module.judgeValue(...write(value));
  return Array.from({ length: count }, (_, index) => ({
    id: ids.get(module.foundRule(index)) ?? "a rule that is in no file",
    confidence: module.foundConfidence(index),
  }));
}

await suite("pairs of rules", () => {
  for (const { id, attack, lookalike } of rules) {
    test(`${id} finds its attack`, () => {
      const findings = judge(attack);
      assert.ok(
        findings.some((finding) => finding.id === id),
        `found ${JSON.stringify(findings)} in ${JSON.stringify(attack)}`,
      );
    });
    test(`${id} lets its look-alike pass`, () => {
      const blocked = judge(lookalike).filter(({ confidence }) => confidence >= BLOCKS);
      assert.deepEqual(blocked, [], JSON.stringify(lookalike));
    });
  }
});
