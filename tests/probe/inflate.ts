// The inflater for TypeScript tests: two states, and all of a body in one call for measurements.

import {
  consumedBytes,
  feedInflate,
  inflated,
  inflatedBytes,
  inflatedEnd,
  INFLATE_SIZE,
  InflateEvent,
  nextInflate,
  openInflate,
  stepIsFull,
} from "../../assembly/decode/inflate";

/** Two states, with bytes between and behind them that nobody may write. */
const STATES: usize = memory.data(2 * 73728, 8);
const ROOM: usize = 73728;

function stateOf(which: u32): usize {
  return STATES + which * ROOM;
}

export function open(which: u32, wrappers: u32, step: u32): void {
  assert(<usize>INFLATE_SIZE + 64 <= ROOM);
  memory.fill(stateOf(which), 0x5a, ROOM);
  openInflate(stateOf(which), wrappers, step);
}
export function feed(which: u32, start: usize, end: usize): void {
  feedInflate(stateOf(which), start, end);
}
export function next(which: u32): i32 {
  return nextInflate(stateOf(which));
}
export function pieceStart(): usize {
  return inflated;
}
export function pieceEnd(): usize {
  return inflatedEnd;
}
/** Whether the step has ended. */
export function full(which: u32): bool {
  return stepIsFull(stateOf(which));
}
export function came(which: u32): f64 {
  return <f64>inflatedBytes(stateOf(which));
}
export function used(which: u32): f64 {
  return <f64>consumedBytes(stateOf(which));
}
/** Whether what stands behind the state is as it was. */
export function intact(which: u32): bool {
  for (let at = stateOf(which) + INFLATE_SIZE; at < stateOf(which) + ROOM; at++) {
    if (load<u8>(at) != 0x5a) return false;
  }
  return true;
}
/** Inflates `start..end` and throws it away; returns how much came out. */
export function drain(wrappers: u32, start: usize, end: usize): u32 {
  openInflate(STATES, wrappers, 32768);
  feedInflate(STATES, start, end);
  while (nextInflate(STATES) == InflateEvent.Piece) {}
  return <u32>inflatedBytes(STATES);
}
