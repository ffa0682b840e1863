/** Messages of gRPC, read without a schema: what is a value, under which name, whatever they are cut into. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { double, field, float, frame, group, int, message, tag, varint } from "../protobuf/encode.ts";
import { call, run, runCutEverywhere, seenValue, span, type Parser, type Seen } from "./chunks.ts";

const state = call("state");
const EVENTS = [
  "NeedMore",
  "Value",
  "Object",
  "TooDeep",
  "Malformed",
  "Unread",
  "Done",
  "Compressed",
  "Piece",
  "LastPiece",
];
const FRAMES = 0;
const TEXT = 1;
const BARE = 2;

function grpc(framing = BARE, depth = 64): Parser {
  // Of the compressed message at work.
  let pieces = "";
  return {
    open() {
      pieces = "";
      call("openGrpc", state, framing, depth);
    },
    feed: (start, end, last) => call("feedGrpc", state, start, end, last ? 1 : 0),
    next(): Seen | undefined {
      let event = EVENTS[call("nextGrpc", state)] ?? "?";
      while (event === "Piece") {
        pieces += seenValue().value;
        event = EVENTS[call("nextGrpc", state)] ?? "?";
      }
      if (event === "NeedMore") return undefined;
      if (event === "LastPiece") {
        const value = pieces + seenValue().value;
        pieces = "";
        return { event, value, name: "" };
      }
      if (event !== "Value" && event !== "Object") return { event };
      const { value } = seenValue();
      return { event, value, name: span(call("protobufName", state), call("protobufNameEnd", state)) };
    },
    ends(event) {
      if (event === "Done") call("closeProtobuf", state);
      return event === "Done";
    },
  };
}

const binary = (body: Uint8Array): string => Buffer.from(body).toString("latin1");

/** Events as short texts. */
function told(seen: Seen[]): string[] {
  return seen.map(({ event, value, name }) =>
    event === "Value" ? `${name}: ${value}` : value === undefined ? event : `${event} ${name}: ${value}`,
  );
}

const seen = (body: Uint8Array, framing = BARE, depth = 64): string[] =>
  told(runCutEverywhere(grpc(framing, depth), binary(body)));

/** The same of a long body, cut in some places only. */
function seenLong(body: Uint8Array, framing = BARE, depth = 64): Seen[] {
  const text = binary(body);
  const whole = run(grpc(framing, depth), text, []);
  const cuts = [1, 2, 3, 5, 7, 16_380, 16_383, 16_384, 16_385, 16_386, 16_390, 32_768, 33_000, text.length - 1];
  const inside = cuts.filter((cut) => cut > 0 && cut < text.length);
  // Long values: no difference of them is worth showing.
  const expected = JSON.stringify(whole);
  const check = (cuts: number[], how: string): void =>
    assert.ok(JSON.stringify(run(grpc(framing, depth), text, cuts)) === expected, how);
  for (const cut of inside) check([cut], `cut at ${cut}`);
  for (const step of [97, 1000, 4096, 16_384, 16_385, 65_536]) {
    const steps = Array.from({ length: Math.floor((text.length - 1) / step) }, (_, i) => (i + 1) * step);
    check(steps, `in pieces of ${step}`);
  }
  return whole;
}

const ATTACK = "1' OR '1'='1";
/** No text, and no message either. */
const NOISE = Buffer.from("8787878787878787878787", "hex");
const WIDE = Buffer.from(`\ufeff${ATTACK}`, "utf16le");

const LETTERS = "a string of more than 31 letters";

/** A text in `depth` messages; all of it is printable but the message itself, if there is one. */
const nested = (depth: number): Buffer =>
  depth === 0 ? Buffer.from(LETTERS) : depth === 7 ? message(int(9, 1), wrap(depth)) : wrap(depth);
const wrap = (depth: number): Buffer => field(1, nested(depth - 1));

