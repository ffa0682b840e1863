/** Rows on their way into a statement. */

/**
 * Groups by a key, in the order of the keys: statements work on sorted rows, so that two collectors on one database cannot wait for
 * each other in a circle.
 */
export function grouped<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => string): [Entry, ...Entry[]][] {
  const groups = new Map<string, [Entry, ...Entry[]]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

/** The first and the last time of some. */
export const times = (entries: readonly { time: number }[]): { first: number; last: number } => ({
  first: Math.min(...entries.map(({ time }) => time)),
  last: Math.max(...entries.map(({ time }) => time)),
});

/** A key of a number and texts that sorts by the number first. */
export const rowKey = (id: number, ...texts: readonly string[]): string =>
  [String(id).padStart(10, "0"), ...texts].join("\0");

/** Milliseconds in a column of the rows → a time. */
export const at = (column: string): string => `to_timestamp(${column} / 1000.0)`;
