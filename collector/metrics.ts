/** The collector's metrics, for Prometheus. No label value can be chosen without bound: each label has so many values, then `other`. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { SEVERITIES, STAGES } from "./api.ts";
import { createAttackers } from "./attackers.ts";
import type { NewEvent } from "./event.ts";
import { OTHER, type Stored } from "./ingest.ts";
import { LABELS, LABEL_PAIRS } from "./limits.ts";

/** Why something was not stored. */
export const DROP_REASONS = ["unknown", "invalid", "limit"] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** How a request of ingest ended. */
export type IngestResult = "stored" | "busy" | "unavailable" | "malformed" | "too_large" | "refused";

/** A label's values: those that came first, then `other`. */
export function capped(most: number): (value: string) => string {
  const seen = new Set<string>();
  return (value) => {
    if (seen.has(value)) return value;
    if (seen.size >= most) return OTHER;
    seen.add(value);
    return value;
  };
}

interface FindingLabels {
  stage: string;
  severity: string;
  class: string;
  service: string;
}

export interface QueueState {
  requests: number;
  bytes: number;
}

/** Open findings of one kind at one service. */
export interface FindingCount {
  stage: number;
  severity: number;
  class: string;
  service: string;
  namespace: string;
  count: number;
}

/** Open findings of one kind at one endpoint, and the events that they were made of. */
export interface EndpointCount extends Omit<FindingCount, "severity"> {
  method: string;
  route: string;
  events: number;
}

export interface Metrics {
  /** The exposition text and its type. */
  text(): Promise<string>;
  readonly type: string;
  received(records: number): void;
  dropped(reason: DropReason, records: number): void;
  /** Records dropped since the start, by reason. */
  drops(): Record<string, number>;
  stored(stored: Stored): void;
  exchanges(counts: Readonly<Record<string, number>>): void;
  ingest(result: IngestResult): void;
  database(what: string, seconds: number, isFailed: boolean): void;
  login(isRight: boolean): void;
  removed(events: number, findings: number): void;
}

export interface MetricSources {
  queue(): QueueState;
  /** Both are asked at each scrape; where one fails its series are absent. */
  findings(): Promise<FindingCount[]>;
  endpoints(): Promise<EndpointCount[]>;
  now(): number;
}

