/**
 * PostgreSQL in the process (PGlite), in a folder, in a thread of its own (pglite-worker.ts).
 *
 * PGlite runs in single-user mode: no checkpointer, no autovacuum. `maintain` does both, and so much of a WAL brings a checkpoint before
 * its time. Nothing keeps two processes out of one folder: lock.ts does. Where PostgreSQL panics (no room for WAL), traps or does not
 * answer, the thread is ended and another is started, which recovers what was committed; until it stands every statement is refused
 * with `UnavailableError`.
 */
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { codeOf, UnavailableError, type Database, type Parameter, type Row, type Sql } from "./database.ts";
import { lockFolder } from "./lock.ts";
import type { Answered, Asked } from "./pglite-worker.ts";

/** Tables whose rows are updated over and over. */
const UPDATED = ["service", "endpoint", "finding", "trend", "other", "operation", "trait", "component"]
  .map((name) => `meshward.${name}`)
  .join(", ");
/** Those of which the oldest rows go in between. */
const EMPTIED = "meshward.event, meshward.observation";
/** Characters of parameters between two checkpoints: what a start after a kill has to do again, and about what the WAL takes. */
const CHECKPOINT_LENGTH = 32 * 1024 * 1024;

const START_MILLISECONDS = 180_000;
const STATEMENT_MILLISECONDS = 60_000;
const MAINTENANCE_MILLISECONDS = 600_000;
const CLOSE_MILLISECONDS = 60_000;
/** Waits before another thread is started. */
const FIRST_RETRY_MILLISECONDS = 500;
const LAST_RETRY_MILLISECONDS = 15_000;

/** An error as PostgreSQL told it. */
class StatementError extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** A thread with the database open. */
interface Instance {
  /** Rejects with `UnavailableError` where no answer comes; then the instance is lost. */
  ask(asked: Asked, milliseconds: number): Promise<Row[]>;
  /** Ends it in order. */
  close(): Promise<void>;
}

/** What the thread runs. From the sources, tsx has to be loaded in it first: Node 20 hands no hooks on to threads. */
function entry(): URL {
  const file = new URL(`./pglite-worker${extname(import.meta.url)}`, import.meta.url);
  if (extname(import.meta.url) === ".js") return file;
  const [api, own] = [import.meta.resolve("tsx/esm/api"), file.href].map((name) => JSON.stringify(name));
  const steps = `(await import(${api})).register(); await import(${own});`;
  return new URL(`data:text/javascript,${encodeURIComponent(steps)}`);
}

