/** Stored events, the newest first. */
import { SEVERITIES, STAGES, type Event, type Events, type EventsQuery } from "./api.ts";
import { clean } from "./clean.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Parameter, Row, Sql } from "./database.ts";
import { told } from "./findings.ts";

interface EventRow extends Row {
  id: number;
  time: Date;
  received: Date;
  fingerprint: string;
  service_name: string;
  namespace: string;
  instance: string;
  version: string;
  policy: string;
  rule: string;
  class: string;
  cwe: number[];
  severity: number;
  stage: number;
  confidence: number;
  method: string;
  route: string;
  part: string;
  parameter: string;
  evidence: string;
  outcome: string;
  mode: string;
  exception: string;
  request_id: string;
  trace_id: string;
  span_id: string;
  principal: string;
  direction: string;
  status: number;
  host: string;
  scheme: string;
  hops: string[];
}

const eventOf = (row: EventRow): Event => ({
  id: String(row.id),
  time: row.time.toISOString(),
  received: row.received.toISOString(),
  fingerprint: row.fingerprint,
  rule: row.rule,
  class: row.class,
  cwe: row.cwe,
  severity: SEVERITIES[row.severity]!,
  stage: STAGES[row.stage]!,
  confidence: row.confidence,
  service: row.service_name,
  namespace: told(row.namespace),
  instance: told(row.instance),
  method: row.method,
  route: row.route,
  part: row.part,
  parameter: told(row.parameter),
  evidence: row.evidence,
  outcome: row.outcome,
  mode: told(row.mode),
  exception: told(row.exception),
  request_id: told(row.request_id),
  trace_id: told(row.trace_id),
  span_id: told(row.span_id),
  principal: told(row.principal),
  direction: told(row.direction) as Event["direction"],
  status: row.status === 0 ? null : row.status,
  host: told(row.host),
  scheme: told(row.scheme),
  hops: row.hops,
  version: told(row.version),
  policy: told(row.policy),
});

export async function listEvents(sql: Sql, query: EventsQuery): Promise<Events> {
  const parameters: Parameter[] = [decodeCursor(query.cursor, ["number"])?.[0] ?? Number.MAX_SAFE_INTEGER];
  const conditions = ["e.id < $1::bigint"];
  const add = (condition: string, value: string): void => {
    parameters.push(value);
    conditions.push(`${condition} = $${parameters.length}::text`);
  };
  if (query.request_id !== undefined) {
    // The index holds what has an id.
    conditions.push("e.request_id <> ''");
    add("e.request_id", clean(query.request_id, 64).toLowerCase());
  }
  if (query.fingerprint !== undefined) add("e.fingerprint", query.fingerprint);
  if (query.service !== undefined) add("s.name", clean(query.service, 256));
  const rows = await sql.query<EventRow>(
    `SELECT e.*, s.name AS service_name, s.namespace FROM meshward.event e JOIN meshward.service s ON s.id = e.service
     WHERE ${conditions.join(" AND ")} ORDER BY e.id DESC LIMIT ${query.limit + 1}`,
    parameters,
  );
  const shown = rows.slice(0, query.limit);
  return {
    events: shown.map(eventOf),
    next_cursor: rows.length > shown.length ? encodeCursor([shown.at(-1)!.id]) : null,
  };
}
