// The short forms of the soaks: the same checks as the long ones of `npm run soak`, whose results stand in docs/results/. And that
// the checks fail where something grows, is lost or is not counted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { poll } from "../../scripts/envoy/admin.ts";
import { envoyCounters, soakEnvoyStreams, startTarget } from "../../scripts/soak/envoy.ts";
import { beyond, hostileAt, soakInventory } from "../../scripts/soak/inventory.ts";
import { configure, poolProblems, soakHostStreams, startHost } from "../../scripts/soak/host.ts";
import { soakEnvoyMixed } from "../../scripts/soak/mixed.ts";
import { soakEnvoyPushes, soakHostPushes, Waiting } from "../../scripts/soak/pushes.ts";
import { driftOf, reportText } from "../../scripts/soak/report.ts";
import type { Report, Sample } from "../../scripts/soak/report.ts";
import { Tally } from "../../scripts/soak/tally.ts";
import { SOAK_POLICY, requestAt } from "../../scripts/soak/traffic.ts";

const isLinux = process.platform === "linux" ? false : "reads /proc";
const timeout = 120_000;

const passes = (report: Report): void => assert.deepEqual(report.problems, [], reportText(report));

test("10,000 streams on the host: nothing grows, nothing is lost, everything adds up", { timeout }, async () => {
  passes(await soakHostStreams(10_000));
});

test("3,000 streams through Envoy: nothing grows, everything adds up", { skip: isLinux, timeout }, async () => {
  passes(await soakEnvoyStreams(3_000, process.env));
});

test(
  "3,000 paths, hosts and names of parameters, all observed: what is kept is bounded",
  { skip: isLinux, timeout },
  async () => {
    const reports = await soakInventory(3_000, process.env);
    // So short a time is all warm-up.
    for (const { problems } of reports)
      assert.deepEqual(
        problems.filter((problem) => !problem.startsWith("RSS")),
        [],
      );
    assert.match(reports[1]!.lines[0]!, / 501 endpoints of 1 service/);
    const requests = Array.from({ length: 3_000 }, (_, index) => hostileAt(index));
    assert.equal(new Set(requests.map(({ headers }) => headers[0]![1])).size, 3_000);
    const made = requests.map(({ path }) => path).filter((path) => !path.startsWith("/shop/"));
    assert.equal(new Set(made).size, made.length);
  },
);

test("an inventory that is beyond its bounds is found", () => {
  const hosts = Array.from({ length: 9 }, (_, at) => ({ name: `h${at}`, first_seen: "", last_seen: "" }));
  const endpoint = { method: "GET", route: "/", parameters: [], hosts, request_types: [] };
  const listed = { endpoints: [endpoint], total: 502, next_cursor: null };
  assert.deepEqual(beyond(listed as unknown as Parameters<typeof beyond>[0]), [
    "502 endpoints of one service",
    "9 hosts of GET /",
  ]);
});

test("50 pushes with open streams on the host: each in force, nothing left behind", { timeout }, async () => {
  passes(await soakHostPushes(50));
});

test("50 pushes with open streams to Envoy: each in force", { skip: isLinux, timeout }, async () => {
  passes(await soakEnvoyPushes(50, process.env));
});

test("8 s of all of it at once, with 200 streams open: everything adds up", { skip: isLinux, timeout }, async () => {
  const { problems } = await soakEnvoyMixed(8, 200, process.env);
  // So short a time is all warm-up.
  assert.deepEqual(
    problems.filter((problem) => !problem.startsWith("RSS")),
    [],
  );
});

test(
  "1,500 streams that wait in their bodies and go all at once are all answered by the service",
  {
    skip: isLinux,
    timeout,
  },
  async () => {
    const target = await startTarget({ mode: "block", limits: { holdMillis: 1_000 } }, process.env);
    try {
      const waiting = Array.from({ length: 1_500 }, () => new Waiting(target.port));
      let held = 0;
      await poll(
        async () => {
          held = (await envoyCounters(target.envoy.admin, 0)).overflows.get("hold") ?? 0;
          return held === waiting.length || null;
        },
        60_000,
        () => new Error(`${held} of ${waiting.length} streams were let go`),
      );
      const fates = await Promise.all(waiting.map((stream) => stream.finish()));
      assert.deepEqual(new Set(fates), new Set(["passed"]));
      const answer = await fetch(`http://127.0.0.1:${target.port}/`);
      assert.equal(answer.status, 200);
    } finally {
      await target.stop();
    }
  },
);

test("one stream that is never closed is found", async () => {
  const plugin = await startHost();
  configure(plugin, SOAK_POLICY);
  assert.deepEqual(poolProblems(plugin), []);
  plugin.openStream({ request: { method: "POST" } }).sendHeaders(false);
  assert.deepEqual(poolProblems(plugin), [
    "lost: streams",
    "more than 8192 streams had a slot: the pools are not what is asked here",
  ]);
});

const samples = (rssMib: (index: number) => number, pages = (_: number): number | null => 717): Sample[] =>
  Array.from({ length: 64 }, (_, index) => ({ done: index, rssMib: rssMib(index), pages: pages(index) }));

test("memory that grows after the warm-up is found, noise and the warm-up are not", () => {
  assert.deepEqual(driftOf(samples((index) => 100 + Math.min(index, 14) + (index % 3))), []);
  assert.deepEqual(driftOf(samples((index) => 100 + index / 2)), ["RSS went from 112.0 to 128.0 MiB"]);
  assert.match(
    driftOf(
      samples(
        () => 100,
        (index) => 717 + (index >> 5),
      ),
    ).join(),
    /717, 718 pages/,
  );
  assert.match(driftOf(samples(() => 100).slice(0, 7)).join(), /only 7 samples/);
});

test("a tally finds what was not counted, counted twice, answered wrongly or full", () => {
  const find = (expect: string) =>
    requestAt(Array.from({ length: 500 }, (_, i) => i).find((i) => requestAt(i).kind === expect)!);
  const tally = new Tally();
  const attack = find("attack in the query");
  const benign = find("get");
  tally.add(attack, "refused", 0);
  tally.add(benign, "passed", 1);
  tally.add(find("attack that is watched"), "passed", 2);
  const counters = (outcomes: Record<string, number>, overflows: Record<string, number> = {}) => ({
    outcomes: new Map(Object.entries(outcomes)),
    overflows: new Map(Object.entries(overflows)),
  });
  const right = { allowed: 1, denied: 1, would_deny: 1, partial: 0, error: 0 };
  assert.deepEqual(tally.compare(counters(right, { depth: 3 })), []);
  assert.deepEqual(tally.compare(counters({ ...right, allowed: 2 })), [
    "allowed is counted 2 times and happened 1 times",
  ]);
  assert.deepEqual(tally.compare(counters({ denied: 1, would_deny: 1 })), [
    "allowed is counted 0 times and happened 1 times",
  ]);
  assert.deepEqual(tally.compare(counters(right, { streams: 2 })), ['the module ran out of "streams" 2 times']);
  tally.add(attack, "passed", 3);
  assert.match(tally.compare(counters(right)).join("\n"), /^stream 3 \(attack in the query\): passed, not refused/);
});

test("a request is made from its number alone, and every kind comes up", () => {
  const kinds = new Set<string>();
  for (let index = 0; index < 1_000; index++) {
    const request = requestAt(index);
    kinds.add(request.kind);
    assert.deepEqual(requestAt(index), request);
    assert.ok(!request.breaksOff || request.pieces !== null);
    for (const piece of request.pieces ?? []) assert.ok(piece.length > 0);
  }
  assert.equal(kinds.size, 16);
});
