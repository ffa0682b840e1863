// The short form of `meshward bench envoy`: the same checks as the long one (attacks refused, ordinary requests answered, counters
// right), so few requests that its times say nothing; they are not looked at.

import { gunzipSync } from "node:zlib";
import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { main } from "../../scripts/cli.ts";
import { benchText } from "../../scripts/bench/envoy-text.ts";
import type { BenchResult, Latency, PerVariant } from "../../scripts/bench/envoy.ts";
import { TEST_NAMES, payloadOf } from "../../scripts/bench/payloads.ts";

/** Runs a command and returns its exit code and what it printed. */
async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: "", err: "" };
  const sink = (key: "out" | "err"): Writable =>
    new Writable({ write: (chunk: Buffer, _, done) => done(void (text[key] += chunk.toString())) });
  const code = await main(argv, { stdin: process.stdin, stdout: sink("out"), stderr: sink("err"), env: process.env });
  return { code, ...text };
}

/** What holds of latencies on every machine. */
function assertLatency(latency: Latency, most: PerVariant): void {
  const { rate_rps, turns, requests, elsewhere, bare_ms: bare } = latency;
  const keys = ["rate_rps", "turns", "requests", "elsewhere", "bare_ms", "floor_added_ms", "added_ms"];
  assert.deepEqual(Object.keys(latency), keys);
  assert.ok(rate_rps > 0 && turns >= 1 && requests >= 144 * turns && requests % turns === 0);
  assert.ok(elsewhere >= 0 && elsewhere <= 1, `${elsewhere}`);
  assert.ok(bare.p50 > 0 && bare.p50 <= bare.p99 && bare.p99 <= bare.p999);
  for (const [variant, added] of [
    ["floor", latency.floor_added_ms],
    ["meshward", latency.added_ms],
  ] as const) {
    // One that takes less than the rate has no latency: its queue grows for as long as one measures.
    assert.equal(added === null, most[variant] <= most.bare / 2, variant);
    if (added === null) continue;
    assert.deepEqual(Object.keys(added), ["p50", "p99", "p999"]);
    // What is added may be less than nothing on a noisy machine; with what bare Envoy takes it is a time.
    assert.ok(Object.values(added).every(Number.isFinite));
  }
}

const isLinux = process.platform === "linux" ? false : "reads /proc";

test("bench envoy: checks, measures and prints one document", { skip: isLinux, timeout: 60_000 }, async () => {
  const { code, out, err } = await run("bench", "envoy", "--rounds", "1", "--seconds", "0.05", "--json");
  assert.equal(code, 0, err);
  const result = JSON.parse(out) as Record<string, unknown>;
  const keys = ["machine", "envoy", "commit", "rounds", "workers", "observe", "pages", "tests", "rss_mib", "start_s"];
  assert.deepEqual(Object.keys(result), keys);
  assert.equal(result.rounds, 1);
  assert.match(String(result.envoy), /^\d+\.\d+\.\d+$/);
  const tests = result.tests as BenchResult["tests"];
  assert.deepEqual(
    tests.map(({ name }) => name),
    TEST_NAMES,
  );
  for (const row of tests) {
    const { name, requests, max_rps: most, latency } = row;
    const keys = ["name", "bare_cpu_us", "floor_ratio", "ratio", "requests", "max_rps", "latency"];
    assert.deepEqual(Object.keys(row), keys);
    for (const key of ["bare_cpu_us", "floor_ratio", "ratio"] as const) assert.ok(row[key] > 0, `${name} ${key}`);
    assert.ok(requests % 9 === 0 && requests >= 144);
    assert.deepEqual(Object.keys(most), ["bare", "floor", "meshward"]);
    assert.ok(Object.values(most).every((rate) => rate > 0));
    assertLatency(latency!, most);
  }
  for (const key of ["rss_mib", "start_s"]) {
    const values = result[key] as Record<string, number>;
    assert.deepEqual(Object.keys(values), ["bare", "floor", "meshward"]);
    for (const value of Object.values(values)) assert.ok(value > 0);
  }
});

