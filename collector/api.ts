/**
 * The collector's JSON API: every request and response as a zod schema, the only definition of them. The server checks requests
 * against it, the page and `meshward report` take their types from it, `openapi.ts` makes the OpenAPI document of it.
 *
 * All text in an answer was written by attackers or by the services that they attack: it is valid Unicode without control
 * characters, bounded, and nothing else is promised of it. Whoever shows it shows it as text.
 */
import { z } from "zod";

/** From seen to borne out; a finding's stage only rises. */
export const STAGES = ["attempted", "likely", "confirmed"] as const;
export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
export const STATES = ["open", "accepted", "false-positive", "muted"] as const;
/** What a trend can look back on: its length and the step of its points, in seconds. */
export const WINDOWS = {
  "1h": { seconds: 3_600, step: 60 },
  "24h": { seconds: 86_400, step: 1_800 },
  "7d": { seconds: 604_800, step: 14_400 },
  "30d": { seconds: 2_592_000, step: 86_400 },
} as const;
export const PAGE_LIMIT = 200;
export const NOTE_LENGTH = 1_000;
/** What changes something needs this header, with any value, unless it carries a bearer token: a form of another site cannot set it. */
export const CHANGE_HEADER = "x-meshward-change";
export const SESSION_COOKIE = "meshward_session";

/** What stands below `components` of the OpenAPI document. */
export const named = z.registry<{ id: string }>();

const stage = z.enum(STAGES);
const severity = z.enum(SEVERITIES);
const state = z.enum(STATES);
const time = z.iso.datetime().describe("RFC 3339, UTC, milliseconds");
const count = z.int().nonnegative();
const fingerprint = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .describe("the first 16 bytes of a SHA-256 over rule, service, method, route, part and parameter, in hex");
const text = (most: number): z.ZodString => z.string().max(most);
/** How often each outcome was seen: allowed, denied, would_deny, partial, error. */
const outcomes = z.record(z.string(), count);

/** A flaw or a series of attacks at one place: events of one fingerprint. */
export const findingSchema = z
  .object({
    fingerprint,
    rule: text(128),
    class: text(64),
    cwe: z.array(z.int()),
    severity,
    stage: stage.describe("the highest that was seen"),
    confidence: z.int().min(0).max(100).describe("of the newest event of the highest stage"),
    service: text(256),
    namespace: text(256).nullable(),
    method: text(64),
    route: text(256).describe("the route's template, never a path with its values"),
    part: text(64).describe("query, path, header, cookie, form, json …"),
    parameter: text(256).nullable(),
    evidence: text(1_024).describe("masked where it was seen; of the newest event of the highest stage"),
    count: count.describe("events, those that retention has removed among them"),
    first_seen: time,
    last_seen: time,
    state,
    until: time.nullable().describe("when a muted finding is open again"),
    note: text(NOTE_LENGTH).nullable(),
    request_id: text(64).nullable().describe("of the newest event"),
    trace_id: text(32).nullable().describe("of the newest event"),
    hops: z.array(text(512)).describe("service METHOD route part name; the first is where the value came in"),
    outcomes,
  })
  .register(named, { id: "Finding" });

/** What a rule says of itself, as in docs/rules.md. */
export const ruleTextSchema = z
  .object({
    summary: z.string(),
    reason: z.string(),
    blind: z.string(),
    remedy: z.object({ code: z.string(), configuration: z.string(), proxy: z.string() }),
  })
  .register(named, { id: "RuleText" });

/** One finding with what helps to decide on it. */
export const findingDetailSchema = findingSchema
  .extend({
    rule_text: ruleTextSchema.nullable().describe("null for a rule that this version does not know"),
    exception: z
      .string()
      .nullable()
      .describe("the exception that would let it pass: YAML for the policy; null where none can"),
  })
  .register(named, { id: "FindingDetail" });

