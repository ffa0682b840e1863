// Stage 4: the smallest automaton that accepts the same with the same labels, by Moore's refinement: states start in one block
// for each label and are parted until all states of a block step into the same blocks.

import type { Dfa } from "./determinize.ts";

/** State 0 stays the dead one. */
export function minimize(dfa: Dfa): Dfa {
  // Symbols that all states treat alike need be looked at once.
  const columns = new Map(
    (dfa.next[0] ?? []).map((_, symbol) => [dfa.next.map((row) => row[symbol]).join(","), symbol]),
  );
  const symbols = [...columns.values()];
  const rows = dfa.next.map((row) => symbols.map((symbol) => row[symbol] ?? 0));
  let block = dfa.labels;
  let count = -1;
  for (;;) {
    const known = new Map<string, number>();
    // A block keeps its old number in the key: blocks are parted, never joined.
    const parted = rows.map((row, state) => {
      const key = `${block[state] ?? 0}:${row.map((to) => block[to]).join(",")}`;
      const id = known.get(key) ?? known.size;
      known.set(key, id);
      return id;
    });
    block = parted;
    if (known.size === count) break;
    count = known.size;
  }
  const next: number[][] = [];
  const labels: number[] = [];
  dfa.next.forEach((row, state) => {
    const id = block[state] ?? 0;
    next[id] ??= row.map((to) => block[to] ?? 0);
    labels[id] ??= dfa.labels[state] ?? 0;
  });
  return { start: block[dfa.start] ?? 0, next, labels };
}
