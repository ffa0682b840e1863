/**
 * The thread in which PGlite runs: it opens the folder that `workerData` names and answers statements, one at a time.
 *
 * It is a thread of its own since PostgreSQL in Wasm that panics never comes back: it spins. Whoever started the thread then ends it.
 *
 * What PGlite does by itself, and what is done about it here: it starts PostgreSQL with -F (no fsync), its WAL is flushed by fdatasync,
 * which Emscripten's library leaves empty, and its file system of Node has no fsync. So a commit is in the kernel's memory only. Here
 * fsync is on, the WAL is flushed by fsync, and the file system does it: a commit survives kill -9 and a loss of power.
 */
import { fsyncSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import type { Parameter, Row } from "./database.ts";

/** A statement, and what came of it. */
export interface Asked {
  text: string;
  parameters: readonly Parameter[];
}
export type Answered =
  | { kind: "open" }
  | { kind: "rows"; rows: Row[] }
  | { kind: "error"; message: string; code: string }
  /** PostgreSQL has given up; no answer will come. */
  | { kind: "panic"; message: string };

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
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
];

/** The error number of Emscripten for input and output. */
const EIO = 29;

/** What PGlite mounts. */
interface Emscripten {
  NODEFS: { stream_ops: { fsync?: (stream: { nfd?: number }) => number } };
}

/** PGlite's file system of Node, with the one operation that it lacks. */
class DurableFS extends NodeFS {
  override async init(...parameters: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(...parameters);
    const preRun = emscriptenOpts.preRun as unknown as ((module: Emscripten) => void)[];
    preRun.push(({ NODEFS }) => {
      NODEFS.stream_ops.fsync = ({ nfd }) => {
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
}

const port = parentPort!;
const tell = (answer: Answered): void => port.postMessage(answer);

function failed(error: unknown): Answered {
  const { message, code } = error as { message?: string; code?: unknown };
  return { kind: "error", message: message ?? String(error), code: typeof code === "string" ? code : "" };
}

const watch = (text: string): boolean => {
  // Written to the port's other end at once, also where this thread never gets to its next event.
  if (/\b(?:PANIC|FATAL):/.test(text)) tell({ kind: "panic", message: text.trim() });
  return true;
};

try {
  const fs = new DurableFS(workerData as string);
  const database = await PGlite.create({ fs, startParams: START, onStderr: watch, onStdout: watch });
  port.on("message", (asked: Asked | null) => {
    // The last one, to end.
    if (asked === null) {
      void database.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
      return;
    }
    database.query<Row>(asked.text, [...asked.parameters]).then(
      ({ rows }) => tell({ kind: "rows", rows }),
      (error: unknown) => tell(failed(error)),
    );
  });
  tell({ kind: "open" });
} catch (error) {
  tell(failed(error));
}
