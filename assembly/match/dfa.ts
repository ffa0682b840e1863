// Runs an automaton over token kinds. The table is made by scripts/generate from a file in rules/; all its numbers are u16:
//
//   0  start    1  accept    2  stride    3  cells     4 … 259  class of each symbol (0–255)
//   260 …       rows of `stride` cells, one a state: the state that each class leads to
//   260 + cells …            the rule codes of the accepting states, in order
//
//   state        0 ──────────── accept ────────── cells
//                dead │ undecided │ accepting
//
// A state is the place of its row (premultiplied), so a step is two loads and an add, dead is a compare with 0 and a match one
// compare. The caller keeps the state, so tokens may come in any pieces. An accepting state goes on: a longer match may be surer.

const ACCEPT: usize = 2;
const STRIDE: usize = 4;
const CELL_COUNT: usize = 6;
const CLASSES: usize = 8;
const CELLS: usize = 520;

/** The state before the first token. */
// @ts-ignore: decorator
@inline
export function dfaStart(table: usize): u32 {
  return load<u16>(table);
}

/** The state after a token of kind `symbol` (0–255; 0 is End). A kind that the alphabet lacks leads to the dead state. */
// @ts-ignore: decorator
@inline
export function dfaNext(table: usize, state: u32, symbol: u32): u32 {
  if (isDefined(CHECKED)) assert(symbol < 256 && state < <u32>load<u16>(table, CELL_COUNT)); // a byte, and a state of this table
  const cell = state + load<u16>(table + ((<usize>symbol) << 1), CLASSES);
  return load<u16>(table + ((<usize>cell) << 1), CELLS);
}

/** Whether no further token can lead to a match. */
// @ts-ignore: decorator
@inline
export function dfaDead(table: usize, state: u32): bool {
  return state == 0;
}

/** Whether the tokens so far match a rule. */
// @ts-ignore: decorator
@inline
export function dfaAccepts(table: usize, state: u32): bool {
  return state >= <u32>load<u16>(table, ACCEPT);
}

/** The code of the surest rule that an accepting state matches. */
export function dfaRule(table: usize, state: u32): u32 {
  const accept = <u32>load<u16>(table, ACCEPT);
  if (isDefined(CHECKED)) assert(state >= accept); // only a match has a rule
  const index = (state - accept) / <u32>load<u16>(table, STRIDE);
  return load<u16>(table + ((<usize>load<u16>(table, CELL_COUNT) + index) << 1), CELLS);
}
