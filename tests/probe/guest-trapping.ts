// The module with a way to crash it: a request whose header map has more than 40 entries traps. For tests of what happens then.

import { proxy_on_request_headers as judgeHeaders } from "../../assembly/index";

export {
  proxy_abi_version_0_2_1,
  proxy_on_memory_allocate,
  proxy_on_vm_start,
  proxy_on_context_create,
  proxy_on_configure,
  proxy_on_tick,
  proxy_on_request_body,
  proxy_on_request_trailers,
  proxy_on_request_metadata,
  proxy_on_response_headers,
  proxy_on_response_body,
  proxy_on_response_trailers,
  proxy_on_response_metadata,
  proxy_on_new_connection,
  proxy_on_downstream_data,
  proxy_on_upstream_data,
  proxy_on_downstream_connection_close,
  proxy_on_upstream_connection_close,
  proxy_on_http_call_response,
  proxy_on_grpc_receive_initial_metadata,
  proxy_on_grpc_receive,
  proxy_on_grpc_receive_trailing_metadata,
  proxy_on_grpc_close,
  proxy_on_queue_ready,
  proxy_on_foreign_function,
  proxy_on_done,
  proxy_on_log,
  proxy_on_delete,
} from "../../assembly/index";

export function proxy_on_request_headers(contextId: u32, headers: u32, endOfStream: u32): u32 {
  if (headers > 40) unreachable();
  return judgeHeaders(contextId, headers, endOfStream);
}
