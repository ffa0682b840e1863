/**
 * `npm run test:istio`: builds the tools of a mesh, then runs its tests and those of the chart in namespaces of their own, since
 * pilot-agent listens on every address. With `full`, `npm run test:istio:full`: the same for what needs a Kubernetes API server besides.
 * Exit code 2 where the tools cannot be built.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { MODULE_PATH } from "../../../istio/mount.ts";
import { endWithUs } from "../../../scripts/end-with-us.ts";
import { packageRoot } from "../../../scripts/package.ts";
import { envoyBinary } from "../../envoy/folder.ts";
import { BuildError, buildTools, TOOLS } from "./build.ts";
import { buildFullTools } from "./kubernetes.ts";

/** pilot-agent keeps modules below /var/lib; a sidecar has those of a ConfigMap where it mounts them. Both are empty for the tests. */
const EMPTY = ["/var/lib", dirname(dirname(MODULE_PATH))];
const PREPARE = `ip link set lo up && ${EMPTY.map((folder) => `mount -t tmpfs tmpfs ${folder}`).join(" && ")} && mkdir -p /var/lib/istio/data`;
const WHAT = process.argv[2] === "full" ? "full" : "mesh";
const RUN = ["--import", "tsx", "tests/run.ts", WHAT];
const COMMAND = `${PREPARE} && exec "$0" ${RUN.join(" ")}`;
/** Without root a namespace of users makes one; not every machine lets it. */
const NAMESPACES = process.getuid?.() === 0 ? ["--net", "--mount"] : ["--net", "--mount", "--map-root-user"];

try {
  await (WHAT === "full" ? buildFullTools() : buildTools());
  const hasNamespace = spawnSync("unshare", [...NAMESPACES, "sh", "-c", PREPARE]).status === 0;
  // Found here, where there is a network to fetch it by.
  const env = { ...process.env, ENVOY_BIN: await envoyBinary(), HELM_BIN: TOOLS.helm };
  const [program, args] = hasNamespace
    ? ["unshare", [...NAMESPACES, "sh", "-c", COMMAND, process.execPath]]
    : [process.execPath, RUN];
  const tests = endWithUs(spawn(program, args, { cwd: packageRoot(), env, stdio: "inherit" }));
  // They count what they have come to.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => tests.kill(signal));
  const [code] = (await once(tests, "exit")) as [number | null];
  process.exitCode = code ?? 1;
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
