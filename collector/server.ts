/** The collector's HTTP server: OTLP in, the JSON API, metrics, and the page's files. */
import type { IncomingMessage, ServerResponse } from "node:http";
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from "express";
import type { z } from "zod";
import { CHANGE_HEADER, OPERATIONS, type Operation, type Problem, type Session } from "./api.ts";
import { createAttempts } from "./attempts.ts";
import { addAudit, listAudit } from "./audit.ts";
import { BodyError, readBody, TooLargeError, unpackedMost, unpackGzip } from "./body.ts";
import { CursorError } from "./cursor.ts";
import { codeOf, isStatementFault, UnavailableError, type Database } from "./database.ts";
import { documentedBy, driftOf, type Documents } from "./drift.ts";
import { documentedServices, listComponents, listEndpoints, serviceNamed } from "./endpoints.ts";
import { eventOf, type NewEvent } from "./event.ts";
import { listEvents } from "./events.ts";
import { exchangeOf, type Exchange } from "./exchange.ts";
import { listServices, summarize, trendOf } from "./figures.ts";
import { changeState, findingAt, listFindings } from "./findings.ts";
import { HEADERS, hostName, isFromElsewhere, isFromPage } from "./guard.ts";
import type { Ingest } from "./ingest.ts";
import { BODY_BYTES } from "./limits.ts";
import { mapOf } from "./map.ts";
import type { IngestResult, Metrics } from "./metrics.ts";
import { observationOf, type Observation } from "./observation.ts";
import { openApiDocument } from "./openapi.ts";
import { answerLogs, answerStatus, MalformedError, readLogs } from "./otlp.ts";
import type { Ownership } from "./ownership.ts";
import type { PageFile } from "./page-files.ts";
import { BusyError, type Queue } from "./queue.ts";
import { serviceDocument } from "./service-openapi.ts";
import { cookieHeader, cookieIn, createSessions } from "./session.ts";
import { bearerOf, tokenNamed, type Token } from "./tokens.ts";

/** Bytes of a body of the JSON API. */
const JSON_BYTES = 16 * 1024;
const HEALTH_MILLISECONDS = 2_000;
/** Seconds after which a sender may come again. */
const BUSY_SECONDS = 1;
const UNAVAILABLE_SECONDS = 5;

export interface ServerParts {
  database: Database;
  ingest: Ingest;
  ownership: Ownership;
  queue: Queue;
  metrics: Metrics;
  /** None: ingest is open, which is for the loopback alone. */
  ingestTokens: readonly Token[];
  readTokens: readonly Token[];
  /** Names that the server answers to, in lower case. */
  hosts: ReadonlySet<string>;
  retentionSeconds: number;
  version: string;
  /** OpenAPI documents of services. */
  documents: Documents;
  /** By path, such as "/app.js". */
  page: ReadonlyMap<string, PageFile>;
  now(): number;
  /** A line for whoever runs it. */
  log(line: string): void;
}

/** An answer that is a problem. */
class ProblemError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The media type of a body without its parameters. */
const mediaType = (request: IncomingMessage): string =>
  (request.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase();

/** What a request asks for, or a 400 that says where it is wrong. */
function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ProblemError(400, [what, issue!.path.join("."), issue!.message].filter((part) => part !== "").join(": "));
}

