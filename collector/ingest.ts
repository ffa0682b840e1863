/**
 * Stores the events and observations of a request in one transaction: those that are there already are passed over, the other events
 * are added up into findings, services, endpoints and the trend, the other observations into the inventory (observe.ts). What the
 * inventory shows (judge.ts) is stored in the same way.
 */
import { setImmediate as turn } from "node:timers/promises";
import { STAGES, WINDOWS } from "./api.ts";
import { isStatementFault, type Database, type Sql } from "./database.ts";
import { fingerprintOf, OUTCOMES, type NewEvent, type Outcome, type Sender } from "./event.ts";
import { inventoryOf } from "./inventory.ts";
import { judge, type Check } from "./judge.ts";
import { ENDPOINTS, FINGERPRINTS, SERVICES } from "./limits.ts";
import type { Observation } from "./observation.ts";
import { createObserver, type Observed, type OperationCaps } from "./observe.ts";
import { at, grouped, rowKey, times } from "./rows.ts";

export const OTHER = "other";
/** Steps of the trend that are stored; the windows' steps are multiples of these. */
export const TREND_STEPS = { minute: WINDOWS["1h"].step, hour: 3_600 } as const;

/** Minutes of the trend are kept as long as a window of them looks back, and an hour. */
export const MINUTES_SECONDS = 25 * 3_600;

/** What is told apart at most. */
export interface Caps {
  services: number;
  endpoints: number;
  fingerprints: number;
}
export const CAPS: Caps = { services: SERVICES, endpoints: ENDPOINTS, fingerprints: FINGERPRINTS };

export type OtherCounts = Record<keyof Caps | "operations", number>;
const noOther = (): OtherCounts => ({ services: 0, endpoints: 0, fingerprints: 0, operations: 0 });

/** What became of a request's events. */
export interface Stored {
  /** The new ones, as they were stored. */
  events: readonly NewEvent[];
  duplicates: number;
  other: OtherCounts;
  observed: Observed;
}

export interface Ingest {
  store(events: readonly NewEvent[], now: number, observations?: readonly Observation[]): Promise<Stored>;
  /**
   * Looks for flaws at the services of which something was observed since the last time, the first time at all of them. Those that it
   * does not come to within so many milliseconds are for the next time.
   */
  judge(now: number, milliseconds?: number): Promise<Stored>;
  /** Forgets which names are in the database: it may have lost some, or got others from another collector. */
  forget(): void;
}

/** An event with where it is put. */
interface Placed extends NewEvent {
  fingerprint: string;
  service_id: number;
}

type Named = Pick<Sender, "namespace" | "service">;
const serviceKey = ({ namespace, service }: Named): string => `${namespace}/${service}`;
const endpointKey = (event: NewEvent): string =>
  [event.namespace, event.service, event.method, event.route].join("\u0001");

/** Services that are judged in one transaction, and how long all are at a time: requests of ingest wait for it. */
const JUDGED_AT_ONCE = 5;
const JUDGE_MILLISECONDS = 2_000;

