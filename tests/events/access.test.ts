// What the module tells of the ids that exchanges use and hand out, on the TypeScript host.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import type { AccessEvent } from "../../scripts/events/access.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { startBench, type Bench } from "./bench.ts";

const TICK = 1000;
const ALL: PolicySource = { observe: { sample: "100%" } };
const JSON_TYPE: [string, string] = ["content-type", "application/json"];
const HTML_TYPE: [string, string] = ["content-type", "text/html; charset=utf-8"];

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (claims: object, signature = "c2ln"): string =>
  `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url(claims)}.${signature}`;
const bearer = (user: string): [string, string] => ["authorization", `Bearer ${jwt({ sub: user, iss: "shop" })}`];

interface Visit {
  method?: string;
  /** With its type. */
  body?: [type: string, text: string];
  path: string;
  headers?: [string, string][];
  status?: number;
  type?: [string, string];
  answerHeaders?: [string, string][];
  answer?: unknown;
}

/** What is told of one exchange. */
function told(bench: Bench, { method = "GET", path, headers = [bearer("ada")], ...visit }: Visit) {
  const before = bench.accesses.length;
  const { status = 200, type = JSON_TYPE, answerHeaders = [], answer = "", body: sent } = visit;
  const body = typeof answer === "string" || answer instanceof Uint8Array ? answer : JSON.stringify(answer);
  bench.plugin.exchange(
    {
      ...{ method, path },
      headers: [
        ["host", "shop.example:8080"],
        ...(sent ? ([["content-type", sent[0]]] as [string, string][]) : []),
        ...headers,
      ],
    },
    {
      ...(sent === undefined ? {} : { body: sent[1] }),
      source: "10.0.0.9:40000",
      response: { status, headers: [type, ...answerHeaders], body },
    },
  );
  bench.envoy.advance(TICK);
  return bench.accesses.slice(before).map(({ attributes }) => attributes);
}

type Attributes = AccessEvent["attributes"];

/** Ids without their hashes: "path order number orders", "order own". */
const used = (records: Attributes[]): string[] =>
  records.flatMap((record) => record["meshward.used"] ?? []).map((one) => one.replace(/ [0-9a-f]{16}/, ""));
const handed = (records: Attributes[]): string[] =>
  records.flatMap((record) => record["meshward.handed"] ?? []).map((one) => one.replace(/ [0-9a-f]{16}/, ""));
const hashes = (records: Attributes[]): string[] =>
  records
    .flatMap((record) => [...(record["meshward.used"] ?? []), ...(record["meshward.handed"] ?? [])])
    .map((one) => /[0-9a-f]{16}/.exec(one)![0]);

test("what is used and what is handed out, by hash, with who asked", async () => {
  const bench = await startBench(ALL);
  const list = told(bench, { path: "/api/orders", answer: { orders: [{ id: 1001 }, { id: "1002", customer_id: 7 }] } });
  assert.deepEqual(handed(list), ["order own", "order own", "customer"]);
  const [record] = list;
  assert.equal(record!["http.route"], "/api/orders");
  assert.equal(record!["server.address"], "shop.example");
  assert.equal(record!["meshward.subject.kind"], "jwt");
  const one = told(bench, { path: "/api/orders/1001?customerId=7", answer: { id: 1001, total: 99 } });
  assert.deepEqual(used(one), ["path order small 2", "query customer small customerId"]);
  // What was asked for is not handed out by the answer.
  assert.deepEqual(handed(one), []);
  assert.deepEqual(hashes(one), [hashes(list)[0], hashes(list)[2]]);
  assert.equal(one[0]!["meshward.subject"], record!["meshward.subject"]);
  assert.equal(one[0]!["meshward.key"], record!["meshward.key"]);
  assert.doesNotMatch(JSON.stringify(bench.accesses), /1001|1002/);
});

