import type { Command } from "commander";
import { counted } from "../counted.ts";
import { readModule } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { formatIssue, loadPolicy, parsePolicy } from "../policy/load.ts";
import type { Exchange } from "../scan/exchange-line.ts";
import { UsageError, openInput, readText } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { example } from "./options.ts";

function policyCheckCommand(file: string, { json }: { json?: boolean }, io: Io): number {
  const { policy, issues } = loadPolicy(readText("policy", file));
  const configuration = policy === null ? null : compilePolicy(policy, { holdHeaders: true });
  if (json) {
    const document = { file, valid: policy !== null, policy: configuration?.policy ?? null, issues };
    io.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    for (const issue of issues) io.stderr.write(`${formatIssue(issue, file)}\n`);
    if (configuration !== null) {
      const { mode, routes, exceptions, workloads } = configuration;
      const counts = [
        counted(routes.length, "route"),
        counted(exceptions.length, "exception"),
        counted(workloads.length, "workload"),
      ].join(", ");
      io.stdout.write(`${file}: valid, mode ${mode}, ${counts}, hash ${configuration.policy}\n`);
    }
  }
  return policy === null ? 2 : 0;
}

/** The exchange on the only line of a file. */
async function exchangeIn(path: string, io: Io): Promise<Exchange> {
  const { BadLine, parseExchange, parseJsonLine } = await import("../scan/exchange-line.ts");
  const { LINE_TOO_LONG, lineBatches } = await import("../scan/lines.ts");
  const found: { number: number; bytes: Buffer | null }[] = [];
  for await (const lines of lineBatches((await openInput("--request", path, io)) as AsyncIterable<Uint8Array>)) {
    found.push(...lines.filter(({ bytes }) => bytes === null || bytes.toString("latin1").trim() !== ""));
    if (found.length > 1) throw new UsageError(`--request ${path}: more than one line; expected one, as for scan`);
  }
  const [line] = found;
  if (line === undefined) throw new UsageError(`--request ${path}: there is no line in it`);
  try {
    if (line.bytes === null) throw new BadLine(LINE_TOO_LONG);
    return parseExchange(parseJsonLine(line.bytes).value);
  } catch (error) {
    throw new UsageError(`${path}:${line.number}: ${(error as Error).message}`);
  }
}

interface ExplainOptions {
  policy: string;
  request: string;
  json?: boolean;
}

async function policyExplainCommand({ policy: file, request, json }: ExplainOptions, io: Io): Promise<number> {
  const [{ explain }, { explanationText }] = await Promise.all([
    import("../explain/explain.ts"),
    import("../explain/text.ts"),
  ]);
  const text = readText("policy", file);
  parsePolicy(text, file);
  const explanation = await explain(text, file, await exchangeIn(request, io), readModule("checked"));
  io.stdout.write(`${json ? JSON.stringify(explanation, null, 2) : explanationText(explanation, file)}\n`);
  return 0;
}

export function addPolicy(program: Command, io: Io, exit: Exit): void {
  const policy = program
    .command("policy")
    .description("work on a policy file")
    .helpCommand(false)
    .addHelpText("after", example("meshward policy check meshward.yaml"));
  policy
    .command("check")
    .description("say what is wrong in a policy file, with line and column")
    .argument("<file>", "the policy file")
    .option("--json", "print one JSON document")
    .addHelpText("after", example("meshward policy check meshward.yaml"))
    .action((file: string, options: { json?: boolean }) => exit(policyCheckCommand(file, options, io)));
  policy
    .command("explain")
    .description(
      "say why a policy decides on a request as it does: fields, layers, tokens, findings, lines of the policy",
    )
    .requiredOption("--policy <file>", "the policy file")
    .requiredOption("--request <file>", "the request: one line as for scan; - for stdin")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      example(
        `echo '{"request":{"method":"GET","path":"/?q=1+or+1=1"}}' | meshward policy explain --policy meshward.yaml --request -`,
      ),
    )
    .action(async (options: ExplainOptions) => exit(await policyExplainCommand(options, io)));
}
