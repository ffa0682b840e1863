/**
 * Runs the tests and ends with one line: `N passed, N failed, N skipped`.
 *
 *     node --import tsx tests/run.ts [fast | container]
 *
 * `fast` leaves out what starts Envoy or a browser, installs the package, makes all tables anew or tries inputs by the thousand;
 * `container` runs the container backend alone. Skipped tests are listed with their reasons; the exit code is 1 where a test failed or none ran.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { packageRoot } from "../scripts/package.ts";

/** Folders below tests/ that need an Envoy, a browser, a registry or more time than the fast loop has. */
const SLOW: ReadonlySet<string> = new Set([
  "envoy",
  "page",
  "consumer",
  "bench",
  "soak",
  "generate",
  "evasion",
  "fuzz",
  "ground-truth",
]);
/** Tests elsewhere that try inputs by the thousand. */
const THOROUGH: ReadonlySet<string> = new Set([
  "detect/gates",
  "detect/names",
  "filter/cuts",
  "filter/hostile",
  "filter/work",
  "host/strict",
]);
/** Test files at once: one more than the two cores that a run is meant for, since many tests wait for a tick or a start. */
const PROCESSES = 3;
/** The longest that one test file may take. */
const FILE_TIMEOUT_MILLISECONDS = 180_000;

const root = packageRoot();
const only = parseArgs({ allowPositionals: true }).positionals[0];

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Test files as node:test takes them, those that start Envoy last. */
function testFiles(): string[] {
  if (only === "container") return [join(root, "tests/envoy/container.test.ts")];
  const folders = new Map<string, string[]>();
  for (const file of readdirSync(join(root, "tests"), { recursive: true, encoding: "utf8" }).sort()) {
    const [folder = "", name = ""] = file.split(sep);
    const thorough = THOROUGH.has(`${folder}/${name.replace(/\.test\.ts$/, "")}`);
    if (file.endsWith(".test.ts") && !(only === "fast" && thorough))
      folders.set(folder, [...(folders.get(folder) ?? []), join(root, "tests", file)]);
  }
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
  const args = ["--config", "tests/unit/as-pect.config.js", "--as-config", "tests/unit/as-pect.asconfig.json"];
  const child = spawn(process.execPath, ["node_modules/@as-pect/cli/bin/asp.js", ...args, "--no-logo"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
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
  const stream = run({ files: testFiles(), concurrency: PROCESSES, timeout: FILE_TIMEOUT_MILLISECONDS });
  stream.on("test:pass", (test) => {
    if (test.details.type === "suite") return;
    if (test.skip === undefined && test.todo === undefined) counts.passed++;
    else {
      counts.skipped++;
      skips.push(`${relative(root, test.file ?? "")}: ${test.name}: ${String(test.skip ?? test.todo)}`);
    }
  });
  stream.on("test:fail", (test) => {
    // A suite fails with its tests, and by itself where its file cannot be run.
    const cause = test.details.error as Error & { failureType?: string };
    if (test.details.type !== "suite" || cause.failureType !== "subtestsFailed") counts.failed++;
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(text as string);
  for (const skip of skips) console.log(`skipped: ${skip}`);
  return counts;
}

const none: Counts = { passed: 0, failed: 0, skipped: 0 };
const [units, files] = await Promise.all([only === "container" ? none : runUnits(), runFiles()]);
const passed = units.passed + files.passed;
const failed = units.failed + files.failed;
console.log(`${passed} passed, ${failed} failed, ${units.skipped + files.skipped} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
