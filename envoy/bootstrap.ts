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

/** JSON as Envoy reads it from YAML. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** What the bootstrap needs to know of a compiled policy; the whole of it is passed on to the module as JSON. */
export interface CompiledPolicy {
  /** The first 12 hex digits of its hash. */
  policy: string;
  identity: { trustedHops: number };
  /** Where events go; absent where they go nowhere. */
  events?: { cluster: string; authority: string; tls?: boolean };
}

/** An address to listen on; port 0 lets the kernel choose. */
export interface Address {
  host: string;
  port: number;
}

export interface BootstrapOptions {
  /** The service behind: `http://host:port` or `https://host:port`; a path in it is an error. */
  upstream: string;
  listen: Address;
  admin: Address;
  /** The folder of the files as Envoy sees it; "." if it is started inside. */
  root: string;
  /** Where the access log goes: "stdout" or the path of a file. */
  accessLog: string;
  /** How requests are spoken to the upstream: `http2` for gRPC services. Default `http1`. */
  protocol?: "http1" | "http2";
  /** The authorities that an https upstream is verified by: a PEM file as Envoy sees it. Default Debian's. */
  authorities?: string;
  /** The collector of events as Envoy reaches it: scheme, host and port. Default: as the policy has it. */
  collector?: string;
  /** False leaves Meshward out, all else being equal: how it is taken out, and what its cost is measured against. Default true. */
  filter?: boolean;
  /** Puts the listener and the cluster into files of their own. Default false. */
  dynamic?: boolean;
  /** The service's name, which it is known by in findings and by `workloads` of a policy. Default "meshward". */
  service?: string;
  /** Where the service's own calls are taken, as an HTTP proxy does; they are observed, never refused. Default: nowhere. */
  outbound?: Address;
  /** Where statistics and readiness, and nothing else of the admin interface, can be asked for. Default: nowhere. */
  metrics?: Address;
  /** Hosts that the service calls and DNS does not know, each with its origin: `{ "orders": "http://127.0.0.1:8081" }`. */
  hosts?: Readonly<Record<string, string>>;
}

/** The name of the filter, its ECDS resource, its Wasm root and its VM. */
export const FILTER_NAME = "meshward";
/** The names of the listeners. */
export const INBOUND_LISTENER = "ingress";
export const OUTBOUND_LISTENER = "egress";
/** Also the name of the cluster behind: the admin interface. */
export const METRICS_LISTENER = "metrics";
/** The ECDS resource of the filter for the service's own calls; its statistics and its cluster are called so, too. */
export const OUTBOUND_NAME = "meshward_outbound";

/** Which way the requests of a listener go: those that come to the service, or its own calls. */
export type Direction = "inbound" | "outbound";
/** Paths below `root`. */
export const BOOTSTRAP_FILE = "envoy.yaml";
export const MODULE_FILE = "meshward.wasm";
export const ECDS_FOLDER = "ecds";
export const ECDS_FILE = `${ECDS_FOLDER}/meshward.yaml`;
export const OUTBOUND_FILE = `${ECDS_FOLDER}/outbound.yaml`;
export const XDS_FOLDER = "xds";
export const LDS_FILE = `${XDS_FOLDER}/lds.yaml`;
export const CDS_FILE = `${XDS_FOLDER}/cds.yaml`;

/** Variables of Envoy's environment that the module is given: the collector's token, and the keys of findings across services. */
export const SECRETS = ["MESHWARD_OTLP_TOKEN", "MESHWARD_HOP_KEY", "MESHWARD_HOP_KEY_PREVIOUS"] as const;

/** The labels of Meshward's statistics (`LABEL=.=VALUE;.;` in their names). */
export const STAT_LABELS = ["outcome", "class", "action", "rule", "mode", "what", "version", "policy"] as const;

const API = "type.googleapis.com/envoy";
const typed = (name: string, fields: JsonObject = {}): JsonObject => ({ "@type": `${API}.${name}`, ...fields });

