/**
 * Paths, hosts and names of parameters that never come twice, through one worker of a real Envoy that observes every exchange, into a
 * real collector: neither may grow by what clients make up.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Endpoints, Services, Summary } from "../../collector/api.ts";
import { CONTENT_TYPES, HOSTS, OPERATIONS_OF_SERVICE, PARAMETERS } from "../../collector/limits.ts";
import { randomFrom } from "../bench/random.ts";
import { rssMib } from "../bench/proc.ts";
import { parsePrometheus, poll } from "../envoy/admin.ts";
import { Client } from "./client.ts";
import { envoyCounters, startTarget } from "./envoy.ts";
import { driftOf } from "./report.ts";
import type { Report, Sample } from "./report.ts";
import { Tally } from "./tally.ts";
import type { SoakRequest } from "./traffic.ts";
import { endWithUs } from "../end-with-us.ts";

const CLIENTS = 32;
const SAMPLES = 64;
const TOKEN = "token-of-the-soak-alone";
const START_MS = 120_000;
/** How long nothing may come in until all is in. */
const QUIET_MS = 4_000;
/** What RSS of a Node with a database in it may grow by: garbage is collected when it likes. */
const COLLECTOR_DRIFT_MIB = 64;

const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

/** Names of parameters that a request makes up, beside a path and a host. */
export const PARAMETERS_EACH = 3;
/** One in so many requests asks for one of the paths that are there: for what is made up of a known endpoint. */
const KNOWN_EACH = 4;

/** The request of that number. Segments are words, which a template of a route keeps as they are. */
export function hostileAt(index: number): SoakRequest {
  const random = randomFrom(Math.imul(index + 1, 0x9e3779b1));
  const word = (length: number): string =>
    Array.from({ length }, () => ALPHABET[random.below(ALPHABET.length)]).join("");
  const names = Array.from({ length: PARAMETERS_EACH }, () => `${word(10)}=${random.below(1_000)}`);
  const isForm = random.below(4) === 0;
  const isKnown = random.below(KNOWN_EACH) === 0;
  const path = isKnown ? `/shop/${ALPHABET[random.below(8)]!.repeat(3)}` : `/${word(9)}/${word(4 + random.below(20))}`;
  return {
    kind: "names",
    method: isForm ? "POST" : "GET",
    path: isForm ? path : `${path}?${names.join("&")}`,
    headers: [
      ["host", `${word(12)}.example`],
      ...(isForm ? [["content-type", "application/x-www-form-urlencoded"] as [string, string]] : []),
    ],
    pieces: isForm ? [Buffer.from(names.join("&"))] : null,
    breaksOff: false,
    expect: "passes",
    watched: false,
  };
}

interface RunningCollector {
  url: string;
  child: ChildProcess;
  get<Answer>(path: string): Promise<Answer>;
  /** Counts of its metrics, by name and the one label that each has. */
  counts(): Promise<Map<string, number>>;
  stop(): Promise<void>;
}

