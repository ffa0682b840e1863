/** What was found against what is planted, as a table of 79 columns. */
import type { Finding } from "../../collector/api.ts";
import { printable } from "../envoy/printable.ts";
import type { Planted } from "./planted.ts";
import type { Paint } from "./table.ts";

/** A planted flaw with the best that was said of it; null where nothing was. */
export interface FoundRow {
  planted: Planted;
  finding: Finding | null;
  ok: boolean;
}

export interface Found {
  rows: FoundRow[];
  /** Nobody planted these. */
  others: Finding[];
  /** Attacks of the tour that came to nothing. */
  attempts: number;
}

const STAGES = ["attempted", "likely", "confirmed"] as const;
const rank = ({ stage }: Pick<Finding, "stage">): number => STAGES.indexOf(stage);
const placeOf = ({ service, method, route }: Finding): string => `${service} ${method} ${route}`;

/** Where a rule stands among those that tell a flaw; -1: it does not. */
const order = ({ rules }: Planted, { rule }: Finding): number =>
  rules.findIndex((told) => (told.endsWith("-") ? rule.startsWith(told) : rule === told));

const tells = (planted: Planted, finding: Finding): boolean =>
  placeOf(finding) === planted.at && order(planted, finding) >= 0;

/** `traces`: of the tour's requests. */
export function compare(planted: readonly Planted[], findings: readonly Finding[], traces: ReadonlySet<string>): Found {
  const rows = planted.map((flaw) => {
    const told = findings
      .filter((finding) => tells(flaw, finding))
      .sort((a, b) => rank(b) - rank(a) || order(flaw, a) - order(flaw, b));
    const finding = told[0] ?? null;
    const isFromThere = flaw.from === undefined || finding?.hops[0]?.startsWith(`${flaw.from} `) === true;
    return { planted: flaw, finding, ok: finding !== null && isFromThere && rank(finding) >= rank(flaw) };
  });
  const unplanted = findings.filter((finding) => !planted.some((flaw) => tells(flaw, finding)));
  // An attack is one, whatever comes of it: that it was tried is no flaw of the service.
  const isTried = ({ stage, trace_id: trace }: Finding): boolean =>
    stage === "attempted" && trace !== null && traces.has(trace);
  return {
    rows,
    others: unplanted.filter((finding) => !isTried(finding)),
    attempts: unplanted.filter(isTried).length,
  };
}

const WIDTH = 79;
const WHAT = 20;
const PLACE = 20;
const RULE = 27;

const line = (what: string, place: string, rule: string): string =>
  [printable(what, WHAT).padEnd(WHAT), printable(place, PLACE).padEnd(PLACE), printable(rule, RULE).padEnd(RULE)].join(
    " ",
  );

/** The table's lines: a part for each service, then what nobody planted. */
export function foundLines({ rows, others }: Found, paint: Paint): string[] {
  const lines: string[] = [];
  let service = "";
  for (const { planted, finding, ok } of rows) {
    const [at = "", ...place] = planted.at.split(" ");
    if (at !== service) {
      if (service !== "") lines.push("");
      lines.push(paint("bold", `${line(`PLANTED IN ${at.toUpperCase()}`, "", "FOUND AS")} STAGE`));
      service = at;
    }
    const told = line(planted.what, place.join(" "), finding?.rule ?? "-");
    const stage = finding?.stage ?? "nothing";
    lines.push(ok ? `${told} ${paint("green", stage)}` : paint("red", `${told} ${stage.toUpperCase()}`));
    // "edge GET /stock query item": where, and in which field.
    const way = (finding?.hops ?? []).slice(0, -1).map((hop) => hop.split(" ").slice(0, 3).join(" "));
    if (way.length > 0) lines.push(paint("dim", printable(`  by way of ${way.join(", ")}`, WIDTH)));
  }
  if (others.length > 0) lines.push("", paint("bold", `${line("NOT PLANTED", "", "FOUND AS")} STAGE`));
  for (const { service: at, method, route, rule, stage } of others) {
    lines.push(paint("red", `${line(at, `${method} ${route}`, rule)} ${stage}`));
  }
  return lines;
}

/** The last lines. */
export function countLines({ rows, others, attempts }: Found): string[] {
  return [
    `${rows.filter(({ ok }) => ok).length} of ${rows.length} planted flaws found; ${others.length} findings that nobody planted.`,
    `${attempts} attacks came to nothing, on the ${rows.length} look-alikes and on the way to them.`,
  ];
}

export const isAsPlanted = ({ rows, others }: Found): boolean => others.length === 0 && rows.every(({ ok }) => ok);
