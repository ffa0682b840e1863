import type { Readable } from "node:stream";
import { Option } from "commander";
import type { Command } from "commander";
import { PAGES } from "../bench/children.ts";
import type { Pages } from "../bench/children.ts";
import { corpusFiles } from "../bench/corpus-files.ts";
import { GROWTH_PARTS } from "../bench/growth-policies.ts";
import type { GrowthPart } from "../bench/growth-policies.ts";
import { TEST_NAMES } from "../bench/payloads.ts";
import type { TestName } from "../bench/payloads.ts";
import { readModule } from "../package.ts";
import { SENSITIVITIES } from "../policy/schema.ts";
import type { Policy } from "../policy/schema.ts";
import {
  INTERRUPTED,
  UsageError,
  closeOutput,
  fileError,
  interruptible,
  openInput,
  openOutput,
  policyIn,
} from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { POLICY_OPTION, example, namesOf, positive } from "./options.ts";

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
    import("../bench/envoy.ts"),
    import("../bench/envoy-text.ts"),
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
    const { benchScale, scaleText } = await import("../bench/engine-scale.ts");
    const result = await benchScale({ ...options, progress });
    io.stdout.write(`${json ? JSON.stringify(result) : scaleText(result)}\n`);
    return 0;
  }
  const { benchEngine, engineText } = await import("../bench/engine.ts");
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
  const { benchGrowth, growthText } = await import("../bench/growth.ts");
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
    import("../scan/engine.ts"),
    import("../bench/quality.ts"),
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
        input = await openInput("corpus", file, io);
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

export function addBench(program: Command, io: Io, exit: Exit): void {
  const bench = program
    .command("bench")
    .description("measure")
    .helpCommand(false)
    .addHelpText("after", example("meshward bench envoy", "meshward bench quality corpus/"));
  bench
    .command("quality")
    .description("detection on labelled records: attacks refused by class, benign requests refused by kind")
    .argument("<path...>", "files of JSON Lines, or folders of .jsonl files; docs/tuning.md has the form")
    .option(...POLICY_OPTION)
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
      const { benchCollector } = await import("../bench/collector.ts");
      const figures = await benchCollector(events, batch);
      const [rate, cpu] = [figures.eventsPerSecond.toFixed(0), figures.cpuMicroseconds.toFixed(0)];
      const text = `${figures.events} events in requests of ${batch}: ${rate} a second, ${cpu} µs of CPU each`;
      io.stdout.write(`${json ? JSON.stringify(figures) : text}\n`);
      exit(0);
    });
  bench
    .command("growth")
    .description(
      "CPU time of Envoy for a request by the entries of the policy, the streams beside it and the workers; its memory by the policy",
    )
    .option("--rounds <n>", "turns of each comparison; the median of their ratios counts", positive(true), 9)
    .option("--requests <n>", "requests of a turn", positive(true), 2_000)
    .option("--most <n>", "entries and streams up to which it is measured", positive(true, 10_000), 10_000)
    .option("--parts <names>", `some of ${GROWTH_PARTS.join(",")} (default: all)`, namesOf(GROWTH_PARTS), [
      ...GROWTH_PARTS,
    ])
    .option("--json", "print one JSON document")
    .addHelpText("after", example("meshward bench growth", "meshward bench growth --parts policies --json"))
    .action(async (options: GrowthCommandOptions) => exit(await benchGrowthCommand(options, io)));
}
