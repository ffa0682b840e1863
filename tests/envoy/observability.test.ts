import assert from "node:assert/strict";
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parsePrometheus, poll } from "../../scripts/envoy/admin.ts";
import { writeReload } from "../../scripts/envoy/directory.ts";
import { modulePath, packageRoot } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { commandsOfPage, fences, steady } from "../docs/blocks.ts";
import { assertShown, startFolder } from "./folder.ts";
import type { FolderEnvoy } from "./folder.ts";

// What docs/observability.md shows, made again: its commands, in the folder of the standalone example.

const page = await readFile(join(packageRoot(), "docs/observability.md"), "utf8");
const texts = fences(page)
  .filter(({ language }) => language === "text")
  .map(({ text }) => text.trim());

/** Without the figures that better rules change. */
const shape = (line: string): string => steady(line).replace(/(score|confidence)(\\?":)\d+/g, "$1$2N");

let folder: string;
let envoy: FolderEnvoy;
const service = createServer((_, response) => response.setHeader("content-type", "text/plain").end("served"));
before(async () => {
  service.listen(0, "127.0.0.1");
  await new Promise((resolve) => service.once("listening", resolve));
  folder = await mkdtemp(join(tmpdir(), "meshward-page-"));
  await cp(join(packageRoot(), "envoy/examples/standalone"), folder, { recursive: true });
  await copyFile(modulePath(), join(folder, "meshward.wasm"));
  const config = (await readFile(join(folder, "envoy.yaml"), "utf8"))
    .replace("port_value: 9901", "port_value: 0")
    .replace("port_value: 10000", "port_value: 0")
    .replace("port_value: 3000", `port_value: ${(service.address() as AddressInfo).port}`);
  await writeFile(join(folder, "envoy.yaml"), config);
  envoy = await startFolder(folder);
});
after(async () => {
  await envoy?.stop();
  service.closeAllConnections();
  service.close();
  await rm(folder, { recursive: true, force: true });
});

describe("docs/observability.md", () => {
  it("shows what its commands print", () => assertShown(commandsOfPage(page), envoy));

  it("shows the line of the access log", async () => {
    const line = await poll(
      async () => (await envoy.output()).split("\n").find((text) => text.endsWith("}")) ?? null,
      3_000,
      () => new Error("the access log is empty"),
    );
    assert.equal(shape(texts[0]!), shape(line));
  });

  it("shows the line of a refusal", () => {
    const message = (line: string): string => shape(line.replace(/^.*?wasm log/, "wasm log"));
    assert.equal(message(texts[1]!), message(envoy.log().split("\n")[0]!));
  });

  it("names every statistic that there is, and no other", async () => {
    // One request in 128 has its time taken.
    for (let sent = 0; sent < 128; sent++) await (await fetch(envoy.url)).arrayBuffer();
    await (await fetch(envoy.url, { headers: { "x-meshward-taint": "none" } })).arrayBuffer();
    // Events have statistics where they are sent; the cluster is one that this Envoy has.
    const events = { otlp: "http://127.0.0.1:4318", cluster: "upstream" };
    await writeReload(folder, compilePolicy(policyFrom({ mode: "block", events }), { holdHeaders: true }), ".");
    await poll(
      async () => /^meshward_events_sent_total/m.test(await envoy.admin.prometheus()) || null,
      12_000,
      () => new Error("no statistics of events"),
    );
    const bad = { ...compilePolicy(policyFrom({}), { holdHeaders: true }), policy: "000000000000", mode: "bad" };
    await writeReload(folder, bad, ".");
    const named = new Set([...page.matchAll(/^\| `(meshward_\w+)`/gm)].map(([, name]) => name!));
    const isOurs = /^meshward_|^envoy_wasm_meshward_vm_reload$|_http_filter_meshward_config_fail$/;
    const samples = await poll(
      async () => {
        const found = parsePrometheus(await envoy.admin.prometheus()).filter(({ name }) => isOurs.test(name));
        const timed = found.find(({ name }) => name === "meshward_inspection_microseconds_count");
        return found.some(({ name }) => name === "meshward_config_invalid") && (timed?.value ?? 0) > 0 ? found : null;
      },
      // Envoy merges histograms every 5 s.
      12_000,
      () => new Error("no histogram, or no meshward_config_invalid"),
    );
    const names = new Set(
      samples.map(({ name }) => name.replace(/^(meshward_\w*microseconds)_(?:bucket|sum|count)$/, "$1")),
    );
    for (const name of names) if (!name.startsWith("meshward_")) assert.ok(page.includes(`\`${name}\``), name);
    // Counted only where the filter stands twice in a chain (faults.test.ts).
    assert.ok(named.delete("meshward_passive_total"));
    assert.deepEqual(new Set([...names].filter((name) => name.startsWith("meshward_"))), named);
    assert.equal(names.size, named.size + 2);
    assert.ok(envoy.log().includes(texts[2]!), envoy.log());
  });
});
