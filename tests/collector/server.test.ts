/** The server as its clients and attackers meet it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  auditSchema,
  componentsSchema,
  driftsSchema,
  endpointsSchema,
  eventsSchema,
  findingDetailSchema,
  findingsSchema,
  mapSchema,
  OPERATIONS,
  servicesSchema,
  summarySchema,
  trendSchema,
} from "../../collector/api.ts";
import { startCollector, type Collector, type CollectorOptions } from "../../collector/collector.ts";
import { readDocument } from "../../collector/document.ts";
import { HEADERS } from "../../collector/guard.ts";
import { createQueue } from "../../collector/queue.ts";
import { readLogs } from "../../collector/otlp.ts";
import { atEnd, noPostgres, postgres, temporaryFolder } from "./databases.ts";
import {
  findingAttributes,
  findingRequest,
  jsonRequest,
  observationRequest,
  protobufRequest,
  resourceAttributes,
} from "./otlp-request.ts";

const READ = "read-token-0123456789";
const INGEST = "ingest-token-0123456789";
const OTHER = "another-token-0123456789";

const lines: string[] = [];
let clock = Date.now();

async function start(changes: Partial<CollectorOptions> = {}): Promise<Collector> {
  const collector = await startCollector({
    host: "127.0.0.1",
    port: 0,
    database: noPostgres === false ? await (await postgres()).newUrl() : join(temporaryFolder("server"), "data"),
    retentionSeconds: 86_400,
    ingestTokens: [{ name: "ingest", value: INGEST }],
    readTokens: [
      { name: "ada", value: READ },
      { name: "ci", value: OTHER },
    ],
    hosts: ["collector.mesh"],
    log: (line) => void lines.push(line),
    now: () => clock,
    ...changes,
  });
  atEnd(() => collector.stop());
  return collector;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json<Value = { detail: string }>(): Value;
}

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

/** Asks as it is told, with any Host. */
function ask(collector: Collector, path: string, { method = "GET", headers = {}, body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(collector.url + path, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const all = Buffer.concat(chunks);
        const json = <Value>(): Value => JSON.parse(all.toString("utf8")) as Value;
        resolve({ status: response.statusCode!, headers: response.headers, body: all, json });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const JSON_TYPE = { "content-type": "application/json" };
const ingest = (collector: Collector, body: Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
  ask(collector, "/v1/logs", {
    method: "POST",
    headers: { ...bearer(INGEST), "content-type": "application/x-protobuf", ...headers },
    body,
  });

const shared = start();

test("what is sent in every form comes out of every operation as its schema says", async () => {
  const collector = await shared;
  const record = (id: string): Parameters<typeof jsonRequest>[0] =>
    findingRequest(clock, { "meshward.request_id": id });
  for (const [type, body] of [
    ["application/x-protobuf", protobufRequest(record("p"))],
    ["application/json; charset=utf-8", jsonRequest(record("j"))],
  ] as const) {
    const plain = await ingest(collector, body, { "content-type": type });
    assert.equal(plain.status, 200);
    assert.equal(plain.headers["content-type"], type.split(";")[0]);
    assert.equal(plain.body.toString(), type.includes("json") ? "{}" : "");
    assert.equal(
      (await ingest(collector, gzipSync(body), { "content-type": type, "content-encoding": "gzip" })).status,
      200,
    );
  }
  const get = async (path: string): Promise<Answer> => ask(collector, path, { headers: bearer(READ) });
  const { findings } = findingsSchema.parse((await get("/api/v1/findings")).json());
  assert.deepEqual(
    findings.map(({ count }) => count),
    [2],
  );
  assert.equal(eventsSchema.parse((await get("/api/v1/events?request_id=j")).json()).events.length, 1);
  assert.equal(summarySchema.parse((await get("/api/v1/summary")).json()).events.day, 2);
  assert.equal(servicesSchema.parse((await get("/api/v1/services")).json()).services[0]!.endpoints, 1);
  assert.equal(trendSchema.parse((await get("/api/v1/trend?window=1h")).json()).points.at(-1)!.events, 2);
  const at = `/api/v1/findings/${findings[0]!.fingerprint}`;
  const detail = findingDetailSchema.parse((await get(at)).json());
  assert.match(detail.rule_text!.remedy.code, /parameters/);
  assert.match(detail.exception!, /rules:\n +- sqli-tautology/);
  const open = (await get("/metrics")).body.toString();
  const endpoint =
    /meshward_collector_endpoint_(\w+)\{stage="attempted",class="sqli",service="shop\/cart",endpoint="GET \S+"\} (\d+)\n/g;
  assert.deepEqual(
    [...open.matchAll(endpoint)].map(([, name, value]) => [name, value]),
    [
      ["findings", "1"],
      ["events", "2"],
    ],
  );
  assert.match(open, /meshward_collector_attackers\{service="shop\/cart"\} 1\n/);
  const body = JSON.stringify({ state: "false-positive", note: "search words" });
  const changed = await ask(collector, `${at}/state`, {
    method: "POST",
    headers: { ...bearer(OTHER), ...JSON_TYPE },
    body,
  });
  assert.equal(findingDetailSchema.parse(changed.json()).state, "false-positive");
  const [entry] = auditSchema.parse((await get("/api/v1/audit")).json()).entries;
  assert.deepEqual([entry!.who, entry!.action], ["ci", "state"]);
  const metrics = (await get("/metrics")).body.toString();
  assert.match(
    metrics,
    /meshward_collector_events_total\{stage="attempted",severity="high",class="sqli",service="shop\/cart"\} 2\n/,
  );
  assert.match(metrics, /meshward_collector_events_duplicate_total 2\n/);
  assert.match(metrics, /meshward_collector_database_seconds_count\{what="store"\} 4\n/);
  assert.equal((await ask(collector, "/healthz", { headers: { host: "10.1.2.3:4318" } })).status, 200);
  assert.match((await ask(collector, "/openapi.json")).json<{ openapi: string }>().openapi, /^3\.1/);
  // The page, where it was built.
  const page = await ask(collector, "/");
  if (page.status === 200) assert.match(page.headers["content-type"]!, /^text\/html/);
});

test("the inventory comes out of every operation as its schema says", async () => {
  const collector = await shared;
  const records = observationRequest(clock, [
    { "http.route": "/orders", "meshward.components": ["server nginx 1.25.3"] },
    { "meshward.direction": "outbound", "server.address": "stock" },
    { "meshward.status_classes": ["4xx 1"], "http.route": "/none", "meshward.authentication": [] },
  ]);
  for (const at of [0, 1]) assert.equal((await ingest(collector, protobufRequest(records))).status, 200, String(at));
  const get = async (path: string): Promise<Answer> => ask(collector, path, { headers: bearer(READ) });
  const list = endpointsSchema.parse((await get("/api/v1/endpoints?direction=inbound")).json());
  assert.deepEqual(
    list.endpoints.map(({ route, count, documented }) => [route, count, documented]),
    [["/orders", 1, null]],
  );
  assert.equal(componentsSchema.parse((await get("/api/v1/components")).json()).components.length, 1);
  assert.equal(mapSchema.parse((await get("/api/v1/map")).json()).edges.length, 1);
  const document = (await get("/api/v1/openapi/cart?namespace=shop")).json<{ paths: object }>();
  assert.deepEqual(Object.keys(document.paths), ["/orders"]);
  assert.equal((await get("/api/v1/openapi/none")).status, 404);
  assert.equal((await get("/api/v1/endpoints?cursor=x")).status, 400);
  assert.equal((await get("/api/v1/endpoints?since=yesterday")).status, 400);
  for (const path of ["endpoints", "components", "map", "openapi/cart"]) {
    assert.equal((await ask(collector, `/api/v1/${path}`)).status, 401, path);
  }
  const metrics = (await get("/metrics")).body.toString();
  for (const [result, count] of Object.entries({ stored: 2, duplicate: 3, unanswered: 1 })) {
    assert.ok(metrics.includes(`meshward_collector_observations_total{result="${result}"} ${count}\n`), result);
  }
});

test("a service is held against its OpenAPI document, and what differs becomes a finding", async () => {
  const paths = { "/orders": { get: { deprecated: true, responses: {} } } };
  const documents = new Map([["shop/cart", readDocument(JSON.stringify({ openapi: "3.1.0", paths }))]]);
  const collector = await start({ documents });
  const records = observationRequest(clock, [{ "http.route": "/orders" }, { "http.route": "/debug" }]);
  assert.equal((await ingest(collector, protobufRequest(records))).status, 200);
  await collector.judge();
  const get = async (path: string): Promise<Answer> => ask(collector, path, { headers: bearer(READ) });
  const { findings } = findingsSchema.parse((await get("/api/v1/findings?class=inventory")).json());
  assert.deepEqual(findings.map(({ rule, route, service }) => [rule, route, service]).sort(), [
    ["inventory-shadow", "/debug", "cart"],
    ["inventory-zombie", "/orders", "cart"],
  ]);
  const detail = findingDetailSchema.parse((await get(`/api/v1/findings/${findings[0]!.fingerprint}`)).json());
  assert.equal(detail.exception, null);
  const { endpoints } = endpointsSchema.parse((await get("/api/v1/endpoints")).json());
  assert.deepEqual(
    endpoints.map(({ route, documented }) => [route, documented]),
    [
      ["/debug", "undocumented"],
      ["/orders", "deprecated"],
    ],
  );
  const [drift] = driftsSchema.parse((await get("/api/v1/drift")).json()).services;
  assert.deepEqual([drift!.documented, drift!.undocumented.length, drift!.unseen.length], [1, 1, 0]);
});

test("every answer has every header, also where something is wrong", async () => {
  const collector = await shared;
  const answers = [
    await ask(collector, "/healthz"),
    await ask(collector, "/api/v1/summary"),
    await ask(collector, "/api/v1/summary", { headers: bearer(READ) }),
    await ask(collector, "/nothing"),
    await ask(collector, "/api/v1/findings/%ff", { headers: bearer(READ) }),
    await ask(collector, "/api/v1/summary", { headers: { host: "evil.example" } }),
    await ask(collector, "/v1/logs"),
    await ingest(collector, Buffer.from("no protobuf")),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 401, 200, 404, 400, 421, 405, 400],
  );
  for (const { headers } of answers) {
    for (const [name, value] of Object.entries(HEADERS)) assert.equal(headers[name], value, name);
    assert.equal(headers["x-powered-by"], undefined);
    assert.equal(headers["access-control-allow-origin"], undefined);
  }
  const policy = HEADERS["content-security-policy"]!;
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
    assert.ok(policy.includes(part));
  assert.equal(answers[6]!.headers.allow, "POST");
});

test("a name that is not the collector's gets nothing: rebinding", async () => {
  const collector = await shared;
  const port = new URL(collector.url).port;
  const status = async (host: string): Promise<number> =>
    (await ask(collector, "/api/v1/summary", { headers: { ...bearer(READ), host } })).status;
  for (const host of [
    "127.0.0.1",
    `127.0.0.1:${port}`,
    "localhost:1",
    "LOCALHOST",
    "[::1]:4318",
    "collector.mesh:80",
    "collector.mesh.",
  ]) {
    assert.equal(await status(host), 200, host);
  }
  for (const host of [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "collector.mesh@evil.example",
    "127.0.0.1:80:80",
    "[::2]",
    "0.0.0.0",
    "2130706433",
    " ",
    "a/b",
  ]) {
    assert.equal(await status(host), 421, host);
  }
  // None at all, as HTTP/1.0 has it.
  const raw = await new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(Number(port), "127.0.0.1", () => socket.write("GET /api/v1/summary HTTP/1.0\r\n\r\n"));
    socket.on("data", (data: Buffer) => (text += data.toString()));
    socket.on("close", () => resolve(text));
  });
  assert.match(raw, /^HTTP\/1\.1 421 /);
});

test("each token opens its own door and no other", async () => {
  const collector = await shared;
  const read = async (headers: Record<string, string>): Promise<number> =>
    (await ask(collector, "/api/v1/findings", { headers })).status;
  assert.equal(await read(bearer(READ)), 200);
  assert.equal(await read({ authorization: `bearer ${READ}` }), 200);
  for (const headers of [
    {},
    bearer(INGEST),
    bearer(`${READ}x`),
    bearer(READ.slice(0, -1)),
    bearer(""),
    { authorization: READ },
    { authorization: `Basic ${READ}` },
  ]) {
    assert.equal(await read(headers as Record<string, string>), 401, JSON.stringify(headers));
  }
  assert.equal((await ask(collector, `/api/v1/findings?token=${READ}`)).status, 401);
  const body = protobufRequest(findingRequest(clock));
  assert.equal((await ingest(collector, body, bearer(READ))).status, 401);
  assert.equal((await ingest(collector, body, { authorization: "" })).status, 401);
  assert.equal((await ingest(collector, body)).status, 200);
  for (const { path, method, access } of Object.values(OPERATIONS)) {
    const { status } = await ask(collector, path.replace("{fingerprint}", "0".repeat(32)), {
      method: method.toUpperCase(),
    });
    if (access === "open") assert.notEqual(status, 401, path);
    else assert.equal(status, 401, path);
  }
  clock += 61_000;
});

/** Signs in; the cookie as a browser sends it back. */
async function signIn(collector: Collector, token = READ): Promise<{ cookie: string; header: string }> {
  const answer = await ask(collector, "/session", {
    method: "POST",
    headers: { ...JSON_TYPE, "x-meshward-change": "1", "sec-fetch-site": "same-origin" },
    body: JSON.stringify({ token }),
  });
  assert.equal(answer.status, 200, answer.body.toString());
  const header = answer.headers["set-cookie"]![0]!;
  return { cookie: header.split(";")[0]!, header };
}

test("a session reads, changes from the page alone, ends, and cannot be made up", async () => {
  const collector = await shared;
  const { cookie, header } = await signIn(collector);
  assert.match(header, /^meshward_session=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  const status = async (value: string): Promise<number> =>
    (await ask(collector, "/session", { headers: { cookie: value } })).status;
  assert.equal(await status(cookie), 200);
  assert.equal(await status(`a=b; ${cookie}; c=d`), 200);
  // Two of the name: one may be planted by a neighbour.
  assert.equal(await status(`${cookie}; ${cookie}`), 401);
  const value = cookie.split("=")[1]!;
  const [expires, nonce, signature] = value.split(".") as [string, string, string];
  for (const forged of [
    `${Number(expires) + 1}.${nonce}.${signature}`,
    `${expires}.${"A".repeat(16)}.${signature}`,
    `${expires}.${nonce}.${"A".repeat(43)}`,
    "",
    READ,
  ]) {
    assert.equal(await status(`meshward_session=${forged}`), 401, forged);
  }
  // No ingest by session.
  assert.equal(
    (
      await ask(collector, "/v1/logs", {
        method: "POST",
        headers: { cookie, "content-type": "application/json" },
        body: "{}",
      })
    ).status,
    401,
  );

  const { findings } = (await ask(collector, "/api/v1/findings", { headers: { cookie } })).json<{
    findings: { fingerprint: string }[];
  }>();
  const origin = collector.url;
  const change = async (headers: Record<string, string>): Promise<number> =>
    (
      await ask(collector, `/api/v1/findings/${findings[0]!.fingerprint}/state`, {
        method: "POST",
        headers: { cookie, ...JSON_TYPE, ...headers },
        body: '{"state":"accepted"}',
      })
    ).status;
  const own = { "x-meshward-change": "1" };
  assert.equal(await change({ ...own, origin }), 200);
  assert.equal(await change({ ...own, "sec-fetch-site": "same-origin" }), 200);
  for (const wrong of [
    {},
    own,
    { origin },
    { "sec-fetch-site": "same-origin" },
    { ...own, origin: "http://evil.example" },
    { ...own, origin: "null" },
    { ...own, origin: `${origin}0` },
    { ...own, "sec-fetch-site": "cross-site" },
    { ...own, "sec-fetch-site": "same-site" },
    { ...own, "sec-fetch-site": "none" },
    { ...own, origin, "sec-fetch-site": "cross-site" },
  ]) {
    assert.equal(await change(wrong as Record<string, string>), 403, JSON.stringify(wrong));
  }
  assert.equal(await change({ ...own, origin, "content-type": "text/plain" }), 415);
  const out = await ask(collector, "/session", { method: "DELETE", headers: { cookie, ...own, origin } });
  assert.equal(out.status, 204);
  assert.match(out.headers["set-cookie"]![0]!, /^meshward_session=; .*Max-Age=0$/);
  assert.equal(await status(cookie), 401);
  const again = await signIn(collector, OTHER);
  assert.equal(await status(again.cookie), 200);
  clock += 12 * 3_600_000 + 1;
  assert.equal(await status(again.cookie), 401);
  const entries = (await ask(collector, "/api/v1/audit", { headers: bearer(READ) })).json<{
    entries: { who: string; action: string }[];
  }>().entries;
  assert.deepEqual(
    entries.slice(0, 2).map(({ who, action }) => [who, action]),
    [
      ["ci", "session"],
      ["ada", "session.end"],
    ],
  );
});

test("wrong tokens are counted by address, and signing in has to wait", async () => {
  const collector = await start();
  const login = async (token: string, headers: Record<string, string> = {}): Promise<Answer> =>
    ask(collector, "/session", {
      method: "POST",
      headers: { ...JSON_TYPE, "x-meshward-change": "1", ...headers },
      body: JSON.stringify({ token }),
    });
  assert.equal((await login(READ, { origin: "http://evil.example" })).status, 403);
  assert.equal((await login(READ, { "x-meshward-change": "" })).status, 200);
  assert.equal((await login(INGEST)).status, 401);
  for (let at = 0; at < 9; at++) assert.equal((await login(randomBytes(16).toString("hex"))).status, 401);
  const late = await login(READ);
  assert.equal(late.status, 429);
  assert.equal(late.headers["retry-after"], "60");
  assert.equal((await ask(collector, "/api/v1/summary", { headers: bearer("wrong-wrong-wrong-wrong") })).status, 429);
  assert.equal((await ask(collector, "/api/v1/summary", { headers: bearer(READ) })).status, 200);
  clock += 60_001;
  assert.equal((await login(READ)).status, 200);
});

test("hostile bodies are refused within bounds, and nothing of them is stored", async () => {
  const collector = await shared;
  const refused = async (body: Buffer, headers: Record<string, string>, expected: number): Promise<void> => {
    const answer = await ingest(collector, body, headers);
    assert.equal(answer.status, expected, answer.body.toString());
  };
  const json = { "content-type": "application/json" };
  const gzip = { "content-encoding": "gzip" };
  await refused(gzipSync(Buffer.alloc(300 * 1024 * 1024)), gzip, 413);
  await refused(gzipSync(Buffer.alloc(15 * 1024 * 1024)), gzip, 413);
  await refused(gzipSync(gzipSync(protobufRequest(findingRequest(clock)))), gzip, 400);
  await refused(Buffer.from("not gzip"), gzip, 400);
  await refused(gzipSync(Buffer.from("{}")).subarray(0, 10), { ...gzip, ...json }, 400);
  await refused(Buffer.alloc(5 * 1024 * 1024), {}, 413);
  await refused(Buffer.from("{}"), { "content-encoding": "br" }, 415);
  await refused(Buffer.from("{}"), { "content-encoding": "gzip, gzip" }, 415);
  await refused(Buffer.from("{}"), { "content-type": "text/plain" }, 415);
  await refused(Buffer.from("[".repeat(1_000_000)), json, 400);
  await refused(Buffer.from(`{"resourceLogs":${"[".repeat(200_000)}${"]".repeat(200_000)}}`), json, 400);
  await refused(Buffer.from("null"), json, 400);
  await refused(Buffer.from('{"resourceLogs":{}}'), json, 400);
  await refused(protobufRequest(findingRequest(clock)), { origin: "http://evil.example" }, 403);
  await refused(protobufRequest(findingRequest(clock)), { "sec-fetch-site": "cross-site" }, 403);
  const bad = await ingest(collector, Buffer.from('{"resourceLogs":1'), json);
  assert.deepEqual(bad.json(), { code: 3, message: "the body is no OTLP JSON" });
  for (const body of [
    "{",
    '{"state":"open","x":1}',
    '{"state":"muted"}',
    '{"state":"open","until":"2030-01-01T00:00:00Z"}',
    '{"state":"muted","until":"2020-01-01T00:00:00Z"}',
    `{"state":"open","note":"${"x".repeat(1_001)}"}`,
    "[]",
  ]) {
    const path = `/api/v1/findings/${"0".repeat(32)}/state`;
    assert.equal(
      (await ask(collector, path, { method: "POST", headers: { ...bearer(READ), ...JSON_TYPE }, body })).status,
      400,
      body,
    );
  }
  for (const path of [
    "findings?stage=x",
    "findings?limit=0",
    "findings?limit=201",
    "findings?x=1",
    "findings?stage=likely&stage=likely",
    "findings?cursor=x",
    "findings/x",
    "trend?window=9d",
    `findings?text=${"x".repeat(201)}`,
  ]) {
    const answer = await ask(collector, `/api/v1/${path}`, { headers: bearer(READ) });
    assert.equal(answer.status, 400, path);
    assert.equal(answer.headers["content-type"], "application/problem+json");
  }
});

test("what is not stored is told by partial_success, and counted", async () => {
  const collector = await shared;
  const records = [
    { time: clock, attributes: findingAttributes({ "meshward.request_id": "good" }) },
    { time: clock, eventName: "something.else", attributes: {} },
    { time: clock, attributes: {} },
    { time: clock, attributes: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`a${at}`, at])) },
  ];
  const body = [{ attributes: resourceAttributes(), records }];
  const answer = await ingest(collector, jsonRequest(body), { "content-type": "application/json" });
  assert.equal(answer.status, 200);
  assert.equal(
    answer.json<{ partialSuccess: { rejectedLogRecords: string } }>().partialSuccess.rejectedLogRecords,
    "3",
  );
  const binary = await ingest(collector, protobufRequest(body));
  // Field 1, a message with field 1: 3, and a text.
  assert.deepEqual(
    [...binary.body.subarray(0, 4)].filter((_, at) => at !== 1),
    [10, 8, 3],
  );
  assert.equal(readLogs(protobufRequest(body), "protobuf").rejected, 1);
  const { limits } = (await ask(collector, "/api/v1/summary", { headers: bearer(READ) })).json<{
    limits: { dropped: object };
  }>();
  assert.deepEqual(limits.dropped, { unknown: 2, invalid: 2, limit: 2 });
});

