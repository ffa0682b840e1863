/** Strings of GraphQL documents by their arguments: by example, written from values, and of any bytes. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { toBinary, toBytes } from "../decode/twins.ts";
import { call, probe, span } from "./chunks.ts";

function stringsOf(document: string): [name: string, value: string][] {
  call("openArguments", ...probe.write(toBytes(document)));
  const found: [string, string][] = [];
  while (call("nextArgument") !== 0) {
    const [start, end, name, nameEnd] = [0, 1, 2, 3].map((n) => call("argumentAt", n));
    assert.ok(start! <= end! && name! <= nameEnd!);
    found.push([span(name!, nameEnd!), span(start!, end!)]);
  }
  return found;
}

type Input = string | number | boolean | null | Input[] | { [name: string]: Input };

const write = (value: Input, isBlock: boolean): string => {
  if (typeof value === "string") return isBlock ? `"""${value}"""` : JSON.stringify(value);
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => write(each, isBlock)).join(isBlock ? " " : ", ")}]`;
  return `{${Object.entries(value)
    .map(([name, each]) => `${name}: ${write(each, isBlock)}`)
    .join(isBlock ? " " : ",")}}`;
};
const given = (value: Input, name: string): [string, string][] => {
  if (typeof value === "string") return [[name, toBinary(Buffer.from(value))]];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, each]) => given(each, `${name}/${key}`));
};

suite("strings of GraphQL documents", () => {
  const vectors: [why: string, document: string, strings: [string, string][]][] = [
    ["a query's argument", '{ user(id: "7") { name } }', [["/id", "7"]]],
    [
      "several fields",
      '{ a(x: "1") { b(y: "2", z: 3) } c(x: "3") }',
      [
        ["/x", "1"],
        ["/y", "2"],
        ["/x", "3"],
      ],
    ],
    [
      "what a variable is by default",
      'query ($q: [String!] = ["a", "b"], $r: String = "c") { f }',
      [
        ["/q/0", "a"],
        ["/q/1", "b"],
        ["/r", "c"],
      ],
    ],
    [
      "elements that are no strings count",
      '{ f(a: [1, ENUM, $v, {k: "x"}, -1.5e3, "y"]) }',
      [
        ["/a/3/k", "x"],
        ["/a/5", "y"],
      ],
    ],
    ["a directive's argument", '{ f @include(if: true, label: "x") }', [["/label", "x"]]],
    ["a comment is passed over", '{ f(a: # "no"\n "yes") }', [["/a", "yes"]]],
    [
      "a quote in a block string",
      '{ f(a: """x "y" \\""" z""", b: "") }',
      [
        ["/a", 'x "y" \\""" z'],
        ["/b", ""],
      ],
    ],
    ["escapes", '{ f(a: "\\u0027\\"\\n") }', [["/a", "'\"\n"]]],
    ["a description is no argument's", '"""about""" type Q { f(a: String = "x"): Int }', [["/a", "x"]]],
    ["a string without an end", '{ f(a: "x', [["/a", "x"]]],
    ["closers without openers", '{ f(a: ]}"x") } ) "y"', [["/a", "x"]]],
  ];
  for (const [why, document, strings] of vectors) test(why, () => assert.deepEqual(stringsOf(document), strings));

  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const { input } = fc.letrec<{ input: Input }>((tie) => ({
    input: fc.oneof(
      { maxDepth: 4 },
      fc.string({ maxLength: 12 }).map((text) => text.replace(/["\\]/g, "'")),
      fc.integer(),
      fc.constantFrom(null, true, 1.5, -2),
      fc.array(tie("input"), { maxLength: 5 }),
      fc.dictionary(name, tie("input"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  test("any values are given by their pointers", () => {
    fc.assert(
      fc.property(fc.dictionary(name, input, { minKeys: 1, maxKeys: 4 }), fc.boolean(), (values, isBlock) => {
        const written = write(values, isBlock).slice(1, -1);
        assert.deepEqual(stringsOf(`query { f(${written}) { id } }`), given(values, ""));
      }),
      { numRuns: 1000 },
    );
  });
  test("names as deep as the stack go on", () => {
    const depth = 100;
    const [[found, value] = ["", ""]] = stringsOf(`{ f(${"a:{".repeat(depth)}b:"x"${"}".repeat(depth)}) }`);
    assert.equal(value, "x");
    assert.ok(found.startsWith("/a/a/a"));
  });
  test("any bytes end", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "(",
      ")",
      "[",
      "]",
      '"',
      '"""',
      "\\",
      ":",
      "#",
      "\n",
      "a",
      "$",
      " ",
      ",",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        stringsOf(Buffer.from(pieces.join("")).toString("latin1"));
      }),
      { numRuns: 1000 },
    );
  });
});
