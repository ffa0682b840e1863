/** Findings and events for tests of what shows them. */
import type { Event, Finding } from "../../collector/api.ts";

/** Text that does something in each format that forgets to escape it. */
export const HOSTILE = `"'><img src=x onerror=alert(1)><script>alert(2)</script>&lt; [link](javascript:alert(3)) {0} \\ \u202etxt.exe`;

export const FINGERPRINT = "00112233445566778899aabbccddeeff";

export function finding(changes: Partial<Finding> = {}): Finding {
  return {
    fingerprint: FINGERPRINT,
    rule: "sqli-union-select",
    class: "sqli",
    cwe: [89],
    severity: "critical",
    stage: "confirmed",
    confidence: 92,
    service: "catalogue",
    namespace: "shop",
    method: "GET",
    route: "/items/{id}",
    part: "query",
    parameter: "q",
    evidence: "9{1} UNION SELECT a{4} FROM a{5}",
    count: 3,
    first_seen: "2026-11-20T10:00:00.000Z",
    last_seen: "2026-11-22T10:00:00.000Z",
    state: "open",
    until: null,
    note: null,
    request_id: "0f8fad5b-d9cb-469f-a165-70867728950e",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    hops: [],
    outcomes: { would_deny: 3 },
    ...changes,
  };
}

export function event(changes: Partial<Event> = {}): Event {
  const { rule, class: family, cwe, severity, stage, confidence, service, namespace, method, route } = finding();
  const { part, parameter, evidence, request_id, trace_id } = finding();
  return {
    id: "1",
    time: "2026-11-22T10:00:00.000Z",
    received: "2026-11-22T10:00:01.000Z",
    fingerprint: FINGERPRINT,
    ...{ rule, class: family, cwe, severity, stage, confidence, service, namespace, method, route },
    ...{ part, parameter, evidence, request_id, trace_id },
    instance: "catalogue-7d4",
    outcome: "would_deny",
    mode: "detect",
    exception: null,
    span_id: null,
    principal: "10.0.0.1",
    direction: "inbound",
    status: 200,
    host: "shop.example",
    scheme: "http",
    hops: [],
    version: "0.1.0",
    policy: null,
    ...changes,
  };
}
