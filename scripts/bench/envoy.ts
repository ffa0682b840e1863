/**
 * `meshward bench envoy`: what Meshward costs in a real Envoy, as CPU time of the Envoy process for a request.
 *
 *   generator ──16 connections──► Envoy ──► upstream (200, 1 KiB)         each a process of its own
 *                                   bare       without the module
 *                                   floor      a module that reads headers and body once and does nothing
 *                                   meshward   block mode, all detectors
 *
 * The three differ in nothing else. In each round each test runs on all three with the same number of requests, in turns
 * of a fraction of a second, so that a machine that slows down for a while slows down all of them alike. The median of
 * its turns is a variant's cost in the round; reported are the medians over the rounds, of costs and of their ratios.
 */
import { parsePrometheus, poll } from "../envoy/admin.ts";
import { resolveEnvoy } from "../envoy/resolve.ts";
import type { RunningEnvoy } from "../envoy/running.ts";
import { startEnvoy } from "../envoy/start.ts";
import { modulePath, readModule } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { policyFrom } from "../policy/load.ts";
import { startGenerator, startUpstream } from "./children.ts";
import type { Generator } from "./children.ts";
import { commitText, machineText } from "./machine.ts";
import { payloadOf } from "./payloads.ts";
import type { Payload, TestName } from "./payloads.ts";
import { checkProc, onCpuNanos, rssMib } from "./proc.ts";

export const VARIANTS = ["bare", "floor", "meshward"] as const;
export type Variant = (typeof VARIANTS)[number];
type PerVariant = Record<Variant, number>;

export interface BenchOptions {
  rounds: number;
  /** About how long a test runs on bare Envoy in a round; the others get as many requests. */
  seconds: number;
  tests: readonly TestName[];
  /** Worker threads of each Envoy. */
  workers: number;
  env: NodeJS.ProcessEnv;
  /** Lines for people while it runs. */
  progress: (line: string) => void;
}

/** One document of `--json`; the names are a contract. */
export interface BenchResult {
  machine: string;
  envoy: string;
  /** Null where the package is not in git. */
  commit: string | null;
  rounds: number;
  workers: number;
  tests: {
    name: TestName;
    /** µs of CPU for a request, median. */
    bare_cpu_us: number;
    /** CPU of the floor, and of Meshward, as multiples of bare: medians of the rounds' ratios. */
    floor_ratio: number;
    ratio: number;
    /** Requests that each variant was measured with, all rounds together. */
    requests: number;
  }[];
  /** After the warm-up. */
  rss_mib: PerVariant;
  /** From the start of the process until it takes requests. */
  start_s: PerVariant;
}

const CONNECTIONS = 16;
/** Parts that a measurement is cut into: a machine that slows down for a second does so for all variants. */
const SLICES = 9;
/** Requests of a measurement, at the least. */
const FEWEST = SLICES * CONNECTIONS;
/** Times that a test is sent before it is measured: V8 compiles what is called often in the background. */
const WARM_UP = 500;
const FLUSH_TIMEOUT_MS = 5_000;

interface Proxy {
  envoy: RunningEnvoy;
  pid: number;
  port: number;
  startSeconds: number;
}

/** Rejects with an Error of one line (no Linux, checks that fail), `EnvoyNotFound` or `EnvoyFailed`. */
export async function benchEnvoy(options: BenchOptions): Promise<BenchResult> {
  checkProc();
  readModule("floor");
  const { rounds, tests, env, progress } = options;
  const found = await resolveEnvoy({ env, backend: "process", progress });
  const upstream = await startUpstream();
  const generator = startGenerator();
  const proxies: Partial<Record<Variant, Proxy>> = {};
  try {
    for (const variant of VARIANTS) proxies[variant] = await startVariant(variant, found, upstream.url, options);
    const bench = new Bench(proxies as Record<Variant, Proxy>, generator);
    const plans: { payload: Payload; count: number; samples: PerVariant[] }[] = [];
    for (const name of tests) {
      const payload = payloadOf(name);
      progress(`${name}: checking and warming up`);
      await bench.check(payload);
      plans.push({ payload, count: await bench.warmUp(payload, options.seconds), samples: [] });
    }
    const rss = perVariant((variant) => round(rssMib(bench.proxies[variant].pid), 1));
    for (let index = 0; index < rounds; index++) {
      for (const { payload, count, samples } of plans) {
        progress(`round ${index + 1} of ${rounds}: ${payload.name}, ${count} requests a variant`);
        samples.push(await bench.measure(payload, count));
      }
    }
    await bench.checkCounters();
    return {
      machine: machineText(),
      envoy: found.version,
      commit: await commitText(),
      rounds,
      workers: options.workers,
      tests: plans.map(({ payload, count, samples }) => ({
        name: payload.name,
        bare_cpu_us: round(median(samples.map(({ bare }) => bare)), 1),
        floor_ratio: round(median(samples.map(({ bare, floor }) => floor / bare)), 3),
        ratio: round(median(samples.map(({ bare, meshward }) => meshward / bare)), 3),
        requests: count * rounds,
      })),
      rss_mib: rss,
      start_s: perVariant((variant) => round(bench.proxies[variant].startSeconds, 2)),
    };
  } finally {
    await Promise.all(Object.values(proxies).map(({ envoy }) => envoy.stop()));
    generator.stop();
    upstream.stop();
  }
}

