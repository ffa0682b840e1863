// The module's exports: Proxy-Wasm ABI 0.2.1, nothing else. Each that the host can hand something over in empties the inbox first.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1

import "./core/unpack";
import { BodyAction, HeadersAction } from "./abi/enums";
import { allocateInbox, resetInbox } from "./abi/inbox";
import {
  onCallAnswer,
  onConfigure,
  onContextCreate,
  onContextLog,
  onDelete,
  onDone,
  onTick,
  onVmStart,
} from "./filter/lifecycle";
import { onResponseBody, onResponseEnd, onResponseHeaders } from "./filter/response";
import { onRequestBody, onRequestHeaders, onRequestTrailers } from "./filter/request";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return allocateInbox(size);
}

export function proxy_on_vm_start(_rootId: u32, _configurationSize: u32): u32 {
  onVmStart();
  return 1;
}

export function proxy_on_context_create(contextId: u32, rootId: u32): void {
  onContextCreate(contextId, rootId);
}

export function proxy_on_configure(rootId: u32, configurationSize: u32): u32 {
  resetInbox();
  return u32(onConfigure(rootId, configurationSize));
}

export function proxy_on_tick(rootId: u32): void {
  resetInbox();
  onTick(rootId);
}

export function proxy_on_request_headers(contextId: u32, _headers: u32, endOfStream: u32): u32 {
  resetInbox();
  return onRequestHeaders(contextId, endOfStream != 0);
}

export function proxy_on_request_body(contextId: u32, size: u32, endOfStream: u32): u32 {
  resetInbox();
  return onRequestBody(contextId, size, endOfStream != 0);
}

export function proxy_on_request_trailers(contextId: u32, _trailers: u32): u32 {
  resetInbox();
  return onRequestTrailers(contextId);
}

export function proxy_on_request_metadata(_contextId: u32, _elements: u32): u32 {
  return HeadersAction.Continue;
}

export function proxy_on_response_headers(contextId: u32, _headers: u32, endOfStream: u32): u32 {
  resetInbox();
  onResponseHeaders(contextId, endOfStream != 0);
  return HeadersAction.Continue;
}

export function proxy_on_response_body(contextId: u32, size: u32, endOfStream: u32): u32 {
  resetInbox();
  onResponseBody(contextId, size, endOfStream != 0);
  return BodyAction.Continue;
}

export function proxy_on_response_trailers(contextId: u32, _trailers: u32): u32 {
  resetInbox();
  onResponseEnd(contextId);
  return HeadersAction.Continue;
}

export function proxy_on_response_metadata(_contextId: u32, _elements: u32): u32 {
  return HeadersAction.Continue;
}

export function proxy_on_new_connection(_contextId: u32): u32 {
  return BodyAction.Continue;
}

export function proxy_on_downstream_data(_contextId: u32, _size: u32, _endOfStream: u32): u32 {
  return BodyAction.Continue;
}

export function proxy_on_upstream_data(_contextId: u32, _size: u32, _endOfStream: u32): u32 {
  return BodyAction.Continue;
}

export function proxy_on_downstream_connection_close(_contextId: u32, _peer: u32): void {}

export function proxy_on_upstream_connection_close(_contextId: u32, _peer: u32): void {}

export function proxy_on_http_call_response(rootId: u32, token: u32, _headers: u32, size: u32, _trailers: u32): void {
  resetInbox();
  onCallAnswer(rootId, token, size);
}

export function proxy_on_grpc_receive_initial_metadata(_contextId: u32, _token: u32, _headers: u32): void {}

export function proxy_on_grpc_receive(_contextId: u32, _token: u32, _size: u32): void {}

export function proxy_on_grpc_receive_trailing_metadata(_contextId: u32, _token: u32, _trailers: u32): void {}

export function proxy_on_grpc_close(_contextId: u32, _token: u32, _status: u32): void {}

export function proxy_on_queue_ready(_rootId: u32, _token: u32): void {}

export function proxy_on_foreign_function(_rootId: u32, _id: u32, _size: u32): void {}

export function proxy_on_done(contextId: u32): u32 {
  resetInbox();
  return u32(onDone(contextId));
}

export function proxy_on_log(contextId: u32): void {
  resetInbox();
  onContextLog(contextId);
}

export function proxy_on_delete(contextId: u32): void {
  resetInbox();
  onDelete(contextId);
}
