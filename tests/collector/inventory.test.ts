/** The inventory as the API tells it: endpoints, the map, components, and a document of what runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import {
  componentsQuerySchema,
  componentsSchema,
  endpointsQuerySchema,
  endpointsSchema,
  mapSchema,
  type Endpoint,
  type Endpoints,
} from "../../collector/api.ts";
import type { Database } from "../../collector/database.ts";
import { listComponents, listEndpoints, serviceNamed } from "../../collector/endpoints.ts";
import { eventOf, type NewEvent } from "../../collector/event.ts";
import { createIngest } from "../../collector/ingest.ts";
import { finder, mapOf } from "../../collector/map.ts";
import { observationOf, PARAMETER_TYPES, type Observation } from "../../collector/observation.ts";
import { readLogs } from "../../collector/otlp.ts";
import { openApiDocument } from "../../collector/openapi.ts";
import { serviceDocument } from "../../collector/service-openapi.ts";
import { onBoth } from "./databases.ts";
import { inventoryOf, operationOf } from "./examples.ts";
import { findingRequest, observationRequest, protobufRequest, type Attributes } from "./otlp-request.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;

function observed(changes: Attributes, time = NOW, resource: Attributes = {}): Observation {
  const { records } = readLogs(protobufRequest(observationRequest(time, [changes], resource)), "protobuf");
  const observation = observationOf(records[0]!, NOW);
  assert.ok(typeof observation !== "string", observation as string);
  return observation;
}

const endpoints = async (database: Database, query: object = {}): Promise<Endpoints> =>
  endpointsSchema.parse(await listEndpoints(database, endpointsQuerySchema.parse(query), () => null));
const names = ({ endpoints: list }: Endpoints): string[] =>
  list.map(({ service, method, host, route }) => [service, method, (host ?? "") + route].join(" "));

/** Problems of an OpenAPI document, by its schema and by what a schema cannot say. */
async function problemsOf(document: object): Promise<unknown[]> {
  const result = await new Validator().validate(structuredClone(document) as Record<string, unknown>);
  const problems: unknown[] = result.valid ? [] : [result.errors];
  const { paths } = document as { paths: Record<string, { parameters?: { name: string }[] }> };
  const shapes = Object.keys(paths).map((path) => path.replace(/\{[^}]*\}/g, "{}"));
  if (new Set(shapes).size !== shapes.length) problems.push("two paths are one");
  const ids: unknown[] = [];
  for (const [path, item] of Object.entries(paths)) {
    const used = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name);
    assert.deepEqual(
      used,
      (item.parameters ?? []).map(({ name }) => name),
    );
    if (new Set(used).size !== used.length) problems.push(`${path}: a parameter twice`);
    for (const [method, operation] of Object.entries(item) as [
      string,
      { operationId?: string; parameters?: Endpoint["parameters"] },
    ][]) {
      if (method === "parameters" || method.startsWith("x-")) continue;
      ids.push(operation.operationId);
      const keys = (operation.parameters ?? []).map((one) =>
        JSON.stringify([one.name, (one as unknown as { in: string }).in]),
      );
      if (new Set(keys).size !== keys.length) problems.push(`${path}: a parameter twice`);
    }
  }
  if (new Set(ids).size !== ids.length) problems.push("an operation's id twice");
  return problems;
}

