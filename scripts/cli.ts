#!/usr/bin/env node
/**
 * The command `meshward`: the only reader of the command line and the environment. It opens files, hands data to the
 * folders that do the work, and turns what they say into text and an exit code: 0 success, 1 a check that found
 * something, 2 a mistake in the command or its input, told in one line on stderr.
 */
import { createReadStream, createWriteStream, readFileSync, realpathSync, statSync } from "node:fs";
import { chmod, rename, rm, stat, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { basename, dirname, join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Documents } from "../collector/drift.ts";
import { PAGES } from "./bench/children.ts";
import type { Pages } from "./bench/children.ts";
import { corpusFiles } from "./bench/corpus-files.ts";
import { GROWTH_PARTS } from "./bench/growth-policies.ts";
import type { GrowthPart } from "./bench/growth-policies.ts";
import { TEST_NAMES } from "./bench/payloads.ts";
import type { TestName } from "./bench/payloads.ts";
import { RULE_FORMS } from "./monitoring/rules-text.ts";
import type { RuleForm } from "./monitoring/rules-text.ts";
import { FORMATS } from "./import/import.ts";
import type { Format } from "./import/import.ts";
import { FAIL_STRATEGIES, HOLDS, TRAFFIC } from "../istio/options.ts";
import { TARGETS } from "./istio/options.ts";
import type { IstioFlags } from "./istio/options.ts";
import { moduleDigest, modulePath, packageVersion, readModule } from "./package.ts";
import { compilePolicy } from "./policy/compile.ts";
import { PolicyError, formatIssue, loadPolicy, parsePolicy, policyFrom } from "./policy/load.ts";
import { MODES, SCHEMA_VERSION, SENSITIVITIES } from "./policy/schema.ts";
import type { Mode, Policy } from "./policy/schema.ts";
import type { Collector } from "./report/client.ts";
import type { FailStage, ReportFormat } from "./report/report.ts";
import type { Exchange } from "./scan/exchange-line.ts";
import { setMode } from "./policy/set-mode.ts";
import type { Check, Result } from "./verify/verify.ts";

/** What the command works on; the process's own streams, or a test's. */
export interface Io {
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  env: NodeJS.ProcessEnv;
}

/** A mistake of the user: one line, exit code 2. */
class UsageError extends Error {}

/** How long `--version` looks for Envoy; a container engine that hangs must not hold it up. */
const VERSION_TIMEOUT_MS = 2_000;
const INTERRUPTED = 130;
const DEFAULTS = {
  upstream: "http://127.0.0.1:3000",
  listen: "127.0.0.1:10000",
  admin: "127.0.0.1:9901",
  collector: "http://127.0.0.1:4318",
  prometheus: "http://127.0.0.1:9090",
  collectorListen: "127.0.0.1:4318",
  database: "meshward-data",
};

const FILE_FAULTS: Record<string, string> = {
  ENOENT: "no such file or folder",
  EISDIR: "is a folder, not a file",
  ENOTDIR: "a part of the path is a file, not a folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EEXIST: "exists already",
};

/** One line for a file that could not be used. */
function fileError(what: string, path: string, error: unknown): UsageError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new UsageError(`${what} ${path}: ${FILE_FAULTS[code ?? ""] ?? message}`);
}

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw fileError(what, path, error);
  }
}

/** The policy in a file, or the one of all defaults. */
function policyIn(path: string | undefined): Policy {
  return path === undefined ? policyFrom({}) : parsePolicy(readText("policy", path), path);
}

