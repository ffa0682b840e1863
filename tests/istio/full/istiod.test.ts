// The resources of `meshward istio` in a cluster's control plane: kubectl applies them to an API server, istiod finds them there and tells
// pilot-agent and Envoy, which refuse attacks; a change and the way back are one command each, and no request fails.

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { after, before, describe, it } from "node:test";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { poll } from "../../../scripts/envoy/admin.ts";
import { noRegistry } from "../../image/registry.ts";
import { attack, PASSED, REFUSED } from "../../filter/service.ts";
import {
  assertServed,
  BLOCK,
  DETECT,
  HARMLESS,
  NAMESPACE,
  pushed,
  QUERY,
  remove,
  START_MILLISECONDS,
  underLoad,
  type Front,
  type Images,
  type Setting,
} from "../mesh/front.ts";
import * as gateway from "../mesh/gateway.ts";
import * as sidecar from "../mesh/sidecar.ts";
import { ClusterIstiod } from "./istiod.ts";
import { Kubernetes, noKubernetes } from "./kubernetes.ts";

const KINDS = ["envoyfilters", "trafficextensions", "wasmplugins", "telemetries"];

/** Istio's default is 45 s. Envoy compiles the module while that time runs: with 2 s, on a busy machine, nothing is left of it. */
const DRAIN_SECONDS = 10;
const drainDuration = `${DRAIN_SECONDS}s`;

type Serve = NonNullable<Setting["serve"]>;
type Resources = (policy: PolicySource, module: string, ...options: string[]) => Promise<string>;
/** Runs a proxy that starts without the module. */
type Run = (registry: string, serve: Serve, work: (front: Front) => Promise<void>) => Promise<void>;

const runGateway: Run = (registry, serve, work) => gateway.withGateway(registry, {}, work, { serve, drainDuration });
const runSidecar: Run = (registry, serve, work) =>
  sidecar.withSidecar({ registry, serve, drainDuration, start: {}, ports: sidecar.takePorts() }, work);

describe("Istio's control plane on a Kubernetes API server", { skip: noKubernetes || noRegistry }, () => {
  let images: Images;
  let kubernetes: Kubernetes;
  before(async () => {
    images = await pushed();
    kubernetes = await Kubernetes.start();
    for (const namespace of ["istio-system", NAMESPACE]) await kubernetes.must(["create", "namespace", namespace]);
  });
  after(() => kubernetes?.stop());

  const proxies: [string, Run, Resources][] = [
    ["gateway", runGateway, gateway.guard],
    ["sidecar", runSidecar, sidecar.guard],
  ];
  for (const [proxyName, run, guard] of proxies) {
    for (const hold of ["full", "body"]) {
      it(`puts the module into a ${proxyName}, changes its policy and takes it out, holding ${hold}`, async () => {
        const of = (policy: PolicySource): Promise<string> => guard(policy, images.compat, "--hold", hold);
        const serve: Serve = (resources, meshConfig) => ClusterIstiod.start(kubernetes, resources, meshConfig);
        await run(images.registry, serve, async (front) => {
          const { istiod, proxy } = front;
          assert.deepEqual(await attack(proxy.port), PASSED);
          const statuses = await underLoad(proxy, async () => {
            await istiod.apply("module", await of(DETECT));
            await poll(
              async () => (await proxy.chains()).flat().some((name) => name.includes("meshward")) || null,
              START_MILLISECONDS,
              () => new Error("the proxy has no filter of that name"),
            );
            await istiod.apply("module", await of(BLOCK));
            await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
            // On connections of before, which have no filter, they pass until those are closed: with the next answer on each.
            await poll(
              async () => isDeepStrictEqual(await attack(proxy.port), REFUSED) || null,
              DRAIN_SECONDS * 1000,
              () => new Error("attacks pass still"),
            );
            assert.equal(await proxy.status(HARMLESS), 200);
            await istiod.apply(
              "module",
              await of({ ...BLOCK, workloads: [{ match: { namespace: NAMESPACE }, mode: "detect" }] }),
            );
            await proxy.answers(200, QUERY);
            assert.deepEqual(await attack(proxy.port), PASSED);
            await istiod.apply("module", await of(BLOCK));
            await proxy.answers(403, QUERY);
            await remove(front);
          });
          assertServed(statuses);
          assert.deepEqual(await attack(proxy.port), PASSED);
          assert.equal(await kubernetes.must(["get", KINDS.join(), "--all-namespaces", "--output=name"]), "");
        });
      });
    }
  }
});
