import { once } from "node:events";
import { Option } from "commander";
import type { Command } from "commander";
import { FORMATS } from "../import/import.ts";
import type { Format } from "../import/import.ts";
import { INTERRUPTED, closeOutput, interruptible, openInput, openOutput } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { example } from "./options.ts";

interface ImportOptions {
  format: Format;
  out: string;
}

async function importCommand(file: string, { format, out }: ImportOptions, io: Io): Promise<number> {
  const { importLog, summaryText } = await import("../import/import.ts");
  const input = await openInput("log", file, io);
  const output = await openOutput(out, [file], io);
  const write = async (line: string): Promise<void> => {
    if (!output.write(`${line}\n`)) await once(output, "drain");
  };
  const fault = (place: string, error: string): void => void io.stderr.write(`${file}${place}: ${error}\n`);
  let faults = 0;
  const isInterrupted = await interruptible(
    () => input.destroy(),
    async () => {
      const summary = await importLog(format, input as AsyncIterable<Uint8Array>, write, fault);
      faults = summary.faults;
      io.stderr.write(`${summaryText(summary)}\n`);
    },
  );
  await closeOutput(output, io);
  if (isInterrupted) return INTERRUPTED;
  return faults === 0 ? 0 : 2;
}

export function addImport(program: Command, io: Io, exit: Exit): void {
  program
    .command("import")
    .description("make lines for scan and tune of another tool's log; secrets are masked, what the log lacks is told")
    .argument("<file>", "the log; - for stdin")
    .addOption(new Option("--format <format>", "what wrote it").choices(FORMATS).makeOptionMandatory())
    .option("--out <file>", "where the lines go", "-")
    .addHelpText("after", example("meshward import --format modsec-audit modsec_audit.log --out exchanges.jsonl"))
    .action(async (file: string, options: ImportOptions) => exit(await importCommand(file, options, io)));
}
