/**
 * The release module, run in this process on the host of `scripts/host`: one exchange in, one judgement out. The module
 * is configured for a dry run, so it judges everything, even where the policy's mode is off, and refuses nothing.
 */
import { createEnvoyProcess } from "../host/index.ts";
import type { Plugin } from "../host/index.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { Policy } from "../policy/schema.ts";
import type { Exchange } from "./exchange-line.ts";
import type { Judgement, Verdict } from "./verdict.ts";

/** Bytes that the host lets the module hold: above the longest line, so that nothing is refused for its size alone. */
const BUFFER_LIMIT = 64 * 1024 * 1024;
/** Workloads of a policy that have a VM at a time; the one that was not used for longest gives way. */
const MAX_PLUGINS = 8;
const DEFAULT_ADDRESS = "127.0.0.1";

export interface Engine {
  /** Judges one exchange by itself. Throws if the module fails, which is a bug in it; the next exchange gets a new VM. */
  judge(exchange: Exchange): Promise<Judgement>;
}

/** An address with a port, as Envoy has it. */
function withPort(address: string): string {
  if (/^\[.*\](?::\d+)?$/.test(address)) return /\]:\d+$/.test(address) ? address : `${address}:50000`;
  const colons = address.split(":").length - 1;
  return colons === 0 ? `${address}:50000` : colons === 1 ? address : `[${address}]:50000`;
}

/** The index of the workload that an exchange's service selects, -1 for none. Only the service is known offline. */
export function workloadOf({ workloads }: Policy, service: string | null): number {
  return workloads.findIndex(
    ({ namespace, service: wanted, labels }) =>
      namespace === undefined && Object.keys(labels ?? {}).length === 0 && wanted === service,
  );
}

/** A process of its own for each workload: its node says which one it is, and it is dropped as a whole. */
export async function startPlugin(module: Uint8Array, configuration: string, service: string | null): Promise<Plugin> {
  const process = createEnvoyProcess({ clock: "real", strict: false });
  const plugin = await process.addPlugin({
    name: "meshward",
    vmId: "meshward",
    module,
    bufferLimit: BUFFER_LIMIT,
    reloadBackoff: 0,
    keepBodies: false,
    ...(service === null ? {} : { node: { cluster: service } }),
  });
  if (!plugin.configure(configuration).accepted) throw new Error("the module does not take the policy");
  return plugin;
}

/** What the module says of one exchange, and what it logged. */
interface Answer {
  verdict: Verdict;
  logs: readonly string[];
}

/** Sends one exchange through the module; throws if it fails. */
export function sendExchange(plugin: Plugin, { request, response, address, principal }: Exchange): Answer {
  const { body, ...head } = request;
  const { verdict, outcome, logs } = plugin.exchange(head, {
    body,
    source: withPort(address ?? DEFAULT_ADDRESS),
    ...(principal === null ? {} : { properties: { connection: { uri_san_peer_certificate: principal, mtls: true } } }),
    ...(response === null ? {} : { response }),
  });
  if (outcome === "failed") {
    throw new Error(`the module failed: ${plugin.process.lastTrap?.message ?? "it gave no reason"}`);
  }
  if (verdict === null) throw new Error("the module said nothing");
  // Of a request without findings it says no more than it must.
  const nothing = { score: 0, rule: null, route: null, findings: [] };
  return { verdict: { ...nothing, ...(verdict as Verdict) }, logs: logs.map(({ message }) => message) };
}

/** Loads `module` with `policy`. Rejects if the module does not load or does not take the policy. */
export async function createEngine(policy: Policy, module: Uint8Array): Promise<Engine> {
  const configuration = JSON.stringify(compilePolicy(policy, { holdHeaders: true, dryRun: true }));
  // In the order of use, by the index of the workload.
  const plugins = new Map<number, Plugin>();

  async function pluginFor(service: string | null): Promise<Plugin> {
    const index = workloadOf(policy, service);
    const plugin = plugins.get(index) ?? (await startPlugin(module, configuration, index < 0 ? null : service));
    plugins.delete(index);
    plugins.set(index, plugin);
    const [oldest] = plugins.keys();
    if (plugins.size > MAX_PLUGINS) plugins.delete(oldest!);
    return plugin;
  }

  await pluginFor(null);
  return {
    async judge(exchange) {
      const { verdict, mode, score, findings } = sendExchange(await pluginFor(exchange.service), exchange).verdict;
      return { verdict, mode, score, findings };
    },
  };
}