/**
 * Held bytes live in this buffer, and above it Envoy answers 413 by itself; the policy's `holdBytes` stays 64 KiB
 * below (scripts/policy/schema.ts).
 */
const BUFFER_BYTES = 1024 * 1024;
/** The largest header block; Envoy's default, said here because the module's buffers are made for it. */
const HEADER_KIB = 60;
const HEADERS = 100;
/** Open connections from clients; above it new ones are refused, so that file descriptors and memory last. */
const CONNECTIONS = 10_000;
/** Where Debian, Ubuntu, Alpine and Envoy's image keep them; Envoy has no way of its own to find the system's. */
export const AUTHORITIES_FILE = "/etc/ssl/certs/ca-certificates.crt";
/** Node closes an idle keep-alive connection after 5 s: give up ours first, or a request meets a closing connection. */
const UPSTREAM_IDLE = "4s";

/** The parts of an upstream's URL. Throws an Error of one line if it is not a plain http(s) origin. */
export function parseUpstream(text: string): { tls: boolean; host: string; port: number; authority: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`"${text}" is not an upstream: expected http://host:port or https://host:port`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new Error(`"${text}" is not an upstream: expected http:// or https://, got ${url.protocol}//`);
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    throw new Error(`"${text}" is not an upstream: expected only scheme, host and port`);
  }
  const tls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { tls, host, port: url.port === "" ? (tls ? 443 : 80) : Number(url.port), authority: url.host };
}

const socketAddress = ({ host, port }: Address): JsonObject => ({
  socket_address: { address: host, port_value: port },
});

/** `root/file`, or the file alone where Envoy is started inside. */
const below = (root: string, file: string): string => (root === "." ? file : `${root.replace(/\/+$/, "")}/${file}`);

/** What differs between the places that the filter is put into. */
export interface WasmFilterOptions {
  /** The plugin's name in Envoy's statistics and logs. */
  name: string;
  /** What the module is given: JSON. */
  configuration: string;
  /** Envoy's `AsyncDataSource` of the module. */
  code: JsonObject;
  failurePolicy: "FAIL_RELOAD" | "FAIL_OPEN" | "FAIL_CLOSED";
}

/** The Wasm filter, as standalone Envoy and the sidecars of a mesh (istio/envoy-filter.ts) have it. */
export function wasmFilterWith({ name, configuration, code, failurePolicy }: WasmFilterOptions): JsonObject {
  return typed("extensions.filters.http.wasm.v3.Wasm", {
    config: {
      name,
      root_id: FILTER_NAME,
      failure_policy: failurePolicy,
      ...(failurePolicy === "FAIL_RELOAD"
        ? { reload_config: { backoff: { base_interval: "0.1s", max_interval: "5s" } } }
        : {}),
      // Lets the module hold the headers until the body is judged; goes together with the policy's `holdHeaders`.
      allow_on_headers_stop_iteration: true,
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: configuration },
      vm_config: {
        // A VM of its own: an empty id would share the VM, and its shared data, with other plugins.
        vm_id: FILTER_NAME,
        runtime: "envoy.wasm.runtime.v8",
        code,
        // Secrets never stand in a file of configuration; those that Envoy was not given are left out.
        environment_variables: { host_env_keys: [...SECRETS] },
      },
    },
  });
}

/**
 * The Wasm filter with its policy: the ECDS resource's content. Its direction is said, since the module would have to ask Envoy about
 * each request otherwise.
 */
export function wasmFilter(compiled: CompiledPolicy, root: string, direction: Direction = "inbound"): JsonObject {
  return wasmFilterWith({
    name: FILTER_NAME,
    configuration: JSON.stringify({ ...compiled, direction }),
    code: { local: { filename: below(root, MODULE_FILE) } },
    // A crash costs the streams in flight, then the VM is made anew; FAIL_OPEN would let everything through for ever.
    failurePolicy: "FAIL_RELOAD",
  });
}

