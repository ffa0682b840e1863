// The patterns of one rule file → one table, through all stages. Symbols are End (0), the kinds (1…n) and one more that stands
// for every code the alphabet does not have: it leads nowhere.

import { arrange, type Table } from "./arrange.ts";
import { classify } from "./classes.ts";
import { determinize } from "./determinize.ts";
import { joinLanes } from "./lanes.ts";
import { MAX_TABLE_BYTES } from "./limits.ts";
import { minimize } from "./minimize.ts";
import { buildNfa } from "./nfa.ts";
import { parsePattern, type Names, type Pattern } from "./pattern.ts";
import { RulesError, type Problem } from "./problem.ts";
import type { RuleFile } from "./rule-file.ts";
import type { Source } from "./source.ts";
import { layOut } from "./table.ts";

export interface Automaton {
  /** The table as the runner reads it; layout in assembly/match/dfa.ts. */
  bytes: Uint8Array;
  lanes: readonly Table[];
  patterns: number;
}

/** A pattern and its rule's rank, 1 for the surest. */
interface Ranked {
  pattern: Pattern;
  label: number;
}

/** The automaton of a file, or undefined where none of its rules has patterns. Throws a RulesError. */
export function compileAutomaton(source: Source<RuleFile>): Automaton | undefined {
  const { file, data, lineOf } = source;
  const problems: Problem[] = [];
  const names = namesOf(source);
  // The surest rule has rank 1, so that it wins where several match; among equals the older code.
  const rules = data.rules
    .filter((rule) => rule.patterns)
    .sort((a, b) => b.confidence - a.confidence || a.code - b.code);
  const ranked = rules.map((rule, rank) => {
    const place = ["rules", data.rules.indexOf(rule), "patterns"] as const;
    return (rule.patterns ?? []).flatMap((text, index): Ranked[] => {
      try {
        const pattern = parsePattern(text, names);
        if (matchesNothing(pattern)) throw new Error("matches a value without tokens");
        return [{ pattern, label: rank + 1 }];
      } catch (error) {
        const message = `pattern "${text}": ${(error as Error).message}`;
        problems.push({ file, line: lineOf([...place, index]), message });
        return [];
      }
    });
  });
  if (problems.length > 0) throw new RulesError(problems);
  if (ranked.length === 0) return undefined;
  const symbols = (data.alphabet?.kinds.length ?? 0) + 2;
  const codes = rules.map((rule) => rule.code);
  try {
    const lanes = compileRules(ranked, symbols);
    const bytes = layOut(lanes, codes);
    if (bytes.length > MAX_TABLE_BYTES) {
      throw new RangeError(`the patterns need ${bytes.length} bytes, at most ${MAX_TABLE_BYTES}`);
    }
    return { bytes, lanes, patterns: ranked.flat().length };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RulesError([{ file, line: lineOf(["rules"]), message: error.message }]);
  }
}

/**
 * The lanes of some rules' patterns, over an alphabet of `symbols`. Throws a RangeError where they grow too big. Each pattern is joined
 * by itself: those of one rule are seldom alike, and together they would be most of a lane before the joining begins.
 */
export function compileRules(rules: readonly (readonly Ranked[])[], symbols: number, fairBytes?: number): Table[] {
  const automata = rules.flat().map((pattern) => minimize(determinize(buildNfa([pattern]), symbols)));
  return joinLanes(automata, fairBytes).map((dfa) => arrange(classify(dfa)));
}

/** What the names mean that a pattern of this file may use. Throws a RulesError where a fragment cannot be read. */
function namesOf({ file, data, lineOf }: Source<RuleFile>): Names {
  const symbols = new Map<string, readonly number[]>([["End", [0]]]);
  data.alphabet?.kinds.forEach((kind, index) => symbols.set(kind, [index + 1]));
  for (const [set, members] of Object.entries(data.sets)) {
    symbols.set(set, [...new Set(members.flatMap((member) => symbols.get(member) ?? []))]);
  }
  const names = new Map<string, Pattern>();
  for (const [name, list] of symbols) names.set(name, { kind: "symbols", symbols: list });
  for (const [name, text] of Object.entries(data.fragments)) {
    try {
      names.set(name, parsePattern(text, names));
    } catch (error) {
      const message = `fragment "${text}": ${(error as Error).message}`;
      throw new RulesError([{ file, line: lineOf(["fragments", name]), message }]);
    }
  }
  return names;
}

/** Whether a pattern matches the empty sequence: such a rule would find an attack in every value. */
function matchesNothing(pattern: Pattern): boolean {
  switch (pattern.kind) {
    case "symbols":
      return false;
    case "sequence":
      return pattern.items.every(matchesNothing);
    case "choice":
      return pattern.items.some(matchesNothing);
    case "repeat":
      return pattern.min === 0 || matchesNothing(pattern.item);
  }
}
