// Odd bytes straight over sockets: what Envoy's codec lets through must be judged, what it does not must not reach the module, and
// nothing may bring Envoy or the VM down.

import assert from "node:assert/strict";
import { connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import type { JsonObject } from "../../envoy/json.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { launch, type Launched } from "../filter/launch.ts";
import { compile } from "../filter/push.ts";
import { attack, REFUSED, startService, type Service } from "../filter/service.ts";

let service: Service;
let envoy: Launched;
let port: number;
before(async () => {
  service = await startService();
  envoy = await launch({
    compiled: compile({ mode: "block" }),
    upstream: service.url,
    // Upstream and module see HTTP/1.1 trailers too, and as many headers as fit.
    change: (config) => {
      const text = JSON.stringify(config)
        .replace('"accept_http_10":true', '"accept_http_10":true,"enable_trailers":true')
        .replace('"max_headers_count":100', '"max_headers_count":2000');
      Object.assign(config, JSON.parse(text) as JsonObject);
    },
  });
  port = envoy.ports.get("ingress")!;
});
after(async () => {
  await envoy?.stop();
  service?.stop();
});

/** Sends pieces, each in a packet of its own, and yields the statuses of the answers once there are `answers` or the end. */
function raw(pieces: string | readonly string[], answers = 1): Promise<number[]> {
  return new Promise((resolve) => {
    let text = "";
    const statuses = (): number[] => [...text.matchAll(/HTTP\/1\.[01] (\d+) /g)].map(([, status]) => Number(status));
    const socket = connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (statuses().length >= answers && text.endsWith("served") === text.includes("served")) socket.destroy();
      else if (statuses().length >= answers && /\}$|\r\n\r\n$/.test(text)) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(statuses()));
    socket.setTimeout(5_000, () => socket.destroy());
    void (async () => {
      for (const piece of typeof pieces === "string" ? [pieces] : pieces) {
        if (socket.destroyed) return;
        await new Promise((done) => socket.write(piece, "latin1", done));
        await new Promise((done) => setImmediate(done));
      }
    })();
  });
}

const JSON_HEAD = "POST /a HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n";
const BODY = '{"q":"$(id)"}';
const chunk = (text: string, extension = ""): string => `${text.length.toString(16)}${extension}\r\n${text}\r\n`;
const byByte = (text: string): string[] => [...text];

