/** `npm run bench:istio -- [--proxies 500] [--services 1000] [--rounds 5]`: what a change of the policy costs a mesh. */
import { readArguments } from "../../../scripts/arguments.ts";
import { commitText, machineText } from "../../../scripts/bench/machine.ts";
import { measurePush, REFERENCE } from "../mesh/push.ts";
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
  const head = ["", "ms to the last", "istiod CPU s", "CPU s more", "ECDS KiB a proxy", "KiB a proxy"];
  const kib = (bytes: number): string => (bytes / 1024).toFixed(1);
  const signed = (seconds: number): string => (seconds < 0 ? "" : "+") + seconds.toFixed(2);
  const cells = rows.map(({ what, milliseconds, cpu_seconds, cpu_more, extension_bytes, bytes }) => [
    what,
    milliseconds,
    cpu_seconds.toFixed(2),
    what === REFERENCE ? "-" : `${signed(cpu_more.median)} (${signed(cpu_more.least)} to ${signed(cpu_more.most)})`,
    kib(extension_bytes),
    kib(bytes),
  ]);
  const widths = [40, 16, 14, 26, 18, 13];
  for (const [first, ...others] of [head, ...cells]) {
    const right = others.map((cell, index) => String(cell).padStart(widths[index + 1]!));
    console.log(String(first).padEnd(widths[0]!) + right.join(""));
  }
  console.log(`\n${proxies} proxies, ${services} services, ${rounds} rounds, Istio ${ISTIO_VERSION}`);
  console.log(`commit ${(await commitText()) ?? "unknown"}\nmachine ${machineText()}`);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
