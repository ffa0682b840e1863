// Three services behind three real sidecars, edge → catalogue → orders, each of which calls the next one through its own: a value that
// came in at the edge is one finding of orders with all hops, whether the services hand their trace on or not.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as send } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { startMeshward } from "../../testing/index.ts";
import type { Meshward, ReportedFinding } from "../../testing/index.ts";
import { HEADER, writeHeader } from "../observe/header.ts";

const SECRET = "correct horse battery staple";
const OTHER = "another secret of good length";
const ATTACK = encodeURIComponent("1' OR '1'='1");
const traceparent = (trace: string): string => `00-${trace}-b7ad6b7169203331-01`;
/** A trace of its own for each request. */
let traces = 0;
const newTrace = (): string => (++traces).toString(16).padStart(32, "0af76519");

type Name = "edge" | "catalogue" | "orders" | "bystander";
type Handler = (request: IncomingMessage, response: ServerResponse, name: Name) => Promise<void>;

/** Every request that reached a service. */
const reached: { service: Name; url: string; headers: IncomingHttpHeaders }[] = [];
const servers = new Map<Name, Server>();
const sidecars = new Map<Name, Meshward>();
/** Whether the services hand `traceparent` on. */
let propagates = true;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

interface Answer {
  status: number;
  body: string;
}

function get(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = send({ agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode!, body }));
    });
    call.on("error", reject);
    call.end();
  });
}

/** A call of a service, through its sidecar as its HTTP proxy. */
function call(from: Name, url: string, request: IncomingMessage): Promise<Answer> {
  const { hostname, port } = new URL(sidecars.get(from)!.outboundUrl!);
  const { traceparent: trace } = request.headers;
  const headers = {
    host: new URL(url).host,
    ...(propagates && typeof trace === "string" ? { traceparent: trace } : {}),
  };
  return get({ hostname, port, path: url, headers });
}

const HANDLERS: Record<Name, Handler> = {
  async edge(request, response, name) {
    const { searchParams } = new URL(request.url!, "http://edge");
    const from = searchParams.get("from");
    const q = encodeURIComponent(searchParams.get("q") ?? "");
    const answer = await call(name, from ?? `http://catalogue/items/7?filter=${q}`, request);
    response.writeHead(answer.status).end(answer.body);
  },
  async catalogue(request, response, name) {
    const filter = encodeURIComponent(new URL(request.url!, "http://catalogue").searchParams.get("filter") ?? "");
    const answer = await call(name, `http://orders/orders?sku=${filter}`, request);
    response.writeHead(answer.status).end(answer.body);
  },
  async orders(request, response) {
    const sku = new URL(request.url!, "http://orders").searchParams.get("sku") ?? "";
    const fails = sku.includes("'");
    response.writeHead(fails ? 500 : 200, { "content-type": "text/plain" });
    response.end(fails ? `You have an error in your SQL syntax; check the manual near '${sku.slice(1, 9)}'` : "[]");
    await Promise.resolve();
  },
  async bystander(_request, response) {
    response.end("a picture");
    await Promise.resolve();
  },
};

