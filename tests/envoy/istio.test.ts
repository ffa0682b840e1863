import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { STAT_LABELS, bootstrap } from "../../envoy/bootstrap.ts";
import type { JsonObject } from "../../envoy/bootstrap.ts";
import { main } from "../../scripts/cli.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { modulePath, packageRoot } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import type { PluginConfiguration } from "../../scripts/policy/compile.ts";
import { parsePolicy } from "../../scripts/policy/load.ts";
import { fences } from "../docs/blocks.ts";
import { envoyBinary, startFolder } from "./folder.ts";
import type { FolderEnvoy } from "./folder.ts";

// There is no mesh here: what Istio makes of the two resources is put into a bootstrap of our own, and runs in stock Envoy.

const ISTIO = join(packageRoot(), "istio");
const text = (file: string): Promise<string> => readFile(join(ISTIO, file), "utf8");
const ATTACK = "1 UNION SELECT name, password FROM users";
const FORM = "application/x-www-form-urlencoded";
/** Where both resources have the module. */
const MOUNTED = "/var/local/meshward/meshward.wasm";

interface WasmFilter {
  name: string;
  typed_config: {
    "@type": string;
    config: {
      name: string;
      root_id: string;
      vm_config: JsonObject & { code: { local: { filename: string } } };
      configuration: JsonObject & { value: string };
    } & JsonObject;
  };
}
interface EnvoyFilter {
  spec: { configPatches: { applyTo: string; patch: { operation: string; value: WasmFilter } }[] };
}
interface WasmPlugin {
  spec: { url: string; pluginName: string; failStrategy: string; pluginConfig: PluginConfiguration & JsonObject };
}

const compiled = async (holdHeaders: boolean): Promise<PluginConfiguration> =>
  compilePolicy(parsePolicy(await text("meshward.yaml"), "meshward.yaml"), { holdHeaders });

/** The filter that the EnvoyFilter inserts before the router. */
async function insertedFilter(): Promise<WasmFilter> {
  const { configPatches } = (parse(await text("envoyfilter.yaml")) as EnvoyFilter).spec;
  assert.deepEqual(
    configPatches.map(({ applyTo, patch }) => [applyTo, patch.operation]),
    [["HTTP_FILTER", "INSERT_BEFORE"]],
  );
  return configPatches[0]!.patch.value;
}

/** JSON as it may come out of a protobuf Struct: keys in another order, every number as a double with an exponent. */
function throughStruct(value: unknown): string {
  if (typeof value === "number") return value.toExponential();
  if (Array.isArray(value)) return `[${value.map(throughStruct).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${throughStruct(inner)}`);
  return `{${members.reverse().join()}}`;
}

/** What Istio makes of the WasmPlugin. */
async function pluginFilter(): Promise<WasmFilter> {
  const { url, pluginName, failStrategy, pluginConfig } = (parse(await text("wasmplugin.yaml")) as WasmPlugin).spec;
  return {
    name: `extensions.istio.io/wasmplugin/shop.${pluginName}`,
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
      config: {
        name: `shop.${pluginName}`,
        root_id: pluginName,
        failure_policy: failStrategy,
        configuration: {
          "@type": "type.googleapis.com/google.protobuf.StringValue",
          value: throughStruct(pluginConfig),
        },
        vm_config: { runtime: "envoy.wasm.runtime.v8", code: { local: { filename: new URL(url).pathname } } },
      },
    },
  };
}

/** The folder's `envoy.yaml`: our bootstrap without our filter, and `filter` before its router. */
async function writeFolder(folder: string, filter: WasmFilter, upstream: string): Promise<void> {
  const config = bootstrap(await compiled(true), {
    upstream,
    listen: { host: "127.0.0.1", port: 0 },
    admin: { host: "127.0.0.1", port: 0 },
    root: ".",
    accessLog: "stdout",
    filter: false,
  });
  const { local } = filter.typed_config.config.vm_config.code;
  assert.equal(local.filename, MOUNTED);
  local.filename = "meshward.wasm";
  const { listeners } = config.static_resources as {
    listeners: { filter_chains: { filters: { typed_config: { http_filters: unknown[] } }[] }[] }[];
  };
  listeners[0]!.filter_chains[0]!.filters[0]!.typed_config.http_filters.unshift(filter);
  await copyFile(modulePath(), join(folder, "meshward.wasm"));
  await writeFile(join(folder, "envoy.yaml"), stringify(config, { lineWidth: 0 }));
}

