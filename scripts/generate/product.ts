// Stage 5: two automata → one that accepts what either does, by running both at once: a state is a pair of theirs.

import type { Dfa } from "./determinize.ts";

/** State 0 is the dead pair. Returns undefined where more than `maxStates` pairs are reached. */
export function product(a: Dfa, b: Dfa, maxStates: number): Dfa | undefined {
  const pairs: [number, number][] = [];
  // The state of each pair, plus one.
  const known = new Int32Array(a.next.length * b.next.length);
  const stateOf = (first: number, second: number): number => {
    const key = first * b.next.length + second;
    return (known[key] ||= pairs.push([first, second])) - 1;
  };
  stateOf(0, 0);
  const start = stateOf(a.start, b.start);
  const next: number[][] = [];
  const labels: number[] = [];
  for (const [first, second] of pairs) {
    if (pairs.length > maxStates) return undefined;
    const other = b.next[second] ?? [];
    next.push((a.next[first] ?? []).map((to, symbol) => stateOf(to, other[symbol] ?? 0)));
    labels.push(smallest(a.labels[first] ?? 0, b.labels[second] ?? 0));
  }
  return { start, next, labels };
}

/** The smaller label, where 0 is none. */
function smallest(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}
