/** Streams through one worker of a real Envoy. */
import { startUpstream } from "../bench/children.ts";
import { checkProc, rssMib } from "../bench/proc.ts";
import { parsePrometheus, poll } from "../envoy/admin.ts";
import type { Admin } from "../envoy/admin.ts";
import { resolveEnvoy } from "../envoy/resolve.ts";
import type { RunningEnvoy } from "../envoy/running.ts";
import { startEnvoy } from "../envoy/start.ts";
import { modulePath } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { policyFrom } from "../policy/load.ts";
import { Client } from "./client.ts";
import { driftOf } from "./report.ts";
import type { Report, Sample } from "./report.ts";
import { Tally } from "./tally.ts";
import type { Counters } from "./tally.ts";
import { SOAK_POLICY, requestAt } from "./traffic.ts";

const CLIENTS = 32;
const SAMPLES = 64;
/** Statistics are at most 2 s old. */
const FLUSH_TIMEOUT_MS = 10_000;

export interface Target {
  envoy: RunningEnvoy;
  pid: number;
  port: number;
  version: string;
  stop(): Promise<void>;
}

/** Starts Envoy with one worker and that policy, and a service behind it. */
export async function startTarget(policy: object, env: NodeJS.ProcessEnv): Promise<Target> {
  checkProc();
  const found = await resolveEnvoy({ env, backend: "process" });
  const upstream = await startUpstream();
  try {
    const envoy = await startEnvoy(found, {
      compiled: compiled(policy),
      upstream: upstream.url,
      listen: { host: "127.0.0.1", port: 0 },
      modulePath: modulePath(),
      onAccess: null,
      concurrency: 1,
      env,
    });
    const stop = async (): Promise<void> => {
      await envoy.stop();
      upstream.stop();
    };
    return { envoy, pid: envoy.pid!, port: Number(new URL(envoy.url).port), version: found.version, stop };
  } catch (error) {
    upstream.stop();
    throw error;
  }
}

export const compiled = (policy: object): ReturnType<typeof compilePolicy> =>
  compilePolicy(policyFrom(policy), { holdHeaders: true });

/** Waits until the module has counted as many requests as Envoy has seen end, and returns what it counted. `patience` in ms. */
export async function envoyCounters(
  admin: Admin,
  patience = FLUSH_TIMEOUT_MS,
): Promise<Counters & { requests: number }> {
  let counters = { outcomes: new Map<string, number>(), overflows: new Map<string, number>() };
  let requests = 0;
  const look = async (): Promise<true | null> => {
    requests = await admin.endedRequests();
    counters = { outcomes: new Map(), overflows: new Map() };
    for (const { name, labels, value } of parsePrometheus(await admin.prometheus())) {
      if (name === "meshward_requests_total") counters.outcomes.set(labels.outcome!, value);
      if (name === "meshward_overflow_total") counters.overflows.set(labels.what!, value);
    }
    return [...counters.outcomes.values()].reduce((sum, count) => sum + count, 0) === requests || null;
  };
  // Too late is no error here: the caller compares, and says what is missing.
  await poll(look, patience, () => new Error()).catch(() => {});
  return { ...counters, requests };
}

export async function soakEnvoyStreams(count: number, env: NodeJS.ProcessEnv): Promise<Report> {
  const target = await startTarget(SOAK_POLICY, env);
  try {
    const tally = new Tally();
    const samples: Sample[] = [];
    const failures: string[] = [];
    const began = performance.now();
    let next = 0;
    const drive = async (): Promise<void> => {
      const client = new Client(target.port);
      while (next < count && failures.length < 5) {
        const index = next++;
        const request = requestAt(index);
        try {
          tally.add(request, await client.send(request), index);
        } catch (error) {
          failures.push(`stream ${index}: ${(error as Error).message}`);
        }
        const done = tally.streams;
        if (done % Math.ceil(count / SAMPLES) === 0) samples.push({ done, rssMib: rssMib(target.pid), pages: null });
      }
      client.close();
    };
    await Promise.all(Array.from({ length: CLIENTS }, drive));
    const seconds = (performance.now() - began) / 1000;
    const counters = await envoyCounters(target.envoy.admin);
    const problems = [...failures, ...tally.compare(counters), ...driftOf(samples)];
    if (counters.requests !== count) problems.push(`Envoy has seen ${counters.requests} streams, not ${count}`);
    return {
      title: `${count} streams through one worker of Envoy ${target.version}, ${CLIENTS} open at once`,
      lines: [`${seconds.toFixed(0)} s, ${Math.round(count / seconds)} streams/s`, tally.text(counters)],
      samples,
      problems,
    };
  } finally {
    await target.stop();
  }
}
