import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "yaml";
import { growthSource, servicesSource } from "../../scripts/bench/growth-policies.ts";
import { modulePath } from "../../scripts/package.ts";
import { CASES, DIGEST, IMAGE, POLICY, istio, writeCase } from "./cases.ts";

let root: string;
let folders = 0;
/** A folder that is not there yet. */
const fresh = (): string => join(root, String(folders++));

before(async () => void (root = await mkdtemp(join(tmpdir(), "meshward-istio-"))));
after(() => rm(root, { recursive: true, force: true }));

/** Each file below a folder with its bytes. */
async function contents(folder: string): Promise<Map<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = files
    .sort()
    .map(async (file) => [file.slice(folder.length + 1), await readFile(file, "latin1")] as const);
  return new Map(await Promise.all(texts));
}

const image = ["--module", IMAGE];
const shop = ["--namespace", "shop"];
const filled = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => make(i)).join();

/** Command lines, and what is said of them. */
const WRONG: [options: string[], said: RegExp][] = [
  [[], /--module is missing: oci:\/\/.*meshward image.*https:\/\/.*configmap/],
  [["--module", "oci://registry.example/meshward:v1"], /a tag can be moved.*@sha256:.*meshward image/],
  [["--module", "oci://registry.example"], /expected oci:\/\/REGISTRY\/NAME/],
  [["--module", "oci://Registry.example/UPPER@sha256:" + DIGEST], /expected oci:/],
  [["--module", `oci://registry.example/a@sha256:${DIGEST.slice(1)}`], /expected oci:/],
  [["--module", `${IMAGE}\n`], /expected oci:/],
  [[...image, "--sha256", "0".repeat(64)], /--sha256: is another digest/],
  [[...image, "--sha256", "abc"], /--sha256 abc: expected 64 hex digits/],
  [["--module", "http://modules.example/meshward.wasm"], /expected oci:\/\/.*https:/],
  [["--module", "https://user:secret@modules.example/a.wasm"], /without credentials/],
  [["--module", "https://modules.example/a.wasm#x"], /without "#"/],
  [["--module", "https://"], /expected oci:/],
  [["--module", "meshward.wasm"], /expected oci:/],
  [["--module", "configmap"], /--target namespace/],
  [["--module", "configmap", "--target", "namespace", ...shop, "--sha256", DIGEST], /leave it out/],
  [["--module", "configmap", "--target", "gateway", ...shop, "--selector", "a=b"], /only sidecars/],
  [["--module", "configmap", "--target", "envoy-gateway", ...shop, "--target-ref", "Gateway/a"], /only sidecars/],
  [["--module", "configmap", "--image-pull-secret", "a"], /--image-pull-secret/],
  [[...image, "--image-pull-secret", "a"], /--hold body/],
  [[...image, "--hold", "body", "--image-pull-secret", "A/B"], /--image-pull-secret A\/B/],
  [[...image, "--target", "pod"], /--target <what>.*mesh, namespace/],
  [[...image, ...shop], /--namespace: the target is the mesh.*--target namespace/],
  [[...image, "--target", "workload", "--selector", "a=b"], /--namespace is missing/],
  [[...image, "--target", "namespace", "--namespace", "Shop"], /--namespace Shop: expected a name/],
  [[...image, "--target", "namespace", "--namespace", "a".repeat(64)], /63 at most/],
  [[...image, "--target", "namespace", "--namespace", "shop,"], /expected a name/],
  [[...image, "--target", "namespace", "--namespace", "../etc"], /expected a name/],
  [[...image, "--target", "namespace", "--namespace", filled(1025, (i) => `n${i}`)], /at most 1024/],
  [[...image, "--target", "namespace", ...shop, "--root-namespace", "a"], /--root-namespace: only --target mesh/],
  [[...image, "--target", "namespace", ...shop, "--selector", "a=b"], /--target workload or gateway/],
  [[...image, "--target", "workload", ...shop], /--selector is missing/],
  [[...image, "--target", "workload", ...shop, "--selector", "app"], /--selector app: expected a label/],
  [[...image, "--target", "workload", ...shop, "--selector", "app=a*"], /expected a label/],
  [[...image, "--target", "workload", ...shop, "--selector", "a=b=c"], /expected a label/],
  [[...image, "--target", "workload", ...shop, "--selector", "a=b", "--selector", "a=c"], /names a label twice/],
  [[...image, "--target", "workload", ...shop, "--selector", filled(65, (i) => `l${i}=a`)], /at most 64 labels/],
  [
    [...image, "--target", "workload", ...shop, "--target-ref", "Gateway/a"],
    /--target-ref: --target workload has sidecars/,
  ],
  [[...image, "--target", "gateway", ...shop], /expected --selector .* or --target-ref/],
  [
    [...image, "--target", "gateway", ...shop, "--selector", "a=b", "--target-ref", "Gateway/a"],
    /expected --selector .* or/,
  ],
  [[...image, "--target", "gateway", ...shop, "--target-ref", "Service/a"], /--target-ref Service\/a: .*Gateway/],
  [[...image, "--target", "waypoint", ...shop], /--target-ref is missing/],
  [[...image, "--target", "waypoint", ...shop, "--target-ref", "GatewayClass/a"], /GatewayClass\/istio-waypoint alone/],
  [[...image, "--target", "waypoint", ...shop, "--target-ref", "Service/a", "--ports", "80"], /none would match/],
  [
    [...image, "--target", "waypoint", ...shop, "--target-ref", "Pod/a"],
    /Gateway, GatewayClass, Service, ServiceEntry/,
  ],
  [[...image, "--target", "waypoint", ...shop, "--target-ref", "constructor/a"], /expected KIND\/NAME/],
  [[...image, "--target", "waypoint", ...shop, "--target-ref", "Service/a/b"], /expected KIND\/NAME/],
  [[...image, "--target", "waypoint", ...shop, "--target-ref", "Service/"], /expected KIND\/NAME/],
  [[...image, "--target", "waypoint", ...shop, "--target-ref", filled(17, (i) => `Service/s${i}`)], /at most 16/],
  [
    [...image, "--target", "waypoint", ...shop, "--target-ref", "Service/a", "--hold", "full"],
    /--hold full: --target waypoint/,
  ],
  [
    [...image, "--target", "waypoint", ...shop, "--target-ref", "Service/a", "--traffic", "CLIENT"],
    /one direction only/,
  ],
  [[...image, "--target", "envoy-gateway", ...shop, "--target-ref", "HTTPRoute/a", "--hold", "full"], /cannot say it/],
  [
    [...image, "--target", "envoy-gateway", ...shop, "--target-ref", "HTTPRoute/a", "--istio", "1.31"],
    /--istio: is Istio's/,
  ],
  [
    [...image, "--target", "envoy-gateway", ...shop, "--target-ref", "HTTPRoute/a", "--exclude-ports", "1"],
    /--exclude-ports: is Istio's/,
  ],
  [[...image, "--istio", "1.26"], /--istio 1\.26: expected 1\.27 or newer/],
  [[...image, "--istio", "newest"], /--istio newest: expected a version such as/],
  [[...image, "--hold", "all"], /--hold <what>.*full, body/],
  [[...image, "--fail-strategy", "FAIL_CLOSED"], /--fail-strategy <what>.*FAIL_CLOSE/],
  [[...image, "--traffic", "INBOUND"], /--traffic <mode>.*SERVER/],
  [[...image, "--ports", "http"], /--ports http: expected a port/],
  [[...image, "--ports", "65536"], /expected a port from 1 to 65535/],
  [[...image, "--ports", "0"], /expected a port/],
  [[...image, "--ports", filled(65, (i) => `${i + 1}`)], /at most 64 ports/],
  [[...image, "--ports", "80", "--exclude-ports", "90"], /give one of the two/],
  [[...image, "--hold", "body", "--exclude-ports", "90"], /only an EnvoyFilter can/],
  [[...image, "--telemetry", "My Provider"], /--telemetry My Provider: expected a name/],
  [[...image, "--name", "Mesh_Ward"], /--name Mesh_Ward: expected a name/],
  [[...image, "--name", "a".repeat(41)], /40 at most/],
  [[...image, "--policy", "/nowhere/meshward.yaml"], /policy \/nowhere\/meshward.yaml: no such file/],
  [[...image, "--verbose"], /unknown option/],
];

