/**
 * Pushes of policies while streams stay open across them: each must be in force at once, each stream must end well, and
 * no root, arena or statistic may stay behind.
 */
import type { Socket } from "node:net";
import { connect } from "node:net";
import { AnswerReader } from "../bench/answer.ts";
import { rssMib } from "../bench/proc.ts";
import type { Stream } from "../host/index.ts";
import { Client, headText } from "./client.ts";
import { compiled, envoyCounters, startTarget } from "./envoy.ts";
import { configure, hostCounters, hostSample, poolProblems, startHost } from "./host.ts";
import { driftOf } from "./report.ts";
import type { Report, Sample } from "./report.ts";
import { Tally } from "./tally.ts";
import type { Fate } from "./tally.ts";
import type { SoakRequest } from "./traffic.ts";

/** Streams that stay open, each over as many pushes. */
const OPEN = 24;
const SAMPLES = 50;

/** The policy of a push: like no other, and in turns in block and in detect mode. */
function policyAt(push: number): object {
  return {
    mode: push % 2 === 0 ? "block" : "detect",
    limits: { holdMillis: 60_000, holdBytes: 65_536 + push },
    exceptions: [{ id: `push-${push}`, rules: ["sqli-*"], path: `/reports/${push}`, why: "of this push alone" }],
  };
}

const request = (
  path: string,
  pieces: Buffer[] | null,
  expect: SoakRequest["expect"],
  watched = false,
): SoakRequest => ({
  kind: "push",
  method: pieces === null ? "GET" : "POST",
  path,
  headers: [
    ["host", "shop.example"],
    ...(pieces === null ? [] : [["content-type", "application/json"] as [string, string]]),
  ],
  pieces,
  breaksOff: false,
  expect,
  watched,
});

/** A stream that is open over many pushes; its body comes in two pieces. */
export const WAITING = request("/orders", [Buffer.from('{"note":"leave it at '), Buffer.from('the door"}')], "passes");
const ATTACK = encodeURIComponent("1 UNION SELECT name, password FROM users");

/** What is asked after each push: that the new policy is in force, and that ordinary requests pass. */
function questionsAt(push: number): SoakRequest[] {
  const blocks = push % 2 === 0;
  return [
    request(`/search?q=${ATTACK}`, null, blocks ? "refused" : "passes", !blocks),
    request(`/reports/${push}?q=${ATTACK}`, null, "passes"),
    request("/products/17?page=2", null, "passes"),
  ];
}

export async function soakHostPushes(count: number): Promise<Report> {
  const plugin = await startHost();
  configure(plugin, policyAt(0));
  const tally = new Tally();
  const samples: Sample[] = [];
  const waiting: Stream[] = [];
  const { method, headers, pieces } = WAITING;

  const fateOf = (stream: Stream): Fate => {
    stream.respond({ status: 200, body: "ok" });
    const fate = stream.local !== null ? "refused" : stream.outcome === "upstream" ? "passed" : "left";
    stream.end();
    return fate;
  };
  const endOldest = (push: number): void => {
    const stream = waiting.shift()!;
    stream.sendBody(pieces![1]!, true);
    tally.add(WAITING, fateOf(stream), push);
  };

  const began = performance.now();
  for (let push = 1; push <= count; push++) {
    const stream = plugin.openStream({ request: { method, path: WAITING.path, headers } });
    stream.sendHeaders(false);
    stream.sendBody(pieces![0]!, false);
    waiting.push(stream);
    configure(plugin, policyAt(push));
    for (const question of questionsAt(push)) {
      const asked = plugin.openStream({ request: question });
      asked.sendHeaders(true);
      tally.add(question, fateOf(asked), push);
    }
    if (waiting.length > OPEN) endOldest(push);
    plugin.process.advance(1_000);
    if (push % Math.ceil(count / SAMPLES) === 0) samples.push(hostSample(plugin, push));
  }
  while (waiting.length > 0) endOldest(count);
  const seconds = (performance.now() - began) / 1000;
  const counters = hostCounters(plugin.process);
  const problems = [...tally.compare(counters), ...driftOf(samples)];
  for (const vm of plugin.process.vms()) {
    if (vm.contexts.size !== 1) problems.push(`${vm.contexts.size} contexts are left in a VM where one root is alive`);
  }
  configure(plugin, { mode: "block", routes: [{ match: { path: "/watched/**" }, mode: "detect" }] });
  problems.push(...poolProblems(plugin));
  return {
    title: `${count} pushes on the host, each with ${OPEN} streams open`,
    lines: [`${seconds.toFixed(0)} s, ${plugin.process.traps} traps`, tally.text(counters)],
    samples,
    problems,
  };
}

/** A request whose second half is sent later. */
export class Waiting {
  readonly #socket: Socket;
  readonly #answer: Promise<number>;

  constructor(port: number) {
    const reader = new AnswerReader();
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#answer = new Promise((resolve) => {
      this.#socket.on("data", (data) => {
        const answer = reader.take(data);
        if (answer !== null) resolve(answer.status);
      });
      this.#socket.on("error", () => {});
      this.#socket.on("close", () => resolve(0));
    });
    this.#socket.write(Buffer.concat([Buffer.from(headText(WAITING)), WAITING.pieces![0]!]));
  }

  async finish(): Promise<Fate> {
    this.#socket.write(WAITING.pieces![1]!);
    const status = await this.#answer;
    this.#socket.destroy();
    return status === 200 ? "passed" : status === 403 ? "refused" : "left";
  }
}

export async function soakEnvoyPushes(count: number, env: NodeJS.ProcessEnv): Promise<Report> {
  const target = await startTarget(policyAt(0), env);
  const { envoy, port } = target;
  try {
    const client = new Client(port);
    const tally = new Tally();
    const samples: Sample[] = [];
    const waiting: Waiting[] = [];
    const endOldest = async (push: number): Promise<void> => tally.add(WAITING, await waiting.shift()!.finish(), push);

    const began = performance.now();
    let slowest = 0;
    for (let push = 1; push <= count; push++) {
      waiting.push(new Waiting(port));
      const asked = performance.now();
      await envoy.reload(compiled(policyAt(push)));
      slowest = Math.max(slowest, performance.now() - asked);
      for (const question of questionsAt(push)) tally.add(question, await client.send(question), push);
      if (waiting.length > OPEN) await endOldest(push);
      if (push % Math.ceil(count / SAMPLES) === 0)
        samples.push({ done: push, rssMib: rssMib(target.pid), pages: null });
    }
    while (waiting.length > 0) await endOldest(count);
    client.close();
    const seconds = (performance.now() - began) / 1000;
    const counters = await envoyCounters(envoy.admin);
    return {
      title: `${count} pushes to Envoy ${target.version}, each with ${OPEN} streams open`,
      lines: [`${seconds.toFixed(0)} s, each in force within ${slowest.toFixed(0)} ms`, tally.text(counters)],
      samples,
      problems: [...tally.compare(counters), ...driftOf(samples)],
    };
  } finally {
    await target.stop();
  }
}
