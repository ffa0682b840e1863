// Which patterns share an automaton. One automaton for all is the fastest, but its states are combinations of how far each
// pattern got: thirteen SQL rules of 5 to 126 states alone need 4,000 together. So a table has up to four automata side by side
// ("lanes"), each for some of the rules, and the runner steps them all.
//
// Begins with a lane for each rule and joins, again and again, the two whose union is the smallest gain in bytes: until there are
// few enough lanes, and on as long as the table stays of a fair size.

import { FAIR_TABLE_BYTES, MAX_LANES } from "./limits.ts";

/** What joins lanes: `build` compiles a set of items, or throws a RangeError where the union grows too big. */
export interface Lane<Item, Built> {
  items: readonly Item[];
  built: Built;
}

/** Groups `items`; throws a RangeError where they cannot be brought down to MAX_LANES. */
export function joinLanes<Item, Built>(
  items: readonly Item[],
  build: (items: readonly Item[]) => Built,
  bytes: (built: Built) => number,
): Lane<Item, Built>[] {
  let lanes = items.map((item): Lane<Item, Built> => ({ items: [item], built: build([item]) }));
  // Unions by the place of their parts; a pair that was tried once is not tried again.
  const tried = new Map<Lane<Item, Built>, Map<Lane<Item, Built>, Lane<Item, Built> | undefined>>();
  const union = (a: Lane<Item, Built>, b: Lane<Item, Built>): Lane<Item, Built> | undefined => {
    const known = tried.get(a) ?? new Map<Lane<Item, Built>, Lane<Item, Built> | undefined>();
    tried.set(a, known);
    if (!known.has(b)) known.set(b, join(a, b, build));
    return known.get(b);
  };
  while (lanes.length > 1) {
    let best: { parts: readonly Lane<Item, Built>[]; joined: Lane<Item, Built>; gain: number } | undefined;
    lanes.forEach((a, index) => {
      for (const b of lanes.slice(index + 1)) {
        const joined = union(a, b);
        if (!joined) continue;
        const gain = bytes(joined.built) - bytes(a.built) - bytes(b.built);
        if (!best || gain < best.gain) best = { parts: [a, b], joined, gain };
      }
    });
    if (!best) break;
    const { parts, joined } = best;
    const rest = lanes.filter((lane) => !parts.includes(lane));
    const size = [joined, ...rest].reduce((sum, lane) => sum + bytes(lane.built), 0);
    if (lanes.length <= MAX_LANES && size > FAIR_TABLE_BYTES) break;
    lanes = [joined, ...rest];
  }
  if (lanes.length > MAX_LANES)
    throw new RangeError(`the patterns need more than ${MAX_LANES} automata of a fair size`);
  return lanes;
}

function join<Item, Built>(
  a: Lane<Item, Built>,
  b: Lane<Item, Built>,
  build: (items: readonly Item[]) => Built,
): Lane<Item, Built> | undefined {
  const items = [...a.items, ...b.items];
  try {
    return { items, built: build(items) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
