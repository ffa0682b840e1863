/**
 * The examples of rules that the collector finds: lines of an inventory.
 *
 *   GET /orders bearer 20 refused 2 answers text/csv    an endpoint: answers by credential, refusals, content types
 *   calls orders:3000 GET /stock none 5                  a call of the service
 *   document deprecated GET /v1/orders                   an operation of its OpenAPI document; `secured`: wants a token
 *   shows library jquery 3.4.1                           a component, by `GET /`
 *
 * With `since 30d` at the end it was first seen so many days ago, else now.
 */
import { readDocument, type ServiceDocument } from "../../collector/document.ts";
import {
  AUTHENTICATIONS,
  STATUS_CLASSES,
  type Authentication,
  type ComponentKind,
} from "../../collector/observation.ts";
import type { ServiceInventory, Sighting, StoredComponent, StoredOperation } from "../../collector/inventory.ts";

const NOW = new Date("2026-11-22T12:00:00Z");

const seen = (names: readonly string[]): Sighting[] => names.map((name) => ({ name, first_seen: NOW, last_seen: NOW }));

/** A service of which that is known. */
export function inventoryOf(operations: StoredOperation[], components: StoredComponent[] = []): ServiceInventory {
  return {
    ...{ id: 1, service: "cart", namespace: "shop", version: "0.1.0", policy: "", first_seen: NOW, last_seen: NOW },
    ...{ operations, components },
  };
}

/** A service of which an example tells. */
export function inventoryIn(example: string): ServiceInventory {
  const isShown = (line: string): boolean => line.trim().startsWith("shows ");
  const lines = linesOf(example);
  return inventoryOf(lines.filter((line) => !isShown(line)).map(operationOf), lines.filter(isShown).map(componentOf));
}

const DAY = 86_400_000;

/** A line without its `since 30d`, and when that was. */
function sinceOf(line: string): { rest: string; first_seen: Date } {
  const [, rest = line, days = "0"] = /^(.*) since (\d+)d$/.exec(line.trim()) ?? [];
  return { rest: rest.trim(), first_seen: new Date(NOW.getTime() - Number(days) * DAY) };
}

/** The component of a line. */
export function componentOf(line: string): StoredComponent {
  const { rest, first_seen } = sinceOf(line);
  const [, kind, name, version] = rest.split(" ") as [string, ComponentKind, string, string];
  const place = { host: "", method: "GET", route: "/" };
  return { ...place, kind, name, version: version === "-" ? "" : version, first_seen, last_seen: NOW };
}

const zeros = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;

/** The operation of a line; redirects are `redirected N` of the answers. */
export function operationOf(line: string): StoredOperation {
  const { rest, first_seen } = sinceOf(line);
  const [before, types = ""] = rest.split(" answers ");
  const words = before!.trim().split(" ");
  const host = words[0] === "calls" ? words.splice(0, 2)[1]! : "";
  const [method, route, ...counted] = words as [string, string, ...string[]];
  const authentication = zeros(AUTHENTICATIONS);
  const statuses = zeros(STATUS_CLASSES);
  for (let at = 0; at < counted.length; at += 2) {
    const [kind, count] = [counted[at]!, Number(counted[at + 1])];
    if (kind === "redirected") {
      statuses["3xx"] += count;
      statuses["2xx"] -= count;
      continue;
    }
    if (!AUTHENTICATIONS.includes(kind as Authentication)) throw new Error(`${kind} in ${line}`);
    authentication[kind as Authentication] = count;
    if (kind === "refused") statuses["4xx"] += count;
    else if (kind !== "mtls") statuses["2xx"] += count;
  }
  // A call with a certificate may have another credential too.
  statuses["2xx"] += Math.max(0, authentication.mtls - statuses["2xx"] - statuses["3xx"]);
  return {
    ...{ id: 1, direction: host === "" ? "inbound" : "outbound", host, method, route },
    ...{ first_seen, last_seen: NOW, changed: NOW },
    count: Object.values(statuses).reduce((sum, count) => sum + count, 0),
    ...{ statuses, authentication, parameters: [], request_types: [] },
    response_types: seen(types.split(" ").filter((type) => type !== "")),
    ...{ callers: [], hosts: [], schemes: [] },
  };
}

const isOfDocument = (line: string): boolean => line.trim().startsWith("document ");

/** The lines of what was observed. */
export const linesOf = (example: string): string[] =>
  example
    .trim()
    .split("\n")
    .filter((line) => !isOfDocument(line));

/** The document in an example, as it is read; null where it has none. */
export function documentOf(example: string): ServiceDocument | null {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const line of example.split("\n").filter(isOfDocument)) {
    const [before, types = ""] = line.split(" answers ");
    const words = before!.trim().split(" ").slice(1);
    const [method, path] = words.slice(-2) as [string, string];
    (paths[path] ??= {})[method.toLowerCase()] = {
      deprecated: words.includes("deprecated"),
      ...(words.includes("secured") ? { security: [{ token: [] }] } : {}),
      responses: {
        200: {
          description: "",
          content: Object.fromEntries(
            types
              .split(" ")
              .filter(Boolean)
              .map((type) => [type, {}]),
          ),
        },
      },
    };
  }
  if (Object.keys(paths).length === 0) return null;
  const components = { securitySchemes: { token: { type: "http", scheme: "bearer" } } };
  return readDocument(JSON.stringify({ openapi: "3.1.0", info: { title: "cart", version: "1" }, paths, components }));
}