/** Opens what a command reads: a file, or standard input for "-". */
function openInput(what: string, path: string, io: Io): Readable {
  if (path === "-") return io.stdin;
  try {
    if (statSync(path).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return createReadStream(path);
  } catch (error) {
    throw fileError(what, path, error);
  }
}

/** Opens what a command writes; a file that is also read would be emptied before. */
async function openOutput(path: string, inputs: readonly string[], io: Io, option = "--out"): Promise<Writable> {
  if (path === "-") return io.stdout;
  const identity = async (file: string): Promise<string | null> => {
    const found = file === "-" ? null : await stat(file).catch(() => null);
    return found?.isFile() ? `${found.dev}:${found.ino}` : null;
  };
  const written = await identity(path);
  if (written !== null && (await Promise.all(inputs.map(identity))).includes(written)) {
    throw new UsageError(`${option} ${path}: is the input itself; give another file`);
  }
  const output = createWriteStream(path);
  try {
    await once(output, "open");
  } catch (error) {
    throw fileError(option, path, error);
  }
  return output;
}

/** The values of an option that may be given again. */
const again = (value: string, values: readonly string[] = []): string[] => [...values, value];

/** Waits until everything is written; standard output stays open. */
async function closeOutput(output: Writable, io: Io): Promise<void> {
  if (output === io.stdout) return;
  output.end();
  await finished(output);
}

/** Replaces a file in one step, keeping its permissions; a link is followed. */
async function replaceFile(path: string, text: string): Promise<void> {
  const target = realpathSync(path);
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}`);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await chmod(temporary, (await stat(target)).mode);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError("policy", path, error);
  }
}

/** Runs `work` until it ends or the user interrupts; then `stop` makes it end. True where it was interrupted. */
async function interruptible(stop: () => void, work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  const controller = new AbortController();
  const interrupt = (): void => {
    controller.abort();
    stop();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, interrupt);
  try {
    await work(controller.signal);
  } catch (error) {
    // A stream that was closed under the work's hands is how it was told to stop.
    if (!controller.signal.aborted) throw error;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
  return controller.signal.aborted;
}

/** The Envoy that would be used, as text; downloads nothing. */
async function envoyFound(env: NodeJS.ProcessEnv): Promise<string> {
  const { surveyEnvoy } = await import("./envoy/resolve.ts");
  const timeout = new Promise<null>((done) => void setTimeout(done, VERSION_TIMEOUT_MS, null).unref());
  const survey = await Promise.race([surveyEnvoy(env), timeout]);
  if (survey === null) return "not known; see meshward doctor";
  const found = survey.find((attempt) => attempt.found);
  return found === undefined ? "not found; see meshward doctor" : `${found.detail} (${found.choice})`;
}

async function versionText(env: NodeJS.ProcessEnv): Promise<string> {
  let digest: string;
  try {
    digest = `sha256:${moduleDigest().slice(0, 12)}`;
  } catch {
    digest = "not built";
  }
  const lines = [
    ["meshward", packageVersion()],
    ["module", digest],
    ["schema", String(SCHEMA_VERSION)],
    ["envoy", await envoyFound(env)],
  ];
  return lines.map(([name, value]) => `${name!.padEnd(10)}${value}\n`).join("");
}

interface ScanOptions {
  policy?: string;
  in: string;
  out: string;
}

async function scanCommand(options: ScanOptions, io: Io): Promise<number> {
  const [{ createEngine }, { scan }] = await Promise.all([import("./scan/engine.ts"), import("./scan/scan.ts")]);
  const engine = await createEngine(policyIn(options.policy), readModule());
  const input = openInput("--in", options.in, io);
  const output = await openOutput(options.out, [options.in], io);
  let bad = 0;
  const isInterrupted = await interruptible(
    () => input.destroy(),
    async (signal) => void ({ bad } = await scan(input, output, engine, signal)),
  );
  await closeOutput(output, io);
  if (isInterrupted) return INTERRUPTED;
  if (bad === 0) return 0;
  throw new UsageError(`${bad} ${bad === 1 ? "line" : "lines"} could not be used; the output says why ("error")`);
}

interface ImportOptions {
  format: Format;
  out: string;
}

async function importCommand(file: string, { format, out }: ImportOptions, io: Io): Promise<number> {
  const { importLog, summaryText } = await import("./import/import.ts");
  const input = openInput("log", file, io);
  const output = await openOutput(out, [file], io);
  const write = async (line: string): Promise<void> => {
    if (!output.write(`${line}\n`)) await once(output, "drain");
  };
  const fault = (place: string, error: string): void => void io.stderr.write(`${file}: ${place}: ${error}\n`);
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
    import("./scan/engine.ts"),
    import("./tune/tune.ts"),
    import("./tune/text.ts"),
    import("./tune/threshold.ts"),
  ]);
  const policy = policyIn(options.policy);
  const engine = await createEngine(policy, readModule());
  const input = openInput("--in", options.in, io);
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

interface VerifyOptions {
  policy?: string;
  cases: string;
  through?: string;
  format: "text" | "junit" | "sarif";
  out: string;
}

async function verifyCommand(options: VerifyOptions, io: Io): Promise<number> {
  const { offline, through, verify } = await import("./verify/verify.ts");
  const { exitCodeOf, reportText, summaryOf } = await import("./verify/report.ts");
  const policy = policyIn(options.policy);
  const input = openInput("--cases", options.cases, io);
  const results: Result[] = [];
  let close = (): void => {};
  let check: Check;
  if (options.through === undefined) {
    const { createEngine } = await import("./scan/engine.ts");
    check = offline(await createEngine(policy, readModule()));
  } else {
    const { createSender, parseTarget } = await import("./verify/through.ts");
    const { denialsOf } = await import("./verify/refusal.ts");
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

/** Runs a check of an option's value; what it throws is the user's mistake. */
function asUsage<T>(work: () => T, option: string): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}

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
      const counts = `${routes.length} routes, ${exceptions.length} exceptions, ${workloads.length} workloads`;
      io.stdout.write(`${file}: valid, mode ${mode}, ${counts}, hash ${configuration.policy}\n`);
    }
  }
  return policy === null ? 2 : 0;
}

/** The exchange on the only line of a file. */
async function exchangeIn(path: string, io: Io): Promise<Exchange> {
  const { BadLine, parseExchange, parseJsonLine } = await import("./scan/exchange-line.ts");
  const { lineBatches } = await import("./scan/lines.ts");
  const found: { number: number; bytes: Buffer | null }[] = [];
  for await (const lines of lineBatches(openInput("--request", path, io) as AsyncIterable<Uint8Array>)) {
    found.push(...lines.filter(({ bytes }) => bytes === null || bytes.toString("latin1").trim() !== ""));
    if (found.length > 1) throw new UsageError(`--request ${path}: more than one line; expected one, as for scan`);
  }
  const [line] = found;
  if (line === undefined) throw new UsageError(`--request ${path}: there is no line in it`);
  try {
    if (line.bytes === null) throw new BadLine("the line is too long");
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
    import("./explain/explain.ts"),
    import("./explain/text.ts"),
  ]);
  const text = readText("policy", file);
  parsePolicy(text, file);
  const explanation = await explain(text, file, await exchangeIn(request, io), readModule("checked"));
  io.stdout.write(`${json ? JSON.stringify(explanation, null, 2) : explanationText(explanation, file)}\n`);
  return 0;
}

async function modeCommand(mode: Mode, { policy: file }: { policy: string }, io: Io): Promise<number> {
  const text = readText("policy", file);
  const before = parsePolicy(text, file);
  const changed = setMode(text, mode, file);
  if (changed !== text) await replaceFile(file, changed);
  io.stdout.write(`${file}: mode ${before.mode === mode ? `${mode}, as before` : `${before.mode} -> ${mode}`}\n`);
  // `off` at the top is final; otherwise who set a mode of their own keeps it.
  const own = mode === "off" ? [] : before.routes.filter((route) => route.mode !== undefined && route.mode !== mode);
  const sections = before.workloads.filter((workload) => workload.mode !== undefined && workload.mode !== mode);
  if (own.length + sections.length > 0) {
    io.stderr.write(`note: ${own.length} routes and ${sections.length} workloads keep a mode of their own\n`);
  }
  return 0;
}

async function doctorCommand({ json }: { json?: boolean }, io: Io): Promise<number> {
  const { doctor, doctorText } = await import("./envoy/doctor.ts");
  const report = await doctor(io.env);
  io.stdout.write(`${json ? JSON.stringify(report, null, 2) : doctorText(report)}\n`);
  return report.ok ? 0 : 1;
}

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
      import("../collector/tokens.ts"),
      import("./report/client.ts"),
      import("./report/report.ts"),
      import("./report/text.ts"),
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
  const { requestJson, requestText } = await import("./report/request.ts");
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
      import("./monitoring/declared.ts"),
      import("./monitoring/rules-text.ts"),
    ]);
    io.stdout.write(rulesText([declaredRules(policy)], options.declare, "meshward-declared"));
    return 0;
  }
  const [{ parseBase }, { prometheusAt }, { coverage, coverageText }] = await Promise.all([
    import("./report/client.ts"),
    import("./monitoring/prometheus.ts"),
    import("./monitoring/coverage.ts"),
  ]);
  const address = asUsage(() => parseBase(options.prometheus, "MESHWARD_PROMETHEUS_TOKEN"), "--prometheus");
  const ask = prometheusAt(address, io.env.MESHWARD_PROMETHEUS_TOKEN || undefined);
  const found = await coverage(policy, ask, address.href, options.namespace);
  io.stdout.write(`${options.json ? JSON.stringify(found, null, 2) : coverageText(found)}\n`);
  return found.counts.protected === found.workloads.length ? 0 : 1;
}

interface EnvoyOptions {
  policy?: string;
  out: string;
  upstream: string;
  listen: string;
  admin: string;
  root?: string;
  http2?: boolean;
  dynamic?: boolean;
  outbound?: string;
  metrics?: string;
  service?: string;
  filter: boolean;
}

async function envoyCommand(options: EnvoyOptions, io: Io): Promise<number> {
  const [{ BOOTSTRAP_FILE, parseUpstream }, { parseListen }, { writeDirectory }] = await Promise.all([
    import("../envoy/bootstrap.ts"),
    import("./envoy/run.ts"),
    import("./envoy/directory.ts"),
  ]);
  const folder = resolve(options.out);
  const root = options.root ?? folder;
  asUsage(() => parseUpstream(options.upstream), "--upstream");
  const listen = asUsage(() => parseListen(options.listen), "--listen");
  const admin = asUsage(() => parseListen(options.admin), "--admin");
  const { service } = options;
  const listenAt = (text: string | undefined, option: string) =>
    text === undefined ? undefined : asUsage(() => parseListen(text), option);
  const outbound = listenAt(options.outbound, "--outbound");
  const metrics = listenAt(options.metrics, "--metrics");
  const compiled = compilePolicy(policyIn(options.policy), { holdHeaders: true });
  readModule();
  const bootstrapOptions = {
    upstream: options.upstream,
    listen,
    admin,
    root,
    accessLog: "stdout",
    protocol: options.http2 ? ("http2" as const) : ("http1" as const),
    dynamic: options.dynamic ?? false,
    filter: options.filter,
    ...(service === undefined ? {} : { service }),
    ...(outbound === undefined ? {} : { outbound }),
    ...(metrics === undefined ? {} : { metrics }),
  };
  let files: string[];
  try {
    files = await writeDirectory(folder, compiled, bootstrapOptions, modulePath());
  } catch (error) {
    throw fileError("--out", options.out, error);
  }
  for (const file of files) io.stdout.write(`${join(options.out, file)}\n`);
  io.stdout.write(`start it: envoy -c ${join(root, BOOTSTRAP_FILE)}\n`);
  return 0;
}

interface ImageOptions {
  out?: string;
  push?: string;
  plainHttp?: boolean;
  collector?: boolean;
  base?: string;
  json?: boolean;
}

async function imageCommand(
  { out, push, plainHttp = false, collector, base, json }: ImageOptions,
  io: Io,
): Promise<number> {
  const [
    { imageReport, imageText, makeCollectorImage, makeModuleImages, pushImages, writeImages },
    { parseReference },
  ] = await Promise.all([import("./image/image.ts"), import("./image/reference.ts")]);
  if (out === undefined && push === undefined) {
    throw new UsageError("say where to: --out DIR, --push REGISTRY/REPOSITORY[:TAG], or both");
  }
  const to = push === undefined ? undefined : asUsage(() => parseReference(push), "--push");
  const tag = to?.tag ?? undefined;
  if (base !== undefined && !collector)
    throw new UsageError("--base is what the collector is built on: it needs --collector");
  const made = collector ? await makeCollectorImage(tag, base) : await makeModuleImages(tag);
  for (const note of made.notes) io.stderr.write(`note: ${note}\n`);
  if (out !== undefined) {
    try {
      await writeImages(made, out);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === undefined ? error : fileError("--out", out, error);
    }
  }
  if (to !== undefined) {
    const progress = (line: string): void => void io.stderr.write(`pushed ${line}\n`);
    await pushImages(made, to, { plainHttp, env: io.env, progress });
  }
  const report = imageReport(made, to);
  io.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : imageText(report));
  return 0;
}

interface IstioOptions extends IstioFlags {
  policy?: string;
  out: string;
}

/** Every proxy gets the configuration with each change, and holds it as often as it has workers. */
const LARGE_CONFIGURATION = 64 * 1024;
/** What the module takes (assembly/abi/inbox.ts). */
const LARGEST_CONFIGURATION = 1024 * 1024;

async function istioCommand(flags: IstioOptions, io: Io): Promise<number> {
  const [{ readIstioOptions }, { resourceFiles }, { ForeignFile, writeResources }] = await Promise.all([
    import("./istio/options.ts"),
    import("../istio/resources.ts"),
    import("./istio/directory.ts"),
  ]);
  const policy = policyIn(flags.policy);
  const namespaces = policy.workloads.flatMap(({ namespace = [] }) => namespace);
  const options = readIstioOptions(flags, namespaces, moduleDigest);
  const files = resourceFiles(compilePolicy(policy, { holdHeaders: options.hold === "full" }), options);
  for (const { path, configurationBytes = 0 } of files) {
    const size = `${path}: the plugin's configuration has ${Math.ceil(configurationBytes / 1024)} KiB`;
    const way = "--target namespace leaves out the sections of other namespaces";
    if (configurationBytes > LARGEST_CONFIGURATION) {
      throw new UsageError(`${size}, and the module takes ${LARGEST_CONFIGURATION / 1024}: ${way}`);
    }
    if (configurationBytes > LARGE_CONFIGURATION) {
      io.stderr.write(`meshward istio: ${size}, above ${LARGE_CONFIGURATION / 1024}, for each proxy: ${way}\n`);
    }
  }
  const module = options.module.kind === "configmap" ? readModule() : null;
  try {
    for (const { path, change } of await writeResources(resolve(flags.out), files, module)) {
      io.stdout.write(`${join(flags.out, path)}${change === "written" ? "" : ` (${change})`}\n`);
    }
  } catch (error) {
    if (error instanceof ForeignFile) throw new UsageError(`--out ${flags.out}: ${error.message}`);
    throw fileError("--out", flags.out, error);
  }
  io.stdout.write(`apply it: kubectl apply --server-side -k ${flags.out}\n`);
  return 0;
}

