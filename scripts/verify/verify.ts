/**
 * `meshward verify`: runs cases offline (the engine of `scan`) or through a proxy, and compares. Yields one result a
 * case, in order; `report.ts` prints them.
 */
import { matchesRule } from "../policy/rule-ids.ts";
import type { Engine } from "../scan/engine.ts";
import { oneLine } from "../scan/exchange-line.ts";
import { LINE_TOO_LONG, lineBatches } from "../scan/lines.ts";
import { parseCase } from "./case.ts";
import type { Case } from "./case.ts";
import type { Sender } from "./through.ts";

/** `failed`: not what was expected. `error`: the case could not be read or run. */
export type Status = "passed" | "failed" | "error";

export interface Result {
  status: Status;
  line: number;
  name: string;
  why: string | null;
  /** One line; empty where it passed. */
  message: string;
  /** What came instead, for a case that failed. */
  kind: "missed" | "refused" | "rule" | "status" | "error" | null;
  /** Milliseconds. */
  millis: number;
}

/** Judges a case; null where all is as expected. */
export type Check = (verifyCase: Case) => Promise<Pick<Result, "kind" | "message"> | null>;

/** Compares with what the engine says. */
export function offline(engine: Engine): Check {
  return async ({ exchange, expect }) => {
    const { verdict, score, findings } = await engine.judge(exchange);
    const seen = findings.map(({ rule, confidence, where }) => {
      return `${rule} ${confidence} in ${where.part}${where.name === null ? "" : ` ${where.name}`}`;
    });
    const told = oneLine(seen.length === 0 ? "nothing was found" : `found: ${seen.join(", ")}`);
    if (verdict !== expect.verdict) {
      const kind = expect.verdict === "deny" ? "missed" : "refused";
      return { kind, message: `expected ${expect.verdict}, got ${verdict} (score ${score}; ${told})` };
    }
    const missing = expect.rules.filter((pattern) => !findings.some(({ rule }) => matchesRule(pattern, rule)));
    return missing.length === 0 ? null : { kind: "rule", message: `expected ${missing.join(", ")}; ${told}` };
  };
}

/** Compares with the answer of a proxy. */
export function through(sender: Sender): Check {
  return async ({ exchange, expect }) => {
    const { status, isRefusal } = await sender.send(exchange);
    const verdict = isRefusal ? "deny" : "allow";
    if (verdict !== expect.verdict) {
      const kind = expect.verdict === "deny" ? "missed" : "refused";
      return { kind, message: `expected ${expect.verdict}, got ${verdict} (status ${status})` };
    }
    if (expect.status === null || expect.status === status) return null;
    return { kind: "status", message: `expected status ${expect.status}, got ${status}` };
  };
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: "the URL does not answer: connection refused",
  ENOTFOUND: "the URL does not answer: no such host",
  ECONNRESET: "the connection was reset",
  ERR_UNESCAPED_CHARACTERS: "HTTP/1.1 cannot carry this path; percent-encode it, or verify it offline",
  ERR_INVALID_CHAR: "HTTP/1.1 cannot carry this header; verify it offline",
  ERR_INVALID_HTTP_TOKEN: "HTTP/1.1 cannot carry this method or header name; verify it offline",
};

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return oneLine(REASONS[code ?? ""] ?? message);
}

/** Runs the cases in `input`, one a line. */
export async function* verify(input: AsyncIterable<Uint8Array>, check: Check): AsyncGenerator<Result> {
  for await (const lines of lineBatches(input)) {
    for (const { number, bytes } of lines) {
      const text = bytes?.toString("latin1").trim();
      if (text === "") continue;
      const start = performance.now();
      const result = { line: number, name: `line ${number}`, why: null as string | null };
      const finish = (status: Status, fault: Pick<Result, "kind" | "message"> | null): Result => ({
        ...result,
        status,
        kind: fault?.kind ?? null,
        message: fault?.message ?? "",
        millis: performance.now() - start,
      });
      try {
        if (bytes === null) throw new Error(LINE_TOO_LONG);
        const verifyCase = parseCase(bytes, number);
        result.name = oneLine(verifyCase.name);
        result.why = verifyCase.why === null ? null : oneLine(verifyCase.why);
        const fault = await check(verifyCase);
        yield finish(fault === null ? "passed" : "failed", fault);
      } catch (error) {
        yield finish("error", { kind: "error", message: reasonOf(error) });
      }
    }
  }
}
