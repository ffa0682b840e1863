/**
 * `meshward run`: one HTTP service behind Meshward, now. Finds Envoy, starts it, prints the address to use and a line
 * for each finding, and puts a saved policy in force. The demo is this with a shop behind it.
 */
import { unwatchFile, watchFile } from "node:fs";
import { connect, createServer } from "node:net";
import { parseUpstream } from "../../envoy/cluster.ts";
import type { Address, CompiledPolicy } from "../../envoy/options.ts";
import { modulePath } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { PolicyError, formatIssue, parsePolicy, policyFrom } from "../policy/load.ts";
import type { Mode, Policy } from "../policy/schema.ts";
import type { AccessEntry, Finding, Verdict } from "./access-log.ts";
import { readPolicyFile } from "./policy-input.ts";
import { printable } from "./printable.ts";
import { resolveEnvoy } from "./resolve.ts";
import type { Backend } from "./resolve.ts";
import type { RunningEnvoy } from "./running.ts";
import { startEnvoy } from "./start.ts";

export interface RunOptions {
  /** `http(s)://host:port`. */
  upstream: string;
  /** `HOST:PORT`; default 127.0.0.1:8080, or a free port if that is taken. */
  listen?: string;
  /** The policy's file, or none: all defaults. */
  policy?: string;
  /** `HOST:PORT` where the service's own calls are taken, as by an HTTP proxy; default: nowhere. */
  outbound?: string;
  /** The service's name. Default "meshward". */
  service?: string;
  /** Stands above the policy's own mode. */
  mode?: Mode;
  /** OTLP/HTTP endpoint that events go to; stands above the policy's own. */
  events?: string;
  backend?: Backend;
  env: NodeJS.ProcessEnv;
}

/** Where lines go; each is free of control characters. */
export interface RunIo {
  out: (line: string) => void;
  err: (line: string) => void;
}

/** What has passed since the start. */
export interface RunCounts {
  requests: number;
  outcomes: Record<Verdict["outcome"], number>;
  /** Findings by rule. */
  rules: Map<string, number>;
}

export interface RunHandle {
  readonly url: string;
  readonly envoy: RunningEnvoy;
  readonly counts: RunCounts;
  /** What to print at the end. */
  summary(): string[];
  /** Resolves when it has ended: null if it was stopped, else why, in one line. */
  readonly ended: Promise<string | null>;
  stop(): Promise<void>;
}

/** The user's mistake or an environment that cannot work, told in one line: exit code 2. */
export class RunError extends Error {}

const DEFAULT_LISTEN: Address = { host: "127.0.0.1", port: 8080 };
const CONNECT_TIMEOUT_MS = 3_000;
/** How often the policy file is looked at; looking works on every file system and for every way of saving. */
const WATCH_MS = 200;
/** Lines for findings; an attack of thousands of requests a second is counted, not printed. */
const LINES_A_SECOND = 20;
const FINDINGS_A_REQUEST = 5;
const MAX_RULES = 500;

/** `HOST:PORT`, `:PORT`, `PORT` or `[v6]:PORT`. */
export function parseListen(text: string): Address {
  const parts = /^(?:(?:\[([\da-fA-F:.]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535)
    throw new RunError(`"${text}" is not an address to listen on: expected HOST:PORT`);
  return { host: parts[1] ?? (parts[2] || DEFAULT_LISTEN.host), port };
}

/** Throws `RunError` where two of the options ask for the same address; a free port (0) is its own. */
export function checkDistinct(options: readonly (readonly [option: string, address: Address | undefined])[]): void {
  const overlap = (one: string, other: string): boolean =>
    one === other || [one, other].some((host) => host === "0.0.0.0" || host === "::");
  for (const [index, [option, address]] of options.entries()) {
    const same = options
      .slice(0, index)
      .find(([, other]) => address && other && address.port === other.port && overlap(address.host, other.host));
    if (same !== undefined && address!.port !== 0)
      throw new RunError(`${option}: port ${address!.port} is already that of ${same[0]}; give another one`);
  }
}

/** Resolves with null if the address is free, else with the reason. */
function takenBy(address: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: "it is taken by another program",
        EACCES: "permission denied",
        EADDRNOTAVAIL: "this machine has no such address",
      };
      resolve(reasons[error.code ?? ""] ?? error.message);
    });
    server.listen({ ...address, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** The address to listen on. Throws `RunError` if the one asked for cannot be had. */
export async function listenAddress(asked: string | undefined): Promise<Address> {
  const address = asked === undefined ? DEFAULT_LISTEN : parseListen(asked);
  if (address.port === 0) return address;
  const reason = await takenBy(address);
  if (reason === null) return address;
  if (asked === undefined) return { ...address, port: 0 };
  throw new RunError(`cannot listen on ${asked}: ${reason}`);
}

/** Throws `RunError` unless something accepts connections at the upstream. */
function checkUpstream(upstream: string): Promise<void> {
  const { host, port } = parseUpstream(upstream);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new RunError(`nothing answers at ${upstream} (${reason}): start the service first`));
    };
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("timeout", () => fail(`no answer in ${CONNECT_TIMEOUT_MS / 1000} s`));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = { ECONNREFUSED: "connection refused", ENOTFOUND: "no such host" };
      fail(reasons[error.code ?? ""] ?? error.code ?? error.message);
    });
  });
}

