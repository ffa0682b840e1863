import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvoyProcess } from "../../scripts/host/index.ts";
import type { PropertyTree } from "../../scripts/host/index.ts";
import { readModule } from "../../scripts/package.ts";
import { compilePolicy, policyHash } from "../../scripts/policy/compile.ts";
import { parsePolicy, policyFrom } from "../../scripts/policy/load.ts";
import {
  FAIL_DIRECTIONS,
  IDENTITY_SOURCES,
  LIMIT_ACTIONS,
  MODES,
  PARTS,
  SENSITIVITIES,
} from "../../scripts/policy/schema.ts";
import type { Exception, PolicySource } from "../../scripts/policy/schema.ts";
import { CLASSES } from "../../scripts/policy/rule-ids.ts";
import { largest } from "./largest.ts";

const FULL = `
version: 1
mode: block
sensitivity: high
observe: { sample: 25.5% }
onError: deny
limits: {holdBytes: 64KiB, holdMillis: 2s, onLimit: deny, onOverflow: allow, onEncoded: deny, depth: 32, work: 1MiB}
identity: {from: [jwt], trustedHops: 2}
detectors: {xss: {sensitivity: low}, sqli: {}, cmdi: {mode: detect}}
routes:
  - match: {host: "shop.example", path: "/blog/**", methods: [POST, PUT]}
    mode: detect
    detectors: {xss: {mode: off}}
exceptions:
  - {id: search-sql, rules: ["sqli-*"], class: sqli, path: /search, part: query, name: q, why: "people search for SQL", expires: 2027-06-01}
workloads:
  - match: {service: cart, labels: {b: "2", a: "1"}}
    mode: detect
    limits: {depth: 8}
    exceptions: [{id: cart, rules: ["xss-*"], path: /cart, why: "rich text"}]
`;

test("the compiled form has every default, a fixed order, and nothing for people", () => {
  assert.equal(
    JSON.stringify(compilePolicy(parsePolicy(""), { holdHeaders: true })),
    `{"schema":1,"policy":"${policyHash(parsePolicy(""))}","holdHeaders":true,"mode":"detect","sensitivity":"balanced","onError":"allow",` +
      `"observe":{"sample":1000},"limits":{"holdBytes":262144,"holdMillis":1000,"onLimit":"continue","onOverflow":"deny","onEncoded":"continue","depth":64,"work":67108864},` +
      `"identity":{"from":["mtls","jwt"],"trustedHops":0},"detectors":{},"routes":[],"exceptions":[],"workloads":[]}`,
  );
  const compiled = compilePolicy(parsePolicy(FULL), { holdHeaders: false, dryRun: true });
  assert.deepEqual(compiled, {
    schema: 1,
    policy: policyHash(parsePolicy(FULL)),
    holdHeaders: false,
    dryRun: true,
    mode: "block",
    sensitivity: "high",
    onError: "deny",
    observe: { sample: 2550 },
    limits: {
      holdBytes: 65_536,
      holdMillis: 2000,
      onLimit: "deny",
      onOverflow: "allow",
      onEncoded: "deny",
      depth: 32,
      work: 1_048_576,
    },
    identity: { from: ["jwt"], trustedHops: 2 },
    detectors: { xss: { sensitivity: "low" }, cmdi: { mode: "detect" } },
    routes: [
      {
        host: "shop.example",
        path: "/blog/**",
        methods: ["POST", "PUT"],
        mode: "detect",
        detectors: { xss: { mode: "off" } },
      },
    ],
    exceptions: [
      {
        id: "search-sql",
        rules: ["sqli-*"],
        class: "sqli",
        path: "/search",
        part: "query",
        name: "q",
        expires: 1_811_894_400,
      },
    ],
    workloads: [
      {
        service: "cart",
        labels: { a: "1", b: "2" },
        mode: "detect",
        limits: { depth: 8 },
        exceptions: [{ id: "cart", rules: ["xss-*"], path: "/cart" }],
      },
    ],
  });
  assert.match(compiled.policy, /^[0-9a-f]{12}$/);
});

