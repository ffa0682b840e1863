import { Option } from "commander";
import type { Command } from "commander";
import { MODES } from "../policy/schema.ts";
import type { Mode } from "../policy/schema.ts";
import type { Exit, Io } from "./io.ts";
import { POLICY_OPTION, example } from "./options.ts";

interface RunCommandOptions {
  upstream: string;
  listen?: string;
  policy?: string;
  mode?: Mode;
  backend: "auto" | "process" | "container";
  events?: string;
  outbound?: string;
  service?: string;
}

async function runCommand(options: RunCommandOptions, io: Io): Promise<number> {
  const { runUntilStopped } = await import("../envoy/run.ts");
  return runUntilStopped(
    { ...options, env: io.env },
    {
      out: (line) => void io.stdout.write(`${line}\n`),
      err: (line) => void io.stderr.write(`meshward run: ${line}\n`),
    },
  );
}

export function addRun(program: Command, io: Io, exit: Exit): void {
  program
    .command("run")
    .description("protect one HTTP service now: find Envoy, start it before the service, print what it finds")
    .requiredOption("--upstream <url>", "the service, as http://HOST:PORT or https://HOST:PORT")
    .option("--listen <host:port>", "address to use instead of the service's (default: 127.0.0.1:8080, or a free port)")
    .option(...POLICY_OPTION)
    .addOption(new Option("--mode <mode>", "stands above the policy's own mode").choices(MODES))
    .addOption(
      new Option("--backend <kind>", "how to run Envoy").choices(["auto", "process", "container"]).default("auto"),
    )
    .option(
      "--events <url>",
      "also send findings to this OpenTelemetry collector (OTLP/HTTP), whatever the policy says",
    )
    .option(
      "--outbound <host:port>",
      "also take the service's own calls there, as its HTTP proxy; observed, never refused",
    )
    .option("--service <name>", "the service's name in findings and in workloads of the policy", "meshward")
    .addHelpText("after", example("meshward run --upstream http://127.0.0.1:3000 --policy meshward.yaml"))
    .action(async (options: RunCommandOptions) => exit(await runCommand(options, io)));
}
