/**
 * Builds istiod, kube-apiserver and kubectl by Go, once, into the cache, for `npm run test:istio:full`. Kubernetes' own go.mod names its libraries
 * by folders that a module does not have; what is published of them has the same sources. Go holds all against its database of checksums.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, BuildError, buildTools, exists, FOLDER, folderOf, goText, isBuilt } from "./build.ts";

const KUBERNETES_VERSION = "1.36.3";
const folder = join(FOLDER, "..", `kubernetes-${KUBERNETES_VERSION}`);

export const FULL_TOOLS = {
  apiServer: join(folder, "kube-apiserver"),
  kubectl: join(folder, "kubectl"),
  /** istiod. */
  pilotDiscovery: join(FOLDER, "pilot-discovery"),
  /** Of Istio's kinds, with their rules. */
  definitions: join(folder, "istio-definitions.yaml"),
};

/** Why the tools are not there, or false. */
export const noFullTools = Object.values(FULL_TOOLS).every(exists)
  ? false
  : "Kubernetes is not built: npm run test:istio:full";

export const ETCD = process.env.ETCD_BIN ?? "etcd";

/** Why the API server has nothing to store in, or false. */
export const noEtcd =
  spawnSync(ETCD, ["--version"]).status === 0 ? false : "no etcd: set ETCD_BIN, or install the package etcd-server";

/** Builds what is not there; minutes for nothing where there is no etcd. */
export async function buildFullTools(): Promise<void> {
  if (noEtcd !== false) throw new BuildError(noEtcd);
  await buildTools();
  if (isBuilt(FULL_TOOLS)) return;
  await build("istio.io/istio/pilot/cmd/pilot-discovery", FULL_TOOLS.pilotDiscovery);
  const source = join(folder, "source");
  mkdirSync(source, { recursive: true });
  const kubernetes = `k8s.io/kubernetes@v${KUBERNETES_VERSION}`;
  writeFileSync(join(source, "go.mod"), "module meshward.test/kubernetes\n");
  const { Dir: own } = JSON.parse(goText(kubernetes, ["mod", "download", "-json", kubernetes], source)) as {
    Dir: string;
  };
  const named = readFileSync(join(own, "go.mod"), "utf8")
    .replace(/^module .*$/m, "module meshward.test/kubernetes")
    .replaceAll(/=> \.\/staging\/src\/(\S+)$/gm, `=> $1 v0.${KUBERNETES_VERSION.slice(2)}`);
  writeFileSync(join(source, "go.mod"), `${named}\nrequire k8s.io/kubernetes v${KUBERNETES_VERSION}\n`);
  copyFileSync(join(own, "go.sum"), join(source, "go.sum"));
  chmodSync(join(source, "go.sum"), 0o644);
  const [, minor] = KUBERNETES_VERSION.split(".");
  const version = "-X k8s.io/component-base/version.git";
  const flags = `-s -w ${version}Version=v${KUBERNETES_VERSION} ${version}Major=1 ${version}Minor=${minor}`;
  for (const to of [FULL_TOOLS.apiServer, FULL_TOOLS.kubectl]) {
    const program = `k8s.io/kubernetes/cmd/${to === FULL_TOOLS.kubectl ? "kubectl" : "kube-apiserver"}`;
    await build(program, to, { cwd: source, flags, mod: "mod" });
  }
  copyFileSync(
    join(folderOf("istio.io/api/annotation"), "kubernetes/customresourcedefinitions.gen.yaml"),
    FULL_TOOLS.definitions,
  );
  chmodSync(FULL_TOOLS.definitions, 0o644);
}
