/**
 * Does what a page says, block by block, in an empty folder, as a reader would:
 *
 *     sh        must be one of `RUN_ELSEWHERE`: too large to be run here, and run by what is named there
 *     yaml      must load as a policy; it is the file behind the language, or meshward.yaml
 *     jsonl     must be scan lines, or cases; it is the file behind the language, or exchanges.jsonl
 *     console   `$ command` and its output: run by /bin/sh, `npx meshward` being the built tool, and compared
 *     text      a picture or words: no command in it
 */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { packageRoot } from "../../scripts/package.ts";
import { formatIssue, loadPolicy } from "../../scripts/policy/load.ts";
import { parseExchange, parseJsonLine } from "../../scripts/scan/exchange-line.ts";
import { parseCase } from "../../scripts/verify/case.ts";
import { fences, shownCommands, steady } from "./blocks.ts";
import type { Fence } from "./blocks.ts";

/** What a page may tell its reader to run without a test of the page running it: the file that does, and words in it. */
export const RUN_ELSEWHERE: ReadonlyMap<string, readonly [file: string, ...words: string[]][]> = new Map([
  [
    "npm ci && npm run demo",
    [
      [".ci/run", "npm ci"],
      ["package.json", '"demo": "node dist/scripts/cli.js demo"'],
      ["tests/envoy/demo-run.ts", '"demo"'],
      ["tests/envoy/demo.test.ts", '"--once"'],
    ],
  ],
  [
    "npm run demo:observe",
    [
      ["package.json", '"demo:observe": "node dist/scripts/cli.js demo --observe"'],
      ["tests/envoy/demo-observe.test.ts", '"--observe"'],
    ],
  ],
  ["npm ci && npm test", [[".ci/run", "npm ci", "npm test"]]],
  [
    "npx meshward run --upstream http://127.0.0.1:3000 --mode block",
    [["tests/envoy/run.test.ts", "runMeshward(", 'mode: "block"']],
  ],
]);

/** Commands that start an Envoy; they take seconds, and have a run of their own. */
const NEEDS_ENVOY = /\bmeshward (?:demo|run|doctor)\b/;
/** Policies are loaded as of this day, so that a page's exceptions do not expire. */
const NOW = new Date("2026-11-21T12:00:00Z");
const COMMAND_TIMEOUT_MS = 120_000;

interface Reader {
  folder: string;
  env: NodeJS.ProcessEnv;
}

/** A name that stays in the folder. */
const fileOf = ({ file }: Fence, usual: string): string => basename(file ?? usual);

async function shFaults({ text }: Fence): Promise<string[]> {
  const tests = RUN_ELSEWHERE.get(text.trim());
  if (tests === undefined) return [`no test runs "${text.trim()}"; those are: ${[...RUN_ELSEWHERE.keys()].join("; ")}`];
  const faults: string[] = [];
  for (const [file, ...words] of tests) {
    const source = await readFile(join(packageRoot(), file), "utf8").catch(() => "");
    for (const word of words) if (!source.includes(word)) faults.push(`${file} has no ${word} any more`);
  }
  return faults;
}

async function yamlFaults(fence: Fence, { folder }: Reader): Promise<string[]> {
  const file = fileOf(fence, "meshward.yaml");
  await writeFile(join(folder, file), fence.text);
  return loadPolicy(fence.text, NOW).issues.map((issue) => formatIssue(issue, file));
}

async function jsonlFaults(fence: Fence, { folder }: Reader): Promise<string[]> {
  await writeFile(join(folder, fileOf(fence, "exchanges.jsonl")), fence.text);
  return fence.text
    .trimEnd()
    .split("\n")
    .flatMap((line, index) => {
      try {
        const { value } = parseJsonLine(Buffer.from(line));
        if ("expect" in value) parseCase(Buffer.from(line), index + 1);
        else parseExchange(value);
        return [];
      } catch (error) {
        return [`line ${index + 1}: ${(error as Error).message}`];
      }
    });
}

/** What a terminal shows of a command. */
function run(command: string, { folder, env }: Reader): Promise<string> {
  return new Promise((done) => {
    const options = { cwd: folder, env, timeout: COMMAND_TIMEOUT_MS };
    execFile("/bin/sh", ["-c", `{ ${command}\n} 2>&1`], options, (error, stdout) =>
      done(error?.killed ? `${stdout}(not ended after ${COMMAND_TIMEOUT_MS / 1000} s)` : stdout),
    );
  });
}

async function consoleFaults({ text }: Fence, reader: Reader, withEnvoy: boolean): Promise<string[]> {
  const faults: string[] = [];
  for (const { command, output } of shownCommands(text)) {
    if (NEEDS_ENVOY.test(command) !== withEnvoy) continue;
    const printed = await run(command, reader);
    if (steady(printed).trim() !== steady(output).trim()) faults.push(`${command}\nprints:\n${printed}`);
  }
  return faults;
}

/** `npx` that knows one package: the built tool of this repository. */
async function makeReader(): Promise<Reader> {
  const folder = await mkdtemp(join(tmpdir(), "meshward-page-"));
  const cli = join(packageRoot(), "dist/scripts/cli.js");
  const bin = await mkdtemp(join(folder, ".bin-"));
  await writeFile(
    join(bin, "npx"),
    `#!/bin/sh\n[ "$1" = meshward ] || { echo "not here: npx $1" >&2; exit 127; }\nshift\nexec "${process.execPath}" "${cli}" "$@"\n`,
  );
  await chmod(join(bin, "npx"), 0o755);
  return { folder, env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` } };
}

/**
 * What is wrong with the blocks of a page, each with its line. `withEnvoy`: of the commands, run those that start an Envoy
 * instead of the others.
 */
export async function faultsOf(page: string, { withEnvoy = false } = {}): Promise<string[]> {
  const reader = await makeReader();
  const faults: string[] = [];
  try {
    for (const fence of fences(page)) {
      const found = await blockFaults(fence, reader, withEnvoy);
      faults.push(...found.map((fault) => `line ${fence.line}: ${fault}`));
    }
  } finally {
    await rm(reader.folder, { recursive: true, force: true });
  }
  return faults;
}

/** The page with what its commands print today, where that differs in more than ids, times and ports. */
export async function refreshed(page: string): Promise<string> {
  const reader = await makeReader();
  let made = page;
  try {
    for (const fence of fences(page)) {
      if (fence.language === "yaml") await yamlFaults(fence, reader);
      if (fence.language === "jsonl") await jsonlFaults(fence, reader);
      if (fence.language !== "console") continue;
      for (const { command, output } of shownCommands(fence.text)) {
        const printed = `${(await run(command, reader)).trimEnd()}\n`;
        if (steady(printed) !== steady(output))
          made = made.replace(`$ ${command}\n${output}`, () => `$ ${command}\n${printed}`);
      }
    }
  } finally {
    await rm(reader.folder, { recursive: true, force: true });
  }
  return made;
}

function blockFaults(fence: Fence, reader: Reader, withEnvoy: boolean): Promise<string[]> {
  switch (fence.language) {
    case "sh":
      return shFaults(fence);
    case "yaml":
      return yamlFaults(fence, reader);
    case "jsonl":
      return jsonlFaults(fence, reader);
    case "console":
      return consoleFaults(fence, reader, withEnvoy);
    case "text":
      return Promise.resolve(/^\s*(?:\$|npx|npm) /m.test(fence.text) ? ["a command in a text block: use console"] : []);
    default:
      return Promise.resolve([`a block of "${fence.language}" is not checked by anything`]);
  }
}
