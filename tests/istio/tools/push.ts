/** `npm run bench:istio -- [--proxies 500] [--services 1000] [--rounds 5]`: what a change of the policy costs a mesh. */
import { readArguments } from "../../../scripts/arguments.ts";
import { commitText, machineText } from "../../../scripts/bench/machine.ts";
import { measurePush } from "../mesh/push.ts";
import { BuildError, buildTools, ISTIO_VERSION } from "./build.ts";

const USAGE = "npm run bench:istio -- [--proxies 500] [--services 1000] [--rounds 5]";
const { values } = readArguments(USAGE, {
  options: {
    proxies: { type: "string", default: "500" },
    services: { type: "string", default: "1000" },
    rounds: { type: "string", default: "5" },
  },
});

/** Addresses of services and proxies have room for as many. */
const MOST = 10_000;

function positive(name: keyof typeof values): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1 && number <= MOST) return number;
  throw new BuildError(`--${name}: expected a whole number from 1 to ${MOST}, not ${values[name]}`);
}

try {
  const [proxies, services, rounds] = [positive("proxies"), positive("services"), positive("rounds")];
  if (proxies > services) throw new BuildError("--proxies: each is one of a service, so at most --services");
  await buildTools();
  const progress = (line: string): void => console.error(line);
  const rows = await measurePush({ proxies, services, rounds, progress });
  const head = ["", "ms to the last", "istiod CPU s", "ECDS KiB a proxy", "KiB a proxy"];
  const kib = (bytes: number): string => (bytes / 1024).toFixed(1);
  const cells = rows.map((row) => [
    row.what,
    row.milliseconds,
    row.cpu_seconds.toFixed(2),
    kib(row.extension_bytes),
    kib(row.bytes),
  ]);
  for (const [first, ...others] of [head, ...cells]) {
    console.log(String(first).padEnd(40) + others.map((cell) => String(cell).padStart(18)).join(""));
  }
  console.log(`\n${proxies} proxies, ${services} services, ${rounds} rounds, Istio ${ISTIO_VERSION}`);
  console.log(`commit ${(await commitText()) ?? "unknown"}\nmachine ${machineText()}`);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
