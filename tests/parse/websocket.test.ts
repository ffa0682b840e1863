/** The reader of WebSockets: messages in any frames at every cut, windows of long ones, what is no WebSocket. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { call, run, runCutEverywhere, seenValue, windowsOf, type Parser, type Seen } from "./chunks.ts";
import { frame as encode, type Frame } from "../websocket/encode.ts";

const EVENTS = ["NeedMore", "Message", "Compressed", "Piece", "LastPiece", "Broken", "Done"];
const state = call("state");
/** Pieces of the compressed message at work. */
let pieces = "";

const socket: Parser = {
  open() {
    pieces = "";
    call("openWebSocket", state);
  },
  feed: (start, end, last) => call("feedWebSocket", state, start, end, Number(last)),
  next() {
    let event = EVENTS[call("nextWebSocket", state)] ?? "unknown";
    while (event === "Piece") {
      pieces += seenValue().value;
      event = EVENTS[call("nextWebSocket", state)] ?? "unknown";
    }
    if (event === "NeedMore") return undefined;
    if (event === "LastPiece") {
      const value = pieces + seenValue().value;
      pieces = "";
      return { event, value };
    }
    if (event === "Message") return { event, ...seenValue() };
    return { event };
  },
  ends: (event) => event === "Done" || event === "Broken",
};

/** A client's frame, as binary text. */
function frame({ opcode, payload, ...rest }: Frame & { payload: string }): string {
  return encode(Buffer.from(payload, "latin1"), { opcode: opcode ?? 1, ...rest }).toString("latin1");
}

const text = (payload: string): string => frame({ opcode: 1, payload });
const message = (value: string, windowed = false): Seen => ({ event: "Message", value, windowed });
const done: Seen = { event: "Done" };

suite("parse websocket", () => {
  const told: [why: string, stream: string, seen: Seen[]][] = [
    ["nothing", "", [done]],
    ["a message", text("hello"), [message("hello"), done]],
    ["two messages", text("a") + text("b"), [message("a"), message("b"), done]],
    ["an empty message is none", text("") + text("b"), [message("b"), done]],
    ["a length of 2 bytes", text("x".repeat(126)), [message("x".repeat(126)), done]],
    ["a length that is longer than it need be", frame({ opcode: 1, payload: "hi", long: 8 }), [message("hi"), done]],
    [
      "a message in frames, with control frames between",
      frame({ opcode: 1, payload: "a $(", final: false }) +
        frame({ opcode: 9, payload: "ping" }) +
        frame({ opcode: 0, payload: "", final: false }) +
        frame({ opcode: 10, payload: "" }) +
        frame({ opcode: 0, payload: "id)" }) +
        frame({ opcode: 8, payload: "\x03\xe8bye" }),
      [message("a $(id)"), done],
    ],
    ["a message that breaks off", text("a") + text("hello").slice(0, -2), [message("a"), message("hel"), done]],
    ["a head that breaks off", text("a") + "\x81", [message("a"), done]],
    ["text in a binary message", frame({ opcode: 2, payload: "a\tb" }), [message("a\tb"), done]],
    ["bytes in a binary message", frame({ opcode: 2, payload: "a\0b" }) + text("c"), [message("c"), done]],
    [
      "a compressed message",
      frame({ opcode: 1, payload: "\xf2\x48", final: false, compressed: true }) +
        frame({ opcode: 9, payload: "ping" }) +
        frame({ opcode: 0, payload: "\xcd" }) +
        text("c"),
      [{ event: "Compressed" }, { event: "LastPiece", value: "\xf2\x48\xcd" }, message("c"), done],
    ],
    [
      "an empty compressed message",
      frame({ opcode: 1, payload: "", compressed: true }) + text("c"),
      [{ event: "Compressed" }, { event: "LastPiece", value: "" }, message("c"), done],
    ],
    [
      "a compressed message that breaks off",
      frame({ opcode: 1, payload: "\xf2\x48\xcd", compressed: true }).slice(0, -1),
      [{ event: "Compressed" }, done],
    ],
    ["a form", "a=1", [{ event: "Broken" }]],
    ["a frame without a mask", "\x81\x02hi", [{ event: "Broken" }]],
    ["a continuation of nothing", frame({ opcode: 0, payload: "a" }), [{ event: "Broken" }]],
    [
      "a message inside of another",
      frame({ opcode: 1, payload: "a", final: false }) + text("b"),
      [{ event: "Broken" }],
    ],
    ["a control frame in pieces", frame({ opcode: 9, payload: "a", final: false }), [{ event: "Broken" }]],
    ["a control frame that is too long", frame({ opcode: 9, payload: "a".repeat(126) }), [{ event: "Broken" }]],
    ["an opcode that there is not", frame({ opcode: 3, payload: "a" }), [{ event: "Broken" }]],
  ];
  for (const [why, stream, seen] of told) test(why, () => assert.deepEqual(runCutEverywhere(socket, stream), seen));

  test("a length that never comes costs nothing", () => {
    const endless = `\x81\xff${"\xff".repeat(8)}\0\0\0\0${"a".repeat(10)}`;
    assert.deepEqual(runCutEverywhere(socket, endless), [message("a".repeat(10)), done]);
  });

  test("a long message leaves in windows, whatever its frames are", () => {
    const long = Array.from({ length: 40_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");
    const expected = [...windowsOf(long).map(({ value, windowed }) => message(value, windowed)), done];
    assert.deepEqual(run(socket, text(long), []), expected);
    assert.deepEqual(run(socket, text(long), [1, 7, 16_384, 16_400, 33_000]), expected);
    const pieces = [0, 16_384, 16_385, 32_768, 40_000].map((from, i, all) =>
      frame({ opcode: i === 0 ? 1 : 0, payload: long.slice(from, all[i + 1]), final: i === all.length - 1 }),
    );
    assert.deepEqual(run(socket, pieces.join(""), [20_000]), expected);
  });

  test("any messages come out as they went in", () => {
    const part = fc.record({
      payload: fc.string({ unit: fc.constantFrom("a", "'", "\n", "é".charAt(0)), maxLength: 140 }),
      mask: fc.nat(0xffffffff),
      ping: fc.boolean(),
    });
    const messages = fc.array(fc.array(part, { minLength: 1, maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(messages, fc.infiniteStream(fc.nat(1_000)), (parts, cuts) => {
        const stream = parts
          .flatMap((one) =>
            one.map(
              ({ payload, mask, ping }, i) =>
                frame({ opcode: i === 0 ? 1 : 0, payload, mask, final: i === one.length - 1 }) +
                (ping ? frame({ opcode: 9, payload: "p" }) : ""),
            ),
          )
          .join("");
        const texts = parts.map((one) => one.map(({ payload }) => payload).join(""));
        const expected = [...texts.filter((value) => value !== "").map((value) => message(value)), done];
        const places = [...cuts.take(5)].map((cut) => cut % (stream.length + 1)).sort((left, right) => left - right);
        assert.deepEqual(run(socket, stream, places), expected);
      }),
    );
  });
});