/** One log record of a sidecar. */
export const eventSchema = z
  .object({
    id: z.string().describe("a whole number; larger is newer"),
    time: time.describe("when the sidecar saw it"),
    received: time,
    fingerprint,
    rule: text(128),
    class: text(64),
    cwe: z.array(z.int()),
    severity,
    stage,
    confidence: z.int().min(0).max(100),
    service: text(256),
    namespace: text(256).nullable(),
    instance: text(256).nullable(),
    method: text(64),
    route: text(256),
    part: text(64),
    parameter: text(256).nullable(),
    evidence: text(1_024),
    outcome: text(32),
    mode: text(32).nullable(),
    exception: text(128).nullable().describe("the id of the policy's exception that let it pass"),
    request_id: text(64).nullable(),
    trace_id: text(32).nullable(),
    span_id: text(16).nullable(),
    principal: text(512).nullable().describe("who sent it: SPIFFE id or address"),
    direction: z.enum(["inbound", "outbound"]).nullable(),
    status: z.int().nullable(),
    host: text(256).nullable(),
    scheme: text(16).nullable(),
    hops: z.array(text(512)),
    version: text(64).nullable().describe("of the module"),
    policy: text(64).nullable().describe("the first 12 hex digits of the policy's hash"),
  })
  .register(named, { id: "Event" });

const perStage = z.object({ attempted: count, likely: count, confirmed: count });
const perSeverity = z.object({ info: count, low: count, medium: count, high: count, critical: count });

export const summarySchema = z
  .object({
    now: time,
    findings: z.object({
      total: count,
      stages: perStage.describe("of open findings"),
      severities: perSeverity.describe("of open findings"),
      states: z.object({ open: count, accepted: count, "false-positive": count, muted: count }),
    }),
    events: z.object({
      minute: count.describe("in this minute and the one before"),
      hour: count,
      day: count,
      outcomes: outcomes.describe("of the last day"),
    }),
    services: count,
    last_event: time.nullable(),
    retention_seconds: count,
    /** Why something may be missing. */
    limits: z.object({
      other: z
        .object({ services: count, endpoints: count, fingerprints: count, operations: count })
        .describe("events, and observations of endpoints, put to `other`"),
      dropped: z.record(z.string(), count).describe("log records that were not stored since the start, by reason"),
    }),
  })
  .register(named, { id: "Summary" });

export const trendSchema = z
  .object({
    step_seconds: count,
    points: z.array(
      z.object({ time, events: count, denied: count, attempted: count, likely: count, confirmed: count }),
    ),
  })
  .register(named, { id: "Trend" });

export const servicesSchema = z
  .object({
    services: z.array(
      z.object({
        service: text(256),
        namespace: text(256).nullable(),
        endpoints: count.describe("those that were observed, and those that findings name"),
        findings: perStage.describe("open ones"),
        events: count,
        first_seen: time,
        last_seen: time,
        version: text(64).nullable(),
        policy: text(64).nullable(),
      }),
    ),
  })
  .register(named, { id: "Services" });

const nextCursor = z.string().nullable().describe("for the next page; null on the last one");

export const findingsSchema = z
  .object({ findings: z.array(findingSchema), total: count.describe("on all pages"), next_cursor: nextCursor })
  .register(named, { id: "Findings" });

export const eventsSchema = z
  .object({ events: z.array(eventSchema), next_cursor: nextCursor })
  .register(named, { id: "Events" });

const sighting = { name: text(512), first_seen: time, last_seen: time };
const seen = z.array(z.object(sighting));

/** A method and route of a service, or of a host that it calls, and what was seen of it. */
export const endpointSchema = z
  .object({
    service: text(256),
    namespace: text(256).nullable(),
    direction: z.enum(["inbound", "outbound"]).describe("asked of the service, or a call that it makes"),
    host: text(256).nullable().describe("who is called; null for an inbound one"),
    method: text(64),
    route: text(256).describe("a template: /orders/{number}"),
    first_seen: time,
    last_seen: time,
    changed: time.describe("when something new was last seen of it"),
    count: count.describe("inspected responses"),
    statuses: z.record(z.string(), count).describe("responses by class: 2xx …"),
    authentication: z
      .record(z.string(), count)
      .describe(
        "answers below 400 by credential: none, basic, bearer, cookie, api-key, mtls; and refused: 401 and 403",
      ),
    parameters: z
      .array(
        z.object({
          part: text(64).describe("query, path, header, cookie, form, json …"),
          ...sighting,
          types: z.array(z.string()).describe("what its values look like: integer, uuid, text …"),
        }),
      )
      .describe("at most 64"),
    request_types: seen.describe("content types, at most 8; so the next"),
    response_types: seen,
    callers: seen.describe("SPIFFE ids, at most 16"),
    hosts: seen.describe("names by which it was asked, at most 8: clients choose them"),
    schemes: seen,
    findings: perStage.describe("open ones there"),
    documented: z
      .enum(["documented", "deprecated", "undocumented"])
      .nullable()
      .describe(
        "what the service's OpenAPI document says of it; null where the collector was given none, and for calls",
      ),
  })
  .register(named, { id: "Endpoint" });

