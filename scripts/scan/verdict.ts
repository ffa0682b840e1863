/**
 * What the module says of a request, and what `scan` makes of it: the shapes that programs outside read. The module
 * writes them itself (assembly/report/verdict.ts); here they are checked in tests and told in the JSON Schemas.
 */
import { z } from "zod";
import { MODES, PARTS } from "../policy/schema.ts";

/** Where a finding stands that no value of the request is to blame for. */
const RESPONSE_PARTS = ["response-header", "response-body"] as const;

export const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;
export const STAGES = ["attempted", "likely", "confirmed"] as const;

export const findingSchema = z.object({
  rule: z.string().describe("The rule's id"),
  class: z.string().describe("The class of attack"),
  cwe: z.array(z.int()).describe("Weaknesses, by their CWE numbers"),
  severity: z.enum(SEVERITIES),
  confidence: z.int().min(0).max(100),
  stage: z.enum(STAGES).describe("How far the attack is known to have come"),
  where: z.object({
    part: z.enum([...PARTS, ...RESPONSE_PARTS]),
    name: z
      .string()
      .nullable()
      .describe("JSON Pointer, parameter, cookie, header in lower case, index of a path segment; at most 128 bytes"),
  }),
  evidence: z.string().describe("What was seen, masked: letters and digits that are no keyword become a{n} and 9{n}"),
  exception: z.string().optional().describe("The exception of the policy by which it does not count"),
  hops: z
    .array(z.string())
    .optional()
    .describe("Where the value came in and each service up to this one: service, method, route, part and name"),
});
export type Finding = z.infer<typeof findingSchema>;

const names = {
  rule: z.string().nullable().describe("The rule that decided"),
  route: z.string().nullable().describe("The template of the policy's route that matched"),
  identity: z.string().nullable().describe("Who sent it: SPIFFE id, verified token, or address"),
  request_id: z.string().describe("The UUID that answer, log and access log share"),
  trace_id: z.string().nullable(),
  bytes: z
    .int()
    .optional()
    .describe("Of a partial refusal: bytes of the body that were judged until then; most have passed"),
};
const mode = z.enum(MODES);
const score = z.int().min(0).max(100).describe("The confidence that decided; 0 without findings");

/** The filter state `meshward.verdict`, in the access log as `meshward`. */
export const verdictSchema = z
  .object({
    verdict: z.enum(["allow", "deny"]).describe("deny: block mode refuses it"),
    outcome: z.enum(["allowed", "denied", "would_deny", "partial", "error"]),
    mode,
    score: score.default(0),
    rule: names.rule.default(null),
    route: names.route.default(null),
    identity: names.identity.default(null),
    request_id: names.request_id.nullable().default(null),
    trace_id: names.trace_id.default(null),
    bytes: names.bytes,
    findings: z.array(findingSchema).default([]).describe("Highest confidence first, from 20"),
  })
  .describe("What Meshward decided about one request; of a clean one the module leaves out what has a default");
export type Verdict = z.infer<typeof verdictSchema>;

/** The JSON value of the filter state `meshward.verdict`: a clean request's may be two words, outcome and mode. Throws where it is none. */
export function parseVerdict(text: string): unknown {
  const words = /^(allowed) (off|detect|block)$/.exec(text);
  return words === null ? JSON.parse(text) : { verdict: "allow", outcome: words[1], mode: words[2] };
}

/** The log line of a refusal, behind the word `meshward`. */
export const refusalSchema = z
  .object({
    outcome: z.enum(["denied", "partial"]),
    mode,
    score,
    ...names,
    where: findingSchema.shape.where.extend({ part: z.string() }).optional(),
    evidence: z.string().optional(),
    suppressed: z.int().optional().describe("Refusals since the last line that were not logged"),
  })
  .describe("A refusal in Envoy's log, at level warn");

const judged = z.object({
  id: z.unknown().describe("That of the line; null where it has none"),
  verdict: verdictSchema.shape.verdict,
  mode,
  score,
  findings: z.array(findingSchema),
});
const failed = z.object({
  id: z.null(),
  line: z.int().min(1).describe("The line of the input, from 1"),
  error: z.string(),
});

/** One line of `meshward scan`'s output. */
export const scanOutputSchema = z.union([judged, failed]).describe("What meshward scan says of one line");

export type Judgement = Pick<Verdict, "verdict" | "mode" | "score" | "findings">;
