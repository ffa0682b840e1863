import assert from "node:assert/strict";
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, describe, it } from "node:test";
import { main } from "../../scripts/cli.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { parseAccessLine } from "../../scripts/envoy/access-log.ts";
import { modulePath, packageRoot } from "../../scripts/package.ts";
import { commandsOfPage } from "../docs/blocks.ts";
import { assertShown, startFolder } from "./folder.ts";

const EXAMPLE = join(packageRoot(), "envoy/examples/standalone");
const MADE = ["envoy.yaml", "ecds/meshward.yaml"];

let folder: string;
before(async () => void (folder = await mkdtemp(join(tmpdir(), "meshward-example-"))));
after(() => rm(folder, { recursive: true, force: true }));

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

    const envoy = await startFolder(own);
    try {
      const commands = commandsOfPage(await readFile(join(EXAMPLE, "README.md"), "utf8"));
      assert.equal(commands.length, 5);
      await assertShown(commands, envoy);
      const lines = await poll(
        async () => {
          const entries = (await envoy.output()).trim().split("\n").map(parseAccessLine);
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
      await envoy.stop();
      service.closeAllConnections();
      service.close();
    }
  });
});
