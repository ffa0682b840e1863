/** The decoders: vectors, slow twins on random and mutated input, and the promise that nothing grows or takes long. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";
import * as twins from "./twins.ts";
import { toBinary, toBytes } from "./twins.ts";

interface Decoders extends Record<string, (...values: number[]) => number> {
  out(): number;
}

const probe = await buildProbe<Decoders>("decode");

/** What the module's decoder makes of binary text. */
function decode(name: string, text: string): string {
  const [start, end] = probe.write(toBytes(text));
  const out = probe.exports.out();
  const decoder = probe.exports[name];
  assert.ok(decoder, `the probe exports ${name}`);
  return toBinary(probe.bytes(out, decoder(start, end)));
}

/** Each decoder: its slow twin, and pieces of input that lead into its corners. */
const DECODERS: Record<string, { twin: (text: string) => string; pieces: string[] }> = {
  percent: {
    twin: (text) => twins.percent(text, false),
    pieces: [
      "%",
      "%2",
      "%27",
      "%%",
      "%25",
      "%u",
      "%u0027",
      "%U0027",
      "%uD83D",
      "%uDE00",
      "%UDE00",
      "%UD83D",
      "u00",
      "+",
      "g",
      "%zz",
    ],
  },
  form: {
    twin: (text) => twins.percent(text, true),
    pieces: ["%", "+", "%2B", "%u002b", "a=b", " ", "%20"],
  },
  entity: {
    twin: twins.entity,
    pieces: [
      "&",
      "#",
      "&#",
      "&#x",
      ";",
      "&#39",
      "&#039;",
      "&#X27;",
      "&#0;",
      "&#xD800;",
      "&#1114112",
      "&#145;",
      "x27",
      "60",
      "&amp",
      ...[...twins.ENTITIES.keys()].flatMap((name) => [`&${name}`, `&${name};`]),
    ],
  },
  escape: {
    twin: twins.escape,
    pieces: [
      "\\",
      "\\x",
      "\\x27",
      "\\u",
      "\\u0027",
      "\\u{",
      "\\u{27}",
      "\\u{00000027",
      "}",
      "\\47",
      "\\377",
      "\\400",
      "\\8",
      "\\n",
      "\\\\",
      '\\"',
      "\\\n",
      "\\uD83D",
      "\\uDE00",
      "\\UDE00",
      "27",
      "a",
      "{",
    ],
  },
  unicode: {
    twin: twins.unicode,
    pieces: [
      "\xc0",
      "\xc1",
      "\xe0",
      "\xf0",
      "\x80",
      "\xbf",
      "\xae",
      "\x9c",
      "\x1c",
      ".",
      "/",
      "\xc0\xae",
      "\xe0\x80\xaf",
      "\xf0\x80\x80\xaf",
      "\xef\xbc\x87",
      "\xef\xbd\x9e",
      "\xef\xbd\x9f",
      "\xca\xbc",
      "\xe2\x80\xb2",
      "\xe2\x80\x99",
      "\xe3\x80\x88",
      "\xed\xa0\x80",
      "\xc3\xa9",
      "\xf8",
    ],
  },
  utf7: {
    twin: twins.utf7,
    pieces: ["+", "+-", "-", "+ADw-", "+ADw", "+AD", "+AGEAYQBh", "+AD4APA", "A", "+/v8-", "+4930", "/", "=", " "],
  },
};

/** Binary text of pieces and stray bytes, sometimes long enough to cross several vector steps. */
function input(pieces: string[]): fc.Arbitrary<string> {
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const filler = fc.integer({ min: 1, max: 40 }).map((count) => "a".repeat(count));
  return fc
    .array(fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...pieces) }, { weight: 2, arbitrary: byte }, filler), {
      maxLength: 24,
    })
    .map((parts) => parts.join(""));
}

