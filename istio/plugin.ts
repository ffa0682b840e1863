/**
 * The module by the resources that were made for it: `WasmPlugin` and `TrafficExtension` of Istio, `EnvoyExtensionPolicy` of Envoy Gateway.
 * None of them can say `allow_on_headers_stop_iteration`: headers go on, bodies are held.
 */
import { FILTER_NAME, SECRETS } from "../envoy/names.ts";
import type { JsonObject } from "../envoy/json.ts";
import { failReason } from "./envoy-filter.ts";
import { matchLabels, metadata } from "./leg.ts";
import type { Leg } from "./leg.ts";
import { MODULE_PATH } from "./mount.ts";
import { TRAFFIC_EXTENSION_ISTIO, isAtLeast } from "./options.ts";
import type { FailStrategy, Configuration, ModuleSource, ResourceOptions } from "./options.ts";
import type { Commented } from "./text.ts";

const PHASE =
  "The last of all, behind authentication and authorization: the caller's identity is known, and what is refused there is not judged.";
const PRIORITY =
  "Behind other plugins of the phase, whose priority is 0 unless they say so: the module judges what the service will get.";
const SHA256 = {
  oci: "The digest of the image's manifest: whatever else is found under the name is refused.",
  https: "The digest of the file: whatever else is found there is refused.",
};
const PULL_POLICY = "The digest names the bytes: fetched again, they could only be the same.";
const SECRETS_REASON =
  "Secrets come from the proxy's environment and stand in no resource; those that it does not have are left out.";
const HOLD_REASON =
  "Its holdHeaders is false and has to stay so: the headers of a request go on, only its body is held until it is judged.";

/** What both of Istio's resources say of the plugin. */
function wasm(module: ModuleSource, failStrategy: FailStrategy): JsonObject {
  const fetched: JsonObject =
    module.kind === "configmap"
      ? { url: `file://${MODULE_PATH}` }
      : { url: module.url, sha256: module.sha256, imagePullPolicy: "IfNotPresent" };
  const secret: JsonObject =
    module.kind === "oci" && module.pullSecret !== undefined ? { imagePullSecret: module.pullSecret } : {};
  return {
    ...fetched,
    ...secret,
    pluginName: FILTER_NAME,
    failStrategy,
    vmConfig: { env: SECRETS.map((name) => ({ name, valueFrom: "HOST" })) },
  };
}

function wasmComments(options: ResourceOptions): Record<string, string> {
  const { module } = options;
  const pinned: Record<string, string> =
    module.kind === "configmap" ? {} : { sha256: SHA256[module.kind], imagePullPolicy: PULL_POLICY };
  return {
    ...pinned,
    failStrategy: failReason(options),
    vmConfig: SECRETS_REASON,
    pluginConfig: HOLD_REASON,
  };
}

/** The traffic of the leg, as both resources select it. */
function match({ mode }: Leg, ports: readonly number[]): JsonObject {
  if (mode === undefined && ports.length === 0) return {};
  const selected: JsonObject = {
    ...(mode === undefined ? {} : { mode }),
    ...(ports.length === 0 ? {} : { ports: ports.map((number) => ({ number })) }),
  };
  return { match: [selected] };
}

/** `WasmPlugin`, or `TrafficExtension` where Istio knows it. */
export function plugin(configuration: Configuration, leg: Leg, namespace: string, options: ResourceOptions): Commented {
  const { istio, module, failStrategy, ports, target } = options;
  const isExtension = isAtLeast(istio, TRAFFIC_EXTENSION_ISTIO);
  const content: JsonObject = {
    ...wasm(module, failStrategy),
    pluginConfig: { ...configuration, direction: leg.direction },
  };
  const comments = Object.entries(wasmComments(options)).map(([key, text]) => [
    isExtension ? `spec.wasm.${key}` : `spec.${key}`,
    text,
  ]);
  return {
    object: {
      apiVersion: "extensions.istio.io/v1alpha1",
      kind: isExtension ? "TrafficExtension" : "WasmPlugin",
      metadata: metadata(leg.name, namespace, configuration.policy),
      spec: {
        ...matchLabels(target),
        ...match(leg, ports),
        phase: isExtension ? "UNSPECIFIED" : "UNSPECIFIED_PHASE",
        priority: -10,
        ...(isExtension ? { wasm: content } : content),
      },
    },
    comments: { "spec.phase": PHASE, "spec.priority": PRIORITY, ...Object.fromEntries(comments) },
  };
}

/** Where Envoy Gateway gets the module from; its images are named without a scheme. */
function gatewayCode(module: Exclude<ModuleSource, { kind: "configmap" }>): JsonObject {
  const { sha256 } = module;
  if (module.kind === "https") return { type: "HTTP", http: { url: module.url, sha256 } };
  const secret: JsonObject = module.pullSecret === undefined ? {} : { pullSecretRef: { name: module.pullSecret } };
  return { type: "Image", image: { url: module.url.replace(/^oci:\/\//, ""), sha256, ...secret } };
}

export function extensionPolicy(
  configuration: Configuration,
  leg: Leg,
  namespace: string,
  options: ResourceOptions,
): Commented {
  const { module, failStrategy, target } = options;
  if (module.kind === "configmap") throw new Error("Envoy Gateway mounts no ConfigMap");
  const source = module.kind === "oci" ? "image" : "http";
  const config = { ...configuration, direction: leg.direction };
  return {
    object: {
      apiVersion: "gateway.envoyproxy.io/v1alpha1",
      kind: "EnvoyExtensionPolicy",
      metadata: metadata(leg.name, namespace, configuration.policy),
      spec: {
        ...matchLabels(target),
        wasm: [
          {
            name: leg.name,
            rootID: FILTER_NAME,
            code: gatewayCode(module),
            failOpen: failStrategy === "FAIL_OPEN",
            env: { hostKeys: [...SECRETS] },
            config,
          },
        ],
      },
    },
    comments: {
      [`spec.wasm.0.code.${source}.sha256`]: SHA256[module.kind],
      "spec.wasm.0.failOpen":
        failStrategy === "FAIL_OPEN"
          ? failReason(options)
          : "Envoy Gateway says open or closed, and no more than that.",
      "spec.wasm.0.env": SECRETS_REASON,
      "spec.wasm.0.config": HOLD_REASON,
    },
  };
}
