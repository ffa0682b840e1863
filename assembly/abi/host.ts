// The host's functions as verbs. What a call yields is left in `given..givenEnd`, a span of the inbox that is valid until the
// callback returns; each verb says with its status whether it is there.

import {
  proxy_add_header_map_value,
  proxy_close_stream,
  proxy_continue_stream,
  proxy_define_metric,
  proxy_done,
  proxy_get_buffer_bytes,
  proxy_get_current_time_nanoseconds,
  proxy_get_header_map_pairs,
  proxy_get_property,
  proxy_get_shared_data,
  proxy_http_call,
  proxy_increment_metric,
  proxy_log,
  proxy_record_metric,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_send_local_response,
  proxy_set_effective_context,
  proxy_set_property,
  proxy_set_shared_data,
  proxy_set_tick_period_milliseconds,
  random_get,
} from "./imports";
import { Buffer, HeaderMap, LogLevel, MetricType, Status, StreamType } from "./enums";

/** What the last successful reading verb yielded. */
export let given: usize = 0;
export let givenEnd: usize = 0;
/** The version that `readShared` saw, to be given back to `writeShared`. */
export let givenCas: u32 = 0;
/** The number of the call that `callHttp` made; 0 where it made none. */
export let givenToken: u32 = 0;

/** Out-parameters of host calls: address, size, cas or id, time. */
const OUT: usize = memory.data(24, 8);

// @ts-ignore: decorator
@inline
function take(status: u32): Status {
  if (status != Status.Ok) return <Status>status;
  given = load<u32>(OUT);
  givenEnd = given + load<u32>(OUT, 4);
  return Status.Ok;
}

/** Reads a whole header map, as `core/pairs` walks it. */
export function readHeaders(map: HeaderMap): Status {
  return take(proxy_get_header_map_pairs(map, OUT, OUT + 4));
}

/** Adds a header; one of the same name stays as it is. */
export function addHeader(map: HeaderMap, name: usize, nameEnd: usize, value: usize, valueEnd: usize): Status {
  return <Status>proxy_add_header_map_value(map, name, nameEnd - name, value, valueEnd - value);
}

/** Sets a header: the only one of its name afterwards. */
export function replaceHeader(map: HeaderMap, name: usize, nameEnd: usize, value: usize, valueEnd: usize): Status {
  return <Status>proxy_replace_header_map_value(map, name, nameEnd - name, value, valueEnd - value);
}

/** Removes all headers of that name; nothing happens where there is none. */
export function removeHeader(map: HeaderMap, name: usize, nameEnd: usize): Status {
  return <Status>proxy_remove_header_map_value(map, name, nameEnd - name);
}

/** Reads `length` bytes of a buffer from `offset`; fewer where the buffer ends before. */
export function readBuffer(buffer: Buffer, offset: u32, length: u32): Status {
  return take(proxy_get_buffer_bytes(buffer, offset, length, OUT, OUT + 4));
}

/** Reads a property; `path` holds its segments separated by NUL. */
export function readProperty(path: usize, pathEnd: usize): Status {
  return take(proxy_get_property(path, pathEnd - path, OUT, OUT + 4));
}

/** Sets the stream's filter state `wasm.NAME`. */
export function writeFilterState(name: usize, nameEnd: usize, value: usize, valueEnd: usize): Status {
  return <Status>proxy_set_property(name, nameEnd - name, value, valueEnd - value);
}

/** Reads process-wide data of this `vm_id`; its version is in `givenCas`. */
export function readShared(key: usize, keyEnd: usize): Status {
  const status = take(proxy_get_shared_data(key, keyEnd - key, OUT, OUT + 4, OUT + 8));
  givenCas = status == Status.Ok ? load<u32>(OUT, 8) : 0;
  return status;
}

/** Writes process-wide data if its version still is `cas` (0: whatever it is); `CasMismatch` where another VM was first. */
export function writeShared(key: usize, keyEnd: usize, value: usize, valueEnd: usize, cas: u32): Status {
  return <Status>proxy_set_shared_data(key, keyEnd - key, value, valueEnd - value, cas);
}

/**
 * Answers the request from here; the upstream sees nothing of it that has not passed already.
 * `grpcStatus` -1 lets Envoy derive it from `status` for gRPC requests.
 */
export function respond(
  status: u32,
  details: usize,
  detailsEnd: usize,
  body: usize,
  bodyEnd: usize,
  headers: usize,
  headersEnd: usize,
  grpcStatus: i32,
): Status {
  return <Status>(
    proxy_send_local_response(
      status,
      details,
      detailsEnd - details,
      body,
      bodyEnd - body,
      headers,
      headersEnd - headers,
      grpcStatus,
    )
  );
}

/** Lets a held request go on. */
export function continueRequest(): Status {
  return <Status>proxy_continue_stream(StreamType.HttpRequest);
}

/** Resets the stream of a request that has passed in part. */
export function resetRequest(): Status {
  return <Status>proxy_close_stream(StreamType.HttpRequest);
}

/**
 * Makes an HTTP request to a cluster, for the root at work; its number is in `givenToken`. `headers` are pairs as `core/pairs` has
 * them, with `:method`, `:path` and `:authority`. The answer comes with `proxy_on_http_call_response`: Envoy itself answers 503
 * where the connection breaks and 504 after `timeout` milliseconds. `BadArgument`: there is no such cluster. `InternalFailure`: it
 * has no host. Of a root that is deleted all calls are cancelled.
 */
export function callHttp(
  cluster: usize,
  clusterEnd: usize,
  headers: usize,
  headersEnd: usize,
  body: usize,
  bodyEnd: usize,
  timeout: u32,
): Status {
  const status = proxy_http_call(
    cluster,
    clusterEnd - cluster,
    headers,
    headersEnd - headers,
    body,
    bodyEnd - body,
    0,
    0,
    timeout,
    OUT + 8,
  );
  givenToken = status == Status.Ok ? load<u32>(OUT, 8) : 0;
  return <Status>status;
}

/** Makes the calls that follow act on the context `id`: from a tick, on a stream. */
export function actOn(id: u32): Status {
  return <Status>proxy_set_effective_context(id);
}

/** Says that the root at work, whose `proxy_on_done` asked to wait, can go now. */
export function finishDone(): Status {
  return <Status>proxy_done();
}

/** The id of the metric of that name, 0 where the host refuses it. */
export function defineMetric(type: MetricType, name: usize, nameEnd: usize): u32 {
  return proxy_define_metric(type, name, nameEnd - name, OUT + 8) == Status.Ok ? load<u32>(OUT, 8) : 0;
}

export function addToMetric(id: u32, offset: i64): Status {
  return <Status>proxy_increment_metric(id, offset);
}

/** Adds a sample to a histogram. */
export function recordMetric(id: u32, value: u64): Status {
  return <Status>proxy_record_metric(id, value);
}

export function log(level: LogLevel, line: usize, lineEnd: usize): void {
  proxy_log(level, line, lineEnd - line);
}

/** Nanoseconds since the epoch; 0 where the host has no clock. */
export function now(): u64 {
  return proxy_get_current_time_nanoseconds(OUT + 16) == Status.Ok ? load<u64>(OUT, 16) : 0;
}

/** Asks for `proxy_on_tick` each `milliseconds`. */
export function setTick(milliseconds: u32): Status {
  return <Status>proxy_set_tick_period_milliseconds(milliseconds);
}

/** Fills a run with random bytes; leaves it as it is where the host has none. */
export function fillRandom(start: usize, end: usize): void {
  random_get(start, end - start);
}
