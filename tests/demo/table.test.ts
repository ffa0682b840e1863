import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CASES, tryLines } from "../../scripts/demo/cases.ts";
import { countLine, headLine, painter, rowLine } from "../../scripts/demo/table.ts";
import type { Outcome, Row } from "../../scripts/demo/tour.ts";

const outcome = (ok: boolean, status: number, shown: string | null = null): Outcome => ({ ok, status, shown });
const [attack, lookAlike] = [CASES[0]!, CASES.at(-1)!];
const plain = painter(false);

const rows: Row[] = [
  { stop: attack, without: outcome(true, 200, "a@shop.example \u001b[2J".repeat(9)), with: outcome(true, 403) },
  { stop: attack, without: outcome(true, 200, "stolen"), with: outcome(false, 200, "stolen") },
  { stop: lookAlike, without: outcome(true, 200, "lamp"), with: outcome(true, 200, "lamp") },
  { stop: lookAlike, without: outcome(true, 200, "lamp"), with: outcome(false, 403) },
];

describe("the demo's table", () => {
  it("fits a terminal of 80 columns, and shows nothing that could steer it", () => {
    const lines = [...rows.map((row) => rowLine(row, plain)), headLine("attack", plain), countLine(rows)];
    for (const line of lines) {
      assert.ok(line.length < 80, `${line.length}: ${line}`);
      assert.doesNotMatch(line, /\p{C}/u);
    }
  });

  it("has its columns one below the other", () => {
    for (const row of rows.slice(1)) assert.equal(rowLine(row, plain)[39], row.without.shown?.[0]);
    assert.equal(headLine("attack", plain).indexOf("WITHOUT"), 39);
    assert.equal(headLine("attack", plain).lastIndexOf("WITH"), rowLine(rows[0]!, plain).indexOf("403"));
  });

  it("says which promise was not kept, and counts only those that were", () => {
    assert.match(rowLine(rows[1]!, plain), /200 WRONG$/);
    assert.match(rowLine(rows[3]!, plain), /403 WRONG$/);
    assert.match(countLine(rows), /^1 of 2 attacks .*; 1 of 2 look-alikes pass\.$/);
  });

  it("is the same with colours, but for the colours", () => {
    const colored = rowLine(rows[2]!, painter(true));
    assert.notEqual(colored, rowLine(rows[2]!, plain));
    assert.equal(colored.replace(/\u001b\[\d+m/g, ""), rowLine(rows[2]!, plain));
  });

  it("has room for every stop, and as many look-alikes as attacks", () => {
    for (const { what } of CASES) assert.ok(what.length <= 38, what);
    const attacks = CASES.filter(({ kind }) => kind === "attack").length;
    assert.equal(CASES.length, attacks * 2);
  });

  it("gives lines that a shell takes as they are", () => {
    for (const line of tryLines("http://127.0.0.1:1", "x-demo-token:t")) assert.match(line, /^curl -s -H \S+ [^`!$]+$/);
  });
});