suite("one message", () => {
  const two = field(1, "ann");
  const cases: [id: string, body: Uint8Array, events: string[], depth?: number][] = [
    ["nothing", Buffer.alloc(0), []],
    ["strings", message(two, int(2, 7), field(3, "bob")), ["1: ann", "3: bob"]],
    ["an empty string is no value", message(field(1, ""), field(2, "x")), ["2: x"]],
    ["numbers of each width", message(int(1, 2n ** 64n - 1n), double(2, -1.5), float(3, 2.5), field(4, "x")), ["4: x"]],
    ["packed numbers are a text without a sign", field(1, Buffer.from([1, 2, 3])), ["1: \x01\x02\x03"]],
    ["of bytes the head is looked at", field(1, NOISE), [`Object 1: ${binary(NOISE)}`]],
    [
      "groups",
      message(group(9, two, group(2, field(3, "deep"))), field(1, "out")),
      ["9.1: ann", "9.2.3: deep", "1: out"],
    ],
    ["the largest number of a field", field(2 ** 29 - 1, "x"), ["536870911: x"]],
    ["field 0", message(int(0, 1), field(0, "x")), ["0: x"]],
    ["overlong tags and lengths", message(varint(10, 5), varint(3, 9), Buffer.from("ann")), ["1: ann"]],
    ["the low 32 bits of a length", message(tag(1, 2), varint((1n << 40n) + 3n), Buffer.from("ann")), ["1: ann"]],
    // What no parser takes is read as far as it goes, or as a text.
    ["a type that is none", message(two, tag(2, 6), Buffer.from("bob")), [": \n\x03ann\x16bob", "Malformed"]],
    ["a group that has not begun", message(tag(1, 4), two), [": \x0c\n\x03ann", "Malformed"]],
    ["a group without an end", message(tag(1, 3), two), ["Malformed", "1.1: ann"]],
    [
      "a varint of eleven bytes",
      message(tag(1, 0), varint(1, 11), two, two, two),
      ["Object : \x08\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\n\x03ann\n\x03ann\n\x03ann", "Malformed"],
    ],
    [
      "a length beyond the end",
      message(two, tag(2, 2), varint(99), Buffer.from("bob")),
      ["Malformed", "1: ann", "2: bob"],
    ],
    [
      "a length that none can have",
      message(two, tag(2, 2), varint(2 ** 32 - 1), Buffer.from("0 or 1")),
      [": \n\x03ann\x12\x0f0 or 1", "Object : \n\x03ann\x12\xff\xff\xff\xff\x0f0 or 1", "Malformed"],
    ],
    ["a tag at the end", message(two, tag(2, 2)), ["Malformed", "1: ann"]],
    ["a number cut off", message(two, tag(2, 1), Buffer.from([1, 2])), ["Malformed", "1: ann"]],
    // Two readings.
    [
      "a message that could be a string",
      field(1, message(int(1, 5), field(3, field(2, "deep")))),
      ["1.3.2: deep", "1.3:   deep", "1:       deep"],
    ],
    [
      "a string that could be a message",
      message(int(2, 9), field(1, field(1, " or 1=1 -- and at least 32 letters"))),
      ["1.1:  or 1=1 -- and at least 32 letters", '1: \n" or 1=1 -- and at least 32 letters'],
    ],
    ["a control byte does not hide a text", field(1, `\x01${ATTACK}`), [`1: \x01${ATTACK}`]],
    ["nor do fields that it makes", field(1, "\x11AAAAAAAA!1' OR 1="), ["1:  AAAAAAAA!1' OR 1="]],
    [
      "no more than four texts around one another",
      nested(7),
      [
        `1.1.1.1.1.1.1: ${LETTERS}`,
        ...[3, 4, 5, 6].map((inside, i) => `${"1.".repeat(3 - i)}1: ${binary(nested(inside))}`),
      ],
    ],
    ["UTF-16 in bytes", field(1, WIDE), [`1: ${ATTACK}`, `Object 1: ${binary(WIDE)}`]],
    ["Latin-1 in bytes", field(1, Buffer.from(`caf\xe9 ${ATTACK}`, "latin1")), [`1: caf\xe9 ${ATTACK}`]],
    ["UTF-8", field(1, `café 😀 ${ATTACK}`), [`1: ${binary(Buffer.from(`café 😀 ${ATTACK}`))}`]],
    // Depth.
    ["too deep is a text from there", field(1, field(1, field(1, "x"))), ["1.1: \n\x01x", "TooDeep", "1:     x"], 2],
    ["groups too deep", group(1, group(2, field(3, "x"))), ["1: \x1a\x01x\x14\x0c", "TooDeep"], 2],
  ];
  for (const [id, body, events, depth] of cases) {
    test(id, () => assert.deepEqual(seen(body, BARE, depth), [...events, "Done"]));
  }
});

