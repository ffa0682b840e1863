// The host calls. Each checks its pointers and its phase; a mistake of the module goes to `vm.refuse`, which throws HostError in
// strict mode and else answers with Envoy's status. A status that depends on data (not found, empty, cas mismatch) is returned.

import { BUFFER, BUFFER_NAMES, LOG_LEVELS, MAP, MAP_NAMES, METRIC, STATUS, STREAM } from "./abi.ts";
import { HttpCall } from "./call.ts";
import { HeaderMap, pairsSize, readPairs, writePairs } from "./headers.ts";
import { hasNumber, recordHistogram } from "./metrics.ts";
import { findProperty, serializeProperty } from "./property.ts";
import type { RootContext } from "./root.ts";
import type { Stream } from "./stream.ts";
import type { Context, Vm } from "./vm.ts";

const NANOSECONDS = 1_000_000n;
/** WASI's own error numbers. */
const WASI = { success: 0, fault: 21 } as const;

/** The import object of one VM. */
export function createImports(vm: Vm): WebAssembly.Imports {
  return {
    env: {
      ...general(vm),
      ...streams(vm),
      ...headerMaps(vm),
      ...buffers(vm),
      ...sharedState(vm),
      ...metrics(vm),
      ...calls(vm),
    },
    wasi_snapshot_preview1: {
      random_get(at: number, size: number): number {
        vm.context("random_get");
        const out = vm.memory.run(at, size);
        if (out === null) {
          outside(vm, "random_get", at, size);
          return WASI.fault;
        }
        vm.host.random(out);
        return WASI.success;
      },
    },
  };
}

function general(vm: Vm): WebAssembly.ModuleImports {
  return {
    proxy_log(level: number, at: number, size: number): number {
      const context = vm.context("proxy_log");
      const name = LOG_LEVELS[level];
      if (name === undefined) return vm.refuse(STATUS.badArgument, `proxy_log: level ${level} does not exist`);
      const message = vm.memory.run(at, size);
      if (message === null) return outside(vm, "proxy_log", at, size);
      vm.host.logged(name, message.toString("utf8"), context);
      return STATUS.ok;
    },

    proxy_get_status(codeAt: number, textAt: number, sizeAt: number): number {
      vm.context("proxy_get_status");
      const { status, message } = vm.callResult ?? { status: 0, message: "" };
      if (!vm.memory.putU32(codeAt, status)) return outside(vm, "proxy_get_status", codeAt, 4);
      return give(vm, "proxy_get_status", Buffer.from(message), textAt, sizeAt);
    },

    proxy_set_tick_period_milliseconds(period: number): number {
      vm.setTimer(vm.context("proxy_set_tick_period_milliseconds").root, period >>> 0);
      return STATUS.ok;
    },

    proxy_get_current_time_nanoseconds(at: number): number {
      vm.context("proxy_get_current_time_nanoseconds");
      const time = BigInt(Math.round(vm.host.clock.now)) * NANOSECONDS;
      return vm.memory.putU64(at, time) ? STATUS.ok : outside(vm, "proxy_get_current_time_nanoseconds", at, 8);
    },

    proxy_get_property(pathAt: number, pathSize: number, valueAt: number, sizeAt: number): number {
      const context = vm.context("proxy_get_property");
      const path = vm.memory.latin1(pathAt, pathSize);
      if (path === null) return outside(vm, "proxy_get_property", pathAt, pathSize);
      const value = findProperty(context, path);
      if (value === undefined) return STATUS.notFound;
      const bytes = serializeProperty(value);
      if (typeof bytes === "number") return bytes;
      return give(vm, "proxy_get_property", bytes, valueAt, sizeAt);
    },

    proxy_set_property(pathAt: number, pathSize: number, valueAt: number, valueSize: number): number {
      const context = vm.context("proxy_set_property");
      const path = vm.memory.latin1(pathAt, pathSize);
      if (path === null) return outside(vm, "proxy_set_property", pathAt, pathSize);
      const value = vm.memory.run(valueAt, valueSize);
      if (value === null) return outside(vm, "proxy_set_property", valueAt, valueSize);
      if (context.stream === null) return vm.refuse(STATUS.notFound, "proxy_set_property: there is no stream");
      context.stream.filterState.set(`wasm.${path}`, Buffer.from(value));
      return STATUS.ok;
    },

    proxy_set_effective_context(id: number): number {
      vm.context("proxy_set_effective_context");
      const context = vm.contexts.get(id >>> 0);
      if (context === undefined) {
        return vm.refuse(STATUS.badArgument, `proxy_set_effective_context: context ${id >>> 0} does not exist`);
      }
      vm.setEffective(context);
      return STATUS.ok;
    },

    proxy_done(): number {
      const { root } = vm.context("proxy_done");
      if (!root.closing) return vm.refuse(STATUS.notFound, "proxy_done: proxy_on_done did not ask to wait");
      root.closing = false;
      vm.defer(() => vm.delete(root));
      return STATUS.ok;
    },

    proxy_call_foreign_function(
      nameAt: number,
      nameSize: number,
      dataAt: number,
      dataSize: number,
      _valueAt: number,
      _sizeAt: number,
    ): number {
      vm.context("proxy_call_foreign_function");
      if (!vm.memory.holds(nameAt, nameSize)) return outside(vm, "proxy_call_foreign_function", nameAt, nameSize);
      if (!vm.memory.holds(dataAt, dataSize)) return outside(vm, "proxy_call_foreign_function", dataAt, dataSize);
      return STATUS.notFound;
    },
  };
}