test("bench envoy: prints a table, of the tests that were asked for", { skip: isLinux, timeout: 60_000 }, async () => {
  const { code, out, err } = await run("bench", "envoy", "--rounds", "1", "--seconds", "0.05", "--tests", "form1k,get");
  assert.equal(code, 0, err);
  const rows = out.split("\n").map((line) => line.split(/ {2,}/));
  const named = rows.filter(([name]) => TEST_NAMES.some((known) => known === name));
  assert.deepEqual(
    named.map(([name, ...cells]) => [name, cells.length]),
    // What a request costs, then what users feel.
    [
      ["form1k", 6],
      ["get", 6],
      ["form1k", 14],
      ["get", 14],
    ],
  );
  assert.match(out, /^memory {2}bare [\d.]+ MiB, floor [\d.]+ MiB, meshward [\d.]+ MiB$/m);
});

test("the table says what was not measured", () => {
  const most = { bare: 8000, floor: 7800, meshward: 3000 };
  const row = { name: "json10k", bare_cpu_us: 100, floor_ratio: 1.2, ratio: 3, requests: 900, max_rps: most } as const;
  const times = { p50: 0.5, p99: 1, p999: 2 };
  const latency = { rate_rps: 4000, turns: 3, requests: 3000, elsewhere: 0.25, bare_ms: times };
  const result = (one: Latency | null): BenchResult => ({
    ...{ machine: "a machine", envoy: "1.40.0", commit: null, rounds: 1, workers: 1, observe: "10%", pages: "same" },
    tests: [{ ...row, latency: one }],
    ...{ rss_mib: most, start_s: most },
  });
  const last = (one: Latency | null): string =>
    benchText(result(one))
      .split("\n")
      .filter((line) => line.startsWith("json10k"))[1]!
      .replaceAll(/ +/g, " ");
  assert.equal(last(null), "json10k 8000 98% 38% – – – – – – – – – – –");
  const some = { ...latency, floor_added_ms: times, added_ms: null };
  assert.equal(last(some), "json10k 8000 98% 38% 4000 0.50 1.00 2.00 0.50 1.00 2.00 – – – 25%");
});

for (const [argv, said] of [
  [["--tests", "get,nothing"], "expected names of get,form1k"],
  [["--rounds", "1.5"], "expected a whole number"],
  [["--seconds", "0"], "expected a number above 0"],
] as const) {
  test(`bench envoy ${argv.join(" ")} is refused in one line`, async () => {
    const { code, err } = await run("bench", "envoy", ...argv);
    assert.equal(code, 2);
    assert.ok(err.includes(said) && err.trim().split("\n").length === 1, err);
  });
}

for (const name of TEST_NAMES) {
  test(`the payload ${name} is the same every time and as large as its name says`, () => {
    const { benign, attack } = payloadOf(name);
    assert.deepEqual(payloadOf(name).benign, benign);
    assert.notDeepEqual(attack, benign);
    const end = benign.indexOf("\r\n\r\n");
    const head = benign.toString("latin1", 0, end).split("\r\n");
    const sent = benign.subarray(end + 4);
    const body = name === "gzip100k" ? gunzipSync(sent) : sent;
    const size = Number(/\d+/.exec(name)?.[0] ?? 0) * 1024;
    if (name === "get") {
      assert.equal(head.length - 1, 12);
      assert.equal(head[0]!.split(" ")[1]!.split("?")[1]!.length, 100);
    }
    assert.ok(body.length >= size * 0.96 && body.length <= size * 1.04, `${body.length} bytes`);
    if (/^(?:json|gzip|graphql)/.test(name)) JSON.parse(body.toString("utf8"));
    if (name === "form1k") assert.equal([...new URLSearchParams(benign.toString("utf8", end + 4))].length, 20);
  });
}