/** What ECDS calls the filter of a direction, and the file that it reads it from. */
const resourceName = (direction: Direction): string => (direction === "inbound" ? FILTER_NAME : OUTBOUND_NAME);
const resourceFile = (direction: Direction): string => (direction === "inbound" ? ECDS_FILE : OUTBOUND_FILE);

/** The file that ECDS reads: a policy for the running filter. */
export function ecdsResponse(compiled: CompiledPolicy, root: string, direction: Direction = "inbound"): JsonObject {
  return {
    version_info: compiled.policy,
    resources: [
      typed("config.core.v3.TypedExtensionConfig", {
        name: resourceName(direction),
        typed_config: wasmFilter(compiled, root, direction),
      }),
    ],
  };
}

/** One JSON line for every request: who, what, how it ended, and what Meshward said of it. */
function accessLog(target: string): Json[] {
  const log_format: JsonObject = {
    json_format: {
      time: "%START_TIME%",
      method: "%REQ(:METHOD)%",
      host: "%REQ(:AUTHORITY):128%",
      // Without the query: it carries people's data and secrets; where an attack stood in it is in the finding.
      path: "%REQ_WITHOUT_QUERY(:PATH):256%",
      protocol: "%PROTOCOL%",
      status: "%RESPONSE_CODE%",
      flags: "%RESPONSE_FLAGS%",
      details: "%RESPONSE_CODE_DETAILS%",
      bytes_in: "%BYTES_RECEIVED%",
      bytes_out: "%BYTES_SENT%",
      duration_ms: "%DURATION%",
      request_id: "%REQ(X-REQUEST-ID):64%",
      traceparent: "%REQ(TRACEPARENT):64%",
      address: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
      peer: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
      principal: "%DOWNSTREAM_PEER_URI_SAN%",
      upstream: "%UPSTREAM_HOST%",
      meshward: `%FILTER_STATE(wasm.${FILTER_NAME}.verdict:PLAIN)%`,
    },
    formatters: [
      {
        name: "envoy.formatter.req_without_query",
        typed_config: typed("extensions.formatter.req_without_query.v3.ReqWithoutQuery"),
      },
    ],
  };
  if (target === "stdout") {
    return [
      {
        name: "envoy.access_loggers.stdout",
        typed_config: typed("extensions.access_loggers.stream.v3.StdoutAccessLog", { log_format }),
      },
    ];
  }
  return [
    {
      name: "envoy.access_loggers.file",
      typed_config: typed("extensions.access_loggers.file.v3.FileAccessLog", { path: target, log_format }),
    },
  ];
}

/** The filter that ECDS fills, with the policy of today for the case that its file is missing or refused at start. */
function discoveredFilter(compiled: CompiledPolicy, root: string, direction: Direction): JsonObject {
  return {
    name: resourceName(direction),
    config_discovery: {
      config_source: {
        resource_api_version: "V3",
        initial_fetch_timeout: "5s",
        path_config_source: {
          path: below(root, resourceFile(direction)),
          watched_directory: { path: below(root, ECDS_FOLDER) },
        },
      },
      type_urls: [`${API}.extensions.filters.http.wasm.v3.Wasm`],
      default_config: wasmFilter(compiled, root, direction),
    },
  };
}

/** Stands in the 503 to a request that a crash of the module cost and that the service has seen nothing of. */
export const RETRY_HEADER = "x-meshward-retry";

/**
 * Lets a caller's proxy retry such a request elsewhere without retrying the service's own 503. What had been passed on is not marked: the
 * service may have done what was asked.
 */
