/** Whom requests and events are passed on to. */
import { socketAddress, typed } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { METRICS_LISTENER, OUTBOUND_NAME } from "./names.ts";
import type { BootstrapOptions, CompiledPolicy } from "./options.ts";

/**
 * Held bytes live in this buffer, and above it Envoy answers 413 by itself; the policy's `holdBytes` stays 64 KiB
 * below (scripts/policy/schema.ts).
 */
export const BUFFER_BYTES = 1024 * 1024;

/** Node closes an idle keep-alive connection after 5 s: give up ours first, or a request meets a closing connection. */
const UPSTREAM_IDLE = "4s";

/** Where Debian, Ubuntu, Alpine and Envoy's image keep them; Envoy has no way of its own to find the system's. */
export const AUTHORITIES_FILE = "/etc/ssl/certs/ca-certificates.crt";

/**
 * Envoy's own are for 1,024 connections, and as many requests that wait for one: the next upload that is slow would be answered 503. What a
 * service can take its callers' proxies know; here connections and their streams are bounded where they come in. Istio does likewise.
 */
const NO_BREAKERS: JsonObject = {
  thresholds: [{ max_connections: 4_294_967_295, max_pending_requests: 4_294_967_295, max_requests: 4_294_967_295 }],
};

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

/** Hosts that the service calls; who makes it call more of them at once is answered 503. */
export const NAMES_CACHE: JsonObject = { name: OUTBOUND_NAME, dns_lookup_family: "ALL", max_hosts: 1024 };

/** The cluster of the host of that place among the known ones. */
export const hostCluster = (index: number): string => `${OUTBOUND_NAME}_${index}`;

/** The origin of the collector of a policy's events. */
export function collectorOf({ authority, tls = false }: NonNullable<CompiledPolicy["events"]>): string {
  return `${tls ? "https" : "http"}://${authority}`;
}

/** What the listeners pass requests on to, and where events go. */
export function clusters(compiled: CompiledPolicy, options: BootstrapOptions): JsonObject[] {
  const { upstream, protocol, authorities } = options;
  const found: JsonObject[] = [
    { ...cluster("upstream", upstream, protocol, authorities), circuit_breakers: NO_BREAKERS },
  ];
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
export function cluster(
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
