/** Findings and events in figures: the summary, the trend, the services. */
import {
  SEVERITIES,
  STAGES,
  STATES,
  WINDOWS,
  type Services,
  type Summary,
  type Trend,
  type TrendQuery,
} from "./api.ts";
import { clean } from "./clean.ts";
import type { Parameter, Row, Sql } from "./database.ts";
import { OUTCOMES } from "./event.ts";
import { STATE_NOW, told } from "./findings.ts";
import { TREND_STEPS } from "./ingest.ts";
import { ENDPOINT_SERIES } from "./limits.ts";
import type { EndpointCount, FindingCount } from "./metrics.ts";

/** A count for each of `names`. */
const zeros = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;

const OUTCOME_SUMS = OUTCOMES.map((name) => `coalesce(sum(${name}), 0)::bigint AS ${name}`).join(", ");
/** Each event has one stage. */
const EVENTS = STAGES.join(" + ");

export async function summarize(
  sql: Sql,
  now: Date,
  retentionSeconds: number,
  dropped: Readonly<Record<string, number>>,
): Promise<Summary> {
  const groups = await sql.query<{ stage: number; severity: number; state: (typeof STATES)[number]; count: number }>(
    `SELECT stage, severity, ${STATE_NOW} AS state, count(*) AS count FROM meshward.finding f GROUP BY 1, 2, 3`,
  );
  const findings = { total: 0, stages: zeros(STAGES), severities: zeros(SEVERITIES), states: zeros(STATES) };
  for (const { stage, severity, state, count } of groups) {
    findings.total += count;
    findings.states[state] += count;
    if (state !== "open") continue;
    findings.stages[STAGES[stage]!] += count;
    findings.severities[SEVERITIES[severity]!] += count;
  }
  const since = "start > to_timestamp($1::float8 / 1000.0) -";
  const minutes = `step = ${TREND_STEPS.minute} AND start <= to_timestamp($1::float8 / 1000.0)`;
  const [recent] = await sql.query<Record<string, number>>(
    `SELECT coalesce(sum(${EVENTS}) FILTER (WHERE ${since} interval '2 minutes'), 0)::bigint AS minute,
       coalesce(sum(${EVENTS}) FILTER (WHERE ${since} interval '1 hour'), 0)::bigint AS hour,
       coalesce(sum(${EVENTS}), 0)::bigint AS day, ${OUTCOME_SUMS}
     FROM meshward.trend WHERE ${minutes} AND ${since} interval '1 day'`,
    [now.getTime()],
  );
  const [services] = await sql.query<{ services: number; last: Date | null }>(
    "SELECT count(*) AS services, max(last_seen) AS last FROM meshward.service",
  );
  const other = zeros(["services", "endpoints", "fingerprints", "operations"]);
  for (const row of await sql.query<{ what: keyof typeof other; events: number }>("SELECT * FROM meshward.other")) {
    other[row.what] = row.events;
  }
  const { minute, hour, day, ...outcomes } = recent!;
  return {
    now: now.toISOString(),
    findings,
    events: { minute: minute!, hour: hour!, day: day!, outcomes },
    services: services!.services,
    last_event: services!.last?.toISOString() ?? null,
    retention_seconds: retentionSeconds,
    limits: { other, dropped: { ...dropped } },
  };
}

/** Open findings by what metrics tell of them. */
export async function countFindings(sql: Sql): Promise<(FindingCount & Row)[]> {
  return sql.query(
    `SELECT f.stage, f.severity, f.class, s.name AS service, s.namespace, count(*) AS count
     FROM meshward.finding f JOIN meshward.service s ON s.id = f.service WHERE ${STATE_NOW} = 'open' GROUP BY 1, 2, 3, 4, 5`,
  );
}

