// Starts, pushes, ticks, traps: what happens around streams.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvoyProcess, type HttpCall } from "../../scripts/host/index.ts";
import { guest, scripted } from "./guest.ts";

const GET = { method: "GET", path: "/a", headers: [["host", "x"]] } as const;

test("a start runs in a canary first, then on the main thread and on each worker", async () => {
  const log: string[] = [];
  const envoy = createEnvoyProcess({ log: (_level, message) => log.push(message) });
  const plugin = await envoy.addPlugin({
    name: "p",
    module: await guest("script"),
    workers: 2,
    vmConfiguration: "four",
  });
  assert.deepEqual(plugin.configure("tick: time"), { accepted: true, live: true });
  const once = ["create 1 0", "start 1 4", "configure 1 10"];
  assert.deepEqual(log, [...once, ...once, ...once, ...once]);
  assert.equal(envoy.vms().length, 3);
});

test("a configuration that the canary refuses leaves the live one in force", async () => {
  const { plugin, lines } = await scripted("request_headers: local 403 first no");
  assert.deepEqual(plugin.configure("configure: return 0"), { accepted: false, live: true });
  assert.deepEqual(lines(), ["create 1 0", "start 1 0", "configure 1 19"]);
  assert.equal(plugin.exchange(GET).local?.details, "first");
  // Envoy remembers the verdict: no second canary.
  lines();
  assert.deepEqual(plugin.configure("configure: return 0"), { accepted: false, live: true });
  assert.deepEqual(lines(), []);
});

test("without a live configuration every request fails", async () => {
  const plugin = await createEnvoyProcess().addPlugin({ name: "p", module: await guest("script") });
  assert.deepEqual(plugin.configure("configure: return 0"), { accepted: false, live: false });
  assert.deepEqual(plugin.configure("start: return 0"), { accepted: true, live: true });
  const { outcome, upstream } = plugin.exchange(GET);
  assert.deepEqual([outcome, upstream.headersSeen], ["upstream", true]);
});

test("a configuration that traps is refused", async () => {
  const { plugin, envoy } = await scripted("");
  assert.deepEqual(plugin.configure("configure: trap"), { accepted: false, live: true });
  assert.equal(envoy.traps, 1);
  assert.equal(plugin.exchange(GET).outcome, "upstream");
});

test("a push gives each VM a new root context; the old one goes after its last stream", async () => {
  const { plugin, lines } = await scripted("tick: time\ndone: return 1");
  const stream = plugin.openStream({ request: GET });
  stream.sendHeaders(false);
  assert.deepEqual(lines(), ["create 2 1", "request_headers 2 4 0"]);
  plugin.configure("request_headers: property plugin_name");
  assert.deepEqual(lines(), [
    ...["create 1 0", "start 1 0", "configure 1 37"], // canary
    ...["create 3 0", "start 3 0", "configure 3 37"], // worker: the old root has a stream
    ...["create 2 0", "start 2 0", "configure 2 37", "done 1", "delete 1"], // main thread
  ]);
  assert.equal(plugin.exchange(GET).outcome, "upstream");
  const taken = lines();
  assert.equal(taken[0], "create 4 3");
  stream.sendBody("", true);
  stream.end();
  assert.deepEqual(lines(), ["request_body 2 0 1", "log 2", "done 2", "delete 2", "done 1", "delete 1"]);
});

test("the configuration that is live already is no push; an earlier one is, without a new canary", async () => {
  const { plugin, lines } = await scripted("");
  plugin.configure("");
  assert.deepEqual(lines(), []);
  plugin.configure("log: time");
  lines();
  plugin.configure("");
  assert.deepEqual(
    lines().filter((line) => line.startsWith("create")),
    ["create 3 0", "create 3 0"],
  );
});

