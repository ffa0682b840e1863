import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery as PromQuery } from "@grafana/grafana-foundation-sdk/prometheus";
import { parse } from "yaml";
import { startCollector } from "../../collector/collector.ts";
import type { Collector } from "../../collector/collector.ts";
import { main } from "../../scripts/cli.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { resolveEnvoy } from "../../scripts/envoy/resolve.ts";
import type { RunningEnvoy } from "../../scripts/envoy/running.ts";
import { startEnvoy } from "../../scripts/envoy/start.ts";
import type { Coverage } from "../../scripts/monitoring/coverage.ts";
import { DASHBOARDS } from "../../scripts/monitoring/dashboards.ts";
import { declaredRules } from "../../scripts/monitoring/declared.ts";
import { prometheusAt } from "../../scripts/monitoring/prometheus.ts";
import type { Ask, Sample } from "../../scripts/monitoring/prometheus.ts";
import { rulesText } from "../../scripts/monitoring/rules-text.ts";
import { GROUPS } from "../../scripts/monitoring/rules.ts";
import { modulePath, packageRoot } from "../../scripts/package.ts";
import { compilePolicy, policyHash } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { missing, startAlertmanager, startPrometheus } from "../monitoring/daemons.ts";
import type { Daemon } from "../monitoring/daemons.ts";

// The whole way of an alert: an attack through real Envoy, scraped by a real Prometheus with the rules that we ship, told by a real
// Alertmanager to a webhook; by the configurations of envoy/examples/monitoring, with ports of their own and in seconds. Then `meshward coverage` of the same Prometheus.

const INGEST = "ingest-token-of-this-test-alone-0";
const READ = "read-token-of-this-test-alone-000";
const UNION = "/items/7?id=1%20UNION%20SELECT%20name%20FROM%20users";
const SCRIPT = "/search?q=%3Cscript%3Ealert(1)%3C/script%3E";

