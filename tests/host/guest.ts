// Compiles guests for the host's tests: modules of `tests/probe/guest-NAME.ts`, kept in `dist/probe` until what they are made of
// changes, and small ones from text.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compileWasm, guestBuild } from "../../scripts/build/wasm.ts";
import { createEnvoyProcess, type EnvoyProcess, type Plugin, type PluginOptions } from "../../scripts/host/index.ts";
import type { ProcessOptions } from "../../scripts/host/index.ts";
import { packageRoot } from "../../scripts/package.ts";

/** The bytes of `tests/probe/guest-NAME.ts`. Throws with the compiler's text where it does not compile. */
export async function guest(name: string): Promise<Uint8Array> {
  const build = guestBuild(name);
  await compileWasm(build);
  return readFile(join(packageRoot(), build.outFile));
}

/** The bytes of a guest given as AssemblyScript text, with the ABI's version mark and an allocator in front of it. */
export async function guestFrom(source: string, head: string = HEAD): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  await compile(["guest.ts", "--outFile", "guest.wasm"], {
    readFile: (name: string) => (name.replaceAll("\\", "/").endsWith("guest.ts") ? head + source : null),
    writeFile: (name: string, contents: Uint8Array | string) => {
      if (name.endsWith(".wasm") && typeof contents !== "string") bytes = contents;
    },
  });
  if (bytes === undefined) throw new Error("the guest gave no Wasm");
  return bytes;
}

const HEAD = `
export function proxy_abi_version_0_2_1(): void {}
export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size); }
`;

async function compile(args: string[], files: object): Promise<void> {
  const asc = await import("assemblyscript/asc");
  const stderr = asc.createMemoryStream();
  const options = ["--runtime", "stub", "--use", "abort=", "-O2"];
  const { error } = await asc.main([...args, ...options], { stdout: asc.createMemoryStream(), stderr, ...files });
  if (error) throw new Error(`the guest does not compile:\n${stderr.toString()}`);
}

/** A process with the scripted guest as its plugin. */
export interface Bench {
  envoy: EnvoyProcess;
  plugin: Plugin;
  /** Takes the lines logged since the last call. */
  lines(): string[];
}

/** Sets the scripted guest up with a script; throws where the canary refuses it. */
export async function scripted(
  script: string,
  options: Partial<PluginOptions> & { process?: ProcessOptions } = {},
): Promise<Bench> {
  const { process: processOptions, ...pluginOptions } = options;
  let log: string[] = [];
  const envoy = createEnvoyProcess({ ...processOptions, log: (_level, message) => log.push(message) });
  const plugin = await envoy.addPlugin({ name: "script", module: await guest("script"), ...pluginOptions });
  if (!plugin.configure(script).accepted) throw new Error("the script was refused");
  log = [];
  return {
    envoy,
    plugin,
    lines: () => {
      const taken = log;
      log = [];
      return taken;
    },
  };
}
