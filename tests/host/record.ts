// Plays the cases of `cases.ts` against a real Envoy and prints what it saw as JSON, for `recorded.json`:
//
//   ENVOY_BIN=… npx tsx tests/host/record.ts [ID …] > recorded.json
//
// Each case has an Envoy of its own with one worker; client and upstream speak HTTP/1.1 in pieces, far enough apart that each
// piece is one callback.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, get, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CASES, type Case } from "./cases.ts";
import { guest } from "./guest.ts";
import { ENVIRONMENT, NODE, PEER, comparable, firstStart, requestLines, type Seen } from "./seen.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

/** Between two pieces, in ms. */
const GAP = 70;
/** Headers of the upstream's request that cases change. */
const KEPT = ["x-a", "x-gone", "x"];
const binary = process.env["ENVOY_BIN"] ?? "envoy";

async function record(given: Case, module: string): Promise<Seen> {
  const folder = await mkdtemp(join(tmpdir(), "meshward-record-"));
  const upstream: Seen["upstream"] = { headers: null, body: "", trailers: [], ended: false };
  const server = createServer((request, response) => {
    upstream.headers = pairsOf(request.rawHeaders).filter(([name]) => KEPT.includes(name));
    upstream.headers.unshift(["path", request.url!]);
    request.on("data", (data: Buffer) => (upstream.body += data.toString("latin1")));
    request.on("error", () => undefined);
    request.on("end", () => void answer(request));
    async function answer(message: IncomingMessage): Promise<void> {
      upstream.ended = given.endless !== true;
      upstream.trailers = pairsOf(message.rawTrailers);
      const chunks = given.answer === undefined ? ["hello"] : given.answer;
      if (chunks === null) return;
      response.writeHead(200, {
        "content-type": "text/plain",
        ...(chunks.length > 0 ? {} : { "content-length": "0" }),
      });
      for (const chunk of chunks) {
        if (typeof chunk === "string") response.write(chunk);
        await sleep(typeof chunk === "string" ? 2 * GAP : chunk);
      }
      response.end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer = createServer((request, response) => {
    const answer = PEER[request.url!];
    if (answer === undefined) return;
    if (answer === null) return void request.socket.destroy();
    response.writeHead(Number(answer.headers[0]![1]), Object.fromEntries(answer.headers.slice(1)));
    response.addTrailers(Object.fromEntries(answer.trailers ?? []));
    response.end(answer.body);
  });
  peer.listen(0, "127.0.0.1");
  await once(peer, "listening");
  const file = join(folder, "envoy.json");
  const ports = [server, peer].map((listening) => (listening.address() as AddressInfo).port);
  await writeFile(file, JSON.stringify(bootstrap(given, module, ports[0]!, ports[1]!)));
  const admin = join(folder, "admin");
  const args = [
    "-c",
    file,
    "--concurrency",
    "1",
    "--disable-hot-restart",
    "--log-format",
    "%v",
    "--admin-address-path",
    admin,
  ];
  const envoy = endWithUs(spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] }));
  let log = "";
  const keep = (data: Buffer): void => void (log += data.toString());
  envoy.stderr.on("data", keep);
  envoy.stdout.on("data", keep);
  try {
    const port = await ready(
      admin,
      () => envoy.exitCode !== null,
      () => log,
    );
    const start = log.length;
    const client = await exchange(given, port);
    await sleep(4 * GAP);
    const access = log.split("\n").find((line) => line.startsWith("ACCESS "));
    return {
      start: firstStart(guestLines(log.slice(0, start))),
      logs: comparable(guestLines(log.slice(start))),
      upstream,
      client,
      details: access?.slice("ACCESS ".length) ?? "",
    };
  } finally {
    envoy.kill();
    for (const open of [server, peer]) {
      open.close();
      open.closeAllConnections();
    }
    await rm(folder, { recursive: true });
  }
}

function guestLines(log: string): string[] {
  const lines = log.split("\n").filter((line) => line.startsWith("wasm log "));
  return lines.map((line) => line.slice(line.indexOf(": ") + 2));
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i]!, raw[i + 1]!]);
  return pairs;
}

async function ready(admin: string, gone: () => boolean, log: () => string): Promise<number> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
    if (gone()) throw new Error(log().slice(-4000));
    try {
      const address = await readFile(admin, "utf8");
      if (!(await fetched(`http://${address}/ready`)).includes("LIVE")) continue;
      const { listener_statuses: found } = JSON.parse(await fetched(`http://${address}/listeners?format=json`));
      return found[0].local_address.socket_address.port_value;
    } catch {
      continue;
    }
  }
  throw new Error(`Envoy is not ready:\n${log().slice(-4000)}`);
}

