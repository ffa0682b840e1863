// What the module tells of endpoints, on the TypeScript host.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ownReply } from "../../scripts/host/local.ts";
import type { PropertyTree } from "../../scripts/host/property.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import type { EndpointRecord } from "../../scripts/events/endpoint.ts";
import { startBench, type Attack, type Bench } from "./bench.ts";

const TICK = 1000;
const MINUTE = 60_000;
const ALL: PolicySource = { observe: { sample: "100%" } };
const JSON_TYPE: [string, string] = ["content-type", "application/json; charset=utf-8"];

interface Visit extends Omit<Attack, "properties"> {
  properties?: PropertyTree;
  answer?: { status?: number; headers?: [string, string][]; body?: string };
}

function visit(bench: Bench, { method = "GET", path = "/", headers = [], body, properties, answer = {} }: Visit): void {
  bench.plugin.exchange(
    { method, path, headers: [["host", "shop.example:8080"], ...headers] },
    {
      ...(body === undefined ? {} : { body }),
      ...(properties === undefined ? {} : { properties }),
      source: "10.0.0.9:40000",
      response: { status: answer.status ?? 200, headers: answer.headers ?? [], body: answer.body ?? "" },
    },
  );
}

/** What is told of one endpoint once `work` has been done, a tick later. */
function toldOf(bench: Bench, work: () => void, wait = TICK): EndpointRecord["attributes"][] {
  const before = bench.endpoints.length;
  work();
  bench.envoy.advance(wait);
  return bench.endpoints.slice(before).map(({ attributes }) => attributes);
}

test("an endpoint is told when it is first seen: its parameters, types, how it is asked and what it answers", async () => {
  const bench = await startBench(ALL);
  const told = toldOf(bench, () => {
    visit(bench, {
      method: "POST",
      path: "/orders/4711?page=2&sort=price&day=2026-11-22",
      headers: [JSON_TYPE, ["authorization", "Bearer abc"], ["cookie", "theme=dark; seen=true"]],
      body: JSON.stringify({
        items: [
          { sku: "a-1", count: 2 },
          { sku: "b", count: 1.5 },
        ],
        mail: "ada@shop.example",
        back: "https://shop.example/done",
        id: "6f9619ff-8b86-d011-b42d-00c04fc964ff",
        note: "",
      }),
      answer: { status: 201, headers: [["content-type", "application/hal+json"]], body: "{}" },
    });
  });
  assert.equal(told.length, 1);
  assert.deepEqual(
    { ...told[0], "meshward.parameters": [...told[0]!["meshward.parameters"]!].sort() },
    {
      "http.request.method": "POST",
      "http.route": "/orders/{number}",
      "server.address": "shop.example",
      "url.scheme": "http",
      "meshward.direction": "inbound",
      "meshward.count": 1,
      "meshward.status_classes": ["2xx 1"],
      "meshward.parameters": [
        "cookie boolean seen",
        "cookie text theme",
        "json email /mail",
        "json empty /note",
        "json integer|number /items/*/count",
        "json text /items/*/sku",
        "json url /back",
        "json uuid /id",
        "query date day",
        "query integer page",
        "query text sort",
      ],
      "meshward.request.content_types": ["application/json"],
      "meshward.response.content_types": ["application/hal+json"],
      "meshward.authentication": ["bearer 1", "cookie 1"],
    },
  );
});

test("what is not new is added up for a minute, what is new is told at once", async () => {
  const bench = await startBench(ALL);
  const get = (path = "/items/1", status = 200): void => visit(bench, { path, answer: { status } });
  assert.equal(toldOf(bench, () => get()).length, 1);
  assert.deepEqual(
    toldOf(bench, () => {
      for (let i = 2; i < 7; i++) get(`/items/${i}`);
    }),
    [],
  );
  const [later, ...none] = toldOf(bench, () => {}, MINUTE);
  assert.deepEqual(none, []);
  assert.equal(later!["meshward.count"], 5);
  assert.deepEqual(later!["meshward.status_classes"], ["2xx 5"]);
  assert.deepEqual(later!["meshward.authentication"], ["none 5"]);
  const [other, ...nothing] = toldOf(bench, () => {
    get("/items/9", 404);
    get("/items/9", 503);
    get("/items/9", 401);
  });
  assert.deepEqual(nothing, []);
  assert.deepEqual(other!["meshward.status_classes"], ["4xx 2", "5xx 1"]);
  assert.deepEqual(other!["meshward.authentication"], ["refused 1"]);
  const [fresh] = toldOf(bench, () => get("/items/7?page=1"));
  assert.deepEqual(fresh!["meshward.parameters"], ["query integer page"]);
});