/** One line for whatever was wrong with a policy. */
export function policyFault(error: unknown, name: string): string {
  if (!(error instanceof PolicyError)) return printable((error as Error).message.split("\n")[0] ?? "", 300);
  const [first, ...others] = error.issues;
  const more = others.length === 0 ? "" : ` (and ${others.length} more; see meshward policy check)`;
  return printable(`${first === undefined ? error.message : formatIssue(first, name)}${more}`, 400);
}

/** The compiled policy. Throws `RunError` with the first mistake in it. */
async function compile(options: RunOptions): Promise<CompiledPolicy & { mode: Mode }> {
  const { policy: file, mode, events: otlp } = options;
  let events: Policy["events"];
  try {
    if (otlp !== undefined) events = policyFrom({ events: { otlp } }).events;
  } catch (error) {
    throw new RunError(
      `--events: ${error instanceof PolicyError ? error.issues[0]!.message : (error as Error).message}`,
    );
  }
  try {
    const policy = file === undefined ? policyFrom({}) : parsePolicy(await readPolicyFile(file), file);
    const above = {
      ...(mode === undefined ? {} : { mode }),
      ...(events === undefined ? {} : { events }),
    };
    return compilePolicy({ ...policy, ...above }, { holdHeaders: true });
  } catch (error) {
    throw new RunError(policyFault(error, file ?? "policy"));
  }
}

const WORDS: Record<Verdict["outcome"], string> = {
  allowed: "noticed",
  denied: "denied",
  would_deny: "would deny",
  partial: "cut off",
  error: "failed",
};

/** One line for a finding: when, what was done, the request, where, the rule, the masked evidence, who. */
export function findingLine(entry: AccessEntry, verdict: Verdict, finding: Finding): string {
  const time = new Date(entry.time).toTimeString().slice(0, 8);
  const place = [finding.where.part, finding.where.name ?? ""].join(" ").trim();
  const shown = [
    time,
    WORDS[verdict.outcome].padEnd(10),
    String(entry.status),
    printable(entry.method ?? "-", 16),
    printable(entry.path ?? "-", 60),
    `| ${printable(place, 60)}: ${printable(finding.rule, 60)} (${finding.confidence})`,
    printable(finding.evidence, 60),
    `| ${printable(verdict.identity ?? entry.address ?? "-", 80)}`,
    ...(finding.exception === undefined ? [] : [`| exception ${printable(finding.exception, 64)}`]),
  ];
  return shown.join(" ");
}

/** Prints lines up to a rate; what is left out is counted in a line of its own. */
class LineLimit {
  readonly #print: (line: string) => void;
  #left = LINES_A_SECOND;
  #skipped = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  push(line: string): void {
    this.#timer ??= setTimeout(() => this.flush(), 1_000).unref();
    if (this.#left > 0) {
      this.#left--;
      this.#print(line);
    } else this.#skipped++;
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#skipped > 0) this.#print(`… and ${this.#skipped} findings more within a second`);
    this.#left = LINES_A_SECOND;
    this.#skipped = 0;
  }
}

/** The upstream's absence, told once until it answers again. */
class UpstreamWatch {
  readonly #upstream: string;
  readonly #err: (line: string) => void;
  #isDown = false;

  constructor(upstream: string, err: (line: string) => void) {
    this.#upstream = upstream;
    this.#err = err;
  }

