// What a crash of the module does to a gateway, by each strategy that `meshward istio` can be asked for.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { moduleImages } from "../../../scripts/image/module-image.ts";
import { parseReference } from "../../../scripts/image/reference.ts";
import { push } from "../../../scripts/image/registry.ts";
import { attack, PASSED, REFUSED } from "../../filter/service.ts";
import { guest } from "../../host/guest.ts";
import { startRegistry } from "../../image/running.ts";
import { BLOCK, HARMLESS, QUERY, START_MILLISECONDS } from "./front.ts";
import { guard, withGateway } from "./gateway.ts";
import { noMesh } from "./mesh.ts";

/** A module is made anew after a wait that grows up to 5 s. */
const RELOAD_MILLISECONDS = 10_000;
/** As long as a reload would take, where there must be none. */
const NEVER_MILLISECONDS = 3_000;
/** More headers than the module of this test survives. */
const fatal = { headers: Object.fromEntries(Array.from({ length: 45 }, (_, i) => [`x-${i}`, "1"])) };

describe("a crash of the module", { skip: noMesh }, () => {
  let registry: string;
  let module: string;
  before(async () => {
    registry = await startRegistry();
    const { compat } = await moduleImages(Buffer.from(await guest("trapping")), "0.0.0", "trapping");
    const to = parseReference(`${registry}/security/meshward:trapping`);
    await push([compat], to, { plainHttp: true, credentials: null, credentialsPlace: "nowhere", progress: () => {} });
    module = `oci://${registry}/security/meshward@${compat.manifest.digest}`;
  });

  for (const hold of ["full", "body"]) {
    it(`FAIL_RELOAD, holding ${hold}: costs its request, and a module made anew refuses attacks`, async () => {
      await withGateway(
        registry,
        { module: await guard(BLOCK, module, "--hold", hold) },
        async ({ proxy, service }) => {
          await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
          assert.equal(await proxy.status("/", fatal), 503);
          await proxy.answers(403, QUERY, {}, RELOAD_MILLISECONDS);
          assert.equal(service.reached(), 0);
          assert.deepEqual(await attack(proxy.port), REFUSED);
          assert.equal(await proxy.status(HARMLESS), 200);
        },
      );
    });
  }

  it("FAIL_CLOSE: nothing passes any more", async () => {
    const text = await guard(BLOCK, module, "--fail-strategy", "FAIL_CLOSE");
    await withGateway(registry, { module: text }, async ({ proxy, service }) => {
      await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
      assert.equal(await proxy.status("/", fatal), 503);
      await delay(NEVER_MILLISECONDS);
      assert.equal(await proxy.status(HARMLESS), 503);
      assert.equal(service.reached(), 0);
    });
  });

  it("FAIL_OPEN: all passes from then on, attacks too", async () => {
    const text = await guard(BLOCK, module, "--fail-strategy", "FAIL_OPEN");
    await withGateway(registry, { module: text }, async ({ proxy }) => {
      await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
      await proxy.status("/", fatal);
      await delay(NEVER_MILLISECONDS);
      assert.deepEqual(await attack(proxy.port), PASSED);
    });
  });
});
