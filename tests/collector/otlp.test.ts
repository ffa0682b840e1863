/** OTLP as it is read: both forms the same, and no bytes that do harm. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import protobuf from "protobufjs/minimal.js";
import { clean } from "../../collector/clean.ts";
import { eventOf } from "../../collector/event.ts";
import { ATTRIBUTES, GROUPS, LIST, RECORDS, VALUE_BYTES } from "../../collector/limits.ts";
import { MalformedError, readLogs } from "../../collector/otlp.ts";
import { findingAttributes, findingRequest, jsonRequest, protobufRequest, resourceAttributes } from "./otlp-request.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");

test("protobuf and JSON give the same records and events", () => {
  const request = [
    {
      attributes: resourceAttributes(),
      records: [
        {
          time: NOW,
          traceId: "0af7651916cd43dd8448eb211c80319c",
          spanId: "b7ad6b7169203331",
          attributes: findingAttributes({ "meshward.hops": ["a", "b"], x: 1.5, y: true, z: -1 }),
        },
        { time: NOW, eventName: "else", attributes: { ключ: "значение 😀" } },
      ],
    },
    { attributes: {}, records: [] },
  ];
  const [one, two] = [readLogs(protobufRequest(request), "protobuf"), readLogs(jsonRequest(request), "json")];
  assert.deepEqual(one, two);
  assert.equal(one.records.length, 2);
  const event = eventOf(one.records[0]!, NOW);
  assert.ok(typeof event !== "string");
  const { key, ...told } = event;
  assert.match(key, /^[0-9a-f]{32}$/);
  assert.deepEqual(told, {
    time: NOW,
    service: "cart",
    namespace: "shop",
    instance: "sidecar~10.0.0.1~cart",
    version: "0.1.0",
    policy: "0123456789ab",
    rule: "sqli-tautology",
    class: "sqli",
    cwe: [89],
    severity: 3,
    stage: 0,
    confidence: 80,
    method: "GET",
    route: "/search",
    part: "query",
    parameter: "q",
    evidence: "a{3}' or 9{1}=9{1}",
    outcome: "denied",
    mode: "block",
    exception: "",
    request_id: "0b5c1d0e-0000-4000-8000-000000000001",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
    principal: "spiffe://mesh/ns/shop/sa/edge",
    direction: "inbound",
    status: 403,
    host: "shop.example",
    scheme: "http",
    hops: ["a", "b"],
  });
  assert.equal(eventOf(one.records[1]!, NOW), "unknown");
});

test("a time that cannot be is not believed; a finding that is not whole is none", () => {
  const timeOf = (time: number): number => {
    const event = eventOf(readLogs(protobufRequest(findingRequest(time)), "protobuf").records[0]!, NOW);
    return typeof event === "string" ? NaN : event.time;
  };
  assert.equal(timeOf(NOW - 1), NOW - 1);
  assert.equal(timeOf(NOW + 1), NOW);
  assert.equal(timeOf(0), NOW);
  assert.equal(timeOf(NOW - 8 * 86_400_000), NOW);
  for (const name of ["security_rule.name", "security_rule.category", "meshward.stage", "meshward.severity"]) {
    const attributes = findingAttributes();
    delete attributes[name];
    const { records } = readLogs(
      protobufRequest([{ attributes: {}, records: [{ time: NOW, attributes }] }]),
      "protobuf",
    );
    assert.equal(eventOf(records[0]!, NOW), "invalid", name);
  }
});

test("limits are met by both forms in the same way", () => {
  const attributes = Object.fromEntries(Array.from({ length: ATTRIBUTES + 1 }, (_, at) => [`a${at}`, at]));
  const many = Array.from({ length: RECORDS + 3 }, () => ({ time: NOW, attributes: {} }));
  const long = [
    {
      attributes: {},
      records: [
        {
          time: NOW,
          attributes: { long: "x".repeat(VALUE_BYTES * 2), list: Array.from({ length: LIST * 2 }, (_, at) => at) },
        },
      ],
    },
  ];
  for (const [write, type] of [
    [protobufRequest, "protobuf"],
    [jsonRequest, "json"],
  ] as const) {
    const tooMany = readLogs(write([{ attributes: {}, records: many }]), type);
    assert.deepEqual([tooMany.records.length, tooMany.rejected], [RECORDS, 3]);
    assert.equal(readLogs(write([{ attributes: {}, records: [{ time: NOW, attributes }] }]), type).rejected, 1);
    const [record] = readLogs(write(long), type).records;
    assert.equal((record!.attributes.get("long") as string).length, VALUE_BYTES);
    assert.equal((record!.attributes.get("list") as unknown[]).length, LIST);
    const groups = Array.from({ length: GROUPS + 1 }, () => ({ attributes: {}, records: [] }));
    assert.throws(() => readLogs(write(groups), type), MalformedError);
  }
});

test("nesting is not followed, groups are refused, and what is unknown is passed over", () => {
  // AnyValue in a list in AnyValue …, 100,000 deep.
  let nested: Buffer = Buffer.alloc(0);
  const varint = (value: number): Buffer => Buffer.from(protobuf.Writer.create().uint32(value).finish());
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
  for (let depth = 0; depth < 3_000; depth++) nested = field(depth % 2 === 0 ? 1 : 5, nested);
  const attribute = field(6, Buffer.concat([field(1, Buffer.from("deep")), field(2, nested)]));
  const body = field(1, field(2, field(2, attribute)));
  assert.equal(readLogs(body, "protobuf").records.length, 1);
  assert.throws(() => readLogs(Buffer.alloc(100_000, 0x0b), "protobuf"), MalformedError);
  assert.throws(() => readLogs(Buffer.concat([varint(2), varint(1)]), "protobuf"), MalformedError);
  assert.deepEqual(readLogs(Buffer.concat([varint(8), varint(1), field(99, Buffer.alloc(50))]), "protobuf"), {
    records: [],
    rejected: 0,
  });
  assert.deepEqual(readLogs(Buffer.alloc(0), "protobuf"), { records: [], rejected: 0 });
});

/** Reads what may be anything: records, or a MalformedError with a message of our own. */
function harmless(body: Buffer, type: "protobuf" | "json"): void {
  try {
    const { records } = readLogs(body, type);
    for (const record of records) {
      const event = eventOf(record, NOW);
      if (typeof event === "string") continue;
      assert.ok(Number.isSafeInteger(event.time) && event.severity >= 0 && event.stage >= 0);
      const text = JSON.stringify(event);
      assert.ok(text.length < 40_000);
      assert.doesNotMatch(text, /\\u0000|\\ud[89a-f]/i);
    }
  } catch (error) {
    assert.ok(error instanceof MalformedError, String((error as Error).stack));
  }
}