describe("wrong input", () => {
  for (const [index, [options, complaint]] of WRONG.entries()) {
    it(`${index}: ${options.join(" ").slice(0, 90)}`, async () => {
      const out = fresh();
      const { code, err } = await istio(["--out", out, ...options]);
      assert.equal(code, 2);
      assert.match(err, complaint);
      assert.equal(err.replace(/\n$/, "").includes("\n"), false, "more than one line");
      await assert.rejects(stat(out), "something was written");
    });
  }

  it("a folder that cannot be made, and none", async () => {
    const file = join(root, "file");
    await writeFile(file, "");
    const { code, err } = await istio(["--out", join(file, "below"), ...image]);
    assert.equal(code, 2);
    assert.match(err, /--out .*: a part of the path is a file/);
    assert.match((await istio(image)).err, /--out <dir>/);
  });
});

describe("the folder", () => {
  it("has the same bytes for the same input, in whatever order it was given", async () => {
    for (const one of CASES) {
      const [left, right] = [fresh(), fresh()];
      await writeCase(one, left);
      await writeCase(one, right);
      assert.deepEqual(await contents(left), await contents(right), one.id);
    }
    const [left, right] = [fresh(), fresh()];
    const of = (out: string, labels: string, names: string, ports: string): Promise<unknown> =>
      istio([
        "--out",
        out,
        ...image,
        "--target",
        "workload",
        "--selector",
        labels,
        "--namespace",
        names,
        "--ports",
        ports,
      ]);
    await of(left, "a=1,b=2", "shop,pay", "80,443,80");
    await of(right, "b=2,a=1", "pay,shop,pay", "443,80");
    assert.deepEqual(await contents(left), await contents(right));
  });

  it("is told of, file by file; what did not change is not touched", async () => {
    const out = fresh();
    const options = ["--out", out, "--module", "configmap", "--target", "namespace", "--namespace", "shop,pay"];
    const paths = ["kustomization.yaml", "mesh-config.yaml", "meshward.wasm", "pay/envoyfilter.yaml"];
    paths.push("pod-template/kustomization.yaml", "shop/envoyfilter.yaml");
    const told = (changes: string[]): string =>
      [
        ...paths.map((path, index) => join(out, path) + changes[index]!),
        `apply it: kubectl apply --server-side -k ${out}`,
        "",
      ].join("\n");
    assert.equal((await istio([...options, "--policy", POLICY])).out, told(paths.map(() => "")));
    const times = async (): Promise<number[]> =>
      Promise.all(paths.map(async (path) => (await stat(join(out, path))).mtimeMs));
    const before = await times();
    assert.equal((await istio([...options, "--policy", POLICY])).out, told(paths.map(() => " (unchanged)")));
    assert.deepEqual(await times(), before);
    const policy = join(root, "other.yaml");
    await writeFile(policy, (await readFile(POLICY, "utf8")).replace("mode: detect", "mode: block"));
    const changed = paths.map((path) => (path.endsWith("envoyfilter.yaml") ? "" : " (unchanged)"));
    assert.equal((await istio([...options, "--policy", policy])).out, told(changed));
  });

  it("says what comes first where a proxy without the mount would answer nothing", async () => {
    for (const [extra, first] of [
      [[], ""],
      [["--hold", "body"], "first mount"],
      [["--fail-strategy", "FAIL_CLOSE"], "first mount"],
    ] as const) {
      const out = fresh();
      const options = ["--out", out, "--module", "configmap", "--target", "namespace", "--namespace", "shop", ...extra];
      const { out: told } = await istio([...options, "--policy", POLICY]);
      const line = `first mount the module by ${out}/pod-template, which needs: kubectl apply --server-side -k ${out} -l app.kubernetes.io/component=module\n`;
      assert.equal(told.includes(line), first !== "", told);
      if (first === "") continue;
      const { configMapGenerator } = parse(await readFile(join(out, "kustomization.yaml"), "utf8")) as {
        configMapGenerator: { options: { labels: Record<string, string> } }[];
      };
      assert.equal(configMapGenerator[0]!.options.labels["app.kubernetes.io/component"], "module");
    }
  });

  it("loses what a former run has made, and nothing else", async () => {
    const out = fresh();
    await istio(["--out", out, "--module", "configmap", "--target", "namespace", "--namespace", "shop,pay"]);
    await mkdir(join(out, "notes"));
    const foreign = ["notes/readme.yaml", "shop/own.yaml", "pod-template/patch.txt"];
    for (const file of foreign) await writeFile(join(out, file), "kind: Own\n");
    const { code, out: told } = await istio(["--out", out, ...image, "--hold", "body"]);
    assert.equal(code, 0);
    const files = [...(await contents(out)).keys()].sort();
    const made = ["istio-system/trafficextension.yaml", "kustomization.yaml", "mesh-config.yaml"];
    assert.deepEqual(files, [...made, ...foreign].sort());
    for (const gone of ["meshward.wasm", "pay/envoyfilter.yaml", "shop/envoyfilter.yaml"]) {
      assert.ok(told.includes(`${join(out, gone)} (removed)\n`), gone);
    }
    await assert.rejects(stat(join(out, "pay")), "an empty folder stays");
  });

  it("keeps a module that nobody of us has put there", async () => {
    const out = fresh();
    await mkdir(out);
    await copyFile(modulePath(), join(out, "meshward.wasm"));
    assert.equal((await istio(["--out", out, ...image])).code, 0);
    assert.ok((await contents(out)).has("meshward.wasm"));
  });

  it("is refused where somebody else's file is in the way, and left as it was", async () => {
    for (const [file, options] of [
      ["kustomization.yaml", image],
      ["istio-system/envoyfilter.yaml", image],
      ["meshward.wasm", ["--module", "configmap", "--target", "namespace", ...shop]],
    ] as const) {
      const out = fresh();
      await mkdir(join(out, "istio-system"), { recursive: true });
      await writeFile(join(out, file), "somebody's own\n");
      const { code, err } = await istio(["--out", out, ...options]);
      assert.equal(code, 2);
      assert.equal(
        err,
        `meshward istio: --out ${out}: ${file} was not made by meshward istio; name another folder, or move it away\n`,
      );
      assert.deepEqual([...(await contents(out))], [[file, "somebody's own\n"]]);
    }
  });
});

