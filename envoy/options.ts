/** What Envoy's configuration is made of (bootstrap.ts). */

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

/** Which way the requests of a listener go: those that come to the service, or its own calls. */
export type Direction = "inbound" | "outbound";
