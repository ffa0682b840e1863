import assert from "node:assert/strict";
import { test } from "node:test";
import { BadLine, parseExchange, parseJsonLine } from "../../scripts/scan/exchange-line.ts";

const parse = (line: string | Uint8Array) => parseExchange(parseJsonLine(Buffer.from(line as string)).value);
const text = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString("latin1");

test("a full line", () => {
  const { request, response, address, principal, service } = parse(
    JSON.stringify({
      id: "1",
      request: {
        method: "POST",
        path: "/a?q=1",
        headers: [
          ["X-A", "1"],
          ["x-a", { base64: "/wA=" }],
        ],
        body: "é",
      },
      response: { status: 500, headers: [["content-type", "text/html"]], body_base64: "AAE=" },
      source: { address: "10.0.0.1", principal: "spiffe://a/b" },
      time: "2026-11-21T10:00:00Z",
      service: "cart",
      extra: { not: "ours" },
    }),
  );
  assert.deepEqual([request.method, request.path, text(request.body)], ["POST", "/a?q=1", "\xc3\xa9"]);
  assert.deepEqual(
    request.headers.map(([name, value]) => [name, text(value)]),
    [
      ["X-A", "1"],
      ["x-a", "\xff\0"],
    ],
  );
  assert.deepEqual([response?.status, text(response!.body)], [500, "\0\x01"]);
  assert.deepEqual([address, principal, service], ["10.0.0.1", "spiffe://a/b", "cart"]);
});

test("null is the same as absent", () => {
  const nothing = { headers: null, body: null, body_base64: null, path_base64: null };
  const exchange = parse(
    JSON.stringify({
      request: { method: "GET", path: "/", ...nothing },
      response: null,
      source: null,
      time: null,
      service: null,
    }),
  );
  assert.deepEqual(exchange, parse('{"request":{"method":"GET","path":"/"}}'));
});

test("bytes: base64 with and without padding, lone surrogates as U+FFFD", () => {
  for (const encoded of ["L/8=", "L/8"]) {
    assert.equal(text(parse(`{"request":{"method":"GET","path_base64":"${encoded}"}}`).request.path), "/\xff");
  }
  assert.equal(text(parse('{"request":{"method":"GET","path":"/\\ud800"}}').request.path), "/\xef\xbf\xbd");
  assert.equal(text(parse('{"request":{"method":"GET","path":"/","body":"\\udc00x"}}').request.body), "\xef\xbf\xbdx");
});

test("what a codec would refuse is content", () => {
  const { request } = parse(
    JSON.stringify({
      request: {
        method: "G T",
        path: "no slash \0\r\n",
        headers: [
          ["", "a\r\nb"],
          ["x y", "\0"],
        ],
      },
    }),
  );
  assert.equal(request.path, "no slash \0\r\n");
  assert.equal(request.headers.length, 2);
});

const request = (members: object): string => JSON.stringify({ request: { method: "GET", path: "/", ...members } });
const BAD: [id: string, line: string | Uint8Array, message: RegExp][] = [
  ["no JSON", "{", /^not JSON: /],
  ["text behind it", '{"request":{"method":"GET","path":"/"}} x', /^not JSON: /],
  ["not an object", "[1]", /^expected a JSON object$/],
  ["a word", "null", /^expected a JSON object$/],
  ["not UTF-8", Buffer.from([0x7b, 0xff]), /^not UTF-8; /],
  ["no request", "{}", /^request: missing: expected object$/],
  ["request of another type", '{"request":"GET / HTTP/1.1"}', /^request: expected object, got string$/],
  ["no method", '{"request":{"path":"/"}}', /^request\.method: missing: expected string$/],
  ["no path", '{"request":{"method":"GET"}}', /^request\.path: expected "path" or "path_base64"$/],
  ["two paths", request({ path_base64: "Lw==" }), /^request\.path: expected "path" or "path_base64"$/],
  ["two bodies", request({ body: "a", body_base64: "YQ==" }), /^request\.body_base64: expected one of the two/],
  ["bad base64", request({ body_base64: "a" }), /^request\.body_base64: expected base64$/],
  ["base64 with blanks", request({ body_base64: "YQ =" }), /^request\.body_base64: expected base64$/],
  ["body as an object", request({ body: { a: 1 } }), /^request\.body: expected string, got object$/],
  ["headers as an object", request({ headers: { a: "b" } }), /^request\.headers: expected array, got object$/],
  ["header of one", request({ headers: [["a"]] }), /^request\.headers\[0\]: expected \["name", value\]/],
  ["header of a number", request({ headers: [["a", 1]] }), /^request\.headers\[0\]\[1\]: expected text or \{"base64"/],
  ["response without a status", '{"request":{"method":"GET","path":"/"},"response":{}}', /^response\.status: missing/],
  ["no time", '{"request":{"method":"GET","path":"/"},"time":"yesterday"}', /^time: expected a time such as/],
  [
    "service of a number",
    '{"request":{"method":"GET","path":"/"},"service":1}',
    /^service: expected string, got number$/,
  ],
];

for (const [id, line, message] of BAD) {
  test(`bad line: ${id}`, () => {
    assert.throws(
      () => parse(line),
      (error: unknown) => error instanceof BadLine && message.test(error.message) && !error.message.includes("\n"),
    );
  });
}

test("a message never has the line's control characters", () => {
  assert.throws(
    () => parse('{"a\u0007\u2028'),
    (error: unknown) => error instanceof BadLine && !/[\u0000-\u001f\u2028]/.test(error.message),
  );
});
