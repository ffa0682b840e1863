// Requests that nobody would send, by the thousand: the checked build must not trap, every verdict and log line must be what its
// schema says, no byte of the client may come back, and cutting a body must change nothing.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import { createEnvoyProcess, type Header, type Plugin } from "../../scripts/host/index.ts";
import { modulePath } from "../../scripts/package.ts";
import { refusalSchema, verdictSchema } from "../../scripts/scan/verdict.ts";
import { compile } from "./push.ts";

const module = await readFile(modulePath("checked"));
const RUNS = 1500;

// prettier-ignore
const PIECES = ["1", "a", " ", "+", "%", "%2", "%25", "%00", "%u003c", "%c0%af", "&", "=", ";", ",", "?", "#", "/", "//", "/../", "/..;/", "\\", "\\u", "\\u003c", "\\\"",
  "\"", "'", "`", "{", "}", "[", "]", ":", "<", ">", "<script>", "alert(1)", "</script>", "&lt;", "&#x3c", "&#", "' or 1=1--", "1 UNION SELECT a,b FROM c--", "/*", "*/", "--",
  "$(id)", "; cat /etc/passwd", "|", "../", "..%2f", "etc/passwd", "null", "true", "-1.5e3", "\r\n", "\t", "\u0000", "é", "\ufeff", "＜", "𝒳", "x".repeat(300), "y ".repeat(9000)];

const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((parts) => parts.join(""));
const noise = fc.uint8Array({ maxLength: 60 });
const bytes = fc.oneof(
  { weight: 4, arbitrary: text.map((value) => Buffer.from(value, "utf8")) },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.oneof(
          noise,
          text.map((value) => Buffer.from(value)),
        ),
        { maxLength: 6 },
      )
      .map((parts) => Buffer.concat(parts)),
  },
);
// prettier-ignore
const header = fc.tuple(
  fc.constantFrom("cookie", "user-agent", "x-request-id", "traceparent", "content-type", "content-encoding", "host", "upgrade", "x-a", "x-forwarded-for", "", ":path", "transfer-encoding"),
  fc.oneof(bytes, fc.constantFrom("application/json", "application/x-www-form-urlencoded", "text/plain", "a/b, application/json", "identity").map((value) => Buffer.from(value))),
);
const request = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "", "x".repeat(40)),
  path: bytes.map((value) => Buffer.concat([Buffer.from("/"), value])),
  headers: fc.array(header, { maxLength: 8 }),
  body: fc.oneof(
    bytes,
    fc.json().map((value) => Buffer.from(value)),
    text.map((value) => Buffer.from(JSON.stringify({ a: [value, { [value]: 1 }], q: value }))),
    text.map((value) => Buffer.from(new URLSearchParams({ a: value, [value]: "1" }).toString())),
  ),
  cuts: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 }),
});

const POLICY = compile({
  mode: "block",
  limits: { holdBytes: "900KiB", holdMillis: "60s", depth: 6 },
  routes: [
    { match: { path: "/a/**" }, mode: "detect" },
    { match: { host: "x" }, sensitivity: "high" },
  ],
  exceptions: [{ id: "e", class: "sqli", path: "/**", part: "query", name: "a*", why: "test" }],
});