export function createServer(parts: ServerParts): Express {
  const { database, metrics, now } = parts;
  const sessions = createSessions(parts.readTokens);
  const attempts = createAttempts();
  const document = openApiDocument(parts.version);
  const documented = documentedBy(parts.documents);

  /** Work on the database, measured. */
  const timed = async <Result>(what: string, work: () => Promise<Result>): Promise<Result> => {
    const start = performance.now();
    let isFailed = true;
    try {
      const result = await work();
      isFailed = false;
      return result;
    } finally {
      metrics.database(what, (performance.now() - start) / 1000, isFailed);
    }
  };
  const reading = <Result>(work: () => Promise<Result>): Promise<Result> => timed("read", work);

  const address = (request: Request): string => request.socket.remoteAddress ?? "";
  const isSecure = (request: Request): boolean => request.headers["x-forwarded-proto"] === "https";

  /** Who sent a bearer token, null where there was none. */
  const bearer = (request: Request, tokens: readonly Token[]): string | null => {
    const given = bearerOf(request.headers.authorization);
    if (given === null) {
      if (request.headers.authorization === undefined) return null;
      throw new ProblemError(401, "the Authorization header has no bearer token", { "www-authenticate": "Bearer" });
    }
    const who = tokenNamed(tokens, given);
    if (who !== null) return who;
    if (attempts.isBlocked(address(request), now())) {
      throw new ProblemError(429, "too many wrong tokens", { "retry-after": "60" });
    }
    attempts.failed(address(request), now());
    throw new ProblemError(401, "the token is not valid here", { "www-authenticate": 'Bearer error="invalid_token"' });
  };

  /** Who asks. By bearer token; or by session, and then a change must come from the page. */
  const reader = (request: Request): { who: string; expires: number | null } => {
    const who = bearer(request, parts.readTokens);
    if (who !== null) return { who, expires: null };
    const cookie = cookieIn(request.headers.cookie);
    const session = cookie === null ? null : sessions.find(cookie, now());
    if (session === null)
      throw new ProblemError(401, "a token or a session is needed", { "www-authenticate": "Bearer" });
    if (!["GET", "HEAD"].includes(request.method) && !isFromPage(request)) {
      throw new ProblemError(403, `a change has to come from the page itself, with the header ${CHANGE_HEADER}`);
    }
    return session;
  };

  const jsonBody = async (request: Request): Promise<unknown> => {
    if (mediaType(request) !== "application/json") throw new ProblemError(415, "expected application/json");
    const text = (await readBody(request, JSON_BYTES)).toString("utf8");
    try {
      return JSON.parse(text);
    } catch {
      throw new ProblemError(400, "the body is no JSON");
    }
  };

  const noFinding = (): never => {
    throw new ProblemError(404, "there is no such finding");
  };

  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.set("strict routing", true);
  app.set("case sensitive routing", true);

  app.use((request, response, next) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    // Probes know an address, not a name; what they are told is no secret.
    const host = hostName(request.headers.host);
    if (request.path !== OPERATIONS.health.path && (host === null || !parts.hosts.has(host))) {
      throw new ProblemError(421, "the collector does not answer to this host name; see --host");
    }
    next();
  });

  /** Mounts an operation. */
  const on = (operation: Operation, handle: (request: Request, response: Response) => unknown): void => {
    const path = operation.path.replace(/\{(\w+)\}/g, ":$1");
    app[operation.method](path, async (request, response) => {
      await handle(request, response);
    });
  };
  /** The same for what a reader asks and gets as JSON. */
  const onRead = (
    operation: Operation,
    answer: (request: Request, who: { who: string; expires: number | null }) => unknown,
  ): void =>
    on(operation, async (request, response) => {
      const who = reader(request);
      response.json(await answer(request, who));
    });
  const { fingerprint: fingerprintSchema } = OPERATIONS.finding.parameters.shape;
  const fingerprintIn = (request: Request): string =>
    checked(fingerprintSchema, request.params.fingerprint, "fingerprint");

  onRead(OPERATIONS.summary, () =>
    reading(() => summarize(database, new Date(now()), parts.retentionSeconds, metrics.drops())),
  );
  onRead(OPERATIONS.trend, (request) => {
    const query = checked(OPERATIONS.trend.query, request.query, "query");
    return reading(() => trendOf(database, query, new Date(now())));
  });
  onRead(OPERATIONS.findings, (request) => {
    const query = checked(OPERATIONS.findings.query, request.query, "query");
    return reading(() => listFindings(database, query));
  });
  onRead(OPERATIONS.finding, async (request) => {
    const fingerprint = fingerprintIn(request);
    return (await reading(() => findingAt(database, fingerprint, new Date(now())))) ?? noFinding();
  });
  onRead(OPERATIONS.state, async (request, { who }) => {
    const fingerprint = fingerprintIn(request);
    const change = checked(OPERATIONS.state.body, await jsonBody(request), "body");
    if (change.until !== undefined && Date.parse(change.until) <= now())
      throw new ProblemError(400, "body: until: is over");
    const changed = timed("change", () => changeState(database, fingerprint, change, who, new Date(now())));
    return (await changed) ?? noFinding();
  });
  onRead(OPERATIONS.events, (request) => {
    const query = checked(OPERATIONS.events.query, request.query, "query");
    return reading(() => listEvents(database, query));
  });
  onRead(OPERATIONS.services, () => reading(() => listServices(database)));
  onRead(OPERATIONS.endpoints, (request) => {
    const query = checked(OPERATIONS.endpoints.query, request.query, "query");
    return reading(() => listEndpoints(database, query, documented));
  });
  onRead(OPERATIONS.components, (request) => {
    const query = checked(OPERATIONS.components.query, request.query, "query");
    return reading(() => listComponents(database, query));
  });
  onRead(OPERATIONS.map, () => reading(() => mapOf(database)));
  onRead(OPERATIONS.serviceOpenApi, async (request) => {
    const { service } = checked(OPERATIONS.serviceOpenApi.parameters, request.params, "path");
    const { namespace } = checked(OPERATIONS.serviceOpenApi.query, request.query, "query");
    const inventory = await reading(() => serviceNamed(database, service, namespace));
    if (inventory === null) throw new ProblemError(404, "there is no such service, or several: give its namespace");
    return serviceDocument(inventory);
  });
  onRead(OPERATIONS.drift, async () => {
    const inventories = await reading(() => documentedServices(database, [...parts.documents.keys()]));
    return { services: inventories.flatMap((inventory) => driftOf(parts.documents, inventory) ?? []) };
  });
  onRead(OPERATIONS.audit, (request) => {
    const query = checked(OPERATIONS.audit.query, request.query, "query");
    return reading(() => listAudit(database, query));
  });

  const told = ({ who, expires }: { who: string; expires: number | null }): Session => ({
    who,
    expires: expires === null ? null : new Date(expires).toISOString(),
  });
  onRead(OPERATIONS.session, (_request, session) => told(session));
  on(OPERATIONS.signIn, async (request, response) => {
    if (isFromElsewhere(request) || request.headers[CHANGE_HEADER] === undefined) {
      throw new ProblemError(403, `signing in is for the page itself, with the header ${CHANGE_HEADER}`);
    }
    if (attempts.isBlocked(address(request), now())) {
      throw new ProblemError(429, "too many wrong tokens", { "retry-after": "60" });
    }
    const { token } = checked(OPERATIONS.signIn.body, await jsonBody(request), "body");
    const who = tokenNamed(parts.readTokens, token);
    metrics.login(who !== null);
    if (who === null) {
      attempts.failed(address(request), now());
      throw new ProblemError(401, "the token is not valid here");
    }
    const { value, session } = sessions.begin({ name: who, value: token }, now());
    await timed("change", () => addAudit(database, { who, action: "session", detail: {} }, new Date(now())));
    response.setHeader("set-cookie", cookieHeader(value, isSecure(request)));
    response.json(told(session));
  });
  on(OPERATIONS.signOut, async (request, response) => {
    const { who } = reader(request);
    const cookie = cookieIn(request.headers.cookie);
    if (cookie !== null) sessions.end(cookie);
    await timed("change", () => addAudit(database, { who, action: "session.end", detail: {} }, new Date(now())));
    response.setHeader("set-cookie", cookieHeader(null, isSecure(request)));
    response.status(204).end();
  });

  on(OPERATIONS.openapi, (_request, response) => response.json(document));
  on(OPERATIONS.metrics, async (request, response) => {
    reader(request);
    response.setHeader("content-type", metrics.type);
    response.end(await metrics.text());
  });
  on(OPERATIONS.health, async (_request, response) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, HEALTH_MILLISECONDS, false);
    });
    const asked = database.query("SELECT 1").then(
      () => true,
      () => false,
    );
    const isWell = await Promise.race([asked, late]);
    clearTimeout(timer);
    response.status(isWell ? 200 : 503).json({ status: isWell ? "ok" : "unavailable" });
  });
  on(OPERATIONS.logs, (request, response) => takeLogs(parts, { timed, bearer }, request, response));

  for (const path of new Set(Object.values(OPERATIONS).map((operation) => operation.path))) {
    const allowed = Object.values(OPERATIONS).filter((operation) => operation.path === path);
    app.all(path.replace(/\{(\w+)\}/g, ":$1"), () => {
      const allow = allowed.map(({ method }) => method.toUpperCase()).join(", ");
      throw new ProblemError(405, `expected ${allow}`, { allow });
    });
  }
  app.get(/.*/, (request, response, next) => {
    const file = parts.page.get(request.path);
    if (file === undefined) return next();
    response.setHeader("content-type", file.type);
    response.setHeader("cache-control", file.cache);
    response.end(file.body);
  });
  app.use(() => {
    throw new ProblemError(404, "there is nothing here");
  });

  const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
    const { status, detail, headers } = problemOf(error, parts.log);
    if (response.headersSent) return void response.destroy();
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    // What is left of a body that nobody wants is not read.
    if (!request.complete && status !== 429) response.setHeader("connection", "close");
    response.status(status);
    if (request.path === OPERATIONS.logs.path) {
      const type = mediaType(request) === "application/json" ? "json" : "protobuf";
      response.setHeader("content-type", type === "json" ? "application/json" : "application/x-protobuf");
      response.end(answerStatus(type, GRPC_CODES[status] ?? 2, detail));
      return;
    }
    response.setHeader("content-type", "application/problem+json");
    const problem: Problem = { type: "about:blank", title: TITLES[status] ?? "Error", status, detail };
    response.end(JSON.stringify(problem));
  };
  app.use(onError);
  return app;
}

