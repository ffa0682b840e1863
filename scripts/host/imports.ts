// The host calls of one VM. Each checks its pointers and its phase; a mistake of the module goes to `vm.refuse`, which throws
// HostError in strict mode and else answers with Envoy's status. A status that depends on data (not found, empty, cas mismatch)
// is returned in both.

import { buffers } from "./calls/buffers.ts";
import { general } from "./calls/general.ts";
import { headerMaps } from "./calls/headers.ts";
import { httpCalls } from "./calls/http.ts";
import { metrics } from "./calls/metrics.ts";
import { sharedState } from "./calls/shared.ts";
import { streams } from "./calls/streams.ts";
import { wasi } from "./calls/wasi.ts";
import type { Vm } from "./vm.ts";

/** The import object of one VM. */
export function createImports(vm: Vm): WebAssembly.Imports {
  const env = {
    ...general(vm),
    ...streams(vm),
    ...headerMaps(vm),
    ...buffers(vm),
    ...sharedState(vm),
    ...metrics(vm),
    ...httpCalls(vm),
  };
  return { env: watched(env, vm), wasi_snapshot_preview1: watched(wasi(vm), vm) };
}

/** The same calls, each told as it is made where somebody asked for that. */
function watched(calls: WebAssembly.ModuleImports, vm: Vm): WebAssembly.ModuleImports {
  const { hostCall } = vm.host;
  if (hostCall === undefined) return calls;
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      (...values: unknown[]): unknown => {
        hostCall(name);
        return (call as (...values: unknown[]) => unknown)(...values);
      },
    ]),
  );
}
