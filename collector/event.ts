/** A log record → an event as it is stored, or why it is none. Nothing of what comes is believed: all is cleaned and bounded. */
import { createHash } from "node:crypto";
import { SEVERITIES, STAGES } from "./api.ts";
import { clean } from "./clean.ts";
import type { Attributes, LogRecord, Value } from "./otlp.ts";

/** The name of the records that are events. */
export const EVENT_NAME = "meshward.finding";
export const OUTCOMES = ["allowed", "denied", "would_deny", "partial", "error"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Older than this, or in the future, a time is not believed. */
export const OLDEST_MILLISECONDS = 7 * 86_400_000;

/** Texts are cleaned; "" stands for what was not told. */
export interface NewEvent {
  /** Tells it from every other, and the same when it is sent again: 32 hex digits. */
  key: string;
  /** Milliseconds since the epoch. */
  time: number;
  service: string;
  namespace: string;
  instance: string;
  version: string;
  policy: string;
  rule: string;
  class: string;
  cwe: number[];
  /** Places in SEVERITIES and STAGES. */
  severity: number;
  stage: number;
  confidence: number;
  method: string;
  route: string;
  part: string;
  parameter: string;
  evidence: string;
  outcome: Outcome;
  mode: string;
  exception: string;
  request_id: string;
  trace_id: string;
  span_id: string;
  principal: string;
  direction: string;
  /** 0 for none. */
  status: number;
  host: string;
  scheme: string;
  hops: string[];
}

/** Where a finding is: what makes it the same as another. */
export type Place = Pick<NewEvent, "rule" | "service" | "namespace" | "method" | "route" | "part" | "parameter">;

/** The first 16 bytes of SHA-256 over `parts` with NUL between, in hex. Cleaned text has no NUL. */
export function digestOf(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 32);
}

/** The fingerprint: events of one are one finding. */
export function fingerprintOf({ rule, service, namespace, method, route, part, parameter }: Place): string {
  return digestOf([rule, `${namespace}/${service}`, method, route, part, parameter]);
}

/** Who sent a record. */
export type Sender = Pick<NewEvent, "service" | "namespace" | "instance" | "version" | "policy">;

export const senderOf = (resource: Attributes): Sender => ({
  service: textIn(resource.get("service.name"), 256) || "unknown",
  // Without a slash: namespace/service is then of one service alone.
  namespace: textIn(resource.get("service.namespace"), 256).replaceAll("/", "\ufffd"),
  instance: textIn(resource.get("service.instance.id"), 256),
  version: textIn(resource.get("meshward.version"), 64),
  policy: textIn(resource.get("meshward.policy"), 64),
});

/** A record's time; that of receipt where it is not to be believed. */
export const timeOf = (record: LogRecord, now: number): number =>
  record.time > now || record.time < now - OLDEST_MILLISECONDS ? now : record.time;

/** Reads an event; null where the record is no finding of Meshward, "invalid" where it lacks what every finding has. */
export function eventOf(record: LogRecord, now: number): NewEvent | "unknown" | "invalid" {
  const { attributes, resource } = record;
  if (record.eventName !== EVENT_NAME) return "unknown";
  const text = (name: string, most: number): string => textIn(attributes.get(name), most);
  const place = <Name extends string>(names: readonly Name[], name: string): number =>
    names.indexOf(text(name, 64) as Name);
  const rule = text("security_rule.name", 128);
  const kind = text("security_rule.category", 64);
  const stage = place(STAGES, "meshward.stage");
  const severity = place(SEVERITIES, "meshward.severity");
  if (rule === "" || kind === "" || stage < 0 || severity < 0) return "invalid";
  const outcome = OUTCOMES.find((one) => one === text("meshward.outcome", 32)) ?? "allowed";
  const event: NewEvent = {
    key: "",
    time: timeOf(record, now),
    ...senderOf(resource),
    rule,
    class: kind,
    cwe: listIn(attributes.get("meshward.cwe")).filter(
      (cwe) => typeof cwe === "number" && isCount(cwe, 9_999),
    ) as number[],
    severity,
    stage,
    confidence: countIn(attributes.get("meshward.confidence"), 100),
    method: text("http.request.method", 64),
    route: text("http.route", 256),
    part: text("meshward.part", 64),
    parameter: text("meshward.parameter", 256),
    evidence: text("meshward.evidence", 1_024),
    outcome,
    mode: text("meshward.mode", 32),
    exception: text("meshward.exception", 128),
    request_id: text("meshward.request_id", 64).toLowerCase(),
    trace_id: record.traceId,
    span_id: record.spanId,
    principal: text("meshward.principal", 512),
    direction: ["inbound", "outbound"].find((one) => one === text("meshward.direction", 16)) ?? "",
    status: countIn(attributes.get("http.response.status_code"), 999),
    host: text("server.address", 256),
    scheme: text("url.scheme", 16),
    hops: listIn(attributes.get("meshward.hops"))
      .slice(0, 16)
      .map((hop) => clean(String(hop), 512)),
  };
  // A sender that got no answer sends the same bytes again: the same key. What differs in anything is another event.
  const { key: _key, time: _time, ...content } = event;
  event.key = digestOf([record.nanoseconds, JSON.stringify(content)]);
  return event;
}

const isCount = (value: number, most: number): boolean => Number.isInteger(value) && value >= 0 && value <= most;

export function textIn(value: Value | undefined, most: number): string {
  return typeof value === "string" ? clean(value, most) : "";
}

export function countIn(value: Value | undefined, most: number): number {
  return typeof value === "number" && isCount(value, most) ? value : 0;
}

export const listIn = (value: Value | undefined): readonly (string | number)[] => (Array.isArray(value) ? value : []);