suite("frames", () => {
  const one = message(field(1, "ann"), int(2, 1));
  const two = field(3, "bob");
  const cases: [id: string, body: Uint8Array, events: string[]][] = [
    ["nothing", Buffer.alloc(0), []],
    ["messages", message(frame(one), frame(two), frame(one)), ["1: ann", "3: bob", "1: ann"]],
    ["messages of no length", message(frame(Buffer.alloc(0)), frame(two), frame(Buffer.alloc(0))), ["3: bob"]],
    [
      "a compressed one is given as it stands",
      message(frame(one, 1), frame(two)),
      ["Compressed", `LastPiece : ${binary(one)}`, "3: bob"],
    ],
    ["an empty one has no coding", message(frame(Buffer.alloc(0), 1), frame(two)), ["3: bob"]],
    ["a compressed one that is cut", frame(one, 1, 200), ["Compressed", `LastPiece : ${binary(one)}`]],
    ["one of JSON", frame(Buffer.from('{"name":"ann"}')), [': {"name":"ann"}']],
    ["trailers", message(frame(two), frame(Buffer.from("x-note: hi\r\n"), 0x80)), ["3: bob", ": x-note: hi\r\n"]],
    ["a length beyond the end", message(frame(one), frame(two, 0, 0xffff_ffff)), ["1: ann", "3: bob"]],
    ["a length that cuts a message", message(frame(field(1, "ann"), 0, 4)), ["Malformed", "1: an", "Malformed"]],
    ["a head that is cut", message(frame(two), Buffer.from([0, 0, 0])), ["3: bob", "Malformed"]],
    ["other flags say nothing", message(frame(two, 2), frame(one, 0x40)), ["3: bob", "1: ann"]],
  ];
  for (const [id, body, events] of cases) {
    test(id, () => assert.deepEqual(seen(body, FRAMES), [...events, "Done"]));
    test(`${id}, in base64`, () => {
      const text = Buffer.from(body).toString("base64");
      assert.deepEqual(seen(Buffer.from(text), TEXT), [...events, "Done"]);
    });
  }

  test("base64 in pieces, each padded, with line ends", () => {
    const pieces = [frame(one), frame(two), frame(one).subarray(0, 7), frame(one).subarray(7)];
    const text = pieces.map((piece) => piece.toString("base64")).join("\r\n");
    assert.deepEqual(seen(Buffer.from(text), TEXT), ["1: ann", "3: bob", "1: ann", "Done"]);
  });
});

suite("long fields", () => {
  const letters = "abcdefghij klmnopqrst ".repeat(4000);

  /** Values and names, long ones by their length and their ends. */
  const brief = (events: Seen[]): string[] =>
    events
      .filter(({ event }) => event !== "Done")
      .map(({ event, name, value }) =>
        event !== "Value" ? event : value!.length > 200 ? `${name}: ${value!.length}` : `${name}: ${value}`,
      );

  for (const size of [16_383, 16_384, 16_385, 16_386, 17_408, 31_744, 31_745, 60_000]) {
    test(`a text of ${size} bytes`, () => {
      const text = letters.slice(0, size);
      const events = seenLong(message(int(9, 300), int(9, 0), field(1, text), field(2, "x")));
      const windows = events.filter(({ name }) => name === "1").map(({ value }) => value!);
      assert.equal(windows.map((window, i) => (i === 0 ? window : window.slice(1024))).join(""), text);
      assert.ok(windows.every(({ length }, i) => i + 1 === windows.length || length === 16_384));
      assert.deepEqual(brief(events).slice(windows.length), ["2: x"]);
    });
    test(`bytes of ${size}, with a text behind them`, () => {
      const bytes = Buffer.alloc(size, 0x87);
      const events = seenLong(field(1, message(bytes, Buffer.from(ATTACK))));
      if (size > 16_384) return;
      assert.deepEqual(events.map(({ event }) => event).filter((event) => event !== "Done").length <= 2, true);
    });
    test(`a message of ${size} bytes with strings`, () => {
      const inner = message(int(1, 300), field(2, letters.slice(0, size - 30)), field(3, ATTACK));
      const events = seenLong(message(int(9, 300), int(9, 0), field(1, inner), field(2, "x")));
      const found = events.filter(({ name }) => name === "1.3");
      assert.deepEqual(
        found.map(({ value }) => value),
        [ATTACK],
      );
      assert.equal(events.at(-2)?.value, "x");
      assert.equal(!events.some(({ event }) => event === "Malformed"), true);
    });
  }

  test("a long string that is fields too is judged as both", () => {
    // Fields of eight bytes: nothing of it is in a field that holds bytes.
    const text = `${"abbbbbbbb".repeat(2000)}a' OR 1=1${"abbbbbbbb".repeat(2000)}`;
    const events = seenLong(
      message(int(9, 300), int(9, 0), field(1, message(Buffer.from(text), field(1, "in"))), field(2, "x")),
    );
    assert.equal(
      events.some(({ name, value }) => name === "1" && value!.includes("' OR 1=1")),
      true,
    );
    assert.equal(
      events.some(({ name, value }) => name === "1.1" && value === "in"),
      true,
    );
  });

  test("a long message that breaks off goes on as a text, and the one around it as a message", () => {
    const broken = message(int(1, 300), int(2, 0), field(2, letters.slice(0, 20_000)), tag(1, 7), Buffer.from(ATTACK));
    const events = seenLong(message(int(9, 300), int(9, 0), field(1, broken), field(2, "x")));
    assert.equal(
      events.some(({ name, value }) => name === "1" && value === ATTACK),
      true,
    );
    assert.equal(
      events.some(({ event }) => event === "Malformed"),
      true,
    );
    assert.equal(events.at(-2)?.value, "x");
  });

  test("messages around one another as deep as they may be, each long", () => {
    let inner: Buffer = message(int(1, 300), int(1, 0), field(2, letters.slice(0, 20_000)), field(3, ATTACK));
    for (let depth = 0; depth < 61; depth++) inner = field(1, message(int(7, 300), inner));
    const events = seenLong(inner);
    const name = `${"1.".repeat(61)}3`;
    assert.equal(
      events.some((event) => event.name === name && event.value === ATTACK),
      true,
    );
    assert.equal(!events.some(({ event }) => event === "TooDeep"), true);
  });

  test("shadows come back", () => {
    const text = `${"abbbbbbbb".repeat(2000)}`;
    const body = message(int(9, 300), int(9, 0), field(1, message(Buffer.from(text), field(1, "in"))));
    for (let i = 0; i < 600; i++) {
      const events = run(grpc(), binary(i % 2 === 0 ? body : body.subarray(0, 17_500)), [17_000]);
      assert.equal(!events.some(({ event }) => event === "Unread"), true);
    }
  });
});

