import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { STAT_LABELS } from "../../envoy/names.ts";
import { MARK } from "../../istio/text.ts";
import { moduleDigest } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import type { PluginConfiguration } from "../../scripts/policy/compile.ts";
import { parsePolicy } from "../../scripts/policy/load.ts";
import { CASES, DIGEST, IMAGE, POLICY, writeCase } from "./cases.ts";
import type { Case } from "./cases.ts";
import { allRules, faults, readsRule } from "./crds.ts";
import type { Resource } from "./crds.ts";

interface Kustomization {
  resources: string[];
  configMapGenerator?: { name: string; namespace: string; files: string[] }[];
}

/** Any part of a resource; tests know what they look at. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- resources of many kinds, which no type describes
type Loose = any;

interface Made {
  folder: string;
  kustomization: Kustomization;
  resources: Resource[];
}

const made = new Map<string, Made>();
let root: string;

const documents = (text: string): Resource[] => parseAllDocuments(text).map((one) => one.toJS() as Resource);

async function read(folder: string): Promise<Made> {
  const text = (file: string): Promise<string> => readFile(join(folder, file), "utf8");
  const kustomization = parse(await text("kustomization.yaml")) as Kustomization;
  const files = await Promise.all(kustomization.resources.map(text));
  return { folder, kustomization, resources: files.flatMap(documents) };
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), "meshward-istio-"));
  for (const one of CASES) {
    const folder = join(root, one.id);
    const { code, err } = await writeCase(one, folder);
    assert.equal(`${code} ${err}`, "0 ", one.id);
    made.set(one.id, await read(folder));
  }
});
after(() => rm(root, { recursive: true, force: true }));

const of = (id: string): Made => made.get(id)!;
/** The first resource of a case, as tests may take it apart. */
const first = (id: string): Loose => structuredClone(of(id).resources[0]);

/** The configuration that the module gets from a resource. */
function configurationOf({ kind, spec }: Loose): PluginConfiguration & { direction: string } {
  if (kind === "EnvoyFilter") {
    return JSON.parse(spec.configPatches[0].patch.value.typed_config.config.configuration.value);
  }
  if (kind === "EnvoyExtensionPolicy") return spec.wasm[0].config;
  return (kind === "TrafficExtension" ? spec.wasm : spec).pluginConfig;
}

const isFilter = ({ kind }: Resource): boolean => kind !== "Telemetry";

/** Every path below the folder but the module. */
async function filesOf(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile() && entry.name !== "meshward.wasm");
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

describe("definitions of the kinds", () => {
  it("have rules that are all understood", () => {
    const rules = allRules();
    assert.ok(rules.length >= 25, `${rules.length} rules`);
    assert.deepEqual(
      rules.filter((rule) => !readsRule(rule)),
      [],
    );
  });
});

