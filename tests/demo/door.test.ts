import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { TOKEN_HEADER, makeToken, openDoor, refusal } from "../../scripts/demo/door.ts";
import type { Door } from "../../scripts/demo/door.ts";

const token = makeToken();
const hosts = new Set(["127.0.0.1:8080", "localhost:8080"]);
const good = { host: "127.0.0.1:8080", [TOKEN_HEADER]: token };

describe("the demo's door", () => {
  for (const [what, headers] of [
    ["a request with the token", good],
    ["the other name of the loopback", { ...good, host: "localhost:8080" }],
    ["a request of its own page", { ...good, origin: "http://127.0.0.1:8080", "sec-fetch-site": "same-origin" }],
    ["an address typed in", { ...good, "sec-fetch-site": "none" }],
  ] as const) {
    it(`lets in ${what}`, () => assert.equal(refusal(headers, hosts, token), null));
  }

  for (const [what, headers, status] of [
    ["no host", { ...good, host: undefined }, 421],
    ["a foreign host", { ...good, host: "shop.example" }, 421],
    ["a rebound host with the right port", { ...good, host: "evil.example:8080" }, 421],
    ["another port", { ...good, host: "127.0.0.1:8081" }, 421],
    ["no token", { host: good.host }, 401],
    ["an empty token", { ...good, [TOKEN_HEADER]: "" }, 401],
    ["another run's token", { ...good, [TOKEN_HEADER]: makeToken() }, 401],
    ["a longer token", { ...good, [TOKEN_HEADER]: `${token}a` }, 401],
    ["a token that is no ASCII", { ...good, [TOKEN_HEADER]: "é".repeat(token.length) }, 401],
    ["a foreign origin", { ...good, origin: "https://evil.example" }, 403],
    ["our origin by another scheme", { ...good, origin: "https://127.0.0.1:8080" }, 403],
    ["an opaque origin", { ...good, origin: "null" }, 403],
    ["two origins", { ...good, origin: "http://127.0.0.1:8080, https://evil.example" }, 403],
    ["a cross-site request", { ...good, "sec-fetch-site": "cross-site" }, 403],
    ["a same-site request", { ...good, "sec-fetch-site": "same-site" }, 403],
  ] as const) {
    it(`refuses ${what}`, () => assert.equal(refusal(headers, hosts, token)?.status, status));
  }

  it("makes a token that is new each time", () => {
    assert.match(token, /^[0-9a-f]{24}$/);
    assert.notEqual(makeToken(), makeToken());
  });
});

describe("an open door", () => {
  let door: Door;
  let served = 0;
  before(async () => {
    door = await openDoor((_, response) => {
      served++;
      response.end("served");
    }, token);
  });
  after(() => door.close());

  const status = (headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) =>
      request(door.url, { headers, agent: false }, (response) => resolve(response.resume().statusCode ?? 0))
        .once("error", reject)
        .end(),
    );

  it("admits nobody before it is told the address, not even by its own", async () => {
    const { host } = new URL(door.url);
    assert.equal(await status({ host, [TOKEN_HEADER]: token }), 421);
    assert.equal(served, 0);
    door.admit(door.url);
    assert.equal(await status({ host, [TOKEN_HEADER]: token }), 200);
    assert.equal(served, 1);
  });

  it("listens on the loopback and is gone when closed", async () => {
    assert.match(door.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    await door.close();
    await assert.rejects(status({}), { code: "ECONNREFUSED" });
  });
});
