/**
 * Builds the tools of a mesh by Go, once, into the cache: istioctl, pilot-agent, mini-istiod (Istio's discovery server, fed from YAML),
 * proxies that ask it for their configuration, and helm. Their modules are pinned in go.mod, and Go holds each against go.sum; Helm's against Go's database of checksums.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "../../../scripts/envoy/wheel.ts";
import { packageRoot } from "../../../scripts/package.ts";
import { endWithUs } from "../../../scripts/end-with-us.ts";

export const ISTIO_VERSION = "1.31.1";
export const HELM_VERSION = "4.3.1";

/** All builds take eight minutes on two cores that have nothing else to do. */
const BUILD_MILLISECONDS = 25 * 60_000;
const PROGRESS_MILLISECONDS = 15_000;
/** Lines of Go's that an error shows. */
const LINES = 6;

const source = join(packageRoot(), "tests/istio/tools");
const root = cacheRoot(process.env);
const inputs = ["go.mod", "go.sum", "mini-istiod/main.go", "proxies/main.go"].map((file) =>
  readFileSync(join(source, file)),
);
const key = inputs.reduce((hash, bytes) => hash.update(bytes), createHash("sha256")).digest("hex");
/** What was built of other sources stays in a folder of its own. */
export const FOLDER = join(root, "istio", `${ISTIO_VERSION}-${key.slice(0, 12)}`);

const PILOT_AGENT = "istio.io/istio/pilot/cmd/pilot-agent";

export const TOOLS = {
  istioctl: join(FOLDER, "istioctl"),
  pilotAgent: join(FOLDER, "pilot-agent"),
  miniIstiod: join(FOLDER, "mini-istiod"),
  /** Simulated proxies for mini-istiod. */
  proxies: join(FOLDER, "proxies"),
  /** What pilot-agent makes Envoy's bootstrap of. */
  bootstrapTemplate: join(FOLDER, "bootstrap.json"),
  helm: join(root, "bin/helm"),
};

export class BuildError extends Error {}

export const exists = (path: string): boolean => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};

/** Why the tools are not there, or false. */
export const noTools = Object.values(TOOLS).every(exists)
  ? false
  : "the tools of a mesh are not built: npm run test:istio";

const GO_ENVIRONMENT: NodeJS.ProcessEnv = { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-p=2" };

/** Runs go in the module's folder, and says at times how far it is. */
async function go(
  what: string,
  args: readonly string[],
  { cwd = source, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  const child = endWithUs(
    spawn("go", args, {
      cwd,
      env: { ...GO_ENVIRONMENT, ...env },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: BUILD_MILLISECONDS,
    }),
  );
  const start = Date.now();
  let [fetched, compiled] = [0, 0];
  /** The last lines that are no progress. */
  let said: string[] = [];
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith("go: downloading ")) fetched++;
      else if (/^[\w.~/-]+$/.test(line)) compiled++;
      else said = [...said, line].slice(-LINES);
    }
  });
  const tell = (): void => {
    const seconds = Math.round((Date.now() - start) / 1000);
    console.log(`${what}: ${fetched} modules fetched, ${compiled} packages compiled, ${seconds} s`);
  };
  const ticks = setInterval(tell, PROGRESS_MILLISECONDS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  }).finally(() => clearInterval(ticks));
  if (rest !== "") said.push(rest);
  if (code !== 0) {
    const isNetwork = /dial tcp|no such host|i\/o timeout|proxyconnect|GOPROXY|\b(403|404|410|5\d\d) /.test(
      said.join("\n"),
    );
    const advice = isNetwork
      ? "Go's module proxy does not give what is pinned: see `go env GOPROXY`, and whether it can be reached from here"
      : `go ended with ${code ?? `a signal, after ${BUILD_MILLISECONDS / 60_000} minutes at most`}`;
    throw new BuildError(`${what} cannot be built: ${advice}\n${said.map((line) => `  ${line}`).join("\n")}`);
  }
  tell();
}

/** Where a program's modules are pinned, if not beside this file. */
interface Source {
  cwd?: string;
  flags?: string;
  mod?: "mod" | "readonly";
}

/** Builds a program of the pinned modules, whole or not at all. */
export async function build(program: string, to: string, from: Source = {}): Promise<void> {
  if (exists(to)) return;
  const partial = `${to}.${process.pid}`;
  const { cwd, mod = "readonly" } = from;
  const flags = from.flags ?? `-s -w -X istio.io/istio/pkg/version.buildVersion=${ISTIO_VERSION}`;
  const args = [
    "build",
    "-v",
    `-mod=${mod}`,
    "-trimpath",
    "-buildvcs=false",
    "-ldflags",
    flags,
    "-o",
    partial,
    program,
  ];
  try {
    await go(program, args, { cwd });
    renameSync(partial, to);
  } finally {
    rmSync(partial, { force: true });
  }
}

async function buildHelm(): Promise<void> {
  if (exists(TOOLS.helm)) return;
  const partial = join(root, "bin", `helm.${process.pid}`);
  try {
    const args = ["install", "-v", "-trimpath", "-ldflags", "-s -w", `helm.sh/helm/v4/cmd/helm@v${HELM_VERSION}`];
    await go("helm", args, { env: { GOBIN: partial } });
    renameSync(join(partial, "helm"), TOOLS.helm);
  } finally {
    rmSync(partial, { force: true, recursive: true });
  }
}

/** What go prints where it only looks something up. */
export function goText(what: string, args: readonly string[], cwd = source): string {
  const { status, stdout, stderr } = spawnSync("go", args, { cwd, env: GO_ENVIRONMENT, encoding: "utf8" });
  if (status !== 0) throw new BuildError(`Go does not have the sources of ${what}: ${(stderr || stdout).trim()}`);
  return stdout.trim();
}

/**
 * The folder of the pinned module that a package is in. Asked for a module itself, Go fetches when its version was made, which a proxy that has
 * the module need not have.
 */
export const folderOf = (package_: string): string =>
  goText(package_, ["list", "-find", "-mod=readonly", "-f", "{{.Module.Dir}}", package_]);

/** Whether all is there; an error where it is not and there is no Go to build it. */
export function isBuilt(tools: Readonly<Record<string, string>>): boolean {
  if (Object.values(tools).every(exists)) return true;
  if (spawnSync("go", ["version"]).status === 0) return false;
  throw new BuildError(
    "there is no Go to build the tools of a mesh by: install Go 1.26 or newer, and have `go` on PATH",
  );
}

/** Builds what is not there. */
export async function buildTools(): Promise<void> {
  if (isBuilt(TOOLS)) return;
  mkdirSync(FOLDER, { recursive: true });
  mkdirSync(join(root, "bin"), { recursive: true });
  await build("./mini-istiod", TOOLS.miniIstiod);
  await build("./proxies", TOOLS.proxies);
  await build(PILOT_AGENT, TOOLS.pilotAgent);
  await build("istio.io/istio/istioctl/cmd/istioctl", TOOLS.istioctl);
  await buildHelm();
  const template = join(folderOf(PILOT_AGENT), "tools/packaging/common/envoy_bootstrap.json");
  copyFileSync(template, TOOLS.bootstrapTemplate);
}
