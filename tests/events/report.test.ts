/** report/ of events against obviously right twins: templates, safe text, varints, answers of collectors, waits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { varint } from "../protobuf/encode.ts";
import { buildProbe } from "../probe/build.ts";
import { answerBody, rejectedIn } from "./otlp.ts";

const probe = await buildProbe<{
  out(): number;
  outEnd(): number;
  template(start: number, end: number, room: number): number;
  safe(start: number, end: number, room: number): number;
  varint(high: number, low: number): number;
  rejected(start: number, end: number): number;
  delay(failures: number, asked: number): number;
}>("events");

const template = (path: string | Uint8Array, room = 160): string =>
  probe.text(probe.exports.out(), probe.exports.template(...probe.write(path), room));

for (const [path, expected] of [
  ["/", "/"],
  ["", "{text}"],
  ["*", "*"],
  ["http://shop/", "{text}"],
  ["/users/4711", "/users/{number}"],
  ["/v1/oauth2/route66/s3", "/v1/oauth2/route66/s3"],
  ["/orders/2026-11-21/items", "/orders/{date}/items"],
  ["/o/9f1c2d3e-4b5a-4678-9abc-def012345678/x", "/o/{uuid}/x"],
  ["/o/9f1c2d3e4b5a", "/o/{hex}"],
  ["/cafe/decade/facade", "/cafe/decade/facade"],
  ["/o/AB-1234-X", "/o/{id}"],
  ["/reset/qZ7rTmWx1LkPvNs", "/reset/{id}"],
  ["/cards/card_1NvQw2a/s3Upload", "/cards/{id}/s3Upload"],
  ["/reset/qZrTmWxLkPvNsBdF", "/reset/{id}"],
  ["/getUserProfileByEmail/index.html", "/getUserProfileByEmail/index.html"],
  ["/shop.Orders/GetOrder", "/shop.Orders/GetOrder"],
  ["/terms-and-conditions/how-to-get-started", "/terms-and-conditions/{slug}"],
  ["/a%20b/caf\u00e9/x@y/k=v/;j/a:b/~me/'--", "/{text}/{text}/{text}/{text}/{text}/{text}/{text}/{text}"],
  ["//a/../b/", "//a/../b/"],
  [`/${"x".repeat(33)}/${"y".repeat(32)}`, `/{long}/${"y".repeat(32)}`],
] as const) {
  test(`the template of ${path.slice(0, 40)}`, () => assert.equal(template(path), expected));
}

test("a template keeps to its room, whatever the path, and shows plain words or placeholders alone", () => {
  const word = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom("", "users", "17", "v1", "..", "a".repeat(300)));
  const path = fc.oneof(
    fc.array(word, { maxLength: 60 }).map((words) => Buffer.from(`/${words.join("/")}`)),
    fc.uint8Array({ maxLength: 700 }),
  );
  fc.assert(
    fc.property(path, fc.integer({ min: 32, max: 200 }), (bytes, room) => {
      const text = template(bytes, room);
      assert.ok(Buffer.byteLength(text) <= room, `${text.length} of ${room}`);
      assert.match(
        text,
        /^(?:\*|\{text\}|(?:\/(?:[A-Za-z0-9._-]*|\{(?:number|uuid|hex|date|id|slug|long|text|more)\}))+)$/,
      );
      assert.ok(!/\d{3}/.test(text));
    }),
    { numRuns: 2000 },
  );
});

test("safe text is what a strict decoder reads, with a question mark for each byte that it does not", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.string({ unit: "binary", maxLength: 30 }).map((text) => Buffer.from(text)),
      ),
      fc.integer({ min: 0, max: 70 }),
      (bytes, room) => {
        const start = probe.exports.safe(...probe.write(bytes), room);
        const written = Buffer.from(probe.bytes(start, probe.exports.outEnd()));
        assert.equal(written.toString("utf8"), safeTwin(Buffer.from(bytes).subarray(0, room)));
        assert.equal(written.length, Math.min(bytes.length, room));
      },
    ),
    { numRuns: 5000 },
  );
});

/** One sequence at a time through Node's own strict decoder. */
function safeTwin(bytes: Buffer): string {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let at = 0; at < bytes.length;) {
    let found: string | null = null;
    for (let length = 1; length <= 4 && found === null && at + length <= bytes.length; length++) {
      try {
        found = strict.decode(bytes.subarray(at, at + length));
      } catch {
        // Not of that length.
      }
    }
    if (found === null || /[\u0000-\u001f\u007f-\u009f]/.test(found)) {
      text += "?";
      at++;
    } else {
      text += found;
      at += Buffer.byteLength(found);
    }
  }
  return text;
}

test("varints are the shortest there are", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value) => {
      const start = probe.exports.varint(Number(value >> 32n), Number(value & 0xffffffffn));
      assert.deepEqual(Buffer.from(probe.bytes(start, probe.exports.outEnd())), varint(value));
    }),
  );
});

test("what an answer says was rejected is what protobufjs reads; torn ones say nothing, and none traps", () => {
  const rejected = (bytes: Uint8Array): number => probe.exports.rejected(...probe.write(bytes)) >>> 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.string(), (count, message) => {
      assert.equal(rejected(answerBody(count, message)), count);
    }),
  );
  let read = 0;
  const answers = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(39), fc.nat(255)).map(([count, at, byte]) => {
      const bytes = answerBody(count, "so many were bad");
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
  );
  fc.assert(
    fc.property(answers, (bytes) => {
      const expected = rejectedIn(bytes);
      if (expected === null) return void rejected(bytes);
      read++;
      // Of several fields the first is taken here, the last one there: no collector writes so.
      const several = [0x0a, 0x08].some((tag) => bytes.indexOf(tag) !== bytes.lastIndexOf(tag));
      if (!several) assert.ok([expected >>> 0, 0].includes(rejected(bytes)), `${rejected(bytes)}, not ${expected}`);
    }),
    { numRuns: 5000 },
  );
  assert.ok(read > 500);
});

test("waits grow to a minute, differ, and keep to what was asked for up to five", () => {
  for (let failures = 1; failures <= 40; failures++) {
    const most = Math.min(60, 2 ** failures);
    const waits = Array.from({ length: 200 }, () => probe.exports.delay(failures, 0));
    assert.ok(
      waits.every((wait) => wait >= most / 2 && wait <= most),
      `${failures}: ${waits.join(" ")}`,
    );
    assert.ok(new Set(waits).size > 1);
    assert.ok(probe.exports.delay(failures, 90) === 90);
    assert.equal(probe.exports.delay(failures, 100_000), 300);
  }
});
