/**
 * What a change of the policy costs a mesh: Istio's discovery server with many services, and proxies of whose discovery nothing is left
 * out but Envoy behind it. A filter of Envoy's own in the same resource is what it is held against.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments, stringify } from "yaml";
import { median, round } from "../../../scripts/bench/figures.ts";
import { servicesSource } from "../../../scripts/bench/growth-policies.ts";
import { onCpuNanos } from "../../../scripts/bench/proc.ts";
import { poll } from "../../../scripts/envoy/admin.ts";
import { compilePolicy } from "../../../scripts/policy/compile.ts";
import { policyFrom } from "../../../scripts/policy/load.ts";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { IMAGE } from "../cases.ts";
import { TOOLS } from "../tools/build.ts";
import { resources } from "./generated.ts";
import { Istiod, documents } from "./mesh.ts";
import { Program, temporary } from "./program.ts";

const NAMESPACES = 40;
/** A push to many proxies on a machine that does other things. */
const PUSH_MILLISECONDS = 180_000;

interface MeshOptions {
  proxies: number;
  services: number;
}
export interface PushOptions extends MeshOptions {
  rounds: number;
  progress?: (line: string) => void;
}

export const REFERENCE = "another filter";

/** Medians of the rounds. */
export interface PushRow {
  what: string;
  /** From the change to the last proxy that has it, 100 of them istiod's wait for more changes. */
  milliseconds: number;
  /** CPU time of istiod until nothing more comes. */
  cpu_seconds: number;
  /** That less what the reference cost in the same round: the median, the least and the most. */
  cpu_more: { median: number; least: number; most: number };
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

/** A change for gateways, of which there are none: the proxies have no filter. */
function forGateways(round: number): string {
  const patch = { operation: "MERGE", value: { server_name: `round-${round}` } };
  const typed = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
  };
  const match = {
    context: "GATEWAY",
    listener: { filterChain: { filter: { name: "envoy.filters.network.http_connection_manager" } } },
  };
  return documents({
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: "gateways", namespace: "istio-system" },
    spec: {
      configPatches: [
        {
          applyTo: "NETWORK_FILTER",
          match,
          patch: { ...patch, value: { typed_config: { ...typed, ...patch.value } } },
        },
      ],
    },
  });
}

interface EnvoyFilter {
  spec: { configPatches: { patch: { value: { typed_config?: object } } }[] };
}

interface Change {
  resources: string;
  /** What a proxy has in its extension configuration then, and never before; anything will do where it is empty. */
  mark: string;
}

async function meshwardChange(source: PolicySource, round: number, ...options: string[]): Promise<Change> {
  const routes = [{ match: { path: `/round/${round}` }, mode: "off" as const }];
  const policy = { ...source, routes };
  const { policy: mark } = compilePolicy(policyFrom(policy), { holdHeaders: true });
  return { resources: await resources(policy, "--module", IMAGE, ...options), mark };
}

const byNamespace = Array.from({ length: NAMESPACES }, (_, index) => `team-${index}`).join();

interface Kind {
  change: (round: number) => Promise<Change>;
  /** Of which namespaces a proxy has sections: of none, of its own, of all. */
  names: "none" | "own" | "all";
}

/** What is changed, by what it is called. */
function kinds(services: number): Record<string, Kind> {
  const [modes, all] = [servicesSource(services, "mode"), servicesSource(services, "all")];
  const other = async (round: number): Promise<Change> => {
    const { resources } = await meshwardChange({ version: 1 }, round);
    return { resources: otherFilter(resources, `mark-${round}-`), mark: `mark-${round}-` };
  };
  const none = async (round: number): Promise<Change> => ({ resources: forGateways(round), mark: "" });
  const smallest = (round: number): Promise<Change> => meshwardChange({ version: 1 }, round);
  const mode = (round: number): Promise<Change> => meshwardChange(modes, round);
  const extension = (round: number): Promise<Change> => meshwardChange(modes, round, "--hold", "body");
  const own = (round: number): Promise<Change> =>
    meshwardChange(all, round, "--target", "namespace", "--namespace", byNamespace);
  return {
    "no filter": { change: none, names: "none" },
    [REFERENCE]: { change: other, names: "none" },
    "the smallest policy": { change: smallest, names: "none" },
    "a mode for each service": { change: mode, names: "all" },
    "the same as TrafficExtension": { change: extension, names: "all" },
    "modes, routes, exceptions by namespace": { change: own, names: "own" },
  };
}

