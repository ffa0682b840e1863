/**
 * `meshward bench envoy`: what Meshward costs in a real Envoy, as CPU time of the Envoy process for a request; and what of it users feel,
 * as latency that is added at half of the load that bare Envoy takes, and as the most that it takes.
 *
 *   generator ──16 connections──► Envoy ──► upstream (200, a page of 1 KiB)    each a process of its own
 *                                   bare       without the module
 *                                   floor      a module that reads headers and body once and does nothing
 *                                   meshward   block mode, all detectors
 *
 * The three differ in nothing else. In each round each test runs on all three with the same number of requests, in turns
 * of a fraction of a second, so that a machine that slows down for a while slows down all of them alike. The median of
 * its turns is a variant's cost in the round; reported are the medians over the rounds, of costs and of their ratios.
 *
 * Latency is measured afterwards, in an open loop (`open-loop.ts`): in each turn all variants get requests at the same times. What a
 * variant adds is the difference of its percentile and bare Envoy's in the turn; reported are medians over the turns.
 */
import { parsePrometheus, poll } from "../envoy/admin.ts";
import { resolveEnvoy } from "../envoy/resolve.ts";
import type { RunningEnvoy } from "../envoy/running.ts";
import { startEnvoy } from "../envoy/start.ts";
import { modulePath, readModule } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { policyFrom } from "../policy/load.ts";
import { startGenerator, startUpstream } from "./children.ts";
import type { Generator, Pages, Upstream } from "./children.ts";
import type { Load, Tally } from "./load.ts";
import { median, round } from "./figures.ts";
import { commitText, machineText } from "./machine.ts";
import { payloadOf } from "./payloads.ts";
import type { Payload, TestName } from "./payloads.ts";
import type { Percentiles } from "./open-loop.ts";
import { checkProc, machineNanos, onCpuNanos, rssMib } from "./proc.ts";

export const VARIANTS = ["bare", "floor", "meshward"] as const;
export type Variant = (typeof VARIANTS)[number];
export type PerVariant = Record<Variant, number>;

export interface BenchOptions {
  rounds: number;
  /** About how long a test runs on bare Envoy in a round; the others get as many requests. */
  seconds: number;
  tests: readonly TestName[];
  /** Worker threads of each Envoy. */
  workers: number;
  /** Whether latency is measured too. */
  latency: boolean;
  /** The policy's `observe.sample`; what is learned goes to the upstream as a collector. */
  observe: string;
  pages: Pages;
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
  observe: string;
  pages: Pages;
  tests: {
    name: TestName;
    /** µs of CPU for a request, median. */
    bare_cpu_us: number;
    /** CPU of the floor, and of Meshward, as multiples of bare: medians of the rounds' ratios. */
    floor_ratio: number;
    ratio: number;
    /** Requests that each variant was measured with, all rounds together. */
    requests: number;
    /** Requests in a second in a closed loop: the most that generator, service and Envoy did together. */
    max_rps: PerVariant;
    /** Null where it was not asked for. */
    latency: Latency | null;
  }[];
  /** After the warm-up. */
  rss_mib: PerVariant;
  /** From the start of the process until it takes requests. */
  start_s: PerVariant;
}

/** At half of what bare Envoy takes; medians over the turns in which the machine did the least else. */
export interface Latency {
  rate_rps: number;
  /** Turns that count: half of those that were made. */
  turns: number;
  /** Requests that each variant was measured with in them. */
  requests: number;
  /** Share of the machine's CPU time in them that went to other processes, or to others by the machine below. */
  elsewhere: number;
  /** Of bare Envoy, generator and service included. */
  bare_ms: Percentiles;
  /** What the others add to that; null for one whose `max_rps` is below the rate. */
  floor_added_ms: Percentiles | null;
  added_ms: Percentiles | null;
}

const CONNECTIONS = 16;
/** Of an open loop: more than are busy at a time unless Envoy stands still. */
const OPEN_CONNECTIONS = 64;
/** Requests of a turn of an open loop, where time allows: fewer have no 99.9th percentile. */
const OPEN_TURN = 1000;
/** Parts that a measurement is cut into: a machine that slows down for a second does so for all variants. */
const SLICES = 9;
/** Requests of a measurement, at the least. */
const FEWEST = SLICES * CONNECTIONS;
/** Times that a test is sent before it is measured: V8 compiles what is called often in the background. */
const WARM_UP = 500;
const FLUSH_TIMEOUT_MS = 5_000;

