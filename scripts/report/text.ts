/** The report as lines for a terminal or a build's log: safe to print, whatever the findings hold. */
import { printable } from "../envoy/printable.ts";
import { STAGE_ORDER, endpointOf, fieldOf, isOpen } from "./finding.ts";
import type { Finding } from "../../collector/api.ts";
import type { Report } from "./report.ts";

/** `confirmed  critical  sqli-union-select  shop/cart GET /items, query "q"  3×`. */
export function findingLine(finding: Finding): string {
  const { stage, severity, rule, count } = finding;
  const place = printable(`${endpointOf(finding)}, ${fieldOf(finding)}`, 200);
  return `${stage.padEnd(10)}${severity.padEnd(10)}${printable(rule, 64).padEnd(28)}${place}  ${count}×`;
}

/** `2 confirmed, 0 likely, 5 attempted`. */
export function countsOf(findings: readonly Finding[]): string {
  return STAGE_ORDER.map((stage) => `${findings.filter((one) => one.stage === stage).length} ${stage}`).join(", ");
}

/** A line for each open finding, then how many there are. */
export function reportLines({ findings, now }: Report): string {
  const open = findings.filter((finding) => isOpen(finding, now));
  const decided = findings.length - open.length;
  const rest = decided === 0 ? "" : `; ${decided} accepted, muted or false positives`;
  return [...open.map(findingLine), `${open.length} open findings: ${countsOf(open)}${rest}`, ""].join("\n");
}
