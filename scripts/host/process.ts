// An Envoy process: what its plugins and VMs share, and its time.

import { STATUS, type LogLevel } from "./abi.ts";
import type { HttpCall } from "./http-call.ts";
import { Clock } from "./clock.ts";
import { HostError } from "./errors.ts";
import { MetricStore, type MetricValue } from "./metrics.ts";
import { loadModule } from "./module.ts";
import { Plugin, VmGroup, type PluginOptions } from "./plugin.ts";
import { randomSource, type RandomSource } from "./random.ts";
import { SharedData, SharedQueues } from "./shared.ts";
import type { Context, Vm } from "./vm.ts";

export interface ProcessOptions {
  /** Default "virtual": time stands still until `advance`. */
  clock?: "virtual" | "real";
  /** Where a virtual clock begins, epoch milliseconds. */
  time?: number;
  /** Makes `random_get` repeatable. */
  seed?: number;
  /** Default true: a mistake of the module throws HostError; false: it gets the status that Envoy would give. */
  strict?: boolean;
  /** Each line of the module; nothing is kept. */
  log?: (level: LogLevel, message: string) => void;
  /** Each host call as it is made, by its name: what a request costs is counted with it. */
  hostCall?: (name: string) => void;
  /**
   * HTTP calls of the module: takes one to answer it then or later, or says that there is no such cluster, or that the cluster has
   * no host, of which the module is told at once. Without it there is no cluster.
   */
  httpCall?: (call: HttpCall) => void | "no cluster" | "no host";
}

/** Epoch milliseconds at which a virtual clock starts where nothing else is said. */
const START = Date.UTC(2026, 0, 1);

/** What a VM needs of its process. */
export interface Host {
  readonly strict: boolean;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly sharedData: SharedData;
  readonly queues: SharedQueues;
  readonly metricStore: MetricStore;
  readonly hostCall: ((name: string) => void) | undefined;
  logged(level: LogLevel, message: string, context: Context): void;
  trapped(vm: Vm, error: Error): void;
  /** Takes a call of the module; the status that it gets. */
  made(call: HttpCall): number;
}

export interface LogLine {
  level: LogLevel;
  message: string;
}

export class EnvoyProcess implements Host {
  readonly strict: boolean;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly sharedData = new SharedData();
  readonly queues = new SharedQueues();
  readonly metricStore = new MetricStore();
  readonly hostCall: ((name: string) => void) | undefined;
  /** VMs that trapped, and what they said last. */
  traps = 0;
  lastTrap: Error | null = null;
  readonly #options: ProcessOptions;
  readonly #groups: VmGroup[] = [];
  /** Calls that may run out of time, with when, epoch milliseconds. */
  readonly #calls = new Map<HttpCall, number>();
  #recorded: LogLine[] | null = null;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.strict = options.strict ?? true;
    this.hostCall = options.hostCall;
    this.clock = new Clock(options.clock !== "real", options.time ?? START);
    this.random = randomSource(options.seed);
  }

  /** Loads a module and prepares a plugin; it serves once `configure` has been accepted. Throws HostError for a bad module. */
  async addPlugin(options: PluginOptions): Promise<Plugin> {
    const module = await loadModule(options.module);
    const kind = {
      vmId: options.vmId ?? "",
      module: options.module,
      configuration: Buffer.from(options.vmConfiguration ?? ""),
      environment: options.environment ?? {},
    };
    let group = this.#groups.find((known) => known.serves(kind, options.workers ?? 1));
    if (group === undefined) {
      group = new VmGroup(this, kind, module, options.workers ?? 1);
      this.#groups.push(group);
    }
    return new Plugin(this, group, options);
  }

  /** Custom metrics by `wasmcustom.NAME`. */
  metrics(): Map<string, MetricValue> {
    return this.metricStore.values();
  }

  /** Moves a virtual clock on by `milliseconds`, running every tick on the way at its time. */
  advance(milliseconds: number): void {
    const end = this.clock.now + milliseconds;
    for (;;) {
      this.#forgetCalls();
      const next = Math.min(...this.#vms().map((vm) => vm.nextTick), ...this.#calls.values());
      if (next > end) break;
      this.#moveTo(next);
      this.#tick();
    }
    this.#moveTo(end);
  }

  /** Moves a virtual clock to a time, epoch milliseconds, running each timer that became due once, as after a long sleep. */
  advanceTo(time: number): void {
    this.#moveTo(time);
    this.#tick();
  }

  /** Runs the ticks that are due: a real clock's owner calls it from time to time. */
  runTimers(): void {
    this.#tick();
  }

  /** Every VM that is in use, the main thread's included. */
  vms(): readonly Vm[] {
    return this.#vms();
  }

  /** Runs `work` and returns what the module logged meanwhile. */
  recording<T>(work: () => T): [result: T, logs: LogLine[]] {
    const outer = this.#recorded;
    const lines: LogLine[] = [];
    this.#recorded = lines;
    try {
      return [work(), lines];
    } finally {
      this.#recorded = outer;
    }
  }

  logged(level: LogLevel, message: string): void {
    this.#recorded?.push({ level, message });
    this.#options.log?.(level, message);
  }

  trapped(_vm: Vm, error: Error): void {
    this.traps += 1;
    this.lastTrap = error;
    this.#options.log?.("error", `the VM failed: ${error.message}`);
  }

  made(call: HttpCall): number {
    if (this.#options.httpCall === undefined) return STATUS.badArgument;
    const taken = this.#options.httpCall(call);
    if (taken === "no cluster") return STATUS.badArgument;
    if (taken === "no host") return STATUS.internalFailure;
    if (call.timeout !== 0) this.#calls.set(call, this.clock.now + call.timeout);
    return STATUS.ok;
  }

  #moveTo(time: number): void {
    if (!this.clock.virtual) throw new HostError("a real clock cannot be moved");
    this.clock.moveTo(time);
  }

  #tick(): void {
    this.#forgetCalls();
    for (const [call, due] of this.#calls) if (due <= this.clock.now) call.timeOut();
    for (const vm of this.#vms()) vm.tick();
  }

  #forgetCalls(): void {
    for (const call of this.#calls.keys()) if (call.over) this.#calls.delete(call);
  }

  #vms(): Vm[] {
    return this.#groups.flatMap((group) => group.vms());
  }
}

/** Starts a process without plugins. */
export function createEnvoyProcess(options: ProcessOptions = {}): EnvoyProcess {
  return new EnvoyProcess(options);
}
