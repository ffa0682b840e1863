/**
 * What is old goes, in pieces that do not hold up ingest for long: events by age and number, then findings, endpoints, what was seen of
 * them, and services that nothing was seen of since. A finding that somebody decided on stays, so that the decision holds when it comes again.
 */
import type { Database } from "./database.ts";
import { OLDEST_MILLISECONDS } from "./event.ts";
import { AUDIT_ENTRIES, EVENTS } from "./limits.ts";
import { MINUTES_SECONDS, TREND_STEPS } from "./ingest.ts";

const CHUNK = 5_000;
/** Within that time an observation that is sent again is known again: senders come again within seconds. */
const AGAIN_SECONDS = 600;
/** A statement that takes too long ends the database: keys of observations go in so many pieces, by their first digit. */
const PIECES = "0123456789abcdef";

const UNITS: Record<string, number> = { d: 86_400, h: 3_600, m: 60 };

/** Seconds of "30d", "12h" or "90m"; null where it is not of that form, or less than a minute or more than ten years. */
export function parseRetention(text: string): number | null {
  const [, number, unit] = /^(\d{1,6})([dhm])$/.exec(text) ?? [];
  const seconds = number === undefined ? 0 : Number(number) * UNITS[unit!]!;
  return seconds >= 60 && seconds <= 3_650 * 86_400 ? seconds : null;
}

export interface Removed {
  events: number;
  findings: number;
}

/** What grows fastest, for in between: events beyond `most`, and keys of observations; how many events. */
export async function removeExcess(database: Database, now: Date, most = EVENTS): Promise<number> {
  for (const digit of PIECES) {
    const [first, last] = ["0", "f"].map((rest) => digit + rest.repeat(31));
    await database.query(
      "DELETE FROM meshward.observation WHERE key BETWEEN $1::uuid AND $2::uuid AND received < to_timestamp($3::float8)",
      [first!, last!, now.getTime() / 1000 - AGAIN_SECONDS],
    );
  }
  return removeEvents(database, 0, most);
}

/** Removes events received before `before`, in seconds, and those beyond `most`. */
async function removeEvents(database: Database, before: number, most: number): Promise<number> {
  for (let events = 0; ;) {
    // By id, which rises with the time of receipt: no index of times is needed.
    const removed = await database.query<{ id: number }>(
      `DELETE FROM meshward.event WHERE id IN (SELECT id FROM meshward.event ORDER BY id LIMIT ${CHUNK})
       AND (received < to_timestamp($1::float8) OR id <= (SELECT max(id) FROM meshward.event) - $2::bigint) RETURNING id`,
      [before, most],
    );
    events += removed.length;
    if (removed.length < CHUNK) return events;
  }
}

/** Removes what is older than `seconds` before `now`, and events beyond `most`. */
export async function removeOld(database: Database, seconds: number, now: Date, most = EVENTS): Promise<Removed> {
  const before = now.getTime() / 1000 - seconds;
  const events = (await removeExcess(database, now, most)) + (await removeEvents(database, before, most));
  // Muted ones whose time has come are open.
  const reopened = `UPDATE meshward.finding SET state = 'open', until = NULL
    WHERE state = 'muted' AND until <= to_timestamp($1::float8) RETURNING fingerprint`;
  await database.query(
    `WITH opened AS (${reopened}) INSERT INTO meshward.audit (time, who, action, fingerprint, detail)
     SELECT to_timestamp($1::float8), 'collector', 'state', fingerprint, '{"from":"muted","to":"open"}' FROM opened`,
    [now.getTime() / 1000],
  );
  const findings = await database.query(
    `DELETE FROM meshward.finding f WHERE state = 'open' AND last_seen < to_timestamp($1::float8)
     AND NOT EXISTS (SELECT FROM meshward.event e WHERE e.fingerprint = f.fingerprint) RETURNING fingerprint`,
    [before],
  );
  await database.query(
    `DELETE FROM meshward.trend WHERE start < to_timestamp($1::float8)
     OR (step = ${TREND_STEPS.minute} AND start < to_timestamp($2::float8))`,
    [before, now.getTime() / 1000 - MINUTES_SECONDS],
  );
  for (const table of ["trait", "component", "operation"]) {
    await database.query(`DELETE FROM meshward.${table} WHERE last_seen < to_timestamp($1::float8)`, [before]);
  }
  await database.query("DELETE FROM meshward.endpoint WHERE last_seen < to_timestamp($1::float8)", [before]);
  await database.query(
    `DELETE FROM meshward.service s WHERE last_seen < to_timestamp($1::float8)
     AND NOT EXISTS (SELECT FROM meshward.finding f WHERE f.service = s.id)`,
    // Its last event was received within a week of its time, so none is left.
    [before - OLDEST_MILLISECONDS / 1000],
  );
  await database.query("DELETE FROM meshward.audit WHERE id <= (SELECT max(id) FROM meshward.audit) - $1::bigint", [
    AUDIT_ENTRIES,
  ]);
  return { events, findings: findings.length };
}
