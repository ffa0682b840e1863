/** The JSON Schemas that editors and other programs use: made from the zod schemas, committed in `schemas/`. */
import { z } from "zod";
import { exchangeSchema } from "../scan/exchange-line.ts";
import { refusalSchema, scanOutputSchema, verdictSchema } from "../scan/verdict.ts";
import { caseSchema } from "../verify/case.ts";
import { policySchema } from "./schema.ts";

const SCHEMAS = {
  "policy.schema.json": policySchema,
  "scan-input.schema.json": exchangeSchema,
  "scan-output.schema.json": scanOutputSchema,
  "verdict.schema.json": verdictSchema,
  "refusal-log.schema.json": refusalSchema,
  "verify-case.schema.json": caseSchema,
} as const;

/** The folder of the package that they lie in. */
export const SCHEMA_FOLDER = "schemas";

/** Each file's name and text. */
export function schemaFiles(): Map<string, string> {
  return new Map(
    Object.entries(SCHEMAS).map(([name, schema]) => [
      name,
      `${JSON.stringify(z.toJSONSchema(schema, { io: "input" }), null, 2)}\n`,
    ]),
  );
}
