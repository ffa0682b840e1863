import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePattern, type Names, type Pattern } from "../../scripts/generate/pattern.ts";

const set = (...symbols: number[]): Pattern => ({ kind: "symbols", symbols });
const NAMES: Names = new Map<string, Pattern>([
  ["End", set(0)],
  ["A", set(1)],
  ["B", set(2)],
  ["C", set(3)],
  ["Either", set(1, 2)],
  ["Pair", { kind: "sequence", items: [set(1), set(2)] }],
]);

const TREES: [text: string, tree: Pattern][] = [
  ["A", set(1)],
  ["Either", set(1, 2)],
  [".", set(1, 2, 3)],
  ["!A", set(2, 3)],
  ["!(A | C)", set(2)],
  ["!Either", set(3)],
  ["End", set(0)],
  ["A B", { kind: "sequence", items: [set(1), set(2)] }],
  ["Pair", { kind: "sequence", items: [set(1), set(2)] }],
  ["A | C", set(1, 3)],
  [
    "A | B C",
    {
      kind: "choice",
      items: [set(1), { kind: "sequence", items: [set(2), set(3)] }],
    },
  ],
  ["A*", { kind: "repeat", item: set(1), min: 0, max: Infinity }],
  ["A+", { kind: "repeat", item: set(1), min: 1, max: Infinity }],
  ["A?", { kind: "repeat", item: set(1), min: 0, max: 1 }],
  ["A{3}", { kind: "repeat", item: set(1), min: 3, max: 3 }],
  ["A{2,}", { kind: "repeat", item: set(1), min: 2, max: Infinity }],
  ["A{2,4}", { kind: "repeat", item: set(1), min: 2, max: 4 }],
  ["(A B)?", { kind: "repeat", item: { kind: "sequence", items: [set(1), set(2)] }, min: 0, max: 1 }],
  ["  A  ", set(1)],
];

const REFUSED: [text: string, message: RegExp][] = [
  ["D", /"D" is no kind/],
  ["A (B", /a "\)" is missing/],
  ["A )", /"\)" stands where nothing was expected/],
  ["A & B", /cannot read "& B"/],
  ["* A", /"\*" is no kind/],
  ["A !", /ends where a kind was expected/],
  ["!Pair", /"!" needs a kind, a set/],
  ["A{4,2}", /counts must rise/],
  ["A{65}", /at most 64/],
  ["A{2", /cannot read "\{2"/],
];

test("a pattern's text becomes its tree", () => {
  for (const [text, tree] of TREES) assert.deepEqual(parsePattern(text, NAMES), tree, text);
});

test("a text that is no pattern is refused with its reason", () => {
  for (const [text, message] of REFUSED) assert.throws(() => parsePattern(text, NAMES), { message }, text);
});
