/** The dashboards for Grafana. They ask for what the rules record, so that labels are the same whatever the scrape calls them. */
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { HALF, WHOLE, choice, dashboard, figure, lines, table } from "./panels.ts";
import { PROXY, UNJUDGED } from "./queries.ts";

const UNPROTECTED = `meshward:proxy:live unless on (${PROXY}) meshward:proxy:info`;
const NO_ATTACK = "no attack within 10 minutes";
const NO_COLLECTOR = "no collector is scraped, or it has no open finding";
const STOPPED = `outcome=~"denied|partial"`;

const overview = dashboard("overview", "overview", "What is attacked, what was stopped, and whether all are protected.")
  .withPanel(
    figure("Requests", "sum(meshward:requests:rate5m)", { description: "Requests that are judged.", unit: "reqps" }),
  )
  .withPanel(
    figure("Refused", `sum(meshward:requests:rate5m{${STOPPED}})`, {
      description: "Attacks that were stopped.",
      unit: "reqps",
    }),
  )
  .withPanel(
    figure("Would be refused", `sum(meshward:requests:rate5m{outcome="would_deny"})`, {
      description: "Attacks that have passed, since the mode is detect.",
      unit: "reqps",
    }),
  )
  .withPanel(
    figure(
      "Unprotected proxies",
      `count(${UNPROTECTED}) or vector(0)`,
      { description: "Envoys without Meshward." },
      { warn: 1 },
    ),
  )
  .withPanel(
    figure(
      "Confirmed flaws",
      `sum(meshward:findings:open{stage="confirmed"}) or vector(0)`,
      { description: "Open findings that a response has confirmed; needs the collector." },
      { warn: 1 },
    ),
  )
  .withPanel(
    figure(
      "Alerts",
      `count(ALERTS{alertname=~"Meshward.+", alertstate="firing"}) or vector(0)`,
      { description: "Alerts of Meshward that fire." },
      { warn: 1 },
    ),
  )
  .withPanel(
    lines(
      "Requests by outcome",
      "sum by (outcome) (meshward:requests:rate5m)",
      "{{outcome}}",
      { description: "denied and partial were refused; would_deny would have been, in block mode.", unit: "reqps" },
      { stacked: true },
    ),
  )
  .withPanel(
    lines("Attacks by class", "sum by (class) (meshward:findings:last10m)", "{{class}}", {
      description: "Findings within 10 minutes, refused or not.",
      empty: NO_ATTACK,
    }),
  )
  .withPanel(
    table("Services", "topk(20, sum by (namespace, service) (meshward:findings:last10m))", {
      description: "Findings within 10 minutes, most first.",
      empty: NO_ATTACK,
    }),
  )
  .withPanel(
    table("Rules", "topk(20, sum by (rule, mode) (meshward:rule_hits:last10m))", {
      description: "Hits within 10 minutes, most first; mode is the one that held.",
      empty: NO_ATTACK,
    }),
  )
  .withPanel(
    table(
      "Alerts that fire",
      `ALERTS{alertname=~"Meshward.+", alertstate="firing"}`,
      { description: "Each has a section in the runbook.", empty: "no alert fires" },
      WHOLE,
    ),
  );

const OF_SERVICE = `namespace=~"$namespace", service=~"$service"`;
/** The collector says namespace/service in one. */
const TOLD_OF_SERVICE = `service=~"(.+/)?($service)"`;

