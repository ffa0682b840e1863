// Decides whether Envoy would load a module: the imports it asks for, the exports it offers, and their types.

import { EXPORTS, IMPORTS } from "./abi.ts";
import { HostError } from "./errors.ts";
import { readSignatures } from "./signature.ts";

/** The module's bytes, or a module compiled from them (then the types of its functions are taken on trust). */
export type ModuleSource = Uint8Array | WebAssembly.Module;

const VERSION = "proxy_abi_version_0_2_1";

/**
 * Compiles a module and refuses what Envoy would refuse, with the name at fault: unknown imports, no ABI version, no memory, no
 * allocator, functions of the wrong type. Also refuses an export named `proxy_…` that the ABI does not know: Envoy would never
 * call it.
 */
export async function loadModule(source: ModuleSource): Promise<WebAssembly.Module> {
  const module = source instanceof WebAssembly.Module ? source : await compile(source);
  for (const entry of WebAssembly.Module.imports(module)) {
    const name = `${entry.module}.${entry.name}`;
    if (entry.kind !== "function" || !(name in IMPORTS)) {
      throw new HostError(`the module imports ${name} (${entry.kind}), which the host does not offer`);
    }
  }
  const exported = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  if (exported.get(VERSION) !== "function") throw new HostError(`the module does not export ${VERSION}`);
  if (exported.get("memory") !== "memory") throw new HostError("the module does not export its memory");
  if (exported.get("proxy_on_memory_allocate") !== "function" && exported.get("malloc") !== "function") {
    throw new HostError("the module exports neither proxy_on_memory_allocate nor malloc");
  }
  for (const name of exported.keys()) {
    if (name.startsWith("proxy_") && !(name in EXPORTS)) {
      throw new HostError(`the module exports ${name}, which ABI 0.2.1 does not know`);
    }
  }
  if (source instanceof Uint8Array) checkTypes(source);
  return module;
}

async function compile(bytes: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new HostError(`the module does not compile: ${String((cause as Error).message)}`, { cause });
  }
}

function checkTypes(bytes: Uint8Array): void {
  const { imports, exports } = readSignatures(bytes);
  for (const [name, type] of imports) refuseMismatch("imports", name, type, IMPORTS[name]);
  for (const [name, type] of exports) refuseMismatch("exports", name, type, EXPORTS[name]);
}

function refuseMismatch(verb: string, name: string, type: string, wanted: string | undefined): void {
  if (wanted !== undefined && wanted !== type) {
    throw new HostError(`the module ${verb} ${name} as (${type}), the ABI has (${wanted})`);
  }
}
