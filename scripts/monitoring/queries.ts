/**
 * What is asked of Prometheus, once for the rules, the dashboards and `meshward coverage`. Scrapes name workloads in many ways; here they are
 *
 *     namespace   of Kubernetes; none outside of it
 *     service     Istio's canonical name, the scrape's own label, the label app, the pod's owner, or the job
 *     proxy       the pod, else the address that is scraped
 */

/** What tells a proxy from every other, and a workload. */
export const PROXY = "namespace, service, proxy";
export const SERVICE = "namespace, service";

/** How far back "just now" reaches: what is counted, and for how long what happened stays worth a word. */
export const RECENT = "10m";
const RECENT_SECONDS = 600;

const SERVICE_SOURCES = [
  "service_istio_io_canonical_name",
  "service",
  "app_kubernetes_io_name",
  "app",
  "pod_owner",
  "pod",
  "job",
];
/** A pod's name is that of its deployment, daemon set or stateful set, and endings of letters that make no words. */
const SAFE = "[bcdfghjklmnpqrstvwxz2456789]";
const POD = `(.+?)(?:-${SAFE}{6,10})?-(?:${SAFE}{5}|[0-9]+)`;

/** `vector` with the three labels. */
export function named(vector: string): string {
  const sources = SERVICE_SOURCES.map((label) => `"${label}"`).join(", ");
  const owned = `label_replace(${vector}, "pod_owner", "$1", "pod", "${POD}")`;
  const service = `label_replace(label_join(${owned}, "service", ";", ${sources}), "service", "$1", "service", ";*([^;]+).*")`;
  return `label_replace(label_join(${service}, "proxy", ";", "pod", "instance"), "proxy", "$1", "proxy", ";*([^;]+).*")`;
}

/**
 * How much a counter has grown just now, its first value included: series of rules and limits begin with the first hit, which `increase`
 * does not see. It counts where the proxy is young, or was there before without the series; a proxy that is scraped for the first time tells no news.
 */
export function grown(counter: string): string {
  const isNews = `(envoy_server_uptime < ${RECENT_SECONDS} or envoy_server_live offset ${RECENT})`;
  const begun = `(${counter} unless ${counter} offset ${RECENT}) and on (job, instance) ${isNews}`;
  return `((${begun}) or increase(${counter}[${RECENT}])) > 0`;
}

/**
 * Every Envoy there is, with the labels of its scrape; `matchers` of them, if any. Istio's agent tells of the proxy where Envoy's own
 * statistics are left out.
 */
export function liveSeries(matchers: readonly string[] = []): string {
  const select = (metric: string, own: readonly string[]): string =>
    own.length === 0 ? metric : `${metric}{${own.join(", ")}}`;
  const agent = select("istio_build", ['component="proxy"', ...matchers]);
  return `${select("envoy_server_live", matchers)} == 1 or on (job, instance) ${agent}`;
}

export const LIVE = named(`(${liveSeries()})`);

/** Envoys that were there within the last hour and cannot be scraped. */
export const SILENT = named(`(up == 0 and on (job, instance) last_over_time(envoy_server_live[1h]))`);

/** In which Envoys a policy is in force, and which. */
export const IN_FORCE = `max by (${PROXY}, version, policy, mode) (${named("(meshward_info > 0)")})`;

/** Names that hold the plugin's: `meshward` in a configuration of ours, `NAMESPACE.meshward` in Istio's. */
const namesHolding = (before: string, after: string): string => `{__name__=~"${before}_(.+_)?meshward(_.+)?_${after}"}`;
/** Times that the module was started anew behind a crash; and policies that Envoy did not take. */
export const RELOADS = namesHolding("envoy_wasm", "vm_reload");
export const REFUSALS = namesHolding(
  "envoy_extension_config_discovery_http_filter",
  "(config_fail|update_rejected|update_failure)",
);

/** Limits behind which something was not judged as a whole; the others only cost knowledge. */
export const UNJUDGED = "streams|headers|values|hold|encoded|inflated|inflaters|work";

/** Sums by proxy over series of several names. */
export const sumOver = (selector: string): string => `sum by (${PROXY}) (${named(selector)})`;

/** How much such sums have grown just now: `increase` would confuse the names. A young proxy began with nothing. */
function grownOver(selector: string): string {
  const young = sumOver(`(envoy_server_uptime < ${RECENT_SECONDS})`);
  const before = `0 * (${sumOver(selector)} and on (${PROXY}) ${young}) or ${sumOver(`(${selector} offset ${RECENT})`)}`;
  return `${sumOver(selector)} - (${before}) > 0`;
}

/** What a filter can lack while it is there: by proxy, how much of it there was just now. */
export const DEGRADED = {
  "a configuration that is not valid": `max by (${PROXY}) (${named("meshward_config_invalid")}) > 0`,
  "crashes of the module": grownOver(RELOADS),
  "policies that Envoy refused": grownOver(REFUSALS),
  "requests that were not judged, or passed in part": `sum by (${PROXY}) (${named(`(increase(meshward_requests_total{outcome=~"error|partial"}[${RECENT}]) > 0)`)})`,
  "bodies that were not judged as a whole": `sum by (${PROXY}) (${named(`(${grown(`meshward_overflow_total{what=~"${UNJUDGED}"}`)})`)})`,
  "events that were dropped": `sum by (${PROXY}) (${named(`(${grown("meshward_events_dropped_total")})`)})`,
} as const;
