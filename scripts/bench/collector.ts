/** Events a second that a collector stores, over HTTP and with each request committed; what it has is counted before the time is told. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import protobuf from "protobufjs/minimal.js";
import { startCollector } from "../../collector/collector.ts";
import type { Findings, Summary } from "../../collector/api.ts";

export interface CollectorFigures {
  events: number;
  batch: number;
  seconds: number;
  eventsPerSecond: number;
  /** CPU time of the process for an event, sending it included, in microseconds. */
  cpuMicroseconds: number;
}

const TOKEN = "token-of-the-benchmark";
/** Requests at a time, as of so many sidecars. */
const SENDERS = 4;
const FINDINGS = 200;
const SERVICES = 20;

function batchOf(size: number, from: number): Uint8Array<ArrayBuffer> {
  const writer = protobuf.Writer.create();
  const text = (field: number, key: string, value: string): void => {
    writer
      .uint32((field << 3) | 2)
      .fork()
      .uint32(10)
      .string(key)
      .uint32(18)
      .fork()
      .uint32(10)
      .string(value)
      .ldelim()
      .ldelim();
  };
  writer.uint32(10).fork().uint32(10).fork();
  text(1, "service.name", `service-${Math.floor(from / size) % SERVICES}`);
  text(1, "service.namespace", "shop");
  writer.ldelim().uint32(18).fork();
  for (let at = from; at < from + size; at++) {
    writer.uint32(18).fork().uint32(98).string("meshward.finding");
    const attributes = {
      "security_rule.name": "sqli-union-select",
      "security_rule.category": "sqli",
      "meshward.stage": "attempted",
      "meshward.severity": "critical",
      "meshward.part": "query",
      "meshward.parameter": `p${at % (FINDINGS / SERVICES)}`,
      "meshward.evidence": "9{1} UNION SELECT a{4}, a{8} FROM a{5} WHERE a{2} = 9{4}",
      "meshward.outcome": "denied",
      "meshward.mode": "block",
      "meshward.request_id": `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`,
      "meshward.principal": "spiffe://mesh/ns/shop/sa/edge",
      "meshward.direction": "inbound",
      "http.request.method": "GET",
      "http.route": "/items/{number}",
      "server.address": "shop.example",
      "url.scheme": "http",
    };
    for (const [key, value] of Object.entries(attributes)) text(6, key, value);
    writer.ldelim();
  }
  return new Uint8Array(writer.ldelim().ldelim().finish());
}

/** Stores `events` in batches of `batch` in a database of its own; throws where not each of them is there. */
export async function benchCollector(events: number, batch: number): Promise<CollectorFigures> {
  const folder = await mkdtemp(join(tmpdir(), "meshward-bench-"));
  try {
    const collector = await startCollector({
      host: "127.0.0.1",
      port: 0,
      database: folder,
      retentionSeconds: 86_400,
      ingestTokens: [],
      readTokens: [{ name: "bench", value: TOKEN }],
      hosts: [],
      log: () => {},
    });
    try {
      let next = 0;
      const begun = performance.now();
      const cpu = process.cpuUsage();
      const sender = async (): Promise<void> => {
        while (next < events) {
          const body = batchOf(batch, next);
          next += batch;
          const headers = { "content-type": "application/x-protobuf" };
          const response = await fetch(`${collector.url}/v1/logs`, { method: "POST", headers, body });
          if (response.status !== 200) throw new Error(`a batch was answered with ${response.status}`);
          await response.arrayBuffer();
        }
      };
      await Promise.all(Array.from({ length: SENDERS }, sender));
      const seconds = (performance.now() - begun) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      const get = async <Answer>(path: string): Promise<Answer> => {
        const response = await fetch(collector.url + path, { headers: { authorization: `Bearer ${TOKEN}` } });
        return (await response.json()) as Answer;
      };
      const summary = await get<Summary>("/api/v1/summary");
      const { findings } = await get<Findings>("/api/v1/findings?limit=200");
      const counted = findings.reduce((sum, { count }) => sum + count, 0);
      if (summary.events.day !== next || counted !== next) {
        throw new Error(`${next} events were sent, ${summary.events.day} are in the trend, ${counted} in findings`);
      }
      return { events: next, batch, seconds, eventsPerSecond: next / seconds, cpuMicroseconds: (user + system) / next };
    } finally {
      await collector.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
