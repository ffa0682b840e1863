// Stage 9: lanes and rule codes → the bytes of one table, as assembly/match/dfa.ts draws it.

import type { Table } from "./arrange.ts";
import { MAX_LANES, MAX_STATES, NARROW_STATES } from "./limits.ts";

const HEADER_BYTES = 4 + MAX_LANES * 4;
const LANE_HEADER_BYTES = 10;
const SYMBOLS = 256;
const ACCEPTS = 0x8000;

const even = (bytes: number): number => bytes + (bytes & 1);

/** Bytes of one cell of a lane with so many states. */
export const cellBytes = (states: number): number => (states <= NARROW_STATES ? 1 : 2);

/** `codes[label - 1]` is the rule of a label. An even number of bytes; throws a RangeError where a number does not fit. */
export function layOut(lanes: readonly Table[], codes: readonly number[]): Uint8Array {
  const head = HEADER_BYTES + codes.length * 2;
  const sizes = lanes.map(({ cells, stride, labels }) => {
    const states = cells.length / stride;
    if (states > MAX_STATES) throw new RangeError(`a lane of ${states} states, at most ${MAX_STATES}`);
    if (stride > 255) throw new RangeError(`a lane of ${stride} classes, at most 255`);
    return LANE_HEADER_BYTES + SYMBOLS + even(cells.length * cellBytes(states)) + labels.length * 2;
  });
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, head));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, lanes.length, true);
  view.setUint16(2, HEADER_BYTES, true);
  codes.forEach((code, index) => view.setUint16(HEADER_BYTES + index * 2, code, true));
  let at = head;
  lanes.forEach(({ start, accept, stride, classes, cells, labels }, lane) => {
    const states = cells.length / stride;
    const width = cellBytes(states);
    const ranks = LANE_HEADER_BYTES + SYMBOLS + even(cells.length * width);
    view.setUint32(4 + lane * 4, at, true);
    view.setUint16(at, start >= accept ? start | ACCEPTS : start, true);
    view.setUint16(at + 2, accept, true);
    view.setUint16(at + 4, stride, true);
    view.setUint16(at + 6, states, true);
    view.setUint16(at + 8, width, true);
    // The last symbol stands for every code that the alphabet lacks.
    const other = classes.at(-1) ?? 0;
    for (let symbol = 0; symbol < SYMBOLS; symbol++) bytes[at + LANE_HEADER_BYTES + symbol] = classes[symbol] ?? other;
    const rows = at + LANE_HEADER_BYTES + SYMBOLS;
    cells.forEach((cell, index) => {
      if (width === 1) bytes[rows + index] = cell;
      else view.setUint16(rows + index * 2, cell, true);
    });
    labels.forEach((label, index) => view.setUint16(at + ranks + index * 2, label, true));
    at += sizes[lane]!;
  });
  return bytes;
}
