// One HTTP stream through the filter: Envoy's filter manager (filter_manager.cc) with this one filter and a router behind it.
//
//   client ──sendHeaders/Body/Trailers──► request half ──► upstream      (request.out: what the upstream has received)
//   client ◄── response half (response.out: what the client has received) ◄──respond── upstream
//
// A direction that the module pauses holds its data; `resume` lets it go on. A local reply ends the request half and comes back
// through the response half, unless the upstream's response has begun: then it goes to the client past the filter.

import { DATA, HEADERS, TRAILERS } from "./abi.ts";
import { HostError } from "./errors.ts";
import { HeaderMap, type Header } from "./headers.ts";
import { Half, PAUSE } from "./half.ts";
import { localMessage, ownReply, type LocalReply } from "./local.ts";
import type { PropertyTree } from "./property.ts";
import { requestHeaders, type RequestInit } from "./request.ts";
import type { RootContext } from "./root.ts";
import type { Vm } from "./vm.ts";

/**
 * How a stream ended, or stands: `upstream` the whole request reached the upstream (and the whole response, where there was one,
 * the client); `local` a local reply; `reset`; `failed` the VM had trapped or there is no working plugin; `hung` somebody waits.
 */
export type Outcome = "upstream" | "local" | "reset" | "failed" | "hung";

/** What a stream needs to know of its plugin. */
export interface StreamSettings {
  /** `allow_on_headers_stop_iteration`. */
  readonly holdHeaders: boolean;
  /** Bytes of a body that may be held (`per_connection_buffer_limit_bytes`). */
  readonly bufferLimit: number;
  /** The filter is passed by once its VM has failed. */
  readonly failOpen: boolean;
  /** Keep bodies, not only count them. */
  readonly keepBodies: boolean;
}

export interface StreamInit {
  request: RequestInit;
  /** Peer address with port, e.g. "10.0.0.1:4321". */
  source?: string;
  destination?: string;
  /** Properties that the host does not compute: connection, xds, metadata, upstream, … */
  properties?: PropertyTree;
}

export interface ResponseInit {
  status?: number;
  headers?: readonly Header[];
  body?: string | Uint8Array;
  trailers?: readonly Header[];
}

const EMPTY = new Uint8Array(0);

export class Stream {
  readonly stream = this;
  readonly root: RootContext;
  readonly id: number;
  readonly request: Half;
  readonly response: Half;
  readonly source: string;
  readonly destination: string;
  readonly properties: PropertyTree;
  readonly protocol: string;
  /** Epoch milliseconds. */
  readonly startTime: number;
  /** Filter state by its full key, `wasm.` in front of what the module wrote. */
  readonly filterState = new Map<string, Buffer>();
  /** `response.code` and `response.code_details`. */
  code: number | null = null;
  details: string | null = null;
  /** The local reply that was sent. */
  local: LocalReply | null = null;
  /** The module has asked for a local reply. */
  replying = false;
  /** `proxy_on_log` runs. */
  logging = false;
  /** The stream is over and the module has been told. */
  finished = false;
  /** The upstream's stream was reset after it had begun. */
  upstreamReset = false;
  #wasReset = false;
  #failed = false;
  #created = false;
  readonly #vm: Vm | null;
  readonly #settings: StreamSettings;

  /** `root`: null where no working plugin could be made, then every request gets a 500. */
  constructor(root: RootContext | null, settings: StreamSettings, init: StreamInit, now: number) {
    this.#vm = root?.vm ?? null;
    this.root = root as RootContext;
    this.#settings = settings;
    this.id = this.#vm?.nextContextId() ?? 0;
    this.request = new Half(true, settings.keepBodies);
    this.response = new Half(false, settings.keepBodies);
    this.source = init.source ?? "127.0.0.1:50000";
    this.destination = init.destination ?? "127.0.0.1:80";
    this.properties = init.properties ?? {};
    this.protocol = init.request.protocol ?? "HTTP/1.1";
    this.startTime = now;
    this.request.headers = requestHeaders(init.request);
    if (root !== null) {
      root.references += 1;
      root.vm.contexts.set(this.id, this);
    }
  }

