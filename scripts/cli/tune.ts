import type { Command } from "commander";
import { readModule } from "../package.ts";
import { INTERRUPTED, closeOutput, interruptible, openInput, openOutput, policyIn } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { POLICY_OPTION, example, positive } from "./options.ts";

interface TuneOptions {
  in: string;
  policy?: string;
  minClients: number;
  out?: string;
}

async function tuneCommand(options: TuneOptions, io: Io): Promise<number> {
  const [
    { createEngine },
    { exceptionsPatch, newTuning, sortedGroups, tuneLines },
    { tuningText },
    { leastThreshold },
  ] = await Promise.all([
    import("../scan/engine.ts"),
    import("../tune/tune.ts"),
    import("../tune/text.ts"),
    import("../tune/threshold.ts"),
  ]);
  const policy = policyIn(options.policy);
  const engine = await createEngine(policy, readModule());
  const input = await openInput("--in", options.in, io);
  const tuning = newTuning();
  const isInterrupted = await interruptible(
    () => input.destroy(),
    () => tuneLines(input as AsyncIterable<Uint8Array>, engine, leastThreshold(policy), tuning),
  );
  if (isInterrupted) return INTERRUPTED;
  for (const { line, error } of tuning.bad) io.stderr.write(`${options.in}:${line}: ${error}\n`);
  const patch = exceptionsPatch(sortedGroups(tuning), options.minClients, new Date());
  const clients = `${options.minClients} or more clients; write the reasons, then put it into the policy`;
  const text = patch === "" ? "" : `# What would be refused of ${clients}.\n${patch}`;
  const table = tuningText(tuning);
  if (options.out === undefined) {
    io.stdout.write(`${table}\n${text === "" ? "" : `\n${text}`}`);
  } else {
    const output = await openOutput(options.out, [options.in], io);
    output.write(text);
    await closeOutput(output, io);
    io.stdout.write(`${table}\n`);
  }
  return tuning.badLines === 0 ? 0 : 2;
}

export function addTune(program: Command, io: Io, exit: Exit): void {
  program
    .command("tune")
    .description("say what a policy would refuse in recorded requests, and print exceptions for it")
    .requiredOption("--in <file>", "requests, one JSON object a line as for scan; - for stdin")
    .option(...POLICY_OPTION)
    .option("--min-clients <n>", "exceptions only for what so many clients have sent", positive(true), 2)
    .option("--out <file>", "where the exceptions go (default: behind the table)")
    .addHelpText("after", example("meshward tune --in exchanges.jsonl --policy meshward.yaml --out exceptions.yaml"))
    .action(async (options: TuneOptions) => exit(await tuneCommand(options, io)));
}