interface RunCommandOptions {
  upstream: string;
  listen?: string;
  policy?: string;
  mode?: Mode;
  backend: "auto" | "process" | "container";
  events?: string;
  outbound?: string;
  service?: string;
}

async function runCommand(options: RunCommandOptions, io: Io): Promise<number> {
  const { runUntilStopped } = await import("./envoy/run.ts");
  return runUntilStopped(
    { ...options, env: io.env },
    {
      out: (line) => void io.stdout.write(`${line}\n`),
      err: (line) => void io.stderr.write(`meshward run: ${line}\n`),
    },
  );
}

interface BenchCommandOptions {
  rounds: number;
  workers: number;
  seconds: number;
  tests: readonly TestName[];
  latency: boolean;
  observe: string;
  pages: Pages;
  json?: boolean;
}

async function benchEnvoyCommand({ json, ...options }: BenchCommandOptions, io: Io): Promise<number> {
  const [{ benchEnvoy }, { benchText }] = await Promise.all([
    import("./bench/envoy.ts"),
    import("./bench/envoy-text.ts"),
  ]);
  const progress = (line: string): void => void io.stderr.write(`${line}\n`);
  const result = await benchEnvoy({ ...options, env: io.env, progress });
  io.stdout.write(`${json ? JSON.stringify(result) : benchText(result)}\n`);
  return 0;
}

