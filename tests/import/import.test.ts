import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { importLog, summaryText } from "../../scripts/import/import.ts";
import type { Format } from "../../scripts/import/import.ts";
import { parseExchange } from "../../scripts/scan/exchange-line.ts";

interface Line {
  id: unknown;
  request: { method: string; path: string; headers: [string, string][]; body?: string; body_base64?: string };
  source?: { address: string };
  time?: string;
  other?: { denied: boolean; rules: string[] };
}

/** What becomes of a log, given in pieces of `size` bytes. */
async function run(
  format: Format,
  log: string,
  size = 7,
): Promise<{ lines: Line[]; faults: string[]; summary: string }> {
  const bytes = Buffer.from(log);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
  }
  const lines: Line[] = [];
  const faults: string[] = [];
  const summary = await importLog(
    format,
    chunks(),
    (line) => {
      const value = JSON.parse(line) as Line;
      parseExchange(value);
      lines.push(value);
    },
    (place, error) => faults.push(`${place}: ${error}`),
  );
  return { lines, faults, summary: summaryText(summary) };
}

const harEntry = (more: object = {}): object => ({
  startedDateTime: "2026-11-20T10:00:00.000Z",
  request: {
    method: "POST",
    url: "https://shop.example/buy?item=1&token=abc123#top",
    headers: [
      { name: ":authority", value: "shop.example" },
      { name: "Authorization", value: "Bearer s3cret" },
      { name: "Cookie", value: "sid=s3cret; theme=dark" },
      { name: "Content-Type", value: "application/json" },
    ],
    postData: { mimeType: "application/json", text: '{"user":"ann","password":"hunter2"}' },
  },
  ...more,
});

describe("import", () => {
  it("reads HAR, cut anywhere, and masks secrets by their shape", async () => {
    const log = JSON.stringify({
      log: {
        version: "1.2",
        creator: { name: "x", entries: [{}] },
        pages: [{ id: "entries" }],
        entries: [harEntry(), harEntry()],
      },
    });
    for (const size of [1, 13, log.length]) {
      const { lines, faults } = await run("har", log, size);
      assert.deepEqual(faults, []);
      assert.equal(lines.length, 2);
      const { request, time } = lines[0]!;
      assert.equal(request.path, "/buy?item=1&token=aaa999");
      assert.equal(time, "2026-11-20T10:00:00.000Z");
      assert.deepEqual(request.headers, [
        ["host", "shop.example"],
        ["Authorization", "aaaaaa a9aaaa"],
        ["Cookie", "sid=a9aaaa; theme=aaaa"],
        ["Content-Type", "application/json"],
      ]);
      assert.equal(request.body, '{"user":"ann","password":"aaaaaa9"}');
    }
  });
  it("says what is no HAR, and which entry is none", async () => {
    assert.deepEqual((await run("har", '{"a":[]}')).faults, [': no HAR: there is no list "entries" in "log"']);
    const { lines, faults } = await run("har", JSON.stringify({ log: { entries: [{}, harEntry()] } }));
    assert.deepEqual([lines.length, faults], [1, [": entry 1: request.url is missing"]]);
    assert.deepEqual((await run("har", '{"log":{"entries":[{"request":')).faults, [": entry 1: the file ends in it"]);
  });
  it("reads ModSecurity's parts", async () => {
    const log = [
      "--a1b2-A--",
      "[20/Nov/2026:10:00:00.123456 +0000] ZxY1 192.0.2.7 50000 10.0.0.1 80",
      "--a1b2-B--",
      "POST /search?q=1 HTTP/1.1",
      "Host: shop.example",
      "Content-Type: application/x-www-form-urlencoded",
      "",
      "--a1b2-C--",
      "text=select+one&pwd=abc",
      "--a1b2-H--",
      'Message: Access denied with code 403 (phase 2). [file "x"] [id "942100"] [msg "m"]',
      "Action: Intercepted (phase 2)",
      "--a1b2-Z--",
      "",
      "--c3d4-A--",
      "[broken",
    ].join("\n");
    const { lines, faults, summary } = await run("modsec-audit", log);
    assert.equal(lines.length, 1);
    const { id, request, source, time, other } = lines[0]!;
    assert.deepEqual(
      [id, request.method, request.path, request.body],
      ["ZxY1", "POST", "/search?q=1", "text=select+one&pwd=aaa"],
    );
    assert.deepEqual([source, time], [{ address: "192.0.2.7" }, "2026-11-20T10:00:00.000Z"]);
    assert.deepEqual(other, { denied: true, rules: ["942100"] });
    assert.deepEqual(faults, [":15: the transaction has no end (part Z)"]);
    assert.match(summary, /^1 request, 1 record that could not be used, secrets masked in 1$/m);
  });
  it("reads ModSecurity's JSON and Coraza's", async () => {
    const three = {
      transaction: {
        client_ip: "192.0.2.8",
        time_stamp: "Fri Nov 20 10:00:00 2026",
        unique_id: "u1",
        request: { method: "GET", uri: "/a?b=c", headers: { Host: "h", Accept: "*/*" } },
        response: { http_code: 403 },
        messages: [{ message: "m", details: { ruleId: "941100" } }],
      },
    };
    const coraza = {
      transaction: {
        id: "c1",
        client_ip: "192.0.2.9",
        unix_timestamp: 1795168800000000000,
        is_interrupted: false,
        request: { method: "POST", uri: "/x", headers: { host: ["h"], "content-type": ["text/plain"] }, body: "abc" },
        response: { status: 200 },
      },
      messages: [{ message: "", data: { id: 920420 } }],
    };
    const first = (await run("modsec-audit", `${JSON.stringify(three)}\n`)).lines[0]!;
    assert.deepEqual([first.id, first.request.path, first.source], ["u1", "/a?b=c", { address: "192.0.2.8" }]);
    assert.deepEqual(first.other, { denied: true, rules: ["941100"] });
    const second = (await run("coraza", JSON.stringify(coraza))).lines[0]!;
    assert.deepEqual([second.request.body, second.time?.slice(0, 4)], ["abc", "2026"]);
    assert.deepEqual(second.other, { denied: false, rules: ["920420"] });
    assert.match((await run("coraza", "{}\nno")).faults.join("\n"), /^:1: transaction is missing\n:2: not JSON: /);
  });
  it("reads Envoy's access log in both forms, and says what it lacks", async () => {
    const text =
      '[2026-11-20T10:00:00.000Z] "POST /a?q=%27 HTTP/1.1" 200 - 3 5 7 6 "192.0.2.1, 10.0.0.1" "curl/8" "id-1" "shop.example" "10.0.0.2:80"';
    const json = JSON.stringify({
      method: "GET",
      path: "/b",
      authority: "shop.example",
      user_agent: "ua",
      downstream_remote_address: "192.0.2.2:4000",
      start_time: "2026-11-20T10:00:01.000Z",
    });
    const { lines, faults, summary } = await run("envoy-access", `${text}\n\n${json}\nnonsense\n`);
    assert.deepEqual(
      lines.map(({ request, source }) => [request.method, request.path, source?.address]),
      [
        ["POST", "/a?q=%27", "192.0.2.1"],
        ["GET", "/b", "192.0.2.2"],
      ],
    );
    assert.deepEqual(faults, [":4: neither JSON nor Envoy's default format"]);
    assert.match(summary, /^2 without headers: /m);
    assert.match(summary, /^1 without body: /m);
  });
});
