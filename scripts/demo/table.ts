/** The tour as a table of 79 columns, made line by line, so that it can be read while the tour goes on. */
import { printable } from "../envoy/printable.ts";
import type { TourCase } from "./cases.ts";
import { isAsPromised } from "./tour.ts";
import type { Outcome, Row } from "./tour.ts";

const WHAT = 38;
const WITHOUT = 28;

/** Colours by name, or nothing where nobody sees them. */
export type Paint = (color: "red" | "green" | "bold" | "dim", text: string) => string;

const CODES = { red: 31, green: 32, bold: 1, dim: 2 } as const;

export const painter =
  (isColored: boolean): Paint =>
  (color, text) =>
    isColored ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;

const cell = (text: string, width: number): string => printable(text, width).padEnd(width);

/** What a way of the row came to, in its column's words. */
function word(outcome: Outcome, isRefusalDue: boolean): string {
  if (!outcome.ok) return `${outcome.status} WRONG`;
  return isRefusalDue ? `${outcome.status} refused` : `${outcome.status} passes`;
}

/** The line above the stops of a kind. */
export function headLine(kind: TourCase["kind"], paint: Paint): string {
  const title = kind === "attack" ? "ATTACKS" : "LOOK-ALIKES";
  return paint("bold", `${cell(title, WHAT)} ${cell("WITHOUT THE FILTER", WITHOUT)} WITH`);
}

/** One stop: what was tried, what the shop gave without the filter, what came with it. */
export function rowLine({ stop, without, with: filtered }: Row, paint: Paint): string {
  const gave = without.ok ? (without.shown ?? "") : word(without, false);
  const came = word(filtered, stop.kind === "attack");
  // What is bad for the shop is red: an attack that works, a promise that is not kept.
  const [left, right] = [
    without.ok && stop.kind === "look-alike" ? "dim" : "red",
    filtered.ok ? "green" : "red",
  ] as const;
  return `${cell(stop.what, WHAT)} ${paint(left, cell(gave, WITHOUT))} ${paint(right, came)}`;
}

/** The last line. */
export function countLine(rows: readonly Row[]): string {
  const told = (kind: TourCase["kind"]): string => {
    const all = rows.filter(({ stop }) => stop.kind === kind);
    return `${all.filter(isAsPromised).length} of ${all.length}`;
  };
  return `${told("attack")} attacks work without and fail with it; ${told("look-alike")} look-alikes pass.`;
}