const markedReplies = (): JsonObject => ({
  mappers: [
    {
      filter: {
        extension_filter: {
          name: "envoy.access_loggers.extension_filters.cel",
          typed_config: typed("extensions.access_loggers.filters.cel.v3.ExpressionFilter", {
            expression: 'response.code_details == "wasm_fail_stream" && !has(upstream.address)',
          }),
        },
      },
      headers_to_add: [{ header: { key: RETRY_HEADER, value: "safe" }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" }],
    },
  ],
});

function connectionManager(compiled: CompiledPolicy, options: BootstrapOptions): JsonObject {
  const { tls, authority } = parseUpstream(options.upstream);
  return typed("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: FILTER_NAME,
    codec_type: "AUTO",
    // The caller's address is the peer, or what `trustedHops` proxies in front wrote; a client's own words never count.
    use_remote_address: true,
    xff_num_trusted_hops: compiled.identity.trustedHops,
    // No address is internal: x-envoy-* request headers, which steer retries and timeouts, are dropped for everybody.
    internal_address_config: {},
    // One id for log, event and denial: the caller's is kept (the module replaces what is not a UUID), and no bits of
    // it are used for tracing decisions.
    generate_request_id: true,
    preserve_external_request_id: true,
    request_id_extension: {
      typed_config: typed("extensions.request_id.uuid.v3.UuidRequestIdConfig", { pack_trace_reason: false }),
    },
    // The module matches routes on exactly this form of the path. %2F and %5C stay as they are: applications use them
    // inside identifiers, and the module judges what they hide.
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: "KEEP_UNCHANGED",
    // The service's own answers, unchanged.
    server_header_transformation: "PASS_THROUGH",
    // Health checkers and old clients still speak 1.0.
    http_protocol_options: { accept_http_10: true, default_host_for_http_10: authority },
    http2_protocol_options: {
      max_concurrent_streams: 100,
      initial_stream_window_size: 64 * 1024,
      initial_connection_window_size: BUFFER_BYTES,
    },
    common_http_protocol_options: {
      // Between requests; a stream that waits (long poll, WebSocket) is not idle in this sense.
      idle_timeout: "300s",
      max_headers_count: HEADERS,
      // Applications use such names; the module judges them like any others, and trusts only exact names.
      headers_with_underscores_action: "ALLOW",
    },
    max_request_headers_kb: HEADER_KIB,
    // Slow headers are an attack, slow bodies and slow answers are not: uploads, long polls and server-sent events
    // may take as long as they like while bytes move at least once an hour.
    request_headers_timeout: "30s",
    request_timeout: "0s",
    stream_idle_timeout: "3600s",
    delayed_close_timeout: "1s",
    upgrade_configs: [{ upgrade_type: "websocket" }],
    access_log: accessLog(options.accessLog),
    ...(options.filter === false ? {} : { local_reply_config: markedReplies() }),
    route_config: {
      name: "upstream",
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [
            {
              match: { prefix: "/" },
              route: {
                cluster: "upstream",
                timeout: "0s",
                // A service behind TLS is reached under its own name.
                ...(tls ? { host_rewrite_literal: authority } : {}),
              },
            },
          ],
        },
      ],
    },
    http_filters: [
      ...(options.filter === false ? [] : [discoveredFilter(compiled, options.root, "inbound")]),
      {
        name: "envoy.filters.http.router",
        typed_config: typed("extensions.filters.http.router.v3.Router", { suppress_envoy_headers: true }),
      },
    ],
  });
}

/** Where a call of the service goes that has come round to where it began: nowhere, and it is told so. */
const LOOP_STATUS = 508;

/**
 * The service's own calls, passed on to the host that they name. They are the service's business: nothing of them is changed but for
 * the entry in `via` by which a call that came round is known, since a client may choose where a service calls.
 */
