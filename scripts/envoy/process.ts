/**
 * Envoy as a child process, in a temporary folder of its own. What it owns dies with it, and it dies with us.
 * It has a process group of its own, so that Ctrl-C reaches Node alone, which stops it in order.
 *
 * The access log comes through a FIFO: no file grows, and lines are there as soon as Envoy writes them.
 */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { setTimeout as delay } from "node:timers/promises";
import { BOOTSTRAP_FILE, OUTBOUND_LISTENER } from "../../envoy/names.ts";
import type { CompiledPolicy } from "../../envoy/options.ts";
import { parseAccessLine } from "./access-log.ts";
import { Admin, poll } from "./admin.ts";
import { endWithUs, killGroup } from "../end-with-us.ts";
import { systemAuthorities } from "./authorities.ts";
import { writeDirectory, writeReload } from "./directory.ts";
import { Ring, eachLine } from "./lines.ts";
import {
  EnvoyFailed,
  FLUSH_MS,
  READY_TIMEOUT_MS,
  causeIn,
  checkReload,
  letEventsLeave,
  secretsIn,
  untilInForce,
} from "./running.ts";
import type { RunningEnvoy, StartOptions } from "./running.ts";
import { childEnvironment } from "./version.ts";

const LOG_LINES = 200;
/** Envoy ends at once on SIGTERM; one that does not is killed after this. */
const GRACE_MS = 5_000;
const ADMIN_FILE = "admin.txt";
const FIFO = "access.fifo";

interface Fifo {
  path: string;
  /** Lets the reader see the end after the last writer is gone; resolves when every line was taken. */
  finish(): Promise<void>;
}

async function openFifo(path: string, take: (line: string) => void): Promise<Fifo> {
  await promisify(execFile)("mkfifo", ["-m", "600", path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  // A writer of our own: without any, the reader would be at its end before Envoy starts.
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const stream = new Socket({ fd: reader, readable: true, writable: false });
  stream.unref();
  eachLine(stream, take);
  const ended = new Promise<void>((resolve) => stream.once("close", () => resolve()));
  return {
    path,
    async finish() {
      closeSync(writer);
      await Promise.race([ended, delay(1_000, undefined, { ref: false })]);
      stream.destroy();
    },
  };
}

/** Starts `binary`; resolves when it takes requests. Rejects with `EnvoyFailed` and leaves nothing behind. */
export async function startProcess(binary: string, options: StartOptions): Promise<RunningEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), "meshward-"));
  const root = ".";
  const ring = new Ring(LOG_LINES);
  let fifo: Fifo | null = null;
  let child: ChildProcess | null = null;
  let exited: Promise<string> = Promise.resolve("it was not started");
  let stopping: Promise<void> | null = null;
  let serves = false;

  const stop = (): Promise<void> => (stopping ??= end());
  const end = async (): Promise<void> => {
    // What is waited for below keeps nothing alive by itself.
    const alive = setInterval(() => {}, GRACE_MS);
    try {
      if (child !== null) {
        if (serves) await letEventsLeave(options.compiled, exited);
        killGroup(child, "SIGTERM");
        const killer = setTimeout(() => killGroup(child!, "SIGKILL"), GRACE_MS);
        await exited;
        clearTimeout(killer);
      }
      await fifo?.finish();
      await rm(folder, { recursive: true, force: true });
    } finally {
      clearInterval(alive);
    }
  };

  try {
    const { onAccess } = options;
    if (onAccess !== null) {
      fifo = await openFifo(join(folder, FIFO), (line) => {
        const entry = parseAccessLine(line);
        if (entry !== null) onAccess(entry);
      });
    }
    const bootstrapOptions = {
      upstream: options.upstream,
      listen: options.listen,
      admin: { host: "127.0.0.1", port: 0 },
      root,
      accessLog: onAccess === null ? "/dev/null" : FIFO,
      protocol: options.protocol ?? "http1",
      filter: options.filter ?? true,
      authorities: await systemAuthorities(options.env),
      ...(options.service === undefined ? {} : { service: options.service }),
      ...(options.outbound === undefined ? {} : { outbound: options.outbound }),
      ...(options.hosts === undefined ? {} : { hosts: options.hosts }),
    } as const;
    await writeDirectory(folder, options.compiled, bootstrapOptions, options.modulePath);
    // prettier-ignore
    const args = ["-c", BOOTSTRAP_FILE, "--disable-hot-restart", "--concurrency", String(options.concurrency ?? 2),
      "--admin-address-path", ADMIN_FILE, "--file-flush-interval-msec", String(FLUSH_MS), "--log-level", "warning"];
    const started = spawn(binary, args, {
      cwd: folder,
      detached: true,
      env: { ...childEnvironment(options.env), ...secretsIn(options.env) },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child = endWithUs(started, folder);
    let hasEnded = false;
    exited = new Promise((resolve) => {
      const finish = (how: string): void => {
        hasEnded = true;
        resolve(how);
      };
      started.once("error", (error) => finish(`${binary} cannot be started: ${error.message}`));
      started.once("close", (code, signal) => {
        if (stopping !== null) finish("it was stopped");
        else finish((code === 0 ? null : causeIn(ring.lines)) ?? `Envoy ended with ${signal ?? `exit code ${code}`}`);
      });
    });
    if (started.stderr !== null) eachLine(started.stderr, (line) => ring.push(line));

    const late = (): Error => new EnvoyFailed(`Envoy is not ready after ${READY_TIMEOUT_MS / 1000} s`, ring.lines);
    const unlessEnded = async <T>(look: () => Promise<T | null>): Promise<T | null> => {
      if (hasEnded) throw new EnvoyFailed(`Envoy did not start: ${await exited}`, ring.lines);
      return look();
    };
    const address = await poll(
      () =>
        unlessEnded(() =>
          readFile(join(folder, ADMIN_FILE), "utf8").then(
            (text) => text || null,
            () => null,
          ),
        ),
      READY_TIMEOUT_MS,
      late,
    );
    const admin = new Admin(`http://${address.trim()}`);
    await poll(() => unlessEnded(async () => (await admin.isReady()) || null), READY_TIMEOUT_MS, late);
    const urlOf = async ({ host }: { host: string }, listener?: string): Promise<string> =>
      `http://${urlHost(host)}:${await admin.listenPort(listener)}`;
    const url = await urlOf(options.listen);
    const outboundUrl = options.outbound === undefined ? null : await urlOf(options.outbound, OUTBOUND_LISTENER);
    // From here on a caller that forgets to stop it can still end; the watcher ends Envoy then.
    started.unref();
    (started.stderr as Socket | null)?.unref();

    const log = (): string[] => ring.lines;
    serves = true;
    return {
      url,
      outboundUrl,
      admin,
      pid: started.pid ?? null,
      exited,
      log,
      stop,
      async reload(compiled: CompiledPolicy) {
        checkReload(options.compiled, compiled);
        const before = await admin.discovery();
        if (before.policy === compiled.policy) return;
        const said = log();
        await writeReload(folder, compiled, root);
        await untilInForce({ admin, log }, compiled, before, said);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The host to call for a listening address: a wildcard is reached at the loopback, and IPv6 stands in brackets. */
export function urlHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
