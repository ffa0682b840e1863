/** Every rule that the collector finds carries an attack and a look-alike: the one must be found by that rule, the other by none. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { accessFlaws } from "../../collector/access.ts";
import { dependencyFlaws } from "../../collector/dependencies/checks.ts";
import { createLibraries } from "../../collector/dependencies/libraries.ts";
import { driftFlaws } from "../../collector/drift.ts";
import type { Check, Flaw } from "../../collector/judge.ts";
import { readRuleFile } from "../../scripts/generate/rule-file.ts";
import { createOwnership } from "../../collector/ownership.ts";
import { exchangesOf, isOfExchanges } from "./exchanges.ts";
import { documentOf, inventoryIn } from "./examples.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const CHECKS: readonly Check[] = [accessFlaws, dependencyFlaws(createLibraries())];
const RULES = new URL("../../rules/", import.meta.url);

function flaws(example: string): Pick<Flaw, "rule" | "confidence">[] {
  if (isOfExchanges(example)) {
    const ownership = createOwnership();
    ownership.add(exchangesOf(example, NOW), NOW);
    return ownership.judge(NOW + 60_000);
  }
  const document = documentOf(example);
  const documents = new Map(document === null ? [] : [["cart", document]]);
  return [...CHECKS, driftFlaws(documents)].flatMap((check) => check(inventoryIn(example), NOW));
}

const files = readdirSync(RULES).filter((name) => name.endsWith(".yaml") && name !== "kinds.yaml");
const rules = files
  .flatMap((name) => readRuleFile(`rules/${name}`, readFileSync(new URL(name, RULES), "utf8")).data.rules)
  .filter((rule) => rule.by === "collector");

for (const { id, confidence, attack, lookalike } of rules) {
  test(id, () => {
    assert.ok(typeof attack === "string" && typeof lookalike === "string");
    const found = flaws(attack);
    assert.deepEqual([...new Set(found.map(({ rule }) => rule))], [id]);
    assert.ok(found.some((flaw) => flaw.confidence >= confidence));
    assert.deepEqual(flaws(lookalike), []);
  });
}