const nodeId = text(520).describe("namespace/service, or the host or SPIFFE id");
export const mapSchema = z
  .object({
    nodes: z.array(
      z.object({
        id: nodeId,
        kind: z
          .enum(["service", "host", "caller"])
          .describe("one that sends, one that is only called, one that only calls"),
        service: text(256).nullable(),
        namespace: text(256).nullable(),
        endpoints: count,
        findings: perStage.describe("open ones"),
        last_seen: time,
      }),
    ),
    edges: z.array(
      z.object({
        from: nodeId,
        to: nodeId,
        count: count.describe("inspected responses to calls; 0 where only the callee has seen it"),
        operations: count.describe("methods and routes that are called; 0 likewise"),
        hosts: z.array(text(256)).describe("names that are called"),
        schemes: z.array(text(16)),
        first_seen: time,
        last_seen: time,
      }),
    ),
    left_out: count.describe("hosts and callers beyond those that are shown, the least seen"),
    edges_left_out: count.describe("calls between those that are shown, beyond the 2,000 seen most"),
  })
  .register(named, { id: "Map" });

/** A product or library that a service shows, or that a host shows that it calls. */
export const componentSchema = z
  .object({
    service: text(256),
    namespace: text(256).nullable(),
    host: text(256).nullable().describe("whose it is; null for the service's own"),
    kind: z.enum(["server", "framework", "library", "script-host", "script"]),
    name: text(256),
    version: text(64).nullable(),
    first_seen: time,
    last_seen: time,
  })
  .register(named, { id: "Component" });

export const endpointsSchema = z
  .object({ endpoints: z.array(endpointSchema), total: count.describe("on all pages"), next_cursor: nextCursor })
  .register(named, { id: "Endpoints" });

export const componentsSchema = z
  .object({ components: z.array(componentSchema), next_cursor: nextCursor })
  .register(named, { id: "Components" });

const place = { method: text(64), route: text(256) };
const since = { first_seen: time, last_seen: time };
const driftSchema = z
  .object({
    service: text(256),
    namespace: text(256).nullable(),
    documented: count.describe("operations of the document"),
    undocumented: z.array(z.object({ ...place, ...since })).describe("observed, and not in the document"),
    deprecated: z.array(z.object({ ...place, ...since })).describe("observed, and deprecated in the document"),
    differing: z
      .array(
        z.object({
          ...place,
          parameters: z.array(z.object({ part: text(64), name: text(256) })),
          types: z.array(text(128)),
        }),
      )
      .describe(
        "with query, header and cookie parameters and content types of responses that the document does not have",
      ),
    unseen: z.array(z.object({ method: text(64), path: text(512) })).describe("in the document, and not observed"),
  })
  .register(named, { id: "Drift" });
/** What differs from the OpenAPI documents that the collector was given. */
export const driftsSchema = z.object({ services: z.array(driftSchema) }).register(named, { id: "Drifts" });

export const auditSchema = z
  .object({
    entries: z.array(
      z.object({
        id: z.string(),
        time,
        who: text(64).describe("the name of the token"),
        action: text(64).describe("state, session, session.end, retention"),
        fingerprint: fingerprint.nullable(),
        detail: z.string().describe("what changed, as JSON"),
      }),
    ),
    next_cursor: nextCursor,
  })
  .register(named, { id: "Audit" });

export const sessionSchema = z.object({ who: z.string(), expires: time.nullable() }).register(named, { id: "Session" });

/** Every answer from 400 on (RFC 9457). */
export const problemSchema = z
  .object({ type: z.string(), title: z.string(), status: z.int(), detail: z.string() })
  .register(named, { id: "Problem" });

/** Several values of one parameter: `stage=likely,confirmed`. */
const listOf = <Value extends string>(values: readonly [Value, ...Value[]]): z.ZodType<Value[], string> =>
  z
    .string()
    .max(200)
    .transform((given) => given.split(","))
    .pipe(z.array(z.enum(values)))
    .meta({ description: `one or more of ${values.join(", ")}, parted by commas` }) as unknown as z.ZodType<
    Value[],
    string
  >;

const limit = z.coerce.number().int().min(1).max(PAGE_LIMIT).default(50);
/** Of a list by route it holds the whole route, service and host, each of 256 letters. */
const cursor = z.string().max(6_000).optional();

