/**
 * What resources are made for: the words are Istio's own. `scripts/istio/options.ts` reads them from the command line and holds them
 * against each other, so that what is here is known to go together.
 */
import type { JsonObject } from "../envoy/json.ts";
import type { CompiledPolicy } from "../envoy/options.ts";

/** A Kubernetes object in the namespace of the resource. */
export interface TargetRef {
  group: string;
  kind: string;
  name: string;
}

/** Whose requests are judged. */
export type Target =
  /** Every sidecar: the resource stands in the mesh's root namespace. */
  | { kind: "mesh" }
  /** Every sidecar of the namespaces. */
  | { kind: "namespace" }
  /** The sidecars of pods with these labels. */
  | { kind: "workload"; labels: Readonly<Record<string, string>> }
  /** Gateways: by their pods' labels, or as objects of the Gateway API. */
  | { kind: "gateway"; labels: Readonly<Record<string, string>> }
  | { kind: "gateway"; refs: readonly TargetRef[] }
  /** Waypoints of ambient mode, or single services behind them. */
  | { kind: "waypoint"; refs: readonly TargetRef[] }
  /** Not Istio: gateways and routes of Envoy Gateway. */
  | { kind: "envoy-gateway"; refs: readonly TargetRef[] };

/** Where the module comes from. Whatever is fetched is pinned by its digest: the manifest's of an image, the body's of a download. */
export type ModuleSource =
  | { kind: "oci"; url: string; sha256: string; pullSecret?: string }
  | { kind: "https"; url: string; sha256: string }
  /** A ConfigMap that is mounted into the sidecars; its name has the digest, so that a new module restarts the pods. */
  | { kind: "configmap"; sha256: string };

export const HOLDS = ["full", "body"] as const;
/** What can be held until it is judged: a request as a whole, or its body alone. */
export type Hold = (typeof HOLDS)[number];

export const FAIL_STRATEGIES = ["FAIL_RELOAD", "FAIL_CLOSE", "FAIL_OPEN"] as const;
export type FailStrategy = (typeof FAIL_STRATEGIES)[number];

export const TRAFFIC = ["SERVER", "CLIENT", "CLIENT_AND_SERVER"] as const;
/** Which requests of a sidecar: those that come to the service, its own calls, or both. */
export type Traffic = (typeof TRAFFIC)[number];

export interface ResourceOptions {
  /** The name of the resources. */
  name: string;
  /** The namespaces that the resources stand in; of the mesh, its root namespace. */
  namespaces: readonly string[];
  target: Target;
  /** Istio's version: major, minor. */
  istio: readonly [number, number];
  hold: Hold;
  module: ModuleSource;
  failStrategy: FailStrategy;
  traffic: Traffic;
  /** The only ports that count; empty for all. */
  ports: readonly number[];
  /** Ports that do not count. */
  excludePorts: readonly number[];
  /** The extension provider that `Telemetry` logs through; absent for no `Telemetry`. */
  telemetry?: string;
}

/** What is needed to know of a compiled policy. */
export interface MeshPolicy extends CompiledPolicy {
  routes: readonly object[];
  workloads: readonly { namespace?: string; routes?: readonly object[] }[];
}

/** What the module is given, but its direction; `policy` is the hash. */
export type Configuration = JsonObject & { policy: string };

/** The oldest release whose Envoy (1.35) can hold headers, and whose resources know `FAIL_RELOAD`. */
export const OLDEST_ISTIO = [1, 27] as const;
/** The newest that the resources were held against. */
export const NEWEST_ISTIO = [1, 31] as const;
/** From here on Istio recommends `TrafficExtension`, which it makes of each `WasmPlugin` anyway. */
export const TRAFFIC_EXTENSION_ISTIO = [1, 30] as const;

/** Whether the version is `least` or newer. */
export const isAtLeast = ([major, minor]: readonly [number, number], least: readonly [number, number]): boolean =>
  major > least[0] || (major === least[0] && minor >= least[1]);
