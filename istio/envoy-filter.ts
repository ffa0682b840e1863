/**
 * The module by `EnvoyFilter`: the only way to let it hold a request as a whole, in a VM of its own, with a pause between reloads.
 *
 *   EXTENSION_CONFIG  the filter and its policy, which istiod hands out by ECDS: a change of either closes no connection
 *   HTTP_FILTER       its place before the router, without its configuration: it stays as it is when the policy changes
 */
import { wasmFilterWith } from "../envoy/filter.ts";
import type { JsonObject } from "../envoy/json.ts";
import { metadata, selection } from "./leg.ts";
import type { Leg } from "./leg.ts";
import { MODULE_PATH } from "./mount.ts";
import type { FailStrategy, Configuration, ModuleSource, ResourceOptions } from "./options.ts";
import { linesOfJson } from "./text.ts";
import type { Commented } from "./text.ts";

const CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager";
const ROUTER = "envoy.filters.http.router";
const FILTERS = "type.googleapis.com/envoy.extensions.filters.http";
/** Without rules it lets all pass. */
const RBAC = `${FILTERS}.rbac.v3.RBAC`;

/** What Envoy calls the strategies. */
const POLICIES = { FAIL_RELOAD: "FAIL_RELOAD", FAIL_OPEN: "FAIL_OPEN", FAIL_CLOSE: "FAIL_CLOSED" } as const;

const CRASHES: Record<FailStrategy, string> = {
  FAIL_RELOAD: "A crash costs the requests in flight, then the module starts anew.",
  FAIL_CLOSE: "After a crash nothing passes until the proxy restarts.",
  FAIL_OPEN: "After a crash everything passes, and nothing is judged, until the proxy restarts.",
};

/** Whether a proxy without the mount answers 500 to everything: only an EnvoyFilter can say that all pass there. */
export const mountComesFirst = ({ module, failStrategy, hold }: ResourceOptions): boolean =>
  module.kind === "configmap" && (hold === "body" || failStrategy === "FAIL_CLOSE");

/** Why the strategy is what it is. */
export function failReason(options: ResourceOptions): string {
  const { failStrategy, module } = options;
  const crash = CRASHES[failStrategy];
  if (module.kind !== "configmap") {
    const passes = failStrategy === "FAIL_OPEN" ? "everything" : "nothing";
    return `${crash} While the module cannot be fetched, ${passes} passes.`;
  }
  return mountComesFirst(options) ? `${crash} Without the mount every answer is 500: it comes first.` : crash;
}

/** Envoy's `AsyncDataSource`: what is remote is fetched by Istio's agent, which puts a local file into its place. */
function code(module: ModuleSource): JsonObject {
  if (module.kind === "configmap") return { local: { filename: MODULE_PATH } };
  // Envoy itself never fetches: it would need a cluster.
  return { remote: { http_uri: { uri: module.url, timeout: "30s", cluster: "_" }, sha256: module.sha256 } };
}

/** The listeners of the leg; `subFilter` is the filter that the patch goes by. */
function match({ context }: Leg, subFilter: string, port?: number): JsonObject {
  return {
    context,
    listener: {
      ...(port === undefined ? {} : { portNumber: port }),
      filterChain: { filter: { name: CONNECTION_MANAGER, subFilter: { name: subFilter } } },
    },
  };
}

export function envoyFilter(
  configuration: Configuration,
  leg: Leg,
  namespace: string,
  options: ResourceOptions,
): Commented {
  const { module, failStrategy, ports, excludePorts } = options;
  // For what is fetched the agent decides.
  const isOpen = module.kind === "configmap" && !mountComesFirst(options);
  // As Istio names the plugins of its own resources: those of several namespaces may meet in one proxy.
  const name = `${namespace}.${leg.name}`;
  const filter = wasmFilterWith({
    name,
    configuration: linesOfJson({ ...configuration, direction: leg.direction }),
    code: code(module),
    failurePolicy: POLICIES[failStrategy],
  });
  const discovered: JsonObject = {
    name,
    config_discovery: {
      config_source: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" },
      // The second one is for proxies without the module, from here or from the agent: it lets all or nothing pass.
      type_urls: [`${FILTERS}.wasm.v3.Wasm`, RBAC],
      ...(isOpen ? { default_config: { "@type": RBAC } } : {}),
    },
  };
  const insert = (port?: number): JsonObject => ({
    applyTo: "HTTP_FILTER",
    match: match(leg, ROUTER, port),
    patch: { operation: "INSERT_BEFORE", value: discovered },
  });
  const remove = (port: number): JsonObject => ({
    applyTo: "HTTP_FILTER",
    match: match(leg, name, port),
    patch: { operation: "REMOVE" },
  });
  const removed = excludePorts.map(remove);
  const inserted = ports.length === 0 ? [insert()] : ports.map(insert);
  const config = "spec.configPatches.0.patch.value.typed_config.config";
  const discovery = "spec.configPatches.1.patch.value.config_discovery";
  const object: JsonObject = {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: metadata(leg.name, namespace, configuration.policy),
    spec: {
      ...selection(options.target, (labels) => ({ workloadSelector: { labels } })),
      priority: 10,
      configPatches: [
        {
          applyTo: "EXTENSION_CONFIG",
          match: { context: leg.context },
          patch: { operation: "ADD", value: { name, typed_config: filter } },
        },
        ...inserted,
        ...removed,
      ],
    },
  };
  const comments: Record<string, string> = {
    "spec.priority":
      "Behind other EnvoyFilters, so that the module stands directly before the router: it judges what the service will get.",
    [`${config}.failure_policy`]: failReason(options),
    [`${config}.allow_on_headers_stop_iteration`]:
      'Goes together with "holdHeaders":true below: nothing of a request reaches the service before it is judged.',
    [`${config}.vm_config.vm_id`]: "A VM of its own: with an empty id it would share one with other plugins.",
    [`${config}.vm_config.environment_variables`]:
      "Secrets come from the proxy's environment and stand in no resource; those that it does not have are left out.",
    [`${discovery}.config_source.initial_fetch_timeout`]:
      "The proxy waits for its first policy: no request passes unjudged while it starts.",
  };
  if (isOpen) {
    comments[`${discovery}.default_config`] =
      "Where the module is not mounted or cannot be loaded, everything passes, unjudged: without this line each answer would be 500.";
  }
  if (excludePorts.length > 0) {
    comments[`spec.configPatches.${1 + inserted.length}`] =
      "Ports that do not count: the filter is taken out of their chains again.";
  }
  return { object, comments };
}
