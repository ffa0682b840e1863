/** The detectors' gates: what a gate turns away, the detector behind it finds nothing in. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";

/** Marks of the languages, which mutants get more of. */
const MARKS = [..." ;|&\n'\"`$()<>{}\\/.:?*[]^%-=,#!\0\t@~+0x"];
/** The marks that a gate stops at. */
const LOUD = [..." ;|&\n'\"$()<>/.:=-!a1"];
/** Bytes of the longest value. */
const LONGEST = 16_384;
/** The parts of a message that a detector may tell apart, by number. */
const PARTS = 7;
const ORDINARY = ["/api/v1/products/search", "https://shop.example.com/products/list?page=2", "en-US,en;q=0.5"];
const TEXTS = [
  "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "We've been using it for years. It's good; $12 or 5% off.",
  "The quick brown fox and/or the lazy dog; they met & parted (again).",
  "It went up by 5% last month, so we'll see.",
];
/** The detectors by number, and what each passes over at the end of a value, and what it need not read. */
const DETECTORS = [
  { name: "traversal", blank: /[ \t-\r]+$/, ordinary: [...ORDINARY, ...TEXTS] },
  { name: "cmdi", blank: /[\0- ]+$/, ordinary: [...ORDINARY, ...TEXTS] },
  { name: "sqli", blank: /^$/, ordinary: ORDINARY },
] as const;

const probe = await buildProbe("gates");
const call = (name: string, ...values: number[]): number => probe.exports[name]?.(...values) ?? Number.NaN;

