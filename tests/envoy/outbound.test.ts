// The listener for a service's own calls: a forward proxy that changes nothing of them, refuses none, and ends a call that came round.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as call } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { startMeshward } from "../../testing/index.ts";
import type { Meshward } from "../../testing/index.ts";

const ATTACK = "/search?q=1%20UNION%20SELECT%20name,password%20FROM%20users--";

let other: Server;
let origin: string;
let meshward: Meshward;
/** What reached the other service. */
const reached: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];

before(async () => {
  other = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      reached.push({ url: request.url ?? "", headers: request.headers, body });
      response.writeHead(200, { server: "other" }).end("served");
    });
  }).listen(0, "127.0.0.1");
  await once(other, "listening");
  origin = `127.0.0.1:${(other.address() as AddressInfo).port}`;
  meshward = await startMeshward({
    policy: { mode: "block" },
    upstream: `http://${origin}`,
    backend: "process",
    service: "shop",
    outbound: true,
    hosts: { "orders.shop": `http://${origin}` },
  });
});
after(async () => {
  await meshward?.stop();
  other.closeAllConnections();
  other.close();
});

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Calls `http://HOST/path` as a program does that HTTP_PROXY is set for. */
function through(
  path: string,
  options: { host?: string; method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  const { hostname, port } = new URL(meshward.outboundUrl!);
  const { host = origin, method = "GET", headers = {}, body } = options;
  return new Promise<Answer>((resolve, reject) => {
    const sent = call({
      hostname,
      port,
      method,
      path: `http://${host}${path}`,
      headers: { host, ...headers },
    });
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

describe("the service's own calls", () => {
  it("go to the host that they name, unchanged", async () => {
    const answer = await through("/a//b/../c?x=%2F", { headers: { "x-a": "1", "x-request-id": "mine" } });
    assert.deepEqual([answer.status, answer.body, answer.headers.server], [200, "served", "other"]);
    const { url, headers } = reached.at(-1)!;
    assert.equal(url, "/a//b/../c?x=%2F");
    const { via, ...others } = headers;
    assert.match(via ?? "", /^1\.1 meshward-shop-\d+$/);
    assert.deepEqual(others, { host: origin, "x-a": "1", "x-request-id": "mine", "x-forwarded-proto": "http" });
  });

  it("find hosts that only the configuration knows, under their names", async () => {
    for (const host of ["orders.shop", "orders.shop:8080"]) {
      assert.equal((await through("/known", { host })).body, "served");
      assert.deepEqual([reached.at(-1)!.url, reached.at(-1)!.headers.host], ["/known", host]);
    }
    assert.equal((await through("/unknown", { host: "payments.shop.invalid" })).status, 503);
  });

  it("are refused nothing in block mode, and leave no finding", async () => {
    assert.equal((await fetch(meshward.url + ATTACK)).status, 403);
    assert.equal((await through(ATTACK)).status, 200);
    assert.equal(reached.at(-1)!.url, ATTACK);
    const body = JSON.stringify({ q: "1' OR '1'='1' --" });
    const answer = await through("/items", { method: "POST", headers: { "content-type": "application/json" }, body });
    assert.equal(answer.status, 200);
    assert.equal(reached.at(-1)!.body, body);
    assert.deepEqual(
      (await meshward.findings()).map(({ request }) => request.path),
      ["/search"],
    );
  });

  it("stay so under a new policy", async () => {
    await meshward.reload({ mode: "block", sensitivity: "high" });
    assert.equal((await fetch(meshward.url + ATTACK)).status, 403);
    assert.equal((await through(ATTACK)).status, 200);
  });

  it("pass as a tunnel where they are encrypted", async () => {
    const { hostname, port } = new URL(meshward.outboundUrl!);
    const socket = connect(Number(port), hostname);
    socket.write(`CONNECT ${origin} HTTP/1.1\r\nhost: ${origin}\r\n\r\n`);
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.endsWith("\r\n\r\n") && !text.includes("served")) {
        socket.write(`GET /inside HTTP/1.1\r\nhost: ${origin}\r\nconnection: close\r\n\r\n`);
      }
    });
    await once(socket, "close");
    assert.match(text, /^HTTP\/1\.1 200 OK/);
    assert.match(text, /served/);
    assert.equal(reached.at(-1)!.url, "/inside");
  });

  it("that come round end after one turn", async () => {
    const { host } = new URL(meshward.outboundUrl!);
    const before = reached.length;
    const { hostname, port } = new URL(meshward.outboundUrl!);
    const answer = await new Promise<number>((resolve, reject) => {
      call({ hostname, port, path: `http://${host}/`, headers: { host } })
        .on("response", (response) => {
          response.resume();
          resolve(response.statusCode!);
        })
        .on("error", reject)
        .end();
    });
    assert.equal(answer, 508);
    assert.equal(reached.length, before);
  });
});
