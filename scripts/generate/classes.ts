// Stage 7: symbols that every state treats alike become one class, so that a row holds a class once instead of each symbol.

import type { Dfa } from "./determinize.ts";
import { numberRows } from "./rows.ts";

export interface ClassedDfa {
  start: number;
  /** `next[state][class]` */
  next: number[][];
  labels: number[];
  /** The class of each symbol, numbered by first appearance. */
  classes: number[];
}

export function classify(dfa: Dfa): ClassedDfa {
  const symbols = dfa.next[0]?.length ?? 0;
  const states = dfa.next.length;
  const columns = new Int32Array(symbols * states);
  dfa.next.forEach((row, state) => {
    for (let symbol = 0; symbol < symbols; symbol++) columns[symbol * states + state] = row[symbol]!;
  });
  const { ids, count } = numberRows(columns, states);
  const firsts = Array.from({ length: count }, (_, id) => ids.indexOf(id));
  const next = dfa.next.map((row) => firsts.map((symbol) => row[symbol] ?? 0));
  return { start: dfa.start, next, labels: dfa.labels, classes: [...ids] };
}
