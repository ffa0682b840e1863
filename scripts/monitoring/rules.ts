/**
 * The rules for Prometheus: series with the same labels whatever the scrape calls them, and the alerts, each with a section of
 * docs/runbook.md. Written to envoy/examples/monitoring/meshward.rules.yaml by emit.ts.
 */
import { PASSIVE_CLASSES } from "../policy/rule-ids.ts";
import {
  DEGRADED,
  IN_FORCE,
  LIVE,
  PROXY,
  REFUSALS,
  RELOADS,
  SERVICE,
  UNJUDGED,
  grown,
  named,
  sumOver,
} from "./queries.ts";

export interface Recording {
  record: string;
  expr: string;
  labels?: Record<string, string>;
}

export interface Alert {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: "info" | "warning" | "critical" } & Record<string, string>;
  annotations: { summary: string; description: string; runbook: string };
}

export interface RuleGroup {
  name: string;
  rules: (Recording | Alert)[];
}

/** The page that annotations lead to; a section has its alert's name. */
export const RUNBOOK = "docs/runbook.md";

/** `shop/cart`, or `cart` outside of Kubernetes. */
const WHO = "{{ with $labels.namespace }}{{ . }}/{{ end }}{{ $labels.service }}";
const AT = `${WHO} ({{ $labels.proxy }})`;

interface AlertText {
  severity: Alert["labels"]["severity"];
  summary: string;
  description: string;
  for?: string;
  labels?: Record<string, string>;
}

/** An alert; its expression may stand on several lines here. */
function alert(name: string, expr: string, { severity, summary, description, labels, ...rest }: AlertText): Alert {
  return {
    alert: name,
    expr: expr.replace(/\s+/g, " ").trim(),
    ...(rest.for === undefined ? {} : { for: rest.for }),
    labels: { severity, ...labels },
    annotations: { summary, description, runbook: `${RUNBOOK}#${name.toLowerCase()}` },
  };
}

const record = (name: string, expr: string): Recording => ({ record: name, expr: expr.replace(/\s+/g, " ").trim() });

/** What a collector tells of services. */
const told = (metric: string): string => `label_replace(${metric}, "service", "$1", "exported_service", "(.+)")`;
const ENDPOINT = "service, endpoint, class, stage";

/** What other rules and the dashboards are made from. */
export const RECORDINGS: RuleGroup = {
  name: "meshward-recordings",
  rules: [
    record("meshward:proxy:live", `max by (${PROXY}) (${LIVE})`),
    record("meshward:proxy:info", IN_FORCE),
    record("meshward:proxy:reloads", sumOver(RELOADS)),
    record("meshward:proxy:refusals", sumOver(REFUSALS)),
    record("meshward:requests:rate5m", `sum by (${SERVICE}, outcome) (${named("rate(meshward_requests_total[5m])")})`),
    record(
      "meshward:findings:last10m",
      `sum by (${SERVICE}, class, action) (${named(`(${grown("meshward_findings_total")})`)})`,
    ),
    record(
      "meshward:rule_hits:last10m",
      `sum by (${SERVICE}, rule, mode) (${named(`(${grown("meshward_rule_hits_total")})`)})`,
    ),
    record("meshward:overflow:last10m", `sum by (${PROXY}, what) (${named(`(${grown("meshward_overflow_total")})`)})`),
    record(
      "meshward:inspection_microseconds:p99",
      `histogram_quantile(0.99, sum by (${SERVICE}, le) (${named("rate(meshward_inspection_microseconds_bucket[5m])")}))`,
    ),
    // The collector's `service` is what it knows; a scrape that has such a label of its own moves it aside.
    record("meshward:attackers", `max by (service) (${told("meshward_collector_attackers")})`),
    record(
      "meshward:findings:open",
      `max by (service, class, stage, finding_severity) (
         sum by (job, instance, service, class, stage, finding_severity) (
           label_replace(${told("meshward_collector_findings")}, "finding_severity", "$1", "severity", "(.*)")))`,
    ),
    record("meshward:endpoint:findings", `max by (${ENDPOINT}) (${told("meshward_collector_endpoint_findings")})`),
    record("meshward:endpoint:events", `max by (${ENDPOINT}) (${told("meshward_collector_endpoint_events")})`),
  ],
};

