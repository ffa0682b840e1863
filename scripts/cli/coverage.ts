import { Option } from "commander";
import type { Command } from "commander";
import { RULE_FORMS } from "../monitoring/rules-text.ts";
import type { RuleForm } from "../monitoring/rules-text.ts";
import { asUsage, policyIn } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { again, example } from "./options.ts";

interface CoverageOptions {
  policy: string;
  prometheus: string;
  namespace?: string[];
  json?: boolean;
  declare?: RuleForm;
}

async function coverageCommand(options: CoverageOptions, io: Io): Promise<number> {
  const policy = policyIn(options.policy);
  if (options.declare !== undefined) {
    const [{ declaredRules }, { rulesText }] = await Promise.all([
      import("../monitoring/declared.ts"),
      import("../monitoring/rules-text.ts"),
    ]);
    io.stdout.write(rulesText([declaredRules(policy)], options.declare, "meshward-declared"));
    return 0;
  }
  const [{ parseBase }, { prometheusAt }, { coverage, coverageText }] = await Promise.all([
    import("../report/client.ts"),
    import("../monitoring/prometheus.ts"),
    import("../monitoring/coverage.ts"),
  ]);
  const address = asUsage(() => parseBase(options.prometheus, "MESHWARD_PROMETHEUS_TOKEN"), "--prometheus");
  const ask = prometheusAt(address, io.env.MESHWARD_PROMETHEUS_TOKEN || undefined);
  const found = await coverage(policy, ask, address.href, options.namespace);
  io.stdout.write(`${options.json ? JSON.stringify(found, null, 2) : coverageText(found)}\n`);
  return found.counts.protected === found.workloads.length ? 0 : 1;
}

export function addCoverage(program: Command, io: Io, exit: Exit): void {
  program
    .command("coverage")
    .description("hold what runs, as Prometheus has scraped it, against the policy: exit code 1 on a gap")
    .requiredOption("--policy <file>", "the policy that should be in force")
    .option(
      "--prometheus <url>",
      "where it listens, with its path if it has one; a token is in MESHWARD_PROMETHEUS_TOKEN",
      "http://127.0.0.1:9090",
    )
    .option("--namespace <name>", "only workloads of this namespace; may be given again", again)
    .option("--json", "print one JSON document")
    .addOption(
      new Option("--declare [form]", "ask nobody: print what the policy declares, as recording rules for the alerts")
        .choices([...RULE_FORMS])
        .preset("rules"),
    )
    .addHelpText(
      "after",
      example(
        "meshward coverage --policy meshward.yaml --prometheus http://127.0.0.1:9090",
        "meshward coverage --policy meshward.yaml --declare > declared.rules.yaml",
        "meshward coverage --policy meshward.yaml --declare prometheusrule | kubectl apply -f -",
      ),
    )
    .action(async (options: CoverageOptions) => exit(await coverageCommand(options, io)));
}
