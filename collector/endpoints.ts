/** Endpoints and components as they are listed. */
import {
  STAGES,
  type Components,
  type ComponentsQuery,
  type Endpoint,
  type Endpoints,
  type EndpointsQuery,
} from "./api.ts";
import { clean } from "./clean.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { Where, type Row, type Sql } from "./database.ts";
import { STATE_NOW, told } from "./findings.ts";
import { inventoryOf, operationsOf, type OperationRow, type ServiceInventory, type Sighting } from "./inventory.ts";

interface EndpointRow extends OperationRow {
  service_name: string;
  namespace: string;
}

/** What an OpenAPI document says of an inbound operation; null where there is none of the service. */
export type Documented = (
  service: { service: string; namespace: string },
  operation: { method: string; route: string },
) => Endpoint["documented"];

const FROM = "FROM meshward.operation o JOIN meshward.service s ON s.id = o.service";
/** Sort keys, the last of which tell any two rows apart. */
const ROUTE_KEYS = ["s.namespace", "s.name", "o.direction", "o.host", "o.route", "o.method"];

const seen = (sightings: readonly Sighting[]): Endpoint["hosts"] =>
  sightings.map(({ name, first_seen, last_seen }) => ({
    name,
    first_seen: first_seen.toISOString(),
    last_seen: last_seen.toISOString(),
  }));

