/**
 * The shop's database: PostgreSQL in WebAssembly (PGlite), in memory, in a process of its own. It sees no file
 * and no network of this machine, and a statement that runs for too long costs that process and not the demo.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { extname } from "node:path";

export type Row = Record<string, unknown>;

export interface Database {
  /** Runs one or more statements as they are and yields the rows of the last; rejects with what the database says. */
  run(sql: string): Promise<Row[]>;
  /** Runs one statement with values for `$1`, `$2`, …: the safe way, which most of the shop does not use. */
  query(sql: string, values: readonly unknown[]): Promise<Row[]>;
  /** Resolves when it is filled, which takes some seconds; everything asked before waits for it. */
  readonly ready: Promise<void>;
  /** Puts everything back as it was at the start. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** What the process is asked. */
export type Question = { id: number } & ({ sql: string; values: readonly unknown[] | null } | { reset: true });
/** What it answers; `id` 0 says that it is ready. */
export type Reply = { id: number } & ({ rows: Row[] } | { error: string });
type Ask = { sql: string; values: readonly unknown[] | null } | { reset: true };

const STATEMENT_TIMEOUT_MS = 4_000;

/** The process, and whether it is filled yet; `ready` rejects with one line. */
interface Server {
  child: ChildProcess;
  ready: Promise<void>;
  ended: Promise<void>;
}

/** Starts the database. */
export function startDatabase({ statementTimeoutMs = STATEMENT_TIMEOUT_MS } = {}): Database {
  let isStopped = false;
  let questions = 0;

  /** Starts a process; when it ends, after it once was ready, there is a new one in its place. */
  const start = (): Server => {
    const started = startServer();
    const replace = (): void => {
      if (!isStopped) server = start();
    };
    started.ready.then(
      () => started.child.once("exit", replace),
      () => {},
    );
    return started;
  };
  let server = start();

  const ask = async (question: Ask): Promise<Row[]> => {
    const asked = server;
    await asked.ready;
    const id = ++questions;
    const { child } = asked;
    const timer = setTimeout(() => child.kill("SIGKILL"), statementTimeoutMs);
    let take: (reply: Reply) => void = () => {};
    let gone: () => void = () => {};
    try {
      return await new Promise<Row[]>((resolve, reject) => {
        take = (reply) => {
          if (reply.id !== id) return;
          if ("rows" in reply) resolve(reply.rows);
          else reject(new Error(reply.error));
        };
        gone = () => reject(new Error("the statement took too long: the database starts anew"));
        child.on("message", take).on("exit", gone);
        child.send({ id, ...question }, (error) => {
          if (error !== null) reject(error);
        });
      });
    } finally {
      clearTimeout(timer);
      child.off("message", take).off("exit", gone);
    }
  };

  return {
    ready: server.ready,
    run: (sql) => ask({ sql, values: null }),
    query: (sql, values) => ask({ sql, values }),
    reset: async () => void (await ask({ reset: true })),
    async stop() {
      isStopped = true;
      server.child.kill("SIGKILL");
      await server.ended;
    },
  };
}

function startServer(): Server {
  // The sources are .ts, the build is .js; the process's file lies beside this one in both.
  const file = new URL(`./database-process${extname(import.meta.url)}`, import.meta.url);
  // Ctrl-C reaches us alone, and we end it in order; nothing of the user's environment is its business.
  const child = fork(file, { env: {}, detached: true, stdio: ["ignore", "ignore", "ignore", "ipc"] });
  child.setMaxListeners(0);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`the shop's database did not start: ${why}`));
    child.on("error", (error) => fail(error.message));
    child.once("exit", () => fail("its process ended"));
    child.once("message", (reply: Reply) => ("error" in reply ? fail(reply.error) : resolve()));
  });
  // Who asks is told; nobody else has to be.
  ready.catch(() => {});
  return { child, ready, ended };
}
