/** Headers, paths and tokens: what is refused, and what ordinary clients send that looks alike. Header lines, one a request. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { CODES_PER_CLASS, CLASSES } from "../../scripts/generate/rule-file.ts";
import { buildProbe } from "../probe/build.ts";
import { confidenceOf } from "./class-vectors.ts";
import { headerMap } from "./header-map.ts";

const BLOCKS = 60;
const probe = await buildProbe("judge");

/** The surest finding of a class in header lines. */
function sure(attackClass: (typeof CLASSES)[number], lines: string): number {
  const headers = lines.split("\n").map((line) => /^(:?[^:]+): ?([^]*)$/.exec(line)?.slice(1) ?? []);
  const count = probe.exports.judgeHead!(...probe.write(headerMap(headers)));
  let surest = 0;
  for (let index = 0; index < count; index++) {
    const place = Math.floor(probe.exports.foundRule!(index) / CODES_PER_CLASS) - 1;
    if (CLASSES[place] === attackClass) surest = Math.max(surest, probe.exports.foundConfidence!(index));
  }
  return surest;
}

const PROTOCOL: [attack: string, lookalike: string][] = [
  ["content-length: +5", "content-length: 5"],
  ["content-length: ", "content-length: 0"],
  ["content-length: 5\ncontent-length: 6", "content-length: 5\ncontent-length: 5"],
  ["transfer-encoding: chunked\x0b", "transfer-encoding: Chunked"],
  ["transfer-encoding: chunked\ntransfer-encoding: identity", "transfer-encoding: gzip, chunked"],
  [":authority: a.example\n:authority: b.example", ":authority: a.example\n:authority: a.example"],
  [":authority: a.example:80@b.example", ":authority: [2001:db8::1]:80"],
  [":authority: a.example/x", ":authority: under_score.example."],
  ["x-forwarded-host: a.example/x?", "x-forwarded-host: a.example, b.example:80"],
  [":path: /\nx-rewrite-url: /admin", ":path: /\nx-original-url: https://shop.example/admin"],
  [":method: GET\nx-http-method-override: DELETE", ":method: POST\nx-http-method-override: GET"],
  [":method: POST\nx-method-override: TRACE", ":method: POST\ncontent-type: text/xml\nx-http-method: MERGE"],
  [":method: DEBUG", ":method: PURGE"],
  [":method: GE\tT", ":method: M-SEARCH"],
  [":method: PROPFIND", ":method: PROPFIND\ndepth: 1"],
  [`range: bytes=${"0-,".repeat(40)}0-`, "range: bytes=0-99, 200-299, -500"],
  ["content-type: application/json; charset=UTF-7", "content-type: application/json; charset=utf-8"],
  ["content-type: text/xml;charset = ibm500", "content-type: text/xml;charset=utf-16"],
  ["connection: keep-alive, Authorization", "connection: Upgrade, HTTP2-Settings"],
  ["x-custom-ip-authorization: 127.0.0.1", "x-forwarded-for: 127.0.0.1"],
  ["content_length: 5", "x_content: 5"],
];

const SCANNER: [attack: string, lookalike: string][] = [
  ["user-agent: Mozilla/5.00 (Nikto/2.1.6) (Evasions:None)", "user-agent: Mozilla/5.0 (Nikon) Gecko"],
  ["user-agent: Mozilla/5.0 (compatible; Nmap Scripting Engine)", "user-agent: Mozilla/5.0 (compatible; bingbot/2.0)"],
  ["user-agent: Fuzz Faster U Fool v2.1.0", "user-agent: the fuzz of a peach"],
  ["user-agent: gobuster/3.6", "user-agent: Go-http-client/2.0"],
  ["user-agent: DirBuster-1.0-RC1", "user-agent: aws-xray-daemon/3.3"],
  ["user-agent: Mozilla/5.0 (Hydra)", "user-agent: ory-hydra/2.0"],
  ["acunetix-aspect: enabled", "x-aspect: enabled"],
  [":path: /.git/HEAD", ":path: /project.git/HEAD"],
  [":path: /a/b/wp-config.php~", ":path: /a/b/wp-login.php"],
  [":path: /lib/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", ":path: /vendor/phpunit/readme"],
  [":path: /.aws/credentials", ":path: /.well-known/acme-challenge/x"],
];

