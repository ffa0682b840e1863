/**
 * One line of `meshward scan`'s input: an HTTP exchange as JSON (shared with `verify`, whose cases are such lines).
 * Text means its UTF-8 bytes, a lone surrogate becomes U+FFFD; other bytes come as base64.
 */
import { z } from "zod";

const base64 = z
  .string()
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/, { error: "expected base64" });

const headerValue = z.union([z.string(), z.object({ base64 })], { error: 'expected text or {"base64": "…"}' });
const headers = z
  .array(z.tuple([z.string(), headerValue], { error: 'expected ["name", value]' }))
  .describe("Names in any case; order and repeats count. The first host becomes :authority");

/** Nothing is the same as null: programs write either. */
const optional = <T extends z.ZodType>(schema: T) => schema.nullish();
const once = { error: "expected one of the two, not both" };

const bodyOf = {
  body: optional(z.string()).describe("The body as text"),
  body_base64: optional(base64).describe("The body as other bytes"),
};
const hasOneBody = (message: { body?: unknown; body_base64?: unknown }): boolean =>
  (message.body ?? null) === null || (message.body_base64 ?? null) === null;

const request = z
  .object({
    method: z.string().describe("As sent"),
    path: optional(z.string()).describe("Path and query as sent, as text"),
    path_base64: optional(base64).describe("Path and query as other bytes"),
    headers: optional(headers),
    ...bodyOf,
  })
  .refine(({ path, path_base64 }) => ((path ?? null) === null) !== ((path_base64 ?? null) === null), {
    error: 'expected "path" or "path_base64"',
    path: ["path"],
  })
  .refine(hasOneBody, { ...once, path: ["body_base64"] });

const response = z
  .object({ status: z.int().min(100).max(999), headers: optional(headers), ...bodyOf })
  .refine(hasOneBody, { ...once, path: ["body_base64"] });

/** The members of a line; unknown ones are passed over, so that programs can carry what they need. */
export const exchangeShape = {
  id: z.unknown().optional().describe("Any JSON value; comes back unchanged"),
  request,
  response: optional(response),
  source: optional(
    z.object({
      address: optional(z.string()).describe("The client's address, with or without a port"),
      principal: optional(z.string()).describe("The client's SPIFFE id"),
    }),
  ),
  time: optional(
    z
      .string()
      .refine((time) => !Number.isNaN(Date.parse(time)), { error: 'expected a time such as "2026-11-21T10:00:00Z"' }),
  ).describe("When the request came"),
  service: optional(z.string()).describe("The service that it went to; chooses the policy's workload"),
};

export const exchangeSchema = z.object(exchangeShape).describe("One HTTP exchange, a line of meshward scan's input");

/** A line as its text parses. */
export type ExchangeLine = z.output<typeof exchangeSchema>;

type Bytes = string | Uint8Array;

/** What the host is given. */
export interface Exchange {
  request: { method: string; path: Bytes; headers: [string, Bytes][]; body: Bytes };
  response: { status: number; headers: [string, Bytes][]; body: Bytes } | null;
  address: string | null;
  principal: string | null;
  service: string | null;
}

/** Why a line cannot be used, in one sentence without line breaks. */
export class BadLine extends Error {}

/** The value of a line's JSON text, which must be an object; throws BadLine. */
export function parseJsonLine(bytes: Uint8Array): { text: string; value: object } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BadLine("not UTF-8; other bytes go into path_base64, body_base64 or a header's base64");
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadLine(`not JSON: ${oneLine((error as Error).message)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new BadLine("expected a JSON object");
  return { text, value };
}

/** The first fault that a schema found, as "request.headers[0]: expected …"; `at` is where the value stands. */
export function faultOf(error: z.ZodError, at: readonly PropertyKey[] = []): string {
  const issue = error.issues[0]!;
  const path = [...at, ...issue.path]
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("");
  const message = issue.message
    .replace(/^Invalid input: expected (\S+), received undefined$/, "missing: expected $1")
    .replace(/^Unrecognized key/, "unknown key")
    .replace(/^Invalid input: /, "")
    .replace(/, received /, ", got ");
  return oneLine(path === "" ? message : `${path.replace(/^\./, "")}: ${message}`);
}

/** The text on one line, at most 200 characters. */
export function oneLine(text: string): string {
  const flat = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
  return flat.length > 200 ? `${flat.slice(0, 197)}…` : flat;
}

function bytesOf(text: string | null | undefined, encoded: string | null | undefined): Bytes {
  return typeof encoded === "string" ? Buffer.from(encoded, "base64") : (text ?? "");
}

function headersOf(list: z.output<typeof headers> | null | undefined): [string, Bytes][] {
  // The host keeps names as one character a byte.
  return (list ?? []).map(([name, value]) => [
    Buffer.from(name, "utf8").toString("latin1"),
    typeof value === "string" ? value : Buffer.from(value.base64, "base64"),
  ]);
}

/** The exchange that a line describes. */
export function exchangeOf({ request, response, source, service }: ExchangeLine): Exchange {
  return {
    request: {
      method: request.method,
      path: bytesOf(request.path, request.path_base64),
      headers: headersOf(request.headers),
      body: bytesOf(request.body, request.body_base64),
    },
    response: response
      ? {
          status: response.status,
          headers: headersOf(response.headers),
          body: bytesOf(response.body, response.body_base64),
        }
      : null,
    address: source?.address ?? null,
    principal: source?.principal ?? null,
    service: service ?? null,
  };
}

/** The exchange in the value of a line; throws BadLine. */
export function parseExchange(value: object): Exchange {
  const result = exchangeSchema.safeParse(value);
  if (!result.success) throw new BadLine(faultOf(result.error));
  return exchangeOf(result.data);
}
