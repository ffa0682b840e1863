/**
 * The tables, by numbered steps. A step that has been released is never changed: a change is another step. All steps that a database
 * lacks are applied in one transaction under a lock, so that two collectors may start at once.
 *
 * Tables whose rows are added up have room in their pages, and no index on what changes: then PostgreSQL updates in place, and the
 * tables do not grow.
 */
import type { Database } from "./database.ts";

export class NewerDatabaseError extends Error {}

/** Step n makes a database of n-1 one of n. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meshward.service (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    namespace text NOT NULL,
    name text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    events bigint NOT NULL,
    version text NOT NULL,
    policy text NOT NULL,
    UNIQUE (namespace, name)
  ) WITH (fillfactor = 70);
  CREATE TABLE meshward.endpoint (
    service integer NOT NULL REFERENCES meshward.service ON DELETE CASCADE,
    method text NOT NULL,
    route text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (service, method, route)
  ) WITH (fillfactor = 70);
  CREATE TABLE meshward.finding (
    fingerprint text PRIMARY KEY,
    service integer NOT NULL REFERENCES meshward.service,
    rule text NOT NULL,
    class text NOT NULL,
    cwe jsonb NOT NULL,
    severity smallint NOT NULL,
    stage smallint NOT NULL,
    stage_time timestamptz NOT NULL,
    confidence smallint NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    part text NOT NULL,
    parameter text NOT NULL,
    evidence text NOT NULL,
    hops jsonb NOT NULL,
    count bigint NOT NULL,
    allowed bigint NOT NULL,
    denied bigint NOT NULL,
    would_deny bigint NOT NULL,
    partial bigint NOT NULL,
    error bigint NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    request_id text NOT NULL,
    trace_id text NOT NULL,
    state text NOT NULL DEFAULT 'open',
    until timestamptz,
    note text NOT NULL DEFAULT ''
  ) WITH (fillfactor = 70);
  CREATE TABLE meshward.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key uuid NOT NULL UNIQUE,
    time timestamptz NOT NULL,
    received timestamptz NOT NULL,
    fingerprint text NOT NULL,
    service integer NOT NULL REFERENCES meshward.service,
    instance text NOT NULL,
    version text NOT NULL,
    policy text NOT NULL,
    rule text NOT NULL,
    class text NOT NULL,
    cwe jsonb NOT NULL,
    severity smallint NOT NULL,
    stage smallint NOT NULL,
    confidence smallint NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    part text NOT NULL,
    parameter text NOT NULL,
    evidence text NOT NULL,
    outcome text NOT NULL,
    mode text NOT NULL,
    exception text NOT NULL,
    request_id text NOT NULL,
    trace_id text NOT NULL,
    span_id text NOT NULL,
    principal text NOT NULL,
    direction text NOT NULL,
    status smallint NOT NULL,
    host text NOT NULL,
    scheme text NOT NULL,
    hops jsonb NOT NULL
  );
  CREATE INDEX event_fingerprint ON meshward.event (fingerprint, id DESC);
  CREATE INDEX event_request ON meshward.event (request_id, id DESC) WHERE request_id <> '';
  CREATE TABLE meshward.trend (
    step integer NOT NULL,
    start timestamptz NOT NULL,
    service integer NOT NULL REFERENCES meshward.service ON DELETE CASCADE,
    attempted bigint NOT NULL,
    likely bigint NOT NULL,
    confirmed bigint NOT NULL,
    allowed bigint NOT NULL,
    denied bigint NOT NULL,
    would_deny bigint NOT NULL,
    partial bigint NOT NULL,
    error bigint NOT NULL,
    PRIMARY KEY (step, start, service)
  ) WITH (fillfactor = 70);
  CREATE TABLE meshward.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time timestamptz NOT NULL,
    who text NOT NULL,
    action text NOT NULL,
    fingerprint text NOT NULL,
    detail text NOT NULL
  );
  CREATE INDEX audit_fingerprint ON meshward.audit (fingerprint, id DESC);
  CREATE TABLE meshward.other (
    what text PRIMARY KEY,
    events bigint NOT NULL
  );
  `,
  `
  CREATE TABLE meshward.operation (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service integer NOT NULL REFERENCES meshward.service ON DELETE CASCADE,
    direction text NOT NULL,
    host text NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    changed timestamptz NOT NULL,
    count bigint NOT NULL,
    status_1xx bigint NOT NULL,
    status_2xx bigint NOT NULL,
    status_3xx bigint NOT NULL,
    status_4xx bigint NOT NULL,
    status_5xx bigint NOT NULL,
    anonymous bigint NOT NULL,
    basic bigint NOT NULL,
    bearer bigint NOT NULL,
    cookie bigint NOT NULL,
    api_key bigint NOT NULL,
    mtls bigint NOT NULL,
    refused bigint NOT NULL,
    UNIQUE (service, direction, host, method, route)
  ) WITH (fillfactor = 70);
  CREATE TABLE meshward.trait (
    operation integer NOT NULL REFERENCES meshward.operation ON DELETE CASCADE,
    kind text NOT NULL,
    part text NOT NULL,
    name text NOT NULL,
    types integer NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    PRIMARY KEY (operation, kind, part, name)
  ) WITH (fillfactor = 70);
  CREATE TABLE meshward.component (
    service integer NOT NULL REFERENCES meshward.service ON DELETE CASCADE,
    host text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    PRIMARY KEY (service, host, kind, name, version)
  ) WITH (fillfactor = 70);
  CREATE TABLE meshward.observation (
    key uuid PRIMARY KEY,
    received timestamptz NOT NULL
  );
  `,
  `
  ALTER TABLE meshward.component ADD COLUMN method text NOT NULL DEFAULT '', ADD COLUMN route text NOT NULL DEFAULT '';
  `,
];

/** Any number that no other program takes its locks by. */
const LOCK = 0x6d657368;

/** Brings the tables up to date. Rejects with `NewerDatabaseError` where a newer program has been at work. */
export async function migrate(database: Database, steps: readonly string[] = MIGRATIONS): Promise<void> {
  await database.transaction(async (sql) => {
    await sql.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    // Asked for by a query of its own: IF NOT EXISTS may look at what was there before the lock was waited for.
    const [there] = await sql.query<{ schemas: number; tables: number }>(
      `SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = 'meshward')::integer AS schemas,
        (SELECT count(*) FROM pg_tables WHERE schemaname = 'meshward' AND tablename = 'migration')::integer AS tables`,
    );
    if (there!.schemas === 0) await sql.query("CREATE SCHEMA meshward");
    if (there!.tables === 0) {
      await sql.query("CREATE TABLE meshward.migration (version integer PRIMARY KEY, applied timestamptz NOT NULL)");
    }
    const [row] = await sql.query<{ version: number }>(
      "SELECT coalesce(max(version), 0)::integer AS version FROM meshward.migration",
    );
    const version = row!.version;
    if (version > steps.length) {
      const known = `this program knows up to ${steps.length}`;
      throw new NewerDatabaseError(
        `the database is of a newer version of Meshward (tables ${version}, ${known}): upgrade`,
      );
    }
    for (const [at, step] of steps.entries()) {
      if (at < version) continue;
      for (const statement of step.split(";").filter((text) => text.trim() !== "")) await sql.query(statement);
      await sql.query("INSERT INTO meshward.migration VALUES ($1::integer, now())", [at + 1]);
    }
  });
}