  /** How it stands now. */
  get outcome(): Outcome {
    if (this.#failed) return "failed";
    if (this.#wasReset) return "reset";
    if (this.local !== null) return this.response.out.ended ? "local" : "hung";
    if (!this.request.out.ended) return "hung";
    return this.response.headers === null || this.response.out.ended ? "upstream" : "hung";
  }

  // What the client sends.

  sendHeaders(endOfStream: boolean): void {
    if (this.request.started) throw new HostError("the request's headers were sent already");
    this.#takeHeaders(this.request, this.request.headers!, endOfStream);
  }

  sendBody(data: string | Uint8Array, endOfStream: boolean): void {
    this.#takeData(this.request, bytesOf(data), endOfStream);
  }

  sendTrailers(trailers: readonly Header[]): void {
    this.#takeTrailers(this.request, HeaderMap.from(trailers));
  }

  /** The client goes away, or the connection breaks. */
  reset(): void {
    if (this.finished) return;
    this.#wasReset = !this.response.out.ended;
    if (this.#wasReset) this.details = "downstream_remote_disconnect";
    this.#finish();
  }

  /** Ends a stream that nobody will add to, without counting it as reset: its outcome is what it is now. */
  end(): void {
    this.#finish();
  }

  // What the upstream sends.

  /** A whole response, in one piece of body. Ignored where the stream is over or the upstream has not seen the request. */
  respond(response: ResponseInit): void {
    const body = bytesOf(response.body ?? EMPTY);
    const trailers = response.trailers;
    this.respondHeaders(response, body.length === 0 && trailers === undefined);
    if (body.length > 0) this.respondBody(body, trailers === undefined);
    if (trailers !== undefined) this.respondTrailers(trailers);
  }

  respondHeaders({ status = 200, headers = [] }: ResponseInit, endOfStream: boolean): void {
    if (this.finished || this.local !== null || !this.request.headersPassed) return;
    this.code = status;
    this.details = "via_upstream";
    const map = new HeaderMap();
    map.add(":status", String(status));
    for (const [name, value] of headers) map.add(name, value);
    this.#takeHeaders(this.response, map, endOfStream);
  }

  respondBody(data: string | Uint8Array, endOfStream: boolean): void {
    if (this.details === "via_upstream") this.#takeData(this.response, bytesOf(data), endOfStream);
  }

  respondTrailers(trailers: readonly Header[]): void {
    if (this.details === "via_upstream") this.#takeTrailers(this.response, HeaderMap.from(trailers));
  }

  // What the module can read, and what it asked for.

  get readableRequestHeaders(): HeaderMap | null {
    return this.logging || this.request.headersReadable ? this.request.headers : null;
  }

  get readableResponseHeaders(): HeaderMap | null {
    if (this.logging) return this.response.out.headers;
    return this.response.headersReadable ? this.response.headers : null;
  }

  get readableResponseTrailers(): HeaderMap | null {
    return this.logging ? this.response.out.trailers : this.response.readableTrailers;
  }

  /** `proxy_continue_stream`, of either direction, takes the request out of the module's sight. */
  forgetRequest(): void {
    this.request.headersReadable = false;
    this.request.trailersReadable = false;
    if (!this.request.buffering) this.request.chunk = null;
  }

  /** Lets a paused direction go on: headers, what is held, trailers. */
  resume(half: Half): void {
    if (this.#over(half) || half.pause === PAUSE.none) return;
    const stoppedAll = half.stoppedAll;
    half.pause = PAUSE.none;
    if (!half.headersPassed) half.out.headers = half.headers;
    if (stoppedAll && half.received + half.held.length > 0) {
      // Data that came while everything stood still is new to the module.
      const data = half.release();
      this.#data(half, data, half.complete && half.trailers === null);
      if (half.trailers !== null && !this.#over(half)) this.#trailers(half);
      return;
    }
    this.#pass(half, half.release());
    this.#passTrailers(half);
  }

  /** Resets both sides. */
  close(details: string): void {
    if (this.finished) return;
    this.details ??= details;
    this.#wasReset = true;
    this.#finish();
  }

  /** Answers in the upstream's place. */
  sendLocal(reply: LocalReply): void {
    if (this.finished) return;
    if (this.response.headersPassed) {
      this.details = reply.details;
      return this.close(reply.details);
    }
    const upstreamAnswered = this.response.headers !== null;
    this.local = reply;
    this.code = reply.status;
    this.details = reply.details;
    this.request.aborted = true;
    this.request.held.clear();
    this.upstreamReset = this.request.headersPassed && !this.response.complete;
    const { headers, body } = localMessage(reply, this.request.headers);
    if (upstreamAnswered) {
      // Past the filter, which has seen the upstream's response already.
      const { out } = this.response;
      this.response.aborted = true;
      out.headers = headers;
      out.take(body);
      out.ended = true;
      return this.#finish();
    }
    this.#takeHeaders(this.response, headers, body.length === 0);
    if (body.length > 0) this.#takeData(this.response, body, true);
  }

  // The filter manager.

  #takeHeaders(half: Half, headers: HeaderMap, end: boolean): void {
    if (this.finished || half.aborted) return;
    half.headers = headers;
    half.started = true;
    half.complete = end;
    half.headersReadable = true;
    const status = this.#headersCallback(half, headers.size, end);
    if (this.#over(half)) return;
    if (status === HEADERS.continue) {
      half.headersReadable = false;
      half.out.headers = half.headers;
      if (end) this.#passEnd(half);
    } else if (status === HEADERS.stop) half.pause = PAUSE.one;
    else half.pause = status === HEADERS.stopAllAndBuffer ? PAUSE.allAndBuffer : PAUSE.allAndWatermark;
  }

  #takeData(half: Half, data: Uint8Array, end: boolean): void {
    if (this.#over(half)) return;
    if (!half.started || half.complete) throw new HostError("body data out of order");
    half.complete = end;
    half.received += data.length;
    if (!half.stoppedAll) return this.#data(half, data, end);
    half.held.append(data);
    if (half.pause === PAUSE.allAndBuffer) this.#checkLimit(half);
  }

  #data(half: Half, data: Uint8Array, end: boolean): void {
    if (half.buffering) {
      half.held.append(data);
      // Envoy makes a 413 of it once the module has seen it, but a 500 at once.
      if (!half.isRequest && !this.#checkLimit(half)) return;
    } else half.chunk = data;
    const status = this.#bodyCallback(half, half.readableBody!.length, end);
    if (this.#over(half) || (half.buffering && !this.#checkLimit(half))) return;
    const { chunk, buffering } = half;
    half.buffering = false;
    const own = buffering ? EMPTY : (chunk ?? EMPTY);
    switch (status) {
      case DATA.stopAndBuffer:
        half.buffering = true;
        half.chunk = null;
        half.pause = PAUSE.one;
        half.held.append(own);
        this.#checkLimit(half);
        return;
      case DATA.stopAndWatermark:
        half.pause = PAUSE.one;
        half.held.append(own);
        return;
      case DATA.stopNoBuffer:
        half.pause = PAUSE.one;
        return;
    }
    half.chunk = null;
    if (half.pause === PAUSE.one) {
      half.held.append(own);
      this.resume(half);
    } else this.#pass(half, buffering ? half.release() : own);
  }

  #takeTrailers(half: Half, trailers: HeaderMap): void {
    if (this.#over(half)) return;
    if (!half.started || half.complete) throw new HostError("trailers out of order");
    half.complete = true;
    half.trailers = trailers;
    if (!half.stoppedAll) this.#trailers(half);
  }

  #trailers(half: Half): void {
    half.trailersReadable = true;
    const status = this.#trailersCallback(half, half.trailers!.size);
    if (this.#over(half)) return;
    if (status !== TRAILERS.continue) {
      if (half.pause === PAUSE.none) half.pause = PAUSE.one;
      return;
    }
    half.trailersReadable = false;
    if (half.pause === PAUSE.none) this.#passTrailers(half);
    else this.resume(half);
  }

  /** False where more is held than the limit allows; then a local reply has been made of it. */
  #checkLimit(half: Half): boolean {
    if (half.held.length <= this.#settings.bufferLimit) return true;
    this.sendLocal(
      half.isRequest
        ? ownReply(413, "request_payload_too_large", "Payload Too Large")
        : ownReply(500, "response_payload_too_large", "Internal Server Error"),
    );
    return false;
  }

  #pass(half: Half, data: Uint8Array): void {
    if (data.length > 0) half.out.take(data);
    if (half.complete && half.trailers === null) this.#passEnd(half);
  }

  #passTrailers(half: Half): void {
    if (half.trailers === null) return;
    half.out.trailers = half.trailers;
    this.#passEnd(half);
  }

  #passEnd(half: Half): void {
    half.out.ended = true;
    if (!half.isRequest) this.#finish();
  }

  #over(half: Half): boolean {
    return this.finished || half.aborted;
  }

  // Callbacks. A status that the ABI does not know stops everything in Envoy; in strict mode it is an error.

  #headersCallback(half: Half, count: number, end: boolean): number {
    const vm = this.#enter();
    if (vm === null) return HEADERS.continue;
    if (vm.failed) return this.#fail(HEADERS.stopAllAndWatermark);
    if (!this.#created) {
      this.#created = true;
      const { proxy_on_context_create } = vm.exports;
      if (proxy_on_context_create) {
        vm.call(this, proxy_on_context_create, this.id, this.root.id);
        vm.settle();
      }
      if (vm.failed) return this.#fail(HEADERS.stopAllAndWatermark);
    }
    const callback = half.isRequest ? vm.exports.proxy_on_request_headers : vm.exports.proxy_on_response_headers;
    if (callback === undefined) return HEADERS.continue;
    let status = vm.call(this, callback, this.id, count, end ? 1 : 0);
    if (vm.failed) return this.#fail(HEADERS.stopAllAndWatermark);
    if (status < 0 || status === 2 || status > HEADERS.stopAllAndWatermark) {
      vm.refuse(0, `a headers callback returned ${status}, which is no action`);
      status = status === 2 ? HEADERS.continue : HEADERS.stopAllAndWatermark;
    }
    if (vm.stopIteration) status = HEADERS.stopAllAndWatermark;
    else if (status === HEADERS.stop && !this.#settings.holdHeaders) status = HEADERS.stopAllAndWatermark;
    vm.settle();
    return status;
  }

  #bodyCallback(half: Half, size: number, end: boolean): number {
    const vm = this.#enter();
    if (vm === null) return DATA.continue;
    if (vm.failed) return this.#fail(DATA.stopNoBuffer);
    const callback = half.isRequest ? vm.exports.proxy_on_request_body : vm.exports.proxy_on_response_body;
    if (callback === undefined) return DATA.continue;
    let status = vm.call(this, callback, this.id, size, end ? 1 : 0);
    if (vm.failed) return this.#fail(DATA.stopNoBuffer);
    if (status < 0 || status > DATA.stopNoBuffer) {
      vm.refuse(0, `a body callback returned ${status}, which is no action`);
      status = DATA.stopNoBuffer;
    }
    if (vm.stopIteration) status = DATA.stopNoBuffer;
    vm.settle();
    return status;
  }

  #trailersCallback(half: Half, count: number): number {
    const vm = this.#enter();
    if (vm === null) return TRAILERS.continue;
    if (vm.failed) return this.#fail(TRAILERS.stop);
    const callback = half.isRequest ? vm.exports.proxy_on_request_trailers : vm.exports.proxy_on_response_trailers;
    if (callback === undefined) return TRAILERS.continue;
    let status = vm.call(this, callback, this.id, count);
    if (vm.failed) return this.#fail(TRAILERS.stop);
    if (status < 0 || status > TRAILERS.stop) {
      vm.refuse(0, `a trailers callback returned ${status}, which is no action`);
      status = TRAILERS.stop;
    }
    if (vm.stopIteration) status = TRAILERS.stop;
    vm.settle();
    return status;
  }