/** Codes of google.rpc.Status for answers that are none of 200. */
const GRPC_CODES: Record<number, number> = { 400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 421: 3, 429: 8, 503: 14 };

interface Told {
  status: number;
  detail: string;
  headers: Readonly<Record<string, string>>;
}

function problemOf(error: unknown, log: (line: string) => void): Told {
  const told = (status: number, detail: string, headers: Record<string, string> = {}): Told => ({
    status,
    detail,
    headers,
  });
  if (error instanceof ProblemError) return { status: error.status, detail: error.message, headers: error.headers };
  if (error instanceof TooLargeError) return told(413, error.message);
  if (error instanceof BodyError || error instanceof MalformedError || error instanceof CursorError) {
    return told(400, error.message);
  }
  if (error instanceof BusyError) return told(429, error.message, { "retry-after": String(BUSY_SECONDS) });
  if (error instanceof UnavailableError) {
    log(error.message);
    return told(503, "the database is not available", { "retry-after": String(UNAVAILABLE_SECONDS) });
  }
  // A number in a cursor that no row has.
  if (codeOf(error).startsWith("22")) return told(400, "a value is out of range");
  // Express' own: a path that cannot be decoded.
  const { status } = error as { status?: unknown };
  if (typeof status === "number" && status >= 400 && status < 500) return told(400, "the request cannot be read");
  log((error as Error).stack ?? String(error));
  return told(500, "something went wrong; the collector's log says what");
}