const service = dashboard(
  "service",
  "service",
  "One service: what comes to it, what was found, and which policy is in force.",
)
  .withVariable(choice("namespace", "Namespace", "meshward:requests:rate5m, namespace"))
  .withVariable(choice("service", "Service", 'meshward:requests:rate5m{namespace=~"$namespace"}, service'))
  .withPanel(
    lines(
      "Requests by outcome",
      `sum by (outcome) (meshward:requests:rate5m{${OF_SERVICE}})`,
      "{{outcome}}",
      { description: "denied and partial were refused; would_deny would have been, in block mode.", unit: "reqps" },
      { stacked: true },
    ),
  )
  .withPanel(
    lines(
      "Share that is refused, or would be",
      `sum by (namespace, service) (meshward:requests:rate5m{${OF_SERVICE}, outcome=~"denied|partial|would_deny"})
         / sum by (namespace, service) (meshward:requests:rate5m{${OF_SERVICE}})`,
      "{{namespace}} {{service}}",
      { description: "A share that stays is rather a false positive than an attack.", unit: "percentunit" },
    ),
  )
  .withPanel(
    lines(
      "Findings by class",
      `sum by (class, action) (meshward:findings:last10m{${OF_SERVICE}})`,
      "{{class}} {{action}}",
      {
        description: "Within 10 minutes; block in a request that was refused.",
        empty: NO_ATTACK,
      },
    ),
  )
  .withPanel(
    table("Rules", `topk(20, sum by (rule, mode) (meshward:rule_hits:last10m{${OF_SERVICE}}))`, {
      description: "Hits within 10 minutes, most first.",
      empty: NO_ATTACK,
    }),
  )
  .withPanel(
    lines("Clients that attack", `meshward:attackers{${TOLD_OF_SERVICE}}`, "{{service}}", {
      description: "Within 10 minutes, as the collector tells.",
      empty: NO_ATTACK,
    }),
  )
  .withPanel(
    lines(
      "Time in the module, 99 of 100",
      `meshward:inspection_microseconds:p99{${OF_SERVICE}}`,
      "{{namespace}} {{service}}",
      {
        description: "One request in 128 is measured.",
        empty: "fewer than 128 requests a worker",
        unit: "µs",
      },
    ),
  )
  .withPanel(
    table("Open findings", `sum by (class, stage, finding_severity) (meshward:findings:open{${TOLD_OF_SERVICE}})`, {
      description: "By how sure they are, as the collector tells.",
      empty: NO_COLLECTOR,
    }),
  )
  .withPanel(
    table("In force", `meshward:proxy:info{${OF_SERVICE}}`, {
      description: "Policy and mode of each proxy; the value is the number of its VMs.",
    }),
  );

const endpoint = dashboard(
  "endpoint",
  "endpoints",
  "Where the flaws are: findings by endpoint, as the collector tells.",
)
  .withVariable(choice("service", "Service", "meshward:endpoint:findings, service"))
  .withPanel(
    figure(
      "Endpoints with confirmed flaws",
      `count(count by (service, endpoint) (meshward:endpoint:findings{service=~"$service", stage="confirmed"})) or vector(0)`,
      { description: "Endpoints with an open finding that a response has confirmed." },
      { warn: 1, span: HALF },
    ),
  )
  .withPanel(
    figure(
      "Endpoints with findings",
      `count(count by (service, endpoint) (meshward:endpoint:findings{service=~"$service"})) or vector(0)`,
      {
        description: "Endpoints with any open finding; the collector tells of the 1,000 surest and gravest.",
      },
      { span: HALF },
    ),
  )
  .withPanel(
    lines(
      "Events by endpoint",
      `topk(10, sum by (service, endpoint) (meshward:endpoint:events{service=~"$service"}))`,
      "{{service}} {{endpoint}}",
      { description: "Events of open findings, most first.", empty: NO_COLLECTOR },
      { span: WHOLE },
    ),
  )
  .withPanel(
    table(
      "Open findings",
      `sort_desc(sum by (service, endpoint, class, stage) (meshward:endpoint:findings{service=~"$service"}))`,
      {
        description: "The collector's page has each of them with evidence and remedy.",
        empty: NO_COLLECTOR,
      },
    ),
  )
  .withPanel(
    table(
      "New events within an hour",
      `topk(20, sum by (service, endpoint, class) (delta(meshward:endpoint:events{service=~"$service"}[1h])) > 0)`,
      { description: "What is attacked, or shows its flaw, right now.", empty: "nothing was found within the hour" },
    ),
  );

