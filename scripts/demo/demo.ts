/**
 * `meshward demo`: `meshward run` with a vulnerable shop behind it, and a tour of attacks and look-alikes.
 *
 *   tour ──► direct door ───────────────► guard ─► shop     closed after the tour
 *   tour ──► Envoy with Meshward ──► inner door ─► guard ─► shop
 *
 * Everything listens on the loopback, lies in temporary folders, and is gone when the demo ends.
 */
import { setTimeout as delay } from "node:timers/promises";
import { EnvoyNotFound } from "../envoy/resolve.ts";
import { RunError, parseListen, runMeshward } from "../envoy/run.ts";
import type { RunHandle, RunIo } from "../envoy/run.ts";
import { CASES, tryLines } from "./cases.ts";
import { TOKEN_HEADER, makeToken, openDoor } from "./door.ts";
import type { Door } from "./door.ts";
import { buildFence } from "./fence/fence.ts";
import { startDatabase } from "./shop/database.ts";
import { createShop } from "./shop/shop.ts";
import { countLine, headLine, painter, rowLine } from "./table.ts";
import { isAsPromised, visit } from "./tour.ts";
import type { Row } from "./tour.ts";

export interface DemoOptions {
  /** Ends after the tour. */
  once?: boolean;
  /** `HOST:PORT` of the loopback; default as `meshward run`. */
  listen?: string;
  env: NodeJS.ProcessEnv;
}

export interface DemoIo extends RunIo {
  /** Whether `out` is a terminal that shows colours. */
  isColored: boolean;
}

/** A shop with both ways to it. */
export interface Demo {
  /** Through Meshward. */
  readonly url: string;
  /** The unprotected way. */
  readonly directUrl: string;
  readonly token: string;
  readonly run: RunHandle;
  /** Puts the shop's data back and closes the unprotected way. */
  closeDirect(): Promise<void>;
  /** Ends everything and removes what was made; may be called twice. */
  stop(): Promise<void>;
}

/** The access log is written out every 50 ms; what is not there by then is not waited for. */
const SETTLE_MS = 2_000;

/** Throws `RunError` unless the address is one of the loopback. */
export function checkLoopback(listen: string | undefined): void {
  if (listen === undefined) return;
  const { host } = parseListen(listen);
  if (!/^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/.test(host)) {
    throw new RunError(`cannot listen on ${listen}: the demo listens on the loopback only`);
  }
}