/** What `takeLogs` needs of the server. */
interface Doors {
  timed<Result>(what: string, work: () => Promise<Result>): Promise<Result>;
  bearer(request: Request, tokens: readonly Token[]): string | null;
}

/** Stores the records of a request; answers when they are committed. */
async function takeLogs(
  { ingest, ownership, ingestTokens, queue, metrics, now, log }: ServerParts,
  { timed, bearer }: Doors,
  request: Request,
  response: ServerResponse,
): Promise<void> {
  let result: IngestResult = "refused";
  const held: (() => void)[] = [];
  try {
    if (isFromElsewhere(request)) throw new ProblemError(403, "events do not come from pages");
    if (ingestTokens.length > 0 && bearer(request, ingestTokens) === null) {
      throw new ProblemError(401, "a token is needed", { "www-authenticate": "Bearer" });
    }
    const given = mediaType(request);
    const type = given === "application/json" ? "json" : given === "application/x-protobuf" ? "protobuf" : null;
    if (type === null) throw new ProblemError(415, "expected application/x-protobuf or application/json");
    const coding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
    if (coding !== "identity" && coding !== "gzip") throw new ProblemError(415, "expected gzip, or no content coding");
    // While it comes a body takes the room of what has come, and no place: who sends slowly keeps nobody out.
    queue.enter(0)();
    const body = await readBody(request, BODY_BYTES, (bytes) => held.push(queue.hold(bytes)));
    held.push(queue.enter(coding === "gzip" ? unpackedMost(body.length) : 0));
    const logs = readLogs(coding === "gzip" ? await unpackGzip(body) : body, type);
    const received = now();
    const events: NewEvent[] = [];
    const observations: Observation[] = [];
    const exchanges: Exchange[] = [];
    const drops = { unknown: 0, invalid: 0, limit: logs.rejected };
    for (const record of logs.records) {
      const event = eventOf(record, received);
      const observation = event === "unknown" ? observationOf(record, received) : event;
      const read = observation === "unknown" ? exchangeOf(record, received) : observation;
      if (typeof read === "string") drops[read]++;
      else if ("rule" in read) events.push(read);
      else if ("handed" in read) exchanges.push(read);
      else observations.push(read);
    }
    const stored = await queue.run(() => timed("store", () => ingest.store(events, received, observations)));
    // From here on it is committed.
    ownership.add(exchanges, received);
    result = "stored";
    metrics.received(logs.records.length + logs.rejected);
    for (const [reason, count] of Object.entries(drops)) metrics.dropped(reason as keyof typeof drops, count);
    metrics.stored(stored);
    const rejected = drops.unknown + drops.invalid + drops.limit;
    const message = `${drops.unknown} records are none of Meshward, ${drops.invalid} are not whole, ${drops.limit} are beyond a limit`;
    response.setHeader("content-type", type === "json" ? "application/json" : "application/x-protobuf");
    response.end(answerLogs(type, rejected, message));
  } catch (error) {
    if (error instanceof BusyError) result = "busy";
    else if (error instanceof UnavailableError) result = "unavailable";
    else if (error instanceof TooLargeError) result = "too_large";
    else if (error instanceof MalformedError || error instanceof BodyError) result = "malformed";
    if (!isStatementFault(error)) throw error;
    // To send it again would not help.
    result = "malformed";
    log((error as Error).message);
    throw new ProblemError(400, "the records cannot be stored");
  } finally {
    for (const leave of held) leave();
    metrics.ingest(result);
  }
}
