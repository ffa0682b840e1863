// `meshward demo` as a process of its own, for the tests that start it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { packageRoot } from "../../scripts/package.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

/** Three Envoys and two databases start, on a busy machine; then ordinary traffic, and what sidecars count once a minute. */
export const UP_MS = 150_000;

export interface Run {
  child: ChildProcess;
  out: () => string;
  err: () => string;
  /** The exit code, or null where a signal ended it. */
  ended: Promise<number | null>;
}

/** Starts the command with the temporary folder `folder`, the test's own, so that what is left behind is seen. */
export function demo(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = endWithUs(
    spawn(process.execPath, ["--import", "tsx", join(packageRoot(), "scripts/cli.ts"), "demo", ...args], {
      cwd: packageRoot(),
      // tsx keeps what it compiled in the temporary folder, which is none of the demo's business.
      env: { ...process.env, TMPDIR: folder, TSX_DISABLE_CACHE: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, out: () => out, err: () => err, ended };
}

/** Resolves when the output matches; fails with what there is once it has ended, or `milliseconds` are over. */
export async function until(
  run: Run,
  text: () => string,
  wanted: RegExp,
  milliseconds = UP_MS,
): Promise<RegExpExecArray> {
  for (const deadline = Date.now() + milliseconds; Date.now() < deadline; await delay(50)) {
    const match = wanted.exec(text());
    if (match !== null) return match;
    if (run.child.exitCode !== null) break;
  }
  return assert.fail(`no ${wanted} in:\n${run.out()}\n${run.err()}`);
}
