// A gateway with the module as the mesh brings it: fetched from a registry by pilot-agent, configured by Istio's discovery server.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { attack, PASSED, REFUSED } from "../../filter/service.ts";
import { BLOCK, DETECT, FORM, HARMLESS, pushed, QUERY, START_MILLISECONDS, underLoad, type Images } from "./front.ts";
import { guard, withGateway } from "./gateway.ts";
import { CHANGE_MILLISECONDS, noMesh } from "./mesh.ts";

describe("a gateway", { skip: noMesh }, () => {
  let images: Images;
  before(async () => (images = await pushed()));

  for (const [form, hold] of [
    ["compat", "full"],
    ["artifact", "full"],
    ["compat", "body"],
    ["artifact", "body"],
  ] as const) {
    it(`refuses attacks by the module of a ${form} image, holding ${hold}`, async () => {
      const module = await guard(BLOCK, images[form], "--hold", hold);
      await withGateway(images.registry, { module }, async ({ proxy, service }) => {
        await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
        assert.equal(service.reached(), 0, "a request passed unjudged while the module was fetched");
        assert.deepEqual(await attack(proxy.port), REFUSED);
        assert.equal(await proxy.status(HARMLESS), 200);
      });
    });
  }

  it("lets nothing pass where the image is not the one of the digest", async () => {
    const wrong = images.compat.replace(/[0-9a-f]{64}$/, "0".repeat(64));
    await withGateway(images.registry, { module: await guard(BLOCK, wrong) }, async ({ istiod, proxy, service }) => {
      await proxy.answers(403, HARMLESS, {}, START_MILLISECONDS);
      assert.equal(service.reached(), 0);
      await istiod.apply("module", await guard(BLOCK, images.compat));
      await proxy.answers(200, HARMLESS, {}, START_MILLISECONDS);
      assert.deepEqual(await attack(proxy.port), REFUSED);
    });
  });

  it("lets all pass there where it is asked to fail open", async () => {
    const wrong = images.compat.replace(/[0-9a-f]{64}$/, "0".repeat(64));
    const module = await guard(BLOCK, wrong, "--fail-strategy", "FAIL_OPEN");
    await withGateway(images.registry, { module }, async ({ istiod, proxy }) => {
      await proxy.answers(200, QUERY, {}, START_MILLISECONDS);
      await istiod.apply("module", await guard(BLOCK, images.compat, "--fail-strategy", "FAIL_OPEN"));
      await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
    });
  });

  it("reads its configuration as it comes out of a Struct: other order, doubles, keys that YAML takes for booleans", async () => {
    const policy = {
      ...DETECT,
      workloads: [
        {
          match: { labels: { n: "y", on: "off", "1": "2" } },
          mode: "block",
          limits: { holdBytes: 4096, onLimit: "deny" },
        },
      ],
    } satisfies PolicySource;
    const text = await guard(policy, images.compat, "--hold", "body");
    const long = { method: "POST", body: new URLSearchParams({ text: "a ".repeat(3000) }) };
    const labels = { n: "y", on: "off", "1": "2" };
    await withGateway(
      images.registry,
      { module: text },
      async ({ istiod, proxy }) => {
        for (const spelling of ["4096", "4096.0", "4.096e+03", "4.096E3"]) {
          const spelled = text.replace(/holdBytes: 4096$/m, `holdBytes: ${spelling}`);
          assert.ok(spelled.includes(`holdBytes: ${spelling}\n`));
          // Between two spellings it is in detect mode, so that each is seen to come.
          await istiod.apply("module", await guard(DETECT, images.compat, "--hold", "body"));
          await proxy.answers(200, QUERY, {}, START_MILLISECONDS);
          await istiod.apply("module", spelled);
          await proxy.answers(403, QUERY);
          assert.equal(await proxy.status("/comments", long), 413, spelling);
          assert.equal(await proxy.status("/comments", FORM), 403, spelling);
        }
        const invalid = (await proxy.samples("envoy")).filter(({ name }) => name.endsWith("meshward_config_invalid"));
        assert.ok(invalid.every(({ value }) => value === 0));
        const [given] = /\{[^\n]*holdBytes[^\n]*\}/.exec(await proxy.dump("?resource=ecds_filters"))!;
        const order = [...given.matchAll(/\\"(\w+)\\":/g)].map(([, key]) => key!);
        assert.ok(order.indexOf("detectors") < order.indexOf("schema"), `the order of the resource: ${given}`);
        assert.ok(text.indexOf("schema:") < text.indexOf("detectors:"));
      },
      { labels },
    );
  });

  it("has a changed policy in force within 2 s, and drops no request meanwhile", async () => {
    await withGateway(images.registry, { module: await guard(DETECT, images.compat) }, async ({ istiod, proxy }) => {
      await proxy.answers(200, QUERY, {}, START_MILLISECONDS);
      const statuses = await underLoad(proxy, async () => {
        for (const [policy, status] of [
          [BLOCK, 403],
          [DETECT, 200],
          [BLOCK, 403],
        ] as const) {
          const text = await guard(policy, images.compat);
          await istiod.apply("module", text);
          await proxy.answers(status, QUERY, {}, CHANGE_MILLISECONDS);
        }
      });
      assert.deepEqual([...statuses.keys()], [200]);
      assert.ok(statuses.get(200)! > 20, `${statuses.get(200)} requests`);
    });
  });

  it("keeps the last good configuration when a bad one comes", async () => {
    const good = await guard(BLOCK, images.compat, "--hold", "body");
    const bad = good.replace("mode: block", "mode: sideways");
    assert.notEqual(bad, good);
    await withGateway(images.registry, { module: good }, async ({ istiod, proxy }) => {
      await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
      await istiod.apply("module", bad);
      await proxy.reports("meshward_config_invalid", {}, 1);
      assert.deepEqual(await attack(proxy.port), REFUSED);
      await istiod.apply("module", await guard(DETECT, images.compat, "--hold", "body"));
      await proxy.answers(200, QUERY);
      await proxy.reports("meshward_config_invalid", {}, 0);
    });
  });

  it("starts on safe defaults, in detect mode, where its first configuration is bad", async () => {
    const good = await guard(BLOCK, images.compat, "--hold", "body");
    const bad = good.replace("mode: block", "mode: sideways");
    await withGateway(images.registry, { module: bad }, async ({ istiod, proxy }) => {
      await proxy.answers(200, QUERY, {}, START_MILLISECONDS);
      assert.deepEqual(await attack(proxy.port), PASSED);
      await proxy.reports("meshward_config_invalid", {}, 1);
      assert.match(proxy.log(), /the configuration is not valid at \/mode: safe defaults hold, in detect mode/);
      await istiod.apply("module", good);
      await proxy.answers(403, QUERY);
    });
  });

  it("shows its statistics with their labels, from Envoy's port and from the agent's", async () => {
    await withGateway(images.registry, { module: await guard(BLOCK, images.compat) }, async ({ proxy }) => {
      await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
      assert.equal(await proxy.status("/comments", FORM), 403);
      await proxy.reports("meshward_requests_total", { outcome: "denied" }, 2);
      await proxy.reports("meshward_requests_total", { outcome: "denied" }, 2, "agent");
      const classes = (await proxy.samples("agent"))
        .filter(({ name, value }) => name.endsWith("meshward_findings_total") && value > 0)
        .map(({ labels }) => labels.class);
      assert.deepEqual([...new Set(classes)].sort(), ["sqli", "xss"]);
    });
  });

  for (const [label, policy, status] of [
    ["the section of its namespace", { ...DETECT, workloads: [{ match: { namespace: "app" }, mode: "block" }] }, 403],
    [
      "no section of another namespace",
      { ...DETECT, workloads: [{ match: { namespace: "pay" }, mode: "block" }] },
      200,
    ],
    [
      "the section of its labels",
      { ...DETECT, workloads: [{ match: { labels: { istio: "ingressgateway" } }, mode: "block" }] },
      403,
    ],
  ] as const) {
    it(`takes ${label}`, async () => {
      const module = await guard(structuredClone(policy) as never, images.compat);
      await withGateway(images.registry, { module }, ({ proxy }) =>
        proxy.answers(status, QUERY, {}, START_MILLISECONDS),
      );
    });
  }

  it("takes the mode of a pod's label where it is stricter, and any where the policy lets it", async () => {
    const label = { "meshward.dev/mode": "block" };
    const raised = await guard(DETECT, images.compat);
    await withGateway(
      images.registry,
      { module: raised },
      async ({ istiod, proxy }) => {
        await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
        await istiod.apply("module", await guard({ ...DETECT, modeLabel: "ignore" }, images.compat));
        await proxy.answers(200, QUERY);
      },
      { labels: label },
    );
    const lower = await guard(BLOCK, images.compat);
    await withGateway(
      images.registry,
      { module: lower },
      async ({ istiod, proxy }) => {
        await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
        await istiod.apply("module", await guard({ ...BLOCK, modeLabel: "any" }, images.compat));
        await proxy.answers(200, QUERY);
      },
      { labels: { "meshward.dev/mode": "detect" } },
    );
  });
});
