import { Option } from "commander";
import type { Command } from "commander";
import { packageVersion } from "../package.ts";
import type { Collector } from "../report/client.ts";
import type { FailStage, ReportFormat } from "../report/report.ts";
import { UsageError, asUsage, closeOutput, openOutput, readText } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { example } from "./options.ts";

interface ReportOptions {
  collector: string;
  format: ReportFormat;
  out: string;
  request?: string;
  policy?: string;
  failOn?: FailStage;
}

async function reportCommand(options: ReportOptions, io: Io): Promise<number> {
  const [{ parseTokens }, { collectorAt, parseBase }, { failures, reportText }, { countsOf, findingLine }] =
    await Promise.all([
      import("../../collector/tokens.ts"),
      import("../report/client.ts"),
      import("../report/report.ts"),
      import("../report/text.ts"),
    ]);
  const address = asUsage(() => parseBase(options.collector), "--collector");
  // The collector's own variable may hold several with names; any of them reads.
  const text = io.env.MESHWARD_READ_TOKEN ?? "";
  const token = text === "" ? undefined : asUsage(() => parseTokens(text, "read")[0]!.value, "MESHWARD_READ_TOKEN");
  const collector = collectorAt(address, token);
  if (options.request !== undefined) return reportRequest(collector, options.request, options, io);
  if (options.policy !== undefined)
    throw new UsageError("--policy says where a request was decided: it needs --request");
  const findings = await collector.findings();
  const report = { findings, collector: address.origin, now: new Date(), version: packageVersion() };
  const output = await openOutput(options.out, [], io);
  output.write(reportText(report, options.format));
  await closeOutput(output, io);
  if (options.failOn === undefined) return 0;
  const failed = failures(report, options.failOn);
  if (failed.length === 0) return 0;
  // The text on standard output has said it.
  if (options.format !== "text" || options.out !== "-") {
    for (const finding of failed) io.stderr.write(`${findingLine(finding)}\n`);
  }
  io.stderr.write(`meshward report: --fail-on ${options.failOn}: ${countsOf(failed)}\n`);
  return 1;
}

/** `report --request`: what is known of one request. */
async function reportRequest(
  collector: Collector,
  id: string,
  { format, out, policy, failOn }: ReportOptions,
  io: Io,
): Promise<number> {
  if (format === "html" || format === "sarif") {
    throw new UsageError(`--request is told as text or json, not as ${format}`);
  }
  if (failOn !== undefined) throw new UsageError("--fail-on looks at all findings: leave out --request");
  const { requestJson, requestText } = await import("../report/request.ts");
  const file = policy === undefined ? null : { name: policy, text: readText("policy", policy) };
  // As it stands on a block page: a URN. The collector keeps ids in lower case.
  const wanted = id
    .trim()
    .toLowerCase()
    .replace(/^urn:uuid:/, "");
  const events = await collector.events(wanted);
  if (events.length === 0) {
    const why = "nothing was found in it, or it is not there yet, or it is older than the collector's retention";
    throw new UsageError(`--request ${JSON.stringify(wanted)}: no event has this id: ${why}`);
  }
  const fingerprints = [...new Set(events.map(({ fingerprint }) => fingerprint))];
  const findings = new Map(
    await Promise.all(fingerprints.map(async (one) => [one, await collector.finding(one)] as const)),
  );
  const found = events.map((event) => ({ event, finding: findings.get(event.fingerprint)! }));
  const text = format === "json" ? requestJson(wanted, found) : requestText(found, file);
  const output = await openOutput(out, policy === undefined ? [] : [policy], io);
  output.write(text);
  await closeOutput(output, io);
  return 0;
}

export function addReport(program: Command, io: Io, exit: Exit): void {
  program
    .command("report")
    .description("tell what a collector has found, or what became of one request")
    .option("--collector <url>", "where it listens; the token is in MESHWARD_READ_TOKEN", "http://127.0.0.1:4318")
    .addOption(
      new Option("--format <format>", "form of the report; sarif is for code scanning")
        .choices(["text", "json", "html", "sarif"])
        .default("text"),
    )
    .option("--out <file>", "where the report goes", "-")
    .option("--request <id>", "only what is known of the request with this id, as it stands on a block page")
    .option("--policy <file>", "with --request: name the lines of this policy that decided")
    .addOption(
      new Option("--fail-on <stage>", "exit code 1 where an open finding has come so far").choices([
        "likely",
        "confirmed",
      ]),
    )
    .addHelpText(
      "after",
      example(
        "meshward report --format sarif --out findings.sarif --fail-on confirmed",
        "meshward report --request 0f8fad5b-d9cb-469f-a165-70867728950e --policy meshward.yaml",
      ),
    )
    .action(async (options: ReportOptions) => exit(await reportCommand(options, io)));
}
