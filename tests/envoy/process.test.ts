import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { startProcess } from "../../scripts/envoy/process.ts";
import { resolveEnvoy } from "../../scripts/envoy/resolve.ts";
import type { StartOptions } from "../../scripts/envoy/running.ts";
import { EnvoyFailed } from "../../scripts/envoy/running.ts";
import { modulePath } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";

let folder: string;
before(async () => void (folder = await mkdtemp(join(tmpdir(), "meshward-process-test-"))));
after(() => rm(folder, { recursive: true, force: true }));

const options = (more: Partial<StartOptions> = {}): StartOptions => ({
  compiled: compilePolicy(policyFrom({}), { holdHeaders: true }),
  upstream: "http://127.0.0.1:9",
  listen: { host: "127.0.0.1", port: 0 },
  modulePath: modulePath(),
  onAccess: () => {},
  env: process.env,
  ...more,
});

async function binary(): Promise<string> {
  const envoy = await resolveEnvoy({ env: process.env, backend: "process" });
  assert.ok(envoy.kind === "process");
  return envoy.binary;
}

async function until(look: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await look()); await delay(25)) {
    assert.ok(Date.now() < deadline, `still: ${what}`);
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => true,
    () => false,
  );

describe("Envoy as a child process", () => {
  it("tells that it failed, in its own words, and leaves no folder", async () => {
    const own = join(folder, "failing");
    await mkdir(own);
    const garbage = join(folder, "garbage.wasm");
    await writeFile(garbage, "not a module");
    const before = process.env.TMPDIR;
    process.env.TMPDIR = own;
    try {
      await assert.rejects(startProcess(await binary(), options({ modulePath: garbage })), (error: EnvoyFailed) => {
        assert.ok(error instanceof EnvoyFailed);
        assert.ok(error.log.length > 0);
        return true;
      });
      await assert.rejects(startProcess(join(folder, "none"), options()), /cannot be started: .*ENOENT/);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
    assert.deepEqual(await readdir(own), []);
  });

  it("tells the module's own reason where it refuses a policy, and the old one stays", async () => {
    const { compiled } = options();
    const envoy = await startProcess(await binary(), options());
    try {
      const unreadable = { ...compiled, policy: "000000000000", mode: "nonsense" };
      await assert.rejects(
        envoy.reload(unreadable),
        /^EnvoyFailed: the policy was refused: the configuration is not valid at \/mode/,
      );
      assert.equal((await envoy.admin.discovery()).policy, compiled.policy);
      await envoy.reload(compiled);
    } finally {
      await envoy.stop();
    }
  });

  it("kills one that does not end when it is told to", async () => {
    const stubborn = join(folder, "stubborn");
    await writeFile(stubborn, `#!/bin/sh\ntrap '' TERM\n"${await binary()}" "$@" &\nwhile :; do wait; sleep 1; done\n`);
    await chmod(stubborn, 0o755);
    const envoy = await startProcess(stubborn, options());
    assert.ok(await answers(envoy.admin.origin));
    const started = Date.now();
    await envoy.stop();
    assert.ok(Date.now() - started < 8_000);
    assert.ok(!(await answers(envoy.admin.origin)));
  });

  it("tells when Envoy ends by itself", async () => {
    const envoy = await startProcess(await binary(), options());
    await fetch(`${envoy.admin.origin}/quitquitquit`, { method: "POST" });
    await until(async () => !(await answers(envoy.admin.origin)), "Envoy answers");
    const alive = setTimeout(() => {}, 10_000);
    assert.match(await envoy.exited, /Envoy ended with exit code 0/);
    clearTimeout(alive);
    await envoy.stop();
  });

  for (const [how, end] of [
    ["is killed", "process.kill(process.pid, 'SIGKILL')"],
    ["calls process.exit", "process.exit(3)"],
    ["throws", "setImmediate(() => { throw new Error('x') })"],
    ["forgets to stop it", "service.close()"],
  ] as const) {
    it(`leaves neither Envoy nor a folder behind when its parent ${how}`, async () => {
      const own = join(folder, how.replace(/\W/g, "-"));
      await mkdir(own);
      const testing = fileURLToPath(new URL("../../testing/index.ts", import.meta.url));
      const script = `
        import { createServer } from "node:http";
        import { startMeshward } from ${JSON.stringify(testing)};
        const service = createServer((_, response) => response.end()).listen(0, "127.0.0.1", async () => {
          const upstream = "http://127.0.0.1:" + service.address().port;
          const meshward = await startMeshward({ policy: {}, upstream, backend: "process" });
          console.log(meshward.url);
          ${end};
        });`;
      const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
        cwd: fileURLToPath(new URL("../..", import.meta.url)),
        env: { ...process.env, TMPDIR: own, ENVOY_BIN: await binary() },
        stdio: ["ignore", "pipe", "ignore"],
      });
      let url = "";
      parent.stdout.on("data", (chunk: Buffer) => (url += chunk.toString()));
      const late = setTimeout(() => parent.kill("SIGKILL"), 30_000);
      await new Promise((resolve) => parent.once("close", resolve));
      clearTimeout(late);
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\n$/);
      await until(async () => !(await answers(url.trim())), "Envoy answers");
      await until(
        async () => (await readdir(own)).filter((name) => name.startsWith("meshward-")).length === 0,
        "its folder is there",
      );
    });
  }

  it("gives Envoy nothing of the user's environment", async () => {
    const wrapper = join(folder, "wrapper");
    await writeFile(wrapper, `#!/bin/sh\nenv > "${folder}/seen"\nexec "${await binary()}" "$@"\n`);
    await chmod(wrapper, 0o755);
    const envoy = await startProcess(
      wrapper,
      options({ env: { ...process.env, AWS_SECRET_ACCESS_KEY: "x", HTTP_PROXY: "y" } }),
    );
    await envoy.stop();
    const { readFile } = await import("node:fs/promises");
    assert.doesNotMatch(await readFile(join(folder, "seen"), "utf8"), /AWS_SECRET|HTTP_PROXY/);
  });

  it("loses no line of the access log, also of requests that end just before it is stopped", async () => {
    const service = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
    await new Promise((resolve) => service.once("listening", resolve));
    let lines = 0;
    const upstream = `http://127.0.0.1:${(service.address() as { port: number }).port}`;
    const envoy = await startProcess(await binary(), options({ upstream, onAccess: () => lines++ }));
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 50 }, () => fetch(envoy.url).then((answer) => answer.text())));
    await envoy.stop();
    service.closeAllConnections();
    service.close();
    assert.equal(lines, 500);
  });
});