test("a root context may put its end off until proxy_done", async () => {
  const { plugin, envoy, lines } = await scripted("configure: tick 100\ndone: return 0\ntick: finish");
  // The guest keeps one script a VM: the new one serves the old root context as well.
  plugin.configure("done: return 0\ntick: finish");
  lines();
  envoy.advance(100);
  assert.deepEqual(lines(), ["tick 1", "  finish = 0", "delete 1", "tick 1", "  finish = 0", "delete 1"]);
  envoy.advance(1000);
  assert.deepEqual(lines(), []);
});

test("a worker that disagrees with the canary answers 500", async () => {
  // The second configure of the process, the first after the canary, finds the mark.
  const script = "configure: share mark 1; share mark 2 1";
  const log: string[] = [];
  const envoy = createEnvoyProcess({ log: (_level, message) => log.push(message) });
  const plugin = await envoy.addPlugin({ name: "p", module: await guest("disagree") });
  assert.deepEqual(plugin.configure(script), { accepted: true, live: true });
  const { outcome, client, upstream } = plugin.exchange(GET);
  assert.deepEqual([outcome, client.headers?.text(":status"), upstream.headersSeen], ["failed", "500", false]);
});

test("ticks run at their period, for each root context, and time is the clock's", async () => {
  const { envoy, lines } = await scripted("configure: tick 1000\ntick: time", {
    process: { time: 5_000 },
  });
  envoy.advance(999);
  assert.deepEqual(lines(), []);
  envoy.advance(1_001);
  const at = (ms: number): string => `  time = 0 ${ms}000000`;
  assert.deepEqual(lines(), ["tick 1", at(6000), "tick 1", at(6000), "tick 1", at(7000), "tick 1", at(7000)]);
  envoy.advanceTo(3_600_000);
  assert.deepEqual(lines(), ["tick 1", at(3_600_000), "tick 1", at(3_600_000)]);
});

test("a trap fails every stream of its VM, and the next stream after the backoff gets a new VM", async () => {
  const { plugin, envoy, lines } = await scripted("request_body: trap", { workers: 2 });
  const bystander = plugin.openStream({ request: GET });
  const elsewhere = plugin.openStream({ request: GET, worker: 1 });
  bystander.sendHeaders(false);
  elsewhere.sendHeaders(false);
  const trapped = plugin.exchange({ ...GET, method: "POST" }, { body: "x" });
  assert.deepEqual([trapped.outcome, trapped.local?.status, trapped.details], ["failed", 503, "wasm_fail_stream"]);
  assert.deepEqual([trapped.upstream.bytes, trapped.upstream.reset], [0, true]);
  bystander.sendBody("x", true);
  assert.deepEqual([bystander.outcome, bystander.details], ["failed", "wasm_fail_stream"]);
  assert.equal(elsewhere.outcome, "hung");
  assert.equal(plugin.exchange(GET).outcome, "failed");
  assert.deepEqual([plugin.reloads, plugin.reloadBackoffs, envoy.traps], [0, 1, 1]);
  envoy.advance(1000);
  lines();
  assert.equal(plugin.exchange(GET).outcome, "upstream");
  assert.deepEqual(lines().slice(0, 4), ["create 1 0", "start 1 0", "configure 1 18", "create 2 1"]);
  assert.equal(plugin.reloads, 1);
});

test("failing open, a failed VM is passed by; failing closed, it stays", async () => {
  const open = await scripted("request_headers: trap", { failurePolicy: "open" });
  assert.equal(open.plugin.exchange(GET, { response: {} }).outcome, "upstream");
  assert.equal(open.plugin.exchange(GET, { response: {} }).outcome, "upstream");
  const closed = await scripted("request_headers: trap", { failurePolicy: "closed" });
  assert.equal(closed.plugin.exchange(GET).outcome, "failed");
  closed.envoy.advance(60_000);
  assert.equal(closed.plugin.exchange(GET).outcome, "failed");
  assert.equal(closed.plugin.reloads, 0);
});

