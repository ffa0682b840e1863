/**
 * One process at a time in a folder. Node has no flock, so the lock is a file that says who holds it; it is made by link(2), which only
 * one can do. A holder that was killed leaves it behind: on the same machine that is seen at once (process id and when it started),
 * from another machine or container by the file's time, which a holder that lives renews.
 */
import { randomBytes } from "node:crypto";
import { link, readFile, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const RENEWAL_MILLISECONDS = 5_000;
/** Since the last renewal: longer than any statement blocks the process. */
const DEAD_MILLISECONDS = 30_000;
const NAME = "meshward.lock";

interface Holder {
  /** Where process ids mean the same: machine, boot and container. */
  place: string;
  pid: number;
  /** Of the process, in the machine's ticks; "" where that cannot be known. */
  started: string;
  id: string;
}

export class LockedError extends Error {}

/** When a process started (field 22 of its stat: behind the name, which may hold anything); "" where there is no /proc. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

async function place(): Promise<string> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "latin1").catch(() => "");
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return [hostname(), boot.trim(), namespace].join(" ");
}

async function isAlive(holder: Holder, file: string): Promise<boolean> {
  if (holder.place !== (await place())) {
    const { mtimeMs } = await stat(file);
    return Date.now() - mtimeMs < DEAD_MILLISECONDS;
  }
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return (await startOf(holder.pid)) === holder.started;
}

async function holderIn(file: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Holder;
  } catch (error) {
    // Gone meanwhile, or written half by a machine that lost its power.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Locks `folder`, which is there; resolves with what unlocks it. Rejects with `LockedError` where another process has it. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, NAME);
  const own: Holder = {
    place: await place(),
    pid: process.pid,
    started: await startOf(process.pid),
    id: randomBytes(8).toString("hex"),
  };
  const mine = `${file}.${own.id}`;
  await writeFile(mine, JSON.stringify(own), { flag: "wx" });
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        await link(mine, file);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = await holderIn(file);
      if (attempt === 40 || (holder !== null && (await isAlive(holder, file)))) {
        throw new LockedError(`${folder} is in use by another collector (process ${holder?.pid ?? "unknown"})`);
      }
      await removeStale(file);
    }
  } finally {
    await rm(mine, { force: true });
  }
  const renewal = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), RENEWAL_MILLISECONDS);
  renewal.unref();
  return async () => {
    clearInterval(renewal);
    if ((await holderIn(file))?.id === own.id) await rm(file, { force: true });
  };
}

/**
 * Takes the lock of a dead holder away. One at a time, and each looks again who holds it: another may have taken it over meanwhile. A turn
 * that was killed is over after `DEAD_MILLISECONDS`.
 */
async function removeStale(file: string): Promise<void> {
  const turn = `${file}.turn`;
  try {
    await writeFile(turn, "", { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const { mtimeMs } = await stat(turn).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > DEAD_MILLISECONDS) await rm(turn, { force: true });
    await sleep(50);
    return;
  }
  try {
    const holder = await holderIn(file);
    if (holder === null || !(await isAlive(holder, file))) await rm(file, { force: true });
  } finally {
    await rm(turn, { force: true });
  }
}
