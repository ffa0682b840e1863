/**
 * What a change of the policy costs a mesh: Istio's discovery server with many services, and proxies of whose discovery nothing is left
 * out but Envoy behind it. A filter of Envoy's own in the same resource is what it is held against.
 */
import { rmSync } from "node:fs";
import { parseAllDocuments, stringify } from "yaml";
import { median, round } from "../../../scripts/bench/figures.ts";
import { servicesSource } from "../../../scripts/bench/growth-policies.ts";
import { onCpuNanos } from "../../../scripts/bench/proc.ts";
import { compilePolicy } from "../../../scripts/policy/compile.ts";
import { policyFrom } from "../../../scripts/policy/load.ts";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { IMAGE } from "../cases.ts";
import { TOOLS } from "../tools/build.ts";
import { documents } from "./front.ts";
import { resources } from "./generated.ts";
import { Istiod, Program, temporary } from "./mesh.ts";

const NAMESPACES = 40;
/** A push to many proxies on a machine that does other things. */
const PUSH_MILLISECONDS = 180_000;

export interface PushOptions {
  proxies: number;
  services: number;
  rounds: number;
  progress?: (line: string) => void;
}

/** Medians of the rounds. */
export interface PushRow {
  what: string;
  /** From the change to the last proxy that has it, 100 of them istiod's wait for more changes. */
  milliseconds: number;
  /** CPU time of istiod until nothing more comes. */
  cpu_seconds: number;
  /** What a proxy is sent: extension configuration, and all. */
  extension_bytes: number;
  bytes: number;
}

/** A service for each proxy and more, whose addresses and namespaces are those that the proxies say. */
function services(count: number): string {
  const entries = Array.from({ length: count }, (_, index) => {
    const namespace = `team-${index % NAMESPACES}`;
    return {
      apiVersion: "networking.istio.io/v1",
      kind: "ServiceEntry",
      metadata: { name: `service-${index}`, namespace },
      spec: {
        hosts: [`service-${index}.${namespace}.svc.cluster.local`],
        addresses: [`10.2.${Math.floor(index / 250)}.${(index % 250) + 1}`],
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
        location: "MESH_INTERNAL",
        resolution: "STATIC",
        endpoints: [
          { address: `10.1.${Math.floor(index / 250)}.${(index % 250) + 1}`, labels: { app: `service-${index}` } },
        ],
      },
    };
  });
  return documents(...entries);
}

/** A filter of Envoy's own in the place of Meshward's: `mark` is all of it that changes. */
function otherFilter(meshward: string, mark: string): string {
  const [filter] = parseAllDocuments(meshward).map((one) => one.toJS() as EnvoyFilter);
  filter!.spec.configPatches[0]!.patch.value.typed_config = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    stat_prefix: mark,
  };
  return stringify(filter);
}
interface EnvoyFilter {
  spec: { configPatches: { patch: { value: { typed_config?: object } } }[] };
}

interface Change {
  resources: string;
  /** What a proxy has in its extension configuration then, and never before. */
  mark: string;
}

async function meshwardChange(source: PolicySource, round: number, ...options: string[]): Promise<Change> {
  const routes = [{ match: { path: `/round/${round}` }, mode: "off" as const }];
  const policy = { ...source, routes };
  const { policy: mark } = compilePolicy(policyFrom(policy), { holdHeaders: true });
  return { resources: await resources(policy, "--module", IMAGE, ...options), mark };
}

const byNamespace = Array.from({ length: NAMESPACES }, (_, index) => `team-${index}`).join();

/** What is changed, by what it is called. */
function changes(services: number): Record<string, (round: number) => Promise<Change>> {
  const [modes, all] = [servicesSource(services, "mode"), servicesSource(services, "all")];
  return {
    "another filter": async (round) => {
      const { resources } = await meshwardChange({ version: 1 }, round);
      return { resources: otherFilter(resources, `mark-${round}-`), mark: `mark-${round}-` };
    },
    "the smallest policy": (round) => meshwardChange({ version: 1 }, round),
    "a mode for each service": (round) => meshwardChange(modes, round),
    "the same as TrafficExtension": (round) => meshwardChange(modes, round, "--hold", "body"),
    "modes, routes, exceptions by namespace": (round) =>
      meshwardChange(all, round, "--target", "namespace", "--namespace", byNamespace),
  };
}

interface Answer {
  last: number;
  received: number;
  extensionBytes: number;
  bytes: number;
}

/** Proxies that ask an istiod as sidecars do. */
class Proxies {
  readonly #program: Program;
  readonly #folder = temporary("proxies");

  constructor(address: string, count: number) {
    const args = ["--address", address, "--count", String(count), "--namespaces", String(NAMESPACES)];
    this.#program = new Program(TOOLS.proxies, args, this.#folder, {});
  }

  /** Makes a change, and waits until all proxies have it. */
  async await(mark: string, change: () => Promise<void>): Promise<Answer> {
    const before = this.#program.log().length;
    const said = (): string => this.#program.log().slice(before);
    this.#program.write(`${mark}\n`);
    await this.#program.ready(() => said().includes("awaiting\n"), PUSH_MILLISECONDS);
    await change();
    await this.#program.ready(() => /^\{.*\}$/m.test(said()), PUSH_MILLISECONDS);
    return JSON.parse(/^\{.*\}$/m.exec(said())![0]) as Answer;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function measurePush({ proxies, services: count, rounds, progress }: PushOptions): Promise<PushRow[]> {
  const rows: PushRow[] = [];
  for (const [what, change] of Object.entries(changes(count))) {
    progress?.(what);
    const first = await change(0);
    const istiod = await Istiod.start({ services: services(count) });
    const fleet = new Proxies(istiod.address, proxies);
    try {
      // All of them have connected when they have this one.
      await fleet.await(first.mark, () => istiod.apply("module", first.resources));
      const samples: Omit<PushRow, "what">[] = [];
      for (let turn = 1; turn <= rounds; turn++) {
        const { resources, mark } = await change(turn);
        let [began, cpu] = [0, 0n];
        const answer = await fleet.await(mark, async () => {
          [began, cpu] = [Date.now(), onCpuNanos(istiod.pid)];
          await istiod.apply("module", resources);
        });
        samples.push({
          milliseconds: answer.last - began,
          cpu_seconds: Number(onCpuNanos(istiod.pid) - cpu) / 1e9,
          extension_bytes: answer.extensionBytes / proxies,
          bytes: answer.bytes / proxies,
        });
      }
      const of = (key: keyof Omit<PushRow, "what">): number => median(samples.map((sample) => sample[key]));
      rows.push({
        what,
        milliseconds: round(of("milliseconds"), 0),
        cpu_seconds: round(of("cpu_seconds"), 2),
        extension_bytes: round(of("extension_bytes"), 0),
        bytes: round(of("bytes"), 0),
      });
    } finally {
      await fleet.stop();
      await istiod.stop();
    }
  }
  return rows;
}
