/**
 * Stores observations inside the transaction of their request: operations (a method and route of a service, or one that it calls), what
 * was seen of each (traits), and components.
 *
 * An operation begins to exist with an answer that shows that something is there: one other than 4xx, or a refusal for lack of
 * credentials. So no client can make operations up by asking for what is not there; its 404 are counted where the operation exists.
 */
import type { Sql } from "./database.ts";
import { CALLERS, COMPONENTS, CONTENT_TYPES, HOSTS, OPERATIONS, OPERATIONS_OF_SERVICE, PARAMETERS } from "./limits.ts";
import { AUTHENTICATIONS, STATUS_CLASSES, type Observation } from "./observation.ts";
import { at, grouped, rowKey, times } from "./rows.ts";

/** An observation with the service that it is of. */
export interface PlacedObservation extends Observation {
  service_id: number;
}

export interface OperationCaps {
  operations: number;
  operationsOfService: number;
}
export const OPERATION_CAPS: OperationCaps = { operations: OPERATIONS, operationsOfService: OPERATIONS_OF_SERVICE };

/** What became of a request's observations. */
export interface Observed {
  stored: number;
  duplicates: number;
  /** Of what answers with errors of the client alone. */
  unanswered: number;
  /** Put to `other`. */
  other: number;
  /** Ids of the services of which something was stored. */
  services: ReadonlySet<number>;
}

export interface Observer {
  /** Stores; to be called in the transaction of a request. */
  store(sql: Sql, observations: readonly PlacedObservation[], now: number): Promise<Observed>;
  forget(): void;
}

const OTHER = "other";

/** What of an operation is kept by name, and how much of it. */
export const TRAITS = {
  parameter: PARAMETERS,
  request: CONTENT_TYPES,
  response: CONTENT_TYPES,
  caller: CALLERS,
  host: HOSTS,
  scheme: 2,
} as const;
export type TraitKind = keyof typeof TRAITS;

interface Trait {
  operation: number;
  kind: TraitKind;
  /** Of a parameter; "" for all else. */
  part: string;
  name: string;
  types: number;
  time: number;
}

/** Columns of counts, by what is counted. */
export const AUTHENTICATION_COLUMNS = AUTHENTICATIONS.map((name) =>
  name === "none" ? "anonymous" : name.replace("-", "_"),
);
export const STATUS_COLUMNS = STATUS_CLASSES.map((name) => `status_${name}`);
const COUNTS = ["count", ...STATUS_COLUMNS, ...AUTHENTICATION_COLUMNS];

/** Sums of counts that senders tell stay below what a number holds, and so do a thousand of these. */
const MOST_COUNT = 1e12;

/** Operations of which traits are written in one statement. */
const OPERATIONS_AT_ONCE = 200;

/** A trait's or component's time of last sight is as exact as that, which spares writing it each minute. */
const GRAIN_MILLISECONDS = 600_000;

const keyOf = ({ service_id, direction, host, method, route }: PlacedObservation): string =>
  [service_id, direction, direction === "outbound" ? host : "", method, route].join("\u0001");
const sideOf = ({ service_id, direction }: PlacedObservation): string => `${service_id} ${direction}`;

/** Whether an answer shows that there is something. */
const isAnswered = ({ statuses, authentication }: Observation): boolean =>
  statuses["1xx"] + statuses["2xx"] + statuses["3xx"] + statuses["5xx"] + authentication.refused > 0;