test("nothing traps, all that is said is valid, and a cut changes nothing", async () => {
  const lines: string[] = [];
  const process = createEnvoyProcess({ log: (_level, line) => lines.push(line) });
  const plugin: Plugin = await process.addPlugin({ name: "meshward", rootId: "meshward", vmId: "meshward", module });
  assert.ok(plugin.configure(JSON.stringify(POLICY)).accepted);
  let refused = 0;
  fc.assert(
    fc.property(request, ({ method, path, headers, body, cuts }) => {
      const seen = [[], cuts].map((chunkSizes) => {
        const mapped: Header[] = headers.map(([name, value]) => [name, value]);
        const { verdict, local, outcome } = plugin.exchange(
          { method, path, headers: mapped },
          { body, chunkSizes, response: { status: 200 } },
        );
        assert.equal(process.traps, 0, process.lastTrap?.message);
        // How many bytes of a body had been judged when it was cut off depends on the cuts.
        const { request_id: id, bytes: _judged, ...rest } = verdictSchema.parse(verdict);
        if (id !== null || rest.findings.length > 0) assert.match(id!, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
        for (const { evidence, where } of rest.findings) {
          assert.ok(Buffer.byteLength(evidence) <= 1200 && Buffer.byteLength(where.name ?? "") <= 800);
        }
        if (local !== null) {
          refused++;
          const answer = Buffer.from(local.body).toString("utf8");
          if (method !== "HEAD" && answer !== "")
            assert.equal((JSON.parse(answer) as { instance: string }).instance, `urn:uuid:${id}`);
        }
        // Evidence is what stood in the chunk that decided; the rest must be the same.
        return { ...rest, outcome, findings: rest.findings.map(({ evidence: _, ...finding }) => finding) };
      });
      const [whole, cut] = seen as [(typeof seen)[0], (typeof seen)[0]];
      // A refusal ends a stream where it is found: what came behind it in the same chunk is told as well.
      assert.deepEqual(
        { ...cut, findings: [], score: 0, rule: null },
        { ...whole, findings: [], score: 0, rule: null },
      );
      if (whole.outcome === "upstream") assert.deepEqual(cut, whole);
      process.advance(200);
    }),
    { numRuns: RUNS, seed: 7 },
  );
  assert.ok(refused > 100, `${refused} refused`);
  const refusals = lines.filter((line) => line.startsWith("meshward {"));
  assert.ok(refusals.length > 50);
  for (const line of refusals) {
    assert.ok(Buffer.byteLength(line) <= 1024, line);
    refusalSchema.parse(JSON.parse(line.slice("meshward ".length)));
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
  }
});

test("what came before changes nothing: paths, pairs and headers that were clean in one place are judged anew in another", async () => {
  // prettier-ignore
  const pieces = ["a", "b", "=", "=", "&", ";", "; ", "\"", "\"", "'", " or 1=1--", "x' or 'a'='a", "$ne", "[$ne]", "/", "../../etc/passwd", "%27", "+", "1"];
  const run = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((parts) => parts.join(""));
  // One pair of quotes around the value of a cookie is not part of it, a lone one is.
  const quote = fc.constantFrom("", '"');
  const cookie = fc.tuple(quote, fc.constantFrom(" or b --", "b"), quote).map((parts) => `a=${parts.join("")}`);
  // A redirect to the site itself leads nowhere else.
  const host = fc.constantFrom("shop.example", "evil.example");
  const query = fc.oneof(run, fc.constant("next=//evil.example/a"));
  const sent = fc.sample(fc.tuple(run, query, fc.oneof(run, cookie), run, host), { numRuns: 600, seed: 11 });
  const judged = async (order: readonly number[]): Promise<unknown[]> => {
    const process = createEnvoyProcess({});
    const plugin = await process.addPlugin({ name: "meshward", rootId: "meshward", vmId: "meshward", module });
    assert.ok(plugin.configure(JSON.stringify(compile({ mode: "block" }))).accepted);
    const verdicts: unknown[] = [];
    for (const index of order) {
      const [path, query, cookie, other, host] = sent[index]!;
      const headers: Header[] = [
        ["host", host],
        ["cookie", cookie],
        ["x-a", other],
      ];
      const { verdict } = plugin.exchange({ path: `/${path}?${query}`, headers });
      const { findings, outcome } = verdictSchema.parse(verdict);
      verdicts[index] = { outcome, findings };
    }
    return verdicts;
  };
  const order = sent.map((_, index) => index);
  assert.deepEqual(await judged([...order, ...order]), await judged(order.toReversed()));
});
