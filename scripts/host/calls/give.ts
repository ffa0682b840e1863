// How a host call hands bytes over: into memory that the module allocates, with its out-parameters pointed at them.

import { STATUS } from "../abi.ts";
import type { Vm } from "../vm.ts";

export const EMPTY = new Uint8Array(0);

/**
 * Copies bytes into memory that the module allocates and points its out-parameters at them; none give address 0. A module
 * without room for them gets InvalidMemoryAccess, as from Envoy (exports.cc, copyToPointerSize).
 */
export function give(vm: Vm, call: string, bytes: Uint8Array, valueAt: number, sizeAt: number): number {
  if (bytes.length === 0) return point(vm, call, 0, 0, valueAt, sizeAt);
  const at = vm.allocate(bytes.length);
  if (at === 0) return STATUS.invalidMemoryAccess;
  vm.memory.bytes.set(bytes, at);
  return point(vm, call, at, bytes.length, valueAt, sizeAt);
}

/** Points out-parameters at `size` bytes at `at`. */
export function point(vm: Vm, call: string, at: number, size: number, valueAt: number, sizeAt: number): number {
  if (!vm.memory.putU32(valueAt, at)) return outside(vm, call, valueAt, 4);
  return vm.memory.putU32(sizeAt, size) ? STATUS.ok : outside(vm, call, sizeAt, 4);
}

/** A pointer of the module leaves its memory. */
export function outside(vm: Vm, call: string, at: number, size: number): number {
  return vm.refuse(
    STATUS.invalidMemoryAccess,
    `${call}: ${size >>> 0} bytes at ${at >>> 0} are outside of memory (${vm.memory.size} bytes)`,
  );
}