interface EngineOptions {
  rounds: number;
  longest: number;
  scale?: boolean;
  json?: boolean;
}

async function benchEngineCommand({ json, scale, ...options }: EngineOptions, io: Io): Promise<number> {
  const progress = (line: string): void => void io.stderr.write(`${line}\n`);
  if (scale) {
    const { benchScale, scaleText } = await import("./bench/engine-scale.ts");
    const result = await benchScale({ ...options, progress });
    io.stdout.write(`${json ? JSON.stringify(result) : scaleText(result)}\n`);
    return 0;
  }
  const { benchEngine, engineText } = await import("./bench/engine.ts");
  const result = await benchEngine({ ...options, progress });
  io.stdout.write(`${json ? JSON.stringify(result) : engineText(result)}\n`);
  return 0;
}

interface GrowthCommandOptions {
  rounds: number;
  requests: number;
  most: number;
  parts: readonly GrowthPart[];
  json?: boolean;
}

async function benchGrowthCommand({ json, ...options }: GrowthCommandOptions, io: Io): Promise<number> {
  const { benchGrowth, growthText } = await import("./bench/growth.ts");
  const progress = (line: string): void => void io.stderr.write(`${line}\n`);
  const result = await benchGrowth({ ...options, env: io.env, progress });
  io.stdout.write(`${json ? JSON.stringify(result) : growthText(result)}\n`);
  return 0;
}

interface QualityOptions {
  policy?: string;
  sensitivity?: Policy["sensitivity"];
  misses?: string;
  json?: boolean;
}