/** Hits of attacks; a service's own flaws are no attack. */
const ATTACKS = `meshward:rule_hits:last10m{rule!~"(${PASSIVE_CLASSES.join("|")})-.*"} > 0`;
const CAMPAIGN = {
  severity: "warning",
  summary: `An attack campaign against {{ with $labels.service }}${WHO}{{ else }}several services{{ end }}`,
} as const;

/** All hits of a rule at a service, and of all rules. */
const BY_RULE = `sum by (${SERVICE}, rule) (${ATTACKS})`;
const ALL_RULES = `sum by (${SERVICE}) (${ATTACKS})`;
const WOULD_DENY = `meshward:requests:rate5m{outcome="would_deny"}`;

export const ATTACK_ALERTS: RuleGroup = {
  name: "meshward-attacks",
  rules: [
    alert(
      "MeshwardAttacksStopped",
      `sum by (${SERVICE}) (${named(`increase(meshward_requests_total{outcome=~"denied|partial"}[5m])`)}) > 0`,
      {
        severity: "info",
        summary: `Attacks on ${WHO} were stopped`,
        description: `Meshward has refused about {{ $value | printf "%.0f" }} requests to ${WHO} within 5 minutes.`,
      },
    ),
    alert("MeshwardAttackCampaign", `count by (${SERVICE}) (${BY_RULE}) >= 5`, {
      ...CAMPAIGN,
      labels: { spread: "rules" },
      description: `Attacks on ${WHO} within 10 minutes were of {{ $value }} rules: somebody tries what works.`,
    }),
    alert("MeshwardAttackCampaign", `count by (rule) (${BY_RULE}) >= 3`, {
      ...CAMPAIGN,
      labels: { spread: "services" },
      description: `{{ $labels.rule }} has hit at {{ $value }} services within 10 minutes: one attack is tried everywhere.`,
    }),
    alert("MeshwardAttackCampaign", "meshward:attackers >= 10", {
      ...CAMPAIGN,
      labels: { spread: "clients" },
      description: `Attacks on {{ $labels.service }} within 10 minutes came from {{ $value }} clients.`,
    }),
    alert("MeshwardConfirmedVulnerability", `sum by (service, class) (meshward:findings:open{stage="confirmed"}) > 0`, {
      severity: "critical",
      summary: "{{ $labels.service }} has a confirmed vulnerability ({{ $labels.class }})",
      description:
        "{{ $value }} open findings of class {{ $labels.class }} at {{ $labels.service }} are confirmed: the response has shown that the flaw works.",
    }),
    alert(
      "MeshwardWouldBlockSpike",
      `(avg_over_time(${WOULD_DENY}[10m]) * 600 > 20)
         unless (avg_over_time(${WOULD_DENY}[10m]) <= 5 * avg_over_time(${WOULD_DENY}[1d] offset 10m))`,
      {
        severity: "warning",
        summary: `Many more requests to ${WHO} would be refused than usual`,
        description: `About {{ $value | printf "%.0f" }} requests to ${WHO} within 10 minutes would have been refused in block mode, more than five times the day's average. They have passed.`,
      },
    ),
    alert(
      "MeshwardFalsePositiveSuspected",
      `(${BY_RULE} > 10)
         and (${BY_RULE} / on (${SERVICE}) group_left () (${ALL_RULES}) > 0.9)
         and (${BY_RULE} / on (${SERVICE}) group_left () (600 * sum by (${SERVICE}) (meshward:requests:rate5m)) > 0.01)`,
      {
        severity: "warning",
        for: "30m",
        summary: `{{ $labels.rule }} may be wrong about ${WHO}`,
        description: `For 30 minutes {{ $labels.rule }} alone has hit more than one in a hundred requests to ${WHO}, {{ $value | printf "%.0f" }} in 10 minutes, and other rules next to nothing. Attackers try many ways; ordinary use has one.`,
      },
    ),
  ],
};

