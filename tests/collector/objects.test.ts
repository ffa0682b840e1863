/** A service that gives anybody's orders to anybody, from its exchanges through the module and OTLP to the findings, and one that does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Findings } from "../../collector/api.ts";
import { startCollector } from "../../collector/collector.ts";
import { startBench } from "../events/bench.ts";
import { temporaryFolder } from "./databases.ts";
import { READ_TOKEN } from "./running.ts";

const ORDERS: Record<string, number[]> = { ada: [100_417, 100_418], bob: [100_423], eve: [100_431] };
const PRODUCTS = [7, 8, 9];

interface Answer {
  status: number;
  type: string;
  body: string;
}
const json = (value: unknown, status = 200): Answer => ({
  status,
  type: "application/json",
  body: JSON.stringify(value),
});

/** The shop; `checks`: whether it asks whose an order is. */
function answer(path: string, user: string, checks: boolean): Answer {
  const [, place, id] = path.split("/") as [string, string, string?];
  if (place === "products") return json(id === undefined ? PRODUCTS.map((one) => ({ id: one })) : { id: Number(id) });
  const own = ORDERS[user]!;
  if (place === "shop") {
    const links = own.map((one) => `<li><a href="/orders/${one}">Order ${one}</a>`);
    return { status: 200, type: "text/html", body: `<h1>It's yours</h1>${links.join("\n")}` };
  }
  if (id === undefined) return json({ orders: own.map((one) => ({ id: one, product_id: 7 })) });
  const isTheirs = Object.values(ORDERS).flat().includes(Number(id)) && (!checks || own.includes(Number(id)));
  return isTheirs ? json({ id: Number(id), lines: [{ product_id: 7 }] }) : json({ error: "none" }, 404);
}

/** What is found behind visits, each `user path`, as `RULE METHOD ROUTE`. */
async function findings(
  visits: readonly string[],
  checks: boolean,
  headers: (user: string) => [string, string],
): Promise<string[]> {
  const bench = await startBench({ observe: { sample: "100%" } });
  for (const visit of visits) {
    const [user, path] = visit.split(" ") as [string, string];
    const { status, type, body } = answer(path, user, checks);
    bench.plugin.exchange(
      { method: "GET", path, headers: [["host", "shop.example"], ...(user === "-" ? [] : [headers(user)])] },
      { source: "10.0.0.9:40000", response: { status, headers: [["content-type", type]], body } },
    );
    bench.envoy.advance(1000);
  }
  bench.envoy.advance(1000);
  let time = Date.parse("2026-01-01T00:10:00Z");
  const collector = await startCollector({
    ...{ host: "127.0.0.1", port: 0, database: temporaryFolder("objects"), retentionSeconds: 86_400, hosts: [] },
    ...{ ingestTokens: [], readTokens: [{ name: "tests", value: READ_TOKEN }], log: () => {}, now: () => time },
  });
  try {
    for (const { body } of bench.calls) {
      const type = { "content-type": "application/x-protobuf" };
      const response = await fetch(`${collector.url}/v1/logs`, { method: "POST", headers: type, body });
      assert.equal(response.status, 200);
      assert.equal((await response.arrayBuffer()).byteLength, 0, "something was rejected");
    }
    await collector.judge();
    time += 60_000;
    await collector.judge();
    const authorized = { headers: { authorization: `Bearer ${READ_TOKEN}` } };
    const { findings } = (await (await fetch(`${collector.url}/api/v1/findings`, authorized)).json()) as Findings;
    return findings
      .filter((finding) => /^auth-(?:bola|enumeration)$/.test(finding.rule))
      .map(({ rule, method, route, stage }) => `${rule} ${stage} ${method} ${route}`)
      .sort();
  } finally {
    await collector.stop();
  }
}

const claims = (user: string): string => Buffer.from(JSON.stringify({ sub: user })).toString("base64url");
const bearer = (user: string): [string, string] => [
  "authorization",
  `Bearer eyJhbGciOiJSUzI1NiJ9.${claims(user)}.c2ln`,
];
const cookie = (user: string): [string, string] => ["cookie", `theme=dark; connect.sid=${user}-session`];

const USERS = ["ada", "bob", "eve"];
const ORDINARY = USERS.flatMap((user) => [
  `${user} /products`,
  `${user} /products/8`,
  `${user} /orders`,
  ...ORDERS[user]!.map((id) => `${user} /orders/${id}`),
]);

test("ordinary users of a careless shop: nothing is found", async () => {
  assert.deepEqual(await findings(["- /products", "- /products/9", ...ORDINARY, ...ORDINARY], false, bearer), []);
});

test("one of them asks for another one's order, and gets it", async () => {
  assert.deepEqual(await findings([...ORDINARY, "eve /orders/100417"], false, bearer), [
    "auth-bola likely GET /orders/{number}",
  ]);
  assert.deepEqual(await findings([...ORDINARY, "eve /orders/100417"], true, bearer), []);
});

test("sessions, pages of links, and users who are there at the same time", async () => {
  const visits = [...USERS, ...USERS].flatMap((user) => [
    `${user} /shop/orders`,
    `${user} /orders/${ORDERS[user]![0]}`,
  ]);
  assert.deepEqual(await findings(visits, false, cookie), []);
  assert.deepEqual(await findings([...visits, "bob /orders/100418"], false, cookie), [
    "auth-bola likely GET /orders/{number}",
  ]);
});