function fetched(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = "";
      response.on("data", (data: Buffer) => (text += data.toString()));
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** Sends the request piece by piece and reads the answer until nothing more comes. */
async function exchange(given: Case, port: number): Promise<Seen["client"]> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let answer = "";
  let closed = false;
  socket.on("data", (data: Buffer) => (answer += data.toString("latin1")));
  socket.on("error", () => undefined);
  socket.on("close", () => (closed = true));
  for (const piece of requestLines(given)) {
    if (typeof piece === "number") await sleep(piece);
    else {
      if (!closed) socket.write(piece, "latin1");
      await sleep(GAP);
    }
  }
  const pauses = (given.answer ?? []).map((piece) => (typeof piece === "number" ? piece : 2 * GAP));
  await sleep(pauses.reduce((sum, pause) => sum + pause, 10 * GAP));
  socket.destroy();
  return parsed(answer, given.method === "HEAD");
}

function parsed(answer: string, bodyless: boolean): Seen["client"] {
  if (answer === "") return { status: 0, headers: [], body: "", complete: false };
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line): [string, string] => [line.split(": ")[0]!, line.slice(line.indexOf(": ") + 2)]);
  const ours = headers.filter(([name]) =>
    ["a", "x", "q", "content-type", "grpc-status", "grpc-message"].includes(name),
  );
  const raw = rest.join("\r\n\r\n");
  const length = headers.find(([name]) => name === "content-length")?.[1];
  const status = Number(first.split(" ")[1]);
  if (length !== undefined || !/transfer-encoding: chunked/.test(head)) {
    return {
      status,
      headers: ours,
      body: raw,
      complete: bodyless || length === undefined || raw.length >= Number(length),
    };
  }
  let body = "";
  let at = 0;
  for (;;) {
    const end = raw.indexOf("\r\n", at);
    const size = parseInt(raw.slice(at, end), 16);
    if (end < 0 || !(size >= 0)) return { status, headers: ours, body, complete: false };
    if (size === 0) return { status, headers: ours, body, complete: true };
    body += raw.slice(end + 2, end + 2 + size);
    at = end + size + 4;
  }
}

function bootstrap(given: Case, module: string, upstream: number, peer: number): object {
  const local = (port: number): object => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const cluster = (name: string, ports: number[]): object => ({
    name,
    connect_timeout: "1s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http_protocol_options: { enable_trailers: true } },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: local(port) } })) }],
    },
  });
  const wasm = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    config: {
      name: "script",
      root_id: "root",
      failure_policy: "FAIL_RELOAD",
      allow_on_headers_stop_iteration: given.holdHeaders ?? true,
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: given.script.join("\n") },
      vm_config: {
        vm_id: "vm",
        runtime: "envoy.wasm.runtime.v8",
        code: { local: { filename: module } },
        environment_variables: { key_values: ENVIRONMENT },
      },
    },
  };
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "in",
    generate_request_id: false,
    upgrade_configs: [{ upgrade_type: "websocket" }],
    http_protocol_options: { enable_trailers: true },
    access_log: [
      {
        name: "out",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
          log_format: {
            text_format_source: { inline_string: "ACCESS %RESPONSE_CODE_DETAILS% %FILTER_STATE(wasm.k:PLAIN)%\n" },
          },
        },
      },
    ],
    route_config: {
      name: "routes",
      virtual_hosts: [
        {
          name: "host",
          domains: ["*"],
          routes: [{ name: "route", match: { prefix: "/" }, route: { cluster: "upstream", timeout: "9s" } }],
        },
      ],
    },
    http_filters: [
      { name: "wasm", typed_config: wasm },
      {
        name: "router",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
          suppress_envoy_headers: true,
        },
      },
    ],
  };
  return {
    admin: { address: local(0) },
    node: NODE,
    static_resources: {
      listeners: [
        {
          name: "in",
          address: local(0),
          ...(given.bufferLimit === undefined ? {} : { per_connection_buffer_limit_bytes: given.bufferLimit }),
          filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
        },
      ],
      // Port 1 refuses connections.
      clusters: [cluster("upstream", [upstream]), cluster("peer", [peer]), cluster("down", [1]), cluster("empty", [])],
    },
  };
}

await guest("script");
const module = new URL("../../dist/probe/guest-script.wasm", import.meta.url).pathname;
const wanted = process.argv.slice(2);
const recorded: Record<string, Seen> = {};
for (const given of CASES) {
  if (wanted.length > 0 && !wanted.includes(given.id)) continue;
  recorded[given.id] = await record(given, module);
  process.stderr.write(`${given.id}\n`);
}
process.stdout.write(`${JSON.stringify(recorded, null, 1)}\n`);
