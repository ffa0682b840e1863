// The module from a ConfigMap: a file that the sidecar mounts where its pod's annotations say, and that nobody fetches.

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { poll } from "../../../scripts/envoy/admin.ts";
import { attack, PASSED, REFUSED } from "../../filter/service.ts";
import { BLOCK, DETECT, HARMLESS, QUERY, START_MILLISECONDS } from "./front.ts";
import { generated } from "./generated.ts";
import { CHANGE_MILLISECONDS, noMesh } from "./mesh.ts";
import { mount, unmount } from "./mount.ts";
import { takePorts, TARGET, withSidecar } from "./sidecar.ts";

const registry = "127.0.0.1:1";
const FILTER: Record<string, string> = {
  full: "app.meshward",
  body: "extensions.istio.io/trafficextension/app.meshward",
};
const all = (status: number): Record<string, number> =>
  Object.fromEntries(Object.keys(PASSED).map((name) => [name, status]));
const OPTIONS = [...TARGET, "--module", "configmap", "--hold"];

describe("the module of a ConfigMap", { skip: noMesh }, () => {
  afterEach(unmount);

  for (const hold of ["full", "body"]) {
    it(`refuses attacks, under a policy that changes, holding ${hold}`, async () => {
      const made = await generated(BLOCK, [...OPTIONS, hold]);
      mount(made);
      const start = { module: made.applied };
      await withSidecar({ ports: takePorts(), registry, start }, async ({ istiod, proxy, service }) => {
        await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
        assert.equal(service.reached(), 0);
        assert.deepEqual(await attack(proxy.port), REFUSED);
        assert.equal(await proxy.status(HARMLESS), 200);
        await istiod.apply("module", (await generated(DETECT, [...OPTIONS, hold])).applied);
        await proxy.answers(200, QUERY, {}, CHANGE_MILLISECONDS);
        assert.deepEqual(await attack(proxy.port), PASSED);
      });
    });

    // What people meet who forget a workload; see "Where the module comes from" in istio/README.md.
    const without = hold === "full" ? 200 : 500;
    for (const [what, bytes, complaint] of [
      ["is not mounted", null, "rejected: Invalid path: /var/local/meshward/meshward.wasm"],
      ["is no module", Buffer.from("not found\n"), "rejected: Unable to create Wasm plugin"],
    ] as const) {
      it(`answers ${without} where the file ${what}, holding ${hold}`, async () => {
        const { applied, ...made } = await generated(BLOCK, [...OPTIONS, hold]);
        if (bytes !== null) mount(made, bytes);
        await withSidecar({ ports: takePorts(), registry, start: {} }, async ({ istiod, proxy }) => {
          await proxy.answers(200, HARMLESS, {}, START_MILLISECONDS);
          await istiod.apply("module", applied);
          await poll(
            async () =>
              (proxy.log().includes(complaint) && (await proxy.chains()).flat().includes(FILTER[hold]!)) || null,
            CHANGE_MILLISECONDS,
            () => new Error(`not in the log: ${complaint}`),
          );
          // The last connection of the listener that was before it is closed with its next answer.
          await proxy.answers(without, QUERY);
          assert.deepEqual(await attack(proxy.port), all(without));
        });
        await withSidecar({ ports: takePorts(), registry, start: { module: applied } }, async ({ proxy }) => {
          await proxy.answers(without, HARMLESS, {}, START_MILLISECONDS);
          assert.deepEqual(await attack(proxy.port), all(without));
        });
      });
    }
  }

  it("is taken by its path alone: a digest beside it is looked at by nobody", async () => {
    const made = await generated(BLOCK, [...OPTIONS, "body"]);
    const pinned = made.applied.replace(/^( *)url: file:.*$/m, `$&\n$1sha256: "${"0".repeat(64)}"`);
    assert.notEqual(pinned, made.applied);
    mount(made);
    await withSidecar({ ports: takePorts(), registry, start: { module: pinned } }, ({ proxy }) =>
      proxy.answers(403, QUERY, {}, START_MILLISECONDS),
    );
  });
});
