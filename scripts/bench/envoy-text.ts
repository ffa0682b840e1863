/** The result of `meshward bench envoy` as tables for people. */
import { counted } from "../counted.ts";
import { VARIANTS } from "./envoy.ts";
import type { BenchResult, PerVariant } from "./envoy.ts";
import type { Percentiles } from "./open-loop.ts";

export function benchText(result: BenchResult): string {
  const { machine, envoy, commit, rounds, workers, observe, pages, rss_mib, start_s } = result;
  const each = (values: PerVariant, unit: string): string =>
    VARIANTS.map((variant) => `${variant} ${values[variant]} ${unit}`).join(", ");
  return [
    "CPU time of the Envoy process for a request; medians of interleaved rounds",
    "",
    ...columns(cpuRows(result)),
    "",
    "requests in a second, closed loop; and latency at half of bare Envoy's, open loop, in ms",
    "",
    ...columns(feltRows(result)),
    "",
    `memory  ${each(rss_mib, "MiB")}`,
    `start   ${each(start_s, "s")}`,
    `rounds  ${rounds}, ${counted(workers, "worker")}, ${observe} observed, ${pages === "same" ? "the same page" : "a different page"} each time, Envoy ${envoy}, commit ${commit ?? "unknown"}`,
    `machine ${machine}`,
  ].join("\n");
}

const cpuRows = ({ tests }: BenchResult): string[][] => [
  ["test", "bare", "floor", "meshward", "floor", "meshward", "requests"],
  ["", "µs", "× bare", "× bare", "+ µs", "+ µs", "a variant"],
  ...tests.map(({ name, bare_cpu_us: bare, floor_ratio: floor, ratio, requests }) => [
    name,
    bare.toFixed(1),
    floor.toFixed(2),
    ratio.toFixed(2),
    (bare * (floor - 1)).toFixed(1),
    (bare * (ratio - 1)).toFixed(1),
    String(requests),
  ]),
];

function feltRows({ tests }: BenchResult): string[][] {
  const share = (part: number): string => `${(100 * part).toFixed(0)}%`;
  const three = (values: Percentiles | null): string[] =>
    values === null ? ["–", "–", "–"] : [values.p50, values.p99, values.p999].map((ms) => ms.toFixed(2));
  const rows = tests.map(({ name, max_rps: { bare, floor, meshward }, latency }) => [
    ...[name, String(bare), share(floor / bare), share(meshward / bare), latency ? String(latency.rate_rps) : "–"],
    ...[latency?.bare_ms, latency?.floor_added_ms, latency?.added_ms].flatMap((values) => three(values ?? null)),
    latency ? share(latency.elsewhere) : "–",
  ]);
  const added = ["+ p50", "+ p99", "+ p99.9"];
  return [
    ["test", "bare", "floor", "meshward", "at", "bare", "", "", "floor", "", "", "meshward", "", "", "elsewhere"],
    ["", "/s", "of it", "of it", "/s", "p50", "p99", "p99.9", ...added, ...added, "of CPU"],
    ...rows,
  ];
}

/** Aligns rows: the first column to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!);
  return rows.map((row) => row.map(cell).join("  ").trimEnd());
}
