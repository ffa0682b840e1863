// The services of the demo's mesh without their sidecars: every planted flaw is one, and every look-alike is clean.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer, request as send } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { makeCall } from "../../scripts/demo/fence/calls.ts";
import { buildFence } from "../../scripts/demo/fence/fence.ts";
import type { BuiltFence } from "../../scripts/demo/fence/fence.ts";
import { PLANTED } from "../../scripts/demo/planted.ts";
import { catalogueService } from "../../scripts/demo/shop/catalogue.ts";
import { startDatabase } from "../../scripts/demo/shop/database.ts";
import type { Database } from "../../scripts/demo/shop/database.ts";
import { edgeService } from "../../scripts/demo/shop/edge.ts";
import { ordersService } from "../../scripts/demo/shop/order-book.ts";
import { cloud, partner } from "../../scripts/demo/shop/outside.ts";
import { CUSTOMERS, emailOf, passwordOf, tokenFor } from "../../scripts/demo/shop/people.ts";
import { basketCookie } from "../../scripts/demo/shop/unserialize.ts";
import type { Answer } from "../../scripts/demo/tour.ts";
import { Visitors } from "../../scripts/demo/visitor.ts";
import type { Step } from "../../scripts/demo/visitor.ts";

const servers: Server[] = [];
/** Who was called, by which path. */
const calls: string[] = [];
let fence: BuiltFence;
let database: Database;
let visitors: Visitors;

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

