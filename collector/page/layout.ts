/**
 * Places the nodes of a map: callers to the left of what they call. Layers are longest ways from where nobody calls, without the edges
 * that close a circle; in a layer nodes stand near the middle of what they are joined to. Linear in nodes and edges, a few times over.
 */

export interface Joined {
  from: string;
  to: string;
}

export interface Placed {
  /** Column and row, from 0. */
  column: number;
  row: number;
}

/** How often rows are put in order by their neighbours. */
const SWEEPS = 4;

/** The place of each of `ids`; edges to others are passed over. */
export function placeNodes(ids: readonly string[], edges: readonly Joined[]): Map<string, Placed> {
  const known = new Set(ids);
  const out = new Map<string, string[]>(ids.map((id) => [id, []]));
  const into = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { from, to } of edges) {
    if (from === to || !known.has(from) || !known.has(to)) continue;
    out.get(from)!.push(to);
    into.get(to)!.push(from);
  }
  const order = forwards(ids, out, into);
  const place = new Map(order.map((id, at) => [id, at]));
  const column = new Map<string, number>();
  for (const id of order) {
    const before = into.get(id)!.filter((one) => place.get(one)! < place.get(id)!);
    column.set(
      id,
      before.reduce((most, one) => Math.max(most, column.get(one)! + 1), 0),
    );
  }
  const columns: string[][] = [];
  for (const id of order) (columns[column.get(id)!] ??= []).push(id);
  const row = new Map<string, number>();
  const number = (members: readonly string[]): void =>
    members.forEach((id, at) => row.set(id, at - (members.length - 1) / 2));
  columns.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const members of sweep % 2 === 0 ? columns : [...columns].reverse()) {
      const middle = new Map(
        members.map((id) => {
          const near = [...into.get(id)!, ...out.get(id)!];
          return [
            id,
            near.length === 0 ? row.get(id)! : near.reduce((sum, one) => sum + row.get(one)!, 0) / near.length,
          ];
        }),
      );
      members.sort((a, b) => middle.get(a)! - middle.get(b)!);
      number(members);
    }
  }
  return new Map(
    columns.flatMap((members, at) => members.map((id, index) => [id, { column: at, row: index }] as const)),
  );
}

/** All ids so that edges go forwards, but for those that close a circle. No recursion: chains may be long. */
function forwards(
  ids: readonly string[],
  out: ReadonlyMap<string, readonly string[]>,
  into: ReadonlyMap<string, readonly string[]>,
): string[] {
  const done: string[] = [];
  const seen = new Set<string>();
  // Those that nobody calls first, so that a circle is cut where it is entered.
  const starts = [...ids].sort((a, b) => into.get(a)!.length - into.get(b)!.length);
  for (const start of starts) {
    if (seen.has(start)) continue;
    seen.add(start);
    const stack = [{ id: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const next = out.get(top.id)![top.next++];
      if (next === undefined) {
        done.push(top.id);
        stack.pop();
      } else if (!seen.has(next)) {
        seen.add(next);
        stack.push({ id: next, next: 0 });
      }
    }
  }
  return done.reverse();
}
