// What others look for, against the rules that say that they stand for it.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkOthers, OTHERS, readOthers, standsFor } from "../../scripts/generate/others.ts";
import { RulesError } from "../../scripts/generate/problem.ts";
import { readRuleFile, type Rule } from "../../scripts/generate/rule-file.ts";

const RULES = fileURLToPath(new URL("../../rules/", import.meta.url));
const FILE = "rules/compared/others.yaml";

const names = (await readdir(RULES)).filter((name) => name.endsWith(".yaml") && name !== "kinds.yaml");
const rules = (
  await Promise.all(names.map(async (name) => readRuleFile(name, await readFile(join(RULES, name), "utf8")).data.rules))
).flat();

/** Rules of which nothing matters but what they stand for. */
const ruleOf = (id: string, zap: number[], crs: number[] = []): Rule => ({ ...rules[0]!, id, zap, crs });

const CONTENT = `
zap:
  - { id: 1, name: One }
  - { id: 2, name: Two, gap: Not seen. }
crs:
  - { id: 950, name: Leaks, less: Some. }
`;

test("each of theirs is there once, and is either what rules stand for or a gap with its reason", async () => {
  const source = readOthers(FILE, await readFile(join(RULES, "compared/others.yaml"), "utf8"));
  checkOthers(source, rules);
  const ids = new Set(rules.map(({ id }) => id));
  for (const other of OTHERS) {
    const all = source.data[other].map(({ id }) => id);
    assert.equal(new Set(all).size, all.length);
    for (const { id, gap } of source.data[other]) {
      const ours = standsFor(rules, other, id);
      assert.equal(ours.length > 0, gap === undefined, `${other} ${id}`);
      for (const rule of ours) assert.ok(ids.has(rule));
    }
  }
  assert.ok(source.data.zap.length > 60);
  assert.deepEqual(
    source.data.crs.map(({ id }) => id),
    [950, 951, 952, 953, 954, 955, 956, 959],
  );
});

test("the page links each rule that stands for another, and names each gap", async () => {
  const page = await readFile(join(RULES, "../docs/rules.md"), "utf8");
  const { data } = readOthers(FILE, await readFile(join(RULES, "compared/others.yaml"), "utf8"));
  const section = page.slice(page.indexOf("\n## What others look for"));
  for (const { id } of data.zap) {
    const row = section
      .split("\n")
      .find((line) => line.startsWith(`| [${id}](https://www.zaproxy.org/docs/alerts/${id}/)`));
    assert.ok(row !== undefined, String(id));
    for (const rule of standsFor(rules, "zap", id)) {
      assert.ok(row.includes(`[${rule}](#${rule})`), row);
      assert.ok(page.includes(`\n### ${rule}\n`), rule);
    }
  }
});

test("what does not fit together is said", () => {
  const source = readOthers(FILE, CONTENT);
  const fits = [ruleOf("a-b", [1], [950])];
  checkOthers(source, fits);
  const problem = (found: Rule[]): string => {
    try {
      checkOthers(source, found);
    } catch (error) {
      assert.ok(error instanceof RulesError);
      return error.problems.map(({ message }) => message).join("; ");
    }
    return "";
  };
  assert.equal(problem([ruleOf("a-b", [1])]), "no rule stands for crs 950");
  assert.equal(problem([...fits, ruleOf("a-c", [2])]), "zap 2 is a gap, and a-c stands for it");
  assert.equal(problem([...fits, ruleOf("a-c", [3])]), "a-c stands for zap 3, which is not here");
  assert.equal(problem([ruleOf("a-b", [1, 1], [950])]), "a-b names one of zap twice");
  assert.throws(() => readOthers(FILE, CONTENT.replace("id: 2", "id: 1")), /zap\.1\.id: 1 is there already/);
  assert.throws(() => readOthers(FILE, CONTENT.replace("less: Some.", "less: Some., gap: All.")), /950 is a gap/);
  assert.throws(() => readOthers(FILE, "zap: []"), /crs: is missing/);
});
