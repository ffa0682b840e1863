// Runs automata over token kinds. A table is made by scripts/generate from a file in rules/ and holds up to four automata side by
// side ("lanes"), each for some of the rules; numbers are u16 where nothing else is said, and a place counts bytes from the start:
//
//   0  lanes, 1–4      2  place of the rule codes, the surest rule first      4 … 19  u32 place of each lane
//
//   lane:  0  start    2  accept    4  stride    6  states    8  bytes of a cell, 1 or 2 (2 where states > 256)
//          10 …             u8 class of each symbol (0–255)
//          266 …            rows of `stride` cells, one a state: the number of the state that each class leads to
//          … at even bytes  for each accepting state the rank of its rule, from 1
//
//   state of a lane:   0 ──────────── accept ────────── states
//                      dead │ undecided │ accepting
//
// The state that the caller keeps is the four lanes' numbers in 16 bits each, bit 15 set in every accepting one. So a step is two
// loads a lane, "dead" is a compare with 0 and "accepts" one mask over all lanes. Tokens may come
// in any pieces. An accepting state goes on: a longer match may be surer.

import { traceRun, traceToken, tracing } from "./trace";

const CODES: usize = 2;
const LANES: usize = 4;
const ACCEPT: usize = 2;
const STRIDE: usize = 4;
const STATES: usize = 6;
const WIDTH: usize = 8;
const CLASSES: usize = 10;
const CELLS: usize = 266;
/** Bit 15 of each lane. */
const ACCEPTING: u64 = 0x8000_8000_8000_8000;
const ID: u32 = 0x7fff;
const ACCEPTS: u32 = 0x8000;

/** The state before the first token. */
export function dfaStart(table: usize): u64 {
  if (isDefined(CHECKED) && tracing) traceRun(table);
  let state: u64 = 0;
  for (let lane: u32 = 0; lane < laneCount(table); lane++) {
    state |= (<u64>load<u16>(laneAt(table, lane))) << (lane << 4);
  }
  return state;
}

/** The state after a token of kind `symbol` (0–255; 0 is End). A kind that the alphabet lacks leads to the dead state. */
export function dfaNext(table: usize, state: u64, symbol: u32): u64 {
  if (isDefined(CHECKED)) assert(symbol < 256); // a byte
  if (isDefined(CHECKED) && tracing) traceToken(table, symbol);
  let next = step(laneAt(table, 0), <u32>state, symbol);
  // Unrolled: the lanes' loads do not wait for each other. What died stays so, and costs a compare.
  if (state >> 16 == 0) return next;
  next |= step(laneAt(table, 1), <u32>(state >> 16), symbol) << 16;
  if (state >> 32 == 0) return next;
  next |= step(laneAt(table, 2), <u32>(state >> 32), symbol) << 32;
  if (state >> 48 == 0) return next;
  return next | (step(laneAt(table, 3), <u32>(state >> 48), symbol) << 48);
}

/** The state of the lane at `at`, whose last one stands in the low 16 bits of `bits`. */
// @ts-ignore: decorator
@inline
function step(at: usize, bits: u32, symbol: u32): u64 {
  const id = bits & ID;
  if (isDefined(CHECKED)) assert(id < <u32>load<u16>(at, STATES)); // a state of this table
  const cell: usize = id * load<u16>(at, STRIDE) + load<u8>(at + symbol, CLASSES);
  const next: u32 = load<u16>(at, WIDTH) == 1 ? load<u8>(at + cell, CELLS) : load<u16>(at + (cell << 1), CELLS);
  return next < <u32>load<u16>(at, ACCEPT) ? next : next | ACCEPTS;
}

/** Whether no further token can lead to a match. */
// @ts-ignore: decorator
@inline
export function dfaDead(table: usize, state: u64): bool {
  return state == 0;
}

/** Whether the tokens so far match a rule. */
// @ts-ignore: decorator
@inline
export function dfaAccepts(table: usize, state: u64): bool {
  return (state & ACCEPTING) != 0;
}

/** The code of the surest rule that an accepting state matches. */
export function dfaRule(table: usize, state: u64): u32 {
  if (isDefined(CHECKED)) assert(dfaAccepts(table, state)); // only a match has a rule
  let rank: u32 = u16.MAX_VALUE;
  for (let lane: u32 = 0; lane < laneCount(table); lane++) {
    const bits = (<u32>(state >> (lane << 4))) & 0xffff;
    if (bits <= ID) continue;
    const at = laneAt(table, lane);
    const index: usize = (bits & ID) - load<u16>(at, ACCEPT);
    const cells: usize = load<u16>(at, STATES) * load<u16>(at, STRIDE) * load<u16>(at, WIDTH);
    rank = min<u32>(rank, load<u16>(at + ((cells + 1) & ~1) + (index << 1), CELLS));
  }
  return load<u16>(table + load<u16>(table, CODES) + ((rank - 1) << 1));
}

// @ts-ignore: decorator
@inline
function laneCount(table: usize): u32 {
  return load<u16>(table);
}

// @ts-ignore: decorator
@inline
function laneAt(table: usize, lane: u32): usize {
  return table + load<u32>(table + ((<usize>lane) << 2), LANES);
}
