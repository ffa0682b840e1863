// A Proxy-Wasm ABI 0.2.1 host that behaves as Envoy 1.40 does, for `scan`, `verify` and tests. It runs a module in this process:
//
//   const envoy = createEnvoyProcess();
//   const plugin = await envoy.addPlugin({ name: "meshward", vmId: "meshward", module: bytes });
//   plugin.configure(text);                                  // { accepted, live }
//   plugin.exchange({ method: "POST", path: "/a", headers: [["host", "x"]] }, { body: "q=1" }).outcome;
//   envoy.advance(1000);                                     // virtual time: ticks run
//   envoy.metrics().get("wasmcustom.…");
//
// `plugin.openStream` gives the same step by step. A mistake of the module throws HostError (`strict: false`: Envoy's status).

export type { LogLevel } from "./abi.ts";
export type { Breakage, HttpCall, HttpCallResponse } from "./http-call.ts";
export { HostError } from "./errors.ts";
export { VERDICT_KEY, type Exchange, type ExchangeOptions } from "./exchange.ts";
export type { Received } from "./half.ts";
export { HeaderMap, type Header } from "./headers.ts";
export type { HistogramValue, MetricValue } from "./metrics.ts";
export type { ModuleSource } from "./module.ts";
export type { Plugin, PluginOptions } from "./plugin.ts";
export { createEnvoyProcess, type EnvoyProcess, type LogLine, type ProcessOptions } from "./process.ts";
export type { PropertyTree, PropertyValue } from "./property.ts";
export type { RequestInit } from "./request.ts";
export type { Outcome, ResponseInit, Stream, StreamInit } from "./stream.ts";
