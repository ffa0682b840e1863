/** The XSS detector: vectors, each rule's own pair, obfuscations of attacks in pairs, and that no input traps it or takes long. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { buildProbe } from "../probe/build.ts";

interface Pair {
  id: string;
  why: string;
  attack: string;
  rule?: string;
  lookalike: string;
}
interface Value {
  id: string;
  why: string;
  value: string;
}
interface Vectors {
  pairs: Pair[];
  benign: Value[];
  known: Value[];
}
interface Rule {
  id: string;
  code: number;
  attack: string;
  lookalike: string;
}
interface Exports extends Record<string, (...values: number[]) => number> {
  judge(start: number, end: number, layers: number): number;
  judgedRule(): number;
}

/** `balanced` blocks from here on. */
const BLOCKED = 60;

const read = (path: string): unknown => parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const vectors = read("tests/vectors/detect/xss.yaml") as Vectors;
const { rules } = read("rules/xss.yaml") as { rules: Rule[] };
const probe = await buildProbe<Exports>("xss");

/** The highest confidence of the value in all its layers, and the rule. */
function judge(value: string | Uint8Array): { confidence: number; rule: string } {
  const [start, end] = probe.write(value);
  const confidence = probe.exports.judge(start, end, 1);
  const code = probe.exports.judgedRule();
  return { confidence, rule: rules.find((rule) => rule.code === code)?.id ?? "" };
}

suite("xss vectors", () => {
  for (const { id, why, attack, rule, lookalike } of vectors.pairs) {
    test(`${id}: ${why}`, () => {
      const found = judge(attack);
      assert.ok(found.confidence >= BLOCKED, `attack ${found.confidence} ${found.rule}`);
      if (rule !== undefined) assert.equal(found.rule, rule);
      const harmless = judge(lookalike);
      assert.ok(harmless.confidence < BLOCKED, `look-alike ${harmless.confidence} ${harmless.rule}`);
    });
  }
  for (const { id, why, value } of [...vectors.benign, ...vectors.known]) {
    test(`${id}: ${why}`, () => {
      const found = judge(value);
      assert.ok(found.confidence < BLOCKED, `${found.confidence} ${found.rule}`);
    });
  }
});

suite("xss rules", () => {
  for (const { id, attack, lookalike } of rules) {
    test(`${id}: its attack and its look-alike`, () => {
      const [start, end] = probe.write(attack);
      assert.ok(probe.exports.judge(start, end, 1) >= (id === "xss-dangling-markup" ? 42 : BLOCKED), attack);
      const harmless = judge(lookalike);
      assert.ok(harmless.confidence < BLOCKED, `look-alike ${harmless.confidence} ${harmless.rule}`);
    });
  }
});

/** `~` stands for the white space of a tag, `CALL` for the code. */
const ATTACKS = {
  image: "<img~src=x~onerror=CALL>",
  svg: "<svg~onload=CALL>",
  body: "<body~onload='CALL'>",
  details: '<details~open~ontoggle="CALL">',
  input: "<input~autofocus~onfocus=CALL>",
  video: "<video><source~onerror=CALL></video>",
  script: "<script>CALL</script>",
  scriptSource: "<script~src=//evil.example></script>",
  frame: "<iframe~src=javascript:CALL></iframe>",
  link: "<a~href='javascript:CALL'>x</a>",
  action: "<form><button~formaction=javascript:CALL>x</button></form>",
  srcdoc: "<iframe~srcdoc='<script>CALL</script>'></iframe>",
  meta: "<meta~http-equiv=refresh~content='0;url=javascript:CALL'>",
  math: "<math~href=javascript:CALL>x</math>",
  animate: "<svg><animate~onbegin=CALL~attributeName=x~dur=1s>",
  double: '" onmouseover=CALL x="',
  single: "' onfocus='CALL' autofocus '",
  literal: "';CALL//",
  operator: '"-CALL-"',
  template: "{{constructor.constructor('CALL')()}}",
} as const;

/** The text with its marks filled in. */
const finish = (text: string): string => text.replaceAll("~", " ").replace("CALL", "alert(1)");
const escapeAll = (text: string, one: (code: number) => string): string =>
  [...finish(text)]
    .map((character) => (/[A-Za-z0-9 ]/.test(character) ? character : one(character.charCodeAt(0))))
    .join("");
const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");
/** Names of elements, attributes and schemes in mixed case; code and references as they are. */
const mixCase = (text: string): string =>
  text.replace(/(<\/?[a-z]+|[a-z-]+(?==)|javascript:)/g, (name) =>
    [...name].map((letter, index) => (index % 2 ? letter.toUpperCase() : letter)).join(""),
  );

