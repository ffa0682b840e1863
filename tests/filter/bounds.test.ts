// What happens at each bound of the module: a defined outcome, counted, and everything works again once there is room.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { createEnvoyProcess, type Plugin, type Stream } from "../../scripts/host/index.ts";
import { modulePath } from "../../scripts/package.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { compile } from "./push.ts";

const module = await readFile(modulePath("checked"));
const JSON_TYPE: [string, string][] = [
  ["host", "shop"],
  ["content-type", "application/json"],
];
const ATTACK = "/?q=%24(id)";

async function plugin(policy: PolicySource): Promise<Plugin> {
  const made = await createEnvoyProcess().addPlugin({
    name: "meshward",
    rootId: "meshward",
    vmId: "meshward",
    module,
  });
  assert.ok(made.configure(JSON.stringify(compile(policy))).accepted);
  return made;
}

function overflow(of: Plugin, what: string): number {
  of.process.advance(1000);
  return (of.process.metrics().get(`wasmcustom.meshward.what=.=${what};.;overflow_total`) as number | undefined) ?? 0;
}

function outcomes(of: Plugin): Record<string, number> {
  of.process.advance(1000);
  const counts = [...of.process.metrics()].flatMap(([name, value]) => {
    const outcome = /outcome=\.=(\w+);\.;requests_total$/.exec(name)?.[1];
    return outcome === undefined || value === 0 ? [] : [[outcome, value as number] as const];
  });
  return Object.fromEntries(counts);
}

/** Opens `count` streams whose bodies are under way. */
function openBodies(of: Plugin, count: number, first: string): Stream[] {
  return Array.from({ length: count }, () => {
    const stream = of.openStream({ request: { method: "POST", path: "/", headers: JSON_TYPE } });
    stream.sendHeaders(false);
    stream.sendBody(first, false);
    return stream;
  });
}

const HOLD: PolicySource = { mode: "block", limits: { holdMillis: 60_000 } };
/** Slots, pages for cut values and lists of findings of one VM. */
const SLOTS = 8192;
const PAGES = 1024;
const LISTS = 1024;
const INFLATERS = 256;

describe("without a slot for a stream", () => {
  for (const [mode, onError, status] of [
    ["block", "allow", 200],
    ["block", "deny", 503],
    ["detect", "deny", 200],
  ] as const) {
    it(`mode ${mode} and onError ${onError} answer ${status}`, async () => {
      const target = await plugin({ ...HOLD, mode, onError });
      const open = openBodies(target, SLOTS, "{");
      const id = "11111111-2222-4333-8444-555555555555";
      const { local, upstream } = target.exchange(
        {
          path: ATTACK,
          headers: [
            ["host", "shop"],
            ["x-request-id", id],
          ],
        },
        { response: { status: 200 } },
      );
      assert.equal(local?.status ?? 200, status);
      assert.equal(upstream.headersSeen, status === 200);
      if (local !== null) assert.match(Buffer.from(local.body).toString(), /"instance":"urn:uuid:[0-9a-f-]{36}"/);
      assert.equal(overflow(target, "streams"), 1);
      for (const stream of open) stream.reset();
      assert.equal(
        target.exchange({ path: ATTACK }, { response: { status: 200 } }).local?.status ?? 200,
        mode === "block" ? 403 : 200,
      );
      const counts = outcomes(target);
      assert.equal(counts.error, 1);
      assert.equal(
        Object.values(counts).reduce((sum, count) => sum + count),
        SLOTS + 2,
      );
    });
  }
});

describe("without a page for a value that a chunk cuts", () => {
  const cut = `{"text":"${"plain ".repeat(60)}`;
  for (const [mode, onOverflow, status, outcome] of [
    ["block", "deny", 413, "denied"],
    ["block", "allow", 200, "allowed"],
    ["detect", "deny", 200, "would_deny"],
  ] as const) {
    it(`mode ${mode} and onOverflow ${onOverflow} answer ${status}`, async () => {
      const target = await plugin({ ...HOLD, mode, limits: { holdMillis: 60_000, onOverflow } });
      const open = openBodies(target, PAGES, cut);
      const [last] = openBodies(target, 1, cut) as [Stream];
      if (status === 200) {
        last.sendBody('words"}', true);
        last.respond({ status: 200 });
      }
      assert.equal(last.code, status);
      assert.equal(overflow(target, "values"), 1);
      for (const stream of open) {
        stream.sendBody('words"}', true);
        assert.ok(stream.request.out.ended);
        stream.end();
      }
      last.end();
      assert.deepEqual(
        outcomes(target),
        outcome === "allowed" ? { allowed: PAGES + 1 } : { allowed: PAGES, [outcome]: 1 },
      );
      // There is room again.
      const again = target.exchange(
        { method: "POST", headers: JSON_TYPE },
        { body: `${cut}$(id)"}`, chunkSizes: [300] },
      );
      assert.equal(overflow(target, "values"), 1);
      assert.ok(again.verdict !== null);
    });
  }
});

