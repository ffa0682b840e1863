/** URLs and addresses: pairs of attack and look-alike of ssrf, redirect and rfi; addresses against the URL parser of Node. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";

/** The confidence that sensitivity `balanced` blocks at. */
const BLOCKS = 60;
/** And \`high\`. */
const HIGH = 40;
const LONGEST = 16_384;
/** `Target` and `UrlSign` of assembly/tokenize/url.ts. */
const TARGET = { name: 1, public: 2, private: 3, loopback: 5, metadata: 7 } as const;
const ODD_ADDRESS = 128;
/** The field that a vector without a name stands in. */
const FIELDS = { ssrf: "url", redirect: "next", rfi: "page" } as const;

interface Vector {
  id: string;
  why: string;
  attack: string | null;
  lookalike: string | null;
  part?: number;
  name?: string;
}

const probe = await buildProbe("url");
const call = (name: string, ...values: number[]): number => probe.exports[name]?.(...values) ?? Number.NaN;
const confidence = (text: string, part: number, name: string): number =>
  call("judge", ...probe.write(text), part, ...probe.write(name)) & 255;

test("the address of a program in a field for addresses is listed, and passes at `high`", () => {
  for (const name of ["url", "website"]) {
    for (const text of ["https://shop.example/bot.php", "http://a-b.example/tags/about.asp"])
      assert.ok(confidence(text, 0, name) < HIGH, `${name}=${text}`);
  }
  assert.ok(confidence("http://shop.example/bot.php", 0, "url") > 0);
});

for (const [kind, field] of Object.entries(FIELDS)) {
  const file = new URL(`../vectors/detect/${kind}.yaml`, import.meta.url);
  const { vectors } = parse(readFileSync(file, "utf8")) as { vectors: Vector[] };
  await suite(`${kind} vectors`, () => {
    test("ids are unique", () => {
      assert.equal(new Set(vectors.map(({ id }) => id)).size, vectors.length);
    });
    for (const { id, attack, lookalike, part = 0, name = field } of vectors) {
      if (attack !== null) {
        test(`${id} is found`, () => {
          for (const text of [attack, ` ${attack}`, `${attack}\n`]) {
            const sure = confidence(text, part, name);
            assert.ok(sure >= BLOCKS, `${String(sure)}: ${JSON.stringify(text)}`);
          }
        });
      }
      if (lookalike !== null) {
        test(`${id} passes`, () => {
          for (let length = 1; length <= lookalike.length; length++) {
            const text = lookalike.slice(0, length);
            const sure = confidence(text, part, name);
            // Cut short it may be another value: only the whole one must pass.
            if (length === lookalike.length) assert.ok(sure < BLOCKS, `${String(sure)}: ${JSON.stringify(text)}`);
          }
        });
      }
    }
  });
}

/** A number as an IPv4 part may be written. */
const spelled = (value: number): fc.Arbitrary<string> =>
  fc.constantFrom(
    value.toString(),
    `0x${value.toString(16)}`,
    `0X${value.toString(16).toUpperCase()}`,
    `0${value.toString(8)}`,
    `0x00${value.toString(16)}`,
  );
const octet = fc.constantFrom(0, 1, 10, 100, 127, 168, 169, 172, 192, 200, 254, 255);

/** An address in one to four parts, and as the number it is. */
const address = fc.tuple(octet, octet, octet, octet, fc.integer({ min: 1, max: 4 })).chain(([a, b, c, d, count]) => {
  const parts = [a, b, c, d].slice(0, count - 1);
  const rest = [a, b, c, d].slice(count - 1).reduce<number>((sum, value) => sum * 256 + value, 0);
  return fc
    .tuple(...[...parts, rest].map(spelled))
    .map((texts) => ({ text: texts.join("."), plain: [a, b, c, d].join(".") }));
});

