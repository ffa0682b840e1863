/** A collector: database, jobs and server together. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { isIPv6, type AddressInfo } from "node:net";
import { packageVersion } from "../scripts/package.ts";
import { accessFlaws } from "./access.ts";
import { dependencyFlaws } from "./dependencies/checks.ts";
import { createLibraries } from "./dependencies/libraries.ts";
import type { UserLibraries } from "./dependencies/retire.ts";
import { clean } from "./clean.ts";
import type { Database } from "./database.ts";
import { driftFlaws, type Documents } from "./drift.ts";
import { countByEndpoint, countFindings } from "./figures.ts";
import { hostName, isLoopback, LOOPBACK_NAMES } from "./guard.ts";
import { CAPS, createIngest, type Caps } from "./ingest.ts";
import { createMetrics } from "./metrics.ts";
import type { Check } from "./judge.ts";
import { migrate } from "./migrations.ts";
import { pageFiles, type PageFile } from "./page-files.ts";
import { createOwnership } from "./ownership.ts";
import { openPglite } from "./pglite.ts";
import { openPostgres } from "./postgres.ts";
import { createQueue, type Queue } from "./queue.ts";
import { removeExcess, removeOld } from "./retention.ts";
import { createServer } from "./server.ts";
import type { Token } from "./tokens.ts";

const RETENTION_MILLISECONDS = 3_600_000;
const MAINTENANCE_MILLISECONDS = 300_000;
const JUDGE_MILLISECONDS = 10_000;
/** A line about the database at most so often. */
const LOG_MILLISECONDS = 5_000;
const CONNECTIONS = 1_024;

export interface CollectorOptions {
  host: string;
  /** 0: a free one. */
  port: number;
  /** A folder, or postgres://… */
  database: string;
  retentionSeconds: number;
  ingestTokens: readonly Token[];
  readTokens: readonly Token[];
  /** More names that it answers to, as in a Host header. */
  hosts: readonly string[];
  /** Libraries with flaws that the user knows of. */
  libraries?: UserLibraries | null;
  /** OpenAPI documents, by `service` or `namespace/service`. */
  documents?: Documents;
  log(line: string): void;
  /** For tests: other bounds, another clock. */
  caps?: Caps;
  queue?: Queue;
  now?: () => number;
}

export interface Collector {
  /** Such as http://127.0.0.1:4318. */
  url: string;
  /** The token for reading that was made since there was none. */
  madeToken: string | null;
  /** Removes what is old, now. */
  removeOld(): Promise<void>;
  /** Looks for flaws in what was observed, now. */
  judge(): Promise<void>;
  /** Ends: no new requests, those under way are answered. */
  stop(): Promise<void>;
}

/** What an option makes impossible, told to the user. */
export class OptionError extends Error {}

export async function openDatabase(database: string): Promise<Database> {
  return /^postgres(?:ql)?:\/\//.test(database) ? openPostgres(database) : openPglite(database);
}

