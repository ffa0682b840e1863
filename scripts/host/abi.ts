// Numbers and names of Proxy-Wasm ABI 0.2.1 as Envoy 1.40 speaks it (proxy-wasm-cpp-host: exports.cc, wasm.cc, context.cc).
// A signature is "PARAMETERS:RESULT", one letter a value: i = i32, I = i64.

/** What a host call returns. */
export const STATUS = {
  ok: 0,
  notFound: 1,
  badArgument: 2,
  serializationFailure: 3,
  parseFailure: 4,
  invalidMemoryAccess: 6,
  empty: 7,
  casMismatch: 8,
  internalFailure: 10,
  brokenConnection: 11,
  unimplemented: 12,
} as const;

export const MAP = {
  requestHeaders: 0,
  requestTrailers: 1,
  responseHeaders: 2,
  responseTrailers: 3,
  grpcInitialMetadata: 4,
  grpcTrailingMetadata: 5,
  callResponseHeaders: 6,
  callResponseTrailers: 7,
} as const;
export const MAP_NAMES = [
  "request headers",
  "request trailers",
  "response headers",
  "response trailers",
  "gRPC initial metadata",
  "gRPC trailing metadata",
  "HTTP call response headers",
  "HTTP call response trailers",
] as const;

export const BUFFER = {
  requestBody: 0,
  responseBody: 1,
  downstreamData: 2,
  upstreamData: 3,
  callResponseBody: 4,
  grpcReceive: 5,
  vmConfiguration: 6,
  pluginConfiguration: 7,
  callData: 8,
} as const;
export const BUFFER_NAMES = [
  "request body",
  "response body",
  "downstream data",
  "upstream data",
  "HTTP call response body",
  "gRPC message",
  "VM configuration",
  "plugin configuration",
  "call data",
] as const;

export const STREAM = { request: 0, response: 1, downstream: 2, upstream: 3 } as const;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "critical"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const METRIC = { counter: 0, gauge: 1, histogram: 2 } as const;

/** What a header callback returns; 2 was ContinueAndEndStream and is gone. */
export const HEADERS = { continue: 0, stop: 1, stopAllAndBuffer: 3, stopAllAndWatermark: 4 } as const;
/** What a body callback returns. */
export const DATA = { continue: 0, stopAndBuffer: 1, stopAndWatermark: 2, stopNoBuffer: 3 } as const;
/** What a trailer callback returns. */
export const TRAILERS = { continue: 0, stop: 1 } as const;

/** Host calls that a module may import, by "module.name". */
export const IMPORTS: Readonly<Record<string, string>> = {
  "env.proxy_get_status": "iii:i",
  "env.proxy_log": "iii:i",
  "env.proxy_set_tick_period_milliseconds": "i:i",
  "env.proxy_get_current_time_nanoseconds": "i:i",
  "env.proxy_get_property": "iiii:i",
  "env.proxy_set_property": "iiii:i",
  "env.proxy_continue_stream": "i:i",
  "env.proxy_close_stream": "i:i",
  "env.proxy_send_local_response": "iiiiiiii:i",
  "env.proxy_clear_route_cache": ":i",
  "env.proxy_get_shared_data": "iiiii:i",
  "env.proxy_set_shared_data": "iiiii:i",
  "env.proxy_register_shared_queue": "iii:i",
  "env.proxy_resolve_shared_queue": "iiiii:i",
  "env.proxy_dequeue_shared_queue": "iii:i",
  "env.proxy_enqueue_shared_queue": "iii:i",
  "env.proxy_add_header_map_value": "iiiii:i",
  "env.proxy_get_header_map_value": "iiiii:i",
  "env.proxy_get_header_map_pairs": "iii:i",
  "env.proxy_set_header_map_pairs": "iii:i",
  "env.proxy_replace_header_map_value": "iiiii:i",
  "env.proxy_remove_header_map_value": "iii:i",
  "env.proxy_get_header_map_size": "ii:i",
  "env.proxy_get_buffer_bytes": "iiiii:i",
  "env.proxy_get_buffer_status": "iii:i",
  "env.proxy_set_buffer_bytes": "iiiii:i",
  "env.proxy_http_call": "iiiiiiiiii:i",
  "env.proxy_grpc_call": "iiiiiiiiiiii:i",
  "env.proxy_grpc_stream": "iiiiiiiii:i",
  "env.proxy_grpc_cancel": "i:i",
  "env.proxy_grpc_close": "i:i",
  "env.proxy_grpc_send": "iiii:i",
  "env.proxy_define_metric": "iiii:i",
  "env.proxy_increment_metric": "iI:i",
  "env.proxy_record_metric": "iI:i",
  "env.proxy_get_metric": "ii:i",
  "env.proxy_set_effective_context": "i:i",
  "env.proxy_done": ":i",
  "env.proxy_call_foreign_function": "iiiiii:i",
  "wasi_snapshot_preview1.random_get": "ii:i",
  "wasi_snapshot_preview1.environ_sizes_get": "ii:i",
  "wasi_snapshot_preview1.environ_get": "ii:i",
};

/** Functions that the host looks for in a module. Only the version mark and an allocator must be there. */
export const EXPORTS: Readonly<Record<string, string>> = {
  _initialize: ":",
  malloc: "i:i",
  proxy_abi_version_0_2_1: ":",
  proxy_on_memory_allocate: "i:i",
  proxy_on_context_create: "ii:",
  proxy_on_vm_start: "ii:i",
  proxy_validate_configuration: "ii:i",
  proxy_on_configure: "ii:i",
  proxy_on_tick: "i:",
  proxy_on_request_headers: "iii:i",
  proxy_on_request_body: "iii:i",
  proxy_on_request_trailers: "ii:i",
  proxy_on_request_metadata: "ii:i",
  proxy_on_response_headers: "iii:i",
  proxy_on_response_body: "iii:i",
  proxy_on_response_trailers: "ii:i",
  proxy_on_response_metadata: "ii:i",
  proxy_on_new_connection: "i:i",
  proxy_on_downstream_data: "iii:i",
  proxy_on_upstream_data: "iii:i",
  proxy_on_downstream_connection_close: "ii:",
  proxy_on_upstream_connection_close: "ii:",
  proxy_on_http_call_response: "iiiii:",
  proxy_on_queue_ready: "ii:",
  proxy_on_grpc_receive_initial_metadata: "iii:",
  proxy_on_grpc_receive: "iii:",
  proxy_on_grpc_receive_trailing_metadata: "iii:",
  proxy_on_grpc_close: "iii:",
  proxy_on_foreign_function: "iii:",
  proxy_on_done: "i:i",
  proxy_on_log: "i:",
  proxy_on_delete: "i:",
};
