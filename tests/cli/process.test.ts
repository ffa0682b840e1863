import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../../scripts/package.ts";

// The command as a process of its own: what a shell sees.

const EXCHANGE = '{"id":1,"request":{"method":"GET","path":"/"}}\n';

function start(...argv: string[]) {
  const child = spawn(process.execPath, ["--import", "tsx", join("scripts", "cli.ts"), ...argv], {
    cwd: packageRoot(),
    stdio: "pipe",
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on("exit", (code, signal) => resolve({ code, signal })),
  );
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => void (err += chunk.toString()));
  child.stdin.on("error", () => {});
  return { child, ended, errors: () => err };
}

test("exit codes reach the shell", async () => {
  const { child, ended, errors } = start("scan", "--nope");
  child.stdin.end();
  assert.deepEqual(await ended, { code: 2, signal: null });
  assert.match(errors(), /^meshward scan: unknown option '--nope'; see meshward scan --help\n$/);
});

test("a reader that goes away ends it without a word", async () => {
  const { child, ended, errors } = start("scan");
  child.stdout.once("data", () => child.stdout.destroy());
  const feed = setInterval(() => child.stdin.write(EXCHANGE), 5);
  const { code, signal } = await ended;
  clearInterval(feed);
  assert.deepEqual([code, signal, errors()], [0, null, ""]);
});

test("Ctrl-C while it waits for input ends it with whole lines", async () => {
  const { child, ended, errors } = start("scan");
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
    if (out.endsWith("\n")) child.kill("SIGINT");
  });
  child.stdin.write(EXCHANGE);
  const { code, signal } = await ended;
  assert.deepEqual([code, signal, errors()], [130, null, ""]);
  assert.equal(out, '{"id":1,"verdict":"allow","mode":"detect","score":0,"findings":[]}\n');
});

test("an output without space is told", { skip: existsSync("/dev/full") ? false : "no /dev/full" }, async () => {
  const full = openSync("/dev/full", "w");
  const child = spawn(process.execPath, ["--import", "tsx", join("scripts", "cli.ts"), "--help"], {
    cwd: packageRoot(),
    stdio: ["ignore", full, "pipe"],
  });
  let err = "";
  child.stderr!.on("data", (chunk: Buffer) => void (err += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  closeSync(full);
  assert.deepEqual([code, err], [2, "meshward: standard output: no space left on the device\n"]);
});
