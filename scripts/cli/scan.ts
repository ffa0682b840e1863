import type { Command } from "commander";
import { counted } from "../counted.ts";
import { readModule } from "../package.ts";
import { INTERRUPTED, UsageError, closeOutput, interruptible, openInput, openOutput, policyIn } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { POLICY_OPTION, example } from "./options.ts";

interface ScanOptions {
  policy?: string;
  in: string;
  out: string;
}

async function scanCommand(options: ScanOptions, io: Io): Promise<number> {
  const [{ createEngine }, { scan }] = await Promise.all([import("../scan/engine.ts"), import("../scan/scan.ts")]);
  const engine = await createEngine(policyIn(options.policy), readModule());
  const input = await openInput("--in", options.in, io);
  const output = await openOutput(options.out, [options.in], io);
  let bad = 0;
  const isInterrupted = await interruptible(
    () => input.destroy(),
    async (signal) => void ({ bad } = await scan(input, output, engine, signal)),
  );
  await closeOutput(output, io);
  if (isInterrupted) return INTERRUPTED;
  if (bad === 0) return 0;
  throw new UsageError(`${counted(bad, "line")} could not be used; the output says why ("error")`);
}

export function addScan(program: Command, io: Io, exit: Exit): void {
  program
    .command("scan")
    .description("judge HTTP exchanges offline: JSON Lines in, a verdict a line out")
    .option(...POLICY_OPTION)
    .option("--in <file>", "exchanges, one JSON object a line", "-")
    .option("--out <file>", "where the verdicts go", "-")
    .addHelpText(
      "after",
      example(
        `echo '{"id":1,"request":{"method":"GET","path":"/?q=1+UNION+SELECT+name+FROM+users"}}' | meshward scan`,
        "meshward scan --policy meshward.yaml --in exchanges.jsonl --out verdicts.jsonl",
      ),
    )
    .action(async (options: ScanOptions) => exit(await scanCommand(options, io)));
}