function streams(vm: Vm): WebAssembly.ModuleImports {
  return {
    proxy_continue_stream(type: number): number {
      const context = vm.context("proxy_continue_stream");
      const stream = httpStream(vm, "proxy_continue_stream", context, type);
      if (stream === null) return STATUS.badArgument;
      const half = type === STREAM.request ? stream.request : stream.response;
      if (half.pause === 0 && !stream.finished) {
        vm.refuse(STATUS.ok, `proxy_continue_stream(${type}): that direction of stream ${stream.id} is not paused`);
      }
      vm.defer(() => stream.resume(half));
      stream.forgetRequest();
      return STATUS.ok;
    },

    proxy_close_stream(type: number): number {
      const context = vm.context("proxy_close_stream");
      const stream = httpStream(vm, "proxy_close_stream", context, type);
      if (stream === null) return STATUS.badArgument;
      vm.defer(() => stream.close("wasm_close_stream"));
      return STATUS.ok;
    },

    proxy_send_local_response(
      status: number,
      detailsAt: number,
      detailsSize: number,
      bodyAt: number,
      bodySize: number,
      headersAt: number,
      headersSize: number,
      grpcStatus: number,
    ): number {
      const name = "proxy_send_local_response";
      const { stream } = vm.context(name);
      const details = vm.memory.run(detailsAt, detailsSize);
      if (details === null) return outside(vm, name, detailsAt, detailsSize);
      const body = vm.memory.run(bodyAt, bodySize);
      if (body === null) return outside(vm, name, bodyAt, bodySize);
      const block = vm.memory.run(headersAt, headersSize);
      if (block === null) return outside(vm, name, headersAt, headersSize);
      const headers = headersSize === 0 ? NO_HEADERS : readPairs(block);
      if (headers === null) vm.refuse(STATUS.ok, `${name}: the headers are not well-formed pairs`);
      if (status < 200 || status > 599) vm.refuse(STATUS.ok, `${name}: ${status} is not a response status`);
      vm.stopIteration = true;
      if (stream === null) return vm.refuse(STATUS.ok, `${name}: there is no stream`);
      if (stream.finished) return vm.refuse(STATUS.ok, `${name}: stream ${stream.id} has ended`);
      if (stream.replying) return vm.refuse(STATUS.ok, `${name}: stream ${stream.id} has a local response already`);
      stream.replying = true;
      const reply = {
        status,
        details: details.toString("latin1").replaceAll(/[ \t\n\v\f\r]/g, "_"),
        body: Buffer.from(body),
        headers: headers ?? NO_HEADERS,
        // Envoy takes anything outside its known codes as "none".
        grpcStatus: grpcStatus >= 0 && grpcStatus <= 16 ? grpcStatus : null,
      };
      vm.defer(() => stream.sendLocal(reply));
      return STATUS.ok;
    },

    proxy_clear_route_cache(): number {
      vm.context("proxy_clear_route_cache");
      return STATUS.ok;
    },
  };
}

