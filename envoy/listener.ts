/** Where requests come in, and their way through: limits, access log, routes, filters. */
import { BUFFER_BYTES, NAMES_CACHE, hostCluster, parseUpstream } from "./cluster.ts";
import { discoveredFilter } from "./filter.ts";
import { socketAddress, typed } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import {
  FILTER_NAME,
  INBOUND_LISTENER,
  METRICS_LISTENER,
  OUTBOUND_LISTENER,
  OUTBOUND_NAME,
  RETRY_HEADER,
} from "./names.ts";
import type { Address, BootstrapOptions, CompiledPolicy, Direction } from "./options.ts";

/** The largest header block; Envoy's default, said here because the module's buffers are made for it. */
const HEADER_KIB = 60;

const HEADERS = 100;

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
export function listeners(compiled: CompiledPolicy, options: BootstrapOptions): JsonObject[] {
  const { listen, outbound, metrics } = options;
  const found = [listenerOf(INBOUND_LISTENER, "inbound", listen, connectionManager(compiled, options))];
  if (outbound !== undefined)
    found.push(listenerOf(OUTBOUND_LISTENER, "outbound", outbound, forwarder(compiled, options, outbound)));
  if (metrics !== undefined) found.push(listenerOf(METRICS_LISTENER, "inbound", metrics, readings()));
  return found;
}