  take({ flags, upstream, details }: AccessEntry): void {
    // UF: no connection; UH: no host; UC: the connection was closed; UT, UR: timeout, reset.
    const failed = /\b(?:UF|UH|UC|UT|UR)\b/.test(flags);
    if (failed && !this.#isDown) this.#err(`${this.#upstream} does not answer (${printable(details ?? flags, 100)})`);
    else if (this.#isDown && !failed && upstream !== null) this.#err(`${this.#upstream} answers again`);
    else return;
    this.#isDown = failed;
  }
}

/**
 * Starts it; resolves when the address can be used. Rejects with `RunError` (one line), `EnvoyNotFound` or
 * `EnvoyFailed`.
 */
export async function runMeshward(options: RunOptions, io: RunIo): Promise<RunHandle> {
  try {
    parseUpstream(options.upstream);
  } catch (error) {
    throw new RunError((error as Error).message);
  }
  const compiled = await compile(options);
  const listen = await listenAddress(options.listen);
  if (options.outbound !== undefined)
    checkDistinct([
      ["--listen", listen],
      ["--outbound", parseListen(options.outbound)],
    ]);
  const outbound = options.outbound === undefined ? undefined : await listenAddress(options.outbound);
  await checkUpstream(options.upstream);
  const found = await resolveEnvoy({ env: options.env, backend: options.backend ?? "auto", progress: io.err });

  const counts: RunCounts = {
    requests: 0,
    outcomes: { allowed: 0, denied: 0, would_deny: 0, partial: 0, error: 0 },
    rules: new Map(),
  };
  const lines = new LineLimit(io.out);
  const upstream = new UpstreamWatch(options.upstream, io.err);
  const onAccess = (entry: AccessEntry): void => {
    counts.requests++;
    upstream.take(entry);
    const { verdict } = entry;
    counts.outcomes[verdict?.outcome ?? "allowed"]++;
    if (verdict === null) return;
    for (const [index, finding] of verdict.findings.entries()) {
      const rule = counts.rules.has(finding.rule) || counts.rules.size < MAX_RULES ? finding.rule : "other";
      counts.rules.set(rule, (counts.rules.get(rule) ?? 0) + 1);
      if (index < FINDINGS_A_REQUEST) lines.push(findingLine(entry, verdict, finding));
    }
  };
  const envoy = await startEnvoy(found, {
    compiled,
    upstream: options.upstream,
    listen,
    modulePath: modulePath("release"),
    onAccess,
    env: options.env,
    ...(options.service === undefined ? {} : { service: options.service }),
    ...(outbound === undefined ? {} : { outbound }),
  });

  let isStopping = false;
  const stopWatching = options.policy === undefined ? () => {} : watchPolicy(options.policy, options, envoy, io);
  const ended = envoy.exited.then((reason) => {
    stopWatching();
    return isStopping ? null : `Envoy ended: ${reason}`;
  });

  io.out(`Meshward stands before ${options.upstream}: use ${envoy.url}`);
  if (envoy.outboundUrl !== null) io.out(`the service's own calls: HTTP_PROXY=${envoy.outboundUrl}`);
  const where = found.kind === "process" ? found.binary : found.image;
  const policy =
    options.policy === undefined
      ? "the default policy"
      : `${printable(options.policy)} (saved changes are in force at once)`;
  io.out(`mode ${compiled.mode}, ${policy}, Envoy ${found.version} from ${found.choice} (${where})`);

  return {
    url: envoy.url,
    envoy,
    counts,
    ended,
    summary: () => summaryLines(counts),
    async stop() {
      isStopping = true;
      stopWatching();
      await envoy.stop();
      lines.flush();
    },
  };
}

/** Puts the policy in force whenever its file changes; what cannot be used is told, and the old one stays. */
function watchPolicy(file: string, options: RunOptions, envoy: RunningEnvoy, io: RunIo): () => void {
  let last: Promise<void> = Promise.resolve();
  const load = async (): Promise<void> => {
    try {
      const compiled = await compile(options);
      await envoy.reload(compiled);
      io.out(`policy ${printable(file)} is in force (mode ${compiled.mode})`);
    } catch (error) {
      io.err(`${printable((error as Error).message.split("\n")[0] ?? "", 400)}; the old policy stays in force`);
    }
  };
  // One after the other: two saves in a row must end in the second.
  const changed = (): void => void (last = last.then(load));
  watchFile(file, { interval: WATCH_MS, persistent: false }, changed);
  return () => unwatchFile(file, changed);
}

function summaryLines({ requests, outcomes, rules }: RunCounts): string[] {
  const told = [
    `${outcomes.denied} denied`,
    `${outcomes.would_deny} would have been denied in block mode`,
    ...(outcomes.partial > 0 ? [`${outcomes.partial} cut off`] : []),
    ...(outcomes.error > 0 ? [`${outcomes.error} failed`] : []),
  ];
  const top = [...rules].sort(([, left], [, right]) => right - left).slice(0, 10);
  return [
    `${requests} requests: ${told.join(", ")}`,
    ...(top.length === 0
      ? []
      : [`findings: ${top.map(([rule, count]) => `${printable(rule, 60)} ${count}`).join(", ")}`]),
  ];
}

/** The whole command: runs until SIGINT or SIGTERM, or until Envoy ends. Resolves with the exit code. */
export async function runUntilStopped(options: RunOptions, io: RunIo): Promise<number> {
  let wake: () => void = () => {};
  const stopped = new Promise<null>((resolve) => (wake = () => resolve(null)));
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, wake);
  // Envoy and its pipes do not keep this process alive; this does.
  const alive = setInterval(() => {}, 60_000);
  try {
    const start = runMeshward(options, io);
    const first = await Promise.race([start, stopped]);
    // Interrupted while starting: what has begun is finished and then undone.
    const handle = first ?? (await start.catch(() => null));
    if (handle === null) return 0;
    const failure = first === null ? null : await Promise.race([handle.ended, stopped]);
    await handle.stop();
    for (const line of handle.summary()) io.out(line);
    if (failure !== null) io.err(failure);
    return failure === null ? 0 : 2;
  } catch (error) {
    io.err((error as Error).message);
    return 2;
  } finally {
    clearInterval(alive);
    for (const signal of signals) process.off(signal, wake);
  }
}
