/** What tuning found, as a person reads it: safe to print, whatever the traffic holds. */
import { counted } from "../counted.ts";
import { printable } from "../envoy/printable.ts";
import { sortedGroups } from "./tune.ts";
import type { Tuning } from "./tune.ts";

/** Groups that are shown. */
const MAX_SHOWN = 200;

export function tuningText(tuning: Tuning): string {
  const groups = sortedGroups(tuning);
  const lines = [`${counted(tuning.requests, "request")}, ${tuning.denied} would be refused`];
  if (tuning.others > 0) {
    lines.push(
      `another firewall refused ${tuning.otherDenied} of ${tuning.others}; ${tuning.otherOnly} of those would pass here`,
    );
  }
  if (tuning.badLines > 0) lines.push(`${counted(tuning.badLines, "line")} could not be used`);
  if (groups.length > 0) {
    lines.push("", "requests  clients  other  conf  rule, field, route, evidence");
    for (const group of groups.slice(0, MAX_SHOWN)) {
      const counts = [
        String(group.requests).padStart(8),
        String(group.clients.size).padStart(7),
        String(group.otherDenied).padStart(5),
        String(group.confidence).padStart(4),
      ].join("  ");
      const field = group.name === null ? group.part : `${group.part} ${group.name}`;
      const where = `${printable(field, 60)}  ${printable(group.method, 16)} ${printable(group.route, 120)}`;
      lines.push(`${counts}  ${group.rule}  ${where}  ${printable(group.evidence, 80)}`);
    }
    const more = groups.length - MAX_SHOWN + tuning.left;
    if (more > 0 && groups.length > MAX_SHOWN) lines.push(`and ${more} more`);
  }
  return lines.join("\n");
}