const NO_HEADERS = new HeaderMap();

/** The stream of a context where `type` is an HTTP direction; else refused, with null in lenient mode. */
function httpStream(vm: Vm, call: string, context: Context, type: number): Stream | null {
  if (type !== STREAM.request && type !== STREAM.response) {
    vm.refuse(STATUS.badArgument, `${call}: ${type} is not a direction of an HTTP stream`);
    return null;
  }
  if (context.stream === null) vm.refuse(STATUS.ok, `${call}: there is no stream`);
  return context.stream;
}

function headerMaps(vm: Vm): WebAssembly.ModuleImports {
  /** The map for a writing call, or the status to answer with. */
  function writable(call: string, type: number): HeaderMap | number {
    const map = readable(call, type);
    if (typeof map !== "number" && vm.context(call).stream?.logging) {
      return vm.refuse(STATUS.badArgument, `${call}: headers cannot be changed in proxy_on_log`);
    }
    return map;
  }

  function readable(call: string, type: number): HeaderMap | number {
    const context = vm.context(call);
    const name = MAP_NAMES[type];
    if (name === undefined) return vm.refuse(STATUS.badArgument, `${call}: header map ${type} does not exist`);
    const map = findMap(vm, context, type);
    if (map !== null) return map;
    if (context.stream?.logging) return STATUS.notFound;
    return vm.refuse(STATUS.badArgument, `${call}: the ${name} cannot be read in this phase`);
  }

  function changed(call: string, type: number, keyAt: number, keySize: number): [HeaderMap, string] | number {
    const map = writable(call, type);
    if (typeof map === "number") return map;
    const key = vm.memory.latin1(keyAt, keySize);
    return key === null ? outside(vm, call, keyAt, keySize) : [map, key.toLowerCase()];
  }

  return {
    proxy_get_header_map_pairs(type: number, valueAt: number, sizeAt: number): number {
      const name = "proxy_get_header_map_pairs";
      const map = readable(name, type);
      // Envoy answers Ok with no pairs where the map cannot be read.
      if (typeof map === "number" || map.size === 0) {
        return type >>> 0 >= MAP_NAMES.length ? STATUS.badArgument : give(vm, name, EMPTY, valueAt, sizeAt);
      }
      const size = pairsSize(map);
      const at = vm.allocate(size);
      writePairs(map, vm.memory.bytes, at);
      return point(vm, name, at, size, valueAt, sizeAt);
    },

    proxy_set_header_map_pairs(type: number, at: number, size: number): number {
      const name = "proxy_set_header_map_pairs";
      const map = writable(name, type);
      if (typeof map === "number") return map;
      const block = vm.memory.run(at, size);
      if (block === null) return outside(vm, name, at, size);
      const pairs = readPairs(block);
      if (pairs === null) vm.refuse(STATUS.ok, `${name}: the headers are not well-formed pairs`);
      map.clear();
      pairs?.names.forEach((key, i) => map.add(key, pairs.values[i]!));
      return STATUS.ok;
    },

    proxy_get_header_map_value(type: number, keyAt: number, keySize: number, valueAt: number, sizeAt: number): number {
      const name = "proxy_get_header_map_value";
      const map = readable(name, type);
      if (typeof map === "number") return map;
      const key = vm.memory.latin1(keyAt, keySize);
      if (key === null) return outside(vm, name, keyAt, keySize);
      const value = map.get(key.toLowerCase());
      return value === null ? STATUS.notFound : give(vm, name, value, valueAt, sizeAt);
    },

    proxy_add_header_map_value(type: number, keyAt: number, keySize: number, at: number, size: number): number {
      const found = changed("proxy_add_header_map_value", type, keyAt, keySize);
      if (typeof found === "number") return found;
      const value = vm.memory.run(at, size);
      if (value === null) return outside(vm, "proxy_add_header_map_value", at, size);
      found[0].add(found[1], Buffer.from(value));
      return STATUS.ok;
    },

    proxy_replace_header_map_value(type: number, keyAt: number, keySize: number, at: number, size: number): number {
      const found = changed("proxy_replace_header_map_value", type, keyAt, keySize);
      if (typeof found === "number") return found;
      const value = vm.memory.run(at, size);
      if (value === null) return outside(vm, "proxy_replace_header_map_value", at, size);
      found[0].set(found[1], Buffer.from(value));
      return STATUS.ok;
    },

    proxy_remove_header_map_value(type: number, keyAt: number, keySize: number): number {
      const found = changed("proxy_remove_header_map_value", type, keyAt, keySize);
      if (typeof found === "number") return found;
      found[0].remove(found[1]);
      return STATUS.ok;
    },

    proxy_get_header_map_size(type: number, at: number): number {
      const map = readable("proxy_get_header_map_size", type);
      if (typeof map === "number") return map;
      return vm.memory.putU32(at, map.byteSize) ? STATUS.ok : outside(vm, "proxy_get_header_map_size", at, 4);
    },
  };
}

