import assert from "node:assert/strict";
import { test } from "node:test";
import { RulesError } from "../../scripts/generate/problem.ts";
import { classRate, readRates, ruleRate } from "../../scripts/generate/rates.ts";
import { escapeText, fence } from "../../scripts/generate/rules-page.ts";

const TEXTS: [text: string, markdown: string][] = [
  ["plain words, 1.5 and (more)!", "plain words, 1.5 and (more)!"],
  ["a * b _c_ `d` <e> [f](g) h|i ~~j~~ k&l", "a \\* b \\_c\\_ \\`d\\` \\<e\\> \\[f\\](g) h\\|i \\~\\~j\\~\\~ k\\&l"],
  ["\\", "\\\\"],
  ["# no heading", "\\# no heading"],
  ["1. no list, 1.5", "1\\. no list, 1.5"],
  ["two\n  lines", "two lines"],
  ["see https://example.org/a_b?c=d&e. Then", "see <https://example.org/a_b?c=d&e>. Then"],
  ["(https://example.org/a)", "(<https://example.org/a>)"],
];

test("text is escaped, links stay links", () => {
  for (const [text, markdown] of TEXTS) assert.equal(escapeText(text), markdown);
});

test("an attack cannot leave its code block", () => {
  assert.equal(fence("a"), "```text\na\n```");
  assert.equal(fence("```\n<script>"), "````text\n```\n<script>\n````");
  assert.equal(fence("a\u0000b\u202ec\r"), "```text\na\\u{0}b\\u{202e}c\\u{d}\n```");
});

test("rates that were measured stand beside the rules", () => {
  const yaml = [
    "date: 2026-11-22",
    "corpus: { attacks: 40, ordinary: 900, hard: 100, sources: 3 }",
    "classes: { sqli: { attacks: 40, refused: 39, ordinary: 0, hard: 2 } }",
    "rules: { sqli-a: { own: 39, others: 0, ordinary: 0, hard: 2 } }",
  ];
  const { data } = readRates("rates.yaml", yaml.join("\n"));
  assert.equal(
    classRate(data, "sqli"),
    "Measured: 40 attacks, 97.5% refused at `balanced`; 0 of 900 ordinary and 2 of 100 hard benign requests refused for it.",
  );
  assert.equal(classRate(data, "xss"), "Measured: no attacks; no benign request refused for it.");
  assert.match(ruleRate(data, "sqli-a"), /in 39 attacks of the class and 0 of others; .* 0 ordinary and 2 hard/);
  assert.match(ruleRate(data, "sqli-b"), /nothing/);
  assert.throws(() => readRates("rates.yaml", "date: today"), RulesError);
});
