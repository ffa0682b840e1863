// The one call of WASI that a module may make.

import type { Vm } from "../vm.ts";
import { outside } from "./give.ts";

/** WASI's own error numbers. */
const WASI = { success: 0, fault: 21 } as const;

export function wasi(vm: Vm): WebAssembly.ModuleImports {
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
  };
}
