/**
 * Both databases for the tests of the collector: PGlite in a folder, and a PostgreSQL server of this machine in another, started for the
 * tests and stopped behind them. Where there is no PostgreSQL its half is skipped, and says so.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, chownSync, constants, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { openDatabase } from "../../collector/collector.ts";
import type { Database } from "../../collector/database.ts";
import { migrate } from "../../collector/migrations.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

/** PostgreSQL does not run as root. */
const NOBODY = 65_534;
const START_MILLISECONDS = 60_000;

/** What is undone behind all tests, the last first: a hook that a test sets would end with it. */
const undo: (() => unknown)[] = [];
after(async () => {
  for (const work of undo.reverse()) await work();
});

/** Does `work` when all tests of the process are over. */
export const atEnd = (work: () => unknown): void => void undo.push(work);

/** A folder that goes with the tests. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `meshward-${name}-`));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The folder of PostgreSQL's programs: $POSTGRES_BIN, Debian's newest, or one on PATH; null for none. */
function postgresFolder(): string | null {
  const debian = "/usr/lib/postgresql";
  const versions = (() => {
    try {
      return readdirSync(debian).sort((a, b) => Number(b) - Number(a));
    } catch {
      return [];
    }
  })();
  const folders = [
    process.env.POSTGRES_BIN ?? "",
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env.PATH ?? "").split(":"),
  ];
  const has = (folder: string): boolean => {
    try {
      for (const name of ["initdb", "postgres"]) accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return folders.find((folder) => folder !== "" && has(folder)) ?? null;
}

const programs = postgresFolder();
export const noPostgres = programs === null ? "no PostgreSQL on this machine (initdb, postgres)" : false;

export interface Postgres {
  /** Of a database that is new. */
  newUrl(): Promise<string>;
  stop(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

let shared: Promise<Postgres> | undefined;

/** The server of all tests in this process. */
export function postgres(): Promise<Postgres> {
  shared ??= startPostgres();
  return shared;
}

/** A server of its own, on a socket in its folder. */
export async function startPostgres(): Promise<Postgres> {
  const folder = temporaryFolder("postgres");
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (as.uid !== undefined) for (const path of [folder, data]) chownSync(path, as.uid, as.gid);
  const options = { ...as, cwd: folder, env: { ...process.env, LC_ALL: "C" } };
  const made = spawnSync(
    join(programs!, "initdb"),
    ["-D", data, "-U", "meshward", "-A", "trust", "-E", "UTF8", "-N"],
    options,
  );
  if (made.status !== 0) throw new Error(`initdb: ${String(made.stderr)}`);
  let server: ChildProcess;
  let count = 0;
  const url = (name: string): string => `postgres://meshward@localhost/${name}?host=${encodeURIComponent(folder)}`;
  const start = async (): Promise<void> => {
    const settings = ["-c", "listen_addresses=", "-c", `unix_socket_directories=${folder}`, "-c", "fsync=off"];
    server = endWithUs(spawn(join(programs!, "postgres"), ["-D", data, ...settings], { ...options, stdio: "ignore" }));
    const deadline = Date.now() + START_MILLISECONDS;
    for (;;) {
      try {
        await (await openDatabase(url("postgres"))).close();
        return;
      } catch (error) {
        if (Date.now() > deadline || server.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  };
  await start();
  atEnd(() => stop("SIGINT"));
  return {
    start,
    stop,
    async newUrl() {
      const name = `test${process.pid}_${++count}`;
      const admin = await openDatabase(url("postgres"));
      await admin.query(`CREATE DATABASE ${name}`);
      await admin.close();
      return url(name);
    },
  };
}

/** Empty tables in a database that the tests of a file share. */
async function emptied(opened: Promise<Database>): Promise<Database> {
  const database = await opened;
  await database.query("DROP SCHEMA IF EXISTS meshward CASCADE");
  await migrate(database);
  return database;
}

/** Runs a test on both databases, each time with empty tables. */
export function onBoth(name: string, run: (database: Database, context: TestContext) => Promise<void>): void {
  test(`${name} (PGlite)`, async (context) => run(await emptied(pglite()), context));
  test(`${name} (PostgreSQL)`, { skip: noPostgres }, async (context) => run(await emptied(server()), context));
}

const open = (place: () => Promise<string>): (() => Promise<Database>) => {
  let database: Promise<Database> | undefined;
  return () => {
    if (database === undefined) {
      database = place().then(openDatabase);
      atEnd(async () => (await database)?.close());
    }
    return database;
  };
};
const pglite = open(async () => temporaryFolder("pglite"));
const server = open(async () => (await postgres()).newUrl());