test("the hash names what the policy does: not its layout, its reasons or the target", () => {
  const hash = policyHash(parsePolicy(FULL));
  const reversed = `mode: block\n${FULL.replace("mode: block\n", "")}`;
  assert.equal(policyHash(parsePolicy(reversed)), hash);
  assert.equal(policyHash(parsePolicy(FULL.replace("people search for SQL", "they do"))), hash);
  assert.equal(policyHash(parsePolicy(FULL.replace("64KiB", "65536"))), hash);
  assert.equal(compilePolicy(parsePolicy(FULL), { holdHeaders: true }).policy, hash);
  assert.notEqual(policyHash(parsePolicy(FULL.replace("depth: 8", "depth: 9"))), hash);
  assert.notEqual(policyHash(parsePolicy(FULL.replace("mode: block", "mode: detect"))), hash);
});

/** A policy for each value that a key can have. */
function everyValue(): PolicySource[] {
  return [
    ...MODES.map((mode) => ({ mode, detectors: { sqli: { mode } }, routes: [{ match: { path: "/" }, mode }] })),
    ...SENSITIVITIES.map((sensitivity) => ({ sensitivity, detectors: { xss: { sensitivity } } })),
    ...FAIL_DIRECTIONS.map((onError) => ({ onError, limits: { onOverflow: onError } })),
    ...LIMIT_ACTIONS.map((action) => ({ limits: { onLimit: action, onEncoded: action } })),
    ...IDENTITY_SOURCES.map((source) => ({ identity: { from: [source] } })),
    { identity: { from: [], trustedHops: 16 } },
    ...CLASSES.map((name) => ({
      detectors: { [name]: { mode: "off" as const } },
      exceptions: [{ id: "e", class: name, path: "/", why: "x" }],
    })),
    ...PARTS.map((part) => ({
      exceptions: [{ id: "e", class: "sqli" as const, part, why: "x", expires: "2105-12-31" }],
    })),
  ];
}

test("the module takes everything that the schema allows, and knows every key", async () => {
  const policies = [...everyValue().map((source) => policyFrom(source)), parsePolicy(FULL)];
  const messages: string[] = [];
  const process = createEnvoyProcess({ log: (level, message) => void messages.push(`${level}: ${message}`) });
  const module = readModule();
  const nodes: PropertyTree[] = [{}, { cluster: "cart", metadata: { LABELS: { a: "1", b: "2" } } }];
  for (const node of nodes) {
    const plugin = await process.addPlugin({ name: `p${Object.keys(node).length}`, module, node });
    for (const policy of policies) {
      const text = JSON.stringify(compilePolicy(policy, { holdHeaders: true, dryRun: true }));
      assert.deepEqual(plugin.configure(text), { accepted: true, live: true }, text);
      assert.deepEqual(messages, [], text);
    }
  }
});

test("the largest policy that the tool takes fits the module's arena", async () => {
  const source = (count: number): PolicySource => ({
    exceptions: Array.from({ length: count }, (_, i) => ({
      id: `e${i}`,
      rules: ["sqli-*"],
      // Of many segments, so that the arena is full before the list is.
      path: `/${i}${"/p".repeat(100)}`,
      methods: ["GET"],
      why: "x",
    })),
    workloads: [{ match: { service: "s", labels: { a: "b" } }, routes: [{ match: { path: "/a", methods: ["GET"] } }] }],
  });
  const count = largest(1024, (candidate) => {
    try {
      return policyFrom(source(candidate)).exceptions.length > 0;
    } catch {
      return false;
    }
  });
  assert.ok(count > 100 && count < 1000, `${count} exceptions fit`);
  const policy = policyFrom(source(count));
  /** How many configurations the module calls invalid after it was given `exceptions`. */
  const invalid = async (exceptions: Exception[]): Promise<unknown> => {
    const process = createEnvoyProcess();
    const node = { cluster: "s", metadata: { LABELS: { a: "b" } } };
    const plugin = await process.addPlugin({ name: "p", module: readModule(), node });
    plugin.configure(JSON.stringify(compilePolicy({ ...policy, exceptions }, { holdHeaders: true })));
    return process.metrics().get("wasmcustom.meshward.config_invalid") ?? 0;
  };
  assert.equal(await invalid(policy.exceptions), 0);
  // And the bound is where it has to be: a tenth more is too much.
  assert.equal(await invalid([...policy.exceptions, ...policy.exceptions.slice(0, count / 10)]), 1);
});

