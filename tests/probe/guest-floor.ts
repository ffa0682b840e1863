// The least a filter can do: reads the header map and each chunk of the body once into one static buffer, and judges nothing.
// Measures what the host itself costs.

import { proxy_get_buffer_bytes, proxy_get_header_map_pairs } from "@solo-io/proxy-runtime/assembly/imports";

/** The host writes here; a larger value has no room and fails the VM. */
const ROOM: i32 = 1 << 20;
const AREA = memory.data(ROOM, 16);
const ADDRESS = memory.data(4);
const SIZE = memory.data(4);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return size <= <usize>ROOM ? AREA : 0;
}

export function proxy_on_request_headers(id: u32, count: u32, end: u32): u32 {
  proxy_get_header_map_pairs(0, ADDRESS, SIZE);
  return end != 0 ? 0 : 1;
}

export function proxy_on_request_body(id: u32, size: u32, end: u32): u32 {
  if (size > 0) proxy_get_buffer_bytes(0, 0, size, ADDRESS, SIZE);
  return end != 0 ? 0 : 1;
}
