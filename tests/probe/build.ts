// Compiles a probe (`tests/probe/NAME.ts`, an AssemblyScript entry that exports what a test wants to call) and instantiates it.
//
// The Wasm is kept in `dist/probe/NAME.TARGET.wasm` until a source under `assembly/` or the probe itself is newer. The checked
// target is the default, so that the module's own asserts trap in tests. Values are written to pages behind the module's static
// memory; behind each value stand 32 quotes, so that a reader that runs past its end sees a break-out it must not see.

import { mkdir, readFile, readdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
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

/** Compiles `tests/probe/NAME.ts` where needed. Throws with the compiler's text where it does not compile. */
export async function compileProbe(name: string, options: ProbeOptions = {}): Promise<WebAssembly.Module> {
  const target = options.baseline === true ? "baseline" : options.release === true ? "release" : "checked";
  const entry = `tests/probe/${name}.ts`;
  const outFile = `dist/probe/${name}.${target}.wasm`;
  if ((await modified(outFile)) <= (await newestSource(entry))) await compile(entry, target, outFile);
  return WebAssembly.compile(await readFile(join(ROOT, outFile)));
}

async function compile(entry: string, target: string, outFile: string): Promise<void> {
  const asc = await import("assemblyscript/asc");
  // Test files run in processes of their own: each writes a file of its own, and the rename makes it appear whole.
  const partial = `${outFile}.${process.pid}`;
  await mkdir(join(ROOT, dirname(outFile)), { recursive: true });
  const use = target === "checked" ? ["--use", "CHECKED=1"] : [];
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(
    [entry, "--baseDir", ROOT, "--target", target, "--use", "abort=", ...use, "--outFile", partial],
    { stdout: asc.createMemoryStream(), stderr },
  );
  if (error) throw new Error(`${entry} does not compile:\n${stderr.toString()}`);
  await rename(join(ROOT, partial), join(ROOT, outFile));
}

/** The newest change, in ms, of the entry, the compiler's options and the sources that it may import. */
async function newestSource(entry: string): Promise<number> {
  const sources = await readdir(join(ROOT, "assembly"), { recursive: true });
  const files = [
    entry,
    "asconfig.json",
    ...sources.filter((file) => file.endsWith(".ts")).map((file) => join("assembly", file)),
  ];
  return Math.max(...(await Promise.all(files.map(modified))));
}

/** When a file changed, in ms, or 0 where there is none. */
async function modified(file: string): Promise<number> {
  return stat(join(ROOT, file)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
