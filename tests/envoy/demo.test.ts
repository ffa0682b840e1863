import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { CASES } from "../../scripts/demo/cases.ts";
import { startDatabase } from "../../scripts/demo/shop/database.ts";
import { demo, until, UP_MS } from "./demo-run.ts";
import type { Run } from "./demo-run.ts";

const STOP_MS = 15_000;

let folder: string;
before(async () => void (folder = await mkdtemp(join(tmpdir(), "meshward-demo-test-"))));
after(() => rm(folder, { recursive: true, force: true }));

/** Processes that were started in the test's folder, or for it, and still run. */
async function processesLeft(): Promise<string[]> {
  const left: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const seen = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
      readFile(`/proc/${pid}/environ`, "utf8").catch(() => ""),
    ]);
    if (Number(pid) !== process.pid && seen.some((text) => text.includes(folder))) left.push(`${pid} ${seen[0]}`);
  }
  return left;
}

/** Fails unless nothing is left of what was started. */
async function assertNothingLeft(urls: readonly string[], database: number | null): Promise<void> {
  assert.deepEqual(await readdir(folder), []);
  if (process.platform === "linux") assert.deepEqual(await processesLeft(), []);
  if (database !== null) assert.throws(() => process.kill(database, 0), { code: "ESRCH" });
  for (const url of urls) await assert.rejects(fetch(url), (error: Error) => /ECONNREFUSED/.test(String(error.cause)));
}

/** The child's child that runs the database; Linux only. */
async function databaseOf({ child }: Run): Promise<number | null> {
  if (process.platform !== "linux") return null;
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
  for (const pid of children.trim().split(" ")) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line.includes("database-process")) return Number(pid);
  }
  return assert.fail(`no database among ${children}`);
}

function answer(url: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) =>
    request(url, { headers }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .once("error", reject)
      .end(),
  );
}

describe("the shop's database", () => {
  it("gives up a statement that does not end, starts anew, and is filled again", async () => {
    const database = startDatabase({ statementTimeoutMs: 1_000 });
    try {
      await database.ready;
      const rows = await database.run("SELECT 1 AS one; SELECT count(*)::int AS users FROM users");
      assert.deepEqual(rows, [{ users: 3 }]);
      await assert.rejects(database.run("SELECT broken"), /column "broken" does not exist/);
      await assert.rejects(database.run("COPY (SELECT 1) TO PROGRAM 'id'"), /permission denied/);
      await assert.rejects(database.run("COPY (SELECT 1) TO '/out'"), /permission denied/);
      await database.query("INSERT INTO comments (author, body) VALUES ($1, $2)", ["O'Brien", "'; DROP TABLE users--"]);
      assert.equal((await database.run("SELECT 1 FROM comments")).length, 2);
      await database.reset();
      assert.equal((await database.run("SELECT 1 FROM comments")).length, 1);
      await assert.rejects(database.run("SELECT pg_sleep(60)"), /took too long/);
      assert.deepEqual(await database.run("SELECT name FROM users WHERE email LIKE 'ada%'"), [{ name: "Ada" }]);
    } finally {
      await database.stop();
    }
    await assert.rejects(database.run("SELECT 1"));
  });
});