/** Starts a thread; `onLost` is called once where it ends before it was closed. */
async function startInstance(data: string, onLost: () => void): Promise<Instance> {
  const worker = new Worker(entry(), {
    workerData: data,
    stdout: true,
    stderr: true,
  });
  let waiting: { resolve: (rows: Row[]) => void; reject: (error: Error) => void } | undefined;
  let isOpen = false;
  let lost: UnavailableError | undefined;
  const lose = (message: string): void => {
    if (lost !== undefined) return;
    lost = new UnavailableError(`the database: ${message}`);
    void worker.terminate();
    waiting?.reject(lost);
    if (isOpen) onLost();
  };
  worker.on("error", (error) => lose(error.message));
  worker.on("exit", () => lose("its thread has ended"));
  worker.on("message", (answer: Answered) => {
    if (answer.kind === "panic") return lose(answer.message);
    if (answer.kind === "error" && (answer.code === "" || !isOpen)) return lose(answer.message);
    const { resolve: done, reject } = waiting!;
    waiting = undefined;
    if (answer.kind === "error") reject(new StatementError(answer.message, answer.code));
    else done(answer.kind === "rows" ? answer.rows : []);
  });
  const answered = (milliseconds: number): Promise<Row[]> =>
    new Promise((resolve, reject) => {
      if (lost !== undefined) return void reject(lost);
      const timer = setTimeout(() => lose("no answer"), milliseconds);
      const settled =
        <Value>(settle: (value: Value) => void) =>
        (value: Value): void => {
          clearTimeout(timer);
          settle(value);
        };
      waiting = { resolve: settled(resolve), reject: settled(reject) };
    });
  await answered(START_MILLISECONDS);
  isOpen = true;
  return {
    ask(asked, milliseconds) {
      const answer = answered(milliseconds);
      if (lost === undefined) worker.postMessage(asked);
      return answer;
    },
    async close() {
      isOpen = false;
      if (lost !== undefined) return;
      const ended = once(worker, "exit");
      worker.postMessage(null);
      const timer = setTimeout(() => void worker.terminate(), CLOSE_MILLISECONDS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Opens the database in `folder`, and makes it where there is none. Rejects with `LockedError` where another process has it open. */
export async function openPglite(folder: string): Promise<Database> {
  const root = resolve(folder);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(root);
  const data = join(root, "data");
  let instance: Instance | null = null;
  let retry: NodeJS.Timeout | undefined;
  let starting: Promise<void> = Promise.resolve();
  let isClosed = false;
  let written = 0;

  const onLost = (): void => {
    instance = null;
    if (!isClosed) restart(FIRST_RETRY_MILLISECONDS);
  };
  const restart = (wait: number): void => {
    retry = setTimeout(() => {
      starting = startInstance(data, onLost).then(
        (started) => void (instance = started),
        () => {
          if (!isClosed) restart(Math.min(wait * 2, LAST_RETRY_MILLISECONDS));
        },
      );
    }, wait);
  };
  try {
    instance = await startInstance(data, onLost);
  } catch (error) {
    await unlock();
    throw new UnavailableError(`${folder} cannot be opened: ${(error as Error).message}`, { cause: error });
  }

  // One connection: a statement, or a transaction, at a time.
  let last: Promise<unknown> = Promise.resolve();
  const alone = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };

  const asking = (used: Instance, milliseconds = STATEMENT_MILLISECONDS): Sql => ({
    query: async <Result extends Row>(text: string, parameters: readonly Parameter[] = []) => {
      for (const parameter of parameters) if (typeof parameter === "string") written += parameter.length;
      try {
        return (await used.ask({ text, parameters }, milliseconds)) as Result[];
      } catch (error) {
        // 53: no room, 57: shut down, 58: input and output, XX: internal.
        if (!/^(?:53|57|58|XX)/.test(codeOf(error))) throw error;
        throw new UnavailableError(`the database: ${(error as Error).message}`, { cause: error });
      }
    },
  });

  const current = (): Instance => {
    if (instance === null) throw new UnavailableError("the database is being opened again");
    return instance;
  };
  const query: Sql["query"] = (text, parameters) => alone(async () => asking(current()).query(text, parameters));
  const maintain = (text: string): Promise<unknown> =>
    alone(async () => asking(current(), MAINTENANCE_MILLISECONDS).query(text));

  return {
    kind: "pglite",
    query,
    transaction: (work) =>
      alone(async () => {
        const sql = asking(current());
        await sql.query("BEGIN");
        let result;
        try {
          result = await work(sql);
          await sql.query("COMMIT");
        } catch (error) {
          await sql.query("ROLLBACK").catch(() => {});
          throw error;
        }
        if (written > CHECKPOINT_LENGTH) {
          written = 0;
          // The transaction is committed, whatever comes of this.
          await sql.query("CHECKPOINT").catch(() => {});
        }
        return result;
      }),
    async maintain(isThorough) {
      await maintain(isThorough ? "VACUUM (ANALYZE)" : `VACUUM (ANALYZE) ${UPDATED}`);
      if (!isThorough) await maintain(`VACUUM ${EMPTIED}`);
      await maintain("CHECKPOINT");
    },
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await starting;
      await last;
      await instance?.close();
      instance = null;
      await unlock();
    },
  };
}
