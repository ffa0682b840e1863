import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { test } from "node:test";
import { readModule } from "../../scripts/package.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { createEngine } from "../../scripts/scan/engine.ts";
import { exitCodeOf } from "../../scripts/verify/report.ts";
import { denialsOf, isRefusal } from "../../scripts/verify/refusal.ts";
import type { Received } from "../../scripts/verify/refusal.ts";
import { createSender, parseTarget } from "../../scripts/verify/through.ts";
import { offline, through, verify } from "../../scripts/verify/verify.ts";
import type { Check, Result } from "../../scripts/verify/verify.ts";

const UNION = "/search?q=1%20UNION%20SELECT%20name,pass%20FROM%20users--%20";
const line = (path: string, expect: unknown, more: object = {}): string =>
  JSON.stringify({ id: path, request: { method: "GET", path }, expect, ...more });

const engine = await createEngine(policyFrom({ mode: "block" }), readModule());

async function run(check: Check, ...lines: string[]): Promise<Result[]> {
  const results: Result[] = [];
  for await (const result of verify(Readable.from([Buffer.from(lines.join("\n"))]), check)) results.push(result);
  return results;
}

test("offline: what is expected passes, what is not is told", async () => {
  const results = await run(
    offline(engine),
    line(UNION, "deny"),
    line("/search?q=hello", "allow"),
    line(UNION, { verdict: "deny", rules: ["sqli-*", "sqli-union-select"], status: 403 }),
    "",
    line(UNION, "allow", { why: "people search for SQL" }),
    line("/search?q=hello", "deny"),
    line(UNION, { verdict: "deny", rules: ["xss-*"] }),
  );
  assert.deepEqual(
    results.map(({ status, kind, line: number }) => [number, status, kind]),
    [
      [1, "passed", null],
      [2, "passed", null],
      [3, "passed", null],
      [5, "failed", "refused"],
      [6, "failed", "missed"],
      [7, "failed", "rule"],
    ],
  );
  assert.match(results[3]!.message, /^expected allow, got deny \(score \d+; found: sqli-union-select \d+ in query q/);
  assert.equal(results[3]!.why, "people search for SQL");
  assert.equal(results[4]!.message, "expected deny, got allow (score 0; nothing was found)");
  assert.match(results[5]!.message, /^expected xss-\*; found: sqli-union-select/);
  assert.equal(exitCodeOf(results), 1);
  assert.equal(exitCodeOf(results.slice(0, 3)), 0);
});

const BAD: [id: string, line: string, message: RegExp][] = [
  ["no JSON", "{", /^not JSON/],
  ["nothing expected", '{"request":{"method":"GET","path":"/"}}', /^expect: expected "allow", "deny" or/],
  ["misspelt", line("/", "denied"), /^expect: expected "allow", "deny" or/],
  ["misspelt inside", line("/", { verdict: "denied" }), /^expect\.verdict: expected "allow" or "deny"/],
  ["no verdict", line("/", { status: 403 }), /^expect\.verdict: expected "allow" or "deny"/],
  ["unknown member", line("/", { verdict: "deny", rule: "sqli-*" }), /^expect: unknown key: "rule"/],
  ["no such status", line("/", { verdict: "deny", status: 42 }), /^expect\.status: /],
  ["bad request", '{"request":{"path":"/"},"expect":"deny"}', /^request\.method: missing/],
];

for (const [id, text, message] of BAD) {
  test(`a case that cannot be run: ${id}`, async () => {
    const results = await run(offline(engine), text, line("/", "allow"));
    assert.deepEqual(
      results.map(({ status }) => status),
      ["error", "passed"],
    );
    assert.match(results[0]!.message, message);
    assert.equal(exitCodeOf(results), 2);
  });
}

test("no cases are no success", () => assert.equal(exitCodeOf([]), 2));

const PROBLEM =
  '{"type":"about:blank","title":"Forbidden","status":403,"instance":"urn:uuid:0d2fdf99-c7ef-43ea-8e69-eaa5836e4cf0"}';

/** A server of bytes: keeps each request as it came, and answers as its path says. */
async function rawServer(): Promise<{ url: string; requests: string[]; close: () => Promise<void> }> {
  const requests: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const text = data.toString("latin1");
      requests.push(text);
      if (text.includes("/drop")) return void socket.destroy();
      const [status, type, body] = text.includes("/problem")
        ? [403, "application/problem+json", PROBLEM]
        : text.includes("/other403")
          ? [403, "text/plain", "no"]
          : text.includes("/fake")
            ? [403, "application/problem+json", "{}"]
            : text.includes("/large")
              ? [200, "text/plain", "x".repeat(300_000)]
              : [200, "text/plain", "ok"];
      socket.write(`HTTP/1.1 ${status} X\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

test("through a URL: a problem document is a refusal, everything else is not", async () => {
  const server = await rawServer();
  const sender = createSender(parseTarget(server.url));
  const results = await run(
    through(sender),
    line("/problem", "deny"),
    line("/problem", { verdict: "deny", status: 403, rules: ["sqli-*"] }),
    line("/a", { verdict: "allow", status: 200 }),
    line("/large", "allow"),
    line("/other403", { verdict: "allow", status: 403 }),
    line("/fake", "allow"),
    line("/problem", "allow"),
    line("/a", "deny"),
    line("/a", { verdict: "allow", status: 201 }),
    line("/drop", "deny"),
    line("/after", "allow"),
  );
  sender.close();
  await server.close();
  assert.deepEqual(
    results.map(({ status, kind }) => kind ?? status),
    ["passed", "passed", "passed", "passed", "passed", "passed", "refused", "missed", "status", "error", "passed"],
  );
  assert.equal(results[7]!.message, "expected deny, got allow (status 200)");
  assert.equal(results[8]!.message, "expected status 201, got 200");
});

test("through a URL: the request goes out as it is written", async () => {
  const server = await rawServer();
  const sender = createSender(parseTarget(server.url));
  const send = (request: object): string => JSON.stringify({ request, expect: "allow" });
  const results = await run(
    through(sender),
    send({ method: "GET", path: "/a/../b/./%2e%2e//c?x='<>\"{}|\\^`" }),
    send({
      method: "POST",
      path_base64: Buffer.from("/\xff\x80", "latin1").toString("base64"),
      headers: [
        ["Host", "shop.example"],
        ["X-A", "1"],
        ["x-a", { base64: "/w==" }],
        ["Content-Length", "99"],
        ["Transfer-Encoding", "chunked"],
      ],
      body_base64: "AP8=",
    }),
  );
  sender.close();
  await server.close();
  assert.deepEqual(
    results.map(({ status, message }) => [status, message]),
    [
      ["passed", ""],
      ["passed", ""],
    ],
  );
  const host = new URL(server.url).host;
  assert.ok(server.requests[0]!.startsWith(`GET /a/../b/./%2e%2e//c?x='<>"{}|\\^\` HTTP/1.1\r\nhost: ${host}\r\n`));
  assert.ok(
    server.requests[1]!.startsWith(
      "POST /\xff\x80 HTTP/1.1\r\nHost: shop.example\r\nX-A: 1\r\nx-a: \xff\r\ncontent-length: 2\r\n",
    ),
    server.requests[1],
  );
  assert.ok(server.requests[1]!.endsWith("\r\n\r\n\0\xff"));
});