describe("meshward demo", () => {
  it("--once makes the tour, keeps every promise, and leaves nothing behind", async () => {
    const run = demo(folder, ["--once"]);
    await until(run, run.err, /the shop is open/);
    const database = await databaseOf(run);
    const urls = /stands before (\S+): use (\S+)/.exec(run.err())!.slice(1);
    assert.equal(await run.ended, 0, run.out() + run.err());
    const lines = run.out().trimEnd().split("\n");
    for (const { kind, what, status } of CASES) {
      const row = lines.find((line) => line.startsWith(`${what.padEnd(38)} `)) ?? assert.fail(`no row for ${what}`);
      assert.match(row.slice(39, 67).trim(), /^.*\w.*$/);
      assert.equal(row.slice(68), kind === "attack" ? "403 refused" : `${status ?? 200} passes`, row);
    }
    assert.equal(lines.at(-1), "15 of 15 attacks work without and fail with it; 15 of 15 look-alikes pass.");
    assert.doesNotMatch(run.out(), /\u001b|WRONG/);
    for (const line of lines) assert.ok(line.length < 80, line);
    await assertNothingLeft(urls, database);
  });

  it("stays up behind Meshward alone, for whoever has the address and the token; Ctrl-C ends all of it", async () => {
    const run = demo(folder, []);
    await until(run, run.out, /Ctrl-C ends it/);
    const database = await databaseOf(run);
    const [, inner, url] = /stands before (\S+): use (\S+)/.exec(run.err())!;
    const lines = [...run.out().matchAll(/^ {2}(curl .*)$/gm)].map(([, line]) => line!);
    const token = /x-demo-token:(\S+)/.exec(lines[0]!)![1]!;
    const good = { host: new URL(url!).host, "x-demo-token": token };
    try {
      // The lines to copy do what they say.
      assert.equal(lines.length, 5);
      for (const [index, line] of lines.entries()) {
        const { stdout } = await promisify(execFile)("/bin/sh", ["-c", line]);
        if (index === 0) assert.match(stdout, /Fish & chips; salt/);
        else assert.equal((JSON.parse(stdout) as { status: number }).status, 403, line);
      }
      await until(run, run.out, /denied +403 GET \/products \| query q: sqli-/, 5_000);

      assert.equal((await answer(url!, good)).status, 200);
      for (const [headers, status] of [
        [{ ...good, host: "evil.example" }, 421],
        [{ host: good.host }, 401],
        [{ ...good, "x-demo-token": "0".repeat(24) }, 401],
        [{ ...good, origin: "https://evil.example" }, 403],
        [{ ...good, "sec-fetch-site": "cross-site" }, 403],
      ] as const) {
        const refused = await answer(url!, headers);
        assert.equal(refused.status, status);
        assert.match(refused.body, /^the demo's door: /);
      }
      // The unprotected way is closed.
      const direct = /way around Meshward is (\S+)/.exec(run.err())![1]!;
      await assert.rejects(answer(direct, { ...good, host: new URL(direct).host }), { code: "ECONNREFUSED" });
      // The way from Envoy to the shop is none for others.
      assert.equal((await answer(inner!, { ...good, host: new URL(inner!).host })).status, 421);
      // What the tour's comments left is gone with it.
      assert.doesNotMatch((await answer(`${url}/comments`, good)).body, /steal/);
    } finally {
      run.child.kill("SIGINT");
      const code = await Promise.race([run.ended, delay(STOP_MS, "it did not end", { ref: false })]);
      assert.equal(code, 0, run.err());
    }
    assert.match(run.out(), /\d+ requests: \d+ denied/);
    await assertNothingLeft([url!, inner!], database);
  });

  it("ends when it is interrupted while starting", async () => {
    const run = demo(folder, ["--once"]);
    await until(run, run.err, /starting the shop/);
    run.child.kill("SIGTERM");
    assert.equal(await Promise.race([run.ended, delay(UP_MS, "it did not end", { ref: false })]), 130);
    assert.equal(run.out(), "");
    await assertNothingLeft([], null);
  });

  const taken = createServer();
  before(() => new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve)));
  after(() => taken.close());
  for (const [what, args, env, told] of [
    [
      "a port that is taken",
      () => ["--listen", `127.0.0.1:${(taken.address() as AddressInfo).port}`],
      {},
      /^meshward demo: cannot listen on \S+: it is taken by another program$/,
    ],
    [
      "an address of the network",
      () => ["--listen", "0.0.0.0:0"],
      {},
      /^meshward demo: cannot listen on 0\.0\.0\.0:0: the demo listens on the loopback only$/,
    ],
    [
      "no Envoy",
      () => [],
      { ENVOY_BIN: "/nowhere/envoy" },
      /^meshward demo: no Envoy to run was found; meshward doctor says what was tried and what helps$/,
    ],
  ] as const) {
    it(`tells ${what} in one line, exit code 2`, async () => {
      const run = demo(folder, ["--once", ...args()], env);
      assert.equal(await run.ended, 2);
      const lines = run
        .err()
        .trimEnd()
        .split("\n")
        .filter((line) => !line.includes("this takes some seconds"));
      assert.equal(lines.length, 1, run.err());
      assert.match(lines[0]!, told);
      await assertNothingLeft([], null);
    });
  }
});
