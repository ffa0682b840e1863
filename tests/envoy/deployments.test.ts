// envoy/examples/{kubernetes-sidecar,linkerd,systemd}: the folder is made by the command that the example itself gives, a real Envoy runs on
// it, and does what the pages show.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { parse, parseAllDocuments } from "yaml";
import { main } from "../../scripts/cli.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { ENVOY_IMAGE } from "../../scripts/envoy/version.ts";
import { packageRoot } from "../../scripts/package.ts";
import { commandsOfPage, fences } from "../docs/blocks.ts";
import { assertShown, startFolder } from "./folder.ts";
import type { FolderEnvoy } from "./folder.ts";

const EXAMPLES = join(packageRoot(), "envoy/examples");
const POLICY = join(EXAMPLES, "kubernetes-sidecar/meshward.yaml");
const ATTACK = "/items?q=1+UNION+SELECT+name,password+FROM+users";
const run = promisify(execFile);
const read = (file: string): Promise<string> => readFile(join(EXAMPLES, file), "utf8");

let folder: string;
let service: Server;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "meshward-deployments-"));
  service = createServer((_, response) => response.end("served")).listen(0, "127.0.0.1");
  await once(service, "listening");
});
after(async () => {
  service.closeAllConnections();
  service.close();
  await rm(folder, { recursive: true, force: true });
});

/** Ports that were free a moment ago: the metrics port leads to the admin interface's, which so cannot be 0. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** Runs `meshward envoy` with the words of an example, in another folder. */
async function make(words: string[], out: string): Promise<void> {
  const changed: Record<string, string> = { "--policy": POLICY, "--out": out };
  const real = words.map((word, at) => changed[words[at - 1]!] ?? word);
  const said = new PassThrough();
  const code = await main(real, { stdin: new PassThrough(), stdout: said, stderr: said, env: process.env });
  assert.equal(code, 0, String(said.read()));
}

/** The words behind `meshward` of the one command in a text that makes a folder. */
function commandIn(text: string): string[] {
  const found = [...text.replaceAll("\\\n", " ").matchAll(/(?:npx|ExecStart=\/usr\/bin\/)\s?meshward (envoy .*)$/gm)];
  assert.equal(found.length, 1);
  return found[0]![1]!.split(/ +/);
}

/** The made folder moved to where Envoy finds it here, with ports of this test; returns the metrics port. */
async function settle(out: string, root: string): Promise<number> {
  const [admin, metrics] = await freePorts(2);
  const { port } = service.address() as AddressInfo;
  const config = (await readFile(join(out, "envoy.yaml"), "utf8"))
    .replaceAll(`${root}/`, `${out}/`)
    .replaceAll(`path: ${root}\n`, `path: ${out}\n`)
    .replaceAll("0.0.0.0", "127.0.0.1")
    .replaceAll("port_value: 8080", "port_value: 0")
    .replaceAll("port_value: 9901", `port_value: ${admin}`)
    .replaceAll("port_value: 9902", `port_value: ${metrics}`)
    .replaceAll("port_value: 3000", `port_value: ${port}`);
  await writeFile(join(out, "envoy.yaml"), config);
  const ecds = join(out, "ecds/meshward.yaml");
  await writeFile(ecds, (await readFile(ecds, "utf8")).replaceAll(`${root}/`, `${out}/`));
  return metrics!;
}

