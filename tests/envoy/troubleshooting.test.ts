// docs/troubleshooting.md: its policy, in a real Envoy with a real collector; its commands, in the page's order.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { it } from "node:test";
import { startCollector } from "../../collector/collector.ts";
import { main } from "../../scripts/cli.ts";
import { packageRoot } from "../../scripts/package.ts";
import { commandsOfPage, fences } from "../docs/blocks.ts";
import { assertShown, startFolder } from "./folder.ts";

const INGEST = "ingest-token-of-this-test-alone-0";
const READ = "read-token-of-this-test-alone-000";

it("docs/troubleshooting.md shows what its commands print", { timeout: 120_000 }, async () => {
  const page = await readFile(join(packageRoot(), "docs/troubleshooting.md"), "utf8");
  const folder = await mkdtemp(join(tmpdir(), "meshward-troubleshooting-"));
  const service = createServer((_, response) => response.end("served")).listen(0, "127.0.0.1");
  await once(service, "listening");
  const collector = await startCollector({
    database: join(folder, "data"),
    host: "127.0.0.1",
    port: 0,
    retentionSeconds: 86_400,
    ingestTokens: [{ name: "sidecars", value: INGEST }],
    readTokens: [{ name: "test", value: READ }],
    hosts: [],
    log: () => undefined,
  });
  const before = { ...process.env };
  process.env.MESHWARD_OTLP_TOKEN = INGEST;
  process.env.MESHWARD_READ_TOKEN = READ;
  try {
    for (const { language, file, text } of fences(page))
      if (language === "yaml") await writeFile(join(folder, file ?? "meshward.yaml"), text);
    const upstream = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    // prettier-ignore
    const words = ["envoy", "--policy", join(folder, "meshward.yaml"), "--out", folder, "--root", ".", "--upstream", upstream,
      "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    const said = new PassThrough();
    assert.equal(await main(words, { stdin: said, stdout: said, stderr: said, env: process.env }), 0);
    const config = join(folder, "envoy.yaml");
    const port = new URL(collector.url).port;
    await writeFile(config, (await readFile(config, "utf8")).replace("port_value: 4318", `port_value: ${port}`));
    const envoy = await startFolder(folder);
    try {
      const tool = `'${process.execPath}' '${join(packageRoot(), "dist/scripts/cli.js")}'`;
      const commands = commandsOfPage(page).map(({ command, output }) => ({
        command: `cd '${folder}'; ${command.replaceAll("npx meshward", tool).replaceAll("http://127.0.0.1:4318", collector.url)}`,
        output,
      }));
      assert.equal(commands.length, 16);
      await assertShown(commands, envoy);
    } finally {
      await envoy.stop();
    }
  } finally {
    process.env = before;
    await collector.stop();
    service.closeAllConnections();
    service.close();
    await rm(folder, { recursive: true, force: true });
  }
});
