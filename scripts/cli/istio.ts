import { join, resolve } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { mountComesFirst } from "../../istio/envoy-filter.ts";
import { MODULE_LABEL } from "../../istio/mount.ts";
import { FAIL_STRATEGIES, HOLDS, TRAFFIC } from "../../istio/options.ts";
import { TARGETS } from "../istio/options.ts";
import type { IstioFlags } from "../istio/options.ts";
import { moduleDigest, readModule } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { UsageError, fileError, policyIn } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { POLICY_OPTION, example } from "./options.ts";

interface IstioOptions extends IstioFlags {
  policy?: string;
  out: string;
}

/** Every proxy gets the configuration with each change, and holds it as often as it has workers. */
const LARGE_CONFIGURATION = 64 * 1024;
/** What the module takes (assembly/abi/inbox.ts). */
const LARGEST_CONFIGURATION = 1024 * 1024;

async function istioCommand(flags: IstioOptions, io: Io): Promise<number> {
  const [{ readIstioOptions }, { resourceFiles }, { ForeignFile, writeResources }] = await Promise.all([
    import("../istio/options.ts"),
    import("../../istio/resources.ts"),
    import("../istio/directory.ts"),
  ]);
  const policy = policyIn(flags.policy);
  const namespaces = policy.workloads.flatMap(({ namespace = [] }) => namespace);
  const options = readIstioOptions(flags, namespaces, moduleDigest);
  const files = resourceFiles(compilePolicy(policy, { holdHeaders: options.hold === "full" }), options);
  for (const { path, configurationBytes = 0 } of files) {
    const size = `${path}: the plugin's configuration has ${Math.ceil(configurationBytes / 1024)} KiB`;
    const way = "--target namespace leaves out the sections of other namespaces";
    if (configurationBytes > LARGEST_CONFIGURATION) {
      throw new UsageError(`${size}, and the module takes ${LARGEST_CONFIGURATION / 1024}: ${way}`);
    }
    if (configurationBytes > LARGE_CONFIGURATION) {
      io.stderr.write(`meshward istio: ${size}, above ${LARGE_CONFIGURATION / 1024}, for each proxy: ${way}\n`);
    }
  }
  const module = options.module.kind === "configmap" ? readModule() : null;
  try {
    for (const { path, change } of await writeResources(resolve(flags.out), files, module)) {
      io.stdout.write(`${join(flags.out, path)}${change === "written" ? "" : ` (${change})`}\n`);
    }
  } catch (error) {
    if (error instanceof ForeignFile) throw new UsageError(`--out ${flags.out}: ${error.message}`);
    throw fileError("--out", flags.out, error);
  }
  if (mountComesFirst(options)) {
    const [label, value] = Object.entries(MODULE_LABEL)[0]!;
    const command = `kubectl apply --server-side -k ${flags.out} -l ${label}=${value}`;
    io.stdout.write(`first mount the module by ${join(flags.out, "pod-template")}, which needs: ${command}\n`);
  }
  io.stdout.write(`apply it: kubectl apply --server-side -k ${flags.out}\n`);
  return 0;
}

export function addIstio(program: Command, io: Io, exit: Exit): void {
  const joined = (text: string, before?: string): string => (before === undefined ? text : `${before},${text}`);
  program
    .command("istio")
    .description("write the resources that put Meshward into a mesh of Istio, or into Envoy Gateway")
    .option(...POLICY_OPTION)
    .requiredOption("--out <dir>", "the folder, with a kustomization; written again, only what changed is touched")
    .option("--module <source>", "where proxies get the module: oci://…@sha256:…, https://… or configmap")
    .option("--sha256 <digest>", "of the image's manifest, or of the file (default: this package's module)")
    .option("--image-pull-secret <name>", "the Secret that the image is pulled with")
    .addOption(new Option("--target <what>", "whose requests are judged").choices(TARGETS).default("mesh"))
    .option(
      "--namespace <names>",
      "where the resources stand, several with commas (for namespace: those of the policy)",
      joined,
    )
    .option("--root-namespace <name>", "the mesh's root namespace, for --target mesh (default: istio-system)")
    .option("--selector <labels>", "pods of a workload or gateway: key=value, several with commas", joined)
    .option(
      "--target-ref <kind/name>",
      "a Gateway, a Service behind a waypoint, a route of Envoy Gateway; several with commas",
      joined,
    )
    .option("--istio <version>", "the mesh's version: from 1.30 on a TrafficExtension, before a WasmPlugin")
    .addOption(
      new Option(
        "--hold <what>",
        "full: an EnvoyFilter, requests are held as a whole; body: Istio's own resource, headers go on",
      ).choices(HOLDS),
    )
    .addOption(
      new Option("--fail-strategy <what>", "what a crash of the module does")
        .choices(FAIL_STRATEGIES)
        .default("FAIL_RELOAD"),
    )
    .addOption(
      new Option("--traffic <mode>", "a sidecar's requests: to the service (default), its own calls, or both").choices(
        TRAFFIC,
      ),
    )
    .option("--ports <ports>", "the only ports that count; several with commas", joined)
    .option("--exclude-ports <ports>", "ports that do not count; several with commas", joined)
    .option(
      "--telemetry <provider>",
      "also a Telemetry: access log through this extension provider, and a metric's label",
    )
    .option("--name <name>", "the name of the resources", "meshward")
    .addHelpText(
      "after",
      example(
        "meshward istio --policy meshward.yaml --out mesh --module oci://registry.example/meshward@sha256:…",
        "meshward istio --policy meshward.yaml --out shop --target namespace --namespace shop --module configmap",
      ),
    )
    .action(async (options: IstioOptions) => exit(await istioCommand(options, io)));
}