export const findingsQuerySchema = z.strictObject({
  stage: listOf(STAGES).optional(),
  severity: listOf(SEVERITIES).optional(),
  state: listOf(STATES).optional(),
  service: text(256).optional(),
  namespace: text(256).optional(),
  class: text(64).optional(),
  text: text(200).optional().describe("a part of rule, class, service, route, parameter or evidence, in any case"),
  sort: z.enum(["rank", "recent"]).default("rank").describe("by stage, severity and time, or by time alone"),
  limit,
  cursor,
});
export const eventsQuerySchema = z.strictObject({
  request_id: text(64).optional(),
  fingerprint: fingerprint.optional(),
  service: text(256).optional(),
  limit,
  cursor,
});
export const endpointsQuerySchema = z.strictObject({
  service: text(256).optional(),
  namespace: text(256).optional(),
  direction: z.enum(["inbound", "outbound"]).optional(),
  host: text(256).optional().describe("who is called"),
  text: text(200).optional().describe("a part of method, route, host or a parameter's name, in any case"),
  since: z.iso.datetime({ offset: true }).optional().describe("new since then, or with something new"),
  silent_since: z.iso.datetime({ offset: true }).optional().describe("not seen since then"),
  sort: z.enum(["route", "changed"]).default("route").describe("by service and route, or what has changed last first"),
  limit,
  cursor,
});
export const componentsQuerySchema = z.strictObject({ service: text(256).optional(), limit, cursor });
export const serviceOpenApiQuerySchema = z.strictObject({ namespace: text(256).optional() });
export const servicePathSchema = z.strictObject({ service: text(256) });
export const trendQuerySchema = z.strictObject({
  window: z.enum(["1h", "24h", "7d", "30d"]).default("24h"),
  service: text(256).optional(),
});
export const auditQuerySchema = z.strictObject({ fingerprint: fingerprint.optional(), limit, cursor });
export const fingerprintPathSchema = z.strictObject({ fingerprint });
export const stateBodySchema = z
  .strictObject({
    state,
    until: z.iso.datetime({ offset: true }).optional().describe("muted: until when; needed there, and only there"),
    note: text(NOTE_LENGTH).optional(),
  })
  .refine((body) => (body.state === "muted") === (body.until !== undefined), {
    path: ["until"],
    message: "is needed for muted, and only there",
  })
  .register(named, { id: "StateChange" });
export const sessionBodySchema = z.strictObject({ token: text(1_024) }).register(named, { id: "Token" });

/** Who may ask: everybody, who has the token for reading, who has the one for ingest. */
export type Access = "open" | "read" | "ingest";

/** One operation of the API, as the server mounts it and the OpenAPI document tells it. */
export interface Operation {
  method: "get" | "post" | "delete";
  /** With `{name}` for a part that varies. */
  path: string;
  id: string;
  summary: string;
  access: Access;
  parameters?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** The schema of the answer, or the media type of one that is no JSON; null: an answer without a body. */
  answer: z.ZodType | string | null;
}

