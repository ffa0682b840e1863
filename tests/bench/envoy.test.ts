// The short form of `meshward bench envoy`: the same checks as the long one (attacks refused, ordinary requests answered, counters
// right), so few requests that its times say nothing; they are not looked at.

import { gunzipSync } from "node:zlib";
import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { main } from "../../scripts/cli.ts";
import { TEST_NAMES, payloadOf } from "../../scripts/bench/payloads.ts";

/** Runs a command and returns its exit code and what it printed. */
async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: "", err: "" };
  const sink = (key: "out" | "err"): Writable =>
    new Writable({ write: (chunk: Buffer, _, done) => done(void (text[key] += chunk.toString())) });
  const code = await main(argv, { stdin: process.stdin, stdout: sink("out"), stderr: sink("err"), env: process.env });
  return { code, ...text };
}

const isLinux = process.platform === "linux" ? false : "reads /proc";

test("bench envoy: checks, measures and prints one document", { skip: isLinux, timeout: 60_000 }, async () => {
  const { code, out, err } = await run("bench", "envoy", "--rounds", "2", "--seconds", "0.05", "--json");
  assert.equal(code, 0, err);
  const result = JSON.parse(out) as Record<string, unknown>;
  const keys = ["machine", "envoy", "commit", "rounds", "workers", "tests", "rss_mib", "start_s"];
  assert.deepEqual(Object.keys(result), keys);
  assert.equal(result.rounds, 2);
  assert.match(String(result.envoy), /^\d+\.\d+\.\d+$/);
  const tests = result.tests as Record<string, number | string>[];
  assert.deepEqual(
    tests.map(({ name }) => name),
    TEST_NAMES,
  );
  for (const row of tests) {
    assert.deepEqual(Object.keys(row), ["name", "bare_cpu_us", "floor_ratio", "ratio", "requests"]);
    for (const key of ["bare_cpu_us", "floor_ratio", "ratio"]) assert.ok(Number(row[key]) > 0, `${row.name} ${key}`);
    assert.ok(Number(row.requests) % 9 === 0 && Number(row.requests) >= 288);
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
  const names = TEST_NAMES.filter((name) => out.includes(`\n${name} `));
  assert.deepEqual(names, ["get", "form1k"]);
  assert.match(out, /^memory {2}bare [\d.]+ MiB, floor [\d.]+ MiB, meshward [\d.]+ MiB$/m);
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