/** All text of a vector file, other than what says why. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === "why" || key === "id" ? [] : texts(inner)));
}

const vectors = ["sqli", "xss", "cmdi", "traversal"].flatMap((name) =>
  texts(parse(readFileSync(new URL(`../vectors/detect/${name}.yaml`, import.meta.url), "utf8"))),
);
const pieces = [...new Set(vectors.flatMap((text) => text.split(/\b/)))];

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...pieces) },
  { weight: 2, arbitrary: fc.constantFrom(...MARKS) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) },
);
const edit = fc.record({ at: fc.nat(), remove: fc.nat({ max: 4 }), insert: fc.array(piece, { maxLength: 2 }) });
/** A vector with up to four edits, or pieces of vectors in a row. */
const value = fc.oneof(
  fc.tuple(fc.constantFrom(...vectors), fc.array(edit, { maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((old, { at, remove, insert }) => {
      const place = at % (old.length + 1);
      return old.slice(0, place) + insert.join("") + old.slice(place + remove);
    }, text),
  ),
  fc.array(piece, { minLength: 1, maxLength: 12 }).map((parts) => parts.join("")),
);

function same(detector: number, blank: RegExp, text: string, part: number): void {
  // What is cut to a byte may be a blank then.
  const bytes = Buffer.from(text, "latin1").toString("latin1");
  const trimmed = bytes.replace(/^[ \t-\r]+/, "").replace(blank, "");
  const span = probe.write(Buffer.from(trimmed, "latin1"));
  if (trimmed === "") return;
  assert.equal(
    call("judge", detector, 0, part, ...span),
    call("judge", detector, 1, part, ...span),
    `part ${String(part)}: ${JSON.stringify(trimmed)}`,
  );
}

for (const [detector, { name, blank, ordinary }] of DETECTORS.entries()) {
  await suite(`the gate of ${name}`, () => {
    test("changes nothing for the vectors of all detectors", () => {
      for (const text of vectors) for (let part = 0; part < PARTS; part++) same(detector, blank, text, part);
    });
    test("changes nothing for mutants of them", () => {
      fc.assert(
        fc.property(value, fc.nat({ max: PARTS - 1 }), (text, part) => {
          same(detector, blank, text, part);
        }),
        // What was turned away once and found by the detector.
        {
          numRuns: 10_000,
          examples: [
            ["; '...  ? '", 0],
            ["; ca'=\"#\" t' /e?c/gr*p", 0],
            ["-e sh 192.0.2.7 9001", 0],
          ],
        },
      );
    });
    test("takes a few milliseconds for sixteen KiB of any two marks", () => {
      for (const first of LOUD) {
        for (const second of LOUD) {
          const span = probe.write((first + second).repeat(LONGEST / 2));
          let best = Infinity;
          for (let round = 0; round < 4 && best > 40; round++) {
            const begin = performance.now();
            call("judge", detector, 0, 0, ...span);
            best = Math.min(best, performance.now() - begin);
          }
          assert.ok(best < 40, `${JSON.stringify(first + second)}: ${best.toFixed(1)} ms`);
        }
      }
    });
    test("turns ordinary values away", () => {
      for (const text of ordinary) {
        assert.equal(call("passes", detector, 0, ...probe.write(text)), 0, text);
      }
    });
  });
}

await suite("a plain value", () => {
  const folder = new URL("../vectors/detect/", import.meta.url);
  const all = readdirSync(folder).flatMap((file) => texts(parse(readFileSync(new URL(file, folder), "utf8"))));
  const spoken = [...new Set(all.flatMap((text) => text.split(/[^\w-]+/)))].filter((word) => word !== "");
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...spoken) },
    {
      weight: 2,
      arbitrary: fc.constantFrom("a", "x1", "1", "0", "12.5", "-1", "green", "table", "_", "--", "-c", ".."),
    },
  );
  const between = fc.constantFrom(
    ...[" ", " ", " ", " ", " ", "  ", "-", ".", ", ", ", ", ",", "", ". ", "! ", "@", "'", ":", "T", "Z"],
    ...[" & ", "5% ", " 1 ", "\xc3\xa9 ", "\xd0\xb0", ": ", " #4", " $5", "1/2 ", " (0)", "+"],
  );
  const row = fc
    .array(fc.tuple(word, between), { minLength: 1, maxLength: 7 })
    .map((parts) => parts.map(([text, mark]) => text + mark).join(""));
  test("is one that no other detectors find anything in than those that are asked", () => {
    let plain = 0;
    fc.assert(
      fc.property(row, fc.nat({ max: PARTS - 1 }), (text, part) => {
        const count = call("foundInPlain", part, ...probe.write(Buffer.from(text, "latin1")));
        if (count >= 0) plain++;
        assert.ok(count <= 0, `part ${String(part)}: ${JSON.stringify(text)}`);
      }),
      { numRuns: 60_000 },
    );
    assert.ok(plain > 1_000, `only ${String(plain)} were plain`);
  });
  test("is one that the parser of JSON passes over: no detector finds anything in it, as a name or as a value", () => {
    let passed = 0;
    const short = fc
      .array(fc.tuple(word, fc.constantFrom("", "", "-", "_", ".", "0x", "1")), { minLength: 1, maxLength: 3 })
      .map((parts) =>
        parts
          .map(([text, mark]) => text + mark)
          .join("")
          .slice(0, 15),
      );
    fc.assert(
      fc.property(short, (text) => {
        const [start, end] = probe.write(Buffer.from(`${text}" `, "latin1"));
        const asString = call("plainString", start) === text.length;
        const asBare = call("plainBare", start) === text.length;
        if (!asString && !asBare) return;
        passed++;
        for (const isName of [0, 1]) assert.equal(call("foundInMember", isName, start, end - 2), 0, text);
      }),
      { numRuns: 50_000 },
    );
    assert.ok(passed > 10_000, `only ${String(passed)} were passed over`);
  });
  test("is what names, quantities and titles are", () => {
    const each = [
      "Jane Doe",
      "J. Smith-Jones",
      "-12.50",
      "12 Elm Street",
      "Mozambique Harbor",
      "watering can",
      "Oslo 2026",
      "J. O'Neill-Hart",
      "2026-11-21T09:30:00Z",
      "jane.doe_1@mail.shop.example",
      "12 Rue de l'Eglise, Apt. #4",
      "+49 (0)30 1234-567",
      "(555) 010-9999",
      "+1 555.010.9999",
      "Please note: closed on 12/05/2026, $5 extra.",
    ];
    for (const text of each) assert.equal(call("foundInPlain", 0, ...probe.write(text)), 0, text);
  });
  test("is a mailbox, and nothing that looks like one", () => {
    const mail = fc
      .tuple(word, fc.constantFrom(".", "", "-", "_", "@", ".."), word, fc.constantFrom("@", "@@", "."), word, word)
      .map(([a, mark, b, at, c, d]) => `${a}${mark}${b}${at}${c}.${d}`);
    fc.assert(
      fc.property(mail, fc.nat({ max: PARTS - 1 }), (text, part) => {
        assert.ok(call("foundInPlain", part, ...probe.write(Buffer.from(text, "latin1"))) <= 0, text);
      }),
      { numRuns: 20_000 },
    );
  });
  test("is a link, but for where it points and what it carries", () => {
    const mark = fc.constantFrom(
      "/",
      "/",
      ".",
      "-",
      "_",
      "?",
      "=",
      "&",
      "&",
      "=",
      "//",
      "..",
      "--",
      ":",
      "@",
      ",",
      "+",
      "#",
    );
    const link = fc
      .tuple(
        fc.constantFrom("https://shop.example/", "http://", "https:///", "/"),
        // One of Oracle's packages behind a "/" is a folder.
        fc.array(
          fc.tuple(
            word.filter((text) => !/^(?:ctxsys|dbms_|utl_|xmldom|sys_)/i.test(text)),
            mark,
          ),
          { maxLength: 10 },
        ),
      )
      .map(([scheme, parts]) => scheme + parts.map(([text, joint]) => text + joint).join("") + "1");
    let links = 0;
    fc.assert(
      fc.property(link, fc.nat({ max: PARTS - 1 }), (text, part) => {
        const more = call("foundInLink", part, ...probe.write(Buffer.from(text, "latin1")));
        if (more >= 0) links++;
        assert.ok(more <= 0, `part ${String(part)}: ${text}`);
      }),
      { numRuns: 60_000 },
    );
    assert.ok(links > 1_000, `only ${String(links)} were links`);
    const usual = "https://shop.example.com/p/123-green_can.html?ref=mail&lang=en-US&x=&y=1.5";
    assert.equal(call("foundInLink", 0, ...probe.write(usual)), 0);
  });
});

await suite("a decoder that need not run", () => {
  const whole = (text: string): void => {
    assert.equal(call("missedDecoders", ...probe.write(Buffer.from(text, "latin1"))), 0, JSON.stringify(text));
  };
  test("would change nothing in the vectors and their mutants", () => {
    vectors.forEach(whole);
    fc.assert(fc.property(value, whole), { numRuns: 10_000 });
  });
  test("would change nothing in a run of few bytes", () => {
    const bytes = fc.constantFrom(..."+&#;AHaz7-l\xc0\xc1\xca\xd6\xe0\xe2\xef\xf0\x80\xbc\xae");
    fc.assert(fc.property(fc.string({ unit: bytes, maxLength: 12 }), whole), { numRuns: 20_000 });
  });
  test("would change nothing in any character", () => {
    for (let point = 0x80; point < 0xd800; point++) {
      assert.equal(call("missedDecoders", ...probe.write(String.fromCodePoint(point))), 0, point.toString(16));
    }
    for (let point = 0xe000; point < 0x1_1000; point++) {
      assert.equal(call("missedDecoders", ...probe.write(String.fromCodePoint(point))), 0, point.toString(16));
    }
  });
});
