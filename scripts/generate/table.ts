// Stage 9: lanes and rule codes → the numbers of one table, as assembly/match/dfa.ts draws it.

import type { Table } from "./arrange.ts";
import { MAX_CELLS, MAX_LANES } from "./limits.ts";

const HEADER = 2 + MAX_LANES;
const SYMBOLS = 256;
const ACCEPTS = 0x8000;

/** All numbers are u16. `codes[label - 1]` is the rule of a label. Throws a RangeError where an id does not fit. */
export function layOut(lanes: readonly Table[], codes: readonly number[]): number[] {
  const places: number[] = [];
  const bodies: number[] = [];
  for (const lane of lanes) {
    if (lane.cells.length > MAX_CELLS)
      throw new RangeError(`a lane of ${lane.cells.length} cells, at most ${MAX_CELLS}`);
    places.push(HEADER + codes.length + bodies.length);
    const mark = (id: number): number => (id >= lane.accept ? id | ACCEPTS : id);
    // The last symbol stands for every code that the alphabet lacks.
    const other = lane.classes.at(-1) ?? 0;
    bodies.push(mark(lane.start), lane.accept, lane.stride, lane.cells.length);
    for (let symbol = 0; symbol < SYMBOLS; symbol++) bodies.push(lane.classes[symbol] ?? other);
    for (const cell of lane.cells) bodies.push(mark(cell));
    bodies.push(...lane.labels);
  }
  while (places.length < MAX_LANES) places.push(0);
  return [lanes.length, HEADER, ...places, ...codes, ...bodies];
}
