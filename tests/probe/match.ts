// The table runners for tests: tables come from the test, in memory, so that random ones can be run.

import { dfaAccepts, dfaDead, dfaNext, dfaRule, dfaStart } from "../../assembly/match/dfa";

export { keyword } from "../../assembly/match/keywords";

/** Feeds `start..end`, one token kind a byte, and writes behind each token (and before the first) at `out` two u16: the rule that
 *  is matched by then (0 for none), and 1 where the state is dead. */
export function run(table: usize, start: usize, end: usize, out: usize): void {
  let state = dfaStart(table);
  for (;;) {
    store<u16>(out, <u16>(dfaAccepts(table, state) ? dfaRule(table, state) : 0));
    store<u16>(out, <u16>dfaDead(table, state), 2);
    if (start == end) return;
    state = dfaNext(table, state, load<u8>(start++));
    out += 4;
  }
}

/** Steps over `start..end` as often as `rounds` says and returns the sum of the states; for measurements. */
export function steps(table: usize, start: usize, end: usize, rounds: u32): u32 {
  let sum: u32 = 0;
  for (; rounds > 0; rounds--) {
    let state = dfaStart(table);
    for (let at = start; at < end; at++) state = dfaNext(table, state, load<u8>(at));
    sum += <u32>state;
  }
  return sum;
}
