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

/** `symbols` is the size of the alphabet. Throws an Error where the automaton grows beyond its limit. */
export function determinize(nfa: Nfa, symbols: number): Dfa {
  const dfa: Dfa = { start: 0, next: [], labels: [] };
  const subsets: (readonly number[])[] = [];
  const known = new Map<string, number>();

  const stateOf = (seeds: Iterable<number>): number => {
    const subset = close(nfa, seeds);
    const key = subset.join(",");
    const found = known.get(key);
    if (found !== undefined) return found;
    if (subsets.length === MAX_RAW_STATES) throw new Error(`the patterns need more than ${MAX_RAW_STATES} states`);
    known.set(key, subsets.length);
    const labels = subset.map((state) => nfa.labels[state] ?? 0).filter((label) => label > 0);
    dfa.labels.push(labels.length > 0 ? Math.min(...labels) : 0);
    return subsets.push(subset) - 1;
  };

  stateOf([]);
  dfa.start = stateOf([nfa.start]);
  for (let state = 0; state < subsets.length; state++) {
    const seeds = Array.from({ length: symbols }, () => new Set<number>());
    for (const member of subsets[state] ?? []) {
      for (const step of nfa.steps[member] ?? []) {
        for (const symbol of step.symbols) seeds[symbol]?.add(step.to);
      }
    }
    dfa.next.push(seeds.map(stateOf));
  }
  return dfa;
}

/** The states reached from `seeds` without a symbol, in rising order. */
function close(nfa: Nfa, seeds: Iterable<number>): number[] {
  const reached = new Set(seeds);
  // A Set yields what is added while it is walked, so this ends when nothing new is reached.
  for (const state of reached) {
    for (const to of nfa.free[state] ?? []) reached.add(to);
  }
  return [...reached].sort((a, b) => a - b);
}
