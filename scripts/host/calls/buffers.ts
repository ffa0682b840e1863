// Bodies and configurations.

import { BUFFER, BUFFER_NAMES, STATUS } from "../abi.ts";
import type { Stream } from "../stream.ts";
import type { Context, Vm } from "../vm.ts";
import { EMPTY, give, outside, point } from "./give.ts";

export function buffers(vm: Vm): WebAssembly.ModuleImports {
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
      if (at === 0) return STATUS.invalidMemoryAccess;
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