/** Open findings by endpoint and class, the surest and gravest first. */
export async function countByEndpoint(sql: Sql): Promise<(EndpointCount & Row)[]> {
  return sql.query(
    `SELECT f.stage, f.class, s.name AS service, s.namespace, f.method, f.route, count(*) AS count, sum(f.count)::bigint AS events
     FROM meshward.finding f JOIN meshward.service s ON s.id = f.service WHERE ${STATE_NOW} = 'open'
     GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1 DESC, max(f.severity) DESC, events DESC, 3, 4, 5, 6 LIMIT ${ENDPOINT_SERIES}`,
  );
}

interface TrendRow extends Row {
  start: Date;
  events: number;
  denied: number;
  attempted: number;
  likely: number;
  confirmed: number;
}

/** Points at equal distances, the last of them for now; those without events are there too. */
export async function trendOf(sql: Sql, { window, service }: TrendQuery, now: Date): Promise<Trend> {
  const { seconds, step } = WINDOWS[window];
  const stored = step % TREND_STEPS.hour === 0 ? TREND_STEPS.hour : TREND_STEPS.minute;
  const last = Math.floor(now.getTime() / 1000 / step) * step;
  const first = last - seconds + step;
  const parameters: Parameter[] = [first, last + step];
  if (service !== undefined) parameters.push(clean(service, 256));
  const rows = await sql.query<TrendRow>(
    `SELECT to_timestamp(floor(extract(epoch FROM t.start) / ${step}) * ${step}) AS start,
       sum(${EVENTS})::bigint AS events, sum(denied)::bigint AS denied,
       ${STAGES.map((name) => `sum(${name})::bigint AS ${name}`).join(", ")}
     FROM meshward.trend t JOIN meshward.service s ON s.id = t.service
     WHERE step = ${stored} AND start >= to_timestamp($1::float8) AND start < to_timestamp($2::float8)
       ${service === undefined ? "" : "AND s.name = $3::text"} GROUP BY 1`,
    parameters,
  );
  const found = new Map(rows.map(({ start, ...counts }) => [start.getTime() / 1000, counts]));
  const none = { events: 0, denied: 0, attempted: 0, likely: 0, confirmed: 0 };
  const points = Array.from({ length: seconds / step }, (_, place) => {
    const start = first + place * step;
    return { time: new Date(start * 1000).toISOString(), ...(found.get(start) ?? none) };
  });
  return { step_seconds: step, points };
}

interface ServiceRow extends Row {
  name: string;
  namespace: string;
  endpoints: number;
  attempted: number;
  likely: number;
  confirmed: number;
  events: number;
  first_seen: Date;
  last_seen: Date;
  version: string;
  policy: string;
}

export async function listServices(sql: Sql): Promise<Services> {
  const stages = STAGES.map((name, stage) => `count(*) FILTER (WHERE stage = ${stage}) AS ${name}`).join(", ");
  const rows = await sql.query<ServiceRow>(
    `SELECT s.*, coalesce(e.endpoints, 0) AS endpoints,
       ${STAGES.map((name) => `coalesce(g.${name}, 0) AS ${name}`).join(", ")}
     FROM meshward.service s
     LEFT JOIN (SELECT service, count(*) AS endpoints FROM (SELECT service, method, route FROM meshward.endpoint
       UNION SELECT service, method, route FROM meshward.operation WHERE direction = 'inbound') u GROUP BY 1) e
       ON e.service = s.id
     LEFT JOIN (SELECT service, ${stages} FROM meshward.finding f WHERE ${STATE_NOW} = 'open' GROUP BY 1) g
       ON g.service = s.id
     ORDER BY s.namespace, s.name`,
  );
  return {
    services: rows.map((row) => ({
      service: row.name,
      namespace: told(row.namespace),
      endpoints: row.endpoints,
      findings: { attempted: row.attempted, likely: row.likely, confirmed: row.confirmed },
      events: row.events,
      first_seen: row.first_seen.toISOString(),
      last_seen: row.last_seen.toISOString(),
      version: told(row.version),
      policy: told(row.policy),
    })),
  };
}