test("only what was answered, of all exchanges, with a collector", async () => {
  const bench = await startBench(ALL);
  for (const status of [302, 403, 404, 500]) assert.deepEqual(told(bench, { path: "/orders/1001", status }), []);
  assert.deepEqual(told(bench, { path: "/orders", answer: { total: 3 } }), []);
  assert.equal(told(bench, { path: "/orders/1001", status: 204 }).length, 1);
  bench.push({ observe: { sample: "50%" } });
  assert.deepEqual(told(bench, { path: "/orders/1001" }), []);
});

test("which ids a response hands out, and of which collection", async () => {
  const bench = await startBench(ALL);
  const cases: [path: string, answer: unknown, expected: string[]][] = [
    ["/orders", [{ id: 17 }], ["order own"]],
    ["/orders", { data: [{ id: 17 }], page: { total: 4 } }, ["order own"]],
    ["/orders", { total: 2, items: [{ id: 17 }] }, ["order own"]],
    ["/orders", { items: { id: [1, 2], ids: [17, 18] } }, []],
    ["/orders/5", { id: 5, items: [{ id: 17 }] }, ["item"]],
    ["/orders", { orders: [{ id: 17, items: [{ id: 3 }] }] }, ["order own", "item"]],
    ["/orders", [{ order_id: 17, product_id: 3 }], ["order own", "product"]],
    ["/me", { orders: [{ id: 17, items: [{ product: { id: 3 } }] }] }, ["order own", "product"]],
    ["/home", { orders: [{ id: 17 }] }, ["order"]],
    ["/home", { customer: 17, user: "ada", total: 17, owner: { id: 4 } }, ["customer", "owner"]],
    ["/me", { id: 17 }, ["user own"]],
    ["/users/me", { id: 17 }, ["user own"]],
    ["/orders", { order_ids: [17, 18], prices: [100, 200] }, ["order own", "order own"]],
    ["/home", { basketId: "b-1", paid: 17, valid: 18, session_id: "x17" }, ["basket"]],
    ["/home", { addresses: [{ uuid: "6f9619ff-8b86-d011-b42d-00c04fc964ff" }] }, ["address"]],
    ["/home", { categories: { 17: { name: "x" } } }, ["category"]],
    [
      "/home",
      { next: "/orders/17/lines?line_id=4", self: "https://shop.example/users/9#a" },
      ["order", "line", "user"],
    ],
    ["/home", { text: "see /17", id: null, id_: "two words" }, []],
    // What was asked for, under another name.
    ["/orders/17", { order: { id: 17 }, orderId: 17 }, []],
    ["/orders/17/state", { id: 17 }, []],
  ];
  for (const [path, answer, expected] of cases) {
    const got = handed(told(bench, { path, answer }));
    assert.deepEqual(
      got,
      path === "/orders" && expected[1] === "order own" ? ["order", "order"] : expected,
      JSON.stringify({ path, answer }),
    );
  }
});

test("ids in a query and a body are used, those of people by their bare names, too", async () => {
  const bench = await startBench(ALL);
  const send = (method: string, path: string, type?: string, text = ""): string[] =>
    used(told(bench, { method, path, ...(type === undefined ? {} : { body: [type, text] }), status: 204 }));
  const JSON_BODY = "application/json";
  assert.deepEqual(send("GET", "/orders?customer=42&user=ada&page=3"), ["query customer small customer"]);
  assert.deepEqual(send("PUT", "/address", JSON_BODY, '{"street": "Elm 5", "id": 17}'), ["json address small /id"]);
  assert.deepEqual(send("PUT", "/address", JSON_BODY, '{"id": "17", "count": 18}'), ["json address small /id"]);
  assert.deepEqual(
    send("POST", "/search", JSON_BODY, '{"filter": {"userId": 100042, "id": 5}, "customer": {"id": 4}}'),
    ["json user number /filter/userId"],
  );
  assert.deepEqual(send("POST", "/address", "application/x-www-form-urlencoded", "id=17&order_id=1001&paid=5&void=9"), [
    "form address small id",
    "form order small order_id",
  ]);
  // What looks like an id by itself may stand under any name, in a header of the application's, or behind "code".
  assert.deepEqual(send("POST", "/returns", JSON_BODY, '{"purchase": "R-88217", "count": 3, "note": "a 5"}'), [
    "json purchase short /purchase",
  ]);
  assert.deepEqual(send("GET", "/gift-cards?code=5001&page=2"), ["query card small code"]);
  const headers: [string, string][] = [
    ["x-account-id", "AC-20481"],
    ["x-request-id", "7c1e1f5e-1c1c-4e1e-9e1e-0123456789ab"],
  ];
  assert.deepEqual(used(told(bench, { path: "/ledger", headers, status: 204 })), ["header account short x-account-id"]);
  const many = Array.from({ length: 100 }, (_, place) => `"a${place}_id": ${place}`).join();
  assert.equal(send("POST", "/orders", JSON_BODY, `{${many}}`).length, 4);
  // What was sent is handed out by no answer that says it again.
  const echo = { method: "POST", path: "/notes", body: [JSON_BODY, '{"order_id": 1001}'] as [string, string] };
  assert.deepEqual(handed(told(bench, { ...echo, answer: { order_id: 1001, id: 7 } })), ["note own"]);
});