export const HEALTH_ALERTS: RuleGroup = {
  name: "meshward-health",
  rules: [
    alert("MeshwardModuleCrashing", DEGRADED["crashes of the module"], {
      severity: "critical",
      summary: `Meshward crashes at ${AT}`,
      description: `The module at ${AT} was started anew {{ $value | printf "%.0f" }} times within 10 minutes. Requests that were under way have got a 503.`,
    }),
    alert(
      "MeshwardConfigInvalid",
      `(${DEGRADED["a configuration that is not valid"]}) or (${DEGRADED["policies that Envoy refused"]})`,
      {
        severity: "critical",
        summary: `A policy was refused at ${AT}`,
        description: `The newest configuration of Meshward at ${AT} cannot be used. The last good one is in force, or safe defaults in detect mode.`,
      },
    ),
    alert("MeshwardRequestsNotJudged", DEGRADED["requests that were not judged, or passed in part"], {
      severity: "warning",
      labels: { what: "request" },
      summary: `Requests at ${AT} were not judged, or passed in part`,
      description: `{{ $value | printf "%.0f" }} requests at ${AT} within 10 minutes were decided on by onError, unjudged, or refused when a part of them had passed.`,
    }),
    alert("MeshwardRequestsNotJudged", `sum by (${PROXY}, what) (meshward:overflow:last10m{what=~"${UNJUDGED}"}) > 0`, {
      severity: "warning",
      summary: `Requests at ${AT} have met a limit ({{ $labels.what }})`,
      description: `{{ $value | printf "%.0f" }} requests at ${AT} within 10 minutes have met the limit {{ $labels.what }}: something of them was not judged.`,
    }),
    alert("MeshwardEventsDropped", DEGRADED["events that were dropped"], {
      severity: "warning",
      labels: { by: "module" },
      summary: `Events of ${AT} are lost`,
      description: `{{ $value | printf "%.0f" }} events of ${AT} within 10 minutes did not reach the collector. Requests are judged all the same.`,
    }),
    alert(
      "MeshwardEventsDropped",
      `sum by (job, instance) (increase(meshward_collector_records_dropped_total[10m])
         or increase(meshward_collector_requests_total{result=~"busy|unavailable"}[10m])) > 0`,
      {
        severity: "warning",
        labels: { by: "collector" },
        summary: "The collector at {{ $labels.instance }} does not store all that comes",
        description:
          'The collector at {{ $labels.instance }} has dropped records or put senders off within 10 minutes ({{ $value | printf "%.0f" }} times).',
      },
    ),
    alert("MeshwardWorkloadUnprotected", `meshward:proxy:live unless on (${PROXY}) meshward:proxy:info`, {
      severity: "critical",
      for: "5m",
      summary: `${WHO} has no Meshward`,
      description: `Envoy at ${AT} is up, and no policy is in force in it: nobody judges its requests.`,
    }),
    alert(
      "MeshwardPolicyStale",
      `(meshward:proxy:info unless on (policy) meshward:declared:policy) and on () meshward:declared:policy`,
      {
        severity: "warning",
        for: "10m",
        summary: `${WHO} does not run the declared policy`,
        description: `Policy {{ $labels.policy }} is in force at ${AT} for 10 minutes; it is not one that was declared.`,
      },
    ),
    alert("MeshwardDetectThoughBlock", `meshward:proxy:info{mode!="block"} and on (${PROXY}) meshward:declared:block`, {
      severity: "critical",
      for: "5m",
      summary: `${WHO} is declared to block, and does not`,
      description: `The mode at ${AT} is {{ $labels.mode }}; the declared policy says block. Attacks pass.`,
    }),
  ],
};

export const GROUPS: readonly RuleGroup[] = [RECORDINGS, ATTACK_ALERTS, HEALTH_ALERTS];
