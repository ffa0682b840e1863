import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parsePrometheus, poll, type Sample } from "../../scripts/envoy/admin.ts";
import { refusalSchema } from "../../scripts/scan/verdict.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { launch, type Launched } from "../filter/launch.ts";
import { compile } from "../filter/push.ts";
import { attack, startService, type Service } from "../filter/service.ts";

let service: Service;
before(async () => {
  service = await startService();
});
after(() => service?.stop());

const POLICY: PolicySource = {
  mode: "block",
  limits: { holdBytes: 64, onEncoded: "deny", depth: 2 },
  exceptions: [{ id: "docs", class: "sqli", path: "/docs", why: "test" }],
};
const SQL = "1%20UNION%20SELECT%20name,password%20FROM%20users--";
const JSON_TYPE = { "content-type": "application/json" };

/** A mixed run: plain, refused in each way, excepted. Nothing in it outgrows what is held. */
async function mixedRun(port: number): Promise<number> {
  const url = `http://127.0.0.1:${port}`;
  const calls: [path: string, init?: RequestInit][] = [
    ...Array.from({ length: 7 }, (_, i) => [`/items?page=${i}`] as [string]),
    [`/docs?q=${SQL}`],
    [`/items?q=${SQL}`],
    [`/items?q=${SQL}&r=%3Cscript%3Ealert(1)%3C/script%3E`],
    ["/buy", { method: "POST", headers: JSON_TYPE, body: '{"item":1}' }],
    ["/buy", { method: "POST", headers: JSON_TYPE, body: "[[[1]]]" }],
    ["/buy", { method: "POST", headers: { ...JSON_TYPE, "content-encoding": "gzip" }, body: "x" }],
    ["/buy", { method: "POST", headers: { ...JSON_TYPE }, body: '{"q":"$(id)"}' }],
  ];
  for (const [path, init] of calls) await (await fetch(url + path, init)).arrayBuffer();
  await attack(port);
  return calls.length + 4;
}

async function samples(envoy: Launched): Promise<Sample[]> {
  return parsePrometheus(await envoy.admin.prometheus()).filter(({ name }) => name.startsWith("meshward_"));
}

const sum = (all: readonly Sample[], name: string, labels: Record<string, string> = {}): number =>
  all
    .filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((total, { value }) => total + value, 0);

const SAMPLES = "meshward_inspection_microseconds_count";

/** The statistics of a mixed run, once all of it is counted: within 2 s. */
async function counted(envoy: Launched): Promise<{ sent: number; all: Sample[] }> {
  const sent = await mixedRun(envoy.ports.get("ingress")!);
  let all: Sample[] = [];
  await poll(
    async () => (
      (all = await samples(envoy)),
      (sum(all, "meshward_requests_total") >= sent && sum(all, SAMPLES) > 0) || null
    ),
    2_000,
    () => new Error(`${sum(all, "meshward_requests_total")} of ${sent} requests counted\n${envoy.log().slice(-2000)}`),
  );
  // Once more: a scrape reads one statistic after the other, and those before the requests may have been read before the flush.
  return { sent, all: await samples(envoy) };
}

