// Stage 4: the smallest automaton that accepts the same with the same labels, by Moore's refinement: states start in one block
// for each label and are parted until all states of a block step into the same blocks.

import type { Dfa } from "./determinize.ts";
import { numberRows } from "./rows.ts";

/** State 0 stays the dead one. */
export function minimize(dfa: Dfa): Dfa {
  const states = dfa.next.length;
  const symbols = dfa.next[0]?.length ?? 0;
  const cells = new Int32Array(states * symbols);
  dfa.next.forEach((row, state) => cells.set(row, state * symbols));
  // What tells a state: its own block, since blocks are parted, never joined, then the block of each successor.
  const width = symbols + 1;
  const rows = new Int32Array(states * width);
  let block: Int32Array = new Int32Array(dfa.labels);
  let count = -1;
  for (;;) {
    for (let state = 0, cell = 0; state < states; state++) {
      const row = state * width;
      rows[row] = block[state]!;
      for (let at = 1; at < width; at++) rows[row + at] = block[cells[cell++]!]!;
    }
    const parted = numberRows(rows, width);
    block = parted.ids;
    if (parted.count === count) break;
    count = parted.count;
  }
  const next: number[][] = [];
  const labels: number[] = [];
  for (let state = 0; state < states; state++) {
    const id = block[state]!;
    next[id] ??= dfa.next[state]!.map((to) => block[to]!);
    labels[id] ??= dfa.labels[state]!;
  }
  return { start: block[dfa.start] ?? 0, next, labels };
}
