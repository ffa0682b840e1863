import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { EnvoyFailed, PolicyError, startMeshward } from "../../testing/index.ts";
import type { Meshward } from "../../testing/index.ts";

const ATTACK = "/search?q=1%20UNION%20SELECT%20name,password%20FROM%20users--";

let service: Server;
let upstream: string;
let meshward: Meshward;
/** What reached the service. */
const reached: { url: string; headers: IncomingHttpHeaders }[] = [];

before(async () => {
  service = createServer((request: IncomingMessage, response) => {
    reached.push({ url: request.url ?? "", headers: request.headers });
    response.writeHead(200, { server: "shop" }).end("served");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => service.once("listening", resolve));
  // By name: it may be ::1 first, where this service does not listen.
  upstream = `http://localhost:${(service.address() as AddressInfo).port}`;
  meshward = await startMeshward({ policy: { mode: "block" }, upstream, backend: "process" });
});
after(async () => {
  await meshward?.stop();
  service.closeAllConnections();
  service.close();
});

/** Sends bytes as they are and yields the answer's first line. */
function raw(bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(meshward.url);
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (answer.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("close", () => resolve(answer.split("\r\n")[0]!));
    socket.on("error", reject);
  });
}

describe("startMeshward", () => {
  it("lets a plain request through to the service, unchanged", async () => {
    const answer = await fetch(`${meshward.url}/plain?a=1`, { headers: { x_under: "kept" } });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), "served");
    assert.equal(answer.headers.get("server"), "shop");
    assert.equal(answer.headers.get("x-envoy-upstream-service-time"), null);
    const request = reached.at(-1)!;
    assert.equal(request.url, "/plain?a=1");
    assert.equal(request.headers.x_under, "kept");
    assert.match(String(request.headers["x-request-id"]), /^[0-9a-f-]{36}$/);
    assert.equal(request.headers["x-envoy-expected-rq-timeout-ms"], undefined);
  });

  it("keeps the caller's request id, and drops words to Envoy from outside", async () => {
    const id = "11111111-2222-4333-8444-555555555555";
    await fetch(`${meshward.url}/id`, {
      headers: { "x-request-id": id, "x-envoy-retry-on": "5xx", "x-forwarded-for": "9.9.9.9" },
    });
    const request = reached.at(-1)!;
    assert.equal(request.headers["x-request-id"], id);
    assert.equal(request.headers["x-envoy-retry-on"], undefined);
  });

  it("refuses an attack before the service, and tells the finding", async () => {
    const before = reached.length;
    assert.equal((await fetch(meshward.url + ATTACK)).status, 403);
    const findings = await meshward.findings();
    assert.equal(reached.length, before);
    const finding = findings.at(-1)!;
    assert.equal(finding.class, "sqli");
    assert.deepEqual(finding.where, { part: "query", name: "q" });
    assert.equal(finding.request.method, "GET");
    assert.equal(finding.request.path, "/search");
    assert.equal(finding.request.status, 403);
    assert.equal(finding.request.address, "127.0.0.1");
    assert.equal(finding.request.verdict.outcome, "denied");
    assert.deepEqual(
      await meshward.waitForFinding({ rule: finding.rule }),
      findings.find(({ rule }) => rule === finding.rule),
    );
  });

  it("says what was seen where a finding does not come", async () => {
    await fetch(meshward.url + ATTACK);
    await meshward.findings();
    await assert.rejects(meshward.waitForFinding({ class: "none" }, { timeoutMs: 100 }), (error: EnvoyFailed) => {
      assert.match(error.message, /^no finding \{"class":"none"\} in 100 ms; seen: .*sqli-/);
      return true;
    });
  });

  it("counts every request in the metrics within 2 s", async () => {
    for (let count = 0; count < 3; count++) await fetch(meshward.url + ATTACK);
    const refused = new Set((await meshward.findings()).map(({ request }) => request.verdict.request_id)).size;
    const denied = async (): Promise<number> =>
      (await meshward.metrics()).value("meshward_requests_total", { outcome: "denied" });
    const deadline = Date.now() + 2_000;
    while ((await denied()) < refused) assert.ok(Date.now() < deadline, `${await denied()} of ${refused} counted`);
    assert.equal(await denied(), refused);
  });

  it("logs a request whose bytes are hostile as one line that can be read", async () => {
    const before = (await meshward.findings()).length;
    await raw(
      Buffer.from(
        'GET /"\\\xff\x80\x7f HTTP/1.1\r\nhost: a"b\\\xff\r\nx-request-id: \x1b[31m"\xff\r\ntraceparent: "\xfe\r\n\r\n',
        "latin1",
      ),
    );
    await raw("nonsense\r\n\r\n");
    // findings() waits until the log has a readable line for each request that ended.
    assert.equal((await meshward.findings()).length, before);
  });

  it("answers HTTP/1.0 and refuses more headers than the module has room for", async () => {
    assert.match(await raw("GET /old HTTP/1.0\r\n\r\n"), /200/);
    assert.match(await raw(`GET / HTTP/1.1\r\nhost: a\r\n${"x: y\r\n".repeat(150)}\r\n`), /431/);
    assert.match(await raw(`GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(70_000)}\r\n\r\n`), /431/);
  });
});

