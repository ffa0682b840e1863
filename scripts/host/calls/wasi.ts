// The calls of WASI that a module may make: random bytes, and its environment.

import type { Vm } from "../vm.ts";
import { outside } from "./give.ts";

/** WASI's own error numbers. */
const WASI = { success: 0, fault: 21 } as const;

export function wasi(vm: Vm): WebAssembly.ModuleImports {
  const entries = Object.entries(vm.kind.environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  return {
    random_get(at: number, size: number): number {
      vm.context("random_get");
      const out = vm.memory.run(at, size);
      if (out === null) {
        outside(vm, "random_get", at, size);
        return WASI.fault;
      }
      vm.host.random(out);
      return WASI.success;
    },

    environ_sizes_get(countAt: number, sizeAt: number): number {
      vm.context("environ_sizes_get");
      const size = entries.reduce((sum, entry) => sum + entry.length, 0);
      if (vm.memory.putU32(countAt, entries.length) && vm.memory.putU32(sizeAt, size)) return WASI.success;
      outside(vm, "environ_sizes_get", countAt, 4);
      return WASI.fault;
    },

    /** Writes `NAME=VALUE NUL` of each variable one behind the other at `at`, and where each begins at `pointersAt`. */
    environ_get(pointersAt: number, at: number): number {
      vm.context("environ_get");
      let out = at;
      for (const [i, entry] of entries.entries()) {
        const run = vm.memory.run(out, entry.length);
        if (run === null || !vm.memory.putU32(pointersAt + 4 * i, out)) {
          outside(vm, "environ_get", out, entry.length);
          return WASI.fault;
        }
        run.set(entry);
        out += entry.length;
      }
      return WASI.success;
    },
  };
}