function forwarder(compiled: CompiledPolicy, options: BootstrapOptions, address: Address): JsonObject {
  const { service = FILTER_NAME } = options;
  const via = `meshward-${service.replace(/[^\w.-]/g, "_")}-${address.port}`;
  const routes = (cluster: string): JsonObject[] => [
    {
      match: { prefix: "/", headers: [{ name: "via", string_match: { contains: `1.1 ${via}` } }] },
      direct_response: { status: LOOP_STATUS },
    },
    {
      match: { connect_matcher: {} },
      route: { cluster, timeout: "0s", upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }] },
    },
    { match: { prefix: "/" }, route: { cluster, timeout: "0s" } },
  ];
  return typed("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: OUTBOUND_NAME,
    codec_type: "AUTO",
    // The peer is the service itself.
    use_remote_address: false,
    skip_xff_append: true,
    generate_request_id: false,
    preserve_external_request_id: true,
    server_header_transformation: "PASS_THROUGH",
    common_http_protocol_options: { idle_timeout: "300s", headers_with_underscores_action: "ALLOW" },
    max_request_headers_kb: HEADER_KIB,
    request_timeout: "0s",
    stream_idle_timeout: "3600s",
    // What is encrypted passes as a tunnel, unread.
    upgrade_configs: [{ upgrade_type: "websocket" }, { upgrade_type: "CONNECT" }],
    route_config: {
      name: OUTBOUND_NAME,
      request_headers_to_add: [
        { header: { key: "via", value: `1.1 ${via}` }, append_action: "APPEND_IF_EXISTS_OR_ADD" },
      ],
      virtual_hosts: [
        ...Object.keys(options.hosts ?? {}).map((host, index) => ({
          name: host,
          domains: [host, `${host}:*`],
          routes: routes(hostCluster(index)),
        })),
        { name: "all", domains: ["*"], routes: routes(OUTBOUND_NAME) },
      ],
    },
    http_filters: [
      ...(options.filter === false ? [] : [discoveredFilter(compiled, options.root, "outbound")]),
      {
        name: "envoy.filters.http.dynamic_forward_proxy",
        typed_config: typed("extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig", {
          dns_cache_config: NAMES_CACHE,
        }),
      },
      {
        name: "envoy.filters.http.router",
        typed_config: typed("extensions.filters.http.router.v3.Router", { suppress_envoy_headers: true }),
      },
    ],
  });
}

/** Hosts that the service calls; who makes it call more of them at once is answered 503. */
const NAMES_CACHE: JsonObject = { name: OUTBOUND_NAME, dns_lookup_family: "ALL", max_hosts: 1024 };

function listenerOf(name: string, direction: Direction, address: Address, manager: JsonObject): JsonObject {
  return {
    name,
    traffic_direction: direction.toUpperCase(),
    address: socketAddress(address),
    per_connection_buffer_limit_bytes: BUFFER_BYTES,
    // With it two proxies could take the same port and share its connections in silence.
    enable_reuse_port: false,
    filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
  };
}

/**
 * What Prometheus and probes ask for from other machines. The admin interface itself can stop Envoy and show its configuration: it stays
 * on the loopback.
 */
function readings(): JsonObject {
  const only = (path: string): JsonObject => ({
    match: { path, headers: [{ name: ":method", string_match: { exact: "GET" } }] },
    route: { cluster: METRICS_LISTENER },
  });
  return typed("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: METRICS_LISTENER,
    codec_type: "AUTO",
    common_http_protocol_options: { idle_timeout: "300s" },
    request_headers_timeout: "30s",
    route_config: {
      name: METRICS_LISTENER,
      virtual_hosts: [{ name: "all", domains: ["*"], routes: [only("/stats/prometheus"), only("/ready")] }],
    },
    http_filters: [
      {
        name: "envoy.filters.http.router",
        typed_config: typed("extensions.filters.http.router.v3.Router"),
      },
    ],
  });
}

/** The listener for what comes to the service, and those for its own calls and for statistics where they are asked for. */
function listeners(compiled: CompiledPolicy, options: BootstrapOptions): JsonObject[] {
  const { listen, outbound, metrics } = options;
  const found = [listenerOf(INBOUND_LISTENER, "inbound", listen, connectionManager(compiled, options))];
  if (outbound !== undefined)
    found.push(listenerOf(OUTBOUND_LISTENER, "outbound", outbound, forwarder(compiled, options, outbound)));
  if (metrics !== undefined) found.push(listenerOf(METRICS_LISTENER, "inbound", metrics, readings()));
  return found;
}

