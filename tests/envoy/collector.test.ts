import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { startCollector, type Collector } from "../../collector/collector.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { startMeshward } from "../../testing/index.ts";

// The whole way: a request through real Envoy, its finding through the collector's API, over an absence of the collector.

const INGEST = "ingest-token-of-this-test-alone-0";
const READ = "read-token-of-this-test-alone-000";

async function start(folder: string, port: number): Promise<Collector> {
  return startCollector({
    database: join(folder, "data"),
    host: "127.0.0.1",
    port,
    retentionSeconds: 86_400,
    ingestTokens: [{ name: "sidecars", value: INGEST }],
    readTokens: [{ name: "test", value: READ }],
    hosts: [],
    log: () => undefined,
  });
}

interface Listed {
  rule: string;
  stage: string;
  service: string;
  route: string;
  count: number;
}

async function findings({ url }: Collector): Promise<Listed[]> {
  const answer = await fetch(`${url}/api/v1/findings`, { headers: { authorization: `Bearer ${READ}` } });
  assert.equal(answer.status, 200);
  const { findings: listed } = (await answer.json()) as { findings: Listed[] };
  return listed.map(({ rule, stage, service, route, count }) => ({ rule, stage, service, route, count }));
}

/** Those of a page whose headers lack nothing that would be told. */
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
};

it("findings come to the collector, also those that were made while it was away", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "meshward-collector-"));
  const service = createServer((request, response) => {
    const asked = new URL(request.url ?? "/", "http://shop").searchParams.get("q") ?? "";
    response.writeHead(200, HEADERS).end(`<html><body>You asked for ${asked}</body></html>`);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => service.once("listening", resolve));
  let collector = await start(folder, 0);
  const { port } = new URL(collector.url);
  try {
    await using meshward = await startMeshward({
      policy: { observe: { sample: "100%" }, events: { otlp: collector.url } },
      upstream: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
      service: "cart",
      concurrency: 1,
      environment: { MESHWARD_OTLP_TOKEN: INGEST },
      progress: () => undefined,
    });
    const send = async (path: string): Promise<void> => void (await (await fetch(meshward.url + path)).arrayBuffer());
    const until = async (wanted: Listed[]): Promise<void> => {
      let listed: Listed[] = [];
      await poll(
        async () => {
          listed = (await findings(collector)).sort((a, b) => a.route.localeCompare(b.route));
          return JSON.stringify(listed) === JSON.stringify(wanted) || null;
        },
        20_000,
        () => new Error(`${JSON.stringify(listed)}; ${meshward.log().join("; ")}`),
      );
    };
    const sqli = { rule: "sqli-union-select", stage: "attempted", service: "cart", route: "/items/{number}" };
    const xss = { rule: "xss-script-element", stage: "confirmed", service: "cart", route: "/search", count: 1 };
    for (let i = 0; i < 5; i++) await send(`/items/${i}?id=1%20UNION%20SELECT%20name%20FROM%20users`);
    await send("/search?q=%3Cscript%3Ealert(1)%3C/script%3E");
    await until([{ ...sqli, count: 5 }, xss]);

    await collector.stop();
    for (let i = 0; i < 7; i++) await send(`/items/${i}?id=1%20UNION%20SELECT%20name%20FROM%20users`);
    await poll(
      () => Promise.resolve(meshward.log().some((line) => line.includes("does not take events")) || null),
      5_000,
      () => new Error("its absence was not noticed"),
    );
    collector = await start(folder, Number(port));
    await until([{ ...sqli, count: 12 }, xss]);
  } finally {
    await collector.stop();
    service.closeAllConnections();
    service.close();
    await rm(folder, { recursive: true, force: true });
  }
});
