/** A proxy of the mesh before a service, with what `meshward istio` and `meshward image` make. */
import assert from "node:assert/strict";
import { poll } from "../../../scripts/envoy/admin.ts";
import { startService, type Service } from "../../filter/service.ts";
import { image, startRegistry, temporaryFolder } from "../../image/running.ts";
import { Istiod, Proxy, type ControlPlane, type ProxyOptions } from "./mesh.ts";

export const NAMESPACE = "app";
const REPOSITORY = "security/meshward";
const LOG = 6_000;
const CLIENTS = 4;

/** A module is fetched and compiled. */
export const START_MILLISECONDS = 20_000;
export const BLOCK = { version: 1, mode: "block" } as const;
export const DETECT = { version: 1, mode: "detect" } as const;

/** An attack that needs no body, and one that has one. */
export const QUERY = "/items?q=1%20UNION%20SELECT%20name,password%20FROM%20users--";
export const FORM: RequestInit = { method: "POST", body: new URLSearchParams({ text: "<script>alert(1)</script>" }) };
export const HARMLESS = "/items?q=chairs";

export interface Images {
  registry: string;
  /** References by form, with their digests. */
  compat: string;
  artifact: string;
}

/** A registry with the module in both forms. */
export async function pushed(): Promise<Images> {
  const registry = await startRegistry();
  const ran = await image(["--out", temporaryFolder(), "--push", `${registry}/${REPOSITORY}:v1`, "--json"]);
  assert.equal(ran.code, 0, ran.err);
  const { compat, artifact } = ran.report().images;
  return { registry, compat: compat!.reference!, artifact: artifact!.reference! };
}

export interface Front {
  istiod: ControlPlane;
  proxy: Proxy;
  service: Service;
}

export interface Setting extends Omit<ProxyOptions, "istiod" | "namespace"> {
  namespace?: string;
  /** What Istio is told of the way to the service at that port. */
  network: (service: number) => string;
  /** The resources that the proxy starts with, by a name of the test's. */
  start: Readonly<Record<string, string>>;
  meshConfig?: object;
  /** Starts what serves the resources: mini-istiod, where nothing is said. */
  serve?: (resources: Readonly<Record<string, string>>, meshConfig?: object) => Promise<ControlPlane>;
}

/** Runs `work` with a proxy that starts as the setting says. */
export async function withProxy(setting: Setting, work: (front: Front) => Promise<void>): Promise<void> {
  const { network, start, meshConfig, serve = Istiod.start, ...options } = setting;
  const service = await startService();
  let istiod: ControlPlane | undefined;
  let proxy: Proxy | undefined;
  try {
    const resources = { network: network(Number(new URL(service.url).port)), ...start };
    istiod = await serve(resources, meshConfig);
    proxy = await Proxy.start({ namespace: NAMESPACE, ...options, istiod });
    await work({ istiod, proxy, service });
  } catch (error) {
    if (error instanceof Error && proxy !== undefined)
      error.message += `\npilot-agent's log:\n${proxy.log().slice(-LOG)}`;
    throw error;
  } finally {
    await proxy?.stop();
    await istiod?.stop();
    service.stop();
  }
}

/** Runs `work` under clients that go on asking, each its next when it has its answer: the answers by status, 0 for none. */
export async function underLoad(proxy: Proxy, work: () => Promise<void>): Promise<ReadonlyMap<number, number>> {
  const statuses = new Map<number, number>();
  let goesOn = true;
  const load = Array.from({ length: CLIENTS }, async () => {
    while (goesOn) {
      const status = await proxy.status(HARMLESS);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  try {
    await work();
  } finally {
    goesOn = false;
    await Promise.all(load);
  }
  return statuses;
}

/** Listeners that are replaced go on for their `drainDuration`. */
const GONE_MILLISECONDS = 30_000;
const LEAST_REQUESTS = 10;

/** The test's own paths have the name with a slash before it; and Envoy lists what it could be given, without a host. */
const OURS = /\.meshward\b|googleapis\.com\/[\w.]+\.http\.wasm\b/;

/** Takes the module's resources away, and waits until nothing of the filter is left in the proxy, in old listeners neither. */
export async function remove({ istiod, proxy }: Front): Promise<void> {
  assert.match(await proxy.dump(""), OURS);
  await istiod.apply("module", null);
  let left: string | undefined;
  await poll(
    async () => (left = OURS.exec(await proxy.dump(""))?.[0]) === undefined || null,
    GONE_MILLISECONDS,
    () => new Error(`${left} is in the proxy's configuration still`),
  );
  await proxy.answers(200, QUERY);
}

export function assertServed(statuses: ReadonlyMap<number, number>): void {
  assert.deepEqual([...statuses.keys()], [200]);
  assert.ok(statuses.get(200)! > LEAST_REQUESTS, `${statuses.get(200)} requests`);
}
