// A sidecar with the module in both legs: what comes to its service is judged, what the service calls is observed.

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { parseAllDocuments } from "yaml";
import { poll } from "../../../scripts/envoy/admin.ts";
import type { PolicySource } from "../../../scripts/policy/schema.ts";
import { attack, PASSED, REFUSED } from "../../filter/service.ts";
import { HEADER, readHeader } from "../../observe/header.ts";
import { BLOCK, DETECT, HARMLESS, pushed, QUERY, START_MILLISECONDS, type Images } from "./front.ts";
import { generated, resources } from "./generated.ts";
import { noMesh, documents } from "./mesh.ts";
import { call, guard, takePorts, TARGET, withSidecar } from "./sidecar.ts";

const BOTH = ["--traffic", "CLIENT_AND_SERVER"];
const KEY = "correct horse battery staple";
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const TRACE = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };

/** Envoy writes its log every ten seconds, or when it has much to write. */
const LOG_MILLISECONDS = 15_000;
interface AccessLog {
  status: number;
  details: string;
  meshward: string | null;
}

describe("a sidecar", { skip: noMesh }, () => {
  let images: Images;
  before(async () => (images = await pushed()));

  for (const hold of ["full", "body"]) {
    it(`refuses attacks on its service and none that its service calls with, holding ${hold}`, async () => {
      const ports = takePorts();
      const policy = { ...BLOCK, observe: { sample: "100%" } };
      const start = { module: await guard(policy, images.compat, "--hold", hold, ...BOTH) };
      await withSidecar(
        { ports, registry: images.registry, start, env: { MESHWARD_HOP_KEY: KEY } },
        async ({ proxy, service }) => {
          await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
          assert.equal(service.reached(), 0, "a request passed unjudged while the module was fetched");
          assert.deepEqual(await attack(proxy.port), REFUSED);
          assert.deepEqual(await attack(ports.second), REFUSED);
          assert.equal(await proxy.status(HARMLESS), 200);

          const reached = service.reached();
          assert.equal(await call(ports, QUERY), 200);
          assert.equal(service.reached(), reached + 1);
          // Both legs have state in common: the value is told on, signed with a secret of the proxy's environment.
          const path = "/items?q=it's+a+chair+%3Cb%3E";
          assert.equal(await proxy.status(path, { headers: TRACE }), 200);
          assert.equal(service.headers()[HEADER], undefined);
          assert.equal(await call(ports, path, TRACE), 200);
          const { hops } = readHeader(String(service.headers()[HEADER]), KEY, TRACE_ID);
          assert.deepEqual(hops, [["catalogue GET /items query q"]]);
          await proxy.reports("meshward_hops_total", { what: "sent" }, 1);
          await proxy.reports("meshward_requests_total", { outcome: "denied" }, 9);
          await proxy.reports("meshward_requests_total", { outcome: "denied" }, 9, "agent");
          // The service's own requests alone: its calls are not counted among them.
          await proxy.reports("meshward_requests_total", { outcome: "allowed" }, 2, "agent");
          await proxy.reports("meshward_requests_total", {}, 11, "agent");
          const rules = (await proxy.samples("agent"))
            .filter(({ name, value }) => name.endsWith("meshward_rule_hits_total") && value > 0)
            .map(({ labels }) => `${labels.rule} ${labels.mode}`);
          assert.ok(rules.includes("sqli-union-select block"), rules.join());
        },
      );
    });
  }

  for (const [hold, option] of [
    ["full", "--exclude-ports"],
    ["full", "--ports"],
    ["body", "--ports"],
  ] as const) {
    it(`judges what ${option} leaves, holding ${hold}`, async () => {
      const ports = takePorts();
      const named = option === "--ports" ? ports.inbound : ports.second;
      const start = { module: await guard(BLOCK, images.compat, "--hold", hold, option, String(named)) };
      await withSidecar({ ports, registry: images.registry, start }, async ({ proxy }) => {
        await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
        assert.deepEqual(await attack(ports.second), PASSED);
        assert.deepEqual(await attack(ports.inbound), REFUSED);
      });
    });
  }

  it("takes the mode of its namespace from a resource of the mesh, and a stricter one of its pod's label", async () => {
    const policy = {
      ...DETECT,
      workloads: [
        { match: { namespace: "pay" }, mode: "block" },
        { match: { labels: { tier: "edge" } }, mode: "detect", modeLabel: "ignore" },
      ],
    } satisfies PolicySource;
    const start = { module: await resources(policy, "--target", "mesh", "--module", images.compat) };
    const label = { "meshward.dev/mode": "block" };
    const cases: [namespace: string, labels: Record<string, string>, status: number][] = [
      ["app", {}, 200],
      ["pay", {}, 403],
      ["app", label, 403],
      ["app", { ...label, tier: "edge" }, 200],
    ];
    for (const [namespace, labels, status] of cases) {
      const setting = { ports: takePorts(), registry: images.registry, start, namespace, labels };
      await withSidecar(setting, async ({ proxy }) => {
        await proxy.answers(status, QUERY, {}, START_MILLISECONDS);
        await proxy.reports("meshward_requests_total", { outcome: status === 403 ? "denied" : "would_deny" }, 1);
      });
    }
  });

  it("writes the access log of its Telemetry, with the verdict", async () => {
    const ports = takePorts();
    const { applied, meshConfig } = await generated(BLOCK, [
      ...TARGET,
      "--module",
      images.compat,
      "--telemetry",
      "meshward",
    ]);
    // Metrics of Istio's own are made by a filter that only its build of Envoy has.
    const all = parseAllDocuments(applied).map((one) => one.toJS() as { kind: string; spec: { metrics?: unknown } });
    for (const { kind, spec } of all) if (kind === "Telemetry") delete spec.metrics;
    const start = { module: documents(...all) };
    await withSidecar({ ports, registry: images.registry, start, meshConfig }, async ({ proxy }) => {
      await proxy.answers(403, QUERY, {}, START_MILLISECONDS);
      assert.equal(await proxy.status(HARMLESS), 200);
      const logged = async (): Promise<AccessLog[] | null> => {
        const lines = proxy.log().split("\n");
        const found = lines.filter((line) => /^{".*}$/.test(line)).map((line) => JSON.parse(line) as AccessLog);
        return found.length < 2 ? null : found;
      };
      const [refused, passed] = await poll(logged, LOG_MILLISECONDS, () => new Error("no access log"));
      assert.deepEqual([refused!.status, refused!.details], [403, "meshward_denied"]);
      const { outcome, rule } = JSON.parse(refused!.meshward!) as Record<string, unknown>;
      assert.deepEqual([outcome, rule], ["denied", "sqli-union-select"]);
      assert.deepEqual([passed!.status, passed!.details, passed!.meshward], [200, "via_upstream", "allowed block"]);
    });
  });
});