function findMap(vm: Vm, { stream }: Context, type: number): HeaderMap | null {
  switch (type) {
    case MAP.requestHeaders:
      return stream?.readableRequestHeaders ?? null;
    case MAP.requestTrailers:
      return stream?.request.readableTrailers ?? null;
    case MAP.responseHeaders:
      return stream?.readableResponseHeaders ?? null;
    case MAP.responseTrailers:
      return stream?.readableResponseTrailers ?? null;
    case MAP.callResponseHeaders:
      return vm.callResult?.headers ?? null;
    case MAP.callResponseTrailers:
      return vm.callResult?.trailers ?? null;
  }
  return null;
}

function buffers(vm: Vm): WebAssembly.ModuleImports {
  /** The bytes of a buffer, or the status to answer with. */
  function find(call: string, type: number): Uint8Array | number {
    const context = vm.context(call);
    const name = BUFFER_NAMES[type];
    if (name === undefined) return vm.refuse(STATUS.badArgument, `${call}: buffer ${type} does not exist`);
    const bytes = findBuffer(vm, context, type);
    if (bytes !== null) return bytes;
    const status = vm.refuse(STATUS.notFound, `${call}: the ${name} cannot be read in this phase`);
    // Envoy shows a body that is not there as an empty one.
    return bodyHalf(context, type) === null ? status : EMPTY;
  }

  return {
    proxy_get_buffer_bytes(type: number, start: number, length: number, valueAt: number, sizeAt: number): number {
      const name = "proxy_get_buffer_bytes";
      const bytes = find(name, type);
      if (typeof bytes === "number") return bytes;
      const from = start >>> 0;
      if (from > bytes.length) {
        return vm.refuse(STATUS.badArgument, `${name}: starts at ${from}, behind the buffer's ${bytes.length} bytes`);
      }
      const size = Math.min(length >>> 0, bytes.length - from);
      if (size === 0) return give(vm, name, EMPTY, valueAt, sizeAt);
      const at = vm.allocate(size);
      vm.memory.bytes.set(size === bytes.length ? bytes : bytes.subarray(from, from + size), at);
      return point(vm, name, at, size, valueAt, sizeAt);
    },

    proxy_get_buffer_status(type: number, lengthAt: number, flagsAt: number): number {
      const bytes = find("proxy_get_buffer_status", type);
      if (typeof bytes === "number") return bytes;
      if (!vm.memory.putU32(lengthAt, bytes.length)) return outside(vm, "proxy_get_buffer_status", lengthAt, 4);
      return vm.memory.putU32(flagsAt, 0) ? STATUS.ok : outside(vm, "proxy_get_buffer_status", flagsAt, 4);
    },

    proxy_set_buffer_bytes(type: number, start: number, length: number, at: number, size: number): number {
      const name = "proxy_set_buffer_bytes";
      const bytes = find(name, type);
      if (typeof bytes === "number") return bytes;
      const data = vm.memory.run(at, size);
      if (data === null) return outside(vm, name, at, size);
      const half = bodyHalf(vm.context(name), type);
      if (half === null) return vm.refuse(STATUS.badArgument, `${name}: the ${BUFFER_NAMES[type]} cannot be changed`);
      const from = start >>> 0;
      const replaced = length >>> 0;
      if (from === 0 && replaced === 0) half.prepend(data);
      else if (from === 0 && replaced >= bytes.length) half.replace(data);
      else if (from !== 0 && from >= bytes.length) half.append(data);
      else return vm.refuse(STATUS.badArgument, `${name}: Envoy cannot change ${replaced} bytes at ${from}`);
      return STATUS.ok;
    },
  };
}

