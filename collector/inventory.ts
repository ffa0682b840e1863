/** The inventory as it is stored: services with their operations, what was seen of each, and components. */
import type { Parameter, Row, Sql } from "./database.ts";
import {
  AUTHENTICATIONS,
  PARAMETER_TYPES,
  STATUS_CLASSES,
  type Authentication,
  type ComponentKind,
  type Direction,
  type ParameterType,
  type StatusClass,
} from "./observation.ts";
import { AUTHENTICATION_COLUMNS, STATUS_COLUMNS, type TraitKind } from "./observe.ts";

/** Something seen, and when. */
export interface Sighting {
  name: string;
  first_seen: Date;
  last_seen: Date;
}

export interface ParameterSighting extends Sighting {
  part: string;
  types: ParameterType[];
}

/** A method and route template of a service, or of a host that it calls. */
export interface StoredOperation {
  id: number;
  direction: Direction;
  /** Who is called; "" for an inbound one. */
  host: string;
  method: string;
  route: string;
  first_seen: Date;
  last_seen: Date;
  /** When something new was last seen of it. */
  changed: Date;
  count: number;
  statuses: Record<StatusClass, number>;
  authentication: Record<Authentication, number>;
  parameters: ParameterSighting[];
  request_types: Sighting[];
  response_types: Sighting[];
  callers: Sighting[];
  hosts: Sighting[];
  schemes: Sighting[];
}

export interface StoredComponent extends Sighting {
  /** Whose product: that of a host that the service calls; "" for its own. */
  host: string;
  kind: ComponentKind;
  /** "" where it is unknown. */
  version: string;
  /** The operation that showed it first. */
  method: string;
  route: string;
}

export interface StoredService {
  id: number;
  service: string;
  namespace: string;
  /** Of the module that sent last. */
  version: string;
  policy: string;
  first_seen: Date;
  last_seen: Date;
}

export interface ServiceInventory extends StoredService {
  operations: StoredOperation[];
  components: StoredComponent[];
}

export interface OperationRow extends Row {
  id: number;
  service: number;
  direction: Direction;
  host: string;
  method: string;
  route: string;
  first_seen: Date;
  last_seen: Date;
  changed: Date;
  count: number;
}

interface TraitRow extends Row, Sighting {
  operation: number;
  kind: TraitKind;
  part: string;
  types: number;
}

/** Ids as a parameter of a statement that reads them by `IDS`. */
const idsOf = (ids: readonly number[]): Parameter[] => [JSON.stringify(ids)];
const IDS = "(SELECT value::integer FROM json_array_elements_text($1::json))";

/** Operations of these rows, with what was seen of them, by id. */
export async function operationsOf(sql: Sql, rows: readonly OperationRow[]): Promise<Map<number, StoredOperation>> {
  const counts = <Name extends string>(row: Row, names: readonly Name[], columns: readonly string[]) =>
    Object.fromEntries(names.map((name, place) => [name, row[columns[place]!]])) as Record<Name, number>;
  const operations = new Map(
    rows.map((row): [number, StoredOperation] => {
      const { id, direction, host, method, route, first_seen, last_seen, changed, count } = row;
      return [
        id,
        {
          ...{ id, direction, host, method, route, first_seen, last_seen, changed, count },
          statuses: counts(row, STATUS_CLASSES, STATUS_COLUMNS),
          authentication: counts(row, AUTHENTICATIONS, AUTHENTICATION_COLUMNS),
          ...{ parameters: [], request_types: [], response_types: [], callers: [], hosts: [], schemes: [] },
        },
      ];
    }),
  );
  const traits = await sql.query<TraitRow>(
    `SELECT * FROM meshward.trait WHERE operation IN ${IDS} ORDER BY operation, kind, part, name`,
    idsOf([...operations.keys()]),
  );
  for (const { operation: id, kind, part, name, types, first_seen, last_seen } of traits) {
    const operation = operations.get(id)!;
    const sighting = { name, first_seen, last_seen };
    if (kind === "parameter") operation.parameters.push({ ...sighting, part, types: typesOf(types) });
    else operation[LISTS[kind]].push(sighting);
  }
  return operations;
}

const LISTS = {
  request: "request_types",
  response: "response_types",
  caller: "callers",
  host: "hosts",
  scheme: "schemes",
} as const satisfies Record<Exclude<TraitKind, "parameter">, keyof StoredOperation>;

export const typesOf = (bits: number): ParameterType[] =>
  PARAMETER_TYPES.filter((_, place) => (bits & (1 << place)) !== 0);

/** All that is known of these services. */
export async function inventoryOf(sql: Sql, ids: readonly number[]): Promise<ServiceInventory[]> {
  const services = await sql.query<Row & Omit<StoredService, "service"> & { name: string }>(
    `SELECT * FROM meshward.service WHERE id IN ${IDS} ORDER BY id`,
    idsOf(ids),
  );
  const byId = new Map(
    services.map(({ id, name: service, namespace, version, policy, first_seen, last_seen }) => {
      const told: StoredService = { id, service, namespace, version, policy, first_seen, last_seen };
      return [id, { ...told, operations: [], components: [] } as ServiceInventory];
    }),
  );
  const rows = await sql.query<OperationRow>(
    `SELECT * FROM meshward.operation WHERE service IN ${IDS} ORDER BY service, direction, host, route, method`,
    idsOf(ids),
  );
  const operations = await operationsOf(sql, rows);
  for (const { id, service } of rows) byId.get(service)!.operations.push(operations.get(id)!);
  const components = await sql.query<StoredComponent & { service: number } & Row>(
    `SELECT * FROM meshward.component WHERE service IN ${IDS} ORDER BY service, host, kind, name, version`,
    idsOf(ids),
  );
  for (const { service, host, kind, name, version, method, route, first_seen, last_seen } of components) {
    byId.get(service)!.components.push({ host, kind, name, version, method, route, first_seen, last_seen });
  }
  return [...byId.values()];
}
