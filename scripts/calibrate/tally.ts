/**
 * What a labelled corpus says of each rule: how sure it is that a request with a finding of it is an attack, beside the confidence
 * that the rule claims. Counts only, whatever the corpus's size.
 *
 *   odds     = (attacks + ½) / (all attacks + 1)  :  (benign + ½) / (all benign + 1)          as if both were equally frequent
 *   log odds of a rule, drawn towards its class, and of a class, drawn towards even, as far as they are uncertain:
 *              (ln odds / v + of the class / SPREAD²) / (1 / v + 1 / SPREAD²)                 v = 1 / (attacks + ½) + 1 / (benign + ½)
 *   share    = odds / (1 + odds)
 *
 * so a rule with few findings is taken for one of its class, and one with none has the share of its class. It is checked on sources
 * that it was not measured on: lines of one list resemble each other, so a random half would confirm anything.
 */
import { createHash } from "node:crypto";
import type { Rates } from "../generate/rates.ts";

/** How far the rules of a class differ, and classes from even odds: standard deviations, in log odds. */
const RULE_SPREAD = 1;
const CLASS_SPREAD = 2;
/** Parts that the sources are dealt to. */
export const FOLDS = 5;
/** The least confidence of a finding that is listed, and of one that `balanced` refuses. */
const LISTED = 20;
export const REFUSED = 60;

/** What is known of a rule: rules/*.yaml. */
export interface KnownRule {
  id: string;
  class: string;
  confidence: number;
}

/** One request of the corpus, and what was found in it. */
export interface Sample {
  /** The class of an attack; null for a benign request. */
  attack: string | null;
  /** Of a benign request: whether it is of a hard kind. */
  hard: boolean;
  source: string;
  refused: boolean;
  /** Highest confidence first. */
  findings: readonly { rule: string; class: string; confidence: number }[];
}

/** Requests with a finding, by what they are. */
interface Counts {
  attacks: number;
  benign: number;
}
const none = (): Counts => ({ attacks: 0, benign: 0 });

interface RuleTally {
  own: number;
  others: number;
  ordinary: number;
  hard: number;
  /** Sum of the confidences of its findings, the surest of each request. */
  told: number;
  /** Findings that are full: as sure as the rule itself, none of its confidence lost to what stands around; by fold. */
  full: Counts[];
}

export interface Tally {
  attacks: Map<string, { attacks: number; refused: number }>;
  benign: { ordinary: number; hard: number };
  /** All requests, by fold. */
  totals: Counts[];
  /** Benign requests refused, by the class of the surest finding. */
  wrong: Map<string, { ordinary: number; hard: number }>;
  sources: Set<string>;
  rules: Map<string, RuleTally>;
  /** Requests by their surest finding: 20–29, 30–39, … 90–100. */
  bins: Counts[];
}

export const newTally = (): Tally => ({
  attacks: new Map(),
  benign: { ordinary: 0, hard: 0 },
  totals: Array.from({ length: FOLDS }, none),
  wrong: new Map(),
  sources: new Set(),
  rules: new Map(),
  bins: Array.from({ length: 8 }, none),
});

/** The part that a source is dealt to: all of its lines, whatever else is in the corpus. */
export const foldOf = (source: string): number => createHash("sha256").update(source).digest()[0]! % FOLDS;

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

export function add(tally: Tally, known: ReadonlyMap<string, KnownRule>, sample: Sample): void {
  const { attack, hard, source, refused, findings } = sample;
  const kind = hard ? "hard" : "ordinary";
  const label = attack === null ? "benign" : "attacks";
  tally.sources.add(source);
  tally.totals[foldOf(source)]![label]++;
  if (attack === null) tally.benign[kind]++;
  else {
    const count = entry(tally.attacks, attack, () => ({ attacks: 0, refused: 0 }));
    count.attacks++;
    if (refused) count.refused++;
  }
  const [surest] = findings;
  if (surest === undefined || surest.confidence < LISTED) return;
  tally.bins[Math.min(7, Math.floor(surest.confidence / 10) - 2)]![label]++;
  if (attack === null && refused) entry(tally.wrong, surest.class, () => ({ ordinary: 0, hard: 0 }))[kind]++;
  const seen = new Set<string>();
  for (const { rule, confidence } of findings) {
    // Of several findings of a rule the first is the surest.
    if (seen.has(rule) || confidence < LISTED) continue;
    seen.add(rule);
    const { class: own, confidence: claimed } = known.get(rule)!;
    const count = entry(tally.rules, rule, () => ({
      ...{ own: 0, others: 0, ordinary: 0, hard: 0, told: 0 },
      full: Array.from({ length: FOLDS }, none),
    }));
    count[attack === null ? kind : attack === own ? "own" : "others"]++;
    count.told += confidence;
    if (confidence >= claimed) count.full[foldOf(source)]![label]++;
  }
}

interface Estimate {
  logOdds: number;
  variance: number;
}

/** What `counts` of `totals` say by themselves. */
export function estimate(counts: Counts, totals: Counts): Estimate {
  const attacks = counts.attacks + 0.5;
  const benign = counts.benign + 0.5;
  return {
    logOdds: Math.log(attacks / (totals.attacks + 1)) - Math.log(benign / (totals.benign + 1)),
    variance: 1 / attacks + 1 / benign,
  };
}

/** Log odds drawn towards `centre`, from which its like differ by `spread`. */
export function drawn({ logOdds, variance }: Estimate, centre: number, spread: number): number {
  const [own, others] = [1 / variance, 1 / spread ** 2];
  return (logOdds * own + centre * others) / (own + others);
}

