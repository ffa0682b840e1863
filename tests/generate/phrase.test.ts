// The language of phrases, and that the module finds what it says.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { readPhrase } from "../../scripts/generate/phrase.ts";
import { readRuleFile } from "../../scripts/generate/rule-file.ts";
import { buildProbe } from "../probe/build.ts";

interface PhrasesProbe {
  findPhraseIn(start: number, end: number, first: number): number;
  foundEnd(): number;
  foundRule(): number;
  holdsAWord(start: number, end: number, how: number): number;
}

const RULES = new URL("../../rules/", import.meta.url);
const { exports: module, write } = await buildProbe<PhrasesProbe>("phrases");

test("a phrase is read as bytes and steps", () => {
  assert.deepEqual(readPhrase("ORA-#").steps, [79, 82, 65, 45, 0x80]);
  assert.deepEqual(readPhrase("near*: x").steps, [110, 101, 97, 114, 0x81, 58, 32, 120]);
  assert.deepEqual(readPhrase("ghp_\\w{36}").steps.slice(4), [0x85, 36, 36]);
  assert.deepEqual(readPhrase("ghr_\\w{36,}").steps.slice(4), [0x85, 36, 255]);
  assert.deepEqual(readPhrase("sk_a\\d{1,9}").steps.slice(4), [0x82, 1, 9]);
  assert.deepEqual(readPhrase("^ \\# HELP").steps.slice(0, 3), [35, 32, 72]);
  assert.deepEqual(
    [readPhrase("! abcd").sure, readPhrase("^ abcd").first, readPhrase("abcd").sure],
    [true, true, false],
  );
});

test("what is no phrase is refused with a reason", () => {
  for (const [text, reason] of [
    ["abc", /4 characters/],
    ["ab#d", /4 characters/],
    ["abcd*", /behind a \*/],
    ["abcd*#", /behind a \*/],
    ["abcd\\q{3}", /no class/],
    ["abcd\\d", /doubled/],
    ["abcd\\d{9,3}", /count/],
    ["abcd\\d{300}", /count/],
    ["abcdé", /ASCII/],
    ["a".repeat(256), /too long/],
  ] as const) {
    assert.throws(() => readPhrase(text), reason, text);
  }
});

/** A text that the phrase matches: least counts, nothing for a star. */
function sampleOf(steps: readonly number[]): string {
  let text = "";
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at]!;
    if (step < 0x80) text += String.fromCharCode(step);
    else if (step === 0x80) text += "7";
    else if (step >= 0x82) {
      text += (step === 0x82 + 7 ? " " : "7").repeat(steps[at + 1]!);
      at += 2;
    }
  }
  return text;
}

test("the module finds each phrase of each rule, between others' bytes and cut at its end", async () => {
  let count = 0;
  for (const name of await readdir(RULES)) {
    if (!name.endsWith(".yaml") || name === "kinds.yaml") continue;
    for (const rule of readRuleFile(name, await readFile(new URL(name, RULES), "utf8")).data.rules) {
      for (const phrase of rule.phrases ?? []) {
        const { steps, first } = readPhrase(phrase);
        const sample = sampleOf(steps);
        const [start, end] = write(`${first ? "" : "~ "}${sample}~`);
        const begin = first ? start : start + 2;
        const at = module.findPhraseIn(start, end, start);
        assert.equal(at, begin, phrase);
        assert.ok(module.foundEnd() <= end, phrase);
        count++;
        if (first) {
          const [from, to] = write(`~ ${sample}~`);
          const found = module.findPhraseIn(from, to, from);
          assert.ok(found === to || found !== from + 2 || module.foundRule() !== rule.code, `${phrase} begins no body`);
        }
        const [short, shortEnd] = write(sample.slice(0, -1));
        const cut = module.findPhraseIn(short, shortEnd, short);
        assert.ok(cut === shortEnd || module.foundEnd() <= shortEnd, phrase);
      }
    }
  }
  assert.ok(count > 300);
});

test("counts are exact: none of the class may follow", () => {
  const find = (text: string): boolean => {
    const [start, end] = write(text);
    return module.findPhraseIn(start, end, start) === start && module.foundRule() === 3002;
  };
  const token = "ghp_SulEETldq8b8Vw2zbJYAxyL1aCcTlN99mhWp";
  assert.ok(find(token));
  assert.ok(find(`${token}-`));
  assert.ok(!find(`${token}x`));
  assert.ok(!find(token.slice(0, -1)));
});

test("lists are compared without case, except in long texts", () => {
  const holds = (text: string, how: number): boolean => module.holdsAWord(...write(text), how) === 1;
  for (const text of ["the PRE of", "code"]) assert.ok(holds(text, 0), text);
  assert.ok(!holds("cod", 0));
  assert.ok(holds("pre x", 1) && !holds("x pre", 1));
  assert.ok(holds("/a/b.BAK", 2) && !holds("/a/b.bakx", 2));
  assert.ok(holds("x".repeat(100) + "Parent Directory", 3) && !holds("parent directory", 3));
  assert.ok(holds("PassWd", 4) && !holds("passwd1", 4));
});
