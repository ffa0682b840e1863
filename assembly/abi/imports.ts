// The host's functions, as the Proxy-Wasm ABI 0.2.1 spells them. The binding is that of @solo-io/proxy-runtime; what it lacks
// is declared here. No logic: verbs over these are in host.ts.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1

export {
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
} from "@solo-io/proxy-runtime/assembly/imports";

/** Fills `size` bytes at `buffer` with random bytes; 0 on success. WASI preview 1, which Envoy provides beside the ABI. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(buffer: usize, size: usize): u32;

/** Writes how many variables the environment has, and how many bytes `environ_get` needs for them; 0 on success. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function environ_sizes_get(return_count: usize, return_size: usize): u32;

/** Writes `NAME=VALUE NUL` of each variable at `buffer`, and where each begins at `return_pointers`; 0 on success. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
export declare function environ_get(return_pointers: usize, buffer: usize): u32;
