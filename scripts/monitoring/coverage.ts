/**
 * `meshward coverage`: which workloads are protected as the policy declares, told from what Prometheus has scraped.
 *
 *     absent      an Envoy without Meshward, one that cannot be scraped any more, or a workload of the policy that nobody has seen
 *     stale       another policy is in force than the declared one
 *     degraded    the declared policy is in force, but in a lower mode, or the filter has lost something just now
 *     protected   all is as declared; a mode of detect or off is as declared, too
 */
import { policyHash } from "../policy/compile.ts";
import { MODES } from "../policy/schema.ts";
import type { Mode, Policy, Workload } from "../policy/schema.ts";
import { declaredMode, labelName } from "./declared.ts";
import type { Ask, Sample } from "./prometheus.ts";
import { DEGRADED, IN_FORCE, LIVE, SILENT } from "./queries.ts";

/** The worst first. */
export const STATES = ["absent", "stale", "degraded", "protected"] as const;
export type State = (typeof STATES)[number];

export interface ProxyCoverage {
  proxy: string;
  state: State;
  /** Of what is in force, several words where VMs differ; null where nothing is. */
  policy: string | null;
  mode: string | null;
  version: string | null;
  declared_mode: Mode;
  /** What is wrong, one sentence each. */
  reasons: string[];
}

export interface WorkloadCoverage {
  namespace: string | null;
  service: string;
  /** That of its worst proxy. */
  state: State;
  proxies: ProxyCoverage[];
}

export interface Coverage {
  policy: string;
  mode: Mode;
  prometheus: string;
  /** Workloads by state. */
  counts: Record<State, number>;
  workloads: WorkloadCoverage[];
}

/** A mistake of the user: Prometheus has nothing that could be judged. */
export class NothingScraped extends Error {}

const keyOf = ({ labels }: Sample): string =>
  [labels.namespace ?? "", labels.service ?? "", labels.proxy ?? ""].join("\0");

