/**
 * Brings up to date what the package carries (dist/: the module's builds, the tool, the collector's page) and what the tests compile, and checks both:
 *
 *     node --import tsx scripts/build/main.ts [module] [bench] [tool] [page] [probes] [lint] [check] [baseline]
 *
 * What is current is left alone (step.ts says what that means), the rest is done side by side. `lint` is layout, ESLint and types;
 * `check` runs the gates of check-wasm on the module. `baseline` builds the module without SIMD, for a host that has none; nothing
 * of the package uses it.
 */
import { createHash } from "node:crypto";
import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot, readModule } from "../package.ts";
import { problemsOfCallGraph, problemsOfModule } from "./check-wasm.ts";
import type { Compiled } from "./compiler.ts";
import { PAGE_SOURCES, bundlePage } from "./page.ts";
import { bring, type Outputs, type Step } from "./step.ts";
import { CHECKED_TEXT, isCompiled, MODULE_BUILDS, testBuilds, type WasmBuild } from "./wasm.ts";

/** Jobs at a time. */
const LANES = 2;
const root = packageRoot();

/** Something to do in a lane; `compile` does it in the lane's own compiler. */
interface Job {
  name: string;
  run(compile: (build: WasmBuild) => Promise<void>): Promise<unknown>;
}

/** Runs a script of a dependency with Node; rejects with its output where it fails. */
async function run(script: string, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [join(root, "node_modules", script), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${[basename(script), ...args].join(" ")} failed:\n${output}`);
}

const compiling = (build: WasmBuild): Job => ({ name: build.outFile, run: (compile) => compile(build) });

/** Files of the package in folders and next to them that end in one of `endings`; what is made or installed is left out. */
async function files(folders: readonly string[], endings: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!["node_modules", "dist", ".git", ".cache"].includes(entry.name))
          found.push(...(await files([path], endings)));
      } else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
    }
  }
  return found;
}

/** The tool's sources and what else decides its types. */
const toolSources = async (): Promise<string[]> => [
  ...(await files(["scripts", "collector", "envoy", "istio", "testing"], [".ts"])),
  ...["package.json", "tsconfig.json", "tsconfig.build.json"],
];

/** What every check of types reads: no AssemblyScript but the probes, which stand beside the tests. */
const typed = async (): Promise<string[]> => [...(await toolSources()), ...(await files(["tests"], [".ts", ".json"]))];

/** A check that leaves nothing: it is done again where what it read has changed. */
const checking = (name: string, inputs: () => Promise<string[]>, script: string, ...args: string[]): Job => ({
  name,
  run: async () =>
    bring({ name, inputs: await inputs(), options: args }, async () => {
      await run(script, ...args);
      return new Map();
    }),
});

/** The tool, compiled to a folder of its own first: what a broken run leaves there is never taken. */
const tool: Job = {
  name: "tool",
  run: async () => {
    const step: Step = { name: "tool", inputs: await toolSources() };
    await bring(step, async (): Promise<Outputs> => {
      await mkdir(join(root, ".cache"), { recursive: true });
      const folder = await mkdtemp(join(root, ".cache/tool-"));
      try {
        await run("typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", folder);
        const made = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
          entry.isFile(),
        );
        const paths = made.map((entry) => join(entry.parentPath, entry.name));
        return new Map(
          await Promise.all(
            paths.map(async (path): Promise<[string, Buffer]> => [
              join("dist", path.slice(folder.length)),
              await readFile(path),
            ]),
          ),
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
    chmodSync(join(root, "dist/scripts/cli.js"), 0o755);
  },
};

/** The collector's page: its own sources, and the API's types. */
const pageSources = async (): Promise<string[]> => [
  ...(await files([PAGE_SOURCES], [""])),
  ...["collector/api.ts", "tsconfig.json", "scripts/build/page.ts"],
];

const page: Job = {
  name: "page",
  run: async () => bring({ name: "page", inputs: await pageSources() }, () => bundlePage(root)),
};

/** Names what is installed. */
function installed(): string {
  const packages = readFileSync(join(root, "node_modules/.package-lock.json"));
  return createHash("sha256").update(packages).digest("hex").slice(0, 12);
}

/** The longest first, so that the lanes end together. */
const steps: Record<string, () => Job[]> = {
  module: () => [compiling(MODULE_BUILDS.release), compiling(MODULE_BUILDS.checked)],
  bench: () => [compiling(MODULE_BUILDS.bench), compiling(MODULE_BUILDS.floor)],
  lint: () => [
    // Its rules ask for types, which other files decide: a cache by file would miss what changes there.
    checking(
      "eslint",
      async () => [...(await typed()), ...(await pageSources()), ...(await files(["."], [".js", ".mjs", ".cjs"]))],
      "eslint/bin/eslint.js",
      ".",
    ),
    checking(
      "types",
      typed,
      "typescript/bin/tsc",
      ...["-p", "tsconfig.json", "--incremental", "--tsBuildInfoFile", ".cache/types.tsbuildinfo"],
    ),
    checking("page-types", pageSources, "typescript/bin/tsc", "-p", PAGE_SOURCES),
    // Its own cache spares the files that have not changed; it does not know of its plugin's version.
    checking(
      "prettier",
      async () => files(["."], [""]),
      "prettier/bin/prettier.cjs",
      ...["--check", "--log-level", "warn", "--cache", "--cache-strategy", "content"],
      ...["--cache-location", `.cache/prettier-${installed()}`, "."],
    ),
  ],
  tool: () => [tool],
  page: () => [page],
  probes: () => testBuilds().map(compiling),
  baseline: () => [compiling(MODULE_BUILDS.baseline)],
  check: () => [],
};

const { positionals } = parseArgs({ allowPositionals: true });
const asked = positionals.length === 0 ? ["module", "bench", "tool", "page"] : positionals;
const unknown = asked.find((name) => steps[name] === undefined);
if (unknown !== undefined) throw new Error(`no step ${unknown}; there are ${Object.keys(steps).join(", ")}`);

const problems: string[] = [];
await inLanes(asked.flatMap((name) => steps[name]!()));
if (problems.length === 0 && asked.includes("check")) checkModule();
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** Does all jobs, and says what it did and how long that took. */
async function inLanes(jobs: Job[]): Promise<void> {
  const lane = async (): Promise<void> => {
    let compiler: ChildProcess | undefined;
    const compile = async (build: WasmBuild): Promise<void> => {
      if (await isCompiled(build)) return;
      compiler ??= fork(new URL("compiler.ts", import.meta.url));
      compiler.send(build);
      const [{ error }] = (await once(compiler, "message")) as [Compiled];
      if (error !== undefined) throw new Error(error);
    };
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const begun = performance.now();
      try {
        await job.run(compile);
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
      const seconds = (performance.now() - begun) / 1000;
      if (seconds > 1) console.log(`${job.name}: ${seconds.toFixed(1)} s`);
    }
    compiler?.disconnect();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

function checkModule(): void {
  const text = readFileSync(join(root, CHECKED_TEXT), "utf8");
  const module = readModule();
  const found = [...problemsOfModule(new Uint8Array(module)), ...problemsOfCallGraph(text)];
  if (found.length > 0) problems.push(`check-wasm:\n  ${found.join("\n  ")}`);
  else console.log(`check-wasm: ${module.byteLength} bytes, imports and request path are clean`);
}