/** The observer of a database. What it knows is forgotten when a transaction fails. */
export function createObserver(caps: OperationCaps = OPERATION_CAPS): Observer {
  /** Operations that are stored, and how many a service has in a direction. */
  let known: Map<string, number> | null = null;
  let sides = new Map<string, number>();

  const load = async (sql: Sql): Promise<Map<string, number>> => {
    if (known !== null) return known;
    const rows = await sql.query<{ id: number; name: string; side: string }>(
      `SELECT id, concat_ws(chr(1), service, direction, host, method, route) AS name, service || ' ' || direction AS side
       FROM meshward.operation`,
    );
    known = new Map(rows.map(({ id, name }) => [name, id]));
    sides = new Map();
    for (const { side } of rows) sides.set(side, (sides.get(side) ?? 0) + 1);
    return known;
  };

  /** The observations that count, those of operations beyond the caps without their place. */
  const admit = (ids: ReadonlyMap<string, number>, fresh: readonly PlacedObservation[]) => {
    const admitted = new Set<string>();
    const kept: PlacedObservation[] = [];
    let unanswered = 0;
    let other = 0;
    for (const observation of fresh) {
      const key = keyOf(observation);
      if (ids.has(key) || admitted.has(key)) {
        kept.push(observation);
        continue;
      }
      if (!isAnswered(observation)) {
        unanswered++;
        continue;
      }
      const side = sideOf(observation);
      const count = sides.get(side) ?? 0;
      if (ids.size + admitted.size < caps.operations && count < caps.operationsOfService) {
        admitted.add(key);
        sides.set(side, count + 1);
        kept.push(observation);
      } else {
        other++;
        // Of what is put together nothing is kept but how much it was.
        const none = { parameters: [], request_types: [], response_types: [], callers: [], components: [] };
        const place = { host: OTHER, method: OTHER, route: OTHER, scheme: "" };
        kept.push({ ...observation, ...none, ...place });
      }
    }
    return { kept, unanswered, other };
  };

  return {
    forget() {
      known = null;
    },
    async store(sql, observations, now) {
      const fresh = await storeKeys(sql, observations, now);
      const duplicates = observations.length - fresh.length;
      const ids = await load(sql);
      const { kept, unanswered, other } = admit(ids, fresh);
      if (kept.length > 0) {
        const groups = grouped(kept, keyOf);
        for (const [key, id] of await storeOperations(sql, groups)) ids.set(key, id);
        await storeTraits(sql, groups, ids);
        await storeComponents(sql, kept);
      }
      const services = new Set(kept.map(({ service_id }) => service_id));
      return { stored: kept.length, duplicates, unanswered, other, services };
    },
  };
}

/** The observations that were not there yet. */
async function storeKeys(
  sql: Sql,
  observations: readonly PlacedObservation[],
  now: number,
): Promise<PlacedObservation[]> {
  const byKey = new Map(observations.map((observation) => [observation.key, observation]));
  const rows = await sql.query<{ key: string }>(
    `INSERT INTO meshward.observation (key, received)
     SELECT key::uuid, ${at("$2::float8")} FROM json_to_recordset($1::json) AS x(key text)
     ON CONFLICT (key) DO NOTHING RETURNING replace(key::text, '-', '') AS key`,
    [JSON.stringify([...byKey.keys()].sort().map((key) => ({ key }))), now],
  );
  const inserted = new Set(rows.map(({ key }) => key));
  return [...byKey.values()].filter(({ key }) => inserted.has(key));
}

type Groups = readonly [PlacedObservation, ...PlacedObservation[]][];

