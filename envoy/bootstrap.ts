/**
 * Envoy's configuration for one protected HTTP service: what `meshward envoy` writes and `run`, `demo` and
 * `meshward/testing` start. Pure: a compiled policy and options in, plain objects out; `scripts/envoy/directory.ts`
 * turns them into files.
 *
 *   DIR/envoy.yaml          the bootstrap: listener, upstream, access log, statistics, limits, admin
 *   DIR/ecds/meshward.yaml  the filter with its policy; a file renamed over it is in force within a second
 *   DIR/ecds/outbound.yaml  with `outbound`: the same for what the service calls
 *   DIR/meshward.wasm       the module
 *   DIR/xds/{lds,cds}.yaml  with `dynamic`: the listener and the cluster apart, for those who have more of them
 *
 * Every limit and every switch that is not Envoy's default says why beside it.
 */
import { clusters } from "./cluster.ts";
import { below, socketAddress, typed } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import { listeners } from "./listener.ts";
import { CDS_FILE, FILTER_NAME, LDS_FILE, STAT_LABELS, XDS_FOLDER } from "./names.ts";
import type { BootstrapOptions, CompiledPolicy } from "./options.ts";

/** Open connections from clients; above it new ones are refused, so that file descriptors and memory last. */
const CONNECTIONS = 10_000;

/** Each label leaves the name and becomes a tag; anchored at Meshward's prefix, so that other names cost nothing. */
function statsTags(): Json[] {
  return STAT_LABELS.map((label) => ({
    tag_name: label,
    regex: `^wasmcustom\\.${FILTER_NAME}\\..*?(${label}=\\.=(.*?);\\.;)`,
  }));
}

const pathSource = (path: string, folder: string): JsonObject => ({
  resource_api_version: "V3",
  path_config_source: { path, watched_directory: { path: folder } },
});

/**
 * The whole bootstrap. With `dynamic` it names the files of `dynamicResources`, else it holds listener and cluster.
 * Throws an Error of one line if the upstream is no plain origin.
 */
export function bootstrap(compiled: CompiledPolicy, options: BootstrapOptions): JsonObject {
  const folder = below(options.root, XDS_FOLDER);
  return {
    node: { id: options.service ?? FILTER_NAME, cluster: options.service ?? FILTER_NAME },
    admin: { address: socketAddress(options.admin), ignore_global_conn_limit: true },
    // Histograms are merged on the flush: what is counted shows within two seconds.
    stats_flush_interval: "1s",
    stats_config: { stats_tags: statsTags() },
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: typed("extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig", {
            max_active_downstream_connections: CONNECTIONS,
          }),
        },
      ],
    },
    ...(options.dynamic
      ? {
          dynamic_resources: {
            lds_config: pathSource(below(options.root, LDS_FILE), folder),
            cds_config: pathSource(below(options.root, CDS_FILE), folder),
          },
        }
      : { static_resources: { listeners: listeners(compiled, options), clusters: clusters(compiled, options) } }),
  };
}

/** The two files that `dynamic` adds: discovery responses with the listeners and the clusters. */
export function dynamicResources(
  compiled: CompiledPolicy,
  options: BootstrapOptions,
): { lds: JsonObject; cds: JsonObject } {
  const response = (type: string, resources: JsonObject[]): JsonObject => ({
    version_info: "1",
    resources: resources.map((resource) => typed(type, resource)),
  });
  return {
    lds: response("config.listener.v3.Listener", listeners(compiled, options)),
    cds: response("config.cluster.v3.Cluster", clusters(compiled, options)),
  };
}