onBoth(
  "endpoints are listed with all that was seen of them, by page, and what is new since a time",
  async (database) => {
    const ingest = createIngest(database);
    await ingest.store([], NOW, [
      observed(
        {
          "http.route": "/orders",
          "meshward.parameters": ["query integer|empty page", "cookie token session"],
          "meshward.callers": ["spiffe://mesh/ns/shop/sa/edge"],
          "meshward.status_classes": ["2xx 3", "4xx 1"],
          "meshward.authentication": ["bearer 3", "refused 1"],
          "meshward.count": 4,
        },
        NOW - 5 * HOUR,
      ),
      observed(
        { "http.request.method": "POST", "http.route": "/orders", "meshward.parameters": ["json text /a"] },
        NOW - 5 * HOUR,
      ),
      observed({ "http.route": "/orders/{number}" }, NOW - 5 * HOUR),
      observed({ "meshward.direction": "outbound", "server.address": "stock", "http.route": "/stock" }, NOW - 5 * HOUR),
      observed({ "http.route": "/" }, NOW - 5 * HOUR, { "service.name": "edge" }),
    ]);
    await ingest.store([], NOW, [
      observed({ "http.route": "/orders", "meshward.parameters": ["query text sort"] }, NOW - HOUR),
      observed({ "http.route": "/orders/new" }, NOW - HOUR),
    ]);
    const { records } = readLogs(protobufRequest(findingRequest(NOW, { "http.route": "/orders" })), "protobuf");
    await ingest.store([eventOf(records[0]!, NOW) as NewEvent], NOW);
    const all = await endpoints(database);
    assert.deepEqual(names(all), [
      "cart GET /orders",
      "cart POST /orders",
      "cart GET /orders/new",
      "cart GET /orders/{number}",
      "cart GET stock/stock",
      "edge GET /",
    ]);
    const [orders] = all.endpoints;
    assert.deepEqual(orders!.statuses, { "2xx": 4, "4xx": 1 });
    assert.deepEqual(orders!.authentication, { bearer: 4, refused: 1 });
    assert.deepEqual(
      orders!.parameters.map(({ part, name, types }) => [part, name, types]),
      [
        ["cookie", "session", ["token"]],
        ["query", "page", ["integer", "empty"]],
        ["query", "sort", ["text"]],
      ],
    );
    assert.deepEqual(orders!.findings, { attempted: 1, likely: 0, confirmed: 0 });
    assert.equal(orders!.callers[0]!.name, "spiffe://mesh/ns/shop/sa/edge");
    assert.equal(orders!.changed, new Date(NOW - HOUR).toISOString());
    // What is new: an endpoint, and a parameter of another.
    const since = new Date(NOW - 2 * HOUR).toISOString();
    assert.deepEqual(names(await endpoints(database, { since })), ["cart GET /orders", "cart GET /orders/new"]);
    assert.deepEqual(names(await endpoints(database, { silent_since: since, service: "edge" })), ["edge GET /"]);
    assert.deepEqual(names(await endpoints(database, { direction: "outbound" })), ["cart GET stock/stock"]);
    assert.deepEqual(names(await endpoints(database, { host: "STOCK" })), ["cart GET stock/stock"]);
    assert.deepEqual(names(await endpoints(database, { text: "SORT" })), ["cart GET /orders"]);
    for (const sort of ["route", "changed"]) {
      const paged: string[] = [];
      let cursor: string | null | undefined;
      while (cursor !== null) {
        const page = await endpoints(database, { sort, limit: "2", ...(cursor === undefined ? {} : { cursor }) });
        assert.equal(page.total, 6);
        paged.push(...names(page));
        cursor = page.next_cursor;
      }
      assert.deepEqual([...paged].sort(), names(all).sort(), sort);
    }
  },
);

onBoth("the map joins callers and callees", async (database) => {
  const ingest = createIngest(database);
  const call = (from: string, host: string, changes: Attributes = {}): Observation =>
    observed({ "meshward.direction": "outbound", "server.address": host, ...changes }, NOW, { "service.name": from });
  const own = (service: string, changes: Attributes = {}): Observation =>
    observed({ "server.address": `${service}.example`, ...changes }, NOW, { "service.name": service });
  await ingest.store([], NOW, [
    own("edge"),
    own("catalogue", { "meshward.callers": ["spiffe://mesh/ns/shop/sa/edge", "spiffe://mesh/ns/jobs/sa/nightly"] }),
    own("orders"),
    call("edge", "catalogue"),
    call("edge", "orders.shop.svc.cluster.local", { "url.scheme": "http", "meshward.count": 5 }),
    call("edge", "orders.example", { "http.route": "/b" }),
    call("orders", "api.pay.example"),
    call("orders", "127.0.0.1"),
  ]);
  const map = mapSchema.parse(await mapOf(database));
  assert.deepEqual(map.nodes.map(({ id, kind }) => `${kind} ${id}`).sort(), [
    "caller spiffe://mesh/ns/jobs/sa/nightly",
    "host 127.0.0.1",
    "host api.pay.example",
    "service shop/catalogue",
    "service shop/edge",
    "service shop/orders",
  ]);
  assert.deepEqual(
    map.edges
      .map(({ from, to, count, operations, schemes }) => [from, to, count, operations, schemes.join()].join(" "))
      .sort(),
    [
      "shop/edge shop/catalogue 1 1 https",
      "shop/edge shop/orders 6 2 http,https",
      "shop/orders 127.0.0.1 1 1 https",
      "shop/orders api.pay.example 1 1 https",
      "spiffe://mesh/ns/jobs/sa/nightly shop/catalogue 0 0 ",
    ],
  );
  // Hosts beyond the bound are counted, not shown.
  await ingest.store(
    [],
    NOW,
    Array.from({ length: 150 }, (_, at) => call("orders", `h${at}.example`)),
  );
  const wide = mapSchema.parse(await mapOf(database));
  assert.equal(wide.nodes.filter(({ kind }) => kind !== "service").length, 100);
  assert.equal(wide.left_out, 53);
});

