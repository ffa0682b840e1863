/** What goes wrong between the report and a collector, each in one line. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { collectorAt, parseBase } from "../../scripts/report/client.ts";

/** Lets something that is no collector answer while `work` runs. */
async function among(listener: RequestListener, work: (base: URL) => Promise<void>): Promise<void> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await work(parseBase(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const says = async (base: URL, message: RegExp, token?: string): Promise<void> => {
  await assert.rejects(collectorAt(base, token).findings(), ({ message: said }: Error) => {
    assert.match(said, message);
    assert.ok(!said.includes("\n"), said);
    return true;
  });
};

describe("a collector's address", () => {
  it("is a URL of http or https without a password", () => {
    assert.equal(parseBase("https://c.example/meshward").href, "https://c.example/meshward/");
    for (const text of [
      "",
      "localhost:4318",
      "ftp://c.example",
      "http://user:secret@c.example",
      "http://c.example/?a=1",
    ]) {
      assert.throws(() => parseBase(text), /expected/, text);
    }
    assert.throws(
      () => parseBase("http://:secret@c.example"),
      (error: Error) => !error.message.includes("secret"),
    );
  });
});

describe("a collector that does not answer", () => {
  it("is told where nothing listens", async () => {
    let base: URL | null = null;
    await among(
      () => {},
      (at) => Promise.resolve(void (base = at)),
    );
    await says(base!, /^collector http:\/\/127\.0\.0\.1:\d+\/: nothing listens there; is the collector running\?$/);
  });
  it("is told where something else answers", async () => {
    const page: RequestListener = (_, response) => void response.end("<html>");
    await among(page, (base) =>
      says(base, /its answer to findings is not what this version .* is that a collector\?$/),
    );
    const closed: RequestListener = (request) => void request.socket.destroy();
    await among(closed, (base) => says(base, /the connection was closed; is that the collector\?$/));
    const broken: RequestListener = (_, response) => void response.writeHead(500).end("\u001b[2J\n".repeat(9));
    await among(broken, (base) => says(base, /: it answers 500$/));
  });
  it("does not get the token by sending us elsewhere", async () => {
    const seen: (string | undefined)[] = [];
    await among(
      (request, response) => void (seen.push(request.headers.authorization), response.end("{}")),
      async (other) => {
        const away: RequestListener = (_, response) => void response.writeHead(302, { location: other.href }).end();
        await among(away, (base) => says(base, /: it answers 302$/, "secret"));
      },
    );
    assert.deepEqual(seen, []);
  });
  it("stops where pages have no end", async () => {
    const endless: RequestListener = (_, response) =>
      void response.end(JSON.stringify({ findings: [], total: 0, next_cursor: "again" }));
    await among(endless, (base) => says(base, /: more than \d+ findings$/));
  });
});
