import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { bootstrap } from "../../envoy/bootstrap.ts";
import type { JsonObject } from "../../envoy/json.ts";
import { OUTCOME_EXPRESSION } from "../../istio/mesh.ts";
import { MODULE_PATH } from "../../istio/mount.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { modulePath, packageRoot } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { parsePolicy } from "../../scripts/policy/load.ts";
import { istio } from "../istio/cases.ts";
import { envoyBinary, startFolder } from "./folder.ts";
import type { FolderEnvoy } from "./folder.ts";

// There is no mesh here: what Istio makes of the resources is put into a bootstrap of our own, and runs in stock Envoy.

const POLICY = join(packageRoot(), "istio/meshward.yaml");
const ATTACK = "1 UNION SELECT name, password FROM users";
const FORM = "application/x-www-form-urlencoded";

/** An HTTP filter that ECDS fills, and what it is filled with. */
interface Discovered {
  filter: JsonObject;
  resource: JsonObject;
}
interface EnvoyFilter {
  spec: { configPatches: { applyTo: string; patch: { operation: string; value: JsonObject } }[] };
}
interface Plugin {
  url: string;
  pluginName: string;
  failStrategy: string;
  pluginConfig: JsonObject;
}

/** The resource of that kind that the command writes for a policy. */
async function written(folder: string, policy: string, hold: string, version: string): Promise<unknown> {
  const target = ["--target", "workload", "--namespace", "shop", "--selector", "app=catalogue"];
  const options = ["--policy", policy, "--out", folder, ...target, "--module", "configmap", "--hold", hold];
  const { code, err } = await istio([...options, "--istio", version]);
  assert.equal(`${code} ${err}`, "0 ");
  const [file] = await readdir(join(folder, "shop"));
  return parse(await readFile(join(folder, "shop", file!), "utf8"));
}

/** What the EnvoyFilter's patches yield: the discovered filter before the router, and its configuration. */
async function patched(folder: string, policy: string): Promise<Discovered> {
  const { configPatches } = ((await written(folder, policy, "full", "1.31")) as EnvoyFilter).spec;
  assert.deepEqual(
    configPatches.map(({ applyTo, patch }) => [applyTo, patch.operation]),
    [
      ["EXTENSION_CONFIG", "ADD"],
      ["HTTP_FILTER", "INSERT_BEFORE"],
    ],
  );
  return { resource: configPatches[0]!.patch.value, filter: configPatches[1]!.patch.value };
}

/** JSON as it may come out of a protobuf Struct: keys in another order, every number as a double with an exponent. */
function throughStruct(value: unknown): string {
  if (typeof value === "number") return value.toExponential();
  if (Array.isArray(value)) return `[${value.map(throughStruct).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${throughStruct(inner)}`);
  return `{${members.reverse().join()}}`;
}

/** What Istio makes of a WasmPlugin or a TrafficExtension. */
async function plugged(folder: string, policy: string, version: string): Promise<Discovered> {
  const { spec } = (await written(folder, policy, "body", version)) as { spec: Plugin & { wasm?: Plugin } };
  const { url, pluginName, failStrategy, pluginConfig } = spec.wasm ?? spec;
  const name = "shop.meshward";
  const config: JsonObject = {
    name,
    root_id: pluginName,
    failure_policy: failStrategy,
    configuration: {
      "@type": "type.googleapis.com/google.protobuf.StringValue",
      value: throughStruct(pluginConfig),
    },
    vm_config: { runtime: "envoy.wasm.runtime.v8", code: { local: { filename: new URL(url).pathname } } },
  };
  const wasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
  return {
    filter: { name, config_discovery: { config_source: { ads: {}, initial_fetch_timeout: "0s" }, type_urls: [wasm] } },
    resource: { name, typed_config: { "@type": wasm, config } },
  };
}

/** Puts the filter's configuration in force: by a file, where Istio has a stream. */
async function discover(folder: string, { resource }: Discovered): Promise<void> {
  // The mount of the sidecars is the folder here.
  const text = JSON.stringify(resource).replace(MODULE_PATH, "meshward.wasm");
  assert.ok(!text.includes(MODULE_PATH) && text.includes("meshward.wasm"));
  const extension = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
  const response = { resources: [{ "@type": extension, ...(JSON.parse(text) as JsonObject) }] };
  await writeFile(join(folder, "new.json"), JSON.stringify(response));
  await mkdir(join(folder, "ecds"), { recursive: true });
  await rename(join(folder, "new.json"), join(folder, "ecds/filter.json"));
}

