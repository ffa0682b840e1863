import assert from "node:assert/strict";
import { test } from "node:test";
import { compileAutomaton } from "../../scripts/generate/automaton.ts";
import { emitClass } from "../../scripts/generate/emit-class.ts";
import { readRuleFile } from "../../scripts/generate/rule-file.ts";
import { joinRules } from "../../scripts/generate/rule-set.ts";

const RULE = `  - id: sqli-one
    code: 101
    class: sqli
    cwe: [89]
    owasp: ["A03:2021"]
    severity: high
    confidence: 80
    summary: what it sees
    reason: why, https://example.org/why
    blind: what it cannot see
    remedy: {code: bind, configuration: least privilege, proxy: block}
    patterns: [A B]
    attack: a b
    lookalike: a c
`;
const FILE = `alphabet:
  enum: Sql
  kinds: [A, B, C]
keywords:
  A: [null, Yes, 0x]
sets:
  Pair: [A, B]
fragments:
  Both: Pair Pair
rules:
${RULE}`;

const read = (text: string) => readRuleFile("rules/sqli.yaml", text);

test("a rule file is read with its numbers, and words keep what YAML would make of them", () => {
  const { data, name, lineOf } = read(FILE);
  assert.equal(name, "sqli");
  assert.deepEqual(data.keywords, { A: ["null", "yes", "0x"] });
  assert.equal(data.rules[0]?.code, 101);
  assert.deepEqual(data.rules[0]?.capec, []);
  assert.equal(lineOf(["rules", 0, "code"]), 12);
});

const REFUSED: [what: string, from: string, to: string, message: RegExp][] = [
  ["an unknown key", "    attack: a b", "    attak: a b", /sqli\.yaml:11: .*Unrecognized key: "attak"/],
  ["a missing key", "    attack: a b\n", "", /sqli\.yaml:11: rules\.0\.attack: is missing/],
  ["a code outside the class's hundred", "code: 101", "code: 201", /:12: rules\.0\.code: must be 100 to 199 for sqli/],
  ["a code that is no number", "code: 101", "code: many", /:12: rules\.0\.code: must be a whole number/],
  ["an id of another class", "id: sqli-one", "id: xss-one", /:11: rules\.0\.id: must begin with "sqli-"/],
  ["an unknown class", "class: sqli", "class: sql", /:13: rules\.0\.class: must be one of sqli, xss/],
  ["a reason without its source", "why, https://example.org/why", "why", /:19: rules\.0\.reason: needs a link/],
  ["a kind named twice", "[A, B, C]", "[A, B, A]", /:3: alphabet\.kinds\.2: A is named twice/],
  ["a kind named End", "[A, B, C]", "[A, B, C, End]", /:3: alphabet\.kinds\.3: End is named twice/],
  ["a keyword's kind that is none", "  A: [null", "  D: [null", /:5: keywords\.D: D is not in the alphabet/],
  [
    "a word of two kinds",
    "A: [null, Yes, 0x]",
    "A: [null, Yes]\n  B: [YES]",
    /:6: keywords\.B\.0: "yes" is in A already/,
  ],
  ["a word that is too long", "0x]", `${"x".repeat(64)}]`, /:5: keywords\.A\.2: must be at most 63 characters/],
  ["a set of what is no kind", "Pair: [A, B]", "Pair: [A, D]", /:7: sets\.Pair\.1: D is no kind/],
  ["a set named like a kind", "Pair: [A, B]", "C: [A, B]", /:7: sets\.C: C is a kind already/],
  ["a pattern with an unknown name", "[A B]", "[A D]", /:22: pattern "A D": "D" is no kind/],
  ["a pattern that matches nothing", "[A B]", "[A*]", /:22: pattern "A\*": matches a value without tokens/],
  ["a fragment that cannot be read", "Both: Pair Pair", "Both: Pair (", /:9: fragment "Pair \(": .*missing/],
  [
    "a fragment used before it is made",
    "Both: Pair Pair",
    "Both: Later\n  Later: A",
    /:9: fragment "Later": "Later" is no kind/,
  ],
  [
    "patterns without an alphabet",
    FILE.slice(0, FILE.indexOf("rules:")),
    "",
    /:13: rules\.0\.patterns: patterns need an alphabet/,
  ],
  ["what is no YAML", "cwe: [89]", "cwe: [89", /sqli\.yaml:1\d: /],
  ["patterns that explode", "[A B]", `[".* A ${". ".repeat(12)}"]`, /:11: a rule needs more than 4000 states/],
];

for (const [what, from, to, message] of REFUSED) {
  test(`refused with its line: ${what}`, () => {
    assert.ok(FILE.includes(from));
    assert.throws(() => compileAutomaton(read(FILE.replace(from, to))), { name: "RulesError", message });
  });
}

test("251 kinds are refused, 250 are not", () => {
  const kinds = (count: number): string =>
    `alphabet:\n  enum: X\n  kinds: [${Array.from({ length: count }, (_, i) => `K${i}`).join(", ")}]\n`;
  assert.equal(read(kinds(250)).data.alphabet?.kinds.length, 250);
  assert.throws(() => read(kinds(251)), { message: /:3: alphabet\.kinds: at most 250 kinds/ });
});

test("codes and ids are unique over all files, and the error names both places", () => {
  const other = readRuleFile("rules/more.yaml", `rules:\n${RULE.replace("patterns: [A B]\n    ", "")}`);
  assert.throws(() => joinRules([read(FILE), other]), {
    message:
      /^rules\/more\.yaml:3: code 101 is taken by the rule at rules\/sqli\.yaml:11\nrules\/more\.yaml:2: id sqli-one/,
  });
});

test("a file of rules alone has no tables", () => {
  const source = readRuleFile("rules/sqli.yaml", `rules:\n${RULE.replace("patterns: [A B]\n    ", "")}`);
  assert.equal(compileAutomaton(source), undefined);
  assert.equal(emitClass(source, undefined), undefined);
});

test("lookups have an enum of their own, and words may repeat between them", () => {
  const source = read(`lookups:
  - enum: HtmlElement
    words: {Script: [script], Other: [b, a]}
  - enum: UrlScheme
    words: {Script: [script, javascript]}
`);
  const text = emitClass(source, undefined);
  assert.match(text ?? "", /const enum HtmlElement \{\n {2}None = 0,\n {2}Script = 1,\n {2}Other = 2,\n\}/);
  assert.match(text ?? "", /export const HTML_ELEMENT: usize = memory\.data<u8>/);
  assert.match(text ?? "", /export const URL_SCHEME: usize/);
});

test("a generated file opens with its source, sizes and DO NOT EDIT, and names every kind", () => {
  const source = read(FILE);
  const text = emitClass(source, compileAutomaton(source)) ?? "";
  assert.match(
    text,
    /^\/\/ Made from rules\/sqli\.yaml by scripts\/generate\. DO NOT EDIT\.\n\/\/ SQLI_TABLE: 1 patterns, 302 bytes:\n/,
  );
  assert.match(text, /\n\/\/ {3}lane of 4 states \(1 accepting\), 3 classes, stride 3\n/);
  assert.match(text, /export const enum Sql \{\n {2}End = 0,\n {2}A = 1,\n {2}B = 2,\n {2}C = 3,\n\}/);
  assert.ok(text.split("\n").every((line) => line.length <= 120));
});