for (const [name, { twin, pieces }] of Object.entries(DECODERS)) {
  suite(`decode ${name}`, () => {
    const file = new URL(`../vectors/decode/${name}.yaml`, import.meta.url);
    for (const { id, in: text, out } of parse(readFileSync(file, "utf8")).vectors as {
      id: string;
      in: string;
      out: string;
    }[]) {
      test(id, () => {
        assert.equal(decode(name, text), out);
        assert.equal(twin(text), out, "the twin agrees");
      });
    }

    test("does what the slow twin does, and never makes a value longer", () => {
      fc.assert(
        fc.property(input(pieces), (text) => {
          const result = decode(name, text);
          assert.equal(result, twin(text));
          assert.ok(result.length <= text.length);
        }),
        { numRuns: 1500 },
      );
    });

    test("stays linear on a mebibyte of each piece", () => {
      for (const piece of pieces) {
        const text = piece.repeat(Math.floor(1_000_000 / piece.length));
        const begun = performance.now();
        decode(name, text);
        const milliseconds = performance.now() - begun;
        // Quadratic time would take minutes; a second allows for a busy machine and a checked build.
        assert.ok(milliseconds < 20_000, `${JSON.stringify(piece)} took ${milliseconds.toFixed(0)} ms`);
      }
    });
  });
}

suite("decode layers", () => {
  /** All layers of a value. */
  function layers(text: string): string[] {
    const { openLayers, nextLayer, layerStop } = probe.exports as Record<string, (...values: number[]) => number>;
    assert.ok(openLayers && nextLayer && layerStop);
    openLayers(...probe.write(toBytes(text)));
    const found: string[] = [];
    for (let start = nextLayer(); start !== 0; start = nextLayer()) {
      found.push(toBinary(probe.bytes(start, layerStop())));
    }
    return found;
  }

  const file = new URL("../vectors/decode/layers.yaml", import.meta.url);
  for (const { id, in: text, out } of parse(readFileSync(file, "utf8")).vectors as {
    id: string;
    in: string;
    out: string[];
  }[]) {
    test(id, () => assert.deepEqual(layers(text), out));
  }

  /** The rounds of layers.ts written plainly. */
  function slowLayers(text: string): string[] {
    const found: string[] = [];
    let value = text;
    let spaces = false;
    for (let changed = true; changed;) {
      changed = false;
      const families = [
        () => twins.percent(value, false),
        () => twins.utf7(value),
        () => twins.entity(value),
        () => twins.escape(value),
        () => twins.unicode(value),
        () => (spaces && value.includes("+") ? twins.percent(value, true) : value),
      ];
      for (const [index, family] of families.entries()) {
        const next = family();
        if (next === value) continue;
        if (found.length === 6) return found;
        if (index === 0) spaces = true;
        if (index === 5) spaces = false;
        found.push(next);
        value = next;
        changed = true;
      }
    }
    return found;
  }

  test("does what the slow twin does on values wrapped several times", () => {
    const all = [...new Set(Object.values(DECODERS).flatMap(({ pieces }) => pieces))];
    const wrap = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => text.replace(/[%'<>&\\+]/g, (c) => `%${c.charCodeAt(0).toString(16)}`),
      (text) => text.replace(/[%'<>&\\+]/g, (c) => `&#${c.charCodeAt(0)};`),
      (text) => text.replace(/[%'<>&\\+]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
      (text) => text.replaceAll(" ", "+"),
    );
    fc.assert(
      fc.property(input(all), fc.array(wrap, { maxLength: 4 }), (text, wraps) => {
        const value = wraps.reduce((inner, outer) => outer(inner), text).slice(0, 16_384);
        assert.deepEqual(layers(value), slowLayers(value));
      }),
      { numRuns: 3000 },
    );
  });

  test("gives at most six layers, however often a value is wrapped", () => {
    let text = "'";
    for (let times = 0; times < 12; times++) text = text.replace(/[%']/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
    assert.equal(layers(text).length, 6);
  });

  test("looks at the first 16 KiB of what is longer", () => {
    const [only] = layers("%41".repeat(20_000));
    assert.equal(only, `${"A".repeat(5461)}%`);
  });
});