describe("istio/", () => {
  it("both resources carry exactly what the policy compiles to", async () => {
    const { configuration } = (await insertedFilter()).typed_config.config;
    assert.equal(configuration.value, JSON.stringify({ ...(await compiled(true)), direction: "inbound" }));
    const { pluginConfig } = (parse(await text("wasmplugin.yaml")) as WasmPlugin).spec;
    assert.deepEqual(pluginConfig, { ...(await compiled(false)), direction: "inbound" });
  });

  it("the page's command prints the configuration that is in the EnvoyFilter", async () => {
    const folder = await mkdtemp(join(tmpdir(), "meshward-istio-"));
    try {
      const block = fences(await text("README.md")).find(({ text }) => text.includes("meshward envoy"))!.text;
      const [make, show] = block.trim().split("\n");
      const words = make!.split(" ").slice(2);
      const out = words[words.indexOf("--out") + 1]!;
      const real = words.map((word) =>
        word === out ? join(folder, out) : word === "meshward.yaml" ? join(ISTIO, word) : word,
      );
      const said = new PassThrough();
      assert.equal(await main(real, { stdin: new PassThrough(), stdout: said, stderr: said, env: process.env }), 0);
      const { stdout } = await promisify(execFile)("/bin/sh", ["-c", show!], { cwd: folder });
      const { value } = (await insertedFilter()).typed_config.config.configuration;
      assert.equal((parse(stdout) as { value: string }).value, value);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("the page names every label of the statistics", async () => {
    const labels = /extraStatTags: \[(.*)\]/.exec(await text("README.md"))?.[1]?.split(", ");
    assert.deepEqual(labels, [...STAT_LABELS]);
  });
});

for (const [resource, filter, headersReach] of [
  ["EnvoyFilter", insertedFilter, false],
  ["WasmPlugin", pluginFilter, true],
] as const) {
  describe(`${resource} in Envoy`, () => {
    let folder: string;
    let envoy: FolderEnvoy;
    const reached: { url: string; body: string }[] = [];
    const service = createServer((incoming, response) => {
      const seen = { url: incoming.url ?? "", body: "" };
      reached.push(seen);
      incoming.on("data", (chunk: Buffer) => (seen.body += chunk.toString()));
      incoming.on("end", () => response.end("served"));
      incoming.on("error", () => {});
    });

    before(async () => {
      service.listen(0, "127.0.0.1");
      await new Promise((resolve) => service.once("listening", resolve));
      folder = await mkdtemp(join(tmpdir(), "meshward-istio-"));
      await writeFolder(folder, await filter(), `http://127.0.0.1:${(service.address() as AddressInfo).port}`);
    });
    after(async () => {
      await envoy?.stop();
      service.closeAllConnections();
      service.close();
      await rm(folder, { recursive: true, force: true });
    });

    const send = (path: string, form?: Record<string, string>): Promise<Response> =>
      fetch(envoy.url + path, form && { method: "POST", body: new URLSearchParams(form) });

    it("is a configuration that Envoy takes", async () => {
      const args = ["--mode", "validate", "-c", "envoy.yaml", "--log-level", "warning"];
      await promisify(execFile)(await envoyBinary(), args, { cwd: folder });
    });

    it("refuses attacks in a query, lets look-alikes pass, and counts both", async () => {
      envoy = await startFolder(folder);
      assert.equal((await send(`/search?q=${encodeURIComponent(ATTACK)}`)).status, 403);
      assert.equal(reached.length, 0);
      assert.equal((await send("/search?q=the+union+selected+a+new+leader")).status, 200);
      assert.equal((await send("/cart", { note: "select a nice one" })).status, 200);
      assert.deepEqual(reached.splice(0), [
        { url: "/search?q=the+union+selected+a+new+leader", body: "" },
        { url: "/cart", body: "note=select+a+nice+one" },
      ]);
      const count = async (outcome: string): Promise<string | undefined> =>
        (await envoy.admin.stats("requests_total")).get(`wasmcustom.meshward.outcome=.=${outcome};.;requests_total`);
      await poll(
        async () => ((await count("denied")) === "1" && (await count("allowed")) === "2") || null,
        3_000,
        () => new Error("the requests are not counted"),
      );
    });

    it("reads the routes of the policy", async () => {
      assert.equal((await send(`/healthz?q=${encodeURIComponent(ATTACK)}`)).status, 200);
      assert.equal((await send("/reviews/7", { text: ATTACK })).status, 200);
      assert.equal(reached.splice(0).length, 2);
    });

    it(`refuses an attack in a body: ${headersReach ? "its headers reach" : "nothing of it reaches"} the service`, async () => {
      const sent = request(`${envoy.url}/cart`, { method: "POST", headers: { "content-type": FORM } });
      const answered = once(sent, "response") as Promise<[IncomingMessage]>;
      sent.flushHeaders();
      // While the body is awaited, another request has time to pass.
      assert.equal((await send("/other")).status, 200);
      if (headersReach) {
        await poll(
          async () => reached.some(({ url }) => url === "/cart") || null,
          500,
          () => new Error("the headers do not come"),
        );
      }
      sent.end(new URLSearchParams({ note: ATTACK }).toString());
      const [answer] = await answered;
      answer.resume();
      assert.equal(answer.statusCode, 403);
      assert.equal((await send("/last")).status, 200);
      assert.deepEqual(
        reached.filter(({ url }) => url === "/cart"),
        headersReach ? [{ url: "/cart", body: "" }] : [],
      );
    });
  });
}
