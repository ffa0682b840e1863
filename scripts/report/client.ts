/**
 * What the collector knows, over its JSON API. Each answer is checked against the API's schemas; whatever goes wrong is an Error
 * of one line that says what to do. The token goes to the address that was given and nowhere else: a redirection is an error.
 */
import type { z } from "zod";
import { PAGE_LIMIT, eventsSchema, findingDetailSchema, findingsSchema, problemSchema } from "../../collector/api.ts";
import type { Event, Finding, FindingDetail } from "../../collector/api.ts";
import { printable } from "../envoy/printable.ts";

export const TIMEOUT_MS = 15_000;
/** More than any collector keeps; one that hands out pages without end is stopped here. */
const MAX_PAGES = 1_000;

/** Asks one collector. */
export interface Collector {
  /** All findings, whatever their state, the gravest first. */
  findings(): Promise<Finding[]>;
  /** The events of a request, the newest first; none where it is not known. */
  events(requestId: string): Promise<Event[]>;
  finding(fingerprint: string): Promise<FindingDetail>;
}

/** The address of an API; throws Error with what was expected. `tokenVariable` is where its token belongs. */
export function parseBase(text: string, tokenVariable = "MESHWARD_READ_TOKEN"): URL {
  if (!URL.canParse(text)) throw new Error(`"${printable(text)}" is not a URL: expected http://HOST:PORT`);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new Error(`"${printable(text)}": expected http:// or https://`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new Error(`expected no user or password in it: the token goes into ${tokenVariable}`);
  }
  if (url.search !== "" || url.hash !== "") throw new Error(`"${printable(text)}": expected no "?" or "#"`);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

const FAULTS: Record<string, (what: string) => string> = {
  ECONNREFUSED: (what) => `nothing listens there; is ${what} running?`,
  ENOTFOUND: () => "there is no such host",
  EAI_AGAIN: () => "the host's name cannot be looked up",
  ECONNRESET: (what) => `the connection was closed; is that ${what}?`,
  UND_ERR_SOCKET: (what) => `the connection was closed; is that ${what}?`,
};

/** Why there was no answer of the collector, or of `what` else, in words. */
export function faultOf(error: unknown, what = "the collector"): string {
  if ((error as Error).name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`;
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  return FAULTS[cause?.code ?? ""]?.(what) ?? printable(cause?.message ?? (error as Error).message);
}

function refusalOf(status: number, body: string, hasToken: boolean): string {
  if (status === 401) {
    return hasToken
      ? "the token in MESHWARD_READ_TOKEN is not the one that it was started with"
      : "it wants a token: set MESHWARD_READ_TOKEN to the one that it was started with";
  }
  let detail = "";
  try {
    detail = problemSchema.parse(JSON.parse(body)).detail;
  } catch {
    // Not of this API: the status alone has to do.
  }
  return `it answers ${status}${detail === "" ? "" : `: ${printable(detail)}`}`;
}

/** A client for the collector at `base` (of `parseBase`). */
export function collectorAt(base: URL, token: string | undefined): Collector {
  const fail = (why: string): never => {
    throw new Error(`collector ${base.href}: ${why}`);
  };
  async function ask<Answer>(path: string, query: Record<string, string>, schema: z.ZodType<Answer>): Promise<Answer> {
    const url = new URL(`api/v1/${path}`, base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    let status: number;
    let body: string;
    try {
      const response = await fetch(url, {
        headers: { accept: "application/json", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = response.status;
      body = await response.text();
    } catch (error) {
      return fail(faultOf(error));
    }
    if (status !== 200) return fail(refusalOf(status, body, token !== undefined));
    try {
      return schema.parse(JSON.parse(body));
    } catch {
      return fail(`its answer to ${path} is not what this version of meshward reads; is that a collector?`);
    }
  }
  return {
    async findings() {
      const found = new Map<string, Finding>();
      let cursor: string | null = "";
      for (let pages = 0; cursor !== null; pages++) {
        if (pages === MAX_PAGES) fail(`more than ${MAX_PAGES * PAGE_LIMIT} findings`);
        const query: Record<string, string> = { limit: String(PAGE_LIMIT), ...(cursor === "" ? {} : { cursor }) };
        const page: z.infer<typeof findingsSchema> = await ask("findings", query, findingsSchema);
        // One that moves up between two pages comes twice.
        for (const finding of page.findings) found.set(finding.fingerprint, finding);
        cursor = page.next_cursor;
      }
      return [...found.values()];
    },
    async events(requestId) {
      const { events } = await ask("events", { request_id: requestId, limit: String(PAGE_LIMIT) }, eventsSchema);
      return events;
    },
    finding: (fingerprint) => ask(`findings/${encodeURIComponent(fingerprint)}`, {}, findingDetailSchema),
  };
}
