import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Ajv } from "ajv";
import { parse, parseAllDocuments } from "yaml";
import { GROUPS } from "../../scripts/monitoring/rules.ts";
import { packageRoot, packageVersion } from "../../scripts/package.ts";
import { CASES, DIGEST, writeCase } from "./cases.ts";

const chart = join(packageRoot(), "istio/chart");
const read = (name: string): string => readFileSync(join(chart, name), "utf8");
const folder = mkdtempSync(join(tmpdir(), "meshward-chart-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** $HELM_BIN, one on PATH, or one in the cache. */
const HELM = [process.env.HELM_BIN, "helm", join(homedir(), ".cache/meshward/bin/helm")].find(
  (program) => program !== undefined && spawnSync(program, ["version"]).status === 0,
);
const skip = HELM === undefined ? "no helm: set HELM_BIN, or install Helm 3 or 4" : false;

interface Resource {
  kind: string;
  metadata: { name: string; namespace: string; labels: Record<string, string> };
  spec?: unknown;
  automountServiceAccountToken?: boolean;
}
interface PodSpec {
  automountServiceAccountToken: boolean;
  securityContext: Record<string, unknown> & { seccompProfile: { type: string } };
  containers: {
    image: string;
    args: string[];
    env: { name: string; value?: string }[];
    resources: { limits: { memory: string } };
    securityContext: { capabilities: { drop: string[] } } & Record<string, unknown>;
    volumeMounts?: { name: string }[];
  }[];
  volumes?: Record<string, unknown>[];
}
interface Deployment extends Resource {
  spec: {
    replicas: number;
    strategy: { type: string };
    selector: { matchLabels: Record<string, string> };
    template: { metadata: { labels: Record<string, string> }; spec: PodSpec };
  };
}

const VALUES = [
  ...["--set", "collector.image.repository=registry.example/collector"],
  ...["--set", `collector.image.digest=sha256:${DIGEST}`, "--set", "collector.tokenSecret=tokens"],
];

function helm(...args: string[]): { code: number; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(HELM!, args, {
    encoding: "utf8",
    maxBuffer: 1 << 24,
    env: { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder },
  });
  return { code: status!, out: stdout, err: stderr };
}

/** What the chart makes, as an API server reads it. */
function template(...values: string[]): Resource[] {
  const { code, out, err } = helm("template", "mesh", chart, "--namespace", "security", ...values);
  assert.equal(code, 0, err);
  return parseAllDocuments(out, { uniqueKeys: true }).flatMap((document) => {
    assert.deepEqual(document.errors, []);
    const resource = document.toJS() as Resource | null;
    return resource === null ? [] : [resource];
  });
}

const kinds = (resources: readonly Resource[]): string[] => resources.map(({ kind }) => kind).sort();
const deploymentIn = (resources: readonly Resource[]): Deployment =>
  resources.find(({ kind }) => kind === "Deployment") as Deployment;

/** The restricted level of Kubernetes' pod security standards, and a root that is read-only. */
function assertRestricted(pod: PodSpec): void {
  assert.equal(pod.automountServiceAccountToken, false);
  assert.equal(pod.securityContext.runAsNonRoot, true);
  assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
  for (const name of ["hostNetwork", "hostPID", "hostIPC"]) assert.ok(!(name in pod), name);
  for (const { securityContext: context, resources } of pod.containers) {
    assert.equal(context.allowPrivilegeEscalation, false);
    assert.equal(context.readOnlyRootFilesystem, true);
    assert.deepEqual(context.capabilities, { drop: ["ALL"] });
    assert.ok(!("privileged" in context));
    assert.match(resources.limits.memory, /^\d+Mi$/);
  }
  for (const volume of pod.volumes ?? []) {
    const [, type] = Object.keys(volume);
    assert.ok(type === "persistentVolumeClaim" || type === "emptyDir", type);
  }
}

describe("the chart, as it lies there", () => {
  it("has the package's version", () => {
    const { version, appVersion } = parse(read("Chart.yaml")) as Record<string, string>;
    assert.deepEqual([version, appVersion], [packageVersion(), packageVersion()]);
  });

  it("has values that its schema allows, and each that a template asks for", () => {
    const values = parse(read("values.yaml")) as Record<string, unknown>;
    const check = new Ajv({ strict: false }).compile(JSON.parse(read("values.schema.json")) as object);
    assert.ok(check(values), JSON.stringify(check.errors));
    assert.ok(!check({ ...values, colector: {} }));
    for (const name of readdirSync(join(chart, "templates"))) {
      for (const [, path] of read(`templates/${name}`).matchAll(/\.Values\.([\w.]+)/g)) {
        let at: unknown = values;
        for (const part of path!.split(".")) at = (at as Record<string, unknown> | undefined)?.[part];
        assert.notEqual(at, undefined, `${name}: ${path}`);
      }
    }
  });

  it("is in the package", () => {
    const options = { cwd: packageRoot(), encoding: "utf8" } as const;
    const listed = execFileSync("npm", ["pack", "--ignore-scripts", "--dry-run", "--json"], options);
    const [{ files }] = JSON.parse(listed) as [{ files: { path: string }[] }];
    assert.ok(files.some(({ path }) => path === "istio/chart/templates/_helpers.tpl"));
    assert.ok(files.some(({ path }) => path === "istio/chart/.helmignore"));
  });
});

describe("the chart, by Helm", () => {
  it("passes the linter", { skip }, () => {
    const { code, out, err } = helm("lint", "--strict", chart, ...VALUES);
    assert.equal(code, 0, out + err);
    assert.doesNotMatch(out + err, /WARNING|ERROR/);
  });

  it("makes a collector without rights, on a volume, that its pods alone may reach", { skip }, () => {
    const resources = template(...VALUES);
    const all = ["Deployment", "NetworkPolicy", "PersistentVolumeClaim", "Service", "ServiceAccount"];
    assert.deepEqual(kinds(resources), all);
    for (const { metadata } of resources) assert.equal(metadata.namespace, "security");
    const { spec } = deploymentIn(resources);
    assertRestricted(spec.template.spec);
    assert.equal(spec.strategy.type, "Recreate");
    const [container] = spec.template.spec.containers;
    assert.equal(container!.image, `registry.example/collector@sha256:${DIGEST}`);
    for (const { name, value } of container!.env) assert.equal(value, undefined, `${name} comes from elsewhere`);
    for (const [label, value] of Object.entries(spec.selector.matchLabels)) {
      assert.equal(spec.template.metadata.labels[label], value);
    }
    const hosts = container!.args.filter((arg) => arg.startsWith("--host=")).map((arg) => arg.slice(7));
    const name = "mesh-collector";
    const service = [name, `${name}.security`, `${name}.security.svc`, `${name}.security.svc.cluster.local`];
    assert.deepEqual(hosts, [...service, "$(POD_IP)"]);
    assert.equal(resources.find(({ kind }) => kind === "ServiceAccount")!.automountServiceAccountToken, false);
    const { egress, policyTypes } = resources.find(({ kind }) => kind === "NetworkPolicy")!.spec as Record<
      string,
      unknown
    >;
    assert.deepEqual([egress, policyTypes], [[], ["Ingress", "Egress"]]);
  });

  it("starts the collector with options that it knows", { skip }, () => {
    const { args } = deploymentIn(template(...VALUES, "--set", "collector.hosts={audit.example}")).spec.template.spec
      .containers[0]!;
    // It reads all of them before it says that it must have tokens.
    const own = args.map((arg) => arg.replace("$(POD_IP)", "10.0.0.7").replace("/data", folder).replace(":4318", ":0"));
    const cli = ["--import", "tsx", "scripts/cli.ts", "collector", ...own];
    const { status, stderr } = spawnSync(process.execPath, cli, { cwd: packageRoot(), encoding: "utf8", env: {} });
    assert.equal(status, 2);
    assert.match(stderr, /0\.0\.0\.0 is not the loopback: set MESHWARD_INGEST_TOKEN and MESHWARD_READ_TOKEN/);
  });

  it("takes a PostgreSQL, replicas and a ServiceMonitor", { skip }, () => {
    const resources = template(
      ...[...VALUES, "--set", "collector.database.secret=database,collector.replicas=3"],
      ...["--set", "collector.serviceMonitor.enabled=true,collector.serviceMonitor.labels.release=prometheus"],
      ...["--set", "collector.podLabels.team=security,collector.image.pullSecrets[0].name=pull"],
    );
    const { spec } = deploymentIn(resources);
    assertRestricted(spec.template.spec);
    assert.deepEqual([spec.replicas, spec.strategy.type], [3, "RollingUpdate"]);
    assert.ok(spec.template.spec.containers[0]!.args.includes("--database=$(MESHWARD_DATABASE)"));
    assert.equal(spec.template.spec.volumes, undefined);
    assert.ok(!kinds(resources).includes("PersistentVolumeClaim"));
    const monitor = resources.find(({ kind }) => kind === "ServiceMonitor")!;
    assert.equal(monitor.metadata.labels.release, "prometheus");
    const { authorization } = (monitor.spec as { endpoints: { authorization: unknown }[] }).endpoints[0]!;
    assert.deepEqual(authorization, { type: "Bearer", credentials: { name: "tokens", key: "read" } });
  });

  it("brings the alerts where it is told to, with or without a collector", { skip }, () => {
    const options = ["--set", "prometheusRule.enabled=true,prometheusRule.labels.release=prometheus"];
    for (const values of [VALUES, ["--set", "collector.enabled=false"]]) {
      assert.ok(!kinds(template(...values)).includes("PrometheusRule"));
      const rule = template(...values, ...options).find(({ kind }) => kind === "PrometheusRule")!;
      assert.equal(rule.metadata.namespace, "security");
      assert.equal(rule.metadata.labels.release, "prometheus");
      // As they are, and their templates are Prometheus' to read.
      assert.deepEqual(rule.spec, JSON.parse(JSON.stringify({ groups: GROUPS })));
    }
  });

  it("hands on what `meshward istio` has made, unchanged", { skip }, async () => {
    const made = join(folder, "made");
    await writeCase(
      CASES.find(({ id }) => id === "mesh-both")!,
      made,
    );
    const files = readdirSync(join(made, "istio-system")).map((file) => join(made, "istio-system", file));
    assert.ok(files.length > 1);
    // What looks like a template, and would fail as one.
    const odd = 'kind: ConfigMap\ndata: {text: "{{ .Values.none.none }}"}\n';
    const text = [...files.map((file) => readFileSync(file, "utf8")), odd].join("---\n");
    writeFileSync(join(folder, "resources.yaml"), text);
    const resources = template(
      "--set",
      "collector.enabled=false",
      "--set-file",
      `resources=${join(folder, "resources.yaml")}`,
    );
    const given = parseAllDocuments(text).map((document) => document.toJS() as Resource);
    // Helm sorts by kind.
    const sorted = (list: readonly Resource[]): string[] => list.map((one) => JSON.stringify(one)).sort();
    assert.deepEqual(sorted(resources), sorted(given));
  });

  it("says what is missing or wrong", { skip }, () => {
    for (const [values, what] of [
      [[], /collector\.(?:image\.repository|tokenSecret) is missing: /],
      [VALUES.slice(0, 4), /collector\.tokenSecret is missing: kubectl create secret generic/],
      [VALUES.slice(0, 2), /collector\.(?:image: give a digest|tokenSecret is missing)/],
      [[...VALUES, "--set", "collector.replicas=2"], /collector\.replicas: the embedded database takes one collector/],
      [[...VALUES, "--set", "collector.image.digest=v1"], /collector[./]image[./]digest/],
      [[...VALUES, "--set", "colector.enabled=false"], /colector/],
      [[...VALUES, "--set", "collector.networkPolicy.from=null"], /networkPolicy.*from/s],
    ] as const) {
      const { code, err } = helm("template", "mesh", chart, ...values);
      assert.notEqual(code, 0, values.join(" "));
      assert.match(err, what);
    }
  });
});