/** The files of a corpus that `path` names; there is one at least. */
function corpusIn(path: string): string[] {
  let files: string[];
  try {
    files = corpusFiles(path);
  } catch (error) {
    throw fileError("corpus", path, error);
  }
  if (files.length === 0) throw new UsageError(`${path}: there are no .jsonl files in it`);
  return files;
}

async function benchQualityCommand(paths: string[], options: QualityOptions, io: Io): Promise<number> {
  const [{ createEngine }, { newTally, qualityOf, qualityText, tallyFile }] = await Promise.all([
    import("./scan/engine.ts"),
    import("./bench/quality.ts"),
  ]);
  const policy = policyIn(options.policy);
  const sensitivity = options.sensitivity ?? policy.sensitivity;
  const files = paths.flatMap(corpusIn);
  const engine = await createEngine({ ...policy, sensitivity }, readModule());
  const misses = options.misses === undefined ? null : await openOutput(options.misses, files, io, "--misses");
  const tally = newTally();
  let input: Readable | null = null;
  const isInterrupted = await interruptible(
    () => input?.destroy(),
    async (signal) => {
      for (const file of files) {
        if (signal.aborted) break;
        io.stderr.write(`${file}\n`);
        input = openInput("corpus", file, io);
        await tallyFile(input, file, engine, tally, (record, judgement) => {
          misses?.write(`${JSON.stringify({ record, judgement })}\n`);
        });
      }
    },
  );
  if (misses !== null) await closeOutput(misses, io);
  if (isInterrupted) return INTERRUPTED;
  const quality = qualityOf(tally);
  if (quality.counts.attacks + quality.counts.ordinary + quality.counts.hard === 0) {
    throw new UsageError(`${paths.join(", ")}: there are no records in it`);
  }
  io.stdout.write(`${options.json ? JSON.stringify(quality) : qualityText(quality)}\n`);
  return 0;
}

interface CollectorOptions {
  listen: string;
  database: string;
  retention: string;
  host: string[];
  libraries?: string;
  openapi: string[];
}

/** The documents of `SERVICE=FILE` options, by service. */
async function documentsIn(options: readonly string[]): Promise<Documents> {
  const { DocumentError, readDocument } = await import("../collector/document.ts");
  return new Map(
    options.map((option) => {
      const at = option.indexOf("=");
      const [service, path] = [option.slice(0, at), option.slice(at + 1)];
      if (at < 1 || path === "") throw new UsageError(`--openapi ${option}: expected SERVICE=FILE`);
      const text = readText("--openapi", path);
      try {
        return [service, readDocument(text)];
      } catch (error) {
        if (!(error instanceof DocumentError)) throw error;
        throw new UsageError(`--openapi ${path}: ${error.message}`);
      }
    }),
  );
}

async function collectorCommand(options: CollectorOptions, io: Io): Promise<number> {
  const [{ startCollector }, { readLibraries }, { parseRetention }, { parseTokens }, { parseListen }] =
    await Promise.all([
      import("../collector/collector.ts"),
      import("../collector/dependencies/retire.ts"),
      import("../collector/retention.ts"),
      import("../collector/tokens.ts"),
      import("./envoy/run.ts"),
    ]);
  const retentionSeconds = parseRetention(options.retention);
  if (retentionSeconds === null) throw new UsageError(`--retention ${options.retention}: expected 30d, 12h or 90m`);
  const tokensIn = (variable: string, name: string): ReturnType<typeof parseTokens> => {
    const text = io.env[variable];
    return text === undefined || text === "" ? [] : asUsage(() => parseTokens(text, name), variable);
  };
  const log = (line: string): void => void io.stderr.write(`meshward collector: ${line}\n`);
  const file = options.libraries;
  const text = file === undefined ? null : readText("libraries", file);
  const libraries = text === null ? null : asUsage(() => readLibraries(text), `--libraries ${file}`);
  if (libraries !== null) {
    log(`${libraries.count} libraries of ${file}`);
    if (libraries.unread.length > 0) {
      log(`${libraries.unread.length} expressions and ranges of it are left out, the first: ${libraries.unread[0]}`);
    }
  }
  // Before it starts, which may take seconds: as the first process of a container it would not be ended by a signal that it does not take.
  const asked = Promise.race(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => once(process, signal)));
  const collector = await startCollector({
    ...asUsage(() => parseListen(options.listen), "--listen"),
    database: options.database,
    retentionSeconds,
    ingestTokens: tokensIn("MESHWARD_INGEST_TOKEN", "ingest"),
    readTokens: tokensIn("MESHWARD_READ_TOKEN", "read"),
    hosts: options.host,
    libraries,
    documents: await documentsIn(options.openapi),
    log,
  });
  const { url, madeToken } = collector;
  const lines = [
    ["events", `${url}/v1/logs`],
    ["page", madeToken === null ? `${url}/` : `${url}/#token=${madeToken}`],
    ...(madeToken === null ? [] : [["token", "made for this run; set MESHWARD_READ_TOKEN for one that stays"]]),
  ];
  io.stdout.write(lines.map(([name, value]) => `${name!.padEnd(8)}${value}\n`).join(""));
  await asked;
  await collector.stop();
  return 0;
}

