import assert from "node:assert/strict";
import { request } from "node:http";
import { connect, createServer, type ClientHttp2Session, type ClientHttp2Stream, type Http2Server } from "node:http2";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { startMeshward } from "../../testing/index.ts";
import type { Meshward } from "../../testing/index.ts";
import { field, frame, int, message } from "../protobuf/encode.ts";

/** gRPC over HTTP/2 through Envoy in block mode, to a service that speaks it: every kind of call, while it is open and refused. */
let service: Http2Server;
let meshward: Meshward;
let session: ClientHttp2Session;
/** Messages that the service has received, by path. */
const received = new Map<string, string[]>();

const HEADERS = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };
const OK = { "grpc-status": "0" };
const ATTACK = "1 UNION SELECT name, password FROM users--";
const PATIENCE = 5_000;

/** Takes frames from a stream's bytes; calls `take` with each message. */
function onMessages(stream: NodeJS.EventEmitter, take: (content: Buffer) => void): void {
  let held = Buffer.alloc(0);
  stream.on("data", (data: Buffer) => {
    held = Buffer.concat([held, data]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const end = 5 + held.readUInt32BE(1);
      take(held.subarray(5, end));
      held = held.subarray(end);
    }
  });
}

before(async () => {
  service = createServer();
  service.on("stream", (stream, headers) => {
    const path = String(headers[":path"]);
    const seen: string[] = [];
    received.set(path, seen);
    stream.on("error", () => {});
    const close = (): void => {
      if (stream.destroyed) return;
      if (!stream.headersSent)
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers(OK));
      stream.end();
    };
    // Of bidirectional calls the headers of the answer come before any message.
    if (path.startsWith("/shop.Chat/")) {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    }
    onMessages(stream, (content) => {
      seen.push(content.toString("latin1"));
      if (!path.startsWith("/shop.Chat/")) return;
      stream.write(frame(field(1, `echo ${seen.length}`)));
    });
    stream.on("end", () => {
      if (path.startsWith("/shop.Chat/")) return close();
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      const answers = path === "/shop.Stock/List" ? 3 : 1;
      for (let i = 0; i < answers; i++) stream.write(frame(message(field(1, `answer ${i}`), int(2, seen.length))));
      close();
    });
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  const upstream = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  meshward = await startMeshward({ policy: { mode: "block" }, upstream, protocol: "http2", backend: "process" });
  session = connect(meshward.url);
  session.on("error", () => {});
});
after(async () => {
  session?.destroy();
  await meshward?.stop();
  service.close();
});

interface Call {
  stream: ClientHttp2Stream;
  /** Messages of the answer so far. */
  messages: string[];
  /** The next message of the answer. */
  next(): Promise<string>;
  /** The end: `grpc-status`, or the code of the reset. */
  end: Promise<{ status: string | undefined; message: string | undefined; reset: number }>;
}

/** Opens a call. */
function call(path: string, headers: Record<string, string> = {}): Call {
  const stream = session.request({ ...HEADERS, ...headers, ":path": path });
  const messages: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  let taken = 0;
  onMessages(stream, (content) => {
    messages.push(content.toString("latin1"));
    waiting.shift()?.(messages[taken++]!);
  });
  let status: string | undefined;
  let text: string | undefined;
  const look = (fields: Record<string, unknown>): void => {
    if (fields["grpc-status"] === undefined) return;
    status = String(fields["grpc-status"]);
    text = String(fields["grpc-message"]);
  };
  stream
    .on("response", look)
    .on("trailers", look)
    .on("error", () => {});
  return {
    stream,
    messages,
    next: () =>
      new Promise((resolve, reject) => {
        if (taken < messages.length) return resolve(messages[taken++]!);
        waiting.push(resolve);
        stream.on("close", () => reject(new Error(`closed with ${status ?? stream.rstCode}`)));
      }),
    end: new Promise((resolve) =>
      stream.on("close", () => resolve({ status, message: text, reset: stream.rstCode ?? 0 })),
    ),
  };
}

/** A unary call. */
async function unary(path: string, content: Uint8Array): Promise<{ status: string | undefined; messages: string[] }> {
  const { stream, end, messages } = call(path);
  stream.end(frame(content));
  return { status: (await end).status, messages };
}

const attack = message(int(1, 7), field(2, message(field(1, "ann"), field(3, ATTACK))));

describe("gRPC through Meshward in block mode", { timeout: 60_000 }, () => {
  it("a unary call is answered", async () => {
    const { status, messages } = await unary("/shop.Cart/Add", message(field(1, "ann"), int(2, 3)));
    assert.equal(status, "0");
    assert.equal(messages.length, 1);
    assert.deepEqual(received.get("/shop.Cart/Add"), ["\n\x03ann\x10\x03"]);
  });

  it("compressed messages are answered, and refused for what they hold", async () => {
    const gzip = { "grpc-encoding": "gzip" };
    const benign = call("/shop.Cart/Packed", gzip);
    const content = gzipSync(message(field(1, "ann"), int(2, 3)));
    benign.stream.write(frame(content, 1));
    benign.stream.end(frame(content, 1));
    assert.equal((await benign.end).status, "0");
    assert.deepEqual(received.get("/shop.Cart/Packed"), [content.toString("latin1"), content.toString("latin1")]);
    const refused = call("/shop.Cart/PackedAttack", gzip);
    refused.stream.end(frame(gzipSync(attack), 1));
    assert.equal((await refused.end).status, "7");
    assert.deepEqual(received.get("/shop.Cart/PackedAttack") ?? [], []);
    const bomb = call("/shop.Cart/Bomb", gzip);
    bomb.stream.end(frame(gzipSync(field(1, " ".repeat(10 << 20))), 1));
    assert.notEqual((await bomb.end).status, "0");
  });

  it("one that is an attack is refused with PERMISSION_DENIED, and its message has not passed", async () => {
    const refused = call("/shop.Cart/Attack");
    refused.stream.end(frame(attack));
    const { status, message: text } = await refused.end;
    assert.equal(status, "7");
    assert.match(text!, /refused/);
    assert.deepEqual(received.get("/shop.Cart/Attack") ?? [], []);
    const { where, request: seen } = await meshward.waitForFinding({ rule: "sqli-union-select" });
    assert.deepEqual(where, { part: "grpc", name: "2.3" });
    assert.equal(seen.verdict.outcome, "denied");
  });

  it("a stream of answers comes whole", async () => {
    const { status, messages } = await unary("/shop.Stock/List", field(1, "all"));
    assert.equal(status, "0");
    assert.equal(messages.length, 3);
  });

  it("a stream of messages arrives as it is sent, and ends with its answer", async () => {
    const sent = call("/shop.Log/Put");
    for (let i = 0; i < 5; i++) {
      sent.stream.write(frame(field(1, `line ${i}`)));
      await arrived("/shop.Log/Put", i + 1);
    }
    sent.stream.end();
    assert.equal((await sent.end).status, "0");
    assert.equal(sent.messages.length, 1);
  });

  it("messages go both ways while the call is open", async () => {
    const chat = call("/shop.Chat/Open");
    for (let i = 1; i <= 4; i++) {
      chat.stream.write(frame(field(1, `word ${i}`)));
      assert.match(await chat.next(), new RegExp(`echo ${i}$`));
    }
    chat.stream.end();
    assert.equal((await chat.end).status, "0");
  });

  it("a message that comes in pieces passes piece by piece", async () => {
    const chat = call("/shop.Chat/Pieces");
    const whole = frame(field(1, "in two pieces"));
    chat.stream.write(whole.subarray(0, 9));
    await new Promise((resolve) => setTimeout(resolve, 100));
    chat.stream.write(whole.subarray(9));
    assert.match(await chat.next(), /echo 1$/);
    chat.stream.end();
    assert.equal((await chat.end).status, "0");
  });

  it("an attack in the third message of a call ends it with PERMISSION_DENIED, while no answer has begun", async () => {
    const sent = call("/shop.Log/Third");
    for (let i = 0; i < 2; i++) {
      sent.stream.write(frame(field(1, `line ${i}`)));
      await arrived("/shop.Log/Third", i + 1);
    }
    sent.stream.write(frame(attack));
    assert.equal((await sent.end).status, "7");
    assert.equal(received.get("/shop.Log/Third")!.length, 2);
    const { request: seen } = await meshward.waitForFinding(
      (finding) => finding.request.verdict.outcome === "partial" && finding.rule === "sqli-union-select",
    );
    assert.equal(seen.verdict.verdict, "deny");
  });

  it("and with a reset where it has", async () => {
    const chat = call("/shop.Chat/Third");
    for (let i = 1; i <= 2; i++) {
      chat.stream.write(frame(field(1, `word ${i}`)));
      await chat.next();
    }
    chat.stream.write(frame(attack));
    const { status, reset } = await chat.end;
    assert.equal(status, undefined);
    assert.notEqual(reset, 0);
    assert.equal(received.get("/shop.Chat/Third")!.length, 2);
  });

  it("a message of 1 MiB passes, and one with an attack at its end does not", async () => {
    const text = "a line of text and nothing else, ".repeat(32_000).slice(0, 1024 * 1024);
    const { status } = await unary("/shop.Log/Large", field(1, text));
    assert.equal(status, "0");
    assert.equal(received.get("/shop.Log/Large")![0]!.length, message(field(1, text)).length);
    const refused = await unary("/shop.Log/LargeAttack", message(field(1, text), field(2, attack)));
    assert.equal(refused.status, "7");
    assert.deepEqual(received.get("/shop.Log/LargeAttack") ?? [], []);
  });

  it("a call that is open and silent stays open", async () => {
    const chat = call("/shop.Chat/Silent");
    await once(chat.stream, "response");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    chat.stream.write(frame(field(1, "at last")));
    assert.match(await chat.next(), /echo 1$/);
    chat.stream.end();
    assert.equal((await chat.end).status, "0");
  });

  it("gRPC-Web over HTTP/1.1 is judged and refused in its own form", async () => {
    const post = (path: string, body: Buffer, type: string): Promise<{ status: number; type: string; body: Buffer }> =>
      new Promise((resolve, reject) => {
        const headers = { "content-type": type, "content-length": body.length };
        const sent = request(`${meshward.url}${path}`, { method: "POST", headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () =>
            resolve({
              status: response.statusCode!,
              type: response.headers["content-type"]!,
              body: Buffer.concat(chunks),
            }),
          );
        });
        sent.on("error", reject);
        sent.end(body);
      });
    const benign = await post("/shop.Web/Add", frame(field(1, "ann")), "application/grpc-web+proto");
    assert.equal(benign.status, 200);
    assert.match(benign.body.toString("latin1"), /answer 0/);
    for (const [type, body] of [
      ["application/grpc-web+proto", frame(attack)],
      ["application/grpc-web-text", Buffer.from(frame(attack).toString("base64"))],
    ] as const) {
      const refused = await post("/shop.Web/Attack", body, type);
      const text = type.endsWith("text") ? Buffer.from(refused.body.toString(), "base64") : refused.body;
      assert.equal(text[0], 0x80);
      assert.match(text.toString("latin1"), /grpc-status: ?7\r\n/);
      assert.deepEqual(received.get("/shop.Web/Attack") ?? [], []);
    }
  });
});

/** Waits until the service has `count` messages of a call. */
async function arrived(path: string, count: number): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while ((received.get(path)?.length ?? 0) < count) {
    assert.ok(Date.now() < deadline, `${path}: ${received.get(path)?.length ?? 0} messages of ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
