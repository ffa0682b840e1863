/** What the module tells of exchanges becomes the collector's inventory, and what is wrong with it a finding. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessFlaws } from "../../collector/access.ts";
import { endpointsQuerySchema, findingsQuerySchema } from "../../collector/api.ts";
import { openDatabase } from "../../collector/collector.ts";
import { listEndpoints } from "../../collector/endpoints.ts";
import { listFindings } from "../../collector/findings.ts";
import { createIngest } from "../../collector/ingest.ts";
import { migrate } from "../../collector/migrations.ts";
import { observationOf, type Observation } from "../../collector/observation.ts";
import { readLogs } from "../../collector/otlp.ts";
import { startBench } from "../events/bench.ts";
import { temporaryFolder } from "./databases.ts";

test("an endpoint without its siblings' authentication is found in what the module tells", async () => {
  const bench = await startBench({ observe: { sample: "100%" } });
  const get = (path: string, token: boolean, status = 200): void => {
    const headers: [string, string][] = [["host", "shop.example"]];
    if (token) headers.push(["authorization", "Bearer abc"]);
    const response = { status, headers: [["content-type", "application/json"]] as [string, string][], body: "{}" };
    bench.plugin.exchange({ method: "GET", path, headers }, { source: "10.0.0.9:40000", response });
  };
  for (let order = 1; order <= 3; order++) {
    get("/orders?page=1", true);
    get(`/orders/${order}`, true);
    get(`/orders/${order}/invoice`, false);
  }
  get("/orders", false, 401);
  get("/orders/old", true, 404);
  bench.envoy.advance(61_000);

  const now = Date.now();
  const records = bench.calls.flatMap(({ body }) => readLogs(Buffer.from(body), "protobuf").records);
  // Others tell of findings, and of who uses which ids.
  const observations = records
    .map((record) => observationOf(record, now))
    .filter((one): one is Observation => typeof one === "object");
  assert.ok(observations.length >= 3);
  const database = await openDatabase(temporaryFolder("module"));
  try {
    await migrate(database);
    const ingest = createIngest(database, undefined, undefined, [accessFlaws]);
    const stored = await ingest.store([], now, observations);
    assert.equal(stored.observed.stored, observations.length);
    await ingest.judge(now);
    const { endpoints } = await listEndpoints(database, endpointsQuerySchema.parse({}), () => null);
    assert.deepEqual(
      endpoints.map(({ service, namespace, route, count, authentication, parameters }) => {
        return [
          namespace,
          service,
          route,
          count,
          authentication,
          parameters.map(({ part, name, types }) => [part, name, ...types].join(" ")),
        ];
      }),
      [
        ["shop", "cart", "/orders", 4, { bearer: 3, refused: 1 }, ["query page integer"]],
        ["shop", "cart", "/orders/{number}", 3, { bearer: 3 }, []],
        ["shop", "cart", "/orders/{number}/invoice", 3, { none: 3 }, []],
      ],
    );
    const { findings } = await listFindings(database, findingsQuerySchema.parse({}));
    assert.deepEqual(
      findings.map(({ rule, route, stage }) => [rule, route, stage]),
      [["auth-missing-authentication", "/orders/{number}/invoice", "likely"]],
    );
  } finally {
    await database.close();
  }
});
