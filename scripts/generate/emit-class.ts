// Stage 7: the tables of one rule file → assembly/generated/CLASS.ts.

import type { Table } from "./arrange.ts";
import type { Automaton } from "./automaton.ts";
import { emitData, emitEnum, heading, screamingCase, thousands } from "./emit.ts";
import { buildKeywords, type Keywords } from "./keywords.ts";
import { MAX_ID, MAX_TABLE_BYTES } from "./limits.ts";
import { RulesError } from "./problem.ts";
import type { RuleFile } from "./rule-file.ts";
import type { Source } from "./source.ts";

const SYMBOLS = 256;

/** The text of the generated file, or undefined where the rule file asks for no table. Throws a RulesError. */
export function emitClass(source: Source<RuleFile>, automaton: Automaton | undefined): string | undefined {
  const { file, name, data, lineOf } = source;
  const facts: string[] = [];
  const parts: string[] = [];
  const keywordTable = (words: Record<string, string[]>, kinds: readonly string[], path: string): Keywords => {
    try {
      return buildKeywords(
        new Map(Object.entries(words).flatMap(([kind, list]) => list.map((word) => [word, kinds.indexOf(kind) + 1]))),
      );
    } catch (error) {
      throw new RulesError([{ file, line: lineOf([path]), message: (error as Error).message }]);
    }
  };
  const addKeywords = (constant: string, { words, bytes }: Keywords): void => {
    facts.push(`${constant}: ${words} words, ${thousands(bytes.length)} bytes.`);
    parts.push(emitData(constant, "u8", bytes, "Layout: match/keywords.ts."));
  };

  if (data.alphabet) {
    const members = ["End", ...data.alphabet.kinds].map((kind, value) => [kind, value] as const);
    parts.push(emitEnum(data.alphabet.enum, members));
  }
  if (automaton) {
    const constant = `${screamingCase(name)}_TABLE`;
    const numbers = layOut(automaton);
    const states = automaton.cells.length / automaton.stride;
    const bytes = numbers.length * 2;
    if (automaton.cells.length > MAX_ID || bytes > MAX_TABLE_BYTES) {
      const message = `the patterns need ${states} states of ${automaton.stride} classes, ${bytes} bytes: more than ${MAX_TABLE_BYTES}`;
      throw new RulesError([{ file, line: lineOf(["rules"]), message }]);
    }
    facts.push(
      `${constant}: ${automaton.patterns} patterns, ${thousands(states)} states (${automaton.labels.length} accepting), ` +
        `${automaton.stride} classes, stride ${automaton.stride}, ${thousands(bytes)} bytes.`,
    );
    parts.push(emitData(constant, "u16", numbers, "Layout: match/dfa.ts."));
  }
  if (data.keywords && data.alphabet) {
    addKeywords(`${screamingCase(name)}_KEYWORDS`, keywordTable(data.keywords, data.alphabet.kinds, "keywords"));
  }
  for (const lookup of data.lookups) {
    const kinds = Object.keys(lookup.words);
    parts.push(
      emitEnum(
        lookup.enum,
        ["None", ...kinds].map((kind, value) => [kind, value] as const),
      ),
    );
    addKeywords(screamingCase(lookup.enum), keywordTable(lookup.words, kinds, "lookups"));
  }
  return parts.length === 0 ? undefined : [heading(file, facts), ...parts].join("\n");
}

/** The table as the runner reads it. */
export function layOut(automaton: Table): number[] {
  // The last symbol stands for every code that the alphabet lacks.
  const other = automaton.classes.at(-1) ?? 0;
  const classes = Array.from({ length: SYMBOLS }, (_, symbol) => automaton.classes[symbol] ?? other);
  const header = [automaton.start, automaton.accept, automaton.stride, automaton.cells.length];
  return [...header, ...classes, ...automaton.cells, ...automaton.labels];
}
