/**
 * What was seen of an endpoint: another OpenTelemetry log record that leaves the proxy, in the form of `event.ts`. Counts are of the time
 * since the record before.
 */
import { z } from "zod";
import { eventSchema } from "./event.ts";

/** What the values of a parameter look like. */
export const PARAMETER_TYPES = [
  ...["empty", "boolean", "integer", "number", "uuid", "date", "email", "url", "token", "text"],
] as const;
const types = `(?:${PARAMETER_TYPES.join("|")})`;

const texts = (described: string) => z.array(z.string().min(1)).optional().describe(described);

const attributesSchema = eventSchema.shape.attributes
  .pick({ "http.request.method": true, "http.route": true, "server.address": true, "meshward.direction": true })
  .extend({
    "url.scheme": z.enum(["http", "https"]).describe("What the client speaks with the edge"),
    "meshward.count": z.int().min(1).describe("Exchanges that were observed, a share of all"),
    "meshward.status_classes": z.array(z.string().regex(/^[1-5]xx \d+$/)),
    "meshward.parameters": z
      .array(z.string().regex(new RegExp(`^[a-z-]+ ${types}(?:\\|${types})* `, "s")))
      .max(32)
      .optional()
      .describe("Part, types of the values, and name; a client may have chosen it"),
    "meshward.request.content_types": texts("Without parameters"),
    "meshward.response.content_types": texts("Without parameters"),
    "meshward.authentication": z
      .array(z.string().regex(/^(?:none|basic|bearer|cookie|api-key|mtls|refused) \d+$/))
      .optional()
      .describe("What requests that were answered below 400 said who they are by; refused: 401 and 403"),
    "meshward.callers": texts("SPIFFE ids, at most 8"),
    "meshward.components": texts("Kind, name and version (or -) of products and libraries that responses show"),
  });

export const endpointSchema = eventSchema
  .pick({ time: true, severity_number: true, severity_text: true, body: true, resource: true })
  .extend({ event_name: z.literal("meshward.endpoint"), attributes: attributesSchema })
  .describe("What was seen of an endpoint as an OpenTelemetry log record, its attributes as objects; version 1");
export type EndpointRecord = z.infer<typeof endpointSchema>;
