// Which responses are inspected: never more than the share, and those that may say something new first; and what happens where there
// is no room.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvoyProcess, type Plugin, type Stream } from "../../scripts/host/index.ts";
import { readModule } from "../../scripts/package.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { compile } from "../filter/push.ts";

const module = new Uint8Array(readModule("checked"));
const HTML: [string, string][] = [["content-type", "text/html"]];
/** A value that no detector reports on, and one that is an attack. */
const FLAW = "%3Czq1%3E";
const ATTACK = "%3Cscript%3Ealert(1)%3C/script%3E";

async function plugin(policy: PolicySource, direction?: "outbound"): Promise<Plugin> {
  const options = { name: "meshward", rootId: "meshward", vmId: "meshward", module };
  const made = await createEnvoyProcess().addPlugin(options);
  assert.ok(made.configure(JSON.stringify({ ...compile(policy), direction })).accepted);
  return made;
}

/** Whether the response to a request for `path` was inspected. */
function isInspected(of: Plugin, path: string, value = FLAW): boolean {
  const body = `<p>${decodeURIComponent(value)}</p>`;
  const { verdict } = of.exchange({ path: `${path}?q=${value}` }, { response: { headers: HTML, body } });
  return JSON.stringify(verdict).includes('"confirmed"');
}

function overflow(of: Plugin, what: string): number {
  of.process.advance(1000);
  return (of.process.metrics().get(`wasmcustom.meshward.what=.=${what};.;overflow_total`) as number | undefined) ?? 0;
}

test("never more than the share, and a few that were saved up", async () => {
  for (const [share, part] of [
    ["10%", 0.1],
    ["1%", 0.01],
    ["50%", 0.5],
  ] as const) {
    const target = await plugin({ observe: { sample: share } });
    let inspected = 0;
    for (let i = 0; i < 2000; i++) inspected += Number(isInspected(target, `/${"abcdefghijklmnop"[i % 16]!}`));
    assert.ok(inspected <= 2000 * part + 8, `${inspected} of 2000 at ${share}`);
    assert.ok(inspected >= 5, `${inspected} of 2000 at ${share}`);
  }
});

test("all, and none", async () => {
  const all = await plugin({ observe: { sample: "100%" } });
  const none = await plugin({ observe: { sample: "0%" } });
  for (let i = 0; i < 100; i++) {
    assert.ok(isInspected(all, "/a"));
    assert.ok(!isInspected(none, "/a") && !isInspected(none, "/a", ATTACK));
  }
});

test("an endpoint that is new comes before one that is known, and an attack before both", async () => {
  const target = await plugin({ observe: { sample: "1%" } });
  for (let i = 0; i < 50; i++) isInspected(target, "/known");
  assert.ok(!isInspected(target, "/known"));
  assert.ok(isInspected(target, "/new"));
  // Identifiers make no new endpoint.
  for (let i = 0; i < 20; i++) isInspected(target, `/items/${i}`);
  assert.ok(isInspected(target, "/known", ATTACK));
});

test("a hot endpoint leaves something for the others", async () => {
  const target = await plugin({ observe: { sample: "10%" } });
  let rare = 0;
  for (let i = 0; i < 3000; i++) {
    isInspected(target, "/hot");
    if (i % 100 === 0) rare += Number(isInspected(target, `/rare/${"abcdefghijklmnopqrstuvwxyzabcd"[i / 100]!}`));
  }
  assert.equal(rare >= 20, true, `${rare} of 30 inspected`);
});

test("what plain requests are answered is not inspected, and earns inspections", async () => {
  const target = await plugin({ observe: { sample: "10%" } });
  for (let i = 0; i < 100; i++) isInspected(target, "/a");
  for (let i = 0; i < 1000; i++)
    target.exchange({ path: "/plain?q=shoes" }, { response: { headers: HTML, body: "shoes" } });
  assert.ok(isInspected(target, "/b"));
});

test("without room for values or bodies responses pass uninspected, are counted, and are inspected again once there is room", async () => {
  const target = await plugin({ observe: { sample: "100%" } });
  const open = (): Stream => {
    const stream = target.openStream({ request: { path: `/?q=${FLAW}` } });
    stream.sendHeaders(true);
    return stream;
  };
  const streams = Array.from({ length: 1024 }, open);
  assert.ok(!isInspected(target, "/a"));
  assert.equal(overflow(target, "responses"), 1);
  // The request that found no room for its values, and those that were watched for their values alone.
  assert.equal(overflow(target, "observed"), 1024 - 256 + 1);
  for (const stream of streams) stream.respondHeaders({ headers: HTML }, false);
  for (const stream of streams.slice(0, 129)) stream.respondBody("<p><zq1>", false);
  assert.equal(overflow(target, "responses"), 2);
  for (const stream of streams) stream.reset();
  assert.ok(isInspected(target, "/a"));
  // Twice as many again: nothing is lost.
  for (let round = 0; round < 2; round++) for (const stream of Array.from({ length: 1024 }, open)) stream.reset();
  assert.ok(isInspected(target, "/a"));
  assert.equal(overflow(target, "responses"), 2);
});