before(async () => {
  fence = await buildFence();
  database = startDatabase();
  const ports = new Map<string, number>();
  // What a sidecar's proxy does, in short.
  const proxy = await serve((request, response) => {
    const { host, pathname, search } = new URL(request.url!);
    calls.push(`${host} ${decodeURIComponent(pathname + search)}`);
    const { headers } = request;
    const passed = send({ port: ports.get(host), path: pathname + search, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    passed.end();
  });
  const call = makeCall(() => `http://127.0.0.1:${proxy}`, {});
  const listeners: [string, RequestListener][] = [
    ["edge", edgeService(call)],
    ["catalogue", catalogueService(database, fence, call)],
    ["orders", ordersService(database)],
    ["partner.example", partner()],
    ["169.254.169.254", cloud()],
  ];
  for (const [name, listener] of listeners) ports.set(name, await serve(listener));
  const urlOf = (name: string): string => `http://127.0.0.1:${ports.get(name)}`;
  visitors = new Visitors({ edge: urlOf("edge"), catalogue: urlOf("catalogue"), orders: urlOf("orders") }, "");
  await database.ready;
  for (const person of [...CUSTOMERS, "office"] as const) await visitors.logIn(person);
});
after(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await database.stop();
  await fence.remove();
});

let sent = 0;
const ask = (step: Step): Promise<Answer> => visitors.send(step, `ask ${++sent}`);
const get = (to: Step["to"], path: string, more: Partial<Step> = {}): Step => ({ to, method: "GET", path, ...more });
const login = (to: Step["to"], path: string): Step => {
  const given = { email: emailOf("ada"), password: passwordOf("ada") };
  const isForm = to === "edge";
  const headers = { "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json" };
  return {
    to,
    method: "POST",
    path,
    headers,
    body: isForm ? new URLSearchParams(given).toString() : JSON.stringify(given),
  };
};

/** Of flaws that ordinary requests show: such a one, for the flaw and for its look-alike. */
const ORDINARY: Readonly<Record<string, readonly [Step, Step]>> = {
  "edge POST /login": [login("edge", "/login"), login("edge", "/office/login")],
  "edge GET /account": [get("edge", "/account", { as: "ada" }), get("edge", "/account/orders", { as: "ada" })],
  "edge GET /gallery": [get("edge", "/gallery"), get("edge", "/workshop")],
  "orders POST /kiosk/session": [login("orders", "/kiosk/session"), login("orders", "/session")],
  "orders GET /profile": [get("orders", "/profile", { as: "ada" }), get("orders", "/address", { as: "ada" })],
};

/** What shows that it is a flaw. */
const PROOFS: Readonly<Record<string, (answer: Answer, called: readonly string[]) => boolean>> = {
  "edge GET /search": ({ body }) => body.includes("<script>alert("),
  "edge GET /leave": ({ headers }) => headers.location === "https://evil.example/login",
  "edge POST /login": ({ headers }) => !/httponly/i.test(String(headers["set-cookie"])),
  "edge GET /account.json": ({ headers, body }) =>
    headers["access-control-allow-origin"] === "https://evil.example" &&
    headers["access-control-allow-credentials"] === "true" &&
    body.includes("ada@shop.example"),
  "edge GET /account": ({ headers, body }) =>
    /^public/.test(headers["cache-control"] ?? "") && body.includes("ada@shop.example"),
  "edge GET /gallery": ({ body }) => body.includes("jquery-1.8.3"),
  // The object came to life: it says what the basket holds.
  "edge GET /basket": ({ body }) => /<p>0 × free lamps<\/p>/.test(body),
  "edge GET /picture": (_answer, called) => called.some((line) => line.startsWith("169.254.169.254 ")),
  "catalogue GET /manuals": ({ body }) => body.startsWith("root:x:0:0:"),
  "catalogue GET /delivery": ({ body }) => /^uid=\d+/.test(body),
  "catalogue POST /engravings": ({ body }) => body.includes("1337"),
  "catalogue GET /diagnostics": ({ body }) => /postgres:\/\/\w+:\w+@/.test(body),
  "orders GET /reservations": ({ body }) => /syntax error|unterminated/.test(body),
  "orders GET /orders/{number}": ({ body }) => /siobhan@shop\.example/.test(body),
  "orders POST /kiosk/session": ({ body }) => {
    const [head, claims, signature] = (JSON.parse(body) as { access_token: string }).access_token.split(".");
    return createHmac("sha256", "secret").update(`${head}.${claims}`).digest("base64url") === signature;
  },
  "orders POST /returns": ({ body }) => /\\n +at /.test(body),
  "orders GET /profile": ({ body }) => body.includes("$2b$12$"),
  "orders GET /reports/stock": ({ status }) => status === 200,
};

describe("the services of the demo's mesh", () => {
  for (const { what, at, from, tour, lookAlike } of PLANTED) {
    it(`${at}: ${what}; ${lookAlike.at} is clean`, async () => {
      const ordinary = ORDINARY[at];
      const [flaw, clean] = ordinary ?? [tour.at(-1)!, lookAlike.tour.at(-1)!];
      const proof = PROOFS[at]!;
      const judge = async (step: Step): Promise<boolean> => {
        calls.length = 0;
        const answer = await ask(step);
        if (from === undefined) return proof(answer, [...calls]);
        // The page shows nothing; what the last service was asked for does.
        assert.ok(answer.status === 200 && !proof(answer, []));
        const [host = "", path = ""] = /^(\S+) (.*)$/.exec(calls.at(-1)!)!.slice(1);
        return proof(await ask(get(host as Step["to"], encodeURI(path))), []);
      };
      const isBasket = at === "edge GET /basket";
      const object = { headers: { cookie: `basket=${encodeURIComponent(basketCookie("free lamps", 0))}` } };
      assert.equal(await judge(isBasket ? { ...flaw, ...object } : flaw), true);
      assert.equal(await judge(clean), false);
    });
  }

  it("takes a token that anybody can make, where it is signed with the kiosks' word and no other", async () => {
    const status = async (secret: string): Promise<number> =>
      (
        await ask(
          get("orders", "/reports/sales", { headers: { authorization: `Bearer ${tokenFor("office", secret)}` } }),
        )
      ).status;
    assert.deepEqual([await status("secret"), await status("another word")], [200, 401]);
  });

  it("says nothing of itself where something fails, and follows no stranger's address out", async () => {
    for (const step of [
      get("edge", "/picture?from=http://evil.example/"),
      get("edge", "/picture"),
      get("edge", "/basket", { headers: { cookie: "basket=%E0%A4%A" } }),
      get("catalogue", "/manuals?file=none.txt"),
      get("catalogue", "/delivery?to=`reboot`"),
    ]) {
      const { status, body } = await ask(step);
      assert.ok(status >= 400, `${step.path}: ${status}`);
      assert.match(body, /^\{"error":"(?:this cannot be done|something went wrong)"\}$/, step.path);
    }
  });
});
