/**
 * The shop as a mesh runs it: each service behind a sidecar of its own that takes its calls too, and a collector for what they see.
 *
 *     client ─► edge's Envoy ─► edge ─► edge's Envoy ─► catalogue's Envoy ─► catalogue …
 *
 * Run by itself it sends a minute of ordinary traffic and the tour, then prints the table of what was found; exit 1 where that is not
 * good enough (table.ts):
 *
 *     npm run ground-truth -- [--set 2] [--slices 1,2] [--visits N] [--json] [--findings FILE]
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { positiveOption, readArguments } from "../../scripts/arguments.ts";
import { packageRoot } from "../../scripts/package.ts";
import { collectorAt } from "../../scripts/report/client.ts";
import { startMeshward } from "../../testing/index.ts";
import type { Meshward } from "../../testing/index.ts";
import { HOSTS } from "./ground/network.ts";
import type { Addresses } from "./ground/network.ts";
import { SERVICES, SETS, loadManifest, parseSets } from "./manifest.ts";
import type { Service } from "./manifest.ts";
import { startShop } from "./shop.ts";
import { isGood, makeTable, seenByCollector, showTable } from "./table.ts";
import type { CollectorFinding } from "./table.ts";
import { sendOrdinary, sendTour } from "./traffic.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

const READ_TOKEN = "ground-truth-reads";
const START_MS = 60_000;
const QUIET_MS = 12_000;
const DEADLINE_MS = 120_000;

export interface Mesh {
  /** Where each service is reached from outside: its sidecar. */
  readonly urls: Readonly<Record<Service, string>>;
  readonly collectorUrl: string;
  readonly sidecars: Readonly<Record<Service, Meshward>>;
  /** Ends the collector as a crash of its machine would, and starts it again on what it has left. */
  crashCollector(): Promise<void>;
  /** All findings, once no more come. */
  findings(): Promise<CollectorFinding[]>;
  stop(): Promise<void>;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Asks the collector. */
async function ask<Answer>(url: string): Promise<Answer> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${READ_TOKEN}` } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

/** Waits until the collector's events have not grown for a while. */
async function settle(collectorUrl: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  let last = -1;
  let since = Date.now();
  while (Date.now() - since < QUIET_MS) {
    if (Date.now() > deadline) throw new Error(`events still come after ${DEADLINE_MS} ms`);
    const { events } = await ask<{ events: { day: number } }>(`${collectorUrl}/api/v1/summary`);
    if (events.day !== last) since = Date.now();
    last = events.day;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** `meshward collector` in a process of its own. */
class CollectorProcess {
  readonly url: string;
  readonly #args: string[];
  #child: ChildProcess | null = null;

  constructor(port: number, database: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#args = ["collector", "--listen", `127.0.0.1:${port}`, "--database", database];
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const child = endWithUs(
      spawn(process.execPath, ["--import", "tsx", join(packageRoot(), "scripts/cli.ts"), ...this.#args], {
        env: { ...process.env, MESHWARD_READ_TOKEN: READ_TOKEN },
        stdio: ["ignore", "ignore", "pipe"],
      }),
    );
    this.#child = child;
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4_000)));
    const deadline = Date.now() + START_MS;
    while (
      !(await fetch(`${this.url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the collector did not start:\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}

/** Starts shop, collector and sidecars; about ten seconds. */
export async function startMesh(): Promise<Mesh> {
  const folder = await mkdtemp(join(tmpdir(), "meshward-ground-truth-"));
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const [collectorPort = 0, ...ports] = await freePorts(1 + SERVICES.length);
    const collector = new CollectorProcess(collectorPort, join(folder, "database"));
    stops.push(() => collector.end("SIGTERM"));
    await collector.start();
    const shop = await startShop();
    stops.push(() => shop.stop());
    const urls = Object.fromEntries(
      SERVICES.map((service, at) => [service, `http://127.0.0.1:${ports[at]}`]),
    ) as Record<Service, string>;
    const origins: Addresses = { ...shop.addresses, ...urls };
    const hosts = Object.fromEntries(Object.entries(HOSTS).map(([host, neighbour]) => [host, origins[neighbour]]));
    const key = createHash("sha256").update("ground truth").digest("hex");
    const sidecars = {} as Record<Service, Meshward>;
    for (const [at, service] of SERVICES.entries()) {
      const sidecar = await startMeshward({
        policy: {
          mode: "detect",
          observe: { sample: "100%" },
          events: { otlp: collector.url },
          // TLS ends before the mesh, and what stands there says so.
          identity: { trustedHops: 1 },
        },
        upstream: shop.addresses[service],
        listen: { host: "127.0.0.1", port: ports[at]! },
        backend: "process",
        concurrency: 1,
        service,
        outbound: true,
        hosts,
        environment: { MESHWARD_HOP_KEY: key },
      });
      stops.push(() => sidecar.stop());
      sidecars[service] = sidecar;
    }
    const outbound = (url: string): Addresses => ({
      edge: url,
      catalogue: url,
      orders: url,
      metadata: url,
      partner: url,
    });
    shop.connect({
      from: Object.fromEntries(SERVICES.map((service) => [service, outbound(sidecars[service].outboundUrl!)])),
    });
    return {
      urls,
      collectorUrl: collector.url,
      sidecars,
      async crashCollector() {
        await collector.end("SIGKILL");
        await collector.start();
      },
      async findings() {
        await settle(collector.url);
        return collectorAt(new URL(collector.url), READ_TOKEN).findings();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

if (import.meta.url === pathToFileURL(argv[1] ?? "").href) {
  const usage = "npm run ground-truth -- [--set 2] [--slices 1,2] [--visits N] [--json] [--findings FILE]";
  const { values } = readArguments(usage, {
    options: {
      set: { type: "string", default: SETS.join(",") },
      slices: { type: "string", default: "1,2,3" },
      findings: { type: "string" },
      visits: { type: "string", default: "300" },
      json: { type: "boolean", default: false },
    },
  });
  const visits = positiveOption(usage, "visits", values.visits);
  const sets = parseSets(values.set);
  const driven = loadManifest(sets);
  const mesh = await startMesh();
  try {
    await sendOrdinary(driven, mesh.urls, { visits });
    await sendTour(driven, mesh.urls);
    const findings = await mesh.findings();
    if (values.findings !== undefined) await writeFile(values.findings, JSON.stringify(findings, null, 2));
    // Visitors come to pages of every set.
    const table = makeTable(loadManifest(), seenByCollector(findings), {
      sets,
      slices: values.slices.split(",").map(Number),
    });
    process.stdout.write(values.json ? `${JSON.stringify(table)}\n` : showTable(table));
    process.exitCode = isGood(table) ? 0 : 1;
  } finally {
    await mesh.stop();
  }
}
