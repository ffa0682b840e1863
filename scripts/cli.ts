#!/usr/bin/env node
/**
 * The command `meshward`: the only reader of the command line and the environment. `cli/` has a file a command, which opens files, hands
 * data to the folders that do the work, and turns what they say into text and an exit code: 0 success, 1 a check that found
 * something, 2 a mistake in the command or its input, told in one line on stderr.
 */
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { addBench } from "./cli/bench.ts";
import { addCollector } from "./cli/collector.ts";
import { addCoverage } from "./cli/coverage.ts";
import { addDemo } from "./cli/demo.ts";
import { addDoctor } from "./cli/doctor.ts";
import { addEnvoy } from "./cli/envoy.ts";
import { addImage } from "./cli/image.ts";
import { addImport } from "./cli/import.ts";
import { addIstio } from "./cli/istio.ts";
import { addMode } from "./cli/mode.ts";
import { addPolicy } from "./cli/policy.ts";
import { addReport } from "./cli/report.ts";
import { addRun } from "./cli/run.ts";
import { addScan } from "./cli/scan.ts";
import { addTune } from "./cli/tune.ts";
import { addVerify } from "./cli/verify.ts";
import { fileError } from "./cli/io.ts";
import type { Exit, Io } from "./cli/io.ts";
import { example } from "./cli/options.ts";
import { versionText } from "./cli/version.ts";
import { PolicyError } from "./policy/load.ts";

/** In the order of the help. */
const COMMANDS = [
  addRun,
  addDemo,
  addScan,
  addImport,
  addTune,
  addVerify,
  addCollector,
  addPolicy,
  addMode,
  addReport,
  addCoverage,
  addDoctor,
  addBench,
  addEnvoy,
  addImage,
  addIstio,
] as const;

/** The program with all its commands; their exit code goes to `exit`. */
function commandLine(io: Io, exit: Exit): Command {
  const program = new Command("meshward")
    .description("Runtime protection for services behind Envoy.")
    .option("-V, --version", "print the versions of package, module, policy schema and the Envoy that would be used")
    .helpCommand(false)
    .addHelpText("after", example("meshward run --upstream http://127.0.0.1:3000 --mode block"))
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // Errors are told in one line, by `main`.
      writeErr: () => {},
      outputError: () => {},
    });
  for (const add of COMMANDS) add(program, io, exit);
  return program;
}

/** The command that the first words of `argv` name. */
function commandAt(program: Command, argv: readonly string[]): Command {
  const next = program.commands.find((candidate) => candidate.name() === argv[0]);
  return next === undefined ? program : commandAt(next, argv.slice(1));
}

/** "meshward policy check". */
function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`;
}

/** Runs the command in `argv` (without the program's name) and resolves with its exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code = 0;
  const program = commandLine(io, (value) => void (code = value));
  const command = commandAt(program, argv);
  const name = commandPath(command);
  try {
    if (argv[0] === "--version" || argv[0] === "-V") {
      io.stdout.write(await versionText(io.env));
      return 0;
    }
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      const isMissing = error.code === "commander.help";
      const commands = command.commands.map((one) => one.name()).join(", ");
      const message = isMissing ? `a command is missing: ${commands}` : error.message.replace(/^error: /, "");
      io.stderr.write(`${name}: ${message.replace(/\s*\n\s*/g, " ").replace(/\.$/, "")}; see ${name} --help\n`);
    } else if (error instanceof PolicyError) {
      io.stderr.write(`${error.message}\n`);
    } else {
      io.stderr.write(`${name}: ${(error as Error).message}\n`);
    }
    return 2;
  }
}

/** Whether this file is what node was asked to run; npm starts it through a link. */
function isEntry(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

if (isEntry()) {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever reads our output has gone away (`| head`): there is nothing left to do.
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(`meshward: ${fileError("standard", "output", error).message}\n`);
    process.exit(2);
  });
  process.stderr.on("error", () => {});
  process.exitCode = await main(process.argv.slice(2), process);
}