async function startVariant(
  variant: Variant,
  found: Awaited<ReturnType<typeof resolveEnvoy>>,
  upstream: string,
  { workers, env }: BenchOptions,
): Promise<Proxy> {
  const began = performance.now();
  const envoy = await startEnvoy(found, {
    compiled: compilePolicy(policyFrom({ mode: "block" }), { holdHeaders: true }),
    upstream,
    listen: { host: "127.0.0.1", port: 0 },
    modulePath: modulePath(variant === "floor" ? "floor" : "release"),
    filter: variant !== "bare",
    onAccess: null,
    concurrency: workers,
    env,
  });
  const startSeconds = (performance.now() - began) / 1000;
  return { envoy, pid: envoy.pid!, port: Number(new URL(envoy.url).port), startSeconds };
}

class Bench {
  readonly proxies: Record<Variant, Proxy>;
  readonly #generator: Generator;
  /** What was sent through Meshward. */
  #benign = 0;
  #attacks = 0;

  constructor(proxies: Record<Variant, Proxy>, generator: Generator) {
    this.proxies = proxies;
    this.#generator = generator;
  }

  /** Sends a request `count` times; throws unless each is answered with `status`. */
  async #send(variant: Variant, request: Buffer, count: number, status: number): Promise<void> {
    const { port } = this.proxies[variant];
    const load = { port, request: request.toString("base64"), count, connections: CONNECTIONS };
    const { statuses } = await this.#generator.send(load);
    if (statuses[status] === count) return;
    const got = Object.entries(statuses).map(([code, times]) => `${times} × ${code === "0" ? "no answer" : code}`);
    const log = this.proxies[variant].envoy.log().slice(-10).join("\n");
    throw new Error(`${variant}: expected ${count} × ${status}, got ${got.join(", ")}${log === "" ? "" : `\n${log}`}`);
  }

  /** Attacks are refused with Meshward and by nobody else. */
  async check({ attack, refusal }: Payload): Promise<void> {
    await this.#send("bare", attack, 1, 200);
    await this.#send("floor", attack, 1, 200);
    // Which refusals there were the counters tell in the end.
    await this.#send("meshward", attack, 1, refusal);
    this.#attacks++;
  }

  async #benignOn(variant: Variant, payload: Payload, count: number): Promise<void> {
    await this.#send(variant, payload.benign, count, 200);
    if (variant === "meshward") this.#benign += count;
  }

  /** Warms every variant up, and returns how many requests bare Envoy answers in `seconds`. */
  async warmUp(payload: Payload, seconds: number): Promise<number> {
    const count = seconds < 1 ? FEWEST : WARM_UP;
    for (const variant of VARIANTS) await this.#benignOn(variant, payload, count);
    const began = performance.now();
    await this.#benignOn("bare", payload, count);
    const rate = count / ((performance.now() - began) / 1000);
    return Math.max(FEWEST, Math.round((rate * seconds) / SLICES) * SLICES);
  }

  /** µs of CPU for a request on each variant. They take turns, in changing order; the median of their slices counts. */
  async measure(payload: Payload, count: number): Promise<PerVariant> {
    const costs: Record<Variant, number[]> = { bare: [], floor: [], meshward: [] };
    for (let slice = 0; slice < SLICES; slice++) {
      for (let turn = 0; turn < VARIANTS.length; turn++) {
        const variant = VARIANTS[(turn + slice) % VARIANTS.length]!;
        const { pid } = this.proxies[variant];
        const before = onCpuNanos(pid);
        await this.#benignOn(variant, payload, count / SLICES);
        costs[variant].push(Number(onCpuNanos(pid) - before) / (count / SLICES) / 1000);
      }
    }
    return perVariant((variant) => median(costs[variant]));
  }

  /** Every request that went through Meshward was judged to its end, and counted once. */
  async checkCounters(): Promise<void> {
    const expected = `allowed ${this.#benign}, denied ${this.#attacks}`;
    let seen = "";
    const look = async (): Promise<true | null> => {
      const samples = parsePrometheus(await this.proxies.meshward.envoy.admin.prometheus());
      const told = samples
        .filter(({ name, value }) => value !== 0 && /^meshward_(requests|overflow)_total$/.test(name))
        .map(({ labels, value }) => `${labels.outcome ?? `overflow ${labels.what}`} ${value}`);
      seen = told.sort().join(", ");
      return seen === expected || null;
    };
    await poll(look, FLUSH_TIMEOUT_MS, () => new Error(`Meshward's counters say "${seen}", not "${expected}"`));
  }
}

const perVariant = (value: (variant: Variant) => number): PerVariant => ({
  bare: value("bare"),
  floor: value("floor"),
  meshward: value("meshward"),
});

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** The result as a table for people. */
export function benchText({ machine, envoy, commit, rounds, workers, tests, rss_mib, start_s }: BenchResult): string {
  const rows = [
    ["test", "bare", "floor", "meshward", "floor", "meshward", "requests"],
    ["", "µs", "× bare", "× bare", "+ µs", "+ µs", "a variant"],
    ...tests.map(({ name, bare_cpu_us: bare, floor_ratio: floor, ratio, requests }) => [
      name,
      bare.toFixed(1),
      floor.toFixed(2),
      ratio.toFixed(2),
      (bare * (floor - 1)).toFixed(1),
      (bare * (ratio - 1)).toFixed(1),
      String(requests),
    ]),
  ];
  const each = (values: PerVariant, unit: string): string =>
    VARIANTS.map((variant) => `${variant} ${values[variant]} ${unit}`).join(", ");
  return [
    "CPU time of the Envoy process for a request; medians of interleaved rounds",
    "",
    ...columns(rows),
    "",
    `memory  ${each(rss_mib, "MiB")}`,
    `start   ${each(start_s, "s")}`,
    `rounds  ${rounds}, ${workers} ${workers === 1 ? "worker" : "workers"}, Envoy ${envoy}, commit ${commit ?? "unknown"}`,
    `machine ${machine}`,
  ].join("\n");
}

/** Aligns rows: the first column to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!);
  return rows.map((row) => row.map(cell).join("  ").trimEnd());
}
