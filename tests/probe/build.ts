// Compiles a probe (`tests/probe/NAME.ts`, an AssemblyScript entry that exports what a test wants to call) and instantiates it.
//
// The Wasm is kept in `dist/probe/NAME.TARGET.wasm` and compiled again where what it is made of has changed. The checked target is
// the default, so that the module's own asserts trap in tests. Values are written to pages behind the module's static
// memory; behind each value stand 32 quotes, so that a reader that runs past its end sees a break-out it must not see.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compileWasm, probeBuild, type WasmBuild } from "../../scripts/build/wasm.ts";
import { packageRoot } from "../../scripts/package.ts";

const PAGE = 65_536;
/** Bytes that values of one probe share; a write that does not fit starts again at the front. */
const ARENA = 16 * PAGE;
/** Readable bytes that the module may expect behind a value. */
const TAIL = 32;

export type ProbeFunctions = Record<string, (...values: number[]) => number>;

export interface Probe<Exports> {
  /** The probe's exports; a `u32` comes back signed (`>>> 0` makes it a count). */
  exports: Exports;
  memory: WebAssembly.Memory;
  /** Puts bytes (text as UTF-8) into memory and returns `[start, end]`, valid until 1 MiB more has been written. */
  write(value: string | Uint8Array): [start: number, end: number];
  /** A copy of `start..end`. */
  bytes(start: number, end: number): Uint8Array;
  /** `start..end` as UTF-8 text. */
  text(start: number, end: number): string;
}

export interface ProbeOptions {
  /** Build as shipped, without asserts: for measurements. */
  release?: boolean;
  /** Build without SIMD, and without asserts. */
  baseline?: boolean;
}

/** Compiles where needed and instantiates `tests/probe/NAME.ts`. Throws with the compiler's text where it does not compile. */
export async function buildProbe<Exports = ProbeFunctions>(
  name: string,
  options: ProbeOptions = {},
): Promise<Probe<Exports>> {
  const module = await compileProbe(name, options);
  const instance = await WebAssembly.instantiate(module, {});
  const { memory, ...functions } = instance.exports as { memory: WebAssembly.Memory };
  const base = memory.grow(ARENA / PAGE) * PAGE;
  let at = base;
  return {
    exports: functions as Exports,
    memory,
    write(value) {
      const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
      if (bytes.length + TAIL > ARENA) throw new RangeError(`a probe takes at most ${ARENA - TAIL} bytes at once`);
      if (at + bytes.length + TAIL > base + ARENA) at = base;
      const start = at;
      const end = start + bytes.length;
      const view = new Uint8Array(memory.buffer);
      view.set(bytes, start);
      view.fill(0x27, end, end + TAIL);
      at = end + TAIL;
      return [start, end];
    },
    bytes: (start, end) => new Uint8Array(memory.buffer).slice(start >>> 0, end >>> 0),
    text: (start, end) =>
      new TextDecoder().decode(new Uint8Array(memory.buffer, start >>> 0, (end >>> 0) - (start >>> 0))),
  };
}

/** Probes by file: test files that share a process share them. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** Compiles `tests/probe/NAME.ts` where needed. Throws with the compiler's text where it does not compile. */
export function compileProbe(name: string, options: ProbeOptions = {}): Promise<WebAssembly.Module> {
  const target = options.baseline === true ? "baseline" : options.release === true ? "release" : "checked";
  const build = probeBuild(name, target);
  const known = compiled.get(build.outFile) ?? compile(build);
  compiled.set(build.outFile, known);
  return known;
}

async function compile(build: WasmBuild): Promise<WebAssembly.Module> {
  await compileWasm(build);
  return WebAssembly.compile(await readFile(join(packageRoot(), build.outFile)));
}
