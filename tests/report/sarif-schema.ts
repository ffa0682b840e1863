/**
 * The objects of SARIF 2.1.0 that a report is made of, as the standard defines them (OASIS, sections 3.13 to 3.50): what is required,
 * the values of each enumeration, and no property that it does not know. Part of what its JSON Schema says, for the objects that are
 * in use here; a property that a report begins to use has to be added.
 */
import { z } from "zod";

const properties = z.looseObject({ tags: z.array(z.string()).optional() });
const text = z.string().min(1);
/** Section 3.11: doubled braces, or a placeholder with a number; a bracket stands for itself behind a backslash. */
const message = z.strictObject({
  text: text.regex(/^(?:[^{}[\]\\]|\{\{|\}\}|\\[[\]\\])*$/),
});
const multiformat = z.strictObject({ text: message.shape.text, markdown: text.optional() });
const time = z.iso.datetime();
/** A URI reference of RFC 3986. */
const uri = z.string().regex(/^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/);

const logicalLocation = z.strictObject({ name: text.optional(), fullyQualifiedName: text, kind: text });
const location = z.strictObject({
  id: z.int().min(-1).optional(),
  physicalLocation: z.strictObject({ artifactLocation: z.strictObject({ uri, uriBaseId: text }) }).optional(),
  logicalLocations: z.array(logicalLocation),
  message: message.optional(),
});

const rule = z.strictObject({
  id: text,
  shortDescription: multiformat,
  fullDescription: multiformat.optional(),
  help: multiformat.optional(),
  helpUri: z.url().optional(),
  properties,
});

const result = z.strictObject({
  ruleId: text,
  ruleIndex: z.int().min(0),
  level: z.enum(["none", "note", "warning", "error"]),
  message,
  locations: z.array(location).min(1),
  relatedLocations: z.array(location).min(1).optional(),
  partialFingerprints: z.record(z.string(), z.string()),
  occurrenceCount: z.int().min(1),
  suppressions: z.array(
    z.strictObject({
      kind: z.enum(["inSource", "external"]),
      status: z.enum(["accepted", "underReview", "rejected"]),
      justification: text,
    }),
  ),
  provenance: z.strictObject({ firstDetectionTimeUtc: time, lastDetectionTimeUtc: time }),
  rank: z.number().min(0).max(100),
  properties,
});

export const sarifSchema = z.strictObject({
  $schema: z.literal("https://json.schemastore.org/sarif-2.1.0.json"),
  version: z.literal("2.1.0"),
  runs: z
    .array(
      z.strictObject({
        tool: z.strictObject({
          driver: z.strictObject({
            name: text,
            version: text,
            semanticVersion: text.regex(/^\d+\.\d+\.\d+/),
            rules: z.array(rule),
          }),
        }),
        automationDetails: z.strictObject({ id: text }),
        invocations: z.array(z.strictObject({ executionSuccessful: z.boolean(), endTimeUtc: time })),
        originalUriBaseIds: z.record(z.string(), z.strictObject({ description: message })),
        properties,
        results: z.array(result),
      }),
    )
    .min(1),
});