const sum = (counts: Iterable<Counts>): Counts => {
  const total = none();
  for (const { attacks, benign } of counts) {
    total.attacks += attacks;
    total.benign += benign;
  }
  return total;
};

export interface RuleRow extends KnownRule {
  own: number;
  others: number;
  ordinary: number;
  hard: number;
  /** Mean confidence of its findings; null where there is none. */
  told: number | null;
  /** What part of the requests with a full finding of it would be attacks, if attacks and benign ones were equally frequent; 0–1. */
  share: number;
  /** The least and the most that `share` is where one fold is left out. */
  range: [number, number];
  /** Full findings behind it. */
  findings: number;
  suggested: number;
}

/** No rule is surer than what the corpus could show, or than its author can know. */
const suggestion = (share: number): number => Math.max(1, Math.min(97, Math.round(100 * share)));

/** Every known rule, in the order of `rules`. */
export function ruleRows(tally: Tally, rules: readonly KnownRule[]): RuleRow[] {
  const shares = sharesOf(tally, rules);
  const parts = Array.from({ length: FOLDS }, (_, fold) => sharesOf(tally, rules, fold));
  return rules.map(({ id, class: name, confidence }, index) => {
    const { own, others, ordinary, hard, told } = tally.rules.get(id) ?? NOTHING;
    const all = own + others + ordinary + hard;
    const { attacks, benign } = fullOf(tally, id);
    const share = shares[index]!;
    const range = parts.map((part) => part[index]!);
    return {
      ...{ id, class: name, confidence, own, others, ordinary, hard, share },
      told: all === 0 ? null : told / all,
      range: [Math.min(...range), Math.max(...range)],
      findings: attacks + benign,
      suggested: suggestion(share),
    };
  });
}

const NOTHING = { own: 0, others: 0, ordinary: 0, hard: 0, told: 0 };

const withoutFold = (counts: readonly Counts[], without?: number): Counts =>
  sum(counts.filter((_, fold) => fold !== without));

const fullOf = (tally: Tally, id: string, without?: number): Counts =>
  withoutFold(tally.rules.get(id)?.full ?? [], without);

/** The share of each of `rules`, of all sources or without those of a fold. */
function sharesOf(tally: Tally, rules: readonly KnownRule[], without?: number): number[] {
  const totals = withoutFold(tally.totals, without);
  const classes = new Map<string, Counts>();
  for (const { id, class: name } of rules) {
    classes.set(name, sum([classes.get(name) ?? none(), fullOf(tally, id, without)]));
  }
  return rules.map(({ id, class: name }) => {
    const ofClass = drawn(estimate(classes.get(name)!, totals), 0, CLASS_SPREAD);
    const counts = fullOf(tally, id, without);
    const isNothing = counts.attacks + counts.benign === 0;
    const logOdds = isNothing ? ofClass : drawn(estimate(counts, totals), ofClass, RULE_SPREAD);
    return 1 / (1 + Math.exp(-logOdds));
  });
}

/**
 * Mean squared error (Brier) of full findings on sources left out, attacks and benign requests weighed as if both were equally
 * frequent: of the confidence that rules claim, and of the share that the other sources suggest. 0 is perfect, 0.25 knows nothing.
 */
export function heldOutError(tally: Tally, rules: readonly KnownRule[]): { claimed: number; measured: number } {
  let [claimed, measured, weight] = [0, 0, 0];
  const all = sum(tally.totals);
  for (let fold = 0; fold < FOLDS; fold++) {
    const shares = sharesOf(tally, rules, fold);
    for (const [index, { id, confidence }] of rules.entries()) {
      const counts = tally.rules.get(id)?.full[fold] ?? none();
      const attacks = counts.attacks / (all.attacks + 1);
      const benign = counts.benign / (all.benign + 1);
      const error = (told: number): number => attacks * (1 - told) ** 2 + benign * told ** 2;
      claimed += error(confidence / 100);
      measured += error(shares[index]!);
      weight += attacks + benign;
    }
  }
  return weight === 0 ? { claimed: 0, measured: 0 } : { claimed: claimed / weight, measured: measured / weight };
}

/** One line of the reliability table: requests whose surest finding is `from`–`to`. */
export interface Bin extends Counts {
  from: number;
  to: number;
  /** What part are attacks, if attacks and benign requests were equally frequent, 0–1; null where there are none. */
  share: number | null;
}

export function reliability(tally: Tally): Bin[] {
  const all = sum(tally.totals);
  return tally.bins.map(({ attacks, benign }, index) => {
    const [hits, wrong] = [attacks / (all.attacks + 1), benign / (all.benign + 1)];
    const share = hits + wrong === 0 ? null : hits / (hits + wrong);
    return { from: 20 + 10 * index, to: index === 7 ? 100 : 29 + 10 * index, attacks, benign, share };
  });
}

/** What is committed: docs/results/rates.yaml. */
export function ratesOf(tally: Tally, rules: readonly KnownRule[], date: string): Rates {
  const classes = [...new Set(rules.map((rule) => rule.class))];
  const attacks = [...tally.attacks.values()].reduce((total, count) => total + count.attacks, 0);
  return {
    date,
    corpus: { attacks, ...tally.benign, sources: tally.sources.size },
    classes: Object.fromEntries(
      classes.map((name) => [
        name,
        {
          ...(tally.attacks.get(name) ?? { attacks: 0, refused: 0 }),
          ...(tally.wrong.get(name) ?? { ordinary: 0, hard: 0 }),
        },
      ]),
    ),
    rules: Object.fromEntries(
      ruleRows(tally, rules)
        .filter(({ told }) => told !== null)
        .map(({ id, own, others, ordinary, hard }) => [id, { own, others, ordinary, hard }]),
    ),
  };
}
