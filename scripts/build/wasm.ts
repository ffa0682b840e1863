/** Compiles AssemblyScript where what it is made of has changed: the module's builds, and the probes and guests of the tests. */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { modulePath, packageRoot, type ModuleBuild } from "../package.ts";
import { bring, isCurrent, type Outputs, type Step } from "./step.ts";

/** A target of asconfig.json. */
type Target = "release" | "checked" | "baseline";

/** One run of the compiler. Paths are relative to the package's folder. */
export interface WasmBuild {
  entry: string;
  outFile: string;
  textFile?: string;
  /** The compiler's options. */
  options: string[];
}

/** What the compiler runs itself, by asconfig.json. */
const TRANSFORMS = ["scripts/build/ascii-texts.mjs", "scripts/build/memory-layout.mjs", "scripts/build/pack.mjs"];

/** The text of the checked build, which check-wasm reads. */
export const CHECKED_TEXT = "dist/meshward.checked.wat";

const dist = (build: ModuleBuild): string => relative(packageRoot(), modulePath(build));
const of = (target: Target): string[] => ["--target", target];
/** What only tests run is optimized little: that takes a fifth of the time. */
const QUICK = ["--optimizeLevel", "1"];

export const MODULE_BUILDS = {
  release: { entry: "assembly/index.ts", outFile: dist("release"), options: of("release") },
  checked: {
    entry: "assembly/index.ts",
    outFile: dist("checked"),
    textFile: CHECKED_TEXT,
    options: of("checked"),
  },
  floor: { entry: "assembly/floor.ts", outFile: dist("floor"), options: of("release") },
  bench: { entry: "assembly/bench.ts", outFile: dist("bench"), options: of("release") },
  baseline: { entry: "assembly/index.ts", outFile: "dist/meshward.baseline.wasm", options: of("baseline") },
} as const satisfies Record<string, WasmBuild>;

/** A probe: `tests/probe/NAME.ts`. The release target is for measurements, and optimized as what is shipped. */
export function probeBuild(name: string, target: Target = "checked"): WasmBuild {
  const options = target === "release" ? of(target) : [...of(target), ...QUICK];
  return { entry: `tests/probe/${name}.ts`, outFile: `dist/probe/${name}.${target}.wasm`, options };
}

/** A guest for the host's own tests: `tests/probe/guest-NAME.ts`. */
export function guestBuild(name: string): WasmBuild {
  return { entry: `tests/probe/guest-${name}.ts`, outFile: `dist/probe/guest-${name}.wasm`, options: QUICK };
}

/** What the tests compile. */
export function testBuilds(): WasmBuild[] {
  const names = readdirSync(join(packageRoot(), "tests/probe")).map((file) => file.replace(/\.ts$/, ""));
  return [
    ...names
      .filter((name) => name !== "build")
      .map((name) => (name.startsWith("guest-") ? guestBuild(name.slice("guest-".length)) : probeBuild(name))),
    // Holds the module with SIMD against the one without.
    probeBuild("fuzz", "baseline"),
  ];
}

/** Compiles in this process where it is out of date; says whether it did. Rejects with the compiler's text. */
export async function compileWasm(build: WasmBuild): Promise<boolean> {
  return bring(await stepOf(build), () => compile(build));
}

export async function isCompiled(build: WasmBuild): Promise<boolean> {
  return isCurrent(await stepOf(build));
}

async function stepOf({ entry, outFile, textFile, options }: WasmBuild): Promise<Step> {
  return {
    name: outFile,
    inputs: ["asconfig.json", ...TRANSFORMS, ...(await sourcesOf(entry, packageRoot()))],
    options: [options, textFile],
  };
}

async function compile({ entry, outFile, textFile, options }: WasmBuild): Promise<Outputs> {
  const asc = await import("assemblyscript/asc");
  const stderr = asc.createMemoryStream();
  const outputs = new Map<string, string | Uint8Array>();
  const text = textFile === undefined ? [] : ["--textFile", textFile];
  const { error } = await asc.main([entry, "--baseDir", packageRoot(), ...options, "--outFile", outFile, ...text], {
    stdout: asc.createMemoryStream(),
    stderr,
    writeFile: (name: string, contents: string | Uint8Array) => void outputs.set(name, contents),
  });
  if (error) throw new Error(`${entry} does not compile:\n${stderr.toString()}`);
  return outputs;
}

/** The file and all that it imports by a relative path, however deep; the compiler's own library comes with the package. */
export async function sourcesOf(entry: string, root: string): Promise<string[]> {
  const found = new Set([entry]);
  // A Set yields what is added while it is walked.
  for (const file of found) {
    const text = await readFile(join(root, file), "utf8").catch(() => "");
    for (const [, path] of text.matchAll(/\b(?:from|import)\s*["'](\.[^"']*)["']/g)) {
      const target = join(dirname(file), path!.replace(/\.ts$/, ""));
      // The compiler looks at both places; one that is missing is an input too.
      found.add(`${target}.ts`).add(`${target}/index.ts`);
    }
  }
  return [...found];
}