/** Each keeps what the attack means, somewhere. They apply in this order. */
const OBFUSCATIONS: Record<string, (text: string) => string> = {
  unicodeName: (text) => text.replace("CALL", "\\u0061lert(1)"),
  parentheses: (text) => text.replace("CALL", "(alert)(1)"),
  property: (text) =>
    text.startsWith("'") || /'[^']*CALL/.test(text) ? text : text.replace("CALL", "top['al'+'ert'](1)"),
  backticks: (text) => text.replace("CALL", "alert`1`"),
  comment: (text) => text.replace("CALL", "alert/**/(1)"),
  references: (text) => (/=[^<>]*CALL/.test(text) ? text.replace("CALL", "&#x61;&#108;ert(1)") : text),
  tab: (text) => text.replaceAll("~", "\t"),
  newline: (text) => text.replaceAll("~", "\n"),
  slash: (text) => text.replace(/<(\w+)~/g, "<$1/"),
  spaces: (text) => text.replaceAll("~", "  \f "),
  mixedCase: mixCase,
  closesQuote: (text) => (text.startsWith("<") ? `x">${text}` : text),
  closesText: (text) => (text.startsWith("<") ? `</title></textarea>${text}` : text),
  openTag: (text) => text.replace(/>(x<\/\w+>)?$/, ""),
  percent: (text) => encodeURIComponent(finish(text)),
  percentTwice: (text) => encodeURIComponent(encodeURIComponent(finish(text))),
  entities: (text) => escapeAll(text, (code) => `&#${code};`),
  unicodeEscapes: (text) => escapeAll(text, (code) => `\\u${hex(code, 4)}`),
  hexEscapes: (text) => escapeAll(text, (code) => `\\x${hex(code, 2)}`),
  fullWidth: (text) => text.replaceAll("<", "＜").replaceAll(">", "＞"),
};

suite("xss obfuscations", () => {
  const names = Object.keys(OBFUSCATIONS);
  for (const [id, attack] of Object.entries(ATTACKS)) {
    test(`${id}: alone, and under each one and each pair of ${names.length} obfuscations`, () => {
      assert.ok(judge(finish(attack)).confidence >= BLOCKED, "alone");
      const missed: string[] = [];
      names.forEach((first, index) => {
        for (const second of names.slice(index)) {
          const once = OBFUSCATIONS[first]?.(attack) ?? attack;
          const text = finish(first === second ? once : (OBFUSCATIONS[second]?.(once) ?? once));
          const { confidence } = judge(text);
          if (confidence < BLOCKED) missed.push(`${first} ${second} ${confidence}: ${text}`);
        }
      });
      assert.deepEqual(missed, []);
    });
  }
});

suite("xss bounds", () => {
  const pieces = [
    "<", ">", "</", "<!--", "-->", "<script>", "</script>", "<svg ", "onload=", "on", "=", '"', "'", "`", "/", "//", "/*", "*/", "\\",
    "\\u0061", "{{", "}}", "${", "}", "alert", "(", ")", "[", "]", "1", ";", ",", "+", "-", "&#97;", "&lt;", " ", "\n", "\0", "\xff",
    "javascript:", "style=", "expression(", "```", "<style>", "é", "a".repeat(70), "constructor", ".", "?.", "!", ":",
  ]; // prettier-ignore

  test("any bytes are judged without a trap, alike wherever they stand and whatever stands behind them", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), (list) => {
        const value = list.join("");
        const first = judge(value);
        const [start, end] = probe.write(`${value}');alert(1)//<svg onload=alert(1)>`);
        const size = new TextEncoder().encode(value).length;
        assert.ok(end > start + size);
        assert.equal(probe.exports.judge(start, start + size, 1), first.confidence);
        assert.ok(first.confidence <= 100);
      }),
      { numRuns: 3000 },
    );
  });

  test("a repeated piece fills 16 KiB and is judged in time that grows with its length only", () => {
    const time = (value: string): number => {
      const began = process.hrtime.bigint();
      judge(value);
      return Number(process.hrtime.bigint() - began) / 1e6;
    };
    for (const piece of [
      ...pieces,
      "<a b='",
      "<a b=",
      "<a ",
      "<script><",
      "<!--<",
      "`a",
      "'-a(",
      "{{a",
      "${a(",
      "*/",
      "a:",
      "style='",
      "\n```",
    ]) {
      const value = piece.repeat(Math.ceil(16_384 / piece.length)).slice(0, 16_000);
      time(value);
      const long = Math.min(...[1, 2, 3].map(() => time(value)));
      assert.ok(long < 400, `${JSON.stringify(piece)}: ${long.toFixed(1)} ms in a checked build`);
    }
  });
});
