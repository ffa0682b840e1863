// Makes what is made from rules/: tables for the module, the list of rules for the tool, and docs/rules.md. The only file of this
// folder that reads or writes. Nothing is written where any file is wrong.
//
//   main.ts               everything
//   main.ts --only sqli   one class's tables, and what is made from the rules of all files that can be read
//   main.ts --root DIR    of another folder than this package's

import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { format } from "prettier";
import { compileAutomaton } from "./automaton.ts";
import { emitByteKinds, readByteKinds } from "./byte-kinds.ts";
import { emitClass } from "./emit-class.ts";
import { emitPhrases } from "./emit-phrases.ts";
import { emitRuleList } from "./emit-rule-list.ts";
import { emitRuleTexts } from "./emit-rule-texts.ts";
import { emitRules } from "./emit-rules.ts";
import { emitTokens } from "./emit-tokens.ts";
import { emitVersion } from "./emit-version.ts";
import { checkOthers, readOthers, type Others } from "./others.ts";
import { RulesError } from "./problem.ts";
import { readRuleFile, type RuleFile } from "./rule-file.ts";
import { readRates } from "./rates.ts";
import { joinRules } from "./rule-set.ts";
import { rulesPage } from "./rules-page.ts";
import type { Source } from "./source.ts";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const KINDS = "kinds.yaml";
/** Of `npm run calibrate`; there need not be any. */
const RATES = "docs/results/rates.yaml";
/** What others look for; need not be there. */
const OTHERS = "rules/compared/others.yaml";
/** Problems shown at once. */
const SHOWN = 20;

const { only, root } = parseArgs({
  options: { only: { type: "string" }, root: { type: "string", default: PACKAGE } },
}).values;
try {
  await generate(root, only);
} catch (error) {
  if (!(error instanceof RulesError)) throw error;
  const lines = error.message.split("\n");
  console.error(lines.slice(0, SHOWN).join("\n"));
  if (lines.length > SHOWN) console.error(`and ${lines.length - SHOWN} more`);
  process.exitCode = 1;
}

async function generate(root: string, only: string | undefined): Promise<void> {
  const names = (await readdir(join(root, "rules"))).filter((name) => name.endsWith(".yaml")).sort();
  if (only !== undefined && !names.includes(`${only}.yaml`)) throw new Error(`there is no rules/${only}.yaml`);
  const outputs = new Map<string, string>();
  const sources: Source<RuleFile>[] = [];
  const problems: RulesError[] = [];
  const wanted: Source<RuleFile>[] = [];
  const attempt = (file: string, isWanted: boolean, make: () => void): void => {
    try {
      make();
    } catch (error) {
      if (!(error instanceof RulesError)) throw error;
      if (isWanted) problems.push(error);
      else console.error(`left out for ${error.problems.length} problems: ${error.message.split("\n")[0] ?? file}`);
    }
  };
  const stopAtProblems = (): void => {
    if (problems.length > 0) throw new RulesError(problems.flatMap((error) => error.problems));
  };
  for (const name of names) {
    const file = `rules/${name}`;
    const isWanted = only === undefined || name === `${only}.yaml`;
    const content = await readFile(join(root, file), "utf8");
    attempt(file, isWanted, () => {
      if (name !== KINDS) {
        const source = readRuleFile(file, content);
        sources.push(source);
        if (isWanted) wanted.push(source);
      } else if (isWanted) outputs.set("assembly/generated/kinds.ts", emitByteKinds(readByteKinds(file, content)));
    });
  }
  // Joining automata takes seconds: only where all files can be read.
  stopAtProblems();
  for (const source of wanted) {
    attempt(source.file, true, () => {
      const tables = emitClass(source, compileAutomaton(source));
      if (tables !== undefined) outputs.set(`assembly/generated/${source.name}.ts`, tables);
    });
  }
  stopAtProblems();
  const rules = joinRules(sources);
  const measured = await readFile(join(root, RATES), "utf8").catch(() => null);
  const rates = measured === null ? null : readRates(RATES, measured).data;
  const compared = await readFile(join(root, OTHERS), "utf8").catch(() => null);
  let others: Others | null = null;
  if (compared !== null) {
    const source = readOthers(OTHERS, compared);
    // Of some rules alone nobody knows what is missing.
    if (only === undefined) checkOthers(source, rules);
    others = source.data;
  }
  const own = rules.filter(({ by }) => by === "module");
  if (rules.length > 0) {
    outputs.set("assembly/generated/rules.ts", emitRules(own));
    outputs.set("scripts/policy/rules.generated.ts", emitRuleList(own));
    outputs.set("scripts/policy/rule-texts.generated.ts", emitRuleTexts(rules));
    outputs.set(
      "docs/rules.md",
      await format(rulesPage(rules, rates, others), { parser: "markdown", printWidth: 120 }),
    );
  }
  if (only === undefined) {
    outputs.set("assembly/generated/phrases.ts", emitPhrases(own));
    outputs.set("assembly/generated/tokens.ts", emitTokens(sources));
    outputs.set("assembly/generated/version.ts", emitVersion(await readFile(join(root, "package.json"), "utf8")));
  }
  for (const [file, text] of outputs) await replace(join(root, file), text);
}

/** Writes a file so that a reader sees the old one or the new one, and not at all where nothing changed. */
async function replace(file: string, text: string): Promise<void> {
  const old = await readFile(file, "utf8").catch(() => undefined);
  if (old === text) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, text);
  await rename(`${file}.${process.pid}`, file);
}
