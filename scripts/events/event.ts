/**
 * An event: what a finding becomes when it leaves the proxy, one OpenTelemetry log record. This is its form in JSON, with the attributes
 * of record and resource as objects; what travels is the protobuf form (assembly/report/otlp.ts). Names of attributes are those of
 * OpenTelemetry's semantic conventions where they have one, else `meshward.…`.
 */
import { z } from "zod";
import { MODES, PARTS } from "../policy/schema.ts";
import { SEVERITIES, STAGES } from "../scan/verdict.ts";

/** The number that an OpenTelemetry collector knows a severity by. */
export const SEVERITY_NUMBERS = { info: 9, low: 10, medium: 13, high: 17, critical: 21 } as const;

/** Bytes that texts have at most which clients have a hand in; what is longer is cut. */
const MAX = { method: 16, route: 160, host: 128, parameter: 128, evidence: 200, principal: 160, node: 256 } as const;

const bytes = (most: number) =>
  z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= most, { error: `expected at most ${most} bytes` });

const resourceSchema = z.strictObject({
  "service.name": bytes(MAX.node).describe("Istio's canonical name, else Envoy's --service-cluster; else unknown"),
  "service.namespace": bytes(MAX.node).optional(),
  "service.instance.id": bytes(MAX.node).optional().describe("The id of Envoy's node"),
  "meshward.version": z.string(),
  "meshward.policy": z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .optional()
    .describe("The hash of the policy that it was found under"),
});

const attributesSchema = z.strictObject({
  "security_rule.name": z.string().describe("The rule's id"),
  "security_rule.category": z.string().describe("The class of attack"),
  "security_rule.ruleset.name": z.literal("meshward"),
  "meshward.stage": z.enum(STAGES).describe("How far the attack is known to have come"),
  "meshward.confidence": z.int().min(0).max(100),
  "meshward.severity": z.enum(SEVERITIES),
  "meshward.cwe": z.array(z.int()).optional(),
  "meshward.part": z.string().describe(`Where it was found: ${PARTS.join(", ")}, response-header, response-body`),
  "meshward.parameter": bytes(MAX.parameter).optional().describe("The name of the field; a client may have chosen it"),
  "meshward.evidence": bytes(MAX.evidence)
    .optional()
    .describe("Masked: letters and digits that are no keyword become a{n} and 9{n}"),
  "meshward.outcome": z.enum(["allowed", "denied", "would_deny", "partial", "error"]),
  "meshward.mode": z.enum(MODES),
  "meshward.exception": z.string().optional().describe("The exception of the policy by which it does not count"),
  "meshward.request_id": z.uuid({ version: undefined }).describe("The id that the answer and the logs have, too"),
  "meshward.principal": bytes(MAX.principal).optional().describe("Who sent it: SPIFFE id, verified token, or address"),
  "meshward.direction": z.enum(["inbound", "outbound"]),
  "meshward.hops": z
    .array(z.string())
    .optional()
    .describe("The services that the value went through, where they are several"),
  "http.request.method": bytes(MAX.method).optional(),
  "http.route": bytes(MAX.route)
    .regex(/^[^?#]*$/)
    .optional()
    .describe("The policy's route if it is one endpoint's, else the path with placeholders for what clients choose"),
  "http.response.status_code": z.int().min(100).max(999).optional(),
  "server.address": bytes(MAX.host).optional().describe("The request's host without its port; a client chooses it"),
  "url.scheme": z.enum(["http", "https"]).optional(),
});

export const eventSchema = z
  .strictObject({
    time: z.iso.datetime({ precision: 9 }).describe("When the request ended"),
    event_name: z.literal("meshward.finding"),
    severity_number: z.literal(Object.values(SEVERITY_NUMBERS)),
    severity_text: z.enum(SEVERITIES),
    body: z.string().describe("One line for people: rule, class, stage"),
    trace_id: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional(),
    span_id: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .optional()
      .describe("The caller's span"),
    resource: resourceSchema,
    attributes: attributesSchema,
  })
  .describe("A finding as an OpenTelemetry log record, its attributes as objects; version 1");
export type Event = z.infer<typeof eventSchema>;
