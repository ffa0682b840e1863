// All that can be seen of how a request was decided, in a form in which a host and an Envoy can be compared: the module's verdict, the
// answer, and what the upstream received. Ids that are made up for a request stand as `<made>`.

import assert from "node:assert/strict";
import type { Verdict } from "../../scripts/envoy/access-log.ts";
import { verdictSchema } from "../../scripts/scan/verdict.ts";
import { bodyOf, responseChunks, type Case } from "./case.ts";

export interface Decision {
  verdict: Verdict | null;
  /** Null: the connection was closed without one. `headers`: those that the module chooses. */
  answer: { status: number; headers: Record<string, string>; body: string } | null;
  /** Null: it has received nothing. `headers`: those that the case names. Body and header values: one character a byte. */
  upstream: { method: string; path: string; host: string; headers: string[]; body: string; ended: boolean } | null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MADE = "<made>";
/** Headers of an answer that are compared. */
const ANSWER_HEADERS = [
  "content-type",
  "cache-control",
  "retry-after",
  "content-security-policy",
  "grpc-status",
  "grpc-message",
];
/** Headers of a case that belong to one connection: the proxy makes its own. */
const HOP = ["content-length", "transfer-encoding", "connection", "upgrade", "te", "expect", "host", "x-forwarded-for"];

export interface Raw {
  verdict: unknown;
  answer: { status: number; headers: readonly (readonly [string, string])[]; body: string } | null;
  upstream:
    (Omit<NonNullable<Decision["upstream"]>, "headers"> & { headers: readonly (readonly [string, string])[] }) | null;
}

/** What was seen, with made ids replaced once they were looked at. */
export function decisionOf(given: Case, raw: Raw): Decision {
  const sent = given.request.headers?.filter(([name]) => name.toLowerCase() === "x-request-id") ?? [];
  const parsed = raw.verdict === null ? null : verdictSchema.parse(raw.verdict);
  assert.equal(parsed?.bytes !== undefined, parsed?.outcome === "partial", "bytes are told of what passed in part");
  // How many differs with the chunks.
  const { bytes: _bytes, ...rest } = parsed ?? {};
  const verdict = parsed && (rest as Verdict);
  // A clean request's verdict has no ids.
  const id = verdict?.request_id ?? null;
  if (id !== null) assert.match(id, UUID);
  const kept = sent.length === 1 && sent[0]![1] === id;
  const shown = (text: string): string => (id === null || kept ? text : text.replaceAll(id, MADE));
  const names = (given.request.headers ?? []).map(([name]) => name.toLowerCase()).filter((name) => !HOP.includes(name));
  return {
    verdict: verdict && { ...verdict, request_id: id && shown(id) },
    answer: raw.answer && {
      status: raw.answer.status,
      headers: Object.fromEntries(
        raw.answer.headers
          .filter(([name]) => ANSWER_HEADERS.includes(name.toLowerCase()))
          .map(([name, value]) => [name.toLowerCase(), shown(value)]),
      ),
      body: shown(raw.answer.body),
    },
    upstream:
      given.expect.upstream === "any"
        ? null
        : raw.upstream && {
            ...raw.upstream,
            headers: raw.upstream.headers
              .filter(([name]) => names.includes(name.toLowerCase()))
              .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
              .sort(),
          },
  };
}

/** The body of the upstream's own answer. */
export const SERVED = "served";

const PROBLEMS: Record<number, [title: string, detail: string]> = {
  403: ["Forbidden", "The request was refused by policy."],
  413: ["Content Too Large", "The body is larger than what is inspected before it is passed on."],
  415: ["Unsupported Media Type", "The body has a content coding that cannot be inspected."],
  503: ["Service Unavailable", "The request could not be inspected."],
};

/** Fails unless a decision is what its case expects, in each field. */
export function assertExpected(given: Case, { verdict, answer, upstream }: Decision): void {
  const { expect, request } = given;
  const { outcome } = expect;
  const stopped = outcome === "denied" || outcome === "partial";
  const findings = expect.findings ?? [];
  const sentId = request.headers?.find(([name]) => name.toLowerCase() === "x-request-id")?.[1];
  const expected = {
    verdict: expect.verdict ?? (stopped || outcome === "would_deny" ? "deny" : "allow"),
    outcome,
    mode: expect.mode ?? "block",
    rule: expect.rule ?? null,
    route: expect.route ?? null,
    identity: expect.identity ?? (findings.length > 0 ? "127.0.0.1" : null),
    request_id: outcome === "allowed" && findings.length === 0 ? null : expect.request_id === "kept" ? sentId : MADE,
    trace_id: expect.trace_id ?? null,
    findings: [...findings].sort(),
  };
  if (expect.silent === true) assert.equal(verdict, null);
  else {
    assert.ok(verdict, "no verdict");
    const { score, findings: seen, ...rest } = verdict;
    const brief = new Set(
      seen.map(({ where, class: name, exception, stage }) => {
        const field = `${where.part}:${where.name ?? ""}:${name}`;
        const excepted = exception === undefined ? field : `${field}!${exception}`;
        return stage === "attempted" ? excepted : `${excepted}=${stage}`;
      }),
    );
    assert.deepEqual({ ...rest, findings: [...brief].sort() }, expected);
    const deciding = seen.find(({ rule, exception }) => rule === verdict.rule && exception === undefined);
    assert.equal(score, deciding?.confidence ?? 0);
    for (const [i, finding] of seen.entries()) assert.ok(i === 0 || finding.confidence <= seen[i - 1]!.confidence);
  }

  const status =
    expect.status ?? (outcome === "denied" ? 403 : outcome === "partial" ? 0 : (given.response?.status ?? 200));
  assert.equal(answer?.status ?? 0, status);
  const problem = PROBLEMS[status];
  const id = expect.request_id === "kept" ? sentId : MADE;
  if (expect.answer !== undefined) {
    assert.ok(answer, "no answer");
    const named = (text: string): string => text.replaceAll("{request_id}", String(id));
    for (const [name, value] of Object.entries(expect.answer.headers)) assert.equal(answer.headers[name], named(value));
    assert.equal(answer.body, named(expect.answer.body));
  } else if (answer !== null && problem !== undefined) {
    const [title, detail] = problem;
    assert.equal(answer.headers["content-type"], "application/problem+json");
    assert.equal(answer.headers["cache-control"], "no-store");
    if (request.method === "HEAD") assert.equal(answer.body, "");
    else
      assert.deepEqual(JSON.parse(answer.body), {
        type: "about:blank",
        title,
        status,
        detail,
        instance: `urn:uuid:${id}`,
      });
  } else if (answer !== null && !("grpc-status" in answer.headers) && request.endless !== true) {
    const served = given.response === undefined ? SERVED : Buffer.concat(responseChunks(given)).toString("latin1");
    assert.equal(answer.body, request.method === "HEAD" ? "" : served);
  }

  if (expect.upstream === "any") return;
  const whole = bodyOf(given);
  const arrived = expect.upstream ?? (outcome === "denied" ? "none" : outcome === "partial" ? "part" : "whole");
  assert.equal(
    upstream === null ? "none" : upstream.ended || (request.endless === true && !stopped) ? "whole" : "part",
    arrived,
  );
  if (upstream === null) return;
  const bytes = expect.bytes ?? (arrived === "whole" ? whole.length : upstream.body.length);
  assert.equal(upstream.body, whole.subarray(0, bytes).toString("latin1"));
}
