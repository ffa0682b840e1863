/** The package as others get it: packed, installed from the tarball in an empty project, and used there. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import manifest from "../../package.json" with { type: "json" };
import { packageRoot } from "../../scripts/package.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

const execute = promisify(execFile);
/** What the user of the package is promised: from nothing to a protected service. */
const READY_MS = 60_000;

let folder: string;
let project: string;
let packed: string[];

/** Runs a command in the project; rejects with its output. */
const run = (command: string, args: readonly string[], cwd = project): Promise<{ stdout: string; stderr: string }> =>
  execute(command, args, { cwd, env: own() });

/** The environment without what `npm test` and the test runner put into it. */
function own(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !/^(?:npm_|NODE_|INIT_CWD$)/.test(name));
  // A dependency's dependency brings an npm of its own into node_modules/.bin.
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return { ...Object.fromEntries(names.map((name) => [name, process.env[name]])), PATH: path.join(delimiter) };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "meshward-consumer-"));
  project = join(folder, "project");
  await cp(join(packageRoot(), "tests/consumer/project"), project, { recursive: true });
  // What was built is what is packed: the scripts would build it again.
  const { stdout } = await run(
    "npm",
    ["pack", "--ignore-scripts", "--json", "--pack-destination", folder],
    packageRoot(),
  );
  const [tarball] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  packed = tarball!.files.map(({ path }) => path);
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel", "error"];
  const express = `express@${manifest.dependencies.express}`;
  await run("npm", ["install", ...quiet, join(folder, tarball!.filename), express]);
});
after(() => rm(folder, { recursive: true, force: true }));

describe("the packed package", () => {
  it("has the module, the tool and the examples in it, and nothing that builds or tests them", () => {
    const wanted = [
      "dist/meshward.wasm",
      "dist/meshward.checked.wasm",
      "dist/scripts/cli.js",
      "dist/page/index.html",
      "dist/testing/index.js",
      "dist/testing/index.d.ts",
      "schemas/policy.schema.json",
      "envoy/examples/standalone/envoy.yaml",
      "envoy/examples/express/app.js",
      "LICENSE",
      "README.md",
    ];
    assert.deepEqual(
      wanted.filter((path) => !packed.includes(path)),
      [],
    );
    const unwanted = packed.filter((path) =>
      /^(?:assembly|tests|scripts|rules|node_modules)\/|\.(?:wat|tgz)$/.test(path),
    );
    assert.deepEqual(unwanted, []);
    const modules = packed.filter((path) => path.endsWith(".wasm") && !path.startsWith("dist/"));
    assert.deepEqual(modules, []);
  });

  it("tells its version, and judges offline", async () => {
    const { stdout } = await run("npx", ["--no-install", "meshward", "--version"]);
    assert.match(
      stdout,
      new RegExp(`^meshward +${manifest.version.replaceAll(".", "\\.")}\nmodule +sha256:[0-9a-f]{12}\n`),
    );

    const scan = spawn("npx", ["--no-install", "meshward", "scan"], { cwd: project, env: own() });
    let output = "";
    scan.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const paths = ["/?q=1+UNION+SELECT+name+FROM+users", "/?q=union+square,+select"];
    for (const [id, path] of paths.entries()) {
      scan.stdin.write(`${JSON.stringify({ id, request: { method: "GET", path, headers: [] } })}\n`);
    }
    scan.stdin.end();
    const [code] = (await once(scan, "close")) as [number];
    assert.equal(code, 0);
    const verdicts = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number; verdict: string });
    assert.deepEqual(
      verdicts.map(({ id, verdict }) => [id, verdict]),
      [
        [0, "deny"],
        [1, "allow"],
      ],
    );
  });

  it("tests an Express app by `meshward/testing`", async () => {
    const { stdout } = await run("npm", ["test"]);
    assert.match(stdout, /^(?:# |ℹ )pass 3$/m);
    assert.match(stdout, /^(?:# |ℹ )fail 0$/m);
  });

  it("protects an Express app with one command", async () => {
    const app = endWithUs(
      spawn(process.execPath, ["serve.js"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] }),
    );
    const [upstream] = (await once(app.stdout, "data")) as [Buffer];
    const started = Date.now();
    // npx would stand between us and the command; the signal is for the command.
    const command = join(project, "node_modules/.bin/meshward");
    const args = ["run", "--upstream", upstream.toString().trim(), "--listen", "127.0.0.1:0", "--mode", "block"];
    const child = endWithUs(spawn(command, args, { cwd: project, env: own() }));
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(child, "close") as Promise<[number]>;
    try {
      let url: string | undefined;
      while (url === undefined) {
        assert.ok(child.exitCode === null && Date.now() - started < READY_MS, output);
        url = /: use (\S+)/.exec(output)?.[1];
        await delay(50);
      }
      assert.equal((await fetch(`${url}/search?q=lamp`)).status, 200);
      assert.equal((await fetch(`${url}/search?q=1+UNION+SELECT+name+FROM+users`)).status, 403);
    } finally {
      child.kill("SIGINT");
      const [code] = await ended;
      app.kill();
      assert.equal(code, 0, output);
    }
    assert.match(output, /denied +403 GET \/search \| query q: sqli-union-select/);
    assert.match(output, /^2 requests: 1 denied/m);
    // Nothing was written into the project.
    const files = ["app.js", "app.test.js", "node_modules", "package-lock.json", "package.json", "serve.js"];
    assert.deepEqual((await readdir(project)).sort(), files);
  });
});
