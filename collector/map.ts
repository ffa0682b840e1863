/**
 * Which service calls which. A call is known from the caller's side (its outbound observations: how often, what, by which name) or from
 * the callee's (SPIFFE ids of its callers), and often from both.
 */
import type { ServiceMap } from "./api.ts";
import type { Row, Sql } from "./database.ts";
import { listServices } from "./figures.ts";

/** Hosts and callers that are no services of ours, and are shown. */
const STRANGERS = 100;
/** Edges that are shown; those that were seen the most, and the latest, come first. */
const EDGES = 2_000;
/** Names of a host on an edge. */
const NAMES = 8;
/** Names under which anything may be reached. */
const NOBODYS = /^(?:localhost|[\d.]+|\[?[\da-f]*:[\da-f:.]*\]?)$/;

type Node = ServiceMap["nodes"][number];
type Edge = ServiceMap["edges"][number];

interface Named {
  id: string;
  service: string;
  namespace: string;
}

interface CallRow extends Row {
  service: string;
  namespace: string;
  host: string;
  count: number;
  operations: number;
  schemes: string[] | null;
  first_seen: Date;
  last_seen: Date;
}

interface CallerRow extends Row {
  service: string;
  namespace: string;
  caller: string;
  first_seen: Date;
  last_seen: Date;
}

export const nodeId = (namespace: string, service: string): string => `${namespace}/${service}`;

export async function mapOf(sql: Sql): Promise<ServiceMap> {
  const { services } = await listServices(sql);
  const named = services.map(({ service, namespace }): Named => {
    return { id: nodeId(namespace ?? "", service), service, namespace: namespace ?? "" };
  });
  const calls = await sql.query<CallRow>(
    `SELECT s.name AS service, s.namespace, o.host, sum(o.count)::bigint AS count, count(*) AS operations,
       min(o.first_seen) AS first_seen, max(o.last_seen) AS last_seen,
       (SELECT json_agg(DISTINCT t.name) FROM meshward.trait t JOIN meshward.operation p ON p.id = t.operation
        WHERE t.kind = 'scheme' AND p.service = o.service AND p.direction = 'outbound' AND p.host = o.host) AS schemes
     FROM meshward.operation o JOIN meshward.service s ON s.id = o.service
     WHERE o.direction = 'outbound' GROUP BY s.name, s.namespace, o.service, o.host ORDER BY count DESC, s.namespace, s.name, o.host`,
  );
  const callers = await sql.query<CallerRow>(
    `SELECT s.name AS service, s.namespace, t.name AS caller, min(t.first_seen) AS first_seen, max(t.last_seen) AS last_seen
     FROM meshward.trait t JOIN meshward.operation o ON o.id = t.operation JOIN meshward.service s ON s.id = o.service
     WHERE t.kind = 'caller' AND o.direction = 'inbound' GROUP BY 1, 2, 3 ORDER BY last_seen DESC, 1, 2, 3`,
  );
  const asked = await sql.query<{ service: string; namespace: string; host: string }>(
    `SELECT DISTINCT s.name AS service, s.namespace, t.name AS host
     FROM meshward.trait t JOIN meshward.operation o ON o.id = t.operation JOIN meshward.service s ON s.id = o.service
     WHERE t.kind = 'host' AND o.direction = 'inbound'`,
  );
  const find = finder(named, asked);

  const nodes = new Map<string, Node>(
    services.map((service, place) => {
      const { endpoints, findings, last_seen } = service;
      const { id } = named[place]!;
      return [
        id,
        {
          id,
          kind: "service",
          ...{ service: service.service, namespace: service.namespace },
          endpoints,
          findings,
          last_seen,
        },
      ];
    }),
  );
  const edges = new Map<string, Edge>();
  let strangers = 0;
  const leftOut = new Set<string>();
  const leftEdges = new Set<string>();
  /** Whether there is a node `id`, or room for one. */
  const known = (id: string, kind: "host" | "caller", last: Date): boolean => {
    const node = nodes.get(id);
    const last_seen = last.toISOString();
    if (node !== undefined) {
      if (node.kind !== "service" && node.last_seen < last_seen) node.last_seen = last_seen;
      return true;
    }
    if (strangers >= STRANGERS) {
      leftOut.add(id);
      return false;
    }
    strangers++;
    const findings = { attempted: 0, likely: 0, confirmed: 0 };
    nodes.set(id, { id, kind, service: null, namespace: null, endpoints: 0, findings, last_seen });
    return true;
  };
  const edge = (from: string, to: string, first: Date, last: Date): Edge | null => {
    const key = JSON.stringify([from, to]);
    if (edges.size >= EDGES && !edges.has(key)) {
      leftEdges.add(key);
      return null;
    }
    const [first_seen, last_seen] = [first.toISOString(), last.toISOString()];
    const found = edges.get(key) ?? {
      ...{ from, to, count: 0, operations: 0, hosts: [], schemes: [] },
      ...{ first_seen, last_seen },
    };
    edges.set(key, found);
    if (first_seen < found.first_seen) found.first_seen = first_seen;
    if (last_seen > found.last_seen) found.last_seen = last_seen;
    return found;
  };
  for (const { service, namespace, host, count, operations, schemes, first_seen, last_seen } of calls) {
    const from = nodeId(namespace, service);
    const to = find.byHost(host, from, namespace) ?? host;
    if (!known(to, "host", last_seen)) continue;
    const found = edge(from, to, first_seen, last_seen);
    if (found === null) continue;
    found.count += count;
    found.operations += operations;
    if (found.hosts.length < NAMES) found.hosts.push(host);
    found.schemes = [...new Set([...found.schemes, ...(schemes ?? [])])].sort();
  }
  for (const { service, namespace, caller, first_seen, last_seen } of callers) {
    const from = find.byIdentity(caller) ?? caller;
    if (known(from, "caller", last_seen)) edge(from, nodeId(namespace, service), first_seen, last_seen);
  }
  return {
    nodes: [...nodes.values()],
    edges: [...edges.values()],
    left_out: leftOut.size,
    edges_left_out: leftEdges.size,
  };
}

