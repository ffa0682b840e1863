/** Findings: listed, one of them, and decisions on them. */
import {
  SEVERITIES,
  STAGES,
  type Finding,
  type FindingDetail,
  type Findings,
  type FindingsQuery,
  type State,
  type StateChange,
} from "./api.ts";
import { ruleText } from "../scripts/policy/rule-texts.ts";
import { addAudit } from "./audit.ts";
import { clean } from "./clean.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { Where, type Database, type Row, type Sql } from "./database.ts";
import { exceptionFor } from "./exception.ts";
import { OUTCOMES, type NewEvent, type Outcome } from "./event.ts";
import { OTHER } from "./ingest.ts";

/** The state as it is now: a muted finding whose time has come is open. */
export const STATE_NOW = "CASE WHEN f.state = 'muted' AND f.until <= now() THEN 'open' ELSE f.state END";

/** What a finding and its events have in common in their tables. */
export interface CommonRow
  extends
    Row,
    Pick<NewEvent, "rule" | "class" | "cwe" | "severity" | "stage" | "confidence" | "namespace" | "method" | "route">,
    Pick<NewEvent, "part" | "parameter" | "evidence" | "request_id" | "trace_id" | "hops"> {
  fingerprint: string;
  service_name: string;
}

interface FindingRow extends CommonRow, Record<Outcome, number> {
  count: number;
  first_seen: Date;
  last_seen: Date;
  state_now: State;
  until: Date | null;
  note: string;
}

const SELECT = `SELECT f.*, s.name AS service_name, s.namespace, ${STATE_NOW} AS state_now
  FROM meshward.finding f JOIN meshward.service s ON s.id = f.service`;

/** "" stands in the tables for what was not told. */
export const told = (text: string): string | null => (text === "" ? null : text);

/** What a finding and its events tell alike. */
export const commonOf = (row: CommonRow) => ({
  fingerprint: row.fingerprint,
  rule: row.rule,
  class: row.class,
  cwe: row.cwe,
  severity: SEVERITIES[row.severity]!,
  stage: STAGES[row.stage]!,
  confidence: row.confidence,
  service: row.service_name,
  namespace: told(row.namespace),
  method: row.method,
  route: row.route,
  part: row.part,
  parameter: told(row.parameter),
  evidence: row.evidence,
  request_id: told(row.request_id),
  trace_id: told(row.trace_id),
  hops: row.hops,
});

function findingOf(row: FindingRow): Finding {
  return {
    ...commonOf(row),
    count: row.count,
    first_seen: row.first_seen.toISOString(),
    last_seen: row.last_seen.toISOString(),
    state: row.state_now,
    until: row.state_now === "muted" ? (row.until?.toISOString() ?? null) : null,
    note: told(row.note),
    outcomes: Object.fromEntries(OUTCOMES.filter((name) => row[name] > 0).map((name) => [name, row[name]])),
  };
}

/** Values of a fixed set, as they stand in the statement itself. */
const places = (names: readonly string[], wanted: readonly string[]): string =>
  wanted.map((name) => names.indexOf(name)).join(", ");

export async function listFindings(sql: Sql, query: FindingsQuery): Promise<Findings> {
  const where = new Where();
  if (query.stage !== undefined) where.add(`f.stage IN (${places(STAGES, query.stage)})`);
  if (query.severity !== undefined) where.add(`f.severity IN (${places(SEVERITIES, query.severity)})`);
  if (query.state !== undefined) where.add(`${STATE_NOW} IN (${query.state.map((state) => `'${state}'`).join(", ")})`);
  if (query.service !== undefined) where.add("s.name = ?::text", clean(query.service, 256));
  if (query.namespace !== undefined) where.add("s.namespace = ?::text", clean(query.namespace, 256));
  if (query.class !== undefined) where.add("f.class = ?::text", clean(query.class, 64));
  if (query.text !== undefined) {
    const searched = "f.rule, f.class, s.namespace, s.name, f.method, f.route, f.parameter, f.evidence";
    where.add(`position(lower(?::text) IN lower(concat_ws(' ', ${searched}))) > 0`, clean(query.text, 200));
  }
  const [counted] = await sql.query<{ total: number }>(
    `SELECT count(*) AS total FROM meshward.finding f JOIN meshward.service s ON s.id = f.service ${String(where)}`,
    where.parameters,
  );
  const isRanked = query.sort === "rank";
  const keys = isRanked ? "f.stage, f.severity, f.last_seen, f.fingerprint" : "f.last_seen, f.fingerprint";
  const kinds = isRanked ? (["number", "number", "number", "string"] as const) : (["number", "string"] as const);
  const after = decodeCursor(query.cursor, kinds);
  if (after !== null) {
    const time = "to_timestamp(?::float8 / 1000.0)";
    const values = isRanked ? `?::integer, ?::integer, ${time}, ?::text` : `${time}, ?::text`;
    where.add(`(${keys}) < (${values})`, ...after);
  }
  const order = keys.replaceAll(",", " DESC,");
  const rows = await sql.query<FindingRow>(
    `${SELECT} ${String(where)} ORDER BY ${order} DESC LIMIT ${query.limit + 1}`,
    where.parameters,
  );
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  const next = (row: FindingRow): string => {
    const recent = [row.last_seen.getTime(), row.fingerprint];
    return encodeCursor(isRanked ? [row.stage, row.severity, ...recent] : recent);
  };
  return {
    findings: shown.map(findingOf),
    total: counted!.total,
    next_cursor: rows.length > shown.length && last !== undefined ? next(last) : null,
  };
}

/** One finding; null where there is none. */
export async function findingAt(sql: Sql, fingerprint: string, now: Date): Promise<FindingDetail | null> {
  const [row] = await sql.query<FindingRow>(`${SELECT} WHERE f.fingerprint = $1::text`, [fingerprint]);
  if (row === undefined) return null;
  const finding = findingOf(row);
  const text = ruleText(finding.rule);
  return {
    ...finding,
    rule_text:
      text === null
        ? null
        : { summary: text.summary, reason: text.reason, blind: text.blind, remedy: { ...text.remedy } },
    exception: exceptionOf(finding, now),
  };
}

/** As `exceptionFor`; what was put together has no place of its own. */
function exceptionOf(finding: Finding, now: Date): string | null {
  return [finding.rule, finding.route, finding.part].includes(OTHER) ? null : exceptionFor(finding, now);
}

/** Puts a finding into another state, and says so in the audit log; null where there is no such finding. */
export async function changeState(
  database: Database,
  fingerprint: string,
  { state, until, note }: StateChange,
  who: string,
  now: Date,
): Promise<FindingDetail | null> {
  return database.transaction(async (sql) => {
    const [row] = await sql.query<{ state_now: string }>(
      `SELECT ${STATE_NOW} AS state_now FROM meshward.finding f WHERE f.fingerprint = $1::text FOR UPDATE`,
      [fingerprint],
    );
    if (row === undefined) return null;
    const end = until === undefined ? null : new Date(until);
    const kept = note === undefined ? null : clean(note, 1_000);
    await sql.query(
      `UPDATE meshward.finding SET state = $2::text, until = to_timestamp($3::float8 / 1000.0), note = coalesce($4::text, note)
       WHERE fingerprint = $1::text`,
      [fingerprint, state, end?.getTime() ?? null, kept],
    );
    const detail = { from: row.state_now, to: state, until: end?.toISOString(), note: kept ?? undefined };
    await addAudit(sql, { who, action: "state", fingerprint, detail }, now);
    return findingAt(sql, fingerprint, now);
  });
}
