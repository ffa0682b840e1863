/** The committed corpus, judged in block mode by the release module: what was refused, and which records went wrong. */
import { createReadStream, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { newTally, tallyFile } from "../../scripts/bench/quality.ts";
import type { Tally } from "../../scripts/bench/quality.ts";
import { readModule } from "../../scripts/package.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { createEngine } from "../../scripts/scan/engine.ts";

const folder = dirname(fileURLToPath(import.meta.url));
const CEILING = join(folder, "ceiling.yaml");

/** Of each kind how many benign records are refused, of each class which attacks pass. */
const ceilingSchema = z.strictObject({
  refused: z.record(z.string(), z.int().min(0)),
  missed: z.record(z.string(), z.array(z.string())),
});
export type Ceiling = z.output<typeof ceilingSchema>;

export interface CorpusRecord {
  id: string;
  class: string;
  where: string;
  name?: string;
  value: unknown;
  sub?: string;
  full?: boolean;
}

/** The files of one half, by name. */
export function corpusFiles(half: "attacks" | "benign"): string[] {
  return readdirSync(join(folder, half))
    .filter((file) => file.endsWith(".jsonl"))
    .sort()
    .map((file) => join(folder, half, file));
}

export function corpusRecords(half: "attacks" | "benign"): CorpusRecord[] {
  return corpusFiles(half).flatMap((file) =>
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as CorpusRecord),
  );
}

export interface Measured {
  tally: Tally;
  /** Benign records that were refused, by kind. */
  refused: Map<string, string[]>;
  /** Attacks that passed, by class. */
  missed: Map<string, string[]>;
}

export async function measureCorpus(): Promise<Measured> {
  const engine = await createEngine(policyFrom({}), readModule());
  const tally = newTally();
  const [refused, missed] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const file of [...corpusFiles("attacks"), ...corpusFiles("benign")]) {
    await tallyFile(createReadStream(file), file, engine, tally, (record) => {
      const { id, class: group, label, sub } = record as CorpusRecord & { label: string };
      const [groups, name] = label === "attack" ? [missed, group] : [refused, sub!];
      groups.set(name, [...(groups.get(name) ?? []), id]);
    });
  }
  return { tally, refused, missed };
}

export const readCeiling = (): Ceiling => ceilingSchema.parse(parse(readFileSync(CEILING, "utf8")));

export const ceilingPath = (): string => CEILING;

export function ceilingText({ tally, refused, missed }: Measured): string {
  const ceiling: Ceiling = {
    refused: Object.fromEntries([...tally.kinds.keys()].sort().map((kind) => [kind, refused.get(kind)?.length ?? 0])),
    missed: Object.fromEntries([...tally.classes.keys()].sort().map((name) => [name, missed.get(name) ?? []])),
  };
  return `# What the engine gets wrong on tests/corpus: benign records refused by kind, attacks missed by class. It only goes down.\n# Written by \`npm run corpus\`.\n${stringify(ceiling, { lineWidth: 120, flowCollectionPadding: false })}`;
}