/** Finds the service behind a name that is called, or an identity that calls. */
export function finder(
  services: readonly Named[],
  asked: readonly { service: string; namespace: string; host: string }[],
): {
  byHost(host: string, from: string, namespace: string): string | null;
  byIdentity(identity: string): string | null;
} {
  const ids = new Set(services.map(({ id }) => id));
  const byName = new Map<string, string[]>();
  for (const { id, service } of services) byName.set(service, [...(byName.get(service) ?? []), id]);
  const byHost = new Map<string, string[]>();
  for (const { service, namespace, host } of asked) {
    byHost.set(host, [...(byHost.get(host) ?? []), nodeId(namespace, service)]);
  }
  const only = (found: readonly string[] | undefined): string | null => (found?.length === 1 ? found[0]! : null);
  return {
    byHost(host, from, namespace) {
      const name = host.replace(/:\d+$/, "");
      if (!NOBODYS.test(name)) {
        // As Kubernetes names services: name, name.namespace, name.namespace.svc.cluster.local.
        const [service = "", space, svc] = name.split(".");
        if (space === undefined) {
          const near = nodeId(namespace, service);
          const found = ids.has(near) ? near : only(byName.get(service));
          if (found !== null) return found;
        } else if ((svc === undefined || svc === "svc") && ids.has(nodeId(space, service)))
          return nodeId(space, service);
      }
      // As its clients call it. They may call it anything, so one that two go by is nobody's; nor is a service its own callee by that.
      const found = only(byHost.get(host));
      return found === from ? null : found;
    },
    byIdentity(identity) {
      const [, namespace, account] = /^spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(identity) ?? [];
      if (account === undefined) return null;
      const id = nodeId(namespace!, account);
      return ids.has(id) ? id : null;
    },
  };
}