test("a VM that failed ticks no more", async () => {
  const { envoy, lines } = await scripted("configure: tick 100\ntick: trap");
  envoy.advance(1000);
  assert.equal(envoy.traps, 2);
  assert.equal(lines().filter((line) => line === "tick 1").length, 2);
});

test("plugins with the same module and vm_id share VMs and shared data; another vm_id shares neither", async () => {
  const envoy = createEnvoyProcess();
  const module = await guest("script");
  const first = await envoy.addPlugin({ name: "a", vmId: "v", module });
  const second = await envoy.addPlugin({ name: "b", vmId: "v", module: Uint8Array.from(module) });
  const other = await envoy.addPlugin({ name: "c", vmId: "w", module });
  first.configure("configure: share key 1");
  second.configure("request_headers: shared key");
  other.configure("request_headers: shared key");
  assert.equal(envoy.vms().length, 4);
  assert.match(second.exchange(GET).logs[2]!.message, /shared key = 0 1 cas/);
  assert.match(other.exchange(GET).logs[2]!.message, /shared key = 1$/);
});

test("metrics are one by name for all VMs, with Envoy's prefix", async () => {
  const { envoy, plugin } = await scripted(
    "configure: metric 0 c; metric 1 g; metric 2 h\nrequest_headers: increment 4 2; increment 5 -1; record 5 7; record 6 3; record 6 9",
    { workers: 2 },
  );
  plugin.exchange(GET, { worker: 0 });
  plugin.exchange(GET, { worker: 1 });
  const metrics = envoy.metrics();
  assert.equal(metrics.get("wasmcustom.c"), 4);
  assert.equal(metrics.get("wasmcustom.g"), 7);
  assert.deepEqual(metrics.get("wasmcustom.h"), { count: 4, sum: 24, min: 3, max: 9 });
});

test("random bytes repeat with a seed and only with it", async () => {
  const draw = async (seed?: number): Promise<string> => {
    const { plugin } = await scripted("request_headers: random", seed === undefined ? {} : { process: { seed } });
    return plugin.exchange(GET).logs[2]!.message;
  };
  assert.equal(await draw(7), await draw(7));
  assert.notEqual(await draw(7), await draw(8));
  assert.notEqual(await draw(), await draw());
});

test("an HTTP call is answered in the root context, after the callback that made it", async () => {
  const made: HttpCall[] = [];
  const { envoy, lines } = await scripted(
    "configure: tick 100\ntick: http peer body :method POST :path /v1 :authority peer; tick 0\ncall: header 6 :status; header 7 t; body 4 0 99; status",
    {
      process: {
        strict: false,
        httpCall: (call) => {
          made.push(call);
          if (made.length === 2) call.fail();
        },
      },
    },
  );
  envoy.advance(100);
  assert.deepEqual(
    made.map(({ cluster, body, headers }) => [cluster, body.toString(), headers.text(":path")]),
    [
      ["peer", "body", "/v1"],
      ["peer", "body", "/v1"],
    ],
  );
  assert.ok(lines().includes("call 1 4 0 0 0"));
  made[0]!.respond({ headers: [[":status", "200"]], body: "ok", trailers: [["t", "1"]] });
  made[0]!.respond({ headers: [] });
  assert.deepEqual(lines(), [
    "call 1 4 1 2 1",
    "  header 6 :status = 0 200",
    "  header 7 t = 0 1",
    "  body 4 0 99 = 0 ok",
    "  status = 0  0",
  ]);
});

test("shared queues wake the root context that registered them", async () => {
  const { plugin, lines } = await scripted(
    "configure: register q\nrequest_headers: resolve _ q; enqueue 1 hello\nqueue: dequeue 1; dequeue 1",
  );
  plugin.exchange(GET);
  assert.deepEqual(lines().slice(1, 7), [
    "request_headers 2 4 1",
    "  resolve _ q = 1",
    "  enqueue 1 hello = 0",
    "queue 1 1",
    "  dequeue 1 = 0 hello",
    "  dequeue 1 = 7",
  ]);
});
