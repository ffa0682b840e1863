/**
 * `meshward report --request ID`: what was found in one request and why it was answered as it was, for whoever has the ID of a
 * block page in hand. Safe to print, whatever the request held.
 */
import type { Event, FindingDetail } from "../../collector/api.ts";
import { printable } from "../envoy/printable.ts";
import { exceptionPaths, firstSaid, modePaths } from "../explain/settings.ts";
import { compilePolicy } from "../policy/compile.ts";
import { parsePolicy, policyPlaces } from "../policy/load.ts";
import type { Path } from "../policy/review.ts";
import type { Policy } from "../policy/schema.ts";
import { workloadOf } from "../scan/engine.ts";
import { STAGE_WORDS, endpointOf, fieldOf } from "./finding.ts";

/** A policy file that may be the one that decided. */
export interface PolicyFile {
  name: string;
  text: string;
}

/** An event, and what the collector says of its finding. */
export interface Found {
  event: Event;
  finding: FindingDetail;
}

const OUTCOMES: Record<string, string> = {
  allowed: "passed",
  denied: "refused",
  would_deny: "passed; block mode would have refused it",
  partial: "cut off after a part of it had passed",
  error: "not judged: onError decided",
};

const label = (name: string, text: string): string => `  ${name.padEnd(12)}${text}`;

/** The route of `policy` that has the event's template, method and host. */
function routeOf(policy: Policy, workload: number, { route, method, host }: Event): Path | null {
  const own = policy.workloads[workload]?.routes ?? [];
  const fits = (one: Policy["routes"][number]): boolean =>
    one.path === route &&
    (one.methods === undefined || one.methods.includes(method)) &&
    (one.host === undefined || host === null || one.host.replace(/:\d+$/, "") === host);
  const inOwn = own.findIndex(fits);
  if (inOwn >= 0) return ["workloads", workload, "routes", inOwn];
  const atTop = policy.routes.findIndex(fits);
  return atTop >= 0 ? ["routes", atTop] : null;
}

/** The lines of the policy that say what happened: mode, route, exception. */
function* policyLines(event: Event, { name, text }: PolicyFile): Generator<string> {
  const policy = parsePolicy(text, name);
  const hash = compilePolicy(policy, { holdHeaders: true }).policy;
  if (event.policy !== null && event.policy !== hash) {
    yield label("", `${name} is policy ${hash}: another one, or another state of it; its lines may be others`);
  }
  const locate = policyPlaces(text);
  const said = (paths: readonly Path[]): string => {
    const place = firstSaid(locate, paths);
    return place === null ? "a default" : `${name}:${place.line}:${place.column} ${place.path}`;
  };
  const workload = workloadOf(policy, event.service);
  const route = routeOf(policy, workload, event);
  const choice = { workload, route };
  if (route !== null) yield label("", `route: ${said([route])}`);
  if (event.mode !== null)
    yield label("", `mode ${printable(event.mode)}: ${said(modePaths(choice, event.mode === "off"))}`);
  if (event.exception !== null) {
    yield label("", `exception: ${said(exceptionPaths(policy, choice, event.exception))}`);
  }
}

function* foundLines({ event, finding }: Found, file: PolicyFile | null): Generator<string> {
  const { rule, stage, severity, confidence, evidence, exception, hops } = event;
  const text = finding.rule_text;
  yield `${printable(rule, 128)}: ${stage} (${STAGE_WORDS[stage]}), ${severity}, confidence ${confidence}`;
  if (text !== null) yield label("what", printable(text.summary, 500));
  yield label("where", printable(`${fieldOf(event)} of ${endpointOf(event)}`, 500));
  yield label("evidence", printable(evidence, 500));
  for (const [index, hop] of hops.entries())
    yield label(index === 0 ? "way" : "", `${index + 1}. ${printable(hop, 500)}`);
  const policy = event.policy === null ? "" : `, policy ${printable(event.policy)}`;
  const mode = event.mode === null ? "" : `: mode ${printable(event.mode)}`;
  yield label("decision", `${OUTCOMES[event.outcome] ?? printable(event.outcome)}${mode}${policy}`);
  if (exception !== null) yield label("", `this finding does not count: exception ${printable(exception)}`);
  if (file !== null) yield* policyLines(event, file);
  if (finding.state !== "open")
    yield label("state", `${finding.state}${finding.note === null ? "" : `: ${printable(finding.note, 500)}`}`);
  if (text !== null) {
    yield label("remedy", `in code: ${printable(text.remedy.code, 500)}`);
    yield label("", `in configuration: ${printable(text.remedy.configuration, 500)}`);
    yield label("", `at the proxy: ${printable(text.remedy.proxy, 500)}`);
  }
  if (exception !== null) return;
  if (finding.exception === null)
    yield label("to let pass", "no exception can name this place; see the rule's sensitivity and mode");
  else {
    yield label("to let pass", "this in the policy, with the reason in it:");
    for (const line of finding.exception.trimEnd().split("\n")) yield `    ${printable(line, 500)}`;
  }
}

/** The document of `--request ID --format json`. */
export function requestJson(requestId: string, found: readonly Found[]): string {
  const events = found.map(({ event, finding: { state, rule_text, exception } }) => ({
    event,
    finding: { state, rule_text, exception },
  }));
  return `${JSON.stringify({ schema: 1, request_id: requestId, events }, null, 2)}\n`;
}

/** The answer for a terminal; `found` has at least one event, the newest first. */
export function requestText(found: readonly Found[], file: PolicyFile | null): string {
  const lines: string[] = [];
  let group = "";
  for (const one of found) {
    const { event } = one;
    const { request_id, trace_id, time, status, principal, host, instance, direction } = event;
    const key = JSON.stringify([event.namespace, event.service, instance, direction, time]);
    if (key !== group) {
      group = key;
      if (lines.length > 0) lines.push("");
      lines.push(`request ${printable(request_id ?? "")}`);
      lines.push(label("time", printable(time)));
      lines.push(label("service", printable(endpointOf(event), 500)));
      if (instance !== null)
        lines.push(label("proxy", `${printable(instance, 256)}${direction === null ? "" : `, ${direction}`}`));
      if (host !== null) lines.push(label("host", printable(host, 256)));
      if (principal !== null) lines.push(label("sent by", printable(principal, 512)));
      if (status !== null) lines.push(label("answer", String(status)));
      if (trace_id !== null) lines.push(label("trace", printable(trace_id)));
    }
    lines.push("", ...foundLines(one, file));
  }
  return `${lines.join("\n")}\n`;
}
