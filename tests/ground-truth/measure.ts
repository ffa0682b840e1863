/**
 * Prints the table of `table.ts`; exits with 1 where it is not good enough.
 *
 *     node --import tsx tests/ground-truth/measure.ts --record RECORD --scan OUTPUT [--set 2] [--slices 1,2] [--outside] [--json]
 *     node --import tsx tests/ground-truth/measure.ts --findings FINDINGS.json
 *
 * RECORD is what `record.ts` wrote, OUTPUT what `meshward scan --in RECORD` made of it, FINDINGS a JSON list (or
 * `{"findings": […]}`) of a collector's findings. `--outside` leaves out flaws that only show between the services, where
 * nobody was there to see them.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { SETS, loadManifest, parseSets } from "./manifest.ts";
import { isGood, makeTable, seenByCollector, seenByScan, showTable } from "./table.ts";
import type { CollectorFinding } from "./table.ts";

const { values } = parseArgs({
  options: {
    record: { type: "string" },
    scan: { type: "string" },
    findings: { type: "string" },
    set: { type: "string", default: SETS.join(",") },
    slices: { type: "string", default: "1,2,3" },
    outside: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const linesOf = (file: string): string[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");

function seen() {
  if (values.record !== undefined && values.scan !== undefined)
    return seenByScan(linesOf(values.record), linesOf(values.scan));
  if (values.findings === undefined) throw new Error("--record and --scan, or --findings, are missing");
  const parsed = JSON.parse(readFileSync(values.findings, "utf8")) as
    CollectorFinding[] | { findings: CollectorFinding[] };
  return seenByCollector(Array.isArray(parsed) ? parsed : parsed.findings);
}

const table = makeTable(loadManifest(), seen(), {
  sets: parseSets(values.set),
  slices: values.slices.split(",").map(Number),
  inside: !values.outside,
});
process.stdout.write(values.json ? `${JSON.stringify(table)}\n` : showTable(table));
process.exitCode = isGood(table) ? 0 : 1;
