/**
 * The demo's shop as a mesh runs it: three services, each behind a sidecar that takes its calls too, and a collector.
 *
 *   client ─► edge's Envoy ─► door ─► edge ─► edge's Envoy ─► catalogue's Envoy ─► door ─► catalogue ─► …
 *
 * Everything listens on the loopback, lies in temporary folders, and is gone when the demo ends.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCollector } from "../../collector/collector.ts";
import type { Collector } from "../../collector/collector.ts";
import { resolveEnvoy } from "../envoy/resolve.ts";
import { listenAddress } from "../envoy/run.ts";
import type { RunningEnvoy } from "../envoy/running.ts";
import { startEnvoy } from "../envoy/start.ts";
import { modulePath } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { policyFrom } from "../policy/load.ts";
import { checkLoopback } from "./demo.ts";
import { TOKEN_HEADER, makeToken, openDoor } from "./door.ts";
import type { Door } from "./door.ts";
import { makeCall } from "./fence/calls.ts";
import { buildFence } from "./fence/fence.ts";
import { catalogueService } from "./shop/catalogue.ts";
import { startDatabase } from "./shop/database.ts";
import { edgeService } from "./shop/edge.ts";
import { ordersService } from "./shop/order-book.ts";
import { cloud, partner } from "./shop/outside.ts";
import { NAMES, SERVICES, SITES } from "./visitor.ts";
import type { Service, Urls } from "./visitor.ts";

export interface Mesh {
  /** Where each service is reached: its sidecar. */
  readonly urls: Urls;
  /** Opens the doors. */
  readonly token: string;
  readonly collector: Collector;
  /** Resolves when a sidecar has ended by itself, with the reason. */
  readonly ended: Promise<string>;
  /** Ends everything and removes what was made; may be called twice. */
  stop(): Promise<void>;
}

export interface MeshOptions {
  /** `HOST:PORT` of the loopback for the edge; default as `meshward run`. */
  listen?: string;
  env: NodeJS.ProcessEnv;
}

const DAY = 86_400;
/** An address of this machine alone, its port chosen by the kernel. */
const FREE = { host: "127.0.0.1", port: 0 } as const;

/** Starts it, until `isStopped` says so; leaves nothing behind where it rejects. `err` takes lines of progress. */
export async function startMesh(
  { listen, env }: MeshOptions,
  err: (line: string) => void,
  isStopped: () => boolean = () => false,
): Promise<Mesh> {
  checkLoopback(listen);
  const edgeAddress = await listenAddress(listen);
  const token = makeToken();
  const undo: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      for (const step of undo.reverse()) await step();
    })());
  try {
    const folder = await mkdtemp(join(tmpdir(), "meshward-demo-"));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const fence = await buildFence();
    undo.push(() => fence.remove());
    const envoy = await resolveEnvoy({ env, backend: "auto", progress: err });
    err("starting three services, their Envoys and the collector; this takes some seconds");
    const database = startDatabase();
    undo.push(() => database.stop());
    const collector = await startCollector({
      ...{ ...FREE, database: join(folder, "collector"), retentionSeconds: DAY, hosts: [] },
      ...{ ingestTokens: [], readTokens: [], log: err },
    });
    undo.push(() => collector.stop());

    const open = async (service: RequestListener, ...names: readonly string[]): Promise<Door> => {
      const door = await openDoor(service, token);
      for (const name of names) door.admit(`http://${name}`);
      // Names of nobody (RFC 2606): the sites that ask for what is the shop's.
      for (const site of SITES) door.admitOrigin(`https://${site}`);
      undo.push(() => door.close());
      return door;
    };
    const outside = {
      "partner.example": (await open(partner(), "partner.example")).url,
      "169.254.169.254": (await open(cloud(), "169.254.169.254")).url,
    };
    const sidecars = {} as Record<Service, RunningEnvoy>;
    const callOf = (service: Service): ReturnType<typeof makeCall> =>
      makeCall(() => sidecars[service]?.outboundUrl ?? null, { [TOKEN_HEADER]: token });
    const services: Readonly<Record<Service, RequestListener>> = {
      edge: edgeService(callOf("edge")),
      catalogue: catalogueService(database, fence, callOf("catalogue")),
      orders: ordersService(database),
    };
    const compiled = compilePolicy(
      policyFrom({
        ...{ mode: "detect", observe: { sample: "100%" }, events: { otlp: collector.url } },
        // TLS ends before the mesh, and what stands there says so.
        identity: { trustedHops: 1 },
      }),
      { holdHeaders: true },
    );
    const key = randomBytes(32).toString("hex");
    // From the end of the chain, so that each knows where the next one listens.
    for (const service of SERVICES.toReversed()) {
      if (isStopped()) throw new Error("stopped");
      const door = await open(services[service], service, NAMES[service]);
      const hosts = Object.fromEntries(
        SERVICES.filter((other) => sidecars[other] !== undefined).map((other) => [other, sidecars[other].url]),
      );
      const sidecar = await startEnvoy(envoy, {
        ...{ compiled, upstream: door.url, service, concurrency: 1, modulePath: modulePath("release"), onAccess: null },
        ...{ listen: service === "edge" ? edgeAddress : FREE, outbound: FREE },
        hosts: { ...hosts, ...(service === "edge" ? outside : {}) },
        env: { ...env, MESHWARD_HOP_KEY: key },
      });
      undo.push(() => sidecar.stop());
      sidecars[service] = sidecar;
      door.admit(sidecar.url);
    }
    await database.ready;
    return {
      urls: { edge: sidecars.edge.url, catalogue: sidecars.catalogue.url, orders: sidecars.orders.url },
      ...{ token, collector, stop },
      ended: Promise.race(
        SERVICES.map((service) => sidecars[service].exited.then((why) => `Envoy of ${service} ended: ${why}`)),
      ),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
