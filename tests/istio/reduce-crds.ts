/**
 * Makes crds/ from the files of the two projects: of each definition that we write resources of, its name and the schema of its `spec`,
 * without descriptions.
 *
 *   go mod download istio.io/api@v1.31.1 github.com/envoyproxy/gateway@v1.9.1
 *   node --import tsx tests/istio/reduce-crds.ts \
 *     $(go env GOMODCACHE)/istio.io/api@v1.31.1/kubernetes/customresourcedefinitions.gen.yaml \
 *     $(go env GOMODCACHE)/github.com/envoyproxy/gateway@v1.9.1/charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_envoyextensionpolicies.yaml
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { CRD_FOLDER } from "./crds.ts";
import type { Definition, Schema } from "./crds.ts";

/** What is written, and of each the version; parts of the schema that we never write are left out, so that they are refused. */
const WANTED: Record<string, { version: string; without: string[] }> = {
  EnvoyFilter: { version: "v1alpha3", without: [] },
  TrafficExtension: { version: "v1alpha1", without: [] },
  WasmPlugin: { version: "v1alpha1", without: [] },
  Telemetry: { version: "v1", without: ["tracing"] },
  EnvoyExtensionPolicy: { version: "v1alpha1", without: ["extProc", "lua", "dynamicModule"] },
};

interface Crd {
  spec: {
    group: string;
    scope: string;
    names: { kind: string };
    versions: { name: string; schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[];
  };
}

/** The schema without what is only for people. A property may itself be called `description`. */
function reduced(value: unknown, isProperties = false): unknown {
  if (Array.isArray(value)) return value.map((entry) => reduced(entry));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => isProperties || key !== "description");
  return Object.fromEntries(kept.map(([key, inner]) => [key, reduced(inner, !isProperties && key === "properties")]));
}

for (const file of process.argv.slice(2)) {
  for (const document of parseAllDocuments(readFileSync(file, "utf8").replaceAll(/^\{\{.*\}\}$/gm, ""))) {
    const { group, scope, names, versions } = (document.toJS() as Crd).spec;
    const wanted = WANTED[names.kind];
    if (wanted === undefined) continue;
    const { version, without } = wanted;
    const schema = versions.find(({ name }) => name === version)!.schema.openAPIV3Schema.properties.spec;
    for (const property of without) delete schema.properties![property];
    const definition: Definition = {
      apiVersion: `${group}/${version}`,
      kind: names.kind,
      scope,
      spec: reduced(schema) as Schema,
    };
    const source = /\/mod\/(.+@v[^/]+)\//.exec(file)?.[1] ?? file;
    const head = `# ${names.kind} of ${source} (Apache License 2.0), reduced by tests/istio/reduce-crds.ts.\n`;
    writeFileSync(join(CRD_FOLDER, `${names.kind}.yaml`), head + stringify(definition, { lineWidth: 140 }));
  }
}
