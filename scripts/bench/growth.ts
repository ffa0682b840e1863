/**
 * `meshward bench growth`: how the cost of a request grows with what is not in it: the entries of the policy, the streams that are
 * open beside it, the workers. And how the memory of the process grows with the policy.
 *
 * In a real Envoy, as CPU time of its process for a request, against another Envoy that differs in that one thing: both get the same
 * number of requests in turns of a fraction of a second, and the median of the turns' ratios counts. What the policy's part of it is,
 * a loop in the bench module says. Before a time is looked at, the first entry, the last one and none must be found for their requests.
 */
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { setFlagsFromString } from "node:v8";
import { FILTER_NAME } from "../../envoy/names.ts";
import { counted } from "../counted.ts";
import { parsePrometheus, poll } from "../envoy/admin.ts";
import { resolveEnvoy } from "../envoy/resolve.ts";
import type { RunningEnvoy } from "../envoy/running.ts";
import { startEnvoy } from "../envoy/start.ts";
import { modulePath, readModule } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PluginConfiguration } from "../policy/compile.ts";
import { policyFrom } from "../policy/load.ts";
import type { PolicySource } from "../policy/schema.ts";
import { startGenerator, startUpstream } from "./children.ts";
import type { Generator } from "./children.ts";
import { growthOfMemory } from "./growth-memory.ts";
import type { MemoryRow } from "./growth-memory.ts";
import { GROWTHS, growthSource } from "./growth-policies.ts";
import type { Growth, GrowthPart, GrowthRequest } from "./growth-policies.ts";
import { median, round } from "./figures.ts";
import { commitText, machineText } from "./machine.ts";
import { checkProc, onCpuNanos, rssMib } from "./proc.ts";

export interface GrowthOptions {
  parts: readonly GrowthPart[];
  /** Turns of each comparison. */
  rounds: number;
  /** Requests of a turn. */
  requests: number;
  /** Of entries and of streams: none beyond. */
  most: number;
  env: NodeJS.ProcessEnv;
  progress: (line: string) => void;
}

/** One document of `--json`; of the parts that were not asked for the lists are empty. */
export interface GrowthResult {
  machine: string;
  envoy: string;
  commit: string | null;
  rounds: number;
  policies: {
    growth: Growth;
    entries: number;
    /** CPU of a request, of one with nothing in the policy. */
    ratio: number;
    /** ns in the module to find what the policy says about it. */
    found_ns: number;
    /** The plugin configuration, and what the module makes of it. */
    configuration_bytes: number;
    policy_bytes: number;
    configure_ms: number;
  }[];
  streams: {
    open: number;
    workers: number;
    /** CPU of a GET, of one with no stream beside it. */
    ratio: number;
    rss_mib: number;
  }[];
  workers: {
    workers: number;
    /** CPU of a GET, of one through an Envoy without Meshward and with as many workers. */
    ratio: number;
    rss_mib: number;
  }[];
  memory: MemoryRow[];
}

const COUNTS = [1, 10, 100, 1_000];
/** Streams by workers: one has slots for 8,192 (assembly/filter/stream.ts). */
const OPEN = [
  { open: 10, workers: 1 },
  { open: 100, workers: 1 },
  { open: 1_000, workers: 1 },
  { open: 8_000, workers: 1 },
  { open: 10_000, workers: 2 },
];
const WORKERS = [1, 2, 4];
const CONNECTIONS = 16;
/** Of many short runs of a loop one falls into a moment in which nothing else is done. */
const TRIES = 100;
const TIMES = 500;
const WARM_UP = 500;
const ATTACK = "1%20UNION%20SELECT%20name%2C%20password%20FROM%20users";
/** Streams of one HTTP/2 connection, as the listener allows. */
const STREAMS_PER_CONNECTION = 100;
const OPEN_TIMEOUT_MS = 20_000;

