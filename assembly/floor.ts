// The least a filter can do, for `meshward bench envoy`: reads the header map and each chunk of the body once into one static
// buffer, keeps nothing, judges nothing and holds nothing. What it costs is what the host calls cost.

import { proxy_get_buffer_bytes, proxy_get_header_map_pairs } from "@solo-io/proxy-runtime/assembly/imports";

/** The host writes here, always from its beginning. A larger value finds no room and is not read. */
const ROOM: usize = 1 << 20;
const AREA = memory.data(1 << 20, 16);
/** Out-parameters of the host calls: where it wrote, and how much. */
const ADDRESS = memory.data(4);
const SIZE = memory.data(4);

const REQUEST_HEADERS: u32 = 0;
const REQUEST_BODY: u32 = 0;
const CONTINUE: u32 = 0;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return size <= ROOM ? AREA : 0;
}

export function proxy_on_request_headers(_contextId: u32, _headers: u32, _endOfStream: u32): u32 {
  proxy_get_header_map_pairs(REQUEST_HEADERS, ADDRESS, SIZE);
  return CONTINUE;
}

export function proxy_on_request_body(_contextId: u32, size: u32, _endOfStream: u32): u32 {
  if (size != 0) proxy_get_buffer_bytes(REQUEST_BODY, 0, size, ADDRESS, SIZE);
  return CONTINUE;
}
