// The module's own answers about its rules against the files they were made from.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { CLASSES, readRuleFile, SEVERITIES } from "../../scripts/generate/rule-file.ts";
import { joinRules } from "../../scripts/generate/rule-set.ts";
import { buildProbe } from "../probe/build.ts";

const RULES = new URL("../../rules/", import.meta.url);

interface RulesProbe {
  ruleCount(): number;
  ruleIndex(code: number): number;
  ruleCode(index: number): number;
  ruleId(code: number): number;
  ruleIdEnd(code: number): number;
  ruleClass(code: number): number;
  ruleSeverity(code: number): number;
  ruleConfidence(code: number): number;
  ruleCweCount(code: number): number;
  ruleCwe(code: number, at: number): number;
  className(id: number): number;
  classNameEnd(id: number): number;
  severityName(id: number): number;
  severityNameEnd(id: number): number;
}

test("the module knows every rule of its own as its file gives it", async () => {
  const names = (await readdir(RULES)).filter((name) => name.endsWith(".yaml") && name !== "kinds.yaml");
  const rules = joinRules(
    await Promise.all(
      names.map(async (name) => readRuleFile(`rules/${name}`, await readFile(new URL(name, RULES), "utf8"))),
    ),
  ).filter(({ by }) => by === "module");
  const { exports: module, text } = await buildProbe<RulesProbe>("rules");
  assert.equal(module.ruleCount(), rules.length);
  assert.ok(rules.length > 0);
  rules.forEach((rule, index) => {
    const { code } = rule;
    assert.equal(module.ruleIndex(code), index);
    assert.equal(module.ruleCode(index), code);
    assert.equal(text(module.ruleId(code), module.ruleIdEnd(code)), rule.id);
    assert.equal(module.ruleClass(code), CLASSES.indexOf(rule.class));
    assert.equal(
      text(module.className(module.ruleClass(code)), module.classNameEnd(module.ruleClass(code))),
      rule.class,
    );
    assert.equal(module.ruleSeverity(code), SEVERITIES.indexOf(rule.severity));
    const severity = module.ruleSeverity(code);
    assert.equal(text(module.severityName(severity), module.severityNameEnd(severity)), rule.severity);
    assert.equal(module.ruleConfidence(code), rule.confidence);
    const cwes = Array.from({ length: module.ruleCweCount(code) }, (_, at) => module.ruleCwe(code, at));
    assert.deepEqual(cwes, rule.cwe);
  });
});

test("a code that no rule has traps in a checked build", async () => {
  const { exports: module } = await buildProbe<RulesProbe>("rules");
  assert.throws(() => module.ruleIndex(1), WebAssembly.RuntimeError);
  assert.throws(() => module.ruleIndex(65_535), WebAssembly.RuntimeError);
});
