/**
 * Soaks: far more streams and pushes than a test has time for, and the question whether anything grows or is lost.
 *
 *     npm run soak -- host-streams|envoy-streams|inventory|pushes|mixed [--count N]
 *
 * The count is of streams or pushes; of `mixed` it is of seconds.
 *
 * Prints a report; exit code 1 where memory drifts, a slot is lost or the counters do not add up.
 */
import { env } from "node:process";
import { positiveOption, readArguments, refuseArguments } from "../arguments.ts";
import { commitText, machineText } from "../bench/machine.ts";
import { reportText } from "./report.ts";
import type { Report } from "./report.ts";

interface Soak {
  count: number;
  run(count: number): Promise<Report[]>;
}

const soaks: Record<string, Soak> = {
  "host-streams": {
    count: 1_000_000,
    run: async (count) => [await (await import("./host.ts")).soakHostStreams(count)],
  },
  "envoy-streams": {
    count: 200_000,
    run: async (count) => [await (await import("./envoy.ts")).soakEnvoyStreams(count, env)],
  },
  inventory: {
    count: 1_000_000,
    run: async (count) => (await import("./inventory.ts")).soakInventory(count, env),
  },
  pushes: {
    count: 1_000,
    run: async (count) => {
      const { soakEnvoyPushes, soakHostPushes } = await import("./pushes.ts");
      return [await soakHostPushes(count), await soakEnvoyPushes(count, env)];
    },
  },
  mixed: {
    count: 1_800,
    run: async (count) => [await (await import("./mixed.ts")).soakEnvoyMixed(count, 5_000, env)],
  },
};

const USAGE = `npm run soak -- ${Object.keys(soaks).join("|")} [--count N]`;
const { positionals, values } = readArguments(USAGE, {
  options: { count: { type: "string" } },
  allowPositionals: true,
});
const soak = positionals.length === 1 ? soaks[positionals[0]!] : undefined;
if (soak === undefined) refuseArguments(USAGE, `expected one soak, not ${positionals.join(" ") || "none"}`);
const count = positiveOption(USAGE, "count", values.count ?? String(soak.count));
const reports = await soak.run(count);
for (const report of reports) console.log(reportText(report));
console.log(`commit ${(await commitText()) ?? "unknown"}, ${machineText()}`);
process.exitCode = reports.every(({ problems }) => problems.length === 0) ? 0 : 1;
