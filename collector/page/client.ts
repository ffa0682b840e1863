/** Asks the collector. Answers have the API's types; where they come from is this page's own server. */
import type { Audit, Endpoints, Events, FindingDetail, Findings, Problem, ServiceMap, Services } from "../api.ts";
import type { StateChange, Summary, Trend } from "../api.ts";
import type { Filter } from "./route.ts";

/** The answer was 401: nobody is signed in, or no longer. */
export class SignedOut extends Error {}

/** Any other answer that is none, in words. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What a form of another site cannot send (api.ts, CHANGE_HEADER). */
const CHANGE = { "x-meshward-change": "1" };
const TIMEOUT_MS = 15_000;

async function ask<Answer>(path: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Answer> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { accept: "application/json", ...init.headers },
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error(limit.aborted ? "The collector does not answer." : "The collector cannot be reached.");
  }
  if (response.status === 401) throw new SignedOut();
  if (!response.ok) {
    const problem = (await response.json().catch(() => null)) as Partial<Problem> | null;
    throw new Refused(response.status, problem?.detail ?? `The collector answers ${response.status}.`);
  }
  if (response.status === 204) return undefined as Answer;
  try {
    return (await response.json()) as Answer;
  } catch {
    throw new Error("The collector's answer breaks off.");
  }
}

const post = <Answer>(path: string, body: object): Promise<Answer> =>
  ask<Answer>(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...CHANGE },
    body: JSON.stringify(body),
  });

function withQuery(path: string, said: Record<string, string | number | readonly string[] | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(said)) {
    const text = Array.isArray(value) ? value.join(",") : String(value ?? "");
    if (text !== "") query.set(name, text);
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

export const api = {
  summary: (signal: AbortSignal) => ask<Summary>("/api/v1/summary", {}, signal),
  trend: (window: string, signal: AbortSignal) => ask<Trend>(withQuery("/api/v1/trend", { window }), {}, signal),
  findings: (filter: Filter, limit: number, cursor: string | null, signal?: AbortSignal) =>
    ask<Findings>(withQuery("/api/v1/findings", { ...filter, limit, cursor: cursor ?? "" }), {}, signal),
  finding: (fingerprint: string, signal: AbortSignal) =>
    ask<FindingDetail>(`/api/v1/findings/${encodeURIComponent(fingerprint)}`, {}, signal),
  decide: (fingerprint: string, change: StateChange) =>
    post<FindingDetail>(`/api/v1/findings/${encodeURIComponent(fingerprint)}/state`, change),
  events: (said: { request_id?: string; fingerprint?: string; limit: number }, signal: AbortSignal) =>
    ask<Events>(withQuery("/api/v1/events", said), {}, signal),
  services: (signal: AbortSignal) => ask<Services>("/api/v1/services", {}, signal),
  endpoints: (said: Record<string, string | number>, signal?: AbortSignal) =>
    ask<Endpoints>(withQuery("/api/v1/endpoints", said), {}, signal),
  map: (signal: AbortSignal) => ask<ServiceMap>("/api/v1/map", {}, signal),
  /** Where the OpenAPI document of a service is; "" for a namespace asks for the one without. */
  documentOf: (service: string, namespace: string) =>
    `/api/v1/openapi/${encodeURIComponent(service)}?namespace=${encodeURIComponent(namespace)}`,
  audit: (said: { fingerprint?: string; cursor?: string; limit: number }, signal?: AbortSignal) =>
    ask<Audit>(withQuery("/api/v1/audit", said), {}, signal),
  session: () => ask<unknown>("/session"),
  signIn: (token: string) => post<unknown>("/session", { token }),
  signOut: () => ask<unknown>("/session", { method: "DELETE", headers: CHANGE }),
};
