// The fleet of docs/performance.md is computed from the runs that the same page shows.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../../scripts/package.ts";
import { fences } from "./blocks.ts";

const page = readFileSync(join(packageRoot(), "docs/performance.md"), "utf8");
const section = page.split("\n## ").find((part) => part.startsWith("What a fleet costs\n"))!;

/** The cells of the tables' rows in Markdown, heads and lines of dashes left out. */
const rows = (text: string): string[][] =>
  [...text.matchAll(/^\| *([\d,]+ .*)\|$/gm)].map((match) => match[1]!.split("|").map((cell) => cell.trim()));

const number = (text: string): number => Number(text.replaceAll(",", ""));
/** Two digits that count, in the form of the page. */
const shown = (value: number): string => Number(value.toPrecision(2)).toLocaleString("en-US");

test("the fleet's table is what its formulas make of the runs above", () => {
  const run = fences(page).find(({ text }) => text.startsWith("CPU time of the Envoy process"))!.text;
  const added = (name: string): number => Number(new RegExp(`^${name} .*?([\\d.]+) +\\d+$`, "m").exec(run)![1]);
  const all = rows(section);
  const memory = all.filter((cells) => cells.length === 5);
  const fleet = all.filter((cells) => cells.length === 7);
  assert.deepEqual(
    memory.map(([workers]) => workers),
    ["1", "2", "4"],
  );
  const more = memory.map(([, bare, , meshward]) => number(meshward!) - number(bare!));
  const cpu = memory.map(([, , , , start]) => number(start!));
  assert.deepEqual(
    fleet,
    [100, 1000, 10_000].map((sidecars) => [
      sidecars.toLocaleString("en-US"),
      ...["get", "form1k", "json10k"].map((name) => shown((sidecars * 100 * added(name)) / 1e6)),
      ...[more[0]!, more[1]!].map((mib) => `${shown((sidecars * mib) / 1024)} GiB`),
      shown((sidecars * cpu[0]!) / 60),
    ]),
  );
  const [bare] = new RegExp("^get +([\\d.]+)", "m").exec(run)!.slice(1);
  const alone = `${shown((1000 * 100 * number(bare!)) / 1e6)} cores, and ${shown((1000 * number(memory[0]![1]!)) / 1024)} GiB`;
  assert.ok(section.includes(`for 1,000 sidecars, at ${bare} µs for a \`get\`, ${alone}`), alone);
});