describe("statistics", () => {
  let block: { sent: number; all: Sample[] };
  let detect: { sent: number; all: Sample[] };
  before(async () => {
    for (const mode of ["block", "detect"] as const) {
      const envoy = await launch({
        compiled: compile({ ...POLICY, mode }),
        upstream: service.url,
        concurrency: 2,
        // Histograms show what was merged at the last flush.
        change: (config) => void (config.stats_flush_interval = "0.5s"),
      });
      try {
        if (mode === "block") block = await counted(envoy);
        else detect = await counted(envoy);
        // The access log has a line of JSON for every request, and says the same.
        const entries = await envoy.access(block.sent);
        const lines = (await readFile(join(envoy.folder, "access.log"), "utf8")).trimEnd().split("\n");
        assert.equal(lines.length, block.sent);
        for (const line of lines) JSON.parse(line);
        const { all } = mode === "block" ? block : detect;
        for (const outcome of ["allowed", "denied", "would_deny", "partial", "error"]) {
          const logged = entries.filter(({ verdict }) => verdict?.outcome === outcome).length;
          assert.equal(sum(all, "meshward_requests_total", { outcome }), logged, `${mode} ${outcome}`);
        }
      } finally {
        await envoy.stop();
      }
    }
  });

  it("count every request exactly once", () => {
    for (const { sent, all } of [block, detect]) assert.equal(sum(all, "meshward_requests_total"), sent);
  });

  it("say the same of attacks in both modes", () => {
    const of = ({ all }: { all: Sample[] }, outcome: string): number =>
      sum(all, "meshward_requests_total", { outcome });
    assert.equal(of(block, "denied"), 8);
    assert.equal(of(block, "would_deny"), 0);
    assert.equal(of(detect, "denied"), 0);
    assert.equal(of(detect, "would_deny"), 8);
    assert.equal(of(block, "allowed"), of(detect, "allowed"));
  });

  it("have the names and labels of the contract, and each outcome from the start", () => {
    const shape = (all: readonly Sample[], name: string): string[] => [
      ...new Set(
        all.filter((sample) => sample.name === name).map(({ labels }) => Object.keys(labels).sort().join(",")),
      ),
    ];
    for (const { all } of [block, detect]) {
      assert.deepEqual(shape(all, "meshward_requests_total"), ["outcome"]);
      assert.deepEqual(shape(all, "meshward_findings_total"), ["action,class"]);
      assert.deepEqual(shape(all, "meshward_rule_hits_total"), ["mode,rule"]);
      assert.deepEqual(shape(all, "meshward_overflow_total"), ["what"]);
      assert.deepEqual(shape(all, "meshward_info"), ["mode,policy,version"]);
      const outcomes = all.filter(({ name }) => name === "meshward_requests_total").map(({ labels }) => labels.outcome);
      assert.deepEqual([...new Set(outcomes)].sort(), ["allowed", "denied", "error", "partial", "would_deny"]);
      assert.ok(sum(all, SAMPLES) >= 1, "a sample of the time");
      assert.equal(sum(all, "meshward_overflow_total", { what: "encoded" }), 1);
      assert.equal(sum(all, "meshward_overflow_total", { what: "depth" }), 1);
      for (const { name, labels } of all) {
        assert.ok(
          Object.keys(labels).every((label) => label.length > 0),
          name,
        );
        assert.ok(!/=\.=|;\.;|union|script/i.test(name), name);
      }
    }
    assert.equal(sum(block.all, "meshward_findings_total", { class: "sqli", action: "block" }), 3);
    assert.equal(sum(detect.all, "meshward_findings_total", { class: "sqli", action: "detect" }), 3);
    assert.equal(sum(block.all, "meshward_rule_hits_total", { rule: "sqli-union-select", mode: "block" }), 3);
    assert.equal(sum(detect.all, "meshward_rule_hits_total", { rule: "sqli-union-select", mode: "detect" }), 3);
  });

  it("tell the policy and the mode, once for each VM", () => {
    for (const [mode, { all }] of [
      ["block", block],
      ["detect", detect],
    ] as const) {
      const info = all.filter(({ name, value }) => name === "meshward_info" && value > 0);
      assert.equal(info.length, 1);
      assert.equal(info[0]!.labels.mode, mode);
      assert.equal(info[0]!.labels.policy, compile({ ...POLICY, mode }).policy);
      assert.match(info[0]!.labels.version!, /^\d+\.\d+\.\d+/);
    }
  });
});

describe("the log of refusals", () => {
  it("is one object of JSON a line, at most 1 KiB, 50 at once and then 10 a second, and tells how many it left out", async () => {
    const envoy = await launch({
      compiled: compile({ mode: "block", routes: [{ match: { path: `/${"r".repeat(200)}` } }] }),
      upstream: service.url,
    });
    try {
      const url = `http://127.0.0.1:${envoy.ports.get("ingress")!}`;
      const objects = (): Record<string, unknown>[] =>
        envoy
          .log()
          .split("\n")
          .flatMap((line) => {
            const at = line.indexOf("meshward {");
            if (at < 0) return [];
            assert.ok(Buffer.byteLength(line.slice(at)) <= 1024, line);
            return [refusalSchema.parse(JSON.parse(line.slice(at + "meshward ".length)))];
          });
      // Hostile names and long evidence, escaped and cut.
      const name = encodeURIComponent('"}\n\u001b[31m\\é'.repeat(20));
      const hostile = `${url}/${"r".repeat(200)}?${name}=${SQL}${"%22%27%5C%0A".repeat(50)}`;
      let sent = 0;
      const send = async (target: string): Promise<void> => {
        sent++;
        assert.equal(
          (await fetch(target, { headers: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } }))
            .status,
          403,
        );
      };
      const started = Date.now();
      for (let i = 0; i < 5; i++) await send(`${hostile}${i}`);
      while (sent < 150) await Promise.all(Array.from({ length: 10 }, () => send(`${url}/a?q=${SQL}`)));
      const seconds = (Date.now() - started) / 1000;
      const logged = objects().length;
      assert.ok(logged >= 50 && logged <= 50 + 10 * Math.ceil(seconds + 1), `${logged} lines in ${seconds} s`);

      // The next line that is written tells the rest.
      await poll(
        async () => {
          await send(`${url}/a?q=${SQL}`);
          await new Promise((resolve) => setTimeout(resolve, 50));
          return objects().length > logged || null;
        },
        3_000,
        () => new Error("no line after a second"),
      );
      const all = objects();
      const suppressed = all.reduce((total, { suppressed: count }) => total + Number(count ?? 0), 0);
      // Those of the last moment have not been told yet.
      assert.ok(
        all.length + suppressed <= sent && all.length + suppressed > sent - 40,
        `${all.length} + ${suppressed} of ${sent}`,
      );
    } finally {
      await envoy.stop();
    }
  });
});
