/**
 * What was found against what is there: a manifest and findings, to a table by class, by slice and by rule.
 *
 * A finding belongs to the entry whose request it was made of, or, where only its place is known, to the entry of that
 * place. It is right if it has the entry's class (or another that says the same, `accept`), aside from the point if it
 * has one that is true besides (`also`), and otherwise wrong, if it says `likely` or more; so it is at a look-alike and
 * where nothing is planted at all. An `attempted` is never wrong: an attack is one, whatever becomes of it.
 */
import { atLeast, SETS } from "./manifest.ts";
import type { Entry, Manifest, PlantedSet, Service, Stage, Where } from "./manifest.ts";

/** A finding, from wherever it comes. */
export interface Seen {
  /** Of the entry that it was made of; absent where only the place is known, null where it is known to be none. */
  entry?: string | null;
  /** What the finding is called in lists: a request's id or a fingerprint. */
  name: string;
  service: string;
  method: string;
  /** A path without its query, or a route with segments in braces. */
  route: string;
  rule: string;
  class: string;
  stage: Stage;
  part: string;
  parameter: string | null;
  /** The other places that the finding itself names, in order. */
  hops?: readonly { service: string; method: string; route: string }[];
}

export interface Row {
  name: string;
  /** Planted flaws. */
  expected: number;
  /** Found at their stage or above. */
  found: number;
  /** Found as `likely` where `confirmed` was expected. */
  weaker: number;
  missed: string[];
  falseConfirmed: string[];
  falseLikely: string[];
}

export interface RuleRow {
  rule: string;
  /** Findings of `likely` and more that are right, aside from the point, and wrong. */
  right: number;
  besides: number;
  falseConfirmed: number;
  falseLikely: number;
}

export interface Table {
  all: Row;
  classes: Row[];
  slices: Row[];
  rules: RuleRow[];
  /** Share of the flaws that were found at their stage, 0–1. */
  recall: number;
  /** Share of wrong ones among all findings that say `likely`, 0–1. */
  falseLikelyShare: number;
}

const isVariable = (segment: string): boolean => segment.startsWith("{") || segment === "*";

/** How many segments of two routes are the same words, or -1 where the routes differ. */
export function sameRoute(left: string, right: string): number {
  const [a, b] = [left.split("/"), right.split("/")];
  if (a.length !== b.length) return -1;
  let same = 0;
  for (const [at, segment] of a.entries()) {
    const other = b[at]!;
    if (segment === other) same++;
    else if (!isVariable(segment) && !isVariable(other)) return -1;
  }
  return same;
}

const isResponse = (part: string): boolean => part.startsWith("response-");

/** Whether a finding may be about this place's parameter; an answer's has none of the request's. */
const sameParameter = (where: Where, seen: Seen): boolean =>
  where.parameter === undefined ||
  seen.parameter === null ||
  isResponse(where.part) ||
  isResponse(seen.part) ||
  where.parameter === seen.parameter;

/** Whether a finding's class is the entry's, or says the same. */
const isOfClass = (entry: Entry, seen: Seen): boolean =>
  seen.class === entry.class || (entry.accept as string[] | undefined)?.includes(seen.class) === true;

type Place = Pick<Seen, "service" | "method" | "route">;

/** The entry of a place: the one with the most words in common; parameter, then class decide between equals. */
function entryAt(manifest: Manifest, place: Place, seen: Seen): Entry | null {
  let best: { entry: Entry; score: number } | null = null;
  for (const entry of manifest) {
    for (const where of [entry.at, ...(entry.hops ?? [])]) {
      if ((place.service !== "*" && where.service !== place.service) || where.method !== place.method) continue;
      const same = sameRoute(where.route, place.route);
      if (same < 0) continue;
      const score = 4 * same + (sameParameter(where, seen) ? 2 : 0) + (isOfClass(entry, seen) ? 1 : 0);
      if (best === null || score > best.score) best = { entry, score };
    }
  }
  return best?.entry ?? null;
}

/**
 * The entry of a finding that knows its place only. On its way out a request has its sender's name and another
 * service's route: such a one belongs to the first place that the finding names besides, or to the route's own service.
 */
