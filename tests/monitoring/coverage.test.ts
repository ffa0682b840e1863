import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { freePort } from "../free-port.ts";
import { main } from "../../scripts/cli.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import type { Coverage } from "../../scripts/monitoring/coverage.ts";
import { prometheusAt } from "../../scripts/monitoring/prometheus.ts";
import { policyHash } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { missing, startPrometheus } from "./daemons.ts";

// `meshward coverage` of a mesh: a real Prometheus scrapes what the proxies of Istio would say, under the labels of its scrape. A real
// Envoy's statistics are in tests/envoy/monitoring.test.ts.

const folder = mkdtempSync(join(tmpdir(), "meshward-coverage-"));
chmodSync(folder, 0o755);
const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
after(async () => {
  for (const work of undo.reverse()) await work();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  undo.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function run(
  source: PolicySource | string,
  prometheus: string,
  more: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; out: string; err: string }> {
  const file = join(folder, "meshward.yaml");
  writeFileSync(file, typeof source === "string" ? source : JSON.stringify(source));
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const words = ["coverage", "--policy", file, "--prometheus", prometheus, ...more];
  const code = await main(words, { stdin: new PassThrough(), stdout, stderr, env });
  stdout.end();
  stderr.end();
  return { code, out: await text(stdout), err: await text(stderr) };
}

const POLICY: PolicySource = {
  mode: "block",
  workloads: [
    { match: { namespace: "shop", labels: { "example.org/track": "beta" } }, mode: "detect" },
    { match: { namespace: "pay", service: "ledger" }, mode: "off" },
  ],
};
const HASH = policyHash(policyFrom(POLICY));

describe("coverage of a mesh", { skip: missing("prometheus"), timeout: 60_000 }, () => {
  /** Scrapes of each proxy so far: what is counted grows. */
  const scrapes = new Map<string, number>();
  const live = "envoy_server_live 1\nenvoy_server_uptime 9000\n";
  const info = (policy: string, mode: string): string =>
    `${live}meshward_info{version="0.1.0",policy="${policy}",mode="${mode}"} 3\n`;
  const young = live.replace("9000", "5");
  const said: Record<string, (count: number) => string> = {
    "shop/cart-7d9f8b6c5-x2x4z": () => info(HASH, "block"),
    "shop/cart-7d9f8b6c5-zzzzz": () => info(HASH, "block"),
    "shop/beta-0": () => info(HASH, "detect"),
    "shop/web-0": () => info(HASH, "detect"),
    "shop/old-0": () => info("000000000001", "block"),
    "shop/lost-0": () => `${info("none", "detect")}meshward_config_invalid 1\n`,
    "shop/bare-0": () => live,
    "shop/agent-0": () => 'istio_build{component="proxy",tag="1.31.1"} 1\n',
    "shop/sick-0": (count) =>
      `${info(HASH, "block").replace(live, young)}meshward_requests_total{outcome="error"} ${count * 2}\nenvoy_wasm_shop_meshward_vm_reload ${count}\n`,
    "pay/ledger-0": () => info(HASH, "off"),
    // Two answers, and nothing any more.
    "shop/gone-0": () => live,
  };
  const labels: Record<string, Record<string, string>> = {
    "shop/beta-0": { app: "cart", example_org_track: "beta" },
    "shop/web-0": { app: "wrong", service_istio_io_canonical_name: "web" },
  };
  let prometheus: string;

  it("says of each workload what is wrong with it", async () => {
    const origin = await serve((request, response) => {
      const name = request.url!.slice(1);
      const count = (scrapes.get(name) ?? 0) + 1;
      scrapes.set(name, count);
      if (name === "shop/gone-0" && count > 2) response.destroy();
      else response.setHeader("content-type", "text/plain").end(said[name]!(count));
    });
    const daemon = await startPrometheus(folder, {
      global: { scrape_interval: "500ms" },
      scrape_configs: [
        ...Object.keys(said).map((name) => ({
          job_name: name,
          metrics_path: `/${name}`,
          static_configs: [
            {
              targets: [new URL(origin).host],
              labels: { namespace: name.split("/")[0]!, pod: name.split("/")[1]!, ...labels[name] },
            },
          ],
        })),
      ],
    });
    undo.push(() => daemon.stop());
    prometheus = daemon.url;
    const ask = prometheusAt(new URL(`${prometheus}/`), undefined);
    await poll(
      async () => {
        const [grown, silent] = [
          await ask('increase(meshward_requests_total{outcome="error"}[10m]) > 0'),
          await ask("up == 0"),
        ];
        return (grown.length > 0 && silent.length > 0 && [...scrapes.values()].every((count) => count > 2)) || null;
      },
      20_000,
      () => new Error(daemon.log()),
    );

    const { code, out, err } = await run(POLICY, prometheus, ["--json"]);
    assert.deepEqual([code, err], [1, ""]);
    const found = JSON.parse(out) as Coverage;
    const steady = (reason: string): string => reason.replace(/: \d+ within/, ": N within");
    assert.deepEqual(
      found.workloads.map(({ namespace, service, state, proxies }) => [
        `${namespace}/${service}`,
        state,
        proxies.map(({ proxy, reasons }) => [proxy, ...reasons.map(steady)].join(": ")),
      ]),
      [
        ["pay/ledger", "protected", ["ledger-0"]],
        ["shop/agent", "absent", ["agent-0: Envoy without Meshward"]],
        ["shop/bare", "absent", ["bare-0: Envoy without Meshward"]],
        ["shop/cart", "protected", ["beta-0", "cart-7d9f8b6c5-x2x4z", "cart-7d9f8b6c5-zzzzz"]],
        ["shop/gone", "absent", ["gone-0: it cannot be scraped, and was there within the last hour"]],
        [
          "shop/lost",
          "stale",
          [`lost-0: safe defaults in force, declared is ${HASH}: a configuration that is not valid`],
        ],
        ["shop/old", "stale", [`old-0: policy 000000000001 in force, declared is ${HASH}`]],
        [
          "shop/sick",
          "degraded",
          [
            "sick-0: crashes of the module: N within 10 minutes: requests that were not judged, or passed in part: N within 10 minutes",
          ],
        ],
        ["shop/web", "degraded", ["web-0: mode detect, declared is block"]],
      ],
    );
    assert.deepEqual(found.counts, { absent: 3, stale: 2, degraded: 2, protected: 2 });
  });

  it("has a table for people, and 0 where there is no gap", async () => {
    const { code, out, err } = await run(POLICY, prometheus, ["--namespace", "pay"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(
      out,
      `WORKLOAD    STATE      MODE  PROXIES\npay/ledger  protected  off   1\n\n` +
        `policy ${HASH}, mode block: 1 protected, 0 degraded, 0 stale, 0 absent\n`,
    );
    const all = await run(POLICY, prometheus);
    assert.equal(all.code, 1);
    assert.match(all.out, /\nshop\/web +degraded +detect +1\n {2}web-0: mode detect, declared is block\n/);
  });

  it("tells a workload of the policy that nobody has seen", async () => {
    const workloads = [{ match: { namespace: "pay", service: "till" } }];
    const { code, out } = await run({ ...POLICY, workloads }, prometheus, ["--namespace", "pay"]);
    assert.equal(code, 1);
    assert.match(out, /\npay\/till +absent +- +1\n {2}the policy names it, and Prometheus has no proxy of it\n/);
  });

  it("ends with 2 where a namespace has nothing", async () => {
    const { code, err } = await run(POLICY, prometheus, ["--namespace", "nowhere"]);
    assert.equal(code, 2);
    assert.match(err, /^meshward coverage: Prometheus \S+ has no Envoy in nowhere\n$/);
  });
});

describe("coverage of what is no such Prometheus", () => {
  const wrong = async (prometheus: string, message: RegExp, env: NodeJS.ProcessEnv = {}): Promise<void> => {
    const { code, out, err } = await run(POLICY, prometheus, [], env);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, message);
    assert.equal(err.trimEnd().split("\n").length, 1);
  };

  it("says what is wrong, in a line", async () => {
    await wrong(
      `http://127.0.0.1:${await freePort()}`,
      /^meshward coverage: Prometheus \S+: nothing listens there; is Prometheus running\?\n/,
    );
    await wrong("ftp://a", /--prometheus: "ftp:\/\/a": expected http:\/\/ or https:\/\//);
    await wrong("http://u:p@127.0.0.1/", /the token goes into MESHWARD_PROMETHEUS_TOKEN/);
    const page = await serve((_, response) => response.end("<html>"));
    await wrong(page, /it answers 200, and not as Prometheus does/);
    const closed = await serve((request) => request.destroy());
    await wrong(closed, /the connection was closed; is that Prometheus\?/);
    const refused = await serve((_, response) => response.writeHead(401).end());
    await wrong(refused, /it answers 401: it may want a token in MESHWARD_PROMETHEUS_TOKEN/);
    await wrong(refused, /the token in MESHWARD_PROMETHEUS_TOKEN is not taken/, { MESHWARD_PROMETHEUS_TOKEN: "t" });
    const elsewhere = await serve((_, response) => response.writeHead(302, { location: page }).end());
    await wrong(elsewhere, /it answers 302, and not as Prometheus does/);
    const endless = await serve((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, " ");
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", more);
      more();
    });
    await wrong(endless, /its answer has more than 64 MiB/);
  });

  it("needs a policy that can be read", async () => {
    const { code, err } = await run("mod: block\n", "http://127.0.0.1:1");
    assert.equal(code, 2);
    assert.match(err, /meshward\.yaml:1:1: mod: unknown key/);
  });

  it("gives a token to the address that was named", async () => {
    let given: string | undefined;
    const address = await serve((request, response) => {
      given = request.headers.authorization;
      response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
    });
    await wrong(address, /has no targets: nothing is scraped/, { MESHWARD_PROMETHEUS_TOKEN: "secret" });
    assert.equal(given, "Bearer secret");
  });

  it("tells a Prometheus without an Envoy what it lacks", { skip: missing("prometheus") }, async () => {
    const own = join(folder, "own");
    const daemon = await startPrometheus(own, { global: { scrape_interval: "500ms" }, scrape_configs: [] });
    undo.push(() => daemon.stop());
    await wrong(daemon.url, /has no targets: nothing is scraped/);
  });

  it("prints what the policy declares, for a file and for the operator", async () => {
    const rules = await run(POLICY, "http://127.0.0.1:1", ["--declare"]);
    assert.deepEqual([rules.code, rules.err], [0, ""]);
    assert.match(rules.out, new RegExp(`^groups:\\n[^]*record: meshward:declared:policy[^]*policy: "?${HASH}"?\\n`));
    const resource = await run(POLICY, "http://127.0.0.1:1", ["--declare", "prometheusrule"]);
    assert.match(
      resource.out,
      /^apiVersion: monitoring\.coreos\.com\/v1\nkind: PrometheusRule\nmetadata:\n {2}name: meshward-declared\n/,
    );
  });
});