/** Those that were counted at all. */
const counted = (counts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

export async function listEndpoints(sql: Sql, query: EndpointsQuery, documented: Documented): Promise<Endpoints> {
  const where = new Where();
  if (query.service !== undefined) where.add("s.name = ?::text", clean(query.service, 256));
  if (query.namespace !== undefined) where.add("s.namespace = ?::text", clean(query.namespace, 256));
  if (query.direction !== undefined) where.add("o.direction = ?::text", query.direction);
  if (query.host !== undefined) where.add("o.host = ?::text", clean(query.host, 256).toLowerCase());
  if (query.text !== undefined) {
    const part = clean(query.text, 200);
    where.add(
      `(position(lower(?::text) IN lower(concat_ws(' ', o.method, o.route, o.host))) > 0 OR EXISTS (
         SELECT FROM meshward.trait t WHERE t.operation = o.id AND t.kind = 'parameter' AND position(lower(?::text) IN lower(t.name)) > 0))`,
      part,
      part,
    );
  }
  const time = "to_timestamp(?::float8 / 1000.0)";
  if (query.since !== undefined) where.add(`o.changed >= ${time}`, Date.parse(query.since));
  if (query.silent_since !== undefined) where.add(`o.last_seen < ${time}`, Date.parse(query.silent_since));
  const [{ total }] = (await sql.query(`SELECT count(*) AS total ${FROM} ${String(where)}`, where.parameters)) as [
    { total: number },
  ];
  const isByRoute = query.sort === "route";
  const after = decodeCursor(query.cursor, isByRoute ? ROUTE_KEYS.map(() => "string" as const) : ["number", "number"]);
  if (after !== null) {
    if (isByRoute) where.add(`(${ROUTE_KEYS.join(", ")}) > (${ROUTE_KEYS.map(() => "?::text").join(", ")})`, ...after);
    else where.add(`(o.changed, o.id) < (${time}, ?::integer)`, ...after);
  }
  const rows = await sql.query<EndpointRow>(
    `SELECT o.*, s.name AS service_name, s.namespace ${FROM} ${String(where)} ORDER BY ${isByRoute ? ROUTE_KEYS.join(", ") : "o.changed DESC, o.id DESC"} LIMIT ${query.limit + 1}`,
    where.parameters,
  );
  const shown = rows.slice(0, query.limit);
  const operations = await operationsOf(sql, shown);
  const findings = await findingsOf(sql, shown);
  const endpoints = shown.map((row): Endpoint => {
    const operation = operations.get(row.id)!;
    const { service_name: service, namespace } = row;
    return {
      service,
      namespace: told(namespace),
      direction: operation.direction,
      host: told(operation.host),
      method: operation.method,
      route: operation.route,
      first_seen: operation.first_seen.toISOString(),
      last_seen: operation.last_seen.toISOString(),
      changed: operation.changed.toISOString(),
      count: operation.count,
      statuses: counted(operation.statuses),
      authentication: counted(operation.authentication),
      parameters: operation.parameters.map(({ part, types, ...sighting }) => ({
        ...{ part, types },
        ...seen([sighting])[0]!,
      })),
      request_types: seen(operation.request_types),
      response_types: seen(operation.response_types),
      callers: seen(operation.callers),
      hosts: seen(operation.hosts),
      schemes: seen(operation.schemes),
      findings: findings.get(row.id) ?? { attempted: 0, likely: 0, confirmed: 0 },
      documented: operation.direction === "inbound" ? documented({ service, namespace }, operation) : null,
    };
  });
  const last = shown.at(-1);
  const next = ({ namespace, service_name, direction, host, route, method, changed, id }: EndpointRow): string =>
    encodeCursor(isByRoute ? [namespace, service_name, direction, host, route, method] : [changed.getTime(), id]);
  return { endpoints, total, next_cursor: rows.length > shown.length && last !== undefined ? next(last) : null };
}

/**
 * Open findings of those that are inbound, by id; none for one without. All of these at once: to look for each by itself would be a way
 * through the findings for each.
 */
async function findingsOf(sql: Sql, rows: readonly OperationRow[]): Promise<Map<number, Endpoint["findings"]>> {
  const stages = STAGES.map((name, stage) => `count(*) FILTER (WHERE f.stage = ${stage}) AS ${name}`);
  const asked = rows
    .filter(({ direction }) => direction === "inbound")
    .map(({ id, service, method, route }) => ({ id, service, method, route }));
  const found = await sql.query<Row & Endpoint["findings"] & { id: number }>(
    `SELECT x.id, ${stages.join(", ")} FROM meshward.finding f JOIN json_to_recordset($1::json)
       AS x(id integer, service integer, method text, route text)
       ON f.service = x.service AND f.method = x.method AND f.route = x.route
     WHERE ${STATE_NOW} = 'open' GROUP BY x.id`,
    [JSON.stringify(asked)],
  );
  return new Map(found.map(({ id, ...counts }) => [id, counts]));
}

interface ComponentRow extends Row {
  service_name: string;
  namespace: string;
  host: string;
  kind: Components["components"][number]["kind"];
  name: string;
  version: string;
  first_seen: Date;
  last_seen: Date;
}

const COMPONENT_KEYS = ["s.namespace", "s.name", "c.host", "c.kind", "c.name", "c.version"];

export async function listComponents(sql: Sql, query: ComponentsQuery): Promise<Components> {
  const where = new Where();
  if (query.service !== undefined) where.add("s.name = ?::text", clean(query.service, 256));
  const after = decodeCursor(
    query.cursor,
    COMPONENT_KEYS.map(() => "string"),
  );
  if (after !== null) {
    where.add(`(${COMPONENT_KEYS.join(", ")}) > (${COMPONENT_KEYS.map(() => "?::text").join(", ")})`, ...after);
  }
  const rows = await sql.query<ComponentRow>(
    `SELECT c.*, s.name AS service_name, s.namespace FROM meshward.component c JOIN meshward.service s ON s.id = c.service
     ${String(where)} ORDER BY ${COMPONENT_KEYS.join(", ")} LIMIT ${query.limit + 1}`,
    where.parameters,
  );
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  return {
    components: shown.map((row) => ({
      service: row.service_name,
      namespace: told(row.namespace),
      host: told(row.host),
      kind: row.kind,
      name: row.name,
      version: told(row.version),
      first_seen: row.first_seen.toISOString(),
      last_seen: row.last_seen.toISOString(),
    })),
    next_cursor:
      rows.length > shown.length && last !== undefined
        ? encodeCursor([last.namespace, last.service_name, last.host, last.kind, last.name, last.version])
        : null,
  };
}

/** The inventory of one service; where no namespace is given, of the only one of that name. Null for none, or several. */
export async function serviceNamed(
  sql: Sql,
  name: string,
  namespace: string | undefined,
): Promise<ServiceInventory | null> {
  const where = new Where();
  where.add("name = ?::text", clean(name, 256));
  if (namespace !== undefined) where.add("namespace = ?::text", clean(namespace, 256));
  const found = await sql.query<{ id: number }>(
    `SELECT id FROM meshward.service ${String(where)} LIMIT 2`,
    where.parameters,
  );
  return found.length === 1 ? (await inventoryOf(sql, [found[0]!.id]))[0]! : null;
}

/** The inventories of services that go by one of `names`: a service, or namespace/service. */
export async function documentedServices(sql: Sql, names: readonly string[]): Promise<ServiceInventory[]> {
  const found = await sql.query<{ id: number }>(
    `SELECT id FROM meshward.service WHERE name IN (SELECT json_array_elements_text($1::json))
     OR namespace || '/' || name IN (SELECT json_array_elements_text($1::json)) ORDER BY namespace, name`,
    [JSON.stringify(names)],
  );
  return inventoryOf(
    sql,
    found.map(({ id }) => id),
  );
}
