import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { it } from "node:test";
import { findEngine } from "../../scripts/envoy/docker.ts";
import { image, temporaryFolder } from "./running.ts";

/** The engine's address, or why there is none. */
const engine = await findEngine(process.env, 3_000).then(
  ({ address }) => ({ address, missing: false as const }),
  (error: Error) => ({ address: "", missing: error.message }),
);
const LIMITS = Object.entries(
  JSON.parse(process.env.MESHWARD_TEST_ULIMITS ?? "{}") as Record<string, { soft: number; hard: number }>,
);
const START_MILLISECONDS = 120_000;

/** Asks the engine (https://docs.docker.com/reference/api/engine/). */
function ask(method: string, path: string, body?: object | Buffer): Promise<{ status: number; text: string }> {
  const url = new URL(engine.address);
  const target = url.protocol === "unix:" ? { socketPath: url.pathname } : { host: url.hostname, port: url.port };
  const type = Buffer.isBuffer(body) ? "application/x-tar" : "application/json";
  return new Promise((resolve, reject) => {
    const call = request({ ...target, method, path, headers: { host: "engine", "content-type": type } }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode!, text }));
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  });
}

async function asked<T>(method: string, path: string, body?: object | Buffer): Promise<T> {
  const { status, text } = await ask(method, path, body);
  assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
  return (text.startsWith("{") ? JSON.parse(text) : {}) as T;
}

/** What a script prints in the container. */
async function inside(container: string, script: string): Promise<string> {
  const { Id } = await asked<{ Id: string }>("POST", `/containers/${container}/exec`, {
    ...{ AttachStdout: true, AttachStderr: true, Tty: true },
    Cmd: ["/usr/local/bin/node", "-e", script],
  });
  return (await ask("POST", `/exec/${Id}/start`, { Detach: false, Tty: true })).text.trim();
}

it(
  "the collector's image runs without rights, on a root that is read-only",
  { skip: engine.missing, timeout: 300_000 },
  async () => {
    const layout = temporaryFolder();
    const made = await image(["--collector", "--out", layout]);
    assert.equal(made.code, 0, made.err);
    const archive = join(temporaryFolder(), "image.tar");
    execFileSync("tar", ["-cf", archive, "-C", layout, "."]);
    const loaded = await ask("POST", "/images/load", readFileSync(archive));
    const [, name] = /Loaded image(?: ID)?:? ?([^"\\\s]+)/.exec(loaded.text) ?? [];
    assert.ok(name !== undefined, loaded.text);
    const { Id } = await asked<{ Id: string }>("POST", "/containers/create", {
      Image: name,
      Env: ["MESHWARD_INGEST_TOKEN=0123456789abcdef-in", "MESHWARD_READ_TOKEN=0123456789abcdef-read"],
      HostConfig: {
        ...{ ReadonlyRootfs: true, NetworkMode: "none", CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] },
        Ulimits: LIMITS.map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard })),
      },
    });
    try {
      await asked("POST", `/containers/${Id}/start`);
      const health =
        "fetch('http://127.0.0.1:4318/healthz').then((r) => console.log(String(r.status)), () => console.log('no'))";
      for (const deadline = Date.now() + START_MILLISECONDS; (await inside(Id, health)) !== "200";) {
        const { State } = await asked<{ State: { Running: boolean } }>("GET", `/containers/${Id}/json`);
        const log = (await ask("GET", `/containers/${Id}/logs?stdout=1&stderr=1`)).text;
        assert.ok(State.Running && Date.now() < deadline, log);
        await delay(500);
      }
      const script = `
        const fs = require("node:fs");
        const written = ["/x", "/opt/meshward/x", "/etc/x", "/data/x"].filter((path) => {
          try { fs.writeFileSync(path, ""); return true; } catch { return false; }
        });
        const status = fs.readFileSync("/proc/1/status", "utf8");
        const paths = ["/", "/metrics"];
        const authorization = "Bearer 0123456789abcdef-read";
        const get = (path) => fetch("http://127.0.0.1:4318" + path, { headers: { authorization } }).then((r) => r.status);
        Promise.all(paths.map(get)).then((answers) => console.log(JSON.stringify({
          written, answers, user: process.getuid(),
          capabilities: /CapEff:\\t(.*)/.exec(status)[1],
          programs: fs.readdirSync("/usr/local/bin"), shell: fs.existsSync("/bin/sh"),
        })));`;
      assert.deepEqual(JSON.parse(await inside(Id, script)), {
        ...{ written: ["/data/x"], answers: [200, 200], user: 65_532 },
        ...{ capabilities: "0".repeat(16), programs: ["node"], shell: false },
      });
      const begun = Date.now();
      await asked("POST", `/containers/${Id}/stop?t=20`);
      assert.ok(Date.now() - begun < 15_000, "SIGTERM ends it");
      const { State } = await asked<{ State: { ExitCode: number } }>("GET", `/containers/${Id}/json`);
      assert.equal(State.ExitCode, 0);
    } finally {
      await ask("DELETE", `/containers/${Id}?force=1&v=1`);
      await ask("DELETE", `/images/${encodeURIComponent(name)}?force=1`);
    }
  },
);
