import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { freePort } from "../free-port.ts";
import { main } from "../../scripts/cli.ts";
import { runMeshward } from "../../scripts/envoy/run.ts";
import { resolveEnvoy } from "../../scripts/envoy/resolve.ts";
import { ENVOY_IMAGE } from "../../scripts/envoy/version.ts";
import { packageRoot } from "../../scripts/package.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

const EXAMPLE = join(packageRoot(), "envoy/examples/express");
const run = promisify(execFile);

let folder: string;
let page: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "meshward-express-"));
  page = await readFile(join(EXAMPLE, "README.md"), "utf8");
});
after(() => rm(folder, { recursive: true, force: true }));

/** What differs from run to run: ids, times, where Envoy was found. */
const same = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
    .replace(/^\d\d:\d\d:\d\d/gm, "TIME")
    .replace(/from .* \(.*\)$/gm, "from ENVOY")
    .trim();

/** The blocks of the page in one language. */
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, block]) => block!.trim());

describe("envoy/examples/express", () => {
  it("does what its page shows", async () => {
    const port = await freePort();
    const app = endWithUs(
      spawn(process.execPath, ["app.js"], {
        cwd: EXAMPLE,
        env: { ...process.env, PORT: String(port) },
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
    try {
      await once(app.stdout, "data");
      const lines: string[] = [];
      const upstream = `http://127.0.0.1:${port}`;
      const handle = await runMeshward(
        { upstream, listen: "127.0.0.1:0", policy: join(EXAMPLE, "meshward.yaml"), env: process.env },
        { out: (line) => lines.push(line), err: (line) => assert.fail(line) },
      );
      try {
        const commands = blocks("console")[0]!.split(/^\$ /m).filter(Boolean);
        assert.equal(commands.length, 4);
        for (const command of commands) {
          const [line, ...shown] = command.split("\n");
          const { stdout } = await run("/bin/sh", ["-c", line!.replaceAll("http://127.0.0.1:8080", handle.url)]);
          assert.equal(same(stdout), same(shown.join("\n")), line);
        }
        for (const deadline = Date.now() + 2_000; lines.length < 4 && Date.now() < deadline;) await delay(20);
      } finally {
        await handle.stop();
      }
      const told = [...lines, ...handle.summary()]
        .join("\n")
        .replaceAll(upstream, "http://127.0.0.1:3000")
        .replaceAll(handle.url, "http://127.0.0.1:8080")
        .replaceAll(`${EXAMPLE}/`, "");
      assert.equal(same(told), same(blocks("text")[0]!));
    } finally {
      app.kill();
    }
  });

  it("makes the folder that the compose file mounts, and Envoy takes it", async () => {
    const command = blocks("sh").find((block) => block.startsWith("npx meshward envoy ")) ?? assert.fail("no command");
    const out = join(folder, "envoy");
    const words = command.split(" ").slice(2);
    const at = (name: string): number => words.indexOf(name) + 1;
    assert.equal(words[at("--out")], "envoy");
    const root = words[at("--root")]!;
    words[at("--policy")] = join(EXAMPLE, words[at("--policy")]!);
    words[at("--out")] = out;
    // Here and not in the container, Envoy sees the folder where it lies.
    words[at("--root")] = out;
    const said = new PassThrough();
    assert.equal(await main(words, { stdin: new PassThrough(), stdout: said, stderr: said, env: process.env }), 0);
    const envoy = await resolveEnvoy({ env: process.env, backend: "process" });
    assert.ok(envoy.kind === "process");
    await run(envoy.binary, ["--mode", "validate", "-c", join(out, "envoy.yaml"), "--log-level", "warning"]);

    interface Service {
      image: string;
      command: string;
      ports?: string[];
      volumes: string[];
    }
    const compose = parse(await readFile(join(EXAMPLE, "docker-compose.yml"), "utf8")) as {
      services: Record<string, Service>;
    };
    const { app, envoy: proxy } = compose.services;
    assert.equal(proxy?.image, ENVOY_IMAGE);
    assert.match(proxy?.command ?? "", new RegExp(`^envoy -c ${root}/envoy\\.yaml `));
    assert.deepEqual(proxy?.volumes, [`./envoy:${root}:ro`]);
    assert.deepEqual(proxy?.ports, ["127.0.0.1:8080:8080"]);
    assert.equal(app?.ports, undefined);
    for (const volume of app!.volumes) await access(join(EXAMPLE, volume.split(":")[0]!));
    assert.equal(words[at("--upstream")], "http://app:3000");
  });
});