/** A message of any shape, with its strings by name. */
interface Tree {
  body: Buffer;
  strings: [name: string, value: string][];
}

const { tree } = fc.letrec<{ tree: Tree; part: Tree }>((tie) => ({
  tree: fc.array(tie("part"), { maxLength: 5 }).map((parts) => ({
    body: message(...parts.map(({ body }) => body)),
    strings: parts.flatMap(({ strings }) => strings),
  })),
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.tuple(fc.integer({ min: 1, max: 40 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(([n, value]) => ({
      body: int(n, value),
      strings: [],
    })),
    fc
      .tuple(fc.integer({ min: 1, max: 5000 }), fc.double())
      .map(([n, value]) => ({ body: double(n, value), strings: [] })),
    fc.tuple(fc.integer({ min: 1, max: 40 }), fc.string({ minLength: 1, unit: "grapheme" })).map(([n, value]) => ({
      body: field(n, value),
      strings: [[String(n), value]] as [string, string][],
    })),
    fc.tuple(fc.integer({ min: 1, max: 40 }), tie("tree"), fc.boolean()).map(([n, { body, strings }, grouped]) => ({
      body: grouped ? group(n, body) : field(n, body),
      strings: strings.map(([name, value]) => [`${n}.${name}`, value] as [string, string]),
    })),
  ),
}));

suite("any message", () => {
  test("each of its strings is a value under its name", () => {
    fc.assert(
      fc.property(tree, ({ body, strings }) => {
        const events = run(grpc(FRAMES), binary(frame(body)), []);
        for (const [name, value] of strings) {
          const wanted = binary(Buffer.from(value)).replaceAll("\0", "");
          const printable = !/[\x00-\x1f\x7f]/.test(wanted.replace(/[\t\r\n]/g, ""));
          if (name.length > 100 || wanted === "") continue;
          const given_ = events
            .filter((event) => event.name === name && event.event === "Value")
            .map(({ value: v }) => v);
          const blanked = wanted.replace(/[\x00-\x1f\x7f]/g, " ");
          assert.ok(
            given_.includes(wanted) || (!printable && given_.includes(blanked)),
            `${name}: ${JSON.stringify(value)}`,
          );
        }
        assert.equal(!events.some(({ event }) => event === "Malformed"), true);
      }),
      { numRuns: 2000 },
    );
  });

  test("a cut anywhere changes nothing, whatever bytes come", () => {
    const any = fc.oneof(
      tree.map(({ body }) => body),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(tree, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([{ body }, at, byte]) => {
        const changed = Buffer.from(body);
        if (changed.length > 0) changed[at % changed.length] = byte;
        return changed;
      }),
    );
    fc.assert(
      fc.property(any, fc.constantFrom(FRAMES, TEXT, BARE), fc.integer({ min: 1, max: 8 }), (body, framing, depth) => {
        const sent = framing === BARE ? body : message(frame(body), frame(body, 0, 1 + (body.length >> 1)));
        const text = framing === TEXT ? sent.toString("base64") : binary(sent);
        const whole = run(grpc(framing, depth), text, []);
        for (let cut = 0; cut <= text.length; cut += 1 + (text.length >> 5)) {
          assert.deepEqual(run(grpc(framing, depth), text, [cut]), whole, `cut at ${cut}`);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
