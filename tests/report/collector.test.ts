/** `meshward report` and a real collector. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { startCollector } from "../../collector/collector.ts";
import type { Collector } from "../../collector/collector.ts";
import { main } from "../../scripts/cli.ts";
import { reportSchema } from "../../scripts/report/report.ts";
import { sendEvents } from "../page/records.ts";
import { sarifSchema } from "./sarif-schema.ts";

const TOKEN = "a-token-for-reading";
const REQUEST = "3f2b8c1a-0000-4000-8000-00000000000a";

describe("meshward report", () => {
  const folder = mkdtempSync(join(tmpdir(), "meshward-report-"));
  let collector: Collector;

  before(async () => {
    collector = await startCollector({
      ...{ host: "127.0.0.1", port: 0, database: join(folder, "data"), retentionSeconds: 2_592_000, hosts: [] },
      ...{ ingestTokens: [], readTokens: [{ name: "ci", value: TOKEN }], log: () => {} },
    });
    // More than one page of the API.
    const many = Array.from({ length: 230 }, (_, index) => ({ parameter: `p${index}` }));
    const hops = ["edge GET /search query term", "orders POST /lookup json /sql"];
    await sendEvents(collector.url, [
      ...many,
      {
        stage: "confirmed",
        service: "orders",
        route: "/lookup",
        hops,
        request: REQUEST,
        outcome: "denied",
        mode: "block",
      },
      { stage: "likely", rule: "xss-event-handler", class: "xss", parameter: "<b>" },
    ]);
  });
  after(async () => {
    await collector?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function report(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    return reportAs(`ci:${TOKEN}`, ...argv);
  }
  async function reportAs(token: string, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    const collect = (into: Buffer[]): Writable =>
      new Writable({ write: (chunk: Buffer, _, done) => (into.push(chunk), done()) });
    const io = { stdin: Readable.from([]), stdout: collect(out), stderr: collect(err) };
    const env = { MESHWARD_READ_TOKEN: token };
    const code = await main(["report", "--collector", collector.url, ...argv], { ...io, env });
    return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
  }

  it("tells all findings, in each format", async () => {
    const text = await report();
    assert.equal(text.code, 0);
    assert.match(text.out, /^confirmed critical  sqli-union-select +shop\/orders GET \/lookup, query "q"  1×\nlikely /);
    assert.match(text.out, /\n232 open findings: 1 confirmed, 1 likely, 230 attempted\n$/);
    const sarif = sarifSchema.parse(JSON.parse((await report("--format", "sarif")).out));
    assert.equal(sarif.runs[0]!.results.length, 232);
    assert.equal(sarif.runs[0]!.results[0]!.relatedLocations!.length, 2);
    assert.equal(reportSchema.parse(JSON.parse((await report("--format", "json")).out)).findings.length, 232);
    const file = join(folder, "report.html");
    assert.deepEqual(await report("--format", "html", "--out", file), { code: 0, out: "", err: "" });
    assert.match(readFileSync(file, "utf8"), /&lt;b&gt;/);
  });

  it("fails on what is open and has come so far, and not on what was decided", async () => {
    const failed = await report("--format", "sarif", "--fail-on", "likely");
    assert.equal(failed.code, 1);
    assert.match(
      failed.err,
      /^confirmed .*\nlikely .*\nmeshward report: --fail-on likely: 1 confirmed, 1 likely, 0 attempted\n$/,
    );
    const { findings } = reportSchema.parse(JSON.parse((await report("--format", "json")).out));
    for (const { fingerprint } of findings.slice(0, 2)) {
      const response = await fetch(`${collector.url}/api/v1/findings/${fingerprint}/state`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        body: JSON.stringify({ state: "accepted", note: "known" }),
      });
      assert.equal(response.status, 200);
    }
    assert.deepEqual((await report("--fail-on", "likely")).code, 0);
  });

  it("tells what became of one request", async () => {
    const policy = join(folder, "meshward.yaml");
    writeFileSync(policy, "mode: block\n");
    const { code, out } = await report("--request", `urn:uuid:${REQUEST.toUpperCase()}`, "--policy", policy);
    assert.equal(code, 0);
    assert.match(out, /^request 3f2b8c1a-0000-4000-8000-00000000000a\n/);
    assert.match(out, /where {7}query "q" of shop\/orders GET \/lookup\n {2}evidence {4}9\{1\}' UNION SELECT/);
    assert.match(out, /decision {4}refused: mode block, policy d0f132d4addf\n.*is policy [0-9a-f]{12}: another one/);
    assert.match(out, /mode block: .*meshward\.yaml:1:1 mode\n/);
    assert.match(out, /to let pass this in the policy, with the reason in it:\n {4}exceptions:\n {6}- id: finding-/);
    const document = JSON.parse((await report("--request", REQUEST, "--format", "json")).out) as { events: unknown[] };
    assert.equal(document.events.length, 1);
  });

  it("says in one line what is wrong", async () => {
    const other = "11111111-0000-4000-8000-000000000000";
    assert.match(
      (await report("--request", other)).err,
      /^meshward report: --request "1{8}-.*": no event has this id: .*\n$/,
    );
    const wrong = await reportAs("another-token-than-that");
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /^meshward report: collector .*: the token in MESHWARD_READ_TOKEN is not the one .*\n$/);
    assert.match((await reportAs("")).err, /: it wants a token: set MESHWARD_READ_TOKEN .*\n$/);
    assert.match((await reportAs("short")).err, /^meshward report: MESHWARD_READ_TOKEN: .*\n$/);
  });
});