describe("a thousand services", () => {
  const count = 1000;
  const workloads = servicesSource(count, "all").workloads!;
  const KIB_64 = 64 * 1024;

  /** The plugin's configuration in the text of an EnvoyFilter, without the spaces that YAML puts in front of its lines. */
  const configuration = (text: string): string =>
    /value: \|-\n((?: +.*\n)*? +.*"direction":"inbound"\}\n)/.exec(text)![1]!.replaceAll(/^ +/gm, "");

  it("are forty small configurations by namespace", async () => {
    const policy = join(root, "services.yaml");
    await writeFile(policy, stringify({ version: 1, workloads }));
    const out = fresh();
    const { code, err } = await istio(["--policy", policy, "--out", out, ...image, "--target", "namespace"]);
    assert.equal(`${code} ${err}`, "0 ");
    const files = [...(await contents(out))].filter(([path]) => path.endsWith("/envoyfilter.yaml"));
    assert.equal(files.length, 40);
    for (const [path, text] of files) {
      const json = configuration(text);
      assert.equal((JSON.parse(json) as { workloads: unknown[] }).workloads.length, count / 40, path);
      assert.ok(json.length < KIB_64, `${path}: ${json.length} bytes`);
    }
  });

  for (const [what, source] of [
    ["their modes differ", servicesSource(count, "mode")],
    ["they have the same routes", { workloads: workloads.map(({ match, routes }) => ({ match, routes })) }],
    ["one of them has a thousand routes by template", growthSource("routes by template", count).policy],
  ] as const) {
    it(`are one small configuration for the mesh where ${what}`, async () => {
      const policy = join(root, "small.yaml");
      await writeFile(policy, stringify({ version: 1, ...source }, { aliasDuplicateObjects: false }));
      const out = fresh();
      const { code, err } = await istio(["--policy", policy, "--out", out, ...image]);
      assert.equal(`${code} ${err}`, "0 ");
      const json = configuration((await contents(out)).get("istio-system/envoyfilter.yaml")!);
      const names = json.match(/"service-\d+"|resource-\d+/g)!;
      assert.equal(new Set(names).size, count);
      assert.ok(json.length < KIB_64, `${json.length} bytes`);
    });
  }

  it("are told of where they make one that is large, and refused where the module cannot take it", async () => {
    const policy = join(root, "large.yaml");
    await writeFile(policy, stringify({ version: 1, workloads }));
    const large = await istio(["--policy", policy, "--out", fresh(), ...image]);
    assert.equal(large.code, 0);
    assert.match(
      large.err,
      /^meshward istio: istio-system\/envoyfilter.yaml: .* has \d+ KiB, above 64, .*--target namespace .*\n$/,
    );
    // What stands once in the file, and counts for each section.
    const routes = Array.from({ length: 45 }, (_, index) => ({
      match: { path: `/${"segment/".repeat(40)}${index}` },
      mode: "off",
    }));
    await writeFile(
      policy,
      stringify({ version: 1, workloads: workloads.slice(0, 90).map((one) => ({ ...one, routes })) }),
    );
    const out = fresh();
    const larger = await istio(["--policy", policy, "--out", out, ...image]);
    assert.equal(larger.code, 2);
    assert.match(larger.err, /has \d+ KiB, and the module takes 1024: --target namespace/);
    await assert.rejects(stat(out));
  });
});
