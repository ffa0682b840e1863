/** The tour: every stop without the filter and with it, and what came of it. */
import { Agent, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { TOKEN_HEADER } from "./door.ts";
import type { TourCase, TourRequest } from "./cases.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One way's outcome. */
export interface Outcome {
  /** Whether it is as promised. */
  ok: boolean;
  status: number;
  /** What the answer proves, in its own words; null where the proof is not in it. */
  shown: string | null;
}

export interface Row {
  stop: TourCase;
  without: Outcome;
  with: Outcome;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 256 * 1024;

/** Sends a request as it is written; `fetch` would tidy the path up. */
export function send(url: string, token: string, { method, path, headers, body }: TourRequest): Promise<Answer> {
  const { hostname, port, host } = new URL(url);
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      agent,
      method,
      hostname,
      port,
      path,
      headers: {
        host,
        [TOKEN_HEADER]: token,
        ...headers,
        ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
      },
      timeout: TIMEOUT_MS,
    });
    sent.once("timeout", () => sent.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)));
    sent.once("error", reject);
    sent.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER_BYTES) response.destroy(new Error("the answer is too long"));
      });
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.end(body);
  });
}

/** What the proof matches in the answer, or its groups; null where it is not in it. */
function proven({ body }: Answer, { proof }: TourCase): string | null {
  const match = proof.exec(body);
  if (match === null) return null;
  return match.length > 1 ? match.slice(1).join(" ") : match[0];
}

/** The shop's own answer, with the proof in it. */
function served(answer: Answer, stop: TourCase): Outcome {
  const { status } = answer;
  const shown = proven(answer, stop);
  return { ok: status === (stop.status ?? 200) && shown !== null, status, shown };
}

/** The filter's refusal, with nothing of the shop in it. */
function refused(answer: Answer, stop: TourCase): Outcome {
  const { status, headers, body } = answer;
  const shown = proven(answer, stop);
  const isProblem =
    headers["content-type"]?.startsWith("application/problem+json") === true &&
    /"instance":"urn:uuid:[0-9a-f-]{36}"/.test(body);
  return { ok: status === 403 && isProblem && shown === null, status, shown };
}

/** Makes one stop. `direct` leads to the shop, `filtered` to Envoy; rejects where one of them does not answer. */
export async function visit(stop: TourCase, direct: string, filtered: string, token: string): Promise<Row> {
  const without = served(await send(direct, token, stop.request), stop);
  const answer = await send(filtered, token, stop.request);
  return { stop, without, with: stop.kind === "attack" ? refused(answer, stop) : served(answer, stop) };
}

export const isAsPromised = (row: Row): boolean => row.without.ok && row.with.ok;
