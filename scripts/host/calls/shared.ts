// Shared data and queues of the module's vm_id.

import { STATUS } from "../abi.ts";
import type { Vm } from "../vm.ts";
import { give, outside } from "./give.ts";

export function sharedState(vm: Vm): WebAssembly.ModuleImports {
  const { vmId } = vm.kind;
  return {
    proxy_get_shared_data(keyAt: number, keySize: number, valueAt: number, sizeAt: number, casAt: number): number {
      const name = "proxy_get_shared_data";
      vm.context(name);
      const key = vm.memory.latin1(keyAt, keySize);
      if (key === null) return outside(vm, name, keyAt, keySize);
      const found = vm.host.sharedData.get(vmId, key);
      if (found === undefined) return STATUS.notFound;
      const status = give(vm, name, found.value, valueAt, sizeAt);
      if (status !== STATUS.ok) return status;
      return vm.memory.putU32(casAt, found.cas) ? STATUS.ok : outside(vm, name, casAt, 4);
    },

    proxy_set_shared_data(keyAt: number, keySize: number, at: number, size: number, cas: number): number {
      const name = "proxy_set_shared_data";
      vm.context(name);
      const key = vm.memory.latin1(keyAt, keySize);
      if (key === null) return outside(vm, name, keyAt, keySize);
      const value = vm.memory.run(at, size);
      if (value === null) return outside(vm, name, at, size);
      return vm.host.sharedData.set(vmId, key, value, cas >>> 0) ? STATUS.ok : STATUS.casMismatch;
    },

    proxy_register_shared_queue(nameAt: number, nameSize: number, tokenAt: number): number {
      const call = "proxy_register_shared_queue";
      const { root } = vm.context(call);
      const name = vm.memory.latin1(nameAt, nameSize);
      if (name === null) return outside(vm, call, nameAt, nameSize);
      const token: number = vm.host.queues.register(vmId, name, () => vm.queueReady(root, token));
      return vm.memory.putU32(tokenAt, token) ? STATUS.ok : outside(vm, call, tokenAt, 4);
    },

    proxy_resolve_shared_queue(
      vmIdAt: number,
      vmIdSize: number,
      nameAt: number,
      nameSize: number,
      tokenAt: number,
    ): number {
      const call = "proxy_resolve_shared_queue";
      vm.context(call);
      const owner = vm.memory.latin1(vmIdAt, vmIdSize);
      if (owner === null) return outside(vm, call, vmIdAt, vmIdSize);
      const name = vm.memory.latin1(nameAt, nameSize);
      if (name === null) return outside(vm, call, nameAt, nameSize);
      const token = vm.host.queues.resolve(owner === "" ? vmId : owner, name);
      if (token === undefined) return STATUS.notFound;
      return vm.memory.putU32(tokenAt, token) ? STATUS.ok : outside(vm, call, tokenAt, 4);
    },

    proxy_enqueue_shared_queue(token: number, at: number, size: number): number {
      const call = "proxy_enqueue_shared_queue";
      vm.context(call);
      const data = vm.memory.run(at, size);
      if (data === null) return outside(vm, call, at, size);
      const queue = vm.host.queues.byToken(token >>> 0);
      if (queue === undefined) return STATUS.notFound;
      queue.items.push(Buffer.from(data));
      vm.defer(() => queue.ready());
      return STATUS.ok;
    },

    proxy_dequeue_shared_queue(token: number, valueAt: number, sizeAt: number): number {
      const call = "proxy_dequeue_shared_queue";
      vm.context(call);
      const queue = vm.host.queues.byToken(token >>> 0);
      if (queue === undefined) return STATUS.notFound;
      const item = queue.items.shift();
      return item === undefined ? STATUS.empty : give(vm, call, item, valueAt, sizeAt);
    },
  };
}
