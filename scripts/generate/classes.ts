// Stage 7: symbols that every state treats alike become one class, so that a row holds a class once instead of each symbol.

import type { Dfa } from "./determinize.ts";

export interface ClassedDfa {
  start: number;
  /** `next[state][class]` */
  next: number[][];
  labels: number[];
  /** The class of each symbol, numbered by first appearance. */
  classes: number[];
}

export function classify(dfa: Dfa): ClassedDfa {
  const known = new Map<string, number>();
  const firsts: number[] = [];
  const classes = (dfa.next[0] ?? []).map((_, symbol) => {
    const column = dfa.next.map((row) => row[symbol]).join(",");
    const id = known.get(column);
    if (id !== undefined) return id;
    known.set(column, firsts.length);
    return firsts.push(symbol) - 1;
  });
  const next = dfa.next.map((row) => firsts.map((symbol) => row[symbol] ?? 0));
  return { start: dfa.start, next, labels: dfa.labels, classes };
}
