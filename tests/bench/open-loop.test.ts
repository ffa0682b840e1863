// The open loop of `meshward bench envoy`, against services that answer when a test says so. No time is expected to be short.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { test } from "node:test";
import { arrivals, percentiles, sendOpen } from "../../scripts/bench/open-loop.ts";

const REQUEST = Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** Calls `serve` for each request; requests come whole, since they are small. */
async function withService(
  serve: (socket: Socket, index: number) => void,
  work: (port: number) => Promise<void>,
): Promise<void> {
  let seen = 0;
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("data", () => serve(socket, seen++)).on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** Sends what is due and yields the latencies and the statuses by their count. */
async function send(
  port: number,
  due: Float64Array,
  connections: number,
): Promise<{ latencies: Float64Array; statuses: Record<number, number> }> {
  const statuses: Record<number, number> = {};
  const answered = (status: number): void => void (statuses[status] = (statuses[status] ?? 0) + 1);
  return { latencies: await sendOpen({ port, connections, due, make: () => REQUEST, answered }), statuses };
}

test("arrivals: in order, at the rate, with gaps as a Poisson process has them, the same for the same seed", () => {
  const times = arrivals(20_000, 500, 7);
  assert.deepEqual(arrivals(20_000, 500, 7), times);
  assert.notDeepEqual(arrivals(20_000, 500, 8), times);
  const gaps = [...times].slice(1).map((time, index) => time - times[index]!);
  assert.ok(gaps.every((gap) => gap > 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  // Of exponential gaps the deviation is the mean: 2 ms.
  assert.ok(Math.abs(mean - 2) < 0.1, `${mean}`);
  assert.ok(Math.abs(deviation - 2) < 0.1, `${deviation}`);
});

test("percentiles are samples, and no fewer than the share is at or below", () => {
  const samples = Float64Array.from({ length: 2000 }, (_, index) => 2000 - index);
  assert.deepEqual(percentiles(samples), { p50: 1000, p99: 1980, p999: 1998 });
  assert.deepEqual(percentiles(Float64Array.of(3)), { p50: 3, p99: 3, p999: 3 });
});

test("each request that is due while the service stands still shows it, also those that could not be sent", async () => {
  const HELD_MS = 300;
  const waiting: Socket[] = [];
  let isHeld = true;
  const serve = (socket: Socket, index: number): void => {
    if (index === 0) {
      setTimeout(() => {
        isHeld = false;
        for (const one of waiting) one.write(ANSWER);
      }, HELD_MS);
    }
    if (isHeld) waiting.push(socket);
    else socket.write(ANSWER);
  };
  await withService(serve, async (port) => {
    // 200 requests in 100 ms, over 4 connections: counted from the moment of sending, 4 would be late.
    const due = Float64Array.from({ length: 200 }, (_, index) => index / 2);
    const { latencies, statuses } = await send(port, due, 4);
    assert.deepEqual(statuses, { 200: 200 });
    assert.equal(waiting.length, 4);
    for (const [index, latency] of latencies.entries()) {
      // Node's timers may be a millisecond early.
      assert.ok(latency >= HELD_MS - due[index]! - 1, `${index}: ${latency}`);
    }
  });
});

test("a request is never sent before it is due", async () => {
  const came: number[] = [];
  const serve = (socket: Socket): void => {
    came.push(performance.now());
    socket.write(ANSWER);
  };
  await withService(serve, async (port) => {
    const due = arrivals(100, 1000, 3);
    const { latencies } = await send(port, due, 100);
    assert.equal(came.length, 100);
    assert.ok(came.at(-1)! - came[0]! >= due.at(-1)! - latencies[0]!, "the last came too soon");
    assert.ok(latencies.every((latency) => latency > 0));
  });
});

test("a connection that breaks is a missing answer, and the end where it was the last", async () => {
  await withService(
    (socket, index) => (index === 5 ? socket.destroy() : socket.write(ANSWER)),
    async (port) => {
      const { latencies, statuses } = await send(port, arrivals(20, 1000, 1), 1);
      assert.deepEqual(statuses, { 0: 1, 200: 5 });
      assert.equal(latencies.filter((latency) => latency > 0).length, 5);
    },
  );
  await withService(
    (socket, index) => (index === 5 ? socket.destroy() : socket.write(ANSWER)),
    async (port) => assert.deepEqual((await send(port, arrivals(20, 1000, 1), 2)).statuses, { 0: 1, 200: 19 }),
  );
});
