// Log, time, properties and contexts.

import { LOG_LEVELS, STATUS } from "../abi.ts";
import { findProperty, serializeProperty } from "../property.ts";
import type { Vm } from "../vm.ts";
import { give, outside } from "./give.ts";

const NANOSECONDS = 1_000_000n;

export function general(vm: Vm): WebAssembly.ModuleImports {
  return {
    proxy_log(level: number, at: number, size: number): number {
      const context = vm.context("proxy_log");
      const name = LOG_LEVELS[level];
      if (name === undefined) return vm.refuse(STATUS.badArgument, `proxy_log: level ${level} does not exist`);
      const message = vm.memory.run(at, size);
      if (message === null) return outside(vm, "proxy_log", at, size);
      vm.host.logged(name, message.toString("utf8"), context);
      return STATUS.ok;
    },

    proxy_get_status(codeAt: number, textAt: number, sizeAt: number): number {
      vm.context("proxy_get_status");
      const { status, message } = vm.callResult ?? { status: 0, message: "" };
      if (!vm.memory.putU32(codeAt, status)) return outside(vm, "proxy_get_status", codeAt, 4);
      return give(vm, "proxy_get_status", Buffer.from(message), textAt, sizeAt);
    },

    proxy_set_tick_period_milliseconds(period: number): number {
      vm.setTimer(vm.context("proxy_set_tick_period_milliseconds").root, period >>> 0);
      return STATUS.ok;
    },

    proxy_get_current_time_nanoseconds(at: number): number {
      vm.context("proxy_get_current_time_nanoseconds");
      const time = BigInt(Math.round(vm.host.clock.now)) * NANOSECONDS;
      return vm.memory.putU64(at, time) ? STATUS.ok : outside(vm, "proxy_get_current_time_nanoseconds", at, 8);
    },

    proxy_get_property(pathAt: number, pathSize: number, valueAt: number, sizeAt: number): number {
      const context = vm.context("proxy_get_property");
      const path = vm.memory.latin1(pathAt, pathSize);
      if (path === null) return outside(vm, "proxy_get_property", pathAt, pathSize);
      const value = findProperty(context, path);
      if (value === undefined) return STATUS.notFound;
      const bytes = serializeProperty(value);
      if (typeof bytes === "number") return bytes;
      return give(vm, "proxy_get_property", bytes, valueAt, sizeAt);
    },

    proxy_set_property(pathAt: number, pathSize: number, valueAt: number, valueSize: number): number {
      const context = vm.context("proxy_set_property");
      const path = vm.memory.latin1(pathAt, pathSize);
      if (path === null) return outside(vm, "proxy_set_property", pathAt, pathSize);
      const value = vm.memory.run(valueAt, valueSize);
      if (value === null) return outside(vm, "proxy_set_property", valueAt, valueSize);
      if (context.stream === null) return vm.refuse(STATUS.notFound, "proxy_set_property: there is no stream");
      context.stream.filterState.set(`wasm.${path}`, Buffer.from(value));
      return STATUS.ok;
    },

    proxy_set_effective_context(id: number): number {
      vm.context("proxy_set_effective_context");
      const context = vm.contexts.get(id >>> 0);
      if (context === undefined) {
        return vm.refuse(STATUS.badArgument, `proxy_set_effective_context: context ${id >>> 0} does not exist`);
      }
      vm.setEffective(context);
      return STATUS.ok;
    },

    proxy_done(): number {
      const { root } = vm.context("proxy_done");
      if (!root.closing) return vm.refuse(STATUS.notFound, "proxy_done: proxy_on_done did not ask to wait");
      root.closing = false;
      vm.defer(() => vm.delete(root));
      return STATUS.ok;
    },

    proxy_call_foreign_function(
      nameAt: number,
      nameSize: number,
      dataAt: number,
      dataSize: number,
      _valueAt: number,
      _sizeAt: number,
    ): number {
      vm.context("proxy_call_foreign_function");
      if (!vm.memory.holds(nameAt, nameSize)) return outside(vm, "proxy_call_foreign_function", nameAt, nameSize);
      if (!vm.memory.holds(dataAt, dataSize)) return outside(vm, "proxy_call_foreign_function", dataAt, dataSize);
      return STATUS.notFound;
    },
  };
}
