// A real Envoy with the generated configuration, changed where a test needs another listener, another node or another filter. Ordinary
// tests use `meshward/testing`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrap } from "../../envoy/bootstrap.ts";
import type { JsonObject } from "../../envoy/json.ts";
import { BOOTSTRAP_FILE } from "../../envoy/names.ts";
import type { BootstrapOptions } from "../../envoy/options.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";
import { parseAccessLine, type AccessEntry } from "../../scripts/envoy/access-log.ts";
import { Admin, parsePrometheus, poll } from "../../scripts/envoy/admin.ts";
import { writeDirectory, writeReload } from "../../scripts/envoy/directory.ts";
import { resolveEnvoy } from "../../scripts/envoy/resolve.ts";
import { modulePath } from "../../scripts/package.ts";
import type { PluginConfiguration } from "../../scripts/policy/compile.ts";

export interface LaunchOptions {
  compiled: PluginConfiguration;
  /** `http://127.0.0.1:port`. */
  upstream: string;
  /** Changes the generated configuration; `folder` is where Envoy runs. */
  change?: (config: JsonObject, folder: string) => void | Promise<void>;
  /** Worker threads. Default 1. */
  concurrency?: number;
  /** The module's file. Default: the release build. */
  module?: string;
}

export interface Launched {
  readonly folder: string;
  readonly admin: Admin;
  /** Ports of the listeners by name; the generated one is `ingress`. */
  readonly ports: ReadonlyMap<string, number>;
  /** Envoy's own log. */
  log(): string;
  /** Lines of the access log; waits until there are `count`. */
  access(count: number): Promise<AccessEntry[]>;
  /** Sum of the samples of a Meshward statistic (without its prefix) with these labels. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  /** Puts a policy in force through ECDS. */
  reload(compiled: PluginConfiguration): Promise<void>;
  stop(): Promise<void>;
}

const READY = 60_000;
const SOON = 5_000;
const ACCESS_FILE = "access.log";
const ADMIN_FILE = "admin.txt";

/** Starts Envoy; rejects with its log where it does not start. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const envoy = await resolveEnvoy({ env: process.env, backend: "process" });
  if (envoy.kind !== "process") throw new Error("these tests need Envoy as a process");
  const { compiled, upstream } = options;
  const folder = await mkdtemp(join(tmpdir(), "meshward-filter-"));
  const listen = { host: "127.0.0.1", port: 0 };
  const generated: BootstrapOptions = { upstream, listen, admin: listen, root: ".", accessLog: ACCESS_FILE };
  await writeDirectory(folder, compiled, generated, options.module ?? modulePath("release"));
  const config = bootstrap(compiled, generated);
  await options.change?.(config, folder);
  // JSON is YAML.
  await writeFile(join(folder, BOOTSTRAP_FILE), JSON.stringify(config));
  // prettier-ignore
  const args = ["-c", BOOTSTRAP_FILE, "--disable-hot-restart", "--concurrency", String(options.concurrency ?? 1),
    "--admin-address-path", ADMIN_FILE, "--file-flush-interval-msec", "20", "--log-level", "warning"];
  const child = endWithUs(spawn(envoy.binary, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] }), folder);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const exited = once(child, "exit");
  const failed = (what: string): Error => new Error(`${what}\n${log.slice(-6000)}`);

  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  }

  try {
    const address = await poll(
      async () => {
        if (child.exitCode !== null) throw failed(`Envoy ended with ${child.exitCode}`);
        const text = await readFile(join(folder, ADMIN_FILE), "utf8").catch(() => "");
        return text !== "" && (await new Admin(`http://${text}`).isReady()) ? text : null;
      },
      READY,
      () => failed("Envoy is not ready"),
    );
    const admin = new Admin(`http://${address}`);
    const listeners = (await (await fetch(`${admin.origin}/listeners?format=json`)).json()) as {
      listener_statuses: { name: string; local_address: { socket_address: { port_value: number } } }[];
    };
    return {
      folder,
      admin,
      ports: new Map(
        listeners.listener_statuses.map(({ name, local_address }) => [name, local_address.socket_address.port_value]),
      ),
      log: () => log,
      access: (count) => {
        let entries: AccessEntry[] = [];
        return poll(
          async () => {
            const text = await readFile(join(folder, ACCESS_FILE), "utf8").catch(() => "");
            entries = text.split("\n").flatMap((line) => parseAccessLine(line) ?? []);
            return entries.length >= count ? entries : null;
          },
          SOON,
          () => failed(`the access log has ${entries.length} lines of ${count}`),
        );
      },
      async metric(name, labels = {}) {
        const wanted = Object.entries(labels);
        return parsePrometheus(await admin.prometheus())
          .filter((sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value))
          .reduce((sum, { value }) => sum + value, 0);
      },
      async reload(next) {
        if ((await admin.discovery()).policy === next.policy) return;
        await writeReload(folder, next, ".");
        await poll(
          async () => ((await admin.discovery()).policy === next.policy ? true : null),
          SOON,
          () => failed(`policy ${next.policy} is not in force`),
        );
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
