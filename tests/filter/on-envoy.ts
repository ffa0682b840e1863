// Runs cases through a real Envoy: a client that speaks HTTP/1.1 by hand or HTTP/2, and an upstream that keeps what it receives.

import { createServer, type Server, type ServerResponse } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect, type AddressInfo, type Socket } from "node:net";
import { poll } from "../../scripts/envoy/admin.ts";
import { bodyOf, bytesOf, configurationOf, responseChunks, type Case, type Step } from "./case.ts";
import { decisionOf, SERVED, type Decision, type Raw } from "./decision.ts";
import { launch, type Launched } from "./launch.ts";
import { NODE } from "./on-host.ts";

/** Longest wait for anything, ms. Policies that must not let go by time hold for longer. */
const PATIENCE = 8_000;

/** What the upstream has received of one request. */
type Arrived = NonNullable<Raw["upstream"]>;

export interface Bench {
  envoy: Launched;
  run(given: Case): Promise<Decision>;
  stop(): Promise<void>;
}

/** Starts an Envoy and an upstream for any number of cases, one after the other. `first` says with which policy. */
export async function startBench(first: Case): Promise<Bench> {
  const arrived: Arrived[] = [];
  let current: Case = first;
  const server = await startUpstream(arrived, () => current);
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const envoy = await launch({
    compiled: configurationOf(first),
    upstream,
    change: (config) => void (config.node = NODE),
  }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const port = envoy.ports.get("ingress")!;
  let requests = 0;
  return {
    envoy,
    async run(given) {
      current = given;
      await envoy.reload(configurationOf(given));
      const before = arrived.length;
      const look = (): Arrived | null => arrived[before] ?? null;
      const talk = given.request.protocol === "http2" ? speakHttp2 : speakHttp1;
      const answer = await talk(port, given, look);
      const entries = await envoy.access(++requests);
      return decisionOf(given, { verdict: entries[requests - 1]!.verdict, answer, upstream: look() });
    },
    async stop() {
      await envoy.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Sends what the upstream answers in a case. */
async function respond(response: ServerResponse, given: Case): Promise<void> {
  const { status = 200, headers = [], trailers, broken = false } = given.response!;
  // As pairs, so that a name may come twice.
  response.writeHead(status, headers.flat());
  response.flushHeaders();
  if (given.request.method !== "HEAD") {
    for (const chunk of responseChunks(given)) {
      response.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  if (broken) return void response.destroy();
  if (trailers !== undefined) response.addTrailers(Object.fromEntries(trailers));
  response.end();
}

async function startUpstream(arrived: Arrived[], current: () => Case): Promise<Server> {
  const server = createServer((request, response) => {
    const seen: Arrived = {
      method: request.method!,
      path: request.url!,
      host: request.headers.host ?? "",
      headers: pairsOf(request.rawHeaders),
      body: "",
      ended: false,
    };
    arrived.push(seen);
    request.on("data", (data: Buffer) => (seen.body += data.toString("latin1")));
    request.on("error", () => {});
    request.on("end", () => {
      seen.ended = request.complete;
      if (current().response !== undefined) return void respond(response, current());
      response.writeHead(200, { "content-type": "text/plain", "content-length": SERVED.length });
      response.end(request.method === "HEAD" ? "" : SERVED);
    });
  });
  server.on("upgrade", (request, socket: Socket, head: Buffer) => {
    const { method, url, headers, rawHeaders } = request;
    const seen = { method: method!, path: url!, host: headers.host ?? "", headers: pairsOf(rawHeaders), ended: false };
    const kept: Arrived = { ...seen, body: head.toString("latin1") };
    arrived.push(kept);
    // Who never answers cannot be told from who does not upgrade.
    if (url !== "/silent")
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\ncontent-type: text/plain\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n",
      );
    socket.on("data", (data) => (kept.body += data.toString("latin1")));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function pairsOf(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1]!] as [string, string]] : []));
}

/** Does what a case's steps say. `write` sends a chunk; `answered` tells whether an answer, or the end, has come. */
async function takeSteps(
  given: Case,
  steps: readonly Step[],
  look: () => Arrived | null,
  write: (chunk: Buffer) => void,
  answered: () => boolean,
): Promise<void> {
  let sent = 0;
  for (const step of steps) {
    if ("chunk" in step) {
      const chunk = bytesOf(step.chunk);
      sent += chunk.length;
      write(chunk);
      continue;
    }
    const done = (): boolean =>
      step.until === "answered" || step.until === "opened" ? answered() : (look()?.body.length ?? -1) >= sent;
    await until(
      done,
      () => `case ${given.id}: not ${step.until} (${sent} bytes sent, ${look()?.body.length ?? "none"} arrived)`,
    );
  }
}

async function until(done: () => boolean, late: () => string): Promise<void> {
  await poll(
    () => Promise.resolve(done() || null),
    PATIENCE,
    () => new Error(late()),
  );
}

async function speakHttp1(port: number, given: Case, look: () => Arrived | null): Promise<Raw["answer"]> {
  const { method = "GET", path = "/", host = "shop", headers = [], send, endless = false } = given.request;
  const body = bodyOf(given);
  const framed = headers.some(([name]) => name.toLowerCase() === "content-length");
  const framing: [string, string][] =
    endless || framed || (send === undefined && body.length === 0)
      ? []
      : send === undefined
        ? [["content-length", String(body.length)]]
        : [["transfer-encoding", "chunked"]];
  const head = [["host", host], ...headers, ...framing].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const chunked = framing[0]?.[0] === "transfer-encoding";

  let received = Buffer.alloc(0);
  let closed = false;
  const socket = connect(port, "127.0.0.1");
  socket.on("data", (data) => (received = Buffer.concat([received, data])));
  socket.on("error", () => (closed = true));
  socket.on("close", () => (closed = true));
  const answered = (): boolean => closed || received.includes("\r\n\r\n");
  const write = (chunk: Buffer): void => {
    if (closed) return;
    socket.write(
      chunked ? Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]) : chunk,
    );
  };
  try {
    socket.write(Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n`, "utf8"));
    if (send !== undefined) {
      await takeSteps(given, send, look, write, answered);
      if (chunked && !closed) socket.write("0\r\n\r\n");
    } else if (body.length > 0) socket.write(body);
    await until(
      () => closed || parseAnswer(received, method === "HEAD") !== null,
      () => `case ${given.id}: no answer, only ${JSON.stringify(received.toString("latin1"))}`,
    );
    return parseAnswer(received, method === "HEAD", given.response?.broken);
  } finally {
    socket.destroy();
  }
}

/** The bytes of a chunked body, or null where it is not whole yet. */
function unchunked(text: string): string | null {
  let body = "";
  for (let at = 0; ;) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return null;
    const size = Number.parseInt(text.slice(at, end), 16);
    if (size === 0) return text.indexOf("\r\n", end) < 0 ? null : body;
    if (text.length < end + 4 + size) return null;
    body += text.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
  }
}

/** An answer that is whole, or `broken` off; else null. */
function parseAnswer(received: Buffer, isHead: boolean, broken = false): Raw["answer"] {
  const text = received.toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map(
    (line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()] as const,
  );
  const chunked = headers.some(([name]) => name.toLowerCase() === "transfer-encoding");
  const body = chunked && !isHead ? unchunked(text.slice(end + 4)) : text.slice(end + 4);
  if (body === null) return null;
  const length = Number(headers.find(([name]) => name === "content-length")?.[1] ?? 0);
  if (!isHead && body.length < length && !broken) return null;
  return { status: Number(first.split(" ")[1]), headers, body };
}

async function speakHttp2(port: number, given: Case, look: () => Arrived | null): Promise<Raw["answer"]> {
  const { method = "GET", path = "/", host = "shop", headers = [], send, trailers } = given.request;
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  try {
    const stream = session.request(
      { ":method": method, ":path": path, ":authority": host, ...Object.fromEntries(headers) },
      { endStream: false, waitForTrailers: trailers !== undefined },
    );
    let answer: Raw["answer"] = null;
    let ended = false;
    stream.on("response", (response) => {
      const pairs = Object.entries(response).map(([name, value]) => [name, String(value)] as const);
      answer = { status: Number(response[":status"]), headers: pairs, body: "" };
    });
    stream.on("data", (data: Buffer) => (answer!.body += data.toString("latin1")));
    stream.on("error", () => (ended = true));
    stream.on("end", () => (ended = true));
    stream.on("close", () => (ended = true));
    stream.on("wantTrailers", () => stream.sendTrailers(Object.fromEntries(trailers!)));
    const answered = (): boolean => ended || answer !== null;
    if (send !== undefined)
      await takeSteps(given, send, look, (chunk) => void (ended || stream.write(chunk)), answered);
    if (!ended) stream.end(send === undefined ? bodyOf(given) : undefined);
    await until(
      () => ended,
      () => `case ${given.id}: the stream does not end`,
    );
    return answer;
  } finally {
    session.destroy();
  }
}
