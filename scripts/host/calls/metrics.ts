// Custom metrics.

import { METRIC, STATUS } from "../abi.ts";
import { hasNumber, recordHistogram } from "../metrics.ts";
import type { Vm } from "../vm.ts";
import { outside } from "./give.ts";

export function metrics(vm: Vm): WebAssembly.ModuleImports {
  const unknown = (call: string, id: number): number =>
    vm.refuse(STATUS.notFound, `${call}: metric ${id >>> 0} was not defined in this VM`);
  return {
    proxy_define_metric(type: number, nameAt: number, nameSize: number, idAt: number): number {
      const call = "proxy_define_metric";
      vm.context(call);
      const name = vm.memory.run(nameAt, nameSize);
      if (name === null) return outside(vm, call, nameAt, nameSize);
      if (type >>> 0 > METRIC.histogram) return vm.refuse(STATUS.badArgument, `${call}: type ${type} does not exist`);
      const id = vm.metrics.give(vm.host.metricStore.define(type, name.toString("utf8")));
      return vm.memory.putU32(idAt, id) ? STATUS.ok : outside(vm, call, idAt, 4);
    },

    proxy_increment_metric(id: number, offset: bigint): number {
      const call = "proxy_increment_metric";
      vm.context(call);
      if (!hasNumber(id)) return vm.refuse(STATUS.badArgument, `${call}: metric ${id >>> 0} is not a counter or gauge`);
      const metric = vm.metrics.get(id);
      if (metric === undefined) return unknown(call, id);
      if (metric.type === METRIC.counter && offset <= 0n) {
        return vm.refuse(STATUS.badArgument, `${call}: a counter cannot change by ${offset}`);
      }
      metric.value = BigInt.asUintN(64, metric.value + offset);
      return STATUS.ok;
    },

    proxy_record_metric(id: number, value: bigint): number {
      const call = "proxy_record_metric";
      vm.context(call);
      const metric = vm.metrics.get(id);
      if (metric === undefined) return unknown(call, id);
      const whole = BigInt.asUintN(64, value);
      if (metric.type === METRIC.histogram) recordHistogram(metric.histogram, Number(whole));
      else metric.value = metric.type === METRIC.counter ? metric.value + whole : whole;
      return STATUS.ok;
    },

    proxy_get_metric(id: number, at: number): number {
      const call = "proxy_get_metric";
      vm.context(call);
      if (!hasNumber(id)) return vm.refuse(STATUS.badArgument, `${call}: metric ${id >>> 0} is not a counter or gauge`);
      const metric = vm.metrics.get(id);
      if (metric === undefined) return unknown(call, id);
      return vm.memory.putU64(at, metric.value) ? STATUS.ok : outside(vm, call, at, 8);
    },
  };
}