/** Rejects with an Error of one line (no Linux, something found wrong), `EnvoyNotFound` or `EnvoyFailed`. */
export async function benchGrowth(options: GrowthOptions): Promise<GrowthResult> {
  checkProc();
  const found = await resolveEnvoy({ env: options.env, backend: "process", progress: options.progress });
  const upstream = await startUpstream();
  const generator = startGenerator();
  const started: RunningEnvoy[] = [];
  const startCompiled = async (configuration: PluginConfiguration | null, workers: number): Promise<Proxy> => {
    const envoy = await startEnvoy(found, {
      compiled: configuration ?? compiled({}),
      upstream: upstream.url,
      listen: { host: "127.0.0.1", port: 0 },
      modulePath: modulePath(),
      filter: configuration !== null,
      onAccess: null,
      concurrency: workers,
      env: options.env,
    });
    started.push(envoy);
    return { envoy, pid: envoy.pid!, port: Number(new URL(envoy.url).port) };
  };
  const start = (policy: PolicySource | null, workers = 1): Promise<Proxy> =>
    startCompiled(policy && compiled(policy), workers);
  const lab: Lab = { generator, start, startCompiled, options };
  const asked = async <T>(part: GrowthPart, measure: () => Promise<T[]>): Promise<T[]> => {
    if (!options.parts.includes(part)) return [];
    const rows = await measure();
    await Promise.all(started.splice(0).map((envoy) => envoy.stop()));
    return rows;
  };
  try {
    return {
      machine: machineText(),
      envoy: found.version,
      commit: await commitText(),
      rounds: options.rounds,
      policies: await asked("policies", () => growthOfPolicies(lab)),
      streams: await asked("streams", () => growthOfStreams(lab)),
      workers: await asked("workers", () => growthOfWorkers(lab)),
      memory: await asked("memory", () => growthOfMemory((configuration) => rssWith(lab, configuration), options)),
    };
  } finally {
    await Promise.all(started.map((envoy) => envoy.stop()));
    generator.stop();
    upstream.stop();
  }
}

interface Proxy {
  envoy: RunningEnvoy;
  pid: number;
  port: number;
}

interface Lab {
  generator: Generator;
  /** Starts an Envoy with a policy, or without Meshward. */
  start(policy: PolicySource | null, workers?: number): Promise<Proxy>;
  startCompiled(configuration: PluginConfiguration | null, workers: number): Promise<Proxy>;
  options: GrowthOptions;
}

const compiled = (policy: PolicySource): PluginConfiguration =>
  compilePolicy(policyFrom(policy), { holdHeaders: true });

// --- policies -----------------------------------------------------------------------------------------------------------

async function growthOfPolicies({ generator, start, options }: Lab): Promise<GrowthResult["policies"]> {
  const bench = new PolicyBench();
  const none = await start({ mode: "detect" });
  const grown = await start({ mode: "detect" });
  const rows: GrowthResult["policies"] = [];
  for (const growth of GROWTHS) {
    const isExcepted = growth.includes("exceptions");
    for (const entries of COUNTS.filter((count) => count <= options.most)) {
      options.progress(`${growth}: ${entries}`);
      const { policy, requests } = growthSource(growth, entries);
      await grown.envoy.reload(compiled(policy));
      for (const request of requests) {
        const is = request.exception >= 0 ? 200 : isExcepted || request.route >= 0 ? 403 : 200;
        await send(generator, grown, get(request, ATTACK), 1, is);
      }
      // Exceptions are looked at where there is a finding, so that is what they are measured with.
      const last = get(requests[1]!, isExcepted ? ATTACK : "watering+can");
      rows.push({
        growth,
        entries,
        ratio: round(await compare(generator, [none, grown], last, options), 3),
        ...bench.measure(policy, requests, isExcepted),
      });
    }
  }
  return rows;
}

/** A GET with the headers of a browser. */
function get({ host, path, name }: Pick<GrowthRequest, "host" | "path" | "name">, value: string): Buffer {
  const headers = [
    `host: ${host}`,
    "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language: en-US,en;q=0.5",
    "cookie: session=7f3a91b2c2d1; theme=dark",
  ];
  return Buffer.from(`GET ${path}?${name}=${value} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`, "latin1");
}

interface PolicyModule {
  memory: WebAssembly.Memory;
  input(): number;
  configuration(length: number, times: number): number;
  routing(length: number, times: number): number;
  excepting(length: number, times: number): number;
}

/** The policy's part, in a loop inside Wasm. */
class PolicyBench {
  readonly #module: PolicyModule;

