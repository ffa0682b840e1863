/** MessagePack and CBOR: what JSON gives of the same document, every cut, windows of long strings, and hostile bodies. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { toBinary } from "../decode/twins.ts";
import { call, cutName, run, runCutEverywhere, seenValue, span, windowsOf, type Parser, type Seen } from "./chunks.ts";
import { cbor, messagePack, shortest, type Json, type Pick } from "./pack.ts";

const EVENTS = ["NeedMore", "Key", "Text", "Literal", "Binary", "Done", "Malformed", "TooDeep"];
const state = call("state");

function packed(isCbor: boolean, depth = 64): Parser {
  return {
    open: () => call("openPacked", state, Number(isCbor), depth),
    feed: (start, end, last) => call("feedPacked", state, start, end, Number(last)),
    next() {
      const event = EVENTS[call("nextPacked", state)] ?? "unknown";
      if (event === "NeedMore") return undefined;
      if (event === "Done") return { event };
      if (event === "Malformed" || event === "TooDeep") return { event, rest: call("packedRest", state) };
      const { value, windowed } = seenValue();
      const name = call("jsonPointer", state);
      return { event, value, windowed, name: span(name, call("jsonPointerEnd", state)) };
    },
    ends: (event) => ["Done", "Malformed", "TooDeep"].includes(event),
  };
}

/** What a document of JSON gives; strings are binary text of their UTF-8 bytes. */
function slow(value: Json, name = ""): Seen[] {
  if (typeof value === "string") return windows("Text", value, name);
  if (value === null || typeof value !== "object") {
    return [{ event: "Literal", value: String(value), windowed: false, name: cutName(name) }];
  }
  if (Array.isArray(value)) return value.flatMap((each, index) => slow(each, `${name}/${index}`));
  return Object.entries(value).flatMap(([key, each]) => {
    const first = windowsOf(bytes(key))[0]!.value;
    const member = `${name}/${first.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return [...windows("Key", key, member), ...slow(each, member)];
  });
}

const bytes = (text: string): string => toBinary(Buffer.from(text, "utf8"));
const windows = (event: string, text: string, name: string): Seen[] =>
  windowsOf(bytes(text)).map((window) => ({ event, ...window, name: cutName(name) }));
const hex = (text: string): string => Buffer.from(text.replaceAll(" ", ""), "hex").toString("latin1");
const DONE = { event: "Done" };

/** Picks by a list of numbers, over and over. */
const picker = (choices: number[]): Pick => {
  let next = 0;
  return (n) => (choices[next++ % choices.length] ?? 0) % n;
};

const FORMATS = [
  { format: "MessagePack", isCbor: false, encode: messagePack },
  { format: "CBOR", isCbor: true, encode: cbor },
] as const;

const text = fc.oneof(
  fc.string({ maxLength: 40 }).map((value) => value.replace(/[\0-\x08\x0e-\x1a\x1c-\x1f]/g, ".")),
  fc.constantFrom("", "~/~", "' OR 1=1--", "日本", "x".repeat(300)),
);
const { document } = fc.letrec<{ document: Json }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 5, depthIdentifier: "json" },
    text,
    fc.oneof(
      fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      fc.integer({ min: -300, max: 300 }),
      fc.constantFrom(1.5, -0.25, 1e-3, 0.000003, 12345.678),
    ),
    fc.constantFrom(null, true, false),
    fc.array(tie("document"), { maxLength: 20 }),
    fc.dictionary(text, tie("document"), { maxKeys: 5 }),
  ),
}));
const choices = fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 40 });

for (const { format, isCbor, encode } of FORMATS) {
  suite(format, () => {
    test("a document gives what it gives as JSON, however it is written", () => {
      fc.assert(
        fc.property(document, choices, fc.array(fc.nat()), (value, ways, cuts) => {
          const body = toBinary(encode(value, picker(ways)));
          const at = cuts.map((cut) => cut % (body.length + 1)).sort((left, right) => left - right);
          const seen = run(packed(isCbor), body, at);
          // A key of bytes is a key, and text in bytes is text.
          assert.deepEqual(seen, [...slow(value), DONE]);
        }),
        { numRuns: 1500 },
      );
    });

    test("cuts at every byte change nothing", () => {
      const value: Json = {
        q: "a b",
        "~/": [1, -7, "x", [], {}, { a: null, b: [true, 1.5] }],
        "": "é",
        n: 70_000,
        m: -70_000,
      };
      for (const ways of [[0], [3, 2, 2, 1, 4], [2, 1, 3]]) {
        assert.deepEqual(runCutEverywhere(packed(isCbor), toBinary(encode(value, picker(ways)))), [
          ...slow(value),
          DONE,
        ]);
      }
    });

    test("a cut-off body gives what there is of it, and that it is cut off", () => {
      const value: Json = { q: "1' OR 1=1", list: ["one", "two"], n: 5 };
      const body = toBinary(encode(value, picker([0, 2, 1])));
      const whole = slow(value);
      for (let size = 1; size < body.length; size++) {
        const seen = runCutEverywhere(packed(isCbor), body.slice(0, size));
        const last = seen.at(-1)!;
        assert.deepEqual(last, { event: "Malformed", rest: size });
        const given = seen.slice(0, -1);
        const full = given.slice(0, -1);
        assert.deepEqual(full, whole.slice(0, full.length));
        const half = given.at(-1);
        if (half !== undefined) assert.ok(whole[full.length]!.value!.startsWith(half.value!), JSON.stringify(half));
      }
    });

    test("several documents follow each other", () => {
      const body = toBinary(Buffer.concat([encode({ a: "1" }), encode(["2"]), encode("3")]));
      assert.deepEqual(runCutEverywhere(packed(isCbor), body), [
        ...slow({ a: "1" }),
        ...slow(["2"]),
        ...slow("3"),
        DONE,
      ]);
      assert.deepEqual(run(packed(isCbor), "", []), [DONE]);
    });

    test("long strings and names come in windows", () => {
      for (const size of [16_383, 16_384, 16_385, 31_744, 50_000]) {
        const value: Json = { q: "ab".repeat(size).slice(0, size), ["k".repeat(size)]: "v" };
        for (const ways of [[0], [3], [2, 0]]) {
          const body = toBinary(encode(value, picker(ways)));
          for (const cuts of [[], [1], [9000], [16_390], [100, 16_000, 20_000]]) {
            assert.deepEqual(run(packed(isCbor), body, cuts), [...slow(value), DONE], `${size} cut at ${cuts.join()}`);
          }
        }
      }
    });

    test("containers beyond the limit end it", () => {
      const open = isCbor ? "\x81" : "\x91";
      assert.deepEqual(run(packed(isCbor), open.repeat(20_000), [7]), [{ event: "TooDeep", rest: 65 }]);
      const seen = runCutEverywhere(packed(isCbor, 3), toBinary(encode({ a: [["x", [], "y"]] })));
      assert.deepEqual(seen, [...slow({ a: [["x"]] }), { event: "TooDeep", rest: 8 }]);
    });

    test("any bytes end it or do not, however they are cut", () => {
      const byte = fc.oneof(
        fc.nat({ max: 255 }),
        fc.constantFrom(0x81, 0x91, 0xa1, 0x9f, 0xbf, 0x7f, 0x5f, 0xff, 0xd9, 0xc7, 0x61),
      );
      fc.assert(
        fc.property(fc.array(byte, { maxLength: 60 }), (values) => {
          runCutEverywhere(packed(isCbor), String.fromCharCode(...values));
        }),
        { numRuns: 400 },
      );
    });
  });
}

suite("MessagePack and CBOR by the byte", () => {
  const one = (isCbor: boolean, body: string): string[] =>
    runCutEverywhere(packed(isCbor), hex(body)).map(({ event, name, value, rest }) =>
      rest !== undefined ? `${event} at ${rest}` : value === undefined ? event : `${event} ${name} ${value}`,
    );
  const vectors: [why: string, isCbor: boolean, body: string, events: string[]][] = [
    ["an extension's type is no content", false, "81 a1 61 c7 02 05 68 69", ["Key /a a", "Text /a hi", "Done"]],
    [
      "extensions of a fixed length",
      false,
      "93 d4 01 41 d5 ff 41 42 d6 00 41 42 43 44",
      ["Text /0 A", "Text /1 AB", "Text /2 ABCD", "Done"],
    ],
    ["bytes that are no text are told of once", false, "91 c4 03 00 41 42", ["Binary /0 \0AB", "Done"]],
    ["a map as a key", false, "81 81 a1 61 a1 62 a1 63", ["Key //a a", "Text //a b", "Text / c", "Done"]],
    ["a number as a key", false, "81 05 a1 62", ["Text /5 b", "Done"]],
    ["the byte that is never used", false, "81 a1 61 c1 41", ["Key /a a", "Malformed at 3"]],
    [
      "numbers of every kind",
      false,
      "89 a1 61 ca 3f c0 00 00 a1 62 cb bf f0 00 00 00 00 00 00 a1 63 d0 80 a1 64 d3 80 00 00 00 00 00 00 00 a1 65 cf ff ff ff ff ff ff ff ff a1 66 e0 a1 67 cb 7f f0 00 00 00 00 00 00 a1 68 cb 7f f8 00 00 00 00 00 00 a1 69 cb 3f b9 99 99 99 99 99 9a",
      [
        "Key /a a",
        "Literal /a 1.5",
        "Key /b b",
        "Literal /b -1",
        "Key /c c",
        "Literal /c -128",
        "Key /d d",
        "Literal /d -9223372036854775808",
        "Key /e e",
        "Literal /e 18446744073709551615",
        "Key /f f",
        "Literal /f -32",
        "Key /g g",
        "Literal /g 18446744073709551615",
        "Key /h h",
        "Literal /h 0",
        "Key /i i",
        "Literal /i 0.1",
        "Done",
      ],
    ],
    [
      "half numbers",
      true,
      "a3 61 61 f9 3e 00 61 62 f9 c4 00 61 63 f9 00 01",
      ["Key /a a", "Literal /a 1.5", "Key /b b", "Literal /b -4", "Key /c c", "Literal /c 0", "Done"],
    ],
    [
      "words",
      true,
      "a4 61 61 f4 61 62 f5 61 63 f6 61 64 f7",
      [
        "Key /a a",
        "Literal /a false",
        "Key /b b",
        "Literal /b true",
        "Key /c c",
        "Literal /c null",
        "Key /d d",
        "Literal /d null",
        "Done",
      ],
    ],
    ["a string of strings, empty ones too", true, "81 7f 61 61 60 62 62 63 ff", ["Text /0 abc", "Done"]],
    ["a string of strings of the other kind's pieces", true, "81 7f 61 61 01", ["Text /0 a", "Malformed at 5"]],
    ["a string of strings without an end", true, "81 5f 41 61", ["Text /0 a", "Malformed at 4"]],
    ["a break that ends nothing", true, "ff", ["Malformed at 1"]],
    ["a break behind a key", true, "bf 61 61 ff", ["Key /a a", "Malformed at 4"]],
    ["a break in what is counted", true, "82 ff", ["Malformed at 2"]],
    [
      "an endless map in an endless array",
      true,
      "9f bf 61 61 61 62 ff 61 63 ff",
      ["Key /0/a a", "Text /0/a b", "Text /1 c", "Done"],
    ],
    ["tags, and nothing behind one", true, "d9 d9 f7 81 c0 c1 61 61 c0", ["Text /0 a", "Done"]],
    ["a length of 2^64 - 1", true, "81 7b ff ff ff ff ff ff ff ff 61 62", ["Text /0 ab", "Malformed at 12"]],
    ["a length of 2^32 - 1", false, "91 db ff ff ff ff 61 62", ["Text /0 ab", "Malformed at 8"]],
    [
      "2^64 - 1 elements",
      true,
      "9b ff ff ff ff ff ff ff ff 61 61 61 62",
      ["Text /0 a", "Text /1 b", "Malformed at 13"],
    ],
    ["2^32 - 1 members", false, "df ff ff ff ff a1 61 a1 62", ["Key /a a", "Text /a b", "Malformed at 9"]],
    ["widths that are reserved", true, "81 7c", ["Malformed at 1"]],
  ];
  for (const [why, isCbor, body, events] of vectors) test(why, () => assert.deepEqual(one(isCbor, body), events));

  test("the shortest encodings are those of the specifications", () => {
    assert.equal(messagePack({ a: [1, -1, "b", null] }, shortest).toString("hex"), "81a1619401ffa162c0");
    assert.equal(cbor({ a: [1, -1, "b", null, 1000] }, shortest).toString("hex"), "a161618501206162f61903e8");
  });
});
