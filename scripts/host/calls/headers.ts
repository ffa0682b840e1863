// Header maps, each readable only in its phase.

import { MAP, MAP_NAMES, STATUS } from "../abi.ts";
import { type HeaderMap, pairsSize, readPairs, writePairs } from "../headers.ts";
import type { Context, Vm } from "../vm.ts";
import { EMPTY, give, outside, point } from "./give.ts";

export function headerMaps(vm: Vm): WebAssembly.ModuleImports {
  /** The map for a writing call, or the status to answer with. */
  function writable(call: string, type: number): HeaderMap | number {
    const map = readable(call, type);
    if (typeof map !== "number" && vm.context(call).stream?.logging) {
      return vm.refuse(STATUS.badArgument, `${call}: headers cannot be changed in proxy_on_log`);
    }
    return map;
  }

  function readable(call: string, type: number): HeaderMap | number {
    const context = vm.context(call);
    const name = MAP_NAMES[type];
    if (name === undefined) return vm.refuse(STATUS.badArgument, `${call}: header map ${type} does not exist`);
    const map = findMap(vm, context, type);
    if (map !== null) return map;
    if (context.stream?.logging) return STATUS.notFound;
    return vm.refuse(STATUS.badArgument, `${call}: the ${name} cannot be read in this phase`);
  }

  function changed(call: string, type: number, keyAt: number, keySize: number): [HeaderMap, string] | number {
    const map = writable(call, type);
    if (typeof map === "number") return map;
    const key = vm.memory.latin1(keyAt, keySize);
    return key === null ? outside(vm, call, keyAt, keySize) : [map, key.toLowerCase()];
  }

  return {
    proxy_get_header_map_pairs(type: number, valueAt: number, sizeAt: number): number {
      const name = "proxy_get_header_map_pairs";
      const map = readable(name, type);
      // Envoy answers Ok with no pairs where the map cannot be read.
      if (typeof map === "number" || map.size === 0) {
        return type >>> 0 >= MAP_NAMES.length ? STATUS.badArgument : give(vm, name, EMPTY, valueAt, sizeAt);
      }
      const size = pairsSize(map);
      const at = vm.allocate(size);
      if (at === 0) return STATUS.invalidMemoryAccess;
      writePairs(map, vm.memory.bytes, at);
      return point(vm, name, at, size, valueAt, sizeAt);
    },

    proxy_set_header_map_pairs(type: number, at: number, size: number): number {
      const name = "proxy_set_header_map_pairs";
      const map = writable(name, type);
      if (typeof map === "number") return map;
      const block = vm.memory.run(at, size);
      if (block === null) return outside(vm, name, at, size);
      const pairs = readPairs(block);
      if (pairs === null) vm.refuse(STATUS.ok, `${name}: the headers are not well-formed pairs`);
      map.clear();
      pairs?.names.forEach((key, i) => map.add(key, pairs.values[i]!));
      return STATUS.ok;
    },

    proxy_get_header_map_value(type: number, keyAt: number, keySize: number, valueAt: number, sizeAt: number): number {
      const name = "proxy_get_header_map_value";
      const map = readable(name, type);
      if (typeof map === "number") return map;
      const key = vm.memory.latin1(keyAt, keySize);
      if (key === null) return outside(vm, name, keyAt, keySize);
      const value = map.get(key.toLowerCase());
      return value === null ? STATUS.notFound : give(vm, name, value, valueAt, sizeAt);
    },

    proxy_add_header_map_value(type: number, keyAt: number, keySize: number, at: number, size: number): number {
      const found = changed("proxy_add_header_map_value", type, keyAt, keySize);
      if (typeof found === "number") return found;
      const value = vm.memory.run(at, size);
      if (value === null) return outside(vm, "proxy_add_header_map_value", at, size);
      found[0].add(found[1], Buffer.from(value));
      return STATUS.ok;
    },

    proxy_replace_header_map_value(type: number, keyAt: number, keySize: number, at: number, size: number): number {
      const found = changed("proxy_replace_header_map_value", type, keyAt, keySize);
      if (typeof found === "number") return found;
      const value = vm.memory.run(at, size);
      if (value === null) return outside(vm, "proxy_replace_header_map_value", at, size);
      found[0].set(found[1], Buffer.from(value));
      return STATUS.ok;
    },

    proxy_remove_header_map_value(type: number, keyAt: number, keySize: number): number {
      const found = changed("proxy_remove_header_map_value", type, keyAt, keySize);
      if (typeof found === "number") return found;
      found[0].remove(found[1]);
      return STATUS.ok;
    },

    proxy_get_header_map_size(type: number, at: number): number {
      const map = readable("proxy_get_header_map_size", type);
      if (typeof map === "number") return map;
      return vm.memory.putU32(at, map.byteSize) ? STATUS.ok : outside(vm, "proxy_get_header_map_size", at, 4);
    },
  };
}

function findMap(vm: Vm, { stream }: Context, type: number): HeaderMap | null {
  switch (type) {
    case MAP.requestHeaders:
      return stream?.readableRequestHeaders ?? null;
    case MAP.requestTrailers:
      return stream?.request.readableTrailers ?? null;
    case MAP.responseHeaders:
      return stream?.readableResponseHeaders ?? null;
    case MAP.responseTrailers:
      return stream?.readableResponseTrailers ?? null;
    case MAP.callResponseHeaders:
      return vm.callResult?.headers ?? null;
    case MAP.callResponseTrailers:
      return vm.callResult?.trailers ?? null;
  }
  return null;
}
