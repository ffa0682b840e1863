/** A started Envoy, whatever it runs in; made by `process.ts` and `container.ts`. */
import { setTimeout as delay } from "node:timers/promises";
import { collectorOf } from "../../envoy/cluster.ts";
import { SECRETS } from "../../envoy/names.ts";
import type { CompiledPolicy } from "../../envoy/options.ts";
import type { AccessEntry } from "./access-log.ts";
import type { Admin } from "./admin.ts";
import { poll } from "./admin.ts";

export interface StartOptions {
  compiled: CompiledPolicy;
  /** `http(s)://host:port`, as seen from this process. */
  upstream: string;
  listen: { host: string; port: number };
  /** The module's file. */
  modulePath: string;
  /** Called for each request that ended, within a fraction of a second; null: the lines go to /dev/null. */
  onAccess: ((entry: AccessEntry) => void) | null;
  /** False starts Envoy without Meshward. Default true. */
  filter?: boolean;
  /** Worker threads. Default 2. */
  concurrency?: number;
  protocol?: "http1" | "http2";
  /** The service's name. Default "meshward". */
  service?: string;
  /** Where the service's own calls are taken. Default: nowhere. */
  outbound?: { host: string; port: number };
  /** Hosts that it calls and DNS does not know, each with its origin. */
  hosts?: Readonly<Record<string, string>>;
  env: NodeJS.ProcessEnv;
}

export interface RunningEnvoy {
  /** Where requests go: `http://host:port`. */
  readonly url: string;
  /** Where the service's own calls go, as to an HTTP proxy; null where they are not taken. */
  readonly outboundUrl: string | null;
  readonly admin: Admin;
  /** The process of Envoy on this machine; null in a container. */
  readonly pid: number | null;
  /** Resolves when Envoy has ended, with the reason; never rejects. Waiting for it alone does not keep Node alive. */
  readonly exited: Promise<string>;
  /** Envoy's last lines. */
  log(): string[];
  /** Resolves when the policy is in force on every worker; rejects with Envoy's reason if it is refused. */
  reload(compiled: CompiledPolicy): Promise<void>;
  /** Ends Envoy and removes everything that was made for it; may be called twice. */
  stop(): Promise<void>;
}

/** Envoy did not start: one line with the cause, then its last log lines. */
export class EnvoyFailed extends Error {
  readonly log: readonly string[];

  constructor(cause: string, log: readonly string[]) {
    const shown = log.slice(-20).map((line) => `  ${line}`);
    super(shown.length === 0 ? cause : [cause, "Envoy's last lines:", ...shown].join("\n"));
    this.name = "EnvoyFailed";
    this.log = log;
  }
}

/** How often the access log is written out, in milliseconds; Envoy's own default is 10 s. */
export const FLUSH_MS = 50;
export const READY_TIMEOUT_MS = 60_000;
const RELOAD_TIMEOUT_MS = 10_000;

/** Envoy's log line without its prefix "[time][thread][level][component] [source]". */
const message = (line: string): string => line.replace(/^(?:\[[^\]]*\]\s*)+/, "");

/** The line that tells why Envoy gave up, or null. */
export function causeIn(log: readonly string[]): string | null {
  const line = log.findLast((text) => /\]\[(?:critical|error)\]/.test(text));
  return line === undefined ? null : message(line);
}

/** Why a policy was refused: what the module said in these lines, else what Envoy said. */
function refusalIn(log: readonly string[]): string {
  const module = log.findLast((line) => line.includes("wasm log"));
  if (module !== undefined) return message(module).replace(/^.*?wasm log[^:]*:\s*(?:meshward: )?/, "");
  const envoy = log.findLast((line) => line.includes("rejected: "));
  return envoy === undefined ? "see Envoy's log" : message(envoy).replace(/^.*?rejected: /, "");
}

/** Waits until what was found last has been sent, where events are: the module sends them once a second. */
export async function letEventsLeave(compiled: CompiledPolicy, exited: Promise<unknown>): Promise<void> {
  if (compiled.events === undefined) return;
  const settled = new AbortController();
  const ended = exited.then(() => settled.abort());
  await Promise.race([ended, delay(EVENTS_MS, undefined, { signal: settled.signal }).catch(() => undefined)]);
}

/** A tick, and the way to a collector that answers. */
const EVENTS_MS = 1_250;

/** What the module is given of an environment. */
export function secretsIn(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    SECRETS.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Rejects a policy that Envoy could not take without a restart: its cluster for events is made at the start. */
export function checkReload(started: CompiledPolicy, compiled: CompiledPolicy): void {
  const [before, now] = [started, compiled].map(({ events }) => events && `${events.cluster} ${collectorOf(events)}`);
  if (now !== undefined && now !== before) throw new EnvoyFailed("events.otlp has changed: that takes a restart", []);
}

/** Waits until the policy that was just written is in force. `before` and `said` are what there was before writing. */
export async function untilInForce(
  { admin, log }: Pick<RunningEnvoy, "admin" | "log">,
  compiled: CompiledPolicy,
  before: { refused: number },
  said: readonly string[],
): Promise<void> {
  const since = (): string[] => log().slice(log().lastIndexOf(said.at(-1) ?? "") + 1);
  const look = async (): Promise<true | null> => {
    const now = await admin.discovery();
    if (now.refused > before.refused) throw new EnvoyFailed(`the policy was refused: ${refusalIn(since())}`, since());
    return now.policy === compiled.policy ? true : null;
  };
  await poll(
    look,
    RELOAD_TIMEOUT_MS,
    () => new EnvoyFailed(`policy ${compiled.policy} is not in force after 10 s`, since()),
  );
}
