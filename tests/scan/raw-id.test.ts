import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { idText, rawId } from "../../scripts/scan/raw-id.ts";

/** The id as the output has it. */
const idOf = (line: string): string => idText((JSON.parse(line) as { id?: unknown }).id, line);

const CASES: [id: string, line: string, expected: string][] = [
  ["absent", "{}", "null"],
  ["null", '{"id":null}', "null"],
  ["text", '{"id":"a\\u0062\\ud800"}', '"ab\\ud800"'],
  ["whole number", '{"id":7}', "7"],
  ["number beyond a double", '{"id":12345678901234567890}', "12345678901234567890"],
  ["fraction as written", '{"id":1.50}', "1.50"],
  ["exponent as written", '{"id":1E400,"x":1}', "1E400"],
  ["minus zero", '{"id":-0}', "-0"],
  ["boolean", '{"id":false}', "false"],
  [
    "object, its keys in their order",
    '{ "id" : {"b":[1.0,{"}":"]"}],"1":"\\\\\\""} , "x":1}',
    '{"b":[1.0,{"}":"]"}],"1":"\\\\\\""}',
  ],
  ["array", '{"x":{"id":5},"id":[ 1.0 , "]" ]}', '[ 1.0 , "]" ]'],
  ["the last of two", '{"id":[1],"id":[2]}', "[2]"],
  ["key with escapes", '{"i\\u0064":[3]}', "[3]"],
  ["blanks of JSON, CR left out", '\t{\r"id"\t:\r[\r1 ]\r}', "[1 ]"],
];

for (const [id, line, expected] of CASES) test(`id: ${id}`, () => assert.equal(idOf(line), expected));

test("any id comes back as the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.nat(4), (id, other, indent) => {
      const line = JSON.stringify({ before: other, id, after: other }, null, indent).replaceAll("\n", " ");
      assert.deepEqual(JSON.parse(idOf(line)), JSON.parse(JSON.stringify(id)));
      assert.deepEqual(JSON.parse(rawId(line)!), JSON.parse(JSON.stringify(id)));
    }),
  );
});

test("a long line takes no stack", () => {
  const line = `{"body":"${"\\\\x".repeat(1_000_000)}","id":[1.5]}`;
  assert.equal(idOf(line), "[1.5]");
});
