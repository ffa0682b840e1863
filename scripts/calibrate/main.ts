/**
 * Compares the confidence of each rule with what part of its findings are attacks, on labelled records (the form of `meshward bench
 * quality`).
 *
 *     npm run calibrate -- [--write] PATH…          files of JSON Lines, or folders of .jsonl files
 *
 * With --write the counts are kept in docs/results/rates.yaml, from which `npm run generate` tells them in docs/rules.md.
 */
import { createReadStream, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { readArguments, refuseArguments } from "../arguments.ts";
import { corpusFiles } from "../bench/corpus-files.ts";
import { HARD_KINDS, judgeRecords } from "../bench/quality.ts";
import { readRuleFile } from "../generate/rule-file.ts";
import { packageRoot, readModule } from "../package.ts";
import { policyFrom } from "../policy/load.ts";
import { createEngine } from "../scan/engine.ts";
import { add, newTally, ratesOf, type KnownRule, type Tally } from "./tally.ts";
import { calibrationText } from "./text.ts";

const RATES = "docs/results/rates.yaml";
const HEAD = "# Counts on a labelled corpus: made by `npm run calibrate -- --write`, told in docs/rules.md.\n";

const USAGE = "npm run calibrate -- [--write] PATH…";
const { values, positionals } = readArguments(USAGE, {
  options: { write: { type: "boolean" } },
  allowPositionals: true,
});
if (positionals.length === 0) refuseArguments(USAGE, "there is no PATH");
const rules = knownRules();
const tally = await tallyOf(positionals.flatMap(corpusFiles), rules);
console.log(calibrationText(tally, rules));
if (values.write) {
  const rates = ratesOf(tally, rules, new Date().toISOString().slice(0, 10));
  writeFileSync(join(packageRoot(), RATES), HEAD + stringify(rates, { flowCollectionPadding: true }));
}

function knownRules(): KnownRule[] {
  const folder = join(packageRoot(), "rules");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml") && name !== "kinds.yaml")
    .flatMap((name) => readRuleFile(name, readFileSync(join(folder, name), "utf8")).data.rules)
    .sort((left, right) => left.code - right.code);
}

async function tallyOf(files: readonly string[], known: readonly KnownRule[]): Promise<Tally> {
  const engine = await createEngine(policyFrom({}), readModule());
  const byId = new Map(known.map((rule) => [rule.id, rule]));
  const counts = newTally();
  for (const file of files) {
    await judgeRecords(createReadStream(file), file, engine, ({ isAttack, group, source }, { verdict, findings }) => {
      const attack = isAttack ? group : null;
      add(counts, byId, { attack, hard: HARD_KINDS.includes(group), source, refused: verdict === "deny", findings });
    });
  }
  return counts;
}