/** Ingest into `database`. One at a time: nothing must be called before the last call has ended. */
export function createIngest(
  database: Database,
  caps: Caps = CAPS,
  operationCaps?: OperationCaps,
  checks: readonly Check[] = [],
): Ingest {
  /** Ids of services that are to be judged; null for all. */
  let unjudged: Set<number> | null = null;
  const known = new Map<keyof Caps, Set<string>>();
  const observer = createObserver(operationCaps);
  const forget = (): void => {
    known.clear();
    observer.forget();
  };

  /**
   * Of `names`, those that may be used: stored already, or as many new ones as there is room for. What is taken for stored here is
   * written in the same transaction; where that fails, all is forgotten.
   */
  const admitted = async (
    sql: Sql,
    kind: keyof Caps,
    names: ReadonlySet<string>,
  ): Promise<(name: string) => boolean> => {
    let stored = known.get(kind);
    if (stored === undefined) {
      stored = new Set((await sql.query<{ name: string }>(NAMES[kind])).map(({ name }) => name));
      known.set(kind, stored);
    }
    for (const name of names) if (stored.size < caps[kind]) stored.add(name);
    return (name) => stored.has(name);
  };

  const place = async (
    sql: Sql,
    given: readonly NewEvent[],
    observed: readonly Observation[],
  ): Promise<{ events: NewEvent[]; observations: Observation[]; other: OtherCounts }> => {
    const other = noOther();
    const isService = await admitted(sql, "services", new Set([...given, ...observed].map(serviceKey)));
    const inService = <One extends Named>(one: One): One => {
      if (isService(serviceKey(one))) return one;
      other.services++;
      return { ...one, namespace: "", service: OTHER };
    };
    let events = given.map(inService);
    const namesOf = (name: (event: NewEvent) => string): Set<string> => new Set(events.map(name));
    const isEndpoint = await admitted(sql, "endpoints", namesOf(endpointKey));
    events = events.map((event) => {
      if (isEndpoint(endpointKey(event))) return event;
      other.endpoints++;
      return { ...event, method: OTHER, route: OTHER };
    });
    const isFingerprint = await admitted(sql, "fingerprints", namesOf(fingerprintOf));
    events = events.map((event) => {
      if (isFingerprint(fingerprintOf(event))) return event;
      other.fingerprints++;
      return { ...event, rule: OTHER, class: OTHER, part: OTHER, parameter: OTHER, method: OTHER, route: OTHER };
    });
    return { events, observations: observed.map(inService), other };
  };

  /** Stores in a transaction that is under way. */
  const storeIn = async (
    sql: Sql,
    given: readonly NewEvent[],
    now: number,
    seen: readonly Observation[],
  ): Promise<Stored> => {
    const { events, observations, other } = await place(sql, given, seen);
    const services = await storeServices(sql, [...events, ...observations]);
    const inService = <One extends Named>(one: One): One & { service_id: number } => ({
      ...one,
      service_id: services.get(serviceKey(one))!,
    });
    const placed = events.map((event) => ({ ...inService(event), fingerprint: fingerprintOf(event) }));
    const fresh = placed.length === 0 ? [] : await storeEvents(sql, placed, now);
    const sighted = observations.map((observation) => ({ ...inService(observation), events: 0 }));
    const observed = sighted.length === 0 ? NOTHING_OBSERVED : await observer.store(sql, sighted, now);
    other.operations = observed.other;
    if (fresh.length + observed.stored > 0) {
      await countServices(sql, [...fresh.map((event) => ({ ...event, events: 1 })), ...sighted]);
      await storeOther(sql, other);
    }
    if (fresh.length > 0) {
      await storeEndpoints(sql, fresh);
      await storeFindings(sql, fresh, now);
      await storeTrend(sql, fresh, now);
    }
    return { events: fresh, duplicates: given.length - fresh.length, other, observed };
  };

  /** Does `work` in a transaction. Where that fails, what was known here is no longer. */
  const committed = async <Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> => {
    try {
      return await database.transaction(work);
    } catch (error) {
      forget();
      throw error;
    }
  };

  return {
    forget,
    async store(events, now, observations = []) {
      if (events.length + observations.length === 0) return nothingStored();
      const attempt = (): Promise<Stored> => committed((sql) => storeIn(sql, events, now, observations));
      const stored = await attempt().catch((error: unknown) => {
        // Another collector may have deleted what was known here; anything else fails again.
        if (!isStatementFault(error)) throw error;
        return attempt();
      });
      for (const id of stored.observed.services) unjudged?.add(id);
      return stored;
    },
    async judge(now, milliseconds = JUDGE_MILLISECONDS) {
      const until = performance.now() + milliseconds;
      const total = nothingStored();
      if (checks.length === 0) return total;
      const ids: number[] =
        unjudged === null
          ? (await database.query<{ id: number }>("SELECT id FROM meshward.service ORDER BY id")).map(({ id }) => id)
          : [...unjudged].sort((a, b) => a - b);
      unjudged ??= new Set(ids);
      for (let from = 0; from < ids.length; from += JUDGED_AT_ONCE) {
        if (from > 0 && performance.now() > until) break;
        const some = ids.slice(from, from + JUDGED_AT_ONCE);
        const stored = await committed(async (sql) => {
          const events: NewEvent[] = [];
          for (const inventory of await inventoryOf(sql, some)) {
            events.push(...judge(inventory, checks, now));
            // Somebody may want the page meanwhile.
            await turn();
          }
          return storeIn(sql, events, now, []);
        });
        for (const id of some) unjudged.delete(id);
        total.events.push(...stored.events);
        for (const what of Object.keys(total.other) as (keyof OtherCounts)[]) total.other[what] += stored.other[what];
      }
      return total;
    },
  };
}