await suite("headers", () => {
  for (const [attackClass, pairs] of [
    ["protocol", PROTOCOL],
    ["scanner", SCANNER],
  ] as const) {
    for (const [attack, lookalike] of pairs) {
      test(`${attackClass}: ${JSON.stringify(attack.slice(0, 70))}`, () => {
        assert.ok(sure(attackClass, attack) >= BLOCKS);
        assert.ok(sure(attackClass, lookalike) < BLOCKS, lookalike);
      });
    }
  }
});

const encode = (text: string): string => Buffer.from(text, "latin1").toString("base64url");
const token = (head: object | string, signature = "c2lnbmF0dXJlIG9mIHRva2Vu"): string =>
  `${encode(typeof head === "string" ? head : JSON.stringify(head))}.${encode('{"sub":"1"}')}.${signature}`;

await suite("tokens", () => {
  const attacks: Record<string, string> = {
    "none in any case": token({ typ: "JWT", alg: "NonE" }, ""),
    "none with a signature": token({ alg: "none" }),
    "a head with blanks": token('{ "alg" : "none" }', ""),
    "a head with a line end": token('{\n"alg":"none"}', ""),
    "behind Bearer": `Bearer ${token({ alg: "none" }, "")}`,
    "no signature": token({ alg: "RS256" }, ""),
    "a key in a folder": token({ alg: "HS256", kid: "keys/../../dev/null" }),
    "a key from the root": token({ alg: "HS256", kid: "/dev/null" }),
    "a query for a key": token({ alg: "HS256", kid: "x' UNION SELECT 'k" }),
    "a command for a key": token({ alg: "HS256", kid: "k|id" }),
    "a key set of its own": token({ alg: "RS256", x5u: "https://198.51.100.7/k" }),
    "a key of its own": token({ jwk: { kty: "RSA", n: "x" }, alg: "RS256" }),
    zeros: token({ alg: "ES256" }, "MAYCAQACAQA"),
    "plain zeros": token({ alg: "ES256" }, "A".repeat(86)),
  };
  for (const [id, value] of Object.entries(attacks)) {
    test(`${id} is found`, () => assert.ok(confidenceOf("auth", value) >= BLOCKS, value));
  }
  const ordinary: Record<string, string> = {
    "a signed token": token({ alg: "RS256", kid: "2026-01-key/a==" }),
    "a key that is a URL": token({ alg: "RS256", kid: "https://idp.example/keys/1" }),
    "a proof of possession": token({ typ: "dpop+jwt", alg: "ES256", jwk: { kty: "EC" } }),
    "none as a claim": `${encode('{"alg":"ES256"}')}.${encode('{"alg":"none"}')}.${"x".repeat(30)}`,
    "a token at the end of a sentence": `see ${encode('{"alg":"HS256"}')}.${encode('{"a":1}')}. It is short`,
    "five segments": `${encode('{"alg":"dir","enc":"A128GCM"}')}..aaaa.bbbb.cccc`,
    "no token": "eyJ. a. b",
  };
  for (const [id, value] of Object.entries(ordinary)) {
    test(`${id} passes`, () => assert.ok(confidenceOf("auth", value) < BLOCKS, value));
  }
  test("cut anywhere, they never trap", () => {
    for (const value of Object.values(attacks)) {
      for (let at = 0; at <= value.length; at++) assert.ok(confidenceOf("auth", value.slice(0, at)) <= 100);
    }
  });
  test("sixteen KiB of anything take a few milliseconds", () => {
    for (const piece of ["ey", "eyJ.", "ew.ew.", "eyJhbGciOiJub25lIn0.", "P/", " HTTP/1\n"]) {
      const begin = performance.now();
      confidenceOf("auth", piece.repeat(16_384 / piece.length));
      assert.ok(performance.now() - begin < 400, piece);
    }
  });
});
