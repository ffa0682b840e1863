/** Path traversal: pairs of attack and look-alike, the normal form of paths, and what must hold for any input. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";

/** The confidence that sensitivity `balanced` blocks at. */
const BLOCKS = 60;
const LONGEST = 16_384;

interface Vector {
  id: string;
  why: string;
  attack: string | null;
  lookalike: string | null;
  part?: number;
}

const { alphabet } = parse(readFileSync(new URL("../../rules/traversal.yaml", import.meta.url), "utf8")) as {
  alphabet: { kinds: string[] };
};
const probe = await buildProbe("traversal");
const call = (name: string, ...values: number[]): number => probe.exports[name]?.(...values) ?? Number.NaN;
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const confidence = (text: string, part = 0): number => call("judge", ...probe.write(bytes(text)), part) & 255;

/** The names of the tokens of a path. */
function tokens(text: string): string[] {
  const count = call("read", ...probe.write(bytes(text)));
  return Array.from({ length: count }, (_, index) => alphabet.kinds[call("token", index) - 1] ?? "?");
}

await suite("traversal vectors", () => {
  const file = new URL("../vectors/detect/traversal.yaml", import.meta.url);
  const { vectors } = parse(readFileSync(file, "utf8")) as { vectors: Vector[] };
  test("ids are unique", () => {
    assert.equal(new Set(vectors.map(({ id }) => id)).size, vectors.length);
  });
  for (const { id, attack, lookalike, part } of vectors) {
    if (attack !== null) {
      test(`${id} is found`, () => {
        assert.ok(confidence(attack, part) >= BLOCKS, `${confidence(attack, part)}: ${JSON.stringify(attack)}`);
      });
    }
    if (lookalike !== null) {
      test(`${id} passes`, () => {
        assert.ok(confidence(lookalike, part) < BLOCKS, `${confidence(lookalike, part)}: ${JSON.stringify(lookalike)}`);
      });
    }
  }
});

await suite("path tokens", () => {
  const cases: [text: string, kinds: string][] = [
    ["../../etc/passwd", "Up Up Etc Account Finish"],
    ["/a/b/../../../etc", "Root Up Etc Finish"],
    ["a/../b", "Name Finish"],
    ["C:\\Windows\\win.ini", "Drive Windows WindowsFile Finish"],
    ["php://filter/a", "Wrapper Filter Name Finish"],
    ["/etc/shadow\0.png", "Root Etc Account Nul Finish"],
    ["%252e%252e%252fzed", "Up Name Finish"],
    ["\\\\host\\c$", "Unc Name Share Finish"],
    ["https://example.com/../a", "Url Up Name Finish"],
  ];
  for (const [text, kinds] of cases) test(text, () => assert.equal(tokens(text).join(" "), kinds));
});

await suite("any path", () => {
  const name = fc.constantFrom("a", "bb", "c.d", "e-f");
  const step = fc.oneof(
    { weight: 2, arbitrary: name },
    { weight: 2, arbitrary: fc.constant("..") },
    { weight: 1, arbitrary: fc.constant(".") },
  );

  test("climbs out as often as the platform's own normal form", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const path = steps.join("/");
        const normal = posix
          .normalize(path)
          .split("/")
          .filter((segment) => segment !== "." && segment !== "");
        const ups = normal.filter((segment) => segment === "..").length;
        const expected = [
          ...Array.from({ length: Math.min(ups, 8) }, () => "Up"),
          ...normal.slice(ups).map(() => "Name"),
          "Finish",
        ];
        assert.deepEqual(tokens(path), expected);
        assert.deepEqual(tokens(path.replaceAll("/", "\\")), expected);
      }),
    );
  });

  test("every spelling of a climb is the same climb", () => {
    const dots = [
      "..",
      "%2e%2e",
      "%252e.",
      "%u002e%u002e",
      "%c0%ae%c0%ae",
      "\xc0\xae\xc0\xae",
      "0x2e0x2e",
      "%%32%65.",
      "..;x",
      ".\0.",
    ];
    const slashes = ["/", "\\", "%2f", "%255c", "%c0%af", "\xc1\x9c", "%u2215", "0x2f", "//"];
    for (const dot of dots) {
      for (const slash of slashes) {
        assert.equal(tokens(`${dot}${slash}`.repeat(3) + "zed").join(" "), "Up Up Up Name Finish", dot + slash);
      }
    }
  });

  test("names alone are no finding", () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 8 }), (names) => {
        assert.equal(confidence(names.join("/")), 0);
      }),
    );
  });

  test("sixteen KiB of anything take a few milliseconds", () => {
    for (const piece of [
      "../",
      "..\\",
      "%",
      "%25",
      "%2e%2e/",
      "\xc0",
      "\xe0\x80",
      "/etc/passwd ",
      "a/",
      "/",
      "..;",
      "0x2e",
      "'../",
      "%u",
    ]) {
      const span = probe.write(bytes(piece.repeat(Math.ceil(LONGEST / piece.length)).slice(0, LONGEST)));
      let best = Infinity;
      for (let round = 0; round < 4; round++) {
        const begin = performance.now();
        call("judge", ...span, 0);
        best = Math.min(best, performance.now() - begin);
      }
      assert.ok(best < 400, `${piece}: ${best.toFixed(1)} ms`);
    }
  });
});
