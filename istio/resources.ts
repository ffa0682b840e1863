/**
 * The files that `meshward istio` writes. Pure: a compiled policy and options in, paths and texts out, in the same order with the same
 * bytes for the same input; `scripts/istio/directory.ts` puts them into a folder.
 *
 *   DIR/kustomization.yaml                what `kubectl apply -k DIR` applies
 *   DIR/NAMESPACE/KIND.yaml               the filter, one resource for each direction of requests
 *   DIR/NAMESPACE/telemetry.yaml          where a provider is named
 *   DIR/mesh-config.yaml                  for people: what the mesh has to say, as values of Istio's charts
 *   DIR/pod-template/kustomization.yaml   with a ConfigMap: a component that mounts the module
 *   DIR/meshward.wasm                     likewise, the module itself
 */
import { compacted } from "./compact.ts";
import { envoyFilter } from "./envoy-filter.ts";
import { legs } from "./leg.ts";
import { kustomization, meshConfig, podTemplate, telemetry } from "./mesh.ts";
import { TRAFFIC_EXTENSION_ISTIO, isAtLeast } from "./options.ts";
import type { Configuration, MeshPolicy, ResourceOptions } from "./options.ts";
import { extensionPolicy, plugin } from "./plugin.ts";
import { fileText, linesOfJson } from "./text.ts";

export const KUSTOMIZATION_FILE = "kustomization.yaml";

export interface ResourceFile {
  /** Below the folder. */
  path: string;
  text: string;
  /** Bytes of the plugin's configuration, where there is one in it. */
  configurationBytes?: number;
}

/** The kind of the filter's resource, as its file is called. */
function kindOf({ target, hold, istio }: ResourceOptions): string {
  if (target.kind === "envoy-gateway") return "envoyextensionpolicy";
  if (hold === "full") return "envoyfilter";
  return isAtLeast(istio, TRAFFIC_EXTENSION_ISTIO) ? "trafficextension" : "wasmplugin";
}

/** The configuration as a namespace needs it: without the sections of others. Its hash stays that of the whole policy. */
function configurationOf(policy: MeshPolicy, namespace: string, { target }: ResourceOptions): Configuration {
  const isOwn = (section: { namespace?: string }): boolean =>
    target.kind === "mesh" || (section.namespace ?? namespace) === namespace;
  return { ...compacted({ ...policy, workloads: policy.workloads.filter(isOwn) }), policy: policy.policy };
}

function filterFile(policy: MeshPolicy, namespace: string, options: ResourceOptions): ResourceFile {
  const kind = kindOf(options);
  const make = { envoyfilter: envoyFilter, envoyextensionpolicy: extensionPolicy }[kind] ?? plugin;
  const own = configurationOf(policy, namespace, options);
  const documents = legs(options).map((leg) => make(own, leg, namespace, options));
  const title =
    options.hold === "full"
      ? "Meshward, in the place where it can hold requests as a whole."
      : "Meshward, in a place where it can hold the bodies of requests, and not their headers.";
  return {
    path: `${namespace}/${kind}.yaml`,
    text: fileText(title, documents),
    configurationBytes: Buffer.byteLength(linesOfJson(own)),
  };
}

/** All files but the module, the kustomization last: it names the others. `policy.holdHeaders` says what `hold` does. */
export function resourceFiles(policy: MeshPolicy, options: ResourceOptions): ResourceFile[] {
  const namespaces = [...options.namespaces].sort();
  const applied = namespaces.flatMap((namespace): ResourceFile[] => {
    const files = [filterFile(policy, namespace, options)];
    if (options.telemetry !== undefined) {
      const text = fileText("Access log and metrics.", [telemetry(options.telemetry, namespace, options)]);
      files.push({ path: `${namespace}/telemetry.yaml`, text });
    }
    return files;
  });
  const files = [...applied];
  if (options.target.kind !== "envoy-gateway") {
    const title =
      "What the mesh has to say: values for Istio's charts (helm upgrade istiod … -f). Not a resource: nothing applies it.";
    files.push({ path: "mesh-config.yaml", text: fileText(title, [meshConfig(options)]) });
  }
  if (options.module.kind === "configmap") {
    const chosen = options.target.kind === "workload" ? ", of those that carry the labels themselves" : "";
    const title =
      `Mounts the module into the sidecars of Deployments, StatefulSets and DaemonSets${chosen}. Name this folder under ` +
      `\`components\` of the kustomization that has them; pods elsewhere than in ${namespaces.join(", ")} would wait for the ConfigMap.`;
    files.push({ path: `pod-template/${KUSTOMIZATION_FILE}`, text: fileText(title, [podTemplate(options)]) });
  }
  const paths = applied.map(({ path }) => path);
  files.push({
    path: KUSTOMIZATION_FILE,
    text: fileText("Applied by `kubectl apply --server-side -k`.", [kustomization(paths, options)]),
  });
  return files;
}
