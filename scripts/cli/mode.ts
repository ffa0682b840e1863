import { realpathSync } from "node:fs";
import { chmod, stat, writeFile } from "node:fs/promises";
import { Argument } from "commander";
import type { Command } from "commander";
import { parsePolicy } from "../policy/load.ts";
import { MODES } from "../policy/schema.ts";
import type { Mode } from "../policy/schema.ts";
import { setMode } from "../policy/set-mode.ts";
import { replaceFile } from "../replace-file.ts";
import { fileError, readText } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { example } from "./options.ts";

/** Writes a policy file anew, keeping its permissions; a link is followed. */
async function writePolicy(path: string, text: string): Promise<void> {
  const target = realpathSync(path);
  try {
    await replaceFile(target, async (temporary) => {
      await writeFile(temporary, text, { flag: "wx" });
      await chmod(temporary, (await stat(target)).mode);
    });
  } catch (error) {
    throw fileError("policy", path, error);
  }
}

async function modeCommand(mode: Mode, { policy: file }: { policy: string }, io: Io): Promise<number> {
  const text = readText("policy", file);
  const before = parsePolicy(text, file);
  const changed = setMode(text, mode, file);
  if (changed !== text) await writePolicy(file, changed);
  io.stdout.write(`${file}: mode ${before.mode === mode ? `${mode}, as before` : `${before.mode} -> ${mode}`}\n`);
  // `off` at the top is final; otherwise who set a mode of their own keeps it.
  const own = mode === "off" ? [] : before.routes.filter((route) => route.mode !== undefined && route.mode !== mode);
  const sections = before.workloads.filter((workload) => workload.mode !== undefined && workload.mode !== mode);
  if (own.length + sections.length > 0) {
    io.stderr.write(`note: ${own.length} routes and ${sections.length} workloads keep a mode of their own\n`);
  }
  return 0;
}

export function addMode(program: Command, io: Io, exit: Exit): void {
  program
    .command("mode")
    .description("change the mode of a policy file; whoever runs it has it in force at once")
    .addArgument(new Argument("<mode>", "the new mode").choices(MODES))
    .requiredOption("--policy <file>", "the policy file")
    .addHelpText("after", example("meshward mode block --policy meshward.yaml"))
    .action(async (mode: Mode, options: { policy: string }) => exit(await modeCommand(mode, options, io)));
}
