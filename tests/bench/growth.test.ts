// The short form of `meshward bench growth`: the same checks of what is found, of what is counted and of what stays open, with so few
// requests that its times say nothing; they are not looked at. That the cost does not grow is shown in steps, in tests/policy.

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { growthText, type GrowthResult } from "../../scripts/bench/growth.ts";
import { GROWTHS } from "../../scripts/bench/growth-policies.ts";
import { main } from "../../scripts/cli.ts";

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: "", err: "" };
  const sink = (key: "out" | "err"): Writable =>
    new Writable({ write: (chunk: Buffer, _, done) => done(void (text[key] += chunk.toString())) });
  const code = await main(argv, { stdin: process.stdin, stdout: sink("out"), stderr: sink("err"), env: process.env });
  return { code, ...text };
}

const isLinux = process.platform === "linux" ? false : "reads /proc";

async function measured(...argv: string[]): Promise<GrowthResult> {
  const { code, out, err } = await run("bench", "growth", "--rounds", "1", "--requests", "16", "--json", ...argv);
  assert.equal(code, 0, err);
  return JSON.parse(out) as GrowthResult;
}

test(
  "bench growth: finds what it must in each policy, and measures it",
  { skip: isLinux, timeout: 60_000 },
  async () => {
    const result = await measured("--parts", "policies", "--most", "1");
    assert.deepEqual(
      result.policies.map(({ growth, entries }) => `${growth} ${entries}`),
      GROWTHS.map((growth) => `${growth} 1`),
    );
    for (const row of result.policies)
      assert.ok(row.ratio > 0 && row.found_ns > 0 && row.configuration_bytes > 0 && row.policy_bytes > 0);
    for (const growth of GROWTHS) assert.ok(growthText(result).includes(growth));
  },
);

test("bench growth: measures beside open streams, and by workers", { skip: isLinux, timeout: 60_000 }, async () => {
  const result = await measured("--parts", "streams,workers", "--most", "10");
  assert.deepEqual(
    result.streams.map(({ open, workers }) => [open, workers]),
    [[10, 1]],
  );
  assert.deepEqual(
    result.workers.map(({ workers }) => workers),
    [1, 2, 4],
  );
  for (const row of [...result.streams, ...result.workers]) assert.ok(row.ratio > 0 && row.rss_mib > 0);
  for (const title of ["open  workers", "× bare"]) assert.ok(growthText(result).includes(title), title);
});

test("bench growth: takes the memory of Envoy with each policy", { skip: isLinux, timeout: 60_000 }, async () => {
  const { memory } = await measured("--parts", "memory", "--most", "20");
  assert.deepEqual(
    memory.map(({ entries }) => entries),
    [0, 20, 20, 20],
  );
  for (const row of memory) assert.ok(row.rss_mib > 10 && row.policy_bytes > 0 && row.configuration_bytes > 0);
  const sizes = memory.map(({ configuration_bytes }) => configuration_bytes);
  assert.deepEqual(
    sizes,
    [...sizes].sort((a, b) => a - b),
  );
});

test("bench growth --parts nothing is refused in one line", async () => {
  const { code, err } = await run("bench", "growth", "--parts", "nothing");
  assert.equal(code, 2);
  assert.ok(
    err.includes("expected names of policies,streams,workers,memory") && err.trim().split("\n").length === 1,
    err,
  );
});
