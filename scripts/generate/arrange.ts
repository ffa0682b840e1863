// Stage 8: the order of the states. The dead state comes first, so that "dead" is a compare with 0; accepting states come last,
// so that a rule is found by counting from the first of them; the rest stand in the order in which tokens reach them.

import type { ClassedDfa } from "./classes.ts";

export interface Table {
  /** Numbers of states. `accept` is the first accepting one's, and the number of states where there is none. */
  start: number;
  accept: number;
  /** Cells in a row: the number of classes. */
  stride: number;
  /** The class of each symbol. */
  classes: number[];
  /** Rows one after another; each cell is the number of a state. */
  cells: number[];
  /** The label of each accepting state, in order. */
  labels: number[];
}

export function arrange(dfa: ClassedDfa): Table {
  const stride = dfa.next[0]?.length ?? 0;
  const reached = new Set([0, dfa.start]);
  for (const state of reached) {
    for (const to of dfa.next[state] ?? []) reached.add(to);
  }
  const accepting = [...reached].filter((state) => dfa.labels[state] !== 0);
  const plain = [...reached].filter((state) => dfa.labels[state] === 0);
  const order = [...plain, ...accepting];
  const ids = new Map(order.map((state, place) => [state, place]));
  return {
    start: ids.get(dfa.start) ?? 0,
    accept: plain.length,
    stride,
    classes: dfa.classes,
    cells: order.flatMap((state) => (dfa.next[state] ?? []).map((to) => ids.get(to) ?? 0)),
    labels: accepting.map((state) => dfa.labels[state] ?? 0),
  };
}