export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { host, retentionSeconds, ingestTokens, now = Date.now } = options;
  if (!isLoopback(host) && (ingestTokens.length === 0 || options.readTokens.length === 0)) {
    throw new OptionError(
      `${host} is not the loopback: set MESHWARD_INGEST_TOKEN and MESHWARD_READ_TOKEN to listen there`,
    );
  }
  const shared = ingestTokens.find(({ value }) => options.readTokens.some((token) => token.value === value));
  if (shared !== undefined) throw new OptionError("a token for ingest is one for reading too: use two");
  const madeToken = options.readTokens.length === 0 ? randomBytes(24).toString("base64url") : null;
  const readTokens = madeToken === null ? options.readTokens : [{ name: "local", value: madeToken }];

  const log = seldom(options.log, now);
  const database = await openDatabase(options.database);
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  const queue = options.queue ?? createQueue();
  const documents = options.documents ?? new Map<string, never>();
  const ingest = createIngest(database, options.caps ?? CAPS, undefined, [...checksOf(options), driftFlaws(documents)]);
  const ownership = createOwnership();
  const metrics = createMetrics({
    queue: () => queue.state(),
    findings: () => countFindings(database),
    endpoints: () => countByEndpoint(database),
    now,
  });
  const page = pageOr(options.log);
  const bare = isIPv6(host) ? `[${host}]` : host;
  const hosts = new Set<string>([...LOOPBACK_NAMES, ...[bare, ...options.hosts].map((name) => hostName(name) ?? name)]);
  const app = createServer({
    ...{
      database,
      ingest,
      ownership,
      queue,
      metrics,
      ingestTokens,
      readTokens,
      hosts,
      retentionSeconds,
      page,
      now,
      log,
    },
    version: packageVersion(),
    documents,
  });
  const server = createHttpServer(
    { requestTimeout: 20_000, headersTimeout: 10_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 5_000 },
    app,
  );
  server.maxConnections = CONNECTIONS;
  try {
    server.listen(options.port, host);
    await once(server, "listening");
  } catch (error) {
    await database.close();
    const { code, message } = error as NodeJS.ErrnoException;
    throw new OptionError(code === "EADDRINUSE" ? `${bare}:${options.port} is in use` : message, { cause: error });
  }

  /** Runs a job now and then; one that fails is told, and runs again the next time. */
  const repeated = (milliseconds: number, work: () => Promise<void>): (() => Promise<void>) => {
    let running = Promise.resolve();
    const timer = setInterval(() => {
      running = running.then(work).catch((error: unknown) => log((error as Error).message));
    }, milliseconds);
    return async () => {
      clearInterval(timer);
      await running;
    };
  };
  const clear = async (): Promise<void> => {
    // Between two requests of ingest, since it removes what they may count on.
    const removed = await queue.run(async () => {
      try {
        return await removeOld(database, retentionSeconds, new Date(now()));
      } finally {
        ingest.forget();
      }
    });
    metrics.removed(removed.events, removed.findings);
    await database.maintain(true);
  };
  const judge = async (): Promise<void> => {
    metrics.stored(await queue.run(() => ingest.judge(now())));
    const found = ownership.judge(now());
    metrics.exchanges(ownership.counts());
    if (found.length === 0) return;
    metrics.stored(await queue.run(() => ingest.store(found, now())));
    ownership.settle(found);
  };
  const jobs = [
    repeated(JUDGE_MILLISECONDS, judge),
    repeated(RETENTION_MILLISECONDS, clear),
    repeated(MAINTENANCE_MILLISECONDS, async () => {
      await removeExcess(database, new Date(now()));
      await database.maintain(false);
    }),
  ];

  let stopped: Promise<void> | undefined;
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${bare}:${port}`,
    madeToken,
    removeOld: clear,
    judge,
    stop: () => (stopped ??= stop()),
  };

  async function stop(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    server.closeIdleConnections();
    const late = setTimeout(() => server.closeAllConnections(), 5_000);
    await closed;
    clearTimeout(late);
    await Promise.all(jobs.map((end) => end()));
    await database.close();
  }
}

/** What looks for flaws in the inventory. */
const checksOf = ({ libraries = null }: CollectorOptions): readonly Check[] => [
  accessFlaws,
  dependencyFlaws(createLibraries(libraries)),
];

/** The page; a tree in which it was not built serves all but that. */
function pageOr(log: (line: string) => void): Map<string, PageFile> {
  try {
    return pageFiles();
  } catch (error) {
    log((error as Error).message);
    return new Map();
  }
}

/** Lines without what a terminal would take for orders; of many in a short time the first. */
function seldom(log: (line: string) => void, now: () => number): (line: string) => void {
  let last = -Infinity;
  let left = 0;
  return (line) => {
    if (now() - last < LOG_MILLISECONDS) return void left++;
    last = now();
    log(`${clean(line, 500)}${left > 0 ? ` (and ${left} more lines before it)` : ""}`);
    left = 0;
  };
}