  /** The VM to call, or null where the filter is passed by: its failure was answered, or it fails open. */
  #enter(): Vm | null {
    if (this.#failed) return null;
    if (this.#vm === null) {
      this.#failed = true;
      this.sendLocal(ownReply(500, "filter_chain_not_available", ""));
      return null;
    }
    return this.#vm.failed && this.#settings.failOpen ? null : this.#vm;
  }

  /** Answers 503 in a failed VM's place, once; `stopped` where the filter fails closed, else 0, Continue. */
  #fail(stopped: number): number {
    this.#vm!.settle();
    if (this.#settings.failOpen) return 0;
    this.#failed = true;
    this.sendLocal(ownReply(503, "wasm_fail_stream", ""));
    return stopped;
  }

  #finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.request.aborted = true;
    this.response.aborted = true;
    const vm = this.#vm;
    if (vm === null) return;
    const { proxy_on_log, proxy_on_done, proxy_on_delete } = vm.exports;
    if (this.#created) {
      this.logging = true;
      if (proxy_on_log) this.#tell(vm, proxy_on_log);
      this.logging = false;
      if (proxy_on_done) this.#tell(vm, proxy_on_done);
      if (proxy_on_delete) this.#tell(vm, proxy_on_delete);
    }
    vm.contexts.delete(this.id);
    this.root.release();
  }

  #tell(vm: Vm, callback: NonNullable<Vm["exports"]["proxy_on_log"]>): void {
    if (vm.failed) return;
    vm.call(this, callback, this.id);
    vm.settle();
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? Buffer.from(data, "utf8") : data;
}