export const OPERATIONS = {
  summary: {
    method: "get",
    path: "/api/v1/summary",
    id: "summary",
    summary: "Findings and events in figures",
    access: "read",
    answer: summarySchema,
  },
  trend: {
    method: "get",
    path: "/api/v1/trend",
    id: "trend",
    summary: "Events over time",
    access: "read",
    query: trendQuerySchema,
    answer: trendSchema,
  },
  findings: {
    method: "get",
    path: "/api/v1/findings",
    id: "findings",
    summary: "Findings, the gravest first",
    access: "read",
    query: findingsQuerySchema,
    answer: findingsSchema,
  },
  finding: {
    method: "get",
    path: "/api/v1/findings/{fingerprint}",
    id: "finding",
    summary: "One finding, with the rule in words and the exception that would let it pass",
    access: "read",
    parameters: fingerprintPathSchema,
    answer: findingDetailSchema,
  },
  state: {
    method: "post",
    path: "/api/v1/findings/{fingerprint}/state",
    id: "setState",
    summary: "Accept a finding, mark it as a false positive, mute it for a time, or open it again",
    access: "read",
    parameters: fingerprintPathSchema,
    body: stateBodySchema,
    answer: findingDetailSchema,
  },
  events: {
    method: "get",
    path: "/api/v1/events",
    id: "events",
    summary: "Events, the newest first",
    access: "read",
    query: eventsQuerySchema,
    answer: eventsSchema,
  },
  services: {
    method: "get",
    path: "/api/v1/services",
    id: "services",
    summary: "Services that sent something",
    access: "read",
    answer: servicesSchema,
  },
  endpoints: {
    method: "get",
    path: "/api/v1/endpoints",
    id: "endpoints",
    summary: "Endpoints that were observed, and calls of services",
    access: "read",
    query: endpointsQuerySchema,
    answer: endpointsSchema,
  },
  components: {
    method: "get",
    path: "/api/v1/components",
    id: "components",
    summary: "Products and libraries that services show",
    access: "read",
    query: componentsQuerySchema,
    answer: componentsSchema,
  },
  map: {
    method: "get",
    path: "/api/v1/map",
    id: "map",
    summary: "Which service calls which",
    access: "read",
    answer: mapSchema,
  },
  serviceOpenApi: {
    method: "get",
    path: "/api/v1/openapi/{service}",
    id: "serviceOpenApi",
    summary: "An OpenAPI 3.1 document of what runs of a service",
    access: "read",
    parameters: servicePathSchema,
    query: serviceOpenApiQuerySchema,
    answer: "application/json",
  },
  drift: {
    method: "get",
    path: "/api/v1/drift",
    id: "drift",
    summary: "What runs against the OpenAPI documents that the collector was given",
    access: "read",
    answer: driftsSchema,
  },
  audit: {
    method: "get",
    path: "/api/v1/audit",
    id: "audit",
    summary: "Who changed what, the newest first",
    access: "read",
    query: auditQuerySchema,
    answer: auditSchema,
  },
  signIn: {
    method: "post",
    path: "/session",
    id: "signIn",
    summary: "A session cookie for the token for reading",
    access: "open",
    body: sessionBodySchema,
    answer: sessionSchema,
  },
  session: {
    method: "get",
    path: "/session",
    id: "session",
    summary: "Whose session this is",
    access: "read",
    answer: sessionSchema,
  },
  signOut: {
    method: "delete",
    path: "/session",
    id: "signOut",
    summary: "End the session",
    access: "read",
    answer: null,
  },
  openapi: {
    method: "get",
    path: "/openapi.json",
    id: "openapi",
    summary: "This document",
    access: "open",
    answer: "application/json",
  },
  metrics: {
    method: "get",
    path: "/metrics",
    id: "metrics",
    summary: "Metrics for Prometheus",
    access: "read",
    answer: "text/plain",
  },
  health: {
    method: "get",
    path: "/healthz",
    id: "health",
    summary: "200 where the database answers, else 503",
    access: "open",
    answer: z.object({ status: z.enum(["ok", "unavailable"]) }).register(named, { id: "Health" }),
  },
  logs: {
    method: "post",
    path: "/v1/logs",
    id: "exportLogs",
    summary: "OTLP/HTTP logs, as protobuf or JSON, plain or gzip",
    access: "ingest",
    answer: "application/json",
  },
} as const satisfies Record<string, Operation>;

export type Stage = (typeof STAGES)[number];
export type Severity = (typeof SEVERITIES)[number];
export type State = (typeof STATES)[number];
export type Finding = z.infer<typeof findingSchema>;
export type FindingDetail = z.infer<typeof findingDetailSchema>;
export type RuleText = z.infer<typeof ruleTextSchema>;
export type Event = z.infer<typeof eventSchema>;
export type Summary = z.infer<typeof summarySchema>;
export type Trend = z.infer<typeof trendSchema>;
export type Services = z.infer<typeof servicesSchema>;
export type Findings = z.infer<typeof findingsSchema>;
export type Events = z.infer<typeof eventsSchema>;
export type Endpoint = z.infer<typeof endpointSchema>;
export type Endpoints = z.infer<typeof endpointsSchema>;
export type EndpointsQuery = z.infer<typeof endpointsQuerySchema>;
export type Components = z.infer<typeof componentsSchema>;
export type ComponentsQuery = z.infer<typeof componentsQuerySchema>;
export type ServiceMap = z.infer<typeof mapSchema>;
export type Drift = z.infer<typeof driftSchema>;
export type Drifts = z.infer<typeof driftsSchema>;
export type Audit = z.infer<typeof auditSchema>;
export type Session = z.infer<typeof sessionSchema>;
export type Problem = z.infer<typeof problemSchema>;
export type StateChange = z.infer<typeof stateBodySchema>;
export type FindingsQuery = z.infer<typeof findingsQuerySchema>;
export type EventsQuery = z.infer<typeof eventsQuerySchema>;
export type TrendQuery = z.infer<typeof trendQuerySchema>;
export type AuditQuery = z.infer<typeof auditQuerySchema>;
