import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, describe, it } from "node:test";
import { main } from "../../scripts/cli.ts";
import type { Explanation } from "../../scripts/explain/explain.ts";
import { readModule } from "../../scripts/package.ts";

const folder = mkdtempSync(join(tmpdir(), "meshward-explain-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function run(
  policy: string,
  request: string,
  ...more: string[]
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const collect = (into: Buffer[]): Writable =>
    new Writable({ write: (chunk: Buffer, _, done) => (into.push(chunk), done()) });
  const [policyFile, requestFile] = [join(folder, "meshward.yaml"), join(folder, "request.jsonl")];
  writeFileSync(policyFile, policy);
  writeFileSync(requestFile, request);
  const argv = ["policy", "explain", "--policy", policyFile, "--request", requestFile, ...more];
  const code = await main(argv, { stdin: process.stdin, stdout: collect(out), stderr: collect(err), env: {} });
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString().replaceAll(`${folder}/`, "");
  return { code, out: text(out), err: text(err) };
}

async function explain(policy: string, request: object, line: object = {}): Promise<Explanation> {
  const { code, out, err } = await run(
    policy,
    JSON.stringify({ request: { method: "GET", path: "/", ...request }, ...line }),
    "--json",
  );
  assert.equal(code, 0, err);
  return JSON.parse(out) as Explanation;
}

const UNION = "1%2527+UNION+SELECT+name,pass+FROM+users--";
const path = `/blog/7?q=${UNION}&page=2`;

describe("policy explain", () => {
  it("shows fields, layers and tokens", async () => {
    const { fields } = await explain("mode: block\n", { path });
    assert.deepEqual(
      fields.map(({ part, name, layers }) => [part, name, layers[0]!.text]),
      [
        ["path", null, "/blog/7"],
        ["path", "0", "blog"],
        ["path", "1", "7"],
        ["query", "q", "q"],
        ["query", "q", "1%27 UNION SELECT name,pass FROM users--"],
        ["query", "page", "page"],
        ["query", "page", "2"],
      ],
    );
    const { layers } = fields[4]!;
    assert.deepEqual(layers.map(({ text }) => text).slice(1), ["1' UNION SELECT name,pass FROM users--"]);
    const runs = layers[1]!.runs.filter((run) => run.class === "sqli").map(({ tokens }) => tokens.join(" "));
    assert.ok(
      runs.some((tokens) => tokens.startsWith("Break Union Select Name")),
      runs.join("\n"),
    );
  });
  it("shows the values of a body", async () => {
    const headers = [["content-type", "application/json"]];
    const { fields, rule } = await explain("", { method: "POST", headers, body: `{"a":{"b":"x' or 'a'='a"}}` });
    assert.ok(fields.some(({ part, name }) => part === "json" && name === "/a/b"));
    assert.match(rule!, /^sqli-/);
  });

  // Each row: what the policy says, and the keys that said mode, most and threshold of SQL injection. Their lines are those of the keys.
  const choices: [policy: string, mode: string | null, cap: string | null, threshold: string | null][] = [
    ["version: 1", null, null, null],
    ["mode: block\nsensitivity: low", "mode", null, "sensitivity"],
    [
      "detectors:\n  sqli:\n    mode: detect\n    sensitivity: high",
      null,
      "detectors.sqli.mode",
      "detectors.sqli.sensitivity",
    ],
    [
      "mode: block\ndetectors: { sqli: { sensitivity: low } }\nroutes:\n  - match: { path: /blog/* }\n    sensitivity: high\n    mode: detect",
      "routes[0].mode",
      null,
      "routes[0].sensitivity",
    ],
    [
      "mode: block\ndetectors: { sqli: { sensitivity: low, mode: detect } }\nroutes:\n  - match: { path: /x }\n    mode: detect\n  - match: { path: /blog/* }\n    detectors: { sqli: { mode: block } }",
      "mode",
      "routes[1].detectors.sqli.mode",
      "detectors.sqli.sensitivity",
    ],
    [
      "mode: block\nworkloads:\n  - match: { service: cart }\n    mode: detect\n    sensitivity: high\n    routes: [{ match: { path: /blog/* }, sensitivity: low }]",
      "workloads[0].mode",
      null,
      "workloads[0].routes[0].sensitivity",
    ],
    ["mode: 'off'\nroutes: [{ match: { path: /blog/* }, mode: block }]\nsensitivity: low", "mode", null, "sensitivity"],
  ];
  const NUMBERS: Record<string, number> = { low: 80, balanced: 60, high: 40 };
  for (const [policy, mode, cap, threshold] of choices) {
    it(`names the keys that hold: ${JSON.stringify(policy)}`, async () => {
      const explained = await explain(policy, { path }, { service: "cart" });
      const finding = explained.findings.find(({ class: name }) => name === "sqli")!;
      assert.equal(explained.modeFrom?.path ?? null, mode);
      assert.equal(finding.capFrom?.path ?? null, cap);
      assert.equal(finding.thresholdFrom?.path ?? null, threshold);
      const lines = policy.split("\n");
      const word = (from: { line: number; column: number } | null): string | null =>
        from && /^\w+: *'?(\w+)/.exec(lines[from.line - 1]!.slice(from.column - 1))![1]!;
      // The module's word and the word in the line that is named are the same.
      assert.equal(explained.mode, word(explained.modeFrom) ?? "detect");
      assert.equal(finding.cap, word(finding.capFrom) ?? "block");
      assert.equal(finding.threshold, NUMBERS[word(finding.thresholdFrom) ?? "balanced"]);
    });
  }

  it("names the exception, the decision and its lines, as text", async () => {
    const policy = [
      "mode: block",
      "exceptions:",
      "  - id: search",
      "    class: sqli",
      "    path: /search",
      "    why: people search for SQL",
    ].join("\n");
    const line = (at: string): string => JSON.stringify({ request: { method: "GET", path: at } });
    const refused = await run(policy, line(path));
    assert.match(refused.out, /^sqli-union-select, confidence \d+, in query q$/m);
    assert.match(refused.out, /^ {2}reaches the threshold of 60 \(default\)$/m);
    assert.match(refused.out, /^deny: sqli-union-select with \d+; mode block \(meshward\.yaml:1:1 mode\)$/m);
    const excepted = await run(policy, line(`/search?q=${UNION}`));
    assert.match(excepted.out, /does not count: exception search \(meshward\.yaml:3:5 exceptions\[0\]\)/);
    assert.match(excepted.out, /^allow: no finding decides; mode block \(meshward\.yaml:1:1 mode\)$/m);
    assert.match((await run("mode: detect", line("/%1b%5b2J"))).out, /\\u\{1b\}\[2J/);
  });

  it("names the declared field whose kind moved the threshold", async () => {
    const policy =
      "mode: block\nfields:\n  - { name: q, kind: text }\nroutes:\n  - match: { path: /sql }\n    fields: [{ name: q, kind: sql }]";
    const line = (at: string): string => JSON.stringify({ request: { method: "GET", path: `${at}?q=${UNION}` } });
    const prose = await run(policy, line("/blog"));
    assert.match(
      prose.out,
      /stands in a declared field \(meshward\.yaml:3:5 fields\[0\]\)\n {2}reaches the threshold of 80 /,
    );
    const sql = await run(policy, line("/sql"));
    assert.match(
      sql.out,
      /declared field \(meshward\.yaml:6:14 routes\[0\]\.fields\[0\]\)\n {2}decides nothing in a field/,
    );
    assert.match(sql.out, /^allow: /m);
  });

  it("names the policy's own rule, and its mode", async () => {
    const policy = "mode: block\nrules:\n  - { id: own, class: xss, contains: [marker], mode: detect, why: test }";
    const { out } = await run(policy, JSON.stringify({ request: { method: "GET", path: "/?q=a+marker" } }));
    assert.match(out, /^own, confidence 90, in query q\n {2}a rule of the policy \(meshward\.yaml:3:5 rules\[0\]\)$/m);
    assert.match(out, /decides nothing: it is in detect mode \(meshward\.yaml:3:5 rules\[0\]\)/);
  });

  it("says what is wrong with its input", async () => {
    const request = '{"request":{"method":"GET","path":"/"}}';
    assert.match((await run("mod: block", request)).err, /^meshward\.yaml:1:1: mod: unknown key/);
    assert.match((await run("", "\n")).err, /request\.jsonl: there is no line in it/);
    assert.match((await run("", `${request}\n${request}`)).err, /more than one line/);
    assert.match((await run("", '\n{"request":{}}')).err, /request\.jsonl:2: request\.method: missing/);
  });

  it("leaves no trace in the release build", () => {
    const text = Buffer.from(readModule()).toString("utf16le");
    const odd = Buffer.from(readModule()).subarray(1).toString("utf16le");
    for (const half of [text, odd]) assert.ok(!half.includes("explain") && !half.includes("ParenOpen"));
  });
});
