/**
 * Sends requests at times that were fixed beforehand, whether earlier ones are answered or not, as users do who know nothing of each other.
 *
 *   due      │   │ │      │          arrivals: gaps are exponential (Poisson), the same for the same seed
 *   sent     │   ├┄│┄┄┄┄┄┄├┄┄│       when a connection is free
 *   answered   │       │       │  │
 *            └─┘ └─────┘ └─…         latency: from due to answered
 *
 * Counted from the moment of sending, a service that stops for a second would seem slow to the requests that it had already, and not to the
 * hundreds that could not be sent.
 */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { AnswerReader } from "./answer.ts";
import { randomFrom } from "./random.ts";

/** ms of the monotonic clock that all threads share. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Between the last thing that is made ready and time 0 of the schedule, ms. */
const LEAD_MS = 20;

/** When `count` requests are due, in ms from the beginning, at a mean rate of `rate` in a second. */
export function arrivals(count: number, rate: number, seed: number): Float64Array {
  const random = randomFrom(seed);
  const times = new Float64Array(count);
  let at = 0;
  for (let index = 0; index < count; index++) {
    times[index] = at;
    at += (-Math.log((random.below(1_000_000) + 0.5) / 1_000_000) / rate) * 1000;
  }
  return times;
}

/** Percentiles by their names, in ms. */
export interface Percentiles {
  p50: number;
  p99: number;
  p999: number;
}

/** The exact percentiles of all samples: the smallest sample that no less than that share of them does not exceed. */
export function percentiles(samples: Float64Array): Percentiles {
  const sorted = Float64Array.from(samples).sort();
  const at = (perMille: number): number => sorted[Math.max(0, Math.ceil((sorted.length * perMille) / 1000) - 1)] ?? NaN;
  return { p50: at(500), p99: at(990), p999: at(999) };
}

/**
 * A thread that posts at each time of its list. Node's timers know whole milliseconds; a wait on memory that nobody wakes ends
 * some 0.1 ms after its time and takes no CPU before, which Envoy needs on a small machine. As text: no loader is asked for it.
 */
const TICKER = `
const { parentPort } = require("node:worker_threads");
const now = () => Number(process.hrtime.bigint()) / 1e6;
const never = new Int32Array(new SharedArrayBuffer(4));
parentPort.once("message", (times) => {
  for (let at = 0; at < times.length; ) {
    const wait = times[at] - now();
    if (wait > 0) Atomics.wait(never, 0, 0, wait);
    for (const time = now(); at < times.length && times[at] <= time; ) at++;
    parentPort.postMessage(null);
  }
});`;

export interface OpenLoad {
  port: number;
  connections: number;
  /** When each request is due, ms from the beginning. */
  due: Float64Array;
  /** The bytes of the next request. */
  make: () => Buffer;
  /** Called for each answer; with 0 for a connection that broke under a request. */
  answered: (status: number) => void;
}

/**
 * Resolves with each request's latency in ms, when all are answered; NaN for those that no connection was left for. A request that
 * finds all connections busy waits for the next that is free, in the order in which they are due.
 */
export async function sendOpen({ port, connections, due, make, answered }: OpenLoad): Promise<Float64Array> {
  const latencies = new Float64Array(due.length).fill(NaN);
  const idle: Socket[] = [];
  /** Which request each connection carries. */
  const carried = new Map<Socket, number>();
  let begin = 0;
  let sent = 0;
  let ended = 0;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));

  const pump = (): void => {
    for (const time = now() - begin; sent < due.length && due[sent]! <= time; sent++) {
      const socket = idle.shift();
      if (socket === undefined) return;
      carried.set(socket, sent);
      socket.write(make());
    }
  };
  const end = (socket: Socket, status: number): void => {
    const index = carried.get(socket);
    if (index === undefined) return;
    carried.delete(socket);
    if (status !== 0) latencies[index] = now() - begin - due[index]!;
    answered(status);
    if (++ended === due.length) finish();
  };
  const sockets = Array.from({ length: Math.min(connections, due.length) }, () =>
    connect({ port, host: "127.0.0.1", noDelay: true }),
  );
  let open = sockets.length;
  const opened = sockets.map((socket) => {
    const reader = new AnswerReader();
    socket.on("data", (data) => {
      const answer = reader.take(data);
      if (answer === null) return;
      end(socket, answer.status);
      idle.push(socket);
      pump();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      end(socket, 0);
      const place = idle.indexOf(socket);
      if (place >= 0) idle.splice(place, 1);
      if (--open === 0) finish();
    });
    return new Promise<void>((resolve) => {
      socket.once("connect", () => resolve(void idle.push(socket)));
      socket.once("close", () => resolve());
    });
  });

  const ticker = new Worker(TICKER, { eval: true });
  ticker.on("message", pump);
  try {
    await Promise.all([...opened, once(ticker, "online")]);
    begin = now() + LEAD_MS;
    ticker.postMessage(due.map((time) => begin + time));
    await finished;
  } finally {
    await ticker.terminate();
    for (const socket of sockets) socket.destroy();
  }
  return latencies;
}
