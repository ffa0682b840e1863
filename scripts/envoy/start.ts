/** Starts whatever Envoy the resolver found. */
import { startContainer } from "./container.ts";
import type { Ulimits } from "./container.ts";
import { startProcess } from "./process.ts";
import type { Envoy } from "./resolve.ts";
import type { RunningEnvoy, StartOptions } from "./running.ts";

/** Resolves when Envoy takes requests; rejects with `EnvoyFailed`. */
export function startEnvoy(envoy: Envoy, options: StartOptions & { ulimits?: Ulimits }): Promise<RunningEnvoy> {
  return envoy.kind === "process"
    ? startProcess(envoy.binary, options)
    : startContainer({ ...options, image: envoy.image });
}