/** Adds the counts up; the id of each operation by its key. */
async function storeOperations(sql: Sql, groups: Groups): Promise<Map<string, number>> {
  const rows = groups.map((group) => {
    const [first] = group;
    const counts = Object.fromEntries(COUNTS.map((name) => [name, 0]));
    for (const { count, statuses, authentication } of group) {
      counts.count! += count;
      STATUS_CLASSES.forEach((name, place) => (counts[STATUS_COLUMNS[place]!]! += statuses[name]));
      AUTHENTICATIONS.forEach((name, place) => (counts[AUTHENTICATION_COLUMNS[place]!]! += authentication[name]));
    }
    return {
      service: first.service_id,
      direction: first.direction,
      host: first.direction === "outbound" ? first.host : "",
      method: first.method,
      route: first.route,
      ...times(group),
      ...counts,
    };
  });
  const columns = COUNTS.join(", ");
  const stored = await sql.query<{ id: number; name: string }>(
    `INSERT INTO meshward.operation AS o (service, direction, host, method, route, first_seen, last_seen, changed, ${columns})
     SELECT service, direction, host, method, route, ${at("first")}, ${at("last")}, ${at("first")}, ${columns}
     FROM json_to_recordset($1::json) AS x(service integer, direction text, host text, method text, route text,
       first float8, last float8, ${COUNTS.map((name) => `${name} bigint`).join(", ")})
     ON CONFLICT (service, direction, host, method, route) DO UPDATE SET
       first_seen = least(o.first_seen, excluded.first_seen), last_seen = greatest(o.last_seen, excluded.last_seen),
       ${COUNTS.map((name) => `${name} = least(o.${name} + excluded.${name}, ${MOST_COUNT})`).join(", ")}
     RETURNING id, concat_ws(chr(1), service, direction, host, method, route) AS name`,
    [JSON.stringify(rows)],
  );
  return new Map(stored.map(({ id, name }) => [name, id]));
}

/** The traits that an observation shows. */
function traitsOf(operation: number, observation: PlacedObservation): Trait[] {
  const { time } = observation;
  const trait = (kind: TraitKind, name: string, part = "", types = 0): Trait => ({
    ...{ operation, kind, part, name, types, time },
  });
  const named = (kind: TraitKind, names: readonly string[]): Trait[] => names.map((name) => trait(kind, name));
  return [
    ...observation.parameters.map(({ part, name, types }) => trait("parameter", name, part, types)),
    ...named("request", observation.request_types),
    ...named("response", observation.response_types),
    ...named("caller", observation.callers),
    ...named("host", observation.direction === "inbound" && observation.host !== "" ? [observation.host] : []),
    ...named("scheme", observation.scheme === "" ? [] : [observation.scheme]),
  ];
}

const traitKey = ({ operation, kind, part, name }: Omit<Trait, "types" | "time">): string =>
  rowKey(operation, kind, part, name);

/** Writes the traits that are new, or of which something is, of so many operations at a time: what is known of these is in memory. */
async function storeTraits(sql: Sql, groups: Groups, ids: ReadonlyMap<string, number>): Promise<void> {
  for (let from = 0; from < groups.length; from += OPERATIONS_AT_ONCE) {
    await storeTraitsOf(sql, groups.slice(from, from + OPERATIONS_AT_ONCE), ids);
  }
}

