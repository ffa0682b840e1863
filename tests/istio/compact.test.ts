// That the module finds the same in both forms, tests/policy/trie.test.ts shows on thousands of policies.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compacted } from "../../istio/compact.ts";
import { createEnvoyProcess } from "../../scripts/host/index.ts";
import { readModule } from "../../scripts/package.ts";

const off = { methods: ["GET"], mode: "off" };

describe("the compact form", () => {
  it("joins neighbours that say the same, and keeps the order of all others", () => {
    const routes = [
      { path: "/a", ...off },
      { path: "/b", ...off },
      { path: "/c", mode: "detect" },
      { host: "shop.example", path: "/d", ...off },
      { path: "/e", ...off },
      { ...off },
      { path: "/f", ...off },
      { path: "/g", ...off },
    ];
    assert.deepEqual(compacted({ mode: "block", routes, workloads: [] }), {
      mode: "block",
      routes: [
        { paths: ["/a", "/b"], ...off },
        { path: "/c", mode: "detect" },
        { host: "shop.example", path: "/d", ...off },
        { path: "/e", ...off },
        off,
        { paths: ["/f", "/g"], ...off },
      ],
      workloads: [],
    });
  });

  it("joins services of which the same holds, with what they select", () => {
    const workloads = [
      {
        namespace: "shop",
        service: "cart",
        mode: "block",
        routes: [
          { path: "/a", ...off },
          { path: "/b", ...off },
        ],
      },
      {
        labels: { app: "pay" },
        mode: "block",
        routes: [
          { path: "/a", ...off },
          { path: "/b", ...off },
        ],
      },
      { service: "cart", mode: "block" },
    ];
    const joined = { mode: "block", routes: [{ paths: ["/a", "/b"], ...off }] };
    assert.deepEqual(compacted({ workloads }).workloads, [
      { any: [{ namespace: "shop", service: "cart" }, { labels: { app: "pay" } }], ...joined },
      { service: "cart", mode: "block" },
    ]);
  });

  it("leaves what it was given as it was", () => {
    const given = { routes: [{ path: "/a" }, { path: "/b" }], workloads: [{ service: "a" }, { service: "b" }] };
    const before = structuredClone(given);
    compacted(given);
    assert.deepEqual(given, before);
  });
});

/** The mode that is in force on a node, or what the module says of the configuration. */
async function modeOf(
  configuration: object,
  node: { namespace: string; service: string; tier: string },
): Promise<string> {
  const process = createEnvoyProcess();
  const metadata = { NAMESPACE: node.namespace, LABELS: { tier: node.tier } };
  const plugin = await process.addPlugin({
    name: "p",
    module: readModule(),
    node: { cluster: node.service, metadata },
  });
  plugin.configure(JSON.stringify({ schema: 1, policy: "0", mode: "detect", ...configuration }));
  process.advance(1000);
  const metrics = process.metrics();
  if (metrics.get("wasmcustom.meshward.config_invalid") === 1) return "invalid";
  return /mode=\.=(\w+);/.exec([...metrics.keys()].find((name) => name.endsWith("info"))!)![1]!;
}

describe("a section with several selectors", () => {
  const node = { namespace: "shop", service: "cart", tier: "a" };
  const CASES: [what: string, any: unknown, mode: string][] = [
    ["one that is met", [{ service: "pay" }, { namespace: "shop", service: "cart" }], "block"],
    ["the first of them", [{ namespace: "shop" }, { service: "pay" }], "block"],
    ["labels", [{ labels: { tier: "b" } }, { labels: { tier: "a" } }], "block"],
    [
      "none that is met in whole",
      [
        { namespace: "shop", service: "pay" },
        { namespace: "pay", service: "cart" },
      ],
      "detect",
    ],
    ["none", [], "detect"],
    ["one that selects nothing", [{}], "detect"],
    [
      "one with a key that came later",
      [
        { namespace: "shop", zone: "a" },
        { zone: "a", namespace: "shop" },
      ],
      "detect",
    ],
    ["no list", "shop", "invalid"],
    ["a list of names", ["shop"], "invalid"],
  ];
  for (const [what, any, mode] of CASES) {
    it(`${what}: ${mode}`, async () => {
      assert.equal(await modeOf({ workloads: [{ any, mode: "block" }] }, node), mode);
      // Whatever the order of keys: a protobuf Struct has none.
      assert.equal(await modeOf({ workloads: [{ mode: "block", any }] }, node), mode);
    });
  }

  it("is still held against the selector beside it", async () => {
    const any = [{ service: "cart" }];
    assert.equal(await modeOf({ workloads: [{ namespace: "shop", any, mode: "block" }] }, node), "block");
    assert.equal(await modeOf({ workloads: [{ namespace: "pay", any, mode: "block" }] }, node), "detect");
  });
});

describe("a route of several paths", () => {
  for (const paths of [[], "/a", [1], [["/a"]]]) {
    it(`is no route with ${JSON.stringify(paths)}`, async () => {
      const node = { namespace: "shop", service: "cart", tier: "a" };
      assert.equal(await modeOf({ routes: [{ paths, mode: "off" }] }, node), "invalid");
      assert.equal(await modeOf({ routes: [{ paths: ["/a"], mode: "off" }] }, node), "detect");
    });
  }
});
