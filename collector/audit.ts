/** The audit log: who changed what, when. */
import type { Audit, AuditQuery } from "./api.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Parameter, Row, Sql } from "./database.ts";

interface Change {
  /** The token's name. */
  who: string;
  action: string;
  fingerprint?: string;
  detail: object;
}

export async function addAudit(sql: Sql, { who, action, fingerprint = "", detail }: Change, now: Date): Promise<void> {
  await sql.query(
    `INSERT INTO meshward.audit (time, who, action, fingerprint, detail)
     VALUES (to_timestamp($1::float8 / 1000.0), $2::text, $3::text, $4::text, $5::text)`,
    [now.getTime(), who, action, fingerprint, JSON.stringify(detail)],
  );
}

interface AuditRow extends Row {
  id: number;
  time: Date;
  who: string;
  action: string;
  fingerprint: string;
  detail: string;
}

export async function listAudit(sql: Sql, { fingerprint, limit, cursor }: AuditQuery): Promise<Audit> {
  const before = decodeCursor(cursor, ["number"])?.[0] ?? Number.MAX_SAFE_INTEGER;
  const parameters: Parameter[] = [before];
  if (fingerprint !== undefined) parameters.push(fingerprint);
  const rows = await sql.query<AuditRow>(
    `SELECT * FROM meshward.audit WHERE id < $1::bigint ${fingerprint === undefined ? "" : "AND fingerprint = $2::text"}
     ORDER BY id DESC LIMIT ${limit + 1}`,
    parameters,
  );
  const shown = rows.slice(0, limit);
  return {
    entries: shown.map(({ id, time, fingerprint: at, ...rest }) => ({
      ...rest,
      id: String(id),
      time: time.toISOString(),
      fingerprint: at === "" ? null : at,
    })),
    next_cursor: rows.length > shown.length ? encodeCursor([shown.at(-1)!.id]) : null,
  };
}
