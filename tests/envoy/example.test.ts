import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { main } from "../../scripts/cli.ts";
import { Admin, poll } from "../../scripts/envoy/admin.ts";
import { parseAccessLine } from "../../scripts/envoy/access-log.ts";
import { resolveEnvoy } from "../../scripts/envoy/resolve.ts";
import { modulePath, packageRoot } from "../../scripts/package.ts";

const EXAMPLE = join(packageRoot(), "envoy/examples/standalone");
const MADE = ["envoy.yaml", "ecds/meshward.yaml"];

let folder: string;
before(async () => void (folder = await mkdtemp(join(tmpdir(), "meshward-example-"))));
after(() => rm(folder, { recursive: true, force: true }));

/** The commands of the page ("$ …") with the output that it shows. */
function consoleBlocks(page: string): { command: string; output: string }[] {
  return [...page.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    block!
      .split(/^\$ /m)
      .filter((part) => part !== "")
      .map((part) => {
        const end = part.indexOf("\n");
        return { command: part.slice(0, end), output: part.slice(end + 1) };
      }),
  );
}

const withoutIds = (text: string): string => text.replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID");

describe("envoy/examples/standalone", () => {
  it("is what the command in its page makes today", async () => {
    const page = await readFile(join(EXAMPLE, "README.md"), "utf8");
    const command = /^npx meshward (envoy .*)$/m.exec(page)?.[1]?.split(" ") ?? assert.fail("no command in the page");
    const out = join(folder, "made");
    const words = command.map((word, at) =>
      command[at - 1] === "--out" ? out : word === "meshward.yaml" ? join(EXAMPLE, word) : word,
    );
    const said = new PassThrough();
    assert.equal(await main(words, { stdin: new PassThrough(), stdout: said, stderr: said, env: process.env }), 0);
    for (const file of MADE) {
      assert.equal(
        await readFile(join(out, file), "utf8"),
        await readFile(join(EXAMPLE, file), "utf8"),
        `${file}: make it again`,
      );
    }
  });

  it("does what its page shows", async () => {
    const own = join(folder, "run");
    await cp(EXAMPLE, own, { recursive: true });
    await copyFile(modulePath(), join(own, "meshward.wasm"));
    const service = createServer((_, response) => response.end("served")).listen(0, "127.0.0.1");
    await new Promise((resolve) => service.once("listening", resolve));
    const { port } = service.address() as AddressInfo;
    // Other ports than the page's, so that the test disturbs nobody.
    const config = (await readFile(join(own, "envoy.yaml"), "utf8"))
      .replace("port_value: 9901", "port_value: 0")
      .replace("port_value: 10000", "port_value: 0")
      .replace("port_value: 3000", `port_value: ${port}`);
    await writeFile(join(own, "envoy.yaml"), config);

    const envoy = await resolveEnvoy({ env: process.env, backend: "process" });
    assert.ok(envoy.kind === "process");
    const args = [
      "-c",
      "envoy.yaml",
      "--disable-hot-restart",
      "--admin-address-path",
      "admin.txt",
      "--log-level",
      "warning",
    ];
    const output = join(own, "out.log");
    const child = spawn(
      "/bin/sh",
      ["-c", `exec "$0" "$@" --file-flush-interval-msec 50 > out.log`, envoy.binary, ...args],
      { cwd: own },
    );
    let log = "";
    child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const ended = new Promise((resolve) => child.once("close", resolve));
    try {
      const late = (): Error => new Error(`Envoy is not ready:\n${log}`);
      const address = await poll(
        () =>
          readFile(join(own, "admin.txt"), "utf8").then(
            (text) => text || null,
            () => null,
          ),
        30_000,
        late,
      );
      const admin = new Admin(`http://${address}`);
      await poll(async () => (await admin.isReady()) || null, 30_000, late);
      const listen = `127.0.0.1:${await admin.listenPort()}`;
      const blocks = consoleBlocks(await readFile(join(EXAMPLE, "README.md"), "utf8"));
      assert.equal(blocks.length, 5);
      for (const block of blocks) {
        const command = block.command.replaceAll("127.0.0.1:10000", listen).replaceAll("127.0.0.1:9901", address);
        const run = async (): Promise<string> =>
          withoutIds((await promisify(execFile)("/bin/sh", ["-c", command])).stdout);
        // Counts are at most 2 s old; everything else is there at once.
        const deadline = Date.now() + (command.includes("/stats/") ? 3_000 : 0);
        let shown = await run();
        while (shown !== withoutIds(block.output) && Date.now() < deadline) {
          await delay(50);
          shown = await run();
        }
        assert.equal(shown, withoutIds(block.output), command);
      }
      const lines = await poll(
        async () => {
          const entries = (await readFile(output, "utf8")).trim().split("\n").map(parseAccessLine);
          return entries.length < 4 ? null : entries;
        },
        5_000,
        () => new Error("the access log is short"),
      );
      assert.deepEqual(
        lines.map((entry) => [entry?.path, entry?.status, entry?.verdict?.outcome]),
        [
          ["/items", 200, "allowed"],
          ["/items", 403, "denied"],
          ["/search", 200, "allowed"],
          ["/forum/7", 200, "would_deny"],
        ],
      );
    } finally {
      child.kill("SIGTERM");
      await ended;
      service.closeAllConnections();
      service.close();
    }
  });
});
