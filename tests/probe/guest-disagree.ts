// Accepts its configuration in the first VM of a process, the canary, and refuses it in every later one.

import { proxy_get_shared_data, proxy_set_shared_data } from "@solo-io/proxy-runtime/assembly/imports";

const KEY = memory.data<u8>([107]);
const OUT = memory.data(12);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_configure(id: u32, size: u32): u32 {
  if (proxy_get_shared_data(KEY, 1, OUT, OUT + 4, OUT + 8) == 0) return 0;
  proxy_set_shared_data(KEY, 1, KEY, 1, 0);
  return 1;
}