test("mutated requests are read or refused, never more", () => {
  const good = [
    {
      attributes: resourceAttributes(),
      records: [1, 2, 3].map((at) => ({
        time: NOW + at,
        traceId: "0af7651916cd43dd8448eb211c80319c",
        attributes: findingAttributes({ n: at, hops: ["a", "b"] }),
      })),
    },
  ];
  for (const [write, type] of [
    [protobufRequest, "protobuf"],
    [jsonRequest, "json"],
  ] as const) {
    const whole = write(good);
    for (let cut = 0; cut < whole.length; cut += 7) harmless(whole.subarray(0, cut), type);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(3)), { minLength: 1, maxLength: 12 }),
        (changes) => {
          const parts = [...whole];
          for (const [at, byte, kind] of changes) {
            if (kind === 0) parts.splice(at, 1);
            else if (kind === 1) parts.splice(at, 0, byte, byte);
            else parts[at] = byte;
          }
          harmless(Buffer.from(parts), type);
        },
      ),
      { numRuns: 1_500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => harmless(Buffer.from(bytes), type)),
      { numRuns: 1_500 },
    );
  }
});

test("cleaned text is whole, bounded and shows that something was there", () => {
  assert.equal(clean("plain text, 'quotes' <b> ünïcödé 😀", 100), "plain text, 'quotes' <b> ünïcödé 😀");
  assert.equal(clean("a\0b\nc\u202ed\ufeff", 100), "a\ufffdb\ufffdc\ufffdd\ufffd");
  assert.equal(clean("😀😀", 3), "😀");
  assert.equal(clean("\ude00\ud83d", 5), "\ufffd");
  fc.assert(
    fc.property(fc.array(fc.nat(0xffff), { maxLength: 50 }), fc.nat(60), (units, most) => {
      const text = clean(String.fromCharCode(...units), most);
      assert.ok(text.length <= most);
      assert.equal(Buffer.from(text).toString(), text);
      assert.equal(clean(text, most), text);
    }),
  );
});
