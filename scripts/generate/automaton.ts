// The patterns of one rule file → one table, through all stages. Symbols are End (0), the kinds (1…n) and one more that stands
// for every code the alphabet does not have: it leads nowhere.

import { arrange, type Table } from "./arrange.ts";
import { classify } from "./classes.ts";
import { determinize } from "./determinize.ts";
import { minimize } from "./minimize.ts";
import { buildNfa } from "./nfa.ts";
import { parsePattern, type Names, type Pattern } from "./pattern.ts";
import { RulesError, type Problem } from "./problem.ts";
import type { RuleFile } from "./rule-file.ts";
import type { Source } from "./source.ts";

/** A table whose labels are rule codes. */
export type Automaton = Table & { patterns: number };

/** The automaton of a file, or undefined where none of its rules has patterns. Throws a RulesError. */
export function compileAutomaton(source: Source<RuleFile>): Automaton | undefined {
  const { file, data, lineOf } = source;
  const problems: Problem[] = [];
  const names = namesOf(source);
  // The surest rule has the smallest label, so that it wins where several match; among equals the older code.
  const ranked = data.rules
    .filter((rule) => rule.patterns)
    .sort((a, b) => b.confidence - a.confidence || a.code - b.code);
  const patterns = ranked.flatMap((rule, rank) => {
    const place = ["rules", data.rules.indexOf(rule), "patterns"] as const;
    return (rule.patterns ?? []).flatMap((text, index) => {
      const line = lineOf([...place, index]);
      try {
        const pattern = parsePattern(text, names);
        if (matchesNothing(pattern)) throw new Error("matches a value without tokens");
        return { pattern, label: rank + 1 };
      } catch (error) {
        problems.push({ file, line, message: `pattern "${text}": ${(error as Error).message}` });
        return [];
      }
    });
  });
  if (problems.length > 0) throw new RulesError(problems);
  if (patterns.length === 0) return undefined;
  const symbols = (data.alphabet?.kinds.length ?? 0) + 2;
  try {
    const table = arrange(classify(minimize(determinize(buildNfa(patterns), symbols))));
    ranked.forEach((rule, rank) => {
      if (table.labels.includes(rank + 1)) return;
      const line = lineOf(["rules", data.rules.indexOf(rule), "patterns"]);
      problems.push({ file, line, message: `${rule.id} is never the answer: surer rules match all that it matches` });
    });
    if (problems.length > 0) throw new RulesError(problems);
    return { ...table, labels: table.labels.map((label) => ranked[label - 1]?.code ?? 0), patterns: patterns.length };
  } catch (error) {
    if (error instanceof RulesError) throw error;
    throw new RulesError([{ file, line: lineOf(["rules"]), message: (error as Error).message }]);
  }
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
