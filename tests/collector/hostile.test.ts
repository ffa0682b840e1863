/** What one sender, or one who fills an inventory with all that it has room for, could do to the collector: each was possible once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { accessFlaws } from "../../collector/access.ts";
import { componentsQuerySchema, endpointsQuerySchema, findingsQuerySchema } from "../../collector/api.ts";
import { startCollector } from "../../collector/collector.ts";
import { documentedAs, readDocument } from "../../collector/document.ts";
import { listComponents, listEndpoints } from "../../collector/endpoints.ts";
import { eventOf, senderOf, type NewEvent } from "../../collector/event.ts";
import { trendOf } from "../../collector/figures.ts";
import { listFindings } from "../../collector/findings.ts";
import { createIngest } from "../../collector/ingest.ts";
import {
  COLLECTIONS,
  JSON_DEPTH,
  JSON_VALUES,
  LABEL_PAIRS,
  PENDING_USES,
  QUEUE_REQUESTS,
} from "../../collector/limits.ts";
import { mapOf } from "../../collector/map.ts";
import { createMetrics } from "../../collector/metrics.ts";
import { observationOf, type Observation } from "../../collector/observation.ts";
import { MalformedError, readLogs } from "../../collector/otlp.ts";
import { createOwnership } from "../../collector/ownership.ts";
import { removeExcess } from "../../collector/retention.ts";
import { atEnd, onBoth, temporaryFolder } from "./databases.ts";
import { inventoryOf, operationOf } from "./examples.ts";
import { exchangesOf } from "./exchanges.ts";
import { findingRequest, observationRequest, protobufRequest, type Attributes } from "./otlp-request.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;
const READ = "read-token-0123456789";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

function event(changes: Attributes, time = NOW, resource: Attributes = {}): NewEvent {
  const { records } = readLogs(protobufRequest(findingRequest(time, changes, resource)), "protobuf");
  return eventOf(records[0]!, NOW) as NewEvent;
}

function observed(changes: Attributes, time = NOW, resource: Attributes = {}): Observation {
  const { records } = readLogs(protobufRequest(observationRequest(time, [changes], resource)), "protobuf");
  return observationOf(records[0]!, NOW) as Observation;
}

/** Milliseconds of processor time. */
function cost(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test("JSON that takes far more memory than its bytes is refused before it is parsed", () => {
  const read = (text: string): number => readLogs(Buffer.from(text), "json").records.length;
  const nested = (depth: number): string => `{"x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  assert.equal(read(nested(JSON_DEPTH)), 0);
  assert.throws(() => read(nested(JSON_DEPTH + 1)), /nests deeper/);
  assert.throws(() => read("[".repeat(4_000_000)), /nests deeper/);
  for (const [one, most] of [
    ["{}", 2],
    ["0", 1],
    ['"a":0', 1],
  ] as const) {
    const list = Array<string>(Math.ceil((JSON_VALUES + 10) / most)).fill(one);
    const text = one.includes(":") ? `{${list.join()}}` : `{"x":[${list.join()}]}`;
    assert.throws(() => read(text), new MalformedError(`the body has more than ${JSON_VALUES} values`));
  }
  // What stands in a text is none.
  assert.equal(read(JSON.stringify({ x: "[{,".repeat(JSON_VALUES), y: '\\"[[['.repeat(100) })), 0);
  assert.throws(() => read(`{"x":"${"[".repeat(200)}`), /no OTLP JSON/);
  assert.throws(() => read('{"x":"\\'), /no OTLP JSON/);
});

test("a service has one name, wherever slashes stand", () => {
  const named = (namespace: string, service: string): string => {
    const sender = senderOf(
      new Map([
        ["service.namespace", namespace],
        ["service.name", service],
      ]),
    );
    return `${sender.namespace}/${sender.service}`;
  };
  const whole = "a/a/a/a/a/a".split("/");
  const all = numbers(5).map((at) => named(whole.slice(0, at + 1).join("/"), whole.slice(at + 1).join("/")));
  assert.equal(new Set(all).size, 5);
});

test("long routes of a full service do not hold up everybody", () => {
  // 500 siblings alike but for their middle, in as many segments as a route has room for.
  const operations = numbers(500).map((at) => operationOf(`GET /${"a/".repeat(58)}${at}${"/b".repeat(58)} none 5`));
  const spent = cost(() => accessFlaws(inventoryOf(operations)));
  assert.ok(spent < 5_000, `${spent} ms`);
});

test("a document of the largest size is compared in little time, and one of long words is read in little", () => {
  const paths = Object.fromEntries(numbers(5_000).map((at) => [`/a/b/c${at}/{id}/d`, { get: {} }]));
  const servers = numbers(8).map((at) => ({ url: `/v${at}` }));
  const document = readDocument(JSON.stringify({ openapi: "3.1.0", servers, paths }));
  let spent = cost(() => {
    for (const at of numbers(500)) documentedAs(document, { method: "GET", route: `/a/b/x${at}/{number}/d` });
  });
  assert.ok(spent < 5_000, `${spent} ms for 500 routes`);
  const word = `/${"a".repeat(2_000)}!`;
  const long = readDocument(
    JSON.stringify({
      ...{ openapi: "3.1.0", servers: [{ url: "{".repeat(200_000) }] },
      paths: { [word]: { get: {} }, [`/${"a".repeat(500_000)}!`]: { get: {} } },
    }),
  );
  assert.deepEqual(
    long.operations.map(({ path }) => path),
    [word],
  );
  spent = cost(() => {
    assert.equal(documentedAs(long, { method: "GET", route: "/{text}" })?.path, word);
  });
  assert.ok(spent < 1_000, `${spent} ms for a long word`);
});

test("what is remembered of collections is bounded in all, and of one that was forgotten nothing is said", () => {
  const THEFT = `
    ada GET /orders hands order 1001 1002
    eve GET /orders hands order 2001
    eve GET /orders/{number} uses order 1001`;
  const found = (entries: number, others: number): string[] => {
    const ownership = createOwnership(undefined, entries);
    ownership.add(exchangesOf(THEFT, NOW), NOW);
    for (const at of numbers(others)) {
      ownership.add(exchangesOf(`u${at} GET /lists hands list${at % 10} ${9_000 + at}`, NOW), NOW);
    }
    return ownership.judge(NOW + 60_000).map(({ rule }) => rule);
  };
  assert.deepEqual(found(200, 100), ["auth-bola"]);
  assert.deepEqual(found(50, 100), []);
});

test("uses by many who own nothing, of all collections that there is room for, are judged in little time", () => {
  const ownership = createOwnership();
  const [hands] = exchangesOf("ada GET /orders hands order 1001", NOW);
  const [uses] = exchangesOf("eve GET /orders/{number} uses order 1001", NOW);
  const hex = (at: number): string => at.toString(16).padStart(16, "0");
  for (const owner of ["a", "b"]) {
    const own = numbers(COLLECTIONS).map((at) => {
      const handed = [{ collection: `c${at}`, hash: hex(owner === "a" ? 2 * at : 2 * at + 1), own: true }];
      return { ...hands!, subject: owner, handed };
    });
    ownership.add(own, NOW);
  }
  const used = numbers(PENDING_USES).map((at) => {
    const one = { ...uses!.used[0]!, collection: `c${at % COLLECTIONS}`, hash: hex((2 * at) % (2 * COLLECTIONS)) };
    return { ...uses!, subject: `z${at}`, used: [one] };
  });
  ownership.add(used, NOW);
  const spent = cost(() => ownership.judge(NOW + 60_000));
  assert.ok(spent < 1_500, `${spent} ms`);
});

test("metrics have so many series, whatever classes and services are told", async () => {
  const metrics = createMetrics({
    queue: () => ({ requests: 0, bytes: 0 }),
    findings: () => Promise.resolve([]),
    endpoints: () => Promise.resolve([]),
    now: () => NOW,
  });
  const observedNone = { stored: 0, duplicates: 0, unanswered: 0, other: 0, services: new Set<number>() };
  const one = event({});
  const events = numbers(150).flatMap((kind) =>
    numbers(150).map((service) => ({ ...one, class: `class${kind}`, service: `service${service}` })),
  );
  const other = { services: 0, endpoints: 0, fingerprints: 0, operations: 0 };
  metrics.stored({ events, duplicates: 0, other, observed: observedNone });
  const lines = (await metrics.text()).split("\n").filter((line) => line.includes("_events_total{"));
  assert.equal(lines.length, LABEL_PAIRS + 1);
  const rest = lines.find((line) => line.includes('class="other",service="other"'));
  assert.equal(rest?.split(" ").at(-1), String(150 * 150 - LABEL_PAIRS));
});

test("bodies that do not come keep nobody out", async () => {
  const collector = await startCollector({
    ...{ host: "127.0.0.1", port: 0, database: join(temporaryFolder("slow"), "data"), retentionSeconds: 86_400 },
    ...{ ingestTokens: [], readTokens: [{ name: "ada", value: READ }], hosts: [], log: () => {} },
  });
  atEnd(() => collector.stop());
  const post = (length: number): ReturnType<typeof httpRequest> =>
    httpRequest(`${collector.url}/v1/logs`, {
      method: "POST",
      agent: false,
      headers: { "content-type": "application/x-protobuf", "content-length": String(length) },
    });
  const slow = numbers(QUEUE_REQUESTS * 2).map(() => {
    const request = post(4 * 1024 * 1024);
    request.on("error", () => {});
    request.write(Buffer.alloc(100));
    return request;
  });
  await Promise.all(slow.map((request) => once(request, "socket")));
  const body = protobufRequest(findingRequest(Date.now()));
  for (let at = 0; at < 5; at++) {
    const request = post(body.length);
    request.end(body);
    const [response] = (await once(request, "response")) as [{ statusCode: number; resume(): void }];
    response.resume();
    assert.equal(response.statusCode, 200);
  }
  for (const request of slow) request.destroy();
  const cursor = Buffer.from(JSON.stringify([1, 9e15])).toString("base64url");
  const answer = await fetch(`${collector.url}/api/v1/endpoints?sort=changed&cursor=${cursor}`, {
    headers: { authorization: `Bearer ${READ}` },
  });
  assert.equal(answer.status, 400);
});

onBoth("lists go on behind the longest names", async (database) => {
  const ingest = createIngest(database);
  const long = "\u20ac".repeat(256);
  const resource = { "service.name": long, "service.namespace": long };
  const one = {
    "server.address": long,
    "meshward.direction": "outbound",
    "meshward.components": [`server ${"y".repeat(240)} 1`],
  };
  await ingest.store(
    [],
    NOW,
    ["GET", "PUT"].map((method) =>
      observed({ ...one, "http.route": long, "http.request.method": method }, NOW, resource),
    ),
  );
  const query = endpointsQuerySchema.parse({ limit: 1 });
  const first = await listEndpoints(database, query, () => null);
  const next = endpointsQuerySchema.parse({ limit: 1, cursor: first.next_cursor });
  assert.equal((await listEndpoints(database, next, () => null)).endpoints[0]?.method, "PUT");
  await ingest.store([], NOW, [
    observed({ ...one, "meshward.components": [`server ${"x".repeat(240)} 1`] }, NOW, resource),
  ]);
  const { next_cursor: cursor } = await listComponents(database, componentsQuerySchema.parse({ limit: 1 }));
  assert.ok((cursor ?? "").length > 400 && componentsQuerySchema.safeParse({ cursor }).success);
});

onBoth("sums of huge counts stay numbers, and calls that are shown are so many", async (database) => {
  const ingest = createIngest(database, undefined, { operations: 5_000, operationsOfService: 3_000 });
  const huge = { "meshward.count": 999_999_999, "meshward.status_classes": ["2xx 999999999"] };
  const many = numbers(2_000).map((at) => observed(huge, NOW - at));
  await ingest.store([], NOW, many);
  await database.query("UPDATE meshward.operation SET count = 999999999999999");
  await ingest.store([], NOW, [observed(huge, NOW - 5_000)]);
  const { endpoints } = await listEndpoints(database, endpointsQuerySchema.parse({}), () => null);
  assert.deepEqual(
    endpoints.map(({ count }) => count),
    [1e12],
  );
  const services = numbers(60).map((at) => `s${at}`);
  const calls = services.flatMap((from) =>
    services.slice(0, 40).map((host) =>
      observed({ "meshward.direction": "outbound", "server.address": host, "http.route": "/" }, NOW, {
        "service.name": from,
      }),
    ),
  );
  await ingest.store([], NOW, calls);
  const map = await mapOf(database);
  assert.equal(map.edges.length, 2_000);
  assert.equal(map.edges_left_out, 400);
});

onBoth("what senders date back leaves no minutes, and what grows fastest goes in between", async (database) => {
  const ingest = createIngest(database);
  await ingest.store([event({}, NOW - 60 * HOUR), event({}, NOW - HOUR)], NOW);
  const [{ steps }] = (await database.query(
    "SELECT string_agg(step::text, ',' ORDER BY step) AS steps FROM meshward.trend",
  )) as [{ steps: string }];
  assert.equal(steps, "60,3600,3600");
  assert.equal(
    (await trendOf(database, { window: "7d" }, new Date(NOW))).points.reduce((sum, { events }) => sum + events, 0),
    2,
  );
  const keys = numbers(300).map((at) => observed({ "meshward.count": at + 1 }));
  await ingest.store([], NOW, keys);
  assert.equal(await removeExcess(database, new Date(NOW + 300_000), 1), 1);
  assert.equal((await ingest.store([], NOW + 300_000, keys)).observed.duplicates, 300);
  await removeExcess(database, new Date(NOW + HOUR));
  const [{ left }] = (await database.query("SELECT count(*) AS left FROM meshward.observation")) as [{ left: number }];
  assert.equal(left, 0);
});

onBoth("services are judged so long at a time, the rest later", async (database) => {
  const judged: string[] = [];
  const note = ({ service }: { service: string }): [] => {
    judged.push(service);
    return [];
  };
  const ingest = createIngest(database, undefined, undefined, [note]);
  const services = numbers(12).map((at) => `s${String(at).padStart(2, "0")}`);
  await ingest.store(
    [],
    NOW,
    services.map((name) => observed({}, NOW, { "service.name": name })),
  );
  await ingest.judge(NOW, 0);
  assert.equal(judged.length, 5);
  await ingest.judge(NOW, 0);
  await ingest.judge(NOW, 0);
  assert.deepEqual(judged, services);
});

onBoth("a request for all operations at once, each with more than is kept of it", async (database) => {
  const ingest = createIngest(database);
  const request = (round: number): Observation[] =>
    numbers(450).map((at) =>
      observed({
        "http.route": `/r${at}`,
        "meshward.parameters": numbers(32).map((name) => `query integer p${round}_${name}`),
        "meshward.callers": numbers(32).map((name) => `spiffe://mesh/ns/a/sa/c${round}_${name}`),
      }),
    );
  for (const round of [0, 1, 2]) await ingest.store([], NOW, request(round));
  const rows = (await database.query(
    "SELECT kind, count(*) AS count FROM meshward.trait GROUP BY kind ORDER BY kind",
  )) as { kind: string; count: number }[];
  assert.deepEqual(Object.fromEntries(rows.map(({ kind, count }) => [kind, count])), {
    ...{ caller: 450 * 16, host: 450, parameter: 450 * 64, response: 450, scheme: 450 },
  });
});

onBoth("open findings are counted at the endpoints that they are of", async (database) => {
  const ingest = createIngest(database);
  await ingest.store(
    [
      event({ "http.route": "/a" }),
      event({ "http.route": "/a", "meshward.parameter": "r", "meshward.stage": "likely" }),
    ],
    NOW,
    [observed({ "http.route": "/a" }), observed({ "http.route": "/a", "meshward.direction": "outbound" })],
  );
  const { endpoints } = await listEndpoints(database, endpointsQuerySchema.parse({}), () => null);
  assert.deepEqual(
    endpoints.map(({ direction, findings }) => [direction, findings]),
    [
      ["inbound", { attempted: 1, likely: 1, confirmed: 0 }],
      ["outbound", { attempted: 0, likely: 0, confirmed: 0 }],
    ],
  );
  assert.equal((await listFindings(database, findingsQuerySchema.parse({ text: "% _ ' \\ \u0000" }))).total, 0);
});
