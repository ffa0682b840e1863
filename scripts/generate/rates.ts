// docs/results/rates.yaml: what `npm run calibrate -- --write` measured on a corpus that need not be here. Counts only.

import { z } from "zod";
import { readSource, type Source } from "./source.ts";

const count = z.coerce.number().int().min(0);

const ratesSchema = z.strictObject({
  date: z.string().regex(/^\d{4}-\d\d-\d\d$/, "must be a day like 2026-11-21"),
  /** Requests of the corpus: attacks that are labelled clear, and benign ones. */
  corpus: z.strictObject({ attacks: count, ordinary: count, hard: count, sources: count }),
  /** Of each class: its attacks, how many `balanced` refuses, and benign requests that it refuses for the class. */
  classes: z.record(z.string(), z.strictObject({ attacks: count, refused: count, ordinary: count, hard: count })),
  /** Of each rule: requests with a finding of 20 and more. */
  rules: z.record(z.string(), z.strictObject({ own: count, others: count, ordinary: count, hard: count })),
});
export type Rates = z.infer<typeof ratesSchema>;

/** Reads the file; throws RulesError. */
export function readRates(file: string, content: string): Source<Rates> {
  return readSource(file, content, ratesSchema);
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)}%`;

/** The line of a class on the page of rules. */
export function classRate({ corpus, classes }: Rates, name: string): string {
  const { attacks = 0, refused = 0, ordinary = 0, hard = 0 } = classes[name] ?? {};
  const found =
    attacks === 0 ? "no attacks" : `${attacks} attacks, ${percent(refused, attacks)} refused at \`balanced\``;
  const benign = `${ordinary} of ${corpus.ordinary} ordinary and ${hard} of ${corpus.hard} hard benign requests`;
  const wrong = ordinary + hard === 0 ? "no benign request" : benign;
  return `Measured: ${found}; ${wrong} refused for it.`;
}

/** What was found of a rule. */
export function ruleRate({ rules }: Rates, id: string): string {
  const of = rules[id];
  if (of === undefined) return "nothing in the corpus has it.";
  const attacks = `findings in ${of.own} attacks of the class and ${of.others} of others`;
  return `${attacks}; listed in ${of.ordinary} ordinary and ${of.hard} hard benign requests.`;
}
