/**
 * Debian's Prometheus and Alertmanager for tests: unprivileged, on free ports of the loopback, in a temporary folder. Where one is missing its
 * tests are skipped, and say so.
 */
import { spawn, spawnSync } from "node:child_process";
import type { SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { accessSync, chownSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort } from "../free-port.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

/** The user that daemons run as where the tests are root. */
const NOBODY = 65_534;
const START_MILLISECONDS = 20_000;

/** The first of these programs on PATH, or null. */
function program(...names: string[]): string | null {
  const folders = (process.env.PATH ?? "").split(":");
  for (const path of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  return null;
}

/** Of the packages prometheus and prometheus-alertmanager; elsewhere Alertmanager has its plain name. Debian has no OpenTelemetry Collector. */
export const PROGRAMS = {
  prometheus: program("prometheus"),
  promtool: program("promtool"),
  alertmanager: program("prometheus-alertmanager", "alertmanager"),
  amtool: program("amtool"),
  otelcol: process.env.OTELCOL_BIN || program("otelcol"),
} as const;

/** Why a test that needs these is skipped, or false. */
export function missing(...names: (keyof typeof PROGRAMS)[]): string | false {
  const absent = names.filter((name) => PROGRAMS[name] === null);
  if (absent.length === 0) return false;
  const how = absent.includes("otelcol")
    ? "set OTELCOL_BIN"
    : "install the packages prometheus and prometheus-alertmanager";
  return `no ${absent.join(", ")}: ${how}`;
}

/** Runs a program to its end; yields its exit code and all that it wrote. */
export function runTool(name: keyof typeof PROGRAMS, args: readonly string[], cwd?: string): [number | null, string] {
  const { status, stdout, stderr } = spawnSync(PROGRAMS[name]!, args, { cwd, encoding: "utf8" });
  return [status, stdout + stderr];
}

export interface Daemon {
  url: string;
  log(): string;
  stop(): Promise<void>;
}

/** Starts a program in `folder`; resolves when `url` is answered at `ready`, with 200 or what else `isReady` takes. */
async function startDaemon(
  path: string,
  args: readonly string[],
  folder: string,
  url: string,
  { ready = "/-/ready", isReady = ({ ok }: Response) => ok, env = {} as NodeJS.ProcessEnv } = {},
): Promise<Daemon> {
  const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid);
  const options: SpawnOptions = {
    ...as,
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  };
  const child = endWithUs(spawn(path, args, options));
  let log = "";
  child.stderr!.on("data", (chunk: Buffer) => (log = (log + chunk.toString()).slice(-20_000)));
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await ended;
  };
  try {
    await poll(
      async () => {
        if (child.exitCode !== null) throw new Error(`${path} has ended:\n${log}`);
        return fetch(url + ready).then(
          (response) => isReady(response) || null,
          () => null,
        );
      },
      START_MILLISECONDS,
      () => new Error(`${path} is not ready:\n${log}`),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, log: () => log, stop };
}

function folderFor(parent: string, name: string, config: object, file: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), stringify(config));
  return folder;
}

/** Prometheus with this configuration, in `parent`; paths in it are below the daemon's own folder, or absolute. */
export async function startPrometheus(parent: string, config: object): Promise<Daemon> {
  const folder = folderFor(parent, "prometheus", config, "prometheus.yml");
  const port = await freePort();
  const args = [`--web.listen-address=127.0.0.1:${port}`, "--config.file=prometheus.yml", "--storage.tsdb.path=data"];
  return startDaemon(PROGRAMS.prometheus!, args, folder, `http://127.0.0.1:${port}`);
}

/** Alertmanager, alone: it looks for no others. */
export async function startAlertmanager(parent: string, config: object): Promise<Daemon> {
  const folder = folderFor(parent, "alertmanager", config, "alertmanager.yml");
  const port = await freePort();
  const args = [`--web.listen-address=127.0.0.1:${port}`, "--config.file=alertmanager.yml"];
  args.push("--storage.path=data", "--cluster.listen-address=");
  return startDaemon(PROGRAMS.alertmanager!, args, folder, `http://127.0.0.1:${port}`);
}

/** The OpenTelemetry Collector with this configuration, whose receiver is at `port`. */
export async function startOtelCollector(
  parent: string,
  config: object,
  port: number,
  env: NodeJS.ProcessEnv,
): Promise<Daemon> {
  const folder = folderFor(parent, "otelcol", config, "config.yaml");
  // It answers only what it is sent: any answer will do.
  const options = { ready: "/", isReady: () => true, env };
  return startDaemon(PROGRAMS.otelcol!, ["--config", "config.yaml"], folder, `http://127.0.0.1:${port}`, options);
}
