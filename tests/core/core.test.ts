/** core/ and report/ against obviously right twins: kinds of bytes, numbers, JSON strings, ids. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";

const probe = await buildProbe<{
  out(): number;
  classify(start: number, end: number): number;
  decimal(high: number, low: number): number;
  jsonString(start: number, end: number, room: number): number;
  isUuid(start: number, end: number): number;
  traceId(start: number, end: number): number;
  newUuid(): number;
  remember(place: number, start: number, end: number): void;
  isRemembered(place: number, start: number, end: number): number;
}>("core");

const written = (end: number): string => probe.text(probe.exports.out(), end);

test("classify finds exactly the kinds of the bytes, whatever the length and whatever stands behind", () => {
  const rules = readFileSync(new URL("../../assembly/generated/kinds.ts", import.meta.url), "utf8");
  const bits = new Map([...rules.matchAll(/(\w+) = 1 << (\d+)/g)].map(([, name, bit]) => [name!, Number(bit)]));
  const kinds = kindsByByte(bits);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const expected = bytes.reduce((set, byte) => set | kinds[byte]!, 0);
      assert.equal(probe.exports.classify(...probe.write(bytes)), expected);
    }),
    { numRuns: 2000 },
  );
  for (let byte = 0; byte < 256; byte++) {
    assert.equal(probe.exports.classify(...probe.write(Uint8Array.of(byte))), kinds[byte], `byte ${byte}`);
  }
});

/** The kinds of each byte as rules/kinds.yaml says them: what the generator made nibble tables of. */
function kindsByByte(bits: Map<string, number>): number[] {
  const text = readFileSync(new URL("../../rules/kinds.yaml", import.meta.url), "utf8");
  const { kinds } = parse(text) as { kinds: { name: string; bytes?: string; range?: string }[] };
  return Array.from({ length: 256 }, (_, byte) => {
    const hasKind = ({ bytes, range }: (typeof kinds)[number]): boolean => {
      const [first, last] = (range ?? "").split("-").map((digits) => parseInt(digits, 16));
      return bytes?.includes(String.fromCharCode(byte)) ?? (byte >= first! && byte <= last!);
    };
    return kinds.filter(hasKind).reduce((set, { name }) => set | (1 << bits.get(name)!), 0);
  });
}

test("numbers are written in decimal", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
      const end = probe.exports.decimal(Number(value >> 32n) | 0, Number(value & 0xffffffffn) | 0);
      assert.equal(written(end), value.toString());
    }),
  );
});

test("any bytes become a JSON string that says what was valid in them", () => {
  const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: "binary" }).map(utf8)), (bytes) => {
      const text = written(probe.exports.jsonString(...probe.write(bytes), 100_000));
      const read = JSON.parse(text) as string;
      // C1 controls are treated as invalid, and an invalid byte gives one U+FFFD each: compare without either.
      const plain = (value: string): string => value.replace(/[\u0080-\u009f\ufffd]/g, "");
      assert.equal(plain(read), plain(lossy.decode(bytes)));
      assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 2000 },
  );
});

test("a JSON string keeps to its room and stays valid", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.integer({ min: 9, max: 80 }), (value, room) => {
      const text = written(probe.exports.jsonString(...probe.write(utf8(value)), room));
      assert.ok(new TextEncoder().encode(text).length <= room, `${text} takes more than ${room}`);
      assert.equal(typeof JSON.parse(text), "string");
    }),
  );
});

test("what was remembered is known, and nothing else ever is", () => {
  const given = new Set<string>();
  const small = fc.string({ unit: fc.constantFrom("a", "b", "\0"), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      fc.oneof(small, fc.string({ minLength: 1, maxLength: 260 })),
      fc.nat(2),
      fc.boolean(),
      (value, place, isNew) => {
        const run = probe.write(value);
        const length = run[1] - run[0];
        if (isNew) {
          probe.exports.remember(place, ...run);
          if (length <= 252) given.add(`${place}${value}`);
          assert.equal(probe.exports.isRemembered(place, ...run), length <= 252 ? 1 : 0);
        } else if (!given.has(`${place}${value}`)) {
          assert.equal(probe.exports.isRemembered(place, ...run), 0);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test("a UUID is 8-4-4-4-12 hex digits and nothing else", () => {
  const isUuid = (text: string): boolean => probe.exports.isUuid(...probe.write(text)) !== 0;
  assert.ok(isUuid("453266e0-b81b-48c3-a6cb-a8f2c91eb818"));
  assert.ok(isUuid("453266E0-B81B-48C3-A6CB-A8F2C91EB818"));
  for (const bad of [
    "",
    "453266e0b81b48c3a6cba8f2c91eb818",
    "453266e0-b81b-48c3-a6cb-a8f2c91eb81",
    "g53266e0-b81b-48c3-a6cb-a8f2c91eb818",
    "453266e0-b81b-48c3-a6cb-a8f2c91eb818,",
    "4532-66e0b81b-48c3-a6cb-a8f2c91eb818",
  ]) {
    assert.ok(!isUuid(bad), bad);
  }
});

test("new UUIDs are version 4 and differ", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const id = written(probe.exports.newUuid());
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    seen.add(id);
  }
  assert.equal(seen.size, 10_000);
});

test("a trace id is taken from a traceparent that parses, and from no other", () => {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const parent = "00f067aa0ba902b7";
  const at = (text: string): number => probe.exports.traceId(...probe.write(text));
  assert.equal(at(`00-${trace}-${parent}-01`), 3);
  assert.equal(at(`cc-${trace}-${parent}-01-what-comes-later`), 3, "a later version may go on");
  const bad = [
    `00-${trace}-${parent}-01-`,
    `ff-${trace}-${parent}-01`,
    `00-${"0".repeat(32)}-${parent}-01`,
    `00-${trace}-${"0".repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${parent}-01`,
    `00-${trace}-${parent}-0`,
    `00-${trace}-${parent}`,
    `00 ${trace} ${parent} 01`,
    "",
  ];
  for (const text of bad) assert.equal(at(text), -1, text);
});

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
