import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, describe, it } from "node:test";
import type { Quality } from "../../scripts/bench/quality.ts";
import { parseRecord } from "../../scripts/bench/record.ts";
import { main } from "../../scripts/cli.ts";

const folder = mkdtempSync(join(tmpdir(), "meshward-quality-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const collect = (into: Buffer[]): Writable =>
    new Writable({ write: (chunk: Buffer, _, done) => (into.push(chunk), done()) });
  const io = { stdin: process.stdin, stdout: collect(out), stderr: collect(err), env: {} };
  const code = await main(["bench", "quality", ...argv], io);
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

const record = (more: object): Buffer =>
  Buffer.from(
    JSON.stringify({ id: "1", class: "sqli", label: "attack", where: "query", name: "q", source: "own", ...more }),
  );

function requestOf(more: object): { line: string; headers: Record<string, string>; body: string } {
  const { method, path, headers, body_base64 } = parseRecord(record(more)).request;
  return {
    line: `${method} ${path}`,
    headers: Object.fromEntries(headers as [string, string][]),
    body: Buffer.from(body_base64 ?? "", "base64").toString("latin1"),
  };
}

describe("a record becomes a request", () => {
  it("in a query, as a form has it", () => {
    assert.equal(requestOf({ value: "a b&c='ü~*" }).line, "GET /api/v1/items?q=a+b%26c%3D%27%C3%BC~%2A");
    assert.equal(requestOf({ value: "a%20b", enc: "url" }).line, "GET /api/v1/items?q=a%20b");
    assert.equal(requestOf({ value: "\ud800" }).line, "GET /api/v1/items?q=%ED%A0%80");
    assert.equal(requestOf({ value: "x", name: "" }).line, "GET /api/v1/items?q=x");
  });
  it("in a form, and as a whole body", () => {
    const form = requestOf({ where: "body-form", value: "1 or 1" });
    assert.deepEqual([form.line, form.body], ["POST /api/v1/items", "q=1+or+1"]);
    assert.equal(form.headers["content-length"], "8");
    assert.equal(requestOf({ where: "body-raw", value: "a=b c" }).body, "a=b c");
    assert.equal(requestOf({ where: "body-xml", value: "<a/>" }).headers["content-type"], "text/xml");
  });
  it("in JSON, as a member or whole", () => {
    assert.equal(requestOf({ where: "body-json", value: 'a"\n\u0001' }).body, '{"q": "a\\"\\n\\u0001"}');
    assert.equal(requestOf({ where: "body-json", value: "a%22+%zz", enc: "url" }).body, '{"q": "a\\" %zz"}');
    assert.equal(requestOf({ where: "body-json", value: "[1]", full: true }).body, "[1]");
  });
  it("as a part of a multipart body, a file where it has a name", () => {
    const field = requestOf({ where: "body-multipart", value: "ü" });
    const boundary = /boundary=(.+)$/.exec(field.headers["content-type"]!)![1]!;
    assert.equal(
      field.body,
      `--${boundary}\r\nContent-Disposition: form-data; name="q"\r\n\r\n\xc3\xbc\r\n--${boundary}--\r\n`,
    );
    const upload = requestOf({ where: "body-multipart", value: "\xff", filename: 'a".php', ctype: "image/png" });
    assert.match(upload.body, /name="q"; filename="a%22\.php"\r\nContent-Type: image\/png\r\n\r\n\xff\r\n--/);
  });
  it("in a header that a browser sends too, in another one, in a cookie, in the path", () => {
    assert.equal(requestOf({ where: "header", name: "User-Agent", value: "a\r\nb" }).headers["user-agent"], "a b");
    assert.equal(requestOf({ where: "header", name: "X-Own", value: "v" }).headers["x-own"], "v");
    assert.equal(requestOf({ where: "cookie", name: "a b", value: "c d" }).headers.cookie, "a+b=c%20d");
    assert.equal(requestOf({ where: "path", value: "a/../b" }).line, "GET /a/../b");
  });
  it("whole", () => {
    const value = { method: "PUT", path: "/x", headers: { "X-A": "1", Accept: "a/b" }, body: "\xff", latin1: true };
    const whole = requestOf({ where: "raw", value });
    assert.equal(whole.line, "PUT /x");
    assert.deepEqual([whole.headers.accept, whole.headers["x-a"], whole.body], ["a/b", "1", "\xff"]);
    assert.equal(whole.headers["content-length"], "1");
    assert.equal(requestOf({ where: "raw", value: JSON.stringify(value) }).line, "PUT /x");
  });
});

const attack = (value: string, more: object = {}): string => record({ value, ...more }).toString();
const benign = (value: string, sub: string): string =>
  record({ value, label: "benign", class: "benign", sub }).toString();
const UNION = "1 UNION SELECT name,password FROM users--";
const CORPUS = [
  attack(UNION),
  attack("a quiet evening"),
  attack("<script>alert(1)</script>", { class: "xss" }),
  attack("'", { tier: "weak" }),
  benign("O'Brien", "name"),
  benign(UNION, "name"),
  benign("select one from the union", "sqlish-text"),
].join("\n");

describe("bench quality", () => {
  it("counts what is refused by class and by kind", async () => {
    const corpus = file("corpus.jsonl", `${CORPUS}\n\n`);
    const misses = join(folder, "misses.txt");
    const { code, out, err } = await run("--json", "--misses", misses, corpus);
    assert.equal(code, 0, err);
    const quality = JSON.parse(out) as Quality;
    assert.deepEqual(quality, {
      micro_tpr: 66.6667,
      macro_tpr: 75,
      fpr_ordinary: 50,
      fpr_hard: 0,
      classes: { sqli: 50, xss: 100 },
      kinds: { name: 50, "sqlish-text": 0 },
      counts: { attacks: 3, ordinary: 2, hard: 1, classes: { sqli: 2, xss: 1 }, kinds: { name: 2, "sqlish-text": 1 } },
    });
    const missed = readFileSync(misses, "utf8").trimEnd().split("\n");
    assert.deepEqual(
      missed.map((line) => (JSON.parse(line) as { record: { value: string } }).record.value),
      ["a quiet evening", UNION],
    );
    const text = (await run(folder)).out;
    assert.match(text, /^sqli +2 +50\.0$/m);
    assert.match(text, /^sqlish-text \(hard\) +1 +0\.00$/m);
  });
  it("takes a policy, and a sensitivity that stands above it", async () => {
    const corpus = file("one.jsonl", attack(UNION));
    const policy = file("off.yaml", 'detectors: { sqli: { mode: "off" } }\n');
    const none = JSON.parse((await run("--json", "--policy", policy, corpus)).out) as Quality;
    assert.equal(none.micro_tpr, 0);
    const low = JSON.parse((await run("--json", "--sensitivity", "low", corpus)).out) as Quality;
    assert.equal(low.micro_tpr, 100);
  });
  it("says where a line is no record", async () => {
    const bad = file("bad.txt", `${attack("1")}\n{"label":"attack","where":"nowhere","value":"1"}\n`);
    const { code, err } = await run("--json", bad);
    assert.equal(code, 2);
    assert.match(err, /bad\.txt:2: where: /);
    assert.match((await run(file("raw.txt", record({ where: "raw", value: "{" }).toString()))).err, /raw\.txt:1: /);
    assert.match((await run(file("empty.txt", ""))).err, /there are no records in it/);
    assert.match((await run(join(folder, "none"))).err, /corpus .*none: no such file or folder/);
  });
});