  constructor() {
    // Envoy runs what V8's optimizing compiler made.
    setFlagsFromString("--no-liftoff");
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readModule("bench")));
    this.#module = exports as unknown as PolicyModule;
  }

  #put(text: string): number {
    const bytes = Buffer.from(text);
    new Uint8Array(this.#module.memory.buffer).set(bytes, this.#module.input());
    return bytes.length;
  }

  measure(
    policy: PolicySource,
    requests: readonly GrowthRequest[],
    isExcepted: boolean,
  ): Pick<GrowthResult["policies"][number], "found_ns" | "configuration_bytes" | "policy_bytes" | "configure_ms"> {
    const module = this.#module;
    const configuration = JSON.stringify(compiled(policy));
    const length = this.#put(configuration);
    const bytes = module.configuration(length, 1);
    if (bytes === 0) throw new Error("the module does not take the policy");
    const configure = fastest(20, () => module.configuration(length, 1));
    let slowest = 0;
    for (const { host, path, name, route, exception } of requests) {
      const size = this.#put(`${host}\0${path}\0${name}\0`);
      const places = [module.routing(size, 1), module.excepting(size, 1)];
      if (places.join() !== `${route},${exception}`) throw new Error(`${path}: found ${places.join()}`);
      const run = isExcepted ? module.excepting : module.routing;
      slowest = Math.max(slowest, fastest(TRIES, () => run(size, TIMES)) / TIMES);
    }
    return {
      found_ns: round(slowest, 0),
      configuration_bytes: length,
      policy_bytes: bytes,
      configure_ms: round(configure / 1e6, 2),
    };
  }
}

/** Nanoseconds of the fastest of `rounds` runs. */
function fastest(rounds: number, run: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const began = process.hrtime.bigint();
    run();
    best = Math.min(best, Number(process.hrtime.bigint() - began));
  }
  return best;
}

// --- streams ------------------------------------------------------------------------------------------------------------

const PLAIN_GET = get({ host: "shop.example", path: "/products", name: "q" }, "watering+can");

async function growthOfStreams({ generator, start, options }: Lab): Promise<GrowthResult["streams"]> {
  const policy: PolicySource = { mode: "block", limits: { holdMillis: 60_000 } };
  const rows: GrowthResult["streams"] = [];
  for (const { open, workers } of OPEN.filter((one) => one.open <= options.most)) {
    options.progress(`${open} open streams`);
    const proxies: [Proxy, Proxy] = [await start(policy, workers), await start(policy, workers)];
    const busy = proxies[1];
    const held = await holdStreams(busy, open);
    const ratio = await compare(generator, proxies, PLAIN_GET, options);
    const rss = rssMib(busy.pid);
    await untilOpen(busy, open);
    held.forEach((session) => session.destroy());
    await untilOpen(busy, 0);
    const lost = await overflows(busy);
    if (lost !== "") throw new Error(`with ${open} streams open: ${lost}`);
    rows.push({ open, workers, ratio: round(ratio, 3), rss_mib: round(rss, 1) });
    await Promise.all(proxies.map(({ envoy }) => envoy.stop()));
  }
  return rows;
}

/** Opens streams that wait in the middle of a body, which is held until it was judged. */
async function holdStreams(proxy: Proxy, count: number): Promise<ClientHttp2Session[]> {
  const sessions: ClientHttp2Session[] = [];
  for (let opened = 0; opened < count; opened += STREAMS_PER_CONNECTION) {
    const session = connectHttp2(proxy.envoy.url);
    session.on("error", () => {});
    sessions.push(session);
    for (let i = opened; i < Math.min(count, opened + STREAMS_PER_CONNECTION); i++) {
      const stream = session.request(
        { ":method": "POST", ":path": "/orders", "content-type": "application/json" },
        { endStream: false },
      );
      stream.on("error", () => {});
      stream.write('{"order": {"items": [{"name": "watering can"');
    }
  }
  await untilOpen(proxy, count);
  return sessions;
}

/** Waits until Envoy has as many requests under way. */
async function untilOpen({ envoy }: Proxy, count: number): Promise<void> {
  let active = -1;
  const look = async (): Promise<true | null> => {
    const name = `http.${FILTER_NAME}.downstream_rq_active`;
    active = Number((await envoy.admin.stats(`^http\\.${FILTER_NAME}\\.downstream_rq_active$`)).get(name) ?? 0);
    return active === count || null;
  };
  await poll(look, OPEN_TIMEOUT_MS, () => new Error(`Envoy has ${active} requests under way, not ${count}`));
}

/** The bounds that the module has met; empty for none. */
async function overflows({ envoy }: Proxy): Promise<string> {
  const samples = parsePrometheus(await envoy.admin.prometheus());
  const met = samples.filter(({ name, value }) => name === "meshward_overflow_total" && value > 0);
  return met.map(({ labels, value }) => `${value} × ${labels.what}`).join(", ");
}

// --- workers ------------------------------------------------------------------------------------------------------------

async function growthOfWorkers({ generator, start, options }: Lab): Promise<GrowthResult["workers"]> {
  const rows: GrowthResult["workers"] = [];
  for (const workers of WORKERS) {
    options.progress(counted(workers, "worker"));
    const proxies: [Proxy, Proxy] = [await start(null, workers), await start({ mode: "block" }, workers)];
    const ratio = await compare(generator, proxies, PLAIN_GET, options);
    rows.push({ workers, ratio: round(ratio, 3), rss_mib: round(rssMib(proxies[1].pid), 1) });
    await Promise.all(proxies.map(({ envoy }) => envoy.stop()));
  }
  return rows;
}