test("through a URL: what HTTP/1.1 cannot carry, and nobody there, are told", async () => {
  const server = await rawServer();
  const sender = createSender(parseTarget(server.url));
  const request = (members: object): string =>
    JSON.stringify({ request: { method: "GET", path: "/", ...members }, expect: "deny" });
  const results = await run(
    through(sender),
    request({ path: "/a b" }),
    request({ headers: [["x", "a\r\nb"]] }),
    request({ method: "G T" }),
  );
  sender.close();
  await server.close();
  assert.deepEqual(
    results.map(({ status, message }) => `${status}: ${message.split(";")[0]}`),
    [
      "error: HTTP/1.1 cannot carry this path",
      "error: HTTP/1.1 cannot carry this header",
      "error: HTTP/1.1 cannot carry this method or header name",
    ],
  );
  const nobody = createSender(parseTarget(server.url));
  const [result] = await run(through(nobody), line("/", "allow"));
  nobody.close();
  assert.deepEqual([result?.status, result?.message], ["error", "the URL does not answer: connection refused"]);
});

test("a target is an origin", () => {
  assert.equal(parseTarget("http://127.0.0.1:8080").host, "127.0.0.1:8080");
  assert.equal(parseTarget("https://[::1]:8443/").host, "[::1]:8443");
  for (const wrong of ["127.0.0.1:8080", "ftp://a", "http://a/b", "http://a?b", "x y"]) {
    assert.throws(() => parseTarget(wrong), /expected/, wrong);
  }
});

const ID = "0d2fdf99-c7ef-43ea-8e69-eaa5836e4cf0";
const DENIALS = denialsOf(
  policyFrom({
    denial: { status: 404, body: "No (such) page: {request_id}" },
    workloads: [{ match: { service: "cart" }, denial: { status: 302, headers: { location: "/blocked" } } }],
  }),
);
const GRPC_WEB = `\x80\0\0\0\x0fgrpc-status:7\r\ngrpc-message:no. urn:uuid:${ID}\r\n`;
const ANSWERS: [why: string, refusal: boolean, received: Received][] = [
  ["a problem", true, { status: 403, headers: { "content-type": "application/problem+json" }, body: PROBLEM }],
  [
    "a problem of the service",
    false,
    { status: 403, headers: { "content-type": "application/problem+json" }, body: "{}" },
  ],
  ["another status", false, { status: 500, headers: { "content-type": "application/problem+json" }, body: PROBLEM }],
  [
    "errors of GraphQL",
    true,
    {
      status: 403,
      headers: { "content-type": "application/graphql-response+json; charset=utf-8" },
      body: `{"errors":[{"extensions":{"instance":"urn:uuid:${ID}"}}]}`,
    },
  ],
  [
    "errors of the service",
    false,
    { status: 403, headers: { "content-type": "application/graphql-response+json" }, body: '{"errors":[{}]}' },
  ],
  ["a page", true, { status: 403, headers: { "content-type": "text/html" }, body: `request ID:<p><code>${ID}</code>` }],
  ["a page of the service", false, { status: 403, headers: { "content-type": "text/html" }, body: "<h1>Forbidden" }],
  ["gRPC", true, { status: 200, headers: { "grpc-status": "7", "grpc-message": `no. urn:uuid:${ID}` }, body: "" }],
  ["gRPC of the service", false, { status: 200, headers: { "grpc-status": "7", "grpc-message": "%zz" }, body: "" }],
  ["gRPC-Web", true, { status: 200, headers: { "content-type": "application/grpc-web+proto" }, body: GRPC_WEB }],
  [
    "gRPC-Web in text",
    true,
    { status: 200, headers: { "content-type": "application/grpc-web-text" }, body: btoa(GRPC_WEB) },
  ],
  ["the policy's own", true, { status: 404, headers: {}, body: `No (such) page: ${ID}` }],
  ["a workload's own", true, { status: 302, headers: {}, body: "" }],
  ["nearly the policy's own", false, { status: 404, headers: {}, body: "No (such) page: 7" }],
];

for (const [why, refusal, received] of ANSWERS) {
  test(`a refusal is told from an answer: ${why}`, () => assert.equal(isRefusal(received, DENIALS), refusal));
}
