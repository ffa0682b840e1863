import { Option } from "commander";
import type { Command } from "commander";
import { packageVersion, readModule } from "../package.ts";
import type { Check, Result } from "../verify/verify.ts";
import { INTERRUPTED, UsageError, asUsage, closeOutput, interruptible, openInput, openOutput, policyIn } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { POLICY_OPTION, example } from "./options.ts";

interface VerifyOptions {
  policy?: string;
  cases: string;
  through?: string;
  format: "text" | "junit" | "sarif";
  out: string;
}

async function verifyCommand(options: VerifyOptions, io: Io): Promise<number> {
  const { offline, through, verify } = await import("../verify/verify.ts");
  const { exitCodeOf, reportText, summaryOf } = await import("../verify/report.ts");
  const policy = policyIn(options.policy);
  const input = await openInput("--cases", options.cases, io);
  const results: Result[] = [];
  let close = (): void => {};
  let check: Check;
  if (options.through === undefined) {
    const { createEngine } = await import("../scan/engine.ts");
    check = offline(await createEngine(policy, readModule()));
  } else {
    const { createSender, parseTarget } = await import("../verify/through.ts");
    const { denialsOf } = await import("../verify/refusal.ts");
    const target = asUsage(() => parseTarget(options.through!), "--through");
    const sender = createSender(target, denialsOf(policy));
    check = through(sender);
    close = () => sender.close();
  }
  const isInterrupted = await interruptible(
    () => input.destroy(),
    async (signal) => {
      for await (const result of verify(input as AsyncIterable<Uint8Array>, check)) {
        results.push(result);
        if (signal.aborted) break;
      }
    },
  ).finally(close);
  if (isInterrupted) return INTERRUPTED;
  const output = await openOutput(options.out, [options.cases], io);
  output.write(reportText({ results, file: options.cases, version: packageVersion() }, options.format));
  await closeOutput(output, io);
  if (results.length === 0) throw new UsageError(`--cases ${options.cases}: there are no cases in it`);
  if (options.format !== "text" || options.out !== "-") io.stderr.write(`${summaryOf(results)}\n`);
  return exitCodeOf(results);
}

export function addVerify(program: Command, io: Io, exit: Exit): void {
  program
    .command("verify")
    .description("check a policy against cases: scan lines with what is expected of them")
    .option(...POLICY_OPTION)
    .requiredOption(
      "--cases <file>",
      'cases, one JSON object a line, each with "expect": "allow" or "deny"; - for stdin',
    )
    .option("--through <url>", "send the cases through a running proxy instead of judging them offline")
    .addOption(
      new Option("--format <format>", "form of the report").choices(["text", "junit", "sarif"]).default("text"),
    )
    .option("--out <file>", "where the report goes", "-")
    .addHelpText(
      "after",
      example(
        "meshward verify --policy meshward.yaml --cases cases.jsonl",
        "meshward verify --cases cases.jsonl --through http://127.0.0.1:8080 --format junit --out report.xml",
      ),
    )
    .action(async (options: VerifyOptions) => exit(await verifyCommand(options, io)));
}
