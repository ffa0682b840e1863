/** Stored events, the newest first. */
import type { Event, Events, EventsQuery } from "./api.ts";
import { clean } from "./clean.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { Where, type Sql } from "./database.ts";
import type { NewEvent } from "./event.ts";
import { commonOf, told, type CommonRow } from "./findings.ts";

interface EventRow
  extends
    CommonRow,
    Pick<NewEvent, "instance" | "version" | "policy" | "outcome" | "mode" | "exception" | "span_id" | "principal">,
    Pick<NewEvent, "direction" | "status" | "host" | "scheme"> {
  id: number;
  time: Date;
  received: Date;
}

const eventOf = (row: EventRow): Event => ({
  id: String(row.id),
  time: row.time.toISOString(),
  received: row.received.toISOString(),
  ...commonOf(row),
  instance: told(row.instance),
  outcome: row.outcome,
  mode: told(row.mode),
  exception: told(row.exception),
  span_id: told(row.span_id),
  principal: told(row.principal),
  direction: told(row.direction) as Event["direction"],
  status: row.status === 0 ? null : row.status,
  host: told(row.host),
  scheme: told(row.scheme),
  version: told(row.version),
  policy: told(row.policy),
});

export async function listEvents(sql: Sql, query: EventsQuery): Promise<Events> {
  const where = new Where();
  where.add("e.id < ?::bigint", decodeCursor(query.cursor, ["number"])?.[0] ?? Number.MAX_SAFE_INTEGER);
  if (query.request_id !== undefined) {
    // The index holds what has an id.
    where.add("e.request_id <> '' AND e.request_id = ?::text", clean(query.request_id, 64).toLowerCase());
  }
  if (query.fingerprint !== undefined) where.add("e.fingerprint = ?::text", query.fingerprint);
  if (query.service !== undefined) where.add("s.name = ?::text", clean(query.service, 256));
  const rows = await sql.query<EventRow>(
    `SELECT e.*, s.name AS service_name, s.namespace FROM meshward.event e JOIN meshward.service s ON s.id = e.service
     ${String(where)} ORDER BY e.id DESC LIMIT ${query.limit + 1}`,
    where.parameters,
  );
  const shown = rows.slice(0, query.limit);
  return {
    events: shown.map(eventOf),
    next_cursor: rows.length > shown.length ? encodeCursor([shown.at(-1)!.id]) : null,
  };
}