const NOTHING_OBSERVED: Observed = { stored: 0, duplicates: 0, unanswered: 0, other: 0, services: new Set() };

const nothingStored = (): Stored & { events: NewEvent[] } => ({
  events: [],
  duplicates: 0,
  other: noOther(),
  observed: NOTHING_OBSERVED,
});

/** All names of a kind, as the keys above. */
const NAMES: Record<keyof Caps, string> = {
  services: "SELECT namespace || '/' || name AS name FROM meshward.service",
  endpoints: `SELECT concat_ws(chr(1), s.namespace, s.name, e.method, e.route) AS name
    FROM meshward.endpoint e JOIN meshward.service s ON s.id = e.service`,
  fingerprints: "SELECT fingerprint AS name FROM meshward.finding",
};

/** The ids of all services that sent these, those that were not there among them. */
async function storeServices(sql: Sql, sent: readonly (Sender & { time: number })[]): Promise<Map<string, number>> {
  const rows = grouped(sent, serviceKey).map((group) => {
    const { namespace, service: name, version, policy } = group[0];
    return { namespace, name, version, policy, ...times(group) };
  });
  const values = JSON.stringify(rows);
  const find = `SELECT s.id, s.namespace, s.name FROM meshward.service s
    JOIN json_to_recordset($1::json) AS x(namespace text, name text) ON s.namespace = x.namespace AND s.name = x.name`;
  type Service = { id: number; namespace: string; name: string };
  let found = await sql.query<Service>(find, [values]);
  if (found.length < rows.length) {
    await sql.query(
      `INSERT INTO meshward.service (namespace, name, first_seen, last_seen, events, version, policy)
       SELECT namespace, name, ${at("first")}, ${at("last")}, 0, version, policy FROM json_to_recordset($1::json)
         AS x(namespace text, name text, first float8, last float8, version text, policy text)
       ON CONFLICT DO NOTHING`,
      [values],
    );
    found = await sql.query<Service>(find, [values]);
  }
  return new Map(found.map(({ id, namespace, name }) => [serviceKey({ namespace, service: name }), id]));
}

/** Something of a service that is so many events. */
type Counted = Pick<Placed, "service_id" | "version" | "policy" | "time"> & { events: number };

async function countServices(sql: Sql, sent: readonly Counted[]): Promise<void> {
  const rows = grouped(sent, ({ service_id: id }) => rowKey(id)).map((group) => {
    const newest = group.at(-1)!;
    return {
      id: newest.service_id,
      events: group.reduce((sum, { events }) => sum + events, 0),
      version: newest.version,
      policy: newest.policy,
      ...times(group),
    };
  });
  await sql.query(
    `UPDATE meshward.service s SET events = s.events + x.events,
       version = coalesce(nullif(x.version, ''), s.version), policy = coalesce(nullif(x.policy, ''), s.policy),
       first_seen = least(s.first_seen, ${at("x.first")}), last_seen = greatest(s.last_seen, ${at("x.last")})
     FROM json_to_recordset($1::json)
       AS x(id integer, events bigint, first float8, last float8, version text, policy text) WHERE s.id = x.id`,
    [JSON.stringify(rows)],
  );
}