/** The folder's `envoy.yaml`: our bootstrap without our filter, and the discovered one before its router. */
async function writeFolder(folder: string, discovered: Discovered, upstream: string): Promise<void> {
  const compiled = compilePolicy(parsePolicy(await readFile(POLICY, "utf8")), { holdHeaders: true });
  const config = bootstrap(compiled, {
    upstream,
    listen: { host: "127.0.0.1", port: 0 },
    admin: { host: "127.0.0.1", port: 0 },
    root: ".",
    accessLog: "stdout",
    filter: false,
  });
  const filter = structuredClone(discovered.filter) as { config_discovery: { config_source: JsonObject } };
  const { config_source } = filter.config_discovery;
  assert.deepEqual(config_source.ads, {});
  delete config_source.ads;
  config_source.resource_api_version = "V3";
  config_source.path_config_source = { path: "ecds/filter.json", watched_directory: { path: "ecds" } };
  const { listeners } = config.static_resources as {
    listeners: {
      filter_chains: { filters: { typed_config: { http_filters: unknown[]; access_log: unknown[] } }[] }[];
    }[];
  };
  const manager = listeners[0]!.filter_chains[0]!.filters[0]!.typed_config;
  manager.http_filters.unshift(filter);
  manager.access_log = OUTCOMES.map(outcomeLog);
  await copyFile(modulePath(), join(folder, "meshward.wasm"));
  await discover(folder, discovered);
  await writeFile(join(folder, "envoy.yaml"), stringify(config, { lineWidth: 0 }));
}

const OUTCOMES = ["denied", "crashed", "passed"];

/** A log of the requests for which the expression of the Telemetry's tag yields that outcome. */
const outcomeLog = (outcome: string): JsonObject => ({
  name: "envoy.access_loggers.stdout",
  filter: {
    extension_filter: {
      name: "envoy.access_loggers.extension_filters.cel",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
        expression: `(${OUTCOME_EXPRESSION}) == "${outcome}"`,
      },
    },
  },
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
    log_format: { text_format_source: { inline_string: `${outcome} %REQ(X-CASE)%\n` } },
  },
});

const RESOURCES: [
  resource: string,
  make: (folder: string, policy: string) => Promise<Discovered>,
  headersReach: boolean,
][] = [
  ["EnvoyFilter", patched, false],
  ["TrafficExtension", (folder, policy) => plugged(folder, policy, "1.31"), true],
  ["WasmPlugin", (folder, policy) => plugged(folder, policy, "1.29"), true],
];

for (const [resource, make, headersReach] of RESOURCES) {
  describe(`${resource} in Envoy`, () => {
    let folder: string;
    let envoy: FolderEnvoy;
    const reached: { url: string; body: string }[] = [];
    const service = createServer((incoming, response) => {
      const seen = { url: incoming.url ?? "", body: "" };
      reached.push(seen);
      incoming.on("data", (chunk: Buffer) => (seen.body += chunk.toString()));
      incoming.on("end", () => response.writeHead(seen.url === "/forbidden" ? 403 : 200).end("served"));
      incoming.on("error", () => {});
    });

    before(async () => {
      service.listen(0, "127.0.0.1");
      await new Promise((resolve) => service.once("listening", resolve));
      folder = await mkdtemp(join(tmpdir(), "meshward-istio-"));
      await writeFolder(
        folder,
        await make(join(folder, "made"), POLICY),
        `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
      );
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

    it("tells refused requests to the expression of the Telemetry's tag", async () => {
      const headers = (id: string): { headers: Record<string, string> } => ({ headers: { "x-case": id } });
      await fetch(`${envoy.url}/search?q=shoes`, headers("clean"));
      await fetch(`${envoy.url}/search?q=${encodeURIComponent(ATTACK)}`, headers("refused"));
      await fetch(`${envoy.url}/forbidden`, headers("by the service itself"));
      const body = new URLSearchParams({ text: ATTACK });
      await fetch(`${envoy.url}/reviews/7`, { method: "POST", body, ...headers("in detect mode") });
      const expected = ["denied refused", "passed by the service itself", "passed clean", "passed in detect mode"];
      const told = async (): Promise<string[]> =>
        (await envoy.output())
          .split("\n")
          .filter((line) => !line.endsWith("-") && line !== "")
          .sort();
      await poll(
        async () => (await told()).length >= expected.length || null,
        3_000,
        () => new Error("the requests are not logged"),
      );
      assert.deepEqual(await told(), expected);
    });

    it("takes a new policy while it runs, and closes no connection for it", async () => {
      const connections = async (): Promise<string | undefined> =>
        (await envoy.admin.stats("downstream_cx_destroy")).get("http.meshward.downstream_cx_destroy_local");
      const before = await connections();
      const off = join(folder, "off.yaml");
      await writeFile(off, (await readFile(POLICY, "utf8")).replace("mode: block", 'mode: "off"'));
      await discover(folder, await make(join(folder, "made"), off));
      await poll(
        async () => (await send(`/search?q=${encodeURIComponent(ATTACK)}`)).status === 200 || null,
        5_000,
        () => new Error(`the new policy is not in force:\n${envoy.log()}`),
      );
      assert.equal(await connections(), before);
    });
  });
}