function bodyHalf({ stream }: Context, type: number): Stream["request"] | null {
  if (type === BUFFER.requestBody) return stream?.request ?? null;
  if (type === BUFFER.responseBody) return stream?.response ?? null;
  return null;
}

function findBuffer(vm: Vm, context: Context, type: number): Uint8Array | null {
  switch (type) {
    case BUFFER.requestBody:
    case BUFFER.responseBody:
      return bodyHalf(context, type)?.readableBody ?? null;
    case BUFFER.callResponseBody:
      return vm.callResult?.body ?? null;
    case BUFFER.vmConfiguration:
      return vm.kind.configuration;
    case BUFFER.pluginConfiguration:
      return context.root.configuring ? context.root.configuration : null;
  }
  return null;
}

function sharedState(vm: Vm): WebAssembly.ModuleImports {
  const { vmId } = vm.kind;
  return {
    proxy_get_shared_data(keyAt: number, keySize: number, valueAt: number, sizeAt: number, casAt: number): number {
      const name = "proxy_get_shared_data";
      vm.context(name);
      const key = vm.memory.latin1(keyAt, keySize);
      if (key === null) return outside(vm, name, keyAt, keySize);
      const found = vm.host.sharedData.get(vmId, key);
      if (found === undefined) return STATUS.notFound;
      const status = give(vm, name, found.value, valueAt, sizeAt);
      if (status !== STATUS.ok) return status;
      return vm.memory.putU32(casAt, found.cas) ? STATUS.ok : outside(vm, name, casAt, 4);
    },

    proxy_set_shared_data(keyAt: number, keySize: number, at: number, size: number, cas: number): number {
      const name = "proxy_set_shared_data";
      vm.context(name);
      const key = vm.memory.latin1(keyAt, keySize);
      if (key === null) return outside(vm, name, keyAt, keySize);
      const value = vm.memory.run(at, size);
      if (value === null) return outside(vm, name, at, size);
      return vm.host.sharedData.set(vmId, key, value, cas >>> 0) ? STATUS.ok : STATUS.casMismatch;
    },

    proxy_register_shared_queue(nameAt: number, nameSize: number, tokenAt: number): number {
      const call = "proxy_register_shared_queue";
      const { root } = vm.context(call);
      const name = vm.memory.latin1(nameAt, nameSize);
      if (name === null) return outside(vm, call, nameAt, nameSize);
      const token: number = vm.host.queues.register(vmId, name, () => vm.queueReady(root, token));
      return vm.memory.putU32(tokenAt, token) ? STATUS.ok : outside(vm, call, tokenAt, 4);
    },

    proxy_resolve_shared_queue(
      vmIdAt: number,
      vmIdSize: number,
      nameAt: number,
      nameSize: number,
      tokenAt: number,
    ): number {
      const call = "proxy_resolve_shared_queue";
      vm.context(call);
      const owner = vm.memory.latin1(vmIdAt, vmIdSize);
      if (owner === null) return outside(vm, call, vmIdAt, vmIdSize);
      const name = vm.memory.latin1(nameAt, nameSize);
      if (name === null) return outside(vm, call, nameAt, nameSize);
      const token = vm.host.queues.resolve(owner === "" ? vmId : owner, name);
      if (token === undefined) return STATUS.notFound;
      return vm.memory.putU32(tokenAt, token) ? STATUS.ok : outside(vm, call, tokenAt, 4);
    },

    proxy_enqueue_shared_queue(token: number, at: number, size: number): number {
      const call = "proxy_enqueue_shared_queue";
      vm.context(call);
      const data = vm.memory.run(at, size);
      if (data === null) return outside(vm, call, at, size);
      const queue = vm.host.queues.byToken(token >>> 0);
      if (queue === undefined) return STATUS.notFound;
      queue.items.push(Buffer.from(data));
      vm.defer(() => queue.ready());
      return STATUS.ok;
    },

    proxy_dequeue_shared_queue(token: number, valueAt: number, sizeAt: number): number {
      const call = "proxy_dequeue_shared_queue";
      vm.context(call);
      const queue = vm.host.queues.byToken(token >>> 0);
      if (queue === undefined) return STATUS.notFound;
      const item = queue.items.shift();
      return item === undefined ? STATUS.empty : give(vm, call, item, valueAt, sizeAt);
    },
  };
}

