/** OS commands: pairs of attack and look-alike, the tokens of shells, and what must hold for any input. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";

/** The confidence that sensitivity `balanced` blocks at. */
const BLOCKS = 60;
const LONGEST = 16_384;
const FINISH = kindOf("Finish");
const END = 0;

interface Vector {
  id: string;
  why: string;
  attack: string | null;
  lookalike: string | null;
}

const probe = await buildProbe("cmdi");
const call = (name: string, ...values: number[]): number => probe.exports[name]?.(...values) ?? Number.NaN;
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const confidence = (text: string): number => call("judge", ...probe.write(bytes(text))) & 255;

/** The code of a token kind, as the rules number them: by place, from 1. */
function kindOf(name: string): number {
  const { alphabet } = parse(readFileSync(new URL("../../rules/cmdi.yaml", import.meta.url), "utf8")) as {
    alphabet: { kinds: string[] };
  };
  const index = alphabet.kinds.indexOf(name);
  assert.notEqual(index, -1, `${name} is a kind`);
  return index + 1;
}

/** The kinds of a value's tokens up to Finish, and their spans. */
function tokens(text: string, quoting = 0): { kind: number; start: number; end: number }[] {
  const [start, end] = probe.write(bytes(text));
  call("open", start, end, quoting);
  const list = [];
  for (let kind = call("next"); kind !== END; kind = call("next")) {
    assert.ok(list.length <= 2 * text.length + 4, "every byte gives two tokens at most");
    list.push({ kind, start: call("tokenStart") - start, end: call("tokenEnd") - start });
  }
  return list;
}

await suite("command vectors", () => {
  const file = new URL("../vectors/detect/cmdi.yaml", import.meta.url);
  const { vectors } = parse(readFileSync(file, "utf8")) as { vectors: Vector[] };
  test("ids are unique", () => {
    assert.equal(new Set(vectors.map(({ id }) => id)).size, vectors.length);
  });
  for (const { id, attack, lookalike } of vectors) {
    if (attack !== null) {
      test(`${id} is found`, () => {
        assert.ok(confidence(attack) >= BLOCKS, `${confidence(attack)}: ${JSON.stringify(attack)}`);
      });
    }
    if (lookalike !== null) {
      test(`${id} passes`, () => {
        assert.ok(confidence(lookalike) < BLOCKS, `${confidence(lookalike)}: ${JSON.stringify(lookalike)}`);
      });
    }
  }
});

await suite("shell tokens", () => {
  const cases: [text: string, quoting: number, kinds: string][] = [
    ["a; ls", 0, "Number Semicolon Short Finish"],
    ["a' | id", 1, "String Quote Pipe List Finish"],
    ['a" && whoami', 2, "String Quote And Probe Finish"],
    ["$(cat /etc/group)", 0, "Open Reader Secret Close Finish"],
    ["c''at x", 0, "Disguise Reader Number Finish"],
    ["cat${IFS}-n", 0, "Reader Ifs Flag Finish"],
    ["{cat,/tmp/x}", 0, "Brace Reader Path Close Finish"],
    ["sh -c 'id; ls'", 0, "Runner Flag Nested List Semicolon Short Close Finish"],
    ["; Find out", 0, "Semicolon Word Word Finish"],
    ["a=1&b=2", 0, "Assign Finish"],
    ["&amp;cat;", 0, "Word Semicolon Finish"],
    ["() { :;};", 0, "Function Word Semicolon Paren Semicolon Finish"],
  ];
  for (const [text, quoting, kinds] of cases) {
    test(`${text} in quoting ${String(quoting)}`, () => {
      assert.deepEqual(
        tokens(text, quoting).map(({ kind }) => kind),
        kinds.split(" ").map(kindOf),
      );
    });
  }
});

await suite("any input", () => {
  const pieces = [
    "'",
    '"',
    "`",
    "$(",
    "${",
    "$IFS",
    "$'\\x",
    ")",
    "}",
    "{a,",
    ";",
    "|",
    "&",
    "\n",
    "\\",
    "%A:~",
    "<(",
    "#",
    "cat",
    " ",
    "/etc/",
    "sh -c ",
  ];
  const shellish = fc
    .array(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...pieces) },
        { weight: 1, arbitrary: fc.string({ unit: "binary-ascii" }) },
      ),
      {
        maxLength: 60,
      },
    )
    .map((parts) => parts.join(""));

  test("tokens rise, stay inside the value and end", () => {
    fc.assert(
      fc.property(shellish, fc.integer({ min: 0, max: 2 }), (text, quoting) => {
        const list = tokens(text, quoting);
        // Without the quote that would end what it landed in, a value is no command line.
        assert.ok(list.length === 0 ? quoting !== 0 : list.at(-1)?.kind === FINISH);
        let last = 0;
        for (const { start, end } of list) {
          assert.ok(start <= end && end <= text.length && end >= last, JSON.stringify(list));
          last = end;
        }
      }),
    );
  });

  test("a separator without a command is no finding", () => {
    const words = fc.array(fc.constantFrom("alpha", "beta", "gamma", "Delta", "42", "x1"), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(words, fc.constantFrom("; ", " & ", " | ", " && ", "\n", " || "), (list, separator) => {
        assert.equal(confidence(list.join(separator)), 0);
      }),
    );
  });

  test("sixteen KiB of anything take a few milliseconds", () => {
    for (const piece of [...pieces, ";id ", "a=1&b", "cat /etc/passwd ", "%25", "^a", "() {", "0x2e"]) {
      const span = probe.write(bytes(piece.repeat(Math.ceil(LONGEST / piece.length)).slice(0, LONGEST)));
      let best = Infinity;
      for (let round = 0; round < 4; round++) {
        const begin = performance.now();
        call("judge", ...span);
        best = Math.min(best, performance.now() - begin);
      }
      assert.ok(best < 400, `${piece}: ${best.toFixed(1)} ms`);
    }
  });
});