const health = dashboard(
  "health",
  "health",
  "Whether the filter does its work: proxies, policies, limits, the collector.",
)
  .withPanel(figure("Proxies", "count(meshward:proxy:live)", { description: "Envoys that Prometheus scrapes." }))
  .withPanel(
    figure(
      "Unprotected",
      `count(${UNPROTECTED}) or vector(0)`,
      { description: "Of these without Meshward." },
      { warn: 1 },
    ),
  )
  .withPanel(
    figure("Policies in force", "count(count by (policy) (meshward:proxy:info))", {
      description: "One, unless several are declared or a new one is on its way.",
    }),
  )
  .withPanel(
    figure(
      "Configuration invalid",
      "sum(meshward_config_invalid) or vector(0)",
      { description: "Proxies whose newest configuration is bad." },
      { warn: 1 },
    ),
  )
  .withPanel(
    figure(
      "Crashes within a day",
      "sum(increase(meshward:proxy:reloads[1d])) or vector(0)",
      { description: "Times that the module was started anew." },
      { warn: 1 },
    ),
  )
  .withPanel(
    figure(
      "Policies refused within a day",
      "sum(increase(meshward:proxy:refusals[1d])) or vector(0)",
      { description: "Told by Envoy where it reads policies from files." },
      { warn: 1 },
    ),
  )
  .withPanel(
    lines(
      "Proxies by policy and mode",
      "count by (policy, mode) (meshward:proxy:info)",
      "{{policy}} {{mode}}",
      { description: "A rollout is a hand-over of a few seconds." },
      { stacked: true },
    ),
  )
  .withPanel(
    table("Unprotected proxies", UNPROTECTED, { description: "Envoys without Meshward.", empty: "all are protected" }),
  )
  .withPanel(
    lines("Limits that were met", "sum by (what) (meshward:overflow:last10m)", "{{what}}", {
      description: `Within 10 minutes. Not judged as a whole: ${UNJUDGED.replaceAll("|", ", ")}.`,
      empty: "no limit was met within 10 minutes",
    }),
  )
  .withPanel(
    lines("Time in the module, 99 of 100", "meshward:inspection_microseconds:p99", "{{namespace}} {{service}}", {
      description: "One request in 128 is measured.",
      empty: "fewer than 128 requests a worker",
      unit: "µs",
    }),
  )
  .withPanel(
    lines("Events sent", "sum(rate(meshward_events_sent_total[$__rate_interval]))", "events", {
      description: "Findings and observations that a collector has taken.",
      empty: "no policy sends events",
      unit: "cps",
    }),
  )
  .withPanel(
    lines("Events dropped", "sum(rate(meshward_events_dropped_total[$__rate_interval]))", "events", {
      description: "The ring was full, or the collector refused them.",
      empty: "no policy sends events",
      unit: "cps",
    }),
  )
  .withPanel(
    lines(
      "Collector: requests",
      "sum by (result) (rate(meshward_collector_requests_total[$__rate_interval]))",
      "{{result}}",
      {
        description: "busy and unavailable come again.",
        empty: "no collector is scraped",
        unit: "reqps",
      },
    ),
  )
  .withPanel(
    lines(
      "Collector: records dropped",
      "sum by (reason) (rate(meshward_collector_records_dropped_total[$__rate_interval]))",
      "{{reason}}",
      {
        description: "Records that were not stored.",
        empty: "no collector is scraped",
        unit: "cps",
      },
    ),
  )
  .withPanel(
    lines(
      "Collector: time of the database, 95 of 100",
      "histogram_quantile(0.95, sum by (what, le) (rate(meshward_collector_database_seconds_bucket[$__rate_interval])))",
      "{{what}}",
      { description: "Waiting included.", empty: "no collector is scraped, or it has nothing to do", unit: "s" },
    ),
  )
  .withPanel(
    lines("Collector: requests that wait", "sum by (instance) (meshward_collector_queue_requests)", "{{instance}}", {
      description: "At 64 senders are told to come again.",
      empty: "no collector is scraped",
    }),
  );

/** The files' names without their ending, and what is in them. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  overview: overview.build(),
  service: service.build(),
  endpoint: endpoint.build(),
  health: health.build(),
};
