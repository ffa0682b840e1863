/** The same spellings through a real Envoy: what it routes on must be what the module computes. Skipped where there is no Envoy. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import { resolveEnvoy } from "../../scripts/envoy/resolve.ts";
import { toBytes } from "../decode/twins.ts";
import { call, probe, span } from "./chunks.ts";
import { endWithUs } from "../../scripts/end-with-us.ts";

/** An Envoy that answers each request with the path that it would route on. */
const CONFIG = {
  admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
  static_resources: {
    listeners: [
      {
        name: "echo",
        address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
        filter_chains: [
          {
            filters: [
              {
                name: "http",
                typed_config: {
                  "@type":
                    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                  stat_prefix: "echo",
                  delayed_close_timeout: "0s",
                  normalize_path: true,
                  merge_slashes: true,
                  path_with_escaped_slashes_action: "KEEP_UNCHANGED",
                  http_filters: [
                    {
                      name: "router",
                      typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                    },
                  ],
                  route_config: {
                    virtual_hosts: [
                      {
                        name: "all",
                        domains: ["*"],
                        response_headers_to_add: [{ header: { key: "x-path", value: "%REQ(:path)%" } }],
                        routes: [{ match: { prefix: "" }, direct_response: { status: 200 } }],
                      },
                    ],
                  },
                },
              },
            ],
          },
        ],
      },
    ],
  },
};

/** Spellings of one guarded path, and of what stands around it: each way to part, to name and to end, with each other. */
function spellings(): string[] {
  const between = [
    "/",
    "//",
    "/./",
    "/%2e/",
    "/.//",
    "/x/../",
    "/x/%2e%2E/",
    "/x//..//",
    "/../",
    "\\",
    "/.\\",
    "/x\\..\\",
    "%2f",
    "%5C",
    "/;/",
    "/..;/",
  ];
  const names = [
    "admin",
    "Admin",
    "%61dmin",
    "%41dmin",
    "a%64m%69n",
    "ad%6Din",
    "admin%20",
    "admin%00",
    "admin.",
    "admin%2e",
    "admin;v=1",
    "admin%3bx",
    "%%61dmin",
    "%2561dmin",
    "%6",
    "%%34%31",
    "ad-m_i~n",
    "ad%2Dm%5fi%7en",
    "%c0%ae",
    "%u0061",
  ];
  const ends = ["", "/", "/.", "/..", "/%2e", "/...", "//", "\\", "?a=/../b", "/x/../?//"];
  const all = between.flatMap((part) => names.flatMap((name) => ends.map((end) => `/api${part}${name}${end}`)));
  const first = [
    "/",
    "//",
    "///",
    "/.",
    "/..",
    "/./",
    "/.//",
    "/%2e%2e/",
    "/\\",
    "/%2f",
    "/a%",
    "/a%4",
    "/%zz",
    '/"<>^`{|}',
    "/!$&'()*+,:=@[]",
    "//?a",
  ];
  return [...first, ...all];
}

/** More, without a plan: what an HTTP/1 request line can carry behind its first slash. A fixed seed, so that a failure stays. */
function random(): string[] {
  const printable = fc
    .integer({ min: 0x21, max: 0x7e })
    .map((code) => String.fromCharCode(code === 0x23 ? 0x2f : code));
  const pieces = fc.constantFrom(
    "/",
    "/../",
    "/./",
    "..;",
    ".;",
    "\\",
    "%",
    "%2e",
    "%2F",
    "%5c",
    "%30",
    "%41",
    "%%",
    "//",
    "a",
  );
  const path = fc.array(fc.oneof(pieces, printable), { maxLength: 14 }).map((parts) => `/${parts.join("")}`);
  return fc.sample(path, { seed: 1, numRuns: 2000 });
}

/** Sends one request and returns the path that Envoy names, or null for 400. */
async function ask(port: number, path: string): Promise<string | null> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  socket.write(Buffer.from(`GET ${path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n`, "latin1"));
  let answer = "";
  socket.on("data", (text: string) => (answer += text));
  await once(socket, "close");
  if (answer.startsWith("HTTP/1.1 400")) return null;
  const named = /^x-path: (.*)\r$/m.exec(answer)?.[1];
  assert.ok(named !== undefined, `${path}: ${answer.slice(0, 200)}`);
  return named;
}

test("Envoy routes on what the module computes", async (context) => {
  let binary: string;
  try {
    const envoy = await resolveEnvoy({ env: process.env, backend: "process" });
    assert.ok(envoy.kind === "process");
    binary = envoy.binary;
  } catch (error) {
    context.skip(error instanceof Error ? error.message : String(error));
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), "meshward-path-"));
  const addressFile = join(folder, "admin");
  const envoy = endWithUs(
    spawn(
      binary,
      [
        "--config-yaml",
        JSON.stringify(CONFIG),
        "--admin-address-path",
        addressFile,
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "-l",
        "warning",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    ),
  );
  let log = "";
  envoy.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = once(envoy, "exit");
  try {
    let port = 0;
    for (const deadline = Date.now() + 20_000; port === 0; await delay(50)) {
      assert.ok(Date.now() < deadline && envoy.exitCode === null, `Envoy did not start:\n${log}`);
      const admin = await readFile(addressFile, "utf8").catch(() => "");
      const listeners =
        admin &&
        (await fetch(`http://${admin}/listeners?format=json`)
          .then((r) => r.text())
          .catch(() => ""));
      port = Number(/"port_value":\s*(\d+)/.exec(listeners)?.[1] ?? 0);
    }
    const paths = [...spellings(), ...random()];
    assert.ok(paths.length >= 200);
    const differing: string[] = [];
    const work = paths.values();
    const worker = async () => {
      for (const path of work) {
        const envoySays = await ask(port, path);
        const [bare = "", ...query] = path.split("?");
        const [start, end] = probe.write(toBytes(bare));
        const stop = call("normalize", start, end);
        const ours = stop === 0 ? null : [span(call("out"), stop), ...query].join("?");
        if (envoySays !== ours) differing.push(`${path}: Envoy ${envoySays}, module ${ours}`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    assert.deepEqual(differing, [], log);
    context.diagnostic(`${paths.length} spellings`);
  } finally {
    envoy.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
});
