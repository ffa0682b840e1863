// Continuing, closing and answering a stream.

import { STATUS, STREAM } from "../abi.ts";
import { HeaderMap, readPairs } from "../headers.ts";
import type { Stream } from "../stream.ts";
import type { Context, Vm } from "../vm.ts";
import { outside } from "./give.ts";

export function streams(vm: Vm): WebAssembly.ModuleImports {
  return {
    proxy_continue_stream(type: number): number {
      const context = vm.context("proxy_continue_stream");
      const stream = httpStream(vm, "proxy_continue_stream", context, type);
      if (stream === null) return STATUS.badArgument;
      const half = type === STREAM.request ? stream.request : stream.response;
      if (half.pause === 0 && !stream.finished) {
        vm.refuse(STATUS.ok, `proxy_continue_stream(${type}): that direction of stream ${stream.id} is not paused`);
      }
      vm.defer(() => stream.resume(half));
      stream.forgetRequest();
      return STATUS.ok;
    },

    proxy_close_stream(type: number): number {
      const context = vm.context("proxy_close_stream");
      const stream = httpStream(vm, "proxy_close_stream", context, type);
      if (stream === null) return STATUS.badArgument;
      vm.defer(() => stream.close("wasm_close_stream"));
      return STATUS.ok;
    },

    proxy_send_local_response(
      status: number,
      detailsAt: number,
      detailsSize: number,
      bodyAt: number,
      bodySize: number,
      headersAt: number,
      headersSize: number,
      grpcStatus: number,
    ): number {
      const name = "proxy_send_local_response";
      const { stream } = vm.context(name);
      const details = vm.memory.run(detailsAt, detailsSize);
      if (details === null) return outside(vm, name, detailsAt, detailsSize);
      const body = vm.memory.run(bodyAt, bodySize);
      if (body === null) return outside(vm, name, bodyAt, bodySize);
      const block = vm.memory.run(headersAt, headersSize);
      if (block === null) return outside(vm, name, headersAt, headersSize);
      const headers = headersSize === 0 ? NO_HEADERS : readPairs(block);
      if (headers === null) vm.refuse(STATUS.ok, `${name}: the headers are not well-formed pairs`);
      if (status < 200 || status > 599) vm.refuse(STATUS.ok, `${name}: ${status} is not a response status`);
      vm.stopIteration = true;
      if (stream === null) return vm.refuse(STATUS.ok, `${name}: there is no stream`);
      if (stream.finished) return vm.refuse(STATUS.ok, `${name}: stream ${stream.id} has ended`);
      if (stream.replying) return vm.refuse(STATUS.ok, `${name}: stream ${stream.id} has a local response already`);
      stream.replying = true;
      const reply = {
        status,
        details: details.toString("latin1").replaceAll(/[ \t\n\v\f\r]/g, "_"),
        body: Buffer.from(body),
        headers: headers ?? NO_HEADERS,
        // Envoy takes anything outside its known codes as "none".
        grpcStatus: grpcStatus >= 0 && grpcStatus <= 16 ? grpcStatus : null,
      };
      vm.defer(() => stream.sendLocal(reply));
      return STATUS.ok;
    },

    proxy_clear_route_cache(): number {
      vm.context("proxy_clear_route_cache");
      return STATUS.ok;
    },
  };
}

const NO_HEADERS = new HeaderMap();

/** The stream of a context where `type` is an HTTP direction; else refused, with null in lenient mode. */
function httpStream(vm: Vm, call: string, context: Context, type: number): Stream | null {
  if (type !== STREAM.request && type !== STREAM.response) {
    vm.refuse(STATUS.badArgument, `${call}: ${type} is not a direction of an HTTP stream`);
    return null;
  }
  if (context.stream === null) vm.refuse(STATUS.ok, `${call}: there is no stream`);
  return context.stream;
}
