// Each stage of the automaton on patterns that fit on paper.

import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange } from "../../scripts/generate/arrange.ts";
import { classify } from "../../scripts/generate/classes.ts";
import { determinize, type Dfa } from "../../scripts/generate/determinize.ts";
import { joinLanes } from "../../scripts/generate/lanes.ts";
import { minimize } from "../../scripts/generate/minimize.ts";
import { buildNfa } from "../../scripts/generate/nfa.ts";
import { parsePattern, type Pattern } from "../../scripts/generate/pattern.ts";
import { product } from "../../scripts/generate/product.ts";
import { layOut } from "../../scripts/generate/table.ts";

// Symbols: 0 End, 1 A, 2 B, 3 C, 4 none of them.
const SYMBOLS = 5;
const NAMES = new Map<string, Pattern>(
  ["End", "A", "B", "C"].map((name, symbol) => [name, { kind: "symbols", symbols: [symbol] }]),
);
const parse = (text: string, label = 1) => ({ pattern: parsePattern(text, NAMES), label });
const compile = (text: string, label = 1): Dfa => minimize(determinize(buildNfa([parse(text, label)]), SYMBOLS));

test("nfa: A|B has a start, two steps and one end", () => {
  const nfa = buildNfa([parse("A B | A")]);
  //      ┌─ 1 ─A→ 2 ─B→ 3 ─┐
  //  0 ──┤                  ├─ 5
  //      └─A→ 4 ────────────┘
  assert.deepEqual(nfa, {
    start: 0,
    free: [[1], [], [], [5], [5], []],
    steps: [[{ symbols: [1], to: 4 }], [{ symbols: [1], to: 2 }], [{ symbols: [2], to: 3 }], [], [], []],
    labels: [0, 0, 0, 0, 0, 1],
  });
});

test("determinize: a state is what may be the case; the empty case is state 0", () => {
  //  1 ─A→ 2 ─B→ 3, all else to 0
  assert.deepEqual(determinize(buildNfa([parse("A B")]), SYMBOLS), {
    start: 1,
    next: [
      [0, 0, 0, 0, 0],
      [0, 2, 0, 0, 0],
      [0, 0, 3, 0, 0],
      [0, 0, 0, 0, 0],
    ],
    labels: [0, 0, 0, 1],
  });
});

test("determinize: of two labels the smaller one wins", () => {
  const dfa = determinize(buildNfa([parse("A", 2), parse(".", 1)]), SYMBOLS);
  assert.equal(dfa.labels[dfa.next[dfa.start]?.[1] ?? 0], 1);
  assert.equal(dfa.labels[dfa.next[dfa.start]?.[4] ?? 0], 0);
});

test("determinize: exponential patterns are refused", () => {
  // The thirteenth token from the end is an A: 2^13 states.
  const text = `.* A ${". ".repeat(12)}`;
  assert.throws(() => determinize(buildNfa([parse(text)]), SYMBOLS), {
    name: "RangeError",
    message: /more than 4000 states/,
  });
});

test("minimize: states that lead to the same are one", () => {
  // (A C | B C) needs no memory of which came first: dead, start, seen A or B, done.
  const raw = determinize(buildNfa([parse("A C | B C")]), SYMBOLS);
  const minimal = minimize(raw);
  assert.equal(raw.next.length, 6);
  assert.equal(minimal.next.length, 4);
  assert.deepEqual(minimize(minimal), minimal);
});

test("minimize: states with different labels stay apart", () => {
  const minimal = minimize(determinize(buildNfa([parse("A", 1), parse("B", 2)]), SYMBOLS));
  assert.deepEqual([...minimal.labels].sort(), [0, 0, 1, 2]);
});

test("product: accepts what either accepts, with the smaller label", () => {
  const both = product(compile("A .*", 2), compile(".* B", 1), 100);
  assert.ok(both);
  const labelAfter = (...symbols: number[]): number | undefined =>
    both.labels[symbols.reduce((state, symbol) => both.next[state]?.[symbol] ?? 0, both.start)];
  assert.equal(labelAfter(1), 2);
  assert.equal(labelAfter(1, 2), 1);
  assert.equal(labelAfter(3, 2), 1);
  assert.equal(labelAfter(3), 0);
  assert.equal(labelAfter(4), 0);
});

test("product: gives up beyond the states it may have", () => {
  assert.equal(product(compile("A{20}"), compile("(A | B){20}"), 10), undefined);
});

test("lanes: rules share an automaton while it is small, and never have more than four", () => {
  const rules = ["A A", "B B", "C C", "A B", "A C", "B C"].map((text, index) => compile(text, index + 1));
  assert.equal(joinLanes(rules).length, 1);
  assert.equal(joinLanes(rules, 0).length, 4);
});

test("lanes: what multiplies is kept apart", () => {
  // Each counts its own kind to three. Together: three counts of 0 to 2, or one of them just at three and two others, or dead.
  const rules = ["A", "B", "C"].map((kind, index) => compile(`.* ${kind} .* ${kind} .* ${kind}`, index + 1));
  const apart = joinLanes(rules, 0);
  assert.equal(apart.length, 3);
  assert.deepEqual(
    apart.map((dfa) => dfa.next.length),
    [5, 5, 5],
  );
  assert.equal(joinLanes(rules)[0]?.next.length, 3 ** 3 + 3 * 3 ** 2 + 1);
});

test("classes: symbols that no state tells apart are one", () => {
  const { classes, next } = classify(compile("(A | B) C"));
  assert.deepEqual(classes, [0, 1, 1, 2, 0]);
  assert.ok(next.every((row) => row.length === 3));
});

test("arrange: dead first, accepting last", () => {
  const table = arrange(classify(compile("A A*")));
  assert.deepEqual(table, {
    start: 1,
    accept: 2,
    stride: 2,
    classes: [0, 1, 0, 0, 0],
    //      dead  start  seen A
    cells: [0, 0, 0, 2, 0, 2],
    labels: [1],
  });
});

test("table: the header, the codes, then each lane in one byte a cell", () => {
  const bytes = layOut([arrange(classify(compile("A A*")))], [137]);
  const view = new DataView(bytes.buffer);
  assert.deepEqual([view.getUint16(0, true), view.getUint16(2, true), view.getUint32(4, true)], [1, 20, 22]);
  assert.equal(view.getUint16(20, true), 137);
  // start, accept, stride, states, bytes of a cell
  assert.deepEqual([...new Uint16Array(bytes.buffer, 22, 5)], [1, 2, 2, 3, 1]);
  assert.deepEqual([...bytes.subarray(32, 38)], [0, 1, 0, 0, 0, 0]);
  assert.deepEqual([...bytes.subarray(32 + 256)], [0, 0, 0, 2, 0, 2, 1, 0]);
});

test("table: a lane of more than 256 states has two bytes a cell", () => {
  const table = arrange(classify(compile("A{60} A{60} A{60} A{60} A{60}")));
  const bytes = layOut([table], [137]);
  assert.equal(new DataView(bytes.buffer).getUint16(22 + 8, true), 2);
  assert.equal(bytes.length, 22 + 10 + 256 + table.cells.length * 2 + 2);
});

test("table: a lane whose numbers do not fit is refused", () => {
  const table = arrange(classify(compile("A")));
  assert.throws(() => layOut([{ ...table, cells: new Array<number>(0x8001 * table.stride).fill(0) }], [1]), RangeError);
});
