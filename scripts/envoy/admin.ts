/** What Envoy's admin interface is asked: is it ready, where does it listen, which policy is in force, which statistics. */
import { setTimeout as delay } from "node:timers/promises";
import { FILTER_NAME, INBOUND_LISTENER, OUTBOUND_NAME } from "../../envoy/names.ts";

const CALL_TIMEOUT_MS = 5_000;
const POLL_MS = 25;

/** One sample of Prometheus's text format. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** What has become of the policies that Envoy was given since it started. */
export interface Discovery {
  /** The policy (12 hex digits) that was accepted last, by each listener; empty before the first. */
  policy: string;
  /** How many were refused. */
  refused: number;
}

/** The admin interface at `origin` ("http://127.0.0.1:9901"). Every call is bounded; failures reject. */
export class Admin {
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  async #get(path: string): Promise<string> {
    const response = await fetch(this.origin + path, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`Envoy's admin answers ${response.status} to ${path}`);
    return text;
  }

  /** Whether Envoy takes requests. */
  async isReady(): Promise<boolean> {
    return this.#get("/ready").then(
      (text) => text.startsWith("LIVE"),
      () => false,
    );
  }

  /** The port that the listener of that name really has. */
  async listenPort(name: string = INBOUND_LISTENER): Promise<number> {
    const { listener_statuses: listeners } = JSON.parse(await this.#get("/listeners?format=json")) as {
      listener_statuses?: { name: string; local_address: { socket_address: { port_value: number } } }[];
    };
    const found = listeners?.find((listener) => listener.name === name);
    if (found === undefined) throw new Error(`Envoy has no listener "${name}"`);
    return found.local_address.socket_address.port_value;
  }

  /** Statistics by Envoy's own names, as text, whose names match `filter` (RE2). */
  async stats(filter: string): Promise<Map<string, string>> {
    const text = await this.#get(`/stats?filter=${encodeURIComponent(filter)}`);
    return new Map(
      text.split("\n").flatMap((line) => {
        const at = line.indexOf(": ");
        return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 2)] as const];
      }),
    );
  }

  async discovery(): Promise<Discovery> {
    const root = "extension_config_discovery.http_filter.";
    const stats = await this.stats(`^extension_config_discovery\\.http_filter\\.(${FILTER_NAME}|${OUTBOUND_NAME})\\.`);
    const filters = [FILTER_NAME, OUTBOUND_NAME].map((name) => `${root}${name}.`);
    const policies = new Set(
      filters.flatMap((prefix) => stats.get(`${prefix}version_text`) ?? []).map((text) => text.replace(/^"|"$/g, "")),
    );
    const refusals = filters.flatMap((prefix) =>
      ["config_fail", "update_rejected", "update_failure"].map((name) => Number(stats.get(prefix + name) ?? 0)),
    );
    return {
      policy: policies.size === 1 ? ([...policies][0] ?? "") : "",
      refused: refusals.reduce((sum, count) => sum + count, 0),
    };
  }

  /** Requests that have ended, each of which leaves a line in the access log. */
  async endedRequests(): Promise<number> {
    const stats = await this.stats(`^http\\.${FILTER_NAME}\\.downstream_rq_(total|active)$`);
    const count = (name: string): number => Number(stats.get(`http.${FILTER_NAME}.downstream_rq_${name}`) ?? 0);
    return count("total") - count("active");
  }

  /** All statistics in Prometheus's text format. */
  prometheus(): Promise<string> {
    return this.#get("/stats/prometheus");
  }
}

/** What a round of `poll` counts at most: in what it takes longer the machine has stood still, and what is waited for with it. */
const LONGEST_ROUND_MS = 5_000;

/** Calls `look` until it yields something other than null; rejects with `late()` after `timeoutMs` in which the machine ran. */
export async function poll<T>(look: () => Promise<T | null>, timeoutMs: number, late: () => Error): Promise<T> {
  for (let left = timeoutMs; ;) {
    const begun = Date.now();
    const found = await look();
    if (found !== null) return found;
    if (left <= 0) throw late();
    await delay(POLL_MS);
    left -= Math.min(Date.now() - begun, LONGEST_ROUND_MS);
  }
}

/** The samples of Prometheus's text format, in order; comments and lines that are none are left out. */
export function parsePrometheus(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const parts = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (parts === null) continue;
    const labels: Record<string, string> = {};
    for (const [, name, value] of (parts[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[name!] = value!.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
    }
    const value = parts[3] === "+Inf" ? Infinity : parts[3] === "-Inf" ? -Infinity : Number(parts[3]);
    samples.push({ name: parts[1]!, labels, value });
  }
  return samples;
}