function metrics(vm: Vm): WebAssembly.ModuleImports {
  const unknown = (call: string, id: number): number =>
    vm.refuse(STATUS.notFound, `${call}: metric ${id >>> 0} was not defined in this VM`);
  return {
    proxy_define_metric(type: number, nameAt: number, nameSize: number, idAt: number): number {
      const call = "proxy_define_metric";
      vm.context(call);
      const name = vm.memory.run(nameAt, nameSize);
      if (name === null) return outside(vm, call, nameAt, nameSize);
      if (type >>> 0 > METRIC.histogram) return vm.refuse(STATUS.badArgument, `${call}: type ${type} does not exist`);
      const id = vm.metrics.give(vm.host.metricStore.define(type, name.toString("utf8")));
      return vm.memory.putU32(idAt, id) ? STATUS.ok : outside(vm, call, idAt, 4);
    },

    proxy_increment_metric(id: number, offset: bigint): number {
      const call = "proxy_increment_metric";
      vm.context(call);
      if (!hasNumber(id)) return vm.refuse(STATUS.badArgument, `${call}: metric ${id >>> 0} is not a counter or gauge`);
      const metric = vm.metrics.get(id);
      if (metric === undefined) return unknown(call, id);
      if (metric.type === METRIC.counter && offset <= 0n) {
        return vm.refuse(STATUS.badArgument, `${call}: a counter cannot change by ${offset}`);
      }
      metric.value = BigInt.asUintN(64, metric.value + offset);
      return STATUS.ok;
    },

    proxy_record_metric(id: number, value: bigint): number {
      const call = "proxy_record_metric";
      vm.context(call);
      const metric = vm.metrics.get(id);
      if (metric === undefined) return unknown(call, id);
      const whole = BigInt.asUintN(64, value);
      if (metric.type === METRIC.histogram) recordHistogram(metric.histogram, Number(whole));
      else metric.value = metric.type === METRIC.counter ? metric.value + whole : whole;
      return STATUS.ok;
    },

    proxy_get_metric(id: number, at: number): number {
      const call = "proxy_get_metric";
      vm.context(call);
      if (!hasNumber(id)) return vm.refuse(STATUS.badArgument, `${call}: metric ${id >>> 0} is not a counter or gauge`);
      const metric = vm.metrics.get(id);
      if (metric === undefined) return unknown(call, id);
      return vm.memory.putU64(at, metric.value) ? STATUS.ok : outside(vm, call, at, 8);
    },
  };
}