interface Told {
  status: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

const EXAMPLE = join(packageRoot(), "envoy/examples/monitoring");
const example = async <Config>(file: string): Promise<Config> =>
  parse(await readFile(join(EXAMPLE, file), "utf8")) as Config;

/** What is counted only where something happens that does not happen here. */
const SELDOM: ReadonlySet<string> = new Set([
  "meshward_config_invalid",
  "meshward_hops_total",
  "meshward_passive_total",
  "meshward_collector_events_other_total",
  "meshward_collector_exchanges_total",
  "meshward_collector_database_failures_total",
  "meshward_collector_logins_total",
  "meshward_collector_removed_total",
]);

describe("alerts and coverage", { skip: missing("prometheus", "alertmanager"), timeout: 120_000 }, () => {
  let folder: string;
  let prometheus: Daemon;
  let alertmanager: Daemon;
  let collector: Collector;
  let ask: Ask;
  const envoys: RunningEnvoy[] = [];
  const told: Told[] = [];

  /** Echoes what is asked for into a page: a service with a hole. */
  const service = createServer((request, response) => {
    const asked = new URL(request.url ?? "/", "http://shop").searchParams.get("q") ?? "";
    response.setHeader("content-type", "text/html").end(`<html><body>You asked for ${asked}</body></html>`);
  });
  const webhook = createServer((request, response) => {
    void text(request).then((body) => {
      told.push(...(JSON.parse(body) as { alerts: Told[] }).alerts);
      response.end();
    });
  });
  const listening = async (server: typeof service): Promise<number> => {
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return (server.address() as AddressInfo).port;
  };

  const start = async (name: string, upstream: string, source: PolicySource | null): Promise<RunningEnvoy> => {
    const envoy = await resolveEnvoy({ env: process.env, backend: "process" });
    const running = await startEnvoy(envoy, {
      compiled: compilePolicy(policyFrom(source ?? {}), { holdHeaders: true }),
      listen: { host: "127.0.0.1", port: 0 },
      modulePath: modulePath(),
      env: { ...process.env, MESHWARD_OTLP_TOKEN: INGEST },
      ...{ upstream, service: name, filter: source !== null, concurrency: 1, onAccess: null },
    });
    envoys.push(running);
    return running;
  };
  const send = async (to: RunningEnvoy, path: string, init: RequestInit = {}): Promise<void> =>
    void (await (await fetch(to.url + path, init)).arrayBuffer());

  /** An alert that has reached the webhook. */
  const alert = (status: string, name: string, labels: Record<string, string>): Promise<Told> =>
    poll(
      async () =>
        told.find(
          (one) =>
            one.status === status &&
            one.labels.alertname === name &&
            Object.entries(labels).every(([key, value]) => one.labels[key] === value),
        ) ?? null,
      30_000,
      () => new Error(`no ${name}: ${JSON.stringify(told.map((one) => one.labels))}\n${prometheus.log()}`),
    );

  /** The series of an expression, once there are some. */
  const some = (expression: string): Promise<Sample[]> =>
    poll(
      async () => {
        const found = await ask(expression);
        return found.length > 0 ? found : null;
      },
      20_000,
      () => new Error(`${expression} has no series`),
    );

  const cover = async (
    source: PolicySource,
    ...more: string[]
  ): Promise<{ code: number; out: string; err: string }> => {
    const file = join(folder, "policy.yaml");
    writeFileSync(file, JSON.stringify(source));
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const words = ["coverage", "--policy", file, "--prometheus", prometheus.url, ...more];
    const code = await main(words, { stdin: new PassThrough(), stdout, stderr, env: {} });
    stdout.end();
    stderr.end();
    return { code, out: await text(stdout), err: await text(stderr) };
  };

  let cart: RunningEnvoy;
  let web: RunningEnvoy;
  let declared: PolicySource;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "meshward-monitoring-"));
    chmodSync(folder, 0o755);
    collector = await startCollector({
      ...{ database: join(folder, "data"), host: "127.0.0.1", port: 0, retentionSeconds: 86_400, hosts: [] },
      ingestTokens: [{ name: "sidecars", value: INGEST }],
      readTokens: [{ name: "test", value: READ }],
      log: () => undefined,
    });
    const upstream = `http://127.0.0.1:${await listening(service)}`;
    const events = { otlp: collector.url };
    declared = { mode: "block", events, observe: { sample: "100%" } };
    cart = await start("cart", upstream, declared);
    web = await start("web", upstream, { ...declared, mode: "detect" });
    const plain = await start("plain", upstream, null);
    const targets = Object.entries({ cart, web, plain }).map(([name, { admin }]) => ({
      targets: [new URL(admin.origin).host],
      labels: { service: name },
    }));
    const hook = `http://127.0.0.1:${await listening(webhook)}`;
    const route = { group_wait: "0s", group_interval: "1s" };
    const alerting = await example<{ route: { routes: object[] }; receivers: { name: string }[] }>("alertmanager.yml");
    alertmanager = await startAlertmanager(folder, {
      ...alerting,
      route: { ...alerting.route, ...route, routes: alerting.route.routes.map((one) => ({ ...one, ...route })) },
      receivers: alerting.receivers.map(({ name }) => ({ name, webhook_configs: [{ url: `${hook}/${name}` }] })),
    });
    const files = join(folder, "prometheus");
    mkdirSync(files);
    const rules = rulesText([declaredRules(policyFrom(declared))], "rules", "declared");
    writeFileSync(join(files, "declared.rules.yaml"), rules);
    writeFileSync(join(files, "meshward.rules.yaml"), await readFile(join(EXAMPLE, "meshward.rules.yaml")));
    writeFileSync(join(files, "read-token"), READ);
    const scraping = await example<{ scrape_configs: { job_name: string }[] }>("prometheus.yml");
    const scraped: Record<string, object[]> = {
      envoy: targets,
      "meshward-collector": [{ targets: [new URL(collector.url).host] }],
    };
    prometheus = await startPrometheus(folder, {
      ...scraping,
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager.url).host] }] }] },
      scrape_configs: scraping.scrape_configs.map((job) => ({ ...job, static_configs: scraped[job.job_name]! })),
    });
    ask = prometheusAt(new URL(`${prometheus.url}/`), undefined);
    // The first counts are there before the first attack: what stands at 0 can grow.
    await poll(
      async () => (await ask("meshward:requests:rate5m")).length === 10 || null,
      20_000,
      () => new Error(prometheus.log()),
    );
  });
  after(async () => {
    await prometheus?.stop();
    await alertmanager?.stop();
    await Promise.all(envoys.map((envoy) => envoy.stop()));
    await collector?.stop();
    for (const server of [service, webhook]) {
      server.closeAllConnections();
      server.close();
    }
    await rm(folder, { recursive: true, force: true });
  });

  it("an attack that was refused is told within seconds", async () => {
    for (let sent = 0; sent < 3; sent++) await send(cart, UNION);
    const { labels, annotations } = await alert("firing", "MeshwardAttacksStopped", { service: "cart" });
    assert.deepEqual(labels, { alertname: "MeshwardAttacksStopped", service: "cart", severity: "info" });
    assert.match(annotations.description!, /^Meshward has refused about \d+ requests to cart within 5 minutes\.$/);
    assert.equal(annotations.runbook, "docs/runbook.md#meshwardattacksstopped");
    assert.ok(!told.some(({ labels: own }) => own.alertname === "MeshwardAttacksStopped" && own.service !== "cart"));
  });

  it("a flaw that a response confirms is told by way of the collector", async () => {
    await send(web, SCRIPT);
    const { labels } = await alert("firing", "MeshwardConfirmedVulnerability", { service: "web" });
    assert.deepEqual([labels.class, labels.severity], ["xss", "critical"]);
  });

  it("attempts of five kinds are a campaign, though each rule's series begins with it", async () => {
    const attacks = [
      UNION,
      SCRIPT,
      "/x?f=../../../../etc/passwd",
      "/x?h=a;cat%20/etc/passwd",
      "/x?j=${jndi:ldap://a.example/b}",
      "/x?t={{7*7}}",
    ];
    for (const attack of attacks) await send(cart, attack);
    const { labels } = await alert("firing", "MeshwardAttackCampaign", { spread: "rules" });
    assert.equal(labels.service, "cart");
  });

  it("coverage: each workload's state, 1 for a gap", async () => {
    const { code, out, err } = await cover(declared, "--json");
    assert.deepEqual([code, err], [1, ""]);
    const { policy, workloads, counts } = JSON.parse(out) as Coverage;
    assert.equal(policy, policyHash(policyFrom(declared)));
    assert.deepEqual(
      workloads.map(({ namespace, service: name, state, proxies }) => [namespace, name, state, proxies[0]!.reasons]),
      [
        [null, "cart", "protected", []],
        [null, "plain", "absent", ["Envoy without Meshward"]],
        [
          null,
          "web",
          "stale",
          [`policy ${policyHash(policyFrom({ ...declared, mode: "detect" }))} in force, declared is ${policy}`],
        ],
      ],
    );
    assert.deepEqual(counts, { absent: 1, stale: 1, degraded: 0, protected: 1 });
    assert.deepEqual((await cover(declared)).code, 1);
  });

  it("the scrape has the names and labels of the pages, and no other labels", async () => {
    await send(cart, "/notes", { method: "POST", headers: { "content-type": "application/json" }, body: '{"note":' });
    // One request in 128 has its time taken; Envoy merges histograms every 5 s.
    for (let sent = 0; sent < 128; sent++) await send(cart, "/");
    let seen = 0;
    for (const [file, ofTarget] of [
      ["docs/observability.md", ["job", "instance", "service"]],
      ["docs/collector.md", ["job", "instance"]],
    ] as const) {
      const page = await readFile(join(packageRoot(), file), "utf8");
      for (const [, name, kind, cell] of page.matchAll(/^\| `(meshward_\w+)`[^|]*\| (\w+) +\|([^|]*)\|/gm)) {
        const isHistogram = kind === "histogram";
        const labels = [...cell!.matchAll(/`(\w+)`/g)].map(([, label]) => label!);
        const wanted = [...labels, ...ofTarget, "__name__", ...(isHistogram ? ["le"] : [])].sort();
        const series =
          isHistogram || SELDOM.has(name!) ? await ask(isHistogram ? `${name}_bucket` : name!) : await some(name!);
        for (const one of series) assert.deepEqual(Object.keys(one.labels).sort(), wanted, name);
        seen += series.length > 0 ? 1 : 0;
      }
    }
    assert.ok(seen > 20, `${seen} names`);
  });

  it("every rule can be evaluated, and every series that they record is there", async () => {
    const records = GROUPS.flatMap(({ rules }) => rules.flatMap((rule) => ("record" in rule ? [rule.record] : [])));
    assert.ok(records.length > 10);
    for (const record of [...records, "meshward:declared:policy", "meshward:declared:block"]) {
      await some(`${record} == ${record}`);
    }
    const response = await fetch(`${prometheus.url}/api/v1/rules`);
    const { data } = (await response.json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    const rules = data.groups.flatMap((group) => group.rules);
    assert.equal(rules.length, GROUPS.flatMap((group) => group.rules).length + 2);
    for (const { name, health, lastError } of rules) assert.equal(health, "ok", `${name}: ${lastError}`);
  });

  for (const [name, { panels = [], templating }] of Object.entries(DASHBOARDS)) {
    it(`the dashboard ${name} asks for what there is`, async () => {
      assert.ok(panels.length > 3);
      for (const panel of panels as Panel[]) {
        const [target] = panel.targets as PromQuery[];
        const isEmptyAtTimes = panel.fieldConfig?.defaults.noValue !== undefined;
        const expr = target!.expr.replaceAll(/\$(?:namespace|service)\b/g, ".*").replaceAll("$__rate_interval", "1m");
        assert.doesNotMatch(expr, /\$/);
        const found = await ask(expr);
        if (found.length === 0)
          assert.ok(isEmptyAtTimes, `${name}: ${panel.title} is empty, and does not say why: ${expr}`);
        // What may be empty must come from names that exist all the same.
        for (const [metric] of expr.matchAll(/meshward[_:][a-z0-9_:]+/g)) {
          assert.ok(
            metric === "meshward_config_invalid" || (await ask(`count(${metric})`)).length > 0,
            `${name}: ${metric}`,
          );
        }
      }
      const variables = (templating?.list ?? []).filter(({ type }) => type === "query");
      for (const { query } of variables) {
        const [, vector, label] = /^label_values\((.*), (\w+)\)$/.exec(query as string)!;
        const series = await ask(vector!.replaceAll("$namespace", ".*"));
        // Outside of Kubernetes there is no namespace.
        assert.ok(series.some(({ labels }) => labels[label!] !== undefined) || label === "namespace", query as string);
      }
    });
  }
});
