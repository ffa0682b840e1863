/** What belongs to the filter and is no filter: Telemetry, the mesh's configuration, the pods' mount, the kustomization. */
import { stringify } from "yaml";
import { FILTER_NAME, MODULE_FILE, STAT_LABELS } from "../envoy/names.ts";
import type { JsonObject } from "../envoy/json.ts";
import { LABELS, legs, matchLabels, metadata } from "./leg.ts";
import { configMapName, mountAnnotations, MODULE_LABEL } from "./mount.ts";
import type { ResourceOptions } from "./options.ts";
import type { Commented } from "./text.ts";

/**
 * What became of a request, in Envoy's CEL, by what Envoy says of its answer. More than that it cannot say: the verdict is bytes there, and
 * this CEL has no function that looks into bytes. Three values, none of which comes from a client.
 */
export const OUTCOME_EXPRESSION =
  'response.code_details == "meshward_denied" ? "denied" : response.code_details == "wasm_fail_stream" ? "crashed" : "passed"';

export function telemetry(provider: string, namespace: string, options: ResourceOptions): Commented {
  const { target, name } = options;
  const mode = legs(options).length === 2 ? {} : { mode: legs(options)[0]!.mode ?? "CLIENT_AND_SERVER" };
  return {
    object: {
      apiVersion: "telemetry.istio.io/v1",
      kind: "Telemetry",
      metadata: metadata(name, namespace),
      spec: {
        ...matchLabels(target),
        accessLogging: [{ match: { mode: "CLIENT_AND_SERVER", ...mode }, providers: [{ name: provider }] }],
        metrics: [
          {
            providers: [{ name: "prometheus" }],
            overrides: [
              {
                match: { metric: "REQUEST_COUNT", mode: "CLIENT_AND_SERVER", ...mode },
                tagOverrides: { meshward_outcome: { operation: "UPSERT", value: OUTCOME_EXPRESSION } },
              },
            ],
          },
        ],
      },
    },
    comments: {
      "spec.accessLogging":
        "Takes the place of what the mesh or the namespace says of access logs for these proxies. The provider is in mesh-config.yaml.",
      "spec.metrics":
        "istio_requests_total gets the label meshward_outcome: denied, crashed or passed. What block mode would have denied is in Meshward's own statistics, which need no Telemetry.",
    },
  };
}

/** Values of Istio's charts: what a mesh has to say for the filter to work as it does elsewhere. */
export function meshConfig({ telemetry: provider }: ResourceOptions): Commented {
  const labels: JsonObject = {
    time: "%START_TIME%",
    method: "%REQ(:METHOD)%",
    host: "%REQ(:AUTHORITY):128%",
    status: "%RESPONSE_CODE%",
    flags: "%RESPONSE_FLAGS%",
    details: "%RESPONSE_CODE_DETAILS%",
    request_id: "%REQ(X-REQUEST-ID):64%",
    principal: "%DOWNSTREAM_PEER_URI_SAN%",
    upstream: "%UPSTREAM_HOST%",
    meshward: `%FILTER_STATE(wasm.${FILTER_NAME}.verdict:PLAIN)%`,
  };
  const providers: JsonObject =
    provider === undefined
      ? {}
      : {
          extensionProviders: [{ name: provider, envoyFileAccessLog: { path: "/dev/stdout", logFormat: { labels } } }],
        };
  return {
    object: {
      meshConfig: {
        pathNormalization: { normalization: "MERGE_SLASHES" },
        defaultConfig: { extraStatTags: [...STAT_LABELS] },
        ...providers,
      },
    },
    comments: {
      "meshConfig.pathNormalization":
        "Routes and exceptions of the policy are matched on such paths: the service has to get the path that was judged.",
      "meshConfig.defaultConfig.extraStatTags":
        "Labels of Meshward's statistics. New proxies have them; where the mesh must not change, they stand in the annotation proxy.istio.io/config of a pod.",
      ...(provider === undefined
        ? {}
        : { "meshConfig.extensionProviders": "A list: put it beside the providers that the mesh has already." }),
    },
  };
}

/** A component for the kustomization of the workloads themselves: mounts the module into their sidecars. */
export function podTemplate(options: ResourceOptions): Commented {
  const patch = {
    apiVersion: "apps/v1",
    kind: "Workload",
    metadata: { name: "any" },
    spec: { template: { metadata: { annotations: mountAnnotations(configMapName(options.name, options.module)) } } },
  };
  return {
    object: {
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      patches: ["Deployment", "StatefulSet", "DaemonSet"].map((kind) => ({
        target: {
          kind,
          ...(options.target.kind === "workload" ? { labelSelector: selectorText(options.target.labels) } : {}),
        },
        patch: stringify({ ...patch, kind }),
      })),
    },
  };
}

const selectorText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

export function kustomization(resources: readonly string[], options: ResourceOptions): Commented {
  const { module, name, namespaces } = options;
  const generated: JsonObject =
    module.kind !== "configmap"
      ? {}
      : {
          configMapGenerator: namespaces.map((namespace) => ({
            name: configMapName(name, module),
            namespace,
            files: [MODULE_FILE],
            options: { disableNameSuffixHash: true, immutable: true, labels: { ...LABELS, ...MODULE_LABEL } },
          })),
        };
  return {
    object: {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: [...resources],
      ...generated,
    },
    comments:
      module.kind === "configmap"
        ? {
            configMapGenerator:
              "Larger than the annotation that kubectl apply keeps: apply it with --server-side. The digest is in the name already.",
          }
        : {},
  };
}
