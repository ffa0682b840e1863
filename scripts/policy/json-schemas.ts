/** The JSON Schemas that editors and other programs use: made from the zod schemas, committed in `schemas/`. */
import { z } from "zod";
import { openApiDocument } from "../../collector/openapi.ts";
import { accessSchema } from "../events/access.ts";
import { endpointSchema } from "../events/endpoint.ts";
import { eventSchema } from "../events/event.ts";
import { packageVersion } from "../package.ts";
import { reportSchema } from "../report/report.ts";
import { exchangeSchema } from "../scan/exchange-line.ts";
import { refusalSchema, scanOutputSchema, verdictSchema } from "../scan/verdict.ts";
import { caseSchema } from "../verify/case.ts";
import { policySchema } from "./schema.ts";

const SCHEMAS = {
  "policy.schema.json": policySchema,
  "scan-input.schema.json": exchangeSchema,
  "scan-output.schema.json": scanOutputSchema,
  "verdict.schema.json": verdictSchema,
  "event.schema.json": eventSchema,
  "endpoint.schema.json": endpointSchema,
  "access.schema.json": accessSchema,
  "refusal-log.schema.json": refusalSchema,
  "verify-case.schema.json": caseSchema,
  "report.schema.json": reportSchema,
} as const;

/** The folder of the package that they lie in. */
export const SCHEMA_FOLDER = "schemas";

/** Each file's name and text. */
export function schemaFiles(): Map<string, string> {
  const documents = [
    ...Object.entries(SCHEMAS).map(([name, schema]) => [name, z.toJSONSchema(schema, { io: "input" })] as const),
    ["collector.openapi.json", openApiDocument(packageVersion())] as const,
  ];
  return new Map(documents.map(([name, document]) => [name, `${JSON.stringify(document, null, 2)}\n`]));
}
