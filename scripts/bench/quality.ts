/**
 * Detection measured on labelled records: how many attacks of each class block mode would refuse, and how many benign
 * requests of each kind. Holds counts only, whatever the corpus's size.
 */
import type { Engine } from "../scan/engine.ts";
import { BadLine, exchangeOf, oneLine } from "../scan/exchange-line.ts";
import { LINE_TOO_LONG, lineBatches } from "../scan/lines.ts";
import type { Judgement } from "../scan/verdict.ts";
import { type CorpusRecord, parseRecord } from "./record.ts";

/** Kinds of benign text that is written in the languages of the attacks, or about them: measured apart. */
export const HARD_KINDS: readonly string[] = [
  "code",
  "crs-fp-regression",
  "html-technical",
  "markdown-doc",
  "naughty",
  "prose-md",
  "query-lang",
  "sqlish-text",
  "tricky-text",
];

/** Records of one class or kind, and how many of them were refused. */
interface Count {
  records: number;
  denied: number;
}

export interface Tally {
  classes: Map<string, Count>;
  kinds: Map<string, Count>;
}

/** The document of `--json`; rates are percentages. */
export interface Quality {
  micro_tpr: number;
  macro_tpr: number;
  fpr_ordinary: number;
  fpr_hard: number;
  classes: Record<string, number>;
  kinds: Record<string, number>;
  /** Records behind each rate. */
  counts: {
    attacks: number;
    ordinary: number;
    hard: number;
    classes: Record<string, number>;
    kinds: Record<string, number>;
  };
}

export const newTally = (): Tally => ({ classes: new Map(), kinds: new Map() });

function add(counts: Map<string, Count>, group: string, isDenied: boolean): void {
  const count = counts.get(group) ?? { records: 0, denied: 0 };
  count.records++;
  if (isDenied) count.denied++;
  counts.set(group, count);
}

/**
 * Judges every record of a file that counts and tells `told` of it; `name` is the file's in errors. Throws at a line that is
 * no record.
 */
export async function judgeRecords(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  engine: Engine,
  told: (record: CorpusRecord, judgement: Judgement) => void,
): Promise<void> {
  for await (const lines of lineBatches(chunks)) {
    for (const { number, bytes } of lines) {
      try {
        if (bytes === null) throw new BadLine(LINE_TOO_LONG);
        if (bytes.toString("latin1").trim() === "") continue;
        const record = parseRecord(bytes);
        if (record.counts) told(record, await engine.judge(exchangeOf({ request: record.request })));
      } catch (error) {
        throw new BadLine(`${name}:${number}: ${oneLine((error as Error).message)}`);
      }
    }
  }
}

/**
 * Judges every record of a file and adds it to `tally`; `missed` is told of each attack that passed and each benign request
 * that was refused.
 */
export async function tallyFile(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  engine: Engine,
  tally: Tally,
  missed: (record: object, judgement: Judgement) => void,
): Promise<void> {
  await judgeRecords(chunks, name, engine, ({ isAttack, group, value }, judgement) => {
    const isDenied = judgement.verdict === "deny";
    add(isAttack ? tally.classes : tally.kinds, group, isDenied);
    if (isDenied !== isAttack) missed(value, judgement);
  });
}

function sum(counts: Iterable<Count>): Count {
  const total = { records: 0, denied: 0 };
  for (const { records, denied } of counts) {
    total.records += records;
    total.denied += denied;
  }
  return total;
}

const percent = ({ records, denied }: Count): number =>
  records === 0 ? 0 : Math.round((1_000_000 * denied) / records) / 10_000;

/** The groups of `counts`, the largest first. */
const largestFirst = (counts: Map<string, Count>): [string, Count][] =>
  [...counts].sort(([, left], [, right]) => right.records - left.records);

export function qualityOf({ classes, kinds }: Tally): Quality {
  const attacks = sum(classes.values());
  const isHard = ([kind]: [string, Count]): boolean => HARD_KINDS.includes(kind);
  const hard = sum([...kinds].filter(isHard).map(([, count]) => count));
  const ordinary = sum([...kinds].filter((entry) => !isHard(entry)).map(([, count]) => count));
  const each = (counts: Map<string, Count>, of: (count: Count) => number): Record<string, number> =>
    Object.fromEntries(largestFirst(counts).map(([group, count]) => [group, of(count)]));
  const rates = [...classes.values()].map(({ records, denied }) => (100 * denied) / records);
  const mean = rates.reduce((total, rate) => total + rate, 0) / Math.max(1, rates.length);
  return {
    micro_tpr: percent(attacks),
    macro_tpr: Math.round(mean * 10_000) / 10_000,
    fpr_ordinary: percent(ordinary),
    fpr_hard: percent(hard),
    classes: each(classes, percent),
    kinds: each(kinds, percent),
    counts: {
      attacks: attacks.records,
      ordinary: ordinary.records,
      hard: hard.records,
      classes: each(classes, ({ records }) => records),
      kinds: each(kinds, ({ records }) => records),
    },
  };
}

/** The figures as a table. */
export function qualityText(quality: Quality): string {
  const row = (name: string, records: number, rate: string): string =>
    `${name.padEnd(28)}${String(records).padStart(8)}${rate.padStart(9)}`;
  const { counts } = quality;
  const classes = Object.entries(quality.classes).map(([name, rate]) =>
    row(name, counts.classes[name]!, rate.toFixed(1)),
  );
  const kinds = Object.entries(quality.kinds).map(([name, rate]) =>
    row(`${name}${HARD_KINDS.includes(name) ? " (hard)" : ""}`, counts.kinds[name]!, rate.toFixed(2)),
  );
  return [
    `${"attacks refused".padEnd(28)}${"records".padStart(8)}${"%".padStart(9)}`,
    ...classes,
    row("all (micro)", counts.attacks, quality.micro_tpr.toFixed(1)),
    row("mean of classes (macro)", Object.keys(quality.classes).length, quality.macro_tpr.toFixed(1)),
    "",
    `${"benign requests refused".padEnd(28)}${"records".padStart(8)}${"%".padStart(9)}`,
    ...kinds,
    row("ordinary", counts.ordinary, quality.fpr_ordinary.toFixed(2)),
    row("hard", counts.hard, quality.fpr_hard.toFixed(2)),
  ].join("\n");
}
