/** Starts Envoy in a folder with an `envoy.yaml`, as the pages of the examples do by hand, and runs the pages' commands. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Admin, poll } from "../../scripts/envoy/admin.ts";
import { resolveEnvoy } from "../../scripts/envoy/resolve.ts";
import { steady } from "../docs/blocks.ts";
import type { ShownCommand } from "../docs/blocks.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

/** Counts are at most this old. */
const COUNTS_MS = 3_000;

export interface FolderEnvoy {
  admin: Admin;
  /** `http://127.0.0.1:PORT` of its first listener. */
  url: string;
  /** What it has written: the access log, and its own log. */
  output(): Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

export async function envoyBinary(): Promise<string> {
  const envoy = await resolveEnvoy({ env: process.env, backend: "process" });
  assert.ok(envoy.kind === "process");
  return envoy.binary;
}

/** Runs Envoy on `folder/envoy.yaml`, whose ports should be 0; resolves when it takes requests. */
export async function startFolder(folder: string): Promise<FolderEnvoy> {
  const binary = await envoyBinary();
  // prettier-ignore
  const args = ["-c", "envoy.yaml", "--disable-hot-restart", "--admin-address-path", "admin.txt",
    "--log-level", "warning", "--concurrency", "1"];
  const command = `exec "$0" "$@" --file-flush-interval-msec 50 > out.log`;
  const child = endWithUs(
    spawn("/bin/sh", ["-c", command, binary, ...args], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  const late = (): Error => new Error(`Envoy is not ready:\n${log}`);
  const address = (): Promise<string | null> =>
    child.exitCode !== null
      ? Promise.reject(late())
      : readFile(join(folder, "admin.txt"), "utf8").then(
          (text) => text || null,
          () => null,
        );
  try {
    const admin = new Admin(`http://${await poll(address, 30_000, late)}`);
    await poll(async () => (await admin.isReady()) || null, 60_000, late);
    const url = `http://127.0.0.1:${await admin.listenPort()}`;
    return { admin, url, output: () => readFile(join(folder, "out.log"), "utf8"), log: () => log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs each command (ports 10000 and 9901 become those of `envoy`) until it prints what is shown, for 3 s at most. */
export async function assertShown(commands: readonly ShownCommand[], envoy: FolderEnvoy): Promise<void> {
  for (const { command, output } of commands) {
    const real = command
      .replaceAll("http://127.0.0.1:10000", envoy.url)
      .replaceAll("http://127.0.0.1:9901", envoy.admin.origin);
    const run = async (): Promise<string> => {
      const { stdout } = await promisify(execFile)("/bin/sh", ["-c", real]).catch((error: { stderr: string }) => ({
        stdout: `it fails: ${error.stderr}`,
      }));
      return steady(stdout);
    };
    // What is asked for may be on its way; all else is asked for once.
    const deadline = Date.now() + (/\/stats\b|\bgrep -h\b| report /.test(command) ? COUNTS_MS : 0);
    let shown = await run();
    while (shown !== steady(output) && Date.now() < deadline) {
      await delay(50);
      shown = await run();
    }
    assert.equal(shown, steady(output), command);
  }
}