test("a full queue says when to come again", async () => {
  const queue = createQueue(1, 1_000_000);
  const collector = await start({ queue });
  const body = protobufRequest(findingRequest(clock));
  const leave = queue.enter(0);
  const answer = await ingest(collector, body);
  assert.equal(answer.status, 429);
  assert.equal(answer.headers["retry-after"], "1");
  leave();
  assert.equal((await ingest(collector, body)).status, 200);
  assert.equal((await ingest(collector, Buffer.alloc(2_000_000))).status, 429);
  assert.deepEqual(queue.state(), { requests: 0, bytes: 0 });
});

test("without tokens it listens on the loopback only, takes events of programs and none of pages", async () => {
  const open = { ingestTokens: [], readTokens: [] };
  for (const host of ["0.0.0.0", "::", "192.0.2.1"])
    await assert.rejects(start({ host, ...open }), /is not the loopback: set MESHWARD_INGEST_TOKEN/);
  await assert.rejects(start({ host: "0.0.0.0", readTokens: [] }), /not the loopback/);
  await assert.rejects(start({ readTokens: [{ name: "x", value: INGEST }] }), /use two/);
  const collector = await start(open);
  assert.match(collector.madeToken!, /^[\w-]{32}$/);
  const body = jsonRequest(findingRequest(clock));
  const post = async (headers: Record<string, string>): Promise<number> =>
    (await ask(collector, "/v1/logs", { method: "POST", headers, body })).status;
  assert.equal(await post(JSON_TYPE), 200);
  assert.equal(await post({ ...JSON_TYPE, origin: "http://evil.example" }), 403);
  assert.equal(await post({ ...JSON_TYPE, host: "evil.example" }), 421);
  assert.equal(await post({ "content-type": "text/plain" }), 415);
  assert.equal((await ask(collector, "/api/v1/summary")).status, 401);
  assert.equal((await ask(collector, "/api/v1/summary", { headers: bearer(collector.madeToken!) })).status, 200);
});

test("restarted, it has what it had, and sessions hold", async () => {
  const database = noPostgres === false ? await (await postgres()).newUrl() : join(temporaryFolder("restart"), "data");
  const first = await start({ database });
  await ingest(first, protobufRequest(findingRequest(clock)));
  const { cookie } = await signIn(first);
  await first.stop();
  const second = await start({ database });
  const answer = await ask(second, "/api/v1/findings", { headers: { cookie } });
  assert.equal(answer.json<{ total: number }>().total, 1);
  await second.removeOld();
});