test("what tells of somebody, and the id and the office that a token names", async () => {
  const bench = await startBench(ALL);
  const tells = (answer: unknown, headers = [bearer("ada")], type = JSON_TYPE): boolean =>
    told(bench, { path: "/receipts/7", answer, headers, type })[0]!["meshward.personal"] === 1;
  assert.ok(tells({ id: 7, customer: "Ada" }));
  assert.ok(tells({ receipt: { billing_email: "a@b.example" } }, []));
  assert.ok(!tells({ id: 7, name: "Chair", email_count: 4, customer: null, email: "" }));
  assert.ok(!tells(`<script>{"email": "a@b.example"}</script>`, [], HTML_TYPE));
  assert.ok(
    !tells({ customer: "Ada" }, [["x-forwarded-client-cert", "By=spiffe://a;Hash=1"]]),
    "a service of the mesh",
  );
  const token = (claims: object): Attributes =>
    told(bench, { path: "/users/42/orders", headers: [["authorization", `Bearer ${jwt(claims)}`]], answer: {} })[0]!;
  const own = token({ sub: "42", iss: "shop" });
  assert.equal(own["meshward.self"], hashes([own])[0]);
  assert.equal(own["meshward.staff"], undefined);
  assert.equal(token({ sub: 42, roles: ["customer"] })["meshward.self"], own["meshward.self"]);
  assert.notEqual(token({ sub: "43" })["meshward.self"], own["meshward.self"]);
  assert.equal(token({ sub: "7", realm_access: { roles: ["shop-admin"] } })["meshward.staff"], 1);
  assert.equal(token({ sub: "7", gty: "client-credentials" })["meshward.staff"], 1);
  assert.equal(token({ sub: "7", iss: "https://supportive.example/" })["meshward.staff"], undefined);
});

test("HTML: links, attributes, and JSON in scripts and attributes; a stray quote hides no more than its line", async () => {
  const bench = await startBench(ALL);
  const cases: [answer: string, expected: string[]][] = [
    [`<a href="/orders/1001">one</a> <a href='/orders/1002?x=1'>two</a>`, ["order own", "order own"]],
    [`<tr data-id="1001"><td data-customer-id="7">`, ["order", "customer"]],
    [`<input type="hidden" name="order" value="1001">`, ["order"]],
    [`<script>window.state = {"cart": {"id": 1001}, 'note': "x"}</script>`, ["cart"]],
    [`<div data-page="{&quot;orders&quot;:[{&quot;id&quot;:1001}]}">`, ["order own"]],
    [`<p>5" tall, it's\n<a href="/orders/1001">x</a>`, ["order own"]],
    [`<input type="hidden" name="id" value="1001"> 1 <input name=x value="5">`, ["order own", "order"]],
    [
      `<form action="/address"><input name="address_id" value='17'><input name="count" value="2">`,
      ["address", "order"],
    ],
    [`<a href="/list?customer=42">`, ["customer"]],
    [`<img src="/pic/logo.png" width="100" height="200"><option value="blue">`, []],
  ];
  for (const [answer, expected] of cases) {
    assert.deepEqual(handed(told(bench, { path: "/orders", type: HTML_TYPE, answer })), expected, answer);
  }
});