test("a call for which there is no room is not observed, and nothing is kept of its response", async () => {
  const target = await plugin({ observe: { sample: "100%" } }, "outbound");
  const calls = Array.from({ length: 257 }, () => {
    const call = target.openStream({ request: { path: "/" } });
    call.sendHeaders(true);
    return call;
  });
  // The lowest addresses hold no more than texts.
  const lowest = (): Buffer[] => target.process.vms().map(({ memory }) => Buffer.from(memory.bytes.subarray(0, 1024)));
  const before = lowest();
  for (const call of calls) call.respond({ headers: HTML, body: "<p>" });
  assert.equal(overflow(target, "observed"), 1);
  assert.deepEqual(lowest(), before);
});

test("a raised finding is counted once, and one of the response alone is counted", async () => {
  const target = await plugin({ observe: { sample: "100%" } });
  const findings = (): number => {
    target.process.advance(1000);
    return Number(
      target.process.metrics().get("wasmcustom.meshward.class=.=xss;.;action=.=detect;.;findings_total") ?? 0,
    );
  };
  assert.ok(isInspected(target, "/a", ATTACK));
  assert.equal(findings(), 1);
  assert.ok(isInspected(target, "/a"));
  assert.equal(findings(), 2);
});

test("a response that begins before its request has ended is judged, and told with it", async () => {
  const target = await plugin({ observe: { sample: "100%" } });
  const stream = target.openStream({
    request: { method: "POST", path: `/?q=${FLAW}`, headers: [["content-type", "application/json"]] },
  });
  stream.sendHeaders(false);
  stream.sendBody('{"a":', false);
  stream.respond({ headers: HTML, body: "<p><zq1></p>" });
  stream.sendBody("1}", true);
  stream.end();
  const verdict = stream.filterState.get("wasm.meshward.verdict")!.toString();
  assert.match(verdict, /"rule":"xss-reflected".*"stage":"confirmed"/);
});

test("a stream of events, an upgrade and a call hold nothing and wait for nothing", async () => {
  const target = await plugin({ observe: { sample: "100%" } });
  for (const [status, type] of [
    [200, "text/event-stream"],
    [101, "text/html"],
    [200, "application/grpc"],
  ] as const) {
    const stream = target.openStream({ request: { path: `/?q=${FLAW}` } });
    stream.sendHeaders(true);
    stream.respondHeaders({ status, headers: [["content-type", type]] }, false);
    for (let i = 0; i < 100; i++) {
      stream.respondBody("data: <zq1>\n\n", false);
      assert.equal(stream.response.out.bytes, 13 * (i + 1), "each chunk passes at once");
    }
    if (type === "application/grpc") stream.respondTrailers([["grpc-status", "0"]]);
    stream.end();
    assert.doesNotMatch(stream.filterState.get("wasm.meshward.verdict")!.toString(), /confirmed/);
  }
});

test("a body that was seen before is judged for what else its checks ask", async () => {
  const target = await plugin({ observe: { sample: "100%" } });
  const body =
    'Traceback (most recent call last):\n  File "/srv/cart.py", line 7, in add\n  File "/srv/shop.py", line 9, in stock\nValueError: none\n';
  const leaks = (path: string, status: number): number => {
    target.exchange({ path }, { response: { status, headers: [["content-type", "text/plain"]], body } });
    target.process.advance(1000);
    const hits = target.process
      .metrics()
      .get("wasmcustom.meshward.rule=.=leak-stack-trace;.;mode=.=detect;.;rule_hits_total");
    return Number(hits ?? 0);
  };
  assert.deepEqual([leaks("/log", 200), leaks("/log", 200)], [1, 1]);
  // Surer where the request has failed, and another endpoint's flaw.
  assert.deepEqual([leaks("/log", 500), leaks("/other", 200)], [2, 3]);
  // Told again in another hour.
  target.process.advance(3_600_000);
  assert.equal(leaks("/log", 200), 4);
});
