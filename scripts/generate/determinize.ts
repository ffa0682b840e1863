// Stage 3: nondeterministic → deterministic automaton, by the subset construction. State 0 is the dead one: the empty subset.

import { MAX_RAW_STATES } from "./limits.ts";
import type { Nfa } from "./nfa.ts";

/** A total automaton: every state has a successor for every symbol. */
export interface Dfa {
  start: number;
  /** `next[state][symbol]` */
  next: number[][];
  /** For each state the label that it accepts with (the smallest of its subset), 0 for none. */
  labels: number[];
}

/** `symbols` is the size of the alphabet. Throws a RangeError where the automaton grows beyond its limit. */
export function determinize(nfa: Nfa, symbols: number): Dfa {
  const alike = firstAlike(nfa, symbols);
  const members = nfa.free.map((_, state) => closeState(nfa, state, symbols));
  const dfa: Dfa = { start: 1, next: [], labels: [] };
  const subsets: (readonly number[])[] = [];
  const known = new Map<string, number>();

  const stateOf = (subset: readonly number[]): number => {
    const key = subset.join(",");
    const found = known.get(key);
    if (found !== undefined) return found;
    if (subsets.length === MAX_RAW_STATES) throw new RangeError(`a rule needs more than ${MAX_RAW_STATES} states`);
    known.set(key, subsets.length);
    const labels = subset.map((state) => members[state]?.label ?? 0).filter((label) => label > 0);
    dfa.labels.push(labels.length > 0 ? Math.min(...labels) : 0);
    return subsets.push(subset) - 1;
  };

  stateOf([]);
  stateOf([nfa.start]);
  for (let state = 0; state < subsets.length; state++) {
    const subset = subsets[state] ?? [];
    const row: number[] = [];
    alike.forEach((first, symbol) => {
      if (first < symbol) return void row.push(row[first] ?? 0);
      const reached = new Set<number>();
      for (const member of subset) {
        for (const to of members[member]?.targets[symbol] ?? []) reached.add(to);
      }
      row.push(reached.size === 0 ? 0 : stateOf([...reached].sort((a, b) => a - b)));
    });
    dfa.next.push(row);
  }
  return dfa;
}

/** What `state` and the states that it is at once can do: where each symbol leads, and the smallest label. */
function closeState(nfa: Nfa, state: number, symbols: number): { targets: number[][]; label: number } {
  const reached = new Set([state]);
  // A Set yields what is added while it is walked, so this ends when nothing new is reached.
  for (const each of reached) {
    for (const to of nfa.free[each] ?? []) reached.add(to);
  }
  const targets = Array.from({ length: symbols }, (): number[] => []);
  let label = 0;
  for (const each of reached) {
    const own = nfa.labels[each] ?? 0;
    if (own > 0 && (label === 0 || own < label)) label = own;
    for (const step of nfa.steps[each] ?? []) {
      for (const symbol of step.symbols) targets[symbol]?.push(step.to);
    }
  }
  return { targets, label };
}

/** For each symbol the first one that all steps treat alike (itself, where there is none before it): most share one column. */
function firstAlike(nfa: Nfa, symbols: number): number[] {
  const signatures = Array.from({ length: symbols }, (): number[] => []);
  nfa.steps.flat().forEach((step, index) => {
    for (const symbol of step.symbols) signatures[symbol]?.push(index);
  });
  const firsts = new Map<string, number>();
  return signatures.map((signature, symbol) => {
    const key = signature.join(",");
    const first = firsts.get(key) ?? symbol;
    firsts.set(key, first);
    return first;
  });
}