describe("over a socket", () => {
  for (const [what, pieces, expected] of [
    [
      "a body in chunks of one byte",
      [`${JSON_HEAD}transfer-encoding: chunked\r\n\r\n`, ...[...BODY].map((byte) => chunk(byte)), "0\r\n\r\n"],
      [403],
    ],
    ["a request in packets of one byte", byByte(`${JSON_HEAD}content-length: ${BODY.length}\r\n\r\n${BODY}`), [403]],
    ["chunk extensions", `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n${chunk(BODY, ';a="b;c"')}0;x\r\n\r\n`, [403]],
    [
      "chunk sizes with zeros in front",
      `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n0000${chunk(BODY)}0\r\n\r\n`,
      [403],
    ],
    [
      "trailers behind chunks",
      `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n${chunk(BODY.slice(0, 9))}${chunk(BODY.slice(9))}0\r\nx-sum: 1\r\n\r\n`,
      [403],
    ],
    [
      "a body that only the trailers end",
      `${JSON_HEAD}transfer-encoding: chunked\r\n\r\n${chunk("[1")}0\r\nx-sum: 1\r\n\r\n`,
      [200],
    ],
    ["a folded header", "GET /a HTTP/1.1\r\nhost: shop\r\nx-a: 1 UNION\r\n SELECT a,b FROM c--\r\n\r\n", [403]],
    [
      "names in capitals",
      `POST /a HTTP/1.1\r\nHOST: shop\r\nCONTENT-TYPE: APPLICATION/JSON\r\nCONTENT-LENGTH: ${BODY.length}\r\n\r\n${BODY}`,
      [403],
    ],
    ["an absolute target", "GET http://other/a?q=%24(id) HTTP/1.1\r\nhost: shop\r\n\r\n", [403]],
    ["an empty query", "GET /a? HTTP/1.1\r\nhost: shop\r\n\r\n", [200]],
    ["a query of marks alone", "GET /?&&==&?=&= HTTP/1.1\r\nhost: shop\r\n\r\n", [200]],
    ["HTTP/1.0 without a host", "GET /a?q=%24(id) HTTP/1.0\r\n\r\n", [403]],
    [
      "Upgrade without Connection",
      `${JSON_HEAD}upgrade: websocket\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
      [403],
    ],
    [
      "an upgrade to HTTP/2",
      `${JSON_HEAD}connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
      [403],
    ],
    [
      "Expect: 100-continue",
      `${JSON_HEAD}expect: 100-continue\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
      [100, 403],
    ],
    ["bytes beyond ASCII in a value", "GET /a HTTP/1.1\r\nhost: shop\r\nx-a: \xff\xfe\x80$(id)\xc0\r\n\r\n", [403]],
    ["a NUL in a header", "GET /a HTTP/1.1\r\nhost: shop\r\nx-a: $(id)\x00\r\n\r\n", [400]],
    ["a NUL in the path", "GET /a%00?q=%24(id) HTTP/1.1\r\nhost: shop\r\n\r\n", [400]],
    ["two lengths", `${JSON_HEAD}content-length: 1\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`, [400]],
    [
      "a length and chunks",
      `${JSON_HEAD}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n${chunk(BODY)}0\r\n\r\n`,
      [400],
    ],
    [
      "a coding in front of chunked",
      `${JSON_HEAD}transfer-encoding: gzip, chunked\r\n\r\n${chunk(BODY)}0\r\n\r\n`,
      [501],
    ],
    ["a space in front of the colon", "GET /a HTTP/1.1\r\nhost: shop\r\nx-a : $(id)\r\n\r\n", [400]],
    ["nonsense", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400]],
  ] as const) {
    it(what, { timeout: 10_000 }, async () => {
      const before = service.reached();
      assert.deepEqual(await raw(pieces, expected.length), [...expected], envoy.log().slice(-1500));
      assert.equal(service.reached() - before, expected[0] === 200 ? 1 : 0);
    });
  }

  it("pipelined requests are judged one by one", async () => {
    const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: shop\r\n\r\n`;
    assert.deepEqual(await raw(get("/1") + get("/2?q=%24(id)"), 2), [200, 403]);
    const before = service.reached();
    // Attacks first; what follows on the connection is judged as well, or never answered.
    const statuses = await raw(get("/1?q=%24(id)") + get("/2?q=%24(id)") + get("/3?q=%24(id)"), 3);
    assert.ok(statuses.length >= 1 && statuses.every((status) => status === 403), String(statuses));
    assert.equal(service.reached(), before);
  });

  it("1,000 headers and 50 KiB of them are all judged", async () => {
    const many = Array.from({ length: 1000 }, (_, i) => `x-${i}: ${i}\r\n`).join("");
    assert.deepEqual(await raw(`GET /a HTTP/1.1\r\nhost: shop\r\n${many}\r\n`), [200]);
    assert.deepEqual(await raw(`GET /a HTTP/1.1\r\nhost: shop\r\n${many}x-last: $(id)\r\n\r\n`), [403]);
    const long = "plain ".repeat(8_000);
    assert.deepEqual(await raw(`GET /a HTTP/1.1\r\nhost: shop\r\nx-long: ${long}\r\n\r\n`), [200]);
    assert.deepEqual(
      await raw(`GET /a HTTP/1.1\r\nhost: shop\r\nx-long: ${long}<script>alert(1)</script>\r\n\r\n`),
      [403],
    );
    assert.deepEqual(await raw(`GET /${"a".repeat(50_000)}?q=%24(id) HTTP/1.1\r\nhost: shop\r\n\r\n`), [403]);
  });

  it("a client that goes away in the middle costs nothing", async () => {
    for (let i = 0; i < 50; i++) {
      const socket = connect(port, "127.0.0.1");
      await new Promise((resolve) =>
        socket.write(`${JSON_HEAD}content-length: 1000\r\n\r\n{"a":"${"b".repeat(300 + i)}`, resolve),
      );
      socket.resetAndDestroy();
    }
    await poll(
      async () =>
        (await envoy.admin.stats("downstream_rq_active$")).get("http.meshward.downstream_rq_active") === "0"
          ? true
          : null,
      5_000,
      () => new Error("streams are left over"),
    );
  });
});

describe("over HTTP/2", () => {
  it("streams that are reset, flooded and interleaved leave the others as they are", { timeout: 20_000 }, async () => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    const statusOf = (path: string, body: string[], reset = false): Promise<number> =>
      new Promise((resolve) => {
        const stream = session.request({
          ":method": "POST",
          ":path": path,
          ":authority": "shop",
          "content-type": "application/json",
        });
        let status = 0;
        stream.on("response", (headers) => (status = Number(headers[":status"])));
        stream.on("error", () => {});
        stream.on("close", () => resolve(status));
        stream.resume();
        void (async () => {
          for (const piece of body) {
            if (stream.destroyed) return;
            stream.write(piece);
            await new Promise((done) => setImmediate(done));
          }
          if (reset) stream.close(constants.NGHTTP2_CANCEL);
          else stream.end();
        })();
      });
    const attackPieces = [...BODY];
    const plainPieces = [...'{"q":"plain"}'];
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, i) =>
        i % 3 === 0
          ? statusOf("/a", attackPieces)
          : i % 3 === 1
            ? statusOf("/a", plainPieces)
            : statusOf("/a", attackPieces.slice(0, 5), true),
      ),
    );
    session.destroy();
    for (const [i, status] of answers.entries()) assert.equal(status, [403, 200, 0][i % 3], String(i));
  });
});

describe("after all that", () => {
  it("the same VM blocks and Envoy has counted each request once", async () => {
    assert.deepEqual(await attack(port), REFUSED);
    assert.doesNotMatch(envoy.log(), /wasm_fail_stream|VM failed|Function: .* failed|critical/);
    const stats = await envoy.admin.stats("^wasm\\.|http\\.meshward\\.downstream_rq_total$");
    assert.ok(
      [...stats].every(([name, value]) => !/failed|crash|reload/.test(name) || value === "0"),
      JSON.stringify([...stats]),
    );
    // Those that Envoy refused by itself never came to the module.
    const entries = await envoy.access(Number(stats.get("http.meshward.downstream_rq_total")));
    const judged = entries.filter(({ verdict }) => verdict !== null).length;
    await poll(
      async () => ((await envoy.metric("meshward_requests_total")) === judged ? true : null),
      2_500,
      () => new Error(`not ${judged} counted`),
    );
  });
});
