// What exchanges show without an attack: each vector's rules with their stages, and the same with the response cut in pieces.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { createEnvoyProcess } from "../../scripts/host/index.ts";
import { readModule } from "../../scripts/package.ts";
import { compilePolicy } from "../../scripts/policy/compile.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import { readRuleFile } from "../../scripts/generate/rule-file.ts";

interface Vector {
  id: string;
  why: string;
  method?: string;
  path?: string;
  host?: string;
  status?: number;
  sends?: Record<string, string>;
  headers?: Record<string, string | string[]>;
  body?: string;
  expect: Record<string, string>;
}

const ROOT = new URL("../../", import.meta.url);
const FOLDER = new URL("tests/vectors/passive/", ROOT);
const RULES = new Set(
  ["header", "credential", "serialized"].flatMap((name) =>
    readRuleFile(name, readFileSync(new URL(`rules/${name}.yaml`, ROOT), "utf8")).data.rules.map(({ id }) => id),
  ),
);
/** A dry run tells everything of every exchange. */
const configuration = JSON.stringify(
  compilePolicy(policyFrom({ observe: { sample: "100%" } }), { holdHeaders: true, dryRun: true }),
);

/** What is seen, by a module that has seen nothing before. */
async function seen(vector: Vector, chunkSizes?: number[]): Promise<Record<string, string>> {
  const { method = "GET", path = "/x", host = "shop.example", status = 200, sends = {}, body = "" } = vector;
  const plugin = await createEnvoyProcess().addPlugin({ name: "meshward", vmId: "meshward", module: readModule() });
  assert.ok(plugin.configure(configuration).accepted);
  const headers = Object.entries(vector.headers ?? {}).flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, each]),
  );
  const response = { status, headers, body, ...(chunkSizes && { chunkSizes }) };
  const { verdict } = plugin.exchange(
    { method, path, headers: [["host", host], ...Object.entries(sends)] },
    { response },
  );
  const { findings = [] } = (verdict ?? {}) as { findings?: { rule: string; stage: string }[] };
  return Object.fromEntries(
    findings.filter(({ rule }) => RULES.has(rule)).map(({ rule, stage }): [string, string] => [rule, stage]),
  );
}

for (const file of readdirSync(FOLDER).sort()) {
  describe(file, () => {
    for (const vector of parse(readFileSync(new URL(file, FOLDER), "utf8")) as Vector[]) {
      it(`${vector.id}: ${vector.why}`, async () => {
        assert.deepEqual(await seen(vector), vector.expect);
        assert.deepEqual(await seen(vector, [1, 7, 19]), vector.expect);
      });
    }
  });
}

describe("what an endpoint has done before", () => {
  const origin = (name: string, allowed: string | null): Vector => ({
    id: name,
    why: "",
    path: "/api/me",
    sends: { origin: name },
    headers: {
      "content-type": "application/json",
      ...(allowed === null
        ? {}
        : { "access-control-allow-origin": allowed, "access-control-allow-credentials": "true" }),
    },
    body: "{}",
    expect: {},
  });

  async function stages(vectors: Vector[]): Promise<string[]> {
    const plugin = await createEnvoyProcess().addPlugin({ name: "meshward", vmId: "meshward", module: readModule() });
    assert.ok(plugin.configure(configuration).accepted);
    return vectors.map(({ path = "/", status = 200, sends = {}, headers = {}, body = "" }) => {
      const { verdict } = plugin.exchange(
        { path, headers: [["host", "shop.example"], ...Object.entries(sends)] },
        { response: { status, headers: Object.entries(headers) as [string, string][], body } },
      );
      const { findings = [] } = (verdict ?? {}) as { findings?: { rule: string; stage: string }[] };
      return findings
        .filter(({ rule }) => RULES.has(rule))
        .map(({ rule, stage }) => `${rule} ${stage}`)
        .join();
    });
  }

  it("two sites that come back are no list", async () => {
    const one = origin("https://one.test", "https://one.test");
    const two = origin("https://two.test", "https://two.test");
    const rule = "header-cors-reflected";
    assert.deepEqual(await stages([one, one, two]), [`${rule} likely`, `${rule} likely`, `${rule} confirmed`]);
  });

  it("a site that was refused says that there is a list", async () => {
    const refused = origin("https://other.test", null);
    const partner = origin("https://partner.test", "https://partner.test");
    assert.deepEqual(await stages([refused, partner]), ["", ""]);
  });

  it("an endpoint that has refused somebody looks at what it is sent", async () => {
    const call = (authorization: string | null, status: number): Vector => ({
      id: "",
      why: "",
      path: "/status",
      status,
      sends: { "x-forwarded-proto": "https", ...(authorization === null ? {} : { authorization }) },
      headers: { "content-type": "application/json" },
      body: "{}",
      expect: {},
    });
    const known = "Basic dG9tY2F0OnMzY3JldA==";
    assert.deepEqual(await stages([call(null, 401), call(known, 200)]), ["", "auth-default-accepted confirmed"]);
  });
});

describe("passwords that are posted", () => {
  async function found(sends: Record<string, string>, body: string, host = "shop.example"): Promise<string[]> {
    const plugin = await createEnvoyProcess().addPlugin({ name: "meshward", vmId: "meshward", module: readModule() });
    assert.ok(plugin.configure(configuration).accepted);
    const { verdict } = plugin.exchange(
      { method: "POST", path: "/login", headers: [["host", host], ...Object.entries(sends)] },
      { body, response: { status: 200, headers: [["content-type", "application/json"]], body: "{}" } },
    );
    const { findings = [] } = (verdict ?? {}) as { findings?: { rule: string; stage: string }[] };
    return findings.filter(({ rule }) => rule.startsWith("auth-")).map(({ rule, stage }) => `${rule} ${stage}`);
  }
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const json = { "content-type": "application/json" };

  it("in clear, as a form or as JSON", async () => {
    assert.deepEqual(await found(form, "user=ada&password=engines"), ["auth-form-clear likely"]);
    assert.deepEqual(await found(json, '{"user":"ada","newPassword":"engines"}'), ["auth-form-clear likely"]);
    assert.deepEqual(await found(json, '{"login":{"pwd":"engines"}}'), ["auth-form-clear likely"]);
  });
  it("by TLS, between sidecars, to the own machine", async () => {
    assert.deepEqual(await found({ ...form, "x-forwarded-proto": "https" }, "password=engines"), []);
    const peer = { "x-forwarded-client-cert": "By=spiffe://a/b;Hash=0f;URI=spiffe://a/c" };
    assert.deepEqual(await found({ ...form, ...peer }, "password=engines"), []);
    assert.deepEqual(await found(form, "password=engines", "localhost:8080"), []);
  });
  it("none, whatever it is about", async () => {
    assert.deepEqual(await found(form, "topic=password&compass=north"), []);
  });
});
