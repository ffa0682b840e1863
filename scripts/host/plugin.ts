// A plugin: one configured use of a module. A push is first judged by a fresh canary VM; only if that accepts do the workers, and
// the main thread, get a new root context each, in the VMs that they have. Streams keep the root context that they started with.

import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { HostError } from "./errors.ts";
import { exchange, type Exchange, type ExchangeOptions } from "./exchange.ts";
import type { ModuleSource } from "./module.ts";
import type { EnvoyProcess } from "./process.ts";
import type { PropertyTree } from "./property.ts";
import type { PluginIdentity, RootContext } from "./root.ts";
import { Stream, type StreamInit, type StreamSettings } from "./stream.ts";
import type { RequestInit } from "./request.ts";
import { Vm, type VmKind } from "./vm.ts";

export interface PluginOptions {
  name: string;
  rootId?: string;
  /** Plugins with the same module, vm_id and VM configuration share their VMs; the same vm_id shares data. */
  vmId?: string;
  module: ModuleSource;
  vmConfiguration?: string | Uint8Array;
  /** Variables that the VM is given (`vm_config.environment_variables`). Default none. */
  environment?: Readonly<Record<string, string>>;
  /** Worker threads. Default 1. */
  workers?: number;
  /** `allow_on_headers_stop_iteration`. Default true. */
  holdHeaders?: boolean;
  /** The Envoy node: `{id, cluster, metadata}`. */
  node?: PropertyTree;
  /** Properties of every stream, e.g. `{listener_direction: 1n, xds: {listener_metadata: …}}`. */
  properties?: PropertyTree;
  /** Bytes of a body that may be held. Default 1 MiB. */
  bufferLimit?: number;
  /** Default "reload": a VM that trapped is made anew for the next stream, at most once in `reloadBackoff` ms (default 1,000). */
  failurePolicy?: "closed" | "open" | "reload";
  reloadBackoff?: number;
  /** Keep bodies in `out.body`, not only their length. Default true. */
  keepBodies?: boolean;
}

const MIB = 1024 * 1024;

/** The VMs of one kind: one a worker and one for the main thread, which gets configuration and ticks but no streams. */
export class VmGroup {
  readonly kind: VmKind;
  readonly #process: EnvoyProcess;
  readonly #source: ModuleSource;
  readonly #threads: (Vm | null)[];
  /** Canary verdicts by plugin and configuration; Envoy asks only once. */
  readonly #verdicts = new Map<string, boolean>();

  constructor(process: EnvoyProcess, source: SourceKind, module: WebAssembly.Module, workers: number) {
    this.#process = process;
    this.#source = source.module;
    this.kind = { vmId: source.vmId, module, configuration: source.configuration, environment: source.environment };
    this.#threads = new Array<Vm | null>(workers + 1).fill(null);
  }

