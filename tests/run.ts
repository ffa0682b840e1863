/**
 * Runs the tests and ends with one line: `N passed, N failed, N skipped`.
 *
 *     node --import tsx tests/run.ts [fast | container | mesh | full]
 *
 * `fast` leaves out what starts Envoy or a browser, installs the package, makes all tables anew or tries inputs by the thousand;
 * `container` runs what needs a container engine alone, `mesh` what needs the tools of Istio (tests/istio/mesh), `full` what needs a
 * Kubernetes API server besides (tests/istio/full). Skipped tests are listed with their reasons; the exit code is 1 where a test failed
 * or none ran.
 */
import { spawn } from "node:child_process";
import { setMaxListeners } from "node:events";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { bring, isCurrent } from "../scripts/build/step.ts";
import type { Step } from "../scripts/build/step.ts";
import { packageRoot } from "../scripts/package.ts";
import { endWithUs } from "../scripts/end-with-us.ts";

/** Folders below tests/ that need an Envoy, a browser, a registry or more time than the fast loop has. */
const SLOW: ReadonlySet<string> = new Set([
  "collector",
  "envoy",
  "page",
  "consumer",
  "bench",
  "soak",
  "generate",
  "evasion",
  "fuzz",
  "ground-truth",
  "image",
  "istio",
  "monitoring",
]);
/** What needs the tools of a mesh, or a Kubernetes API server besides, and runs by commands of their own. */
const MESHES: Readonly<Record<string, string>> = {
  mesh: join("istio", "mesh") + sep,
  full: join("istio", "full") + sep,
};
/** Runs with the mesh as well, where Helm has been built. */
const CHART = join("istio", "chart.test.ts");
/** Tests elsewhere that try inputs by the thousand, or start a collector. */
const THOROUGH: ReadonlySet<string> = new Set([
  "detect/gates",
  "detect/names",
  "events/host",
  "filter/cuts",
  "filter/hostile",
  "filter/work",
  "host/strict",
  "observe/journey",
  "report/collector",
]);
const MODULE = ["assembly", "rules", "asconfig.json"];
const MEASURED = [...MODULE, "scripts", "envoy", "testing", "package.json"];
const COLLECTOR = ["collector", "scripts", "rules", "tests/collector"];
/**
 * Tests, by file or by folder, that take long and turn on nothing but these files, and on what is installed: once they have passed,
 * they are not run again before one of those has changed. A fresh clone runs them all.
 */
const PROVEN: Readonly<Record<string, readonly string[]>> = {
  "bench/envoy": [...MEASURED, "tests/bench"],
  "bench/growth": [...MEASURED, "tests/bench"],
  collector: [...COLLECTOR, ...MODULE, "testing", "tests/events", "tests/probe", "tests/report"],
  "collector/durability": COLLECTOR,
  "collector/otlp": COLLECTOR,
  "collector/server": COLLECTOR,
  "collector/store": COLLECTOR,
  "consumer/consumer": [...MEASURED, "collector", "docs", "istio", "schemas", "NOTICE", "README.md", "tests/consumer"],
  "evasion/evasion": [...MODULE, "scripts", "tests/evasion"],
  "fuzz/fuzz": [...MODULE, "scripts", "tests/fuzz", "tests/vectors"],
  "generate/main": [...MODULE, "docs/rules.md", "scripts", "tests/generate"],
  "ground-truth/mesh": [...MEASURED, "collector", "tests/ground-truth"],
  "ground-truth/record": ["tests/ground-truth"],
  "ground-truth/shop": ["tests/ground-truth"],
  image: ["collector", "package.json", "scripts", "tests/image"],
  "page/page": [...COLLECTOR, "tests/page"],
  "soak/soak": [...MEASURED, "tests/soak"],
};
/**
 * Test files at once: one more than the two cores that a run is meant for, since many tests wait for a tick or a start. Those of a mesh
 * share its ports, and run one by one.
 */
const PROCESSES = 3;
/** The longest that one test file may take. */
const FILE_TIMEOUT_MILLISECONDS = 300_000;

const root = packageRoot();
const only = parseArgs({ allowPositionals: true }).positionals[0];
const isMesh = only !== undefined && only in MESHES;

/** A signal ends the files' processes, and what those have started ends with them; a second one ends this process as it stands. */
const stopped = new AbortController();
// Each file listens.
setMaxListeners(0, stopped.signal);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stopped.abort());

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The files that a test file turns on; none where it runs every time. */
const inputsOf = (name: string): readonly string[] | undefined => PROVEN[name] ?? PROVEN[name.split("/")[0]!];

const stepOf = (name: string): Step => ({
  name: `tests/${name}`,
  options: process.env.ENVOY_BIN,
  inputs: inputsOf(name)!.flatMap((path) => {
    if (!statSync(join(root, path)).isDirectory()) return [path];
    const entries = readdirSync(join(root, path), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)));
  }),
});

/** The name by which the tables above know a file of tests. */
const nameOf = (file: string): string =>
  relative(join(root, "tests"), file)
    .replaceAll(sep, "/")
    .replace(/\.test\.ts$/, "");

