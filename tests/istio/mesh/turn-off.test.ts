// istio/quickstart.md and docs/turn-off.md with a real sidecar: on, seen, blocking, off and out again, and no request fails on the way.

import assert from "node:assert/strict";
import { afterEach, before, describe, it } from "node:test";
import { poll } from "../../../scripts/envoy/admin.ts";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
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
  type Images,
} from "./front.ts";
import { generated, resources } from "./generated.ts";
import { noMesh } from "./mesh.ts";
import { mount, unmount } from "./mount.ts";
import { takePorts, TARGET, withSidecar } from "./sidecar.ts";

describe("a sidecar under requests", { skip: noMesh }, () => {
  let images: Images;
  before(async () => (images = await pushed()));
  afterEach(unmount);

  for (const hold of ["full", "body"]) {
    it(`is turned off by workload, by namespace, everywhere, and the filter taken out, holding ${hold}`, async () => {
      const of = (policy: PolicySource): Promise<string> =>
        resources(
          policy,
          "--target",
          "mesh",
          "--module",
          images.compat,
          "--hold",
          hold,
          "--traffic",
          "CLIENT_AND_SERVER",
        );
      const start = { module: await of(BLOCK) };
      await withSidecar({ ports: takePorts(), registry: images.registry, start }, async (front) => {
        const { istiod, proxy } = front;
        await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
        const statuses = await underLoad(proxy, async () => {
          for (const policy of [
            { ...BLOCK, workloads: [{ match: { namespace: NAMESPACE, service: "catalogue" }, mode: "off" }] },
            { ...BLOCK, workloads: [{ match: { namespace: NAMESPACE }, mode: "off" }] },
            { version: 1, mode: "off" },
          ] satisfies PolicySource[]) {
            await istiod.apply("module", await of(policy));
            await proxy.answers(200, QUERY);
            assert.deepEqual(await attack(proxy.port), PASSED);
            await istiod.apply("module", await of(BLOCK));
            await proxy.answers(403, QUERY);
          }
          await remove(front);
        });
        assertServed(statuses);
        assert.deepEqual(await attack(proxy.port), PASSED);
      });
    });
  }

  it("goes the way of the quickstart", async () => {
    const options = [...TARGET, "--module", "configmap"];
    const detect = await generated(DETECT, options);
    // What is applied first waits for the pods' mount.
    const ports = takePorts();
    await withSidecar({ ports, registry: images.registry, start: {} }, async ({ istiod, proxy }) => {
      await proxy.answers(200, HARMLESS, {}, START_MILLISECONDS);
      assertServed(
        await underLoad(proxy, async () => {
          await istiod.apply("module", detect.applied);
          await poll(
            async () => (await proxy.chains()).flat().includes("app.meshward") || null,
            START_MILLISECONDS,
            () => new Error("no filter"),
          );
          assert.deepEqual(await attack(proxy.port), PASSED);
        }),
      );
    });
    mount(detect);
    const setting = { ports: takePorts(), registry: images.registry, start: { module: detect.applied } };
    await withSidecar(setting, async (front) => {
      const { istiod, proxy } = front;
      await proxy.answers(200, QUERY, {}, START_MILLISECONDS);
      await proxy.reports("meshward_requests_total", { outcome: "would_deny" }, 1, "agent");
      const statuses = await underLoad(proxy, async () => {
        await istiod.apply("module", (await generated(BLOCK, options)).applied);
        await proxy.answers(403, QUERY);
        assert.deepEqual(await attack(proxy.port), REFUSED);
        await remove(front);
      });
      assertServed(statuses);
    });
  });
});