/** What the listeners pass requests on to, and where events go. */
function clusters(compiled: CompiledPolicy, options: BootstrapOptions): JsonObject[] {
  const { upstream, protocol, authorities } = options;
  const found = [cluster("upstream", upstream, protocol, authorities)];
  if (options.outbound !== undefined) {
    const known = Object.values(options.hosts ?? {});
    found.push(...known.map((origin, index) => cluster(hostCluster(index), origin, "http1", authorities)), anyHost());
  }
  if (options.metrics !== undefined) {
    const { host, port } = options.admin;
    const shown = host.includes(":") ? `[${host}]` : host;
    found.push(cluster(METRICS_LISTENER, `http://${shown}:${port}`));
  }
  if (compiled.events !== undefined && options.filter !== false) {
    const collector = options.collector ?? collectorOf(compiled.events);
    // Nothing waits for it, nor does the start: its name may be resolved later.
    found.push({ ...cluster(compiled.events.cluster, collector, "http1", authorities), wait_for_warm_on_init: false });
  }
  return found;
}

/** The origin of the collector of a policy's events. */
export function collectorOf({ authority, tls = false }: NonNullable<CompiledPolicy["events"]>): string {
  return `${tls ? "https" : "http"}://${authority}`;
}

/** The cluster of the host of that place among the known ones. */
const hostCluster = (index: number): string => `${OUTBOUND_NAME}_${index}`;

/** Whatever host a call names. */
function anyHost(): JsonObject {
  return {
    name: OUTBOUND_NAME,
    lb_policy: "CLUSTER_PROVIDED",
    connect_timeout: "5s",
    per_connection_buffer_limit_bytes: BUFFER_BYTES,
    cluster_type: {
      name: "envoy.clusters.dynamic_forward_proxy",
      typed_config: typed("extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig", {
        dns_cache_config: NAMES_CACHE,
      }),
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          common_http_protocol_options: { idle_timeout: UPSTREAM_IDLE },
          // Demanded of such a cluster, should it ever speak TLS.
          upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true },
          explicit_http_config: { http_protocol_options: {} },
        },
      ),
    },
  };
}

/** A cluster of one host, `origin` its scheme, host and port. */
function cluster(
  name: string,
  origin: string,
  protocol: "http1" | "http2" = "http1",
  authorities: string = AUTHORITIES_FILE,
): JsonObject {
  const { tls, host, port } = parseUpstream(origin);
  const isName = !/^[\d.]+$|:/.test(host);
  return {
    name,
    // Both families are tried in turn: "localhost" may be ::1 while the service listens on 127.0.0.1 alone.
    ...(isName ? { type: "LOGICAL_DNS", dns_lookup_family: "ALL" } : { type: "STATIC" }),
    connect_timeout: "5s",
    per_connection_buffer_limit_bytes: BUFFER_BYTES,
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [
            { endpoint: { ...(isName ? { hostname: host } : {}), address: socketAddress({ host, port }) } },
          ],
        },
      ],
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          common_http_protocol_options: { idle_timeout: UPSTREAM_IDLE },
          explicit_http_config: protocol === "http2" ? { http2_protocol_options: {} } : { http_protocol_options: {} },
        },
      ),
    },
    ...(tls ? { transport_socket: upstreamTls(host, isName, protocol, authorities) } : {}),
  };
}

/** TLS to the upstream: verified by the authorities, under its own name. */
function upstreamTls(host: string, isName: boolean, protocol: "http1" | "http2", authorities: string): JsonObject {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: typed("extensions.transport_sockets.tls.v3.UpstreamTlsContext", {
      ...(isName ? { sni: host } : {}),
      common_tls_context: {
        alpn_protocols: [protocol === "http2" ? "h2" : "http/1.1"],
        validation_context: {
          trusted_ca: { filename: authorities },
          match_typed_subject_alt_names: [{ san_type: isName ? "DNS" : "IP_ADDRESS", matcher: { exact: host } }],
        },
      },
    }),
  };
}

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
