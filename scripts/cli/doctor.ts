import type { Command } from "commander";
import type { Exit, Io } from "./io.ts";
import { example } from "./options.ts";

async function doctorCommand({ json }: { json?: boolean }, io: Io): Promise<number> {
  const { doctor, doctorText } = await import("../envoy/doctor.ts");
  const report = await doctor(io.env);
  io.stdout.write(`${json ? JSON.stringify(report, null, 2) : doctorText(report)}\n`);
  return report.ok ? 0 : 1;
}

export function addDoctor(program: Command, io: Io, exit: Exit): void {
  program
    .command("doctor")
    .description("look for everything that is needed to run, and say what is missing")
    .option("--json", "print one JSON document")
    .addHelpText("after", example("meshward doctor"))
    .action(async (options: { json?: boolean }) => exit(await doctorCommand(options, io)));
}
