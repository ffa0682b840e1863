/**
 * What an exchange shows of who may see what: another OpenTelemetry log record that leaves the proxy, in the form of `event.ts`. Ids and
 * users are keyed hashes; with another key the same id has another hash.
 */
import { z } from "zod";
import { eventSchema } from "./event.ts";

/** What an id looks like. */
export const ID_FORMS = ["small", "number", "short", "long"] as const;
/** Where in a request an id stands. */
export const ID_PARTS = [
  "path",
  "query",
  "header",
  "form",
  "json",
  "body",
  "xml",
  "multipart",
  "graphql",
  "grpc",
] as const;
/** By what a user is known. */
export const SUBJECT_KINDS = ["anonymous", "jwt", "basic", "token", "cookie", "key"] as const;

const attributesSchema = eventSchema.shape.attributes
  .pick({ "http.request.method": true, "http.route": true, "server.address": true, "meshward.request_id": true })
  .extend({
    "meshward.subject.kind": z.enum(SUBJECT_KINDS).describe("By what it is known who asked"),
    "meshward.subject": z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .optional()
      .describe("Who asked; absent for anonymous"),
    "meshward.key": z
      .string()
      .regex(/^[0-9a-f]{8}$/)
      .describe("Which key hashes were made with"),
    "meshward.used": z
      .array(
        z
          .string()
          .regex(new RegExp(`^(?:${ID_PARTS.join("|")}) \\S+ [0-9a-f]{16} (?:${ID_FORMS.join("|")})(?:\\+1)? `, "s")),
      )
      .max(8)
      .optional()
      .describe("Part, collection, hash, form, and name; +1: next to the one that the same user used before"),
    "meshward.handed": z
      .array(z.string().regex(/^\S+ [0-9a-f]{16}(?: own)?$/))
      .max(32)
      .optional()
      .describe("Collection and hash; own: handed out by the collection's own endpoint"),
    "meshward.self": z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .optional()
      .describe("The hash of the id that a token names its user by"),
    "meshward.staff": z.literal(1).optional().describe("The credential names somebody who works there, or no person"),
    "meshward.personal": z.literal(1).optional().describe("The answer tells of somebody, by the names of its members"),
    "meshward.unseen": z.literal(1).optional().describe("More was handed out than is told"),
    "meshward.lost": z.int().min(1).optional().describe("Exchanges since the last record of which there is none"),
  });

export const accessSchema = eventSchema
  .pick({ time: true, severity_number: true, severity_text: true, body: true, trace_id: true, resource: true })
  .extend({ event_name: z.literal("meshward.access"), attributes: attributesSchema })
  .describe("The ids that an exchange used and handed out as an OpenTelemetry log record; version 1");
export type AccessEvent = z.infer<typeof accessSchema>;
