/** The attacks of the corpus under each transformation and pair that keeps their meaning, and whether they are still found. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseRecord } from "../../scripts/bench/record.ts";
import { readModule } from "../../scripts/package.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import type { Engine } from "../../scripts/scan/engine.ts";
import { createEngine } from "../../scripts/scan/engine.ts";
import { exchangeOf } from "../../scripts/scan/exchange-line.ts";
import type { CorpusRecord } from "../corpus/measure.ts";
import { corpusRecords } from "../corpus/measure.ts";
import type { Transformation } from "./transformations.ts";
import { CLIENTS, applyChain, chainsOf } from "./transformations.ts";

export const MISSES = join(dirname(fileURLToPath(import.meta.url)), "misses.jsonl");

/** Places whose values a service decodes as it likes. */
const PLACES: ReadonlySet<string> = new Set(["query", "body-form", "body-json", "cookie"]);

/** Benign values that are not so in another spelling, by the record and the transformation: nobody can tell them from an attack. */
const AMBIGUOUS: ReadonlySet<string> = new Set([
  // "/etc/nginx or /etc/apache2": with its blanks escaped, what is left is a path of the system behind escaped separators.
  "ok-search-260 percent",
]);

export interface Outcome {
  /** "sql-case > percent", the one that is done first first. */
  chain: string;
  tried: number;
  /** Ids of the records that went wrong. */
  wrong: string[];
}

/** FNV-1a: which part of the whole a sample takes, the same on every machine. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return (sum ^ (sum >>> 15)) >>> 0;
}

const isDenied = async (engine: Engine, record: object): Promise<boolean> => {
  const { request } = parseRecord(Buffer.from(JSON.stringify(record)));
  return (await engine.judge(exchangeOf({ request }))).verdict === "deny";
};

/** Records that stand for themselves as they are: attacks that are found, benign ones that pass. */
async function plainRecords(engine: Engine, half: "attacks" | "benign"): Promise<(CorpusRecord & { value: string })[]> {
  const good: (CorpusRecord & { value: string })[] = [];
  for (const record of corpusRecords(half)) {
    if (typeof record.value !== "string" || record.full || !PLACES.has(record.where)) continue;
    if ((await isDenied(engine, record)) === (half === "attacks")) good.push({ ...record, value: record.value });
  }
  return good;
}

async function run(
  half: "attacks" | "benign",
  chainsFor: (record: CorpusRecord) => Transformation[][],
  every: number,
): Promise<Outcome[]> {
  const engine = await createEngine(policyFrom({}), readModule());
  const outcomes = new Map<string, Outcome>();
  for (const record of await plainRecords(engine, half)) {
    for (const chain of chainsFor(record)) {
      const name = chain.map(({ id }) => id).join(" > ");
      if (hash(`${record.id} ${name}`) % every !== 0 || AMBIGUOUS.has(`${record.id} ${name}`)) continue;
      const value = applyChain(chain, record.value, record.name ?? "q");
      if (value === null) continue;
      const outcome = outcomes.get(name) ?? { chain: name, tried: 0, wrong: [] };
      outcomes.set(name, outcome);
      outcome.tried++;
      if ((await isDenied(engine, { ...record, value })) !== (half === "attacks")) outcome.wrong.push(record.id);
    }
  }
  return [...outcomes.values()];
}

/** One of `every` combinations of attack and chain; 1: all. */
export const runAttacks = (every: number): Promise<Outcome[]> => {
  const chains = new Map<string, Transformation[][]>();
  return run(
    "attacks",
    ({ class: group }) => {
      if (!chains.has(group)) chains.set(group, chainsOf(group));
      return chains.get(group)!;
    },
    every,
  );
};

export const runBenign = (every: number): Promise<Outcome[]> => run("benign", () => CLIENTS.map((one) => [one]), every);

/** The misses that are known, by chain. */
export function knownMisses(): Map<string, ReadonlySet<string>> {
  if (!existsSync(MISSES)) return new Map();
  const lines = readFileSync(MISSES, "utf8").split("\n").filter(Boolean);
  return new Map(
    lines.map((line) => {
      const { chain, missed } = JSON.parse(line) as { chain: string; missed: string[] };
      return [chain, new Set(missed)];
    }),
  );
}

export function totals(outcomes: readonly Outcome[]): { tried: number; wrong: number } {
  return outcomes.reduce((sum, { tried, wrong }) => ({ tried: sum.tried + tried, wrong: sum.wrong + wrong.length }), {
    tried: 0,
    wrong: 0,
  });
}