describe("without an inflater for a coded body", () => {
  const headers: [string, string][] = [...JSON_TYPE, ["content-encoding", "gzip"]];
  const coded = gzipSync('{"q":"$(id)"}');
  for (const [mode, onOverflow, status, outcome] of [
    ["block", "deny", 413, "denied"],
    ["block", "allow", 200, "allowed"],
    ["detect", "deny", 200, "would_deny"],
  ] as const) {
    it(`mode ${mode} and onOverflow ${onOverflow} answer ${status}`, async () => {
      const target = await plugin({ ...HOLD, mode, limits: { holdMillis: 60_000, onOverflow } });
      const begin = (codings: string): Stream => {
        const all: [string, string][] = [...JSON_TYPE, ["content-encoding", codings]];
        const stream = target.openStream({ request: { method: "POST", path: "/", headers: all } });
        stream.sendHeaders(false);
        stream.sendBody(coded.subarray(0, 12), false);
        return stream;
      };
      // One that is coded twice takes two.
      const open = [begin("gzip, gzip"), ...Array.from({ length: INFLATERS - 2 }, () => begin("gzip"))];
      const last = begin("gzip");
      if (status === 200) {
        last.sendBody(coded.subarray(12), true);
        last.respond({ status: 200 });
      }
      assert.equal(last.code, status);
      assert.equal(overflow(target, "inflaters"), 1);
      last.end();
      for (const stream of open) stream.reset();
      const counts = outcomes(target);
      assert.equal(counts[outcome], outcome === "allowed" ? INFLATERS : 1);
      // There is room again.
      for (let round = 0; round < 2 * INFLATERS; round++) {
        const again = target.exchange({ method: "POST", headers }, { body: coded, response: { status: 200 } });
        assert.equal((again.verdict as { rule: string }).rule, "cmdi-substitution");
      }
      assert.equal(overflow(target, "inflaters"), 1);
    });
  }
});

describe("without a list for findings", () => {
  it("a stream is still decided on", async () => {
    const target = await plugin({ ...HOLD, mode: "detect" });
    const open = openBodies(target, LISTS, '{"a":"$(id)",');
    target.configure(JSON.stringify(compile({ ...HOLD, sensitivity: "high" })));
    const { local } = target.exchange({ path: ATTACK }, { response: { status: 200 } });
    assert.equal(local?.status, 403);
    const body = target.exchange(
      { method: "POST", headers: JSON_TYPE },
      { body: '{"q":"$(id)","r":"plain"}', response: { status: 200 } },
    );
    assert.equal(body.local?.status, 403);
    assert.ok(overflow(target, "findings") >= 2);
    for (const stream of open) stream.end();
  });
});

describe("a header map larger than the inbox", () => {
  const headers: [string, string][] = [
    ["host", "shop"],
    ...Array.from({ length: 20 }, (_, i) => [`x-${i}`, "y".repeat(60_000)] as [string, string]),
  ];
  for (const [mode, onError, status] of [
    ["block", "allow", 200],
    ["block", "deny", 503],
    ["detect", "deny", 200],
  ] as const) {
    it(`mode ${mode} and onError ${onError} answer ${status}`, async () => {
      const target = await plugin({ mode, onError, routes: [{ match: { path: "/off" }, mode: "off" }] });
      // What the request before was must not matter.
      target.exchange({ path: "/off" }, { response: { status: 200 } });
      const { local, verdict } = target.exchange({ path: ATTACK, headers }, { response: { status: 200 } });
      assert.equal(local?.status ?? 200, status);
      assert.deepEqual([(verdict as { outcome: string }).outcome, (verdict as { mode: string }).mode], ["error", mode]);
      assert.equal(overflow(target, "headers"), 1);
    });
  }
});

describe("more pushes than there are places for policies", () => {
  it("with a stream open under each keep no more than the newest, and every stream ends well", async () => {
    const target = await plugin(HOLD);
    const open: Stream[] = [];
    for (let push = 1; push <= 60; push++) {
      open.push(...openBodies(target, 1, "{"));
      assert.ok(
        target.configure(JSON.stringify(compile({ mode: "block", limits: { holdMillis: 60_000 - push } }))).accepted,
        String(push),
      );
    }
    for (const stream of open) {
      stream.sendBody('"q":"$(id)"}', true);
      assert.equal(stream.local?.status, 403);
      stream.end();
    }
    assert.deepEqual(outcomes(target), { denied: 60 });
  });
});

describe("more findings than are kept", () => {
  const attack = "%24(id)";
  const fields = (count: number, last: string): string =>
    [...Array.from({ length: count }, (_, i) => `a${i}=${attack}`), last].join("&");

  it("are judged all the same", async () => {
    const target = await plugin(HOLD);
    const { local, verdict } = target.exchange({ path: `/?${fields(60, "z=1")}` });
    assert.equal(local?.status, 403);
    assert.equal((verdict as { findings: unknown[] }).findings.length, 16);
  });

  it("do not crowd out the one that is not excepted, wherever it stands", async () => {
    const target = await plugin({
      ...HOLD,
      detectors: { xss: { mode: "detect" } },
      exceptions: [{ id: "known", class: "cmdi", name: "a*", why: "test" }],
    });
    const script = "%3Cscript%3Ealert(1)%3C/script%3E";
    const reported = Array.from({ length: 60 }, (_, i) => `b${i}=${script}`).join("&");
    for (const query of [fields(60, `z=${attack}`), `z=${attack}&${fields(60, "y=1")}`, `${reported}&z=${attack}`]) {
      const { local, verdict } = target.exchange({ path: `/?${query}` });
      assert.equal(local?.status, 403, query.slice(0, 20));
      assert.equal((verdict as { rule: string }).rule, "cmdi-substitution");
    }
    assert.equal(target.exchange({ path: `/?${fields(60, reported)}` }, { response: { status: 200 } }).local, null);
    // The same in a body, cut in the middle.
    const body = `${fields(60, "y=1")}&z=${attack}`;
    const headers: [string, string][] = [
      ["host", "shop"],
      ["content-type", "application/x-www-form-urlencoded"],
    ];
    const { local } = target.exchange({ method: "POST", headers }, { body, chunkSizes: [100, 300, 1] });
    assert.equal(local?.status, 403);
  });
});