test("a name is the service's that it names, and nobody's where clients could have made it up", () => {
  const services = ["shop/cart", "shop/orders", "jobs/orders", "jobs/mail"].map((id) => {
    const [namespace = "", service = ""] = id.split("/");
    return { id, service, namespace };
  });
  const asked = [
    { service: "cart", namespace: "shop", host: "www.shop.example" },
    { service: "cart", namespace: "shop", host: "both.example" },
    { service: "mail", namespace: "jobs", host: "both.example" },
    { service: "cart", namespace: "shop", host: "127.0.0.1" },
  ];
  const find = finder(services, asked);
  const byHost = (host: string, namespace = "shop"): string | null => find.byHost(host, "shop/orders", namespace);
  assert.equal(byHost("cart"), "shop/cart");
  assert.equal(byHost("orders"), "shop/orders");
  assert.equal(byHost("orders", "else"), null);
  assert.equal(byHost("mail"), "jobs/mail");
  assert.equal(byHost("orders.jobs"), "jobs/orders");
  assert.equal(byHost("orders.jobs.svc.cluster.local"), "jobs/orders");
  assert.equal(byHost("orders.jobs.evil.example"), null);
  assert.equal(byHost("www.shop.example"), "shop/cart");
  assert.equal(byHost("both.example"), null);
  assert.equal(find.byIdentity("spiffe://mesh/ns/jobs/sa/mail"), "jobs/mail");
  assert.equal(find.byIdentity("spiffe://mesh/ns/jobs/sa/mail/x"), null);
});

onBoth("components are listed by page", async (database) => {
  const ingest = createIngest(database);
  const many = Array.from({ length: 7 }, (_, at) => `library lib${at} ${at === 0 ? "-" : `${at}.0`}`);
  await ingest.store([], NOW, [
    observed({ "meshward.components": many }),
    observed({
      "meshward.direction": "outbound",
      "server.address": "stock",
      "meshward.components": ["server nginx 1.0"],
    }),
  ]);
  const found: string[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const query = componentsQuerySchema.parse({ limit: "3", ...(cursor === undefined ? {} : { cursor }) });
    const page = componentsSchema.parse(await listComponents(database, query));
    found.push(...page.components.map(({ host, name, version }) => `${host ?? "own"} ${name} ${version ?? "?"}`));
    cursor = page.next_cursor;
  }
  assert.equal(found.length, 8);
  assert.ok(found.includes("own lib0 ?") && found.includes("stock nginx 1.0"));
});