/** An operation's `changed` is when the newest of its traits came. */
async function storeTraitsOf(sql: Sql, groups: Groups, ids: ReadonlyMap<string, number>): Promise<void> {
  type Stored = Omit<Trait, "time"> & { last_seen: Date };
  const stored = new Map<string, Stored>();
  const counts = new Map<string, number>();
  for (const row of await sql.query<Stored>(
    `SELECT operation, kind, part, name, types, last_seen FROM meshward.trait
     WHERE operation IN (SELECT value::integer FROM json_array_elements_text($1::json))`,
    [JSON.stringify(groups.map(([first]) => ids.get(keyOf(first))!))],
  )) {
    stored.set(traitKey(row), row);
    counts.set(`${row.operation} ${row.kind}`, (counts.get(`${row.operation} ${row.kind}`) ?? 0) + 1);
  }
  const seen = new Map<string, Omit<Trait, "time"> & { first: number; last: number }>();
  const note = ({ time, ...trait }: Trait): void => {
    const key = traitKey(trait);
    const before = seen.get(key);
    if (before !== undefined) {
      before.types |= trait.types;
      before.first = Math.min(before.first, time);
      before.last = Math.max(before.last, time);
      return;
    }
    if (!stored.has(key)) {
      const kind = `${trait.operation} ${trait.kind}`;
      const count = counts.get(kind) ?? 0;
      if (count >= TRAITS[trait.kind]) return;
      counts.set(kind, count + 1);
    }
    seen.set(key, { ...trait, first: time, last: time });
  };
  for (const group of groups) for (const one of group) traitsOf(ids.get(keyOf(one))!, one).forEach(note);
  const written = [...seen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, trait]) => {
      const before = stored.get(key);
      const isNew = before === undefined || (trait.types & ~before.types) !== 0;
      return isNew || trait.last - before.last_seen.getTime() >= GRAIN_MILLISECONDS ? [{ ...trait, isNew }] : [];
    });
  if (written.length === 0) return;
  const values = JSON.stringify(written);
  await sql.query(
    `INSERT INTO meshward.trait AS t (operation, kind, part, name, types, first_seen, last_seen)
     SELECT operation, kind, part, name, types, ${at("first")}, ${at("last")} FROM json_to_recordset($1::json)
       AS x(operation integer, kind text, part text, name text, types integer, first float8, last float8)
     ON CONFLICT (operation, kind, part, name) DO UPDATE SET types = t.types | excluded.types,
       first_seen = least(t.first_seen, excluded.first_seen), last_seen = greatest(t.last_seen, excluded.last_seen)`,
    [values],
  );
  await sql.query(
    `UPDATE meshward.operation o SET changed = greatest(o.changed, ${at("x.first")})
     FROM (SELECT operation, max(first) AS first FROM json_to_recordset($1::json)
       AS y(operation integer, first float8, "isNew" boolean) WHERE "isNew" GROUP BY operation) x
     WHERE o.id = x.operation`,
    [values],
  );
}

/** Products that a service shows, or (with `host`) those that it calls. */
async function storeComponents(sql: Sql, observations: readonly PlacedObservation[]): Promise<void> {
  const seen = observations.flatMap((observation) =>
    observation.components.map((component) => ({
      service: observation.service_id,
      host: observation.direction === "outbound" ? observation.host : "",
      ...component,
      method: observation.method,
      route: observation.route,
      time: observation.time,
    })),
  );
  if (seen.length === 0) return;
  type Seen = (typeof seen)[number];
  type Row = Omit<Seen, "time" | "method" | "route">;
  const key = ({ service, host, kind, name, version }: Row): string => rowKey(service, host, kind, name, version);
  const stored = new Map<string, Date>();
  const counts = new Map<number, number>();
  for (const row of await sql.query<Row & { last_seen: Date }>(
    `SELECT service, host, kind, name, version, last_seen FROM meshward.component
     WHERE service IN (SELECT value::integer FROM json_array_elements_text($1::json))`,
    [JSON.stringify([...new Set(seen.map(({ service }) => service))])],
  )) {
    stored.set(key(row), row.last_seen);
    counts.set(row.service, (counts.get(row.service) ?? 0) + 1);
  }
  const written = grouped(seen, key).flatMap((group) => {
    const row = { ...group[0], ...times(group) };
    const before = stored.get(key(row));
    if (before !== undefined) return row.last - before.getTime() >= GRAIN_MILLISECONDS ? [row] : [];
    const count = counts.get(group[0].service) ?? 0;
    if (count >= COMPONENTS) return [];
    counts.set(group[0].service, count + 1);
    return [row];
  });
  if (written.length === 0) return;
  await sql.query(
    `INSERT INTO meshward.component AS c (service, host, kind, name, version, method, route, first_seen, last_seen)
     SELECT service, host, kind, name, version, method, route, ${at("first")}, ${at("last")} FROM json_to_recordset($1::json)
       AS x(service integer, host text, kind text, name text, version text, method text, route text, first float8, last float8)
     ON CONFLICT (service, host, kind, name, version) DO UPDATE SET
       first_seen = least(c.first_seen, excluded.first_seen), last_seen = greatest(c.last_seen, excluded.last_seen)`,
    [JSON.stringify(written)],
  );
}