test("who asks: a user where the credential names one, else the credential", async () => {
  const bench = await startBench(ALL);
  const who = (headers: [string, string][]): string => {
    const [record] = told(bench, { path: "/orders/1001", headers });
    return `${record!["meshward.subject.kind"]} ${record!["meshward.subject"] ?? ""}`;
  };
  const token = (claims: object, signature?: string): [string, string] => [
    "authorization",
    `Bearer ${jwt(claims, signature)}`,
  ];
  const ada = who([token({ sub: "ada", iss: "shop", exp: 1 })]);
  assert.match(ada, /^jwt [0-9a-f]{16}$/);
  assert.equal(who([token({ roles: [{ sub: "eve" }], exp: 2, iss: "shop", sub: "ada" }, "b3RoZXI")]), ada);
  assert.equal(who([["cookie", `theme=dark; token=${jwt({ sub: "ada", iss: "shop" })}`]]), ada);
  assert.notEqual(who([token({ sub: "eve", iss: "shop" })]), ada);
  assert.notEqual(who([token({ sub: "ada", iss: "other" })]), ada);
  assert.match(who([token({ sub: 17 })]), /^jwt/);
  assert.match(who([token({ name: "ada" })]), /^token/);
  const basic = (pair: string): string => who([["authorization", `Basic ${Buffer.from(pair).toString("base64")}`]]);
  assert.match(basic("ada:one"), /^basic/);
  assert.equal(basic("ada:one"), basic("ada:two"));
  assert.notEqual(basic("ada:one"), basic("eve:one"));
  assert.match(who([["authorization", "Bearer opaque"]]), /^token/);
  assert.match(who([["x-api-key", "k-1"]]), /^key/);
  const session = who([["cookie", "csrf_token=1; JSESSIONID=abc; lang=en"]]);
  assert.match(session, /^cookie/);
  assert.equal(who([["cookie", "csrf_token=2; lang=de; auth_token=z; JSESSIONID=abc"]]), session);
  for (const cookie of ["csrftoken=1", "_ga_session_x=1; _hjSession_17=2", "theme=dark", "refresh_token=1"]) {
    assert.equal(who([["cookie", cookie]]), "anonymous ", cookie);
  }
  assert.equal(who([]), "anonymous ");
  // A secret that sidecars share makes the same hashes everywhere.
  const [one, two] = await Promise.all(
    [1, 2].map(() => startBench(ALL, { environment: { MESHWARD_HOP_KEY: "a secret of many letters" } })),
  );
  const [first] = told(one!, { path: "/orders/1001" });
  assert.deepEqual(
    { ...told(two!, { path: "/orders/1001" })[0], "meshward.request_id": "" },
    { ...first, "meshward.request_id": "" },
  );
});

test("numbers next to the last one of the same user and collection are told as such", async () => {
  const bench = await startBench(ALL);
  const at = (path: string, user = "ada"): string => used(told(bench, { path, headers: [bearer(user)] }))[0]!;
  assert.equal(at("/orders/100001"), "path order number 1");
  assert.equal(at("/orders/100002"), "path order number+1 1");
  assert.equal(at("/orders/100002"), "path order number 1");
  assert.equal(at("/orders/100002", "eve"), "path order number 1");
  assert.equal(at("/orders/100001/items"), "path order number+1 1");
  assert.equal(at("/invoices/100002"), "path invoice number 1");
  assert.equal(at("/orders/100900"), "path order number 1");
  assert.equal(at("/orders/ord-10002"), "path order short 1");
  assert.equal(at("/orders/6f9619ff-8b86-d011-b42d-00c04fc964ff"), "path order long 1");
});