/** The events that were not there yet. */
async function storeEvents(sql: Sql, events: readonly Placed[], now: number): Promise<Placed[]> {
  const byKey = new Map(events.map((event) => [event.key, event]));
  const columns = EVENT_COLUMNS.map(([name]) => name).join(", ");
  const kinds = EVENT_COLUMNS.map(([name, kind]) => `${name} ${kind}`).join(", ");
  const inserted = await sql.query<{ key: string }>(
    `INSERT INTO meshward.event (key, time, received, service, ${columns})
     SELECT key::uuid, ${at("x.time")}, ${at("$2::float8")}, service_id, ${columns} FROM json_to_recordset($1::json)
       AS x(key text, time float8, service_id integer, ${kinds})
     ON CONFLICT (key) DO NOTHING RETURNING replace(key::text, '-', '') AS key`,
    [JSON.stringify([...byKey.values()]), now],
  );
  return inserted.length === events.length ? [...events] : inserted.map(({ key }) => byKey.get(key)!);
}

/** Columns of events that are stored as they are named in `NewEvent`. */
const EVENT_COLUMNS = [
  ...[
    "fingerprint",
    "instance",
    "version",
    "policy",
    "rule",
    "class",
    "method",
    "route",
    "part",
    "parameter",
    "evidence",
  ],
  ...["outcome", "mode", "exception", "request_id", "trace_id", "span_id", "principal", "direction", "host", "scheme"],
]
  .map((name): [string, string] => [name, "text"])
  .concat(
    ["severity", "stage", "confidence", "status"].map((name): [string, string] => [name, "smallint"]),
    ["cwe", "hops"].map((name): [string, string] => [name, "jsonb"]),
  );

async function storeEndpoints(sql: Sql, events: readonly Placed[]): Promise<void> {
  const keyOf = ({ service_id: id, method, route }: Placed): string => rowKey(id, method, route);
  const rows = grouped(events, keyOf).map((group) => {
    const { service_id: service, method, route } = group[0];
    return { service, method, route, events: group.length, ...times(group) };
  });
  await sql.query(
    `INSERT INTO meshward.endpoint AS e (service, method, route, first_seen, last_seen, events)
     SELECT service, method, route, ${at("first")}, ${at("last")}, events FROM json_to_recordset($1::json)
       AS x(service integer, method text, route text, first float8, last float8, events bigint)
     ON CONFLICT (service, method, route) DO UPDATE SET events = e.events + excluded.events,
       first_seen = least(e.first_seen, excluded.first_seen), last_seen = greatest(e.last_seen, excluded.last_seen)`,
    [JSON.stringify(rows)],
  );
}

const outcomesOf = (events: readonly NewEvent[]): Record<Outcome, number> => {
  const counts = { allowed: 0, denied: 0, would_deny: 0, partial: 0, error: 0 };
  for (const { outcome } of events) counts[outcome]++;
  return counts;
};
const OUTCOME_KINDS = OUTCOMES.map((name) => `${name} bigint`).join(", ");
const addedOutcomes = (table: string): string =>
  OUTCOMES.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(", ");

/**
 * One row a finding. Its stage only rises; evidence, confidence and hops are those of the newest event of the highest stage, request
 * and trace those of the newest of all. One that was decided on is open again when its stage rises: that is not what was decided on.
 */