test("who calls is told by SPIFFE id, and no client by its address", async () => {
  const bench = await startBench({ ...ALL });
  const principal = "spiffe://cluster.local/ns/shop/sa/edge";
  const properties = { connection: { uri_san_peer_certificate: principal, mtls: true } };
  const [told] = toldOf(bench, () => visit(bench, { path: "/a", properties }));
  assert.deepEqual(told!["meshward.callers"], [principal]);
  const [other] = toldOf(bench, () => visit(bench, { path: "/b" }));
  assert.equal(other!["meshward.callers"], undefined);
});

test("what is not there is no endpoint, nor what the service has not answered", async () => {
  const bench = await startBench({ ...ALL, mode: "block" });
  const told = toldOf(bench, () => {
    for (const status of [400, 404, 405, 410, 414, 431, 501])
      visit(bench, { path: `/none-${status}`, answer: { status } });
    bench.attack({ path: "/denied?id=1%20UNION%20SELECT%20password%20FROM%20users" });
    const reset = bench.plugin.openStream({ request: { path: "/reset" } });
    reset.sendHeaders(true);
    reset.reset();
    const own = bench.plugin.openStream({ request: { path: "/own" } });
    own.sendHeaders(true);
    own.sendLocal(ownReply(503, "no_healthy_upstream", "no healthy upstream"));
  });
  assert.deepEqual(told, []);
});

test("names that clients make up stay within bounds, and what was there before stays", async () => {
  const bench = await startBench(ALL);
  const word = (n: number): string => n.toString(26).replace(/[0-9]/g, (digit) => "qrstuvwxyz"[Number(digit)]!);
  assert.equal(toldOf(bench, () => visit(bench, { path: "/kept" })).length, 1);
  const { memory } = bench.plugin.process.vms()[0]!;
  const pages = memory.size;
  for (let i = 0; i < 20_000; i++) {
    visit(bench, { path: `/made/${word(i)}?${word(i)}=1`, headers: [["x-forwarded-host", word(i)]] });
    if (i % 1000 === 999) bench.envoy.advance(TICK);
  }
  assert.equal(memory.size, pages);
  assert.ok(bench.count("what=.=observed;.;overflow_total") > 0);
  const names = new Set(bench.endpoints.map(({ attributes }) => attributes["http.route"]));
  assert.ok(names.size <= 513, `${names.size} endpoints`);
  const [kept] = toldOf(bench, () => visit(bench, { path: "/kept?n=1" }));
  assert.equal(kept!["http.route"], "/kept");
  for (let i = 0; i < 100; i++) visit(bench, { path: `/kept?${word(i + 100)}=1` });
  const all = toldOf(bench, () => {}, TICK).filter((told) => told["http.route"] === "/kept");
  assert.equal(all.at(-1)!["meshward.parameters"]!.length, 32);
});

test("products and libraries are told with the endpoint that shows them", async () => {
  const bench = await startBench(ALL);
  const page = '<!doctype html><script src="/js/jquery-3.4.1.min.js"></script><p>hello</p>';
  const headers: [string, string][] = [
    ["server", "Apache/2.4.49 (Unix)"],
    ["content-type", "text/html"],
  ];
  const [told] = toldOf(bench, () => visit(bench, { answer: { headers, body: page } }));
  assert.deepEqual(told!["meshward.components"]!.toSorted(), ["library jquery 3.4.1", "server apache 2.4.49+unix"]);
});

test("the service's own calls are endpoints of the service that is called", async () => {
  const bench = await startBench(ALL);
  // The generated configuration has a plugin for each direction; by itself the module goes by the listener's.
  const properties = { xds: { listener_direction: 2n } };
  const call: Visit = { method: "PUT", path: "/stock/17", properties, answer: { status: 204 } };
  const [told] = toldOf(bench, () => visit(bench, call));
  assert.deepEqual(
    [told!["meshward.direction"], told!["http.request.method"], told!["http.route"], told!["server.address"]],
    ["outbound", "PUT", "/stock/{number}", "shop.example"],
  );
});

test("nothing is kept where no collector is named, and nothing with a share of 0", async () => {
  const quiet = await startBench({ observe: { sample: "0%" } });
  assert.deepEqual(
    toldOf(quiet, () => visit(quiet, { path: "/a" })),
    [],
  );
});
