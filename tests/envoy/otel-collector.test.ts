import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { parse } from "yaml";
import { freePort } from "../free-port.ts";
import { startCollector } from "../../collector/collector.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { packageRoot } from "../../scripts/package.ts";
import { startMeshward } from "../../testing/index.ts";
import { missing, runTool, startOtelCollector } from "../monitoring/daemons.ts";

// envoy/examples/monitoring/otel-collector.yaml, run: events of a real Envoy through an OpenTelemetry Collector to Meshward's own.

const INGEST = "ingest-token-of-this-test-alone-0";
const READ = "read-token-of-this-test-alone-000";
const file = join(packageRoot(), "envoy/examples/monitoring/otel-collector.yaml");
const skip = missing("otelcol");

interface OtelConfig {
  receivers: { otlp: { protocols: { http: { endpoint: string } } } };
  exporters: { "otlphttp/meshward": { endpoint: string } };
}

it("the OpenTelemetry Collector takes the example", { skip }, () => {
  const [code, said] = runTool("otelcol", ["validate", "--config", file]);
  assert.equal(code, 0, said);
});

it("events come through it to Meshward's collector, with its token", { skip, timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "meshward-otel-"));
  chmodSync(folder, 0o755);
  const service = createServer((_, response) => response.end("served")).listen(0, "127.0.0.1");
  await new Promise((resolve) => service.once("listening", resolve));
  const collector = await startCollector({
    ...{ database: join(folder, "data"), host: "127.0.0.1", port: 0, retentionSeconds: 86_400, hosts: [] },
    ingestTokens: [{ name: "otel", value: INGEST }],
    readTokens: [{ name: "test", value: READ }],
    log: () => undefined,
  });
  const config = parse(readFileSync(file, "utf8")) as OtelConfig;
  const port = await freePort();
  config.receivers.otlp.protocols.http.endpoint = `127.0.0.1:${port}`;
  config.exporters["otlphttp/meshward"].endpoint = collector.url;
  const otel = await startOtelCollector(folder, config, port, { MESHWARD_INGEST_TOKEN: INGEST });
  try {
    await using meshward = await startMeshward({
      policy: { mode: "block", events: { otlp: otel.url } },
      upstream: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
      service: "cart",
      concurrency: 1,
      progress: () => undefined,
    });
    await (await fetch(`${meshward.url}/items/7?id=1%20UNION%20SELECT%20name%20FROM%20users`)).arrayBuffer();
    const finding = await poll(
      async () => {
        const answer = await fetch(`${collector.url}/api/v1/findings`, {
          headers: { authorization: `Bearer ${READ}` },
        });
        const { findings } = (await answer.json()) as { findings: { rule: string; service: string; route: string }[] };
        return findings.find(({ rule }) => rule === "sqli-union-select") ?? null;
      },
      20_000,
      () => new Error(otel.log()),
    );
    assert.deepEqual([finding.service, finding.route], ["cart", "/items/{number}"]);
  } finally {
    await otel.stop();
    await collector.stop();
    service.closeAllConnections();
    service.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
