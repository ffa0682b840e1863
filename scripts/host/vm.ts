// One VM: an instance of the module, as each worker thread of Envoy has its own. It runs callbacks one at a time, does what they
// asked for after they returned (local replies, continued and closed streams), and stops for good when one of them traps.

import { HostError } from "./errors.ts";
import type { HttpCall, HttpCallResponse } from "./http-call.ts";
import type { HeaderMap } from "./headers.ts";
import { createImports } from "./imports.ts";
import { GuestMemory } from "./memory.ts";
import { MetricIds } from "./metrics.ts";
import type { Host } from "./process.ts";
import { RootContext, type PluginIdentity } from "./root.ts";
import type { Stream } from "./stream.ts";

export type Context = RootContext | Stream;

type GuestFunction = (a?: number, b?: number, c?: number, d?: number, e?: number) => number | undefined;

/** The module's callbacks that the host calls; an absent one counts as Continue. */
export interface GuestExports {
  readonly memory: WebAssembly.Memory;
  readonly _initialize?: GuestFunction;
  readonly malloc?: GuestFunction;
  readonly proxy_on_memory_allocate?: GuestFunction;
  readonly proxy_on_context_create?: GuestFunction;
  readonly proxy_on_vm_start?: GuestFunction;
  readonly proxy_on_configure?: GuestFunction;
  readonly proxy_on_tick?: GuestFunction;
  readonly proxy_on_request_headers?: GuestFunction;
  readonly proxy_on_request_body?: GuestFunction;
  readonly proxy_on_request_trailers?: GuestFunction;
  readonly proxy_on_response_headers?: GuestFunction;
  readonly proxy_on_response_body?: GuestFunction;
  readonly proxy_on_response_trailers?: GuestFunction;
  readonly proxy_on_http_call_response?: GuestFunction;
  readonly proxy_on_queue_ready?: GuestFunction;
  readonly proxy_on_done?: GuestFunction;
  readonly proxy_on_log?: GuestFunction;
  readonly proxy_on_delete?: GuestFunction;
}

/** What VMs of one kind have in common. */
export interface VmKind {
  readonly vmId: string;
  readonly module: WebAssembly.Module;
  /** VM configuration, given to `proxy_on_vm_start`. */
  readonly configuration: Buffer;
  /** What its environment says, by name. */
  readonly environment: Readonly<Record<string, string>>;
}

interface Timer {
  /** Milliseconds; 0 is off. */
  period: number;
  /** Epoch milliseconds of the next tick. */
  due: number;
}

/** What the module reads while `proxy_on_http_call_response` runs. */
export interface CallResult {
  headers: HeaderMap | null;
  body: Buffer;
  trailers: HeaderMap | null;
  status: number;
  message: string;
}

export class Vm {
  readonly host: Host;
  readonly kind: VmKind;
  readonly exports: GuestExports;
  readonly memory: GuestMemory;
  readonly metrics = new MetricIds();
  readonly contexts = new Map<number, Context>();
  readonly roots = new Map<string, RootContext>();
  /** The trap that ended this VM. */
  failure: Error | null = null;
  /** A local response was asked for: whatever the running callback returns, iteration stops. */
  stopIteration = false;
  callResult: CallResult | null = null;
  #current: Context | null = null;
  #effective: Context | null = null;
  #lastContextId = 0;
  #lastCallToken = 0;
  readonly #timers = new Map<RootContext, Timer>();
  readonly #actions: (() => void)[] = [];
  readonly #allocate: GuestFunction;

  /** Instantiates; throws HostError where the module traps before it has started. */
  constructor(host: Host, kind: VmKind) {
    this.host = host;
    this.kind = kind;
    try {
      this.exports = new WebAssembly.Instance(kind.module, createImports(this)).exports as unknown as GuestExports;
      this.memory = new GuestMemory(this.exports.memory);
      this.#allocate = (this.exports.malloc ?? this.exports.proxy_on_memory_allocate)!;
      this.exports._initialize?.();
    } catch (cause) {
      if (!isTrap(cause)) throw cause;
      throw new HostError(`the module trapped before it started: ${cause.message}`, { cause });
    }
  }

  get failed(): boolean {
    return this.failure !== null;
  }

  nextContextId(): number {
    return ++this.#lastContextId;
  }

