// Stage 6: which patterns share an automaton. One automaton for all is the fastest, but its states are combinations of how far each
// pattern got: thirteen SQL rules of 5 to 126 states alone need 4,000 together. So a table has up to four automata side by side
// ("lanes"), each for some of the patterns, and the runner steps them all.
//
// Begins with a lane for each pattern and joins, again and again, the two whose union costs the fewest bytes: until there are few
// enough lanes, and on as long as the table stays of a fair size.

import type { Dfa } from "./determinize.ts";
import { FAIR_TABLE_BYTES, MAX_LANES, MAX_RAW_STATES } from "./limits.ts";
import { cellBytes } from "./table.ts";
import { minimize } from "./minimize.ts";
import { product } from "./product.ts";

interface Lane {
  dfa: Dfa;
  /** Bytes of its cells: states by distinct columns. */
  bytes: number;
}

/** Joins minimal automata; throws a RangeError where MAX_LANES cannot be reached. */
export function joinLanes(automata: readonly Dfa[], fairBytes = FAIR_TABLE_BYTES): Dfa[] {
  let lanes = automata.map(laneOf);
  const unions = new Map<Lane, Map<Lane, Lane | undefined>>();
  const unionOf = (a: Lane, b: Lane): Lane | undefined => {
    const known = unions.get(a) ?? new Map<Lane, Lane | undefined>();
    unions.set(a, known);
    if (!known.has(b)) {
      const pairs = product(a.dfa, b.dfa, MAX_RAW_STATES);
      known.set(b, pairs && laneOf(minimize(pairs)));
    }
    return known.get(b);
  };
  for (;;) {
    const [best] = lanes
      .flatMap((a, index) => lanes.slice(index + 1).map((b) => ({ a, b, union: unionOf(a, b) })))
      .flatMap(({ a, b, union }) => (union ? [{ a, b, union, cost: union.bytes - a.bytes - b.bytes }] : []))
      .sort((one, other) => one.cost - other.cost);
    if (!best) break;
    const bytes = lanes.reduce((sum, lane) => sum + lane.bytes, best.cost);
    if (lanes.length <= MAX_LANES && bytes > fairBytes) break;
    lanes = [...lanes.filter((lane) => lane !== best.a && lane !== best.b), best.union];
  }
  if (lanes.length > MAX_LANES)
    throw new RangeError(`the patterns need more than ${MAX_LANES} automata of a fair size`);
  return lanes.map((lane) => lane.dfa);
}

function laneOf(dfa: Dfa): Lane {
  const columns = new Set(dfa.next[0]?.map((_, symbol) => dfa.next.map((row) => row[symbol]).join(",")));
  return { dfa, bytes: dfa.next.length * columns.size * cellBytes(dfa.next.length) };
}
