// Stage 2: pattern trees → one nondeterministic automaton (Thompson 1968). A pattern of n factors gives at most 2n states.

import type { Pattern } from "./pattern.ts";

export interface Nfa {
  start: number;
  /** For each state the states that it is at once as well. */
  free: number[][];
  /** For each state the steps that a symbol allows. */
  steps: { symbols: readonly number[]; to: number }[][];
  /** For each state the label that it accepts with, 0 for none. */
  labels: number[];
}

/** Joins labelled patterns into one automaton; a label is 1 or more, and a smaller one wins later on. */
export function buildNfa(patterns: readonly { pattern: Pattern; label: number }[]): Nfa {
  const nfa: Nfa = { start: 0, free: [[]], steps: [[]], labels: [0] };
  for (const { pattern, label } of patterns) {
    nfa.labels[append(nfa, 0, pattern)] = label;
  }
  return nfa;
}

/** Adds what `pattern` matches behind state `from` and returns the one state that it ends in, which is always a new one. */
function append(nfa: Nfa, from: number, pattern: Pattern): number {
  switch (pattern.kind) {
    case "symbols": {
      const to = addState(nfa);
      nfa.steps[from]?.push({ symbols: pattern.symbols, to });
      return to;
    }
    case "sequence": {
      // A new state first, so that the empty sequence too ends in one of its own.
      const first = addState(nfa);
      nfa.free[from]?.push(first);
      return pattern.items.reduce((at, item) => append(nfa, at, item), first);
    }
    case "choice": {
      const ends = pattern.items.map((item) => append(nfa, from, item));
      const end = addState(nfa);
      for (const each of ends) nfa.free[each]?.push(end);
      return end;
    }
    case "repeat":
      return appendRepeat(nfa, from, pattern.item, pattern.min, pattern.max);
  }
}

function appendRepeat(nfa: Nfa, from: number, item: Pattern, min: number, max: number): number {
  let at = from;
  for (let count = 0; count < min; count++) at = append(nfa, at, item);
  if (max === Infinity) {
    const loop = addState(nfa);
    nfa.free[at]?.push(loop);
    nfa.free[append(nfa, loop, item)]?.push(loop);
    return loop;
  }
  const end = addState(nfa);
  for (let count = min; count < max; count++) {
    nfa.free[at]?.push(end);
    at = append(nfa, at, item);
  }
  nfa.free[at]?.push(end);
  return end;
}

function addState(nfa: Nfa): number {
  nfa.free.push([]);
  nfa.steps.push([]);
  return nfa.labels.push(0) - 1;
}
