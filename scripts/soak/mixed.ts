/**
 * Everything at once, for as long as it is asked: traffic of all kinds on many connections, thousands of streams that stay
 * open in their bodies, and a push of another policy every few seconds.
 */
import { setTimeout as delay } from "node:timers/promises";
import { rssMib } from "../bench/proc.ts";
import { Client } from "./client.ts";
import { compiled, envoyCounters, startTarget } from "./envoy.ts";
import { WAITING, Waiting } from "./pushes.ts";
import { driftOf } from "./report.ts";
import type { Report, Sample } from "./report.ts";
import { Tally } from "./tally.ts";
import { SOAK_POLICY, requestAt } from "./traffic.ts";

const CLIENTS = 16;
const SAMPLES = 120;
/** How long a stream stays open: some time behind `holdMillis`, so that held ones and passed ones are open at once. */
const OPEN_MS = 90_000;
const PUSH_MS = 5_000;
const PACE_MS = 100;
/**
 * How many times as many are open in the first quarter as behind it. Memory stays where its highest tide was, and on a busy machine tides
 * differ: so the highest one comes first, and what grows behind it is a leak.
 */
const FIRST_TIDE = 1.3;
/** Streams that are opened in one turn. */
const AT_ONCE = 100;
/** What RSS may grow by after the first quarter. */
const DRIFT_MIB = 1;

/** A policy like no other that decides as that of all soaks does. */
const policyAt = (push: number): object => ({
  ...SOAK_POLICY,
  exceptions: [{ id: `push-${push}`, rules: ["sqli-*"], path: `/nobody/${push}`, why: "of this push alone" }],
});

/** `seconds`: how long; `open`: streams that are open all the while. */
export async function soakEnvoyMixed(seconds: number, open: number, env: NodeJS.ProcessEnv): Promise<Report> {
  const target = await startTarget(policyAt(0), env);
  const { envoy, port } = target;
  try {
    const tally = new Tally();
    const samples: Sample[] = [];
    const failures: string[] = [];
    const began = performance.now();
    const elapsed = (): number => performance.now() - began;
    const goesOn = (): boolean => elapsed() < seconds * 1000 && failures.length < 5;
    let next = 0;
    let pushes = 0;

    const drive = async (): Promise<void> => {
      const client = new Client(port);
      while (goesOn()) {
        const index = next++;
        const request = requestAt(index);
        try {
          tally.add(request, await client.send(request), index);
        } catch (error) {
          failures.push(`stream ${index}: ${(error as Error).message}`);
        }
      }
      client.close();
    };

    const keepOpen = async (): Promise<void> => {
      const waiting: { stream: Waiting; since: number }[] = [];
      const life = Math.min(OPEN_MS, seconds * 250);
      const ends: Promise<void>[] = [];
      // All that are due at once: one that waits for a connection of Envoy's gets it when another one ends.
      const finish = (): void => {
        const index = next++;
        const end = waiting.shift()!.stream.finish();
        ends.push(
          end.then(
            (fate) => tally.add(WAITING, fate, index),
            (error: Error) => void failures.push(`stream ${index}: ${error.message}`),
          ),
        );
      };
      while (goesOn()) {
        while (waiting.length > 0 && elapsed() - waiting[0]!.since > life) finish();
        // As many at once as there must be, however late a turn comes, but not all of them in one.
        const wanted = elapsed() < seconds * 250 ? open * FIRST_TIDE : open;
        for (let i = 0; i < AT_ONCE && waiting.length < wanted; i++)
          waiting.push({ stream: new Waiting(port), since: elapsed() });
        await delay(PACE_MS);
      }
      while (waiting.length > 0) finish();
      await Promise.all(ends);
    };

    const push = async (): Promise<void> => {
      while (goesOn()) {
        await delay(Math.min(PUSH_MS, seconds * 50));
        await envoy.reload(compiled(policyAt(++pushes)));
      }
    };

    const watch = async (): Promise<void> => {
      while (goesOn()) {
        await delay((seconds * 1000) / SAMPLES);
        samples.push({ done: tally.streams, rssMib: rssMib(target.pid), pages: null });
      }
    };

    await Promise.all([...Array.from({ length: CLIENTS }, drive), keepOpen(), push(), watch()]);
    const counters = await envoyCounters(envoy.admin);
    const problems = [...failures, ...tally.compare(counters), ...driftOf(samples, DRIFT_MIB)];
    if (counters.requests !== tally.streams)
      problems.push(`Envoy has seen ${counters.requests} streams, not ${tally.streams}`);
    return {
      title: `${tally.streams} streams of mixed traffic through Envoy ${target.version}, ${open} open all the while, ${pushes} pushes`,
      lines: [`${(elapsed() / 1000).toFixed(0)} s`, tally.text(counters)],
      samples,
      problems,
    };
  } finally {
    await target.stop();
  }
}
