/**
 * Builds what the package carries, into dist/: the release and checked modules, the tool. `check` runs the gates of check-wasm on
 * what was built.
 *
 *     node --import tsx scripts/build/main.ts [module] [bench] [tool] [check] [baseline]
 *
 * `baseline` builds the module without SIMD, for a host that has none; nothing of the package uses it.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { modulePath, packageRoot, readModule } from "../package.ts";
import { problemsOfCallGraph, problemsOfModule } from "./check-wasm.ts";

/** Runs a script of a dependency with Node; rejects with its output where it fails. */
async function run(script: string, args: readonly string[]): Promise<void> {
  const path = join(packageRoot(), "node_modules", script);
  const child = spawn(process.execPath, [path, ...args], { cwd: packageRoot(), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (output += text.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${[basename(script), ...args].join(" ")} failed:\n${output}`);
}

const compile = (target: string, entry = "assembly/index.ts", ...options: string[]): Promise<void> =>
  run("assemblyscript/bin/asc.js", [entry, "--target", target, ...options]);

async function buildModule(): Promise<void> {
  mkdirSync(dirname(modulePath()), { recursive: true });
  await Promise.all([compile("release"), compile("checked")]);
}

/** What `meshward bench` measures with. */
async function buildBench(): Promise<void> {
  await compile("release", "assembly/floor.ts", "--outFile", modulePath("floor"));
  await compile("release", "assembly/bench.ts", "--outFile", modulePath("bench"));
}

const baseline = (): Promise<void> => compile("baseline");

async function buildTool(): Promise<void> {
  await run("typescript/bin/tsc", ["-p", "tsconfig.build.json"]);
  chmodSync(join(packageRoot(), "dist/scripts/cli.js"), 0o755);
}

async function check(): Promise<void> {
  await compile("debug");
  const text = readFileSync(join(packageRoot(), "dist/meshward.debug.wat"), "utf8");
  const problems = [...problemsOfModule(new Uint8Array(readModule())), ...problemsOfCallGraph(text)];
  if (problems.length > 0) throw new Error(`check-wasm:\n  ${problems.join("\n  ")}`);
  console.log(`check-wasm: ${readModule().byteLength} bytes, imports and request path are clean`);
}

const steps: Record<string, () => Promise<void>> = {
  module: buildModule,
  bench: buildBench,
  tool: buildTool,
  check,
  baseline,
};

const { positionals: asked } = parseArgs({ allowPositionals: true });
for (const name of asked.length === 0 ? ["module", "bench", "tool"] : asked) {
  const step = steps[name];
  if (step === undefined) throw new Error(`no step ${name}; there are ${Object.keys(steps).join(", ")}`);
  await step();
}
