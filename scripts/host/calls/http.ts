// Requests that the module makes itself.

import { STATUS } from "../abi.ts";
import { HttpCall } from "../http-call.ts";
import { HeaderMap, readPairs } from "../headers.ts";
import type { RootContext } from "../root.ts";
import type { Vm } from "../vm.ts";
import { outside } from "./give.ts";

/** Headers without which Envoy sends no request. */
const REQUIRED = [":method", ":path", ":authority"];

export function httpCalls(vm: Vm): WebAssembly.ModuleImports {
  const refuseGrpc = (): number => vm.refuse(STATUS.unimplemented, "the host does not make gRPC calls");
  return {
    proxy_http_call(
      clusterAt: number,
      clusterSize: number,
      headersAt: number,
      headersSize: number,
      bodyAt: number,
      bodySize: number,
      trailersAt: number,
      trailersSize: number,
      timeout: number,
      tokenAt: number,
    ): number {
      const call = "proxy_http_call";
      const root: RootContext = vm.context(call).root;
      const cluster = vm.memory.run(clusterAt, clusterSize);
      if (cluster === null) return outside(vm, call, clusterAt, clusterSize);
      const body = vm.memory.run(bodyAt, bodySize);
      if (body === null) return outside(vm, call, bodyAt, bodySize);
      const headers = vm.memory.run(headersAt, headersSize);
      if (headers === null) return outside(vm, call, headersAt, headersSize);
      const trailers = vm.memory.run(trailersAt, trailersSize);
      if (trailers === null) return outside(vm, call, trailersAt, trailersSize);
      const token = vm.nextCallToken();
      if (!vm.memory.putU32(tokenAt, token)) return outside(vm, call, tokenAt, 4);
      const headerMap = readPairs(headers);
      if (headerMap === null || REQUIRED.some((name) => headerMap.get(name) === null)) {
        return vm.refuse(STATUS.badArgument, `${call}: the headers lack :method, :path or :authority`);
      }
      const trailerMap = (trailersSize === 0 ? null : readPairs(trailers)) ?? new HeaderMap();
      const made = new HttpCall(root, token, cluster.toString(), headerMap, Buffer.from(body), trailerMap, timeout);
      return vm.host.made(made);
    },
    proxy_grpc_call: refuseGrpc,
    proxy_grpc_stream: refuseGrpc,
    proxy_grpc_cancel: refuseGrpc,
    proxy_grpc_close: refuseGrpc,
    proxy_grpc_send: refuseGrpc,
  };
}
