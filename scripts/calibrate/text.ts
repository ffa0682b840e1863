/** The calibration as tables for people. */
import { REFUSED, heldOutError, reliability, ruleRows, type KnownRule, type RuleRow, type Tally } from "./tally.ts";

/** Full findings from which on a rule's share is its own rather than its class's. */
const ENOUGH = 10;

const percent = (share: number): string => (100 * share).toFixed(0);

function ruleLine(row: RuleRow): string {
  const { id, confidence, told, own, others, ordinary, hard, share, range, findings, suggested } = row;
  // Above 60 a rule refuses by itself: that it must not, or could, is worth a look. How far above, few corpora can tell.
  const crosses = findings >= ENOUGH && confidence < REFUSED !== suggested < REFUSED;
  return [
    id.padEnd(30),
    String(own).padStart(6),
    String(others).padStart(7),
    String(ordinary).padStart(9),
    String(hard).padStart(5),
    (told === null ? "–" : told.toFixed(0)).padStart(5),
    String(findings).padStart(5),
    `${percent(share)} (${percent(range[0])}–${percent(range[1])})`.padStart(13),
    String(confidence).padStart(8),
    String(suggested).padStart(10),
    crosses ? " !" : "",
  ].join(" ");
}

export function calibrationText(tally: Tally, rules: readonly KnownRule[]): string {
  const attacks = [...tally.attacks.values()].reduce((total, count) => total + count.attacks, 0);
  const { ordinary, hard } = tally.benign;
  const { claimed, measured } = heldOutError(tally, rules);
  const bins = reliability(tally).map(
    ({ from, to, attacks: hits, benign, share }) =>
      `${`${from}–${to}`.padEnd(8)} ${String(hits).padStart(7)} ${String(benign).padStart(7)} ${(share === null ? "–" : `${(100 * share).toFixed(1)}%`).padStart(8)}`,
  );
  return [
    `${attacks} attacks, ${ordinary} ordinary and ${hard} hard benign requests, of ${tally.sources.size} sources`,
    "",
    "Requests with a finding of each rule; told: its mean confidence. Full: findings as sure as the rule itself, and what part of them",
    "would be attacks if benign requests were as frequent, in % (and where a fifth of the sources is left out); the confidence that the",
    "rule has, and the one that this suggests.",
    "",
    `${"rule".padEnd(30)} ${"own".padStart(6)} ${"others".padStart(7)} ${"ordinary".padStart(9)} ${"hard".padStart(5)} ${"told".padStart(5)} ${"full".padStart(5)} ${"attacks, %".padStart(13)} ${"has".padStart(8)} ${"suggested".padStart(10)}`,
    ...ruleRows(tally, rules).map(ruleLine),
    "",
    "Requests by their surest finding",
    "",
    `${"".padEnd(8)} ${"attacks".padStart(7)} ${"benign".padStart(7)} ${"% *".padStart(8)}`,
    ...bins,
    "* attacks, if benign requests were as frequent",
    "",
    `mean squared error of full findings on sources left out: ${claimed.toFixed(4)} as rules claim, ${measured.toFixed(4)} as measured`,
  ].join("\n");
}
