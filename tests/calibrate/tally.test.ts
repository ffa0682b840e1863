// The mathematics of `npm run calibrate`, on corpora small enough for pencil and paper.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  add,
  drawn,
  estimate,
  foldOf,
  FOLDS,
  heldOutError,
  newTally,
  ratesOf,
  reliability,
  ruleRows,
  type KnownRule,
  type Sample,
} from "../../scripts/calibrate/tally.ts";
import { calibrationText } from "../../scripts/calibrate/text.ts";

const RULES: KnownRule[] = [
  { id: "sqli-sure", class: "sqli", confidence: 80 },
  { id: "sqli-rare", class: "sqli", confidence: 90 },
  { id: "xss-noisy", class: "xss", confidence: 70 },
  { id: "xss-never", class: "xss", confidence: 60 },
];
const known = new Map(RULES.map((rule) => [rule.id, rule]));
const near = (actual: number, wanted: number): void => assert.ok(Math.abs(actual - wanted) < 5e-4, `${actual}`);

/** One source for each fold. */
const SOURCES = Array.from({ length: FOLDS }, (_, fold) => {
  for (let number = 0; ; number++) if (foldOf(`list ${number}`) === fold) return `list ${number}`;
});

const tallyOf = (samples: Partial<Sample>[]): ReturnType<typeof newTally> => {
  const tally = newTally();
  for (const [index, sample] of samples.entries()) {
    const source = SOURCES[index % FOLDS]!;
    add(tally, known, { attack: null, hard: false, source, refused: false, findings: [], ...sample });
  }
  return tally;
};

const times = <Value>(count: number, value: Value): Value[] => Array<Value>(count).fill(value);
const finding = (rule: string, confidence: number) => ({ rule, class: rule.split("-")[0]!, confidence });

/** 100 attacks and 100 benign requests: 50 attacks have a finding of sqli-sure; xss-noisy is in 10 of each. */
const corpus = tallyOf([
  ...times(50, { attack: "sqli", refused: true, findings: [finding("sqli-sure", 80)] }),
  ...times(10, { attack: "xss", refused: true, findings: [finding("xss-noisy", 72), finding("sqli-sure", 45)] }),
  ...times(40, { attack: "xss" }),
  ...times(5, { hard: true, refused: true, findings: [finding("xss-noisy", 70)] }),
  ...times(5, { refused: true, findings: [finding("xss-noisy", 70), finding("xss-noisy", 20)] }),
  ...times(5, { findings: [finding("sqli-sure", 30)] }),
  ...times(85, {}),
]);

test("odds are those of a corpus with as many attacks as benign requests", () => {
  const totals = { attacks: 99, benign: 9 };
  // 50.5/100 : 0.5/10
  near(estimate({ attacks: 50, benign: 0 }, totals).logOdds, Math.log(10.1));
  near(estimate({ attacks: 50, benign: 0 }, totals).variance, 1 / 50.5 + 2);
  // Halfway where both are as uncertain, nowhere near the middle where one is sure.
  near(drawn({ logOdds: 4, variance: 1 }, 0, 1), 2);
  near(drawn({ logOdds: 4, variance: 0.01 }, 0, 1), 4 / 1.01);
});

test("a rule is as sure as its findings, those that lost confidence aside; with few it is as sure as its class", () => {
  const rows = new Map(ruleRows(corpus, RULES).map((row) => [row.id, row]));
  const sure = rows.get("sqli-sure")!;
  assert.deepEqual([sure.own, sure.others, sure.ordinary, sure.hard, sure.findings], [50, 10, 5, 0, 50]);
  near(sure.told!, (50 * 80 + 10 * 45 + 5 * 30) / 65);
  // ln(50.5 : 0.5) = 4.615 with variance 2.020; the class is drawn to 3.067, the rule to 3.579.
  near(sure.share, 1 / (1 + Math.exp(-3.5791)));
  assert.equal(sure.suggested, 97);
  // No finding of its own.
  near(rows.get("sqli-rare")!.share, 1 / (1 + Math.exp(-3.0666)));
  assert.equal(rows.get("sqli-rare")!.told, null);
  const noisy = rows.get("xss-noisy")!;
  assert.deepEqual([noisy.own, noisy.others, noisy.ordinary, noisy.hard], [10, 0, 5, 5]);
  near(noisy.share, 0.5);
  assert.equal(noisy.suggested, 50);
  for (const { share, range } of rows.values()) assert.ok(range[0] <= share + 0.02 && share - 0.02 <= range[1]);
});

test("the reliability of a confidence is what part of the requests that have it are attacks", () => {
  assert.deepEqual(
    reliability(corpus).map(({ from, to, attacks, benign, share }) => [from, to, attacks, benign, share]),
    [
      [20, 29, 0, 0, null],
      [30, 39, 0, 5, 0],
      [40, 49, 0, 0, null],
      [50, 59, 0, 0, null],
      [60, 69, 0, 0, null],
      [70, 79, 10, 10, 0.5],
      [80, 89, 50, 0, 1],
      [90, 100, 0, 0, null],
    ],
  );
});

test("what one source alone says is not confirmed by the others", () => {
  // Each rule's findings are of one source only; left out, nothing is known of it but its class.
  const alone = tallyOf([]);
  for (let index = 0; index < 100; index++) {
    const attack = index % 2 === 0 ? "xss" : null;
    const findings = index < 20 ? [finding("xss-noisy", 70)] : [];
    const source = index < 20 ? SOURCES[0]! : SOURCES[index % FOLDS]!;
    add(alone, known, { attack, hard: false, source, refused: false, findings });
  }
  const [row] = ruleRows(alone, RULES).filter(({ id }) => id === "xss-noisy");
  near(row!.share, 0.5);
  // 10 attacks and 10 benign requests, claimed 0.7: 0.09 and 0.49.
  near(heldOutError(alone, RULES).claimed, 0.29);
  near(heldOutError(alone, RULES).measured, 0.25);
  assert.ok(heldOutError(corpus, RULES).measured < heldOutError(corpus, RULES).claimed);
});

test("rates are counts of requests, and the text has every rule", () => {
  const { corpus: sizes, classes, rules } = ratesOf(corpus, RULES, "2026-11-22");
  assert.deepEqual(sizes, { attacks: 100, ordinary: 95, hard: 5, sources: FOLDS });
  assert.deepEqual(classes, {
    sqli: { attacks: 50, refused: 50, ordinary: 0, hard: 0 },
    xss: { attacks: 50, refused: 10, ordinary: 5, hard: 5 },
  });
  assert.deepEqual(Object.keys(rules), ["sqli-sure", "xss-noisy"]);
  const text = calibrationText(corpus, RULES);
  for (const { id } of RULES) assert.ok(text.includes(id), id);
  assert.match(text, /^xss-noisy .* 50 +!$/m);
});
