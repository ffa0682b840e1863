import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse } from "yaml";
import type { Json, JsonObject } from "../../envoy/json.ts";
import { RETRY_HEADER } from "../../envoy/names.ts";
import { poll } from "../../scripts/envoy/admin.ts";
import { packageRoot } from "../../scripts/package.ts";
import { fences } from "../docs/blocks.ts";
import { launch, type Launched } from "../filter/launch.ts";
import { compile } from "../filter/push.ts";
import { guest } from "../host/guest.ts";

/** What routes may do with a request behind the filter, and what a caller's proxy makes of a refusal. */
const BLOCK = compile({ mode: "block" });
const ATTACK = "/search?q=%24(id)";

interface Seen {
  path: string;
  body: string;
}

let service: Server;
let url: string;
let seen: Seen[] = [];
/** What the service does with a request. */
let serve: (request: Seen, response: ServerResponse) => void = (_, response) => response.end("served");

before(async () => {
  service = createServer((incoming: IncomingMessage, response) => {
    let body = "";
    incoming.setEncoding("utf8").on("data", (text: string) => (body += text));
    incoming.on("end", () => {
      const one = { path: incoming.url ?? "", body };
      seen.push(one);
      serve(one, response);
    });
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
after(() => {
  service.closeAllConnections();
  service.close();
});

const manager = (config: JsonObject): JsonObject =>
  (
    config.static_resources as unknown as {
      listeners: { filter_chains: { filters: { typed_config: JsonObject }[] }[] }[];
    }
  ).listeners[0]!.filter_chains[0]!.filters[0]!.typed_config;
const host = (config: JsonObject): { routes: JsonObject[] } =>
  (manager(config).route_config as unknown as { virtual_hosts: { routes: JsonObject[] }[] }).virtual_hosts[0]!;
const cluster = (config: JsonObject): JsonObject =>
  (config.static_resources as unknown as { clusters: JsonObject[] }).clusters.find(({ name }) => name === "upstream")!;

/** Adds to the route of the generated configuration. */
const routed =
  (more: JsonObject) =>
  (config: JsonObject): void => {
    Object.assign(host(config).routes[0]!.route as JsonObject, more);
  };

async function withEnvoy(change: (config: JsonObject) => void, work: (port: number, envoy: Launched) => Promise<void>) {
  seen = [];
  const envoy = await launch({ compiled: BLOCK, upstream: url, change });
  try {
    await work(envoy.ports.get("ingress")!, envoy);
  } catch (error) {
    if (error instanceof Error) error.message += `\nEnvoy's log:\n${envoy.log().slice(-4000)}`;
    throw error;
  } finally {
    await envoy.stop();
  }
}

/** Sends a form, or nothing, and yields status and text of the answer. */
function send(port: number, path: string, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
    const sent = request({ port, path, method: body === undefined ? "GET" : "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The value of one of Envoy's own statistics; 0 where it has none. */
async function statistic(envoy: Launched, name: string): Promise<number> {
  const text = await (await fetch(`${envoy.admin.origin}/stats?filter=^${name}$`)).text();
  return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
}

describe("a route that retries", () => {
  it("sends a body that was held once more, and it is one request", () =>
    withEnvoy(routed({ retry_policy: { retry_on: "5xx", num_retries: 2 } }), async (port, envoy) => {
      serve = (_, response) => response.writeHead(seen.length < 2 ? 503 : 200).end("served");
      assert.deepEqual(await send(port, "/order", "a=1&b=2"), { status: 200, text: "served" });
      assert.deepEqual(seen, [
        { path: "/order", body: "a=1&b=2" },
        { path: "/order", body: "a=1&b=2" },
      ]);
      const refused = await send(port, "/order", "a=%24(id)");
      assert.equal(refused.status, 403);
      assert.equal(seen.length, 2);
      assert.equal((await envoy.access(2)).length, 2);
      await poll(
        async () => ((await envoy.metric("meshward_requests_total")) === 2 ? true : null),
        2_500,
        () => new Error("there were two requests"),
      );
    }));
});

describe("a route that follows redirects by itself", () => {
  const redirects = routed({ internal_redirect_policy: { max_internal_redirects: 2, redirect_response_codes: [302] } });

  it("has each request of them judged, whoever wrote its address", () =>
    withEnvoy(redirects, async (port) => {
      serve = ({ path }, response) => {
        const next = path === "/old" ? "/new?a=1" : path === "/open" ? ATTACK : null;
        if (next === null) response.end(path);
        else response.writeHead(302, { location: `http://127.0.0.1:${port}${next}` }).end();
      };
      assert.deepEqual(await send(port, "/old"), { status: 200, text: "/new?a=1" });
      assert.equal((await send(port, "/open")).status, 403);
      assert.deepEqual(
        seen.map(({ path }) => path),
        ["/old", "/new?a=1", "/open"],
      );
    }));
});

describe("CONNECT", () => {
  const tunnels = (config: JsonObject): void => {
    manager(config).upgrade_configs = [{ upgrade_type: "CONNECT" }] as unknown as Json;
    host(config).routes.unshift({
      match: { connect_matcher: {} },
      route: { cluster: "upstream", upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }] },
    } as unknown as JsonObject);
  };

  it("opens at once and carries bytes both ways, also for a client that says nothing first", async () => {
    const echo = createTcpServer((socket) => {
      socket.write("welcome ");
      socket.on("data", (data) => socket.write(data)).on("error", () => {});
    });
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    const outer = url;
    url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
    try {
      await withEnvoy(tunnels, async (port) => {
        let text = "";
        const socket = connect(port, "127.0.0.1");
        socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        const has = (wanted: string): Promise<unknown> =>
          poll(
            () => Promise.resolve(text.includes(wanted) || null),
            5_000,
            () => new Error(`only ${JSON.stringify(text)} came`),
          );
        socket.write("CONNECT shop.example:443 HTTP/1.1\r\nhost: shop.example:443\r\n\r\n");
        await has("200 OK");
        await has("welcome ");
        socket.write("$(id); ' OR 1=1--");
        await has("welcome $(id); ' OR 1=1--");
        socket.destroy();
      });
    } finally {
      url = outer;
      echo.close();
    }
  });
});

describe("a caller's proxy that retries, ejects and breaks", () => {
  it("does nothing of it for a refusal, and the details tell it from the service's own 403", () =>
    withEnvoy(
      () => {},
      async (sidecar, inner) => {
        serve = ({ path }, response) => response.writeHead(path === "/own" ? 403 : 200).end("served");
        const caller = await launch({
          compiled: BLOCK,
          upstream: `http://127.0.0.1:${sidecar}`,
          change(config) {
            manager(config).http_filters = (manager(config).http_filters as JsonObject[]).slice(1);
            routed({ retry_policy: { retry_on: "5xx,gateway-error,reset,connect-failure", num_retries: 3 } })(config);
            cluster(config).outlier_detection = {
              consecutive_5xx: 1,
              consecutive_gateway_failure: 1,
              max_ejection_percent: 100,
              interval: "0.1s",
            } as unknown as Json;
          },
        });
        try {
          const port = caller.ports.get("ingress")!;
          for (let i = 0; i < 20; i++) assert.equal((await send(port, ATTACK)).status, 403);
          assert.equal((await send(port, "/order", "a=%24(id)")).status, 403);
          assert.equal((await send(port, "/own")).status, 403);
          assert.deepEqual(await send(port, "/"), { status: 200, text: "served" });
          const told = ["retry", "pending_overflow", "reset"].map((what) => `cluster.upstream.upstream_rq_${what}`);
          for (const name of [...told, "cluster.upstream.outlier_detection.ejections_total"])
            assert.equal(await statistic(caller, name), 0, name);
          const details = (await inner.access(23)).map((line) => line.details);
          assert.equal(details.length, 23);
          assert.equal(details.filter((one) => one === "meshward_denied").length, 21);
          assert.equal(details.filter((one) => one === "via_upstream").length, 2);
        } finally {
          await caller.stop();
        }
      },
    ));
});

describe("a caller's proxy in front of two hosts, of which one crashes", () => {
  /** More headers than the crashing module survives. */
  const fatal = Object.fromEntries(Array.from({ length: 45 }, (_, i) => [`x-${i}`, "1"]));
  /** What waits in the service. */
  const held: ServerResponse[] = [];
  let module: string;
  let retryPolicy: JsonObject;

  before(async () => {
    module = join(tmpdir(), `meshward-crashing-${process.pid}.wasm`);
    await writeFile(module, await guest("trapping"));
    const page = await readFile(join(packageRoot(), "docs/envoy.md"), "utf8");
    const block = fences(page).find(({ text }) => text.startsWith("retry_policy:"))!;
    retryPolicy = (parse(block.text) as { retry_policy: JsonObject }).retry_policy;
  });
  after(() => rm(module, { force: true }));

  /** Sends a GET and yields the status and whether the answer may be retried. */
  function get(
    port: number,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<[number, string | undefined]> {
    return new Promise((resolve, reject) => {
      const sent = request({ port, path, headers, agent: false }, (response) => {
        response.resume().on("end", () => {
          resolve([response.statusCode ?? 0, response.headers[RETRY_HEADER] as string | undefined]);
        });
      });
      sent.on("error", reject).end();
    });
  }

  const launchHost = (crashes: boolean): Promise<Launched> =>
    launch({ compiled: BLOCK, upstream: url, ...(crashes ? { module } : {}) });

  it("marks what the service has seen nothing of, and nothing else", async () => {
    const host = await launchHost(true);
    try {
      const port = host.ports.get("ingress")!;
      serve = ({ path }, response) => {
        if (path === "/slow") held.push(response);
        else response.writeHead(503).end();
      };
      assert.deepEqual(await get(port, "/own"), [503, undefined]);
      const slow = get(port, "/slow");
      await poll(
        () => Promise.resolve(held.length > 0 || null),
        5_000,
        () => new Error("nothing came to the service"),
      );
      assert.deepEqual(await get(port, "/", fatal), [503, "safe"]);
      for (const response of held) response.end("late");
      assert.deepEqual(await slow, [503, undefined]);
      const refused = await get(port, ATTACK);
      // Until it is loaded anew, what comes is answered like what crashed it.
      if (refused[0] === 503) assert.equal(refused[1], "safe");
      else assert.deepEqual(refused, [403, undefined]);
    } finally {
      held.length = 0;
      await host.stop();
    }
  });

  it("has the request answered by the other, with one retry, and retries no refusal and no 503 of the service", async () => {
    const hosts = await Promise.all([launchHost(true), launchHost(false)]);
    const [crashing] = hosts;
    const caller = await launch({
      compiled: BLOCK,
      upstream: url,
      change(config) {
        manager(config).http_filters = (manager(config).http_filters as JsonObject[]).slice(1);
        routed({ retry_policy: retryPolicy })(config);
        const endpoint = (host: Launched): JsonObject => ({
          endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: host.ports.get("ingress")! } } },
        });
        Object.assign(cluster(config), {
          lb_policy: "ROUND_ROBIN",
          load_assignment: { cluster_name: "upstream", endpoints: [{ lb_endpoints: hosts.map(endpoint) }] },
          circuit_breakers: { thresholds: [{ max_requests: 2, max_retries: 1 }] },
          outlier_detection: { consecutive_5xx: 2, max_ejection_percent: 100, interval: "0.1s" },
        });
      },
    });
    try {
      const port = caller.ports.get("ingress")!;
      const count = (name: string): Promise<number> => statistic(caller, `cluster.upstream.${name}`);
      serve = ({ path }, response) => response.writeHead(path === "/own" ? 503 : 200).end("served");
      seen = [];
      // One of two in a row goes to the host that crashes.
      let sent = 0;
      for (; sent < 2 && (await count("upstream_rq_retry")) === 0; sent++) {
        assert.deepEqual(await get(port, "/", fatal), [200, undefined]);
      }
      assert.equal(seen.length, sent);
      assert.deepEqual([await count("upstream_rq_retry"), await count("upstream_rq_retry_success")], [1, 1]);
      const crashes = (await crashing!.access(1)).map(({ details }) => details);
      assert.deepEqual(crashes, ["wasm_fail_stream"]);

      await poll(
        async () => ((await get(crashing!.ports.get("ingress")!, "/"))[0] === 200 ? true : null),
        15_000,
        () => new Error("the crashed module was not loaded anew"),
      );
      // Two of the service's own 503 in a row would eject a host, as they should: a crash before counts for one.
      for (let i = 0; i < 2; i++) assert.deepEqual(await get(port, "/"), [200, undefined]);
      seen = [];
      assert.deepEqual(await get(port, "/own"), [503, undefined]);
      assert.equal(seen.length, 1);
      for (let i = 0; i < 20; i++) assert.deepEqual(await get(port, ATTACK), [403, undefined]);
      assert.equal(seen.length, 1);
      assert.deepEqual(await get(port, "/"), [200, undefined]);

      assert.equal(await count("upstream_rq_retry"), 1);
      for (const name of ["upstream_rq_retry_overflow", "upstream_rq_pending_overflow"])
        assert.equal(await count(name), 0, name);
      for (const name of ["rq_open", "rq_retry_open", "rq_pending_open"])
        assert.equal(await count(`circuit_breakers.default.${name}`), 0, name);
      assert.equal(await count("outlier_detection.ejections_total"), 0);
    } finally {
      await Promise.all([caller, ...hosts].map((envoy) => envoy.stop()));
    }
  });
});
