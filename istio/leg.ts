/** The parts that all resources share: which way requests go, whom a resource selects, and what it is called. */
import { FILTER_NAME } from "../envoy/names.ts";
import type { JsonObject } from "../envoy/json.ts";
import type { Direction } from "../envoy/options.ts";
import type { ResourceOptions, Target } from "./options.ts";

/** One context of the module: a resource of its own, since the direction stands in the plugin's configuration. */
export interface Leg {
  direction: Direction;
  /** The resource's name. */
  name: string;
  /** `WorkloadMode` of a selector of traffic; undefined where a proxy has one kind of listeners only. */
  mode?: "SERVER" | "CLIENT";
  /** `PatchContext` of an EnvoyFilter. */
  context: "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY";
}

/** The contexts that the options ask for. */
export function legs({ target, traffic, name }: ResourceOptions): Leg[] {
  const isSidecar = target.kind === "mesh" || target.kind === "namespace" || target.kind === "workload";
  // What a gateway or waypoint takes is a request to the services behind it, whatever Envoy calls the direction of its listeners.
  if (!isSidecar) return [{ direction: "inbound", name, context: "GATEWAY" }];
  const server: Leg = { direction: "inbound", name, mode: "SERVER", context: "SIDECAR_INBOUND" };
  const client: Leg = { direction: "outbound", name: `${name}-outbound`, mode: "CLIENT", context: "SIDECAR_OUTBOUND" };
  if (traffic === "SERVER") return [server];
  return traffic === "CLIENT" ? [client] : [server, client];
}

/** Who made it, for `kubectl -l` and for whoever takes it out again. */
export const LABELS = { "app.kubernetes.io/managed-by": FILTER_NAME, "app.kubernetes.io/name": FILTER_NAME };

/** The metadata of a resource; `policy` is the hash of what it was made from. */
export function metadata(name: string, namespace: string, policy?: string): JsonObject {
  const annotations: JsonObject = policy === undefined ? {} : { annotations: { "meshward.dev/policy": policy } };
  return { name, namespace, labels: { ...LABELS }, ...annotations };
}

/** `selector` or `targetRefs`, for resources that know both; what selects nothing holds for the whole namespace, or mesh. */
export function selection(target: Target, selector: (labels: JsonObject) => JsonObject): JsonObject {
  if ("refs" in target) return { targetRefs: target.refs.map((ref) => ({ ...ref })) };
  return "labels" in target ? selector({ ...target.labels }) : {};
}

/** The same as `selector.matchLabels`, which all but EnvoyFilter have. */
export const matchLabels = (target: Target): JsonObject =>
  selection(target, (labels) => ({ selector: { matchLabels: labels } }));
