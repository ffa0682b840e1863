import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { nodeRuntime } from "../../scripts/image/node-runtime.ts";
import { installedPackages } from "../../scripts/image/packages.ts";
import { sbomOf } from "../../scripts/image/sbom.ts";
import type { Entry } from "../../scripts/image/tar.ts";
import { atEnd, temporaryFolder } from "./running.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

/** Puts entries below a folder, as an engine does. */
function unpack(entries: readonly Entry[], folder: string): void {
  for (const { path, data, mode = 0o644 } of entries) {
    const target = join(folder, path);
    mkdirSync(data === undefined ? target : dirname(target), { recursive: true });
    if (data === undefined) continue;
    writeFileSync(target, data);
    chmodSync(target, mode);
  }
}

describe("the collector's image", { skip: process.platform === "linux" ? false : "made of Linux programs" }, () => {
  const app = installedPackages("opt/meshward");
  const runtime = nodeRuntime();

  it("has all that the collector needs, and no more packages than that", async () => {
    const folder = temporaryFolder();
    unpack(app.entries, folder);
    const program = join(folder, app.root, "dist/scripts/cli.js");
    const args = [program, "collector", "--listen", "127.0.0.1:0", "--database", join(folder, "data")];
    const child = endWithUs(spawn(process.execPath, args, { cwd: folder, env: {}, stdio: ["ignore", "pipe", "pipe"] }));
    atEnd(() => child.kill("SIGKILL"));
    let output = "";
    child.stderr.on("data", (text: Buffer) => (output += text.toString()));
    const ended = once(child, "close") as Promise<[number | null]>;
    const page = await new Promise<string>((resolve, reject) => {
      void ended.then(() => reject(new Error(output)));
      child.stdout.on("data", (text: Buffer) => {
        output += text.toString();
        const [, found] = /^page +(\S+)\/#token=/m.exec(output) ?? [];
        if (found !== undefined) resolve(found);
      });
    });
    const html = await (await fetch(`${page}/`)).text();
    assert.match(html, /<!doctype html>/);
    const script = /src="([^"]+\.js)"/.exec(html)![1]!;
    assert.equal((await fetch(new URL(script, `${page}/`))).status, 200);
    child.kill("SIGTERM");
    assert.deepEqual((await ended)[0], 0, output);

    const names = app.components.map(({ name }) => name);
    for (const name of ["testcontainers", "ssh2", "assemblyscript", "typescript"])
      assert.ok(!names.includes(name), name);
    for (const { path } of app.entries) assert.doesNotMatch(path, /\.(?:ts|map)$|\/\.bin\/|checked\.wasm/);
    const paths = app.entries.map(({ path }) => path);
    for (const file of ["LICENSE", "NOTICE"]) assert.ok(paths.includes(`${app.root}/${file}`), file);
    assert.ok(paths.some((path) => /\/express\/LICENSE$/.test(path)));
  });

  it("is listed as CycloneDX says, each part with a version and where it comes from", async () => {
    const document = sbomOf(
      { type: "container", name: "collector", version: "1" },
      [...runtime.components, ...app.components],
      {},
    );
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    assert.equal(await validator.validate(JSON.stringify(document)), null);
    const node = runtime.components.find(({ name }) => name === "node")!;
    assert.equal(node.version, process.versions.node);
    for (const { purl, license, name } of app.components) assert.ok(purl !== undefined && license !== undefined, name);
  });
});

it("keeps versions of a package apart, as they are installed", () => {
  // project/node_modules: a@1, b, b/node_modules/a@2, c behind a link as pnpm makes them.
  const folder = temporaryFolder();
  const add = (path: string, manifest: object): void => {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, "package.json"), JSON.stringify({ license: "MIT", ...manifest }));
    writeFileSync(join(folder, path, "index.js"), "");
  };
  add("node_modules/meshward", { name: "meshward", version: "1.0.0", dependencies: { a: "1", b: "1", c: "1" } });
  add("node_modules/a", { name: "a", version: "1.0.0" });
  add("node_modules/b", {
    name: "b",
    version: "1.0.0",
    dependencies: { a: "2" },
    optionalDependencies: { absent: "1" },
  });
  add("node_modules/b/node_modules/a", { name: "a", version: "2.0.0" });
  add("store/c/node_modules/c", { name: "c", version: "1.0.0", dependencies: { d: "1", a: "1" } });
  add("store/d/node_modules/d", { name: "d", version: "1.0.0" });
  add("store/c/node_modules/a", { name: "a", version: "3.0.0" });
  symlinkSync("../../../store/d/node_modules/d", join(folder, "store/c/node_modules/d"));
  symlinkSync("../store/c/node_modules/c", join(folder, "node_modules/c"));
  const { entries, components } = installedPackages("app", join(folder, "node_modules/meshward"));
  const versions = Object.fromEntries(
    entries
      .filter(({ path }) => path.endsWith("package.json"))
      .map(({ path, data }) => [path, (JSON.parse(Buffer.from(data!).toString()) as { version: string }).version]),
  );
  assert.deepEqual(versions, {
    "app/node_modules/meshward/package.json": "1.0.0",
    "app/node_modules/a/package.json": "1.0.0",
    "app/node_modules/b/package.json": "1.0.0",
    "app/node_modules/b/node_modules/a/package.json": "2.0.0",
    "app/node_modules/c/package.json": "1.0.0",
    "app/node_modules/c/node_modules/a/package.json": "3.0.0",
    "app/node_modules/d/package.json": "1.0.0",
  });
  assert.equal(components.length, 6);
  add("node_modules/meshward", { name: "meshward", version: "1.0.0", dependencies: { gone: "1" } });
  assert.throws(
    () => installedPackages("app", join(folder, "node_modules/meshward")),
    /^Error: meshward needs the package gone, which is not installed: run npm ci$/,
  );
});