describe("the caller", () => {
  for (const [trustedHops, forwarded, expected] of [
    [0, "6.6.6.6, 9.9.9.9", "127.0.0.1"],
    [1, "6.6.6.6, 9.9.9.9", "9.9.9.9"],
    [2, "6.6.6.6, 9.9.9.9", "6.6.6.6"],
    [1, undefined, "127.0.0.1"],
  ] as const) {
    it(`behind ${trustedHops} trusted proxies and ${forwarded ?? "no header"} is ${expected}, for Envoy and the module alike`, async () => {
      await using own = await startMeshward({
        policy: { mode: "block", identity: { trustedHops } },
        upstream,
        backend: "process",
      });
      await fetch(own.url + ATTACK, { headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded } });
      const { request } = await own.waitForFinding({ class: "sqli" });
      assert.equal(request.address, expected);
      assert.equal(request.verdict.identity, expected);
    });
  }
});

describe("reload", () => {
  it("takes an object, YAML text and a file, each in force when it resolves", async () => {
    const folder = await mkdtemp(join(tmpdir(), "meshward-reload-"));
    const own = await startMeshward({ policy: "mode: block\n", upstream, backend: "process" });
    const status = async (): Promise<number> => (await fetch(own.url + ATTACK)).status;
    try {
      assert.equal(await status(), 403);
      await own.reload({ mode: "off" });
      assert.equal(await status(), 200);
      await own.reload("mode: block");
      assert.equal(await status(), 403);
      await writeFile(join(folder, "detect.yaml"), "mode: detect\n");
      await own.reload(join(folder, "detect.yaml"));
      assert.equal(await status(), 200);
      // The same again is in force already.
      await own.reload(join(folder, "detect.yaml"));
    } finally {
      await own.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("is in force on every worker when it resolves", async () => {
    await using own = await startMeshward({ policy: { mode: "off" }, upstream, backend: "process", concurrency: 4 });
    for (const mode of ["block", "off", "block", "off"] as const) {
      await own.reload({ mode });
      // New connections, so that they spread over the workers.
      const answers = await Promise.all(
        Array.from({ length: 16 }, () => fetch(own.url + ATTACK, { headers: { connection: "close" } })),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([mode === "block" ? 403 : 200]), mode);
    }
  });

  it("rejects a policy with a mistake, and the old one stays", async () => {
    await assert.rejects(meshward.reload("mode: blok\n"), PolicyError);
    await assert.rejects(meshward.reload("none.yaml"), /policy none\.yaml: no such file/);
    assert.equal((await fetch(meshward.url + ATTACK)).status, 403);
  });
});

describe("start", () => {
  it("rejects a policy with a mistake before anything runs", () =>
    assert.rejects(startMeshward({ policy: "mode: blok\n", upstream }), PolicyError));

  it("rejects an upstream that is none", () =>
    assert.rejects(startMeshward({ policy: {}, upstream: "localhost:1", backend: "process" }), /is not an upstream/));

  it("rejects a port that is taken, with Envoy's own words", async () => {
    const { hostname, port } = new URL(meshward.url);
    const listen = { host: hostname, port: Number(port) };
    await assert.rejects(startMeshward({ policy: {}, upstream, backend: "process", listen }), (error: EnvoyFailed) => {
      assert.ok(error instanceof EnvoyFailed);
      assert.match(error.message, /Address already in use/);
      return true;
    });
  });

  it("stops twice as well as once, and nothing listens then", async () => {
    const own = await startMeshward({ policy: {}, upstream, backend: "process" });
    assert.equal((await fetch(own.url)).status, 200);
    await Promise.all([own.stop(), own.stop()]);
    await own.stop();
    await assert.rejects(fetch(own.url));
  });
});