test("where something was handed out, a redirect or the new thing's address says it", async () => {
  const bench = await startBench(ALL);
  const location: [string, string] = ["location", "https://shop.example/orders/1001"];
  assert.deepEqual(handed(told(bench, { method: "POST", path: "/orders", status: 201, answerHeaders: [location] })), [
    "order own",
  ]);
  assert.deepEqual(handed(told(bench, { method: "POST", path: "/orders", status: 303, answerHeaders: [location] })), [
    "order own",
  ]);
  assert.deepEqual(told(bench, { path: "/orders", status: 302, answerHeaders: [location] }), []);
});

test("many ids are several records; what is not seen is told", async () => {
  const bench = await startBench(ALL);
  const list = (count: number): { id: number }[] =>
    Array.from({ length: count }, (_, place) => ({ id: 10_000 + place }));
  const records = told(bench, { path: "/orders", answer: list(100) });
  assert.deepEqual(
    records.map((record) => record["meshward.handed"]!.length),
    [32, 32, 32, 4],
  );
  assert.equal(new Set(hashes(records)).size, 100);
  assert.ok(records.every((record) => record["meshward.unseen"] === undefined));
  assert.ok(told(bench, { path: "/orders", answer: list(300) }).every((record) => record["meshward.unseen"] === 1));
  const long = { pad: "x".repeat(70_000), orders: [{ id: 5 }] };
  assert.deepEqual(
    told(bench, { path: "/orders", answer: long }).map((record) => record["meshward.unseen"]),
    [1],
  );
  const coding = (name: string): [string, string] => ["content-encoding", name];
  const zipped = { path: "/orders", answer: gzipSync(JSON.stringify(list(2))), answerHeaders: [coding("gzip")] };
  assert.deepEqual(handed(told(bench, zipped)), ["order own", "order own"]);
  const [unread] = told(bench, { path: "/orders", answer: "abc", answerHeaders: [coding("br")] });
  assert.deepEqual([unread!["meshward.unseen"], unread!["meshward.handed"]], [1, undefined]);
  // Scripts and pictures hand out nothing.
  const script = {
    path: "/app.js",
    type: ["content-type", "text/javascript"] as [string, string],
    answer: "x".repeat(70_000),
  };
  assert.deepEqual(told(bench, script), []);
});

test("bodies cut anywhere, and bodies that are no JSON, end well", async () => {
  const bench = await startBench(ALL);
  const whole = JSON.stringify({ orders: [{ id: 'a\\"1', href: "/orders/1?line_id=2" }], ids: [[[1]]] });
  for (let size = 0; size <= whole.length; size++) told(bench, { path: "/orders", answer: whole.slice(0, size) });
  const deep = `${"[".repeat(5000)}{"id": 77}${"]".repeat(5000)}`;
  assert.deepEqual(handed(told(bench, { path: "/orders", answer: deep })), ["order own"]);
  for (const answer of [
    '{"',
    '{"a":"\\',
    "]]]]}}}",
    '"'.repeat(1001),
    "{&quot;",
    "<a href=",
    '<a href="',
    "/".repeat(2000),
  ]) {
    told(bench, { path: "/orders", answer });
    told(bench, { path: "/orders", type: HTML_TYPE, answer });
  }
  told(bench, { path: `/${"orders/17/".repeat(200)}?${"a_id=1&".repeat(100)}` });
});

test("a flood of records leaves before the tick, once its stream has ended, and takes nothing from the stream", async () => {
  const bench = await startBench(ALL);
  const answer = JSON.stringify(Array.from({ length: 200 }, (_, place) => ({ id: 10_000 + place })));
  for (let visit = 0; visit < 20; visit++) {
    bench.plugin.exchange(
      {
        method: "GET",
        path: "/orders?q=<script>alert(1)</script>",
        headers: [["host", "shop.example"], bearer("ada")],
      },
      { source: "10.0.0.9:40000", response: { status: 200, headers: [JSON_TYPE], body: answer } },
    );
  }
  assert.ok(bench.calls.length > 0);
  bench.envoy.advance(TICK);
  const attacks = bench.taken.filter((event) => event.attributes["security_rule.category"] === "xss");
  assert.equal(attacks.length, 20);
  assert.ok(attacks.every((event) => event.attributes["meshward.principal"] === "10.0.0.9"));
});