const allFiles = (): string[] =>
  readdirSync(join(root, "tests"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .sort()
    .map((file) => join(root, "tests", file));

/** Test files as node:test takes them, those that start Envoy last. */
function testFiles(proven: ReadonlySet<string>): string[] {
  if (only === "container") return ["envoy", "image"].map((name) => join(root, "tests", name, "container.test.ts"));
  const folders = new Map<string, string[]>();
  for (const path of allFiles()) {
    const file = relative(join(root, "tests"), path);
    const mesh = Object.keys(MESHES).find((name) => file.startsWith(MESHES[name]!));
    if (isMesh ? mesh !== only && !(only === "mesh" && file === CHART) : mesh !== undefined) continue;
    const folder = file.split(sep)[0]!;
    if (proven.has(nameOf(path)) || (only === "fast" && THOROUGH.has(nameOf(path)))) continue;
    folders.set(folder, [...(folders.get(folder) ?? []), path]);
  }
  if (isMesh) return [...folders.values()].flat();
  const slow = [...folders].filter(([folder]) => SLOW.has(folder)).flatMap(([, files]) => files);
  // What takes long first, so that the processes end together: that goes by the number of files.
  const fast = [...folders].filter(([folder]) => !SLOW.has(folder)).sort(([, a], [, b]) => b.length - a.length);
  return [...fast.map(([folder, files]) => together(folder, files)), ...(only === "fast" ? [] : slow)];
}

/**
 * A file that runs the tests of some others in one process, which loads once what they share: starting costs most tests more than
 * running.
 */
function together(name: string, files: readonly string[]): string {
  const path = join(root, ".cache/tests", `${name}.test.ts`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, files.map((file) => `await import(${JSON.stringify(pathToFileURL(file).href)});\n`).join(""));
  return path;
}

/** The as-pect suites, counted from their summary. */
async function runUnits(): Promise<Counts> {
  // Absolute, or its transforms are looked for among the packages.
  const asConfig = join(root, "tests/unit/as-pect.asconfig.json");
  const args = ["--config", "tests/unit/as-pect.config.js", "--as-config", asConfig];
  const child = endWithUs(
    spawn(process.execPath, ["node_modules/@as-pect/cli/bin/asp.js", ...args, "--no-logo"], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    }),
  );
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const plain = output.replace(/\u001b\[[0-9;]*m/g, "");
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, all] of plain.matchAll(/Pass: (\d+) \/ (\d+)/g)) {
    counts.passed += Number(passed);
    counts.failed += Number(all) - Number(passed);
  }
  if (code !== 0 || counts.failed > 0 || counts.passed === 0) {
    process.stdout.write(plain);
    counts.failed = Math.max(1, counts.failed);
  }
  return counts;
}

async function runFiles(): Promise<Counts> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const skips: string[] = [];
  const proven = new Set<string>();
  const provable =
    only === undefined
      ? allFiles()
          .map(nameOf)
          .filter((name) => inputsOf(name) !== undefined)
      : [];
  for (const name of provable) if (await isCurrent(stepOf(name))) proven.add(name);
  const files = testFiles(proven);
  /** Files with a test that failed or was skipped: they have proved nothing. */
  const open = new Set<string>();
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const proofs = provable
    .filter((name) => !proven.has(name))
    .map((name) =>
      bring(stepOf(name), async () => {
        await ended;
        if (open.has(name)) throw new Error(`${name} has proved nothing`);
        return new Map();
      }),
    );
  const concurrency = isMesh ? 1 : PROCESSES;
  const stream = run({ files, concurrency, timeout: FILE_TIMEOUT_MILLISECONDS, signal: stopped.signal });
  stream.on("test:pass", (test) => {
    // A suite counts by its tests, and by itself where it is skipped as a whole.
    if (test.details.type === "suite" && test.skip === undefined) return;
    if (test.skip === undefined && test.todo === undefined) counts.passed++;
    else {
      counts.skipped++;
      open.add(nameOf(test.file ?? ""));
      skips.push(`${relative(root, test.file ?? "")}: ${test.name}: ${String(test.skip ?? test.todo)}`);
    }
  });
  stream.on("test:fail", (test) => {
    open.add(nameOf(test.file ?? ""));
    // A suite fails with its tests, and by itself where its file cannot be run.
    const cause = test.details.error as Error & { failureType?: string };
    if (test.details.type !== "suite" || cause.failureType !== "subtestsFailed") counts.failed++;
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(text as string);
  for (const skip of skips) console.log(`skipped: ${skip}`);
  for (const name of proven) console.log(`unchanged since it passed: tests/${name}.test.ts`);
  end();
  await Promise.allSettled(proofs);
  return counts;
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };
const [units, files] = await Promise.all([only === undefined || only === "fast" ? runUnits() : none, runFiles()]);
const passed = units.passed + files.passed;
const failed = units.failed + files.failed;
console.log(`${passed} passed, ${failed} failed, ${units.skipped + files.skipped} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
