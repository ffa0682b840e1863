/**
 * What a policy declares, as recording rules: Prometheus then knows which policy should be in force, and which proxies should block.
 *
 *     meshward:declared:policy{policy="2988ca9d730f",mode="block"}   1
 *     meshward:declared:block{namespace,service,proxy}               each live proxy whose section, or the top, says block
 */
import { policyHash } from "../policy/compile.ts";
import type { Policy, Workload } from "../policy/schema.ts";
import { liveSeries, PROXY, named } from "./queries.ts";
import type { RuleGroup } from "./rules.ts";

/** A label of Kubernetes as service discovery writes it. */
export const labelName = (label: string): string => label.replace(/[^a-zA-Z0-9_]/g, "_");

/** The mode of the first section that matches; the top's where it says none or none matches. */
export function declaredMode(policy: Policy, matches: (workload: Workload) => boolean): Policy["mode"] {
  return policy.workloads.find(matches)?.mode ?? policy.mode;
}

const matchers = (labels: Readonly<Record<string, string | undefined>>): string[] =>
  Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${JSON.stringify(value)}`]));

/** The live proxies of a section, by the labels of the scrape. */
function selected({ namespace, service, labels = {} }: Workload): string {
  const known = matchers({ namespace, service });
  const proxies = known.length === 0 ? "meshward:proxy:live" : `meshward:proxy:live{${known.join(", ")}}`;
  const pods = matchers(Object.fromEntries(Object.entries(labels).map(([name, value]) => [labelName(name), value])));
  return pods.length === 0 ? proxies : `(${proxies} and on (${PROXY}) ${named(`(${liveSeries(pods)})`)})`;
}

/** The first section of the policy counts, so the last is put together first, and each one before it takes its own. */
function blocking(policy: Policy): string {
  const all = "meshward:proxy:live";
  let proxies = policy.mode === "block" ? all : `(${all} unless ${all})`;
  // Neighbours of one mode are one step: their order changes nothing.
  const steps: { isBlock: boolean; sets: string[] }[] = [];
  for (const workload of policy.workloads.toReversed()) {
    const isBlock = (workload.mode ?? policy.mode) === "block";
    const last = steps.at(-1);
    if (last?.isBlock === isBlock) last.sets.push(selected(workload));
    else steps.push({ isBlock, sets: [selected(workload)] });
  }
  for (const { isBlock, sets } of steps) {
    proxies = `(${proxies} ${isBlock ? "or" : "unless"} (${sets.join(" or ")}))`;
  }
  return proxies;
}

export function declaredRules(policy: Policy): RuleGroup {
  return {
    name: "meshward-declared",
    rules: [
      {
        record: "meshward:declared:policy",
        expr: "vector(1)",
        labels: { policy: policyHash(policy), mode: policy.mode },
      },
      { record: "meshward:declared:block", expr: blocking(policy) },
    ],
  };
}