export function createMetrics({ queue, findings, endpoints, now }: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> => new Counter({ name: `meshward_collector_${name}`, help, labelNames, registers });

  const requests = counter("requests_total", "Requests of ingest by how they ended", ["result"]);
  const records = counter("records_total", "Log records received");
  const drops = counter("records_dropped_total", "Log records that were not stored, by reason", ["reason"]);
  const events = counter("events_total", "Events stored", ["stage", "severity", "class", "service"]);
  const duplicates = counter("events_duplicate_total", "Events that were there already, sent again");
  const other = counter("events_other_total", "Events and observations put to other, since too many names were there", [
    "what",
  ]);
  const observations = counter("observations_total", "Observations of endpoints by what became of them", ["result"]);
  const exchanges = counter("exchanges_total", "Exchanges that told of ids; uses that were not judged, and why", [
    "result",
  ]);
  const logins = counter("logins_total", "Attempts to sign in", ["result"]);
  const removed = counter("removed_total", "What retention has removed", ["what"]);
  const failures = counter("database_failures_total", "Work on the database that failed", ["what"]);
  const database = new Histogram({
    name: "meshward_collector_database_seconds",
    help: "Time of work on the database, waiting included",
    labelNames: ["what"],
    buckets: [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  new Gauge({
    name: "meshward_collector_queue_requests",
    help: "Requests of ingest that wait or are being stored",
    registers,
    collect() {
      this.set(queue().requests);
    },
  });
  new Gauge({
    name: "meshward_collector_queue_bytes",
    help: "Bytes of these requests",
    registers,
    collect() {
      this.set(queue().bytes);
    },
  });

  const classOf = capped(LABELS);
  const serviceOf = capped(LABELS);
  const pairOf = capped(LABEL_PAIRS);
  const nameOf = ({ namespace, service }: Pick<NewEvent, "service" | "namespace">): string =>
    namespace === "" ? service : `${namespace}/${service}`;
  const labelsOf = (of: Pick<NewEvent, "stage" | "severity" | "class" | "service" | "namespace">): FindingLabels => {
    const [stage, severity] = [STAGES[of.stage]!, SEVERITIES[of.severity]!];
    const kind = classOf(of.class);
    const service = serviceOf(nameOf(of));
    // Each label has few values, but the series are their product.
    const isOne = pairOf(`${kind}\0${service}`) !== OTHER;
    return { stage, severity, class: isOne ? kind : OTHER, service: isOne ? service : OTHER };
  };
  new Gauge({
    name: "meshward_collector_findings",
    help: "Open findings",
    labelNames: ["stage", "severity", "class", "service"],
    registers,
    async collect() {
      this.reset();
      for (const found of await findings().catch(() => [])) this.inc({ ...labelsOf(found) }, found.count);
    },
  });

  // Both gauges of endpoints are collected in one turn, and tell of one look.
  let look: Promise<EndpointCount[]> | null = null;
  const byEndpoint = (): Promise<EndpointCount[]> =>
    (look ??= endpoints()
      .catch(() => [])
      .finally(() => (look = null)));
  for (const [name, help, valueOf] of [
    ["findings", "Open findings of an endpoint; the surest and gravest where there are too many", ({ count }) => count],
    ["events", "Events that these findings are made of", ({ events }) => events],
  ] as [string, string, (one: EndpointCount) => number][]) {
    new Gauge({
      name: `meshward_collector_endpoint_${name}`,
      help,
      labelNames: ["stage", "class", "service", "endpoint"],
      registers,
      async collect() {
        const found = await byEndpoint();
        this.reset();
        for (const one of found) {
          const at = { service: nameOf(one), endpoint: `${one.method} ${one.route}` };
          this.set({ stage: STAGES[one.stage]!, class: one.class, ...at }, valueOf(one));
        }
      },
    });
  }
  const attackers = createAttackers();
  new Gauge({
    name: "meshward_collector_attackers",
    help: "Clients whose attacks came within the last 10 minutes",
    labelNames: ["service"],
    registers,
    collect() {
      this.reset();
      for (const [service, count] of attackers.counts(now())) this.set({ service }, count);
    },
  });

  const dropCounts = new Map<string, number>(DROP_REASONS.map((reason) => [reason, 0]));
  for (const reason of DROP_REASONS) drops.inc({ reason }, 0);
  return {
    text: () => registry.metrics(),
    type: registry.contentType,
    received: (count) => records.inc(count),
    dropped(reason, count) {
      if (count === 0) return;
      dropCounts.set(reason, dropCounts.get(reason)! + count);
      drops.inc({ reason }, count);
    },
    drops: () => Object.fromEntries(dropCounts),
    stored(stored) {
      for (const event of stored.events) {
        const labels = labelsOf(event);
        events.inc({ ...labels });
        attackers.saw(event, labels.service, now());
      }
      duplicates.inc(stored.duplicates);
      for (const [what, count] of Object.entries(stored.other)) other.inc({ what }, count);
      const { stored: kept, duplicates: repeated, unanswered } = stored.observed;
      for (const [result, count] of Object.entries({ stored: kept, duplicate: repeated, unanswered })) {
        observations.inc({ result }, count);
      }
    },
    exchanges(counts) {
      for (const [result, count] of Object.entries(counts)) exchanges.inc({ result }, count);
    },
    ingest: (result) => requests.inc({ result }),
    database(what, seconds, isFailed) {
      database.observe({ what }, seconds);
      if (isFailed) failures.inc({ what });
    },
    login: (isRight) => logins.inc({ result: isRight ? "accepted" : "refused" }),
    removed(eventCount, findings) {
      removed.inc({ what: "events" }, eventCount);
      removed.inc({ what: "findings" }, findings);
    },
  };
}
