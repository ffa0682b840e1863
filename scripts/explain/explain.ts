/**
 * `meshward policy explain`: one request through the checked build of the module, which says what it does with each
 * value, and the lines of the policy that made the decision.
 */
import { compilePolicy } from "../policy/compile.ts";
import { parsePolicy, policyPlaces } from "../policy/load.ts";
import { MODES } from "../policy/schema.ts";
import type { Mode } from "../policy/schema.ts";
import type { AttackClass } from "../policy/rule-ids.ts";
import { sendExchange, startPlugin, workloadOf } from "../scan/engine.ts";
import type { Exchange } from "../scan/exchange-line.ts";
import type { Finding } from "../scan/verdict.ts";
import {
  capPaths,
  exceptionPaths,
  fieldPaths,
  firstSaid,
  modePaths,
  routePath,
  rulePaths,
  sensitivityPaths,
} from "./settings.ts";
import type { Said } from "./settings.ts";
import { parseTrace } from "./trace.ts";

export interface ExplainedField {
  part: string;
  name: string | null;
  /** The value as it stands, then each form that a decoder made of it; bytes that are no UTF-8 as U+FFFD. */
  layers: { text: string; runs: { class: string; tokens: string[] }[] }[];
}

export interface ExplainedFinding extends Finding {
  /** From this confidence it decides here; above 100 never. */
  threshold: number;
  thresholdFrom: Said | null;
  /** The declared field that the value stands in: its kind may have moved the threshold. */
  fieldFrom: Said | null;
  /** Where the policy says the rule, where it is its own. */
  ruleFrom: Said | null;
  /** The most that may happen about it. */
  cap: string;
  capFrom: Said | null;
  exceptionFrom: Said | null;
  /** Block mode refuses the request for it. */
  decides: boolean;
}

/** The document of `--json`. A `…From` is the key of the policy that said it, null where a default holds. */
export interface Explanation {
  request: { method: string; path: string };
  service: { name: string | null; from: Said | null };
  route: { template: string | null; from: Said | null; decodedFrom: Said | null };
  mode: string;
  modeFrom: Said | null;
  fields: ExplainedField[];
  findings: ExplainedFinding[];
  verdict: "allow" | "deny";
  score: number;
  rule: string | null;
}

const textOf = (bytes: string | Uint8Array): string =>
  typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8");

/** Explains what the policy in `policyText` makes of an exchange; `module` is the checked build. */
export async function explain(
  policyText: string,
  name: string,
  exchange: Exchange,
  module: Uint8Array,
): Promise<Explanation> {
  const policy = parsePolicy(policyText, name);
  const locate = policyPlaces(policyText);
  const workload = workloadOf(policy, exchange.service);
  const configuration = JSON.stringify(compilePolicy(policy, { holdHeaders: true, dryRun: true, explain: true }));
  const plugin = await startPlugin(module, configuration, workload < 0 ? null : exchange.service);
  const { verdict, logs } = sendExchange(plugin, exchange);
  const trace = parseTrace(logs);

  const [routed, decoded] = trace.routes.map((position) => routePath(policy, workload, position));
  const choice = { workload, route: routed ?? null };
  const findings = verdict.findings.map((finding): ExplainedFinding => {
    const attackClass = finding.class as AttackClass;
    const ofClass = trace.caps.get(finding.class) ?? "off";
    const ruleFrom = firstSaid(locate, rulePaths(policy, choice, finding.rule));
    const own = [...(policy.workloads[workload]?.rules ?? []), ...policy.rules].find(({ id }) => id === finding.rule);
    // A rule's own mode can only lower that of its class.
    const isLower = own?.mode !== undefined && MODES.indexOf(own.mode) < MODES.indexOf(ofClass as Mode);
    const cap = isLower ? own.mode! : ofClass;
    const traced = trace.findings.find(
      ({ rule, part, name: field }) =>
        rule === finding.rule && part === finding.where.part && field === finding.where.name,
    );
    const threshold = traced?.threshold ?? 0;
    const fields = traced?.field ? fieldPaths(policy, choice, traced.field) : [];
    return {
      ...finding,
      threshold,
      thresholdFrom: firstSaid(locate, sensitivityPaths(choice, attackClass)),
      cap,
      fieldFrom: firstSaid(locate, fields),
      ruleFrom,
      capFrom: isLower ? ruleFrom : firstSaid(locate, capPaths(choice, attackClass)),
      exceptionFrom:
        finding.exception === undefined ? null : firstSaid(locate, exceptionPaths(policy, choice, finding.exception)),
      decides: finding.exception === undefined && cap === "block" && finding.confidence >= threshold,
    };
  });
  return {
    request: { method: exchange.request.method, path: textOf(exchange.request.path) },
    service: {
      name: exchange.service,
      from: workload < 0 ? null : firstSaid(locate, [["workloads", workload]]),
    },
    route: {
      template: verdict.route,
      from: routed ? firstSaid(locate, [routed]) : null,
      decodedFrom: decoded && trace.routes[0] !== trace.routes[1] ? firstSaid(locate, [decoded]) : null,
    },
    mode: verdict.mode,
    modeFrom: firstSaid(locate, modePaths(choice, verdict.mode === "off")),
    fields: trace.values.map(({ part, name: field, layers }) => ({
      part,
      name: field,
      layers: layers.map(({ bytes, runs }) => ({ text: bytes.toString("utf8"), runs })),
    })),
    findings,
    verdict: verdict.verdict,
    score: verdict.score,
    rule: verdict.rule,
  };
}
