/** Asks a Prometheus, or what speaks its API, for vectors. Whatever goes wrong is an Error of one line that says what to do. */
import { z } from "zod";
import { printable } from "../envoy/printable.ts";
import { TIMEOUT_MS, faultOf } from "../report/client.ts";

/** A mesh of 10,000 proxies with 30 labels each has some 10 MB. */
const MAX_BYTES = 64 * 1024 * 1024;

const answerSchema = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("success"),
    data: z.object({
      resultType: z.literal("vector"),
      result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
    }),
  }),
  z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() }),
]);

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

/** Yields the samples of an expression now. */
export type Ask = (expression: string) => Promise<Sample[]>;

/** Reads an answer within bounds; null where there is more. */
async function textOf(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** A client for the Prometheus at `base`, which ends with a slash. The token goes there and nowhere else. */
export function prometheusAt(base: URL, token: string | undefined): Ask {
  const fail = (why: string): never => {
    throw new Error(`Prometheus ${base.href}: ${why}`);
  };
  return async (query) => {
    let status: number;
    let text: string | null;
    try {
      const response = await fetch(new URL("api/v1/query", base), {
        method: "POST",
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        body: new URLSearchParams({ query }),
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = response.status;
      text = await textOf(response);
    } catch (error) {
      return fail(faultOf(error, "Prometheus"));
    }
    if (text === null) return fail(`its answer has more than ${MAX_BYTES / 1024 / 1024} MiB`);
    if (status === 401 || status === 403) {
      return fail(
        token === undefined
          ? `it answers ${status}: it may want a token in MESHWARD_PROMETHEUS_TOKEN`
          : `it answers ${status}: the token in MESHWARD_PROMETHEUS_TOKEN is not taken`,
      );
    }
    let answer: z.infer<typeof answerSchema>;
    try {
      answer = answerSchema.parse(JSON.parse(text));
    } catch {
      return fail(
        `it answers ${status}, and not as Prometheus does: expected its address, with its path if it has one`,
      );
    }
    if (answer.status === "error") return fail(`it refuses the query: ${printable(answer.error)}`);
    return answer.data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  };
}
