import assert from "node:assert/strict";
import { test } from "node:test";
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
