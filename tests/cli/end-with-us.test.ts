// A program that we have started ends when we have, however we end, with what it has started itself.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { endWithUs } from "../../scripts/end-with-us.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { noProc, processes } from "../processes.ts";
import { packageRoot } from "../../scripts/package.ts";

const SOON = 10_000;
const file = join(packageRoot(), "scripts/end-with-us.ts");

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("a program that ends with us", { concurrency: true }, () => {
  const root = mkdtempSync(join(tmpdir(), "meshward-end-"));
  const started: number[] = [];
  after(() => {
    // What a failed test leaves behind holds our output open.
    for (const pid of started.filter(lives)) process.kill(pid, "SIGKILL");
    rmSync(root, { recursive: true, force: true });
  });

  /** A process of Node's that has started a shell, which has started another; yields their ids and their folder. */
  async function family(
    name: string,
    shell: string,
  ): Promise<{ parent: ReturnType<typeof spawn>; pids: number[]; folder: string }> {
    const folder = mkdtempSync(join(root, name));
    const script = `
      import { spawn } from "node:child_process";
      import { endWithUs } from ${JSON.stringify(file)};
      const options = { detached: true, stdio: ["ignore", "inherit", "ignore"] };
      endWithUs(spawn("/bin/sh", ["-c", ${JSON.stringify(shell)}], options), ${JSON.stringify(folder)});
      // Killed before this, it would have no watcher yet.
      console.log("watched");
      setInterval(() => {}, 1_000);`;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    const parent = spawn(process.execPath, args, { cwd: packageRoot(), stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    parent.stdout.on("data", (text: Buffer) => (said += text.toString()));
    const pids = await poll(
      async () => (/^watched$/m.test(said) ? (/^(\d+) (\d+)$/m.exec(said)?.slice(1).map(Number) ?? null) : null),
      SOON,
      () => new Error(`it did not start: ${said}`),
    );
    started.push(...pids);
    return { parent, pids, folder };
  }

  for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"] as const) {
    it(`is gone after ${signal}, and its folder with it`, async () => {
      const { parent, pids, folder } = await family(signal, "sleep 300 & echo $$ $!; wait");
      assert.deepEqual(pids.map(lives), [true, true]);
      parent.kill(signal);
      await once(parent, "exit");
      const isGone = async (): Promise<true | null> =>
        (!pids.some(lives) &&
          (await stat(folder).then(
            () => false,
            () => true,
          ))) ||
        null;
      await poll(isGone, SOON, () => new Error(`of ${pids.join()} there are ${pids.filter(lives).join()}`));
    });
  }

  it("leaves no watcher behind where it ends before us", { skip: noProc }, async () => {
    const child = endWithUs(spawn("true"));
    await once(child, "exit");
    const watcher = `meshward-watch\0${child.pid}\0`;
    const isGone = (): Promise<true | null> =>
      Promise.resolve(!processes("cmdline").some(({ text }) => text.includes(watcher)) || null);
    await poll(isGone, SOON, () => new Error("the watcher is there"));
  });
});
