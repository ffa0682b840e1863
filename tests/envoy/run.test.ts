import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import type { AccessEntry, Finding, Verdict } from "../../scripts/envoy/access-log.ts";
import { printable } from "../../scripts/envoy/printable.ts";
import { RunError, findingLine, parseListen, runMeshward } from "../../scripts/envoy/run.ts";
import { startReceiver } from "../events/receiver.ts";
import type { RunHandle, RunOptions } from "../../scripts/envoy/run.ts";

let folder: string;
let service: Server;
let upstream: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "meshward-run-test-"));
  service = createServer((_, response) => response.end("served")).listen(0, "127.0.0.1");
  await new Promise((resolve) => service.once("listening", resolve));
  upstream = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
after(async () => {
  service.closeAllConnections();
  service.close();
  await rm(folder, { recursive: true, force: true });
});

const ATTACK = "/search?q=1%20UNION%20SELECT%20name,password%20FROM%20users--";

/** A run with its lines; the case stops it. */
async function start(options: Partial<RunOptions>): Promise<{ handle: RunHandle; out: string[]; err: string[] }> {
  const [out, err]: [string[], string[]] = [[], []];
  const io = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const handle = await runMeshward(
    { upstream, listen: "127.0.0.1:0", backend: "process", env: process.env, ...options },
    io,
  );
  return { handle, out, err };
}

/** Waits for a line; fails with what was there. */
async function line(lines: string[], wanted: RegExp, from = 0): Promise<string> {
  for (const deadline = Date.now() + 5_000; Date.now() < deadline; await delay(20)) {
    const found = lines.slice(from).find((text) => wanted.test(text));
    if (found !== undefined) return found;
  }
  return assert.fail(`no line like ${wanted} in:\n${lines.join("\n")}`);
}

/** The one line that a start fails with. */
async function failure(options: Partial<RunOptions>): Promise<string> {
  const [error] = await Promise.all([
    start(options).then(
      async ({ handle }) => {
        await handle.stop();
        return assert.fail("it started");
      },
      (reason: unknown) => reason as Error,
    ),
  ]);
  assert.ok(error instanceof RunError, String(error));
  assert.equal(error.message.split("\n").length, 1, error.message);
  return error.message;
}

describe("run refuses, in one line", () => {
  it("an upstream that is down", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => free.once("listening", resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    assert.equal(
      await failure({ upstream: `http://127.0.0.1:${port}` }),
      `nothing answers at http://127.0.0.1:${port} (connection refused): start the service first`,
    );
  });

  it("an upstream that is none", async () =>
    assert.match(await failure({ upstream: "localhost:3000" }), /is not an upstream: expected http/));

  it("a port that is taken", async () => {
    const listen = new URL(upstream).host;
    assert.equal(await failure({ listen }), `cannot listen on ${listen}: it is taken by another program`);
  });

  it("an address that is none", async () =>
    assert.match(await failure({ listen: "somewhere" }), /is not an address to listen on/));

  it("a collector that is none", async () => {
    const told = await failure({ events: "collector:4318" });
    assert.equal(told, '--events: expected the URL of an OTLP/HTTP endpoint, such as "http://127.0.0.1:4318"');
  });

  it("a policy that is missing", async () => {
    const policy = join(folder, "none.yaml");
    assert.equal(await failure({ policy }), `policy ${policy}: no such file`);
  });

  it("a policy with mistakes: the first one, with its line, and how many more", async () => {
    const policy = join(folder, "bad.yaml");
    await writeFile(policy, "mode: blok\nsensitivity: extreme\n");
    const told = await failure({ policy });
    assert.match(told, /bad\.yaml:1:\d+: mode: /);
    assert.match(told, /\(and 1 more; see meshward policy check\)$/);
  });
});