function byProxy(samples: readonly Sample[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = keyOf(sample);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return groups;
}

/** Whether a section of the policy means a proxy, by the labels of its scrapes. */
const matches =
  (scrapes: readonly Sample[]) =>
  ({ namespace, service, labels = {} }: Workload): boolean =>
    scrapes.some(
      (scrape) =>
        (namespace === undefined || namespace === scrape.labels.namespace) &&
        (service === undefined || service === scrape.labels.service) &&
        // A label without a value is none to Prometheus.
        Object.entries(labels).every(([name, value]) => (scrape.labels[labelName(name)] ?? "") === value),
    );

/** What the info series say under one label: "block", or "block, detect". */
function said(info: readonly Sample[], label: string): string | null {
  const values = [...new Set(info.map(({ labels }) => labels[label] ?? "").filter((value) => value !== ""))].sort();
  return values.length === 0 ? null : values.join(", ");
}

interface Facts {
  scrapes: readonly Sample[];
  isSilent: boolean;
  info: readonly Sample[];
  lacks: readonly string[];
}

function judge(proxy: string, { scrapes, isSilent, info, lacks }: Facts, policy: Policy, hash: string): ProxyCoverage {
  const declared = declaredMode(policy, matches(scrapes));
  const told = { policy: said(info, "policy"), mode: said(info, "mode"), version: said(info, "version") };
  const one = (state: State, reasons: readonly string[]): ProxyCoverage => ({
    proxy,
    state,
    ...told,
    declared_mode: declared,
    reasons: [...reasons],
  });
  if (isSilent) return one("absent", ["it cannot be scraped, and was there within the last hour"]);
  if (info.length === 0) return one("absent", ["Envoy without Meshward"]);
  const others = info.filter(({ labels }) => labels.policy !== hash);
  if (others.length > 0) {
    const which = others.some(({ labels }) => labels.policy === "none")
      ? "safe defaults"
      : `policy ${said(others, "policy")}`;
    return one("stale", [`${which} in force, declared is ${hash}`, ...lacks]);
  }
  const lower = info.filter(({ labels }) => MODES.indexOf(labels.mode as Mode) < MODES.indexOf(declared));
  const reasons = [...(lower.length > 0 ? [`mode ${said(lower, "mode")}, declared is ${declared}`] : []), ...lacks];
  return one(reasons.length === 0 ? "protected" : "degraded", reasons);
}

const worst = (proxies: readonly ProxyCoverage[]): State =>
  STATES.find((state) => proxies.some((proxy) => proxy.state === state))!;

/** Workloads that the policy names and that Prometheus has no proxy of. */
function unseen(policy: Policy, seen: readonly WorkloadCoverage[]): WorkloadCoverage[] {
  return policy.workloads.flatMap(({ namespace, service, mode }) => {
    if (service === undefined) return [];
    const isSeen = seen.some(
      (workload) => workload.service === service && (namespace === undefined || workload.namespace === namespace),
    );
    if (isSeen) return [];
    const reasons = ["the policy names it, and Prometheus has no proxy of it"];
    const nothing = { policy: null, mode: null, version: null, declared_mode: mode ?? policy.mode };
    return [
      {
        ...{ namespace: namespace ?? null, service, state: "absent" as const },
        proxies: [{ proxy: "", state: "absent" as const, ...nothing, reasons }],
      },
    ];
  });
}

const order = (left: WorkloadCoverage, right: WorkloadCoverage): number => {
  const [a, b] = [left, right].map(({ namespace, service }) => `${namespace ?? ""}\0${service}`);
  return a! < b! ? -1 : a! > b! ? 1 : 0;
};

/** Looks at all proxies, or those of some namespaces. Throws `NothingScraped` where there is nothing to look at. */
export async function coverage(
  policy: Policy,
  ask: Ask,
  prometheus: string,
  namespaces: readonly string[] = [],
): Promise<Coverage> {
  const live = await ask(LIVE);
  if (live.length === 0) {
    const targets = await ask("count(up)");
    throw new NothingScraped(
      targets.length === 0
        ? `Prometheus ${prometheus} has no targets: nothing is scraped`
        : `Prometheus ${prometheus} scrapes ${targets[0]!.value} targets, and no Envoy among them (neither envoy_server_live nor istio_build)`,
    );
  }
  const [silent, info] = [byProxy(await ask(SILENT)), byProxy(await ask(IN_FORCE))];
  const lacks = new Map<string, string[]>();
  for (const [what, expression] of Object.entries(DEGRADED)) {
    for (const sample of await ask(expression)) {
      const often = what.startsWith("a ") ? "" : `: ${Math.max(1, Math.round(sample.value))} within 10 minutes`;
      lacks.set(keyOf(sample), [...(lacks.get(keyOf(sample)) ?? []), what + often]);
    }
  }

  const hash = policyHash(policy);
  const scraped = byProxy(live);
  const workloads = new Map<string, WorkloadCoverage>();
  for (const [key, scrapes] of new Map([...silent, ...scraped])) {
    const [namespace, service, proxy] = key.split("\0") as [string, string, string];
    if (namespaces.length > 0 && !namespaces.includes(namespace)) continue;
    const facts = {
      scrapes,
      isSilent: !scraped.has(key),
      info: info.get(key) ?? [],
      lacks: lacks.get(key) ?? [],
    };
    const name = `${namespace}\0${service}`;
    const workload = workloads.get(name) ?? {
      ...{ namespace: namespace === "" ? null : namespace, service, state: "protected", proxies: [] },
    };
    workload.proxies.push(judge(proxy, facts, policy, hash));
    workloads.set(name, workload);
  }
  const seen = [...workloads.values()];
  for (const workload of seen) {
    workload.proxies.sort((left, right) => (left.proxy < right.proxy ? -1 : 1));
    workload.state = worst(workload.proxies);
  }
  const missing = unseen(policy, seen).filter(
    ({ namespace }) => namespaces.length === 0 || namespaces.includes(namespace ?? ""),
  );
  const all = [...seen, ...missing].sort(order);
  if (all.length === 0) throw new NothingScraped(`Prometheus ${prometheus} has no Envoy in ${namespaces.join(", ")}`);
  const counts = Object.fromEntries(
    STATES.map((state) => [state, all.filter((workload) => workload.state === state).length]),
  ) as Record<State, number>;
  return { policy: hash, mode: policy.mode, prometheus, counts, workloads: all };
}

/** The table for people, each line of what is wrong below its workload. */
export function coverageText({ policy, mode, counts, workloads }: Coverage): string {
  const rows = workloads.map(({ namespace, service, state, proxies }) => {
    const modes = [...new Set(proxies.map((proxy) => proxy.mode ?? "-"))].sort().join(", ");
    return [namespace === null ? service : `${namespace}/${service}`, state, modes, String(proxies.length)];
  });
  const head = ["WORKLOAD", "STATE", "MODE", "PROXIES"];
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd();
  const lines = [line(head)];
  for (const [at, row] of rows.entries()) {
    lines.push(line(row));
    for (const { proxy, state, reasons } of workloads[at]!.proxies) {
      if (state !== "protected") lines.push(`  ${proxy === "" ? "" : `${proxy}: `}${reasons.join("; ")}`);
    }
  }
  const told = STATES.toReversed().map((state) => `${counts[state]} ${state}`);
  return [...lines, "", `policy ${policy}, mode ${mode}: ${told.join(", ")}`].join("\n");
}
