import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { poll } from "../../scripts/envoy/admin.ts";
import { startMeshward, type Meshward } from "../../testing/index.ts";
import { startReceiver, type Receiver } from "../events/receiver.ts";

/** Findings of requests are counted here: nothing else is sent. */
const observe = { sample: "0%" };

// Events through real Envoy, to a real receiver that is slow, gone or unwilling: nothing that the ring can hold is lost, and no request
// waits for it.

const ATTACK = "/items/4711?id=1%20UNION%20SELECT%20password%20FROM%20users";
const service = createServer((_, response) => response.end("served"));
let upstream: string;
before(async () => {
  service.listen(0, "127.0.0.1");
  await new Promise((resolve) => service.once("listening", resolve));
  upstream = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
after(() => {
  service.closeAllConnections();
  service.close();
});

interface Setup {
  receiver: Receiver;
  meshward: Meshward;
}

/** One worker, so that there is one ring. */
async function withEvents(work: (setup: Setup) => Promise<void>, policy: object = {}): Promise<void> {
  const receiver = await startReceiver();
  try {
    await using meshward = await startMeshward({
      policy: { observe, events: { otlp: `http://127.0.0.1:${receiver.port}` }, ...policy },
      upstream,
      service: "cart",
      concurrency: 1,
      environment: { MESHWARD_OTLP_TOKEN: "receiver-token" },
      progress: () => undefined,
    });
    await work({ receiver, meshward });
    assert.deepEqual(receiver.faults, []);
    assert.equal((await meshward.metrics()).value("envoy_wasm_meshward_vm_reload_success"), 0);
  } finally {
    await receiver.close();
  }
}

/** Sends attacks one after the other; the longest time that one took, ms. */
async function attack({ meshward }: Setup, count: number, name = "q"): Promise<number> {
  let longest = 0;
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await (await fetch(`${meshward.url}${ATTACK}&${name}${i}=1`)).arrayBuffer();
    longest = Math.max(longest, performance.now() - started);
  }
  return longest;
}

/** A request is answered in much less time than any receiver here takes, on a busy machine, too. */
const AT_ONCE = 1_500;

describe("events through Envoy", { concurrency: 3, timeout: 120_000 }, () => {
  it("come soon, with the token, and are counted", async () => {
    await withEvents(
      async (setup) => {
        const { receiver, meshward } = setup;
        const trace = "0af7651916cd43dd8448eb211c80319c";
        const started = Date.now();
        const answer = await fetch(meshward.url + ATTACK, {
          headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
        });
        const { instance } = (await answer.json()) as { instance: string };
        const [event] = (await receiver.until(1)) as [(typeof receiver.taken)[0]];
        assert.ok(Date.now() - started < 4_000);
        assert.equal(answer.status, 403);
        const { attributes, resource } = event;
        assert.equal(`urn:uuid:${attributes["meshward.request_id"]}`, instance);
        assert.equal(attributes["security_rule.name"], "sqli-union-select");
        assert.equal(attributes["http.route"], "/items/{number}");
        assert.equal(attributes["http.response.status_code"], 403);
        assert.equal(attributes["meshward.outcome"], "denied");
        assert.equal(attributes["meshward.principal"], "127.0.0.1");
        assert.equal(attributes["server.address"], "127.0.0.1");
        assert.equal(attributes["url.scheme"], "http");
        assert.equal(event.trace_id, trace);
        assert.equal(event.span_id, "b7ad6b7169203331");
        assert.equal(resource["service.name"], "cart");
        assert.equal(resource["service.instance.id"], "cart");
        assert.ok(Math.abs(Date.parse(event.time) - started) < 5_000);
        const [call] = receiver.calls as [(typeof receiver.calls)[0]];
        assert.equal(call.url, "/v1/logs");
        assert.equal(call.headers["content-type"], "application/x-protobuf");
        assert.equal(call.headers.authorization, "Bearer receiver-token");
        assert.equal(call.headers.host, `127.0.0.1:${receiver.port}`);
        await sleep(2_200);
        const metrics = await meshward.metrics();
        assert.equal(metrics.value("meshward_events_sent_total"), 1);
        assert.equal(metrics.value("meshward_events_dropped_total"), 0);
        assert.equal(
          (await meshward.log()).some((line) => line.includes("receiver-token")),
          false,
        );
      },
      { mode: "block" },
    );
  });

  it("wait for a receiver that answers 503, then breaks off, then is slow", async () => {
    await withEvents(async (setup) => {
      const { receiver } = setup;
      receiver.replies.push({ status: 503 }, { status: null }, { status: 200, delay: 3_000 });
      assert.ok((await attack(setup, 20)) < AT_ONCE);
      await sleep(1_500);
      assert.ok((await attack(setup, 20, "r")) < AT_ONCE, "while it waits to try again");
      await receiver.until(20, 20_000);
      assert.ok((await attack(setup, 20, "s")) < AT_ONCE);
      await receiver.until(60, 10_000);
      const ids = receiver.taken.map(({ attributes }) => attributes["meshward.request_id"]);
      assert.equal(new Set(ids).size, 60);
      assert.equal(ids.length, 60, "once each");
    });
  });

  it("wait for a receiver that is not there", async () => {
    await withEvents(async (setup) => {
      const { receiver, meshward } = setup;
      await receiver.close();
      assert.ok((await attack(setup, 30)) < AT_ONCE);
      await sleep(2_500);
      const again = await startReceiver(receiver.port);
      try {
        await again.until(30, 20_000);
        assert.deepEqual(again.faults, []);
      } finally {
        await again.close();
      }
      assert.ok(meshward.log().some((line) => line.includes("the collector does not take events (HTTP 503), ")));
    });
  });

  it("do not keep Envoy from starting where the collector has no address", async () => {
    const started = Date.now();
    const policy = { observe, events: { otlp: "http://collector.invalid:4318" } };
    await using meshward = await startMeshward({ policy, upstream, concurrency: 1, progress: () => undefined });
    assert.ok(Date.now() - started < 5_000);
    assert.ok((await attack({ meshward } as Setup, 5)) < AT_ONCE);
    await sleep(2_000);
    assert.ok(meshward.log().some((line) => line.includes("does not take events")));
  });

  it("go over to the next policy", async () => {
    await withEvents(async (setup) => {
      const { receiver, meshward } = setup;
      const otlp = `http://127.0.0.1:${receiver.port}`;
      // The first call is open while the policy changes.
      receiver.replies.push({ status: 200, delay: 2_000 });
      await attack(setup, 5);
      await sleep(1_200);
      await attack(setup, 5, "r");
      await meshward.reload({ mode: "block", observe, events: { otlp } });
      await attack(setup, 5, "s");
      const events = await receiver.until(15, 10_000);
      await sleep(1_500);
      assert.equal(events.length, 15, "once each");
      assert.deepEqual(
        events.map(({ attributes }) => attributes["meshward.mode"]),
        [...Array<string>(10).fill("detect"), ...Array<string>(5).fill("block")],
      );
      assert.equal(new Set(events.map(({ resource }) => resource["meshward.policy"])).size, 2);
      await meshward.reload({ mode: "block" });
      assert.ok((await attack(setup, 5, "t")) < AT_ONCE);
      await assert.rejects(
        meshward.reload({ observe, events: { otlp: "http://127.0.0.1:9" } }),
        /events\.otlp has changed: that takes a restart/,
      );
      await sleep(1_500);
      assert.equal(events.length, 15);
    });
  });

  it("go out once more where the last policy that names a collector goes", async () => {
    await withEvents(async (setup) => {
      const { receiver, meshward } = setup;
      await attack(setup, 3);
      await meshward.reload({ mode: "block" });
      await receiver.until(3, 3_000);
    });
  });

  it("are dropped and counted where there are more than the ring holds; no request waits", async () => {
    await withEvents(async (setup) => {
      const { receiver, meshward } = setup;
      receiver.replies.push({ status: 200, delay: 6_000 });
      const total = 1_200;
      const slowest = await Promise.all(Array.from({ length: 12 }, (_, i) => attack(setup, total / 12, `c${i}x`)));
      assert.ok(Math.max(...slowest) < 2 * AT_ONCE, String(slowest));
      const counted = async (): Promise<[sent: number, dropped: number]> => {
        const metrics = await meshward.metrics();
        return [metrics.value("meshward_events_sent_total"), metrics.value("meshward_events_dropped_total")];
      };
      const [sent] = await poll(
        async () => {
          const [taken, dropped] = await counted();
          return taken + dropped === total ? [taken] : null;
        },
        30_000,
        () => new Error("sent and dropped do not add up"),
      );
      assert.ok(sent !== undefined);
      assert.equal(sent, receiver.taken.length);
      assert.ok(sent > 150 && sent < total, String(sent));
      assert.ok(receiver.calls.every(({ bytes }) => bytes <= 65_536));
    });
  });
});