describe("meshward istio", () => {
  for (const one of CASES) {
    it(`${one.id}: what its kinds ask for`, () => {
      const { resources } = of(one.id);
      assert.deepEqual(
        resources.map(({ kind, metadata }) => `${metadata.namespace}/${kind}`),
        one.applied,
      );
      for (const resource of resources) assert.deepEqual(faults(resource), [], resource.metadata.name);
      const names = resources.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
      assert.equal(new Set(names).size, names.length, "two resources of one name");
    });

    it(`${one.id}: the policy, and as much held as the place can`, async () => {
      const policy = parsePolicy(await readFile(POLICY, "utf8"), POLICY);
      for (const resource of of(one.id).resources.filter(isFilter)) {
        const holdHeaders = resource.kind === "EnvoyFilter";
        const whole = compilePolicy(policy, { holdHeaders });
        const isMesh = one.id.startsWith("mesh");
        const { namespace } = resource.metadata;
        const workloads = whole.workloads.filter((section) => isMesh || (section.namespace ?? namespace) === namespace);
        const direction =
          resource.metadata.name.endsWith("-outbound") || one.id === "workload-client" ? "outbound" : "inbound";
        assert.deepEqual(configurationOf(resource), { ...whole, workloads, direction });
        // The two hang requests unless they agree.
        const flag = JSON.stringify(resource).includes('"allow_on_headers_stop_iteration":true');
        assert.equal(flag, holdHeaders);
      }
    });

    it(`${one.id}: the same to readers of YAML 1.1, with our mark`, async () => {
      for (const file of await filesOf(of(one.id).folder)) {
        const text = await readFile(file, "utf8");
        assert.ok(text.startsWith(`${MARK}\n`), file);
        const old = parseAllDocuments(text, { version: "1.1" }).map((document) => document.toJS());
        assert.deepEqual(old, documents(text), file);
        assert.ok(!/undefined|NaN|\[object/.test(text), file);
      }
    });
  }

  it("names each filter's discovered configuration once, and by its namespace", () => {
    for (const { resources } of made.values()) {
      for (const resource of resources.filter(({ kind }) => kind === "EnvoyFilter") as Loose[]) {
        const { namespace, name } = resource.metadata;
        const [config, ...filters] = resource.spec.configPatches as Loose[];
        assert.equal(config.applyTo, "EXTENSION_CONFIG");
        assert.equal(config.patch.value.name, `${namespace}.${name}`);
        for (const { applyTo, match, patch } of filters) {
          assert.equal(applyTo, "HTTP_FILTER");
          assert.equal(match.context, config.match.context);
          const { subFilter } = match.listener.filterChain.filter;
          if (patch.operation === "REMOVE") assert.equal(subFilter.name, `${namespace}.${name}`);
          else
            assert.deepEqual([patch.value.name, subFilter.name], [`${namespace}.${name}`, "envoy.filters.http.router"]);
          // A policy in the listener would drain it with each change.
          assert.ok(!JSON.stringify(patch).includes("configuration"));
        }
      }
    }
  });

  it("selects by labels, by references, or all", () => {
    const labels = { app: "catalogue", version: "v1" };
    assert.deepEqual(first("workload").spec.workloadSelector, { labels });
    assert.deepEqual(first("workload-body").spec.selector, { matchLabels: labels });
    assert.deepEqual(first("gateway-refs").spec.targetRefs, [
      { group: "gateway.networking.k8s.io", kind: "Gateway", name: "front" },
    ]);
    assert.deepEqual(first("waypoint-service").spec.targetRefs, [
      { group: "", kind: "Service", name: "catalogue" },
      { group: "networking.istio.io", kind: "ServiceEntry", name: "partner" },
    ]);
    for (const id of ["mesh", "mesh-body", "namespaces"]) {
      const { spec } = first(id);
      assert.ok(!("selector" in spec || "workloadSelector" in spec || "targetRefs" in spec), id);
    }
    for (const { resources } of made.values()) {
      const telemetry = resources.find(({ kind }) => kind === "Telemetry") as Loose;
      if (telemetry === undefined) continue;
      const filter = resources[0] as Loose;
      assert.deepEqual(telemetry.spec.targetRefs, filter.spec.targetRefs);
      const chosen = filter.spec.selector?.matchLabels ?? filter.spec.workloadSelector?.labels;
      assert.deepEqual(telemetry.spec.selector?.matchLabels, chosen);
    }
  });

  it("takes the listeners of the traffic that was asked for", () => {
    const contexts = (id: string): string[] =>
      (of(id).resources as Loose[]).filter(isFilter).map(({ spec }) => spec.configPatches[0].match.context);
    assert.deepEqual(contexts("mesh"), ["SIDECAR_INBOUND"]);
    assert.deepEqual(contexts("mesh-both"), ["SIDECAR_INBOUND", "SIDECAR_OUTBOUND"]);
    assert.deepEqual(contexts("gateway-labels"), ["GATEWAY"]);
    const matches = (id: string): unknown[] =>
      (of(id).resources as Loose[]).filter(isFilter).map(({ spec }) => spec.match);
    assert.deepEqual(matches("mesh-body-both"), [[{ mode: "SERVER" }], [{ mode: "CLIENT" }]]);
    assert.deepEqual(matches("workload-body"), [[{ mode: "SERVER", ports: [{ number: 8080 }] }]]);
    assert.deepEqual(matches("waypoint"), [undefined]);
    const ports = (id: string): unknown[] =>
      first(id)
        .spec.configPatches.slice(1)
        .map(({ match, patch }: Loose) => [patch.operation, match.listener.portNumber]);
    assert.deepEqual(ports("workload-ports"), [
      ["INSERT_BEFORE", 8080],
      ["INSERT_BEFORE", 9090],
    ]);
    assert.deepEqual(ports("workload-exclude-ports"), [
      ["INSERT_BEFORE", undefined],
      ["REMOVE", 9090],
      ["REMOVE", 15000],
    ]);
  });

  it("stands last: behind the phases, and behind plugins that say no priority", () => {
    for (const [id, phase] of [
      ["mesh-body", "UNSPECIFIED"],
      ["mesh-body-1.27", "UNSPECIFIED_PHASE"],
    ] as const) {
      assert.equal(first(id).spec.phase, phase);
      assert.ok(first(id).spec.priority < 0);
    }
    // Patches of a higher number are applied later, and each stands directly before the router.
    assert.ok(first("mesh").spec.priority > 0);
  });

  it("pins what is fetched, and lets what a crash does be chosen", () => {
    const filter = (id: string): Loose => first(id).spec.configPatches[0].patch.value.typed_config.config;
    const { remote } = filter("mesh").vm_config.code;
    assert.deepEqual([remote.http_uri.uri, remote.sha256], [IMAGE, DIGEST]);
    assert.equal(filter("mesh-root").vm_config.code.remote.sha256, DIGEST);
    assert.equal(first("mesh-body").spec.wasm.sha256, DIGEST);
    assert.equal(first("mesh-body-1.27").spec.sha256, DIGEST);
    assert.equal(first("envoy-gateway").spec.wasm[0].code.image.sha256, DIGEST);
    assert.equal(first("envoy-gateway-route").spec.wasm[0].code.http.sha256, DIGEST);
    assert.equal(first("workload-body-1.28").spec.imagePullSecret, "pull");
    assert.deepEqual(
      ["mesh", "workload-closed"].map((id) => filter(id).failure_policy),
      ["FAIL_RELOAD", "FAIL_CLOSED"],
    );
    assert.deepEqual(
      ["mesh", "workload-closed"].map((id) => "reload_config" in filter(id)),
      [true, false],
    );
    assert.equal(first("workload-open").spec.wasm.failStrategy, "FAIL_OPEN");
    assert.deepEqual(
      ["envoy-gateway", "envoy-gateway-route"].map((id) => first(id).spec.wasm[0].failOpen),
      [false, true],
    );
  });

  it("mounts the module of its own package under a name of its own, in each namespace", async () => {
    const { folder, kustomization, resources } = of("namespaces-configmap");
    const name = `meshward-module-${moduleDigest().slice(0, 12)}`;
    assert.deepEqual(
      kustomization.configMapGenerator!.map((one) => [one.name, one.namespace, one.files]),
      [
        [name, "pay", ["meshward.wasm"]],
        [name, "shop", ["meshward.wasm"]],
      ],
    );
    // The limit of a ConfigMap is 1 MiB.
    const module = await readFile(join(folder, "meshward.wasm"));
    assert.ok(module.length < 1000 * 1024);
    const component = parse(await readFile(join(folder, "pod-template/kustomization.yaml"), "utf8")) as Loose;
    for (const { patch, target } of component.patches) {
      const { kind, spec } = parse(patch) as Loose;
      assert.equal(kind, target.kind);
      const { annotations } = spec.template.metadata;
      const [volume] = Object.entries<Loose>(JSON.parse(annotations["sidecar.istio.io/userVolume"]));
      const [mount] = Object.entries<Loose>(JSON.parse(annotations["sidecar.istio.io/userVolumeMount"]));
      assert.equal(volume![0], mount![0]);
      assert.equal(volume![1].configMap.name, name);
      const path = `${mount![1].mountPath}/meshward.wasm`;
      assert.ok(JSON.stringify(resources[0]).includes(`"filename":"${path}"`));
      assert.equal((of("namespaces-configmap-1.29").resources[0] as Loose).spec.url, `file://${path}`);
    }
    // A proxy without the mount answers, unless the filter is asked to close.
    const fallback = (id: string): unknown =>
      (of(id).resources[0] as Loose).spec.configPatches[1].patch.value.config_discovery.default_config;
    assert.deepEqual(fallback("namespaces-configmap"), {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
    });
    assert.equal(fallback("namespaces-configmap-close"), undefined);
    assert.equal(fallback("namespaces"), undefined);
  });

  it("says what the mesh needs, and nothing of a provider that nobody named", async () => {
    const config = async (id: string): Promise<Loose> => {
      return (parse(await readFile(join(of(id).folder, "mesh-config.yaml"), "utf8")) as Loose).meshConfig;
    };
    const { defaultConfig, extensionProviders, pathNormalization } = await config("mesh-both");
    assert.deepEqual(defaultConfig.extraStatTags, [...STAT_LABELS]);
    assert.equal(pathNormalization.normalization, "MERGE_SLASHES");
    const [{ name, envoyFileAccessLog }] = extensionProviders;
    assert.deepEqual((of("mesh-both").resources.at(-1) as Loose).spec.accessLogging[0].providers, [{ name }]);
    assert.equal(envoyFileAccessLog.logFormat.labels.meshward, "%FILTER_STATE(wasm.meshward.verdict:PLAIN)%");
    assert.ok(!("extensionProviders" in (await config("mesh"))));
  });
});

/** A change of a resource that an API server refuses. */
type Break = [what: string, id: string, change: (resource: Loose) => void, complaint: RegExp];

const TELEMETRY = "telemetry of mesh-both";
const tagOf = ({ spec }: Loose): Loose => spec.metrics[0].overrides[0].tagOverrides.meshward_outcome;
const filterMatch = (resource: Loose): Loose => resource.spec.configPatches[1].match;
const BREAKS: Break[] = [
  ["an unknown field", "mesh", ({ spec }) => (spec.configPatch = []), /configPatch/],
  ["an unknown field inside", "mesh", (one) => (filterMatch(one).listener.port = 1), /port/],
  ["an unknown field outside", "mesh", (one) => (one.specs = {}), /specs/],
  ["another version", "mesh", (one) => (one.apiVersion = "networking.istio.io/v1"), /no such kind/],
  ["no namespace", "mesh", ({ metadata }) => delete metadata.namespace, /no namespace/],
  ["a wrong operation", "mesh", ({ spec }) => (spec.configPatches[1].patch.operation = "INSERT"), /allowed/],
  ["a wrong context", "mesh", (one) => (filterMatch(one).context = "SIDECAR"), /allowed/],
  [
    "a waypoint's match elsewhere",
    "mesh",
    (one) => (one.spec.configPatches[1].match = { context: "GATEWAY", waypoint: {} }),
    /only support waypointMatch/,
  ],
  ["two matches", "mesh", (one) => (filterMatch(one).cluster = {}), /oneOf|exactly one/],
  ["a port as text", "workload-ports", (one) => (filterMatch(one).listener.portNumber = "80"), /integer/],
  ["a port below 0", "workload-ports", (one) => (filterMatch(one).listener.portNumber = -1), />= 0/],
  [
    "labels and references",
    "workload",
    ({ spec }) => (spec.targetRefs = [{ kind: "Gateway", name: "a" }]),
    /only one of/,
  ],
  [
    "labels and references of a plugin",
    "workload-body",
    ({ spec }) => (spec.targetRefs = [{ kind: "Gateway", name: "a" }]),
    /only one of/,
  ],
  ["a label with a star", "workload", ({ spec }) => (spec.workloadSelector.labels.app = "a*"), /wildcard/],
  ["a label's key with a star", "workload-body", ({ spec }) => (spec.selector.matchLabels["a*"] = "a"), /wildcard/],
  ["a reference without a name", "gateway-refs", ({ spec }) => delete spec.targetRefs[0].name, /name/],
  [
    "a reference to elsewhere",
    "gateway-refs",
    ({ spec }) => (spec.targetRefs[0].namespace = "other"),
    /cross namespace/,
  ],
  ["17 references", "gateway-refs", ({ spec }) => (spec.targetRefs = Array(17).fill(spec.targetRefs[0])), /16/],
  ["a short digest", "mesh-body", ({ spec }) => (spec.wasm.sha256 = "abc"), /pattern/],
  ["a digest with its name", "mesh-body-1.27", ({ spec }) => (spec.sha256 = `sha256:${DIGEST}`), /pattern/],
  ["another scheme", "mesh-body", ({ spec }) => (spec.wasm.url = "ftp://a/b"), /url must have schema/],
  ["another scheme of a WasmPlugin", "mesh-body-1.27", ({ spec }) => (spec.url = "ftp://a/b"), /url must have schema/],
  ["no module", "mesh-body", ({ spec }) => delete spec.wasm.url, /url/],
  ["Wasm and Lua", "mesh-body", ({ spec }) => (spec.lua = { inlineCode: "x" }), /oneOf|exactly one|one of wasm/],
  ["neither Wasm nor Lua", "mesh-body", ({ spec }) => delete spec.wasm, /wasm/],
  ["a fail strategy of Envoy's", "mesh-body", ({ spec }) => (spec.wasm.failStrategy = "FAIL_CLOSED"), /allowed/],
  ["another phase", "mesh-body", ({ spec }) => (spec.phase = "LAST"), /allowed/],
  ["a priority as text", "mesh-body", ({ spec }) => (spec.priority = "1"), /integer/],
  [
    "a value for what the host has",
    "mesh-body",
    ({ spec }) => (spec.wasm.vmConfig.env[0].value = "x"),
    /valueFrom is INLINE/,
  ],
  ["a variable twice", "mesh-body", ({ spec }) => spec.wasm.vmConfig.env.push(spec.wasm.vmConfig.env[0]), /twice/],
  ["a port twice", "workload-body", ({ spec }) => spec.match[0].ports.push({ number: 8080 }), /twice/],
  ["a port above all", "workload-body", ({ spec }) => (spec.match[0].ports[0].number = 65536), /65535/],
  ["a configuration as text", "mesh-body", ({ spec }) => (spec.wasm.pluginConfig = "{}"), /object/],
  ["a pull policy of Kubernetes", "mesh-body", ({ spec }) => (spec.wasm.imagePullPolicy = "Never"), /allowed/],
  ["no target", "envoy-gateway", ({ spec }) => delete spec.targetRefs, /targetRefs must be used/],
  ["a target of another group", "envoy-gateway", ({ spec }) => (spec.targetRefs[0].group = "apps"), /group/],
  ["a target of another kind", "envoy-gateway", ({ spec }) => (spec.targetRefs[0].kind = "Service"), /kind/],
  ["an image that is a download", "envoy-gateway", ({ spec }) => (spec.wasm[0].code.type = "HTTP"), /http field/],
  ["a ConfigMap", "envoy-gateway", ({ spec }) => (spec.wasm[0].code.type = "ConfigMap"), /allowed/],
  [
    "a secret that is none",
    "envoy-gateway",
    ({ spec }) => (spec.wasm[0].code.image.pullSecretRef.kind = "ConfigMap"),
    /only support Secret/,
  ],
  ["a tag without a value", TELEMETRY, (one) => (tagOf(one).value = ""), /UPSERT/],
  ["a tag that goes, with a value", TELEMETRY, (one) => (tagOf(one).operation = "REMOVE"), /REMOVE/],
  ["an unknown metric", TELEMETRY, ({ spec }) => (spec.metrics[0].overrides[0].match.metric = "REQUESTS"), /allowed/],
  ["a provider without a name", TELEMETRY, ({ spec }) => (spec.accessLogging[0].providers = [{}]), /name/],
  [
    "a selector and references",
    TELEMETRY,
    ({ spec }) => Object.assign(spec, { selector: {}, targetRefs: [{ kind: "Gateway", name: "a" }] }),
    /only one of/,
  ],
];

describe("the checks refuse", () => {
  for (const [what, id, change, complaint] of BREAKS) {
    it(`${what} (${id})`, () => {
      const resource = id === TELEMETRY ? structuredClone(of("mesh-both").resources.at(-1)!) : first(id);
      assert.deepEqual(faults(resource), []);
      change(resource);
      assert.match(faults(resource).join("\n"), complaint);
    });
  }
});

describe("a case", () => {
  it("has a name of its own", () => {
    assert.equal(new Set(CASES.map(({ id }: Case) => id)).size, CASES.length);
  });
});