function entryOf(manifest: Manifest, seen: Seen): Entry | null {
  for (const place of [seen, ...(seen.hops ?? []), { ...seen, service: "*" }]) {
    const entry = entryAt(manifest, place, seen);
    if (entry !== null) return entry;
  }
  return null;
}

type Verdict = "right" | "besides" | "wrong";

function judge(entry: Entry | null, seen: Seen): Verdict {
  if (entry === null) return "wrong";
  if ((entry.also as string[] | undefined)?.includes(seen.class)) return "besides";
  if (entry.kind === "clean") return "wrong";
  return isOfClass(entry, seen) && [entry.at, ...(entry.hops ?? [])].some((where) => sameParameter(where, seen))
    ? "right"
    : "wrong";
}

const emptyRow = (name: string): Row => ({
  name,
  expected: 0,
  found: 0,
  weaker: 0,
  missed: [],
  falseConfirmed: [],
  falseLikely: [],
});

export interface TableOptions {
  /** Slices whose flaws are expected; default all. Findings of the others are still judged. */
  slices?: readonly number[];
  /** Sets whose flaws are expected; default all. Findings at the others' places are still judged by them. */
  sets?: readonly PlantedSet[];
  /** Whether flaws that only show between the services are expected; default yes. */
  inside?: boolean;
}

export function makeTable(
  manifest: Manifest,
  findings: readonly Seen[],
  { slices = [1, 2, 3], sets = SETS, inside = true }: TableOptions = {},
): Table {
  const all = emptyRow("all");
  const classes = new Map<string, Row>();
  const bySlice = new Map<string, Row>();
  const rules = new Map<string, RuleRow>();
  const rowOf = (rows: Map<string, Row>, name: string): Row => {
    const row = rows.get(name) ?? emptyRow(name);
    rows.set(name, row);
    return row;
  };
  const byId = new Map(manifest.map((entry) => [entry.id, entry]));
  /** The most that was rightly said about each entry. */
  const reached = new Map<string, Stage>();
  let likely = 0;

  for (const seen of findings) {
    const entry =
      seen.entry === undefined || seen.entry === null ? entryOf(manifest, seen) : (byId.get(seen.entry) ?? null);
    const verdict = judge(entry, seen);
    if (entry !== null && (verdict === "right" || (verdict === "besides" && seen.class === entry.class))) {
      if (atLeast(seen.stage, reached.get(entry.id) ?? "none")) reached.set(entry.id, seen.stage);
    }
    if (!atLeast(seen.stage, "likely")) continue;
    const rule = rules.get(seen.rule) ?? { rule: seen.rule, right: 0, besides: 0, falseConfirmed: 0, falseLikely: 0 };
    rules.set(seen.rule, rule);
    if (seen.stage === "likely") likely++;
    if (verdict === "right") rule.right++;
    else if (verdict === "besides") rule.besides++;
    else {
      const text = `${seen.name} ${seen.rule} (${entry?.id ?? "nothing planted"})`;
      const list = seen.stage === "confirmed" ? "falseConfirmed" : "falseLikely";
      rule[list]++;
      const rows = [all, rowOf(classes, seen.class), rowOf(bySlice, entry === null ? "none" : `slice ${entry.slice}`)];
      for (const row of rows) row[list].push(text);
    }
  }

  for (const entry of manifest) {
    if (entry.kind !== "flaw" || !slices.includes(entry.slice) || !sets.includes(entry.set)) continue;
    if (entry.inside === true && !inside) continue;
    const stage = reached.get(entry.id) ?? "none";
    for (const row of [all, rowOf(classes, entry.class), rowOf(bySlice, `slice ${entry.slice}`)]) {
      row.expected++;
      if (atLeast(stage, entry.stage)) row.found++;
      else {
        if (atLeast(stage, "likely")) row.weaker++;
        row.missed.push(`${entry.id} (${stage}, not ${entry.stage})`);
      }
    }
  }
  const byName = <T extends Row>(rows: Map<string, T>): T[] =>
    [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    all,
    classes: byName(classes),
    slices: byName(bySlice),
    rules: [...rules.values()].sort((a, b) => (a.rule < b.rule ? -1 : 1)),
    recall: all.expected === 0 ? 1 : all.found / all.expected,
    falseLikelyShare: likely === 0 ? 0 : all.falseLikely.length / likely,
  };
}