/** Starts a collector as a user does, in a process and a folder of its own. */
async function startCollector(env: NodeJS.ProcessEnv): Promise<RunningCollector> {
  const folder = await mkdtemp(join(tmpdir(), "meshward-soak-"));
  const cli = fileURLToPath(new URL(`../cli${extname(import.meta.url)}`, import.meta.url));
  const command = ["collector", "--listen", "127.0.0.1:0", "--database", join(folder, "data")];
  const child = endWithUs(
    spawn(process.execPath, [...process.execArgv, cli, ...command], {
      env: { ...env, MESHWARD_READ_TOKEN: TOKEN, MESHWARD_INGEST_TOKEN: "" },
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  try {
    const url = await poll(
      () => Promise.resolve(/^events +(\S+)\/v1\/logs$/m.exec(output)?.[1] ?? null),
      START_MS,
      () => new Error("the collector did not start"),
    );
    const ask = async (path: string): Promise<Response> => {
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${TOKEN}` } });
      if (!answer.ok) throw new Error(`the collector answered ${path} with ${answer.status}`);
      return answer;
    };
    return {
      url,
      child,
      get: async (path) => (await (await ask(`/api/v1/${path}`)).json()) as never,
      async counts() {
        const found = parsePrometheus(await (await ask("/metrics")).text());
        return new Map(found.map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(" "), value]));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until no record has come for a while; its counts then. */
async function settled(collector: RunningCollector): Promise<Map<string, number>> {
  const key = "meshward_collector_records_total";
  let counts = await collector.counts();
  for (let since = performance.now(); performance.now() - since < QUIET_MS;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const next = await collector.counts();
    if (next.get(key) !== counts.get(key)) since = performance.now();
    counts = next;
  }
  return counts;
}

/** What of an inventory is beyond what is documented. */
export function beyond({ endpoints, total }: Endpoints): string[] {
  const problems: string[] = [];
  // And one for all others.
  if (total > OPERATIONS_OF_SERVICE + 1) problems.push(`${total} endpoints of one service`);
  for (const { method, route, parameters, hosts, request_types: types } of endpoints) {
    for (const [what, count, most] of [
      ["parameters", parameters.length, PARAMETERS],
      ["hosts", hosts.length, HOSTS],
      ["content types", types.length, CONTENT_TYPES],
    ] as const) {
      if (count > most) problems.push(`${count} ${what} of ${method} ${route}`);
    }
  }
  return problems;
}

/** Sends `count` requests; a report of Envoy, and one of the collector. */
export async function soakInventory(count: number, env: NodeJS.ProcessEnv): Promise<Report[]> {
  const collector = await startCollector(env);
  try {
    const policy = { mode: "block", observe: { sample: "100%" }, events: { otlp: collector.url } };
    const target = await startTarget(policy, env);
    try {
      const tally = new Tally();
      const samples: { envoy: Sample[]; collector: Sample[] } = { envoy: [], collector: [] };
      const failures: string[] = [];
      const began = performance.now();
      let next = 0;
      let paths = 0;
      const drive = async (): Promise<void> => {
        const client = new Client(target.port);
        while (next < count && failures.length < 5) {
          const index = next++;
          const request = hostileAt(index);
          if (!request.path.startsWith("/shop/")) paths++;
          try {
            tally.add(request, await client.send(request), index);
          } catch (error) {
            failures.push(`stream ${index}: ${(error as Error).message}`);
          }
          const done = tally.streams;
          if (done % Math.ceil(count / SAMPLES) !== 0) continue;
          samples.envoy.push({ done, rssMib: rssMib(target.pid), pages: null });
          samples.collector.push({ done, rssMib: rssMib(collector.child.pid!), pages: null });
        }
        client.close();
      };
      await Promise.all(Array.from({ length: CLIENTS }, drive));
      const seconds = (performance.now() - began) / 1000;
      const counters = await envoyCounters(target.envoy.admin);
      const problems = [...failures, ...tally.compare(counters), ...driftOf(samples.envoy)];
      if (counters.requests !== count) problems.push(`Envoy has seen ${counters.requests} streams, not ${count}`);
      const names = `${count} hosts, ${paths} paths and ${count * PARAMETERS_EACH} names of parameters`;
      return [
        {
          title: `${names}, few of them twice, through one worker of Envoy ${target.version}, all observed`,
          lines: [`${seconds.toFixed(0)} s, ${Math.round(count / seconds)} streams/s`, tally.text(counters)],
          samples: samples.envoy,
          problems,
        },
        await reportOf(collector, samples.collector),
      ];
    } finally {
      await target.stop();
    }
  } finally {
    await collector.stop();
  }
}

async function reportOf(collector: RunningCollector, samples: Sample[]): Promise<Report> {
  const counts = await settled(collector);
  const count = (name: string): number => counts.get(`meshward_collector_${name}`) ?? 0;
  const endpoints = await collector.get<Endpoints>("endpoints?limit=200");
  const { services } = await collector.get<Services>("services");
  const { limits } = await collector.get<Summary>("summary");
  const problems = [...beyond(endpoints), ...driftOf(samples, COLLECTOR_DRIFT_MIB)];
  if (services.length !== 1) problems.push(`${services.length} services, not 1`);
  if (limits.other.operations !== count("events_other_total operations")) {
    problems.push("what was put to other is not what was counted");
  }
  if (count("observations_total stored") === 0) problems.push("nothing was observed");
  const records = `${count("records_total")} records, ${count("observations_total stored")} observations stored`;
  return {
    title: "the collector that took what was observed",
    lines: [`${records}, ${limits.other.operations} of them put to other; ${endpoints.total} endpoints of 1 service`],
    samples,
    problems,
  };
}