async function serve(name: Name): Promise<void> {
  const server = createServer((request, response) => {
    reached.push({ service: name, url: request.url ?? "", headers: request.headers });
    HANDLERS[name](request, response, name).catch(() => response.writeHead(502).end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.set(name, server);
}

async function startSidecar(
  name: Name,
  environment: Record<string, string>,
  hosts: Record<string, string>,
): Promise<void> {
  const sidecar = await startMeshward({
    policy: { mode: "detect", observe: { sample: "100%" } },
    upstream: `http://127.0.0.1:${portOf(servers.get(name)!)}`,
    backend: "process",
    service: name,
    outbound: true,
    hosts,
    environment,
  });
  sidecars.set(name, sidecar);
}

/** The chain, from its end, so that each sidecar knows where the next one listens. */
async function startChain(secrets: Record<"edge" | "catalogue" | "orders", Record<string, string>>): Promise<void> {
  await startSidecar("orders", secrets.orders, {});
  await startSidecar("catalogue", secrets.catalogue, { orders: sidecars.get("orders")!.url });
  await startSidecar("edge", secrets.edge, { catalogue: sidecars.get("catalogue")!.url });
}

async function stopChain(): Promise<void> {
  for (const sidecar of sidecars.values()) await sidecar.stop();
  sidecars.clear();
}

before(async () => {
  for (const name of ["edge", "catalogue", "orders", "bystander"] as const) await serve(name);
});
after(async () => {
  await stopChain();
  for (const server of servers.values()) {
    server.closeAllConnections();
    server.close();
  }
});

/** Asks the edge, as a client does. */
function ask(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const { hostname, port } = new URL(sidecars.get("edge")!.url);
  return get({ hostname, port, path, headers: { host: "shop.example", ...headers } });
}

/** The finding of a service in the request with that trace. */
function findingOf(name: Name, trace: string, rule: string): Promise<ReportedFinding> {
  return sidecars
    .get(name)!
    .waitForFinding((finding) => finding.class === rule && finding.request.verdict.trace_id === trace);
}

const HOPS = ["edge GET /search query q", "catalogue GET /items/{number} query filter", "orders GET /orders query sku"];

const value = async (name: Name, what: string): Promise<number> =>
  (await sidecars.get(name)!.metrics()).value("meshward_hops_total", { what });

/** Waits until a statistic has come to a number: they leave the module on its tick. */
async function counted(name: Name, what: string, least: number): Promise<number> {
  for (const deadline = Date.now() + 5_000; ;) {
    const found = await value(name, what);
    if (found >= least || Date.now() > deadline) return found;
  }
}

const neverShown = (): void =>
  assert.deepEqual(
    reached.filter(({ headers }) => headers[HEADER] !== undefined),
    [],
    "no service has seen the header",
  );

describe("three services behind three sidecars", () => {
  before(() => {
    const secret = { MESHWARD_HOP_KEY: SECRET };
    return startChain({ edge: secret, catalogue: secret, orders: secret });
  });
  after(stopChain);

  for (const on of [true, false]) {
    it(`tell where a value came in, ${on ? "with" : "without"} the trace handed on`, async () => {
      propagates = on;
      const before = reached.length;
      assert.equal((await ask(`/search?q=${ATTACK}`, { traceparent: traceparent(newTrace()) })).status, 500);
      assert.deepEqual(
        reached.slice(before).map(({ service }) => service),
        ["edge", "catalogue", "orders"],
      );
      const orders = sidecars.get("orders")!;
      const finding = await orders.waitForFinding(({ request, where }) => {
        return where.name === "sku" && (request.verdict.trace_id !== null) === on;
      });
      assert.deepEqual([finding.class, finding.stage, finding.hops], ["sqli", "likely", HOPS]);
      neverShown();
    });
  }

  it("say nothing of a value that is none", async () => {
    propagates = true;
    const before = await value("edge", "sent");
    for (let i = 0; i < 20; i++) assert.equal((await ask("/search?q=garden+chair")).status, 200);
    assert.equal(await value("edge", "sent"), before);
  });

  it("confirm that a call went where a value points", async () => {
    propagates = true;
    const trace = newTrace();
    const from = `http://127.0.0.1:${portOf(servers.get("bystander")!)}/a.png`;
    assert.equal(
      (await ask(`/search?from=${encodeURIComponent(from)}`, { traceparent: traceparent(trace) })).body,
      "a picture",
    );
    const finding = await findingOf("edge", trace, "ssrf");
    assert.equal(finding.where.name, "from");
    assert.notEqual(finding.stage, "attempted");
    assert.equal(finding.hops, undefined, "there was one service alone");
    neverShown();
  });

  it("drop what a client says at the edge, and count it", async () => {
    propagates = true;
    const trace = newTrace();
    const headers = { traceparent: traceparent(trace), [HEADER]: "made up" };
    await ask(`/search?q=${ATTACK}`, headers);
    assert.deepEqual((await findingOf("orders", trace, "sqli")).hops, HOPS);
    assert.equal(await counted("edge", "malformed", 1), 1);
    const stale = writeHeader({ secret: SECRET, seconds: Math.floor(Date.now() / 1000) - 100, trace, entries: [] });
    await ask("/search?q=1", { traceparent: traceparent(trace), [HEADER]: stale });
    assert.equal(await counted("edge", "stale", 1), 1);
    const forged = writeHeader({
      secret: SECRET,
      seconds: Math.floor(Date.now() / 1000),
      trace: newTrace(),
      entries: [],
    });
    await ask("/search?q=1", { traceparent: traceparent(trace), [HEADER]: forged });
    assert.equal(await counted("edge", "forged", 1), 1);
    const unknown = writeHeader({ secret: OTHER, seconds: Math.floor(Date.now() / 1000), trace, entries: [] });
    await ask("/search?q=1", { traceparent: traceparent(trace), [HEADER]: unknown });
    assert.equal(await counted("edge", "unknown_key", 1), 1);
    neverShown();
  });
});

describe("three sidecars while their secret changes", () => {
  after(stopChain);

  it("understand each other where each knows the other's", async () => {
    propagates = true;
    await startChain({
      edge: { MESHWARD_HOP_KEY: SECRET },
      catalogue: { MESHWARD_HOP_KEY: OTHER, MESHWARD_HOP_KEY_PREVIOUS: SECRET },
      orders: { MESHWARD_HOP_KEY: OTHER },
    });
    const trace = newTrace();
    await ask(`/search?q=${ATTACK}`, { traceparent: traceparent(trace) });
    assert.deepEqual((await findingOf("orders", trace, "sqli")).hops, HOPS);
    neverShown();
  });
});

describe("three sidecars of which one knows no secret", () => {
  after(stopChain);

  it("tell what they know: nothing from behind it", async () => {
    propagates = true;
    const secret = { MESHWARD_HOP_KEY: SECRET };
    await startChain({ edge: secret, catalogue: { MESHWARD_HOP_KEY: "" }, orders: secret });
    const trace = newTrace();
    await ask(`/search?q=${ATTACK}`, { traceparent: traceparent(trace) });
    const finding = await findingOf("orders", trace, "sqli");
    assert.deepEqual([finding.stage, finding.hops], ["likely", undefined]);
    assert.equal(await counted("catalogue", "unknown_key", 1), 1);
    neverShown();
  });
});