/** Good enough: 95% found, nothing confirmed that is not there, at most 2% of the likely ones wrong. */
export const isGood = ({ recall, all, falseLikelyShare }: Table): boolean =>
  recall >= 0.95 && all.falseConfirmed.length === 0 && falseLikelyShare <= 0.02;

interface ScanInput {
  id: string;
  service: Service;
  request: { method: string; path: string };
}
interface ScanOutput {
  id: string | null;
  findings?: { rule: string; class: string; stage: Stage; where: { part: string; name: string | null } }[];
}

/** Findings of `meshward scan`: the lines that it was given (`record.ts`) and those that it gave. */
export function seenByScan(input: readonly string[], output: readonly string[]): Seen[] {
  const given = new Map(input.map((line) => JSON.parse(line) as ScanInput).map((line) => [line.id, line]));
  return output.flatMap((line) => {
    const { id, findings } = JSON.parse(line) as ScanOutput;
    const asked = given.get(id ?? "");
    if (asked === undefined || findings === undefined) throw new Error(`a line that was not given, or failed: ${line}`);
    const [entry = ""] = asked.id.split("#");
    // What belongs to no entry, prepares for one, or happened between services, knows its place only.
    const isElsewhere = entry === "visit" || /[.>]/.test(asked.id);
    const route = asked.request.path.split("?")[0]!;
    return findings.map((finding) => ({
      ...(isElsewhere ? {} : { entry }),
      name: asked.id,
      service: asked.service,
      method: asked.request.method,
      route,
      rule: finding.rule,
      class: finding.class,
      stage: finding.stage,
      part: finding.where.part,
      parameter: finding.where.name,
    }));
  });
}

/** A finding as the collector's API gives it. */
export interface CollectorFinding {
  fingerprint: string;
  rule: string;
  class: string;
  stage: Stage;
  service: string;
  method: string;
  route: string;
  part: string;
  parameter: string | null;
  /** `service METHOD route part name`. */
  hops?: readonly string[];
}

/** Findings of a collector; they know their place only. */
export const seenByCollector = (findings: readonly CollectorFinding[]): Seen[] =>
  findings.map(({ fingerprint, hops = [], class: name, ...finding }) => {
    const { service, method, route, rule, stage, part, parameter } = finding;
    return {
      name: `${service} ${method} ${route} ${parameter ?? ""} ${fingerprint.slice(0, 8)}`,
      ...{ service, method, route, rule, class: name, stage, part, parameter },
      hops: hops.map((hop) => {
        const [from = "", verb = "", at = ""] = hop.split(" ");
        return { service: from, method: verb, route: at };
      }),
    };
  });

const columns = (cells: readonly (string | number)[][]): string => {
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map((row) => String(row[at]).length)));
  return cells
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? String(cell).padEnd(widths[at]!) : String(cell).padStart(widths[at]!)))
        .join("  "),
    )
    .join("\n");
};

/** The table as text. */
export function showTable({ all, classes, slices, rules, recall, falseLikelyShare }: Table): string {
  const line = (row: Row): (string | number)[] => [
    ...[row.name, row.expected, row.found, row.weaker, row.missed.length - row.weaker],
    ...[row.falseConfirmed.length, row.falseLikely.length],
  ];
  const head = ["class", "planted", "found", "weaker", "missed", "false confirmed", "false likely"];
  const list = (title: string, items: readonly string[]): string =>
    items.length === 0 ? "" : `\n${title}:\n${items.map((item) => `  ${item}`).join("\n")}\n`;
  return (
    `${columns([head, ...[...classes, ...slices, all].map(line)])}\n\n` +
    `${columns([["rule", "right", "besides", "false confirmed", "false likely"], ...rules.map((row) => [row.rule, row.right, row.besides, row.falseConfirmed, row.falseLikely])])}\n` +
    list("missed", all.missed) +
    list("false confirmed", all.falseConfirmed) +
    list("false likely", all.falseLikely) +
    `\nrecall ${(100 * recall).toFixed(1)}%, false confirmed ${all.falseConfirmed.length}, ` +
    `false likely ${(100 * falseLikelyShare).toFixed(1)}% of those that say likely\n`
  );
}