/** What one round tells of a test. */
interface Round {
  /** µs of CPU for a request. */
  cpu: PerVariant;
  /** Requests in a second. */
  rps: PerVariant;
}

/** One turn of an open loop. */
interface Turn {
  rate: number;
  told: Partial<Record<Variant, Percentiles>>;
  elsewhere: number;
}

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
  const upstream = await startUpstream(options.pages);
  const generator = startGenerator();
  const proxies: Partial<Record<Variant, Proxy>> = {};
  try {
    for (const variant of VARIANTS) proxies[variant] = await startVariant(variant, found, upstream.url, options);
    const bench = new Bench(proxies as Record<Variant, Proxy>, generator, upstream);
    const plans: { payload: Payload; count: number; samples: Round[] }[] = [];
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
    const told: BenchResult["tests"] = plans.map(({ payload, count, samples }) => {
      const each = (of: (round: Round) => number, digits: number): number => round(median(samples.map(of)), digits);
      return {
        name: payload.name,
        bare_cpu_us: each(({ cpu }) => cpu.bare, 1),
        floor_ratio: each(({ cpu }) => cpu.floor / cpu.bare, 3),
        ratio: each(({ cpu }) => cpu.meshward / cpu.bare, 3),
        requests: count * rounds,
        max_rps: perVariant((variant) => each(({ rps }) => rps[variant], 0)),
        latency: null,
      };
    });
    for (const [index, { payload }] of options.latency ? plans.entries() : []) {
      const test = told[index]!;
      progress(`${payload.name}: latency at about ${Math.round(test.max_rps.bare / 2)} requests/s`);
      test.latency = await bench.latency(payload, test.max_rps, rounds * options.seconds);
    }
    await bench.checkCounters();
    return {
      machine: machineText(),
      envoy: found.version,
      commit: await commitText(),
      rounds,
      workers: options.workers,
      observe: options.observe,
      pages: options.pages,
      tests: told,
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
  { workers, observe, env }: BenchOptions,
): Promise<Proxy> {
  const began = performance.now();
  const policy = policyFrom({ mode: "block", observe: { sample: observe }, events: { otlp: upstream } });
  const envoy = await startEnvoy(found, {
    compiled: compilePolicy(policy, { holdHeaders: true }),
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
  /** Of all processes of the bench. */
  readonly #pids: readonly number[];
  /** What was sent through Meshward. */
  #benign = 0;
  #attacks = 0;

  constructor(proxies: Record<Variant, Proxy>, generator: Generator, upstream: Upstream) {
    this.proxies = proxies;
    this.#generator = generator;
    this.#pids = [process.pid, generator.pid, upstream.pid, ...VARIANTS.map((variant) => proxies[variant].pid)];
  }

  /** Sends a request `count` times; throws unless each is answered with `status`. */
  async #send(
    variant: Variant,
    request: Buffer,
    count: number,
    status: number,
    schedule?: Load["schedule"],
  ): Promise<Tally> {
    const { port } = this.proxies[variant];
    const connections = schedule === undefined ? CONNECTIONS : OPEN_CONNECTIONS;
    const load = { port, request: request.toString("base64"), count, connections };
    const tally = await this.#generator.send(schedule === undefined ? load : { ...load, schedule });
    const { statuses } = tally;
    if (statuses[status] === count) return tally;
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

  async #benignOn(variant: Variant, payload: Payload, count: number, schedule?: Load["schedule"]): Promise<Tally> {
    const tally = await this.#send(variant, payload.benign, count, 200, schedule);
    if (variant === "meshward") this.#benign += count;
    return tally;
  }

  /** Warms every variant up, and returns how many requests bare Envoy answers in `seconds`. */
  async warmUp(payload: Payload, seconds: number): Promise<number> {
    const count = seconds < 1 ? FEWEST : WARM_UP;
    for (const variant of VARIANTS) await this.#benignOn(variant, payload, count);
    const { seconds: took } = await this.#benignOn("bare", payload, count);
    const rate = count / took;
    return Math.max(FEWEST, Math.round((rate * seconds) / SLICES) * SLICES);
  }

  /** The variants take turns, in changing order; the medians of a variant's slices count. */
  async measure(payload: Payload, count: number): Promise<Round> {
    const costs: Record<Variant, number[]> = { bare: [], floor: [], meshward: [] };
    const rates: Record<Variant, number[]> = { bare: [], floor: [], meshward: [] };
    for (let slice = 0; slice < SLICES; slice++) {
      for (const variant of inTurn(slice)) {
        const { pid } = this.proxies[variant];
        const before = onCpuNanos(pid);
        const { seconds } = await this.#benignOn(variant, payload, count / SLICES);
        costs[variant].push(Number(onCpuNanos(pid) - before) / (count / SLICES) / 1000);
        rates[variant].push(count / SLICES / seconds);
      }
    }
    const cpu = perVariant((variant) => median(costs[variant]));
    return { cpu, rps: perVariant((variant) => median(rates[variant])) };
  }

  /**
   * Each variant that can gets requests at half of bare Envoy's most, for about `seconds`. What bare Envoy takes is looked at before
   * each turn: half of what a machine took at its best is more than all of what it takes while it is busy with other work.
   */
  async latency(payload: Payload, most: PerVariant, seconds: number): Promise<Latency> {
    const able = VARIANTS.filter((variant) => variant === "bare" || most[variant] > most.bare / 2);
    const turns = Math.max(1, Math.floor(((most.bare / 2) * seconds) / OPEN_TURN));
    const count = Math.max(FEWEST, Math.round(((most.bare / 2) * seconds) / turns));
    const all: Turn[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const { seconds: took } = await this.#benignOn("bare", payload, FEWEST);
      // The same times for all.
      const schedule = { rate: FEWEST / took / 2, seed: Math.imul(turn + 1, 0x9e3779b1) };
      const before = this.#cpuTime();
      const told: Turn["told"] = {};
      for (const variant of inTurn(turn).filter((name) => able.includes(name))) {
        told[variant] = (await this.#benignOn(variant, payload, count, schedule)).latency!;
      }
      const after = this.#cpuTime();
      all.push({
        rate: schedule.rate,
        told,
        elsewhere: (after.elsewhere - before.elsewhere) / (after.all - before.all),
      });
    }
    const quiet = all.sort((left, right) => left.elsewhere - right.elsewhere).slice(0, Math.ceil(turns / 2));
    const medians = (of: (told: Turn["told"], key: keyof Percentiles) => number): Percentiles => {
      const at = (key: keyof Percentiles): number => round(median(quiet.map(({ told }) => of(told, key))), 3);
      return { p50: at("p50"), p99: at("p99"), p999: at("p999") };
    };
    const added = (variant: Variant): Percentiles | null =>
      able.includes(variant) ? medians((told, key) => told[variant]![key] - told.bare![key]) : null;
    return {
      rate_rps: Math.round(median(quiet.map(({ rate }) => rate))),
      turns: quiet.length,
      requests: quiet.length * count,
      // Ticks are coarse: a short turn may seem to have had more than there was.
      elsewhere: Math.min(1, Math.max(0, round(median(quiet.map(({ elsewhere }) => elsewhere)), 3))),
      bare_ms: medians((told, key) => told.bare![key]),
      floor_added_ms: added("floor"),
      added_ms: added("meshward"),
    };
  }

  /** CPU time of the machine so far, in ns, and what neither we had of it nor nobody. */
  #cpuTime(): { all: number; elsewhere: number } {
    const { all, idle } = machineNanos();
    const ours = this.#pids.reduce((sum, pid) => sum + Number(onCpuNanos(pid)), 0);
    return { all, elsewhere: all - idle - ours };
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

/** The variants, another of them first in each turn. */
const inTurn = (turn: number): Variant[] => VARIANTS.map((_, place) => VARIANTS[(place + turn) % VARIANTS.length]!);

const perVariant = (value: (variant: Variant) => number): PerVariant => ({
  bare: value("bare"),
  floor: value("floor"),
  meshward: value("meshward"),
});
