/**
 * The evasion suite, all of it: every attack of tests/corpus that is found as it stands, under every transformation and pair.
 *
 *     npm run evasion -- [--every N] [--write]
 *
 * `--every N` takes one of N combinations. `--write` lists the misses in tests/evasion/misses.jsonl. Exit code 1 where less than 99% are found, or a benign value is refused.
 */
import { writeFileSync } from "node:fs";
import { positiveOption, readArguments } from "../../scripts/arguments.ts";
import { commitText, machineText } from "../../scripts/bench/machine.ts";
import { MISSES, runAttacks, runBenign, totals } from "./suite.ts";
import type { Outcome } from "./suite.ts";

const USAGE = "npm run evasion -- [--every N] [--write]";
const { values } = readArguments(USAGE, {
  options: { write: { type: "boolean", default: false }, every: { type: "string", default: "1" } },
});
const every = positiveOption(USAGE, "every", values.every);
const began = Date.now();
const [attacks, benign] = [await runAttacks(every), await runBenign(every)];
const rate = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(2)}%`;
const line = (name: string, list: readonly Outcome[]): string => {
  const { tried, wrong } = totals(list);
  return `${name.padEnd(30)}${String(tried).padStart(8)}${String(wrong).padStart(7)}  ${rate(tried - wrong, tried)}`;
};
const singles = attacks.filter(({ chain }) => !chain.includes(" > "));
const ids = singles.map(({ chain }) => chain);
console.log(`${"attacks".padEnd(30)}${"tried".padStart(8)}${"missed".padStart(7)}  found`);
for (const id of ids)
  console.log(
    line(
      id,
      singles.filter(({ chain }) => chain === id),
    ),
  );
console.log(line("each alone", singles));
console.log(
  line(
    "pairs",
    attacks.filter(({ chain }) => chain.includes(" > ")),
  ),
);
const all = totals(attacks);
console.log(line("all", attacks));
for (const outcome of benign) console.log(line(`benign, ${outcome.chain}`, [outcome]));
const refused = benign.flatMap(({ chain, wrong }) => wrong.map((id) => `${chain} ${id}`));
for (const one of refused) console.log(`refused: ${one}`);
const classes = new Map<string, number>();
for (const id of attacks.flatMap(({ wrong }) => wrong)) {
  const name = id.replace(/-\d+$/, "");
  classes.set(name, (classes.get(name) ?? 0) + 1);
}
console.log(`missed by class: ${[...classes].map(([name, count]) => `${name} ${count}`).join(", ") || "none"}`);
const worst = attacks
  .filter(({ wrong }) => wrong.length > 0)
  .sort((left, right) => right.wrong.length - left.wrong.length);
for (const { chain, tried, wrong } of worst.slice(0, 20)) console.log(`  ${chain}: ${wrong.length} of ${tried}`);
console.log(
  `${Math.round((Date.now() - began) / 1000)} s, commit ${(await commitText()) ?? "unknown"}, ${machineText()}`,
);
if (values.write) {
  const named = benign.map((outcome) => ({ ...outcome, chain: `benign, ${outcome.chain}` }));
  const wrongs = [...attacks, ...named].filter(({ wrong }) => wrong.length > 0);
  wrongs.sort((left, right) => (left.chain < right.chain ? -1 : 1));
  writeFileSync(MISSES, wrongs.map(({ chain, wrong }) => `${JSON.stringify({ chain, missed: wrong })}\n`).join(""));
}
process.exitCode = all.wrong > all.tried / 100 || refused.length > 0 ? 1 : 0;
