/** Serialized objects: pairs of attack and look-alike, real serializers' output, and values that would take long. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { suite, test } from "node:test";
import { confidenceOf, testLinear, testVectors } from "./vectors.ts";

const CODES = 1300;

testVectors("deser", CODES);

suite("wrapped values", () => {
  const attack = 'O:4:"Curl":1:{s:3:"url";s:1:"a";}';
  const wrappings: [name: string, wrap: (value: Buffer) => string][] = [
    ["base64", (value) => value.toString("base64")],
    ["base64url", (value) => value.toString("base64url")],
    ["base64 in lines", (value) => value.toString("base64").replace(/.{20}/g, "$&\r\n")],
    ["base64 whose plus a form lost", (value) => value.toString("base64").replaceAll("+", " ")],
    ["base64 in a data URL", (value) => `data:text/plain;base64,${value.toString("base64")}`],
    ["hex", (value) => value.toString("hex")],
    ["hex in capitals", (value) => `0x${value.toString("hex").toUpperCase()}`],
    ["a bearer token", (value) => `Bearer ${value.toString("base64")}`],
  ];
  for (const [name, wrap] of wrappings) {
    test(`${name} hides nothing`, () => {
      for (const tail of ["", "a", "bb"])
        assert.ok(confidenceOf(CODES, wrap(Buffer.from(attack + tail, "latin1"))) >= 60);
    });
  }

  test("random tokens are nothing", () => {
    for (let round = 0; round < 5000; round++) {
      const token = randomBytes(24);
      assert.equal(confidenceOf(CODES, token.toString("base64")), 0);
      assert.equal(confidenceOf(CODES, token.toString("hex")), 0);
      assert.ok(confidenceOf(CODES, token) < 60);
    }
  });
});

testLinear(
  [
    "\xac",
    "\xac\xed\x00\x05s",
    "\xff\xff\xff\xff",
    "O:",
    'O:9:"',
    "$$ND_",
    "!!a.b.",
    '"@type":"',
    '["a.b',
    "<a.b c=",
    "(",
    "cc\n",
    "\x80\x04",
    "\x04\b:",
    '{"',
    '[["a"',
    "QUFB",
  ],
  400,
);