  serves(kind: SourceKind, workers: number): boolean {
    return (
      kind.vmId === this.kind.vmId &&
      kind.configuration.equals(this.kind.configuration) &&
      isDeepStrictEqual(kind.environment, this.kind.environment) &&
      workers + 1 === this.#threads.length &&
      sameModule(kind.module, this.#source)
    );
  }

  vms(): Vm[] {
    return this.#threads.filter((vm) => vm !== null && !vm.failed) as Vm[];
  }

  /** A thread's VM; a new one where it has none or lost it to a trap. */
  vm(thread: number): Vm {
    let vm = this.#threads[thread] ?? null;
    if (vm === null || vm.failed) {
      vm = new Vm(this.#process, this.kind);
      this.#threads[thread] = vm;
    }
    return vm;
  }

  /** Whether a fresh VM accepts the configuration. */
  judge(plugin: PluginIdentity, configuration: Buffer, key: string): boolean {
    let verdict = this.#verdicts.get(key);
    if (verdict === undefined) {
      verdict = new Vm(this.#process, this.kind).createRoot(plugin, configuration, key) !== null;
      this.#verdicts.set(key, verdict);
    }
    return verdict;
  }
}

interface SourceKind {
  vmId: string;
  module: ModuleSource;
  configuration: Buffer;
  environment: Readonly<Record<string, string>>;
}

function sameModule(a: ModuleSource, b: ModuleSource): boolean {
  return a === b || (a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0);
}

/** A thread's hold on the plugin. */
interface Handle {
  /** Null where the module refused the configuration on this thread, or trapped. */
  root: RootContext | null;
  /** The VM the root is in, also after it failed. */
  vm: Vm | null;
  /** Epoch milliseconds of the last load or attempt. */
  loaded: number;
}

interface LiveConfiguration {
  bytes: Buffer;
  key: string;
}

export class Plugin {
  readonly process: EnvoyProcess;
  readonly identity: PluginIdentity;
  readonly workers: number;
  /** VMs made anew after a trap, and streams that came too early for it. */
  reloads = 0;
  reloadBackoffs = 0;
  readonly #group: VmGroup;
  readonly #options: PluginOptions;
  readonly #settings: StreamSettings;
  readonly #handles: Handle[];
  #live: LiveConfiguration | null = null;

  constructor(process: EnvoyProcess, group: VmGroup, options: PluginOptions) {
    this.process = process;
    this.#group = group;
    this.#options = options;
    this.workers = options.workers ?? 1;
    this.identity = {
      name: options.name,
      rootId: options.rootId ?? "",
      vmId: options.vmId ?? "",
      node: options.node ?? {},
      properties: options.properties ?? {},
    };
    this.#settings = {
      holdHeaders: options.holdHeaders ?? true,
      bufferLimit: options.bufferLimit ?? MIB,
      failOpen: options.failurePolicy === "open",
      keepBodies: options.keepBodies ?? true,
    };
    this.#handles = Array.from({ length: this.workers + 1 }, () => ({ root: null, vm: null, loaded: 0 }));
  }

  /**
   * Pushes a configuration. `accepted`: the canary took it; `live`: a configuration is in force afterwards, this one or, where
   * it was refused, the one before. A worker that then disagrees with the canary answers 500.
   */
  configure(text: string | Uint8Array): { accepted: boolean; live: boolean } {
    const bytes = Buffer.from(text as string);
    const { name, rootId } = this.identity;
    const key = createHash("sha256").update(`${name}\0${rootId}\0`).update(bytes).digest("base64");
    if (!this.#group.judge(this.identity, bytes, key)) return { accepted: false, live: this.#live !== null };
    this.#live = { bytes, key };
    this.#handles.forEach((handle, thread) => {
      const before = handle.root;
      this.#load(handle, thread, this.#live!);
      before?.release();
    });
    return { accepted: true, live: true };
  }

  /** Opens a stream on a worker; nothing has been sent yet. */
  openStream(init: StreamInit & { worker?: number }): Stream {
    const worker = init.worker ?? 0;
    const handle = this.#handles[worker];
    if (handle === undefined || worker >= this.workers) throw new HostError(`there is no worker ${worker}`);
    if (handle.vm?.failed && this.#options.failurePolicy !== "open") this.#reload(handle, worker);
    return new Stream(handle.root, this.#settings, init, this.process.clock.now);
  }

  /** One whole exchange, from the first byte to the end. */
  exchange(request: RequestInit, options: ExchangeOptions = {}): Exchange {
    return exchange(this, request, options);
  }

  #reload(handle: Handle, worker: number): void {
    if (this.#live === null || (this.#options.failurePolicy ?? "reload") !== "reload") return;
    if (this.process.clock.now - handle.loaded < (this.#options.reloadBackoff ?? 1000)) {
      this.reloadBackoffs += 1;
      return;
    }
    const before = handle.root;
    this.#load(handle, worker, this.#live);
    before?.release();
    if (handle.root !== null) this.reloads += 1;
  }

  #load(handle: Handle, thread: number, { bytes, key }: LiveConfiguration): void {
    const vm = this.#group.vm(thread);
    const root = vm.roots.get(key) ?? vm.createRoot(this.identity, bytes, key);
    if (root !== null) root.references += 1;
    handle.root = root;
    handle.vm = vm;
    handle.loaded = this.process.clock.now;
  }
}