interface Answer {
  last: number;
  extensionBytes: number;
  bytes: number;
  /** Proxies with the text that was waited for; with their own namespace, with another one, in their extension configuration. */
  having: number;
  own: number;
  foreign: number;
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

type Sample = Record<"milliseconds" | "cpu_seconds" | "extension_bytes" | "bytes", number>;

/** A mesh of its own, in which one kind of change is made again and again. */
class Mesh {
  readonly samples: Sample[] = [];
  readonly #kind: Kind;
  readonly #count: number;
  readonly #istiod: Istiod;
  readonly #proxies: Proxies;

  private constructor(kind: Kind, count: number, istiod: Istiod) {
    this.#kind = kind;
    this.#count = count;
    this.#istiod = istiod;
    this.#proxies = new Proxies(istiod.address, count);
  }

  static async start(kind: Kind, { proxies, services: count }: MeshOptions): Promise<Mesh> {
    const mesh = new Mesh(kind, proxies, await Istiod.start({ services: services(count) }));
    try {
      await mesh.#connected();
      await mesh.#push(0);
    } catch (error) {
      await mesh.stop();
      throw error;
    }
    return mesh;
  }

  /** istiod lets in so many a second. */
  async #connected(): Promise<void> {
    const all = { connected: this.#count, synced: this.#count };
    const isThere = async (): Promise<true | null> => isDeepStrictEqual(await this.#istiod.synced(), all) || null;
    await poll(isThere, PUSH_MILLISECONDS, () => new Error("the proxies do not connect"));
  }

  async #push(round: number): Promise<Sample> {
    const { resources, mark } = await this.#kind.change(round);
    let [began, cpu] = [0, 0n];
    const answer = await this.#proxies.await(mark, async () => {
      [began, cpu] = [Date.now(), onCpuNanos(this.#istiod.pid)];
      await this.#istiod.apply("module", resources);
    });
    const spent = onCpuNanos(this.#istiod.pid) - cpu;
    await this.#check(answer, mark);
    return {
      milliseconds: answer.last - began,
      cpu_seconds: Number(spent) / 1e9,
      extension_bytes: answer.extensionBytes / this.#count,
      bytes: answer.bytes / this.#count,
    };
  }

  /** A figure is worth nothing where a proxy has not what it should have, or another's. */
  async #check({ having, own, foreign }: Answer, mark: string): Promise<void> {
    const { names } = this.#kind;
    const wanted = {
      having: mark === "" ? 0 : this.#count,
      own: names === "none" ? 0 : this.#count,
      foreign: names === "all" ? this.#count : 0,
    };
    assert.deepEqual({ having, own, foreign }, wanted);
    assert.deepEqual(await this.#istiod.synced(), { connected: this.#count, synced: this.#count });
  }

  async measure(round: number): Promise<void> {
    this.samples.push(await this.#push(round));
  }

  async stop(): Promise<void> {
    await this.#proxies.stop();
    await this.#istiod.stop();
  }
}

/**
 * Rounds in which each kind of change is made once, each time in another order: what the machine does besides meets all of them, and
 * they are held against each other within a round.
 */
export async function measurePush({ rounds, progress, ...options }: PushOptions): Promise<PushRow[]> {
  const meshes = new Map<string, Mesh>();
  try {
    for (const [what, kind] of Object.entries(kinds(options.services))) {
      progress?.(`mesh with ${what}`);
      meshes.set(what, await Mesh.start(kind, options));
    }
    for (let round = 1; round <= rounds; round++) {
      progress?.(`round ${round} of ${rounds}`);
      const order = [...meshes.values()];
      for (let turn = 0; turn < order.length; turn++) await order[(turn + round) % order.length]!.measure(round);
    }
  } finally {
    for (const mesh of meshes.values()) await mesh.stop();
  }
  const reference = meshes.get(REFERENCE)!.samples;
  return [...meshes].map(([what, { samples }]) => {
    const of = (key: keyof Sample, digits: number): number => round(median(samples.map((one) => one[key])), digits);
    const more = samples.map((one, index) => one.cpu_seconds - reference[index]!.cpu_seconds);
    return {
      what,
      milliseconds: of("milliseconds", 0),
      cpu_seconds: of("cpu_seconds", 2),
      cpu_more: {
        median: round(median(more), 2),
        least: round(Math.min(...more), 2),
        most: round(Math.max(...more), 2),
      },
      extension_bytes: of("extension_bytes", 0),
      bytes: of("bytes", 0),
    };
  });
}
