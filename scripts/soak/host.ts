/** Streams through one VM of the release module on the host of `scripts/host`, in this process. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createEnvoyProcess } from "../host/index.ts";
import type { EnvoyProcess, Plugin, Stream } from "../host/index.ts";
import { readModule } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { policyFrom } from "../policy/load.ts";
import { randomFrom } from "../bench/random.ts";
import { driftOf } from "./report.ts";
import type { Report, Sample } from "./report.ts";
import { Tally } from "./tally.ts";
import type { Counters, Fate } from "./tally.ts";
import { SOAK_POLICY, requestAt } from "./traffic.ts";
import type { SoakRequest } from "./traffic.ts";

/** Streams that are open at once, each somewhere in its life. */
const OPEN = 64;
/** Streams between two ticks of the module. */
const A_TICK = 2_000;
const SAMPLES = 64;
const PAGE = 65_536;
/** Slots of the module's pools (filter/stream.ts, core/findings.ts): all must be free at the end. */
const SLOTS = 8192;
const LISTS = 1024;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

export async function startHost(): Promise<Plugin> {
  const process = createEnvoyProcess({ seed: 1 });
  return process.addPlugin({ name: "meshward", vmId: "meshward", module: readModule(), keepBodies: false });
}

export function configure(plugin: Plugin, policy: object): void {
  const text = JSON.stringify(compilePolicy(policyFrom(policy), { holdHeaders: true }));
  if (!plugin.configure(text).accepted) throw new Error("the module refuses the policy of the soak");
}

/** What the module has counted, after a tick. */
export function hostCounters(process: EnvoyProcess): Counters {
  process.advance(1_000);
  const counters = { outcomes: new Map<string, number>(), overflows: new Map<string, number>() };
  for (const [name, value] of process.metrics()) {
    const parts = /^wasmcustom\.meshward\.(outcome|what)=\.=(.*);\.;/.exec(name);
    if (parts !== null) (parts[1] === "outcome" ? counters.outcomes : counters.overflows).set(parts[2]!, Number(value));
  }
  return counters;
}

export function hostSample(plugin: Plugin, done: number): Sample {
  collectGarbage();
  const pages = plugin.process.vms().reduce((sum, vm) => sum + vm.exports.memory.buffer.byteLength / PAGE, 0);
  return { done, rssMib: process.memoryUsage.rss() / 2 ** 20, pages };
}

/** A stream on its way. */
interface Course {
  index: number;
  request: SoakRequest;
  stream: Stream;
  /** Pieces of the body that were sent; -1 before the headers. */
  sent: number;
}

export function open(plugin: Plugin, index: number): Course {
  const request = requestAt(index);
  const { method, path, headers } = request;
  const source = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}:50000`;
  return { index, request, stream: plugin.openStream({ request: { method, path, headers }, source }), sent: -1 };
}

/** Takes the next step of a stream; its fate where that was the last. */
export function step(course: Course): Fate | null {
  const { stream, request } = course;
  const { pieces, breaksOff } = request;
  if (course.sent < 0) stream.sendHeaders(pieces === null);
  else stream.sendBody(pieces![course.sent]!, course.sent === pieces!.length - 1);
  course.sent++;
  const left = (pieces?.length ?? 0) - course.sent;
  if (stream.local !== null) {
    stream.end();
    return stream.local.status === 403 ? "refused" : "left";
  }
  if (breaksOff && left === 1) {
    stream.reset();
    return "left";
  }
  if (left > 0) return null;
  stream.respond({ status: 200, headers: [["content-type", "text/plain"]], body: "ok" });
  const { outcome } = stream;
  stream.end();
  return outcome === "upstream" ? "passed" : "left";
}

export async function soakHostStreams(count: number): Promise<Report> {
  const plugin = await startHost();
  configure(plugin, SOAK_POLICY);
  const random = randomFrom(1);
  const tally = new Tally();
  const samples: Sample[] = [];
  const courses: Course[] = [];
  const began = performance.now();
  let opened = 0;
  while (opened < count || courses.length > 0) {
    while (courses.length < OPEN && opened < count) courses.push(open(plugin, opened++));
    const at = random.below(courses.length);
    const course = courses[at]!;
    const fate = step(course);
    if (fate === null) continue;
    courses[at] = courses.at(-1)!;
    courses.pop();
    tally.add(course.request, fate, course.index);
    if (tally.streams % A_TICK === 0) plugin.process.advance(1_000);
    if (tally.streams % Math.ceil(count / SAMPLES) === 0) samples.push(hostSample(plugin, tally.streams));
  }
  const seconds = (performance.now() - began) / 1000;
  const counters = hostCounters(plugin.process);
  const problems = [...tally.compare(counters), ...driftOf(samples), ...poolProblems(plugin)];
  return {
    title: `${count} streams through one VM on the host, ${OPEN} open at once`,
    lines: [
      `${seconds.toFixed(0)} s, ${Math.round(count / seconds)} streams/s, ${plugin.process.traps} traps`,
      tally.text(counters),
      `afterwards ${SLOTS} streams at once had a slot, ${LISTS} of them a page and a list of findings`,
    ],
    samples,
    problems,
  };
}

/** Opens as many streams as the pools hold: were a slot, a page or a list lost, one of them would go without. */
export function poolProblems(plugin: Plugin): string[] {
  const before = hostCounters(plugin.process).overflows;
  const grown = (what: string): number =>
    (hostCounters(plugin.process).overflows.get(what) ?? 0) - (before.get(what) ?? 0);
  const attack = "1 UNION SELECT name, password FROM users";
  const headers: [string, string][] = [
    ["host", "shop.example"],
    ["content-type", "application/json"],
  ];
  const one = (index: number): Stream => {
    const path = index < LISTS ? `/watched/a?q=${encodeURIComponent(attack)}` : "/watched/a";
    const stream = plugin.openStream({ request: { method: "POST", path, headers } });
    stream.sendHeaders(false);
    if (index < LISTS) stream.sendBody(`{"note":"${"a".repeat(1_000)}`, false);
    return stream;
  };
  const streams = Array.from({ length: SLOTS }, (_, index) => one(index));
  const problems = ["streams", "values", "findings"].filter((what) => grown(what) !== 0).map((what) => `lost: ${what}`);
  // That nothing was free any more shows that the question was put.
  streams.push(one(SLOTS));
  if (grown("streams") !== 1)
    problems.push(`more than ${SLOTS} streams had a slot: the pools are not what is asked here`);
  for (const stream of streams) stream.reset();
  return problems;
}
