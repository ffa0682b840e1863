/**
 * One case of `meshward verify`: a line of `scan` with what is expected of it. In short `"expect":"deny"`; in full
 * `"expect":{"verdict":"deny","rules":["sqli-*"],"status":403}`.
 */
import { z } from "zod";
import { RULE_PATTERN } from "../policy/rule-ids.ts";
import { BadLine, exchangeOf, exchangeShape, faultOf, parseJsonLine } from "../scan/exchange-line.ts";
import type { Exchange } from "../scan/exchange-line.ts";
import { idText } from "../scan/raw-id.ts";

const verdict = z.enum(["allow", "deny"], { error: 'expected "allow" or "deny"' });

const expectation = z
  .strictObject({
    verdict,
    rules: z
      .array(
        z
          .string()
          .regex(RULE_PATTERN, { error: 'expected a rule id, or the start of one and a star such as "sqli-*"' }),
      )
      .optional()
      .describe("Each must be among the findings; compared offline only, since an answer does not name rules"),
    status: z.int().min(100).max(599).optional().describe("The status of the answer; compared through a URL only"),
  })
  .describe("What must happen");

export const caseSchema = z
  .object({
    ...exchangeShape,
    expect: z.union([verdict, expectation], { error: 'expected "allow", "deny" or {"verdict": …}' }),
    why: z.string().nullish().describe("What the case is for; shown where it fails"),
  })
  .describe("One case of meshward verify: an exchange and what must happen");

export interface Expectation {
  verdict: "allow" | "deny";
  rules: string[];
  status: number | null;
}

export interface Case {
  /** The line of the file, from 1. */
  line: number;
  /** The id as text, or `line 7`. */
  name: string;
  why: string | null;
  exchange: Exchange;
  expect: Expectation;
}

/** The case on a line; throws BadLine. */
export function parseCase(bytes: Uint8Array, line: number): Case {
  const { text, value } = parseJsonLine(bytes);
  const result = caseSchema.safeParse(value);
  if (!result.success) throw new BadLine(expectFault(value) ?? faultOf(result.error));
  const { id, expect, why, ...exchange } = result.data;
  const name = id === undefined || id === null ? `line ${line}` : typeof id === "string" ? id : idText(id, text);
  return {
    line,
    name,
    why: why ?? null,
    exchange: exchangeOf(exchange),
    expect:
      typeof expect === "string"
        ? { verdict: expect, rules: [], status: null }
        : { verdict: expect.verdict, rules: expect.rules ?? [], status: expect.status ?? null },
  };
}

/** What is wrong inside of `expect`: a union of two forms would only say that it is neither. */
function expectFault(value: object): string | null {
  const { expect } = value as { expect?: unknown };
  if (typeof expect !== "object" || expect === null) return null;
  const result = expectation.safeParse(expect);
  return result.success ? null : faultOf(result.error, ["expect"]);
}