describe("run", () => {
  it("sends what it finds to a collector, the last of it when it stops", async () => {
    const receiver = await startReceiver();
    try {
      const { handle } = await start({ events: `http://127.0.0.1:${receiver.port}`, service: "cart" });
      assert.equal((await fetch(handle.url + ATTACK)).status, 200);
      await handle.stop();
      assert.deepEqual(
        // What the service shows anyway is told, too.
        receiver.taken
          .filter(({ attributes }) => attributes["meshward.part"] === "query")
          .map(({ resource, attributes }) => [resource["service.name"], attributes["http.route"]]),
        [["cart", "/search"]],
      );
      assert.deepEqual(receiver.faults, []);
    } finally {
      await receiver.close();
    }
  });

  it("says where to go, lets through, refuses, prints a line for the finding, and sums up", async () => {
    const { handle, out, err } = await start({ mode: "block" });
    try {
      assert.match(out[0]!, new RegExp(`^Meshward stands before ${upstream}: use ${handle.url}$`));
      assert.equal(await (await fetch(`${handle.url}/`)).text(), "served");
      assert.equal((await fetch(handle.url + ATTACK)).status, 403);
      const told = await line(out, /sqli-/);
      assert.match(
        told,
        /^\d\d:\d\d:\d\d denied +403 GET \/search \| query q: sqli-[a-z-]+ \(\d+\) .* \| 127\.0\.0\.1$/,
      );
    } finally {
      await handle.stop();
    }
    assert.equal(await handle.ended, null);
    assert.match(handle.summary()[0]!, /^2 requests: 1 denied, 0 would have been denied in block mode$/);
    assert.match(handle.summary()[1]!, /^findings: sqli-[a-z-]+ 1/);
    assert.deepEqual(err, []);
    await assert.rejects(fetch(`${handle.url}/`));
  });

  it("puts a saved policy in force at once, also one saved by a rename; a bad one is told and the old one stays", async () => {
    const policy = join(folder, "meshward.yaml");
    await writeFile(policy, "mode: detect\n");
    const { handle, out, err } = await start({ policy });
    const status = async (): Promise<number> => (await fetch(handle.url + ATTACK)).status;
    try {
      assert.equal(await status(), 200);
      const saved = Date.now();
      await writeFile(policy, "mode: block\n");
      await line(out, /is in force \(mode block\)/);
      assert.ok(Date.now() - saved < 2_000, `took ${Date.now() - saved} ms`);
      assert.equal(await status(), 403);

      await writeFile(policy, "mode: blok\n");
      assert.match(await line(err, /the old policy stays in force/), /meshward\.yaml:1:\d+: mode: /);
      assert.equal(await status(), 403);

      await writeFile(join(folder, "next.yaml"), "mode: off\n");
      await rename(join(folder, "next.yaml"), policy);
      await line(out, /is in force \(mode off\)/);
      assert.equal(await status(), 200);

      await rm(policy);
      await line(err, /no such file; the old policy stays in force/);
      assert.equal(await status(), 200);
    } finally {
      await handle.stop();
    }
  });

  it("tells once that the service has gone, and once that it is back", async () => {
    const { port } = service.address() as AddressInfo;
    const { handle, err } = await start({});
    try {
      assert.equal((await fetch(handle.url)).status, 200);
      service.closeAllConnections();
      await new Promise((resolve) => service.close(resolve));
      for (let count = 0; count < 3; count++) assert.equal((await fetch(handle.url)).status, 503);
      await line(err, /does not answer/);
      await new Promise<void>((resolve) => service.listen(port, "127.0.0.1", resolve));
      assert.equal((await fetch(handle.url)).status, 200);
      await line(err, /answers again/);
      assert.equal(err.length, 2, err.join("\n"));
    } finally {
      await handle.stop();
    }
  });
});

describe("a line for the terminal", () => {
  const finding: Finding = {
    rule: "sqli-union-select",
    class: "sqli",
    cwe: [89],
    severity: "critical",
    confidence: 87,
    stage: "attempted",
    where: { part: "query", name: "q\u001b]0;owned\u0007" },
    evidence: "a{1}\nUNION \u202eSELECT",
  };
  const verdict: Verdict = {
    verdict: "deny",
    outcome: "denied",
    mode: "block",
    score: 87,
    rule: finding.rule,
    route: null,
    identity: "spiffe://a/\u001b[2J",
    request_id: null,
    trace_id: null,
    findings: [finding],
  };
  const entry: AccessEntry = {
    time: "2026-11-21T10:11:12.345Z",
    method: "GET",
    host: "h",
    path: `/${"x".repeat(500)}\r\n`,
    status: 403,
    flags: "-",
    details: null,
    address: "10.0.0.1",
    upstream: null,
    verdict,
  };

  it("shows nothing that a client can steer it with", () => {
    const shown = findingLine(entry, verdict, finding);
    assert.doesNotMatch(shown, /[\p{C}\p{Zl}\p{Zp}]/u);
    assert.ok(shown.length < 450);
    assert.match(shown, /q\\u\{1b\}\]0;owned\\u\{7\}/);
  });

  it("cuts at whole characters and marks the cut", () => {
    assert.equal(printable("abc", 3), "abc");
    assert.equal(printable("abcd", 3), "ab…");
    assert.equal(printable("\ud800", 20), "\\u{d800}");
  });

  for (const [text, expected] of [
    ["8080", { host: "127.0.0.1", port: 8080 }],
    [":8080", { host: "127.0.0.1", port: 8080 }],
    ["0.0.0.0:80", { host: "0.0.0.0", port: 80 }],
    ["[::1]:80", { host: "::1", port: 80 }],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseListen(text), expected));
  }
  for (const text of ["", "a", "1.2.3.4", "::1:80", "a:99999", "a:-1"]) {
    it(`refuses "${text}"`, () => assert.throws(() => parseListen(text), RunError));
  }
});