// --- memory -------------------------------------------------------------------------------------------------------------

/** Resident memory of an Envoy with that configuration, after some requests. */
async function rssWith(
  { generator, startCompiled, options }: Lab,
  configuration: PluginConfiguration,
): Promise<number> {
  const proxy = await startCompiled(configuration, 1);
  await send(generator, proxy, PLAIN_GET, Math.min(WARM_UP, options.requests), 200);
  const text = await proxy.envoy.admin.prometheus();
  if (parsePrometheus(text).some(({ name, value }) => name === "meshward_config_invalid" && value > 0))
    throw new Error("the module does not take the policy");
  const rss = rssMib(proxy.pid);
  await proxy.envoy.stop();
  return rss;
}

// --- turns --------------------------------------------------------------------------------------------------------------

/** By what the second Envoy's CPU time for a request is a multiple of the first one's. */
async function compare(
  generator: Generator,
  proxies: readonly [Proxy, Proxy],
  request: Buffer,
  { rounds, requests }: GrowthOptions,
): Promise<number> {
  for (const proxy of proxies) await send(generator, proxy, request, Math.min(WARM_UP, requests), 200);
  const ratios: number[] = [];
  for (let turn = 0; turn < rounds; turn++) {
    const costs = [0, 0];
    for (const which of turn % 2 === 0 ? [0, 1] : [1, 0]) {
      const proxy = proxies[which]!;
      const before = onCpuNanos(proxy.pid);
      await send(generator, proxy, request, requests, 200);
      costs[which] = Number(onCpuNanos(proxy.pid) - before);
    }
    ratios.push(costs[1]! / costs[0]!);
  }
  return median(ratios);
}

async function send(
  generator: Generator,
  { port, envoy }: Proxy,
  request: Buffer,
  count: number,
  is: number,
): Promise<void> {
  const load = { port, request: request.toString("base64"), count, connections: CONNECTIONS };
  const { statuses } = await generator.send(load);
  if (statuses[is] === count) return;
  const got = Object.entries(statuses).map(([code, times]) => `${times} × ${code === "0" ? "no answer" : code}`);
  const line = request.toString("latin1").split("\r\n", 1)[0];
  throw new Error([`${line}: expected ${count} × ${is}, got ${got.join(", ")}`, ...envoy.log().slice(-5)].join("\n"));
}

// --- text ---------------------------------------------------------------------------------------------------------------

/** The result as tables for people. */
export function growthText(result: GrowthResult): string {
  const { machine, envoy, commit, rounds, policies, streams, workers, memory } = result;
  const kib = (bytes: number): string => (bytes / 1024).toFixed(1);
  const tables = [
    table(
      "CPU of a request by the entries of the policy",
      ["", "entries", "× none", "found in ns", "JSON KiB", "module KiB", "read in ms"],
      policies.map((row) => [
        row.growth,
        row.entries,
        row.ratio.toFixed(2),
        row.found_ns,
        kib(row.configuration_bytes),
        kib(row.policy_bytes),
        row.configure_ms.toFixed(1),
      ]),
    ),
    table(
      "CPU of a GET by the streams that are held open beside it",
      ["open", "workers", "× alone", "RSS MiB"],
      streams.map((row) => [row.open, row.workers, row.ratio.toFixed(2), row.rss_mib]),
    ),
    table(
      "CPU of a GET by workers, of bare Envoy with as many",
      ["workers", "× bare", "RSS MiB"],
      workers.map((row) => [row.workers, row.ratio.toFixed(2), row.rss_mib]),
    ),
    table(
      "Memory of an Envoy with one worker by the policy",
      ["", "entries", "JSON KiB", "module KiB", "RSS MiB"],
      memory.map((row) => [
        row.policy,
        row.entries,
        kib(row.configuration_bytes),
        kib(row.policy_bytes),
        row.rss_mib.toFixed(1),
      ]),
    ),
  ];
  return [
    ...tables.flat(),
    `rounds  ${rounds}, Envoy ${envoy}, commit ${commit ?? "unknown"}`,
    `machine ${machine}`,
  ].join("\n");
}

/** Lines of a table with its title, none where it has no rows. */
function table(title: string, head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  if (rows.length === 0) return [];
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (head[column] === "" ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ");
  return [title, "", ...cells.map(line), ""];
}
