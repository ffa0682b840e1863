import { join, resolve } from "node:path";
import type { Command } from "commander";
import { modulePath, readModule } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { asUsage, fileError, policyIn } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { POLICY_OPTION, example } from "./options.ts";

interface EnvoyOptions {
  policy?: string;
  out: string;
  upstream: string;
  listen: string;
  admin: string;
  root?: string;
  http2?: boolean;
  dynamic?: boolean;
  outbound?: string;
  metrics?: string;
  service?: string;
  filter: boolean;
}

async function envoyCommand(options: EnvoyOptions, io: Io): Promise<number> {
  const [{ parseUpstream }, { BOOTSTRAP_FILE }, { checkDistinct, parseListen }, { writeDirectory }] = await Promise.all(
    [
      import("../../envoy/cluster.ts"),
      import("../../envoy/names.ts"),
      import("../envoy/run.ts"),
      import("../envoy/directory.ts"),
    ],
  );
  const folder = resolve(options.out);
  const root = options.root ?? folder;
  asUsage(() => parseUpstream(options.upstream), "--upstream");
  const listen = asUsage(() => parseListen(options.listen), "--listen");
  const admin = asUsage(() => parseListen(options.admin), "--admin");
  const { service } = options;
  const listenAt = (text: string | undefined, option: string) =>
    text === undefined ? undefined : asUsage(() => parseListen(text), option);
  const outbound = listenAt(options.outbound, "--outbound");
  const metrics = listenAt(options.metrics, "--metrics");
  checkDistinct([
    ["--listen", listen],
    ["--admin", admin],
    ["--outbound", outbound],
    ["--metrics", metrics],
  ]);
  const compiled = compilePolicy(policyIn(options.policy), { holdHeaders: true });
  readModule();
  const bootstrapOptions = {
    upstream: options.upstream,
    listen,
    admin,
    root,
    accessLog: "stdout",
    protocol: options.http2 ? ("http2" as const) : ("http1" as const),
    dynamic: options.dynamic ?? false,
    filter: options.filter,
    ...(service === undefined ? {} : { service }),
    ...(outbound === undefined ? {} : { outbound }),
    ...(metrics === undefined ? {} : { metrics }),
  };
  let files: string[];
  try {
    files = await writeDirectory(folder, compiled, bootstrapOptions, modulePath());
  } catch (error) {
    throw fileError("--out", options.out, error);
  }
  for (const file of files) io.stdout.write(`${join(options.out, file)}\n`);
  io.stdout.write(`start it: envoy -c ${join(root, BOOTSTRAP_FILE)}\n`);
  return 0;
}

export function addEnvoy(program: Command, io: Io, exit: Exit): void {
  program
    .command("envoy")
    .description("write a folder that Envoy runs from; written again, the new policy is in force at once")
    .option(...POLICY_OPTION)
    .requiredOption("--out <dir>", "the folder")
    .option("--upstream <url>", "the service behind", "http://127.0.0.1:3000")
    .option("--listen <host:port>", "where Envoy listens", "127.0.0.1:10000")
    .option("--admin <host:port>", "where Envoy's admin interface listens", "127.0.0.1:9901")
    .option("--root <path>", "the folder as Envoy sees it, in a container for example (default: the folder itself)")
    .option("--http2", "speak HTTP/2 to the service, for gRPC")
    .option("--dynamic", "put listener and cluster into files of their own, so that they too can be changed")
    .option(
      "--outbound <host:port>",
      "also take the service's own calls there, as its HTTP proxy; observed, never refused",
    )
    .option("--metrics <host:port>", "also answer /stats/prometheus and /ready there, for Prometheus and probes")
    .option("--service <name>", "the service's name in findings and in workloads of the policy", "meshward")
    .option("--no-filter", "leave Meshward out, all else being equal; Envoy that runs with --dynamic drops it at once")
    .addHelpText("after", example("meshward envoy --policy meshward.yaml --out envoy --upstream http://127.0.0.1:3000"))
    .action(async (options: EnvoyOptions) => exit(await envoyCommand(options, io)));
}