await suite("addresses", () => {
  const numberOf = (dotted: string): number => dotted.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

  test("IPv4 in any spelling is what WHATWG reads", () => {
    fc.assert(
      fc.property(address, ({ text, plain }) => {
        assert.equal(new URL(`http://${text}/`).hostname, plain);
        assert.equal(call("read", ...probe.write(`http://${text}/x`)), 1);
        // Plain small numbers and "1.2" lead nowhere inside: they are names.
        if (call("target") === TARGET.name) return;
        assert.equal(call("address") >>> 0, numberOf(plain), text);
        assert.equal((call("signs") & ODD_ADDRESS) !== 0, text !== plain, text);
      }),
    );
  });

  test("IPv6 in any spelling is what WHATWG reads", () => {
    const group = fc.constantFrom("0", "0000", "1", "a", "7f00", "ffff", "FE80", "fd00", "ec2", "254");
    const form = fc.tuple(fc.array(group, { maxLength: 8 }), fc.array(group, { maxLength: 8 }), fc.boolean());
    const kinds: [RegExp, number][] = [
      [/^\[::1\]$/, 5],
      [/^\[::\]$/, 6],
      [/^\[fd00:ec2:.*:254\]$/, TARGET.metadata],
    ];
    fc.assert(
      fc.property(form, ([left, right, gap]) => {
        const text = gap ? `${left.join(":")}::${right.join(":")}` : [...left, ...right].join(":");
        let canonical: string;
        try {
          canonical = new URL(`http://[${text}]/`).hostname;
        } catch {
          return;
        }
        call("read", ...probe.write(`http://[${text}]/`));
        assert.notEqual(call("target"), 0, text);
        for (const [pattern, target] of kinds) {
          if (pattern.test(canonical) && !canonical.includes(":ec2:0:")) {
            if (target === TARGET.metadata && !/^\[fd00:ec2::254\]$/.test(canonical)) continue;
            assert.equal(call("target"), target, text);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("hosts are cut out as WHATWG cuts them out", () => {
    const host = fc.constantFrom("a.example", "b.c.example", "LOCALHOST", "10.1.1.1");
    const user = fc.constantFrom("", "ann@", "ann:pw@", "x.y@", "a@b@");
    const port = fc.constantFrom("", ":81", ":8080");
    const path = fc.constantFrom("", "/", "/a@b", "?a@b", "#a@b", "/\\x", "\\x");
    const slashes = fc.constantFrom("//", "/", "", "///", "\\\\", "/\\", "/\t/");
    fc.assert(
      fc.property(slashes, user, host, port, path, (before, name, text, number, rest) => {
        const url = `http:${before}${name}${text}${number}${rest}`;
        const expected = new URL(url);
        assert.equal(call("read", ...probe.write(url)), 1, url);
        assert.equal(probe.text(call("host"), call("hostEnd")), expected.hostname, url);
        assert.equal(call("port"), Number(expected.port), url);
      }),
    );
  });
});

await suite("any value", () => {
  test("no bytes trap, in any field", () => {
    const piece = fc.constantFrom(
      ..."/:\\@.#?[]%0x7f&-_ \t\n\0".split(""),
      "http:",
      "//",
      "127.0.0.1",
      "[::ffff:",
      "①",
      "nip.io",
      "10-1-1-1",
      ".php?",
      "\xc3",
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 24 }),
        fc.constantFrom("", "next", "page", "a[url]", "/x/y"),
        (all, name) => {
          const sure = confidence(all.join(""), 0, name);
          assert.ok(sure >= 0 && sure <= 100);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("sixteen KiB of anything take a few milliseconds", () => {
    for (const unit of [
      "http://",
      "://",
      "a://",
      "aaaaaaa:/",
      "@",
      "//",
      "/\\",
      "http://a@",
      "1.",
      "http://①",
      "1-1-1-1-",
      "http://a.nip.io",
      "http:/[",
      "[::",
      "http://0x0.",
      ".nip.io",
      "?",
    ]) {
      for (const prefix of ["", "http://", "//"]) {
        const span = probe.write((prefix + unit.repeat(LONGEST)).slice(0, LONGEST / 2));
        let best = Infinity;
        for (let round = 0; round < 4; round++) {
          const begin = performance.now();
          call("detect", ...span);
          best = Math.min(best, performance.now() - begin);
        }
        assert.ok(best < 10, `${prefix}${unit}: ${best.toFixed(1)} ms`);
      }
    }
  });
});
