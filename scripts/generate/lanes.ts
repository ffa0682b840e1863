// Stage 6: which patterns share an automaton. One automaton for all is the fastest, but its states are combinations of how far each
// pattern got: thirteen SQL rules of 5 to 126 states alone need 4,000 together. So a table has up to four automata side by side
// ("lanes"), each for some of the patterns, and the runner steps them all.
//
// Begins with a lane for each pattern and joins, again and again, the two whose union costs the fewest bytes: until there are few
// enough lanes, and on as long as the table stays of a fair size.

import { classify, type ClassedDfa } from "./classes.ts";
import type { Dfa } from "./determinize.ts";
import { FAIR_TABLE_BYTES, MAX_LANES, MAX_RAW_STATES } from "./limits.ts";
import { cellBytes } from "./table.ts";
import { minimize } from "./minimize.ts";
import { product } from "./product.ts";

interface Lane {
  /** A column for each class of symbols only: most symbols are alike to a pattern, and joining takes time for each column. */
  dfa: ClassedDfa;
  /** Bytes of its cells: states by distinct columns. */
  bytes: number;
}

/** Joins minimal automata; throws a RangeError where MAX_LANES cannot be reached. */
export function joinLanes(automata: readonly Dfa[], fairBytes = FAIR_TABLE_BYTES): Dfa[] {
  let lanes = automata.map((dfa) => laneOf(dfa));
  const unions = new Map<Lane, Map<Lane, Lane | undefined>>();
  const unionOf = (a: Lane, b: Lane): Lane | undefined => {
    const known = unions.get(a) ?? new Map<Lane, Lane | undefined>();
    unions.set(a, known);
    if (!known.has(b)) {
      known.set(b, join(a.dfa, b.dfa));
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
  return lanes.map(({ dfa: { start, next, labels, classes } }) => ({
    start,
    next: next.map((row) => classes.map((id) => row[id] ?? 0)),
    labels,
  }));
}

/** The lane of what either accepts, over the symbols that both treat alike; undefined where it has too many states. */
function join(a: ClassedDfa, b: ClassedDfa): Lane | undefined {
  const known = new Map<string, number>();
  const both: [number, number][] = [];
  const classes = a.classes.map((one, symbol) => {
    const other = b.classes[symbol] ?? 0;
    const key = `${one},${other}`;
    if (!known.has(key)) known.set(key, both.push([one, other]) - 1);
    return known.get(key) ?? 0;
  });
  const columns = (dfa: ClassedDfa, side: 0 | 1): Dfa => ({
    ...dfa,
    next: dfa.next.map((row) => both.map((pair) => row[pair[side]] ?? 0)),
  });
  const pairs = product(columns(a, 0), columns(b, 1), MAX_RAW_STATES);
  return pairs && laneOf(minimize(pairs), classes);
}

/** `classes` has the column of each symbol; without it each has its own. */
function laneOf(dfa: Dfa, classes?: readonly number[]): Lane {
  const classed = classify(dfa);
  const own = classed.classes;
  return {
    dfa: { ...classed, classes: classes?.map((column) => own[column] ?? 0) ?? own },
    bytes: dfa.next.length * (classed.next[0]?.length ?? 0) * cellBytes(dfa.next.length),
  };
}