/** The commands of a page with ports of this test. */
async function assertPage(page: string, envoy: FolderEnvoy, metrics: number, count: number): Promise<void> {
  const commands = commandsOfPage(page).map(({ command, output }) => ({
    command: command
      .replaceAll("http://127.0.0.1:8080", envoy.url)
      .replaceAll("http://127.0.0.1:9902", `http://127.0.0.1:${metrics}`),
    output,
  }));
  assert.equal(commands.length, count);
  await assertShown(commands, envoy);
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

describe("envoy/examples/kubernetes-sidecar", () => {
  let out: string;
  before(async () => {
    out = join(folder, "kubernetes");
    await make(commandIn(await read("kubernetes-sidecar/README.md")), out);
  });

  it("does what its page shows, and takes a policy as the kubelet brings it", { timeout: 60_000 }, async () => {
    const own = join(folder, "kubernetes-run");
    await cp(out, own, { recursive: true });
    const metrics = await settle(own, "/etc/meshward");
    // A ConfigMap's folder: the files are links through `..data`, which is renamed over.
    const ecds = join(own, "ecds");
    const first = await readFile(join(ecds, "meshward.yaml"), "utf8");
    const bring = async (version: string, text: string): Promise<void> => {
      await mkdir(join(ecds, version));
      await writeFile(join(ecds, version, "meshward.yaml"), text);
      await symlink(version, join(ecds, "..data_tmp"));
      await rename(join(ecds, "..data_tmp"), join(ecds, "..data"));
    };
    await bring("..2026_11_22_1", first);
    await rm(join(ecds, "meshward.yaml"));
    await symlink("..data/meshward.yaml", join(ecds, "meshward.yaml"));

    const envoy = await startFolder(own);
    try {
      const readings = `http://127.0.0.1:${metrics}`;
      assert.equal(await statusOf(`${readings}/ready`), 200);
      await assertPage(await read("kubernetes-sidecar/README.md"), envoy, metrics, 5);
      for (const path of ["/", "/stats", "/clusters", "/stats/prometheus/..", "/listeners"])
        assert.equal(await statusOf(readings + path), 404, path);
      assert.equal((await fetch(`${readings}/quitquitquit`, { method: "POST" })).status, 404);
      assert.equal((await fetch(`${readings}/stats/prometheus`, { method: "POST" })).status, 404);

      const changed = first
        .replace('\\"mode\\":\\"block\\"', '\\"mode\\":\\"detect\\"')
        .replace('"mode":"block"', '"mode":"detect"');
      assert.notEqual(changed, first);
      await bring("..2026_11_22_2", changed);
      await poll(
        async () => (await statusOf(envoy.url + ATTACK)) === 200 || null,
        2_000,
        () => new Error(`the policy is not in force:\n${envoy.log()}`),
      );
    } finally {
      await envoy.stop();
    }
  });

  it("has a pod that fits Envoy's configuration, and is restricted", async () => {
    const documents = parseAllDocuments(await read("kubernetes-sidecar/shop.yaml")).map(
      (one) => one.toJS() as Resource,
    );
    assert.deepEqual(
      documents.map(({ kind }) => kind),
      ["Namespace", "Service", "Deployment"],
    );
    const pod = documents[2]!.spec.template.spec;
    const [envoy] = pod.initContainers;
    const config = parse(await readFile(join(out, "envoy.yaml"), "utf8")) as Bootstrap;
    const listening = config.static_resources.listeners.map(({ name, address }) => [
      name,
      address.socket_address.port_value,
    ]);
    assert.deepEqual(listening, [
      ["ingress", envoy!.ports!.find(({ name }) => name === "http")!.containerPort],
      ["metrics", envoy!.ports!.find(({ name }) => name === "metrics")!.containerPort],
    ]);
    assert.equal(documents[2]!.spec.template.metadata.annotations["prometheus.io/port"], String(listening[1]![1]));
    assert.equal(config.admin.address.socket_address.address, "127.0.0.1");
    assert.equal(envoy!.image, ENVOY_IMAGE);
    assert.deepEqual(envoy!.command!.slice(0, 3), ["envoy", "-c", "/etc/meshward/envoy.yaml"]);
    // Each file that Envoy reads is mounted, the watched one as a folder.
    const mounts = envoy!.volumeMounts!.map(({ mountPath, subPath }) => [mountPath, subPath]);
    assert.deepEqual(mounts, [
      ["/etc/meshward/envoy.yaml", "envoy.yaml"],
      ["/etc/meshward/meshward.wasm", "meshward.wasm"],
      ["/etc/meshward/ecds", undefined],
    ]);
    // What the standard asks of `restricted`.
    assert.ok(pod.securityContext.runAsNonRoot);
    assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
    for (const { securityContext } of [...pod.initContainers, ...pod.containers]) {
      assert.equal(securityContext.allowPrivilegeEscalation, false);
      assert.deepEqual(securityContext.capabilities, { drop: ["ALL"] });
    }
  });

  const noKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0 ? false : "no kubectl";
  it("is rendered by kubectl, for Linkerd with its annotation", { skip: noKubectl }, async () => {
    const own = join(folder, "kustomize");
    for (const name of ["kubernetes-sidecar", "linkerd"])
      await cp(join(EXAMPLES, name), join(own, name), { recursive: true });
    await cp(out, join(own, "kubernetes-sidecar/envoy"), { recursive: true });
    for (const [name, inject] of [
      ["kubernetes-sidecar", undefined],
      ["linkerd", "enabled"],
    ] as const) {
      const { stdout } = await run("kubectl", ["kustomize", join(own, name)], { maxBuffer: 16 * 1024 * 1024 });
      const resources = parseAllDocuments(stdout).map((one) => one.toJS() as Resource);
      const maps = resources.filter(({ kind }) => kind === "ConfigMap");
      const names = maps.map(({ metadata }) => metadata.name).sort();
      assert.match(names.join(" "), /^shop-envoy-\w{10} shop-policy$/);
      // By which docs/turn-off.md finds them.
      for (const { metadata } of maps) assert.equal(metadata.labels!["app.kubernetes.io/managed-by"], "meshward");
      // What the API server takes in one object.
      for (const map of maps) assert.ok(JSON.stringify(map).length < 1024 * 1024);
      const { template } = resources.find(({ kind }) => kind === "Deployment")!.spec;
      assert.deepEqual(template.spec.volumes.map(({ configMap }) => configMap.name).sort(), names);
      assert.equal(template.metadata.annotations["linkerd.io/inject"], inject);
    }
  });
});

describe("envoy/examples/linkerd", () => {
  it("does what its page shows", { timeout: 60_000 }, async () => {
    const page = await read("linkerd/README.md");
    assert.deepEqual(commandIn(page), commandIn(await read("kubernetes-sidecar/README.md")));
    const out = join(folder, "linkerd");
    await make(commandIn(page), out);
    const metrics = await settle(out, "/etc/meshward");
    const envoy = await startFolder(out);
    try {
      await assertPage(page, envoy, metrics, 3);
    } finally {
      await envoy.stop();
    }
  });
});

describe("envoy/examples/systemd", () => {
  const UNITS = ["meshward-envoy.service", "meshward-policy.service", "meshward-policy.path"];

  it("does what its page shows", { timeout: 60_000 }, async () => {
    const out = join(folder, "systemd");
    const [, started] = /^ExecStart=\/usr\/bin\/envoy -c (\S+)\/envoy\.yaml /m.exec(
      await read("systemd/meshward-envoy.service"),
    )!;
    const words = commandIn(await read("systemd/meshward-policy.service"));
    assert.equal(words[words.indexOf("--out") + 1], started);
    const page = await read("systemd/README.md");
    const [installed] = fences(page);
    for (const unit of UNITS) assert.ok(installed!.text.includes(` ${unit} `), unit);
    await make(words, out);
    const metrics = await settle(out, out);
    const envoy = await startFolder(out);
    try {
      await assertPage(page, envoy, metrics, 2);
      assert.equal(await statusOf(`http://127.0.0.1:${metrics}/ready`), 200);
    } finally {
      await envoy.stop();
    }
  });

  const noSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0 ? false : "no systemd";
  it("has units that systemd takes, and calls safe", { skip: noSystemd }, async () => {
    const root = join(folder, "root");
    await mkdir(join(root, "usr/bin"), { recursive: true });
    for (const program of ["envoy", "meshward"])
      await writeFile(join(root, "usr/bin", program), "#!/bin/sh\n", { mode: 0o755 });
    for (const unit of UNITS) await cp(join(EXAMPLES, "systemd", unit), join(root, "etc/systemd/system", unit));
    const { stdout, stderr } = await run("systemd-analyze", [
      "verify",
      `--root=${root}`,
      "--man=no",
      "--recursive-errors=no",
      ...UNITS,
    ]);
    assert.equal(stdout + stderr, "");
    for (const unit of UNITS.slice(0, 2))
      await run("systemd-analyze", ["security", "--offline=yes", `--root=${root}`, "--threshold=20", unit]);
  });
});

interface Container {
  image: string;
  command?: string[];
  ports?: { name: string; containerPort: number }[];
  volumeMounts?: { mountPath: string; subPath?: string }[];
  securityContext: { allowPrivilegeEscalation: boolean; capabilities: object };
}

interface Resource {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec: {
    template: {
      metadata: { annotations: Record<string, string> };
      spec: {
        securityContext: { runAsNonRoot: boolean; seccompProfile: { type: string } };
        initContainers: Container[];
        containers: Container[];
        volumes: { configMap: { name: string } }[];
      };
    };
  };
}

interface Listening {
  address: { socket_address: { address: string; port_value: number } };
}

interface Bootstrap {
  admin: Listening;
  static_resources: { listeners: (Listening & { name: string })[] };
}
