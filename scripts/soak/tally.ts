/** What became of the streams of a soak, as the client saw it, against what the module counted. */
import type { SoakRequest } from "./traffic.ts";

/** How a stream ended for the client: with Meshward's 403, in the upstream's answer, or because the client left. */
export type Fate = "refused" | "passed" | "left";

/** Counts by outcome, `meshward_requests_total`; and by what was full, `meshward_overflow_total`. */
export interface Counters {
  outcomes: ReadonlyMap<string, number>;
  overflows: ReadonlyMap<string, number>;
}

/** Bounds that no soak comes near, unless something is not given back. */
const LOST = ["streams", "values", "findings", "headers"];
/** Surprises that are told one by one. */
const MAX_PROBLEMS = 5;

export class Tally {
  readonly fates: Record<Fate, number> = { refused: 0, passed: 0, left: 0 };
  readonly problems: string[] = [];
  #watched = 0;
  #surprises = 0;

  get streams(): number {
    return this.fates.refused + this.fates.passed + this.fates.left;
  }

  /** Notes the end of stream `index`. */
  add({ kind, expect, breaksOff, watched }: SoakRequest, fate: Fate, index: number): void {
    this.fates[fate]++;
    if (watched) this.#watched++;
    const wanted = expect === "refused" ? "refused" : breaksOff ? "left" : "passed";
    if (fate === wanted || (expect === "either" && fate !== "left")) return;
    this.#surprises++;
    if (this.#surprises <= MAX_PROBLEMS) this.problems.push(`stream ${index} (${kind}): ${fate}, not ${wanted}`);
  }

  /** What the module counted, if it is not what happened. */
  compare({ outcomes, overflows }: Counters): string[] {
    const { refused, passed, left } = this.fates;
    const expected = {
      denied: refused,
      would_deny: this.#watched,
      allowed: passed + left - this.#watched,
      partial: 0,
      error: 0,
    };
    const wrong = Object.entries(expected)
      .map(([outcome, count]) => [outcome, count, outcomes.get(outcome) ?? 0] as const)
      .filter(([, count, seen]) => count !== seen)
      .map(([outcome, count, seen]) => `${outcome} is counted ${seen} times and happened ${count} times`);
    const lost = LOST.filter((what) => (overflows.get(what) ?? 0) !== 0);
    return [
      ...this.problems,
      ...(this.#surprises > MAX_PROBLEMS ? [`and ${this.#surprises - MAX_PROBLEMS} more like these`] : []),
      ...wrong,
      ...lost.map((what) => `the module ran out of "${what}" ${overflows.get(what)} times`),
    ];
  }

  text({ overflows }: Counters): string {
    const { refused, passed, left } = this.fates;
    const noted = [...overflows].filter(([, count]) => count > 0).map(([what, count]) => `${what} ${count}`);
    return `${passed} passed (${this.#watched} watched), ${refused} refused, ${left} broken off; noted: ${noted.join(", ") || "nothing"}`;
  }
}