async function storeFindings(sql: Sql, events: readonly Placed[], now: number): Promise<void> {
  const rows = grouped(events, ({ fingerprint }) => fingerprint).map((group) => {
    const newest = group.reduce((best, event) => (event.time >= best.time ? event : best));
    const best = group.reduce((top, event) =>
      event.stage > top.stage || (event.stage === top.stage && event.time >= top.time) ? event : top,
    );
    const { time: stage_time, ...rest } = best;
    const { request_id, trace_id } = newest;
    return { ...rest, stage_time, request_id, trace_id, count: group.length, ...outcomesOf(group), ...times(group) };
  });
  const texts = [
    "fingerprint",
    "rule",
    "class",
    "method",
    "route",
    "part",
    "parameter",
    "evidence",
    "request_id",
    "trace_id",
  ];
  const smalls = ["severity", "stage", "confidence"];
  const lists = ["cwe", "hops"];
  const columns = [...texts, ...smalls, ...lists, "count", ...OUTCOMES].join(", ");
  const kinds = [
    ...texts.map((name) => `${name} text`),
    ...smalls.map((name) => `${name} smallint`),
    ...lists.map((name) => `${name} jsonb`),
    OUTCOME_KINDS,
  ].join(", ");
  const isBetter = "(excluded.stage, excluded.stage_time) >= (f.stage, f.stage_time)";
  const better = ["evidence", "confidence", "hops", "cwe", "severity", "class", "stage_time"].map(
    (name) => `${name} = CASE WHEN ${isBetter} THEN excluded.${name} ELSE f.${name} END`,
  );
  const newer = ["request_id", "trace_id"].map(
    (name) => `${name} = CASE WHEN excluded.last_seen >= f.last_seen THEN excluded.${name} ELSE f.${name} END`,
  );
  const values = JSON.stringify(rows);
  await sql.query(
    `INSERT INTO meshward.audit (time, who, action, fingerprint, detail)
     SELECT ${at("$2::float8")}, 'collector', 'state', f.fingerprint,
       json_build_object('from', f.state, 'to', 'open', 'stage', x.stage)::text
     FROM meshward.finding f JOIN json_to_recordset($1::json) AS x(fingerprint text, stage smallint)
       ON x.fingerprint = f.fingerprint AND x.stage > f.stage AND f.state <> 'open'`,
    [values, now],
  );
  await sql.query(
    `INSERT INTO meshward.finding AS f (service, stage_time, first_seen, last_seen, ${columns})
     SELECT service_id, ${at("stage_time")}, ${at("first")}, ${at("last")}, ${columns} FROM json_to_recordset($1::json)
       AS x(service_id integer, stage_time float8, first float8, last float8, count bigint, ${kinds})
     ON CONFLICT (fingerprint) DO UPDATE SET stage = greatest(f.stage, excluded.stage), count = f.count + excluded.count,
       first_seen = least(f.first_seen, excluded.first_seen), last_seen = greatest(f.last_seen, excluded.last_seen),
       state = CASE WHEN excluded.stage > f.stage THEN 'open' ELSE f.state END,
       until = CASE WHEN excluded.stage > f.stage THEN NULL ELSE f.until END,
       ${[...better, ...newer].join(", ")}, ${addedOutcomes("f")}`,
    [values],
  );
}

async function storeTrend(sql: Sql, events: readonly Placed[], now: number): Promise<void> {
  const rows = Object.values(TREND_STEPS).flatMap((step) => {
    const startOf = ({ time }: NewEvent): number => Math.floor(time / 1000 / step) * step;
    // What would be removed at once is not written: times are the senders' to choose, within a week.
    const isKept = ({ time }: NewEvent): boolean => step > TREND_STEPS.minute || time > now - MINUTES_SECONDS * 1000;
    return grouped(events.filter(isKept), (event) => `${startOf(event)} ${event.service_id}`).map((group) => {
      const stages = Object.fromEntries(
        STAGES.map((name, place) => [name, group.filter(({ stage }) => stage === place).length]),
      );
      return { step, start: startOf(group[0]) * 1000, service: group[0].service_id, ...stages, ...outcomesOf(group) };
    });
  });
  const counts = [...STAGES, ...OUTCOMES];
  await sql.query(
    `INSERT INTO meshward.trend AS t (step, start, service, ${counts.join(", ")})
     SELECT step, ${at("start")}, service, ${counts.join(", ")} FROM json_to_recordset($1::json)
       AS x(step integer, start float8, service integer, ${counts.map((name) => `${name} bigint`).join(", ")})
     ON CONFLICT (step, start, service) DO UPDATE SET
       ${counts.map((name) => `${name} = t.${name} + excluded.${name}`).join(", ")}`,
    [JSON.stringify(rows)],
  );
}

async function storeOther(sql: Sql, other: OtherCounts): Promise<void> {
  const rows = Object.entries(other).filter(([, events]) => events > 0);
  if (rows.length === 0) return;
  await sql.query(
    `INSERT INTO meshward.other AS o SELECT what, events FROM json_to_recordset($1::json) AS x(what text, events bigint)
     ON CONFLICT (what) DO UPDATE SET events = o.events + excluded.events`,
    [JSON.stringify(rows.map(([what, events]) => ({ what, events })))],
  );
}