onBoth("what runs is an OpenAPI document", async (database) => {
  const ingest = createIngest(database);
  await ingest.store([], NOW, [
    observed({
      "http.route": "/orders",
      "meshward.parameters": ["query integer page", "header token X-Key", "header text Accept"],
    }),
    observed({
      "http.request.method": "POST",
      "http.route": "/orders",
      "meshward.request.content_types": ["application/json"],
      "meshward.parameters": ["json text /note", "json integer /items/*/count", "json uuid /items/*/sku"],
      "meshward.authentication": ["none 1", "cookie 2"],
    }),
    observed({ "http.route": "/orders/{number}/items/{number}" }),
    observed({ "http.route": "/orders/{uuid}/items/{number}" }),
    observed({ "http.route": "/orders", "http.request.method": "PURGE" }),
    observed({ "meshward.direction": "outbound", "server.address": "stock", "http.route": "/stock" }),
  ]);
  assert.equal(await serviceNamed(database, "nobody", undefined), null);
  assert.equal(await serviceNamed(database, "cart", "elsewhere"), null);
  const document = serviceDocument((await serviceNamed(database, "cart", undefined))!);
  assert.deepEqual(await problemsOf(document), []);
  type Operation = Record<string, unknown> & { parameters: { name: string; schema: unknown }[] };
  const paths = document.paths as Record<string, Record<string, Operation>>;
  assert.deepEqual(Object.keys(paths), ["/orders", "/orders/{id}/items/{number}"]);
  const { get, post, ...rest } = paths["/orders"]!;
  assert.deepEqual(
    get!.parameters.map(({ name, schema }) => [name, schema]),
    [
      ["X-Key", { type: "string" }],
      ["page", { type: "integer" }],
    ],
  );
  assert.deepEqual(post!.security, [{ cookie: [] }, {}]);
  const item = { type: "object", properties: { count: { type: "integer" }, sku: { type: "string", format: "uuid" } } };
  assert.deepEqual(post!.requestBody, {
    content: {
      "application/json": {
        schema: { type: "object", properties: { items: { type: "array", items: item }, note: { type: "string" } } },
      },
    },
  });
  assert.deepEqual(rest, { "x-meshward-other-methods": ["PURGE"] });
  assert.deepEqual(paths["/orders/{id}/items/{number}"]!.parameters, [
    {
      name: "id",
      in: "path",
      required: true,
      schema: { anyOf: [{ type: "integer" }, { type: "string", format: "uuid" }] },
    },
    { name: "number", in: "path", required: true, schema: { type: "integer" } },
  ]);
});

test("whatever attackers wrote, the document is one", async () => {
  assert.deepEqual(await problemsOf(serviceDocument(inventoryOf([]))), []);
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom(
      "__proto__",
      "constructor",
      "{number}",
      "{",
      "{a}{b}",
      "*",
      "/",
      "//",
      "~0",
      "x y",
      "<b>",
      "é",
      "toString",
    ),
  );
  const sighting = word.map((name) => ({ name, first_seen: new Date(NOW), last_seen: new Date(NOW) }));
  const operation = fc.record({
    method: fc.oneof(fc.constantFrom("GET", "POST", "get", "QUERY", "TRACE", "__proto__", "parameters"), word),
    route: fc.array(word, { maxLength: 4 }).map((segments) => `/${segments.join("/")}`),
    parameters: fc.array(
      fc.record({
        ...{
          part: fc.constantFrom("query", "header", "cookie", "json", "form", "multipart", "path", "odd"),
          seen: sighting,
        },
        types: fc.subarray([...PARAMETER_TYPES]),
        pointer: fc.array(word, { maxLength: 5 }).map((steps) => `/${steps.join("/")}`),
      }),
      { maxLength: 6 },
    ),
    types: fc.array(
      fc.oneof(
        sighting,
        fc.constantFrom(
          ...["application/json", "text/html", "a/*"].map((name) => ({
            name,
            first_seen: new Date(NOW),
            last_seen: new Date(NOW),
          })),
        ),
      ),
      { maxLength: 3 },
    ),
    counts: fc.array(fc.nat(3), { minLength: 7, maxLength: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 8 }), async (operations) => {
      const inventory = inventoryOf(
        operations.map(({ method, route, parameters, types, counts }) => {
          const base = operationOf(
            `GET /x none ${counts[0]} bearer ${counts[1]} cookie ${counts[2]} refused ${counts[3]}`,
          );
          const seen = parameters.map(({ part, seen: one, types: of, pointer }) => ({
            ...one,
            ...{ part, types: of, name: part === "json" ? pointer : one.name },
          }));
          return { ...base, method, route, parameters: seen, request_types: types, response_types: types };
        }),
      );
      const document = JSON.parse(JSON.stringify(serviceDocument(inventory))) as object;
      assert.deepEqual(await problemsOf(document), []);
    }),
    { numRuns: 300 },
  );
});

test("the validator refuses what is no document", async () => {
  const wrong = { openapi: "3.1.0", info: { title: "a", version: "1" }, paths: { "/": { get: { responses: 5 } } } };
  assert.equal((await problemsOf(wrong)).length, 1);
  assert.equal((await problemsOf({ ...wrong, paths: { "/{a}": {} } }).catch(() => ["path"])).length, 1);
});

test("the collector's own document is one, too", async () => {
  const result = await new Validator().validate(openApiDocument("0.1.0"));
  assert.deepEqual(result.errors ?? [], []);
  assert.ok(result.valid);
});
