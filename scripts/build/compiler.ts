/** A process that compiles what it is sent: a compiler that has run before is several times faster. */
import { compileWasm, type WasmBuild } from "./wasm.ts";

/** `error` where it does not compile. */
export interface Compiled {
  error?: string;
}

process.on("message", (build: WasmBuild) => {
  const answer = (compiled: Compiled): void => void process.send?.(compiled);
  compileWasm(build).then(
    () => answer({}),
    (error: unknown) => answer({ error: String(error instanceof Error ? error.message : error) }),
  );
});