/** Starts shop and Envoy; rejects as `runMeshward` does, and leaves nothing behind. */
export async function startDemo(options: DemoOptions, io: RunIo): Promise<Demo> {
  checkLoopback(options.listen);
  const token = makeToken();
  const undo: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      for (const step of undo.reverse()) await step();
    })());
  try {
    const fence = await buildFence();
    undo.push(() => fence.remove());
    io.err("starting the shop and Envoy; this takes some seconds");
    const database = startDatabase();
    undo.push(() => database.stop());
    const shop = createShop(database, fence);
    const open = async (): Promise<Door> => {
      const door = await openDoor(shop, token);
      undo.push(() => door.close());
      return door;
    };
    // Envoy needs a service that listens, and takes as long as the database: both start at once.
    const inner = await open();
    const direct = await open();
    const { listen, env } = options;
    const run = await runMeshward(
      { upstream: inner.url, mode: "block", env, ...(listen === undefined ? {} : { listen }) },
      io,
    );
    undo.push(() => run.stop());
    await database.ready;
    io.err(`the shop is open; for the tour only, the way around Meshward is ${direct.url}`);
    inner.admit(run.url);
    direct.admit(direct.url);
    return {
      url: run.url,
      directUrl: direct.url,
      token,
      run,
      stop,
      async closeDirect() {
        await direct.close();
        await database.reset();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes the tour, a line a stop as it goes, until it is told to stop. */
async function tour(demo: Demo, io: DemoIo, isStopped: () => boolean): Promise<Row[]> {
  const paint = painter(io.isColored);
  const rows: Row[] = [];
  for (const [index, stop] of CASES.entries()) {
    if (isStopped()) break;
    if (stop.kind !== CASES[index - 1]?.kind) {
      if (index > 0) io.out("");
      io.out(headLine(stop.kind, paint));
    }
    const row = await visit(stop, demo.directUrl, demo.url, demo.token);
    rows.push(row);
    io.out(rowLine(row, paint));
  }
  return rows;
}

/** What to do next, once the tour is over. */
const invitation = (demo: Demo): string[] => [
  "",
  `The shop stays up at ${demo.url}, behind Meshward; the way around`,
  "it is closed. Try, in another terminal (the first line is harmless):",
  "",
  ...tryLines(demo.url, `${TOKEN_HEADER}:${demo.token}`).map((line) => `  ${line}`),
  "",
  "Ctrl-C ends it. What Meshward finds from now on:",
];

/** One line for whatever kept it from starting or running. */
export const fault = (error: unknown): string =>
  error instanceof EnvoyNotFound
    ? "no Envoy to run was found; meshward doctor says what was tried and what helps"
    : ((error as Error).message.split("\n")[0] ?? "");

/** Whether somebody has asked to stop: as a promise, and as a question. */
export interface Stopped {
  stopped: Promise<null>;
  isStopped(): boolean;
}

/** Runs `work`, which SIGINT, SIGTERM and SIGHUP ask to end. */
export async function whileAsked<Result>(work: (stopped: Stopped) => Promise<Result>): Promise<Result> {
  let isStopped = false;
  let wake: () => void = () => {};
  const stopped = new Promise<null>((resolve) => {
    wake = () => {
      isStopped = true;
      resolve(null);
    };
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, wake);
  // Envoy and its pipes do not keep this process alive; this does.
  const alive = setInterval(() => {}, 60_000);
  try {
    return await work({ stopped, isStopped: () => isStopped });
  } finally {
    clearInterval(alive);
    for (const signal of signals) process.off(signal, wake);
  }
}

/**
 * The whole command: the tour, then up until SIGINT or SIGTERM. Resolves with the exit code: 0 if every row was as
 * promised, 1 if not, 2 if it could not run.
 */
export function demoUntilStopped(options: DemoOptions, io: DemoIo): Promise<number> {
  return whileAsked(({ stopped, isStopped }) => demoUntil(stopped, isStopped, options, io));
}

async function demoUntil(
  stopped: Promise<null>,
  isStopped: () => boolean,
  options: DemoOptions,
  io: DemoIo,
): Promise<number> {
  let isTouring = false;
  let isUp = false;
  // Findings of the tour are in its table; what is told while starting is progress.
  const told: RunIo = {
    err: io.err,
    out: (line) => (isUp ? io.out(line) : isTouring ? undefined : io.err(line)),
  };
  // A tour that was cut short has shown nothing.
  const interrupted = options.once ? 130 : 0;
  let demo: Demo | null = null;
  try {
    const start = startDemo(options, told);
    demo = await Promise.race([start, stopped]);
    if (demo === null) {
      // Interrupted while starting: what has begun is finished and then undone.
      demo = await start.catch(() => null);
      return interrupted;
    }
    isTouring = true;
    const rows = await tour(demo, io, isStopped);
    io.out("");
    io.out(countLine(rows));
    if (isStopped()) return interrupted;
    const code = rows.every(isAsPromised) ? 0 : 1;
    if (options.once) return code;
    await demo.closeDirect();
    for (const deadline = Date.now() + SETTLE_MS; Date.now() < deadline; await delay(50)) {
      if (demo.run.counts.requests >= rows.length) break;
    }
    for (const line of invitation(demo)) io.out(line);
    isUp = true;
    const failure = await Promise.race([demo.run.ended, stopped]);
    if (failure !== null) io.err(failure);
    return failure === null ? code : 2;
  } catch (error) {
    io.err(fault(error));
    return 2;
  } finally {
    await demo?.stop();
    if (isUp) for (const line of ["", ...(demo?.run.summary() ?? [])]) io.out(line);
  }
}
