// Stage 4: the smallest automaton that accepts the same with the same labels, by Moore's refinement: states start in one block
// for each label and are parted until all states of a block step into the same blocks. Joining lanes asks for it tens of thousands
// of times, so it works on arrays of numbers.

import type { Dfa } from "./determinize.ts";

/** State 0 stays the dead one. */
export function minimize(dfa: Dfa): Dfa {
  let block: Int32Array = new Int32Array(dfa.labels);
  // The successors of state 0, then those of state 1, …
  const width = dfa.next[0]?.length ?? 0;
  const cells = new Int32Array(dfa.next.length * width);
  dfa.next.forEach((row, state) => cells.set(row, state * width));
  let count = -1;
  for (;;) {
    const parted = part(block, cells);
    block = parted.block;
    if (parted.count === count) break;
    count = parted.count;
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

/**
 * Parts blocks whose states step into different ones. A state's block is part of what it is told by: blocks are parted, never
 * joined. The new blocks are numbered by their first states.
 */
function part(block: Int32Array, cells: Int32Array): { block: Int32Array; count: number } {
  const states = block.length;
  const width = cells.length / states;
  // A row for each state: the block of each successor, then its own.
  const rows = new Int32Array(states * (width + 1));
  // A hash table of first states, plus one; at most half full.
  const mask = 2 ** Math.ceil(Math.log2(2 * states + 1)) - 1;
  const firsts = new Int32Array(mask + 1);
  const parted = new Int32Array(states);
  let count = 0;
  for (let state = 0; state < states; state++) {
    const row = state * (width + 1);
    let hash = (rows[row + width] = block[state]!);
    for (let at = 0; at < width; at++) {
      hash = Math.imul(hash, 0x9e3779b1) + (rows[row + at] = block[cells[state * width + at]!]!);
    }
    hash = Math.imul(hash, 0x9e3779b1);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (; ; slot = (slot + 1) & mask) {
      const first = firsts[slot]! - 1;
      if (first < 0) {
        firsts[slot] = state + 1;
        parted[state] = count++;
        break;
      }
      if (sameRow(rows, row, first * (width + 1), width)) {
        parted[state] = parted[first]!;
        break;
      }
    }
  }
  return { block: parted, count };
}

/** Whether the rows at `a` and `b`, of `width` + 1 numbers each, are equal. */
function sameRow(rows: Int32Array, a: number, b: number, width: number): boolean {
  for (let at = 0; at <= width; at++) if (rows[a + at] !== rows[b + at]) return false;
  return true;
}