/** Headers without which Envoy sends no request. */
const REQUIRED = [":method", ":path", ":authority"];

function calls(vm: Vm): WebAssembly.ModuleImports {
  const refuseGrpc = (): number => vm.refuse(STATUS.unimplemented, "the host does not make gRPC calls");
  return {
    proxy_http_call(
      clusterAt: number,
      clusterSize: number,
      headersAt: number,
      headersSize: number,
      bodyAt: number,
      bodySize: number,
      trailersAt: number,
      trailersSize: number,
      timeout: number,
      tokenAt: number,
    ): number {
      const call = "proxy_http_call";
      const root: RootContext = vm.context(call).root;
      const cluster = vm.memory.run(clusterAt, clusterSize);
      if (cluster === null) return outside(vm, call, clusterAt, clusterSize);
      const body = vm.memory.run(bodyAt, bodySize);
      if (body === null) return outside(vm, call, bodyAt, bodySize);
      const headers = vm.memory.run(headersAt, headersSize);
      if (headers === null) return outside(vm, call, headersAt, headersSize);
      const trailers = vm.memory.run(trailersAt, trailersSize);
      if (trailers === null) return outside(vm, call, trailersAt, trailersSize);
      const token = vm.host.nextCallToken();
      if (!vm.memory.putU32(tokenAt, token)) return outside(vm, call, tokenAt, 4);
      const headerMap = readPairs(headers);
      if (headerMap === null || REQUIRED.some((name) => headerMap.get(name) === null)) {
        return vm.refuse(STATUS.badArgument, `${call}: the headers lack :method, :path or :authority`);
      }
      const trailerMap = (trailersSize === 0 ? null : readPairs(trailers)) ?? new HeaderMap();
      const made = new HttpCall(root, token, cluster.toString(), headerMap, Buffer.from(body), trailerMap, timeout);
      return vm.host.made(made) ? STATUS.ok : STATUS.badArgument;
    },
    proxy_grpc_call: refuseGrpc,
    proxy_grpc_stream: refuseGrpc,
    proxy_grpc_cancel: refuseGrpc,
    proxy_grpc_close: refuseGrpc,
    proxy_grpc_send: refuseGrpc,
  };
}

const EMPTY = new Uint8Array(0);

/** Copies bytes into memory that the module allocates and points its out-parameters at them; none give address 0. */
function give(vm: Vm, call: string, bytes: Uint8Array, valueAt: number, sizeAt: number): number {
  if (bytes.length === 0) return point(vm, call, 0, 0, valueAt, sizeAt);
  const at = vm.allocate(bytes.length);
  vm.memory.bytes.set(bytes, at);
  return point(vm, call, at, bytes.length, valueAt, sizeAt);
}

function point(vm: Vm, call: string, at: number, size: number, valueAt: number, sizeAt: number): number {
  if (!vm.memory.putU32(valueAt, at)) return outside(vm, call, valueAt, 4);
  return vm.memory.putU32(sizeAt, size) ? STATUS.ok : outside(vm, call, sizeAt, 4);
}

function outside(vm: Vm, call: string, at: number, size: number): number {
  return vm.refuse(
    STATUS.invalidMemoryAccess,
    `${call}: ${size >>> 0} bytes at ${at >>> 0} are outside of memory (${vm.memory.size} bytes)`,
  );
}
