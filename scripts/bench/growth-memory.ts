/** The memory of an Envoy by the size of its policy: a part of `meshward bench growth`. */
import { compacted } from "../../istio/compact.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PluginConfiguration } from "../policy/compile.ts";
import { ARENA_BYTES, policyBytes } from "../policy/footprint.ts";
import { PolicyError, policyFrom } from "../policy/load.ts";
import type { PolicySource } from "../policy/schema.ts";
import { median, round } from "./figures.ts";
import { growthSource, servicesSource } from "./growth-policies.ts";

export interface MemoryRow {
  policy: string;
  entries: number;
  /** The plugin configuration, as `meshward istio` writes it, and what the module makes of it. */
  configuration_bytes: number;
  policy_bytes: number;
  /** Of the process with one worker, after some requests. */
  rss_mib: number;
}

/** Entries of the largest policies. */
const COUNT = 1_000;
const STARTS = 3;
/** No path of a thousand in a file of 512 KiB can be longer. */
const LONGEST_PADDING = 300;

/** Routes and exceptions, with paths as long as they can be. */
function largestSource(count: number): PolicySource {
  const padded = (padding: number): PolicySource => {
    const policy = growthSource("routes and exceptions", count).policy;
    const text = JSON.stringify(policy).replaceAll("/**", `/${"x".repeat(padding)}/**`);
    return JSON.parse(text) as PolicySource;
  };
  const fits = (padding: number): boolean => {
    try {
      return policyBytes(policyFrom(padded(padding))) <= ARENA_BYTES;
    } catch (error) {
      if (error instanceof PolicyError) return false;
      throw error;
    }
  };
  let [fitting, most] = [1, LONGEST_PADDING];
  while (fitting < most) {
    const middle = Math.ceil((fitting + most) / 2);
    if (fits(middle)) fitting = middle;
    else most = middle - 1;
  }
  return padded(fitting);
}

/** `rssWith` starts an Envoy with a configuration and says what it takes after some requests. */
export async function growthOfMemory(
  rssWith: (configuration: PluginConfiguration) => Promise<number>,
  { rounds, most, progress }: { rounds: number; most: number; progress: (line: string) => void },
): Promise<MemoryRow[]> {
  const count = Math.min(COUNT, most);
  const sources: [policy: string, entries: number, source: PolicySource][] = [
    ["the smallest", 0, { mode: "detect" }],
    ["services, each with a mode", count, servicesSource(count, "mode")],
    ["services, each with a mode, two routes and an exception", count, servicesSource(count, "all")],
    ["routes and exceptions with the longest paths", count, largestSource(count)],
  ];
  const rows: MemoryRow[] = [];
  for (const [policy, entries, source] of sources) {
    progress(`memory: ${entries} ${policy}`);
    const loaded = policyFrom(source);
    const whole = compilePolicy(loaded, { holdHeaders: true });
    const configuration = compacted(whole) as unknown as PluginConfiguration;
    const rss: number[] = [];
    for (let start = 0; start < Math.min(STARTS, rounds); start++) rss.push(await rssWith(configuration));
    rows.push({
      policy,
      entries,
      configuration_bytes: Buffer.byteLength(JSON.stringify(configuration)),
      policy_bytes: policyBytes(loaded),
      rss_mib: round(median(rss), 1),
    });
  }
  return rows;
}
