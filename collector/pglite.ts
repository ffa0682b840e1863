/**
 * PostgreSQL in the process (PGlite), in a folder.
 *
 * What PGlite does by itself, and what is done about it here:
 * - It starts PostgreSQL with -F (no fsync), its WAL is flushed by fdatasync, which Emscripten's library leaves empty, and its file
 *   system of Node has no fsync: a commit is in the kernel's memory only. Here fsync is on, the WAL is flushed by fsync, and the file
 *   system does it. So a commit survives kill -9 and a loss of power.
 * - It runs in single-user mode: no checkpointer, no autovacuum. `maintain` does both.
 * - Nothing keeps two processes out of one folder: lock.ts does.
 * - Where PostgreSQL panics (no room for WAL), or a call ends in a trap, the instance is lost; another is opened, which recovers what
 *   was committed, and until it stands every statement is refused with `UnavailableError`.
 */
import { close, fsyncSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PGlite, type Transaction } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { codeOf, UnavailableError, type Database, type Parameter, type Row, type Sql } from "./database.ts";
import { lockFolder } from "./lock.ts";

/** As PGlite's own but for -F, with small buffers and a bounded WAL. */
const START = [
  "--single",
  ...["-O", "-j"],
  ...Object.entries({
    search_path: "public",
    exit_on_error: "false",
    log_checkpoints: "false",
    max_worker_processes: "0",
    max_parallel_workers: "0",
    max_parallel_workers_per_gather: "0",
    max_parallel_maintenance_workers: "0",
    io_method: "sync",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    wal_sync_method: "fsync",
    shared_buffers: "32MB",
    max_wal_size: "64MB",
    min_wal_size: "32MB",
    // Memory in Wasm never shrinks.
    work_mem: "8MB",
    maintenance_work_mem: "32MB",
    max_stack_depth: "100kB",
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
];

/** Tables whose rows are updated over and over. */
const UPDATED = ["service", "endpoint", "finding", "trend", "other"].map((name) => `meshward.${name}`).join(", ");

/** Characters of parameters between two checkpoints: what a start after a kill has to do again, and about what the WAL takes. */
const CHECKPOINT_LENGTH = 32 * 1024 * 1024;

/** Waits before another instance is tried. */
const FIRST_RETRY_MILLISECONDS = 500;
const LAST_RETRY_MILLISECONDS = 15_000;

/** Emscripten's stream over a file descriptor of Node, and what PGlite mounts. */
interface NodeStream {
  nfd?: number;
}
interface Emscripten {
  NODEFS: { stream_ops: { fsync?: (stream: NodeStream) => number } };
  FS: { streams: (NodeStream | null)[] };
}

/** The error number of Emscripten for input and output. */
const EIO = 29;

/** PGlite's file system of Node, with the one operation that it lacks. */
class DurableFS extends NodeFS {
  #module: Emscripten | undefined;

  override async init(...parameters: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(...parameters);
    const preRun = emscriptenOpts.preRun as unknown as ((module: Emscripten) => void)[];
    preRun.push((module) => {
      this.#module = module;
      module.NODEFS.stream_ops.fsync = ({ nfd }) => {
        try {
          if (nfd !== undefined) fsyncSync(nfd);
          return 0;
        } catch {
          return EIO;
        }
      };
    });
    return { emscriptenOpts };
  }

  /** Closes the files of an instance that cannot do it any more. */
  abandon(): void {
    for (const stream of this.#module?.FS.streams ?? []) {
      if (stream?.nfd !== undefined) close(stream.nfd, () => {});
    }
    this.#module = undefined;
  }
}

interface Instance {
  database: PGlite;
  files: DurableFS;
}

async function openInstance(folder: string): Promise<Instance> {
  const files = new DurableFS(folder);
  // Emscripten sets it where PostgreSQL ends by itself.
  const code = process.exitCode;
  try {
    return { database: await PGlite.create({ fs: files, startParams: START }), files };
  } catch (error) {
    files.abandon();
    throw error;
  } finally {
    process.exitCode = code;
  }
}

/** Opens the database in `folder`, and makes it where there is none. Rejects with `LockedError` where another process has it open. */
export async function openPglite(folder: string): Promise<Database> {
  const root = resolve(folder);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(root);
  const data = join(root, "data");
  let instance: Instance | null;
  try {
    instance = await openInstance(data);
  } catch (error) {
    await unlock();
    throw new UnavailableError(`${folder}: the database cannot be opened: ${(error as Error).message}`, {
      cause: error,
    });
  }
  let retry: NodeJS.Timeout | undefined;
  let opening: Promise<void> = Promise.resolve();
  let isClosed = false;
  let written = 0;

  const reopen = (wait: number): void => {
    retry = setTimeout(() => {
      opening = openInstance(data).then(
        (opened) => void (instance = opened),
        () => {
          if (!isClosed) reopen(Math.min(wait * 2, LAST_RETRY_MILLISECONDS));
        },
      );
    }, wait);
  };

  /** What an error of the database means to the caller; an instance that cannot go on is given up. */
  const translated = (used: Instance, error: unknown): unknown => {
    const code = codeOf(error);
    // An error without SQLSTATE comes out of the machine, not out of PostgreSQL.
    if (code === "" && instance === used) {
      instance = null;
      used.files.abandon();
      if (!isClosed) reopen(FIRST_RETRY_MILLISECONDS);
    }
    // 53: no room, 57: shut down, 58: input and output, XX: internal.
    if (code !== "" && !/^(?:53|57|58|XX)/.test(code)) return error;
    return new UnavailableError(`the database: ${(error as Error).message}`, { cause: error });
  };

  const current = (): Instance => {
    if (instance === null) throw new UnavailableError("the database is being opened again");
    return instance;
  };

  const asking = (used: Instance, on: PGlite | Transaction): Sql => ({
    query: async <Result extends Row>(text: string, parameters: readonly Parameter[] = []) => {
      const code = process.exitCode;
      for (const parameter of parameters) if (typeof parameter === "string") written += parameter.length;
      try {
        return (await on.query<Result>(text, [...parameters])).rows;
      } catch (error) {
        process.exitCode = code;
        throw translated(used, error);
      }
    },
  });

  const query: Sql["query"] = async (text, parameters) => {
    const used = current();
    return asking(used, used.database).query(text, parameters);
  };

  return {
    kind: "pglite",
    query,
    async transaction(work) {
      const used = current();
      const code = process.exitCode;
      let inside: { error: unknown } | undefined;
      let result;
      try {
        result = await used.database.transaction(async (transaction) => {
          try {
            return await work(asking(used, transaction));
          } catch (error) {
            inside = { error };
            throw error;
          }
        });
      } catch (error) {
        process.exitCode = code;
        throw inside === undefined ? translated(used, error) : inside.error;
      }
      if (written > CHECKPOINT_LENGTH) {
        written = 0;
        // The transaction is committed, whatever comes of this.
        await query("CHECKPOINT").catch(() => {});
      }
      return result;
    },
    async maintain(isThorough) {
      await query(isThorough ? "VACUUM (ANALYZE)" : `VACUUM (ANALYZE) ${UPDATED}`);
      await query("CHECKPOINT");
    },
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await opening;
      const last = instance;
      instance = null;
      await last?.database.close().catch(() => last.files.abandon());
      await unlock();
    },
  };
}
