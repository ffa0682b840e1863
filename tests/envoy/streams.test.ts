import assert from "node:assert/strict";
import { createServer, get, request } from "node:http";
import type { Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startMeshward } from "../../testing/index.ts";
import type { Meshward } from "../../testing/index.ts";

/** What the generated configuration and the module must leave alone: whatever streams, waits, or is large. */
const GIGABYTE = 1 << 30;
let service: Server;
let meshward: Meshward;

/** The text over and over; all of it is one piece of memory. */
function gigabyteOf(text: string): Readable {
  const piece = Buffer.alloc(1 << 20, text);
  return Readable.from(Array<Buffer>(GIGABYTE / piece.length).fill(piece));
}

before(async () => {
  service = createServer((incoming, response) => {
    if (incoming.url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: first\n\n");
      setTimeout(() => response.end("data: last\n\n"), 1_500);
    } else if (incoming.url === "/early") response.writeHead(413).end("too much");
    else if (incoming.url === "/download") gigabyteOf("<p>1 UNION SELECT</p>").pipe(response);
    else if (incoming.url === "/poll") setTimeout(() => response.end("late"), 2_500);
    else if (incoming.url === "/upload") {
      let bytes = 0;
      incoming.on("data", (chunk: Buffer) => (bytes += chunk.length)).on("end", () => response.end(String(bytes)));
    } else response.end("served");
  });
  service.on("upgrade", (_, socket: Socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n");
    socket.on("data", (chunk) => socket.write(`echo ${chunk.toString()}`));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  const upstream = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  meshward = await startMeshward({ policy: { mode: "block" }, upstream, backend: "process" });
});
after(async () => {
  await meshward?.stop();
  service.closeAllConnections();
  service.close();
});

describe("through Meshward in block mode", () => {
  it("a WebSocket opens at once and carries bytes both ways", { timeout: 5_000 }, async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const call = get(`${meshward.url}/socket`, {
        headers: {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
      });
      call.on("error", reject);
      call.on("response", (response) => reject(new Error(`answered ${response.statusCode}`)));
      call.on("upgrade", (_, socket) => {
        socket.write("hello");
        socket.on("data", (chunk: Buffer) => {
          resolve(chunk.toString());
          socket.destroy();
        });
      });
    });
    assert.equal(answer, "echo hello");
  });

  it("an event of a stream arrives before the stream ends", { timeout: 5_000 }, async () => {
    const started = Date.now();
    const answer = await fetch(`${meshward.url}/events`);
    const reader = answer.body!.getReader();
    const first = await reader.read();
    assert.ok(Date.now() - started < 1_400, `the first event took ${Date.now() - started} ms`);
    assert.equal(Buffer.from(first.value!).toString(), "data: first\n\n");
    assert.equal(Buffer.from((await reader.read()).value!).toString(), "data: last\n\n");
  });

  it("a long poll gets its answer", { timeout: 8_000 }, async () => {
    assert.equal(await (await fetch(`${meshward.url}/poll`)).text(), "late");
  });

  it(
    "an upload far larger than what is held arrives whole, in one piece and in chunks",
    { timeout: 30_000 },
    async () => {
      const body = Buffer.alloc(24 * 1024 * 1024, "plain text and nothing else, ");
      const answer = await fetch(`${meshward.url}/upload`, {
        method: "POST",
        body,
        headers: { "content-type": "application/octet-stream" },
      });
      assert.deepEqual([answer.status, await answer.text()], [200, String(body.length)]);

      const chunked = await new Promise<string>((resolve, reject) => {
        const call = request(
          `${meshward.url}/upload`,
          { method: "POST", headers: { "content-type": "text/plain" } },
          (response) => {
            let text = "";
            response
              .on("data", (chunk: Buffer) => (text += chunk.toString()))
              .on("end", () => resolve(`${response.statusCode} ${text}`));
          },
        );
        call.on("error", reject);
        for (let at = 0; at < 4 * 1024 * 1024; at += 64 * 1024) call.write(body.subarray(at, at + 64 * 1024));
        call.end();
      });
      assert.equal(chunked, `200 ${4 * 1024 * 1024}`);
    },
  );

  it("an upload that pauses longer than anything is held goes on", { timeout: 15_000 }, async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const call = request(
        `${meshward.url}/upload`,
        { method: "POST", headers: { "content-type": "text/plain", "content-length": 8 } },
        (response) => {
          let text = "";
          response
            .on("data", (chunk: Buffer) => (text += chunk.toString()))
            .on("end", () => resolve(`${response.statusCode} ${text}`));
        },
      );
      call.on("error", reject);
      call.write("half");
      void delay(3_000).then(() => call.end("rest"));
    });
    assert.equal(answer, "200 8");
  });

  it("Expect: 100-continue is answered before the body comes, which is judged", { timeout: 10_000 }, async () => {
    const post = (body: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const headers = { "content-type": "text/plain", "content-length": body.length, expect: "100-continue" };
        let continued = false;
        const call = request(`${meshward.url}/upload`, { method: "POST", headers }, (response) => {
          response.resume().on("end", () => resolve(`${continued} ${response.statusCode}`));
        });
        call.on("continue", () => {
          continued = true;
          call.end(body);
        });
        call.on("error", reject);
        call.flushHeaders();
      });
    assert.equal(await post("a=b"), "true 200");
    assert.equal(await post("a=$(id)&b"), "true 403");
  });

  it("an answer that does not wait for the body arrives while it is sent", { timeout: 10_000 }, async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { "content-type": "application/octet-stream", "content-length": GIGABYTE };
      const call = request(`${meshward.url}/early`, { method: "POST", headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(`${response.statusCode} ${text}`));
      });
      // The connection ends under whoever goes on sending.
      call.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? undefined : reject(error)));
      call.write(Buffer.alloc(64 * 1024));
    });
    assert.equal(answer, "413 too much");
  });

  it("a gigabyte passes in either direction", { timeout: 120_000 }, async () => {
    const down = await fetch(`${meshward.url}/download`);
    let bytes = 0;
    for await (const chunk of down.body! as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length;
    assert.equal(bytes, GIGABYTE);
    const up = await new Promise<string>((resolve, reject) => {
      const headers = { "content-type": "text/plain", "content-length": GIGABYTE };
      const call = request(`${meshward.url}/upload`, { method: "POST", headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(`${response.statusCode} ${text}`));
      });
      call.on("error", reject);
      gigabyteOf("plain text and nothing else, ").pipe(call);
    });
    assert.equal(up, `200 ${GIGABYTE}`);
  });

  it("HTTP/2 without TLS is spoken, and judged the same", { timeout: 10_000 }, async () => {
    const session = connectHttp2(meshward.url);
    const status = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": path });
        stream.on("response", (headers) => resolve(headers[":status"] ?? 0));
        stream.on("error", reject);
        stream.resume();
      });
    try {
      assert.equal(await status("/"), 200);
      assert.equal(await status("/?q=1%20UNION%20SELECT%20name,password%20FROM%20users--"), 403);
    } finally {
      await new Promise<void>((resolve) => session.close(() => resolve()));
    }
  });
});