test("a service goes by Istio's canonical name, whichever label or name gives it, and by Envoy's cluster where nothing does", async () => {
  const policy = policyFrom({ mode: "detect", workloads: [{ match: { service: "cart" }, mode: "block" }] });
  const blocks = async (LABELS: Record<string, string>, WORKLOAD_NAME: string, cluster: string): Promise<boolean> => {
    const process = createEnvoyProcess();
    const node = { cluster, metadata: { LABELS, WORKLOAD_NAME } };
    const plugin = await process.addPlugin({ name: "p", module: readModule(), node });
    assert.ok(plugin.configure(JSON.stringify(compilePolicy(policy, { holdHeaders: true }))).accepted);
    process.advance(1000);
    return [...process.metrics().keys()].some((name) => name.endsWith("info") && name.includes("mode=.=block"));
  };
  const canonical = "service.istio.io/canonical-name";
  assert.ok(await blocks({ [canonical]: "cart", "app.kubernetes.io/name": "x", app: "x" }, "x", "x"));
  assert.ok(await blocks({ "app.kubernetes.io/name": "cart", app: "x" }, "x", "x"));
  assert.ok(await blocks({ app: "cart" }, "x", "x"));
  assert.ok(await blocks({}, "cart", "x"));
  assert.ok(await blocks({}, "", "cart"));
  assert.ok(!(await blocks({ [canonical]: "x", app: "cart" }, "cart", "cart")));
});

test("a pod's label raises the mode, lowers it where the policy allows, and is ignored where it says so", async () => {
  /** The mode in force, and how often a VM has warned of it. */
  const modeOf = async (source: PolicySource, label: string | null): Promise<[string, number]> => {
    const warnings: string[] = [];
    const process = createEnvoyProcess({ log: (level, message) => void (level === "warn" && warnings.push(message)) });
    const LABELS = { app: "cart", ...(label === null ? {} : { "meshward.dev/mode": label }) };
    const node = { metadata: { NAMESPACE: "shop", LABELS } };
    const plugin = await process.addPlugin({ name: "p", module: readModule(), node });
    assert.ok(plugin.configure(JSON.stringify(compilePolicy(policyFrom(source), { holdHeaders: true }))).accepted);
    process.advance(1000);
    const info = [...process.metrics().keys()].find((name) => name.endsWith("info"))!;
    return [/mode=\.=(\w+)/.exec(info)![1]!, new Set(warnings).size];
  };
  const detect: PolicySource = { mode: "detect" };
  assert.deepEqual(await modeOf(detect, null), ["detect", 0]);
  assert.deepEqual(await modeOf(detect, "block"), ["block", 0]);
  assert.deepEqual(await modeOf(detect, "detect"), ["detect", 0]);
  assert.deepEqual(await modeOf(detect, "off"), ["detect", 1]);
  assert.deepEqual(await modeOf(detect, "Block"), ["detect", 1]);
  assert.deepEqual(await modeOf({ ...detect, modeLabel: "any" }, "off"), ["off", 0]);
  assert.deepEqual(await modeOf({ ...detect, modeLabel: "ignore" }, "block"), ["detect", 0]);
  // A section says more than the top, of the mode and of the label.
  const sections: PolicySource = {
    mode: "block",
    workloads: [{ match: { namespace: "shop" }, mode: "detect", modeLabel: "any" }],
  };
  assert.deepEqual(await modeOf(sections, "off"), ["off", 0]);
  assert.deepEqual(await modeOf(sections, null), ["detect", 0]);
  assert.deepEqual(await modeOf({ ...sections, modeLabel: "ignore" }, "block"), ["block", 0]);
});