/** A number above 0 and up to `most`, whole where `whole` says so. */
const positive =
  (whole: boolean, most = 3600) =>
  (text: string): number => {
    const value = Number(text);
    if (value > 0 && value <= most && (!whole || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`expected a ${whole ? "whole " : ""}number above 0, up to ${most}`);
  };

/** Reads a list of names out of `known`. */
const namesOf =
  <Name extends string>(known: readonly Name[]) =>
  (text: string): Name[] =>
    text.split(",").map((asked) => {
      const name = known.find((one) => one === asked.trim());
      if (name === undefined) throw new InvalidArgumentError(`expected names of ${known.join(",")}`);
      return name;
    });

interface DemoOptions {
  once?: boolean;
  observe?: boolean;
  seconds: number;
  listen?: string;
}

async function demoCommand({ observe, seconds, ...options }: DemoOptions, io: Io): Promise<number> {
  const told = {
    out: (line: string) => void io.stdout.write(`${line}\n`),
    err: (line: string) => void io.stderr.write(`meshward demo: ${line}\n`),
    // https://no-color.org: any value but the empty one.
    isColored: "isTTY" in io.stdout && io.stdout.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== "dumb",
  };
  if (observe) {
    const { observeUntilStopped } = await import("./demo/observe.ts");
    return observeUntilStopped({ ...options, seconds, env: io.env }, told);
  }
  const { demoUntilStopped } = await import("./demo/demo.ts");
  return demoUntilStopped({ ...options, env: io.env }, told);
}

const example = (...lines: string[]): string => `\nExample:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;

/** The commands; each puts its exit code into `exit`. */
function commandLine(io: Io, exit: (code: number) => void): Command {
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
  const policyOption = ["--policy <file>", "policy file; without it all defaults hold (detect mode)"] as const;

  program
    .command("run")
    .description("protect one HTTP service now: find Envoy, start it before the service, print what it finds")
    .requiredOption("--upstream <url>", "the service, as http://HOST:PORT or https://HOST:PORT")
    .option("--listen <host:port>", "address to use instead of the service's (default: 127.0.0.1:8080, or a free port)")
    .option(...policyOption)
    .addOption(new Option("--mode <mode>", "stands above the policy's own mode").choices(MODES))
    .addOption(
      new Option("--backend <kind>", "how to run Envoy").choices(["auto", "process", "container"]).default("auto"),
    )
    .option(
      "--events <url>",
      "also send findings to this OpenTelemetry collector (OTLP/HTTP), whatever the policy says",
    )
    .option(
      "--outbound <host:port>",
      "also take the service's own calls there, as its HTTP proxy; observed, never refused",
    )
    .option("--service <name>", "the service's name in findings and in workloads of the policy", "meshward")
    .addHelpText("after", example("meshward run --upstream http://127.0.0.1:3000 --policy meshward.yaml"))
    .action(async (options: RunCommandOptions) => exit(await runCommand(options, io)));

  program
    .command("demo")
    .description("run before a vulnerable sample shop: a tour of attacks and look-alikes, with the filter off and on")
    .option("--once", "end after the tour; exit code 0 only if all is as promised")
    .option("--observe", "three services with planted flaws behind sidecars, and what the collector finds of them")
    .option("--seconds <n>", "with --observe: how long ordinary traffic lasts", positive(true, 3_600), 60)
    .option("--listen <host:port>", "address of the loopback to use (default: 127.0.0.1:8080, or a free port)")
    .addHelpText("after", example("meshward demo --once", "meshward demo --observe"))
    .action(async (options: DemoOptions) => exit(await demoCommand(options, io)));

  program
    .command("scan")
    .description("judge HTTP exchanges offline: JSON Lines in, a verdict a line out")
    .option(...policyOption)
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

  program
    .command("import")
    .description("make lines for scan and tune of another tool's log; secrets are masked, what the log lacks is told")
    .argument("<file>", "the log; - for stdin")
    .addOption(new Option("--format <format>", "what wrote it").choices(FORMATS).makeOptionMandatory())
    .option("--out <file>", "where the lines go", "-")
    .addHelpText("after", example("meshward import --format modsec-audit modsec_audit.log --out exchanges.jsonl"))
    .action(async (file: string, options: ImportOptions) => exit(await importCommand(file, options, io)));

  program
    .command("tune")
    .description("say what a policy would refuse in recorded requests, and print exceptions for it")
    .requiredOption("--in <file>", "requests, one JSON object a line as for scan; - for stdin")
    .option(...policyOption)
    .option("--min-clients <n>", "exceptions only for what so many clients have sent", positive(true), 2)
    .option("--out <file>", "where the exceptions go (default: behind the table)")
    .addHelpText("after", example("meshward tune --in exchanges.jsonl --policy meshward.yaml --out exceptions.yaml"))
    .action(async (options: TuneOptions) => exit(await tuneCommand(options, io)));

  program
    .command("verify")
    .description("check a policy against cases: scan lines with what is expected of them")
    .option(...policyOption)
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

  program
    .command("collector")
    .description("take events of sidecars, keep what they found, and serve page, API and metrics")
    .option("--listen <host:port>", "where it listens", DEFAULTS.collectorListen)
    .option("--database <place>", "a folder for the embedded database, or postgres://…", DEFAULTS.database)
    .option("--retention <time>", "how long events are kept, as 30d, 12h or 90m", "30d")
    .option(
      "--host <name>",
      "another host name to answer to; may be given again",
      (name, all: string[]) => [...all, name],
      [],
    )
    .option("--libraries <file>", "libraries with known flaws beside those that come along, in the form of retire.js")
    .option(
      "--openapi <service=file>",
      "the OpenAPI document of a service, or of namespace/service: what runs is held against it; may be given again",
      (given, all: string[]) => [...all, given],
      [],
    )
    .addHelpText(
      "after",
      `
Environment:
  MESHWARD_INGEST_TOKEN  the token that sidecars send; without it events are taken of the own machine only
  MESHWARD_READ_TOKEN    the token for page, API and metrics; without it one is made and printed
${example(
  "meshward collector",
  "meshward collector --listen 0.0.0.0:4318 --host collector.mesh --database postgres://meshward@db/meshward",
)}`,
    )
    .action(async (options: CollectorOptions) => exit(await collectorCommand(options, io)));

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

  program
    .command("mode")
    .description("change the mode of a policy file; whoever runs it has it in force at once")
    .addArgument(new Argument("<mode>", "the new mode").choices(MODES))
    .requiredOption("--policy <file>", "the policy file")
    .addHelpText("after", example("meshward mode block --policy meshward.yaml"))
    .action(async (mode: Mode, options: { policy: string }) => exit(await modeCommand(mode, options, io)));

  program
    .command("report")
    .description("tell what a collector has found, or what became of one request")
    .option("--collector <url>", "where it listens; the token is in MESHWARD_READ_TOKEN", DEFAULTS.collector)
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

  program
    .command("coverage")
    .description("hold what runs, as Prometheus has scraped it, against the policy: exit code 1 on a gap")
    .requiredOption("--policy <file>", "the policy that should be in force")
    .option(
      "--prometheus <url>",
      "where it listens, with its path if it has one; a token is in MESHWARD_PROMETHEUS_TOKEN",
      DEFAULTS.prometheus,
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

  program
    .command("doctor")
    .description("look for everything that is needed to run, and say what is missing")
    .option("--json", "print one JSON document")
    .addHelpText("after", example("meshward doctor"))
    .action(async (options: { json?: boolean }) => exit(await doctorCommand(options, io)));

  const bench = program
    .command("bench")
    .description("measure")
    .helpCommand(false)
    .addHelpText("after", example("meshward bench envoy", "meshward bench quality corpus/"));
  bench
    .command("quality")
    .description("detection on labelled records: attacks refused by class, benign requests refused by kind")
    .argument("<path...>", "files of JSON Lines, or folders of .jsonl files; docs/tuning.md has the form")
    .option(...policyOption)
    .addOption(new Option("--sensitivity <level>", "stands above the policy's own").choices(SENSITIVITIES))
    .option("--misses <file>", "write each attack that passed and each benign request that was refused, as JSON Lines")
    .option("--json", "print one JSON document")
    .addHelpText("after", example("meshward bench quality --sensitivity high --misses misses.jsonl corpus/"))
    .action(async (paths: string[], options: QualityOptions) => exit(await benchQualityCommand(paths, options, io)));
  bench
    .command("envoy")
    .description(
      "CPU time, latency and throughput of Envoy: without Meshward, with a filter that only reads, with Meshward",
    )
    .option("--rounds <n>", "times that everything is measured; medians are reported", positive(true), 3)
    .option("--workers <n>", "worker threads of each Envoy", positive(true), 1)
    .option("--seconds <n>", "about how long a test runs on bare Envoy in a round", positive(false), 2)
    .option("--tests <names>", `some of ${TEST_NAMES.join(",")} (default: all)`, namesOf(TEST_NAMES), [...TEST_NAMES])
    .option("--observe <share>", "share of exchanges that are observed", "10%")
    .addOption(new Option("--pages <which>", "what the service answers with each time").choices(PAGES).default("same"))
    .option("--no-latency", "leave out the latency at half of bare Envoy's throughput")
    .option("--json", "print one JSON document")
    .addHelpText("after", example("meshward bench envoy --rounds 5 --tests get,form1k"))
    .action(async (options: BenchCommandOptions) => exit(await benchEnvoyCommand(options, io)));

  bench
    .command("engine")
    .description("time of the engine's parts, as multiples of a table walk over the same bytes")
    .option("--rounds <n>", "turns of each part; the shortest counts", positive(true), 7)
    .option("--longest <bytes>", "length up to which hostile inputs are tried", positive(true, 1_048_576), 1_048_576)
    .option(
      "--scale",
      "instead, how each decoder, parser and detector grows with the length of hostile inputs: minutes",
    )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      example(
        "meshward bench engine",
        "meshward bench engine --longest 65536 --json",
        "meshward bench engine --scale --rounds 2",
      ),
    )
    .action(async (options: EngineOptions) => exit(await benchEngineCommand(options, io)));
  bench
    .command("collector")
    .description("events a second that the collector stores in its embedded database")
    .option("--events <n>", "events to store", positive(true, 10_000_000), 100_000)
    .option("--batch <n>", "events of a request", positive(true, 5_000), 200)
    .option("--json", "print one JSON document")
    .addHelpText("after", example("meshward bench collector"))
    .action(async ({ events, batch, json }: { events: number; batch: number; json?: boolean }) => {
      const { benchCollector } = await import("./bench/collector.ts");
      const figures = await benchCollector(events, batch);
      const [rate, cpu] = [figures.eventsPerSecond.toFixed(0), figures.cpuMicroseconds.toFixed(0)];
      const text = `${figures.events} events in requests of ${batch}: ${rate} a second, ${cpu} µs of CPU each`;
      io.stdout.write(`${json ? JSON.stringify(figures) : text}\n`);
      exit(0);
    });
  bench
    .command("growth")
    .description("CPU time of Envoy for a request by the entries of the policy, the streams beside it and the workers")
    .option("--rounds <n>", "turns of each comparison; the median of their ratios counts", positive(true), 9)
    .option("--requests <n>", "requests of a turn", positive(true), 2_000)
    .option("--most <n>", "entries and streams up to which it is measured", positive(true, 10_000), 10_000)
    .option("--parts <names>", `some of ${GROWTH_PARTS.join(",")} (default: all)`, namesOf(GROWTH_PARTS), [
      ...GROWTH_PARTS,
    ])
    .option("--json", "print one JSON document")
    .addHelpText("after", example("meshward bench growth", "meshward bench growth --parts policies --json"))
    .action(async (options: GrowthCommandOptions) => exit(await benchGrowthCommand(options, io)));

  program
    .command("envoy")
    .description("write a folder that Envoy runs from; written again, the new policy is in force at once")
    .option(...policyOption)
    .requiredOption("--out <dir>", "the folder")
    .option("--upstream <url>", "the service behind", DEFAULTS.upstream)
    .option("--listen <host:port>", "where Envoy listens", DEFAULTS.listen)
    .option("--admin <host:port>", "where Envoy's admin interface listens", DEFAULTS.admin)
    .option("--root <path>", "the folder as Envoy sees it, in a container for example (default: the folder itself)")
    .option("--http2", "speak HTTP/2 to the service, for gRPC")
    .option("--dynamic", "put listener and cluster into files of their own, so that they too can be changed")
    .option(
      "--outbound <host:port>",
      "also take the service's own calls there, as its HTTP proxy; observed, never refused",
    )
    .option("--metrics <host:port>", "also answer /stats/prometheus and /ready there, for Prometheus and probes")
    .option("--service <name>", "the service's name in findings and in workloads of the policy", "meshward")
    .option("--no-filter", "leave Meshward out, all else being equal; Envoy that runs with --dynamic drops it at once")
    .addHelpText("after", example("meshward envoy --policy meshward.yaml --out envoy --upstream http://127.0.0.1:3000"))
    .action(async (options: EnvoyOptions) => exit(await envoyCommand(options, io)));

  program
    .command("image")
    .description(
      "make OCI images of the module, in both forms that Istio takes, or of the collector, with what is in them (SBOM)",
    )
    .option("--out <dir>", "write them there, as an OCI image layout")
    .option("--push <reference>", "push them to REGISTRY/REPOSITORY[:TAG]; without a tag, that of the version")
    .option("--collector", "make an image of the collector instead, with this Node")
    .option("--base <dir>", "with --collector: build on this image of Linux with Node in it, an OCI image layout")
    .option("--plain-http", "push without TLS to a registry that is not on the loopback")
    .option("--json", "print one JSON document: digests and references")
    .addHelpText(
      "after",
      `
Environment:
  DOCKER_CONFIG          the folder of Docker's config.json, with credentials or their helpers (default: ~/.docker)
${example("meshward image --out image", "meshward image --push registry.example/meshward:0.1.0")}`,
    )
    .action(async (options: ImageOptions) => exit(await imageCommand(options, io)));

  const joined = (text: string, before?: string): string => (before === undefined ? text : `${before},${text}`);
  program
    .command("istio")
    .description("write the resources that put Meshward into a mesh of Istio, or into Envoy Gateway")
    .option(...policyOption)
    .requiredOption("--out <dir>", "the folder, with a kustomization; written again, only what changed is touched")
    .option("--module <source>", "where proxies get the module: oci://…@sha256:…, https://… or configmap")
    .option("--sha256 <digest>", "of the image's manifest, or of the file (default: this package's module)")
    .option("--image-pull-secret <name>", "the Secret that the image is pulled with")
    .addOption(new Option("--target <what>", "whose requests are judged").choices(TARGETS).default("mesh"))
    .option(
      "--namespace <names>",
      "where the resources stand, several with commas (for namespace: those of the policy)",
      joined,
    )
    .option("--root-namespace <name>", "the mesh's root namespace, for --target mesh (default: istio-system)")
    .option("--selector <labels>", "pods of a workload or gateway: key=value, several with commas", joined)
    .option(
      "--target-ref <kind/name>",
      "a Gateway, a Service behind a waypoint, a route of Envoy Gateway; several with commas",
      joined,
    )
    .option("--istio <version>", "the mesh's version: from 1.30 on a TrafficExtension, before a WasmPlugin")
    .addOption(
      new Option(
        "--hold <what>",
        "full: an EnvoyFilter, requests are held as a whole; body: Istio's own resource, headers go on",
      ).choices(HOLDS),
    )
    .addOption(
      new Option("--fail-strategy <what>", "what a crash of the module does")
        .choices(FAIL_STRATEGIES)
        .default("FAIL_RELOAD"),
    )
    .addOption(
      new Option("--traffic <mode>", "a sidecar's requests: to the service (default), its own calls, or both").choices(
        TRAFFIC,
      ),
    )
    .option("--ports <ports>", "the only ports that count; several with commas", joined)
    .option("--exclude-ports <ports>", "ports that do not count; several with commas", joined)
    .option(
      "--telemetry <provider>",
      "also a Telemetry: access log through this extension provider, and a metric's label",
    )
    .option("--name <name>", "the name of the resources", "meshward")
    .addHelpText(
      "after",
      example(
        "meshward istio --policy meshward.yaml --out mesh --module oci://registry.example/meshward@sha256:…",
        "meshward istio --policy meshward.yaml --out shop --target namespace --namespace shop --module configmap",
      ),
    )
    .action(async (options: IstioOptions) => exit(await istioCommand(options, io)));

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
  // Whoever reads our output has gone away (`| head`): there is nothing left to do.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 2));
  process.stderr.on("error", () => {});
  process.exitCode = await main(process.argv.slice(2), process);
}
