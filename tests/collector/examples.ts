/**
 * The examples of rules that the collector finds: lines of an inventory.
 *
 *   GET /orders bearer 20 refused 2 answers text/csv    an endpoint: answers by credential, refusals, content types
 *   calls orders:3000 GET /stock none 5                  a call of the service
 */
import { AUTHENTICATIONS, STATUS_CLASSES, type Authentication } from "../../collector/observation.ts";
import type { ServiceInventory, Sighting, StoredOperation } from "../../collector/inventory.ts";

const NOW = new Date("2026-11-22T12:00:00Z");

const seen = (names: readonly string[]): Sighting[] => names.map((name) => ({ name, first_seen: NOW, last_seen: NOW }));

/** A service of which that is known. */
export function inventoryOf(operations: StoredOperation[]): ServiceInventory {
  return {
    ...{ id: 1, service: "cart", namespace: "shop", version: "0.1.0", policy: "", first_seen: NOW, last_seen: NOW },
    ...{ operations, components: [] },
  };
}

const zeros = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;

/** The operation of a line; redirects are `redirected N` of the answers. */
export function operationOf(line: string): StoredOperation {
  const [before, types = ""] = line.split(" answers ");
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
    ...{ first_seen: NOW, last_seen: NOW, changed: NOW },
    count: Object.values(statuses).reduce((sum, count) => sum + count, 0),
    ...{ statuses, authentication, parameters: [], request_types: [] },
    response_types: seen(types.split(" ").filter((type) => type !== "")),
    ...{ callers: [], hosts: [], schemes: [] },
  };
}

export const linesOf = (example: string): string[] => example.trim().split("\n");