  /** Tokens of calls go up by four: their lower bits say of which kind a call is. */
  nextCallToken(): number {
    return (this.#lastCallToken += 4);
  }

  /** The context that a host call is for: the effective one, else the one whose callback runs. */
  context(call: string): Context {
    const context = this.#effective ?? this.#current;
    if (context === null) throw new HostError(`${call} was called outside of any callback`);
    if (context !== this.#current && !this.contexts.has(context.id)) return this.#current!;
    return context;
  }

  setEffective(context: Context): void {
    this.#effective = context;
  }

  /** Throws in strict mode, else returns the status with which Envoy answers a wrong call. */
  refuse(status: number, message: string): number {
    if (this.host.strict) throw new HostError(message);
    return status;
  }

  /**
   * Runs one callback for a context and then what it asked for, `after` the caller has seen the result where it must (see
   * `settle`). A trap fails the VM and gives 0. Host errors pass through; the VM is not used again then either.
   */
  call(context: Context, callback: GuestFunction, a: number, b = 0, c = 0, d = 0, e = 0): number {
    if (this.#current !== null) throw new HostError("the host was driven from within a callback");
    this.#current = context;
    this.#effective = null;
    try {
      return callback(a, b, c, d, e) ?? 0;
    } catch (error) {
      this.failure = error as Error;
      this.#timers.clear();
      if (!isTrap(error)) throw error;
      this.host.trapped(this, error);
      return 0;
    } finally {
      this.#current = null;
      this.#effective = null;
    }
  }

  /** Ends a callback: lifts the stop and does, in order, what was asked for while it ran. */
  settle(): void {
    this.stopIteration = false;
    for (let action = this.#actions.shift(); action !== undefined; action = this.#actions.shift()) action();
  }

  defer(action: () => void): void {
    this.#actions.push(action);
  }

  /** Whether a callback runs now. */
  get running(): boolean {
    return this.#current !== null;
  }

  /** Asks the module for `size` bytes; the address lies in memory with its whole run, or is 0 where the module has no room. */
  allocate(size: number): number {
    const at = (this.#allocate(size) ?? 0) >>> 0;
    if (at !== 0 && !this.memory.holds(at, size)) {
      throw new HostError(
        `proxy_on_memory_allocate(${size}) gave ${at}, which memory of ${this.memory.size} bytes does not hold`,
      );
    }
    return at;
  }

  /** Starts and configures a new root context; null where the module refused or trapped. */
  createRoot(plugin: PluginIdentity, configuration: Buffer, key: string): RootContext | null {
    const root = new RootContext(this, plugin, configuration, key);
    const { proxy_on_context_create, proxy_on_vm_start, proxy_on_configure } = this.exports;
    this.contexts.set(root.id, root);
    this.roots.set(key, root);
    let accepted = 1;
    if (proxy_on_context_create) this.#run(root, proxy_on_context_create, root.id, 0);
    if (proxy_on_vm_start) accepted = this.#run(root, proxy_on_vm_start, root.id, this.kind.configuration.length);
    if (accepted !== 0 && proxy_on_configure) {
      root.configuring = true;
      accepted = this.#run(root, proxy_on_configure, root.id, configuration.length);
      root.configuring = false;
    }
    return this.failed || accepted === 0 ? null : root;
  }

  /** Ends a root context that nothing refers to any more. */
  shutDown(root: RootContext): void {
    if (this.roots.get(root.key) === root) this.roots.delete(root.key);
    const { proxy_on_done } = this.exports;
    if (!this.failed && proxy_on_done !== undefined) {
      // Before the answers to calls that it made, which come later in Envoy.
      root.closing = this.call(root, proxy_on_done, root.id) === 0 && !this.failed;
      this.settle();
      if (root.closing || !this.contexts.has(root.id)) return;
    }
    this.delete(root);
  }

  delete(root: RootContext): void {
    if (this.exports.proxy_on_delete) this.#run(root, this.exports.proxy_on_delete, root.id);
    this.contexts.delete(root.id);
    this.#timers.delete(root);
  }

  setTimer(root: RootContext, period: number): void {
    if (period === 0) this.#timers.delete(root);
    else this.#timers.set(root, { period, due: this.host.clock.now + period });
  }

  /** Epoch milliseconds of the next tick, or Infinity. */
  get nextTick(): number {
    let next = Infinity;
    for (const { due } of this.#timers.values()) if (due < next) next = due;
    return next;
  }

  /** Runs each tick that is due by the clock, once. */
  tick(): void {
    const now = this.host.clock.now;
    for (const [root, timer] of [...this.#timers]) {
      if (timer.due > now || this.#timers.get(root) !== timer) continue;
      if (this.exports.proxy_on_tick) this.#run(root, this.exports.proxy_on_tick, root.id);
      timer.due = this.host.clock.now + timer.period;
    }
  }

  queueReady(root: RootContext, token: number): void {
    const { proxy_on_queue_ready } = this.exports;
    if (proxy_on_queue_ready && this.contexts.has(root.id)) this.#run(root, proxy_on_queue_ready, root.id, token);
  }

  /** Brings the answer to an HTTP call, or its failure, to the root context that made it. */
  answer(
    call: HttpCall,
    response: HttpCallResponse | null,
    headers: HeaderMap | null,
    trailers: HeaderMap | null,
  ): void {
    const { proxy_on_http_call_response } = this.exports;
    if (!proxy_on_http_call_response || this.failed || !this.contexts.has(call.root.id)) return;
    const body = Buffer.from(response?.body ?? "");
    this.callResult = { headers, body, trailers, status: response ? 0 : 12, message: response ? "" : "reset" };
    this.#run(
      call.root,
      proxy_on_http_call_response,
      call.root.id,
      call.token,
      headers?.size ?? 0,
      body.length,
      trailers?.size ?? 0,
    );
    this.callResult = null;
  }

  #run(context: Context, callback: GuestFunction, a: number, b = 0, c = 0, d = 0, e = 0): number {
    if (this.failed) return 0;
    const result = this.call(context, callback, a, b, c, d, e);
    this.settle();
    return result;
  }
}

/** What V8 throws for a trap: a RuntimeError, or a RangeError where the stack ran out. */
function isTrap(error: unknown): error is Error {
  if (error instanceof WebAssembly.RuntimeError) return true;
  return error instanceof RangeError && error.message.includes("call stack");
}
